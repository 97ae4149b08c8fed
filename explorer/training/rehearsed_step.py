"""How long the steps of a rehearsal take, and how a run would come to make them."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from torch import Tensor

from explorer.training.graphed import Chosen, capture_of, choose_step, other_steps, sample_batch
from explorer.training.guard import Guard
from explorer.training.precision import Precision
from explorer.training.precision_choice import GAIN, is_worth, may_choose_precision
from explorer.training.profile_clock import Clock
from explorer.training.rehearsal import Rehearsal, RehearsalCancelled
from explorer.training.step import Step
from explorer.training.trial import MakeStep

_logger = logging.getLogger(__name__)


class TimedStep(NamedTuple):
    """A step and the seconds that it takes, its batch included."""

    step: Step
    seconds: float


@contextmanager
def chosen_step(rehearsal: Rehearsal) -> Iterator[Chosen]:
    """How a run would make its steps from the first one on: on a GPU perhaps as a graph."""
    plan, step = rehearsal.plan, rehearsal.step
    capture = capture_of(plan, 1)
    if capture is None:
        yield Chosen(step, step)
        return
    optimization = rehearsal.optimization
    guard = Guard(rehearsal.network, optimization.optimizer, plan.device)
    try:
        batch = sample_batch(plan, is_mixed=rehearsal.is_mixed)
        others = other_steps(plan.config, step)
        yield choose_step(step, rehearsal.network, optimization, guard.flag, batch, capture, others)
    finally:
        guard.close()


def seconds_of(rehearsal: Rehearsal, make_step: MakeStep, clock: Clock, count: int) -> float:
    """What so many steps take together, their batches included.

    Raises:
        RehearsalCancelled: somebody ended it.
    """
    pending: list[Tensor] = []
    is_on_cpu = rehearsal.plan.device.type == "cpu"
    start_s = time.perf_counter()
    for _ in range(count):
        rehearsal.look()
        loss, _right = make_step(*rehearsal.batch())
        rehearsal.optimization.end_step()
        pending.append(loss)
        if is_on_cpu:
            loss.item()  # as a run does, where it costs nothing
    clock.settle()
    return time.perf_counter() - start_s


def settled_step(rehearsal: Rehearsal, clock: Clock, usual: TimedStep, most_s: float) -> TimedStep:
    """The step of a run once it has chosen its precision: another one than the usual one only where a run may choose,
    and is so long that it does.

    Args:
        rehearsal: of the run.
        clock: of its device.
        usual: as the plan has it.
        most_s: for the steps that are timed; at least two are made.

    Raises:
        RehearsalCancelled: somebody ended it.
    """
    plan = rehearsal.plan
    if not may_choose_precision(plan, rehearsal.network, 1):
        return usual
    if not is_worth(usual.seconds, usual.seconds * plan.num_steps_total):
        return usual
    mixed = usual.step.in_precision(Precision("bfloat16", plan.device))
    try:
        first_s = seconds_of(rehearsal, mixed, clock, 1)
        count = max(1, int(most_s / max(first_s, usual.seconds)))
        mixed_s = seconds_of(rehearsal, mixed, clock, count) / count
    except RehearsalCancelled:
        raise
    except Exception:
        _logger.info("no step in bfloat16 could be made", exc_info=True)
        return usual
    return TimedStep(mixed, mixed_s) if mixed_s <= GAIN * usual.seconds else usual
