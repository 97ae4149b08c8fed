"""A run from start to end: its numbers against a loop written by hand, and everything it can be told meanwhile."""

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from explorer import zoo
from explorer.architecture import Architecture, Project, edits, files
from explorer.layers import BatchNorm2d, Linear
from explorer.runs import (
    EpochFinished,
    Event,
    FeatureMapsCaptured,
    LayersOpened,
    Look,
    Probe,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStore,
    StateChanged,
    StepsRecorded,
)
from explorer.runtime.images import to_network_input
from explorer.runtime.modules import build_module
from explorer.runtime.weights import load_weights, save_weights
from explorer.training import DataSet, plan_run, train
from explorer.training import step as step_module
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten

E = TypeVar("E")
TINY = RunConfig(epochs=2, batch_size=16)


def network() -> Architecture:
    return zoo.entry("lenet5-relu-dropout").build()


class Recorder:
    """Keeps events; calls `reaction` with each one, in the thread that trains."""

    def __init__(self, reaction: Callable[[Event], None] = lambda event: None) -> None:
        self.events: list[Event] = []
        self._reaction = reaction

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._reaction(event)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def losses(self) -> list[float]:
        return [float(loss) for event in self.of(StepsRecorded) for loss in event.losses]

    @property
    def steps(self) -> list[int]:
        return [event.first_step + i for event in self.of(StepsRecorded) for i in range(len(event.losses))]


def run(
    architecture: Architecture, config: RunConfig = TINY, control: RunControl | None = None, **given: object
) -> tuple[RunFinished | RunFailed, Recorder]:
    recorder = given.pop("recorder", None) or Recorder()
    assert isinstance(recorder, Recorder)
    result = train(architecture, config, recorder, control or RunControl(), run_id=given.pop("run_id", "r"), **given)  # type: ignore[arg-type]
    return result, recorder


def test_lenet_learns_the_digits() -> None:
    result, recorder = run(zoo.entry("lenet5").build(), RunConfig())
    assert isinstance(result, RunFinished)
    assert result.reason == "completed"
    assert result.test_accuracy is not None
    assert result.test_accuracy >= 0.95
    assert len(recorder.of(EpochFinished)) == 10
    assert recorder.steps == list(range(1, 631))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_numbers_are_those_of_a_loop_by_hand(few_digits: DataSet, optimizer: Literal["sgd", "adam"]) -> None:
    config = RunConfig(
        epochs=2, batch_size=16, optimizer=optimizer, learning_rate=0.01, weight_decay=1e-3, decay_norms=True
    )
    _, recorder = run(zoo.entry("lenet5").build(), config)

    module = build_module(zoo.entry("lenet5").build(), seed=0)
    if optimizer == "sgd":
        by_hand: torch.optim.Optimizer = torch.optim.SGD(module.parameters(), 0.01, 0.9, weight_decay=1e-3)
    else:
        by_hand = torch.optim.Adam(module.parameters(), 0.01, weight_decay=1e-3)
    x = to_network_input(few_digits.train_images, (1, 32, 32), few_digits.normalization)
    generator = torch.Generator().manual_seed(0)
    losses, right, total = [], 0, 0.0
    for _ in range(2):
        right, total = 0, 0.0
        for batch in torch.split(torch.randperm(90, generator=generator), 16):
            logits = module(x[batch])
            loss = F.cross_entropy(logits, few_digits.train_labels[batch])
            by_hand.zero_grad()
            torch.autograd.backward(loss)
            by_hand.step()
            losses.append(loss.item())
            right += int((logits.argmax(1) == few_digits.train_labels[batch]).sum())
            total += loss.item() * len(batch)
    np.testing.assert_allclose(recorder.losses, losses, rtol=1e-4)
    last = recorder.of(EpochFinished)[-1]
    assert last.train_accuracy == pytest.approx(right / 90)
    assert last.train_loss == pytest.approx(total / 90, rel=1e-4)
    with torch.inference_mode():
        logits = module(to_network_input(few_digits.test_images, (1, 32, 32), few_digits.normalization))
    assert last.test_loss == pytest.approx(float(F.cross_entropy(logits, few_digits.test_labels)), rel=1e-3)
    assert last.test_accuracy == pytest.approx(
        float((logits.argmax(1) == few_digits.test_labels).float().mean()), abs=0.026
    )


