"""Whether the steps of a run on the CPU multiply in bfloat16: tried in the run itself, where the processor has units
for it.

What is gained depends on the network. With AVX512-BF16 and two cores (Zen 5, torch 2.15) a step of AlexNet for 28x28
takes half the time, ResNet-20 two thirds, VGG, Inception and DenseNet three quarters; networks whose work is in
depthwise convolutions, or in as few channels as LeNet-5's, take a fifth to two thirds more. So the steps tell. Weights,
loss and update stay in float32 (`precision`), and so do the tests, so that runs can be compared.
"""

from collections.abc import Callable

import torch

from explorer.runtime.modules import Network
from explorer.training.plan import RunPlan
from explorer.training.precision import Precision
from explorer.training.step import Step
from explorer.training.trial import MOST_TIMED, TIMED_S, Batch, MakeStep, Tolerance, Trial, can_be_tried, has_room_for

WORTH_S = 20.0
"""Of the run that must be left."""
WORTH_STEPS = 300
"""Steps that must be left as well: trying takes up to twenty."""
_SETTLED_STEPS = 20
_TOLD_S = 3.0
"""That trying may take without a word."""
GAIN = 0.9
"""The share of the usual step's time that one in bfloat16 may take at most to be used: less than that is not worth
other numbers."""
TOLERANCE = Tolerance(error=0.5, nothing=2.0**-7)
"""bfloat16 has 8 significant bits. The gradients of ResNet-20 and AlexNet are off by 4 to 6 % of their norm after 30
steps, those of nets without shortcuts by a quarter, and all by up to three times as much on noise, of which the sample
batch is. The gradients of two batches differ by about their whole norm, which is what training lives with."""
_UNITS = ("amx_bf16", "avx512_bf16", "sve_bf16", "bf16")
"""As `torch.cpu.get_capabilities` calls what multiplies bfloat16."""


class PrecisionChoice:
    """A run's decision: hears how much of it is left, and tries bfloat16 once. For the training thread."""

    def __init__(self, plan: RunPlan, network: Network, step: Step) -> None:
        """Nothing is tried yet.

        Args:
            plan: of the run.
            network: of the run.
            step: the usual way, in float32.
        """
        self._weights = tuple(network.parameters())
        self._step = step
        self._bfloat16 = Precision("bfloat16", plan.device)
        self.is_ready = False
        """Whether it is worth trying."""
        self._step_s = 0.0

    def heard(self, num_made: int, step_s: float, seconds_left: float | None) -> None:
        """See `StepChoice.heard`."""
        self._step_s = step_s
        self.is_ready = num_made >= _SETTLED_STEPS and seconds_left is not None and is_worth(step_s, seconds_left)

    @property
    def announcement(self) -> str:
        """What to say before it is tried, since nothing moves meanwhile; empty where that is soon over."""
        # One to choose kernels, four to compare, and those that are timed.
        takes_s = 5 * self._step_s + min(2 * MOST_TIMED * self._step_s, max(2 * self._step_s, TIMED_S))
        if takes_s < _TOLD_S or not self._has_room():
            return ""
        return f"Tries whether steps are faster in bfloat16, for about {takes_s:,.0f} s."

    def choose(
        self, trial: Trial, make_batch: Callable[[], Batch], is_stopped: Callable[[], bool]
    ) -> tuple[Step | None, str]:
        """Try it; for once, and where there is memory. See `Compilation.choose`."""
        if not self._has_room():
            return None, ""
        other = self._step.in_precision(self._bfloat16)

        def prepare(batch: Batch) -> MakeStep:
            # The first one chooses kernels.
            other(*batch)
            return other

        tried = trial.of(self._step, prepare, make_batch, is_stopped, TOLERANCE)
        if tried is None:
            return None, ""
        verdict = tried[1]
        if verdict.difference is not None:
            return None, f"A step in bfloat16 {verdict.difference}; the run computes in float32."
        if verdict.is_faster(GAIN):
            text = f"From here on convolutions and linear layers multiply in bfloat16: {verdict.times}"
            return other, f"{text}; weights, loss and tests are in float32."
        return None, f"Computes in float32: in bfloat16 it would take {verdict.times}."

    def _has_room(self) -> bool:
        try:
            return has_room_for(self._weights, "cpu")
        except ValueError:
            return False


def is_worth(step_s: float, seconds_left: float) -> bool:
    """Whether so much of a run is left that trying pays.

    Args:
        step_s: of one step.
        seconds_left: of the run.
    """
    return seconds_left >= max(WORTH_S, WORTH_STEPS * step_s)


def may_choose_precision(plan: RunPlan, network: Network, num_processes: int) -> bool:
    """Whether a run's precision may be chosen as it goes: it is left to the program, and the processor has units."""
    is_asked = plan.config.precision == "auto" and plan.device.type == "cpu" and plan.split is None
    return is_asked and num_processes == 1 and not plan.is_repeatable and _has_units() and can_be_tried(network)


def _has_units() -> bool:
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(unit, False) for unit in _UNITS)
