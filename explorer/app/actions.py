"""The menus: every action once, with its shortcut; disabled ones say why."""

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMessageBox

from explorer import __version__
from explorer.look import icons

if TYPE_CHECKING:
    from collections.abc import Callable

    from explorer.app.window import MainWindow


class Actions:
    """Makes the menus of a window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._icons: dict[QAction, str] = {}
        projects, document = window.projects, window.document
        keys = QKeySequence.StandardKey
        tr = window.tr

        self.gallery = self._action(tr("Gallery"), window.show_gallery, "Ctrl+N", "gallery")
        self.back = self._action(tr("Back to the canvas"), window.show_canvas, "Escape")
        self.new = self._action(tr("New network"), projects.new, "Ctrl+Shift+N", "add")
        self.open = self._action(tr("Open project…"), projects.ask_open, keys.Open, "open")
        self.follow = self._action(tr("Follow a run folder…"), window.follow_docks.ask)
        self.save = self._action(tr("Save"), projects.save, keys.Save, "save")
        self.save_as = self._action(tr("Save as…"), projects.ask_save, "Ctrl+Shift+S")
        self.export = self._action(tr("Export…"), window.export, "Ctrl+E", "export")
        self.figure = self._action(tr("Export figure…"), window.export_figure, "Ctrl+Shift+E")
        self.weights = self._action(tr("Weights…"), window.weights, "Ctrl+L")
        self.quit = self._action(tr("Quit"), window.close, keys.Quit)
        self.undo = document.undo_stack.createUndoAction(window, tr("Undo"))
        self.undo.setShortcut(keys.Undo)
        self.redo = document.undo_stack.createRedoAction(window, tr("Redo"))
        self.redo.setShortcuts([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")])
        self._icons |= {self.undo: "undo", self.redo: "redo"}
        self.remove = self._action(tr("Remove selected layers"), window.remove_selected, None, "remove")
        self.fit = self._action(tr("Fit"), window.canvas.fit, "F", "fit")
        self.tidy = self._action(tr("Tidy") + "\tT", window.canvas.tidy)
        self.reset_layout = self._action(tr("Reset panels"), window.reset_layout)
        self.help = self._action(tr("Help on the selection"), window.help_page.open, "F1")
        self.about = self._action(tr("About Architecture Explorer"), self._show_about)
        self._needs_project = (
            self.save,
            self.save_as,
            self.export,
            self.figure,
            self.weights,
            self.back,
            self.remove,
            self.fit,
            self.tidy,
        )

        file_menu = window.menuBar().addMenu(tr("&File"))
        file_menu.addActions([self.new, self.gallery, self.open])
        self._recent_menu = file_menu.addMenu(tr("Open recent"))
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        file_menu.addAction(self.follow)
        file_menu.addActions([self.save, self.save_as])
        file_menu.addSeparator()
        file_menu.addAction(self.weights)
        file_menu.addAction(self.export)
        file_menu.addAction(self.figure)
        file_menu.addSeparator()
        file_menu.addAction(self.quit)

        edit_menu = window.menuBar().addMenu(tr("&Edit"))
        edit_menu.addActions([self.undo, self.redo])
        edit_menu.addSeparator()
        edit_menu.addAction(self.remove)

        view_menu = window.menuBar().addMenu(tr("&View"))
        view_menu.addActions([self.fit, self.tidy, self.back])
        view_menu.addSeparator()
        for dock in window.docks.values():
            view_menu.addAction(dock.toggleViewAction())
        view_menu.addAction(self.reset_layout)
        view_menu.addSeparator()
        theme_menu = view_menu.addMenu(tr("Theme"))
        group = QActionGroup(window)
        for choice, text in (("system", tr("Follow the system")), ("light", tr("Light")), ("dark", tr("Dark"))):
            action = theme_menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(window.themes.choice == choice)
            action.triggered.connect(lambda _checked=False, chosen=choice: window.choose_theme(chosen))
            group.addAction(action)

        self.run_menu = run_menu = window.menuBar().addMenu(tr("&Run"))
        panel = window.training
        run_menu.addActions([panel.start_action, panel.pause_action, panel.step_action, panel.stop_action])
        run_menu.addSeparator()
        run_menu.addAction(window.profiling.action)

        window.menuBar().addMenu(tr("&Help")).addActions([self.help, self.about])

        window.themes.changed.connect(lambda _theme: self._colour())
        document.file_changed.connect(self._enable)
        self._colour()
        self._enable()

    def _action(
        self,
        text: str,
        triggered: "Callable[[], object]",
        shortcut: QKeySequence.StandardKey | str | None = None,
        icon: str | None = None,
    ) -> QAction:
        action = QAction(text, self._window)
        action.triggered.connect(lambda _checked=False: triggered())
        if shortcut is not None:
            action.setShortcut(QKeySequence(shortcut))
        if icon is not None:
            self._icons[action] = icon
        return action

    def _colour(self) -> None:
        for action, name in self._icons.items():
            action.setIcon(icons.icon(name, self._window.themes.theme))

    def _enable(self) -> None:
        is_open = self._window.document.is_open
        for action in self._needs_project:
            action.setEnabled(is_open)
            action.setToolTip(action.text() if is_open else self._window.tr("Open a network first"))

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        projects = self._window.projects
        for path in projects.recent():
            action = self._recent_menu.addAction(str(path))
            action.triggered.connect(lambda _checked=False, chosen=path: projects.open_file(chosen))
        if self._recent_menu.isEmpty():
            self._recent_menu.addAction(self._window.tr("None yet")).setEnabled(False)

    def _show_about(self) -> None:
        QMessageBox.about(
            self._window,
            self._window.tr("About Architecture Explorer"),
            self._window.tr("Architecture Explorer {0}\n\nMIT licence").format(__version__),
        )
