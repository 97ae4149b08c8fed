"""The Runs tab: every run in a table, filtered, renamed, tagged, compared, exported and put into the trash.

What a cell says is `runs_model`'s, the curves at the right are `runs_comparison`'s. Opening and resuming a run are the
window's to do.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QItemSelection, QItemSelectionModel, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QColor, QGuiApplication, QHideEvent, QKeySequence, QPalette, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QFrame,
    QHeaderView,
    QMenu,
    QMessageBox,
    QSplitter,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from explorer.look.icons import dress, icon
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font
from explorer.panels.runs_bar import FilterBar, UndoBar
from explorer.panels.runs_comparison import RunsComparison
from explorer.panels.runs_model import NAME, PLAIN_ROLE, STATE, TAGS, WHEN, RunsFilter, RunsModel, copied
from explorer.runs import RunRecord
from explorer.runs.run_files import runs_csv, save_history_csv, save_tensorboard
from explorer.session.job import Job
from explorer.session.places import settings
from explorer.session.runs_session import RunsSession

_HEADER_KEY = "runs/header"
_SPLITTER_KEY = "runs/splitter"
_HIDDEN_AT_FIRST = (8, 9)
_ROW_HEIGHT = 3 * GRID + 2


class RunsPanel(QWidget):
    """The tab.

    Signals:
        open_asked(str): the user wants this run with its network, configuration, weights and curves in the window.
        resume_asked(str): the user wants this run to go on.
        reveal_asked(Path): the user wants to see a folder.
        failed(str): what could not be done, and why.
        done(str): what was done, where the user cannot see it.
    """

    open_asked = Signal(str)
    resume_asked = Signal(str)
    reveal_asked = Signal(object)
    failed = Signal(str)
    done = Signal(str)

    def __init__(self, runs: RunsSession, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._themes = themes
        self._is_following = False
        self._is_behind = False
        self._job: Job | None = None
        self._chosen: tuple[str, ...] = ()
        """Ids of the selected runs in the order in which they were selected."""
        self.model = RunsModel(runs, themes, self)
        self.filtered = RunsFilter(self.model, self)
        self.view = QTableView(self)
        self.bar = FilterBar(self.model.states, self)
        self.undo_bar = UndoBar(themes, self)
        self.comparison = RunsComparison(runs, themes, self)
        self._empty = RoleLabel(themes, role="muted", font=body_font(), wraps=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._make_actions()
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
        if self._job is not None:
            self._job.close(timeout_s)
            self._job = None

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

    def export_csv(self, path: Path) -> None:
        """Write the curves of the one selected run, or the results and settings of several; `failed` says why not."""
        records = self.selected
        try:
            if len(records) == 1:
                history = self._runs.history(records[0])
                if history is None:
                    return
                save_history_csv(records[0], history, path)
            else:
                path.write_text(runs_csv(records or self.model.records), encoding="utf-8")
        except OSError as error:
            self.failed.emit(self.tr("{0}: {1}").format(path, error.strerror or error))
            return
        self.done.emit(self.tr("Wrote {0}").format(path))

    def export_tensorboard(self, folder: Path) -> None:
        """Write the selected runs as TensorBoard event files, in a thread; `done` or `failed` follows."""
        found = [(record, self._runs.history(record)) for record in self.selected]
        ready = [(record, history) for record, history in found if history is not None]

        def work(progress: Callable[[str, float], None], cancelled: Callable[[], bool]) -> int:
            for place, (record, history) in enumerate(ready):
                if cancelled():
                    break
                progress(record.title, place / len(ready))
                save_tensorboard(record, history, folder)
            return len(ready)

        self.close_work()
        self._job = job = Job(work, self)
        said = self.tr("Wrote event files: tensorboard --logdir {0}").format(folder)
        job.finished.connect(lambda _count: self.done.emit(said))
        job.failed.connect(lambda why: self.failed.emit(self.tr("{0}: {1}").format(folder, why)))
        job.start()

    def sizeHint(self) -> QSize:
        return QSize(150 * GRID, 34 * GRID)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._runs.set_watched(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._runs.set_watched(False)
        self._remember()

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
        self.bar.add_actions([self.open_action, self.resume_action, self.restore_action, self.trash_action], self._menu)
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
        view, header = self.view, self.view.horizontalHeader()
        view.setModel(self.filtered)
        view.setFont(body_font())
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setIconSize(QSize(GRID + 2, GRID + 2))
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        triggers = QAbstractItemView.EditTrigger
        view.setEditTriggers(triggers.EditKeyPressed | triggers.SelectedClicked)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setTabKeyNavigation(False)
        view.setCornerButtonEnabled(False)
        view.verticalHeader().setVisible(False)
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        view.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        header.setFont(small_font())
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSectionsMovable(True)
        header.setFixedHeight(3 * GRID)
        header.setMinimumSectionSize(4 * GRID)
        header.setSortIndicator(WHEN, Qt.SortOrder.DescendingOrder)
        view.setSortingEnabled(True)
        for column, content in enumerate(self.model.columns):
            width = max(
                view.fontMetrics().horizontalAdvance(content.widest),
                header.fontMetrics().horizontalAdvance(content.title) + 2 * GRID,
            )
            view.setColumnWidth(column, width + GRID + 4 + (GRID + 4 if column in (NAME, STATE) else 0))
            view.setColumnHidden(column, column in _HIDDEN_AT_FIRST)
        stored = settings().value(_HEADER_KEY)
        if isinstance(stored, QByteArray):
            header.restoreState(stored)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._open_columns_menu)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._open_menu)
        view.doubleClicked.connect(self._double_click)
        view.itemDelegate().closeEditor.connect(self._catch_up)
        view.selectionModel().selectionChanged.connect(self._follow_selection)

    def _make_actions(self) -> None:
        self.open_action = self._action(self.tr("Open"), "Return", self._open)
        self.resume_action = self._action(self.tr("Resume"), "", self._resume)
        self.restore_action = self._action(self.tr("Restore"), "", lambda: self._runs.restore(self._ids()))
        self.trash_action = self._action(self.tr("Delete"), "Delete", self._delete)
        self.rename_action = self._action(self.tr("Rename"), "", lambda: self._edit(NAME))
        self.tag_action = self._action(self.tr("Edit tags"), "", lambda: self._edit(TAGS))
        self.copy_action = self._action(self.tr("Copy"), QKeySequence.StandardKey.Copy, self.copy)
        self.csv_action = self._action(self.tr("Export as CSV…"), "", self._ask_csv)
        self.tensorboard_action = self._action(self.tr("Export for TensorBoard…"), "", self._ask_tensorboard)
        self.reveal_action = self._action(self.tr("Show the run's folder"), "", self._reveal)
        self.rename_action.setToolTip(self.tr("Rename (F2)"))

    def _action(self, text: str, shortcut: str | QKeySequence.StandardKey, do: object) -> QAction:
        action = QAction(text, self.view)
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda _checked=False: do())  # type: ignore[operator]
        self.view.addAction(action)
        return action

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
        self._enable(records)

    def _enable(self, records: tuple[RunRecord, ...]) -> None:
        trash, one = self._runs.shows_trash, len(records) == 1
        none = self.tr("Select a run first.")
        single = None if one else self.tr("Select one run for this.") if records else none
        running = self.tr("A run that is active cannot be deleted; stop it first.")
        in_trash = self.tr("It is in the trash; restore it first.") if trash else None
        _offer(self.open_action, self.tr("Open its network, settings, weights and curves"), single or in_trash)
        complete = None
        if one and not records[0].can_resume:
            is_active = records[0].state == "running"
            complete = (
                self.tr("It is active.") if is_active else self.tr("It is complete; there is nothing left to do.")
            )
        _offer(self.resume_action, self.tr("Go on from its last checkpoint"), single or in_trash or complete)
        held = running if any(record.state == "running" for record in records) else None
        self.trash_action.setText(self.tr("Delete for good") if trash else self.tr("Delete"))
        _offer(self.trash_action, self.tr("Put into the trash") if not trash else "", none if not records else held)
        _offer(self.restore_action, self.tr("Take out of the trash"), none if not records else None)
        self.restore_action.setVisible(trash)
        self.open_action.setVisible(not trash)
        self.resume_action.setVisible(not trash)
        for action in (self.rename_action, self.tag_action, self.reveal_action):
            _offer(action, action.text(), single)
        _offer(self.tensorboard_action, self.tr("Curves as event files"), None if records else none)

    def _show_page(self) -> None:
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
        if self.open_action.isEnabled():
            self.open_asked.emit(self.selected[0].run_id)

    def _resume(self) -> None:
        self.resume_asked.emit(self.selected[0].run_id)

    def _reveal(self) -> None:
        self.reveal_asked.emit(self.selected[0].folder)

    def _double_click(self, index: object) -> None:
        column = self.view.currentIndex().column()
        if column in (NAME, TAGS):
            self.view.edit(self.view.currentIndex())
        else:
            self._open()

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

    def _ask_csv(self) -> None:
        name = f"{self.selected[0].run_id}.csv" if len(self.selected) == 1 else "runs.csv"
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export as CSV"), name, self.tr("Table (*.csv)"))
        if path:
            self.export_csv(Path(path))

    def _ask_tensorboard(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Folder for TensorBoard"))
        if folder:
            self.export_tensorboard(Path(folder))

    # Menus and looks

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        menu.addActions([self.open_action, self.resume_action, self.restore_action])
        menu.addSeparator()
        menu.addActions([self.rename_action, self.tag_action, self.copy_action])
        menu.addSeparator()
        menu.addActions([self.csv_action, self.tensorboard_action, self.reveal_action])
        menu.addSeparator()
        menu.addAction(self.trash_action)
        return menu

    def _open_menu(self, position: QPoint) -> None:
        self._menu().popup(self.view.viewport().mapToGlobal(position))

    def _open_columns_menu(self, position: QPoint) -> None:
        header, menu = self.view.horizontalHeader(), QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column, content in enumerate(self.model.columns):
            if column == NAME:
                continue
            action = menu.addAction(content.title)
            action.setCheckable(True)
            action.setChecked(not header.isSectionHidden(column))
            action.setToolTip(content.help)
            action.toggled.connect(lambda shown, column=column: self.show_column(column, shown))
        menu.popup(header.viewport().mapToGlobal(position))

    def show_column(self, column: int, shown: bool) -> None:
        """Show or hide a column; remembered for the next start, as are widths, places and the order of the rows."""
        self.view.setColumnHidden(column, not shown)
        self._remember()

    def _remember(self) -> None:
        stored = settings()
        stored.setValue(_HEADER_KEY, self.view.horizontalHeader().saveState())
        stored.setValue(_SPLITTER_KEY, self.splitter.saveState())

    def _redraw(self, theme: Theme) -> None:
        colours = QPalette()
        colours.setColor(QPalette.ColorRole.Highlight, _tinted(theme))
        colours.setColor(QPalette.ColorRole.HighlightedText, theme.text)
        self.view.setPalette(colours)
        dress(self, self._set_icons)

    def _set_icons(self) -> None:
        theme = self._themes.theme
        for action, name in (
            (self.open_action, "open"),
            (self.resume_action, "start"),
            (self.restore_action, "undo"),
            (self.trash_action, "remove"),
            (self.copy_action, "copy"),
            (self.csv_action, "export"),
        ):
            action.setIcon(icon(name, theme))
        self.bar.set_icons(theme)


def _offer(action: QAction, what: str, why_not: str | None) -> None:
    action.setEnabled(why_not is None)
    shortcut = action.shortcut().toString()
    action.setToolTip(why_not or (f"{what} ({shortcut})" if shortcut else what))


def _tinted(theme: Theme) -> QColor:
    """A quiet ground for selected rows, on which text and marks keep their colours."""
    share = 0.2
    over, ground = theme.accent, theme.panel
    return QColor.fromRgbF(
        over.redF() * share + ground.redF() * (1 - share),
        over.greenF() * share + ground.greenF() * (1 - share),
        over.blueF() * share + ground.blueF() * (1 - share),
    )
