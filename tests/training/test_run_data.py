"""A run's data set: how far it is read is said, Stop ends that and leaves nothing, and files may vanish at any time."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer import zoo
from explorer.architecture import Architecture
from explorer.runs import (
    DataProgress,
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStore,
)
from explorer.training.data import (
    DataCancelled,
    DataSet,
    decoded_folder,
    decoding,
    folders,
    load_data,
    loading,
    torchvision_sets,
)
from explorer.training.plan import plan_run
from explorer.training.recorded import resume_recorded, train_recorded
from tests.training.data_files import picture, picture_folder, write_idx

SHAPE = (3, 16, 16)


@pytest.fixture(autouse=True)
def nothing_in_memory() -> None:
    loading._kept.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    picture_folder(tmp_path / "shapes", per_class=10)
    return tmp_path / "shapes"


def _network() -> Architecture:
    return zoo.entry("lenet5-relu-dropout").build()


def _config(folder: Path) -> RunConfig:
    return RunConfig(data=f"folder:{folder}", epochs=2, batch_size=4, device="cpu")


def _train(
    folder: Path, root: Path, control: RunControl | None = None, hear: Callable[[Event], None] | None = None
) -> tuple[RunFinished | RunFailed, list[Event]]:
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if hear is not None:
            hear(event)

    return train_recorded(_network(), _config(folder), emit, control or RunControl(), root=root), events


def test_reading_is_said_before_the_run_starts(folder: Path, tmp_path: Path) -> None:
    result, events = _train(folder, tmp_path / "runs")
    assert isinstance(result, RunFinished)
    started = next(place for place, event in enumerate(events) if isinstance(event, RunStarted))
    read = [event for event in events[:started] if isinstance(event, DataProgress)]
    assert len(read) == started
    assert "Decoding 1 of 20 images" in [event.text for event in read]
    assert not [event for event in events[started:] if isinstance(event, DataProgress)]


def test_stop_while_it_is_read_leaves_nothing(folder: Path, tmp_path: Path, own_home: Path) -> None:
    control = RunControl()

    def hear(event: Event) -> None:
        if isinstance(event, DataProgress) and event.text.startswith("Decoding"):
            control.stop()

    result, events = _train(folder, tmp_path / "runs", control, hear)
    assert isinstance(result, RunFinished)
    assert (result.reason, result.step, result.checkpoint) == ("stopped", 0, None)
    assert events[-1] is result
    assert not [event for event in events if isinstance(event, RunStarted)]
    assert not (tmp_path / "runs").exists()
    assert not [path for path in own_home.rglob("*") if path.is_file()]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_a_resumed_run_that_is_stopped_meanwhile_stays_as_it_was(folder: Path, tmp_path: Path) -> None:
    control = RunControl()

    def stop_after_one(event: Event) -> None:
        if isinstance(event, EpochFinished):
            control.stop()

    result, _ = _train(folder, tmp_path / "runs", control, stop_after_one)
    with RunStore(tmp_path / "runs") as store:
        before = store.get(result.run_id)
        loading._kept.clear()
        again = RunControl()
        events: list[Event] = []

        def hear(event: Event) -> None:
            events.append(event)
            again.stop()

        ended = resume_recorded(result.run_id, hear, again, root=tmp_path / "runs")
        assert isinstance(ended, RunFinished)
        assert (ended.run_id, ended.reason, ended.step) == (before.run_id, "stopped", before.step)
        assert isinstance(events[0], DataProgress)
        assert store.get(result.run_id) == before
    finished = resume_recorded(result.run_id, lambda event: None, RunControl(), root=tmp_path / "runs")
    assert isinstance(finished, RunFinished)
    assert finished.reason == "completed"


def test_planning_can_be_cancelled(folder: Path) -> None:
    said: list[str] = []
    with pytest.raises(DataCancelled):
        plan_run(_network(), _config(folder), None, lambda text, share: said.append(text), lambda: len(said) > 1)
    assert plan_run(_network(), _config(folder)).steps_per_epoch == 4


def test_who_waits_for_another_thread_hears_how_far_that_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a run that is started while the Data tab still decodes the same folder."""
    goes_on = threading.Event()
    real = decoding.decode

    def slow(path: Path, shape: tuple[int, ...]) -> object:
        assert goes_on.wait(20)
        return real(path, shape)

    monkeypatch.setattr(decoded_folder, "decode", slow)
    name = f"folder:{folder}"
    first: list[DataSet] = []
    thread = threading.Thread(target=lambda: first.append(load_data(name, SHAPE)), name="job")
    thread.start()
    heard: list[str] = []

    def hear(text: str, share: float) -> None:
        heard.append(text)
        goes_on.set()

    try:
        second = load_data(name, SHAPE, hear)
    finally:
        goes_on.set()
        thread.join()
    assert first[0] is second
    assert heard  # said by the other thread's work, since this one only waits
    assert heard[0].startswith(("Looking through", "Reading", "Decoding"))


