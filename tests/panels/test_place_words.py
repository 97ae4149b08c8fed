"""Where a run computes, in words."""

import dataclasses

import numpy as np
import pytest

from explorer.panels.place_words import place_tip, place_words
from explorer.runs import RunConfig, RunStarted, StepsRecorded

ALONE = RunStarted(
    run_id="r",
    config=RunConfig(),
    architecture_name="net",
    device="CPU, 1 thread",
    num_train=1,
    num_test=1,
    steps_per_epoch=1,
    num_parameters=1,
    notes=(),
)
TOGETHER = dataclasses.replace(ALONE, num_processes=2, images_per_second_alone=1000.0)
STEPS = StepsRecorded(
    run_id="r",
    first_step=1,
    losses=np.zeros(1, np.float32),
    accuracies=np.zeros(1, np.float32),
    learning_rate=0.1,
    epoch=1,
    images_per_second=1860.0,
    seconds_left=None,
    num_steps_total=4,
)


@pytest.mark.parametrize(
    ("device", "started", "steps", "words"),
    [
        ("", None, None, ""),
        ("CPU, 2 threads", ALONE, STEPS, "CPU, 2 threads"),
        ("CPU, 1 thread", TOGETHER, None, "CPU, 2 processes"),
        ("CPU", TOGETHER, STEPS, "CPU, 2 processes, efficiency 93\u2009%"),
        ("NVIDIA H200 (cuda:0)", TOGETHER, STEPS, "2 GPUs (NVIDIA H200), efficiency 93\u2009%"),
        ("NVIDIA H200 (cuda:0)", ALONE, STEPS, "NVIDIA H200 (cuda:0)"),
    ],
)
def test_the_place(device: str, started: RunStarted | None, steps: StepsRecorded | None, words: str) -> None:
    assert place_words(device, started, steps) == words


def test_the_tip_says_what_is_compared() -> None:
    assert place_tip(None) == place_tip(ALONE) == ""
    assert place_tip(TOGETHER).startswith("2 processes together, compared with 2 times what one reached alone: 1,000 ")
