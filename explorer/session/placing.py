"""What putting a layer or a block at a place makes of the network; or why it cannot work, and what would.

Pure functions, so that the same answer is previewed while the pointer moves and applied when the button is let go.
Which values a layer gets is its own to say; what a block is made of, `zoo.blocks`'.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from explorer.architecture import Architecture, ArchitectureError, edits, folding
from explorer.architecture.paths import inside, ports
from explorer.architecture.placement import Wire
from explorer.inference import Inference, infer
from explorer.layers import Layer, Shape, format_shape
from explorer.session.document import Snapshot
from explorer.session.dragging import ChosenLayer, Dragged, DraggedBlock
from explorer.zoo import Value
from explorer.zoo.block_places import insert_on_wire, keeping_values
from explorer.zoo.blocks import BlockEntry, block_entries

_MOST_TRIES = 8
"""Different shapes upstream that are tried before no place is named."""
_MOST_NAMED = 3


class Place(NamedTuple):
    """Where something goes."""

    node_id: str
    port: int | None = None
    """Behind the node where None; else on the wire into this input of it."""
    beside: str = ""
    """The folded block, or the node before one, that it is to stand beside, outside of all folded blocks."""
    branch: bool = False
    """Whether it starts a branch behind the node: what reads the node still does."""
    joined: tuple[str, ...] = ()
    """What a layer that joins branches reads beside the node."""
    through: tuple[Wire, ...] = ()
    """What else than that wire goes through it: the other connections that are drawn as one with it."""


class Placed(NamedTuple):
    """The network with it, ready for `Document.apply`."""

    text: str
    """What the Undo menu says."""
    architecture: Architecture
    inference: Inference
    added: tuple[str, ...]
    """Ids of the new nodes, in order."""
    arriving: Shape | None
    """What the new nodes read."""
    leaving: Shape | None
    """What they make."""
    issue: str
    """The first thing that is wrong now and was not before; empty where nothing is."""


class Refused(NamedTuple):
    """Why it cannot go there."""

    why: str
    would_fit: str
    """What could be done instead, in a sentence; empty where nothing near would."""

    @property
    def text(self) -> str:
        """All of it, for a message."""
        return f"{self.why}. {self.would_fit}".removesuffix(" ")


def behind(architecture: Architecture, path: str) -> Place | None:
    """The place behind a node, or behind the one end of a block that is drawn as one."""
    if path in architecture:
        return Place(path)
    exits = _exits(architecture, path)
    return Place(exits[0], beside=path) if len(exits) == 1 else None


def on_wire(
    architecture: Architecture, source: str, target: str, port: int, connections: tuple[Wire, ...] = ()
) -> Place | None:
    """The place on a wire, whose ends may be blocks that are drawn as one.

    Args:
        connections: what of the network the wire stands for, where that is more than itself. Those that leave the same
            node go through what is placed; one that leaves several nodes has no place.
    """
    if len(connections) > 1:
        first, *others = connections
        if any(other.source != first.source for other in others):
            return None
        return Place(first.target, first.port, source, through=tuple(others))
    beside = "" if source in architecture and target in architecture else source
    if target in architecture:
        return Place(target, port, beside) if port < len(architecture[target].inputs) else None
    sources = {source} if source in architecture else set(_exits(architecture, source))
    readers = [
        Place(node.id, port, beside)
        for node in architecture
        if node.id.startswith(f"{target}.")
        for port, read in enumerate(node.inputs)
        if read in sources
    ]
    if len(readers) == 1:
        return readers[0]
    # Several nodes of the block read it: what goes on the wire goes behind its source, if that has no other readers.
    read = {architecture[place.node_id].inputs[place.port or 0] for place in readers}
    if len(read) == 1 and set(architecture.consumers(end := read.pop())) <= {place.node_id for place in readers}:
        return Place(end, beside=beside)
    return None


def arriving(snapshot: Snapshot, where: Place) -> tuple[Shape | None, ...]:
    """The shapes of what arrives at a place: those of the nodes that are joined there first, that of its own last."""
    ids = (*where.joined, _source(snapshot.architecture, where))
    return tuple(snapshot.inference.nodes[node_id].output_shape for node_id in ids)


def place(snapshot: Snapshot, dragged: Dragged, where: Place) -> Placed | Refused:
    """What dropping it there makes of the network.

    A block is refused where it does not take what arrives, and where what it makes breaks a node that worked: it takes
    other widths first, if those it has by default are what breaks it. A layer that does not fit is placed all the same,
    as the issues offer to mend it.
    """
    if not isinstance(dragged, DraggedBlock):
        return _place_layer(snapshot, dragged, where)
    block, values = dragged
    if where.joined:
        return Refused(_tr("A block reads one node"), _tr("Select the one that it is to stand behind."))
    try:
        placed = fitted(snapshot, block, values, where)
    except ValueError as error:  # EditRefused, or a value out of its range
        return Refused(str(error), _other_place(snapshot, block, values, _source(snapshot.architecture, where)))
    return Refused(placed.issue, _other_blocks(snapshot, block, where)) if placed.issue else placed


def fitted(snapshot: Snapshot, block: BlockEntry, values: Mapping[str, Value], where: Place) -> Placed:
    """The block with these values; where that breaks something, with widths that keep what arrives, if those do not.

    Raises:
        EditRefused: it does not take what arrives there, or there is no such place.
        ValueError: a value out of its range.
    """
    placed = _place_block(snapshot, block, values, where)
    if not placed.issue or placed.arriving is None:
        return placed
    widths = {**keeping_values(block, placed.arriving[0]), **values}
    if widths == values:
        return placed
    other = _place_block(snapshot, block, widths, where)
    return placed if other.issue else other


def _place_layer(snapshot: Snapshot, what: type[Layer] | ChosenLayer, where: Place) -> Placed | Refused:
    architecture = snapshot.architecture
    chosen = what if isinstance(what, ChosenLayer) else ChosenLayer(what, {})
    source = _source(architecture, where)
    try:
        layer = chosen.made(snapshot.inference.nodes[source].output_shape)
    except ValueError as error:
        return Refused(str(error), "")
    try:
        if where.joined and layer.max_inputs is not None:
            return Refused(
                _tr("{layer} reads one node").format(layer=layer.type_name),
                _tr("Add and Concat join several."),
            )
        if layer.min_inputs > 1:
            new = edits.join(architecture, layer, (source, *where.joined))
        elif where.branch:
            new = edits.add_node(architecture, layer, (source,))
        elif where.port is None:
            new = edits.insert_after(architecture, where.node_id, layer)
        else:
            new = edits.insert_before(architecture, where.node_id, layer, where.port)
        (added,) = (node.id for node in new if node.id not in architecture)
        new = _through(new, added, where)
        if where.beside:
            new = folding.moved_beside(new, added, where.beside)
    except ArchitectureError as error:
        if layer.min_inputs > 1:
            return Refused(
                _tr("{layer} joins branches").format(layer=layer.type_name),
                _tr(
                    "To use it, select two nodes or more and add it, or name the others behind it: {layer} {node}."
                ).format(layer=layer.type_name.lower(), node=_earlier(architecture, source)),
            )
        return Refused(str(error), "")
    return _placed(snapshot, new, layer.type_name, where)


def _place_block(snapshot: Snapshot, block: BlockEntry, values: Mapping[str, Value], where: Place) -> Placed:
    architecture, beside = snapshot.architecture, where.beside or None
    if where.port is None:
        new = block.insert(architecture, where.node_id, beside, **values)
    else:
        new = insert_on_wire(block, architecture, where.node_id, where.port, beside, **values)
    if where.branch:
        new = _branched(new, architecture, where.node_id)
    added = [node.id for node in new if node.id not in architecture]
    return _placed(snapshot, _through(new, added[-1], where), block.title, where)


def _through(new: Architecture, added: str, where: Place) -> Architecture:
    """The network in which the place's other connections read what was added, too."""
    return edits.reconnect(new, added, [(wire.target, wire.port) for wire in where.through]) if where.through else new


