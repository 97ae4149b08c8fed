"""What a card says of one probe, drawn: title, the likeliest classes as bars, and their course over the run.

Where cards lie and which pictures are on them is `cards`'.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPolygonF

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.explanations.history import Course
from explorer.runs import ProbeAnswer

NUM_BARS = 5
LINE = 15
"""Pixels of a line in small type, and of a bar."""
BARS_WIDTH = 20 * GRID
"""At least, of the bars with names and shares."""
COURSE_WIDTH, COURSE_HEIGHT = 15 * GRID, 3 * GRID
"""At least, of the line over the steps."""
_NAME_WIDTH = 10 * GRID
"""At most, of a class's name beside its bar."""
_SEEN = 0.002
"""A smaller probability is less than a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Card:
    """What is shown of one probe."""

    answer: ProbeAnswer
    target: int | None
    """Its true class."""
    class_names: tuple[str, ...]
    layer: str | None
    course: Course | None
    """None outside a run."""
    step: int | None = None
    """Of the answer, in a run."""
    picture: npt.NDArray[np.uint8] | None = None
    """The image in its true colours, `(H, W, 3)`; None for what the network was given, brought to its range."""

    def name(self, label: int) -> str:
        """What a class is called; its number where the network has more scores than there are names."""
        return self.class_names[label] if label < len(self.class_names) else f"output {label}"

    @property
    def predicted(self) -> int:
        return int(self.answer.probabilities.argmax())

    @property
    def followed(self) -> int:
        """The class whose course is drawn: the true one, or the one that is explained."""
        return self.answer.explained_class if self.target is None else self.target

    def bars(self) -> tuple[tuple[int, float], ...]:
        """The likeliest classes with their probabilities; the true one is always among them."""
        order = np.argsort(-self.answer.probabilities, kind="stable")[:NUM_BARS].tolist()
        if self.target is not None and self.target not in order and self.target < len(self.answer.probabilities):
            order[-1] = self.target
        return tuple((int(label), float(self.answer.probabilities[label])) for label in order)


class CardDrawing(QObject):
    """Draws the words and lines of cards."""

    def __init__(self, themes: ThemeSource, parent: QObject) -> None:
        super().__init__(parent)
        self._themes = themes

    def beside(self, painter: QPainter, card: Card, rect: QRect) -> None:
        """Bars, and the course below them, or beside them where it has no room below."""
        height = NUM_BARS * LINE
        if rect.height() - height >= COURSE_HEIGHT:
            self._draw_bars(painter, card, rect)
            self._draw_course(painter, card, rect.adjusted(0, height + 4, 0, 0))
        elif rect.width() >= BARS_WIDTH + COURSE_WIDTH and card.course is not None:
            half = max(BARS_WIDTH, rect.width() // 2)
            self._draw_bars(painter, card, rect.adjusted(0, 0, half - rect.width(), 0))
            self._draw_course(painter, card, rect.adjusted(half + 2 * GRID, 0, 0, height - rect.height()))
        else:
            self._draw_bars(painter, card, rect)

    def title(self, painter: QPainter, card: Card, rect: QRect) -> None:
        """The probe's name, what it is taken for, and what it is."""
        theme = self._themes.theme
        said = card.name(card.predicted)
        colour = theme.text
        if card.target is not None and card.target == card.predicted:
            said, colour = self.tr("{0} ✓").format(said), theme.good
        elif card.target is not None:
            said, colour = self.tr("{0} ✗ true: {1}").format(said, card.name(card.target)), theme.error
        painter.setFont(body_font(bold=True))
        painter.setPen(colour)
        most = rect.width() * 3 // 5
        said = elided(painter, said, most)
        width = QFontMetrics(painter.font()).horizontalAdvance(said)
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, said)
        painter.setFont(small_font())
        painter.setPen(theme.muted)
        label = card.answer.probe or self.tr("first test image")
        text = elided(painter, label, rect.width() - width - GRID)
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _draw_bars(self, painter: QPainter, card: Card, rect: QRect) -> None:
        theme = self._themes.theme
        painter.setFont(small_font())
        metrics = QFontMetrics(painter.font())
        bars = card.bars()
        names = [f"◆ {card.name(label)}" if label == card.target else card.name(label) for label, _ in bars]
        most = min(_NAME_WIDTH, rect.width() // 2)
        name_width = min(most, max(metrics.horizontalAdvance(name) for name in names) + 1)
        percent_width = metrics.horizontalAdvance(numbers.percent(1.0)) + 4
        track = QRectF(rect.left() + name_width + 6, 3, rect.width() - name_width - percent_width - 10, LINE - 6)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for line, ((label, probability), name) in enumerate(zip(bars, names, strict=True)):
            top = rect.top() + line * LINE
            is_true = label == card.target
            is_strong = is_true or label == card.predicted
            painter.setPen(theme.text if is_strong else theme.muted)
            painter.drawText(QRect(rect.left(), top, name_width, LINE), right, elided(painter, name, name_width))
            percents = QRect(rect.right() - percent_width, top, percent_width, LINE)
            painter.drawText(percents, right, percent(probability))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.grid)
            bar = track.translated(0, top)
            painter.drawRoundedRect(bar, 2, 2)
            if probability > _SEEN:
                painter.setBrush(_bar_colour(theme.good if is_true else theme.accent, is_strong))
                painter.drawRoundedRect(QRectF(bar.left(), bar.top(), bar.width() * probability, bar.height()), 2, 2)

    def _draw_course(self, painter: QPainter, card: Card, rect: QRect) -> None:
        """The followed class's probability over the steps, with a mark wherever the prediction changed."""
        theme, course = self._themes.theme, card.course
        if course is None or len(course.steps) < 2 or card.followed >= course.probabilities.shape[1]:
            return
        painter.setFont(small_font())
        painter.setPen(theme.muted)
        named_steps = (numbers.exact_count(int(course.steps[0])), numbers.exact_count(int(course.steps[-1])))
        text = self.tr("{0}, step {1} to {2}").format(card.name(card.followed), *named_steps)
        longer = self.tr("{0} · ticks: the prediction changed").format(text)
        if QFontMetrics(painter.font()).horizontalAdvance(longer) <= rect.width():
            text = longer
        named = rect.height() >= COURSE_HEIGHT + LINE
        if named:
            painter.drawText(rect, Qt.AlignmentFlag.AlignLeft, elided(painter, text, rect.width()))
        plot = QRectF(rect.adjusted(0, LINE + 2 if named else 2, -1, -2))
        plot.setHeight(min(plot.height(), 8 * GRID))
        painter.setPen(QPen(theme.grid, 1))
        painter.drawLine(plot.topLeft(), plot.topRight())
        painter.drawLine(plot.bottomLeft(), plot.bottomRight())
        first, last = int(course.steps[0]), int(course.steps[-1])
        xs = plot.left() + (course.steps - first) / max(1, last - first) * plot.width()
        ys = plot.bottom() - course.probabilities[:, card.followed] * plot.height()
        points = [QPointF(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]
        painter.setPen(QPen(theme.good if card.target is not None else theme.accent, 1.5))
        painter.drawPolyline(QPolygonF(points))
        if card.step is not None and first <= card.step < last:
            # A moment of before is looked at.
            x = plot.left() + (card.step - first) / (last - first) * plot.width()
            painter.setPen(QPen(theme.text, 1))
            painter.drawLine(QPointF(x, plot.top() - 2), QPointF(x, plot.bottom() + 2))
        predicted = course.probabilities.argmax(1)
        painter.setPen(QPen(theme.warning, 1.5))
        for x in xs[1:][predicted[1:] != predicted[:-1]].tolist():
            painter.drawLine(QPointF(x, plot.bottom() - 4), QPointF(x, plot.bottom() + 1))


def percent(share: float) -> str:
    """A probability; with a decimal where it is close to 0 or 1."""
    is_close_to_an_end = share < 0.0995 or 0.99 <= share < 0.9995
    return numbers.percent(share, 1 if is_close_to_an_end else 0)


def elided(painter: QPainter, text: str, width: int) -> str:
    """The text, shortened to that many pixels."""
    return QFontMetrics(painter.font()).elidedText(text, Qt.TextElideMode.ElideRight, width)


def _bar_colour(colour: QColor, is_strong: bool) -> QColor:
    found = QColor(colour)
    found.setAlphaF(1.0 if is_strong else 0.45)
    return found
