"""The layer table's columns: where each one's value comes from and how it is written. The rows are `table_model`'s."""

from collections.abc import Callable
from enum import IntEnum
from operator import attrgetter
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication

from explorer.architecture import Node
from explorer.inference import Issue, NodeReport, Totals
from explorer.inference.memory import Memory, memory
from explorer.look import numbers
from explorer.session import Snapshot


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
    FIELD = 8
    STRIDE = 9
    ISSUE = 10


class Sums(NamedTuple):
    """What the rows' numbers add up to."""

    totals: Totals
    memory: Memory

    def of(self, column: int) -> int | None:
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
        return None


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


def sums_of(snapshot: Snapshot) -> Sums:
    """What all rows of the network add up to, for one image."""
    return Sums(snapshot.inference.totals, memory(snapshot.architecture, snapshot.inference, batch_size=1))


def made_columns(share: Callable[[Row], float | None]) -> tuple[Column, ...]:
    """All columns in the order of `Place`, their texts in the language of now.

    Args:
        share: a row's part, from 0 to 1, of the sum that the table chose to show; None where it is unknown.
    """

    def exact_bytes(value: int | None) -> str:
        return _tr("not known") if value is None else _tr("%s bytes") % numbers.exact_count(value)

    def exact_count(value: int | None) -> str:
        return _tr("not known") if value is None else numbers.exact_count(value)

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
            "888.8 k → 888.8 k",
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
            "888.8 k → 888.8 k",
        ),
        Column(
            _tr("Output bytes"),
            _tr("Bytes of the output in float32, for one image"),
            lambda row: row.report.output_bytes,
            numbers.short_bytes,
            exact_bytes,
            True,
            "888.8 kB → 888.8 kB",
        ),
        Column(
            _tr("Kept"),
            _tr("Bytes that training keeps for the backward pass, for one image in float32"),
            lambda row: None if row.report.output_shape is None else row.sums.memory.nodes.get(row.node.id, 0),
            numbers.short_bytes,
            exact_bytes,
            True,
            "888.8 kB → 888.8 kB",
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
            "kernel_size 40 does not fit",
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
