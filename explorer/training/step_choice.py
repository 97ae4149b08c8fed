"""Which way a run makes its steps: the usual one, or one that was found on the run's own weights to be faster.

Before the start a GPU's step may become a CUDA graph (`graphed`). As a run goes, bfloat16 is tried on the CPU
(`precision_choice`), and then what torch compiled (`compilation`).
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from explorer.runtime.modules import Network
from explorer.training.compilation import Compilation, may_compile
from explorer.training.graphed import capture_of, choose_step, other_steps
from explorer.training.guard import Guard
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan
from explorer.training.precision import Precision, PrecisionName
from explorer.training.precision_choice import PrecisionChoice, may_choose_precision
from explorer.training.step import Step
from explorer.training.trial import Batch, MakeStep, Trial


class StepChoice:
    """Makes a run's steps in the best way known so far. For the training thread."""

    def __init__(
        self, plan: RunPlan, network: Network, step: Step, optimization: Optimization, guard: Guard, num_processes: int
    ) -> None:
        """Begin with the usual way.

        Args:
            plan: of the run.
            network: of the run, in training mode on its device.
            step: the usual way.
            optimization: of the network's weights.
            guard: of the run.
            num_processes: that train together.
        """
        self.make: MakeStep = step
        """Makes a step: the way of now."""
        self._plan = plan
        self._network = network
        self._step = step
        self._optimization = optimization
        self._guard = guard
        self._num_processes = num_processes
        self._trial = Trial(network, optimization, guard, plan.device)
        self._counts: Sequence[int] = ()
        self._begun_in = plan.precision
        self._is_settled = False
        self._precision: PrecisionChoice | None = None
        self._compilation: Compilation | None = None

    @property
    def precision(self) -> Precision:
        """That steps compute in now."""
        return self._step.precision

    def test_autocast(self) -> AbstractContextManager[object]:
        """Where tests compute: in the same precision in the whole run, the one that was chosen before it began."""
        return self._begun_in.autocast()

    @property
    def begun_in(self) -> PrecisionName:
        """The name of the precision that was chosen before the first step; `resume_in` takes it."""
        return self._begun_in.name

    def resume_in(self, name: PrecisionName | None) -> None:
        """Begin in the precision in which the run was begun, and try no other: its times may be others today.

        Args:
            name: of it; None for a run that did not keep it.
        """
        if name is None:
            return
        self._is_settled = True
        # Elsewhere than where it began a run has what that device offers.
        if name == "tf32" and self._plan.precision.name == "bfloat16":
            precision = Precision(name, self._plan.device)
            self.make = self._step = self._step.in_precision(precision)
            self._begun_in = precision

    @property
    def is_compiled(self) -> bool:
        """Whether what torch compiled computes full batches now."""
        return self._compilation is not None and self._compilation.is_used

    def begin(self, make_batch: Callable[[], Batch], counts: Sequence[int]) -> str | None:
        """Choose before the first step; what there is to say of it, a sentence.

        Args:
            make_batch: makes a full one; see `sample_batch`.
            counts: numbers of threads that the run may compute with, the usual one first.
        """
        plan, told = self._plan, None
        self._counts = counts
        capture = capture_of(plan, self._num_processes)
        if capture is not None:
            chosen = choose_step(
                self._step,
                self._network,
                self._optimization,
                self._guard.flag,
                make_batch(),
                capture,
                () if self._is_settled else other_steps(plan.config, self._step),
            )
            self.make, self._step, told = chosen
            self._begun_in = self._step.precision
        if self.make is self._step:
            if may_choose_precision(plan, self._network, self._num_processes):
                self._precision = PrecisionChoice(plan, self._network, self._step)
            else:
                self._go_on_to_compile()
        return told

    def heard(self, num_made: int, step_s: float, seconds_left: float | None) -> None:
        """Take how the run is doing, between two steps.

        Args:
            num_made: steps since the run began or went on.
            step_s: of one of the last ones.
            seconds_left: estimated of the run; None while that is not known.
        """
        if self._precision is not None:
            self._precision.heard(num_made, step_s, seconds_left)
        elif self._compilation is not None:
            self._compilation.heard(num_made, step_s, seconds_left)

    @property
    def is_ready(self) -> bool:
        """Whether there is another way to be tried."""
        if self._precision is not None:
            return self._precision.is_ready
        return self._compilation is not None and self._compilation.is_ready

    @property
    def announcement(self) -> str:
        """What to say before it is tried; empty where there is nothing to say."""
        return "" if self._precision is None else self._precision.announcement

    def try_next(self, make_batch: Callable[[], Batch], is_stopped: Callable[[], bool]) -> str:
        """Try it, once `is_ready`; what there is to say of it, a sentence or nothing. Nothing else of the run is
        different afterwards.

        Args:
            make_batch: makes a full one; see `sample_batch`.
            is_stopped: whether nobody waits for an answer any more.
        """
        if self._precision is not None:
            step, told = self._precision.choose(self._trial, make_batch, is_stopped)
            self._precision = None
            if step is not None:
                self.make = self._step = step
            self._go_on_to_compile()
            return told
        assert self._compilation is not None
        made, told = self._compilation.choose(self._trial, make_batch, is_stopped)
        if made is not None:
            self.make = made
        return told

    def close(self) -> None:
        """Try nothing any more, and let go of what holds memory."""
        # A captured step holds the memory of a whole batch, which whoever looks for a batch that fits needs.
        self.make = self._step
        self._precision = None
        if self._compilation is not None:
            self._compilation.close()

    def _go_on_to_compile(self) -> None:
        if may_compile(self._plan, self._network, self._num_processes):
            self._compilation = Compilation(self._plan, self._network, self._step, self._guard, self._counts)
