"""Which layers fine-tuning leaves as they are: by block, by path, or all but the head. Pure; `edits` makes the change.

Functions that end in a choice return ids for `freeze`, or for `edits.set_frozen`. They name layers that may have
weights or running statistics and no others, so that a project file and an Undo text count what counts.
"""

from collections.abc import Callable, Iterable, Mapping

from explorer.architecture import edits
from explorer.architecture.architecture import Architecture, Node
from explorer.architecture.edits import EditRefused
from explorer.layers import Category, Layer, Opaque

_MOST_OF_IT = 0.75
"""A block with more than this share of the layers is no step by itself; what lies in it are the steps."""


def can_freeze(layer: Layer) -> bool:
    """Whether the kind of layer may have weights or running statistics; its values can still switch them off."""
    counts: tuple[Callable[..., int], Callable[..., int]] = (type(layer).num_parameters, type(layer).num_buffers)
    return counts != (Layer.num_parameters, Layer.num_buffers)


def freeze(architecture: Architecture, node_ids: Iterable[str]) -> Architecture:
    """The network with exactly these layers frozen: all others are trained again.

    Raises:
        EditRefused: no such node.
    """
    wanted = set(node_ids)
    thawed = [node.id for node in architecture if node.frozen and node.id not in wanted]
    changed = edits.set_frozen(edits.set_frozen(architecture, wanted, True), thawed, False)
    return architecture if changed.nodes == architecture.nodes else changed


def up_to(architecture: Architecture, path: str) -> tuple[str, ...]:
    """The layers of a block, or a node, and all that it depends on: the early part of the network.

    What hangs on the early part beside the way to `path`, an auxiliary head say, is not among them.

    Args:
        architecture: the network.
        path: of a block, or the id of a node.

    Raises:
        EditRefused: nothing has that path.
    """
    return _choice(architecture, _before(architecture, {node.id for node in _inside(architecture, path)}))


def under(architecture: Architecture, paths: Iterable[str]) -> tuple[str, ...]:
    """The layers of these blocks and nodes.

    Raises:
        EditRefused: nothing has one of the paths.
    """
    return _choice(architecture, {node.id for path in paths for node in _inside(architecture, path)})


def all_but_head(architecture: Architecture) -> tuple[str, ...]:
    """Everything before the logits' own layer: the network as a fixed extractor of features.

    Raises:
        EditRefused: no layer makes the logits by itself, so everything would be frozen.
    """
    kept = set(head(architecture))
    if not kept:
        raise EditRefused(f"{architecture.name} has no head: its outputs are joined from several branches; name blocks")
    return _choice(architecture, {node.id for node in architecture} - kept)


def head(architecture: Architecture) -> tuple[str, ...]:
    """The layers whose size is the number of classes: the last convolution or linear layer before each output.

    With it what has weights behind it, a norm of the scores say; and the auxiliary heads' own, as far as they are
    outputs. A network whose output joins several branches has none: no single layer makes its scores.
    """
    found: set[str] = set()
    for output in architecture.outputs:
        node = architecture[output]
        passed: list[str] = []
        while len(node.inputs) == 1:
            if can_freeze(node.layer):
                passed.append(node.id)
            if node.layer.category in (Category.CONVOLUTION, Category.LINEAR) or isinstance(node.layer, Opaque):
                found.update(passed)
                break
            node = architecture[node.inputs[0]]
    return _choice(architecture, found)


def steps(architecture: Architecture) -> tuple[str, ...]:
    """Paths at which it makes sense to stop freezing, for `up_to`, in the network's order.

    The outermost blocks and the layers beside them, on the way to the output that is trained on. A block that is
    nearly the whole network (torchvision's "features"), or that holds the head, is divided further. The head is no such
    place, and neither is a layer whose norm follows: the two are frozen together.
    """
    last = head(architecture)
    ids = _choice(architecture, _before(architecture, {architecture.outputs[0]}))
    limits = {}
    for block in architecture.blocks:
        within = [node_id for node_id in ids if node_id.startswith(f"{block.path}.")]
        limits[block.path] = len(within) > _MOST_OF_IT * len(ids) or any(node_id in last for node_id in within)
    found: dict[str, None] = {}
    for node_id in ids:
        path = _step(node_id, limits)
        readers = architecture.consumers(node_id) if path == node_id else ()
        if node_id not in last and not (len(readers) == 1 and _is_norm(architecture[readers[0]])):
            found[path] = None
    return tuple(found)


def _step(node_id: str, is_divided: Mapping[str, bool]) -> str:
    """The outermost block around a node that is not divided; the node itself where there is none."""
    parts = node_id.split(".")
    paths = (".".join(parts[:count]) for count in range(1, len(parts)))
    return next((path for path in paths if not is_divided.get(path, True)), node_id)


def _is_norm(node: Node) -> bool:
    return node.layer.category is Category.NORMALIZATION


def _before(architecture: Architecture, ids: set[str]) -> set[str]:
    """The nodes and all that they depend on."""
    found = set(ids)
    for node in reversed(architecture.nodes):
        if node.id in found:
            found.update(node.inputs)
    return found


def _inside(architecture: Architecture, path: str) -> list[Node]:
    nodes = [node for node in architecture if node.id == path or node.id.startswith(f"{path}.")]
    if not nodes:
        raise EditRefused(f"{architecture.name} has neither a block nor a layer {path!r}")
    return nodes


def _choice(architecture: Architecture, ids: set[str]) -> tuple[str, ...]:
    return tuple(node.id for node in architecture if node.id in ids and can_freeze(node.layer))
