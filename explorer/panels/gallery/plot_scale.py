"""Where the networks lie in the gallery's plot, and where their names go. No widgets, no painting.

Across: multiply-accumulates, by powers of ten. Up: published accuracy. The area of a point is its parameters.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSizeF

from explorer.panels.gallery.search import Facts
from explorer.zoo import Entry

_LARGEST_SHARE = 0.075
"""Radius of the largest point, of the shorter side of the plot."""
_SMALLEST_RADIUS = 4.0
_TOP1_STEP = 5
_NEAR = 10.0
"""Pixels beside a point that still count as on it."""


class Spot(NamedTuple):
    """A network with a published accuracy."""

    entry: Entry
    facts: Facts
    top1: float
    """In percent."""


class Scale:
    """The mapping for some spots and a rectangle of the screen."""

    def __init__(self, spots: Sequence[Spot], area: QRectF) -> None:
        self.area = area
        macs = [spot.facts.macs for spot in spots] or [10**8, 10**10]
        top1 = [spot.top1 for spot in spots] or [50.0, 85.0]
        self._low, self._high = math.log10(min(macs)) - 0.15, math.log10(max(macs)) + 0.15
        self._bottom = math.floor((min(top1) - 1) / _TOP1_STEP) * _TOP1_STEP
        self._top = math.ceil((max(top1) + 1) / _TOP1_STEP) * _TOP1_STEP
        largest = max((spot.facts.num_parameters for spot in spots), default=1)
        self._unit = _LARGEST_SHARE * min(area.width(), area.height()) / math.sqrt(largest)

    def x(self, macs: float) -> float:
        """Where so much arithmetic lies, in pixels."""
        return self.area.left() + self.area.width() * (math.log10(macs) - self._low) / (self._high - self._low)

    def y(self, top1: float) -> float:
        """Where such an accuracy, in percent, lies, in pixels."""
        return self.area.bottom() - self.area.height() * (top1 - self._bottom) / (self._top - self._bottom)

    def radius(self, num_parameters: float) -> float:
        """Of a point, in pixels; the area is in proportion but for the smallest, which would vanish."""
        return max(_SMALLEST_RADIUS, self._unit * math.sqrt(num_parameters))

    def place(self, spot: Spot) -> QPointF:
        """The middle of a network's point."""
        return QPointF(self.x(spot.facts.macs), self.y(spot.top1))

    def macs_ticks(self) -> list[float]:
        """1, 2 and 5 times the powers of ten that are in sight."""
        powers = range(math.floor(self._low), math.ceil(self._high) + 1)
        ticks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        return [tick for tick in ticks if self._low <= math.log10(tick) <= self._high]

    def top1_ticks(self) -> list[int]:
        """Every five percent."""
        return list(range(self._bottom, self._top + 1, _TOP1_STEP))

    def spot_at(self, position: QPointF, spots: Iterable[Spot]) -> Spot | None:
        """The smallest point under a position, else the nearest one close to it."""
        found = []
        for spot in spots:
            off = self.place(spot) - position
            distance, radius = math.hypot(off.x(), off.y()), self.radius(spot.facts.num_parameters)
            if distance <= radius:
                found.append((0.0, radius, spot))
            elif distance <= radius + _NEAR:
                found.append((distance - radius, radius, spot))
        return min(found, key=lambda entry: entry[:2])[2] if found else None

    def labels(self, spots: Sequence[Spot], sizes: Sequence[QSizeF]) -> dict[str, QRectF]:
        """Boxes for the names beside their points, by id; the earlier in the list the surer to get one.

        A name stands clear of all points where it can, and has no box where it would lie on another name or on the
        middle of a point.
        """
        taken = [_around(self.place(spot), _SMALLEST_RADIUS) for spot in spots]
        # The square in a circle: a name may touch the rim.
        points = [_around(self.place(spot), self.radius(spot.facts.num_parameters) / math.sqrt(2)) for spot in spots]
        boxes: dict[str, QRectF] = {}
        for spot, size in zip(spots, sizes, strict=True):
            free = [box for box in self._beside(spot, size) if self.area.contains(box) and not _meets(box, taken)]
            clear = [box for box in free if not _meets(box, points)]
            if free:
                boxes[spot.entry.id] = box = (clear or free)[0]
                taken.append(box)
        return boxes

    def _beside(self, spot: Spot, size: QSizeF) -> list[QRectF]:
        """Where a name may stand: right, left, above and below its point."""
        middle, off = self.place(spot), self.radius(spot.facts.num_parameters) + 3
        half = QPointF(size.width() / 2, size.height() / 2)
        corners = (
            middle + QPointF(off, -half.y()),
            middle + QPointF(-off - size.width(), -half.y()),
            middle + QPointF(-half.x(), -off - size.height()),
            middle + QPointF(-half.x(), off),
        )
        return [QRectF(corner, size) for corner in corners]


def _around(middle: QPointF, off: float) -> QRectF:
    return QRectF(middle.x() - off, middle.y() - off, 2 * off, 2 * off)


def _meets(box: QRectF, others: Iterable[QRectF]) -> bool:
    return any(box.intersects(other) for other in others)
