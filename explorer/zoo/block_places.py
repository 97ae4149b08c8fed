"""Blocks on a single wire, and with the values that let as many channels leave as arrive, as a branch to a sum needs.

What the blocks are is `blocks`' to say, which also puts them behind a node.
"""

from collections.abc import Mapping

from explorer.architecture import Architecture, EditRefused, edits
from explorer.zoo.blocks import BlockEntry
from explorer.zoo.catalogue import Value


def insert_on_wire(
    block: BlockEntry,
    architecture: Architecture,
    reader: str,
    port: int = 0,
    beside: str | None = None,
    /,
    **values: Value,
) -> Architecture:
    """The network with the block on the wire into a node's input `port`; what else reads the wire's source still does.

    Args:
        beside: as in `BlockEntry.insert`.

    Raises:
        EditRefused: no such node or port; and as `BlockEntry.insert`.
        ValueError: as `BlockEntry.insert`.
    """
    if reader not in architecture:
        raise EditRefused(f"{reader!r} is not in {architecture.name}")
    inputs = architecture[reader].inputs
    if not 0 <= port < len(inputs):
        raise EditRefused(f"{reader} has no input {port}; it has {len(inputs)}")
    source = inputs[port]
    new = block.insert(architecture, source, beside, **values)
    for node_id in architecture.consumers(source):
        for other, read in enumerate(architecture[node_id].inputs):
            if read == source and (node_id, other) != (reader, port):
                new = edits.connect(new, source, node_id, other)
    return edits.set_outputs(new, architecture.outputs)


def keeping_values(block: BlockEntry, arriving: int) -> Mapping[str, Value]:
    """Values with which as many channels leave as arrive, where the defaults are fixed numbers; none where none do.

    The widths keep the proportions of the papers' first such block: SqueezeNet's fire2 squeezes 128 to 16 channels
    (Iandola et al. 2016, table 1), GoogLeNet's 3a has 64, 128, 32 and 32 of 256 behind 96 and 16 (Szegedy et al. 2014,
    table 1).
    """
    if block.id == "fire" and arriving % 2 == 0:
        return {"squeeze": max(1, arriving // 8), "expand": arriving // 2}
    if block.id == "inception" and arriving >= 5:
        by_3, by_5 = arriving // 2, max(1, arriving // 8)
        return {
            "conv1x1": arriving - by_3 - 2 * by_5,
            "reduce3x3": max(1, 3 * arriving // 8),
            "conv3x3": by_3,
            "reduce5x5": max(1, arriving // 16),
            "conv5x5": by_5,
            "project": by_5,
        }
    return {}
