"""Where what is on screen comes from."""

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication


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

    def of_its_step(self, step: int) -> "Source":
        """Where something of that step comes from: a moment that holds none is shown with what an earlier one held."""
        return looked_back(step, self.run_id) if self.is_past and step != self.step else self


def looked_back(step: int, run_id: str) -> Source:
    """A moment of a run."""
    text = QCoreApplication.translate("Source", "step {0} (looking back)").format(f"{step:,}")
    return Source(text, step, run_id, is_past=True)
