"""What inference says: a report for a node, totals, and issues with their repairs. All plain values."""

from typing import Literal, NamedTuple

from explorer.architecture import Edit, Node
from explorer.inference.receptive_field import ReceptiveField
from explorer.layers import Kept, Layer, Shape


class Repair(NamedTuple):
    """One way to mend an issue."""

    text: str
    """What it does, in the imperative or as the new value: "flatten before", "padding 1"."""
    edit: Edit


class Issue(NamedTuple):
    """Something wrong at a node: what was received, and what would fit."""

    node_id: str
    severity: Literal["error", "warning", "note"]
    """An error stops shapes from being known downstream; a warning runs, but hardly as meant; a
    note is worth knowing."""
    message: str
    repairs: tuple[Repair, ...]

    @property
    def text(self) -> str:
        """The message with its place before it: "conv2: kernel_size 7 does not fit ..."."""
        return f"{self.node_id}: {self.message}"


class Context(NamedTuple):
    """What of the architecture around a node its report rests on, beside the shapes that arrive."""

    node: Node
    role: int | None
    """Its place among the network's outputs; None if it is none."""
    is_read: bool
    """Whether any node reads its output."""
    advice: tuple[Issue, ...]
    """What its neighbours and its role cause."""

    @property
    def frozen(self) -> bool:
        """Whether training leaves its parameters as they are."""
        return self.node.frozen


class NodeReport(NamedTuple):
    """Everything known of one node, for one image. None where a fault upstream or here leaves it unknown."""

    layer: Layer
    context: "Context"
    """What else of the architecture the report rests on."""
    input_shapes: tuple[Shape | None, ...]
    output_shape: Shape | None
    """Without the batch: (C, H, W) or (features,)."""
    num_parameters: int | None
    """Weights and biases, frozen ones included."""
    num_buffers: int | None
    """Stored values that are not trained."""
    macs: int | None
    """Multiply-accumulates of convolution and linear weights for one image."""
    output_bytes: int | None
    """Bytes of the output in float32, for one image."""
    receptive_field: ReceptiveField | None
    kept: Kept | None
    """What autograd keeps of it, its weights aside."""
    issues: tuple[Issue, ...]

    @property
    def num_trainable(self) -> int | None:
        """The parameters that training changes."""
        return 0 if self.context.frozen and self.num_parameters is not None else self.num_parameters

    @property
    def flops(self) -> int | None:
        """Floating point operations for one image: two for each multiply-accumulate, as `torch.utils.flop_counter`."""
        return None if self.macs is None else 2 * self.macs

    @property
    def fault(self) -> Issue | None:
        """The error that stops this node, or None."""
        return next((issue for issue in self.issues if issue.severity == "error"), None)


class Totals(NamedTuple):
    """Sums over the nodes that are known."""

    num_parameters: int
    num_trainable: int
    num_buffers: int
    macs: int
    output_bytes: int
    complete: bool
    """Whether every node is known; otherwise the sums reach up to the first fault."""

    @property
    def num_frozen(self) -> int:
        """The parameters that training leaves as they are."""
        return self.num_parameters - self.num_trainable

    @property
    def flops(self) -> int:
        """Floating point operations for one image: two for each multiply-accumulate."""
        return 2 * self.macs
