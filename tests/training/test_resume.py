"""A run that was broken off, anywhere and in any way, goes on to the losses of one that was not."""

import contextlib
import dataclasses
import math
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture, Project, files
from explorer.runs import (
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStore,
    RunStoreError,
    StateChanged,
    StepsRecorded,
    TroubleMet,
)
from explorer.runs.checkpoints import newest_checkpoint
from explorer.runtime.modules import Network
from explorer.runtime.weights import load_weights
from explorer.training import DataSet, load_data
from explorer.training.checkpoint import Checkpoint, CheckpointError, RunState
from explorer.training.data import loading
from explorer.training.loop import train
from explorer.training.recorded import resume_recorded

NUM_STEPS = 18
RECIPE = RunConfig(epochs=3, batch_size=16, learning_rate=0.01)
RECIPES = {
    "sgd": RECIPE,
    "adam": dataclasses.replace(RECIPE, optimizer="adam", schedule="cosine", warmup_epochs=0.5),
    "rmsprop": dataclasses.replace(RECIPE, optimizer="rmsprop", schedule="plateau", plateau_patience=0, clip_norm=1.0),
    "augmented": dataclasses.replace(
        RECIPE, augmentation="flip,crop:2,mixup:0.2", optimizer="adamw", weight_decay=0.01
    ),
    "bfloat16": dataclasses.replace(RECIPE, precision="bfloat16"),
    # Its first scales are found by updates that are passed over.
    "float16": dataclasses.replace(RECIPE, precision="float16", optimizer="adam", clip_norm=1.0),
    "onecycle": dataclasses.replace(RECIPE, schedule="onecycle", nesterov=True, label_smoothing=0.1, keep_best=True),
}


def small_digits() -> DataSet:
    """Let `digits` be 90 training and 40 test images: 6 steps an epoch, the last of 10."""
    full = load_data("digits")
    sizes = {"train_images": 90, "train_labels": 90, "test_images": 40, "test_labels": 40}
    small = dataclasses.replace(full, **{name: getattr(full, name)[:size] for name, size in sizes.items()})
    loading._kept["digits", None] = small
    return small


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(loading._kept, ("digits", None), load_data("digits"))
    small_digits()


def network() -> Architecture:
    """With dropout, whose random numbers are torch's global ones."""
    return zoo.entry("lenet5-relu-dropout").build()


def begin(store: RunStore, config: RunConfig) -> str:
    return store.create(config, "net", files.dumps(Project(architecture=network())), {}).run_id


def unbroken(config: RunConfig, tmp_path: Path) -> tuple[list[float], list[float]]:
    """The losses of every step, and those of every test."""
    with RunStore(tmp_path / "unbroken") as store:
        run_id = begin(store, config)
        assert isinstance(
            train(network(), config, lambda _: None, RunControl(), run_id=run_id, store=store), RunFinished
        )
        return measured(store, run_id)


def measured(store: RunStore, run_id: str) -> tuple[list[float], list[float]]:
    history = store.history(run_id)
    assert history.steps.tolist() == list(range(1, len(history.steps) + 1))
    return history.losses.tolist(), [epoch.test_loss for epoch in history.epochs]


def stops_at(step: int, control: RunControl) -> Callable[[Event], None]:
    """Every step is a single one, and the last of them is `step`."""

    def listen(event: Event) -> None:
        if isinstance(event, RunStarted):
            for _ in range(step - event.resumed_step):
                control.step_once()
        elif isinstance(event, StateChanged) and event.state == "paused":
            control.stop()

    return listen


@pytest.mark.parametrize("name", RECIPES)
def test_a_stopped_run_goes_on_to_the_same_losses(name: str, tmp_path: Path) -> None:
    config = RECIPES[name]
    expected = unbroken(config, tmp_path)
    assert len(expected[0]) == NUM_STEPS
    with RunStore(tmp_path / "runs") as store:
        run_id = begin(store, config)
        for stop in (4, 6, 13):
            control = RunControl()
            listen = stops_at(stop, control)
            if stop == 4:
                result = train(network(), config, listen, control, run_id=run_id, store=store)
            else:
                result = resume_recorded(run_id, listen, control, root=store.root)
            assert isinstance(result, RunFinished)
            assert (result.reason, result.step) == ("stopped", stop)
            assert measured(store, run_id)[0] == expected[0][:stop]
        result = resume_recorded(run_id, lambda _: None, RunControl(), root=store.root)
        assert isinstance(result, RunFinished)
        assert result.reason == "completed"
        assert measured(store, run_id) == expected


