"""What every rewrite of a network is made of: layers exchanged, put in, taken out and put back, all in one pass.

Rewriting a whole network node by node would check it once for each; here it is made once.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from explorer.architecture import Architecture, Node
from explorer.architecture.edits import replace_inputs
from explorer.architecture.paths import free_path, joined, name_of, parent, remade, taken_paths
from explorer.architecture.shapes import output_shapes
from explorer.layers import AvgPool2d, Kind, Layer, MaxPool2d, Shape

_KIND = re.compile(r"(conv|fc|linear|classifier|head|output|relu|act|activation|tanh|pool)(?=\d|_|$)(.*)")
"""A name that begins with what the layer is, and the rest, which says which one."""
_LARGEST_PLAIN_WINDOW = 3
"""Side of the windows that halve maps, in pixels."""


def with_layers(architecture: Architecture, layers: Mapping[str, Layer]) -> Architecture:
    """The network with other layers at some nodes, which take as many inputs; the same object if nothing changes."""
    nodes = tuple(
        replace(node, layer=layers[node.id]) if node.id in layers and layers[node.id] != node.layer else node
        for node in architecture
    )
    if all(new is old for new, old in zip(nodes, architecture.nodes, strict=True)):
        return architecture
    return replace(architecture, nodes=nodes)  # with the structure that they share


def remembered(earlier: Iterable[Architecture], node_id: str, fits: Callable[[Layer], bool]) -> Layer | None:
    """The layer of a node as the first of these versions had it that fits."""
    layers = (version[node_id].layer for version in earlier if node_id in version)
    return next((layer for layer in layers if fits(layer)), None)


def inserted(architecture: Architecture, behind: Mapping[str, tuple[str, Layer]]) -> Architecture:
    """The network with new nodes, each (id, layer), behind some: all that read one reads the new one."""
    swapped = {source: new_id for source, (new_id, _) in behind.items()}
    nodes: list[Node] = []
    for node in architecture:
        nodes.append(replace_inputs(node, tuple(swapped.get(i, i) for i in node.inputs)))
        if node.id in behind:
            new_id, layer = behind[node.id]
            nodes.append(Node(id=new_id, layer=layer, inputs=(node.id,)))
    return remade(architecture, nodes, outputs=(swapped.get(output, output) for output in architecture.outputs))


def inserted_before(architecture: Architecture, node_id: str, new_id: str, layer: Layer) -> Architecture:
    """The network with a new node on the wire into a node; others that read the same stay as they are."""
    target = architecture[node_id]
    new = Node(id=new_id, layer=layer, inputs=target.inputs[:1])
    nodes: list[Node] = []
    for node in architecture:
        nodes += [new, replace(node, inputs=(new_id, *node.inputs[1:]))] if node is target else [node]
    return remade(architecture, nodes)


def without(architecture: Architecture, node_ids: Iterable[str]) -> Architecture:
    """The network without nodes of one input each; what read them reads what they read."""
    gone = set(node_ids)
    if not gone:
        return architecture
    kept: dict[str, str] = {}
    for node in architecture:
        kept[node.id] = kept[node.inputs[0]] if node.id in gone else node.id
    nodes = [replace_inputs(node, tuple(kept[i] for i in node.inputs)) for node in architecture if node.id not in gone]
    return remade(architecture, nodes, outputs=dict.fromkeys(kept[output] for output in architecture.outputs))


def restored(architecture: Architecture, earlier: Architecture, is_wanted: Callable[[Node], bool]) -> Architecture:
    """The network with nodes of an earlier version put back where they were.

    Only those between nodes that still stand as they did: a wire that leads elsewhere by now is left alone.
    """
    back = {node.id: node for node in earlier if node.id not in architecture and node.inputs and is_wanted(node)}
    source: dict[str, str | None] = {}
    for node in earlier:
        # Where the network reads instead of a node that is gone.
        source[node.id] = node.id if node.id in architecture else source.get(node.inputs[0]) if node.inputs else None
    for node in earlier:
        if node.id in back and any(i not in architecture and i not in back for i in node.inputs):
            del back[node.id]
    blocked = taken_paths(architecture)
    back = {
        node_id: node
        for node_id, node in back.items()
        if node_id not in blocked and not any(path in architecture for path in _around(node_id))
    }
    rewired: dict[str, tuple[str, ...]] = {}
    read: set[str] = set()
    for node in architecture:
        if node.id not in earlier or len(earlier[node.id].inputs) != len(node.inputs):
            continue
        inputs = list(node.inputs)
        for port, (was, now) in enumerate(zip(earlier[node.id].inputs, node.inputs, strict=True)):
            if was in back and source[was] == now:
                inputs[port] = was
        rewired[node.id] = tuple(inputs)
        read.update(inputs)
    outputs = list(architecture.outputs)
    if len(earlier.outputs) == len(outputs):
        for place, (was, now) in enumerate(zip(earlier.outputs, architecture.outputs, strict=True)):
            if was in back and source[was] == now:
                outputs[place] = was
    read.update(outputs)
    for node in reversed(earlier.nodes):
        # What nothing would read is left out.
        if node.id in back and node.id in read:
            read.update(node.inputs)
        else:
            back.pop(node.id, None)
    if not back:
        return architecture
    nodes = [replace_inputs(node, rewired.get(node.id, node.inputs)) for node in architecture]
    there = {block.path for block in architecture.blocks}
    blocks = [*architecture.blocks, *(block for block in earlier.blocks if block.path not in there)]
    return remade(architecture, _merged(nodes, back, earlier), outputs=outputs, blocks=blocks)


def _merged(nodes: list[Node], back: Mapping[str, Node], earlier: Architecture) -> Iterator[Node]:
    """The nodes with those that come back right behind what stood before them."""
    following: dict[str, list[Node]] = {}
    last = earlier.input.id
    present = {node.id for node in nodes}
    for node in earlier:
        if node.id in back:
            following.setdefault(last, []).append(node)
        elif node.id in present:
            last = node.id
    for node in nodes:
        yield node
        yield from following.get(node.id, ())


def _around(path: str) -> Iterator[str]:
    while path := parent(path):
        yield path


class Names:
    """Hands out free ids for new nodes, each said by the node that it belongs to."""

    def __init__(self, architecture: Architecture) -> None:
        self._taken = taken_paths(architecture)

    def beside(self, node_id: str, what: str) -> str:
        """An id like the node's: "bn1" beside "conv1", "features.bn0" beside "features.0", "squeeze_bn" for others."""
        name = name_of(node_id)
        match = _KIND.fullmatch(name)
        if name.isdecimal():
            wanted = f"{what}{name}"
        elif match is not None:
            wanted = f"{what}{match[2]}"
        else:
            wanted = f"{name}_{what}"
        if joined(parent(node_id), wanted) in self._taken:
            wanted = f"{name}_{what}"
        found = free_path(self._taken, joined(parent(node_id), wanted))
        self._taken.add(found)
        return found