def _branched(new: Architecture, old: Architecture, source: str) -> Architecture:
    """The network in which what read the source still does, and the new end is an output: nothing reads it yet."""
    end = next(i for i in new.outputs if i not in old) if source in old.outputs else ""
    for reader in dict.fromkeys(old.consumers(source)):
        for port, (before, after) in enumerate(zip(old[reader].inputs, new[reader].inputs, strict=True)):
            if before != after:
                end = after
                new = edits.connect(new, before, reader, port)
    kept = tuple(output for output in old.outputs if output != source or old.consumers(source))
    return edits.set_outputs(new, (*kept, end))


def _earlier(architecture: Architecture, source: str) -> str:
    """A node some way before one, to name as an example."""
    upstream = list(_upstream(architecture, source))
    return upstream[min(1, len(upstream) - 1)] if upstream else source


def _placed(snapshot: Snapshot, new: Architecture, name: str, where: Place) -> Placed:
    old = snapshot.inference.nodes
    inference = infer(new, snapshot.inference)
    added = tuple(node.id for node in new if node.id not in snapshot.architecture)
    broken = [issue.text for issue in inference.errors if issue.node_id not in old or not old[issue.node_id].fault]
    # What is drawn as one is named as one: the node of it that is meant cannot be seen.
    node = where.beside or where.node_id
    text = _tr("Insert {what} after {node}")
    if where.port is not None and not where.beside:
        text = _tr("Insert {what} before {node}")
    if where.branch:
        text = _tr("Branch {what} off {node}")
    elif where.joined:
        text = _tr("Join {node} and {others} with {what}")
    return Placed(
        text=text.format(what=name, node=node, others=", ".join(where.joined)),
        architecture=new,
        inference=inference,
        added=added,
        arriving=old[_source(snapshot.architecture, where)].output_shape,
        leaving=inference.nodes[added[-1]].output_shape,
        issue=broken[0] if broken else "",
    )


