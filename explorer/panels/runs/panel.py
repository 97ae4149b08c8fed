"""The Runs tab: every run in a table, filtered, renamed, tagged, compared, exported and put into the trash.

What a cell says is `model`'s, the table's columns are `table`'s, the curves at the right are
`comparison`'s; what can be done with a run is `commands`', the files are `export`'s. Opening and
resuming a run are the window's to do.
"""

from PySide6.QtCore import (
    QByteArray,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QGuiApplication, QHideEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QMessageBox,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, Theme, ThemeSource, body_font
from explorer.panels.dock_panel import DockPanel
from explorer.panels.runs.bar import FilterBar, UndoBar
from explorer.panels.runs.commands import RunsCommands, connect
from explorer.panels.runs.comparison import RunsComparison
from explorer.panels.runs.export import RunsExport
from explorer.panels.runs.model import NAME, PLAIN_ROLE, TAGS, RunsFilter, RunsModel, copied
from explorer.panels.runs.table import RunsTable
from explorer.runs import RunRecord
from explorer.session.places import settings
from explorer.session.runs_session import RunsSession

_SPLITTER_KEY = "runs/splitter"


class RunsPanel(DockPanel):
    """The tab.

    Signals:
        open_asked(str): the user wants this run with its network, configuration, weights and curves in the window.
        resume_asked(str): the user wants this run to go on.
        follow_asked(Path): the user wants to see how the run in this folder goes.
        reveal_asked(Path): the user wants to see a folder.
        failed(str): what could not be done, and why.
        done(str): what was done, where the user cannot see it.
    """

    open_asked = Signal(str)
    resume_asked = Signal(str)
    follow_asked = Signal(object)
    reveal_asked = Signal(object)
    failed = Signal(str)
    done = Signal(str)

    def __init__(self, runs: RunsSession, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._themes = themes
        self._is_following = False
        self._is_behind = False
        self._chosen: tuple[str, ...] = ()
        """Ids of the selected runs in the order in which they were selected."""
        self.model = RunsModel(runs, themes, self)
        self.filtered = RunsFilter(self.model, self)
        self.view = RunsTable(self.model, self.filtered, self)
        self.setFocusProxy(self.view)
        self.bar = FilterBar(self.model.states, themes, self)
        self.undo_bar = UndoBar(themes, self)
        self.comparison = RunsComparison(runs, themes, self)
        self._empty = RoleLabel(themes, role="muted", font=body_font(), wraps=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.commands = RunsCommands(self.view)
        self.export = RunsExport(runs, self)
        self.export.failed.connect(self.failed)
        self.export.done.connect(self.done)
        self._connect_commands()
        self._set_up_view()
        self._lay_out()
        self.bar.changed.connect(self._filter)
        self.bar.trash_toggled.connect(self._show_trash)
        self.undo_bar.undone.connect(runs.restore)
        runs.changed.connect(self.apply)
        runs.trashed.connect(self._offer_undo)
        runs.failed.connect(self.failed)
        themes.changed.connect(self._redraw)
        self._redraw(themes.theme)
        self.apply()

    @property
    def selected(self) -> tuple[RunRecord, ...]:
        """The selected runs, in the order in which they were selected."""
        known = {record.run_id: record for record in self.model.records}
        return tuple(known[run_id] for run_id in self._chosen if run_id in known)

    def select(self, *run_ids: str) -> None:
        """Select these runs, in this order; those that the filter hides stay unselected."""
        self._chosen = run_ids
        self._select_rows()
        self._take_selection()

    def apply(self) -> None:
        """Show the runs as the session has them now; once the user has typed a name or tags to the end, if so."""
        # Qt would fill an editor of a row that changed anew, and close it where rows come and go.
        self._is_behind = self.view.state() == QAbstractItemView.State.EditingState
        if self._is_behind:
            return
        self._is_following = True
        self.model.apply(self._runs.records)
        self._is_following = False
        self.bar.show_tags(self._runs.tags)
        self.bar.show_trash(self._runs.num_trashed, self._runs.shows_trash)
        self._select_rows()
        self._take_selection()
        self._show_page()

    def close_work(self, timeout_s: float = 10.0) -> None:
        """End an export that is under way."""
        self.export.close_work(timeout_s)

    def copy(self) -> None:
        """Put the selected rows, or all, on the clipboard, as spreadsheets take them."""
        rows = sorted({index.row() for index in self.view.selectionModel().selectedRows()})
        columns = [c for c in range(self.model.columnCount()) if not self.view.isColumnHidden(c)]
        header = [self.model.columns[column].title for column in columns]
        cells = [
            [str(self.filtered.index(row, column).data(PLAIN_ROLE)) for column in columns]
            for row in rows or range(self.filtered.rowCount())
        ]
        QGuiApplication.clipboard().setText(copied([header, *cells]))

    def sizeHint(self) -> QSize:
        return QSize(150 * GRID, 34 * GRID)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._remember()

    def _follow_seen(self, is_seen: bool) -> None:
        self._runs.set_watched(is_seen)

    # Set-up

    def _lay_out(self) -> None:
        left = QWidget(self)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.undo_bar)
        pages = QWidget(left)
        self._pages = QStackedLayout(pages)
        self._pages.addWidget(self.view)
        self._pages.addWidget(self._empty)
        column.addWidget(pages, 1)
        self.bar.add_actions(self.commands.in_the_bar, lambda: self.commands.menu(self))
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.comparison)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        self.splitter.setSizes([800, 480])
        self.splitter.setChildrenCollapsible(True)
        stored = settings().value(_SPLITTER_KEY)
        if isinstance(stored, QByteArray):
            self.splitter.restoreState(stored)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.splitter)

    def _set_up_view(self) -> None:
        view = self.view
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._open_menu)
        view.doubleClicked.connect(self._double_click)
        view.itemDelegate().closeEditor.connect(self._catch_up)
        view.selectionModel().selectionChanged.connect(self._follow_selection)

    def _connect_commands(self) -> None:
        commands, runs = self.commands, self._runs
        connect(commands.open, self._open)
        connect(commands.resume, lambda: self.resume_asked.emit(self.selected[0].run_id))
        connect(commands.restore, lambda: runs.restore(self._ids()))
        connect(commands.trash, self._delete)
        connect(commands.rename, lambda: self._edit(NAME))
        connect(commands.tag, lambda: self._edit(TAGS))
        connect(commands.copy, self.copy)
        connect(commands.csv, lambda: self.export.ask_csv(self.selected, self.model.records))
        connect(commands.tensorboard, lambda: self.export.ask_tensorboard(self.selected))
        connect(commands.follow, lambda: self.follow_asked.emit(self.selected[0].folder))
        connect(commands.reveal, lambda: self.reveal_asked.emit(self.selected[0].folder))

    def _catch_up(self) -> None:
        # The view notes that its editor is closed after this signal, or before it.
        if self._is_behind:
            QTimer.singleShot(0, self, self.apply)

    # Selection

    def _ids(self) -> tuple[str, ...]:
        return tuple(record.run_id for record in self.selected)

    def _follow_selection(self, _selected: QItemSelection, _deselected: QItemSelection) -> None:
        if self._is_following:
            return
        rows = sorted({self.filtered.mapToSource(i).row() for i in self.view.selectionModel().selectedRows()})
        now = [self.model.records[row].run_id for row in rows]
        # Those that were selected already keep their place, and with it their colour.
        kept = [run_id for run_id in self._chosen if run_id in now]
        self._chosen = (*kept, *(run_id for run_id in now if run_id not in kept))
        self._take_selection()

    def _select_rows(self) -> None:
        wanted = QItemSelection()
        for row, record in enumerate(self.model.records):
            index = self.filtered.mapFromSource(self.model.index(row, 0))
            if record.run_id in self._chosen and index.isValid():
                wanted.select(index, index)
        flags = QItemSelectionModel.SelectionFlag
        self._is_following = True
        self.view.selectionModel().select(wanted, flags.ClearAndSelect | flags.Rows)
        self._is_following = False

    def _take_selection(self) -> None:
        records = self.selected
        self.comparison.apply(records)
        self.model.show_series(self.comparison.colours())
        self.commands.enable(records, in_trash=self._runs.shows_trash)

    def _show_page(self) -> None:
        self.comparison.invite(self.filtered.rowCount() > 0)
        if self.filtered.rowCount():
            self._pages.setCurrentWidget(self.view)
            return
        if self.model.records:
            text = self.tr("No run fits this filter.")
        elif self._runs.shows_trash:
            text = self.tr("The trash is empty.")
        else:
            text = self.tr("No run is kept yet. Open a network and start one (F5): it appears here as it goes.")
        self._empty.show_text(text)
        self._pages.setCurrentWidget(self._empty)

    # Commands

    def _filter(self) -> None:
        self.filtered.show_only(text=self.bar.text, state=self.bar.state, tag=self.bar.tag)
        self._show_page()

    def _show_trash(self, shown: bool) -> None:
        self.undo_bar.hide()
        self._runs.show_trash(shown)

    def _open(self) -> None:
        if self.commands.open.isEnabled():
            self.open_asked.emit(self.selected[0].run_id)

    def _double_click(self, index: QModelIndex) -> None:
        # Qt gives up the editor that the first click on a selected row would open only after this signal.
        QTimer.singleShot(0, self, self._edit_tags if index.column() == TAGS else self._open)

    def _edit_tags(self) -> None:
        index = self.view.currentIndex()
        if index.column() == TAGS:
            self.view.edit(index)

    def _edit(self, column: int) -> None:
        row = self.view.selectionModel().selectedRows()[0].row()
        if self.view.isColumnHidden(column):
            self.view.setColumnHidden(column, False)
        index = self.filtered.index(row, column)
        self.view.setCurrentIndex(index)
        self.view.edit(index)

    def _delete(self) -> None:
        ids = self._ids()
        if not self._runs.shows_trash:
            self._runs.trash(ids)
            return
        question = self.tr("Delete {0} with their weights and curves? This cannot be undone.")
        what = self.selected[0].title if len(ids) == 1 else self.tr("{0} runs").format(len(ids))
        if (
            QMessageBox.question(self, self.tr("Delete for good"), question.format(what))
            == QMessageBox.StandardButton.Yes
        ):
            self._runs.delete(ids)

    def _offer_undo(self, run_ids: tuple[str, ...]) -> None:
        what = self.tr("1 run") if len(run_ids) == 1 else self.tr("{0} runs").format(len(run_ids))
        self.undo_bar.offer(self.tr("Moved {0} to the trash.").format(what), run_ids)

    # Menus and looks

    def _open_menu(self, position: QPoint) -> None:
        self.commands.menu(self).popup(self.view.viewport().mapToGlobal(position))

    def _remember(self) -> None:
        self.view.remember()
        settings().setValue(_SPLITTER_KEY, self.splitter.saveState())

    def _redraw(self, theme: Theme) -> None:
        self.view.recolour(theme)
        self._set_icons()

    def _set_icons(self) -> None:
        theme = self._themes.theme
        self.commands.set_icons(theme)
        self.bar.set_icons(theme)
