"""Two moments of a run beside each other, and what changed between them: of a layer's maps, weights or statistics, of
the answers to the probe images, or of the classes. Each of these has a page of its own, in the `pair_` files.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.moments.pair_answers import CARD_WIDTH, STRETCHES, AnswersPage
from explorer.panels.moments.pair_classes import ClassesPage
from explorer.panels.moments.pair_pictures import Picture, PicturesPage
from explorer.panels.moments.pair_statistics import StatisticsPage, measured_nodes
from explorer.panels.moments.pair_words import PairWords
from explorer.panels.moments.values import nodes_with
from explorer.runs.moments_packing import Moment
from explorer.session import Document, Selection
from explorer.session.moments_session import MomentsSession, ReadMoment
from explorer.session.places import settings
from explorer.session.probe_set import ProbeSet

_WHAT_KEY = "moments/compared"


class MomentPair(QDialog):
    """The pinned moment at the left, the one of the scrubber in the middle, what changed between at the right.

    Signals:
        closed(): the window goes.
        pinned_changed(int): another moment is pinned, by its step.
    """

    closed = Signal()
    pinned_changed = Signal(int)

    def __init__(
        self,
        folder: Path,
        steps: tuple[int, ...],
        pinned: int,
        document: Document,
        selection: Selection,
        probes: ProbeSet,
        finished: Callable[[int], int | None],
        themes: ThemeSource,
        parent: QWidget | None = None,
    ) -> None:
        """Compare moments of the run in `folder`.

        Args:
            folder: of the run.
            steps: after which there is a moment, in order.
            pinned: one of them.
            finished: the last epoch that was finished at a step; None for none.
        """
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._steps = steps
        self._shown: list[int] = [pinned, steps[-1]]
        self._moments: list[tuple[Moment, ...] | None] = [None, None]
        self.setWindowTitle(self.tr("Two moments compared"))
        self.setModal(False)
        self.what = QComboBox(self)
        for name, key in (
            (self.tr("Feature maps"), "maps"),
            (self.tr("Weights"), "weights"),
            (self.tr("Statistics"), "statistics"),
            (self.tr("Probe images"), "answers"),
            (self.tr("Classes"), "classes"),
        ):
            self.what.addItem(name, key)
        self.what.setCurrentIndex(max(0, self.what.findData(settings().value(_WHAT_KEY))))
        self.layer = QComboBox(self)
        self.layer.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.sliders = (QSlider(Qt.Orientation.Horizontal, self), QSlider(Qt.Orientation.Horizontal, self))
        self._titles = tuple(RoleLabel(themes, font=body_font(bold=True), parent=self) for _ in range(3))
        self._facts = tuple(ElidedLabel(themes, role="muted", font=small_font(), parent=self) for _ in range(3))
        self.pictures_page = PicturesPage(folder, themes, self)
        self.statistics = StatisticsPage(themes, self)
        self.answers = AnswersPage(probes, themes, self)
        self.classes = ClassesPage(folder, finished, themes, self)
        self._body = QStackedWidget(self)
        for page in (self.pictures_page, self.statistics, self.answers, self.classes):
            self._body.addWidget(page)
        self._note = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self._lay_out()
        self._sessions = (MomentsSession(self), MomentsSession(self))
        for place, (session, slider) in enumerate(zip(self._sessions, self.sliders, strict=True)):
            session.open("", folder)
            session.arrived.connect(lambda moment, place=place: self._take(place, moment))
            session.failed.connect(self._note.show_text)
            slider.valueChanged.connect(lambda at, place=place: self._move(place, at))
        self._set_ranges()
        self.what.currentIndexChanged.connect(lambda _place: self._choose_what())
        self.classes.found.connect(self._draw)
        self.pictures_page.found.connect(self._draw)
        self.layer.currentIndexChanged.connect(lambda _place: self._draw())
        selection.changed.connect(self._follow_selection)
        themes.changed.connect(self._redraw)
        for place, step in enumerate(self._shown):
            self._sessions[place].ask(step)
        self.resize(148 * GRID, 64 * GRID)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """Of maps or weights: left, right, and what changed."""
        return self.pictures_page.pictures

    @property
    def steps(self) -> tuple[int, int]:
        """Of the pinned moment and the other."""
        return self._shown[0], self._shown[1]

    def show_steps(self, steps: tuple[int, ...]) -> None:
        """Other moments are there."""
        if steps:
            self._steps = steps
            self._set_ranges()

    def show_other(self, step: int) -> None:
        """Show this moment beside the pinned one."""
        self._choose(1, step)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw()

    def closeEvent(self, event: QCloseEvent) -> None:
        for session in self._sessions:
            session.close()
        self.classes.close_jobs()
        self.pictures_page.close_jobs()
        self._selection.changed.disconnect(self._follow_selection)
        self._themes.changed.disconnect(self._redraw)
        self.closed.emit()
        # Not the dialog's own way, which asks `reject`, and that closes: the window would stay.
        event.accept()

    def reject(self) -> None:
        """Escape closes, as the button of the window does."""
        self.close()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.what)
        # Behind, as not all pages have layers, and what is chosen from must stay under the pointer.
        head.addWidget(self.layer)
        head.addWidget(self._note, 1)
        self._grid = grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(4)
        for column in range(3):
            grid.addWidget(self._titles[column], 0, column)
            grid.addWidget(self._facts[column], 1, column)
            if column < 2:
                grid.addWidget(self.sliders[column], 3, column)
        grid.addWidget(self._body, 2, 0, 1, 3)
        grid.setRowStretch(2, 1)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column_.setSpacing(2 * GRID)
        column_.addLayout(head)
        column_.addLayout(grid, 1)
        self._titles[2].show_text(self.tr("Change from the left to the right"))
        self._titles[2].setToolTip(self.tr("Blue fell, orange rose. RMS: the root of the mean squared change."))
        self.sliders[0].setAccessibleName(self.tr("Pinned moment"))
        self.sliders[1].setAccessibleName(self.tr("Other moment"))

    def _set_ranges(self) -> None:
        for place, slider in enumerate(self.sliders):
            slider.blockSignals(True)
            slider.setRange(0, len(self._steps) - 1)
            step = self._shown[place]
            distances = [abs(one - step) for one in self._steps]
            slider.setValue(distances.index(min(distances)))
            slider.blockSignals(False)

    def _move(self, place: int, at: int) -> None:
        self._choose(place, self._steps[at])

    def _choose(self, place: int, step: int) -> None:
        if step == self._shown[place]:
            return
        self._shown[place] = step
        self._set_ranges()
        self._sessions[place].ask(step)
        if place == 0:
            self.pinned_changed.emit(step)

    def _take(self, place: int, moment: ReadMoment) -> None:
        had_none = self._moments[place] is None
        self._moments[place] = moment.events
        if had_none:
            self._list_layers()
        else:
            self._draw()

    def _list_layers(self) -> None:
        """Those that both moments know."""
        left, right = self._moments
        if left is None or right is None:
            return
        what = str(self.what.currentData())
        self.layer.setVisible(what in {"maps", "weights", "statistics"})
        before = self.layer.currentText() or self._selection.current or ""
        # The input never changes.
        inputs = {node.id for node in self._document.architecture.nodes[:1]} if self._document.is_open else set()
        listed = (
            measured_nodes
            if what == "statistics"
            else partial(nodes_with, what="maps" if what == "maps" else "weights")
        )
        known = set(listed(left))
        found = [node_id for node_id in listed(right) if node_id in known]
        self.layer.blockSignals(True)
        self.layer.clear()
        self.layer.addItems(found)
        wanted = self._selection.current if self._selection.current in found else before
        first = next((place for place, node_id in enumerate(found) if node_id not in inputs), 0)
        place = self.layer.findText(wanted or "")
        self.layer.setCurrentIndex(place if place >= 0 else first)
        self.layer.blockSignals(False)
        self._draw()

    def _follow_selection(self, _ids: object) -> None:
        place = self.layer.findText(self._selection.current or "")
        if place >= 0:
            self.layer.setCurrentIndex(place)

    def _redraw(self, _theme: object) -> None:
        self._draw()

    def _choose_what(self) -> None:
        settings().setValue(_WHAT_KEY, self.what.currentData())
        self._list_layers()

    def _draw(self) -> None:
        for place, step in enumerate(self._shown):
            name = self.tr("Pinned · step {0}") if place == 0 else self.tr("Step {0}")
            self._titles[place].show_text(name.format(numbers.exact_count(step)))
        left, right = self._moments
        if left is not None and right is not None:
            words = self._show_page(left, right)
            for label, text in zip(self._facts, words.facts, strict=True):
                label.show_text(text)
            self._note.show_text(words.note)

    def _set_columns(self, what: str) -> None:
        """Let titles and sliders be as wide as what is between them."""
        is_wide = what == "answers"
        for column in range(3):
            self._grid.setColumnStretch(column, STRETCHES[column] if is_wide else 1)
            self._grid.setColumnMinimumWidth(column, CARD_WIDTH if is_wide and column < 2 else 0)

    def _show_page(self, left: tuple[Moment, ...], right: tuple[Moment, ...]) -> PairWords:
        node_id, what = self.layer.currentText(), str(self.what.currentData())
        self._set_columns(what)
        if what == "classes":
            self._body.setCurrentWidget(self.classes)
            self.classes.ask(self.steps)
            return self.classes.show_pair()
        if what == "answers":
            self._body.setCurrentWidget(self.answers)
            return self.answers.show_pair(left, right)
        if what == "statistics":
            self._body.setCurrentWidget(self.statistics)
            return self.statistics.show_pair(left, right, node_id)
        self._body.setCurrentWidget(self.pictures_page)
        return self.pictures_page.show_pair(left, right, node_id, "weights" if what == "weights" else "maps")
