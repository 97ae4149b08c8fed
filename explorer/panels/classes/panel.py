"""What the network gets right: confusion matrix, classes, and images with their answers. Where tests come from is
`session.classes_session`'s; the three views are `matrix`, `table` and `pictures`, side by side in `columns`; what is
taken away is `export`'s."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QSlider,
    QStackedLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.segments import Segments, Toggle
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.classes.cell_images import CellImages, Looked
from explorer.panels.classes.columns import Columns, Needs
from explorer.panels.classes.export import ExportButton, Shown
from explorer.panels.classes.matrix import ConfusionView
from explorer.panels.classes.table import FiguresTable, class_columns, pair_columns
from explorer.panels.viewer_panel import ViewerPanel
from explorer.runs import Event, Look
from explorer.runs.class_figures import (
    Confusion,
    Pair,
    TestedImages,
    by_likeness,
    by_mistakes,
    class_figures,
    confused_pairs,
    confusion,
)
from explorer.runs.class_files import EpochTest
from explorer.runs.observed import ImagesEvaluated
from explorer.session.classes_session import ClassesSession, LiveTest
from explorer.session.sources import Source

_MOST_PAIRS = 1000
_LEAST_IMAGES = 3
"""Side by side, where there is room for it."""


class ClassesPanel(ViewerPanel):
    """The tab. A `Viewer` of what a run answers to its test images between two tests.

    Signals:
        probe_chosen(numpy.ndarray, str): a test image to look at feature maps of, and its label.
        done(str): what was written.
        failed(str): what could not be.
    """

    probe_chosen = Signal(object, str)
    done = Signal(str)
    failed = Signal(str)

    def __init__(self, session: ClassesSession, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._themes = themes
        self._tested: TestedImages | None = None
        self._live: LiveTest | None = None
        """What of it is of between two tests; None for nothing."""
        self._problem = ""
        self._found: Confusion | None = None
        self._classes_order: list[int] = []
        self._pairs: tuple[Pair, ...] = ()
        self._looked: Looked | None = None
        """True and predicted classes of the images that are shown; None for the surest mistakes of all."""

        self.title = RoleLabel(themes, font=body_font(bold=True), parent=self)
        self.facts = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.epoch_slider = QSlider(Qt.Orientation.Horizontal, self)
        self.epoch_slider.setFixedWidth(16 * GRID)
        self.epoch_slider.setAccessibleName(self.tr("Epoch"))
        self.epoch_slider.setToolTip(self.tr("Look at the tests of earlier epochs"))
        self.newest_button = Toggle(themes, self)
        self.newest_button.setText(self.tr("Newest"))
        self.newest_button.setToolTip(self.tr("Follow the newest test"))
        self.order_menu = QComboBox(self)
        self.order_menu.setAccessibleName(self.tr("Order of the classes"))
        self.order_menu.addItem(self.tr("In their own order"), "own")
        self.order_menu.addItem(self.tr("Most mistakes first"), "mistakes")
        self.order_menu.addItem(self.tr("Confused ones together"), "likeness")
        self.export_button = ExportButton(self._exported, self._picture, self)
        self.matrix = ConfusionView(themes, self)
        self.words = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.classes = FiguresTable(themes, self.tr("Classes"), self)
        self.pairs = FiguresTable(themes, self.tr("Commonest mistakes"), self)
        self.cell = CellImages(themes, self)
        self.images = self.cell.images
        self._empty = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lay_out()

        session.changed.connect(self._follow_session)
        session.pictures_found.connect(self.images.take_pictures)
        session.image_found.connect(self._give_probe)
        session.failed.connect(self._show_failure)
        self.epoch_slider.valueChanged.connect(self._choose_epoch)
        self.newest_button.toggled.connect(self._follow)
        self.order_menu.currentIndexChanged.connect(lambda _index: self._order())
        self.matrix.cell_chosen.connect(self.look_into)
        self.matrix.read_out.connect(self._read_out)
        self.classes.line_chosen.connect(self._look_into_class)
        self.pairs.line_chosen.connect(self._look_into_pair)
        self.classes.copy_asked.connect(self.export_button.copy_classes)
        self.pairs.copy_asked.connect(self.export_button.copy_matrix)
        self.images.chosen.connect(session.find_image)
        self.cell.pictures_asked.connect(session.show_pictures)
        self.cell.back_asked.connect(lambda: self.look_into(None))
        self.export_button.done.connect(self.done)
        self.export_button.failed.connect(self.failed)
        copy = QShortcut(QKeySequence.StandardKey.Copy, self.matrix, self.export_button.copy_matrix)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        self._show()

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Take what was evaluated between two tests."""
        for event in events:
            if isinstance(event, ImagesEvaluated):
                self._session.take_evaluated(event)

    def clear_observed(self) -> None:
        """Nothing to forget: tests are a run's, whatever is open."""

    def show_problem(self, text: str) -> None:
        """Say why there is nothing to see; an empty text takes it back."""
        self._problem = text
        self._show()

    def look_into(self, cell: Looked | None) -> None:
        """Show the images of true classes with an answer among others; None for the surest mistakes of all."""
        self._looked = cell
        if cell is None:
            self.matrix.unmark()
            self.classes.mark(None)
            self.pairs.mark(None)
        self._show_images()

    def save(self, what: str, path: Path) -> None:
        """Write "matrix", "classes" or "images" as CSV, or the "picture" of the matrix; `done` or `failed` follows."""
        self.export_button.save(what, path)

    def sizeHint(self) -> QSize:
        return QSize(150 * GRID, 32 * GRID)

    # Building

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(GRID)
        top.addWidget(self.title)
        top.addWidget(self.facts, 1)
        for widget in (self.epoch_slider, self.newest_button, self.order_menu, self.export_button):
            top.addWidget(widget)

        left = QWidget(self)
        column = _column(left)
        column.addWidget(self.matrix, 1)
        column.addWidget(self.words)

        middle = QWidget(self)
        column = _column(middle)
        self._pages = QStackedWidget(middle)
        self._pages.addWidget(self.classes)
        self._pages.addWidget(self.pairs)
        self.choice = Segments(((self.tr("Classes"), ""), (self.tr("Commonest mistakes"), "")), self._themes, middle)
        self.choice.chosen.connect(self._show_page)
        row = QHBoxLayout()
        row.addWidget(self.choice)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self._pages, 1)

        self.columns = Columns((left, middle, self.cell), self._needs, self)
        self._page = QWidget(self)
        column = QVBoxLayout(self._page)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addLayout(top)
        column.addWidget(self.columns, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._page)

    def _needs(self) -> Needs:
        return Needs(
            matrix=self.matrix.used_width,
            least_matrix=self.words.fontMetrics().horizontalAdvance(self._hint()) + GRID,
            table=self.classes.wanted_width(),
            least_images=self.cell.width_of(_LEAST_IMAGES),
        )

    # Following

    def _look(self) -> Look:
        return Look(tested=self._session.wants_live)

    def _follow_seen(self, is_seen: bool) -> None:
        self._session.set_watched(is_seen)
        super()._follow_seen(is_seen)
        self._show()

    def _follow_session(self) -> None:
        self._report_wanted()
        self._show()

    def _show(self) -> None:
        if not self.is_seen:
            return
        test = self._session.shown
        live = None if self._problem else self._session.live
        if test is None and live is None:
            self._tested = self._found = self._live = None
            self._looked = None
            self.cell.clear()
            self.matrix.apply(None)
            self._empty.show_text(self._problem or self._what_to_do())
            self._stack.setCurrentWidget(self._empty)
            return
        self._stack.setCurrentWidget(self._page)
        self._show_epochs(None if test is None else test.epoch)
        before, was_live = self._tested, self._live is not None
        tested = live.tested if live is not None else test.tested if test is not None else None
        assert tested is not None
        self._tested, self._live = tested, live
        self._show_facts(test)
        if tested is before:
            return
        is_same = before is not None and before.class_names == tested.class_names
        if before is not None and not is_same:
            self._looked = None
            self.cell.clear()
        self._found = confusion(tested)
        # Classes in another order, or other pictures, would go from below the pointer.
        follows = is_same and self._session.is_newest and (live is not None or was_live)
        self._arrange(self._classes_order if follows and live is not None else self._current_order())
        self._show_tables()
        if not is_same:
            self.columns.share()
        if follows:
            self.cell.follow(tested)
        else:
            self._show_images()

    def _what_to_do(self) -> str:
        if self._session.has_run and not self._session.is_active:
            return self.tr("No test of this run is kept: it ended before its first epoch, or was recorded elsewhere.")
        if self._session.has_run:
            return self.tr("The test after the first epoch shows what the network gets right.")
        return self.tr("Train a network, or open a run in the Runs tab, to see what it gets right.")

    def _show_epochs(self, epoch: int | None) -> None:
        epochs = self._session.epochs
        self.epoch_slider.blockSignals(True)
        self.epoch_slider.setRange(0, max(0, len(epochs) - 1))
        self.epoch_slider.setValue(0 if epoch is None else epochs.index(epoch))
        self.epoch_slider.blockSignals(False)
        self.newest_button.blockSignals(True)
        self.newest_button.setChecked(self._session.is_newest)
        self.newest_button.blockSignals(False)
        for widget in (self.epoch_slider, self.newest_button):
            widget.setVisible(len(epochs) > 1)

    def _show_facts(self, test: EpochTest | None) -> None:
        assert self._tested is not None
        count, right, live = self._tested.count, self._tested.num_right, self._live
        values = {
            "accuracy": numbers.percent(right / count if count else None, 2),
            "count": numbers.exact_count(count),
            "wrong": numbers.exact_count(count - right),
        }
        if live is None:
            assert test is not None
            self.title.show_text(self.tr("After epoch {0}").format(f"{test.epoch:,}"))
            text = self.tr("{accuracy} of {count} test images are recognised · {wrong} are not · step {step}")
            step = test.step
        else:
            step = live.step
            is_active = self._session.is_active
            self.title.show_text(self.tr("Live") if is_active else self.tr("After step {0}").format(f"{step:,}"))
            if live.since is None:
                text = self.tr(
                    "{new} of {all} test images tried so far · {accuracy} of these are recognised · step {step}"
                )
            else:
                text = self.tr(
                    "{new} of {all} tried again since epoch {epoch} · {accuracy} of all recognised · step {step}"
                )
                values["epoch"] = f"{live.epoch:,}"
            values |= {"new": numbers.exact_count(live.num_new), "all": numbers.exact_count(live.num_images)}
        text = text.format(step=numbers.exact_count(step), **values)
        if self._session.elsewhere:
            text = self.tr("{0} · run {1}, elsewhere").format(text, self._session.elsewhere)
        elif self._session.other_network:
            text = self.tr("{0} · of {1}, which is not what is open").format(text, self._session.other_network)
        self.facts.show_text(text)

    def _choose_epoch(self, place: int) -> None:
        epochs = self._session.epochs
        is_last = place == len(epochs) - 1
        self._session.choose(None if is_last else epochs[place])

    def _follow(self, follows: bool) -> None:
        epochs = self._session.epochs
        self._session.choose(None if follows or not epochs else epochs[self.epoch_slider.value()])

    # What is shown

    def _current_order(self) -> list[int]:
        assert self._found is not None
        kind = self.order_menu.currentData()
        if kind == "mistakes":
            return [int(place) for place in by_mistakes(self._found)]
        if kind == "likeness":
            return [int(place) for place in by_likeness(self._found)]
        return list(range(self._found.num_classes))

    def _picture(self) -> QImage:
        return self.matrix.picture()

    def _exported(self) -> Shown | None:
        if self._found is None or self._tested is None:
            return None
        return Shown(self._found, self._tested, self._current_order())

    def _order(self) -> None:
        if self._found is not None:
            self._arrange(self._current_order())

    def _arrange(self, order: list[int]) -> None:
        assert self._found is not None
        self._classes_order = order
        self.matrix.apply(self._found, order)
        if self._looked is not None and len(self._looked[0]) == len(self._looked[1]) == 1:
            self.matrix.mark(self._looked[0][0], self._looked[1][0])

    def _show_page(self, page: int) -> None:
        self._pages.setCurrentIndex(page)
        self._show_tables()

    def _show_tables(self) -> None:
        """Show the one of both that is in front; while a run goes on, its lines stay in place below the pointer."""
        if self._found is None:
            return
        figures, names = class_figures(self._found), self._found.class_names
        if self._pages.currentWidget() is self.classes:
            stays = self._live is not None and self.classes.viewport().underMouse()
            self.classes.show_columns(class_columns(self, names, figures), keeps_order=stays)
        elif self._live is None or not self.pairs.viewport().underMouse():
            self._pairs = confused_pairs(self._found, _MOST_PAIRS)
            self.pairs.show_columns(pair_columns(self, names, self._pairs, figures))

    def _look_into_class(self, place: int) -> None:
        """Its mistakes, or where there is none its images."""
        assert self._found is not None
        others = tuple(column for column in range(self._found.num_columns) if column != place)
        has_mistakes = bool(self._found.images[place] - self._found.right[place])
        self.matrix.unmark()
        self.look_into(((place,), others if has_mistakes else (place,)))

    def _look_into_pair(self, line: int) -> None:
        pair = self._pairs[line]
        self.matrix.mark(pair.true, pair.predicted)
        self.look_into(((pair.true,), (pair.predicted,)))

    def _show_images(self) -> None:
        if self._tested is not None:
            self.cell.open(self._tested, self._looked)

    def _give_probe(self, image: npt.NDArray[np.uint8], position: int) -> None:
        name = next((answer.true for answer in self.images.answers if answer.position == position), None)
        if name is not None:
            self.probe_chosen.emit(image, self.tr("{0}, test image {1}").format(name, f"{position:,}"))

    def _show_failure(self, why: str) -> None:
        if self._session.shown is None:
            self._empty.show_text(why)
        self.cell.show_problem(why)

    def _read_out(self, text: str) -> None:
        self.words.show_text(text or self._hint())

    def _hint(self) -> str:
        return self.tr("Blue is right, orange wrong. Click a cell to see its images.")


def _column(parent: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(parent)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    return column
