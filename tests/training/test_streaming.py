"""Folders of images that do not fit into memory: what is read from their files is what they would be in memory."""

import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from torch import Tensor

from explorer import zoo
from explorer.architecture import Architecture, Project, files
from explorer.layers import Shape
from explorer.runs import (
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStore,
    StateChanged,
    StepsRecorded,
    TroubleMet,
)
from explorer.training import DataSet, load_data, train
from explorer.training.data import BatchStream, DataCancelled, ImagesGone, StreamedImages, decoded_folder, loading
from explorer.training.data.decode_workers import Job, Outcome, Workers
from explorer.training.feed import Feed
from explorer.training.recorded import resume_recorded

SHAPE = (1, 28, 28)
PER_CLASS = 15
CPU = torch.device("cpu")


def noise_folder(root: Path) -> None:
    """Two classes of JPEGs, of which no two are alike: 24 to train on and 6 to test with."""
    random = np.random.default_rng(0)
    for name in ("even", "rough"):
        (root / name).mkdir(parents=True)
        for number in range(PER_CLASS):
            pixels = random.integers(0, 256, (30 + number, 40, 3), np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number:02}.jpg")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(loading, "_kept", type(loading._kept)())
    noise_folder(tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


@pytest.fixture(autouse=True)
def one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many cores there are: a process takes longer to start than to decode these few images."""
    monkeypatch.setattr("explorer.training.data.decode_workers._num_workers", lambda: 1)


@pytest.fixture
def two_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of which either may be the faster."""
    monkeypatch.setattr("explorer.training.data.decode_workers._num_workers", lambda: 2)


def load(root: Path, *, streamed: bool, shape: Shape = SHAPE) -> DataSet:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoded_folder, "_MEMORY_SHARE", 0.0 if streamed else 1.0)
        data = load_data(f"folder:{root}", shape, again=True)
    assert data.is_streamed == streamed
    return data


def stream_of(data: DataSet) -> tuple[StreamedImages, BatchStream]:
    assert isinstance(data.train_images, StreamedImages)
    return data.train_images, BatchStream(data.train_images, data.train_labels, CPU)


def parts_of(positions: Tensor, size: int) -> list[Tensor]:
    return [positions[start : start + size] for start in range(0, len(positions), size)]


# The data set


@pytest.mark.parametrize("shape", [SHAPE, (3, 16, 24)])
def test_facts_are_those_of_the_images_in_memory(root: Path, shape: Shape) -> None:
    (root / "even" / "03.jpg").write_bytes(b"no image")
    (root / "rough" / "07.jpg").write_bytes((root / "rough" / "07.jpg").read_bytes()[:-300])
    Image.new("P", (20, 20)).save(root / "rough" / "palette.gif")
    held, streamed = load(root, streamed=False, shape=shape), load(root, streamed=True, shape=shape)
    for field in dataclasses.fields(DataSet):
        first, second = getattr(held, field.name), getattr(streamed, field.name)
        if not isinstance(first, Tensor):
            assert first == second, field.name
    assert {problem.path for problem in streamed.problems} == {"even/03.jpg", "rough/07.jpg", "rough/palette.gif"}
    assert torch.equal(held.train_labels, streamed.train_labels)
    assert torch.equal(held.test_labels, streamed.test_labels)


def test_images_are_a_tensor_to_all_who_ask_for_some(root: Path) -> None:
    held, streamed = load(root, streamed=False).train_images, load(root, streamed=True).train_images
    assert (streamed.shape, streamed.dtype, len(streamed), streamed.numel()) == (
        held.shape,
        held.dtype,
        len(held),
        held.numel(),
    )
    for index in (3, -1, slice(2, 9), slice(None, None, 5), torch.tensor([4, 4, 0]), [1, 2]):
        assert torch.equal(streamed[index], held[index])
    assert torch.equal(streamed[::2, :, ::3, 1:], held[::2, :, ::3, 1:])
    assert streamed[:0].shape == (0, *SHAPE)
    with pytest.raises(TypeError, match="take some by their positions"):
        streamed.float()


