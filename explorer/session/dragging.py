"""What palette and canvas pass to each other by drag and drop: a layer type, or a block with its parameters' values.

What dropping it does to the network is `placing`'s to say.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtCore import QByteArray, QMimeData

from explorer.layers import Layer, layer_type
from explorer.zoo import Value
from explorer.zoo.blocks import BlockEntry, block_entry

LAYER_MIME_TYPE = "application/x-arch-explorer-layer"
"""A layer type's name, in UTF-8."""
BLOCK_MIME_TYPE = "application/x-arch-explorer-block"
"""A block's id and the values of its parameters: an object with "id" and "values", in JSON."""


class DraggedBlock(NamedTuple):
    """A block on its way into a network."""

    block: BlockEntry
    values: Mapping[str, Value]
    """What was chosen for its parameters; what is missing follows what arrives where it is dropped."""


Dragged = type[Layer] | DraggedBlock


def layer_data(type_name: str) -> QMimeData:
    """A layer type as a drag carries it."""
    data = QMimeData()
    data.setData(LAYER_MIME_TYPE, QByteArray(type_name.encode()))
    data.setText(type_name)
    return data


def block_data(block_id: str, values: Mapping[str, Value]) -> QMimeData:
    """A block as a drag carries it."""
    data = QMimeData()
    plain = {"id": block_id, "values": dict(values)}
    data.setData(BLOCK_MIME_TYPE, QByteArray(json.dumps(plain).encode()))
    data.setText(block_entry(block_id).title)
    return data


def dragged(data: QMimeData) -> Dragged | None:
    """What a drag carries; None where that is neither a layer nor a block that there is."""
    try:
        if data.hasFormat(BLOCK_MIME_TYPE):
            return _block(json.loads(_bytes(data, BLOCK_MIME_TYPE)))
        if data.hasFormat(LAYER_MIME_TYPE):
            return layer_type(_bytes(data, LAYER_MIME_TYPE).decode())
    except ValueError:  # no such type or block, no JSON, no UTF-8: another program may use the same name
        return None
    return None


def _bytes(data: QMimeData, mime_type: str) -> bytes:
    return bytes(data.data(mime_type).data())


def _block(plain: object) -> DraggedBlock | None:
    if not isinstance(plain, dict) or not isinstance(plain.get("values"), dict):
        return None
    return DraggedBlock(block_entry(str(plain.get("id"))), plain["values"])
