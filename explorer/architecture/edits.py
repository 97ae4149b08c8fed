"""Every change to a network, as a pure function: the old value in, the new one out, untouched nodes shared.

Only what can be no network is refused (`EditRefused`); a value that does not fit is an Issue of the result.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from explorer.architecture.architecture import Architecture, ArchitectureError, Block, Node, Structure, sorted_nodes
from explorer.layers import Category, Input, Layer

Edit = Callable[[Architecture], Architecture]


class EditRefused(ArchitectureError):  # noqa: N818 - it says what happened
    """An edit whose result would be no network: a cycle, a wrong number of inputs, a name twice."""


def set_layer(architecture: Architecture, node_id: str, layer: Layer) -> Architecture:
    """Give a node another layer.

    Raises:
        EditRefused: no such node, or the layer takes another number of inputs.
    """
    old = _node(architecture, node_id)
    if layer == old.layer:
        return architecture
    same_arity = (layer.min_inputs, layer.max_inputs) == (old.layer.min_inputs, old.layer.max_inputs)
    position = architecture.structure.index[node_id]
    nodes = (
        *architecture.nodes[:position],
        replace(old, layer=layer),
        *architecture.nodes[position + 1 :],
    )
    return _made(architecture, nodes=nodes, structure=architecture.structure if same_arity else None)


def set_value(architecture: Architecture, node_id: str, name: str, value: object) -> Architecture:
    """Change one hyper-parameter of a node.

    Raises:
        EditRefused: no such node.
        ValueError: no such hyper-parameter, or a value out of its range.
    """
    return set_layer(architecture, node_id, _node(architecture, node_id).layer.with_value(name, value))


def set_input_shape(architecture: Architecture, channels: int, height: int, width: int) -> Architecture:
    """Change the size of the images that the network takes.

    Raises:
        ValueError: a size out of range.
    """
    return set_layer(architecture, architecture.input.id, Input(channels=channels, height=height, width=width))


def set_name(architecture: Architecture, name: str) -> Architecture:
    """Rename the network."""
    return replace(architecture, name=name)


def insert_after(architecture: Architecture, node_id: str, layer: Layer) -> Architecture:
    """Put a layer behind a node: everything that read the node reads the new layer, also the network's outputs.

    Raises:
        EditRefused: no such node, or a layer that takes more than one input.
    """
    source = _node(architecture, node_id)
    new = Node(id=fresh_id(architecture, layer, beside=source.id), layer=layer, inputs=(source.id,))
    nodes: list[Node] = []
    for node in architecture.nodes:
        if source.id in node.inputs:
            rewired = tuple(new.id if i == source.id else i for i in node.inputs)
            nodes.append(replace(node, inputs=rewired))
        else:
            nodes.append(node)
        if node.id == source.id:
            nodes.append(new)
    outputs = tuple(new.id if o == source.id else o for o in architecture.outputs)
    return _made(architecture, nodes=tuple(nodes), outputs=outputs)


def insert_before(architecture: Architecture, node_id: str, layer: Layer, port: int = 0) -> Architecture:
    """Put a layer on the wire into a node's input `port`; other readers of that wire's source stay as they are.

    Raises:
        EditRefused: no such node or port, or a layer that takes more than one input.
    """
    target = _node(architecture, node_id)
    if not 0 <= port < len(target.inputs):
        raise EditRefused(f"{node_id} has no input {port}; it has {len(target.inputs)}")
    new = Node(id=fresh_id(architecture, layer, beside=target.id), layer=layer, inputs=(target.inputs[port],))
    rewired = tuple(new.id if p == port else source for p, source in enumerate(target.inputs))
    nodes: list[Node] = []
    for node in architecture.nodes:
        if node.id == target.id:
            nodes += [new, replace(node, inputs=rewired)]
        else:
            nodes.append(node)
    return _made(architecture, nodes=tuple(nodes))


def add_node(
    architecture: Architecture, layer: Layer, inputs: Iterable[str], node_id: str | None = None
) -> Architecture:
    """Add a layer that reads `inputs`. Nothing reads it yet, so it is an output, in the place of those it reads.

    Raises:
        EditRefused: a source that is not there, a name twice, or a wrong number of inputs.
    """
    sources = tuple(inputs)
    for source in sources:
        _node(architecture, source)
    beside = sources[0] if sources else architecture.input.id
    new = Node(id=node_id or fresh_id(architecture, layer, beside=beside), layer=layer, inputs=sources)
    kept = tuple(o for o in architecture.outputs if o not in sources)
    return _made(architecture, nodes=(*architecture.nodes, new), outputs=(*kept, new.id))


def remove(architecture: Architecture, node_ids: Iterable[str]) -> Architecture:
    """Remove nodes and heal the wires: what read a removed node reads its first input instead.

    A merge left with a single input goes too. The input node stays.

    Raises:
        EditRefused: the input node is among them, or one is not there.
    """
    result = architecture
    for node_id in dict.fromkeys(node_ids):
        if node_id in result:
            result = _remove_one(result, node_id)
        else:
            _node(architecture, node_id)  # refused if it never was there; else it went with another
    return result


def _remove_one(architecture: Architecture, node_id: str) -> Architecture:
    gone = _node(architecture, node_id)
    if isinstance(gone.layer, Input):
        raise EditRefused(f"{node_id} is the network's input; every network needs it")
    source = gone.inputs[0]
    nodes: list[Node] = []
    for node in architecture.nodes:
        if node.id == node_id:
            continue
        if node_id in node.inputs:
            healed = tuple(source if i == node_id else i for i in node.inputs)
            # A merge that would read one value twice where it read two branches has lost a branch.
            if node.layer.max_inputs is None and source in node.inputs:
                healed = tuple(dict.fromkeys(healed))
            nodes.append(replace_inputs(node, healed))
        else:
            nodes.append(node)
    outputs = tuple(dict.fromkeys(source if o == node_id else o for o in architecture.outputs))
    starved = [node.id for node in nodes if len(node.inputs) < node.layer.min_inputs]
    if starved:
        # Two steps: the merge, wired to its one remaining branch, is itself removed by healing.
        remaining = {node.id: node for node in nodes}
        for merge in starved:
            branch = remaining[merge].inputs[0]
            nodes = [
                replace_inputs(node, tuple(branch if i == merge else i for i in node.inputs))
                for node in nodes
                if node.id != merge
            ]
            outputs = tuple(dict.fromkeys(branch if o == merge else o for o in outputs))
    return _made(architecture, nodes=tuple(nodes), outputs=outputs, blocks=_kept_blocks(architecture, nodes))


def replace_inputs(node: Node, inputs: tuple[str, ...]) -> Node:
    """The node reading other sources; the same object where nothing changes."""
    return node if inputs == node.inputs else replace(node, inputs=inputs)


def connect(architecture: Architecture, source: str, target: str, port: int | None = None) -> Architecture:
    """Let a node read another: on input `port`, or as one more input of a merge where `port` is None.

    Raises:
        EditRefused: a cycle, no such port, or no room for one more input.
    """
    _node(architecture, source)
    node = _node(architecture, target)
    if port is None:
        inputs = (*node.inputs, source)
    elif 0 <= port < len(node.inputs):
        inputs = tuple(source if p == port else i for p, i in enumerate(node.inputs))
    else:
        raise EditRefused(f"{target} has no input {port}; it has {len(node.inputs)}")
    nodes = [replace(n, inputs=inputs) if n.id == target else n for n in architecture.nodes]
    return _made(architecture, nodes=tuple(nodes))


def join(architecture: Architecture, layer: Layer, sources: Iterable[str]) -> Architecture:
    """Put a merge behind the last of some nodes: what read that one reads the merge, the others keep their readers.

    A source that was an output because nothing read it is none any more.

    Raises:
        EditRefused: a source that is not there, or too few for the layer.
    """
    inputs = tuple(dict.fromkeys(_node(architecture, source).id for source in sources))
    if not inputs:
        raise EditRefused(f"{layer.type_name} joins nodes; none is named")
    last = max(inputs, key=lambda source: architecture.structure.index[source])
    new = Node(id=fresh_id(architecture, layer, beside=last), layer=layer, inputs=inputs)
    nodes: list[Node] = []
    for node in architecture.nodes:
        nodes.append(replace_inputs(node, tuple(new.id if i == last else i for i in node.inputs)))
        if node.id == last:
            nodes.append(new)
    ended = {last, *(source for source in inputs if not architecture.consumers(source))}
    outputs = dict.fromkeys(new.id if output in ended else output for output in architecture.outputs)
    return _made(architecture, nodes=tuple(nodes), outputs=tuple(outputs))


def reconnect(architecture: Architecture, source: str, ends: Iterable[tuple[str, int]]) -> Architecture:
    """Let several inputs, each by its node and port, read another source.

    Raises:
        EditRefused: a node or port that is not there, or a cycle.
    """
    _node(architecture, source)
    wanted: dict[str, set[int]] = {}
    for target, port in ends:
        if not 0 <= port < len(_node(architecture, target).inputs):
            raise EditRefused(f"{target} has no input {port}; it has {len(architecture[target].inputs)}")
        wanted.setdefault(target, set()).add(port)
    nodes = [
        replace_inputs(node, tuple(source if p in wanted[node.id] else i for p, i in enumerate(node.inputs)))
        if node.id in wanted
        else node
        for node in architecture.nodes
    ]
    return _made(architecture, nodes=tuple(nodes))


def disconnect(architecture: Architecture, target: str, port: int) -> Architecture:
    """Take one input away from a merge.

    Raises:
        EditRefused: no such port, or too few inputs would remain.
    """
    node = _node(architecture, target)
    if not 0 <= port < len(node.inputs):
        raise EditRefused(f"{target} has no input {port}; it has {len(node.inputs)}")
    inputs = tuple(i for p, i in enumerate(node.inputs) if p != port)
    nodes = [replace(n, inputs=inputs) if n.id == target else n for n in architecture.nodes]
    return _made(architecture, nodes=tuple(nodes))


def rename(architecture: Architecture, node_id: str, new_id: str) -> Architecture:
    """Give a node another id, which is also the name of its weights.

    Raises:
        EditRefused: taken, or not an id.
    """
    if new_id == node_id:
        return architecture
    _node(architecture, node_id)
    if new_id in architecture:
        raise EditRefused(f"{new_id} is there already; ids must differ")
    nodes = []
    for node in architecture.nodes:
        own = new_id if node.id == node_id else node.id
        inputs = tuple(new_id if i == node_id else i for i in node.inputs)
        nodes.append(node if own == node.id and inputs == node.inputs else replace(node, id=own, inputs=inputs))
    outputs = tuple(new_id if o == node_id else o for o in architecture.outputs)
    return _made(architecture, nodes=tuple(nodes), outputs=outputs)


def set_frozen(architecture: Architecture, node_ids: Iterable[str], frozen: bool) -> Architecture:
    """Let training leave these nodes' parameters as they are, or train them again.

    Raises:
        EditRefused: no such node.
    """
    wanted = {_node(architecture, node_id).id for node_id in node_ids}
    nodes = tuple(replace(n, frozen=frozen) if n.id in wanted and n.frozen != frozen else n for n in architecture.nodes)
    return _made(architecture, nodes=nodes, structure=architecture.structure)


def set_outputs(architecture: Architecture, outputs: Iterable[str]) -> Architecture:
    """Choose which nodes' values the network returns; the first is trained on.

    Raises:
        EditRefused: none, one twice, or one that is not there.
    """
    return _made(architecture, nodes=architecture.nodes, outputs=tuple(outputs))


def fresh_id(architecture: Architecture, layer: Layer, beside: str) -> str:
    """An id that is free, in the block of `beside`: "conv3" behind "conv2", "pool1" where there is none yet."""
    stem = _OWN_STEMS.get(layer.type_name) or _STEMS.get(layer.category, layer.type_name.lower())
    prefix = beside.rpartition(".")[0]
    prefix = f"{prefix}." if prefix else ""
    number = 1
    taken = architecture.structure.index
    paths = {block.path for block in architecture.blocks}
    while f"{prefix}{stem}{number}" in taken or f"{prefix}{stem}{number}" in paths:
        number += 1
    return f"{prefix}{stem}{number}"


_STEMS = {Category.CONVOLUTION: "conv", Category.POOLING: "pool", Category.NORMALIZATION: "norm"}
_OWN_STEMS = {"Linear": "fc", "Dropout2d": "dropout"}


def _node(architecture: Architecture, node_id: str) -> Node:
    if node_id not in architecture:
        raise EditRefused(f"{node_id!r} is not in {architecture.name}")
    return architecture[node_id]


def _kept_blocks(architecture: Architecture, nodes: Iterable[Node]) -> tuple[Block, ...]:
    ids = [node.id for node in nodes]
    return tuple(b for b in architecture.blocks if any(i.startswith(f"{b.path}.") for i in ids))


def _made(
    architecture: Architecture,
    *,
    nodes: tuple[Node, ...],
    outputs: tuple[str, ...] | None = None,
    blocks: tuple[Block, ...] | None = None,
    structure: Structure | None = None,
) -> Architecture:
    """The new value; what `Architecture` itself refuses becomes an EditRefused."""
    try:
        if structure is not None:
            return replace(architecture, nodes=nodes)
        return Architecture(
            name=architecture.name,
            nodes=sorted_nodes(nodes),
            outputs=architecture.outputs if outputs is None else outputs,
            blocks=architecture.blocks if blocks is None else blocks,
        )
    except ArchitectureError as error:
        raise EditRefused(str(error)) from error
