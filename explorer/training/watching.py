"""What looks at a run from step to step: somebody at a screen, and the time machine. The run calls both as one."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from explorer.runs import Event, RunControl
from explorer.runtime.instruments import Instrument
from explorer.runtime.modules import Network
from explorer.training.beginning import Beginning
from explorer.training.moments import MomentRecorder
from explorer.training.observation import Observation
from explorer.training.plan import RunPlan

_logger = logging.getLogger(__name__)


class Watching:
    """An `Observation`, and a `MomentRecorder` where moments are kept. Neither changes a bit of the run."""

    def __init__(
        self,
        run_id: str,
        plan: RunPlan,
        network: Network,
        say: Callable[[Event], None],
        control: RunControl,
        *,
        beginning: Beginning | None,
        gradient_scale: Callable[[], float],
        own: Sequence[Instrument] = (),
    ) -> None:
        """Look at `network` while it trains; see `Subject` and `Observation` for what the last ones mean."""
        self._plan = plan
        self._control = control
        self._observation = Observation(
            run_id, plan, network, say, beginning=beginning, gradient_scale=gradient_scale, own=own
        )
        self._moments: MomentRecorder | None = None
        self._told_s = 0.0
        """Of what both spent, as far as the control knows it."""

    def keep_moments(self, folder: Path, most_bytes: int) -> None:
        """Keep moments for looking back in the run's folder."""
        try:
            self._moments = MomentRecorder(self._observation.subject, folder, most_bytes, self._plan.num_steps_total)
        except Exception:
            # Looking back is never worth the run.
            _logger.exception("no moments can be kept")

    def begin(self, step: int) -> None:
        """The run begins after `step` updates."""
        if self._moments is not None:
            self._moments.begin(step, self._control)
        self._tell_spent()

    def finish(self, step: int) -> None:
        """It has made its last step."""
        self._observation.serve(self._control, step, now=True)
        if self._moments is not None:
            self._moments.finish(step)
        self._tell_spent()

    def close(self) -> None:
        """Wait for what is being written."""
        if self._moments is not None:
            self._moments.close()

    @property
    def is_stale(self) -> bool:
        """Whether something else is looked at than was last served."""
        return self._observation.is_stale(self._control)

    def serve(self, step: int, *, now: bool = False) -> None:
        """Show what is looked at; see `Observation.serve`."""
        self._observation.serve(self._control, step, now=now)
        self._tell_spent()

    def before_step(self, step: int) -> None:
        """The next thing is the step `step`."""
        self._observation.before_step()
        if self._moments is not None:
            self._moments.before_step(step, self._control)

    def after_step(self, step: int) -> None:
        """It was made."""
        self._observation.after_step(step)
        if self._moments is not None:
            self._moments.after_step(step)
        self._tell_spent()

    def heard(self, losses: npt.NDArray[np.float32]) -> None:
        """These are the losses of the last steps."""
        if self._moments is not None:
            self._moments.heard(losses)

    def suspended(self, seconds: float) -> None:
        """Leave out a time in which the run stood still."""
        self._observation.suspended(seconds)
        if self._moments is not None:
            self._moments.suspended(seconds)

    def take_trouble(self) -> str | None:
        """What went wrong beside the run since the last call, in a sentence."""
        return None if self._moments is None else self._moments.take_trouble()

    def _tell_spent(self) -> None:
        spent_s = self._observation.spent_s + (0.0 if self._moments is None else self._moments.spent_s)
        if spent_s > self._told_s:
            self._control.pictures_took(spent_s - self._told_s)
            self._told_s = spent_s
