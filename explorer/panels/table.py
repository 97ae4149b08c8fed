"""The layer table: every node's numbers side by side, sortable, with totals; rows are the selection."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, QSize, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QColor, QGuiApplication, QKeySequence, QPalette
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

from explorer.look.icons import dress, icon
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.inspector_network import first_unknown
from explorer.panels.table_cells import ROW_HEIGHT, LayerTableView, TotalsRow
from explorer.panels.table_model import PLAIN_ROLE, SORT_ROLE, LayerTableModel
from explorer.session import Document, Selection, Snapshot
from explorer.session.places import settings

_HIDDEN_KEY = "table/hidden_columns"
_SHARE_KEY = "table/share_of"
_HIDDEN_AT_FIRST = str(LayerTableModel.STRIDE)


class LayerTable(QWidget):
    """All layers in the network's order; a click on a header sorts, a third click brings the order back.

    Signals:
        torchinfo_asked(): the user wants torchinfo's own summary of the network.
    """

    torchinfo_asked = Signal()

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._is_following = False
        self.model = LayerTableModel(themes, self)
        self.sorted_model = QSortFilterProxyModel(self)
        self.sorted_model.setSourceModel(self.model)
        self.sorted_model.setSortRole(SORT_ROLE)
        self.view = LayerTableView(self.model, self.sorted_model, themes, self)
        self._set_up_view()
        self.totals = TotalsRow(self.model, self.view.horizontalHeader(), themes, self)
        self.view.horizontalScrollBar().valueChanged.connect(self.totals.update)
        self._make_actions()
        self._restore_columns()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.view, 1)
        column.addWidget(self.totals)
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
        self._is_following = False
        self._follow_selection(scroll=False)
        if old is not None:
            self.view.verticalScrollBar().setValue(scrolled)
        self.totals.show_stop(None if new is None else first_unknown(new))

    def export_csv(self, path: Path) -> None:
        """Write all rows with every digit, in the order shown.

        Raises:
            OSError: an unwritable target.
        """
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(self._cells(range(self.sorted_model.rowCount())))

    def copied_text(self) -> str:
        """The selected rows, or all, with headers and every digit, separated by tabs as spreadsheets take them."""
        rows = sorted({index.row() for index in self.view.selectionModel().selectedRows()})
        text = io.StringIO()
        cells = self._cells(rows or range(self.sorted_model.rowCount()))
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
        header.sortIndicatorChanged.connect(self._sort_as_it_changes)
        self._sort_as_it_changes(header.sortIndicatorSection())
        for column, content in enumerate(self.model.columns):
            # Widths come from the widest text that a column ever needs, so that nothing jumps when a number grows.
            width = max(
                view.fontMetrics().horizontalAdvance(content.widest),
                header.fontMetrics().horizontalAdvance(content.title) + 2 * GRID,
            )
            view.setColumnWidth(column, width + 2 * GRID + (3 * GRID if column == LayerTableModel.ID else 0))
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
        self.torchinfo_action = QAction(self.tr("torchinfo summary…"), self)
        self.torchinfo_action.triggered.connect(self._ask_torchinfo)
        self.addAction(self.copy_action)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._open_menu)

    def _open_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.order_action.setEnabled(self.view.horizontalHeader().sortIndicatorSection() >= 0)
        self.torchinfo_action.setEnabled(self._document.is_open)
        menu.addActions([self.copy_action, self.export_action, self.order_action, self.torchinfo_action])
        menu.popup(self.view.viewport().mapToGlobal(position))

    def _open_columns_menu(self, position: QPoint) -> None:
        """Which columns there are, and of what the share is."""
        header, menu = self.view.horizontalHeader(), QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column, content in enumerate(self.model.columns):
            if column == LayerTableModel.ID:
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
        header = self.view.horizontalHeader()
        header.setSectionHidden(column, not shown)
        hidden = [str(c) for c in range(self.model.columnCount()) if header.isSectionHidden(c)]
        settings().setValue(_HIDDEN_KEY, ",".join(hidden))
        self.totals.update()

    def show_share_of(self, column: int) -> None:
        """Show the layers' parts of that column's sum; remembered for the next start."""
        self.model.set_share_of(column)
        settings().setValue(_SHARE_KEY, column)

    def _restore_columns(self) -> None:
        header = self.view.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_columns_menu)
        hidden = str(settings().value(_HIDDEN_KEY, _HIDDEN_AT_FIRST)).split(",")
        for column in range(1, self.model.columnCount()):
            header.setSectionHidden(column, str(column) in hidden)
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
        dress(self, self._set_icons)

    def _set_icons(self) -> None:
        theme = self._themes.theme
        self.copy_action.setIcon(icon("copy", theme))
        self.export_action.setIcon(icon("export", theme))

    def _sort_as_it_changes(self, section: int) -> None:
        """Keep the order while numbers change; in the network's own order there is nothing to keep."""
        self.sorted_model.setDynamicSortFilter(section >= 0)

    # Selection and preview

    def _select(self) -> None:
        if self._is_following:
            return
        rows = [self.sorted_model.mapToSource(index).row() for index in self.view.selectionModel().selectedRows()]
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
        rows = [row for node_id in self._selection.ids if (row := self.model.row_of(node_id)) is not None]
        wanted = QItemSelection()
        for row in rows:
            index = self.sorted_model.mapFromSource(self.model.index(row, 0))
            wanted.select(index, index)
        model = self.view.selectionModel()
        if {self.sorted_model.mapToSource(index).row() for index in model.selectedRows()} == set(rows):
            return
        flags = QItemSelectionModel.SelectionFlag
        self._is_following = True
        model.select(wanted, flags.ClearAndSelect | flags.Rows)
        if rows:
            current = self.sorted_model.mapFromSource(self.model.index(rows[-1], 0))
            model.setCurrentIndex(current, flags.NoUpdate)
            if scroll:
                self.view.scrollTo(current)
        self._is_following = False

    def _show_preview(self, preview: Snapshot | None) -> None:
        self.model.show_preview(preview)
        self.totals.update()

    def _cells(self, rows: Iterable[int]) -> list[list[str]]:
        columns = range(self.model.columnCount())
        header = [self.model.headerData(column, Qt.Orientation.Horizontal) for column in columns]
        return [header, *([self.sorted_model.index(row, c).data(PLAIN_ROLE) for c in columns] for row in rows)]


def _blend(colour: QColor, ground: QColor, share: float) -> QColor:
    return QColor.fromRgbF(
        colour.redF() * share + ground.redF() * (1 - share),
        colour.greenF() * share + ground.greenF() * (1 - share),
        colour.blueF() * share + ground.blueF() * (1 - share),
    )
