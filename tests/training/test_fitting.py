"""The largest batch after a lack of memory, against a device that has room for so many images."""

import gc
import weakref
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.inference import infer
from explorer.inference.memory import OPTIMIZERS, largest_batch, memory
from explorer.runs import RunConfig
from explorer.runtime.devices import DeviceMemory
from explorer.runtime.modules import build_module
from explorer.training import fitting, plan_run
from explorer.training.fitting import fitting_batch_size, largest_that_fits, make_attempt, release
from explorer.training.layout import choose_memory_format


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


@pytest.fixture
def no_collector() -> Iterator[list[str]]:
    """What the collector did, which is off: beside a window it runs in that thread alone."""
    collections: list[str] = []
    gc.collect()
    gc.disable()
    gc.callbacks.append(lambda phase, _info: collections.append(phase))
    yield collections
    gc.callbacks.pop()
    gc.enable()


@pytest.mark.parametrize("fails_in", ["forward", "backward"])
@pytest.mark.parametrize("is_wrapped", [False, True])
def test_the_tensors_of_a_failed_step_are_freed_without_collecting(
    fails_in: str, is_wrapped: bool, no_collector: list[str]
) -> None:
    network = build_module(zoo.entry("resnet20").build(), seed=0)
    seen: list[weakref.ref[Tensor]] = []

    def step() -> None:
        def after(module: nn.Module, _inputs: object, output: Tensor) -> None:
            seen.append(weakref.ref(output))
            if fails_in == "forward" and len(seen) == 9:
                raise torch.OutOfMemoryError("CUDA out of memory.")

        def refuse(gradient: Tensor) -> None:
            seen.append(weakref.ref(gradient))
            raise torch.OutOfMemoryError("CUDA out of memory.")

        parts = [module for module in network.modules() if not list(module.children())]
        hooks = [part.register_forward_hook(after) for part in parts]
        hooks.append(next(network.parameters()).register_hook(refuse))  # type: ignore[no-untyped-call]
        try:
            loss = F.cross_entropy(network(torch.zeros(2, 3, 32, 32)), torch.zeros(2, dtype=torch.int64))
            torch.autograd.backward(loss)
        finally:
            for hook in hooks:
                hook.remove()

    try:
        try:
            step()
        except torch.OutOfMemoryError as cause:
            if is_wrapped:
                raise ValueError("of another") from cause
            raise
    except (torch.OutOfMemoryError, ValueError) as error:
        assert any(value() is not None for value in seen), "what is to be freed is there"
        network.zero_grad(set_to_none=True)
        release(error)
        assert len(seen) > 8
        assert [value() for value in seen if value() is not None] == []
    assert no_collector == []


@pytest.mark.parametrize("has_state", [False, True])
@pytest.mark.parametrize("name", ["lenet5", "resnet20"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_attempt_takes_what_the_optimizer_will_keep_and_its_images_as_the_network_reads_them(
    optimizer: str, name: str, has_state: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = RunConfig.from_plain({**RunConfig().to_plain(), "device": "cpu", "optimizer": optimizer, "batch_size": 8})
    architecture = zoo.entry(name).build()
    plan = plan_run(architecture, config)
    frozen, *_ = (network := build_module(plan.architecture, seed=0)).parameters()
    frozen.requires_grad = False
    taken: list[weakref.ref[Tensor]] = []
    usual = torch.empty_like

    def take(like: Tensor) -> Tensor:
        values = usual(like)
        taken.append(weakref.ref(values))
        return values

    seen: list[tuple[int, bool]] = []
    layout = choose_memory_format(plan.architecture, plan.device)

    def look(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        there = [values for found in taken if (values := found()) is not None]
        seen.append((sum(values.nbytes for values in there), inputs[0].is_contiguous(memory_format=layout)))

    network.register_forward_pre_hook(look)
    with monkeypatch.context() as patch:
        patch.setattr(torch, "empty_like", take)
        make_attempt(network, plan, has_state=has_state)(3)
    whole = memory(
        plan.architecture, infer(plan.architecture), batch_size=8, optimizer=optimizer, momentum=config.momentum
    )
    per_value = whole.optimizer_bytes // whole.gradient_bytes
    expected = 0 if has_state else whole.optimizer_bytes - per_value * frozen.nbytes
    assert seen == [(expected, True)]
    assert [found() for found in taken if found() is not None] == []
    assert all(parameter.grad is None for parameter in network.parameters())
