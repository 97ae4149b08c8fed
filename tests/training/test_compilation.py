"""Compiled steps: when they are asked for, what a run does with one, and one run with torch's own compiler."""

import dataclasses
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer.architecture import Architecture, Node
from explorer.layers import AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Input, Linear, ReLU
from explorer.runs import (
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunNoted,
    StepsRecorded,
)
from explorer.runtime import threads
from explorer.runtime.devices import DeviceMemory
from explorer.runtime.modules import Network, build_module
from explorer.training import compilation as module
from explorer.training import run as run_module
from explorer.training.compilation import Compilation, CompileProcess, may_compile
from explorer.training.compiled_forward import CompiledForward, compiler_settings
from explorer.training.guard import Guard
from explorer.training.loop import train
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan, plan_run
from explorer.training.step import Step

CPU = torch.device("cpu")
CONFIG = RunConfig(epochs=2, batch_size=16, learning_rate=0.05, momentum=0.9, device="cpu")
Forward = Callable[[Tensor], Any]


def same(one: object, other: object) -> bool:
    """Whether two outputs are equal tensors."""
    assert isinstance(one, Tensor)
    assert isinstance(other, Tensor)
    return torch.equal(one, other)


pytestmark = pytest.mark.usefixtures("few_digits")


def normed() -> Architecture:
    """With a norm, and dropout, which has to draw the same numbers compiled."""
    chain = (
        ("x", Input(channels=1, height=12, width=12)),
        ("conv", Conv2d(out_channels=6, kernel_size=(3, 3))),
        ("bn", BatchNorm2d()),
        ("relu", ReLU()),
        ("pool", AdaptiveAvgPool2d(output_size=(2, 2))),
        ("flat", Flatten()),
        ("drop", Dropout(p=0.25)),
        ("fc", Linear(out_features=10)),
    )
    before = [(), *((name,) for name, _ in chain)]
    nodes = [Node(id=name, layer=layer, inputs=inputs) for (name, layer), inputs in zip(chain, before, strict=False)]
    return Architecture(name="normed", nodes=tuple(nodes), outputs=("fc",))


class Working:
    """What compiles beside a run, as far as the run sees it."""

    def __init__(self, answers: Sequence[bool | None]) -> None:
        self.jobs: list[Mapping[str, Any]] = []
        self.num_closed = 0
        self._answers = list(answers)

    def begin(self, job: Mapping[str, Any]) -> "Working":
        self.jobs.append(job)
        return self

    def poll(self) -> bool | None:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def close(self) -> None:
        self.num_closed += 1


class Parts(NamedTuple):
    """What a run hands to its compilation."""

    plan: RunPlan
    network: Network
    optimization: Optimization
    guard: Guard
    step: Step
    batch: tuple[Tensor, Tensor]

    def compilation(self, working: Working, counts: Sequence[int] = (1,)) -> Compilation:
        return Compilation(
            self.plan, self.network, self.step, self.optimization, self.guard, counts, begin=working.begin
        )


@pytest.fixture
def parts() -> Parts:
    plan = plan_run(normed(), CONFIG)
    network = build_module(plan.architecture, seed=0)
    optimization = Optimization(network, plan.config, CPU, plan.steps_per_epoch)
    random = torch.Generator().manual_seed(3)
    x = torch.randn(16, 1, 12, 12, generator=random)
    target = torch.randint(10, (16,), generator=random)
    guard = Guard(network, optimization.optimizer, CPU)
    return Parts(plan, network, optimization, guard, Step(network, optimization, plan.config), (x, target))


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Forward], Forward]], None]:
    """Puts something in torch's compiler's place: what it makes of a function."""

    def put(make: Callable[[Forward], Forward]) -> None:
        monkeypatch.setattr(torch, "compile", lambda forward, **_: make(forward))

    return put