@pytest.mark.usefixtures("few_digits")
def test_equal_seeds_give_equal_losses_whatever_is_watched() -> None:
    torch.set_num_threads(2)
    state = torch.get_rng_state()
    plain = run(network())[1].losses
    watched = RunControl()
    every = tuple(node.id for node in network().nodes)
    watched.watch(Look(maps=every, opened=every))
    recorder = run(network(), control=watched)[1]
    assert recorder.losses == plain
    assert recorder.of(FeatureMapsCaptured)
    assert recorder.of(LayersOpened)
    assert run(network(), dataclasses.replace(TINY, seed=1))[1].losses != plain
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.usefixtures("few_digits")
def test_pictures_start_before_the_first_step_and_end_with_the_last() -> None:
    control = RunControl()
    black = Probe(label="black", image=np.zeros((28, 28), np.uint8))
    control.watch(Look(maps=("conv1", "fc3", "of another network"), probes=(black,)))
    recorder = run(network(), control=control)[1]
    pictures = recorder.of(FeatureMapsCaptured)
    assert (pictures[0].step, pictures[-1].step) == (0, 12)
    assert set(pictures[0].atlases) == {"conv1", "fc3"}
    assert pictures[0].probe == "black"
    assert not run(network())[1].of(FeatureMapsCaptured)


@pytest.mark.usefixtures("few_digits")
def test_a_changed_watch_is_served_at_the_next_step() -> None:
    control = RunControl()

    def look(event: Event) -> None:
        if isinstance(event, StepsRecorded) and event.first_step <= 3 <= event.last_step:
            control.watch(Look(maps=("conv2",)))

    recorder = run(network(), control=control, recorder=Recorder(look))[1]
    changed = next(e.last_step for e in recorder.of(StepsRecorded) if e.last_step >= 3)
    assert recorder.of(FeatureMapsCaptured)[0].step == changed


@pytest.mark.usefixtures("few_digits")
def test_a_picture_that_fails_does_not_break_the_run(caplog: pytest.LogCaptureFixture) -> None:
    control = RunControl()
    control.watch(Look(maps=("conv1",), probes=(Probe(label="four axes", image=np.zeros((2, 2, 28, 28), np.uint8)),)))
    assert isinstance(run(network(), control=control)[0], RunFinished)
    assert "cannot be used for what is looked at" in caplog.text


class Rests:
    """Runs in a thread and waits until the run rests at a pause."""

    def __init__(self, control: RunControl) -> None:
        self.control = control
        self._seen = threading.Condition()
        self.recorder = Recorder(self._notify)
        self.thread = threading.Thread(target=run, args=(network(), TINY, control), kwargs={"recorder": self.recorder})

    def _notify(self, event: Event) -> None:
        with self._seen:
            self._seen.notify_all()

    def until(self, condition: Callable[[Recorder], bool]) -> None:
        with self._seen:
            assert self._seen.wait_for(lambda: condition(self.recorder), timeout=20)


