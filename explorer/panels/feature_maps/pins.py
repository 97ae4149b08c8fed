"""Channels that stay in sight while other layers are looked at: up to six, each with the course of its mean."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.feature_maps.colours import colours, picture, value_text
from explorer.panels.feature_maps.values import Maps, levels_of, scale_of

MOST_PINS = 6
_MOST_POINTS = 240
_WIDTH, _HEIGHT = 17 * GRID, 7 * GRID
_PICTURE = 6 * GRID


class Pin(NamedTuple):
    """One channel of one layer."""

    node_id: str
    channel: int


@dataclass(slots=True)
class _Kept:
    """What is shown of a pin."""

    levels: npt.NDArray[np.uint8] | None = None
    """`(height, width)`."""
    is_diverging: bool = False
    image: QImage = field(default_factory=QImage)
    mean: float | None = None
    run_id: str = ""
    step: int | None = None
    """Of what is on screen: less than the course's last in a look back."""
    course: list[tuple[int, float]] = field(default_factory=list)
    """(step, mean), oldest first."""


class PinsView(QWidget):
    """The strip: column by column, as many in one as its height holds.

    Signals:
        changed(): other channels are pinned.
        chosen(str, int): somebody wants to see this channel's layer.
    """

    changed = Signal()
    chosen = Signal(str, int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._pins: dict[Pin, _Kept] = {}
        self._under: Pin | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Pinned channels"))
        self.hide()
        themes.changed.connect(self._recolour)

    @property
    def pins(self) -> tuple[Pin, ...]:
        """What is pinned, in order."""
        return tuple(self._pins)

    def course(self, pin: Pin) -> tuple[tuple[int, float], ...]:
        """The pin's mean over the steps of the run, as (step, mean)."""
        return tuple(self._pins[pin].course)

    def mean(self, pin: Pin) -> float | None:
        """The mean of the channel that is on screen; None before the first."""
        return self._pins[pin].mean

    def toggle(self, pin: Pin) -> bool:
        """Pin a channel, or let it go; whether there was room for it."""
        if pin in self._pins:
            del self._pins[pin]
        elif len(self._pins) < MOST_PINS:
            self._pins[pin] = _Kept()
        else:
            return False
        self._changed()
        return True

    def keep(self, pins: Sequence[Pin]) -> None:
        """Let go of all others."""
        gone = [pin for pin in self._pins if pin not in pins]
        for pin in gone:
            del self._pins[pin]
        if gone:
            self._changed()

    def clear_pictures(self) -> None:
        """Forget what was shown, as another network or run makes it wrong; what is pinned stays."""
        self._pins = {pin: _Kept() for pin in self._pins}
        self.update()

    def show_maps(self, node_id: str, maps: Maps, step: int | None, run_id: str, diverging: bool | None) -> None:
        """Take a layer's maps, of which some channel may be pinned.

        Args:
            step: updates made; None for a network at rest, of which there is no course.
            diverging: as for `scale_of`.
        """
        for pin, kept in self._pins.items():
            if pin.node_id != node_id or pin.channel >= maps.num_channels:
                continue
            own = maps._replace(values=maps.values[pin.channel : pin.channel + 1])
            scale = scale_of(own, per_channel=True, diverging=diverging)
            kept.levels, kept.is_diverging = levels_of(own, scale)[0], scale.is_diverging
            kept.image = picture(kept.levels, colours(self._themes.theme, kept.is_diverging))
            kept.mean = float(own.values.mean(dtype=np.float64))
            kept.step = step
            if step is not None:
                _add(kept, step, run_id)
            self.update(self.pin_rect(pin).toAlignedRect())

    def pin_rect(self, pin: Pin) -> QRectF:
        """Where a pin lies."""
        column, row = divmod(self.pins.index(pin), self._rows())
        return QRectF(column * _WIDTH, row * _HEIGHT, _WIDTH, _HEIGHT)

    def sizeHint(self) -> QSize:
        columns = -(-len(self._pins) // self._rows())
        return QSize(columns * _WIDTH, min(len(self._pins), self._rows()) * _HEIGHT)

    # Events

    def resizeEvent(self, event: object) -> None:
        self._fit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        under = self._at(event.position())
        if under != self._under:
            self._under = under
            self.setCursor(Qt.CursorShape.ArrowCursor if under is None else Qt.CursorShape.PointingHandCursor)
            self.update()
        if under is not None and self._close_rect(under).contains(event.position()):
            QToolTip.showText(event.globalPosition().toPoint(), self.tr("Unpin"), self)

    def leaveEvent(self, event: object) -> None:
        self._under = None
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        pin = self._at(event.position())
        if pin is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if self._close_rect(pin).contains(event.position()):
            self.toggle(pin)
        else:
            self.chosen.emit(pin.node_id, pin.channel)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        pin = self._at(QPointF(event.pos()))
        if pin is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Unpin"), lambda: self.toggle(pin))
        menu.addAction(self.tr("Unpin all"), lambda: self.keep(()))
        menu.popup(event.globalPos())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(small_font())
        for pin, kept in self._pins.items():
            rect = self.pin_rect(pin)
            if rect.intersects(QRectF(event.rect())):
                self._paint(painter, pin, kept, rect.adjusted(GRID, 0, 0, -GRID))

    def _paint(self, painter: QPainter, pin: Pin, kept: _Kept, rect: QRectF) -> None:
        theme, metrics = self._themes.theme, painter.fontMetrics()
        frame = QRectF(rect.left(), rect.top(), _PICTURE, _PICTURE)
        if not kept.image.isNull():
            side = max(kept.image.width(), kept.image.height())
            size = kept.image.size() * (_PICTURE / side)
            place = QRectF(frame.left(), frame.top(), max(2, size.width()), max(2, size.height()))
            smooth = side > _PICTURE
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(place, kept.image)
            frame = place
        painter.setPen(QPen(theme.accent if pin == self._under else theme.border, 1))
        painter.drawRect(frame.adjusted(-0.5, -0.5, 0.5, 0.5))
        left = rect.left() + _PICTURE + 6
        width = rect.right() - left
        close = self._close_rect(pin)
        painter.setPen(theme.text)
        named = width - (close.width() if pin == self._under else 0)
        name = metrics.elidedText(f"{pin.node_id} · {pin.channel}", Qt.TextElideMode.ElideLeft, int(named))
        painter.drawText(QPointF(left, rect.top() + metrics.ascent()), name)
        painter.setPen(theme.muted)
        mean = self.tr("waiting…") if kept.mean is None else self.tr("mean {0}").format(value_text(kept.mean, 2))
        painter.drawText(QPointF(left, rect.top() + metrics.height() + metrics.ascent()), mean)
        if pin == self._under:
            painter.setPen(QPen(theme.text, 1.5))
            cross = close.adjusted(4, 4, -4, -4)
            painter.drawLine(cross.topLeft(), cross.bottomRight())
            painter.drawLine(cross.topRight(), cross.bottomLeft())
        top = rect.top() + 2 * metrics.height() + 2
        self._paint_course(painter, kept, QRectF(left, top, width - 2, rect.bottom() - top - 1))

    def _paint_course(self, painter: QPainter, kept: _Kept, rect: QRectF) -> None:
        if len(kept.course) < 2 or rect.height() < 3:
            return
        steps = [step for step, _ in kept.course]
        means = [mean for _, mean in kept.course]
        low, high = min(means), max(means)
        across, up = rect.width() / max(1, steps[-1] - steps[0]), rect.height() / ((high - low) or 1.0)
        points = [
            QPointF(rect.left() + (step - steps[0]) * across, rect.bottom() - (mean - low) * up)
            for step, mean in kept.course
        ]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(self._themes.theme.accent, 1.2))
        painter.drawPolyline(QPolygonF(points))
        if kept.step is not None and kept.mean is not None and steps[0] <= kept.step < steps[-1]:
            height = min(max((kept.mean - low) * up, 0.0), rect.height())
            spot = QPointF(rect.left() + (kept.step - steps[0]) * across, rect.bottom() - height)
            painter.setBrush(self._themes.theme.accent)
            painter.drawEllipse(spot, 2.5, 2.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _recolour(self) -> None:
        for kept in self._pins.values():
            if kept.levels is not None:
                kept.image = picture(kept.levels, colours(self._themes.theme, kept.is_diverging))
        self.update()

    def _rows(self) -> int:
        return max(1, self.height() // _HEIGHT)

    def _close_rect(self, pin: Pin) -> QRectF:
        rect = self.pin_rect(pin)
        return QRectF(rect.right() - 2 * GRID, rect.top(), 2 * GRID, 2 * GRID)

    def _at(self, position: QPointF) -> Pin | None:
        return next((pin for pin in self._pins if self.pin_rect(pin).contains(position)), None)

    def _changed(self) -> None:
        self._under = None
        self.setVisible(bool(self._pins))
        self._fit()
        self.update()
        self.changed.emit()

    def _fit(self) -> None:
        self.setFixedWidth(self.sizeHint().width())


def _add(kept: _Kept, step: int, run_id: str) -> None:
    """Go on with the course; another run's begins anew, and a look back is no part of it."""
    assert kept.mean is not None
    if run_id != kept.run_id:
        kept.course.clear()
        kept.run_id = run_id
    if kept.course and step < kept.course[-1][0]:
        return
    if kept.course and kept.course[-1][0] == step:
        kept.course[-1] = (step, kept.mean)
        return
    kept.course.append((step, kept.mean))
    if len(kept.course) > _MOST_POINTS:
        # Every second one: what is long ago is seen as well as what is new.
        kept.course[:] = kept.course[::2]
