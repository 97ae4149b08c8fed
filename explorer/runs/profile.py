"""What one step of training was measured to take, node by node, and what that lets one say of a whole run.

Frozen values without torch, in a plain form that can be kept beside a run. `training.profile` measures a step node by
node, `training.probe_speed` its speed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeProfile:
    """One node's part of a step, for the whole batch."""

    forward_s: float
    backward_s: float
    """Exactly 0 where no gradient passes: in front of everything that is trained."""
    kept_bytes: int
    """What autograd keeps from the forward to the backward pass; an output counts at the node that made it, whoever
    keeps it, as in `inference.memory`."""
    peak_bytes: int | None
    """The most that was allocated while the node was computed, forward or backward, beyond what lay there before;
    None where the device does not say, as the CPU."""

    @property
    def step_s(self) -> float:
        """Forward and backward."""
        return self.forward_s + self.backward_s


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProfile:
    """A step of training taken apart. Times are medians over the repetitions, in seconds."""

    network: str
    """The architecture's name."""
    nodes: Mapping[str, NodeProfile]
    """By id, in the network's order; nodes that the loss does not read are not part of a step, and left out."""
    data_s: float
    """Bringing a batch: chosen, augmented and normalised."""
    loss_s: float
    """The loss's own forward and backward, up to the gradients of the outputs."""
    loss_kept_bytes: int
    optimizer_s: float
    """Clipping and update."""
    step_s: float
    """A whole step (forward, loss, backward, update) as training runs it, with nothing measured inside."""
    peak_bytes: int | None
    """The most that was allocated during a step, all there is included; None where the device does not say."""
    device: str
    """By torch's name: "cuda:0"; the two that share a network as "cuda:0+cuda:1"."""
    device_text: str
    """As people know it: "CPU, 2 threads"."""
    threads: int
    """Of the CPU."""
    batch_size: int
    optimizer: str
    data: str
    """The data set whose images were used, as `RunConfig.data`."""
    repetitions: int
    versions: Mapping[str, str]
    """Of what computed: "torch": "2.13.0"."""
    notes: tuple[str, ...]
    """What the reader of the numbers should know, one sentence each."""
    precision: str = "float32"
    """That the step multiplied in: "float32", "tf32", "bfloat16" or "float16". What "auto" means on the CPU was found
    out as a run does."""

    @property
    def forward_s(self) -> float:
        """All nodes' forward passes."""
        return sum(node.forward_s for node in self.nodes.values())

    @property
    def backward_s(self) -> float:
        """All nodes' backward passes."""
        return sum(node.backward_s for node in self.nodes.values())

    @property
    def kept_bytes(self) -> int:
        """What autograd keeps between the passes, the loss included."""
        return sum(node.kept_bytes for node in self.nodes.values()) + self.loss_kept_bytes

    @property
    def measured_s(self) -> float:
        """The sum of the parts of a step."""
        return self.forward_s + self.backward_s + self.loss_s + self.optimizer_s

    @property
    def coverage(self) -> float:
        """The sum of the parts as a share of the whole step that nobody measures.

        Above 1 it shows what measuring adds; below, what no part holds: forgetting gradients, counting right answers.
        """
        return self.measured_s / self.step_s if self.step_s else 1.0

    def to_plain(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Read what `to_plain` gave.

        Raises:
            ValueError: of another form; names what is missing or not known.
        """
        try:
            nodes = {str(node_id): NodeProfile(**node) for node_id, node in plain["nodes"].items()}
            versions = {str(name): str(version) for name, version in plain["versions"].items()}
            notes = tuple(str(note) for note in plain["notes"])
            return cls(**{**plain, "nodes": nodes, "versions": versions, "notes": notes})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"profile of a step: of another form ({error})") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRefused:
    """Why a step could not be profiled for want of memory, and what could."""

    message: str
    fitting_batch_size: int | None
    """The most images of a step that fit; None where not one does."""


def forward_flops_per_second(node: NodeProfile, macs: int | None, batch_size: int) -> float | None:
    """The arithmetic that a node's forward pass achieves: two operations for each multiply-accumulate.

    Args:
        macs: of one image, as `inference` predicts them.

    Returns:
        None where nothing is multiplied, or no time was measured.
    """
    if not macs or node.forward_s <= 0:
        return None
    return 2 * macs * batch_size / node.forward_s


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedEstimate:
    """How fast training goes, from a short probe before it starts."""

    step_s: float
    """Mean time of a step, its batch included."""
    batch_size: int
    test_s: float
    """Estimate for the test after an epoch."""
    num_images: int | None
    """Training images of an epoch; None where the data set is not on this computer."""
    num_steps: int
    """Steps that were timed."""
    device: str
    """By torch's name: "cpu"."""
    data: str
    """The data set whose images were used."""

    @property
    def images_per_second(self) -> float:
        """Of training, tests left out."""
        return self.batch_size / self.step_s

    @property
    def epoch_s(self) -> float | None:
        """An epoch with its test; None where the number of images is not known."""
        return None if self.num_images is None else self.num_images / self.images_per_second + self.test_s

    def run_s(self, epochs: int) -> float | None:
        """A whole run."""
        return None if self.epoch_s is None else epochs * self.epoch_s