@pytest.mark.usefixtures("few_digits")
def test_pause_step_watch_resume() -> None:
    control = RunControl()
    control.pause()
    rests = Rests(control)
    rests.thread.start()
    rests.until(lambda r: any(s.state == "paused" for s in r.of(StateChanged)))
    assert rests.recorder.steps == []
    control.watch(Look(maps=("conv1",)))
    rests.until(lambda r: bool(r.of(FeatureMapsCaptured)))
    assert rests.recorder.of(FeatureMapsCaptured)[-1].step == 0
    control.step_once()
    rests.until(lambda r: r.of(FeatureMapsCaptured)[-1].step == 1)
    assert rests.recorder.steps == [1]
    control.watch(Look(maps=("conv2",)))
    rests.until(lambda r: set(r.of(FeatureMapsCaptured)[-1].atlases) == {"conv2"})
    control.resume()
    rests.thread.join(30)
    assert not rests.thread.is_alive()
    assert [s.state for s in rests.recorder.of(StateChanged)] == ["paused", "running"]
    assert rests.recorder.losses == run(network())[1].losses


@pytest.mark.usefixtures("few_digits")
def test_stop_keeps_the_weights_and_says_so(tmp_path: Path) -> None:
    control = RunControl()

    def stop(event: Event) -> None:
        if isinstance(event, EpochFinished):
            control.pause()
        if isinstance(event, StateChanged) and event.state == "paused":
            control.stop()

    with RunStore(tmp_path) as store:
        run_id = _begin(store)
        result, recorder = run(network(), control=control, recorder=Recorder(stop), store=store, run_id=run_id)
        assert isinstance(result, RunFinished)
        assert (result.reason, result.step) == ("stopped", 6)
        assert [s.state for s in recorder.of(StateChanged)] == ["paused", "stopping"]
        assert result.checkpoint == str(store.get(run_id).weights_path)
        assert store.get(run_id).state == "stopped"


@pytest.mark.usefixtures("few_digits")
def test_the_learning_rate_changes_at_a_step() -> None:
    control = RunControl()

    def change(event: Event) -> None:
        if isinstance(event, EpochFinished) and event.epoch == 1:
            control.set_learning_rate(1e-8)

    recorder = run(zoo.entry("lenet5").build(), control=control, recorder=Recorder(change))[1]
    rates = {step: e.learning_rate for e in recorder.of(StepsRecorded) for step in range(e.first_step, e.last_step + 1)}
    assert [rates[step] for step in (1, 6, 7, 12)] == [TINY.learning_rate, TINY.learning_rate, 1e-8, 1e-8]


def _begin(store: RunStore) -> str:
    text = files.dumps(Project(architecture=network()))
    return store.create(TINY, "net", text, {}).run_id


def test_a_run_is_recorded_and_its_weights_load(few_digits: DataSet, tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        run_id = _begin(store)
        result, recorder = run(network(), store=store, run_id=run_id)
        record, history = store.get(run_id), store.history(run_id)
    assert isinstance(result, RunFinished)
    assert record.state == "completed"
    assert record.test_accuracy == result.test_accuracy
    assert history.losses.tolist() == recorder.losses
    module = build_module(network(), seed=5)
    module.load_state_dict(load_weights(record.weights_path), strict=True)
    module.eval()
    with torch.inference_mode():
        logits = module(to_network_input(few_digits.test_images, (1, 28, 28), few_digits.normalization))
    assert float((logits.argmax(1) == few_digits.test_labels).float().mean()) == pytest.approx(result.test_accuracy)


@pytest.mark.usefixtures("few_digits")
def test_a_refusing_disk_keeps_the_last_whole_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.training import checkpoint

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def fill(event: Event) -> None:
        if isinstance(event, EpochFinished) and event.epoch == 2:
            monkeypatch.setattr(checkpoint, "save_weights", full)

    with RunStore(tmp_path) as store:
        run_id = _begin(store)
        result, _ = run(network(), store=store, run_id=run_id, recorder=Recorder(fill))
        assert isinstance(result, RunFailed)
        assert "No space left" in result.message
        assert result.checkpoint == str(store.get(run_id).weights_path)
        assert load_weights(store.get(run_id).weights_path)


@pytest.mark.usefixtures("few_digits")
def test_a_listener_that_raises_does_not_break_the_run(caplog: pytest.LogCaptureFixture) -> None:
    def gone(event: Event) -> None:
        raise RuntimeError("the window is closed")

    result = train(network(), TINY, gone, RunControl(), run_id="r")
    assert isinstance(result, RunFinished)
    assert caplog.text.count("the window is closed") == 1


@pytest.mark.usefixtures("few_digits")
def test_a_diverging_run_names_its_step() -> None:
    result, recorder = run(zoo.entry("lenet-plain").build(), dataclasses.replace(TINY, learning_rate=100.0))
    assert isinstance(result, RunFailed)
    assert result.message.startswith(f"step {recorder.steps[-1]}: the loss became ")
    assert np.isfinite(recorder.losses[:-1]).all()
    assert not np.isfinite(recorder.losses[-1])
    assert recorder.events[-1] is result
    assert result.details == ""


@pytest.mark.usefixtures("few_digits")
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "2.00 GiB more asked for"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "batch_size of 8"),
        (RuntimeError("a kernel broke"), "step 1: RuntimeError: a kernel broke"),
    ],
)
def test_a_broken_step_is_told(monkeypatch: pytest.MonkeyPatch, error: Exception, said: str) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(step_module.Step, "__call__", broken)
    result, recorder = run(network())
    assert isinstance(result, RunFailed)
    assert said in result.message
    assert "Traceback" in result.details
    assert recorder.events[-1] is result


