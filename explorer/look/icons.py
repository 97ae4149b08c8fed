"""Icons, all from one family (Material Design Icons, through QtAwesome), in the theme's colours."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QObject, QTimer

from explorer.layers import Category
from explorer.look.theme import Theme

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QIcon

_NAMES = {
    "open": "mdi6.folder-open-outline",
    "save": "mdi6.content-save-outline",
    "undo": "mdi6.undo",
    "redo": "mdi6.redo",
    "fit": "mdi6.fit-to-page-outline",
    "start": "mdi6.play",
    "pause": "mdi6.pause",
    "step": "mdi6.skip-next",
    "first": "mdi6.skip-backward",
    "previous": "mdi6.skip-previous",
    "loop": "mdi6.repeat",
    "leap": "mdi6.lightning-bolt",
    "compare": "mdi6.compare",
    "stop": "mdi6.stop",
    "export": "mdi6.export-variant",
    "error": "mdi6.alert-circle",
    "warning": "mdi6.alert",
    "note": "mdi6.information-outline",
    "good": "mdi6.check-circle",
    "info": "mdi6.information-outline",
    "repair": "mdi6.wrench-outline",
    "again": "mdi6.refresh",
    "measure": "mdi6.timer-outline",
    "copy": "mdi6.content-copy",
    "add": "mdi6.plus",
    "remove": "mdi6.trash-can-outline",
    "gallery": "mdi6.view-grid-outline",
    "search": "mdi6.magnify",
    "link": "mdi6.link-variant",
    "unlink": "mdi6.link-variant-off",
    "image": "mdi6.image-outline",
    "draw": "mdi6.pencil-outline",
    "pin": "mdi6.pin-outline",
    "table": "mdi6.table",
    "source": "mdi6.code-tags",
    "chart": "mdi6.chart-line",
    "inspector": "mdi6.tune-variant",
    "theme": "mdi6.theme-light-dark",
    "more": "mdi6.dots-vertical",
    "choose": "mdi6.chevron-down",
    "before": "mdi6.chevron-up",
    "close": "mdi6.close",
    "closed": "mdi6.chevron-right",
    Category.INPUT: "mdi6.image-outline",
    Category.CONVOLUTION: "mdi6.grid",
    Category.POOLING: "mdi6.arrow-collapse-all",
    Category.ACTIVATION: "mdi6.chart-bell-curve-cumulative",
    Category.NORMALIZATION: "mdi6.scale-balance",
    Category.REGULARIZATION: "mdi6.dots-grid",
    Category.LINEAR: "mdi6.vector-polyline",
    Category.RESHAPE: "mdi6.arrow-expand-horizontal",
    Category.MERGE: "mdi6.call-merge",
    Category.OTHER: "mdi6.cube-outline",
}


_AFTER_FIRST_PAINT_MS = 50
_waiting: list[tuple[QObject, Callable[[], None]]] = []


def dress(owner: QObject, set_icons: Callable[[], None]) -> None:
    """Call `set_icons`, which asks for icons of `owner`: at once if the font is there, else after the first paint.

    The icon font costs 0.2 s to load, and a window without icons can be read and used meanwhile.
    """
    if "qtawesome" in sys.modules:
        set_icons()
        return
    if not _waiting:
        QTimer.singleShot(_AFTER_FIRST_PAINT_MS, _dress_all)
    _waiting.append((owner, set_icons))


def _dress_all() -> None:
    waiting = _waiting.copy()
    _waiting.clear()
    for owner, set_icons in waiting:
        if shiboken6.isValid(owner):
            set_icons()


def icon(name: str, theme: Theme, colour: "QColor | None" = None, *, highlighted: "QColor | None" = None) -> "QIcon":
    """The icon of an action, or of a layer category, in the theme's text colour unless another is given.

    Args:
        highlighted: its colour on the highlighted line of a menu, where that is the accent.

    Raises:
        KeyError: no such icon.
    """
    import qtawesome  # 0.2 s, so not before the first icon is drawn

    # QtAwesome keeps its icons by their options; colour names make equal colours equal options.
    return qtawesome.icon(  # type: ignore[no-any-return]
        _NAMES[name],
        color=(colour or theme.text).name(),
        color_active=(highlighted or colour or theme.text).name(),
        color_disabled=theme.border.name(),
    )


def category_icon(category: Category, theme: Theme, *, highlighted: "QColor | None" = None) -> "QIcon":
    """The icon of a kind of layers, in its colour."""
    return icon(category, theme, theme.category(category), highlighted=highlighted)
