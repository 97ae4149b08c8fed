"""The main window: gallery or canvas in the middle, docks around it, one bar above; wires signals, holds no state."""

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QTabWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from explorer.app import engine
from explorer.app.actions import Actions
from explorer.app.augmentation_source import AugmentationSource
from explorer.app.classes_engine import test_pictures
from explorer.app.data_engine import DataEngine, make_pictures
from explorer.app.device_watch import DeviceWatch
from explorer.app.export_dialog import ExportDialog
from explorer.app.figure_dialog import FigureDialog
from explorer.app.follow_docks import FollowDocks
from explorer.app.in_front import InFront
from explorer.app.looking import Looking, Viewer
from explorer.app.measuring import make_measuring
from explorer.app.message_bar import MessageBar
from explorer.app.moments import TimeMachine
from explorer.app.probe_engine import offer_probes
from explorer.app.profile import Profiling
from explorer.app.projects import Projects
from explorer.app.run_actions import RunActions
from explorer.app.tab_focus import TabFocus
from explorer.app.toolbar import BatchEditor, InputEditor
from explorer.app.torchinfo_dialog import TorchinfoDialog
from explorer.app.totals import TotalsBar
from explorer.app.weights_dialog import WeightsDialog
from explorer.architecture import EditRefused, edits, files
from explorer.canvas import GraphView
from explorer.look import theme
from explorer.look.island import Island
from explorer.look.theme import Theme, ThemeSource
from explorer.panels.classes.panel import ClassesPanel
from explorer.panels.data.page import DataPage, dropped_folder
from explorer.panels.device_choice import DeviceChoice
from explorer.panels.estimates import Estimates
from explorer.panels.explanations.panel import ExplanationsPanel
from explorer.panels.explanations.tab import AnswersTab
from explorer.panels.feature_maps.panel import FeatureMapsPanel
from explorer.panels.gallery.panel import Gallery
from explorer.panels.help.page import HelpPage
from explorer.panels.ideas.panel import IdeasPanel
from explorer.panels.inspector.panel import Inspector
from explorer.panels.issues.panel import IssuesPanel
from explorer.panels.layer_walk.panel import LayerWalkPanel
from explorer.panels.palette.panel import LayerPalette
from explorer.panels.runs.panel import RunsPanel
from explorer.panels.source.panel import SourcePanel
from explorer.panels.table.panel import LayerTable
from explorer.panels.training.panel import TrainingPanel
from explorer.panels.weights.panel import WeightsPanel
from explorer.runs import Event, RunConfig, RunStarted
from explorer.session import Document, Selection, Snapshot, probes_kept
from explorer.session.classes_session import ClassesSession
from explorer.session.data_session import DataSession, DataView
from explorer.session.places import settings
from explorer.session.probe_session import ProbeSession
from explorer.session.probe_set import ProbeSet
from explorer.session.probes_source import ProbeSource
from explorer.session.recovery import Autosave
from explorer.session.run_session import RunSession
from explorer.session.runs_session import RunsSession

_STATE_VERSION = 2
_CLOSE_TIMEOUT_S = 15.0


