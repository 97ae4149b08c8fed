"""The main window: gallery or canvas in the middle, docks around it, one bar above; wires signals, holds no state."""

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from explorer.app import dialogs, engine
from explorer.app.actions import Actions
from explorer.app.augmentation_source import AugmentationSource
from explorer.app.classes_engine import test_pictures
from explorer.app.config_links import ConfigLinks
from explorer.app.data_engine import DataEngine, make_pictures
from explorer.app.device_watch import DeviceWatch
from explorer.app.docks import Docks
from explorer.app.dropping import Dropping
from explorer.app.follow_docks import FollowDocks
from explorer.app.held_keys import hold_keys
from explorer.app.looking import Looking, Viewer
from explorer.app.measuring import make_measuring
from explorer.app.message_bar import MessageBar
from explorer.app.moments import TimeMachine
from explorer.app.probe_engine import offer_probes
from explorer.app.profile import Profiling
from explorer.app.projects import Projects
from explorer.app.run_actions import RunActions
from explorer.app.window_bar import WindowBar
from explorer.app.window_state import restore_state, save_state
from explorer.app.window_style import style_sheet
from explorer.architecture import EditRefused, edits, files
from explorer.canvas import GraphView
from explorer.look import theme
from explorer.look.theme import Theme, ThemeSource
from explorer.panels.classes.panel import ClassesPanel
from explorer.panels.data.page import DataPage
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
from explorer.session import Document, Selection, Snapshot, probes_kept
from explorer.session.classes_session import ClassesSession
from explorer.session.data_session import DataSession
from explorer.session.places import settings
from explorer.session.probe_session import ProbeSession
from explorer.session.probe_set import ProbeSet
from explorer.session.probes_source import ProbeSource
from explorer.session.recovery import Autosave
from explorer.session.run_session import RunSession
from explorer.session.runs_session import RunsSession

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
        self._dropping = Dropping(
            self.document, self.run_session, self.projects, self.follow_docks, self._docks, self.data_page, self
        )
        self.profiling = Profiling(
            self.document, self.run_session, self.training, self.canvas, self.table, self.bar, self.themes, self
        )
        self.profiling.place_in(self.pages)
        self.help_page = HelpPage(self.document, self.selection, self.themes, self)
        self.actions_ = Actions(self)
        self.toolbar = self._make_toolbar()
        self.input_editor, self.batch_editor = self.toolbar.input_editor, self.toolbar.batch_editor
        self.totals = self.toolbar.totals
        viewers: list[Viewer] = [
            self.canvas,
            self.feature_maps,
            self.layer_walk,
            self.weights_panel,
            self.classes,
            self.explanations,
            self.table,
        ]
        self.looking = Looking(self.document, self.run_session, self.probe_session, self.probes, viewers, self)
        self.time_machine = TimeMachine(
            self,
            self.document,
            self.selection,
            self.probes,
            self.run_session,
            self.runs_session.root,
            self.looking,
            self.canvas,
            self.classes_session,
            self.bar,
            self.themes,
        )
        self.time_machine.history_read.connect(self.weights_panel.show_history)
        self.actions_.run_menu.addMenu(self.time_machine.menu(self.tr("Look back")))
        hold_keys(self.time_machine.bar.actions_, self)
        self.pages.currentChanged.connect(
            lambda _place: self.time_machine.set_page_shown(self.pages.currentWidget() is self.canvas)
        )
        self._connect()
        self.setAcceptDrops(True)
        restore_state(self, self._docks, self.training)
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
        self._docks = Docks(
            self,
            {
                "layers": self.palette_panel,
                "inspector": self.inspector,
                "ideas": self.ideas,
                "training": self.training,
                "data": self.data_page,
                "feature-maps": self.feature_maps,
                "layer": self.layer_walk,
                "weights": self.weights_panel,
                "classes": self.answers,
                "table": self.table,
                "source": self.source,
                "issues": self.issues,
                "runs": self.runs,
            },
        )
        self.docks = self._docks.by_name

    def _make_toolbar(self) -> WindowBar:
        training = self.training
        of_run = [training.start_action, training.pause_action, training.step_action, training.stop_action]
        return WindowBar(
            self,
            self.document,
            self.estimates,
            self.themes,
            first=self.actions_.gallery,
            of_run=[*of_run, self.profiling.action],
            last=self.actions_.export,
        )

    def _connect(self) -> None:
        document = self.document
        document.changed.connect(self._follow_name)
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
        ConfigLinks(self)
        self.projects.saving.connect(self.training.take_typed)
        self.table.torchinfo_asked.connect(lambda: dialogs.torchinfo(self))
        self._connect_runs()
        self.augmentation_source = AugmentationSource(self.training, document, self.data_session, make_pictures, self)
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
        self.run_session.started.connect(lambda *_: self.docks["training"].raise_())
        self.gallery.set_recent(self.projects.recent())
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
        for curves in (self.training.curves, self.follow_docks):
            self.time_machine.moment_shown.connect(curves.show_moment)
            curves.step_chosen.connect(self.time_machine.choose)
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
        self._docks.set_shown(False, self.toolbar)
        self.gallery.setFocus()

    def show_canvas(self) -> None:
        """Back from the gallery to what is open."""
        if self.document.is_open:
            self.pages.setCurrentWidget(self.canvas)
            self._docks.set_shown(True, self.toolbar)
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
        """Export the network."""
        dialogs.export(self)

    def export_figure(self) -> None:
        """Draw the canvas for a paper."""
        dialogs.export_figure(self)

    def weights(self) -> None:
        """Choose trained weights."""
        dialogs.weights(self)

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

    def _follow_name(self, old: Snapshot | None, new: Snapshot) -> None:
        if self.toolbar.name.text() != new.architecture.name:
            self.toolbar.name.setText(new.architecture.name)
            self._show_title()

    def _project_opened(self) -> None:
        self.autosave.write()
        self.show_canvas()

    def _choose_probe(self, image: npt.NDArray[np.uint8], label: str) -> None:
        self.feature_maps.probe_bar.show_image(image, label)
        self._docks.open("feature-maps")

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
        self._docks.open("layer")
        self.layer_walk.go_to(node_id, channel, row, column)

    def _focus_inspector(self) -> None:
        self._docks.open("inspector")
        self.inspector.focus_first_field()

    def _apply_theme(self, shown: Theme) -> None:
        QApplication.setPalette(theme.palette(shown))
        QApplication.setFont(theme.body_font())
        self.setStyleSheet(style_sheet(shown))

    # Pages and docks

    def _show_page(self) -> None:
        if self.document.is_open:
            self.show_canvas()
        else:
            self.show_gallery()

    def reset_layout(self) -> None:
        """All docks back to where they were first."""
        self._docks.reset()

    # Qt

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.projects.may_discard():
            event.ignore()
            return
        save_state(self, self._docks, self.training, self.probes)
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
        self._dropping.accept(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self._dropping.take(event)
