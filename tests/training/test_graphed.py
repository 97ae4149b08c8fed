"""Captured steps, driven on the CPU by a graph that makes the recorded call again. CUDA's own graphs never ran here."""

import contextlib
import dataclasses
import re
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer.runs import RunConfig, RunControl, RunFailed, RunStarted
from explorer.runtime.devices import DeviceMemory
from explorer.runtime.modules import Network
from explorer.training import graphed, loop, step_choice, trial
from explorer.training.fitting import release
from explorer.training.graphed import (
    Call,
    Chosen,
    CudaCapture,
    GraphedStep,
    capture_of,
)
from explorer.training.loop import train
from explorer.training.optimization import Optimization
from explorer.training.plan import plan_run
from explorer.training.step import Step
from tests.training.graph_parts import (
    CPU,
    RATE,
    Parts,
    Replayed,
    Rule,
    lenet,
    numbers,
    run,
    run_captured,
)

pytestmark = pytest.mark.usefixtures("few_digits")


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(epochs=2, batch_size=16, learning_rate=RATE),
        RunConfig(epochs=2, batch_size=16, learning_rate=RATE, optimizer="adamw", weight_decay=0.01, clip_norm=1.0),
        RunConfig(epochs=2, batch_size=16, learning_rate=RATE, precision="bfloat16", augmentation="crop:2,mixup:0.2"),
    ],
    ids=["sgd", "adamw-clipped", "bfloat16-mixup"],
)
def test_a_captured_run_has_the_losses_of_the_usual_one(config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = run(config)
    captured, capture = run_captured(config, monkeypatch)
    assert numbers(captured) == numbers(usual)
    # Two for the comparison, ten that are timed, and five full batches in each of two epochs.
    assert capture.num_replays == 2 + 10 + 10
    started = captured[0]
    assert isinstance(started, RunStarted)
    assert any("1.00 ms a step instead of 4.00 ms" in note for note in started.notes)


def test_the_learning_rate_goes_on_in_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    config = RunConfig(epochs=2, batch_size=16, learning_rate=0.05, schedule="cosine", warmup_epochs=0.5)
    usual, (captured, _) = numbers(run(config)), run_captured(config, monkeypatch)
    assert numbers(captured)[0] == pytest.approx(usual[0], rel=1e-4)
    constant = dataclasses.replace(config, schedule="constant")
    assert numbers(run(constant))[0] != pytest.approx(usual[0], rel=1e-3)


class NoMemory(Replayed):
    def record(self, call: Call) -> Call:
        call()
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate.\nMore lines.")


class DoesNothing(Replayed):
    def replay(self, call: Call, rate: Tensor) -> None:
        self.num_replays += 1


class KeepsTheRate(Replayed):
    def replay(self, call: Call, rate: Tensor) -> None:
        super().replay(call, torch.full_like(rate, RATE))


class LeavesABiasOut(Replayed):
    def replay(self, call: Call, rate: Tensor) -> None:
        assert self.optimization is not None
        left_out = self.optimization.optimizer.param_groups[0]["params"][1]
        before = left_out.detach().clone()
        super().replay(call, rate)
        with torch.no_grad():
            left_out.copy_(before)


class KeepsTheBatch(Replayed):
    def record(self, call: Call) -> Call:
        step = call.__self__  # type: ignore[attr-defined]  # the GraphedStep whose method it is
        first, labels = step._x.clone(), step._target.clone()
        replay = super().record(call)

        def stale() -> None:
            step._x.copy_(first)
            step._target.copy_(labels)
            replay()

        return stale


@pytest.mark.parametrize("rule", ["sgd", "adam"])
@pytest.mark.parametrize(
    ("capture", "told"),
    [
        (lambda: Replayed(usual_s=0.15), None),
        (lambda: Replayed(host_share=0.4), None),
        (lambda: Replayed(usual_s=0.015, graphed_s=0.005), "is a replay of one CUDA graph: 5.00 ms a step instead of"),
        (lambda: Replayed(graphed_s=0.0039), "made as usual: a CUDA graph would take 3.90 ms"),
        (NoMemory, "could not be captured.*made as usual: CUDA out of memory. Tried to allocate.$"),
        (DoesNothing, "from a CUDA graph (came to a loss|changed the weights)"),
        (KeepsTheRate, "changed the weights otherwise"),
        (LeavesABiasOut, "changed the weights otherwise"),
        (KeepsTheBatch, "from a CUDA graph (came to a loss|changed the weights)"),
        (Replayed, "is a replay of one CUDA graph: 1.00 ms a step instead of 4.00 ms"),
    ],
    ids=[
        "slow",
        "busy device",
        "rather slow",
        "no gain",
        "no memory",
        "nothing",
        "old rate",
        "left out",
        "old batch",
        "good",
    ],
)
def test_whatever_comes_of_it_the_run_starts_from_where_it_was(
    capture: Callable[[], Replayed], told: str | None, rule: Rule
) -> None:
    parts = Parts(RunConfig(learning_rate=RATE, optimizer=rule), capture())
    random = torch.get_rng_state()
    before = {name: value.clone() for name, value in parts.network.state_dict().items()}
    chosen, _, note = parts.choose()
    assert (chosen is parts.step) == (note is None or "is a replay" not in note)
    assert note is None if told is None else note is not None and re.search(told, note) is not None
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(before[name], value) for name, value in parts.network.state_dict().items())
    assert not parts.guard.is_bad
    assert parts.optimization.learning_rate == RATE
    assert not any(isinstance(group["lr"], Tensor) for group in parts.optimization.optimizer.param_groups)
    assert not any(group.get("capturable") for group in parts.optimization.optimizer.param_groups)
    assert all(parameter.grad is None for parameter in parts.network.parameters())
    # The next steps are those of a run in which nothing was tried.
    other = Parts(RunConfig(learning_rate=RATE, optimizer=rule), Replayed())
    for made in (parts.step, other.step):
        torch.manual_seed(0)
        for _ in range(3):
            made(parts.x, parts.target)
    pairs = zip(parts.network.parameters(), other.network.parameters(), strict=True)
    assert all(torch.equal(one, another) for one, another in pairs)


