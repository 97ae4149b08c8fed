"""How the learning rate goes on: a factor for each step, from torch's own schedulers. `optimization` applies it."""

import warnings
from typing import Any

import torch
from torch.optim import lr_scheduler

from explorer.runs import RunConfig
from explorer.runs.steps import parse_steps

State = dict[str, int | float | None]
_FEWEST_STEPS = 3
"""A run of fewer has no room for a rise and a fall."""


class Schedule:
    """The share of the learning rate that each step uses; one object a run.

    torch's scheduler moves the rate of an optimizer that has nothing to train and starts at 1. So a learning rate that
    the user changes meanwhile scales what is left, and no scheduler's own idea of the rate is in the way.

    The warm-up is a factor beside the schedule: Goyal et al. 2017, section 2.2. cosine starts when it is over.
    """

    def __init__(self, config: RunConfig, steps_per_epoch: int) -> None:
        """Start before the first step.

        Args:
            config: `schedule`, `warmup_epochs` and what belongs to them; `epochs`.
            steps_per_epoch: of the run.
        """
        self._num_steps = config.epochs * steps_per_epoch
        warmup = 0.0 if config.schedule == "onecycle" else config.warmup_epochs * steps_per_epoch
        self._num_warmup_steps = min(round(warmup), self._num_steps)
        self._step = 0
        self._shadow = torch.optim.SGD([torch.zeros(())], lr=1.0)
        self._by_step: lr_scheduler.LRScheduler | None = None
        self._by_epoch: lr_scheduler.ReduceLROnPlateau | None = None
        self._first_step = 0
        """From which on `_by_step` moves."""
        match config.schedule:
            case "step":
                steps = [epoch * steps_per_epoch for epoch in parse_steps(config.step_epochs, config.epochs)]
                self._by_step = lr_scheduler.MultiStepLR(self._shadow, steps, config.gamma)
            case "cosine":
                self._first_step = self._num_warmup_steps
                num_steps = max(1, self._num_steps - self._first_step)
                self._by_step = lr_scheduler.CosineAnnealingLR(self._shadow, num_steps, config.final_share)
            case "onecycle" if self._num_steps >= _FEWEST_STEPS:
                self._by_step = lr_scheduler.OneCycleLR(
                    self._shadow,
                    max_lr=1.0,
                    total_steps=self._num_steps,
                    # Of fewer than two steps torch's rise would divide by nothing.
                    pct_start=max(config.rise_share, 2 / self._num_steps),
                    # The momentum is the user's.
                    cycle_momentum=False,
                )
            case "plateau":
                self._by_epoch = lr_scheduler.ReduceLROnPlateau(
                    self._shadow, factor=config.gamma, patience=config.plateau_patience, min_lr=config.final_share
                )
        # torch warns of a scheduler that moves before its optimizer; this one has nothing to do.
        self._shadow.step()

    @property
    def factor(self) -> float:
        """What the next step multiplies the learning rate by."""
        warmup = min(1.0, (self._step + 1) / self._num_warmup_steps) if self._num_warmup_steps else 1.0
        return warmup * float(self._shadow.param_groups[0]["lr"])

    def end_step(self) -> None:
        """A step is made. Beyond the run's planned end the factor stays."""
        self._step += 1
        if self._by_step is not None and self._first_step < self._step < self._num_steps:
            self._by_step.step()

    def end_epoch(self, test_loss: float) -> None:
        """An epoch is tested: the plateau schedule looks whether its loss is lower than before."""
        if self._by_epoch is not None:
            self._by_epoch.step(test_loss)

    def state_dict(self) -> State:
        """All that it takes to go on: plain numbers, no containers, nothing infinite."""
        state: State = {"step": self._step}
        if (plateau := self._by_epoch) is not None:
            best: Any = plateau.best
            state |= {
                "factor": float(self._shadow.param_groups[0]["lr"]),
                "best": None if best == float("inf") else float(best),
                "num_bad_epochs": plateau.num_bad_epochs,
                "last_epoch": plateau.last_epoch,
            }
        return state

    def load_state_dict(self, state: State) -> None:
        """Go on where a fresh schedule of the same run had come to: the next factors are equal to the last bit.

        Raises:
            KeyError: of another kind of schedule.
        """
        with warnings.catch_warnings():
            # The first learning rates are skipped on purpose.
            warnings.simplefilter("ignore", UserWarning)
            for _ in range(int(state["step"] or 0) - self._step):
                self.end_step()
        if (plateau := self._by_epoch) is not None:
            self._shadow.param_groups[0]["lr"] = float(state["factor"] or 0.0)
            best = state["best"]
            plateau.best = float("inf") if best is None else float(best)
            plateau.num_bad_epochs = int(state["num_bad_epochs"] or 0)
            plateau.last_epoch = int(state["last_epoch"] or 0)
