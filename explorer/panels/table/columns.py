"""The layer table's columns: where each one's value comes from and how it is written. The rows are `model`'s."""

from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from operator import attrgetter
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication

from explorer.architecture import Node
from explorer.inference import Issue, NodeReport, Totals
from explorer.inference.memory import Memory, memory
from explorer.look import numbers
from explorer.runs.profile import NodeProfile, forward_flops_per_second
from explorer.session import Snapshot
from explorer.session.layer_statistics import KnownStatistics, value_of
from explorer.session.profile_session import Measured


class Place(IntEnum):
    """The columns, from left to right."""

    ID = 0
    LAYER = 1
    OUTPUT = 2
    PARAMETERS = 3
    SHARE = 4
    MACS = 5
    BYTES = 6
    KEPT = 7
    FORWARD = 8
    BACKWARD = 9
    MEASURED_KEPT = 10
    RATE = 11
    GRADIENT = 12
    UPDATE = 13
    CHANGE = 14
    DEAD = 15
    SATURATED = 16
    FIELD = 17
    STRIDE = 18
    ISSUE = 19


MEASURED = (Place.FORWARD, Place.BACKWARD, Place.MEASURED_KEPT, Place.RATE)
"""The columns that a profile fills; without one they are hidden."""
LEARNED = (Place.GRADIENT, Place.UPDATE, Place.CHANGE, Place.DEAD, Place.SATURATED)
"""The columns of what is measured of layers while somebody looks at it."""


class Sums(NamedTuple):
    """What the rows' numbers add up to."""

    totals: Totals
    memory: Memory
    measured: Measured | None
    """What a profile measured; None where there is none."""
    statistics: KnownStatistics | None = None
    """What was measured of the layers while they learned."""

    def of(self, column: int) -> float | None:
        """The sum under that column; None where one means nothing."""
        match column:
            case Place.PARAMETERS:
                return self.totals.num_parameters
            case Place.MACS:
                return self.totals.macs
            case Place.BYTES:
                return self.totals.output_bytes
            case Place.KEPT:
                return self.memory.saved_bytes
        # Without the layers that were edited since there is no sum.
        if self.measured is not None and self.measured.is_whole:
            profile = self.measured.profile
            match column:
                case Place.FORWARD:
                    return profile.forward_s
                case Place.BACKWARD:
                    return profile.backward_s
                case Place.MEASURED_KEPT:
                    return profile.kept_bytes
        return None


class PartSums(NamedTuple):
    """What some rows' numbers add up to, as far as they are known."""

    num_rows: int
    amounts: Mapping[Place, float]
    is_complete: bool
    """Whether all of these rows are known."""

    def of(self, column: int) -> float | None:
        """The sum under that column; None where one means nothing."""
        return self.amounts.get(Place(column))


class Row(NamedTuple):
    """What a row's values come from."""

    node: Node
    report: NodeReport
    sums: Sums


class Column(NamedTuple):
    """One column: where its value comes from and how it is written."""

    title: str
    help: str
    value: Callable[[Row], Any]
    """What is compared; None where it is unknown."""
    text: Callable[[Any], str]
    exact: Callable[[Any], str]
    is_number: bool
    widest: str
    """A text that always fits."""


def sums_of(snapshot: Snapshot, measured: Measured | None) -> Sums:
    """What all rows of the network add up to: for one image, but for what was measured of a batch."""
    return Sums(snapshot.inference.totals, memory(snapshot.architecture, snapshot.inference, batch_size=1), measured)


def _measured(row: Row) -> NodeProfile | None:
    return None if row.sums.measured is None else row.sums.measured.nodes.get(row.node.id)


def _learned(key: str) -> Callable[[Row], float | None]:
    """The statistic of a row, by one of `layer_statistics.KEYS`."""

    def value(row: Row) -> float | None:
        known = row.sums.statistics
        layer = None if known is None else known.layers.get(row.node.id)
        return None if layer is None else value_of(key, layer)

    return value


def _rate(row: Row) -> float | None:
    node, measured = _measured(row), row.sums.measured
    if node is None or measured is None:
        return None
    return forward_flops_per_second(node, row.report.macs, measured.profile.batch_size)