def test_what_was_recorded_after_the_checkpoint_is_cut_off_and_comes_again(tmp_path: Path) -> None:
    expected = unbroken(RECIPE, tmp_path)

    class Crash(BaseException):
        """As a killed process: nothing after it runs."""

    def crash(event: Event) -> None:
        if isinstance(event, StepsRecorded) and event.last_step >= 9:
            raise Crash

    with RunStore(tmp_path / "runs") as store:
        run_id = begin(store, RECIPE)
        with pytest.raises(Crash):
            train(network(), RECIPE, crash, RunControl(), run_id=run_id, store=store)
        assert len(measured(store, run_id)[0]) >= 9
    events: list[Event] = []
    result = resume_recorded(run_id, events.append, RunControl(), root=tmp_path / "runs")
    assert isinstance(result, RunFinished)
    assert isinstance(events[0], RunStarted)
    assert events[0].resumed_step == 6
    assert "Goes on after step 6, in epoch 2." in events[0].notes
    with RunStore(tmp_path / "runs") as store:
        assert measured(store, run_id) == expected
    # A view that began empty has every step, each once.
    heard = [event for event in events if isinstance(event, StepsRecorded)]
    assert [e.first_step + i for e in heard for i in range(len(e.losses))] == list(range(1, NUM_STEPS + 1))
    assert [float(loss) for e in heard for loss in e.losses] == expected[0]
    assert [e.epoch for e in events if isinstance(e, EpochFinished)] == [1, 2, 3]


