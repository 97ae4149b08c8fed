"""What training and inference take of a device's memory, in closed form. Its course over a step is `lifetimes`.

What counts is what tensors occupy. What torch's libraries take besides is not known in closed form and left out: the
device's context, convolutions' workspaces, and the gaps of the allocator.
"""

from collections.abc import Mapping
from typing import NamedTuple

from explorer.architecture import Architecture
from explorer.inference.autocast import FLOAT32_BYTES, SIXTEEN_BIT_BYTES
from explorer.inference.inference import Inference
from explorer.inference.lifetimes import courses
from explorer.inference.schedule import Precision, When
from explorer.layers import Arithmetic

OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop")


class Memory(NamedTuple):
    """Bytes on the device for one batch."""

    weights_bytes: int
    """All parameters, frozen ones included."""
    buffers_bytes: int
    gradient_bytes: int
    """The gradients of all parameters that training changes."""
    optimizer_bytes: int
    saved_bytes: int
    """What autograd keeps from the forward to the backward pass, the loss included; all of it exists between them."""
    temporary_bytes: int
    """At the peak, beside weights, buffers, optimiser state, gradients and what autograd keeps: the images, outputs
    that are still read, and gradients on their way."""
    training_bytes: int
    """The peak of a training step."""
    inference_bytes: int
    """The peak of a forward pass without gradients."""
    peak_node: str | None
    """Where a training step peaks; None if that is in the loss."""
    nodes: Mapping[str, int]
    """What autograd keeps for each node: an output at the node that made it, whoever keeps it."""
    complete: bool
    """Whether every node is known; otherwise the numbers reach up to the first fault."""
    peak_when: When
    """In which part of the step the peak is."""
    peak_gradient_bytes: int
    """The gradients of parameters that exist at the peak."""
    peak_saved_bytes: int
    """What autograd still keeps at the peak."""
    loss_bytes: int
    """The part of `saved_bytes` that the loss keeps."""
    saved_image_bytes: int
    """The part of `saved_bytes` that each image adds; the rest is there for any batch."""
    inference_node: str | None
    """Where a forward pass without gradients peaks."""

    @property
    def standing_bytes(self) -> int:
        """What is there all the time: weights, buffers, and the optimiser's state."""
        return self.weights_bytes + self.buffers_bytes + self.optimizer_bytes

    @property
    def peak_parts(self) -> tuple[tuple[str, int], ...]:
        """What the peak of training consists of; the bytes add up to `training_bytes`."""
        return (
            ("weights", self.weights_bytes),
            ("buffers", self.buffers_bytes),
            ("optimizer", self.optimizer_bytes),
            ("gradients", self.peak_gradient_bytes),
            ("saved", self.peak_saved_bytes),
            ("temporary", self.temporary_bytes),
        )


