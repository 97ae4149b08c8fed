"""Where the legend's menu opens: beside or above the legend, and never over it."""

from PySide6.QtCore import QPoint, QRect, QSize

_GAP = 2


def menu_place(legend: QRect, menu: QSize, submenu: QSize, screen: QRect) -> QPoint:
    """The upper left corner of a menu, all in pixels of the desktop.

    Args:
        legend: what has to stay in sight.
        menu: its size.
        submenu: the largest of its submenus, which opens towards the right where there is room.
        screen: what may be covered.
    """
    right, left = legend.right() + 1 + _GAP, legend.left() - _GAP - menu.width()
    top = max(screen.top(), min(legend.bottom() + 1, screen.bottom() + 1) - menu.height())
    above = legend.top() - _GAP - menu.height()
    if right + menu.width() + submenu.width() <= screen.right() + 1:
        return QPoint(right, top)
    if above >= screen.top():
        # As far to the right as the legend, so that a submenu opens beside it.
        across = max(legend.left(), legend.right() + 1 - menu.width())
        return QPoint(max(screen.left(), min(across, screen.right() + 1 - menu.width())), above)
    if left - submenu.width() >= screen.left():
        return QPoint(left, top)
    return QPoint(right if right + menu.width() <= screen.right() + 1 else max(screen.left(), left), top)
