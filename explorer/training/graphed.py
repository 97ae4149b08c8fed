"""A whole step as one CUDA graph: for small networks, whose kernels are done sooner than the host can launch them.

A graph does again what was recorded, reading and writing the same memory, so that batch, learning rate and what is
measured have fixed places. Batches are made and augmented outside of it, the last, shorter one of an epoch goes the
usual way, and so does everything where several processes train together. Whether a step is captured is found out before
the run begins, on its own weights, which are then put back to the bit: the usual step is timed, the graph has to come
to the same loss and the same weights, and it has to be faster. Source: torch's notes "CUDA semantics", CUDA graphs.

Where the precision is left to the program, a graph in TF32 is tried beside that in bfloat16: autocast gives each weight
and what arrives at a layer a kernel of its own, which small networks pay more for than their few channels gain.

All that is CUDA's own stands behind `Capture`; tests drive the rest on the CPU, and `CudaCapture` itself never ran.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.runs import RunConfig
from explorer.runtime.devices import device_memory
from explorer.runtime.modules import Network
from explorer.training.fitting import STEPS_AT_ONCE, predicted_batch_size, release
from explorer.training.layout import choose_memory_format
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan
from explorer.training.precision import Precision
from explorer.training.step import Step
from explorer.training.trial import MakeStep, TrialState, can_be_tried, difference

Call = Callable[[], None]

_logger = logging.getLogger(__name__)
_LONGEST_S = 0.1
"""A step that takes longer is not captured: trying would keep its user waiting, and hardly one waits for the host."""
_HOST_SHARE = 0.5
"""Of a step's time that the host takes to launch it. Where it is less, the device is kept busy without a graph."""
_GAIN = 0.9
"""The share of the usual step's time that a graph may take at most to be worth its memory."""
_FIRST_STEPS, _FEWEST_TIMED, _MOST_TIMED = 3, 3, 10
_TIMED_S = 0.2


class Capture(Protocol):
    """What it takes to capture work on a device."""

    def warm_up(self, call: Call) -> None:
        """Make a call a few times as it will be recorded, so that nothing in it happens for the first time then."""

    def record(self, call: Call) -> Call:
        """Record what a call gives the device to do; what is returned has the device do it again, where it was."""

    def seconds(self, call: Call, count: int) -> float:
        """What one of so many calls takes, until the device is done with them."""

    def host_seconds(self, call: Call) -> float:
        """What the host takes for a call, until it has given the device all that it is to do."""


