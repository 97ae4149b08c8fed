"""What a network said of each probe over the steps of a run: kept in memory, and thinned as it fills."""

from bisect import bisect_left
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.runs import ProbeAnswer, ProbesExplained

MOST_KEPT = 400
"""Answers of a probe; beyond it every second one goes."""


class Course(NamedTuple):
    """The answers to one probe, in the order of their steps."""

    steps: npt.NDArray[np.int64]
    """`(T,)`."""
    probabilities: npt.NDArray[np.float32]
    """`(T, classes)`."""

    @property
    def num_changes(self) -> int:
        """How often the class that was predicted became another one."""
        predicted = self.probabilities.argmax(1)
        return int((predicted[1:] != predicted[:-1]).sum())


class _Kept:
    def __init__(self, image: npt.NDArray[np.float32]) -> None:
        self.image = image
        self.steps: list[int] = []
        self.rows: list[npt.NDArray[np.float32]] = []


class AnswerHistory:
    """The newest run's answers, by the probe's label. A probe whose picture changes, as a drawing's, begins anew."""

    def __init__(self) -> None:
        self._run_id = ""
        self._kept: dict[str, _Kept] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._run_id = ""
        self._kept.clear()

    def add(self, event: ProbesExplained) -> None:
        """Take what a run said; a step that is known already is replaced."""
        if not event.run_id:
            return
        if event.run_id != self._run_id:
            self._kept.clear()
            self._run_id = event.run_id
        for answer in event.answers:
            self._add(event.step, answer)

    def course(self, label: str) -> Course | None:
        """What was said of a probe; None if nothing."""
        kept = self._kept.get(label)
        if kept is None:
            return None
        return Course(np.array(kept.steps, np.int64), np.stack(kept.rows))

    def _add(self, step: int, answer: ProbeAnswer) -> None:
        kept = self._kept.get(answer.probe)
        is_same = kept is not None and np.array_equal(kept.image, answer.image)
        if kept is None or not is_same or len(kept.rows[0]) != len(answer.probabilities):
            kept = self._kept[answer.probe] = _Kept(answer.image)
        place = bisect_left(kept.steps, step)
        if place < len(kept.steps) and kept.steps[place] == step:
            kept.rows[place] = answer.probabilities
            return
        kept.steps.insert(place, step)
        kept.rows.insert(place, answer.probabilities)
        if len(kept.steps) > MOST_KEPT:
            # The last one stays: it is what is on screen.
            newest = len(kept.steps) - 1
            keep = [i for i in range(len(kept.steps)) if (newest - i) % 2 == 0]
            kept.steps = [kept.steps[i] for i in keep]
            kept.rows = [kept.rows[i] for i in keep]