def fitted(old: Architecture, new: Architecture) -> Architecture:
    """The new network with what was fixed to the old one's sizes following its own.

    Fixed numbers of channels or features follow the input where they would be a fault, and a window that covered the
    whole map still does.
    """
    before = output_shapes(old)
    shapes: dict[str, Shape | None] = {}
    layers: dict[str, Layer] = {}
    for node in new:
        arriving = tuple(shape for i in node.inputs if (shape := shapes[i]) is not None)
        if len(arriving) < len(node.inputs):
            shapes[node.id] = None
            continue
        layer = node.layer
        if node.id in before and before[node.id] is not None:
            layer = _global_again(layer, before.get(old[node.id].inputs[0]) if node.inputs else None, arriving)
        fault = layer.fault(arriving)
        if fault is not None and before.get(node.id) is not None:
            loose = following(layer)
            if loose.fault(arriving) is None:
                layer, fault = loose, None
        shapes[node.id] = layer.output_shape(arriving) if fault is None else None
        if layer is not node.layer:
            layers[node.id] = layer
    return with_layers(new, layers)


def following(layer: Layer) -> Layer:
    """The layer with its channels or features following the input."""
    for parameter in layer.hyper_parameters:
        if parameter.kind is Kind.FOLLOWS and parameter.default is None:
            layer = layer.with_value(parameter.name, None)
    return layer


def _global_again(layer: Layer, arrived: Shape | None, arriving: tuple[Shape, ...]) -> Layer:
    """A pooling whose window covered the map, as the 7×7 of GoogLeNet does, for maps of another size.

    Of a small window that moves on it is chance: it pools whatever comes.
    """
    if not isinstance(layer, (AvgPool2d, MaxPool2d)) or arrived is None or len(arrived) != 3:
        return layer
    size = arriving[0][1:]
    covered = layer.kernel_size == arrived[1:] and layer.padding == (0, 0)
    is_plain = min(layer.kernel_size) <= _LARGEST_PLAIN_WINDOW and layer.stride != (1, 1)
    if not covered or is_plain or len(size) != 2 or size == layer.kernel_size:
        return layer
    return replace(layer, kernel_size=(size[0], size[1]))
