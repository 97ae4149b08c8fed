"""How a drawing gets from one layout to the next when a block folds: cards glide, new ones and wires fade in.

Positions are the new ones from the start; a card on its way is only drawn elsewhere, so that nothing but the eye waits.
"""

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QEasingCurve, QObject, QPointF, QVariantAnimation
from PySide6.QtGui import QTransform
from PySide6.QtWidgets import QGraphicsItem

FOLD_MS = 180
_MOST = 160
"""With more items than this in the drawing, a frame of the motion would take longer than a frame of the screen."""


class Motion(QObject):
    """One motion at a time."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._moving: list[tuple[QGraphicsItem, QPointF]] = []
        self._appearing: list[tuple[QGraphicsItem, float]] = []
        self._animation = QVariantAnimation(self)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setDuration(FOLD_MS)
        self._animation.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._animation.valueChanged.connect(self._show)
        self._animation.finished.connect(self.finish)

    @property
    def is_running(self) -> bool:
        """Whether items are drawn elsewhere than they are."""
        return bool(self._moving or self._appearing)

    def start(self, before: Mapping[QGraphicsItem, QPointF], items: Iterable[QGraphicsItem], still: QPointF) -> None:
        """Let items come from where they were.

        Args:
            before: earlier positions; an item without one appears.
            items: all that is drawn.
            still: how far what stays in place on the screen has moved in the scene.
        """
        self.finish()
        shown = list(items)
        if len(shown) > _MOST:
            return
        for item in shown:
            if item in before:
                away = before[item] + still - item.pos()
                if not away.isNull():
                    self._moving.append((item, away))
            else:
                self._appearing.append((item, item.opacity()))
        if self.is_running:
            self._show(0.0)
            self._animation.start()

    def finish(self) -> None:
        """Be there at once."""
        self._animation.stop()
        for item, _away in self._moving:
            item.setTransform(QTransform())
        for item, opacity in self._appearing:
            item.setOpacity(opacity)
        self._moving, self._appearing = [], []

    def _show(self, share: float) -> None:
        for item, away in self._moving:
            item.setTransform(QTransform.fromTranslate(away.x() * (1 - share), away.y() * (1 - share)))
        for item, opacity in self._appearing:
            item.setOpacity(share * opacity)
