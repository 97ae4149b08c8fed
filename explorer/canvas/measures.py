"""What nodes can be coloured by: a number for each, its title, its unit, and how a folded block's nodes add up. No Qt.

What follows from the architecture is worked out here; what is measured comes from whoever measures, as `NodeValues`.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from explorer.inference.memory import memory
from explorer.look import numbers
from explorer.runs.profile import forward_flops_per_second
from explorer.session import Snapshot
from explorer.session.profile_session import Measured

Unit = str
"""One of `UNITS`."""

UNITS: Mapping[Unit, Callable[[float], str]] = {
    "count": numbers.short_count,
    "bytes": numbers.short_bytes,
    "pixels": lambda value: f"{value:,.0f}{numbers.THIN_SPACE}px",
    "ms": lambda value: f"{value:.3g}{numbers.THIN_SPACE}ms",
    "seconds": numbers.short_time,
    # "148 GFLOP/s", but "512 FLOP/s".
    "flops": lambda value: f"{numbers.short_count(value)}{'' if value >= 1e4 else numbers.THIN_SPACE}FLOP/s",
    "share": numbers.rough_share,
    "percent": lambda value: numbers.percent(value, 1 if 0 < value < 0.1 else 0),
    "scientific": numbers.scientific,
    "number": lambda value: f"{value:.3g}",
}
"""How a value reads in the legend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeValues:
    """A number for each node that has one.

    Raises:
        ValueError: a unit that nobody can write.
    """

    title: str
    """What it is, as the legend says it: "Forward time"."""
    unit: Unit
    values: Mapping[str, float]
    """By node id; nodes left out are unknown."""
    adds_up: bool = True
    """Whether a folded block has the sum of its nodes; otherwise the largest."""
    is_log: bool = False
    """Whether orders of magnitude tell more than differences."""
    weights: Mapping[str, float] | None = None
    """For values that are rates: over how much each was taken, so that a folded block has their mean."""
    is_norm: bool = False
    """Whether values are norms, so that squares add up; as rates, over a norm each."""
    ends: tuple[float, float] | None = None
    """The scale's ends, where they are to stay as they are while values change; else they follow the values."""
    is_around_middle: bool = False
    """Whether the middle of `ends` is what is wanted, and neither end is."""
    has_zero: bool = False
    """Whether 0 is a value like others, and not next to nothing."""
    is_written: bool = False
    """Whether cards say their number in place of their shape."""
    note: str = ""
    """What it was measured of, in a few words: "step 1,240"."""
    nothing: str = ""
    """What the legend says where no node has a value."""
    help: str = ""
    """What it means, in sentences."""

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"unit received {self.unit!r}; use {', '.join(UNITS)}")

    def of(self, node_ids: Iterable[str]) -> float | None:
        """The value of some nodes together; None where none is known."""
        ids = [node_id for node_id in node_ids if node_id in self.values]
        known = [self.values[node_id] for node_id in ids]
        if not known:
            return None
        if self.is_norm:
            over = [1.0] * len(ids) if self.weights is None else [self.weights[node_id] for node_id in ids]
            whole = 1.0 if self.weights is None else math.hypot(*over)
            parts = math.hypot(*(value * weight for value, weight in zip(known, over, strict=True)))
            return parts / whole if whole else None
        if self.weights is not None:
            whole = sum(self.weights[node_id] for node_id in ids)
            return sum(self.values[i] * self.weights[i] for i in ids) / whole if whole else None
        return sum(known) if self.adds_up else max(known)

    def written(self, value: float) -> str:
        """A value with its unit."""
        return UNITS[self.unit](value)


class Scale(NamedTuple):
    """From values to shares of a colour scale."""

    low: float
    high: float
    is_log: bool

    @classmethod
    def over(cls, values: Iterable[float], *, is_log: bool, ends: tuple[float, float] | None = None) -> "Scale | None":
        """The scale from the least to the most, or as wide as `ends`; None where there is nothing above 0, or with
        `ends` nothing at all."""
        everything = list(values)
        known = [value for value in everything if value > 0]
        if ends is not None:
            # Orders of magnitude do not begin at 0.
            low = min([*known, ends[1]]) if is_log and ends[0] <= 0 else ends[0]
            return cls(low, ends[1], is_log) if everything else None
        if not known:
            return None
        return cls(min(known) if is_log else 0.0, max(known), is_log)

    def share(self, value: float) -> float:
        """Where a value lies, 0 to 1."""
        if self.high <= self.low:
            return 1.0
        if not self.is_log:
            return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return min(1.0, max(0.0, _log_share(value, self.low, self.high)))


class Source(NamedTuple):
    """A choice of what to colour by."""

    key: str
    title: str
    waits_for: str
    """Why it may not be there yet, for what is measured; empty for what follows from the architecture."""
    is_asked: bool = False
    """Whether it is measured as soon as it is chosen."""


def node_values(key: str, title: str, snapshot: Snapshot) -> NodeValues:
    """What follows from the architecture.

    Args:
        key: "parameters", "macs", "memory" (what training keeps of one image, in float32) or "field" (the larger side
            of the receptive field).
    """
    if key == "memory":
        return NodeValues(title=title, unit="bytes", values=kept_bytes(snapshot), is_log=True)
    index, columns = snapshot.architecture.structure.index, snapshot.inference.nodes
    if key == "field":
        fields = {
            i: float(max(field.height, field.width))
            for i, field in zip(index, columns.fields, strict=True)
            if field is not None
        }
        return NodeValues(title=title, unit="pixels", values=fields, adds_up=False)
    known = {}
    for node_id, own in zip(index, columns.numbers, strict=True):
        value = own.parameters if key == "parameters" else own.macs
        if own.output is not None and value is not None:
            known[node_id] = float(value)
    return NodeValues(title=title, unit="count", values=known, is_log=True)


def measured_values(key: str, title: str, measured: Measured) -> NodeValues:
    """What a profile measured.

    Args:
        key: "forward" or "backward" (seconds), "kept" (bytes of the batch), or "rate" (the operations a second that the
            forward pass achieves, of the layers that multiply).
    """
    nodes, batch_size = measured.nodes, measured.profile.batch_size
    if key == "rate":
        rates = {
            node_id: rate
            for node_id, node in nodes.items()
            if (rate := forward_flops_per_second(node, measured.macs.get(node_id), batch_size)) is not None
        }
        seconds = {node_id: nodes[node_id].forward_s for node_id in rates}
        return NodeValues(title=title, unit="flops", values=rates, adds_up=False, weights=seconds)
    if key == "kept":
        return NodeValues(title=title, unit="bytes", values={i: node.kept_bytes for i, node in nodes.items()})
    times = {i: node.forward_s if key == "forward" else node.backward_s for i, node in nodes.items()}
    return NodeValues(title=title, unit="seconds", values=times)


def kept_bytes(snapshot: Snapshot) -> Mapping[str, int]:
    """What autograd keeps of each node for the backward pass of one image, in float32; known nodes only."""
    found = memory(snapshot.architecture, snapshot.inference, batch_size=1).nodes
    columns = zip(found.items(), snapshot.inference.nodes.numbers, strict=True)
    return {node_id: count for (node_id, count), own in columns if own.output is not None}


def _log_share(value: float, low: float, high: float) -> float:
    return 0.0 if value <= low else math.log(value / low) / math.log(high / low)
