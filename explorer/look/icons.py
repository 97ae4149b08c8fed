"""Icons, all from one family (Material Design Icons, as QtAwesome brings them), in the theme's colours.

The font is read from QtAwesome's folder: its import would take 0.15 s and load eleven more, while this one is there
within a few milliseconds, so that a window's first frame has its icons and no layout moves when they come.
"""

import functools
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from explorer.layers import Category
from explorer.look.theme import Theme

_FONT, _LETTERS = "materialdesignicons6-webfont-*.ttf", "materialdesignicons6-webfont-charmap-*.json"
_LETTER_SHARE = 0.875
"""Height of a letter's font in that of its icon; what is left is the space around it."""

_NAMES = {
    "open": "folder-open-outline",
    "save": "content-save-outline",
    "undo": "undo",
    "redo": "redo",
    "fit": "fit-to-page-outline",
    "start": "play",
    "pause": "pause",
    "step": "skip-next",
    "first": "skip-backward",
    "previous": "skip-previous",
    "loop": "repeat",
    "leap": "lightning-bolt",
    "compare": "compare",
    "stop": "stop",
    "export": "export-variant",
    "error": "alert-circle",
    "warning": "alert",
    "note": "information-outline",
    "good": "check-circle",
    "info": "information-outline",
    "repair": "wrench-outline",
    "again": "refresh",
    "measure": "timer-outline",
    "copy": "content-copy",
    "add": "plus",
    "remove": "trash-can-outline",
    "gallery": "view-grid-outline",
    "search": "magnify",
    "link": "link-variant",
    "unlink": "link-variant-off",
    "image": "image-outline",
    "draw": "pencil-outline",
    "pin": "pin-outline",
    "table": "table",
    "source": "code-tags",
    "chart": "chart-line",
    "inspector": "tune-variant",
    "theme": "theme-light-dark",
    "more": "dots-vertical",
    "choose": "chevron-down",
    "before": "chevron-up",
    "close": "close",
    "closed": "chevron-right",
    Category.INPUT: "image-outline",
    Category.CONVOLUTION: "grid",
    Category.POOLING: "arrow-collapse-all",
    Category.ACTIVATION: "chart-bell-curve-cumulative",
    Category.NORMALIZATION: "scale-balance",
    Category.REGULARIZATION: "dots-grid",
    Category.LINEAR: "vector-polyline",
    Category.RESHAPE: "arrow-expand-horizontal",
    Category.MERGE: "call-merge",
    Category.OTHER: "cube-outline",
}


def icon(name: str, theme: Theme, colour: QColor | None = None, *, highlighted: QColor | None = None) -> QIcon:
    """The icon of an action, or of a layer category, in the theme's text colour unless another is given.

    Args:
        highlighted: its colour on the highlighted line of a menu, where that is the accent.

    Raises:
        KeyError: no such icon.
    """
    shown = colour or theme.text
    colours = {QIcon.Mode.Normal: shown, QIcon.Mode.Disabled: theme.border}
    return QIcon(_Letter(_family(), _letters()[_NAMES[name]], colours, highlighted or shown))


def category_icon(category: Category, theme: Theme, *, highlighted: QColor | None = None) -> QIcon:
    """The icon of a kind of layers, in its colour."""
    return icon(category, theme, theme.category(category), highlighted=highlighted)


class _Letter(QIconEngine):
    """Draws one letter of the icon font at any size."""

    def __init__(self, family: str, letter: str, colours: Mapping[QIcon.Mode, QColor], otherwise: QColor) -> None:
        super().__init__()
        self._family = family
        self._letter = letter
        self._colours = colours
        self._otherwise = otherwise

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        font = QFont(self._family)
        font.setPixelSize(max(1, round(_LETTER_SHARE * rect.height())))
        painter.save()
        painter.setFont(font)
        painter.setPen(self._colours.get(mode, self._otherwise))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, self._letter)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        if size.isEmpty():
            return QPixmap()
        picture = QPixmap(size)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return picture


@functools.cache
def _family() -> str:
    path = _file(_FONT)
    families = QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(path)))
    if not families:
        raise RuntimeError(f"{path}: not a font that Qt can read")
    return families[0]


@functools.cache
def _letters() -> dict[str, str]:
    """The font's letters by the names of its icons."""
    codes: dict[str, str] = json.loads(_file(_LETTERS).read_bytes())
    return {name: chr(int(codes[name], 16)) for name in _NAMES.values()}


def _file(pattern: str) -> Path:
    package = importlib.util.find_spec("qtawesome")
    assert package is not None
    assert package.submodule_search_locations is not None
    folder = Path(package.submodule_search_locations[0]) / "fonts"
    found = sorted(folder.glob(pattern))
    if not found:
        raise RuntimeError(f"{folder}: no {pattern}; QtAwesome 1.4 has it")
    return found[-1]