class MainWindow(QMainWindow):
    """One window, one project. Closing it ends the run cleanly and asks about unsaved changes."""

    def __init__(self) -> None:
        super().__init__()
        self.themes = ThemeSource(self)
        stored = settings()
        self.themes.choose(str(stored.value("theme", "system")))
        self._apply_theme(self.themes.theme)
        self.themes.changed.connect(self._apply_theme)

        self.document = Document(self)
        self.selection = Selection(self.document, self)
        self.run_session = RunSession(engine.train, self)
        self.probe_session = ProbeSession(engine.make_capture(), self)
        self.probes = ProbeSet(self)
        self.probe_source = ProbeSource(self.probes, offer_probes, self)
        self.data_session = DataSession(DataEngine(), self)
        self.runs_session = RunsSession(parent=self)
        self.classes_session = ClassesSession(self.run_session, self.runs_session.root, test_pictures, self)
        self.estimates = Estimates(self)
        self.devices = DeviceWatch(engine.look_up_device, self)
        self.bar = MessageBar(self.themes)
        self.measuring = make_measuring(self.document, self)
        self.measuring.failed.connect(self.bar.error)
        self.projects = Projects(self.document, self.run_session, self.bar, self)
        self.autosave = Autosave(self.document, parent=self, weights=self.run_session.initial_path)
        self.autosave.failed.connect(self.bar.error)

        self._make_pages()
        self._make_docks()
        self.follow_docks = FollowDocks(
            self, self.docks, self.document, self.run_session, self.projects, self.bar, self.themes
        )
        self.profiling = Profiling(
            self.document, self.run_session, self.training, self.canvas, self.table, self.bar, self.themes, self
        )
        self.profiling.place_in(self.pages)
        self.help_page = HelpPage(self.document, self.selection, self.themes, self)
        self.actions_ = Actions(self)
        self._make_toolbar()
        in_docks: dict[str, Viewer] = {
            "feature-maps": self.feature_maps,
            "layer": self.layer_walk,
            "weights": self.weights_panel,
            "classes": self.explanations,
            "table": self.table,
        }
        viewers: list[Viewer] = [self.canvas]
        viewers += [InFront(viewer, self.docks[name]) for name, viewer in in_docks.items()]
        self.looking = Looking(self.document, self.run_session, self.probe_session, self.probes, viewers, self)
        self.time_machine = TimeMachine(
            self,
            self.document,
            self.selection,
            self.run_session,
            self.runs_session.root,
            self.looking,
            self.training.curves,
            self.canvas,
            self.classes_session,
            self.bar,
            self.themes,
        )
        self.time_machine.history_read.connect(self.weights_panel.show_history)
        self.actions_.run_menu.addMenu(self.time_machine.menu(self.tr("Look back")))
        self.pages.currentChanged.connect(
            lambda _place: self.time_machine.set_page_shown(self.pages.currentWidget() is self.canvas)
        )
        self._connect()
        self.setAcceptDrops(True)
        self._docks_state: QByteArray | None = None
        self._restore_state()
        self._show_page()

    # Building

    def _make_pages(self) -> None:
        self.gallery = Gallery(self.themes)
        self.canvas = GraphView(self.document, self.selection, self.themes)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.gallery)
        self.pages.addWidget(self.canvas)
        central = QWidget()
        column = QVBoxLayout(central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.pages, 1)
        self.setCentralWidget(central)

    def _make_docks(self) -> None:
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.palette_panel = LayerPalette(self.document, self.selection, self.themes)
        self.inspector = Inspector(self.document, self.selection, self.themes, estimates=self.estimates)
        self.ideas = IdeasPanel(self.document, self.themes, estimates=self.estimates)
        self.training = TrainingPanel(self.document, self.run_session, self.themes)
        self.data_page = DataPage(self.document, self.data_session, self.themes)
        self.feature_maps = FeatureMapsPanel(self.document, self.selection, self.probes, self.themes)
        self.layer_walk = LayerWalkPanel(self.document, self.selection, self.themes)
        self.weights_panel = WeightsPanel(self.document, self.selection, self.themes)
        self.classes = ClassesPanel(self.classes_session, self.themes)
        self.explanations = ExplanationsPanel(self.document, self.probes, self.themes)
        self.answers = AnswersTab(self.classes, self.explanations)
        self.table = LayerTable(self.document, self.selection, self.themes)
        self.source = SourcePanel(self.document, self.selection, self.themes)
        self.runs = RunsPanel(self.runs_session, self.themes)
        self.issues = IssuesPanel(self.document, self.selection, self.themes)
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        self.docks: dict[str, QDockWidget] = {}
        for name, title, widget, area in (
            ("layers", self.tr("Layers"), self.palette_panel, left),
            ("inspector", self.tr("Inspector"), self.inspector, right),
            ("ideas", self.tr("Ideas"), self.ideas, right),
            ("training", self.tr("Training"), self.training, bottom),
            ("data", self.tr("Data"), self.data_page, bottom),
            ("feature-maps", self.tr("Feature maps"), self.feature_maps, bottom),
            ("layer", self.tr("Layer"), self.layer_walk, bottom),
            ("weights", self.tr("Weights"), self.weights_panel, bottom),
            ("classes", self.tr("Classes"), self.answers, bottom),
            ("table", self.tr("Table"), self.table, bottom),
            ("source", self.tr("Source"), self.source, bottom),
            ("issues", self.tr("Issues"), self.issues, bottom),
            ("runs", self.tr("Runs"), self.runs, bottom),
        ):
            dock = QDockWidget(title, self)
            dock.setObjectName(f"dock-{name}")
            dock.setWidget(Island(widget))
            self.addDockWidget(area, dock)
            self.docks[name] = dock
        for name in ("data", "feature-maps", "layer", "weights", "classes", "table", "source", "issues", "runs"):
            self.tabifyDockWidget(self.docks["training"], self.docks[name])
        self.docks["training"].raise_()
        self.docks["data"].visibilityChanged.connect(self.data_page.set_in_front)
        self.docks["runs"].visibilityChanged.connect(self.runs.set_in_front)
        self.docks["ideas"].visibilityChanged.connect(self.ideas.set_in_front)
        self._stack_ideas()
        self._arrange_docks()
        TabFocus(self)
        # The bottom docks take the whole width: curves and tables are wide, the columns beside the canvas scroll.
        self.setCorner(Qt.Corner.BottomLeftCorner, bottom)
        self.setCorner(Qt.Corner.BottomRightCorner, bottom)

    def _stack_ideas(self) -> None:
        """Behind the inspector: ideas are about the whole network, and need no column of their own."""
        self.tabifyDockWidget(self.docks["inspector"], self.docks["ideas"])
        self.docks["inspector"].raise_()

    def _arrange_docks(self) -> None:
        self.resizeDocks([self.docks["layers"], self.docks["inspector"]], [200, 304], Qt.Orientation.Horizontal)
        self.resizeDocks([self.docks["training"]], [264], Qt.Orientation.Vertical)

    def _make_toolbar(self) -> None:
        bar = QToolBar(self.tr("Network"))
        bar.setObjectName("toolbar-network")
        bar.setMovable(False)
        bar.setIconSize(bar.iconSize() * 0.8)
        self.addToolBar(bar)
        bar.addAction(self.actions_.gallery)
        self._name = QLabel()
        self._name.setFont(theme.body_font(bold=True))
        self.input_editor = InputEditor(self.document)
        self.batch_editor = BatchEditor()
        self.totals = TotalsBar(self.document, self.estimates, self.themes)
        for widget in (self._name, _label(self.tr("Input")), self.input_editor, _label(self.tr("Batch"))):
            bar.addWidget(_padded(widget))
        bar.addWidget(self.batch_editor)
        bar.addWidget(self.totals)
        bar.addSeparator()
        for action in (
            self.training.start_action,
            self.training.pause_action,
            self.training.step_action,
            self.training.stop_action,
        ):
            bar.addAction(action)
        bar.addAction(self.profiling.action)
        bar.addSeparator()
        bar.addAction(self.actions_.export)
        self.toolbar = bar

    def _connect(self) -> None:
        document = self.document
        document.changed.connect(self._follow_document)
        document.file_changed.connect(self._show_title)
        self.gallery.network_chosen.connect(self.projects.open_network)
        self.gallery.options_chosen.connect(self.projects.open_network)
        self.palette_panel.refused.connect(self.bar.error)
        self.gallery.project_chosen.connect(self.projects.open_file)
        self.gallery.new_requested.connect(self.projects.new)
        self.gallery.open_requested.connect(self.projects.ask_open)
        self.projects.recent_changed.connect(lambda: self.gallery.set_recent(self.projects.recent()))
        self.projects.opened.connect(self._project_opened)
        self.canvas.message.connect(self.bar.error)
        self.canvas.edit_requested.connect(lambda _node: self._focus_inspector())
        self.training.config_changed.connect(self._follow_config)
        self.projects.saving.connect(self.training.take_typed)
        self.batch_editor.chosen.connect(self._choose_batch)
        self.inspector.batch_chosen.connect(self._choose_batch)
        self.table.torchinfo_asked.connect(self.show_torchinfo)
        self._connect_runs()
        self.augmentation_source = AugmentationSource(self.training, document, self.data_session, make_pictures, self)
        self.data_page.chosen.connect(self._choose_data)
        self.data_page.probe_chosen.connect(self._choose_probe)
        self.classes.probe_chosen.connect(self._choose_probe)
        self.classes.failed.connect(self.bar.error)
        self.classes.done.connect(self.bar.note)
        self.run_session.state_changed.connect(lambda state: self.data_page.set_held(state != "idle"))
        self.run_session.state_changed.connect(lambda state: self.layer_walk.set_reduced(state != "idle"))
        self.devices.found.connect(self.estimates.set_device)
        self.devices.found.connect(DeviceChoice(self.training.form, self.document, self).set_device)
        # A run takes the very memory that would be looked up.
        self.run_session.state_changed.connect(lambda state: self.devices.set_paused(state != "idle"))
        self.issues.count_changed.connect(self._show_issue_count)
        self.feature_maps.failed.connect(self.bar.error)
        self.feature_maps.walk_requested.connect(self._show_walk)
        self.weights_panel.failed.connect(self.bar.error)
        self.explanations.failed.connect(self.bar.error)
        self.probe_source.failed.connect(self.bar.error)
        self.run_session.events_arrived.connect(self._follow_run_data)
        self.data_session.view_changed.connect(lambda _view: self.probe_source.look())
        self.probe_session.captured.connect(lambda *_: self.probe_source.look())
        self.data_session.view_changed.connect(self._follow_classes)
        self.run_session.started.connect(lambda *_: self.docks["training"].raise_())
        self.gallery.set_recent(self.projects.recent())
        self._follow_config(self.training.config())
        self._show_issue_count(*self.issues.count)
        self._show_title()

    def _connect_runs(self) -> None:
        actions = RunActions(
            self.document,
            self.run_session,
            self.runs_session,
            self.projects,
            self.bar,
            self.docks["training"].raise_,
            self,
        )
        self.runs.open_asked.connect(actions.open)
        self.runs.resume_asked.connect(actions.resume)
        self.training.resume_asked.connect(actions.resume_on)
        self.runs.reveal_asked.connect(actions.reveal)
        self.runs.follow_asked.connect(self.follow_docks.follow)
        self.follow_docks.shown_changed.connect(self.looking.follow)
        self.follow_docks.shown_changed.connect(
            lambda session: self.classes_session.follow(session, session and self.document.architecture)
        )
        self.follow_docks.shown_changed.connect(self.time_machine.follow)
        self.runs.failed.connect(self.bar.error)
        self.runs.done.connect(self.bar.note)

    # What the user asks for

    def open_target(self, target: str) -> None:
        """Open a project file or a network of the catalogue."""
        path = Path(target)
        if path.suffix == ".json" or path.exists():
            self.projects.open_file(path)
        else:
            self.projects.open_network(target)

    def show_gallery(self) -> None:
        """Back to the gallery; what is open stays open."""
        self.gallery.set_recent(self.projects.recent())
        self.pages.setCurrentWidget(self.gallery)
        self._show_docks(False)
        self.gallery.setFocus()

    def show_canvas(self) -> None:
        """Back from the gallery to what is open."""
        if self.document.is_open:
            self.pages.setCurrentWidget(self.canvas)
            self._show_docks(True)
            self.canvas.setFocus()

    def remove_selected(self) -> None:
        """Remove the selected nodes and heal the wires."""
        ids = self.selection.ids
        if not ids:
            return
        what = ids[0] if len(ids) == 1 else self.tr("{0} layers").format(len(ids))
        try:
            self.document.edit(self.tr("Remove {0}").format(what), partial(edits.remove, node_ids=ids))
        except EditRefused as error:
            self.bar.error(str(error))

    def export(self) -> None:
        """Export the network, with its trained weights if there are any."""
        if not self.document.is_open:
            return
        run = self.run_session
        dialog = ExportDialog(self.document, run.checkpoint, self.training.config(), run.is_active, self)
        if run.initial_weights is not None and run.checkpoint == str(run.initial_weights.path):
            dialog.show_origin(run.initial_weights.text)
        dialog.exec()

    def export_figure(self) -> None:
        """Draw the canvas for a paper."""
        if self.document.is_open:
            dialog = FigureDialog(self.document, self.selection, self.canvas.folds, self.canvas.strips(), self)
            dialog.exec()
            dialog.deleteLater()

    def weights(self) -> None:
        """Choose trained weights that the next run, the maps and an export start from."""
        if self.document.is_open:
            dialog = WeightsDialog(self.document, self.run_session, self.themes, self)
            dialog.exec()
            dialog.deleteLater()

    def show_torchinfo(self) -> None:
        """torchinfo's own summary of the network at its input and the chosen batch."""
        if self.document.is_open:
            TorchinfoDialog(self.document.architecture, self.training.config().batch_size, parent=self).open()

    def preload(self) -> None:
        """Bring torch in behind the window."""
        engine.preload()
        for problem in probes_kept.restore(self.probes):
            self.bar.error(problem)
        self.probe_source.enable()
        self.looking.enable()
        self.devices.enable()
        self.measuring.enable()
        self.profiling.enable()
        self.projects.weights.enable()

    def choose_theme(self, choice: str) -> None:
        """Follow the system, or stay light or dark."""
        self.themes.choose(choice)
        settings().setValue("theme", choice)

    def quit_without_asking(self) -> None:
        """Close on a signal: unsaved changes stay in the recovery file, the run keeps its checkpoint."""
        self.autosave.write()
        self._shut_down()
        QApplication.exit(0)

    # Following

    def _follow_document(self, old: Snapshot | None, new: Snapshot) -> None:
        self._want_probes()
        if self._name.text() != new.architecture.name:
            self._name.setText(new.architecture.name)
            self._show_title()

    def _project_opened(self) -> None:
        self.autosave.write()
        self.show_canvas()

    def _follow_classes(self, view: DataView | None) -> None:
        if view is not None:
            self.training.classes.learn(view.facts)

    def _follow_config(self, config: RunConfig) -> None:
        self.batch_editor.show_value(config.batch_size)
        self.estimates.set_config(config)
        self.devices.set_name(config.device)
        self.looking.set_config(config)
        self.data_page.set_config(config)
        self._want_probes()

    def _want_probes(self) -> None:
        if self.document.is_open:
            self.probe_source.want(self.training.config().data, self.document.architecture.input_shape)

    def _follow_run_data(self, events: list[Event]) -> None:
        # A run that has begun has read its data set.
        if any(isinstance(event, RunStarted) for event in events):
            self.probe_source.look()

    def _choose_batch(self, batch_size: int) -> None:
        plain = {**self.training.config().to_plain(), "batch_size": batch_size}
        self.training.set_config(RunConfig.from_plain(plain))

    def _choose_data(self, name: str) -> None:
        plain = {**self.training.config().to_plain(), "data": name}
        self.training.set_config(RunConfig.from_plain(plain))

    def _choose_probe(self, image: npt.NDArray[np.uint8], label: str) -> None:
        self.feature_maps.probe_bar.show_image(image, label)
        self.docks["feature-maps"].show()
        self.docks["feature-maps"].raise_()

    def _show_issue_count(self, num_errors: int, num_warnings: int) -> None:
        count = num_errors + num_warnings
        title = self.tr("Issues")
        self.docks["issues"].setWindowTitle(f"{title} ({count})" if count else title)

    def _show_title(self) -> None:
        if not self.document.is_open:
            self.setWindowTitle("")
            return
        path = self.document.path
        name = path.name.removesuffix(files.SUFFIX) if path else self.document.architecture.name
        self.setWindowTitle(f"{name}[*]")
        self.setWindowModified(self.document.is_modified)

    def _show_walk(self, node_id: str, channel: int, row: int, column: int) -> None:
        self.docks["layer"].show()
        self.docks["layer"].raise_()
        self.layer_walk.go_to(node_id, channel, row, column)

    def _focus_inspector(self) -> None:
        self.docks["inspector"].show()
        self.docks["inspector"].raise_()
        self.inspector.focus_first_field()

    def _apply_theme(self, shown: Theme) -> None:
        QApplication.setPalette(theme.palette(shown))
        QApplication.setFont(theme.body_font())
        self.setStyleSheet(_style_sheet(shown))

    # Pages, docks and remembered state

    def _show_page(self) -> None:
        if self.document.is_open:
            self.show_canvas()
        else:
            self.show_gallery()

    def _show_docks(self, shown: bool) -> None:
        """The docks belong to the canvas; their own visibility is remembered while the gallery is up."""
        self.toolbar.setVisible(shown)
        if not shown:
            if self._docks_state is None:
                self._docks_state = self.saveState(_STATE_VERSION)
            for dock in self.docks.values():
                dock.hide()
        elif self._docks_state is not None:
            state, self._docks_state = self._docks_state, None
            self.restoreState(state, _STATE_VERSION)
            self.toolbar.show()

    def _restore_state(self) -> None:
        stored = settings()
        geometry = stored.value("window/geometry")
        if not (isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)):
            screen = self.screen().availableGeometry()
            self.resize(min(1440, screen.width()), min(900, screen.height()))
        state = stored.value("window/state")
        if isinstance(state, QByteArray):
            self.restoreState(state, _STATE_VERSION)
        config = stored.value("training/config")
        if isinstance(config, dict):
            try:
                self.training.set_config(RunConfig.from_plain(config))
            except ValueError:
                stored.remove("training/config")  # of another version

    def _save_state(self) -> None:
        stored = settings()
        stored.setValue("window/geometry", self.saveGeometry())
        stored.setValue("window/state", self._docks_state or self.saveState(_STATE_VERSION))
        stored.setValue("training/config", self.training.config().to_plain())
        probes_kept.keep(self.probes, stored)
        stored.sync()

    def reset_layout(self) -> None:
        """All docks back to where they were first."""
        # From nowhere: side by side, even for a moment, they would push the window beyond the screen.
        for dock in self.docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        right = Qt.DockWidgetArea.RightDockWidgetArea
        areas = {
            "layers": Qt.DockWidgetArea.LeftDockWidgetArea,
            "inspector": right,
            "ideas": right,
            "training": Qt.DockWidgetArea.BottomDockWidgetArea,
        }
        for name, area in areas.items():
            self.addDockWidget(area, self.docks[name])
        for name in (name for name in self.docks if name not in areas):
            self.tabifyDockWidget(self.docks["training"], self.docks[name])
        for dock in self.docks.values():
            dock.show()
        self.docks["training"].raise_()
        self._stack_ideas()
        self._arrange_docks()

    # Qt

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.projects.may_discard():
            event.ignore()
            return
        self._save_state()
        self.autosave.clear()
        self._shut_down()
        event.accept()

    def _shut_down(self) -> None:
        self.devices.close()
        self.follow_docks.close()
        self.time_machine.close()
        self.looking.close()
        self.canvas.end_work()
        self.projects.weights.close()
        self.measuring.close(_CLOSE_TIMEOUT_S)
        self.profiling.close(_CLOSE_TIMEOUT_S)
        self.run_session.close(_CLOSE_TIMEOUT_S)
        self.probe_session.close(_CLOSE_TIMEOUT_S)
        self.probe_source.close(_CLOSE_TIMEOUT_S)
        self.data_session.close(_CLOSE_TIMEOUT_S)
        self.classes_session.close(_CLOSE_TIMEOUT_S)
        self.training.preview.close_job(_CLOSE_TIMEOUT_S)
        self.runs.close_work(_CLOSE_TIMEOUT_S)
        self.runs_session.close()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_project(event) or self.follow_docks.is_run(event) or self._dropped_data(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_project(event)
        if path is not None:
            event.acceptProposedAction()
            # The answer to a drop must not wait for a question about unsaved changes.
            QTimer.singleShot(0, self, lambda: self.projects.open_file(path))
        elif (run := self.follow_docks.is_run(event)) is not None:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.follow_docks.follow(run))
        elif (folder := self._dropped_data(event)) is not None:
            event.acceptProposedAction()
            self.docks["data"].show()
            self.docks["data"].raise_()
            self.data_page.take_folder(folder)

    def _dropped_data(self, event: QDropEvent) -> Path | None:
        """A folder of images, where there is a network to train on it."""
        return dropped_folder(event) if self.document.is_open and not self.run_session.is_active else None


