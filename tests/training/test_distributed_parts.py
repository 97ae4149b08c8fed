"""The parts of distributed training that need no second process: control, signals, and shared batch norms."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import Tensor

from explorer import zoo
from explorer.runs import RunConfig, RunControl, RunFinished, RunStarted
from explorer.runs.scaling import scaling_efficiency
from explorer.runtime.modules import Network, build_module
from explorer.training import distributed_group, plan_run, rehearsed_step, run, train
from explorer.training.distributed import Alone
from explorer.training.distributed_control import RelayedControl
from explorer.training.distributed_group import Group
from explorer.training.distributed_norm import share_batch_norms
from explorer.training.distributed_signals import obeying_signals
from explorer.training.feed import Feed
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan
from explorer.training.rehearsal import Rehearsal
from explorer.training.step import Step, evaluate
from tests.networks import branching
from tests.training.graph_parts import GRAPHED_S, USUAL_S, Replayed

T = TypeVar("T")


class Line:
    """What the first of two controls tells comes out at the other one."""

    def __init__(self) -> None:
        self.said: list[Tensor] = []

    def tell(self, values: Tensor) -> Tensor:
        self.said.append(values)
        return values

    def hear(self, _values: Tensor) -> Tensor:
        return self.said.pop(0)


def pair() -> tuple[RunControl, RelayedControl, RelayedControl]:
    line, control = Line(), RunControl()
    return control, RelayedControl(control, True, line.tell), RelayedControl(RunControl(), False, line.hear)


def steps_until(first: RelayedControl, other: RelayedControl, most: int = 50) -> int:
    """Steps that both make before they stop."""
    for made in range(most):
        goes_on = first.wait_if_paused()
        assert other.wait_if_paused() is goes_on
        assert first.learning_rate_change() == other.learning_rate_change()
        if not goes_on:
            return made
    return most


def test_all_stop_at_the_same_step() -> None:
    control, first, other = pair()
    assert steps_until(first, other, 7) == 7
    control.stop()
    assert steps_until(first, other) < 50
    assert first.stop_requested
    assert other.stop_requested
    assert not first.wait_if_paused()


def test_only_the_first_gives_up_a_test_by_itself() -> None:
    control, first, other = pair()
    control.stop()
    assert first.stop_requested
    assert not other.stop_requested


def test_pictures_are_awaited_by_whoever_looks_at_the_first() -> None:
    control, first, _other = pair()
    control.ask_for_pictures()
    first.pictures_sent()
    seen = [first.are_pictures_awaited, control.are_pictures_awaited]
    control.ask_for_pictures()
    assert [*seen, first.are_pictures_awaited] == [False, False, True]


def test_all_take_a_learning_rate_at_the_same_step() -> None:
    control, first, other = pair()
    rates = []
    for step in range(20):
        if step == 3:
            control.set_learning_rate(0.25)
        assert first.wait_if_paused()
        assert other.wait_if_paused()
        rates.append((first.learning_rate_change(), other.learning_rate_change()))
    told = [rate for rate in rates if rate != (None, None)]
    assert told == [(0.25, 0.25)]


def test_a_single_step_is_one_on_all() -> None:
    control, first, other = pair()
    control.step_once()
    assert steps_until(first, other, 1) == 1
    served = []

    def stop() -> None:
        served.append(first.is_paused)
        control.stop()

    assert not first.wait_if_paused(stop)
    assert served == [True]
    # The pause, and then the stop.
    assert not other.wait_if_paused()


def test_a_single_step_of_a_paused_run_does_not_end_the_pause() -> None:
    control, first, other = pair()
    control.step_once()
    for relayed in (first, other):
        assert relayed.wait_if_paused()
        assert relayed.is_paused
    control.resume()
    for relayed in (first, other):
        assert relayed.wait_if_paused()
        assert not relayed.is_paused


def test_the_window_is_told_what_pictures_took() -> None:
    control, first, other = pair()
    first.pictures_took(0.25)
    first.pictures_took(0.5)
    other.pictures_took(8.0)
    assert control.pictures_seconds == first.pictures_seconds == 0.75


@pytest.fixture
def quiet_signals() -> Iterator[None]:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert "signals" not in {thread.name for thread in threading.enumerate()}


def test_a_signal_asks_the_run_to_stop(quiet_signals: None) -> None:
    control, ends = RunControl(), list[str]()
    with obeying_signals(control, ends.append):
        os.kill(os.getpid(), signal.SIGTERM)
        assert control.stop_requested
        os.kill(os.getpid(), signal.SIGINT)
    assert not ends


def test_a_run_that_cannot_stop_is_ended(quiet_signals: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ends, is_ended = list[str](), threading.Event()

    def leave(status: int) -> None:
        ends.append(str(status))
        is_ended.set()

    monkeypatch.setattr(os, "_exit", leave)
    with obeying_signals(None, ends.append, patience_s=0.0):
        os.kill(os.getpid(), signal.SIGTERM)
        assert is_ended.wait(10)
    assert ends == ["Another process of the run ended, and this one waited for it without end", "1"]


def test_a_shared_batch_norm_of_one_process_is_torchs() -> None:
    torch.manual_seed(0)
    x = torch.randn(6, 3, 16, 16)
    usual, shared = (build_module(branching(), seed=3) for _ in range(2))
    share_batch_norms(shared, lambda values: values, lambda: (len(x), True))
    for _ in range(3):
        for network in (usual, shared):
            network.zero_grad()
            torch.autograd.backward(sum(output.square().mean() for output in network(x)))
    for (name, ours), theirs in zip(shared.named_parameters(), usual.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        torch.testing.assert_close(ours.grad, theirs.grad, msg=name, rtol=1e-3, atol=1e-5)
    for (name, buffer), expected in zip(shared.named_buffers(), usual.buffers(), strict=True):
        torch.testing.assert_close(buffer, expected, msg=name)
    assert list(shared.state_dict()) == list(usual.state_dict())


def test_a_shared_batch_norm_asks_nobody_between_steps_and_in_tests() -> None:
    def refuse(_values: Tensor) -> Tensor:
        raise AssertionError("asked")

    x = torch.randn(4, 3, 16, 16)
    network = build_module(branching(), seed=3)
    share_batch_norms(network, refuse, lambda: (0, True))
    network(x)
    share_batch_norms(network, refuse, lambda: (4, True))
    network.eval()(x)
    with pytest.raises(AssertionError, match="asked"):
        network.train()(x)


@pytest.mark.parametrize(
    ("processes", "alone", "together", "efficiency"),
    [(4, 100.0, 300.0, 0.75), (1, None, 300.0, None), (2, None, 300.0, None), (2, 100.0, 0.0, None)],
)
def test_the_efficiency_is_against_one_process(
    processes: int, alone: float | None, together: float, efficiency: float | None
) -> None:
    started = RunStarted(
        run_id="r",
        config=RunConfig(),
        architecture_name="net",
        device="cpu",
        num_train=1,
        num_test=1,
        steps_per_epoch=1,
        num_parameters=1,
        notes=(),
        num_processes=processes,
        images_per_second_alone=alone,
    )
    assert scaling_efficiency(started, together) == efficiency
    assert np.isfinite(efficiency or 0)


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first of two processes, which reaches nobody; the backends that it asked for."""
    asked: list[str] = []
    for name, value in {"RANK": "0", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dist, "init_process_group", lambda backend, **_: asked.append(backend))
    return asked