def test_what_was_found_out_is_kept_until_a_file_changes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(root, streamed=True)

    def never(*_: object) -> object:
        raise AssertionError("looked through again")

    with monkeypatch.context() as patch:
        patch.setattr("explorer.training.data.survey.look_through", never)
        assert load(root, streamed=True).fingerprint == first.fingerprint
    Image.new("RGB", (40, 40), "red").save(root / "even" / "05.jpg")
    assert load(root, streamed=True).fingerprint != first.fingerprint


def test_looking_through_can_be_cancelled(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded_folder, "_MEMORY_SHARE", 0.0)
    said: list[str] = []
    with pytest.raises(DataCancelled):
        load_data(
            f"folder:{root}", SHAPE, lambda text, share: said.append(text), lambda: "Looking through 24" in said[-1]
        )


# Batches


@pytest.mark.parametrize("is_augmented", [False, True])
def test_batches_are_those_of_the_images_in_memory_to_the_bit(
    root: Path, is_augmented: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, streamed = load(root, streamed=False), load(root, streamed=True)

    def feed_of(data: DataSet) -> Feed:
        images, labels = data.train_images, data.train_labels
        return Feed(images, labels, (1, 32, 32), data.normalization, CPU, is_augmented=is_augmented)

    feeds = [feed_of(held), feed_of(streamed)]
    with monkeypatch.context() as patch:
        # As on a GPU with too little memory, or with enough for uint8 alone.
        for room_bytes in (0, held.train_images.numel()):
            patch.setattr("explorer.training.feed._room_bytes", lambda _device, room=room_bytes: room)
            feeds.append(feed_of(held))
    assert [feed._images is None for feed in feeds] == [False, True, True, False]
    assert [feed._is_converted for feed in feeds] == [True, False, False, False]
    order = torch.randperm(24, generator=torch.Generator().manual_seed(1))
    batches: list[Tensor | slice] = [*parts_of(order, 7), slice(0, 10), slice(10, 30), order[:3]]
    for feed in feeds:
        feed.prefetch(batches)
    # Also what nobody announced, in between.
    for positions in (*batches[:2], order[5:9], *batches[2:], slice(4, 6)):
        expected, *others = ((feed.raw if is_augmented else feed.batch)(positions) for feed in feeds)
        for found in others:
            assert torch.equal(found[0], expected[0])
            assert torch.equal(found[1], expected[1])
    for feed in feeds:
        assert feed.take_trouble() is None
        feed.close()


@pytest.mark.usefixtures("two_workers")
def test_what_is_announced_anew_takes_the_place_of_what_was(root: Path) -> None:
    held = load(root, streamed=False).train_images
    _, stream = stream_of(load(root, streamed=True))
    for first in range(6):
        batches = [torch.arange(24).roll(first)[start : start + 4] for start in range(0, 24, 4)]
        stream.prefetch(batches)
        for positions in batches[: first + 1]:
            with stream.batch(positions) as images:
                assert torch.equal(images, held[positions])
    stream.close()


def test_no_more_is_read_ahead_than_its_budget(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rooms: list[int] = []
    make = torch.empty

    def counted(*arguments: object, **named: object) -> Tensor:
        made: Tensor = make(*arguments, **named)  # type: ignore[call-overload]
        rooms.append(made.numel())
        return made

    monkeypatch.setattr("explorer.training.data.batch_stream._AHEAD_BYTES", 3 * 2 * 28 * 28)
    _, stream = stream_of(load(root, streamed=True))
    monkeypatch.setattr(torch, "empty", counted)
    batches = [*parts_of(torch.arange(24), 2)]
    stream.prefetch(batches)
    for positions in batches:
        with stream.batch(positions):
            assert len(stream._under_way) <= 3
    stream.close()
    assert rooms == [2 * 28 * 28] * 3


@pytest.mark.usefixtures("two_workers")
def test_a_process_that_is_killed_costs_no_image(root: Path) -> None:
    held = load(root, streamed=False).train_images
    images, stream = stream_of(load(root, streamed=True))
    stream.prefetch([*torch.arange(24)[:, None]] * 3)
    workers = images.workers.acquire()
    killed = 0
    for place in range(72):
        if place in (5, 30) and (ids := workers.process_ids):
            os.kill(ids[0], getattr(signal, "SIGKILL", signal.SIGTERM))
            killed += 1
        positions = torch.tensor([place % 24])
        with stream.batch(positions) as found:
            assert torch.equal(found, held[positions])
    assert killed
    # Its thread notices at its next image, or has; the other's may be so fast that it gets none for a while.
    until_s = time.monotonic() + 30
    while (trouble := stream.take_trouble()) is None and time.monotonic() < until_s:
        stream.prefetch([*parts_of(torch.arange(24), 6)])
        for positions in parts_of(torch.arange(24), 6):
            with stream.batch(positions) as found:
                assert torch.equal(found, held[positions])
    assert trouble is not None
    assert "A process that decodes images" in trouble
    assert "no image is lost" in trouble
    images.workers.release()
    stream.close()


def test_where_no_process_can_be_had_threads_decode(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = load(root, streamed=False).train_images
    data = load(root, streamed=True)
    ends_at_once = root.parent / "ends"
    ends_at_once.write_text("#!/bin/sh\nexit 3\n")
    ends_at_once.chmod(0o755)
    cases = {
        "": "",
        str(root / "nothing"): "No process can be started",
        str(ends_at_once): "end before they begin",
    }
    for executable, said in cases.items():
        if executable == str(ends_at_once) and sys.platform == "win32":
            continue
        monkeypatch.setattr(sys, "executable", executable)
        _, stream = stream_of(data)
        with stream.batch(slice(0, 24)) as images:
            assert torch.equal(images, held)
        assert said in (stream.take_trouble() or "")
        stream.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell's script")
def test_an_image_that_ends_two_processes_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dies_at_work = root.parent / "dies"
    dies_at_work.write_text("#!/bin/sh\nprintf r\nhead -c 1 >/dev/null\nkill -9 $$\n")
    dies_at_work.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(dies_at_work))
    answered = threading.Event()
    outcomes: list[Outcome] = []

    def done(outcome: Outcome) -> None:
        outcomes.append(outcome)
        answered.set()

    workers = Workers(1)
    workers.put(Job(path=root / "even" / "00.jpg", room=np.zeros(SHAPE, np.uint8), done=done, owner=None))
    assert answered.wait(20)
    workers.close()
    assert outcomes == [Outcome(False, 0, 0, "ends the process that decodes it")]
    assert "was ended by signal" in workers.take_troubles()[0]


def test_a_file_that_vanishes_is_replaced_by_the_next_of_its_class(root: Path) -> None:
    held = load(root, streamed=False)
    data = load(root, streamed=True)
    images, _ = stream_of(data)
    labels = data.train_labels.tolist()
    last_even = labels.index(1) - 1
    for position in (2, 3, last_even):
        (root / images.files[position]).unlink()
    (root / images.files[20]).write_bytes(b"\xff\xd8 damaged")
    feed = Feed(data.train_images, data.train_labels, SHAPE, data.normalization, CPU)
    feed.prefetch([slice(0, 24)])
    x, target = feed.batch(slice(0, 24))
    replaced = [*range(24)]
    for position, by in ((2, 4), (3, 4), (last_even, 0), (20, 21)):
        replaced[position] = by
    expected = Feed(held.train_images, held.train_labels, SHAPE, held.normalization, CPU).batch(torch.tensor(replaced))
    assert torch.equal(x, expected[0])
    assert target.tolist() == labels
    trouble = feed.take_trouble()
    assert trouble is not None
    assert trouble.startswith("4 images cannot be read any more, the first ")
    feed.batch(slice(0, 24))
    assert feed.take_trouble() is None, "told once"
    feed.close()


def test_a_folder_that_is_gone_ends_the_reading_and_says_so(root: Path) -> None:
    _, stream = stream_of(load(root, streamed=True))
    root.rename(root.with_name("elsewhere"))
    with (
        pytest.raises(ImagesGone, match="is no longer there, and no other image of its class can be read"),
        stream.batch(slice(0, 3)),
    ):
        pass
    stream.close()


def test_workers_end_with_jobs_under_way(root: Path) -> None:
    data = load(root, streamed=True)
    for _ in range(3):
        _, stream = stream_of(data)
        stream.prefetch([slice(0, 24)] * 4)
        stream.close()
    workers = Workers(2)
    workers.close()
    assert workers.process_ids == ()


# The run

CONFIG = RunConfig(epochs=3, batch_size=5, learning_rate=0.01)


def network() -> Architecture:
    return zoo.entry("lenet5-relu-dropout").build()


def run(store: RunStore, config: RunConfig, listen: Callable[[Event], None], control: RunControl) -> tuple[str, object]:
    run_id = store.create(config, "net", files.dumps(Project(architecture=network())), {}).run_id
    return run_id, train(network(), config, listen, control, run_id=run_id, store=store)


def stops_at(step: int, control: RunControl) -> Callable[[Event], None]:
    def listen(event: Event) -> None:
        if isinstance(event, RunStarted):
            for _ in range(step - event.resumed_step):
                control.step_once()
        elif isinstance(event, StateChanged) and event.state == "paused":
            control.stop()

    return listen


@pytest.mark.parametrize("augmentation", ["none", "flip,crop:2,erase:0.5"])
def test_a_run_is_the_same_in_memory_and_streamed_and_resumed_in_mid_epoch(
    root: Path, tmp_path: Path, augmentation: str
) -> None:
    config = dataclasses.replace(CONFIG, data=f"folder:{root}", augmentation=augmentation)
    load(root, streamed=False)
    with RunStore(tmp_path / "runs") as store:
        expected_id, result = run(store, config, lambda _: None, RunControl())
        assert isinstance(result, RunFinished)
        load(root, streamed=True)
        control, events = RunControl(), list[Event]()
        run_id, result = run(store, config, stops_at(8, control), control)
        assert isinstance(result, RunFinished)
        assert (result.reason, result.step) == ("stopped", 8)
        result = resume_recorded(run_id, events.append, RunControl(), root=store.root)
        assert isinstance(result, RunFinished)
        assert result.reason == "completed"
        expected, found = store.history(expected_id), store.history(run_id)
        assert found.losses.tolist() == expected.losses.tolist()
        assert [epoch.test_loss for epoch in found.epochs] == [epoch.test_loss for epoch in expected.epochs]
    assert isinstance(events[0], RunStarted)
    assert not [note for note in events[0].notes if "not those that the run began with" in note]
    assert not [event for event in events if isinstance(event, TroubleMet)]


def test_a_run_goes_on_when_files_vanish_and_ends_with_a_sentence_when_all_do(root: Path, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, data=f"folder:{root}", epochs=6)
    images, _ = stream_of(load(root, streamed=True))
    events: list[Event] = []
    files_left = [root / file for file in images.files]

    def delete(event: Event) -> None:
        events.append(event)
        if isinstance(event, StepsRecorded) and event.first_step == 1:
            files_left.pop(3).unlink()
        if isinstance(event, StepsRecorded) and event.epoch == 4:
            for file in files_left:
                file.unlink(missing_ok=True)

    with RunStore(tmp_path / "runs") as store:
        _, result = run(store, config, delete, RunControl())
    assert isinstance(result, RunFailed)
    assert "no other image of its class can be read" in result.message
    assert result.details == ""
    assert result.checkpoint is not None
    assert len([event for event in events if isinstance(event, TroubleMet)]) == 1
