"""Runs compared, replayed and written for other programs, each read back by the other program or value."""

import csv
import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import zoo
from explorer.architecture import Project, edits, files
from explorer.runs import (
    EpochFinished,
    RunConfig,
    RunFailed,
    RunFinished,
    RunRecord,
    RunStarted,
    RunStore,
    StepsRecorded,
)
from explorer.runs.comparison import compare, in_words, learning_rates
from explorer.runs.replay import measurements, whole_run
from explorer.runs.run_files import history_csv, runs_csv, save_history_csv, save_tensorboard

PER_EPOCH = 4


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    with RunStore(tmp_path / "runs") as store:
        yield store


def made(store: RunStore, config: RunConfig | None = None, *, num_steps: int = 10, fails: bool = False) -> RunRecord:
    """A run of so many steps, four an epoch, whose loss falls from 1 and whose learning rate changes after the 6th."""
    config = config or RunConfig(epochs=3)
    lenet = zoo.entry("lenet5").build()
    run_id = store.create(config, lenet.name, files.dumps(Project(architecture=lenet)), {"torch": "2.13"}).run_id
    store.record(
        RunStarted(
            run_id=run_id,
            config=config,
            architecture_name=lenet.name,
            device="CPU",
            num_train=64,
            num_test=8,
            steps_per_epoch=PER_EPOCH,
            num_parameters=61_706,
            notes=(),
            data_fingerprint="abcdef0123",
        )
    )
    for step in range(1, num_steps + 1):
        loss = np.array([1 / step], np.float32)
        store.record(
            StepsRecorded(
                run_id=run_id,
                first_step=step,
                losses=loss,
                accuracies=1 - loss,
                learning_rate=0.1 if step <= 6 else 0.01,
                epoch=-(-step // PER_EPOCH),
                images_per_second=500.0,
                seconds_left=None,
                num_steps_total=12,
            )
        )
        if step % PER_EPOCH == 0:
            measured = {"train_loss": 1 / step, "train_accuracy": 0.5, "test_loss": 2 / step, "test_accuracy": 0.25}
            more = {"seconds": 2.0, "images_per_second": 500.0}
            store.record(EpochFinished(run_id=run_id, epoch=step // PER_EPOCH, step=step, **measured, **more))
    if fails:
        store.record(RunFailed(run_id=run_id, message="broke", details="where", checkpoint=None))
    else:
        last: dict[str, Any] = {
            "train_loss": 0.1,
            "train_accuracy": 0.5,
            "test_accuracy": 0.25,
            "images_per_second": 500.0,
        }
        store.record(RunFinished(run_id=run_id, reason="stopped", step=num_steps, seconds=5.0, checkpoint=None, **last))
    return store.get(run_id)


def test_a_replayed_run_is_recorded_as_it_was(store: RunStore, tmp_path: Path) -> None:
    record = made(store)
    events = whole_run(record, store.history(record.run_id))
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    # A store that hears the events again has the same curves.
    with RunStore(tmp_path / "again") as again:
        other = again.create(record.config, "again", "{}", {}).run_id
        for event in events:
            again.record(dataclasses.replace(event, run_id=other))
        before, after = store.history(record.run_id), again.history(other)
    for name in ("steps", "losses", "accuracies", "learning_rates"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name
    assert [dataclasses.replace(epoch, run_id="") for epoch in before.epochs] == [
        dataclasses.replace(epoch, run_id="") for epoch in after.epochs
    ]
    kinds = [type(event).__name__ for event in events[1:-1]]
    assert kinds == [
        "StepsRecorded",
        "EpochFinished",
        "StepsRecorded",
        "StepsRecorded",
        "EpochFinished",
        "StepsRecorded",
    ]


def test_a_run_that_ended_early_still_says_so(store: RunStore) -> None:
    record = made(store)
    text = "Ended early: 2 epochs without a lower test loss."
    end = whole_run(record, store.history(record.run_id))[-1]
    assert isinstance(end, RunFinished)
    assert end.note == ""
    store.record(dataclasses.replace(end, reason="completed", note=text))
    end = whole_run(store.get(record.run_id), store.history(record.run_id))[-1]
    assert isinstance(end, RunFinished)
    assert (end.reason, end.note) == ("completed", text)


def test_a_failed_run_and_a_part_of_one(store: RunStore) -> None:
    record = made(store, fails=True)
    history = store.history(record.run_id)
    last = whole_run(record, history)[-1]
    assert isinstance(last, RunFailed)
    assert (last.message, last.details, last.checkpoint) == ("broke", "where", None)
    steps = [event for event in measurements(record, history, 4) if isinstance(event, StepsRecorded)]
    assert [event.last_step for event in steps] == [4]
    assert measurements(record, history, 0) == []


def test_csv_holds_every_point(store: RunStore, tmp_path: Path) -> None:
    record = made(store)
    save_history_csv(record, store.history(record.run_id), tmp_path / "run.csv")
    rows = [*csv.DictReader(io.StringIO((tmp_path / "run.csv").read_text()))]
    assert [int(row["step"]) for row in rows] == list(range(1, 11))
    assert [float(row["batch_loss"]) for row in rows] == pytest.approx([1 / step for step in range(1, 11)])
    assert [row["epoch"] for row in rows] == ["1"] * 4 + ["2"] * 4 + ["3"] * 2
    assert [row["test_loss"] for row in rows if row["test_loss"]] == ["0.5", "0.25"]
    assert history_csv(record, store.history(record.run_id)) == (tmp_path / "run.csv").read_text()
    table = [*csv.DictReader(io.StringIO(runs_csv([record, record])))]
    assert len(table) == 2
    assert (table[0]["run_id"], table[0]["learning_rate"], table[0]["best_accuracy"]) == (record.run_id, "0.02", "0.25")


def test_tensorboard_reads_what_is_written(store: RunStore, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event

    record = made(store)
    folder = save_tensorboard(record, store.history(record.run_id), tmp_path)
    assert folder.parent == tmp_path
    assert [path.name for path in tmp_path.glob(".*")] == []
    (path,) = folder.iterdir()
    found: dict[str, dict[int, tuple[float, float]]] = {}
    content, place = path.read_bytes(), 0
    # A TFRecord is a length of 8 bytes, its checksum of 4, the content, and the content's checksum of 4.
    while place < len(content):
        length = int.from_bytes(content[place : place + 8], "little")
        event = Event.FromString(content[place + 12 : place + 12 + length])
        place += 16 + length
        for value in event.summary.value:
            found.setdefault(value.tag, {})[event.step] = (value.simple_value, event.wall_time)
    losses = found["loss/batch"]
    assert [*losses] == list(range(1, 11))
    assert [value for value, _ in losses.values()] == pytest.approx([1 / step for step in range(1, 11)])
    # Half way through the second epoch of two seconds each.
    assert losses[6][1] == pytest.approx(record.created.timestamp() + 3.0)
    assert {step: value for step, (value, _) in found["accuracy/test"].items()} == {4: 0.25, 8: 0.25}
    assert [value for value, _ in found["learning_rate"].values()] == pytest.approx([0.1] * 6 + [0.01] * 4)


def test_what_differs_is_said_in_words(store: RunStore) -> None:
    first = made(store)
    second = made(store, RunConfig(epochs=3, learning_rate=0.05, optimizer="adam", nesterov=True))
    lenet = zoo.entry("lenet5").build()
    other = edits.set_value(lenet, "conv1", "out_channels", 8)
    found = compare((first, second), {first.run_id: lenet, second.run_id: other})
    assert [in_words(setting) for setting in found.settings] == [
        "optimizer sgd → adam",
        "learning rate 0.02 → 0.05",
        "nesterov off → on",
    ]
    assert found.networks == (("conv1: out_channels 6 → 8",),)
    assert not found.are_alike
    alike = compare((first, made(store)), {})
    assert alike.settings == ()
    assert alike.networks == (("its network cannot be read",),)
    same = compare((first, first, first), {first.run_id: lenet})
    assert same.are_alike


def test_a_learning_rate_that_was_set_anew_is_told_with_its_step(store: RunStore) -> None:
    first, short = (
        made(store, RunConfig(epochs=3, learning_rate=0.1)),
        made(store, RunConfig(epochs=3, learning_rate=0.1), num_steps=6),
    )
    rates = {record.run_id: learning_rates(record, store.history(record.run_id)) for record in (first, short)}
    assert rates == {first.run_id: "0.1, then 0.01 from step 7", short.run_id: ""}
    found = compare((short, first), {}, rates)
    assert [in_words(setting) for setting in found.settings] == ["learning rate 0.1 → 0.1, then 0.01 from step 7"]
    # A schedule moves it by itself, and so does a warm-up.
    cosine = made(store, RunConfig(epochs=3, learning_rate=0.1, schedule="cosine"))
    warm = made(store, RunConfig(epochs=3, learning_rate=0.1, warmup_epochs=2))
    assert [learning_rates(record, store.history(record.run_id)) for record in (cosine, warm)] == ["", ""]


def test_other_images_of_the_same_name_are_told(store: RunStore) -> None:
    first, second = made(store), made(store)
    second = dataclasses.replace(second, data_fingerprint="0123456789", versions={"torch": "2.14"})
    found = compare((first, second), {})
    assert [in_words(setting) for setting in found.settings] == ["images abcdef → 012345", "torch version 2.13 → 2.14"]