@pytest.mark.parametrize(
    ("has_gpu", "has_nccl", "backend"),
    [(True, True, "cpu:gloo,cuda:nccl"), (True, False, "gloo"), (False, True, "gloo")],
)
def test_gpus_talk_by_nccl_where_torch_has_it(
    has_gpu: bool, has_nccl: bool, backend: str, group: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch for Windows knows CUDA without NCCL."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(dist, "is_nccl_available", lambda: has_nccl)
    Group()
    assert group == [backend]


@pytest.mark.parametrize("breaks", [False, True])
def test_what_measures_one_process_alone_ends_what_reads_its_images(
    breaks: bool, group: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the processes that decode a folder's images would outlive the run."""
    closed: list[None] = []

    class Tried:
        network = torch.nn.Linear(1, 1)
        optimization = SimpleNamespace(optimizer=torch.optim.SGD(network.parameters()), end_step=lambda: None)

        def __init__(self, plan: RunPlan, *_: object) -> None:
            self.plan = plan

        def batch(self) -> tuple[Tensor, Tensor]:
            if breaks:
                raise ValueError("no batch")
            return torch.zeros(()), torch.zeros(())

        def step(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
            return x, target

        def close(self) -> None:
            closed.append(None)

    monkeypatch.setattr(distributed_group, "Rehearsal", Tried)
    monkeypatch.setattr(distributed_group, "_ALONE_S", 0.0)
    plan = cast(RunPlan, SimpleNamespace(batch_size=8, device=torch.device("cpu")))
    with contextlib.suppress(ValueError):
        assert Group()._speed_alone(plan) > 0
    assert closed == [None]


CAPTURED = "One process alone would replay each full batch as one CUDA graph"


@pytest.mark.usefixtures("few_digits")
@pytest.mark.parametrize("is_faster", [True, False])
def test_one_process_alone_is_measured_as_it_would_make_its_steps(
    is_faster: bool, group: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else several GPUs would look better than they are beside one that replays a graph."""
    capture = Replayed(graphed_s=GRAPHED_S if is_faster else 2 * USUAL_S)
    made, took, called = Optimization.__init__, Rehearsal.batch, Step.__call__
    replays: list[int] = []
    """Before each step that is measured or warms up."""
    usual: list[int] = []

    def remember(self: Optimization, *values: Any, **named: Any) -> None:
        made(self, *values, **named)
        capture.optimization = self

    def batch(self: Rehearsal) -> tuple[Tensor, Tensor]:
        replays.append(capture.num_replays)
        return took(self)

    def call(self: Step, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        if replays:
            usual.append(len(replays))
        return called(self, x, target)

    monkeypatch.setattr(Optimization, "__init__", remember)
    monkeypatch.setattr(Rehearsal, "batch", batch)
    monkeypatch.setattr(Step, "__call__", call)
    monkeypatch.setattr(rehearsed_step, "capture_of", lambda *_: capture)
    monkeypatch.setattr(distributed_group, "_ALONE_S", 0.0)
    before = torch.get_rng_state()
    ranks = Group()
    assert ranks._speed_alone(plan_run(zoo.entry("lenet5").build(), RunConfig(device="cpu", batch_size=16))) > 0
    assert torch.equal(torch.get_rng_state(), before)
    count = len(replays)
    assert count == distributed_group._WARM_UP + distributed_group._FEWEST_ALONE
    assert capture.num_replays - replays[0] == (count if is_faster else 0)
    assert usual == ([] if is_faster else list(range(1, count + 1)))
    assert any(note.startswith(CAPTURED) for note in ranks.notes) == is_faster


class Second(Alone):
    """What the second of two processes is told by the first, whose device has room for 48 images of a test."""

    def from_first(self, value: T) -> T:
        return cast(T, 48) if value == 100 else value


@pytest.mark.usefixtures("few_digits")
def test_all_processes_share_a_test_out_by_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else some images would be tested twice and others never: devices have other amounts of memory free."""
    sizes: list[int] = []

    def remembering(network: Network, feed: Feed, batch_size: int, *rest: Any) -> tuple[float, float] | None:
        sizes.append(batch_size)
        return evaluate(network, feed, batch_size, *rest)

    monkeypatch.setattr(run, "evaluation_batch_size", lambda *_: 100)
    monkeypatch.setattr(run, "evaluate", remembering)
    config = RunConfig(device="cpu", epochs=1, batch_size=16)
    result = train(zoo.entry("lenet5").build(), config, lambda _event: None, RunControl(), run_id="r", ranks=Second())
    assert isinstance(result, RunFinished)
    assert sizes == [48]
