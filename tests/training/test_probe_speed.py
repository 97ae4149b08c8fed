"""What an estimate says, by its own arithmetic; how right it is, a machine that tests cannot say."""

import pytest
import torch

from explorer.architecture import edits
from explorer.runs import RunConfig
from explorer.training.data import load_data
from explorer.training.probe_speed import probe_speed
from explorer.training.rehearsal import RehearsalCancelled
from explorer.zoo import entry
from tests.networks import branching


def config(**changes: int | float | str) -> RunConfig:
    return RunConfig.from_plain({**RunConfig().to_plain(), "device": "cpu", "batch_size": 16, **changes})


def test_an_epoch_is_its_images_and_its_test() -> None:
    before = torch.get_rng_state()
    found = probe_speed(branching(), config(), most_s=0.2)
    assert (found.batch_size, found.device, found.data) == (16, "cpu", "digits")
    assert found.num_images == len(load_data("digits").train_images) == 4000
    assert found.num_steps >= 1
    assert found.test_s > 0
    assert found.epoch_s == pytest.approx(4000 / 16 * found.step_s + found.test_s)
    assert found.epoch_s is not None
    assert found.run_s(7) == pytest.approx(7 * found.epoch_s)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_step_that_takes_longer_than_the_probe_is_still_timed() -> None:
    found = probe_speed(branching(), config(), most_s=1e-6)
    assert found.num_steps == 1
    assert found.step_s > 0
    # There is no time for a test, so a third of a step an image it is.
    assert found.test_s == pytest.approx(1000 / 16 * found.step_s / 3)


def test_without_the_data_set_the_length_of_an_epoch_is_not_known() -> None:
    found = probe_speed(edits.set_input_shape(branching(), 3, 32, 32), config(data="cifar10"), most_s=1e-6)
    assert (found.num_images, found.epoch_s, found.run_s(3)) == (None, None, None)
    assert found.images_per_second > 0


def test_augmented_images_are_augmented_in_the_probe() -> None:
    found = probe_speed(entry("lenet5").build(), config(augmentation="flip, mixup"), most_s=1e-6)
    assert found.step_s > 0


def test_it_can_be_ended() -> None:
    looks: list[None] = []

    def is_cancelled() -> bool:
        looks.append(None)
        return len(looks) > 4

    with pytest.raises(RehearsalCancelled):
        probe_speed(branching(), config(), is_cancelled=is_cancelled)
    assert len(looks) == 5
