"""The largest batch after a lack of memory, against a device that has room for so many images."""

import gc
from collections.abc import Iterator

import pytest
import torch

from explorer import zoo
from explorer.inference import infer
from explorer.inference.memory import largest_batch
from explorer.runs import RunConfig
from explorer.runtime.devices import DeviceMemory
from explorer.training import fitting, plan_run
from explorer.training.fitting import fitting_batch_size, largest_that_fits


@pytest.fixture(autouse=True)
def _quick_collections() -> Iterator[None]:
    """Each trial that fails collects garbage, which in a process full of other tests' imports takes a second."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize("room", [0, 1, 2, 7, 63, 64, 100, 511])
def test_the_answer_fits_and_is_close_to_the_most(room: int) -> None:
    tried: list[int] = []

    def attempt(num_images: int) -> None:
        tried.append(num_images)
        if num_images > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    found = largest_that_fits(511, attempt)
    assert found <= room
    assert found >= room - max(1, room // 4)
    assert len(tried) <= 10


def test_another_failure_ends_the_trials() -> None:
    def attempt(num_images: int) -> None:
        raise RuntimeError("a kernel broke")

    assert largest_that_fits(64, attempt) == 0


def test_on_the_cpu_it_is_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    architecture = zoo.entry("lenet5").build()
    plan = plan_run(architecture, RunConfig(batch_size=512))
    room = 4_000_000
    monkeypatch.setattr(fitting, "device_memory", lambda _: DeviceMemory("cpu", room, room))
    expected = largest_batch(plan.architecture, infer(plan.architecture), room, optimizer="sgd", momentum=0.9)
    assert 0 < expected < 512
    assert fitting_batch_size(plan, MemoryError(), None) == expected
    monkeypatch.setattr(fitting, "device_memory", lambda _: DeviceMemory("cpu", room, 1000))
    assert fitting_batch_size(plan, MemoryError(), None) is None
    # There was room for it by the figures: somebody else took it.
    monkeypatch.setattr(fitting, "device_memory", lambda _: DeviceMemory("cpu", 10**12, 10**12))
    assert fitting_batch_size(plan, MemoryError(), None) == 256
