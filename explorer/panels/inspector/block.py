"""What the inspector says of selected nodes that are one block: its kind, what lies in it, and what it is like."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from explorer.architecture import Architecture, Block
from explorer.architecture.block_view import Difference, block_of, differences, parts
from explorer.architecture.forms import Forms
from explorer.architecture.likeness import Likeness, likenesses
from explorer.architecture.paths import parent
from explorer.layers import Layer
from explorer.look import numbers
from explorer.look.values import written

_MOST_NAMES = 4
_MOST_DIFFERENCES = 5


class BlockWords(NamedTuple):
    """A block in words."""

    path: str
    kind: str
    """ "stage of 6 × bottleneck, 62 layers"."""
    likeness: str
    """Which blocks are made alike, or where it differs from those that are; empty where neither is so."""
    is_odd: bool


class BlockReader:
    """Says what selected nodes are as a block. It keeps what it knows of blocks, so that an edit costs little."""

    def __init__(self, tr: Callable[[str], str]) -> None:
        self._tr = tr
        self._forms = Forms()

    def read(self, architecture: Architecture, node_ids: tuple[str, ...]) -> BlockWords | None:
        """The words for these nodes; None where they are no block."""
        block = block_of(architecture, node_ids) if len(node_ids) > 1 else None
        if block is None:
            return None
        found = likenesses(architecture, self._forms)
        likeness = found.get(block.path)
        text = "" if likeness is None else self._likeness_text(architecture, block, likeness, found)
        return BlockWords(
            block.path,
            self._kind(architecture, block, len(node_ids)),
            text,
            is_odd=likeness is not None and likeness.is_odd,
        )

    def _kind(self, architecture: Architecture, block: Block, num_layers: int) -> str:
        layers = self._tr("{} layers").format(numbers.exact_count(num_layers))
        within = parts(architecture, block.path)
        of = "" if within is None else self._tr(" of {} × {}").format(*within)
        return f"{block.kind}{of}, {layers}"

    def _likeness_text(
        self, architecture: Architecture, block: Block, likeness: Likeness, found: Mapping[str, Likeness]
    ) -> str:
        if not likeness.is_odd:
            others = [path for path in likeness.equals if path != block.path]
            text = self._tr("Group {}: one of {} blocks made alike, with {}.")
            return text.format(likeness.letter, len(likeness.equals), _listed(others, ", ", _MOST_NAMES))
        other = _usual(architecture, block, found)
        told = [self._difference(difference) for difference in differences(architecture, block.path, other)]
        return self._tr("≠ Differs from {}: {}.").format(other, _listed(told, "; ", _MOST_DIFFERENCES))

    def _difference(self, difference: Difference) -> str:
        name, own, other = difference
        if own is None:
            return self._tr("no {}").format(name)
        if other is None:
            return self._tr("{} ({}) only here").format(name, own.layer.type_name)
        if type(own.layer) is not type(other.layer):
            return self._tr("{} is {}, not {}").format(name, own.layer.type_name, other.layer.type_name)
        values = _values(own.layer, other.layer)
        if not values:
            return self._tr("{} reads other layers").format(name)
        told = (self._tr("{} {} instead of {}").format(*value) for value in values)
        return f"{name} {', '.join(told)}"


def _values(own: Layer, other: Layer) -> list[tuple[str, str, str]]:
    """The hyper-parameters of two layers of one type that differ, each with both values."""
    both = ((p, getattr(own, p.name), getattr(other, p.name)) for p in own.hyper_parameters)
    return [(p.name, written(p.kind, value), written(p.kind, was)) for p, value, was in both if value != was]


def _usual(architecture: Architecture, block: Block, found: Mapping[str, Likeness]) -> str:
    """The first of those siblings of its kind that are alike, of the largest such group."""
    siblings = [
        other.path
        for other in architecture.blocks
        if other.kind == block.kind and parent(other.path) == parent(block.path) and other.path != block.path
    ]
    alike = [path for path in siblings if path in found and not found[path].is_odd]
    letters = [found[path].letter for path in alike]
    return max(alike, key=lambda path: letters.count(found[path].letter))


def _listed(words: Iterable[str], between: str, most: int) -> str:
    words = tuple(words)
    return between.join(words[:most]) + ("" if len(words) <= most else f"{between}…")
