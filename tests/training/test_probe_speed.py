"""What an estimate says: by its own arithmetic, and on simulated machines whose clock only steps and tests move.

How right it is on a real machine `tests/benchmarks/estimate` says.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer.architecture import edits
from explorer.runs import RunConfig
from explorer.runtime.modules import Network
from explorer.training import probe_speed as module
from explorer.training import rehearsal as rehearsal_module
from explorer.training import rehearsed_step as rehearsed
from explorer.training.data import load_data
from explorer.training.graphed import Chosen
from explorer.training.probe_speed import probe_speed
from explorer.training.rehearsal import RehearsalCancelled
from explorer.training.step import Step
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


def test_the_random_numbers_of_both_gpus_of_a_split_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout on the first of two draws from its own; no GPU is asked."""
    forked: list[list[torch.device]] = []
    first, last = torch.device("cuda", 0), torch.device("cuda", 1)

    @contextlib.contextmanager
    def fork(devices: list[torch.device]) -> Iterator[None]:
        forked.append(devices)
        yield

    plan = SimpleNamespace(device=last, other_devices=(first,), precision=None)
    monkeypatch.setattr(rehearsal_module, "plan_run", lambda *_, **__: plan)
    monkeypatch.setattr(rehearsal_module, "computing_in", lambda _precision: contextlib.nullcontext())
    monkeypatch.setattr(rehearsal_module, "Rehearsal", lambda *_: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(torch.random, "fork_rng", fork)
    with rehearsal_module.rehearsing(branching(), config(), lambda: False):
        pass
    assert [set(devices) for devices in forked] == [{first, last}]


class Machine:
    """Steps take as long as it says for a count of threads, and tests so long an image; nothing else takes time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step_s: Callable[[int], float], image_s: float = 1e-6) -> None:
        self.now_s = 0.0
        self.first_test_s = 0.0
        """By how much the first part of a test takes longer."""
        self._step_s, self._image_s = step_s, image_s
        self.threads: list[int] = []
        """Of each step."""
        self.bfloat16_share: float | None = None
        """Of the time in float32 that a step in bfloat16 takes; None without units for it."""
        self.knows_bfloat16 = True
        """Whether all layers can compute in it."""
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            monkeypatch.delenv(name, raising=False)
        torch.set_num_threads(2)
        monkeypatch.setattr(module, "time", self)
        monkeypatch.setattr(rehearsed, "time", self)

        def call(step: Step, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
            return self.step(step, x, target)

        monkeypatch.setattr(Step, "__call__", call)
        monkeypatch.setattr(rehearsed, "may_choose_precision", lambda *_: self.bfloat16_share is not None)
        monkeypatch.setattr(Network, "trace", lambda _network, x, ids: self.trace(x, ids))

    def perf_counter(self) -> float:
        return self.now_s

    def step(self, step: Step, _x: Tensor, _target: Tensor) -> tuple[Tensor, Tensor]:
        self.threads.append(torch.get_num_threads())
        share = 1.0
        if step.precision.is_mixed:
            assert self.bfloat16_share is not None
            share = self.bfloat16_share
            if not self.knows_bfloat16:
                raise RuntimeError("not implemented for 'BFloat16'")
        self.now_s += share * self._step_s(self.threads[-1])
        return torch.zeros(()), torch.zeros(())

    def trace(self, x: Tensor, ids: Iterable[str]) -> dict[str, Tensor]:
        self.now_s += self._image_s * len(x) + self.first_test_s
        self.first_test_s = 0.0
        return {node_id: torch.zeros(len(x), 10) for node_id in ids}


@pytest.mark.parametrize(
    ("two_s", "one_s"), [(0.001, 0.002), (0.05, 0.002), (0.8, 1.5)], ids=["idle", "busy", "no time to choose"]
)
def test_it_computes_with_as_many_threads_as_a_run_comes_to(
    two_s: float, one_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(monkeypatch, lambda threads: two_s if threads > 1 else one_s)
    found = probe_speed(branching(), config())
    assert found.step_s == pytest.approx(min(two_s, one_s))
    assert machine.now_s < 2.0 + 2 * two_s
    assert torch.get_num_threads() == 2


def test_a_count_of_threads_that_is_set_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, lambda threads: 0.01 * threads)
    assert probe_speed(branching(), config(threads=1)).step_s == pytest.approx(0.01)
    assert set(machine.threads) == {1}


def test_what_a_first_step_takes_longer_is_no_part_of_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, lambda _threads: 0.001 if len(machine.threads) > 2 else 0.3)
    assert probe_speed(branching(), config()).step_s == pytest.approx(0.001)


@pytest.mark.parametrize("image_s", [2e-5, 2e-3], ids=["all of it", "a part"])
def test_the_test_is_measured_on_as_many_images_as_there_is_time_for(
    image_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(monkeypatch, lambda _threads: 0.002, image_s)
    machine.first_test_s = 0.05
    found = probe_speed(branching(), config())
    # 1,000 images, of which the first 32 pay for warming up.
    assert found.test_s == pytest.approx(1000 * image_s)
    assert machine.now_s < 2.1


def test_a_step_that_a_run_would_capture_is_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, lambda _threads: 0.004)
    tried: list[tuple[tuple[int, ...], ...]] = []

    def choose(step: Step, *given: Any) -> Chosen:
        *_, (x, target), capture, _others = given
        assert capture == "graphs"
        tried.append((tuple(x.shape), tuple(target.shape)))

        def replay(_x: Tensor, _target: Tensor) -> tuple[Tensor, Tensor]:
            machine.now_s += 0.001
            return torch.zeros(()), torch.zeros(())

        return Chosen(replay, step)

    monkeypatch.setattr(rehearsed, "capture_of", lambda *_: "graphs")
    monkeypatch.setattr(rehearsed, "choose_step", choose)
    assert probe_speed(branching(), config(augmentation="mixup")).step_s == pytest.approx(0.001)
    # As a run would: of a whole batch, whose labels are shares where images are mixed.
    assert tried == [((16, 3, 16, 16), (16, 10))]


def test_a_run_that_would_go_over_to_bfloat16_is_estimated_so(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, lambda _threads: 0.2)
    machine.bfloat16_share = 0.5
    found = probe_speed(branching(), config())
    assert found.step_s == pytest.approx(0.1)
    # Tests are in float32.
    assert found.test_s == pytest.approx(1000e-6, rel=0.1)

    machine.bfloat16_share = 0.95
    assert probe_speed(branching(), config()).step_s == pytest.approx(0.2)

    machine.bfloat16_share = 0.5
    monkeypatch.setattr(rehearsed, "is_worth", lambda *_: False)
    assert probe_speed(branching(), config()).step_s == pytest.approx(0.2)


def test_bfloat16_is_compared_with_the_same_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there was no time to choose one, and the last that was tried was the slower."""
    machine = Machine(monkeypatch, lambda threads: 0.2 if threads > 1 else 0.4)
    machine.bfloat16_share = 0.6
    assert probe_speed(branching(), config()).step_s == pytest.approx(0.12)
    assert set(machine.threads) == {1, 2}


def test_a_network_that_knows_no_bfloat16_is_estimated_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, lambda _threads: 0.2)
    machine.bfloat16_share, machine.knows_bfloat16 = 0.5, False
    assert probe_speed(branching(), config()).step_s == pytest.approx(0.2)
