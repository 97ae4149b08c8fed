"""How long an epoch will take, from at most two seconds of the real step on a copy, before a run starts."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.runs import RunConfig
from explorer.runs.profile import SpeedEstimate
from explorer.runtime.feature_maps import evaluating
from explorer.training.guard import Guard
from explorer.training.profile_clock import Clock
from explorer.training.rehearsal import Rehearsal, rehearsing

PROBE_S = 2.0
_WARM_UPS = 3
_WARM_UP_SHARE = 0.25
"""Of the probe's time, after which warming up ends however few steps there were."""
_TEST_SHARE = 0.1
_FORWARD_SHARE = 1 / 3
"""Of a step's time that its forward pass takes, where there is no time to measure a test: a convolution's backward
pass is two of the same size."""
_LARGEST_CHUNK = 256
"""Steps between two looks at the clock, which wait for the device."""


def probe_speed(
    architecture: Architecture,
    config: RunConfig,
    *,
    most_s: float = PROBE_S,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> SpeedEstimate:
    """Train a copy for at most so long, and estimate how long a run would take.

    A step that takes longer than that is made twice, since the first pays for warming up; the time that it takes to
    bring the data to the device is not counted.

    Args:
        architecture: the network.
        config: how it would be trained.
        most_s: time for all steps together.
        is_cancelled: looked at between steps.

    Raises:
        RehearsalCancelled: the user, or a run that starts, ended it.
        ValueError: the network could not be trained so; the message says what would fit.
    """
    with rehearsing(architecture, config, is_cancelled) as rehearsal:
        guard = Guard(rehearsal.network, rehearsal.optimization.optimizer, rehearsal.plan.device)
        try:
            return _estimate(rehearsal, most_s)
        finally:
            guard.close()


def _estimate(rehearsal: Rehearsal, most_s: float) -> SpeedEstimate:
    plan, clock = rehearsal.plan, Clock(rehearsal.plan.device)
    start_s = time.perf_counter()
    for _ in range(_WARM_UPS):
        last_s = _steps(rehearsal, clock, 1)
        if time.perf_counter() - start_s > _WARM_UP_SHARE * most_s:
            break
    timed, count, seconds, chunk = 0, 0, 0.0, 1
    until_s = start_s + (1 - _TEST_SHARE) * most_s
    while not count or time.perf_counter() + last_s * chunk < until_s:
        taken_s = _steps(rehearsal, clock, chunk)
        seconds, count, timed = seconds + taken_s, count + chunk, timed + 1
        last_s = taken_s / chunk
        # The device is waited for about ten times, so that it runs ahead of the host as in training.
        chunk = max(1, min(_LARGEST_CHUNK, int(most_s / 10 / max(last_s, 1e-6))))
    step_s = seconds / count
    num_images = len(plan.data.train_images) if rehearsal.has_data else None
    return SpeedEstimate(
        step_s=step_s,
        batch_size=plan.batch_size,
        test_s=_test_s(rehearsal, clock, step_s, most_s),
        num_images=num_images,
        num_steps=count,
        device=str(plan.device),
        data=plan.config.data,
    )


def _steps(rehearsal: Rehearsal, clock: Clock, count: int) -> float:
    """Seconds that so many steps take."""
    pending: list[Tensor] = []
    is_on_cpu = rehearsal.plan.device.type == "cpu"
    start_s = time.perf_counter()
    for _ in range(count):
        rehearsal.look()
        loss, _right = rehearsal.step(*rehearsal.batch())
        rehearsal.optimization.end_step()
        pending.append(loss)
        if is_on_cpu:
            loss.item()  # as a run does, where it costs nothing
    clock.settle()
    return time.perf_counter() - start_s


def _test_s(rehearsal: Rehearsal, clock: Clock, step_s: float, most_s: float) -> float:
    """Estimate for classifying all test images."""
    plan = rehearsal.plan
    num_images, size = len(plan.data.test_images), plan.batch_size
    image_s = _FORWARD_SHARE * step_s / size
    if 2 * size * image_s < _TEST_SHARE * most_s:
        x, _target = rehearsal.batch()
        first = plan.logits_id
        with torch.inference_mode(), evaluating(rehearsal.network):
            rehearsal.network.trace(x, (first,))
            clock.settle()
            start_s = time.perf_counter()
            rehearsal.network.trace(x, (first,))
            clock.settle()
            image_s = (time.perf_counter() - start_s) / size
    return num_images * image_s
