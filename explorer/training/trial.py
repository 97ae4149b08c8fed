"""Another way to make the steps of a run, tried on the run's own weights: whether it does the same as the usual one,
and is faster.

Afterwards all is put back to the bit, so that a run does not know that it was tried.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from explorer.runtime.devices import device_memory
from explorer.runtime.modules import Network
from explorer.training.fitting import release
from explorer.training.guard import Guard
from explorer.training.optimization import Optimization
from explorer.training.random_state import get_random_state, set_random_state

MakeStep = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""What `Step` is to its caller."""
Batch = tuple[Tensor, Tensor]

_MOST_VALUES = 32_000_000
"""Weights of a network that is tried on the CPU, where comparing them takes time."""
TRIED_WEIGHTS = 10
"""Times the weights' own memory that a trial takes: what is put back, and what is compared."""
_LOSS_TOLERANCE = 0.01
TIMED_S, MOST_TIMED = 3.0, 7
"""Pairs of steps are timed for so long, but one at least, and so many at most."""
_logger = logging.getLogger(__name__)


class Tolerance(NamedTuple):
    """By how much two ways may differ: shares of the norm of all gradients, or of all changes that two steps make."""

    error: float = 0.15
    """Of the whole. Adam's first steps go by the gradients' signs, and some of these are left to rounding; a way that
    leaves a part out, or reads an old batch, is off by much more: two batches' gradients by about their own norm."""
    nothing: float = 1e-5
    """Of a weight that changes in one way and not in the other: a convolution's bias in front of a norm changes
    nothing, so that its own change is rounding or none."""


SUMS = Tolerance()
"""Where sums are rounded otherwise."""


class Verdict(NamedTuple):
    """What a trial found."""

    difference: str | None
    """How the other way does something else, as the end of a sentence; it is not timed then."""
    usual_s: float = 0.0
    """A step's time."""
    other_s: float = 0.0

    @property
    def times(self) -> str:
        """Both, as the user reads them."""
        return f"{_milliseconds(self.other_s)} a step instead of {_milliseconds(self.usual_s)}"

    def is_faster(self, share: float) -> bool:
        """Whether the other way does the same and takes at most this share of the usual one's time."""
        return self.difference is None and self.other_s <= share * self.usual_s


class Trial:
    """Where other ways are tried: a run's weights and all that steps change beside them."""

    def __init__(self, network: Network, optimization: Optimization, guard: Guard, device: torch.device) -> None:
        """Try nothing yet.

        Args:
            network: of the run, in training mode on its device.
            optimization: of its weights.
            guard: of the run.
            device: of the run.
        """
        self._network = network
        self._optimization = optimization
        self._guard = guard
        self._device = device

    def of(
        self,
        usual: MakeStep,
        prepare: Callable[[Batch], MakeStep | None],
        make_batch: Callable[[], Batch],
        is_stopped: Callable[[], bool],
        tolerance: Tolerance = SUMS,
    ) -> tuple[MakeStep, Verdict] | None:
        """Compare two ways; nothing of the run is different afterwards, nor torch's number of threads.

        Args:
            usual: the way of now.
            prepare: makes the other one ready, on a full batch; None where it turns out that there is none.
            make_batch: makes a full one; see `sample_batch`.
            is_stopped: whether nobody waits for an answer any more.
            tolerance: by how much they may differ.

        Returns:
            The other way and what was found; None where nothing was, since somebody stopped the run or it failed.
        """
        before: TrialState | None = None
        count = torch.get_num_threads()
        try:
            batch = make_batch()
            before = TrialState(self._network, self._optimization, self._guard.flag, self._device)
            other = prepare(batch)
            if other is None:
                return None
            ways = (_unless(is_stopped, usual), _unless(is_stopped, other))
            if (told := difference(*ways, self._optimization, before, batch, tolerance)) is not None:
                return other, Verdict(told)
            return other, Verdict(None, *self._times(usual, other, batch, is_stopped))
        except _Stopped:
            return None
        except Exception as error:
            _logger.warning("another way of making steps could not be tried", exc_info=True)
            release(error)
            return None
        finally:
            torch.set_num_threads(count)
            # A run whose weights could not be put back must not go on.
            if before is not None:
                before.put_back()

    def _times(
        self, usual: MakeStep, other: MakeStep, batch: Batch, is_stopped: Callable[[], bool]
    ) -> tuple[float, float]:
        """Of both, in turns, in seconds: the shortest, which other programs disturbed least."""
        times: tuple[list[float], list[float]] = ([], [])
        start_s = time.perf_counter()
        while len(times[0]) < MOST_TIMED and not (times[0] and time.perf_counter() - start_s > TIMED_S):
            times[0].append(self._seconds(usual, batch))
            times[1].append(self._seconds(other, batch))
            if is_stopped():
                raise _Stopped
        return min(times[0]), min(times[1])

    def _seconds(self, make: MakeStep, batch: Batch) -> float:
        self._synchronize()
        start_s = time.perf_counter()
        make(*batch)
        self._synchronize()
        return time.perf_counter() - start_s

    def _synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


class _Stopped(Exception):  # noqa: N818 - it says what happened
    """Nobody waits for an answer any more."""


