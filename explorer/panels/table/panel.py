"""The layer table: every node's numbers side by side, sortable, with totals; rows are the selection.

Over it a line filters them, in the query language of Find on the canvas.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QItemSelection, QItemSelectionModel, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QColor,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPalette,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QFrame,
    QHeaderView,
    QMenu,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from explorer.look.icons import icon
from explorer.look.query import QueryError, parse
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.dock_panel import DockPanel
from explorer.panels.inspector.network import first_unknown
from explorer.panels.table.cells import ROW_HEIGHT, LayerTableView, TotalsRow
from explorer.panels.table.columns import LEARNED, MEASURED
from explorer.panels.table.filter import FilterLine
from explorer.panels.table.model import PLAIN_ROLE, LayerTableModel
from explorer.panels.table.rows import ShownRows
from explorer.runs import Event, LayersMeasured, Look
from explorer.session import Document, Selection, Snapshot
from explorer.session.layer_statistics import KnownStatistics, joined
from explorer.session.places import settings
from explorer.session.profile_session import Measured
from explorer.session.sources import Source

_HIDDEN_KEY = "table/hidden_columns_4"
_SHARE_KEY = "table/share_of"
_HIDDEN_AT_FIRST = ",".join(str(int(column)) for column in (*LEARNED, LayerTableModel.STRIDE))


class LayerTable(DockPanel):
    """All layers in the network's order; a click on a header sorts, a third click brings the order back.

    Signals:
        torchinfo_asked(): the user wants torchinfo's own summary of the network.
        wanted_changed(): columns of what is measured while the network learns are on screen, or no longer.
    """

    torchinfo_asked = Signal()
    wanted_changed = Signal()

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._is_following = False
        self._has_measured = False
        self._statistics: KnownStatistics | None = None
        self._measures = False
        """Whether statistics were asked for last."""
        self._hidden: set[int] = set()
        """The columns that the user hid."""
        self.model = LayerTableModel(themes, self)
        self.rows = ShownRows(self.model, self)
        self._query = parse("")
        self.filter = FilterLine(themes, self)
        self.view = LayerTableView(self.model, self.rows, themes, self)
        self.setFocusProxy(self.view)
        self._set_up_view()
        self.totals = TotalsRow(self.model, self.view.horizontalHeader(), themes, self)
        self.view.horizontalScrollBar().valueChanged.connect(self.totals.update)
        self._make_actions()
        self._restore_columns()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.filter)
        column.addWidget(self.view, 1)
        column.addWidget(self.totals)
        self.filter.edited.connect(self._look)
        self.filter.left.connect(self._go_to_rows)
        self.view.installEventFilter(self)
        document.changed.connect(self.apply)
        document.previewed.connect(self._show_preview)
        selection.changed.connect(self._follow_selection)
        themes.changed.connect(self._redraw)
        self._redraw(themes.theme)
        self.apply(None, document.snapshot if document.is_open else None)

    def apply(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """Show `new`; what differs from `old` lights up. None where nothing is open."""
        scrolled = self.view.verticalScrollBar().value()
        # A reset empties the view's selection, which must not empty everyone's.
        self._is_following = True
        self.model.apply(old, new)
        self._show_found()
        self._is_following = False
        self._follow_selection(scroll=False)
        if old is not None:
            self.view.verticalScrollBar().setValue(scrolled)
        self.totals.show_stop(None if new is None else first_unknown(new))

    def show_measured(self, measured: Measured | None) -> None:
        """Show what a profile measured, in columns that are there as long as there is one."""
        self.model.show_measured(measured)
        if self._has_measured != (measured is not None):
            self._has_measured = not self._has_measured
            self._show_columns()
        self.totals.update()

    def wanted(self) -> Look:
        """The statistics of all layers, while a column of them is on screen."""
        return Look(measures=self.is_seen and not self._hidden.issuperset(LEARNED))

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Show statistics in their columns."""
        for event in events:
            if isinstance(event, LayersMeasured):
                self._statistics = joined(self._statistics, event, source.of_its_step(event.step))
                self.model.show_statistics(self._statistics)

    def clear_observed(self) -> None:
        """Show no statistics."""
        self._statistics = None
        self.model.show_statistics(None)

    def show_problem(self, text: str) -> None:
        """The panels say it; the cells only stay empty."""

    def _follow_seen(self, is_seen: bool) -> None:
        self._follow_wanted()

    def _follow_wanted(self) -> None:
        if self.wanted().measures != self._measures:
            self._measures = not self._measures
            self.wanted_changed.emit()

    def export_csv(self, path: Path) -> None:
        """Write the rows that are shown with every digit, in their order.

        Raises:
            OSError: an unwritable target.
        """
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(self._cells(range(self.rows.rowCount())))

    def copied_text(self) -> str:
        """The selected rows, or all shown, with headers and every digit, separated by tabs for spreadsheets."""
        rows = sorted({index.row() for index in self.view.selectionModel().selectedRows()})
        text = io.StringIO()
        cells = self._cells(rows or range(self.rows.rowCount()))
        csv.writer(text, delimiter="\t", lineterminator="\n").writerows(cells)
        return text.getvalue()

    def copy(self) -> None:
        """Put the selected rows, or all, on the clipboard."""
        QGuiApplication.clipboard().setText(self.copied_text())

    def restore_order(self) -> None:
        """Sort by nothing: the network's order."""
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    # Set-up

    def _set_up_view(self) -> None:
        view, header = self.view, self.view.horizontalHeader()
        view.setFont(body_font())
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setIconSize(QSize(2 * GRID, 2 * GRID))
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setTabKeyNavigation(False)
        view.setCornerButtonEnabled(False)
        view.verticalHeader().setVisible(False)
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        view.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header.setFont(small_font())
        header.setHighlightSections(False)
        header.setSortIndicatorClearable(True)
        header.setStretchLastSection(True)
        header.setFixedHeight(3 * GRID)
        header.setMinimumSectionSize(4 * GRID)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        view.setSortingEnabled(True)
        for column, content in enumerate(self.model.columns):
            # Widths come from the widest text that a column ever needs, so that nothing jumps when a number grows.
            width = max(
                view.fontMetrics().horizontalAdvance(content.widest),
                header.fontMetrics().horizontalAdvance(content.title) + 2 * GRID,
            )
            view.setColumnWidth(column, width + GRID + 2 + (3 * GRID if column == LayerTableModel.ID else 0))
        view.selectionModel().selectionChanged.connect(self._select)

    def _make_actions(self) -> None:
        self.copy_action = QAction(self.tr("Copy"), self)
        self.copy_action.setShortcut(QKeySequence.StandardKey.Copy)
        self.copy_action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.copy_action.triggered.connect(self.copy)
        self.export_action = QAction(self.tr("Export as CSV…"), self)
        self.export_action.triggered.connect(self._ask_and_export)
        self.order_action = QAction(self.tr("Network order"), self)
        self.order_action.triggered.connect(self.restore_order)
        self.filter_action = QAction(self.tr("Filter…"), self)
        self.filter_action.setShortcut(QKeySequence.StandardKey.Find)
        self.filter_action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.filter_action.triggered.connect(self._open_filter)
        self.torchinfo_action = QAction(self.tr("torchinfo summary…"), self)
        self.torchinfo_action.triggered.connect(self._ask_torchinfo)
        self.addActions([self.copy_action, self.filter_action])
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)

    def _open_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.order_action.setEnabled(self.view.horizontalHeader().sortIndicatorSection() >= 0)
        self.torchinfo_action.setEnabled(self._document.is_open)
        menu.addActions([self.filter_action, self.copy_action, self.export_action, self.order_action])
        menu.addAction(self.torchinfo_action)
        menu.popup(self.view.viewport().mapToGlobal(position))

    def _open_columns_menu(self, position: QPoint) -> None:
        """Which columns there are, and of what the share is."""
        header, menu = self.view.horizontalHeader(), QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column, content in enumerate(self.model.columns):
            if column == LayerTableModel.ID or not self._is_there(column):
                continue
            action = menu.addAction(content.title)
            action.setCheckable(True)
            action.setChecked(not header.isSectionHidden(column))
            action.setToolTip(content.help)
            action.toggled.connect(lambda shown, column=column: self.show_column(column, shown))
        share = menu.addMenu(self.tr("Share of"))
        group = QActionGroup(share)
        for column in LayerTableModel.SHARED:
            action = share.addAction(self.model.columns[column].title)
            action.setCheckable(True)
            action.setChecked(column == self.model.share_of)
            action.triggered.connect(lambda _checked, column=column: self.show_share_of(column))
            group.addAction(action)
        menu.popup(header.viewport().mapToGlobal(position))

    def show_column(self, column: int, shown: bool) -> None:
        """Show or hide a column; remembered for the next start."""
        self._hidden = self._hidden - {column} if shown else self._hidden | {column}
        self._show_columns()
        settings().setValue(_HIDDEN_KEY, ",".join(str(int(c)) for c in sorted(self._hidden)))
        self._follow_wanted()
        self.totals.update()

    def _show_columns(self) -> None:
        header = self.view.horizontalHeader()
        for column in range(1, self.model.columnCount()):
            header.setSectionHidden(column, column in self._hidden or not self._is_there(column))

    def _is_there(self, column: int) -> bool:
        """Whether a column could be shown: what is measured, once it was."""
        return self._has_measured or column not in MEASURED

    def show_share_of(self, column: int) -> None:
        """Show the layers' parts of that column's sum; remembered for the next start."""
        self.model.set_share_of(column)
        settings().setValue(_SHARE_KEY, column)

    def _restore_columns(self) -> None:
        header = self.view.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_columns_menu)
        hidden = str(settings().value(_HIDDEN_KEY, _HIDDEN_AT_FIRST)).split(",")
        self._hidden = {column for column in range(1, self.model.columnCount()) if str(column) in hidden}
        self._show_columns()
        share = str(settings().value(_SHARE_KEY, ""))
        if share.isdigit() and int(share) in LayerTableModel.SHARED:
            self.model.set_share_of(int(share))

    def _ask_torchinfo(self) -> None:
        self.torchinfo_asked.emit()

    def _ask_and_export(self) -> None:
        name = f"{self._document.architecture.name}.csv" if self._document.is_open else "layers.csv"
        path, _ = QFileDialog.getSaveFileName(
            self, self.tr("Export the table"), name.replace("/", "-"), self.tr("Comma-separated values (*.csv)")
        )
        if not path:
            return
        try:
            self.export_csv(Path(path))
        except OSError as error:
            QMessageBox.warning(self, self.tr("Export the table"), self.tr("Not written: %s") % error)

    def _redraw(self, theme: Theme) -> None:
        colours = QPalette()
        colours.setColor(QPalette.ColorRole.Highlight, _blend(theme.accent, theme.panel, 0.2))
        colours.setColor(QPalette.ColorRole.HighlightedText, theme.text)
        self.view.setPalette(colours)
        self._set_icons()

    def _set_icons(self) -> None:
        theme = self._themes.theme
        self.copy_action.setIcon(icon("copy", theme))
        self.export_action.setIcon(icon("export", theme))

    # Filter

    def _open_filter(self) -> None:
        # What is looked at is put together now, so that the first key costs no more than the others.
        self.model.subjects()
        self.filter.open()

    def _look(self, text: str) -> None:
        """Another query is typed; of one that is not understood yet the rows stay those of the one before."""
        try:
            self._query = parse(text)
        except QueryError as error:
            self.filter.show_problem(str(error))
            return
        self._is_following = True
        self._show_found()
        self._is_following = False
        self._follow_selection()

    def _show_found(self) -> None:
        """Show the rows that the query finds in the network as it is now, and their sums."""
        found = self._query.positions(self.model.subjects()) if self._query.terms else None
        self.rows.show_found(found)
        self.model.sum_up(found)
        self.totals.update()
        self.filter.show_count(None if found is None else len(found), self.model.rowCount())

    def _go_to_rows(self) -> None:
        """From the filter on with the keys: to the selected row, or else the first."""
        if self.rows.rowCount() and not self.view.selectionModel().hasSelection():
            self.view.selectRow(0)
        self.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape in the rows clears the filter, before the window's shortcut; without one it is the window's."""
        if watched is self.view and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            is_filtered = bool(self.filter.field.text())
            if is_filtered and event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if is_filtered and event.type() == QEvent.Type.KeyPress:
                self.filter.field.clear()
                return True
        return super().eventFilter(watched, event)

    # Selection and preview

    def _select(self) -> None:
        if self._is_following:
            return
        rows = [self.rows.source_row(index.row()) for index in self.view.selectionModel().selectedRows()]
        chosen = {self.model.node_id(row) for row in sorted(rows)}
        # Those that were selected already keep their place, so that the newest is the current one.
        kept = [node_id for node_id in self._selection.ids if node_id in chosen]
        new = [self.model.node_id(row) for row in sorted(rows) if self.model.node_id(row) not in kept]
        self._is_following = True
        self._selection.set((*kept, *new))
        self._is_following = False

    def _follow_selection(self, _ids: object = (), *, scroll: bool = True) -> None:
        if self._is_following:
            return
        known = [row for node_id in self._selection.ids if (row := self.model.row_of(node_id)) is not None]
        # What the filter leaves out stays selected, but here there is nothing of it to show.
        rows = [row for source in known if (row := self.rows.row_of(source)) is not None]
        wanted = QItemSelection()
        for row in rows:
            index = self.rows.index(row, 0)
            wanted.select(index, index)
        model = self.view.selectionModel()
        if {index.row() for index in model.selectedRows()} == set(rows):
            return
        flags = QItemSelectionModel.SelectionFlag
        self._is_following = True
        model.select(wanted, flags.ClearAndSelect | flags.Rows)
        if rows:
            current = self.rows.index(rows[-1], 0)
            model.setCurrentIndex(current, flags.NoUpdate)
            if scroll:
                self.view.scrollTo(current)
        self._is_following = False

    def _show_preview(self, preview: Snapshot | None) -> None:
        self.model.show_preview(preview)
        self.totals.update()

    def _cells(self, rows: Iterable[int]) -> list[list[str]]:
        left_out = LEARNED if self._statistics is None else ()
        columns = [c for c in range(self.model.columnCount()) if self._is_there(c) and c not in left_out]
        header = [self.model.headerData(column, Qt.Orientation.Horizontal) for column in columns]
        return [header, *([self.rows.index(row, c).data(PLAIN_ROLE) for c in columns] for row in rows)]


def _blend(colour: QColor, ground: QColor, share: float) -> QColor:
    return QColor.fromRgbF(
        colour.redF() * share + ground.redF() * (1 - share),
        colour.greenF() * share + ground.greenF() * (1 - share),
        colour.blueF() * share + ground.blueF() * (1 - share),
    )