def memory(
    architecture: Architecture,
    inference: Inference,
    *,
    batch_size: int,
    optimizer: str = "sgd",
    momentum: float = 0.0,
    precision: Precision = "float32",
    auxiliary: bool = True,
) -> Memory:
    """What a training step and a forward pass take, from the second step on, when the optimiser's state is there.

    Args:
        inference: of this architecture.
        batch_size: images of a step.
        optimizer: "sgd", "adam", "adamw" or "rmsprop".
        momentum: not 0 gives SGD and RMSprop one more value for each parameter.
        precision: "mixed" is `torch.autocast` to a 16-bit type, "bfloat16" a network that is wholly in it.
        auxiliary: whether auxiliary heads are trained beside the first output, where there are some.

    Raises:
        ValueError: unknown optimiser, or a batch without images.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size: received {batch_size}; use at least 1")
    states = optimizer_states(optimizer, momentum)
    weights, buffers = _weights_bytes(inference, precision)
    training, forward = courses(architecture, inference, precision, auxiliary=auxiliary)
    peak, passing = training.peak(batch_size), forward.peak(batch_size)
    node_ids = list(inference.nodes)
    kept = [
        image * batch_size + batch
        for image, batch in zip(training.saved_image_bytes, training.saved_batch_bytes, strict=True)
    ]
    peak_saved = peak.saved_image_bytes * batch_size + peak.saved_batch_bytes
    loss_bytes = training.loss_image_bytes * batch_size + training.loss_batch_bytes
    optimizer_bytes = states * training.gradient_bytes
    return Memory(
        weights_bytes=weights,
        buffers_bytes=buffers,
        gradient_bytes=training.gradient_bytes,
        optimizer_bytes=optimizer_bytes,
        saved_bytes=sum(kept) + loss_bytes,
        temporary_bytes=peak.at(batch_size) - peak_saved - peak.gradient_bytes,
        training_bytes=weights + buffers + optimizer_bytes + peak.at(batch_size),
        inference_bytes=weights + buffers + passing.at(batch_size),
        peak_node=None if peak.when == "loss" else node_ids[peak.position],
        nodes=dict(zip(node_ids, kept, strict=True)),
        complete=inference.totals.complete,
        peak_when=peak.when,
        peak_gradient_bytes=peak.gradient_bytes,
        peak_saved_bytes=peak_saved,
        loss_bytes=loss_bytes,
        saved_image_bytes=sum(training.saved_image_bytes) + training.loss_image_bytes,
        inference_node=node_ids[passing.position],
    )


def largest_batch(
    architecture: Architecture,
    inference: Inference,
    available_bytes: int,
    *,
    optimizer: str = "sgd",
    momentum: float = 0.0,
    precision: Precision = "float32",
    auxiliary: bool = True,
) -> int:
    """The most images of a training step that fit; 0: not even one does.

    Every moment of a step is linear in the batch, so that the answer is exact and needs no search.

    Args:
        available_bytes: what the device has for this, weights included.
        optimizer: as for `memory`, and so are `momentum`, `precision` and `auxiliary`.

    Raises:
        ValueError: unknown optimiser.
    """
    states = optimizer_states(optimizer, momentum)
    training, _ = courses(architecture, inference, precision, auxiliary=auxiliary)
    left = available_bytes - sum(_weights_bytes(inference, precision)) - states * training.gradient_bytes
    return max(0, training.largest_batch(left))


def optimizer_states(optimizer: str, momentum: float = 0.0) -> int:
    """The values that an optimiser keeps for each parameter that it changes (documentation of `torch.optim`).

    Raises:
        ValueError: unknown optimiser.
    """
    match optimizer:
        case "sgd":
            return 1 if momentum else 0
        case "adam" | "adamw":
            return 2
        case "rmsprop":
            return 2 if momentum else 1
    raise ValueError(f"optimizer: received {optimizer!r}; use {', '.join(OPTIMIZERS[:-1])} or {OPTIMIZERS[-1]}")


def memory_arithmetic(
    memory: Memory,
    *,
    batch_size: int,
    optimizer: str = "sgd",
    momentum: float = 0.0,
    precision: Precision = "float32",
) -> tuple[Arithmetic, ...]:
    """Each part of `memory` written out, for the arguments that it was worked out with; results are bytes.

    Raises:
        ValueError: unknown optimiser.
    """
    size = _value_bytes(precision)
    states = optimizer_states(optimizer, momentum)
    trained = memory.gradient_bytes // size
    fixed = memory.saved_bytes - memory.saved_image_bytes * batch_size
    is_16_bit = size == SIXTEEN_BIT_BYTES
    number = "torch.bfloat16 has 2 bytes" if is_16_bit else "torch.float32 has 4 bytes"
    names = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
    alive = memory.inference_bytes - memory.weights_bytes - memory.buffers_bytes
    place = f"at {memory.peak_node}, {memory.peak_when}" if memory.peak_node is not None else "at the loss"
    return (
        Arithmetic(
            "weights", f"parameters·{size}", f"{memory.weights_bytes // size:,}·{size}", memory.weights_bytes, number
        ),
        Arithmetic(
            "buffers", f"buffers·{size}", f"{memory.buffers_bytes // size:,}·{size}", memory.buffers_bytes, number
        ),
        Arithmetic(
            "gradients", f"trained parameters·{size}", f"{trained:,}·{size}", memory.gradient_bytes, "torch.Tensor.grad"
        ),
        Arithmetic(
            "optimizer state",
            f"values for each parameter·trained parameters·{size}",
            f"{states}·{trained:,}·{size}",
            memory.optimizer_bytes,
            f"torch.optim.{names[optimizer]}",
        ),
        Arithmetic(
            "kept for backward",
            "batch·for each image + for any batch",
            f"{batch_size:,}·{memory.saved_image_bytes:,} + {fixed:,}",
            memory.saved_bytes,
            "torch: Autograd mechanics, saved tensors; measured for each layer",
        ),
        Arithmetic(
            f"training ({place})",
            " + ".join(name for name, _ in memory.peak_parts),
            " + ".join(f"{num_bytes:,}" for _, num_bytes in memory.peak_parts),
            memory.training_bytes,
            "the largest sum of what is alive at one moment of a step, without what libraries take for themselves",
        ),
        Arithmetic(
            "inference" if memory.inference_node is None else f"inference (at {memory.inference_node})",
            "weights + buffers + outputs",
            f"{memory.weights_bytes:,} + {memory.buffers_bytes:,} + {alive:,}",
            memory.inference_bytes,
            "the largest sum of the outputs that are still to be read",
        ),
    )


def _value_bytes(precision: Precision) -> int:
    return SIXTEEN_BIT_BYTES if precision == "bfloat16" else FLOAT32_BYTES


def _weights_bytes(inference: Inference, precision: Precision) -> tuple[int, int]:
    """(weights, buffers), those of nodes that the loss does not need included: they lie on the device too."""
    value_bytes = _value_bytes(precision)
    return inference.totals.num_parameters * value_bytes, inference.totals.num_buffers * value_bytes