def part_sums(snapshot: Snapshot, node_ids: Iterable[str], sums: Sums) -> PartSums:
    """What some nodes add up to; nodes that are not there any more are left out.

    Args:
        sums: over all nodes, with what is known of each.
    """
    reports = snapshot.inference.nodes
    index = reports.architecture.structure.index
    ids = [node_id for node_id in node_ids if node_id in index]
    own = [reports.numbers[index[node_id]] for node_id in ids]
    amounts: dict[Place, float] = {
        Place.PARAMETERS: sum(numbers.parameters for numbers in own),
        Place.MACS: sum(numbers.macs for numbers in own),
        Place.BYTES: sum(numbers.output_bytes for numbers in own),
        Place.KEPT: sum(sums.memory.nodes.get(node_id, 0) for node_id in ids),
    }
    # Without the layers that were edited since there is no sum.
    if sums.measured is not None and sums.measured.is_whole:
        profiles = [sums.measured.nodes[node_id] for node_id in ids if node_id in sums.measured.nodes]
        amounts[Place.FORWARD] = sum(profile.forward_s for profile in profiles)
        amounts[Place.BACKWARD] = sum(profile.backward_s for profile in profiles)
        amounts[Place.MEASURED_KEPT] = sum(profile.kept_bytes for profile in profiles)
    return PartSums(len(ids), amounts, all(numbers.output is not None for numbers in own))


