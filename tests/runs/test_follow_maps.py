"""Feature maps by two files in a run's folder: asked for, answered, forgotten, and refused."""

import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from explorer.runs import Atlas, FeatureMapsCaptured, Look, Probe, RunControl, RunFinished
from explorer.runs.follow_maps import FORGOTTEN_S, MAPS_NAME, RENEWAL_S, WATCH_NAME, MapsAnswerer, MapsReader


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def maps(step: int, *node_ids: str) -> FeatureMapsCaptured:
    rng = np.random.default_rng(step)
    atlases = {
        node_id: Atlas(
            image=rng.integers(0, 255, (5 + i, 11), np.uint8),
            num_channels=2,
            columns=2,
            tile_height=5 + i,
            tile_width=5,
            gap=1,
            minimum=-0.1,
            maximum=1 / 3,
        )
        for i, node_id in enumerate(node_ids)
    }
    return FeatureMapsCaptured(run_id="r", step=step, probe="a seven", atlases=atlases)


def end() -> RunFinished:
    return RunFinished(
        run_id="r",
        reason="stopped",
        step=9,
        seconds=1.0,
        checkpoint=None,
        train_loss=None,
        train_accuracy=None,
        test_accuracy=None,
        images_per_second=None,
    )


class Pair:
    """A run and its follower, whose threads are the test itself."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.control = folder, Clock(), RunControl()
        self.answerer = MapsAnswerer(self.control, clock=self.clock)
        self.reader = MapsReader(folder, clock=self.clock)
        self.answerer.hear(maps(0), folder)

    def watched(self) -> tuple[str, ...]:
        """Whose maps the run is to capture."""
        return self.control.watched.look.maps

    def say(self, event: FeatureMapsCaptured) -> FeatureMapsCaptured | None:
        """What arrives of maps that the run captured."""
        self.answerer.hear(event, self.folder)
        self.answerer.answer()
        return self.reader.poll()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.mark.parametrize("image", [None, np.arange(12, dtype=np.uint8).reshape(1, 3, 4)])
def test_what_is_asked_is_watched_and_what_is_captured_arrives(pair: Pair, image: npt.NDArray[np.uint8] | None) -> None:
    probes: tuple[Probe, ...] = ()
    if image is not None:
        probes = (Probe(label="not looked at", image=image + 1), Probe(label="a seven", image=image))
    pair.reader.ask(Look(maps=("conv1", "layer1.0.relu"), probes=probes, current=1))
    assert pair.reader.poll() is None
    pair.answerer.look()
    watched = pair.control.watched.look
    assert watched.maps == ("conv1", "layer1.0.relu")
    assert (watched.probe is None) == (image is None)
    if image is not None and watched.probe is not None:
        assert watched.probe.label == "a seven"
        np.testing.assert_array_equal(watched.probe.image, image)
    said = maps(5, "conv1", "layer1.0.relu")
    seen = pair.say(said)
    assert seen is not None
    assert (seen.run_id, seen.step, seen.probe, list(seen.atlases)) == ("r", 5, "a seven", list(said.atlases))
    for node_id, atlas in said.atlases.items():
        other = seen.atlases[node_id]
        np.testing.assert_array_equal(other.image, atlas.image)
        assert (other.minimum, other.maximum, other.tile_height) == (atlas.minimum, atlas.maximum, atlas.tile_height)
    assert pair.reader.poll() is None
    newer = pair.say(maps(6, "conv1"))
    assert newer is not None
    assert newer.step == 6


def test_nobody_asks_and_nothing_is_written(pair: Pair) -> None:
    pair.answerer.look()
    assert pair.say(maps(1, "conv1")) is None
    assert list(pair.folder.iterdir()) == []


def test_a_follower_that_is_gone_is_forgotten_and_one_that_renews_is_not(pair: Pair) -> None:
    pair.reader.ask(Look(maps=("conv1",)))
    for _ in range(10):
        pair.clock.now_s += RENEWAL_S
        before = (pair.folder / WATCH_NAME).stat().st_mtime_ns if (pair.folder / WATCH_NAME).exists() else 0
        while pair.reader.poll() is None and (pair.folder / WATCH_NAME).stat().st_mtime_ns == before:
            # The file system's clock may be coarse.
            pair.clock.now_s += RENEWAL_S / 100
        pair.answerer.look()
        assert pair.watched() == ("conv1",)
    pair.clock.now_s += FORGOTTEN_S + 0.1
    pair.answerer.look()
    assert pair.watched() == ()


def test_a_follower_that_ends_leaves_nothing_behind(pair: Pair) -> None:
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    pair.answerer.look()
    pair.say(maps(1, "conv1"))
    pair.reader.close()
    assert list(pair.folder.iterdir()) == []
    pair.answerer.look()
    assert pair.watched() == ()


def test_of_two_followers_the_last_is_answered_and_leaves_the_other_alone(pair: Pair) -> None:
    other = MapsReader(pair.folder, clock=pair.clock)
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    # One that looks at nothing disturbs nobody.
    other.ask(Look())
    other.poll()
    other.close()
    pair.answerer.look()
    assert pair.watched() == ("conv1",)
    other.ask(Look(maps=("conv2", "fc1")))
    other.poll()
    pair.answerer.look()
    assert pair.watched() == ("conv2", "fc1")
    pair.reader.close()
    assert (pair.folder / WATCH_NAME).exists()
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    pair.reader.close()
    assert not (pair.folder / WATCH_NAME).exists()
    pair.clock.now_s += RENEWAL_S
    other.poll()
    pair.answerer.look()
    assert pair.watched() == ("conv2", "fc1")


def test_half_a_file_is_no_file(pair: Pair) -> None:
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    whole = (pair.folder / WATCH_NAME).read_bytes()
    (pair.folder / WATCH_NAME).write_bytes(whole[:-30])
    pair.answerer.look()
    assert pair.watched() == ()
    (pair.folder / WATCH_NAME).write_bytes(whole)
    pair.answerer.look()
    assert pair.watched() == ("conv1",)
    assert pair.say(maps(1, "conv1")) is not None
    whole = (pair.folder / MAPS_NAME).read_bytes()
    for torn in (whole[: len(whole) // 2], b"", b"[]", whole + b"more"):
        (pair.folder / MAPS_NAME).write_bytes(torn)
        read = pair.reader.poll()
        assert read is None or read.step == 1


def test_a_folder_that_refuses_costs_pictures_only(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "gone")
    pair.reader.ask(Look(maps=("conv1",)))
    assert pair.reader.poll() is None
    pair.answerer.look()
    assert pair.say(maps(1, "conv1")) is None
    pair.reader.close()
    (tmp_path / "gone").mkdir()
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    pair.answerer.look()
    assert pair.watched() == ("conv1",)


def test_the_last_maps_are_there_when_the_run_says_that_it_has_ended(tmp_path: Path) -> None:
    reader, control = MapsReader(tmp_path), RunControl()
    reader.ask(Look(maps=("conv1",)))
    reader.poll()
    with MapsAnswerer(control) as answerer:
        answerer.hear(maps(0), tmp_path)
        while not control.watched.look.maps:
            pass
        answerer.hear(maps(8, "conv1"), tmp_path)
        answerer.hear(end(), tmp_path)
        last = reader.poll()
    assert last is not None
    assert last.step == 8
    assert "maps" not in {thread.name for thread in threading.enumerate()}
