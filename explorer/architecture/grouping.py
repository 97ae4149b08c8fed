"""Blocks as something to work with: group layers into one, take it apart, rename it, put more of the same behind it.

What a block is made of decides whether it equals another (`forms`), not what it is called. Copy and paste of any nodes
is `copying`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from explorer.architecture.architecture import Architecture, Block, Node
from explorer.architecture.copying import copied_block, paste
from explorer.architecture.edits import EditRefused
from explorer.architecture.forms import Forms
from explorer.architecture.paths import inside, joined, members, name_of, parent, paths_of, ports, remade, taken_paths
from explorer.architecture.shapes import output_shapes
from explorer.layers import Input, Shape, format_shape


def group(architecture: Architecture, node_ids: Iterable[str], name: str, kind: str = "block") -> Architecture:
    """Put nodes into a block of their own, in the innermost block that holds them all: their ids get its name.

    Args:
        architecture: the network.
        node_ids: the nodes; blocks that they are all of move inside.
        name: of the block, without dots.
        kind: what it is, in the field's words.

    Raises:
        EditRefused: no nodes, the input, a name that is taken or is none, a block that would be cut in two, or nodes
            with others between them.
    """
    wanted = set(node_ids)
    nodes = tuple(node for node in architecture if node.id in wanted)
    if missing := wanted - {node.id for node in nodes}:
        raise EditRefused(f"{min(missing)!r} is not in {architecture.name}")
    if not nodes:
        raise EditRefused("nothing is selected; select the layers that belong together")
    if isinstance(nodes[0].layer, Input):
        raise EditRefused(f"{nodes[0].id} is the network's input, which belongs to no block; leave it out")
    scope = _scope(architecture, nodes)
    path = joined(scope, name)
    if "." in name:
        raise EditRefused(f"{name!r} holds a dot, which parts a block from what it lies in; use a name without")
    if path in taken_paths(architecture):
        raise EditRefused(f"{path} is there already; use another name")
    _check_convex(architecture, nodes)
    cut = len(scope) + 1 if scope else 0

    def moved(old: str) -> str:
        inner = old in wanted or any(node.id.startswith(f"{old}.") for node in nodes)
        return f"{path}.{old[cut:]}" if inner and len(old) > len(scope) else old

    return _renamed(architecture, moved, extra=Block(path=path, kind=kind))


def ungroup(architecture: Architecture, path: str) -> Architecture:
    """Take a block apart: what it held lies where it lay, under the same names; with the block's before, if taken.

    Raises:
        EditRefused: no such block.
    """
    nodes = inside(architecture, path)
    scope, name, cut = parent(path), name_of(path), len(path) + 1
    others = paths_of({node.id for node in architecture} - {node.id for node in nodes})
    is_free = not any(joined(scope, node.id[cut:].partition(".")[0]) in others for node in nodes)

    def moved(old: str) -> str:
        if not old.startswith(f"{path}."):
            return old
        return joined(scope, old[cut:] if is_free else f"{name}_{old[cut:]}")

    blocks = [block for block in architecture.blocks if block.path != path]
    return _renamed(replace(architecture, blocks=tuple(blocks)), moved)


def rename_block(architecture: Architecture, path: str, name: str) -> Architecture:
    """Give a block another name, which all ids in it, and so its weights, bear.

    Raises:
        EditRefused: no such block, or a name that is taken or is none.
    """
    inside(architecture, path)
    new = joined(parent(path), name)
    if new == path:
        return architecture
    if "." in name:
        raise EditRefused(f"{name!r} holds a dot, which parts a block from what it lies in; use a name without")
    if new in taken_paths(architecture):
        raise EditRefused(f"{new} is there already; use another name")
    return _renamed(architecture, lambda old: f"{new}{old[len(path) :]}" if f"{old}.".startswith(f"{path}.") else old)


def set_kind(architecture: Architecture, path: str, kind: str) -> Architecture:
    """Say what a block is, in the field's words; a path that was none so far becomes one.

    Raises:
        EditRefused: nothing lies in that path, or no word.
    """
    inside(architecture, path)
    if not kind.strip():
        raise EditRefused(f"{path}: a block's kind is a word or more; received {kind!r}")
    blocks = [Block(path=path, kind=kind) if block.path == path else block for block in architecture.blocks]
    if path not in {block.path for block in blocks}:
        blocks.append(Block(path=path, kind=kind))
    return replace(architecture, blocks=tuple(blocks))


def repeat(architecture: Architecture, path: str, count: int) -> Architecture:
    """Put so many more of a block behind it, each reading the one before; they are named on from it.

    Raises:
        EditRefused: no such block; it reads or makes more than one value; a second one does not take what the first
            makes, or makes something else of it, as the first of a stage does; or what stands behind does not take what
            then arrives. Says which block fits, where one does.
    """
    if count < 1:
        raise EditRefused(f"{path}: {count} more of it are none; use at least 1")
    if reason := repeat_refusal(architecture, path):
        raise EditRefused(reason)
    fragment = copied_block(architecture, path)
    (end,) = fragment.exits
    cut = len(parent(path)) + 1 if parent(path) else 0
    last, beside = f"{path[:cut]}{end}", path
    result = architecture
    for _ in range(count):
        grown = paste(result, fragment, last, beside)
        (last,) = ports(grown, [node for node in grown if node.id not in result]).exits
        beside = path[:cut] + last[cut:].partition(".")[0]
        result = grown
    before, after = output_shapes(architecture), output_shapes(result)
    for node_id, shape in before.items():
        if shape is not None and after[node_id] is None:
            raise EditRefused(f"{node_id} does not take what would arrive with {count} more of {path}")
    return result


def repeat_refusal(architecture: Architecture, path: str) -> str | None:
    """Why no more of a block can stand behind it, or None if they can."""
    nodes = inside(architecture, path)
    found = ports(architecture, nodes)
    if len(found.sources) != 1 or len(found.exits) != 1:
        reads, makes = (f"{len(p)} value{'s' if len(p) != 1 else ''}" for p in (found.sources, found.exits))
        return f"{path} reads {reads} and makes {makes}; to stand in a row it must read one and make one"
    shapes = output_shapes(architecture)
    arrives, leaves = shapes[found.sources[0]], shapes[found.exits[0]]
    if arrives is None or leaves is None:
        return f"{path}: what leaves it is unknown; mend the fault first"
    again = _through(nodes, found.sources[0], leaves).get(found.exits[0])
    # Another size, or other channels than it makes of its own input, and what stands behind would see a difference;
    # a dense layer, which adds its channels each time, is meant to be seen.
    if again is not None and again[1:] == leaves[1:] == arrives[1:] and _keeps_on(arrives, leaves, again):
        return None
    changes = f"{path} makes {format_shape(leaves)} of {format_shape(arrives)}"
    then = "a second one does not take that" if again is None else f"a second one would make {format_shape(again)}"
    other = _repeatable_sibling(architecture, path)
    return f"{changes}; {then}" + (f"; repeat {other} instead" if other else "")


def identical_blocks(architecture: Architecture) -> tuple[tuple[str, ...], ...]:
    """Paths of blocks made of equal layers wired alike: `Forms.alike` of one network."""
    return Forms().alike(architecture)


def _scope(architecture: Architecture, nodes: tuple[Node, ...]) -> str:
    """The innermost path that holds all nodes and that no block of theirs would be cut in two by."""
    wanted = {node.id for node in nodes}
    around = [node.id.split(".")[:-1] for node in nodes]
    shared = 0
    while all(len(parts) > shared and parts[shared] == around[0][shared] for parts in around):
        shared += 1
    scope = ".".join(around[0][:shared])
    held = members(architecture)
    if scope and all(node.id in wanted for node in held[scope]):
        # All of a block: the new one goes around it.
        scope = parent(scope)
    for path, within in held.items():
        if not path.startswith(f"{scope}." if scope else "") or path == scope:
            continue
        if any(node.id in wanted for node in within) and (out := [n.id for n in within if n.id not in wanted]):
            raise EditRefused(f"{path} would be cut in two; take {out[0]} with it, or take {path} apart first")
    return scope


def _check_convex(architecture: Architecture, nodes: tuple[Node, ...]) -> None:
    """No way may leave the nodes and come back: as one, they would feed themselves."""
    wanted = {node.id for node in nodes}
    behind: set[str] = set()
    for node in architecture:
        if node.id in wanted:
            if between := [source for source in node.inputs if source in behind]:
                raise EditRefused(f"{between[0]} lies between the layers; take it with them")
        elif any(source in wanted or source in behind for source in node.inputs):
            behind.add(node.id)


def _renamed(architecture: Architecture, moved: Callable[[str], str], extra: Block | None = None) -> Architecture:
    """The network with other paths; nodes that keep theirs and read what does are shared."""
    ids = {node.id: moved(node.id) for node in architecture}
    nodes = []
    for node in architecture:
        inputs = tuple(ids[source] for source in node.inputs)
        same = ids[node.id] == node.id and inputs == node.inputs
        nodes.append(node if same else replace(node, id=ids[node.id], inputs=inputs))
    blocks = [Block(path=moved(block.path), kind=block.kind) for block in architecture.blocks]
    return remade(
        architecture,
        nodes,
        outputs=(ids[output] for output in architecture.outputs),
        blocks=blocks if extra is None else (*blocks, extra),
    )


def _through(nodes: Iterable[Node], source: str, shape: Shape) -> dict[str, Shape]:
    """What each of a block's nodes makes when `shape` arrives from `source`, as far as there is no fault."""
    shapes = {source: shape}
    for node in nodes:
        inputs = tuple(shapes[i] for i in node.inputs if i in shapes)
        if len(inputs) == len(node.inputs) and node.layer.fault(inputs) is None:
            shapes[node.id] = node.layer.output_shape(inputs)
    return shapes


def _keeps_on(arrives: Shape, leaves: Shape, again: Shape) -> bool:
    """Whether a second block does what the first did: the same channels leave, or as many more as before."""
    return again == leaves or again[0] - leaves[0] == leaves[0] - arrives[0]


def _repeatable_sibling(architecture: Architecture, path: str) -> str | None:
    """The last block in the same place, or else inside it, that can be repeated."""
    blocks = [block.path for block in architecture.blocks]
    siblings = [other for other in blocks if other != path and parent(other) == parent(path) and parent(path)]
    children = [other for other in blocks if parent(other) == path]
    for other in (*reversed(siblings), *reversed(children)):
        found = ports(architecture, inside(architecture, other))
        shapes = output_shapes(architecture)
        if len(found.sources) == len(found.exits) == 1:
            arrives, leaves = shapes[found.sources[0]], shapes[found.exits[0]]
            if arrives is not None and arrives == leaves:
                return other
    return None
