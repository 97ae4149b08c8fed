"""What is under the pointer: an item or the header of an open block, and which part of it."""

from typing import NamedTuple

from explorer.canvas.card import Part


class Spot(NamedTuple):
    """What is under a position of the viewport."""

    key: str | None
    """A node's id or a block's path; None over empty canvas and over wires."""
    part: Part | None
    """The part of a stepper, or the chevron, where those are drawn."""
    is_frame: bool
    """Whether it is the header of an open block."""

    @property
    def arrow(self) -> Part | None:
        """The part, if it is a stepper's arrow."""
        return self.part if self.part is not None and self.part.steps else None
