"""Two moments of what the network says of the probe images: its answers with saliency and Grad-CAM, and how their
probabilities changed. The cards are the Classes tab's own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QWidget

from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.explanations.card import LINE, Card, elided
from explorer.panels.explanations.cards import CardsArea, CardsView
from explorer.panels.explanations.heat import given
from explorer.panels.moments.pair_words import PairWords, points
from explorer.runs import ProbesExplained
from explorer.runs.moments_packing import Moment
from explorer.session.probe_set import ProbeSet

_MOST_CHANGED = 5
"""Classes of a probe that are listed: those whose probability changed most."""
_NAME_WIDTH = 9 * GRID
CARD_WIDTH = 52 * GRID
"""Of the columns with cards, at least."""
STRETCHES = (5, 5, 3)
"""Of the columns."""


class Change(NamedTuple):
    """How one probe's answer changed."""

    probe: str
    said: tuple[str, str]
    """What it was taken for, before and after."""
    classes: tuple[tuple[str, float], ...]
    """The names of those whose probability changed most, with the change, -1 to 1."""


class AnswersPage(QWidget):
    """Cards, cards, and a list of changes; they scroll together."""

    def __init__(self, probes: ProbeSet, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._probes = probes
        self.cards = (CardsView(themes, self), CardsView(themes, self))
        self._areas = tuple(CardsArea(cards, self) for cards in self.cards)
        self.changes = ChangesView(themes)
        around = QScrollArea(self)
        around.setFrameShape(QFrame.Shape.NoFrame)
        around.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        around.setWidgetResizable(True)
        around.setWidget(self.changes)
        around.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        for area, stretch in zip((*self._areas, around), STRETCHES, strict=True):
            row.addWidget(area, stretch)
        for area in self._areas:
            area.setMinimumWidth(CARD_WIDTH)
        bars = [area.verticalScrollBar() for area in self._areas]
        for one, other in (bars, bars[::-1]):
            one.valueChanged.connect(other.setValue)

    def show_pair(self, left: Sequence[Moment], right: Sequence[Moment]) -> PairWords:
        """Show the answers of both moments; what there is to say of it."""
        found = [next((one for one in events if isinstance(one, ProbesExplained)), None) for events in (left, right)]
        before, after = found
        if before is None or after is None:
            for cards, area in zip(self.cards, self._areas, strict=True):
                cards.show_cards([], "")
                area.fit()
            self.changes.show_changes([])
            return PairWords(note=self.tr("These moments hold no answers to probe images."))
        for cards, area, event in zip(self.cards, self._areas, (before, after), strict=True):
            cards.show_cards(cards_of(event, self._probes), "")
            area.fit()
        changes = changes_of(before, after)
        self.changes.show_changes(changes)
        changed = sum(change.said[0] != change.said[1] for change in changes)
        same = self.tr("{0} of {1} predictions are others").format(changed, len(changes))
        return PairWords(("", "", same), self.tr("each heat picture has a scale of its own"))


class ChangesView(QWidget):
    """For each probe what it was taken for, and the classes whose probability changed most: bars from the middle."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self.changes: tuple[Change, ...] = ()
        self.setToolTip(self.tr("Percentage points, from the left moment to the right one"))
        themes.changed.connect(self.update)

    def show_changes(self, changes: Sequence[Change]) -> None:
        """Show these."""
        self.changes = tuple(changes)
        self.setMinimumHeight(sum(self._height(change) for change in changes))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(30 * GRID, self.minimumHeight())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = 0
        for change in self.changes:
            self._draw(painter, change, top)
            top += self._height(change)

    def _height(self, change: Change) -> int:
        return LINE * (len(change.classes) + 1) + 3 * GRID

    def _draw(self, painter: QPainter, change: Change, top: int) -> None:
        theme = self._themes.theme
        painter.setFont(body_font(bold=True))
        painter.setPen(theme.text)
        before, after = change.said
        said = before if before == after else f"{before} → {after}"
        head = QRect(0, top + 4, self.width(), LINE + 4)
        said = elided(painter, said, head.width() // 2)
        painter.drawText(head, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, said)
        room = head.width() - painter.fontMetrics().horizontalAdvance(said) - GRID
        painter.setFont(small_font())
        painter.setPen(theme.muted)
        label = elided(painter, change.probe or self.tr("first test image"), room)
        painter.drawText(head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, label)
        number_width = painter.fontMetrics().horizontalAdvance(points(-1.0)) + 4
        left, right = _NAME_WIDTH + GRID, self.width() - number_width - GRID
        middle, half = (left + right) / 2, (right - left) / 2
        for place, (name, by) in enumerate(change.classes):
            y = head.bottom() + 4 + place * LINE
            painter.setPen(theme.text)
            aligned = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRect(0, y, _NAME_WIDTH, LINE), aligned, elided(painter, name, _NAME_WIDTH))
            painter.drawText(QRect(right, y, self.width() - right, LINE), aligned, points(by))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.grid)
            painter.drawRoundedRect(QRectF(left, y + 3, right - left, LINE - 6), 2, 2)
            painter.setBrush(theme.train if by < 0 else theme.test)
            painter.drawRect(QRectF(min(middle, middle + by * half), y + 3, abs(by) * half, LINE - 6))
            painter.setPen(theme.muted)
            painter.drawLine(round(middle), y + 1, round(middle), y + LINE - 2)


def cards_of(event: ProbesExplained, probes: ProbeSet) -> list[Card]:
    """What is shown of each probe; its class and true colours where it is a probe still."""
    known = {probe.label: probe for probe in probes.probes}
    is_other = probes.offer is not None and probes.offer.class_names != event.class_names
    cards = []
    for answer in event.answers:
        probe = known.get(answer.probe)
        cards.append(
            Card(
                answer=answer,
                target=None if probe is None or is_other else probe.target,
                class_names=event.class_names,
                layer=event.layer,
                course=None,
                step=None,
                picture=None
                if probe is None or len(answer.image) != 3
                else given(probe.image, *answer.image.shape[1:]),
            )
        )
    return cards


def changes_of(before: ProbesExplained, after: ProbesExplained) -> list[Change]:
    """How the answers to the probes changed that both moments have, as far as they are over the same classes."""
    earlier = {answer.probe: answer for answer in before.answers}
    names = after.class_names
    found = []
    for answer in after.answers:
        other = earlier.get(answer.probe)
        if other is None or other.probabilities.shape != answer.probabilities.shape:
            continue
        by = answer.probabilities - other.probabilities
        named = [names[place] if place < len(names) else f"output {place}" for place in range(len(by))]
        most = np.argsort(-np.abs(by), kind="stable")[:_MOST_CHANGED].tolist()
        said = tuple(named[int(one.probabilities.argmax())] for one in (other, answer))
        found.append(
            Change(answer.probe, (said[0], said[1]), tuple((named[place], float(by[place])) for place in most))
        )
    return found
