"""Which item an arrow key leads to: along the wires up and down, across the drawing left and right. No Qt."""

from enum import Enum

from explorer.architecture.placement import Box, Placement


class Direction(Enum):
    """Where an arrow key points."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"


def neighbour(placement: Placement, key: str, direction: Direction) -> str | None:
    """The item next to one, or None where the drawing ends.

    Up and down follow the wires and, of several, take the one most nearly straight above or below.
    """
    here = placement.nodes[key]
    if direction is Direction.UP:
        candidates = tuple(wire.source for wire in placement.wires if wire.target == key)
    elif direction is Direction.DOWN:
        candidates = tuple(wire.target for wire in placement.wires if wire.source == key)
    else:
        side = 1 if direction is Direction.RIGHT else -1
        candidates = tuple(
            other
            for other, box in placement.nodes.items()
            if side * (box.centre.x - here.centre.x) > here.width / 2 and _share_a_line(here, box)
        )
    return min(candidates, key=lambda other: _distance(here, placement.nodes[other]), default=None)


def _share_a_line(a: Box, b: Box) -> bool:
    return a.y < b.bottom and b.y < a.bottom


def _distance(a: Box, b: Box) -> tuple[float, float]:
    return abs(a.centre.x - b.centre.x), abs(a.centre.y - b.centre.y)
