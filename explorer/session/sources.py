"""Where what is on screen comes from."""

from typing import NamedTuple


class Source(NamedTuple):
    """Whose weights a picture or a number is of."""

    text: str
    """As the screen says it: "step 1,240", "initial weights"."""
    step: int | None
    """Updates made; None for a network at rest."""
    run_id: str
    """Empty for none."""
    is_past: bool = False
    """Whether it is looked back at: what was captured of another step does not belong to it."""
