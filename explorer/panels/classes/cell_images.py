"""The images of a cell of the confusion matrix, or the surest mistakes of all, with what they are above them.

While a run goes on, answers change: counts follow at once, but the pictures of a cell stay as they were opened until
somebody asks for those of now, and the surest mistakes are not exchanged below the pointer.
"""

import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import ThemeSource, small_font
from explorer.panels.classes.pictures import Answer, AnsweredImages
from explorer.panels.data.classes import scrolled
from explorer.runs.class_figures import Positions, TestedImages, confident_mistakes, images_of

Looked = tuple[tuple[int, ...], tuple[int, ...]]
"""True and predicted classes."""
_MOST_PICTURES = 60
_EXCHANGED_S = 3.0
"""Between one row of surest mistakes and the next, at least."""


class CellImages(QWidget):
    """Pictures and their heading.

    Signals:
        pictures_asked(tuple[int, ...]): the test images whose pictures are missing.
        back_asked(): the surest mistakes of all are to be shown again.
    """

    pictures_asked = Signal(object)
    back_asked = Signal()

    def __init__(
        self, themes: ThemeSource, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._tested: TestedImages | None = None
        self._looked: Looked | None = None
        self._opened: Positions = np.zeros(0, np.int64)
        """All images of the cell when it was opened."""
        self._opened_s = 0.0
        self.heading = ElidedLabel(themes, font=small_font(), parent=self)
        self.renew_button = QToolButton(self)
        self.renew_button.setToolTip(self.tr("Show the images that are here now"))
        self.back_button = QToolButton(self)
        self.back_button.setText(self.tr("All mistakes"))
        self.back_button.setToolTip(self.tr("Back to the surest mistakes of all classes (Esc)"))
        self.images = AnsweredImages(themes, self)
        self.caption = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.caption.show_text(self.tr("In %: the network's probability of the class it chose"))
        self._why = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self._why.hide()
        row = QHBoxLayout()
        row.addWidget(self.heading, 1)
        row.addWidget(self.renew_button)
        row.addWidget(self.back_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self._why)
        column.addWidget(self.caption)
        self._area = scrolled(self.images, self)
        column.addWidget(self._area, 1)
        self.renew_button.clicked.connect(self._renew)
        self.back_button.clicked.connect(self.back_asked)

    def clear(self) -> None:
        """Show none, and forget the pictures, as those of another data set."""
        self._tested = None
        self.images.forget_pictures()
        self.images.show_answers(())

    def open(self, tested: TestedImages, looked: Looked | None) -> None:
        """Show the images of true classes with an answer among others; None for the surest mistakes of all."""
        self._tested, self._looked = tested, looked
        found = self._found(tested)
        self._opened, self._opened_s = _positions(tested, found), self._clock()
        self._say(tested, self._opened if looked is not None else None)
        self.back_button.setVisible(looked is not None)
        self._why.hide()
        names = (*tested.class_names, self.tr("none of these"))
        answers = []
        for place in found[:_MOST_PICTURES].tolist():
            said = names[min(int(tested.predicted[place]), len(tested.class_names))]
            true = names[int(tested.labels[place])]
            answers.append(Answer(tested.position(place), true, said, float(tested.probabilities[place])))
        self.images.show_answers(answers)
        self.caption.setVisible(bool(answers))
        if missing := self.images.missing():
            self.pictures_asked.emit(missing)

    def follow(self, tested: TestedImages) -> None:
        """Take later answers to images of the same data set; what is looked at stays as it is."""
        is_held = self._looked is not None or self.images.underMouse() or self.images.hasFocus()
        if not is_held and self._clock() - self._opened_s >= _EXCHANGED_S:
            self.open(tested, None)
        else:
            self._tested = tested
            self._say(tested, None if self._looked is None else _positions(tested, self._found(tested)))

    def width_of(self, count: int) -> int:
        """Pixels of so many images side by side, and the bar beside them."""
        return self.images.width_of(count) + self._area.verticalScrollBar().sizeHint().width()

    def show_problem(self, why: str) -> None:
        """Say why there are no pictures; an empty text takes it back."""
        self._why.show_text(why)
        self._why.setVisible(bool(why))

    def _renew(self) -> None:
        if self._tested is not None:
            self.open(self._tested, self._looked)

    def _found(self, tested: TestedImages) -> Positions:
        """All images that belong here, by their places in the test."""
        if self._looked is None:
            return confident_mistakes(tested, tested.count)
        return images_of(tested, *self._looked)

    def _say(self, tested: TestedImages, now: Positions | None) -> None:
        """Say what is shown.

        Args:
            now: the images of the cell that is looked at; None for all mistakes.
        """
        self.renew_button.hide()
        if now is None:
            self.heading.show_text(self._heading(tested, tested.count - tested.num_right))
            return
        self.heading.show_text(self._heading(tested, len(now)))
        more, fewer = len(np.setdiff1d(now, self._opened)), len(np.setdiff1d(self._opened, now))
        if more and fewer:
            text = self.tr("{0} more, {1} fewer since")
        else:
            text = self.tr("{0} more since") if more else self.tr("{1} fewer since")
        self.renew_button.setText(text.format(numbers.exact_count(more), numbers.exact_count(fewer)))
        self.renew_button.setVisible(bool(more or fewer))

    def _heading(self, tested: TestedImages, count: int) -> str:
        shown = numbers.exact_count(count)
        if self._looked is None:
            if not count and tested.positions is None:
                return self.tr("Every test image is recognised")
            return self.tr("Surest mistakes · {count} in all").format(count=shown)
        true, predicted = self._looked
        names = (*tested.class_names, self.tr("none of these"))
        if true == predicted and len(true) == 1:
            return self.tr("{true}, recognised: {count}").format(true=names[true[0]], count=shown)
        if len(true) == 1 and len(predicted) == 1:
            text = self.tr("{true} taken for {predicted}: {count}")
            return text.format(true=names[true[0]], predicted=names[predicted[0]], count=shown)
        if len(true) == 1:
            return self.tr("{true}, not recognised: {count}").format(true=names[true[0]], count=shown)
        text = self.tr("{0} classes taken for {1}: {2}")
        return text.format(len(true), len(predicted), shown)


def _positions(tested: TestedImages, places: Positions) -> Positions:
    return places if tested.positions is None else tested.positions[places]