def test_slow_steps_are_not_kept_waiting() -> None:
    parts = Parts(RunConfig(), Replayed(usual_s=0.5))
    parts.choose()
    assert parts.capture.num_calls == 3


@pytest.mark.parametrize(
    ("config", "told"),
    [(RunConfig(optimizer="rmsprop"), "does not fuse RMSprop"), (RunConfig(precision="float16"), "float16 looks at")],
)
def test_what_cannot_be_captured_says_why(config: RunConfig, told: str) -> None:
    parts = Parts(config, Replayed())
    chosen, _, note = parts.choose()
    assert chosen is parts.step
    assert note is not None
    assert told in note
    assert parts.capture.num_calls == 0


def test_large_networks_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_MOST_VALUES", 1000)
    parts = Parts(RunConfig(), Replayed())
    assert parts.choose() == Chosen(parts.step, parts.step)
    assert parts.capture.num_calls == 0


def test_other_batches_go_the_usual_way() -> None:
    parts = Parts(RunConfig(learning_rate=RATE), Replayed())
    chosen = parts.choose().make
    assert isinstance(chosen, GraphedStep)
    replays = parts.capture.num_replays
    chosen(parts.x[:5], parts.target[:5])
    chosen(parts.x, torch.nn.functional.one_hot(parts.target, 10).float())
    assert parts.capture.num_replays == replays
    chosen(parts.x, parts.target)
    assert parts.capture.num_replays == replays + 1


def test_a_replay_hands_out_its_own_numbers() -> None:
    """Reports keep them until the next look at the device."""
    parts = Parts(RunConfig(learning_rate=RATE), Replayed())
    chosen = parts.choose().make
    first, right = chosen(parts.x, parts.target)
    kept = (float(first), int(right))
    second, _ = chosen(-3 * parts.x, parts.target)
    assert float(second) != kept[0]
    assert (float(first), int(right)) == kept


class Static(Replayed):
    """Gradients of a replay lie where they were when it was recorded; what the parameters hold by then it leaves."""

    def record(self, call: Call) -> Call:
        replay = super().record(call)
        assert self.optimization is not None
        parameters = [value for group in self.optimization.optimizer.param_groups for value in group["params"]]
        recorded = [value.grad for value in parameters]

        def replay_there() -> None:
            held = [value.grad for value in parameters]
            replay()
            for parameter, place, before in zip(parameters, recorded, held, strict=True):
                assert place is not None
                assert parameter.grad is not None
                place.copy_(parameter.grad)
                parameter.grad = before

        return replay_there


def test_gradients_are_those_of_the_last_step_however_it_was_made() -> None:
    """What is measured of them is read after a step; torch's own optimizers read them within."""
    parts, twin = Parts(RunConfig(learning_rate=RATE), Static()), Parts(RunConfig(learning_rate=RATE), Replayed())
    chosen = parts.choose().make
    assert isinstance(chosen, GraphedStep)
    for size in (8, 5, 8, 8):
        x, target = parts.x[:size] * size, parts.target[:size]
        torch.manual_seed(size)
        chosen(x, target)
        torch.manual_seed(size)
        twin.step(x, target)
        for one, other in zip(parts.network.parameters(), twin.network.parameters(), strict=True):
            assert one.grad is not None
            assert other.grad is not None
            torch.testing.assert_close(one.grad, other.grad)
            other.data.copy_(one.data)


