"""The data page: which data set a run trains on, what is in it, and what the network receives of it.

The parts are `choice`, `classes`, `pictures` and `problems`; what they show is worked out by a
`DataSession`.
"""

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from explorer.layers import Shape
from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel, section_label
from explorer.look.segments import Segments
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.data.choice import DataChoice
from explorer.panels.data.classes import ClassBars, SwatchLabel, scrolled
from explorer.panels.data.pictures import ContactSheet, ReceivedPictures
from explorer.panels.data.problems import ProblemList
from explorer.panels.dock_panel import DockPanel
from explorer.runs import RunConfig
from explorer.runs.data_facts import Sheet
from explorer.runs.data_sources import FOLDER_PREFIX
from explorer.session import Document, Snapshot
from explorer.session.data_session import DataSession, DataView

_CHOICE_WIDTH = 38 * GRID
_CLASSES_WIDTH = 34 * GRID
_BAR_STEPS = 1000


class DataPage(DockPanel):
    """The page.

    Signals:
        chosen(str): the user took another data set, as `RunConfig.data`.
        probe_chosen(numpy.ndarray, str): an image to look at feature maps of, and its label.
    """

    chosen = Signal(str)
    probe_chosen = Signal(object, str)

    def __init__(
        self, document: Document, session: DataSession, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._session = session
        self._themes = themes
        self._config = RunConfig()
        self.setAcceptDrops(True)
        self.choice = DataChoice(themes, self)
        self.classes = ClassBars(themes)
        self.sheet = ContactSheet(themes)
        self.received = ReceivedPictures(themes)
        self.problems = ProblemList(themes, self)
        self.received_text = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.hint = RoleLabel(themes, role="muted", wraps=True, parent=self)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.busy = QProgressBar(self)
        self.busy.setTextVisible(False)
        self.busy.setFixedHeight(GRID)
        self.busy.setMaximumWidth(40 * GRID)
        self._lay_out()
        self._connect()
        self.apply(None, document.snapshot if document.is_open else None)
        self._show_view(session.view)
        self.choice.show_states(session.states)

    def set_config(self, config: RunConfig) -> None:
        """Follow the training form."""
        if config.data != self.choice.name:
            self.choice.show_choice(config.data)
        self._config = config
        self._want()

    def set_held(self, held: bool) -> None:
        """Hold the choice while a run is active."""
        self.choice.set_held(self.tr("Fixed while a run is active; stop it to change this.") if held else "")

    def apply(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """Follow the network's input."""
        if new is not None and (old is None or old.architecture.input_shape != new.architecture.input_shape):
            self._want()

    def take_folder(self, path: Path) -> None:
        """Train on a folder of images."""
        name = f"{FOLDER_PREFIX}{path}"
        if self.choice.menu.isEnabled() and name != self.choice.name:
            self.choice.show_choice(name)
            self.chosen.emit(name)

    # Building

    def _lay_out(self) -> None:
        choice = scrolled(self.choice, self)
        choice.setFixedWidth(_CHOICE_WIDTH)
        self.classes_title = section_label(self._themes, self.tr("Images of each class"), self)
        legend = QHBoxLayout()
        legend.setSpacing(GRID)
        legend.addWidget(self.classes_title, 1)
        legend.addWidget(SwatchLabel(self.tr("training"), "train", self._themes, self))
        legend.addWidget(SwatchLabel(self.tr("tests"), "test", self._themes, self))
        left = QVBoxLayout()
        left.setSpacing(GRID // 2)
        left.addLayout(legend)
        left.addWidget(scrolled(self.classes, self), 1)
        self._middle = QWidget(self)
        self._middle.setFixedWidth(_CLASSES_WIDTH)
        self._middle.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)

        tabs = QHBoxLayout()
        tabs.setSpacing(GRID)
        names = (self.tr("Images"), self.tr("What the network receives"), self.tr("Problems"))
        self.tabs = Segments([(name, "") for name in names], self._themes, self)
        tabs.addWidget(self.tabs)
        tabs.addStretch(1)
        self.sheet_text = ElidedLabel(self._themes, role="muted", font=small_font(), parent=self)
        self.sheet_text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        tabs.addWidget(self.sheet_text, 4)
        self.pages = QStackedWidget(self)
        receiving = QWidget()
        column = QVBoxLayout(receiving)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled(self.received, receiving), 1)
        waiting = QWidget()
        centred = QVBoxLayout(waiting)
        centred.addStretch(1)
        centred.addWidget(self.hint)
        centred.addWidget(self.busy, 0, Qt.AlignmentFlag.AlignHCenter)
        centred.addStretch(1)
        for page in (scrolled(self.sheet, self), receiving, self.problems):
            self.pages.addWidget(page)
        self._contents = QWidget(self)
        right = QVBoxLayout(self._contents)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(GRID // 2)
        right.addLayout(tabs)
        right.addWidget(self.pages, 1)
        seen = QWidget()
        both = QHBoxLayout(seen)
        both.setContentsMargins(0, 0, 0, 0)
        both.setSpacing(2 * GRID)
        both.addWidget(self._middle)
        both.addWidget(self._contents, 1)
        self.states = QStackedWidget(self)
        self.states.addWidget(seen)
        self.states.addWidget(waiting)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(GRID, GRID, GRID, GRID)
        whole.setSpacing(2 * GRID)
        whole.addWidget(choice)
        whole.addWidget(self.states, 1)

    def _connect(self) -> None:
        session, choice = self._session, self.choice
        self._document.changed.connect(self.apply)
        session.view_changed.connect(self._show_view)
        session.sheet_changed.connect(self._show_sheet)
        session.states_changed.connect(choice.show_states)
        session.looking.connect(self._show_looking)
        session.downloading.connect(lambda text, share: choice.show_download(session.fetched, share, text))
        session.failed.connect(self._fail)
        session.download_failed.connect(self._end_download)
        session.downloaded.connect(lambda _name: self._end_download(""))
        session.image_found.connect(self.probe_chosen)
        choice.chosen.connect(self.chosen)
        choice.download_asked.connect(session.download)
        choice.cancel_asked.connect(session.cancel_download)
        choice.reload_asked.connect(session.reload)
        self.classes.chosen.connect(session.show_class)
        self.sheet.resized.connect(self._show_text)
        self.sheet.chosen.connect(session.find_image)
        self.tabs.chosen.connect(self._turn_to)

    # What is shown

    def _want(self) -> None:
        if self._document.is_open:
            shape: Shape = self._document.architecture.input_shape
            self._session.want(self._config, shape)

    def _turn_to(self, place: int) -> None:
        self.pages.setCurrentIndex(place)
        self._show_text()

    def _show_view(self, view: DataView | None) -> None:
        facts = None if view is None else view.facts
        self.choice.show_facts(facts)
        if facts is None or view is None:
            self.hint.show_text("")
            self.states.setCurrentIndex(1)
            return
        self.choice.say("")
        self.classes.show_facts(facts)
        self.received.show_received(view.received)
        self.problems.show_problems(facts.problems)
        count = f" ({numbers.exact_count(len(facts.problems))})" if facts.problems else ""
        self.tabs.button(2).setText(self.tr("Problems") + count)
        self.states.setCurrentIndex(0)
        self._show_sheet(view.sheet)

    def _show_sheet(self, sheet: Sheet) -> None:
        view = self._session.view
        if view is not None:
            self.sheet.show_sheet(sheet, view.facts.class_names)
            self._show_text()

    def _show_text(self) -> None:
        view, sheet = self._session.view, self.sheet.sheet
        text = ""
        if view is not None and sheet is not None and self.pages.currentIndex() == 0:
            shown, all_of = numbers.exact_count(self.sheet.num_shown), numbers.exact_count(sheet.num_available)
            name = "" if sheet.only is None else view.facts.class_names[sheet.only]
            text = self.tr("{0} of {1} training images").format(shown, all_of)
            text = f"{name} · {text}" if name else text
        elif view is not None and self.pages.currentIndex() == 1:
            shape = numbers.shape(self._document.architecture.input_shape) if self._document.is_open else ""
            if view.received is None:
                text = view.facts.input_problem
            elif view.received.is_augmented:
                text = self.tr("→ {0}, augmented at random, then normalised").format(shape)
            else:
                text = self.tr("→ {0}, then normalised").format(shape)
        self.sheet_text.show_text(text)

    def _show_looking(self, text: str, share: float) -> None:
        self.busy.setVisible(bool(text))
        self.busy.setRange(0, _BAR_STEPS if share > 0 else 0)
        self.busy.setValue(round(share * _BAR_STEPS))
        if text:
            self.choice.say("")
            self.hint.show_text(f"{text}…" if not share else text)

    def _fail(self, why: str) -> None:
        state = next((state for state in self._session.states if state.name == self._config.data), None)
        if state is None or state.is_here:
            self.choice.say(f"{why}.")
        self.busy.hide()
        missing = state is not None and not state.is_here
        self.hint.show_text(
            self.tr("Once it is downloaded, its classes and images show here.")
            if missing
            else self.tr("There is nothing to show yet.")
        )

    def _end_download(self, why: str) -> None:
        self.choice.show_download("", 0.0)
        self.choice.say(f"{why}." if why else "")

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(150 * GRID, 34 * GRID)

    def _follow_seen(self, is_seen: bool) -> None:
        self._session.set_watched(is_seen)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_folder(event) is not None and self.choice.menu.isEnabled():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_folder(event)
        if path is not None:
            event.acceptProposedAction()
            self.take_folder(path)


def dropped_folder(event: QDropEvent) -> Path | None:
    """The folder that is being dropped; None where it is something else."""
    paths = (Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
    return next((path for path in paths if path.is_dir()), None)
