"""What the first process is told, obeyed by all at the same step.

The first one is paused, stopped and steered by its `RunControl`. Every few steps it tells the others, which have none
of their own; what it is told between two such moments waits for the next, a tenth of a second at most unless a step
takes longer.
"""

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor

from explorer.runs import RunControl, Watch

_INTERVAL_S = 0.1
_PAUSED_INTERVAL_S = 0.1
_GO_ON, _WAIT, _STOP, _SINGLE_STEP = 0.0, 1.0, 2.0, 3.0


class RelayedControl(RunControl):
    """The control that the loop of one process obeys; what is looked at is the first process's alone."""

    def __init__(self, control: RunControl, is_first: bool, tell: Callable[[Tensor], Tensor]) -> None:
        """Obey `control` if this is the first process, else what it tells.

        Args:
            tell: brings float64 values of the first process to all; it waits for all.
        """
        super().__init__()
        self._own = control
        self._is_first = is_first
        self._tell = tell
        self._num_left = 0
        """Steps until the next moment."""
        self._num_steps = 1
        self._told_s = time.perf_counter()
        self._rate: float | None = None
        self._is_stopped = False
        self._is_paused_there = False

    def wait_if_paused(self, on_change: Callable[[], None] | None = None) -> bool:
        if self._is_stopped:
            return False
        if self._num_left > 0:
            self._num_left -= 1
            return True
        served: int | None = None
        while True:
            state = self._agree()
            self._is_paused_there = state in (_WAIT, _SINGLE_STEP)
            if state == _STOP:
                self._is_stopped = True
                return False
            if state in (_GO_ON, _SINGLE_STEP):
                self._num_left = self._num_steps - 1
                return True
            if on_change is not None and served != self.watch_version:
                served = self.watch_version
                on_change()
            time.sleep(_PAUSED_INTERVAL_S)

    def learning_rate_change(self) -> float | None:
        rate, self._rate = self._rate, None
        return rate

    def pictures_took(self, seconds: float) -> None:
        self._own.pictures_took(seconds)

    @property
    def pictures_seconds(self) -> float:
        return self._own.pictures_seconds

    @property
    def watched(self) -> Watch:
        return self._own.watched

    @property
    def are_pictures_awaited(self) -> bool:
        return self._own.are_pictures_awaited

    def pictures_sent(self) -> None:
        self._own.pictures_sent()

    @property
    def is_paused(self) -> bool:
        return self._is_paused_there

    @property
    def stop_requested(self) -> bool:
        # The first process may give up a test, which the others learn with its result.
        return self._is_stopped or (self._is_first and self._own.stop_requested)

    def _agree(self) -> float:
        """What the first process is to do now; on all of them."""
        now_s = time.perf_counter()
        said = [_GO_ON, math.nan, 1.0]
        if self._is_first:
            if self._own.stop_requested:
                said[0] = _STOP
            elif self._own.is_paused:
                said[0] = _SINGLE_STEP if self._own.take_single_step() else _WAIT
            rate = self._own.learning_rate_change()
            said[1] = math.nan if rate is None else rate
            if not self._own.is_paused:
                took_s = max(1e-9, now_s - self._told_s)
                said[2] = max(1, min(int(_INTERVAL_S * self._num_steps / took_s), 2 * self._num_steps))
        state, rate, num_steps = self._tell(torch.tensor(said, dtype=torch.float64)).tolist()
        self._told_s, self._num_steps = time.perf_counter(), int(num_steps)
        if not math.isnan(rate):
            self._rate = rate
        return float(state)