class CudaCapture:
    """CUDA's own graphs."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def warm_up(self, call: Call) -> None:
        with torch.cuda.device(self._device):
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(_FIRST_STEPS):
                    call()
            torch.cuda.current_stream().wait_stream(aside)

    def record(self, call: Call) -> Call:
        with torch.cuda.device(self._device):
            graph, usual = torch.cuda.CUDAGraph(), torch.cuda.current_stream()
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            generator = torch.cuda.default_generators[torch.cuda.current_device()]
            kept = generator.clone_state()
            try:
                # Other threads of a window use the device as they like meanwhile.
                with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
                    call()
            except BaseException:
                # torch does not tell the generator that a capture which failed is over, and dropout would fail then.
                generator.graphsafe_set_state(kept)
                # Nor did it always leave the stream of such a capture, on which all later steps would go then.
                torch.cuda.set_stream(usual)
                raise

        def replay() -> None:
            with torch.cuda.device(self._device):
                graph.replay()

        return replay

    def seconds(self, call: Call, count: int) -> float:
        torch.cuda.synchronize(self._device)
        start_s = time.perf_counter()
        for _ in range(count):
            call()
        torch.cuda.synchronize(self._device)
        return (time.perf_counter() - start_s) / count

    def host_seconds(self, call: Call) -> float:
        torch.cuda.synchronize(self._device)
        start_s = time.perf_counter()
        call()
        taken_s = time.perf_counter() - start_s
        torch.cuda.synchronize(self._device)
        return taken_s


class GraphedStep:
    """A step that is replayed for batches like the one it was recorded with, and made as usual for others."""

    def __init__(self, step: Step, optimization: Optimization, x: Tensor, target: Tensor, capture: Capture) -> None:
        """Record. Weights, statistics and random numbers go on by some steps.

        Args:
            step: as usual.
            optimization: of the same network, whose optimizer keeps its state already.
            x: a full batch, `(N, C, H, W)`.
            target: as `Step` takes it.
            capture: of the device.
        """
        self._step = step
        self._optimization = optimization
        self._x, self._target = x.clone(), target.clone()
        self._rate = torch.zeros((), device=x.device)
        self._loss = torch.zeros((), device=x.device)
        self._right = torch.zeros((), dtype=torch.int64, device=x.device)
        self._set_rate()
        with optimization.reading_rate(self._rate):
            capture.warm_up(self._whole)
            # Gradients that are made while recording lie in the graph's own memory.
            optimization.optimizer.zero_grad()
            with optimization.captured():
                self._replay = capture.record(self._whole)
        groups = optimization.optimizer.param_groups
        parameters = [parameter for group in groups for parameter in group["params"]]
        self._gradients = [(parameter, parameter.grad) for parameter in parameters if parameter.grad is not None]
        """Where a replay leaves them."""

    def __call__(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """As `Step` does."""
        if (x.shape, target.shape, target.dtype) != (self._x.shape, self._target.shape, self._target.dtype):
            return self._step(x, target)
        self._bring_back_gradients()
        self._set_rate()
        self._x.copy_(x)
        self._target.copy_(target)
        self._replay()
        return self._loss.clone(), self._right.clone()

    def _bring_back_gradients(self) -> None:
        """Let the parameters have the gradients that a replay writes: a step made as usual left them its own, and what
        forgot those none."""
        if any(parameter.grad is not gradient for parameter, gradient in self._gradients[:1]):
            for parameter, gradient in self._gradients:
                parameter.grad = gradient

    def _set_rate(self) -> None:
        self._optimization.set_rate()
        self._rate.fill_(self._optimization.step_learning_rate)

    def _whole(self) -> None:
        self._optimization.optimizer.zero_grad()
        loss, right = self._step.compute(self._x, self._target)
        self._loss.copy_(loss)
        self._right.copy_(right)


def capture_of(plan: RunPlan, num_processes: int) -> Capture | None:
    """What captures a run's steps; None where they go the usual way in any case."""
    if plan.device.type != "cuda" or num_processes > 1 or not plan.config.cuda_graphs or not _has_room(plan):
        return None
    return CudaCapture(plan.device)