# What vanishes


def test_a_folder_that_is_gone_is_named(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder)
    result, _ = _train(folder, tmp_path / "runs")
    assert isinstance(result, RunFailed)
    assert result.message == (
        f"folder:{folder}: the folder cannot be looked into: no such file or directory; choose one that is there"
    )
    assert result.details == ""


def test_a_published_file_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCH_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "data" / "MNIST" / "raw"
    write_idx(place)
    found = torchvision_sets.find("mnist")
    assert found == place
    gone = place / "t10k-labels-idx1-ubyte.gz"
    gone.unlink()
    with pytest.raises(ValueError, match="MNIST is not on this computer; download its 11 MB"):
        load_data("mnist")
    # Between looking and reading.
    monkeypatch.setattr(torchvision_sets, "find", lambda name: place)
    with pytest.raises(ValueError, match=r"mnist: .*raw cannot be read: No such file or directory"):
        load_data("mnist")


def test_files_that_vanish_after_the_folder_was_listed_are_listed_and_skipped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = folders.list_folder

    def then_some_go(*arguments: object) -> object:
        listing = real(*arguments)  # type: ignore[arg-type]
        for number in range(3):
            (folder / "red" / f"{number}.png").unlink()
        return listing

    monkeypatch.setattr(loading, "list_folder", then_some_go)
    result, events = _train(folder, tmp_path / "runs")
    assert isinstance(result, RunFinished)
    (started,) = [event for event in events if isinstance(event, RunStarted)]
    assert started.num_train + started.num_test == 17
    assert "3 files were skipped, the first red/" in started.notes[-1]
    assert "is no longer there" in started.notes[-1]


def test_a_run_does_not_notice_what_vanishes_once_it_has_begun(folder: Path, tmp_path: Path, own_home: Path) -> None:
    expected, _ = _train(folder, tmp_path / "first")
    loading._kept.clear()
    (kept,) = (own_home / "cache" / "decoded").glob("*.safetensors")

    def hear(event: Event) -> None:
        if isinstance(event, RunStarted):
            os.truncate(kept, 100)  # A file that is mapped would end the program here.
            shutil.rmtree(folder)

    result, events = _train(folder, tmp_path / "second", None, hear)
    assert isinstance(result, RunFinished)
    assert isinstance(expected, RunFinished)
    assert not [event for event in events if isinstance(event, DataProgress) and event.text.startswith("Decoding")]
    assert (result.step, result.train_loss) == (expected.step, expected.train_loss)


# The pixels that are kept


@pytest.mark.parametrize("damage", ["cut", "empty", "header", "length", "pixel", "label", "old"])
def test_a_damaged_cache_is_decoded_again(folder: Path, own_home: Path, damage: str) -> None:
    name = f"folder:{folder}"
    first = load_data(name, SHAPE)
    (kept,) = (own_home / "cache" / "decoded").glob("*.safetensors")
    content = bytearray(kept.read_bytes())
    header_bytes = int.from_bytes(content[:8], "little")
    match damage:
        case "cut":
            content = content[:-1]
        case "empty":
            content = bytearray()
        case "header":
            content[20] ^= 0xFF
        case "length":
            content[:8] = (1 << 62).to_bytes(8, "little")
        case "pixel":
            content[-1] ^= 1
        case "label":
            content[8 + header_bytes] ^= 1
        case "old":
            content = content.replace(b"fingerprint", b"fingerprinX")
    kept.write_bytes(content)
    said: list[str] = []
    again = load_data(name, SHAPE, lambda text, share: said.append(text), again=True)
    assert again.fingerprint == first.fingerprint
    assert [text for text in said if text.startswith("Decoding")]
    # And it is mended.
    said.clear()
    assert load_data(name, SHAPE, lambda text, share: said.append(text), again=True).fingerprint == first.fingerprint
    assert not [text for text in said if text.startswith("Decoding")]


def test_reading_what_was_kept_can_be_cancelled_too(folder: Path) -> None:
    load_data(f"folder:{folder}", SHAPE)
    said: list[str] = []
    with pytest.raises(DataCancelled):
        load_data(
            f"folder:{folder}",
            SHAPE,
            lambda text, share: said.append(text),
            lambda: said[-1:] == ["Reading 0 of 0 MB that were decoded before"],
            again=True,
        )


def test_a_cache_that_cannot_be_written_is_no_fault(folder: Path, own_home: Path) -> None:
    (own_home / "cache").write_text("a file where a folder would be")
    assert len(load_data(f"folder:{folder}", SHAPE).train_images) == 16
    picture(folder / "red" / "more.png")
    assert len(load_data(f"folder:{folder}", SHAPE, again=True).train_images) == 17
