"""Compiled steps: whether and when they are asked for, and what a run does with one."""

import dataclasses
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.runs import EpochFinished, Event, RunControl, RunFinished, RunNoted, StepsRecorded
from explorer.runtime import threads
from explorer.runtime.devices import DeviceMemory
from explorer.runtime.modules import build_module
from explorer.training import compilation as module
from explorer.training import step_choice
from explorer.training.compilation import Compilation, may_compile
from explorer.training.loop import train
from explorer.training.plan import plan_run
from explorer.training.trial import Trial
from tests.training.step_parts import CONFIG, Forward, Parts, Working, losses, normed

pytestmark = pytest.mark.usefixtures("few_digits")


def compilation_of(parts: Parts, working: Working, counts: Sequence[int] = (1,)) -> Compilation:
    return Compilation(parts.plan, parts.network, parts.step, parts.guard, counts, begin=working.begin)


def test_it_begins_once_the_run_has_settled_and_is_long_enough(parts: Parts) -> None:
    working = Working([None])
    compilation = compilation_of(parts, working, (2, 1))

    compilation.heard(100, 0.2, None)
    compilation.heard(100, 0.2, 599.0)
    compilation.heard(19, 0.2, 5000.0)
    # A step of two seconds: trying it would take half a minute.
    compilation.heard(100, 2.0, 999.0)
    assert not working.jobs
    assert not compilation.is_ready

    compilation.heard(100, 0.2, 600.0)
    compilation.heard(120, 0.2, 590.0)
    (job,) = working.jobs
    assert (job["device"], job["batch_size"], job["threads"]) == ("cpu", 16, (2, 1))
    assert not compilation.is_ready


@pytest.mark.parametrize(
    ("available_bytes", "begins"), [(1_504_000_000, True), (1_500_040_000, False), (1_000_000_000, False)]
)
def test_it_begins_only_where_memory_is_left(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, available_bytes: int, begins: bool
) -> None:
    # The input and four layers of 16 images take about 0.2 MB.
    monkeypatch.setattr(module, "device_memory", lambda _: DeviceMemory("cpu", 10**10, available_bytes))
    working = Working([None])
    compilation = compilation_of(parts, working)
    for _ in range(2):
        compilation.heard(100, 0.2, 5000.0)
    assert len(working.jobs) == begins


def test_a_compiler_that_fails_is_not_asked_again(parts: Parts) -> None:
    working = Working([None, False])
    compilation = compilation_of(parts, working)
    compilation.heard(100, 0.2, 5000.0)
    assert not compilation.is_ready
    assert not compilation.is_ready
    assert working.num_closed == 1
    compilation.heard(100, 0.2, 5000.0)
    assert len(working.jobs) == 1