def test_the_guard_works_in_a_replay() -> None:
    parts = Parts(RunConfig(learning_rate=RATE), Replayed())
    chosen = parts.choose().make
    assert isinstance(chosen, GraphedStep)
    chosen(torch.full_like(parts.x, float("nan")), parts.target)
    assert parts.guard.is_bad
    before = _weights(parts.network)
    chosen(parts.x, parts.target)
    assert all(torch.equal(one, other) for one, other in zip(before, _weights(parts.network), strict=True))


class FullAfter(Replayed):
    """Has no memory in a replay of the run itself, after two that are compared and ten that are timed. As a graph, it
    knows nothing of who recorded it."""

    def record(self, call: Call) -> Call:
        recorded = weakref.WeakMethod(call)

        def again() -> None:
            whole = recorded()
            assert whole is not None
            whole()

        return super().record(again)

    def replay(self, call: Call, rate: Tensor) -> None:
        super().replay(call, rate)
        if self.num_replays > 12:
            raise torch.OutOfMemoryError("CUDA out of memory.")


def test_a_batch_that_fits_is_looked_for_without_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which holds the memory of a whole batch."""
    graphs: list[weakref.ref[GraphedStep]] = []
    are_gone: list[bool] = []
    made, capture = GraphedStep.__init__, FullAfter()

    def remember(self: GraphedStep, step: Step, optimization: Optimization, *rest: Any) -> None:
        graphs.append(weakref.ref(self))
        capture.optimization = optimization
        made(self, step, optimization, *rest)

    def look_for(_plan: object, error: Exception, _attempt: object) -> None:
        release(error)
        are_gone.append(graphs[0]() is None)

    monkeypatch.setattr(GraphedStep, "__init__", remember)
    monkeypatch.setattr(step_choice, "capture_of", lambda *_: capture)
    monkeypatch.setattr(loop, "fitting_batch_size", look_for)
    config = RunConfig(epochs=2, batch_size=16)
    assert isinstance(train(lenet(), config, lambda _event: None, RunControl(), run_id="r"), RunFailed)
    assert are_gone == [True]


def _weights(network: Network) -> list[Tensor]:
    return [value.detach().clone() for value in network.parameters()]


def test_who_captures(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda", 0)
    config = RunConfig(batch_size=16, precision="float32")
    plan = dataclasses.replace(plan_run(lenet(), config), device=cuda)
    room = [10**9]
    monkeypatch.setattr(graphed, "device_memory", lambda device: DeviceMemory(device, 2 * 10**9, room[0]))
    assert isinstance(capture_of(plan, 1), CudaCapture)
    assert capture_of(plan, 2) is None
    for device in (CPU, torch.device("mps")):
        assert capture_of(dataclasses.replace(plan, device=device), 1) is None
    assert capture_of(dataclasses.replace(plan, config=dataclasses.replace(config, cuda_graphs=False)), 1) is None
    room[0] = 10**6
    assert capture_of(plan, 1) is None, "no memory for three steps"


class FailingCuda:
    """`torch.cuda` as far as recording uses it. The capture fails at its end, and its stream stays the current one, as
    in torch 2.13 (`torch.cuda.graph.__exit__`)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stream = "usual"
        self.random = ["drawn from"]
        for name, value in {
            "device": lambda _device: contextlib.nullcontext(),
            "current_device": lambda: 1,
            "current_stream": lambda: self.stream,
            "set_stream": lambda stream: setattr(self, "stream", stream),
            "Stream": lambda: "aside",
            "CUDAGraph": lambda: "graph",
            "graph": self.graph,
            "default_generators": ("of cuda:0", self),
        }.items():
            monkeypatch.setattr(torch.cuda, name, value)

    @contextlib.contextmanager
    def graph(self, _graph: object, *, stream: str, capture_error_mode: str) -> Iterator[None]:
        assert capture_error_mode == "thread_local"
        self.stream, self.random = stream, ["being captured"]
        yield
        raise RuntimeError("CUDA error: operation failed due to a previous error during capture")

    def clone_state(self) -> list[str]:
        return [*self.random]

    def graphsafe_set_state(self, state: list[str]) -> None:
        self.random = state


def test_after_a_capture_that_failed_steps_go_where_they_went(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FailingCuda(monkeypatch)
    called: list[str] = []
    with pytest.raises(RuntimeError, match="previous error during capture"):
        CudaCapture(torch.device("cuda", 1)).record(lambda: called.append(cuda.stream))
    assert called == ["aside"]
    assert cuda.stream == "usual"
    assert cuda.random == ["drawn from"]
