"""What goes into a network from outside it: a layer type, a layer with chosen values, or a block with its parameters'.

Palette and canvas pass types and blocks to each other by drag and drop; the quick-add box writes layers and blocks.
What dropping one does to the network is `placing`'s to say.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtCore import QByteArray, QMimeData

from explorer.layers import Category, Layer, Shape, layer_type
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


class ChosenLayer(NamedTuple):
    """A layer type with some of its values."""

    layer_type: type[Layer]
    values: Mapping[str, object]

    def made(self, arriving: Shape | None) -> Layer:
        """The layer for what arrives: with the values that were chosen, and fitting ones for the rest.

        A convolution whose kernel alone is chosen keeps the size at stride 1; a pooling's stride follows its kernel, as
        torch's does.

        Raises:
            ValueError: values that the layer does not take.
        """
        fitting = self.layer_type.suggested(arriving).values()
        kernel = self.values.get("kernel_size")
        if isinstance(kernel, tuple) and len(kernel) == 2:
            if self.layer_type.category is Category.POOLING and "stride" in fitting:
                fitting["stride"] = kernel
            elif "padding" in fitting and "output_padding" not in fitting:
                fitting["padding"] = (kernel[0] // 2, kernel[1] // 2) if kernel[0] % 2 and kernel[1] % 2 else (0, 0)
        return self.layer_type(**{**fitting, **self.values})


Dragged = type[Layer] | ChosenLayer | DraggedBlock


def name_of(what: Dragged) -> str:
    """What it is called in a sentence."""
    if isinstance(what, DraggedBlock):
        return what.block.title
    return what.layer_type.__name__ if isinstance(what, ChosenLayer) else what.__name__


def joins(what: Dragged) -> bool:
    """Whether it is a layer that reads several nodes at least."""
    if isinstance(what, DraggedBlock):
        return False
    return (what.layer_type if isinstance(what, ChosenLayer) else what).min_inputs > 1


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