@pytest.fixture
def threads_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the environment says nothing about them."""
    monkeypatch.setattr(threads, "are_given", lambda: False)


def everything(parts: Parts) -> list[Tensor]:
    """All that a step may change."""
    states = parts.optimization.optimizer.state.values()
    kept = [value for state in states for value in state.values() if isinstance(value, Tensor)]
    values = [*parts.network.state_dict().values(), parts.guard.flag, *kept, torch.get_rng_state()]
    return [value.clone() for value in values]


def test_it_begins_once_the_run_has_settled_and_is_long_enough(parts: Parts) -> None:
    working = Working([None])
    compilation = parts.compilation(working, (2, 1))

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
    compilation = parts.compilation(working)
    for _ in range(2):
        compilation.heard(100, 0.2, 5000.0)
    assert len(working.jobs) == begins


def test_a_compiler_that_fails_is_not_asked_again(parts: Parts) -> None:
    working = Working([None, False])
    compilation = parts.compilation(working)
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
    monkeypatch.setattr(Compilation, "_seconds", lambda self, make, batch: 0.2 if make is parts.step else 0.1)
    working = Working([True])
    compilation = parts.compilation(working)
    compilation.heard(100, 0.2, 5000.0)
    assert compilation.is_ready
    parts.step(*parts.batch)
    before = everything(parts)

    chosen, told = compilation.choose(lambda: parts.batch, lambda: False)

    assert chosen is not None
    assert told == (
        "From here on full batches are computed by a step that torch compiled: 100 ms a step instead of 200 ms."
    )
    assert all(torch.equal(one, other) for one, other in zip(before, everything(parts), strict=True))
    assert working.num_closed == 1
    assert not compilation.is_ready


def test_a_step_that_is_not_faster_is_not_taken(
    parts: Parts, compiler: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler(lambda forward: forward)
    monkeypatch.setattr(Compilation, "_seconds", lambda self, make, batch: 0.010 if make is parts.step else 0.0096)
    chosen, told = parts.compilation(Working([True])).choose(lambda: parts.batch, lambda: False)
    assert chosen is None
    assert told == "Steps are made as usual: compiled by torch they would take 9.6 ms a step instead of 10.0 ms."


def test_a_step_that_does_something_else_is_not_taken(parts: Parts, compiler: Callable[..., None]) -> None:
    compiler(lambda forward: lambda x: 3 * forward(x))
    parts.step(*parts.batch)
    before = everything(parts)
    chosen, told = parts.compilation(Working([True])).choose(lambda: parts.batch, lambda: False)
    assert chosen is None
    assert told.startswith("A compiled step came to a loss of ")
    assert told.endswith("; the run does without.")
    assert all(torch.equal(one, other) for one, other in zip(before, everything(parts), strict=True))


def test_a_compiler_that_breaks_in_the_run_leaves_it_to_the_network(
    parts: Parts, compiler: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_: Tensor) -> Tensor:
        raise RuntimeError("no compiler here")

    compiler(lambda _: breaks)
    with caplog.at_level(logging.WARNING):
        chosen, told = parts.compilation(Working([True])).choose(lambda: parts.batch, lambda: False)
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
        assert parts.compilation(Working([True])).choose(fails, lambda: False) == (None, "")
    assert "the compiled step could not be tried" in caplog.text
    assert sys.getswitchinterval() == switch_s


def test_what_cannot_be_begun_is_not_tried_again(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    num_tried = []

    def begin(job: Mapping[str, Any]) -> Working:
        num_tried.append(job)
        raise ValueError("embedded null byte")

    compilation = Compilation(parts.plan, parts.network, parts.step, parts.optimization, parts.guard, (1,), begin=begin)
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
    compilation = parts.compilation(Working([True]))
    chosen, _ = compilation.choose(lambda: parts.batch, lambda: False)
    assert chosen is not None
    assert compilation.is_used
    is_broken[0] = True
    loss, _ = chosen(*parts.batch)
    assert torch.isfinite(loss)
    assert not compilation.is_used


def test_nobody_waits_for_an_answer_any_more(parts: Parts, compiler: Callable[..., None]) -> None:
    compiler(lambda forward: forward)
    parts.step(*parts.batch)
    before = everything(parts)
    assert parts.compilation(Working([True])).choose(lambda: parts.batch, lambda: True) == (None, "")
    assert all(torch.equal(one, other) for one, other in zip(before, everything(parts), strict=True))


class TestCompiledForward:
    @pytest.fixture
    def calls(self, compiler: Callable[..., None]) -> list[Tensor]:
        calls: list[Tensor] = []

        def make(forward: Forward) -> Forward:
            def call(x: Tensor) -> Any:
                calls.append(x)
                return forward(x)

            return call

        compiler(make)
        return calls

    def test_full_batches_are_compiled_and_others_not(self, parts: Parts, calls: list[Tensor]) -> None:
        x = parts.batch[0]
        forward = CompiledForward(parts.network.eval(), x)
        assert same(forward(x), parts.network(x))
        assert same(forward(x[:10]), parts.network(x[:10]))
        assert [len(call) for call in calls] == [16]

    def test_grey_images_may_lie_in_memory_as_they_like(self, parts: Parts, calls: list[Tensor]) -> None:
        x = parts.batch[0]
        last = torch.empty_strided(x.shape, (144, 1, 12, 1)).copy_(x)
        assert x.stride() != last.stride()
        output = CompiledForward(parts.network.eval(), x)(last)
        assert calls[0].stride() == x.stride()
        assert same(output, parts.network(x))

    def test_other_layouts_are_not_compiled_anew(self, parts: Parts, calls: list[Tensor]) -> None:
        x = parts.batch[0]
        turned = x.transpose(2, 3).contiguous().transpose(2, 3)
        assert same(CompiledForward(parts.network.eval(), x)(turned), parts.network(turned))
        assert not calls

    def test_what_is_not_finite_is_seen(self, parts: Parts, compiler: Callable[..., None]) -> None:
        compiler(lambda forward: lambda x: forward(x) / 0)
        forward = CompiledForward(parts.network, parts.batch[0], parts.guard.look)
        parts.guard.flag.zero_()
        forward(parts.batch[0])
        assert parts.guard.is_bad

    def test_out_of_memory_is_the_runs_affair(self, parts: Parts, compiler: Callable[..., None]) -> None:
        def fails(_: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory.")

        compiler(lambda _: fails)
        with pytest.raises(torch.OutOfMemoryError):
            CompiledForward(parts.network, parts.batch[0])(parts.batch[0])


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


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile from the first steps on, and take what was compiled however fast it is."""
    monkeypatch.setattr(module, "_WORTH_CPU_S", 0.0)
    monkeypatch.setattr(module, "_WORTH_STEPS", 0)
    monkeypatch.setattr(module, "_SETTLED_STEPS", 1)
    monkeypatch.setattr(module, "_GAIN", 1e9)


