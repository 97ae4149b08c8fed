"""Names on cards that have little room: what is left of one can be read."""

import pytest
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from explorer.canvas import card as cards
from explorer.canvas import card_item
from explorer.canvas.card_text import advance, readable_name
from explorer.zoo import entry
from tests.canvas.conftest import Canvas

_NETWORKS = ("resnet50", "googlenet", "densenet121", "convnext-tiny", "squeezenet1-1")


def _is_readable(shown: str) -> bool:
    """Whole, nothing, last parts, or at least three letters of each end that is left."""
    return not shown.strip("…") or "…" not in shown[1:] or all(len(p) >= 3 for p in shown.lstrip("…").split("…") if p)


@pytest.mark.parametrize("name", _NETWORKS)
def test_no_name_is_cut_to_a_letter_or_two(canvas: Canvas, name: str) -> None:
    font = cards.fonts(QGuiApplication.font().key()).bold
    for node in entry(name).build():
        for width in range(0, 200, 7):
            shown = readable_name(node.id, font, width)
            assert advance(shown, font) <= width + 0.5, "half a pixel is what a line tolerates"
            assert _is_readable(shown), (node.id, width, shown)


def test_far_away_the_name_comes_before_the_shape(canvas: Canvas, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas.document.open(entry("resnet50").build())
    canvas.view._folding.unfold_all()
    canvas.view._folding.motion.finish()
    shown: dict[str, str] = {}

    def remembered(name: str, font: object, width: float) -> str:
        shown[name] = readable_name(name, font, width)  # type: ignore[arg-type]  # a font, as it came
        return shown[name]

    monkeypatch.setattr(card_item, "readable_name", remembered)
    monkeypatch.setattr(card_item.CardItem, "_has_maps", property(lambda _self: True))
    monkeypatch.setattr(card_item.CardItem, "_paint_maps", lambda _self, _painter: None)
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    for zoom in (0.25, 0.3, 0.5, 0.69):
        shown.clear()
        painter = QPainter(image)
        painter.scale(zoom, zoom)
        for item in canvas.scene.cards():
            item.paint(painter, QStyleOptionGraphicsItem())
        painter.end()
        assert shown["conv1"] == "conv1"
        assert shown["avgpool"] == "avgpool"
        assert all(name.endswith(text.lstrip("…")) for name, text in shown.items()), "last parts, and never cut"
