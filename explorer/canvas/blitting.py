"""Moving what is drawn already when the drawing is pushed, instead of drawing it again.

Qt gives that up as soon as anything lies over the viewport, and a map or a legend nearly always does. Here the viewport
is moved in the parts that lie under nothing; what is left over is painted.
"""

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

_OPAQUE = Qt.WidgetAttribute.WA_OpaquePaintEvent
_MOST_PARTS = 12
"""With more, what lies over the viewport is too scattered for moving to pay."""


def free_parts(viewport: QRect, covers: Iterable[QRect]) -> tuple[QRect, ...]:
    """Rectangles that together are all of the viewport that lies under nothing, in the viewport's coordinates."""
    free = QRegion(viewport)
    for cover in covers:
        free -= QRegion(cover)
    return tuple(free)  # type: ignore[arg-type]  # the stubs do not say that a region is its rectangles


def lying_over(view: QAbstractScrollArea) -> tuple[QWidget, ...]:
    """The other children of a view that cover a part of its viewport."""
    viewport = view.viewport()
    children = (child for child in view.children() if isinstance(child, QWidget) and child is not viewport)
    return tuple(child for child in children if child.isVisible() and child.geometry().intersects(viewport.geometry()))


class Held:
    """Keeps Qt from moving the viewport as a whole for as long as it lasts, and moves its free parts at the end."""

    def __init__(self, view: QAbstractScrollArea, by: QPoint) -> None:
        self._view = view
        self._by = by
        viewport = view.viewport()
        over = [(widget, widget.geometry().translated(-viewport.pos())) for widget in lying_over(view)]
        self._parts = free_parts(viewport.rect(), [place for _widget, place in over]) if over else ()
        self._seen_through = [place for widget, place in over if not widget.testAttribute(_OPAQUE)]

    @property
    def is_worth_it(self) -> bool:
        """Whether something lies over the viewport, but not everywhere, and nothing in it that moves along."""
        moving = any(isinstance(c, QWidget) and c.isVisible() for c in self._view.viewport().children())
        return 0 < len(self._parts) <= _MOST_PARTS and not moving

    def __enter__(self) -> None:
        # The attribute alone: the method would ask for all to be painted when it lets go.
        self._view.viewport().setAttribute(Qt.WidgetAttribute.WA_UpdatesDisabled, True)

    def __exit__(self, *_error: object) -> None:
        viewport = self._view.viewport()
        viewport.setAttribute(Qt.WidgetAttribute.WA_UpdatesDisabled, False)
        for part in self._parts:
            viewport.scroll(self._by.x(), self._by.y(), part)
        for place in self._seen_through:
            viewport.update(place)
