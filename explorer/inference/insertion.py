"""What adding a layer means when the user says only which: values that fit what arrives, and a place.

Palette, canvas and context menu share these, so that a layer is the same however it is added. Pure functions; the text
of the undo step belongs to the views.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from explorer.architecture import Architecture, EditRefused, edits
from explorer.inference.inference import Inference
from explorer.layers import Input, Layer, layer_type


class Insertion(NamedTuple):
    """A layer in its place, ready for `Document.apply`."""

    layer: Layer
    where: Literal["after", "before"]
    anchor: str
    """Id of the node that the layer stands after or before."""
    node_id: str
    """Id of the new node."""
    architecture: Architecture


def refusal(type_name: str, num_selected: int) -> Literal["input", "two"] | None:
    """Why a layer of that type cannot be added: it is the "input", or it needs "two" selected nodes; None if it can."""
    cls = layer_type(type_name)
    if issubclass(cls, Input):
        return "input"
    return "two" if num_selected < cls.min_inputs and cls.min_inputs > 1 else None


def insertion(
    architecture: Architecture, inference: Inference, type_name: str, selected: Sequence[str] = ()
) -> Insertion:
    """Add a layer after the node selected last, or before the network's output if none is.

    A merge joins all selected nodes and stands after the deepest: what read that one reads the merge.

    Raises:
        EditRefused: a merge with fewer than two nodes selected, or a second input.
        ValueError: unknown type.
    """
    why = refusal(type_name, len(selected))
    if why == "input":
        raise EditRefused(f"{architecture.name} has its input; a network has one")
    if why == "two":
        raise EditRefused(f"{type_name} joins at least two nodes; select them first")
    if layer_type(type_name).min_inputs > 1:
        return _merge(architecture, layer_type(type_name).suggested(None), selected)
    if selected:
        anchor = selected[-1]
        layer = layer_type(type_name).suggested(inference.nodes[anchor].output_shape)
        return _inserted("after", anchor, layer, architecture, edits.insert_after(architecture, anchor, layer))
    anchor = architecture.outputs[0]
    if not architecture[anchor].inputs:
        layer = layer_type(type_name).suggested(inference.nodes[anchor].output_shape)
        return _inserted("after", anchor, layer, architecture, edits.insert_after(architecture, anchor, layer))
    layer = layer_type(type_name).suggested(inference.nodes[anchor].input_shapes[0])
    return _inserted("before", anchor, layer, architecture, edits.insert_before(architecture, anchor, layer))


def _merge(architecture: Architecture, layer: Layer, selected: Sequence[str]) -> Insertion:
    order = architecture.structure.index
    sources = sorted(dict.fromkeys(selected), key=lambda node_id: order[node_id])
    deepest = sources[-1]
    readers = architecture.consumers(deepest)
    new = edits.add_node(architecture, layer, sources)
    merge = next(node.id for node in new if node.id not in architecture)
    for reader in dict.fromkeys(readers):
        for port, source in enumerate(new[reader].inputs):
            if source == deepest:
                new = edits.connect(new, merge, reader, port)
    if readers:
        # `add_node` made the merge an output because nothing read it yet.
        new = edits.set_outputs(new, [merge if o == deepest else o for o in architecture.outputs])
    return _inserted("after", deepest, layer, architecture, new)


def _inserted(
    where: Literal["after", "before"], anchor: str, layer: Layer, old: Architecture, new: Architecture
) -> Insertion:
    node_id = next(node.id for node in new if node.id not in old)
    return Insertion(layer, where, anchor, node_id, new)
