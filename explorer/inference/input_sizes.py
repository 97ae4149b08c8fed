"""The reverse of a whole network: which input sizes make a node fit, nearest to the present size first.

Only the nodes before it are worked out, and sizes grow along a network, so that a search by halves finds the nearest.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

from explorer.architecture import Architecture, Node
from explorer.layers import Input, Layer, Pair, Shape

_LARGEST = 2048
"""Larger images are no answer to a fault."""
_MOST_NODES = 128
"""With more nodes on the way the search would be felt while a value is dragged."""
_NEARBY = 12
"""How many sizes up and down are tried where sizes do not simply grow: branches that must meet."""

Compared = Callable[[int, int], int]
"""Of a (height, width): -1 too small, 0 fits, 1 too large."""


def input_sizes(architecture: Architecture, node_id: str, limit: int = 2) -> tuple[Pair, ...]:
    """Sizes (height, width) of the input at which the node takes what arrives, the present one left out.

    Both sides of a square image change by the same number of pixels if that does, else one of them. At most about 100
    inferences of the nodes before it; none where over 128 of them stand there.

    Raises:
        KeyError: no such node.
    """
    needed = {node_id}
    position = architecture.structure.index[node_id]
    for node in reversed(architecture.nodes[: position + 1]):
        if node.id in needed:
            needed.update(node.inputs)
    if len(needed) > _MOST_NODES:
        return ()
    path = tuple(node for node in architecture.nodes[: position + 1] if node.id in needed)
    if path[0].id != architecture.input.id:
        return ()
    return _sizes(path, limit)


@lru_cache(maxsize=64)
def _sizes(path: tuple[Node, ...], limit: int) -> tuple[Pair, ...]:
    layer = path[0].layer
    assert isinstance(layer, Input)
    height, width = layer.height, layer.width
    target = path[-1].layer
    wanted = getattr(target, "in_features", None)

    def compared(rows: int, columns: int) -> int:
        shapes = _arriving(path, (layer.channels, rows, columns))
        if shapes is None:
            return -1
        if target.fault(shapes) is None:
            return 0
        if wanted is not None and len(shapes) == 1:
            return 1 if shapes[0][-1] > wanted else -1
        return -1

    if len(path[-1].inputs) > 1:
        found = _near(compared, height, width)
    else:
        found = _by_halves(compared, height, width)
    sizes: list[Pair] = []
    for size in found:
        if size != (height, width) and size not in sizes:
            sizes.append(size)
        if len(sizes) == limit:
            break
    return tuple(sizes)


def _near(compared: Compared, height: int, width: int) -> Iterator[Pair]:
    """Sizes a few pixels up and down at which the node fits."""
    for distance in range(1, _NEARBY + 1):
        for sign in (1, -1):
            size = (height + sign * distance, width + sign * distance)
            if min(size) >= 1 and compared(*size) == 0:
                yield size


def _by_halves(compared: Compared, height: int, width: int) -> Iterator[Pair]:
    """The nearest size along the diagonal or along one side; an image that is not square changes one side first."""
    diagonal, sides = [(1, 1)], [(1, 0), (0, 1)]
    for directions in (diagonal, sides) if height == width else (sides, diagonal):
        changes: list[tuple[int, Pair]] = []
        for down, right in directions:
            least = 1 - min([height] * down + [width] * right)

            def at(change: int, down: int = down, right: int = right) -> int:
                return compared(height + change * down, width + change * right)

            change = _nearest(at, least, _LARGEST - max(height, width))
            if change is not None:
                changes.append((abs(change), (height + change * down, width + change * right)))
        yield from (size for _, size in sorted(changes))
        if changes:
            return


def _nearest(at: Callable[[int], int], least: int, most: int) -> int | None:
    """The change nearest to 0 at which `at`, which never falls, is 0; None if there is none."""
    here = at(0)
    if here == 0:
        return 0
    sign, bound = (1, most) if here < 0 else (-1, -least)
    if bound < 1:
        return None
    outside, inside = 0, 1  # distances: at `outside` it does not fit yet; from `inside` on it is no longer too small
    while sign * at(sign * inside) < 0:
        if inside == bound:
            return None
        outside, inside = inside, min(2 * inside, bound)
    while inside - outside > 1:
        middle = (inside + outside) // 2
        if sign * at(sign * middle) < 0:
            outside = middle
        else:
            inside = middle
    return sign * inside if at(sign * inside) == 0 else None


def _arriving(path: tuple[Node, ...], image: Shape) -> tuple[Shape, ...] | None:
    """What arrives at the last node of the path for images of that shape; None where a node before it has a fault."""
    shapes: dict[str, Shape] = {path[0].id: image}
    memo: dict[tuple[int, tuple[Shape, ...]], Shape | None] = {}
    for node in path[1:-1]:
        inputs = tuple([shapes[source] for source in node.inputs])
        key = (id(node.layer), inputs)
        if key not in memo:
            memo[key] = _output(node.layer, inputs)
        output = memo[key]
        if output is None:
            return None
        shapes[node.id] = output
    return tuple(shapes[source] for source in path[-1].inputs)


def _output(layer: Layer, inputs: tuple[Shape, ...]) -> Shape | None:
    return None if layer.fault(inputs) is not None else layer.output_shape(inputs)