def test_a_faster_step_is_taken_and_the_run_is_as_before(
    parts: Parts, compiler: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler(lambda forward: forward)
    monkeypatch.setattr(Trial, "_seconds", lambda self, make, batch: 0.2 if make is parts.step else 0.1)
    working = Working([True])
    compilation = compilation_of(parts, working)
    compilation.heard(100, 0.2, 5000.0)
    assert compilation.is_ready
    parts.step(*parts.batch)
    before = parts.everything()

    chosen, told = compilation.choose(parts.trial, lambda: parts.batch, lambda: False)

    assert chosen is not None
    assert told == (
        "From here on full batches are computed by a step that torch compiled: 100 ms a step instead of 200 ms."
    )
    assert parts.is_as(before)
    assert working.num_closed == 1
    assert not compilation.is_ready


def test_a_step_that_is_not_faster_is_not_taken(
    parts: Parts, compiler: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler(lambda forward: forward)
    monkeypatch.setattr(Trial, "_seconds", lambda self, make, batch: 0.010 if make is parts.step else 0.0096)
    chosen, told = compilation_of(parts, Working([True])).choose(parts.trial, lambda: parts.batch, lambda: False)
    assert chosen is None
    assert told == "Steps are made as usual: compiled by torch they would take 9.6 ms a step instead of 10.0 ms."


def test_a_step_that_does_something_else_is_not_taken(parts: Parts, compiler: Callable[..., None]) -> None:
    compiler(lambda forward: lambda x: 3 * forward(x))
    parts.step(*parts.batch)
    before = parts.everything()
    chosen, told = compilation_of(parts, Working([True])).choose(parts.trial, lambda: parts.batch, lambda: False)
    assert chosen is None
    assert told.startswith("A compiled step came to a loss of ")
    assert told.endswith("; the run does without.")
    assert parts.is_as(before)


def test_a_compiler_that_breaks_in_the_run_leaves_it_to_the_network(
    parts: Parts, compiler: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_: Tensor) -> Tensor:
        raise RuntimeError("no compiler here")

    compiler(lambda _: breaks)
    with caplog.at_level(logging.WARNING):
        chosen, told = compilation_of(parts, Working([True])).choose(parts.trial, lambda: parts.batch, lambda: False)
    assert (chosen, told) == (None, "")
    assert "the compiled network cannot be used" in caplog.text


def test_a_trial_that_finds_no_memory_leaves_the_run_alone(
    parts: Parts, compiler: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> tuple[Tensor, Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    compiler(lambda forward: forward)
    switch_s = sys.getswitchinterval()
    with caplog.at_level(logging.WARNING):
        assert compilation_of(parts, Working([True])).choose(parts.trial, fails, lambda: False) == (None, "")
    assert "another way of making steps could not be tried" in caplog.text
    assert sys.getswitchinterval() == switch_s


def test_what_cannot_be_begun_is_not_tried_again(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    num_tried = []

    def begin(job: Mapping[str, Any]) -> Working:
        num_tried.append(job)
        raise ValueError("embedded null byte")

    compilation = Compilation(parts.plan, parts.network, parts.step, parts.guard, (1,), begin=begin)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            compilation.heard(100, 0.2, 5000.0)
    assert len(num_tried) == 1
    assert "embedded null byte" in caplog.text
    assert not compilation.is_ready


def test_a_compiled_step_that_gives_up_later_is_not_said_to_be_used(
    parts: Parts, compiler: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_broken = [False]

    def make(forward: Forward) -> Forward:
        def call(x: Tensor) -> Any:
            if is_broken[0]:
                raise RuntimeError("guards failed")
            return forward(x)

        return call

    compiler(make)
    monkeypatch.setattr(module, "_GAIN", 1e9)
    compilation = compilation_of(parts, Working([True]))
    chosen, _ = compilation.choose(parts.trial, lambda: parts.batch, lambda: False)
    assert chosen is not None
    assert compilation.is_used
    is_broken[0] = True
    loss, _ = chosen(*parts.batch)
    assert torch.isfinite(loss)
    assert not compilation.is_used


def test_nobody_waits_for_an_answer_any_more(parts: Parts, compiler: Callable[..., None]) -> None:
    compiler(lambda forward: forward)
    parts.step(*parts.batch)
    before = parts.everything()
    assert compilation_of(parts, Working([True])).choose(parts.trial, lambda: parts.batch, lambda: True) == (None, "")
    assert parts.is_as(before)


@pytest.mark.usefixtures("threads_are_free")
class TestWhether:
    def test_a_network_with_norms_on_its_own_may_be_compiled(self, parts: Parts) -> None:
        assert may_compile(parts.plan, parts.network, 1)

    @pytest.mark.parametrize("change", [{"compile": False}, {"threads": 2}])
    def test_a_configuration_may_speak_against_it(self, parts: Parts, change: dict[str, Any]) -> None:
        plan = dataclasses.replace(parts.plan, config=dataclasses.replace(parts.plan.config, **change))
        assert not may_compile(plan, parts.network, 1)

    def test_a_loss_that_is_scaled_is_not(self, parts: Parts) -> None:
        plan = plan_run(normed(), dataclasses.replace(CONFIG, precision="float16"))
        assert not may_compile(plan, parts.network, 1)

    def test_several_processes_are_not_compiled(self, parts: Parts) -> None:
        assert not may_compile(parts.plan, parts.network, 2)

    def test_a_given_number_of_threads_means_equal_runs(self, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(threads, "are_given", lambda: True)
        assert not may_compile(parts.plan, parts.network, 1)

    def test_without_norms_there_is_nothing_to_gain(self, parts: Parts) -> None:
        nodes = [node for node in normed().nodes if node.id != "bn"]
        nodes[2] = dataclasses.replace(nodes[2], inputs=("conv",))
        plan = dataclasses.replace(
            parts.plan, architecture=Architecture(name="plain", nodes=tuple(nodes), outputs=("fc",))
        )
        assert not may_compile(plan, build_module(plan.architecture, seed=0), 1)


FLOAT32 = dataclasses.replace(CONFIG, precision="float32")
"""Nothing else than compiling is tried."""


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile from the first steps on, and take what was compiled however fast it is."""
    monkeypatch.setattr(module, "_WORTH_CPU_S", 0.0)
    monkeypatch.setattr(module, "_WORTH_STEPS", 0)
    monkeypatch.setattr(module, "_SETTLED_STEPS", 1)
    monkeypatch.setattr(module, "_GAIN", 1e9)


@pytest.mark.usefixtures("threads_are_free", "short_waits")
def test_a_run_ends_what_compiles_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    working = Working([None])
    monkeypatch.setattr(step_choice, "Compilation", partial(Compilation, begin=working.begin))
    result = train(normed(), FLOAT32, lambda _: None, RunControl(), run_id="r")
    assert isinstance(result, RunFinished)
    assert len(working.jobs) == 1
    assert working.num_closed == 1


@pytest.mark.usefixtures("threads_are_free", "short_waits")
def test_trying_changes_nothing_of_a_run(monkeypatch: pytest.MonkeyPatch, compiler: Callable[..., None]) -> None:
    compiler(lambda forward: forward)
    runs: list[list[Event]] = []
    longer = dataclasses.replace(FLOAT32, epochs=20)
    for config in (longer, dataclasses.replace(longer, compile=False)):
        working, events = Working([True]), list[Event]()
        monkeypatch.setattr(step_choice, "Compilation", partial(Compilation, begin=working.begin))
        train(normed(), config, events.append, RunControl(), run_id="r")
        assert len(working.jobs) == config.compile
        runs.append(events)

    tried, usual = runs
    assert any(isinstance(event, RunNoted) for event in tried)
    assert losses(tried) == losses(usual)
    tests = [[event.test_loss for event in events if isinstance(event, EpochFinished)] for events in runs]
    assert tests[0] == tests[1]
    compiled = [event.is_compiled for event in tried if isinstance(event, StepsRecorded)]
    assert compiled[0] is False
    assert compiled[-1] is True
    assert not any(event.is_compiled for event in usual if isinstance(event, StepsRecorded))
