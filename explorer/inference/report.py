"""What inference says: a report for each node, totals, and issues with their repairs. All plain values."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from explorer.architecture import Edit
from explorer.layers import Layer, Shape


class Repair(NamedTuple):
    """One way to mend an issue."""

    text: str
    """What it does, in the imperative or as the new value: "flatten before", "padding 1"."""
    edit: Edit


class Issue(NamedTuple):
    """Something wrong at a node: what was received, and what would fit."""

    node_id: str
    severity: Literal["error", "warning"]
    """An error stops shapes from being known downstream; a warning runs, but hardly as meant."""
    message: str
    repairs: tuple[Repair, ...]

    @property
    def text(self) -> str:
        """The message with its place before it: "conv2: kernel_size 7 does not fit ..."."""
        return f"{self.node_id}: {self.message}"


class ReceptiveField(NamedTuple):
    """The input pixels that one output pixel can see, per axis (height, width).

    Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", with branches
    joined by the union of what they see.
    """

    height: int
    width: int
    stride: tuple[int, int]
    """Input pixels between neighbouring outputs."""
    start: tuple[int, int]
    """First input row and column that output (0, 0) sees; negative inside the padding."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width), in input pixels."""
        return (self.height, self.width)


class NodeReport(NamedTuple):
    """Everything known of one node, for one image. None where a fault upstream or here leaves it unknown."""

    layer: Layer
    input_shapes: tuple[Shape | None, ...]
    output_shape: Shape | None
    """Without the batch: (C, H, W) or (features,)."""
    num_parameters: int | None
    """Trainable values."""
    num_buffers: int | None
    """Stored values that are not trained."""
    macs: int | None
    """Multiply-accumulates of convolution and linear weights for one image."""
    output_bytes: int | None
    """Bytes of the output in float32, for one image."""
    receptive_field: ReceptiveField | None
    issues: tuple[Issue, ...]

    @property
    def fault(self) -> Issue | None:
        """The error that stops this node, or None."""
        return next((issue for issue in self.issues if issue.severity == "error"), None)


class Totals(NamedTuple):
    """Sums over the nodes that are known."""

    num_parameters: int
    num_buffers: int
    macs: int
    output_bytes: int
    complete: bool
    """Whether every node is known; otherwise the sums reach up to the first fault."""


class Inference(NamedTuple):
    """All that follows from an architecture."""

    nodes: Mapping[str, NodeReport]
    """By node id, in the architecture's order."""
    totals: Totals

    @property
    def issues(self) -> tuple[Issue, ...]:
        """All issues, in the architecture's order."""
        return tuple(issue for report in self.nodes.values() for issue in report.issues)

    @property
    def errors(self) -> tuple[Issue, ...]:
        """The issues that keep the network from running."""
        return tuple(issue for issue in self.issues if issue.severity == "error")
