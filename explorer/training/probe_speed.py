"""How long an epoch will take, from about two seconds of the real step and test on a copy, before a run starts.

A run chooses how many threads compute, and on a GPU whether its step is a CUDA graph; the probe makes the same choices
in the same way, since either can make it several times as fast. Whether a run on the CPU will go over to bfloat16 it
finds from fewer steps than the run. That a long run may be compiled, which takes a minute, is left out.
"""

import time
from collections.abc import Callable

import torch

from explorer.architecture import Architecture
from explorer.runs import RunConfig
from explorer.runs.profile import SpeedEstimate
from explorer.training.class_counts import Answers
from explorer.training.pacing import ReportPacing
from explorer.training.profile_clock import Clock
from explorer.training.rehearsal import Rehearsal, rehearsing
from explorer.training.rehearsed_step import TimedStep, chosen_step, seconds_of, settled_step
from explorer.training.step import FORWARD_SHARE, evaluate, evaluation_batch_size
from explorer.training.thread_choice import ThreadChoice, choosing_threads
from explorer.training.trial import MakeStep

PROBE_S = 2.0
_WARM_UPS = 3
_WARM_UP_SHARE = 0.25
"""Of the probe's time, after which warming up ends however few steps there were."""
_TEST_SHARE = 0.2
_BFLOAT16_SHARE = 0.2
"""On top of the probe's time."""


def probe_speed(
    architecture: Architecture,
    config: RunConfig,
    *,
    most_s: float = PROBE_S,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> SpeedEstimate:
    """Train a copy for at most so long, and estimate how long a run would take.

    A step that takes longer than that is made twice, since the first pays for warming up. The time that it takes to
    bring the data to the device is not counted, nor what is written to disk after an epoch.

    Args:
        architecture: the network.
        config: how it would be trained.
        most_s: time for all steps together.
        is_cancelled: looked at between steps.

    Raises:
        RehearsalCancelled: the user, or a run that starts, ended it.
        ValueError: the network could not be trained so; the message says what would fit.
    """
    with (
        rehearsing(architecture, config, is_cancelled) as rehearsal,
        choosing_threads(rehearsal.plan, 1) as threads,
        chosen_step(rehearsal) as chosen,
    ):
        return _estimate(rehearsal, chosen.make, threads, most_s)


def _estimate(rehearsal: Rehearsal, make_step: MakeStep, threads: ThreadChoice | None, most_s: float) -> SpeedEstimate:
    plan = rehearsal.plan
    clock = Clock(plan.device, *plan.other_devices)
    start_s = time.perf_counter()
    for _ in range(_WARM_UPS):
        last_s = seconds_of(rehearsal, make_step, clock, 1)
        if time.perf_counter() - start_s > _WARM_UP_SHARE * most_s:
            break
    until_s = start_s + (1 - _TEST_SHARE) * most_s
    # As often as a run looks, which waits for the device and lets the choice of threads hear.
    pacing = ReportPacing()
    timed: dict[int, tuple[int, float]] = {}
    while not timed or time.perf_counter() + last_s * pacing.num_steps < until_s:
        count, num_threads = pacing.num_steps, 0 if threads is None else threads.count
        taken_s = seconds_of(rehearsal, make_step, clock, count)
        pacing.reported(count, taken_s)
        last_s = taken_s / count
        steps_before, seconds_before = timed.get(num_threads, (0, 0.0))
        timed[num_threads] = (steps_before + count, seconds_before + taken_s)
        if threads is not None:
            was_trying = threads.is_trying
            threads.measured(count * plan.batch_size, taken_s)
            if was_trying and not threads.is_trying:
                # Trials are over: what a run's steps take is what they take from here on.
                timed = {}
    # Several only where there was no time to choose. What is timed next is compared with the fastest.
    step_s, num_steps, num_threads = min((seconds / steps, steps, count) for count, (steps, seconds) in timed.items())
    if num_threads:
        torch.set_num_threads(num_threads)
    # The test stays in float32.
    test_s = _test_s(rehearsal, clock, step_s, most_s)
    settled = settled_step(rehearsal, clock, TimedStep(rehearsal.step, step_s), _BFLOAT16_SHARE * most_s)
    return SpeedEstimate(
        step_s=settled.seconds,
        batch_size=plan.batch_size,
        test_s=test_s,
        num_images=len(plan.data.train_images) if rehearsal.has_data else None,
        num_steps=num_steps,
        device=str(plan.device),
        data=plan.config.data,
    )


def _test_s(rehearsal: Rehearsal, clock: Clock, step_s: float, most_s: float) -> float:
    """Estimate for classifying all test images: measured on some of them, or on all where there is time."""
    plan = rehearsal.plan
    num_images, size = len(plan.data.test_images), evaluation_batch_size(plan)
    guess_s = FORWARD_SHARE * step_s / plan.batch_size
    if guess_s * size > _TEST_SHARE * most_s:
        return guess_s * num_images
    looked_s: list[float] = []

    def is_over() -> bool:
        rehearsal.look()
        if len(looked_s) == 1:
            clock.settle()  # the first part pays for warming up, and counts only where there is no other
        looked_s.append(time.perf_counter())
        return looked_s[-1] - looked_s[0] > _TEST_SHARE * most_s

    feed = rehearsal.test_feed()
    answers = Answers(plan.data.test_labels, plan.data.class_names)
    whole = evaluate(rehearsal.network, feed, size, is_over, answers=answers, autocast=plan.precision.autocast)
    clock.settle()
    end_s = time.perf_counter()
    # The look at which it ended began no part.
    begun_s = looked_s if whole is not None else looked_s[:-1]
    num_seen = min(num_images, len(begun_s) * size)
    if len(begun_s) == 1:
        return (end_s - begun_s[0]) / num_seen * num_images
    return (end_s - begun_s[1]) / (num_seen - size) * num_images