def _unless(is_stopped: Callable[[], bool], make: MakeStep) -> MakeStep:
    def made(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        if is_stopped():
            raise _Stopped
        return make(x, target)

    return made


def can_be_tried(network: Network) -> bool:
    """Whether its weights lie on one device, and are few enough to be kept several times."""
    parameters = list(network.parameters())
    devices = {parameter.device for parameter in parameters}
    if len(devices) > 1:
        return False
    num_values = sum(parameter.numel() for parameter in parameters)
    if num_values <= _MOST_VALUES or devices == {torch.device("cpu")}:
        return num_values <= _MOST_VALUES
    (device,) = devices
    try:
        return has_room_for(parameters, str(device))
    except ValueError:
        return False


def has_room_for(parameters: Sequence[Tensor], device: str) -> bool:
    """Whether a trial of a network with these weights takes at most half of the memory that is left.

    Args:
        parameters: of the network.
        device: by torch's name.

    Raises:
        ValueError: there is no such device any more.
    """
    weights_bytes = sum(parameter.numel() * parameter.element_size() for parameter in parameters)
    return device_memory(device).available_bytes >= 2 * TRIED_WEIGHTS * weights_bytes


def difference(
    usual: MakeStep,
    other: MakeStep,
    optimization: Optimization,
    before: "TrialState",
    batch: Batch,
    tolerance: Tolerance = SUMS,
) -> str | None:
    """How another way does something else in two steps from the same state, as the end of a sentence; None where it
    does the same.

    The second step has other images, labels and another learning rate, which must not be kept from the first.

    Args:
        usual: the usual way.
        other: the other one.
        optimization: of both.
        before: where both begin.
        batch: a full one.
        tolerance: by how much they may differ.
    """
    x, target = batch
    batches = [(x, target), (torch.empty_like(x).copy_(x.flip(3)), target.roll(1, 0))]
    losses: list[list[float]] = []
    changes: list[tuple[list[Tensor], list[Tensor]]] = []
    gradients: list[list[Tensor]] = []
    for make in (usual, other):
        before.restore()
        own = []
        for place, (images, labels) in enumerate(batches):
            own.append(make(images, labels)[0])
            optimization.learning_rate *= 0.5
            if place == 0:
                gradients.append(before.gradients())
        losses.append(torch.stack(own).tolist())
        changes.append(before.changes())
    for expected, found in zip(*losses, strict=True):
        if not abs(found - expected) <= _LOSS_TOLERANCE * max(1.0, abs(expected)):
            return f"came to a loss of {found:.4g} where the usual one comes to {expected:.4g}"
    # What an optimizer remembers moves weights also where no gradient comes to them any more.
    if not _agree(gradients[0], gradients[1], tolerance):
        return "came to other gradients than the usual one"
    for what, usual_changes, other_changes in zip(("weights", "statistics"), *changes, strict=True):
        if not _agree(usual_changes, other_changes, tolerance):
            return f"changed the {what} otherwise than the usual one"
    return None


def _agree(expected: Sequence[Tensor], found: Sequence[Tensor], tolerance: Tolerance) -> bool:
    """Whether two lists of changes, or of gradients, are the same but for rounding, and none is missing."""
    if not expected:
        return True
    norms, found_norms = (torch.stack([change.norm() for change in changes]) for changes in (expected, found))
    size = norms.norm()
    error = torch.stack([(one - other).norm() for one, other in zip(expected, found, strict=True)]).norm()
    is_missing = ((norms == 0) != (found_norms == 0)) & (torch.maximum(norms, found_norms) > tolerance.nothing * size)
    return bool(error <= tolerance.error * size) and not bool(is_missing.any())


class TrialState:
    """All that steps change, as it was."""

    def __init__(self, network: Network, optimization: Optimization, flag: Tensor, device: torch.device) -> None:
        """Keep it beside itself.

        Args:
            network: in training mode.
            optimization: of its weights.
            flag: what `Guard` keeps on the device.
            device: of the run.
        """
        self._optimization = optimization
        self._device = device
        self._weights = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._statistics = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
        own = (*self._weights, *network.buffers(), flag, optimization.gradient_norm)
        self._kept = [(value, value.detach().clone()) for value in own]
        self._gradients = [weight.grad for weight in self._weights]
        """Of the last step, which whoever looks at the run may still want."""
        self._kept_by_optimizer = {id(value): value.clone() for value in self._optimizer_tensors()}
        self._rates = [group["lr"] for group in optimization.optimizer.param_groups]
        self._learning_rate = optimization.learning_rate
        self._random = get_random_state(device)

    def restore(self) -> None:
        """Put everything back, in its place. What an optimizer began to keep since then begins at zero in any case."""
        optimizer = self._optimization.optimizer
        optimizer.zero_grad()
        with torch.no_grad():
            for value, kept in self._kept:
                value.copy_(kept)
            for value in self._optimizer_tensors():
                before = self._kept_by_optimizer.get(id(value))
                value.zero_() if before is None else value.copy_(before)
        for group, rate in zip(optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate
        self._optimization.learning_rate = self._learning_rate
        set_random_state(self._random, self._device)

    def put_back(self) -> None:
        """Put everything back for good, the gradients of the last step too."""
        self.restore()
        for weight, gradient in zip(self._weights, self._gradients, strict=True):
            weight.grad = gradient

    def gradients(self) -> list[Tensor]:
        """Of the last step, copied; zeros where a weight has none."""
        with torch.no_grad():
            return [
                torch.zeros_like(weight) if weight.grad is None else weight.grad.clone() for weight in self._weights
            ]

    def changes(self) -> tuple[list[Tensor], list[Tensor]]:
        """What became of the weights, and of the running statistics, since then: differences."""
        kept = {id(value): before for value, before in self._kept}
        with torch.no_grad():
            return (
                [value - kept[id(value)] for value in self._weights],
                [value - kept[id(value)] for value in self._statistics],
            )

    def _optimizer_tensors(self) -> list[Tensor]:
        states = self._optimization.optimizer.state.values()
        return [value for state in states for value in state.values() if isinstance(value, Tensor)]


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:,.0f} ms" if seconds >= 0.1 else f"{1e3 * seconds:.1f} ms"