def losses(events: Sequence[Event]) -> list[float]:
    return [loss for event in events if isinstance(event, StepsRecorded) for loss in event.losses.tolist()]


@pytest.mark.usefixtures("threads_are_free", "short_waits")
def test_a_run_ends_what_compiles_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    working = Working([None])
    monkeypatch.setattr(run_module, "Compilation", partial(Compilation, begin=working.begin))
    result = train(normed(), CONFIG, lambda _: None, RunControl(), run_id="r")
    assert isinstance(result, RunFinished)
    assert len(working.jobs) == 1
    assert working.num_closed == 1


@pytest.mark.usefixtures("threads_are_free", "short_waits")
def test_trying_changes_nothing_of_a_run(monkeypatch: pytest.MonkeyPatch, compiler: Callable[..., None]) -> None:
    compiler(lambda forward: forward)
    runs: list[list[Event]] = []
    longer = dataclasses.replace(CONFIG, epochs=20)
    for config in (longer, dataclasses.replace(longer, compile=False)):
        working, events = Working([True]), list[Event]()
        monkeypatch.setattr(run_module, "Compilation", partial(Compilation, begin=working.begin))
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


class TestProcess:
    def test_what_it_says_when_it_fails_is_logged(
        self, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Whatever lies where the user is, nothing of it is imported.
        (tmp_path / "torch.py").write_text("raise SystemExit('torch of the folder')")
        monkeypatch.chdir(tmp_path)
        process = CompileProcess({"network": "{}", "config": {}, "device": "cpu", "batch_size": 1, "threads": [1]})
        with caplog.at_level(logging.INFO):
            assert _answer_of(process) is False
        process.close()
        assert "the step could not be compiled: " in caplog.text
        assert "Error" in caplog.text.splitlines()[-1]
        assert "torch of the folder" not in caplog.text

    @pytest.mark.parametrize("own", [True, False])
    def test_what_was_compiled_with_other_settings_is_not_used(
        self, own: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        real, said = subprocess.Popen, compiler_settings() if own else "others"

        def begin(*given: Any, **named: Any) -> subprocess.Popen[bytes]:
            return real([sys.executable, "-c", f"print({said!r})"], **named)

        monkeypatch.setattr(subprocess, "Popen", begin)
        process = CompileProcess({})
        with caplog.at_level(logging.INFO):
            assert _answer_of(process) is own
        process.close()
        assert ("with other settings" in caplog.text) is not own

    def test_it_can_be_ended_at_work(self, monkeypatch: pytest.MonkeyPatch) -> None:
        begun: list[subprocess.Popen[bytes]] = []
        real = subprocess.Popen

        def begin(*given: Any, **named: Any) -> subprocess.Popen[bytes]:
            begun.append(real([sys.executable, "-c", "import time; time.sleep(600)"], **named))
            return begun[0]

        monkeypatch.setattr(subprocess, "Popen", begin)
        process = CompileProcess({"device": "cpu"})
        assert process.poll() is None
        process.close()
        assert begun[0].returncode is not None


def _answer_of(process: CompileProcess) -> bool:
    while (answer := process.poll()) is None:
        time.sleep(0.05)
    return answer


def _run_compiled_beside() -> None:
    """In a process of its own, as a program begins: others of torch's users here leave it otherwise."""
    from torch._dynamo.utils import counters

    class Awaited(CompileProcess):
        """The run waits, so that it makes few steps until then."""

        def __init__(self, job: Mapping[str, Any]) -> None:
            super().__init__(job)
            _answer_of(self)

    torch.set_num_threads(1)
    runs: list[list[Event]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "are_given", lambda: False)
        patch.setattr(run_module, "Compilation", partial(Compilation, begin=Awaited))
        for name, value in (("_WORTH_CPU_S", 0.0), ("_WORTH_STEPS", 0), ("_SETTLED_STEPS", 1), ("_GAIN", 1e9)):
            patch.setattr(module, name, value)
        for config in (dataclasses.replace(CONFIG, epochs=1), dataclasses.replace(CONFIG, epochs=1, compile=False)):
            runs.append([])
            result = train(normed(), config, runs[-1].append, RunControl(), run_id="r")
            assert not isinstance(result, RunFailed), result
    compiled, usual = runs
    (note,) = [event.note for event in compiled if isinstance(event, RunNoted)]
    assert note.startswith("From here on full batches are computed by a step that torch compiled: "), note
    # The run found everything that the process had compiled.
    found = counters["inductor"]
    assert found["fxgraph_cache_hit"] > 0, found
    assert found["fxgraph_cache_miss"] == 0, found
    first = switch(compiled)
    assert first < 100, first
    ours, theirs = np.array(losses(compiled)), np.array(losses(usual))
    assert np.array_equal(ours[: first - 1], theirs[: first - 1])
    np.testing.assert_allclose(ours[first - 1 : first + 11], theirs[first - 1 : first + 11], atol=2e-3)


@pytest.mark.skipif(
    not any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")),
    reason="torch compiles with a C++ compiler, and there is none",
)
def test_a_run_goes_over_to_what_torch_compiled_beside_it(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"from {__name__} import _run_compiled_beside as run; run()"],
        cwd=root,
        env={**os.environ, "TORCHINDUCTOR_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def switch(events: Sequence[Event]) -> int:
    """The first compiled step."""
    return next(event.first_step for event in events if isinstance(event, StepsRecorded) and event.is_compiled)
