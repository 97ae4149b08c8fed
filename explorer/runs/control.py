"""What the outside asks of a run: pause, go on, one step, stop, another learning rate, and what is being looked at.

One side calls from any thread and never waits; the trainer asks between its steps. What the run answers are events.
"""

import dataclasses
import threading
from collections.abc import Callable
from typing import NamedTuple

from explorer.runs.config import config_field
from explorer.runs.looks import Look, Probe


class Watch(NamedTuple):
    """What is looked at, and how often that has changed."""

    look: Look
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
        self._watched = Watch(Look(), 0)
        self._is_on_demand = False
        self._are_pictures_awaited = True
        self._pictures_seconds = 0.0

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

    def watch(self, look: Look) -> None:
        """Replace what is being looked at, all at once; asking for the same again changes nothing.

        Args:
            look: its images are copied.
        """
        with self._changed:
            if look.same_as(self._watched.look):
                return
            copied = dataclasses.replace(look, probes=tuple(_own(probe) for probe in look.probes))
            self._watched = Watch(copied, self._watched.version + 1)
            self._changed.notify_all()

    def ask_for_pictures(self) -> None:
        """Say that what is captured next will be shown at once. From the first call on, nothing is captured unasked: a
        picture that waits until somebody has time for it is work for nothing, and old when it is shown."""
        with self._changed:
            self._is_on_demand = self._are_pictures_awaited = True

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

    @property
    def are_pictures_awaited(self) -> bool:
        """Whether what is captured now will be shown."""
        with self._changed:
            return self._are_pictures_awaited

    def pictures_sent(self) -> None:
        """Some were captured; wait until they are asked for again, if they are asked for at all."""
        with self._changed:
            self._are_pictures_awaited = not self._is_on_demand

    def pictures_took(self, seconds: float) -> None:
        """Count time that the trainer spent on capturing, what is kept for looking back included."""
        with self._changed:
            self._pictures_seconds += seconds

    # For both

    @property
    def pictures_seconds(self) -> float:
        """What all captures took since the run began, also those while it stood still."""
        with self._changed:
            return self._pictures_seconds

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


def _own(probe: Probe) -> Probe:
    image = probe.image.copy()
    image.flags.writeable = False
    return dataclasses.replace(probe, image=image)
