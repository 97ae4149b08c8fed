"""What a drag carries, there and back, and what another program might carry under the same name."""

import pytest
from PySide6.QtCore import QByteArray, QMimeData

from explorer.layers import Conv2d
from explorer.session.dragging import (
    BLOCK_MIME_TYPE,
    LAYER_MIME_TYPE,
    DraggedBlock,
    block_data,
    dragged,
    layer_data,
)
from explorer.zoo.blocks import block_entry


def test_layers_and_blocks_arrive_as_they_left() -> None:
    assert dragged(layer_data("Conv2d")) is Conv2d
    assert layer_data("Conv2d").text() == "Conv2d"
    values = {"convolutions": 3, "channels": 96, "batch_norm": True}
    assert dragged(block_data("vgg-stage", values)) == DraggedBlock(block_entry("vgg-stage"), values)


@pytest.mark.parametrize(
    ("mime_type", "content"),
    [
        (LAYER_MIME_TYPE, b"Conv9d"),
        (LAYER_MIME_TYPE, b"\xff"),
        (BLOCK_MIME_TYPE, b"{"),
        (BLOCK_MIME_TYPE, b"[1]"),
        (BLOCK_MIME_TYPE, b'{"id": "fire"}'),
        (BLOCK_MIME_TYPE, b'{"id": "water", "values": {}}'),
        ("text/plain", b"Conv2d"),
    ],
)
def test_anything_else_is_none(mime_type: str, content: bytes) -> None:
    data = QMimeData()
    data.setData(mime_type, QByteArray(content))
    assert dragged(data) is None