def _other_place(snapshot: Snapshot, block: BlockEntry, values: Mapping[str, Value], source: str) -> str:
    """The nearest node before this one that the block goes behind."""
    tried: set[Shape] = set()
    for node_id in _upstream(snapshot.architecture, source):
        shape = snapshot.inference.nodes[node_id].output_shape
        if shape is None or len(shape) != 3 or shape in tried:
            continue
        if len(tried) == _MOST_TRIES:
            break
        tried.add(shape)
        try:
            fits = not _place_block(snapshot, block, values, Place(node_id)).issue
        except ValueError:
            continue
        if fits:
            return _tr("It fits behind {node}, which makes {shape}.").format(node=node_id, shape=format_shape(shape))
    return ""


def _other_blocks(snapshot: Snapshot, block: BlockEntry, where: Place) -> str:
    """Blocks that would work there."""
    fitting: list[Placed] = []
    names: list[str] = []
    for other in block_entries():
        if other.id == block.id or len(fitting) == _MOST_NAMED:
            continue
        try:
            placed = fitted(snapshot, other, {}, where)
        except ValueError:
            continue
        if not placed.issue:
            fitting.append(placed)
            names.append(other.title)
    if not fitting:
        return ""
    shape = fitting[0].arriving
    text = _tr("What fits there: {blocks}.")
    if shape is not None and all(placed.leaving == shape for placed in fitting):
        text = _tr("What fits there: {blocks}, which keep {shape}.")
    return text.format(blocks=", ".join(names), shape="" if shape is None else format_shape(shape))


def _source(architecture: Architecture, where: Place) -> str:
    """The node whose output arrives at the place."""
    return where.node_id if where.port is None else architecture[where.node_id].inputs[where.port]


def _upstream(architecture: Architecture, node_id: str) -> Iterator[str]:
    """The nodes before one, back along first inputs."""
    node = architecture[node_id]
    while node.inputs:
        node = architecture[node.inputs[0]]
        yield node.id


def _exits(architecture: Architecture, path: str) -> tuple[str, ...]:
    try:
        return ports(architecture, inside(architecture, path)).exits
    except ArchitectureError:
        return ()


def _tr(text: str) -> str:
    return QCoreApplication.translate("Placing", text)
