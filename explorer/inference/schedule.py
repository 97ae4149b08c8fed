"""Which tensors come and go when, whatever their sizes: what a walk through a training step puts down (`walk`).

An edit that turns sizes alone needs no new walk; `lifetimes` fills the bytes in.
"""

from typing import Literal, NamedTuple

from explorer.layers import Layer

Precision = Literal["float32", "mixed", "bfloat16"]
"""In what torch computes: float32; autocast to a 16-bit type with float32 weights; a 16-bit type throughout."""
When = Literal["forward", "loss", "backward"]


class Form(NamedTuple):
    """What of a node's numbers the comings and goings depend on: all but sizes."""

    layer_type: type[Layer]
    ports: tuple[int, ...]
    """Those whose arriving tensors autograd keeps."""
    keeps_output: bool
    keeps_more: bool
    """Whether autograd keeps values of its own."""
    keeps_batch: bool
    """Whether it keeps values for any batch."""
    has_weights: bool
    is_view: bool
    """Whether the output lies in the memory of the first input."""
    as_large: tuple[bool, ...]
    """Whether the output has as many values as each input."""


class Line(NamedTuple):
    """A running sum of slots: what comes, and what goes, which is the slot's number below zero less one."""

    slots: list[int]
    ends: list[int]
    """How many of them lie before each moment."""

    def come(self, slot: int) -> None:
        """Something is allocated."""
        self.slots.append(slot)

    def go(self, slot: int) -> None:
        """It is let go."""
        self.slots.append(~slot)

    def mark(self) -> None:
        """A moment is here."""
        self.ends.append(len(self.slots))


class Schedule(NamedTuple):
    """The moments of a training step or a forward pass. For `n` nodes, slots of bytes for each image are by position:

    outputs (0 to n), what nodes keep of their own (n to 2n), what passes by in a forward pass without gradients (2n to
    3n), the loss's logarithms (3n) and classes (3n + 1). Slots of bytes for any batch: what nodes keep (0 to n), 16-bit
    copies of weights (n to 2n), gradients of weights (2n to 3n), what the loss keeps (3n).
    """

    order: list[int]
    """The nodes that are computed."""
    alive: Line
    """For each image."""
    fixed: Line
    """For any batch."""
    saved: Line
    """The part of `alive` that autograd keeps."""
    saved_fixed: Line
    """The same of `fixed`."""
    gradients: Line
    """The part of `fixed` that is the weights' gradients."""
    when: list[When]
    positions: list[int]
    """The node of each moment."""
    held: list[bool]
    """Whether autograd keeps an output, by position."""
    keeps_own: list[bool]
    """Whether a node keeps values of its own, by position."""
    keeping_batch: list[int]
    """The nodes that keep values for any batch."""
    casts: list[tuple[int, int, int]]
    """Copies in another type that autocast makes and autograd keeps: node, the position whose output it copies, bytes
    of a value."""
    widths: list[int] | None
    """The bytes of a value of each output under autocast."""
    has_loss: bool