@pytest.mark.usefixtures("few_digits")
def test_what_cannot_be_trained_is_refused_before_the_first_step() -> None:
    lenet = network()
    no_weights = Builder("no weights", 1, 28, 28)
    no_weights.add("flatten", flatten())
    cases = {
        "fc3: 5 logits for the 10 classes of digits; use at least 10": edits.set_value(lenet, "fc3", "out_features", 5),
        "the output trained on is 16×10×10": dataclasses.replace(lenet, outputs=("conv2",)),
        "nothing on the way": no_weights.build(),
        "conv2: kernel_size 99": edits.set_value(lenet, "conv2", "kernel_size", 99),
    }
    for said, architecture in cases.items():
        result, recorder = run(architecture)
        assert isinstance(result, RunFailed)
        assert said in result.message
        assert recorder.events == [result]
        with pytest.raises(ValueError, match=said[:12]):
            plan_run(architecture, TINY)
    assert "cuda:77" in getattr(run(lenet, RunConfig(device="cuda:77"))[0], "message", "")


@pytest.mark.usefixtures("few_digits")
def test_decisions_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(build_module(edits.set_value(network(), "fc3", "out_features", 12), seed=0), path)
    recorder = run(network(), RunConfig(epochs=1, batch_size=500), initial_weights=path)[1]
    (started,) = recorder.of(RunStarted)
    assert started.steps_per_epoch == 1
    assert any("Batch size 500 exceeds the 90" in note for note in started.notes)
    assert any("4 of 5 layers" in note and "fc3 starts anew" in note for note in started.notes)


@pytest.mark.usefixtures("few_digits")
def test_a_lone_image_sits_out_where_it_cannot_be_normalised() -> None:
    net = Builder("1×1 maps", 1, 28, 28)
    net.add("conv", conv(4, 5, 4))
    net.add("pool", adaptive_avg_pool(1))
    net.add("norm", BatchNorm2d())
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=10))
    result, recorder = run(net.build(), RunConfig(epochs=1, batch_size=89))
    assert isinstance(result, RunFinished)
    assert recorder.of(RunStarted)[0].steps_per_epoch == 1
    refused = run(net.build(), RunConfig(epochs=1, batch_size=1))[0]
    assert isinstance(refused, RunFailed)
    assert "at least 2" in refused.message
    # Frozen, it normalises by its running statistics, and every image takes part.
    result, recorder = run(edits.set_frozen(net.build(), ["norm"], True), RunConfig(epochs=1, batch_size=89))
    assert isinstance(result, RunFinished)
    assert recorder.of(RunStarted)[0].steps_per_epoch == 2