def made_columns(share: Callable[[Row], float | None]) -> tuple[Column, ...]:
    """All columns in the order of `Place`, their texts in the language of now.

    Args:
        share: a row's part, from 0 to 1, of the sum that the table chose to show; None where it is unknown.
    """

    def exact_bytes(value: int | None) -> str:
        return _tr("not known") if value is None else _tr("%s bytes") % numbers.exact_count(value)

    def exact_count(value: int | None) -> str:
        return _tr("not known") if value is None else numbers.exact_count(value)

    def exact_seconds(value: float | None) -> str:
        return _tr("not measured") if value is None else _tr("%s s") % f"{value:.9f}".rstrip("0").rstrip(".")

    def exact_rate(value: float | None) -> str:
        return _tr("not measured") if value is None else _tr("%s FLOP/s") % numbers.exact_count(value)

    def exact_number(value: float | None) -> str:
        return _tr("not measured") if value is None else f"{value:.6g}"

    def exact_share(value: float | None) -> str:
        return _tr("not known") if value is None else numbers.percent(value, 3)

    def size(value: tuple[int, ...] | None) -> str:
        return numbers.UNKNOWN if value is None else numbers.pair(value)

    return (
        Column(
            _tr("Layer id"),
            _tr("The node's id, and the prefix of its weights"),
            lambda row: row.node.id,
            str,
            str,
            False,
            "classifier.12.conv",
        ),
        Column(
            _tr("Layer"),
            _tr("The type of layer"),
            lambda row: row.node.layer.type_name,
            str,
            lambda _name: "",
            False,
            "AdaptiveAvgPool2d",
        ),
        Column(
            _tr("Output C×H×W"),
            _tr("The output's channels, height and width, for one image"),
            lambda row: row.report.output_shape,
            size,
            size,
            True,
            "64×112×112 → 64×110×110",
        ),
        Column(
            _tr("Parameters"),
            _tr("Weights and biases, frozen ones included"),
            lambda row: row.report.num_parameters,
            numbers.short_count,
            exact_count,
            True,
            "88.8 M → 88.8 M",
        ),
        Column(
            _tr("Share"),
            _tr("Share of the network's parameters"),
            share,
            numbers.percent,
            exact_share,
            True,
            "% Parameters  ",
        ),
        Column(
            _tr("MACs"),
            _tr("Multiply-accumulates of convolution and linear weights, for one image"),
            lambda row: row.report.macs,
            numbers.short_count,
            exact_count,
            True,
            "88.8 M → 88.8 M",
        ),
        Column(
            _tr("Output bytes"),
            _tr("Bytes of the output in float32, for one image"),
            lambda row: row.report.output_bytes,
            numbers.short_bytes,
            exact_bytes,
            True,
            "88.8 MB → 88.8 MB",
        ),
        Column(
            _tr("Kept"),
            _tr("Bytes that training keeps for the backward pass, for one image in float32"),
            lambda row: None if row.report.output_shape is None else row.sums.memory.nodes.get(row.node.id, 0),
            numbers.short_bytes,
            exact_bytes,
            True,
            "88.8 MB → 88.8 MB",
        ),
        Column(
            _tr("Forward"),
            _tr("Measured time of the forward pass, for the batch that was profiled"),
            lambda row: None if (node := _measured(row)) is None else node.forward_s,
            numbers.short_time,
            exact_seconds,
            True,
            "888.8 ms",
        ),
        Column(
            _tr("Backward"),
            _tr("Measured time of the backward pass, for the batch that was profiled; 0 where no gradient passes"),
            lambda row: None if (node := _measured(row)) is None else node.backward_s,
            numbers.short_time,
            exact_seconds,
            True,
            "888.8 ms",
        ),
        Column(
            _tr("Kept, measured"),
            _tr("Bytes that autograd was seen to keep for the backward pass, for the batch that was profiled"),
            lambda row: None if (node := _measured(row)) is None else node.kept_bytes,
            numbers.short_bytes,
            exact_bytes,
            True,
            "888.8 MB",
        ),
        Column(
            _tr("FLOP/s"),
            _tr("Operations a second that the forward pass achieves: two for each multiply-accumulate"),
            _rate,
            numbers.short_count,
            exact_rate,
            True,
            "888.8 G",
        ),
        Column(
            _tr("Gradient norm"),
            _tr("How strongly the loss pulls at the layer: the norm of the gradient of its weights in one step"),
            _learned("gradient"),
            numbers.scientific,
            exact_number,
            True,
            "8.8·10⁻⁸",
        ),
        Column(
            _tr("Update / weight"),
            _tr("Norm of what one update changes over the norm of the weights; about 10⁻³ is usual"),
            _learned("ratio"),
            numbers.scientific,
            exact_number,
            True,
            "8.8·10⁻⁸",
        ),
        Column(
            _tr("Change"),
            _tr("Norm of what training has changed of the layer's weights since the start, over their norm then"),
            _learned("change"),
            numbers.rough_share,
            exact_share,
            True,
            "888.8 %",
        ),
        Column(
            _tr("Dead"),
            _tr("Share of a ReLU's channels that are 0 at every place, for all images it was tried on"),
            _learned("dead"),
            numbers.rough_share,
            exact_share,
            True,
            "88.8 %",
        ),
        Column(
            _tr("Saturated"),
            _tr("Share of a tanh's or sigmoid's values within 1 % of the ends of its range, where it is flat"),
            _learned("saturated"),
            numbers.rough_share,
            exact_share,
            True,
            "88.8 %",
        ),
        Column(
            _tr("Receptive field"),
            _tr("Input pixels that one output pixel sees"),
            lambda row: row.report.receptive_field and row.report.receptive_field.size,
            size,
            size,
            True,
            "888×888 → 888×888",
        ),
        Column(
            _tr("Stride"),
            _tr("Input pixels from one output pixel to the next"),
            lambda row: row.report.receptive_field and row.report.receptive_field.stride,
            size,
            size,
            True,
            "32×32 → 32×32",
        ),
        Column(
            _tr("Issue"),
            _tr("What is wrong, and what would fit"),
            lambda row: None if (worst := worst_issue(row.report)) is None else worst.message,
            lambda message: message or "",
            lambda message: message or "",
            False,
            "kernel_size 40",
        ),
    )


COMPARED: dict[int, Callable[[NodeReport], object]] = {
    Place.OUTPUT: attrgetter("output_shape"),
    Place.PARAMETERS: attrgetter("num_parameters"),
    Place.MACS: attrgetter("macs"),
    Place.BYTES: attrgetter("output_bytes"),
    Place.FIELD: lambda report: report.receptive_field and report.receptive_field.size,
    Place.STRIDE: lambda report: report.receptive_field and report.receptive_field.stride,
    Place.ISSUE: attrgetter("issues"),
}
"""The columns that light up; a share changes with every other layer's, so it does not."""


def worst_issue(report: NodeReport) -> Issue | None:
    """The issue that a row has room for: an error before a warning before a note."""
    if not report.issues:
        return None
    return min(report.issues, key=lambda issue: _SEVERITIES.index(issue.severity))


_SEVERITIES = ("error", "warning", "note")


def _tr(text: str) -> str:
    return QCoreApplication.translate("LayerTableModel", text)
