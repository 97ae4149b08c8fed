"""The tree that dotted ids make: what lies in a block, what leads in and out of it, and which names are free."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from explorer.architecture.architecture import Architecture, ArchitectureError, Block, Node, sorted_nodes
from explorer.architecture.edits import EditRefused

_NUMBERED = re.compile(r"(.*?)(\d+)")
_SIZED = re.compile(r".*\d[xX]")
"""What a number that ends a name follows where it is a size: the "3x" of "conv3x3"."""


class Ports(NamedTuple):
    """The wires between some nodes and the rest of a network."""

    sources: tuple[str, ...]
    """Ids of the nodes outside that are read, each once, in the order of the readers."""
    exits: tuple[str, ...]
    """Ids of the nodes that are read outside, or that the network returns, in order."""


def parent(path: str) -> str:
    """The path around a path; empty at the top."""
    return path.rpartition(".")[0]


def name_of(path: str) -> str:
    """The last part of a path."""
    return path.rpartition(".")[2]


def joined(scope: str, name: str) -> str:
    """The path of `name` in `scope`, which is empty at the top."""
    return f"{scope}.{name}" if scope else name


def inside(architecture: Architecture, path: str) -> tuple[Node, ...]:
    """The nodes of a block, in order.

    Raises:
        EditRefused: there are none.
    """
    nodes = tuple(node for node in architecture if node.id.startswith(f"{path}."))
    if not nodes:
        raise EditRefused(f"{path!r} is no block of {architecture.name}")
    return nodes


def members(architecture: Architecture) -> dict[str, list[Node]]:
    """The nodes of every path that holds any, in order; what lies deeper belongs to all paths around it."""
    found: dict[str, list[Node]] = {}
    for node in architecture:
        path = parent(node.id)
        while path:
            found.setdefault(path, []).append(node)
            path = parent(path)
    return found


def ports(architecture: Architecture, nodes: Iterable[Node]) -> Ports:
    """The wires into and out of some nodes."""
    nodes = tuple(nodes)
    own = {node.id for node in nodes}
    sources = dict.fromkeys(source for node in nodes for source in node.inputs if source not in own)
    exits = [
        node.id
        for node in nodes
        if node.id in architecture.outputs or any(reader not in own for reader in architecture.consumers(node.id))
    ]
    return Ports(tuple(sources), tuple(exits))


def taken_paths(architecture: Architecture) -> set[str]:
    """All ids, and all paths that some id lies in: none may be given to something new."""
    return paths_of(architecture.structure.index)


def paths_of(node_ids: Iterable[str]) -> set[str]:
    """The ids and all paths around them."""
    taken: set[str] = set()
    for node_id in node_ids:
        path = node_id
        while path and path not in taken:
            taken.add(path)
            path = parent(path)
    return taken


def free_path(taken: set[str], path: str) -> str:
    """The path, or the next that is free: "conv3" behind "conv2", "flatten2" behind "flatten", "4" behind "3".

    A number that counts nothing stays: "conv3x3_2" behind "conv3x3", "inception4b_2" behind "inception4b".
    """
    if path not in taken:
        return path
    scope, name = parent(path), name_of(path)
    match = _NUMBERED.fullmatch(name)
    if match is None or _SIZED.fullmatch(match[1]):
        stem, number = f"{name}_" if any(letter.isdigit() for letter in name) else name, 2
    else:
        stem, number = match[1], int(match[2]) + 1
    while joined(scope, f"{stem}{number}") in taken:
        number += 1
    return joined(scope, f"{stem}{number}")


def remade(
    architecture: Architecture,
    nodes: Iterable[Node],
    *,
    outputs: Iterable[str] | None = None,
    blocks: Iterable[Block] | None = None,
) -> Architecture:
    """The network of other nodes, brought into order; blocks that lost all of theirs go.

    Raises:
        EditRefused: they make no network; says why.
    """
    try:
        ordered = sorted_nodes(nodes)
        made = Architecture(
            name=architecture.name,
            nodes=ordered,
            outputs=architecture.outputs if outputs is None else tuple(outputs),
            blocks=architecture.blocks if blocks is None else tuple(blocks),
        )
    except ArchitectureError as error:
        raise EditRefused(str(error)) from error
    held = members(made)
    kept = tuple(block for block in made.blocks if block.path in held)
    return made if kept == made.blocks else replace(made, blocks=kept)