def _dropped_project(event: QDropEvent) -> Path | None:
    for url in event.mimeData().urls():
        if url.isLocalFile() and url.toLocalFile().endswith(".json"):
            return Path(url.toLocalFile())
    return None


def _label(text: str) -> QLabel:
    label = QLabel(text)
    label.setForegroundRole(label.foregroundRole())
    label.setObjectName("muted")
    return label


def _padded(widget: QWidget) -> QWidget:
    widget.setContentsMargins(theme.GRID, 0, theme.GRID // 2, 0)
    return widget


def _style_sheet(shown: Theme) -> str:
    return f"""
        QMainWindow::separator {{ background: {shown.border.name()}; width: 1px; height: 1px; }}
        QMainWindow::separator:hover {{ background: {shown.accent.name()}; }}
        QDockWidget {{ titlebar-close-icon: none; }}
        QDockWidget::title {{ background: {shown.window.name()}; padding: 6px 8px; text-align: left; }}
        QToolBar {{ border: none; border-bottom: 1px solid {shown.border.name()}; padding: 4px 8px; spacing: 4px; }}
        QToolTip {{ border: 1px solid {shown.border.name()}; padding: 4px; color: {shown.text.name()};
                    background: {shown.card.name()}; }}
        QLabel#muted {{ color: {shown.muted.name()}; }}
    """