def _has_room(plan: RunPlan) -> bool:
    """Whether memory is left for all steps that are kept or tried. Some drivers move to the host what does not fit, and
    say nothing."""
    try:
        available_bytes = device_memory(str(plan.device)).available_bytes
    except ValueError:
        return False
    return predicted_batch_size(plan, available_bytes // STEPS_AT_ONCE) >= plan.batch_size


def sample_batch(plan: RunPlan, *, is_mixed: bool) -> tuple[Tensor, Tensor]:
    """A batch as a run's own ones are, `(N, C, H, W)` and `(N,)`, but of noise: making one of its own would draw from
    the run's random numbers, and might read files.

    Args:
        plan: of the run.
        is_mixed: whether labels are shares of the classes, `(N, classes)`.
    """
    random = torch.Generator().manual_seed(plan.config.seed)
    num_classes = len(plan.data.class_names)
    x = torch.randn(plan.batch_size, *plan.architecture.input_shape, generator=random).to(plan.device)
    target = torch.randint(num_classes, (plan.batch_size,), generator=random).to(plan.device)
    x = x.contiguous(memory_format=choose_memory_format(plan.architecture, plan.device))
    return x, F.one_hot(target, num_classes).float() if is_mixed else target


class Chosen(NamedTuple):
    """How a run makes its steps."""

    make: MakeStep
    step: Step
    """What `make` replays, or is."""
    told: str | None = None
    """A sentence on it where the user should know."""


def other_steps(config: RunConfig, step: Step) -> tuple[Step, ...]:
    """The same step in the precisions that a graph is tried in beside its own."""
    device = step.precision.device
    if config.precision != "auto" or step.precision.name != "bfloat16" or device.type != "cuda":
        return ()
    return (step.in_precision(Precision("tf32", device)),)


def choose_step(
    step: Step,
    network: Network,
    optimization: Optimization,
    flag: Tensor,
    batch: tuple[Tensor, Tensor],
    capture: Capture,
    others: Sequence[Step] = (),
) -> Chosen:
    """How to make the steps of a run; nothing is different afterwards.

    Args:
        step: the usual way.
        network: in training mode, with the weights that the run starts or goes on from.
        optimization: likewise.
        flag: what `Guard` keeps on the device.
        batch: a full one; see `sample_batch`.
        capture: of the device.
        others: see `other_steps`.
    """
    if not can_be_tried(network):
        return Chosen(step, step)
    if (told := optimization.why_not_captured()) is not None:
        return Chosen(step, step, f"Steps are not captured as a CUDA graph: {told}.")
    before: TrialState | None = None
    chosen: Chosen
    try:
        before = TrialState(network, optimization, flag, batch[0].device)
        chosen = _Attempts(optimization, before, batch, capture).best(step, others)
    except Exception as error:
        _logger.warning("the step could not be captured", exc_info=True)
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        release(error)
        told = f"The step could not be captured as a CUDA graph, and is made as usual: {reason.rstrip('.')}."
        chosen = Chosen(step, step, told)
    # A run whose weights could not be put back must not begin.
    if before is not None:
        before.put_back()
    return chosen


class _Graphed(NamedTuple):
    step: Step
    make: GraphedStep
    seconds: float


class _Attempts:
    """Tries graphs from the state in which a run begins."""

    def __init__(
        self, optimization: Optimization, before: TrialState, batch: tuple[Tensor, Tensor], capture: Capture
    ) -> None:
        self._optimization = optimization
        self._before = before
        self._batch = batch
        self._capture = capture
        self._count = _MOST_TIMED

    def best(self, step: Step, others: Sequence[Step]) -> Chosen:
        """The fastest way, the usual step's own precision unless another gains enough."""
        usual_s = self._usual_s(step)
        if usual_s is None:
            return Chosen(step, step)
        own = self._graphed(step)
        if isinstance(own, str):
            return Chosen(step, step, f"A step replayed from a CUDA graph {own}; the run does without.")
        best = own
        for other in others:
            tried = self._tried(other)
            if tried is not None and tried.seconds <= _GAIN * best.seconds:
                best = tried
        times = f"{_milliseconds(best.seconds)} a step instead of {_milliseconds(usual_s)}"
        if best.seconds > _GAIN * usual_s:
            return Chosen(step, step, f"Steps are made as usual: a CUDA graph would take {times}.")
        how = "Each full batch is a replay of one CUDA graph"
        if best is not own:
            name = best.step.precision.title
            how += f" that multiplies in {name}, not in {step.precision.title} ({_milliseconds(own.seconds)})"
        return Chosen(best.make, best.step, f"{how}: {times}, measured before the start.")

    def _usual_s(self, step: Step) -> float | None:
        """A step's time; None where the device is kept busy as it is, or an answer would be long in coming."""
        capture = self._capture

        def usual() -> None:
            step(*self._batch)

        # The first ones choose algorithms and take memory; large networks are not kept waiting by more.
        first_s = [capture.seconds(usual, 1) for _ in range(_FIRST_STEPS)][-1]
        if first_s > _LONGEST_S or capture.host_seconds(usual) < _HOST_SHARE * first_s:
            return None
        self._count = max(_FEWEST_TIMED, min(_MOST_TIMED, int(_TIMED_S / max(first_s, 1e-6))))
        return capture.seconds(usual, self._count)

    def _graphed(self, step: Step) -> _Graphed | str:
        """The graph of a step; or how it does something else, as the end of a sentence."""
        graphed = GraphedStep(step, self._optimization, *self._batch, self._capture)
        if (told := difference(step, graphed, self._optimization, self._before, self._batch)) is not None:
            return told
        seconds = self._capture.seconds(lambda: _ignore(graphed(*self._batch)), self._count)
        return _Graphed(step, graphed, seconds)

    def _tried(self, step: Step) -> _Graphed | None:
        """The graph of another step, which nobody would miss."""
        try:
            tried = self._graphed(step)
        except Exception as error:
            _logger.warning("the step could not be captured in %s", step.precision.name, exc_info=True)
            release(error)
            return None
        if isinstance(tried, str):
            _logger.warning("a graph in %s %s", step.precision.name, tried)
            return None
        return tried


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.2f} ms"


def _ignore(_measured: tuple[Tensor, Tensor]) -> None:
    pass
