"""Ways through a network that the ideas ask for: the layers that make the scores, and what comes next to a layer."""

from collections.abc import Iterator

from explorer.architecture import Architecture, Node
from explorer.architecture.freezing import head
from explorer.layers import Category, Conv2d, Linear

WEIGHTED = (Category.CONVOLUTION, Category.LINEAR)


def scores(architecture: Architecture) -> tuple[Node, ...]:
    """The convolutions and linear layers whose width is the number of classes, of auxiliary heads too."""
    return tuple(
        node for node_id in head(architecture) if isinstance((node := architecture[node_id]).layer, (Conv2d, Linear))
    )


def onwards(architecture: Architecture, node_id: str) -> Iterator[Node]:
    """The nodes behind one, as long as each is read by a single one that reads nothing else."""
    while True:
        readers = architecture.consumers(node_id)
        if len(readers) != 1 or len((node := architecture[readers[0]]).inputs) != 1 or node_id in architecture.outputs:
            return
        yield node
        node_id = node.id


def back(architecture: Architecture, node_id: str) -> Iterator[Node]:
    """The nodes before one, nearest first, as long as each reads a single one."""
    node = architecture[node_id]
    while len(node.inputs) == 1:
        node = architecture[node.inputs[0]]
        yield node


def meets(architecture: Architecture, node_id: str, kind: type) -> str | None:
    """The first node of a type behind one, past everything that has no weights, on any way; None if there is none."""
    waiting, seen = [node_id], {node_id}
    while waiting:
        for reader in architecture.consumers(waiting.pop(0)):
            layer = architecture[reader].layer
            if isinstance(layer, kind):
                return reader
            if reader not in seen and layer.category not in WEIGHTED:
                seen.add(reader)
                waiting.append(reader)
    return None
