"""The rubber band: what it selects, Esc, and that one reads through it in both themes."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from explorer.canvas.rubber_band import Band
from tests.canvas.conftest import Canvas


def _band(canvas: Canvas) -> Band:
    return next(band for band in canvas.view.viewport().findChildren(Band) if band.isVisible())


def _contrast(a: QColor, b: QColor) -> float:
    """WCAG 2.1, relative luminance."""

    def luminance(colour: QColor) -> float:
        parts = [colour.redF(), colour.greenF(), colour.blueF()]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_it_is_a_breath_of_the_accent_with_a_line_around(canvas: Canvas, name: str) -> None:
    canvas.themes.choose(name)
    theme = canvas.themes.theme
    canvas.drag(QPoint(10, 10), QPoint(160, 110))
    picture = QImage(_band(canvas).size(), QImage.Format.Format_RGB32)
    picture.fill(theme.canvas)
    _band(canvas).render(picture, QPoint(), QRegion(), QWidget.RenderFlag.IgnoreMask)
    inside, edge = picture.pixelColor(75, 50), picture.pixelColor(75, 0)
    assert edge == theme.accent
    assert inside != theme.canvas
    assert _contrast(inside, theme.canvas) < 1.35, "what lies below stays as it is"
    assert _contrast(theme.muted, inside) > 4.5
    assert picture.pixelColor(75, 1) == inside, "one pixel of line"
    canvas.key(Qt.Key.Key_Escape)
    QTest.mouseRelease(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(160, 110))


def test_it_selects_what_it_touches_and_escape_selects_what_was(canvas: Canvas) -> None:
    canvas.selection.set(("fc3",))
    end = canvas.at("pool1") + QPoint(4, 4)
    canvas.drag(QPoint(2, 2), end)
    assert canvas.selection.ids == ("input", "conv1", "tanh1", "pool1")
    canvas.key(Qt.Key.Key_Escape)
    assert list(canvas.selection.ids) == ["fc3"]
    assert not any(band.isVisible() for band in canvas.view.viewport().findChildren(Band))
    QTest.mouseRelease(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=end)
    assert list(canvas.selection.ids) == ["fc3"]
    assert canvas.document.undo_stack.count() == 0
