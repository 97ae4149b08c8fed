"""What a file of weights has for a network: plain values that a window can show before anything is applied.

`weights_matching` works them out and applies them. Nothing here needs torch.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from explorer.layers import Shape

Outcome = Literal["taken", "fresh", "missing", "misfit"]
"""What becomes of a layer's weights: "taken" from the file; "fresh", since the head is for another number of classes;
"missing" in the file, wholly or in part; "misfit": they are there, and do not fit."""

NEVER_TRAINED = "Never trained in the file"
"""How a note on layers begins whose statistics are still those of a new network."""


class Match(NamedTuple):
    """One tensor of the network, and the one in the file that is meant for it."""

    key: str
    """Its name in the network's `state_dict`."""
    shape: Shape
    dtype: str
    """torch's name of the type that it has in the network: "float32"."""
    source: str | None
    """Its name in the file; None where the file has none."""
    source_shape: Shape | None


class NodeWeights(NamedTuple):
    """A layer that has weights or running statistics, and what becomes of them: all are taken, or none."""

    node_id: str
    outcome: Outcome
    matches: tuple[Match, ...]
    text: str
    """What happens and why, to stand behind the layer's id."""


class Unused(NamedTuple):
    """A tensor of the file that no layer takes."""

    name: str
    shape: Shape
    text: str
    """Why, to stand behind its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsReport:
    """A comparison of a file's tensors with a network's; `weights_matching.apply` does what it says."""

    nodes: tuple[NodeWeights, ...]
    """Every layer with weights or running statistics, in the network's order."""
    unused: tuple[Unused, ...]
    """In the file's order."""
    matching: Literal["name", "order"]
    """How tensors were paired. By order is a guess that only equal shapes support; show it as one."""
    notes: tuple[str, ...] = ()
    """What else there is to know, one sentence each: names translated, number formats, values that are NaN."""
    by_order: "WeightsReport | None" = None
    """Another way to read the file: its names say less, but its shapes agree with the network's one after the other."""

    @property
    def taken(self) -> tuple[NodeWeights, ...]:
        """The layers that the file's weights go to."""
        return self.of("taken")

    def of(self, outcome: Outcome) -> tuple[NodeWeights, ...]:
        """The layers of which that becomes."""
        return tuple(node for node in self.nodes if node.outcome == outcome)

    @property
    def is_whole(self) -> bool:
        """Whether every layer takes its weights from the file and nothing of it is left."""
        return len(self.taken) == len(self.nodes) and not self.unused

    @property
    def summary(self) -> str:
        """The comparison in a sentence or two."""
        total, taken = len(self.nodes), len(self.taken)
        if not total:
            return "The network has no weights."
        if not taken:
            hint = " Paired in order, they fit." if self.by_order is not None else ""
            return f"No layer takes anything from the file.{hint}"
        how = ", paired in order and not by name" if self.matching == "order" else ""
        whole = "Every layer with weights takes them" if taken == total else f"{taken} of {total} layers take weights"
        parts = [f"{whole} from the file{how}."]
        if fresh := self.of("fresh"):
            parts.append(f"{_listed(fresh)}, for another number of classes, {_starts(fresh)} anew.")
        if others := tuple(node for node in self.nodes if node.outcome in ("missing", "misfit")):
            parts.append(f"{_listed(others)} {_starts(others)} anew.")
        if self.unused:
            parts.append(f"{_count(len(self.unused), 'tensor')} of the file {_is(len(self.unused))} left over.")
        return " ".join(parts)


_MOST_NAMED = 3


def _listed(nodes: tuple[NodeWeights, ...]) -> str:
    names = [node.node_id for node in nodes]
    if len(names) > _MOST_NAMED:
        return f"{', '.join(names[: _MOST_NAMED - 1])} and {len(names) - _MOST_NAMED + 1} more"
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _starts(nodes: tuple[NodeWeights, ...]) -> str:
    return "starts" if len(nodes) == 1 else "start"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
