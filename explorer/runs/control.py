"""What the outside asks of a run: pause, go on, one step, stop, another learning rate, and what is being looked at.

One side calls from any thread and never waits; the trainer asks between its steps. What the run answers are events.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.runs.config import config_field


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Watch:
    """What somebody looks at: whose feature maps to capture, and of which image."""

    node_ids: tuple[str, ...]
    """Without repeats; empty if nobody looks, and then nothing is captured."""
    probe_image: npt.NDArray[Any] | None
    """The probe image as the data set holds its images, read-only; None for the trainer's choice."""
    probe: str
    """The probe image's label, which comes back in `FeatureMapsCaptured`."""
    version: int
    """Grows by one with each change."""


class RunControl:
    """The thread-safe switches of one run. Once stopped it stays stopped.

    Between two steps the trainer calls `wait_if_paused`, then takes `learning_rate_change` and reads `watched`.
    """

    def __init__(self) -> None:
        # Re-entrant, so that a signal handler may call `stop` in the very thread that trains.
        self._changed = threading.Condition(threading.RLock())
        self._is_paused = False
        self._stop_requested = False
        self._num_steps_requested = 0
        self._learning_rate: float | None = None
        self._watched = Watch(node_ids=(), probe_image=None, probe="", version=0)

    # For the window and the command line

    def pause(self) -> None:
        """Hold the run after the step that it is in."""
        with self._changed:
            self._is_paused = True

    def resume(self) -> None:
        """Go on from a pause; single steps still asked for are forgotten."""
        with self._changed:
            self._is_paused = False
            self._num_steps_requested = 0
            self._changed.notify_all()

    def step_once(self) -> None:
        """Make exactly one more step, then pause; a run that is not paused finishes the step it is in first."""
        with self._changed:
            self._is_paused = True
            self._num_steps_requested += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """End the run after the step that it is in, paused or not."""
        with self._changed:
            self._stop_requested = True
            self._changed.notify_all()

    def set_learning_rate(self, learning_rate: float) -> None:
        """Use another learning rate from the next step on.

        Raises:
            ValueError: out of the range of `RunConfig.learning_rate`.
        """
        checked = float(config_field("learning_rate").check(learning_rate))
        with self._changed:
            self._learning_rate = checked

    def watch(self, node_ids: Iterable[str], probe_image: npt.NDArray[Any] | None = None, probe: str = "") -> None:
        """Replace what is being looked at, all at once; asking for the same again changes nothing.

        Args:
            node_ids: The nodes whose feature maps are on screen; empty if none is.
            probe_image: The image to show them for, which is copied; None for the trainer's choice.
            probe: A label for that image.
        """
        ids = tuple(dict.fromkeys(node_ids))
        image = None if probe_image is None else probe_image.copy()
        if image is not None:
            image.flags.writeable = False
        with self._changed:
            old = self._watched
            if ids == old.node_ids and probe == old.probe and _same_image(image, old.probe_image):
                return
            self._watched = Watch(node_ids=ids, probe_image=image, probe=probe, version=old.version + 1)
            self._changed.notify_all()

    # For the trainer

    def wait_if_paused(self, on_change: Callable[[], None] | None = None) -> bool:
        """Return at once while running; while paused, block until a step is due or the run is stopped.

        Args:
            on_change: Called in this thread when the wait begins, and again whenever what is watched changes during it,
                so that the pictures on screen are those of the weights at rest. It may call any method here except
                this one.

        Returns:
            Whether to make a step; False once stopped.
        """
        served_version: int | None = None
        while True:
            with self._changed:
                while True:
                    if self._stop_requested:
                        return False
                    if not self._is_paused:
                        return True
                    if self._num_steps_requested:
                        self._num_steps_requested -= 1
                        return True
                    if on_change is not None and served_version != self._watched.version:
                        served_version = self._watched.version
                        break
                    self._changed.wait()
            # Outside the lock: a capture takes time, and the window must not wait for it.
            on_change()

    def take_single_step(self) -> bool:
        """Take one of the single steps asked for, without waiting; False if there is none."""
        with self._changed:
            if not self._num_steps_requested:
                return False
            self._num_steps_requested -= 1
            return True

    def learning_rate_change(self) -> float | None:
        """Take the learning rate that was asked for since the last call; None if none was."""
        with self._changed:
            learning_rate, self._learning_rate = self._learning_rate, None
            return learning_rate

    # For both

    @property
    def watched(self) -> Watch:
        with self._changed:
            return self._watched

    @property
    def watch_version(self) -> int:
        return self.watched.version

    @property
    def is_paused(self) -> bool:
        """Whether a pause was asked for; still true during a single step."""
        with self._changed:
            return self._is_paused

    @property
    def stop_requested(self) -> bool:
        with self._changed:
            return self._stop_requested


def _same_image(a: npt.NDArray[Any] | None, b: npt.NDArray[Any] | None) -> bool:
    if a is None or b is None:
        return a is b
    return a.dtype == b.dtype and np.array_equal(a, b)