def test_a_learning_rate_changed_by_hand_goes_on(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        run_id, control = begin(store, RECIPE), RunControl()
        control.set_learning_rate(0.003)
        train(network(), RECIPE, stops_at(8, control), control, run_id=run_id, store=store)
        events: list[Event] = []
        resume_recorded(run_id, events.append, RunControl(), root=tmp_path)
        assert {e.learning_rate for e in events if isinstance(e, StepsRecorded)} == {np.float32(0.003), 0.003}


def test_the_state_is_kept_inside_an_epoch_too(tmp_path: Path) -> None:
    steps = []
    with RunStore(tmp_path) as store:
        run_id = begin(store, RECIPE)
        folder = store.get(run_id).folder

        def look(event: Event) -> None:
            if isinstance(event, StepsRecorded) and (found := newest_checkpoint(folder)) is not None:
                steps.append(int(found.name.split("-")[1]))

        train(network(), RECIPE, look, RunControl(), run_id=run_id, store=store, checkpoint_interval_s=0.0)
        assert set(steps) - {6, 12, 18}, "only ends of epochs were kept"
        assert len([*folder.glob("checkpoint-*")]) == 1


def test_the_best_weights_are_kept(tmp_path: Path) -> None:
    config = dataclasses.replace(RECIPE, keep_best=True)
    kept: dict[int, dict[str, torch.Tensor]] = {}
    with RunStore(tmp_path) as store:
        run_id = begin(store, config)
        record = store.get(run_id)

        def keep(event: Event) -> None:
            if event.__class__.__name__ == "CheckpointSaved" and (found := newest_checkpoint(record.folder)):
                kept.setdefault(int(found.name.split("-")[2]) - 1, load_weights(record.weights_path))

        train(network(), config, keep, RunControl(), run_id=run_id, store=store)
        epochs = store.history(run_id).epochs
    best = max(epochs, key=lambda epoch: (epoch.test_accuracy, -epoch.epoch))
    found = load_weights(record.best_path)
    assert all(torch.equal(found[key], value) for key, value in kept[best.epoch].items())


@pytest.mark.parametrize(
    ("accuracies", "wanted"), [((0.2, 0.9, 0.5, 0.4), 3), ((0.2, 0.9, 0.1, 0.15), 1), ((0.2, 0.9), 2)]
)
def test_best_weights_that_the_disk_refused_are_not_taken_for_kept(
    accuracies: tuple[float, ...], wanted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk refuses the second epoch's once: later ones are compared with what was kept, and the last is tried again
    at the end."""
    tested: dict[int, dict[str, torch.Tensor]] = {}
    remaining, write, refused = iter(accuracies), Checkpoint._write, list[int]()

    def refuse_once(self: Checkpoint, module: Network, state: RunState) -> Path:
        tested[state.epoch - 1] = {key: value.clone() for key, value in module.state_dict().items()}
        if state.epoch - 1 == 2 and not refused:
            refused.append(state.step)
            raise OSError(28, "No space left on device")
        return write(self, module, state)

    monkeypatch.setattr(Checkpoint, "_write", refuse_once)
    monkeypatch.setattr("explorer.training.run.evaluate", lambda *_: (1.0, next(remaining)))
    config = dataclasses.replace(RECIPE, epochs=len(accuracies), keep_best=True)
    with RunStore(tmp_path) as store:
        run_id = begin(store, config)
        assert isinstance(
            train(network(), config, lambda _: None, RunControl(), run_id=run_id, store=store), RunFinished
        )
        found = load_weights(store.get(run_id).best_path)
    assert refused
    assert all(torch.equal(found[key], value) for key, value in tested[wanted].items())


def _saved_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: RunConfig) -> list[int]:
    """After which epochs a run keeps its state, whose epochs take 10 s and whose writing takes 1 s by its clock."""
    now_s, saved, write = [0.0], list[int](), Checkpoint._write

    def slow(self: Checkpoint, module: Network, state: RunState) -> Path:
        now_s[0] += 1.0
        saved.append(state.epoch - 1)
        return write(self, module, state)

    def hear(event: Event) -> None:
        if isinstance(event, EpochFinished):
            now_s[0] += 10.0

    monkeypatch.setattr(Checkpoint, "_write", slow)
    monkeypatch.setattr("explorer.training.run.time", SimpleNamespace(perf_counter=lambda: now_s[0]))
    with RunStore(tmp_path) as store:
        run_id = begin(store, config)
        result = train(
            network(), config, hear, RunControl(), run_id=run_id, store=store, checkpoint_interval_s=math.inf
        )
        assert isinstance(result, RunFinished)
        assert newest_checkpoint(store.get(run_id).folder) is not None
    return saved


def test_the_state_is_kept_after_epochs_as_far_as_that_takes_little_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.training.run._SAVING_SHARE", 0.04)
    monkeypatch.setattr("explorer.training.run._SAVING_CREDIT_S", 1.0)
    config = dataclasses.replace(RECIPE, epochs=8)
    # At 10, 21 and 32 s, whose twenty-fifth and 1 s are at least the 0, 1 and 2 s that it took; then at 53 and 84 s.
    assert _saved_epochs(tmp_path, monkeypatch, config) == [1, 2, 3, 5, 8]


def test_the_best_weights_are_kept_after_whichever_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accuracies = iter([0.5, 0.4, 0.6, 0.6, 0.7, 0.1])
    monkeypatch.setattr("explorer.training.run._SAVING_SHARE", 1e-9)
    monkeypatch.setattr("explorer.training.run._SAVING_CREDIT_S", 0.5)
    monkeypatch.setattr("explorer.training.run.evaluate", lambda *_: (1.0, next(accuracies)))
    config = dataclasses.replace(RECIPE, epochs=6, keep_best=True)
    assert _saved_epochs(tmp_path, monkeypatch, config) == [1, 3, 5, 6]


def test_early_stopping_ends_the_run_and_says_so(tmp_path: Path) -> None:
    config = dataclasses.replace(RECIPE, epochs=50, learning_rate=1e-8, early_stopping=2)
    with RunStore(tmp_path) as store:
        run_id = begin(store, config)
        result = train(network(), config, lambda _: None, RunControl(), run_id=run_id, store=store)
        assert isinstance(result, RunFinished)
        losses = [epoch.test_loss for epoch in store.history(run_id).epochs]
        assert result.reason == "completed"
        assert len(losses) < 50
        assert min(losses) == losses[-3]
        assert result.note == store.get(run_id).message == "Ended early: 2 epochs without a lower test loss."
        with pytest.raises(CheckpointError, match="is complete"):
            resume_recorded(run_id, lambda _: None, RunControl(), root=tmp_path)


def test_a_test_loss_that_is_no_number_is_only_a_worse_one(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([math.nan, 3.0, 2.0, math.nan, 1.0, 4.0, 4.0])
    monkeypatch.setattr("explorer.training.run.evaluate", lambda *_: (next(losses), 0.5))
    config = dataclasses.replace(RECIPE, epochs=7, early_stopping=2)
    epochs: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, EpochFinished):
            epochs.append(event.test_loss)

    result = train(network(), config, hear, RunControl(), run_id="r")
    assert isinstance(result, RunFinished)
    assert epochs == pytest.approx([math.nan, 3.0, 2.0, math.nan, 1.0, 4.0, 4.0], nan_ok=True)
    assert result.note == "Ended early: 2 epochs without a lower test loss."


def test_what_cannot_be_resumed_is_refused(tmp_path: Path) -> None:
    with RunStore(tmp_path) as store:
        run_id = begin(store, RECIPE)
        store.close()
        with pytest.raises(CheckpointError, match="ended before its first checkpoint"):
            resume_recorded(run_id, lambda _: None, RunControl(), root=tmp_path)
        train(
            network(), RECIPE, stops_at(7, control := RunControl()), control, run_id=begin(store, RECIPE), store=store
        )
        newest = store.list()[0]
        with RunStore(tmp_path) as other:
            other.go_on(newest.run_id, 6)
            with pytest.raises(RunStoreError, match="still running"):
                resume_recorded(newest.run_id, lambda _: None, RunControl(), root=tmp_path)
        checkpoint = newest_checkpoint(newest.folder)
        assert checkpoint is not None
        (checkpoint / "state.json").write_text("{")
        result = resume_recorded(newest.run_id, lambda _: None, RunControl(), root=tmp_path)
        assert isinstance(result, RunFailed)
        assert "the checkpoint cannot be read" in result.message


_CHILD = """
import sys
from pathlib import Path
from types import SimpleNamespace
import torch
torch.set_num_threads(1)
from explorer.runs import RunControl, RunStore
from tests.training.test_resume import small_digits
small_digits()
from explorer.architecture import files
from explorer.training.loop import train
from explorer.training.recorded import resume_recorded
root, run_id, resumes = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "resume"
def say(event):
    print(type(event).__name__, flush=True)
if resumes:
    resume_recorded(run_id, say, RunControl(), root=root)
else:
    with RunStore(root) as store:
        record = store.get(run_id)
        store.go_on(run_id, 0)
        network = files.load(record.architecture_path).architecture
        train(network, record.config, say, RunControl(), run_id=run_id, store=store, checkpoint_interval_s=0.0)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no kill -9")
def test_a_killed_run_has_a_whole_checkpoint_and_goes_on_to_the_same_losses(tmp_path: Path) -> None:
    expected = unbroken(RECIPE, tmp_path)
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    with RunStore(tmp_path / "runs") as store:
        run_id = begin(store, RECIPE)
    mode = "begin"
    for _ in range(2):
        # After so many events, at a moment that the machine's own timing makes different each time.
        _kill_after(chance.randrange(2, 14), mode, tmp_path / "runs", run_id)
        with RunStore(tmp_path / "runs") as store:
            record = store.get(run_id)
            if record.state == "completed":
                break
            assert record.state == "interrupted", f"seed {seed}"
            if newest_checkpoint(record.folder) is not None:
                assert load_weights(record.weights_path)
                mode = "resume"
    with RunStore(tmp_path / "runs") as store:
        if store.get(run_id).state != "completed":
            if mode == "begin":
                return  # killed twice before its first checkpoint: nothing to go on from, which another test covers
            assert isinstance(resume_recorded(run_id, lambda _: None, RunControl(), root=store.root), RunFinished)
        assert measured(store, run_id) == expected, f"seed {seed}"


def kill_at(chance: random.Random, root: Path, run_id: str) -> float:
    """Begin a run in a process of its own and kill it at any moment of its 18 steps; after how many seconds."""
    with _child("begin", root, run_id) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it has begun: before that there is only Python's own start
        seconds = chance.uniform(0.0, 0.6)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=seconds)
        child.kill()
    return seconds


def _child(mode: str, root: Path, run_id: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", _CHILD, str(root), run_id, mode]
    # The tests' own modules are found from the working folder.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def _kill_after(num_events: int, mode: str, root: Path, run_id: str) -> None:
    with _child(mode, root, run_id) as child:
        assert child.stdout is not None
        for number, _ in enumerate(child.stdout, 1):
            if number >= num_events:
                break
        child.kill()


def test_a_full_disk_is_told_and_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.training import checkpoint

    saving = vars(checkpoint)["save_weights"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    events: list[Event] = []

    def fill_and_free(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochFinished):
            monkeypatch.setattr(checkpoint, "save_weights", full if event.epoch == 2 else saving)

    with RunStore(tmp_path) as store:
        run_id = begin(store, RECIPE)
        folder = store.get(run_id).folder
        result = train(network(), RECIPE, fill_and_free, RunControl(), run_id=run_id, store=store)
        assert isinstance(result, RunFinished)
        troubles = [event.message for event in events if isinstance(event, TroubleMet)]
        assert len(troubles) == 1
        assert "after step 12 could not be written: No space left on device" in troubles[0]
        assert "free some space" in troubles[0]
        assert not [*folder.glob(".checkpoint-*")]
        assert newest_checkpoint(folder) is not None
