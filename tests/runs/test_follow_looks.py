"""What is looked at, by files in a run's folder: asked for, answered, forgotten, and refused."""

import dataclasses
import errno
import io
import json
import os
import threading
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from explorer.runs import (
    Atlas,
    FeatureMapsCaptured,
    LayersOpened,
    Look,
    OpenedLayer,
    Probe,
    RunControl,
    RunFinished,
    StateChanged,
    WeightPictures,
    WeightsCaptured,
)
from explorer.runs.follow_looks import (
    ANSWER_NAMES,
    FORGOTTEN_S,
    LEFT_OUT_NAME,
    RENEWAL_S,
    WATCH_NAME,
    LookAnswerer,
    LookReader,
)
from explorer.runs.follow_packing import fitted
from explorer.runs.looks import Pixel
from explorer.runs.moments_packing import EVENT_KINDS, UNREADABLE, Moment, unpack
from tests.runs.test_moments_packing import assert_same, made

MAPS_NAME = ANSWER_NAMES[FeatureMapsCaptured]


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
        self.answerer = LookAnswerer(self.control, clock=self.clock)
        self.reader = LookReader(folder, clock=self.clock)
        self.answerer.hear(maps(0), folder)

    def watched(self) -> tuple[str, ...]:
        """Whose maps the run is to capture."""
        return self.control.watched.look.maps

    def say(self, event: FeatureMapsCaptured) -> FeatureMapsCaptured | None:
        """What arrives of maps that the run captured."""
        arrived = self.say_all(event)
        assert len(arrived) <= 1
        return next((one for one in arrived if isinstance(one, FeatureMapsCaptured)), None)

    def say_all(self, *events: Moment) -> tuple[Moment, ...]:
        """What arrives of what the run captured."""
        for event in events:
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
        probes = (Probe(label="another", image=image + 1, target=3), Probe(label="a seven", image=image))
    pair.reader.ask(Look(maps=("conv1", "layer1.0.relu"), probes=probes, current=1))
    assert pair.reader.poll() == ()
    pair.answerer.look()
    watched = pair.control.watched.look
    assert watched.maps == ("conv1", "layer1.0.relu")
    assert (watched.probe is None) == (image is None)
    if image is not None and watched.probe is not None:
        assert watched.probe.label == "a seven"
        np.testing.assert_array_equal(watched.probe.image, image)
        assert [probe.target for probe in watched.probes] == [3, None]
    said = maps(5, "conv1", "layer1.0.relu")
    seen = pair.say(said)
    assert seen is not None
    assert (seen.run_id, seen.step, seen.probe, list(seen.atlases)) == ("r", 5, "a seven", list(said.atlases))
    for node_id, atlas in said.atlases.items():
        other = seen.atlases[node_id]
        np.testing.assert_array_equal(other.image, atlas.image)
        assert (other.minimum, other.maximum, other.tile_height) == (atlas.minimum, atlas.maximum, atlas.tile_height)
    assert pair.reader.poll() == ()
    newer = pair.say(maps(6, "conv1"))
    assert newer is not None
    assert newer.step == 6


WHOLE = Look(
    probes=(
        Probe(label="grey", image=np.arange(20, dtype=np.uint8).reshape(4, 5), target=7),
        Probe(label="colours", image=np.linspace(0, 1, 60, dtype=np.float32).reshape(3, 4, 5)),
    ),
    current=1,
    maps=("conv1",),
    opened=("layer1.0.relu", "fc"),
    weighed=("fc",),
    first_kernels=("conv1", "fc"),
    measures=True,
    explained=True,
    explained_layer="conv1",
    explained_class=0,
    pointed=Pixel("conv1", 3, 2, 1),
    compared=("conv1", 4),
    tested=True,
)


def test_a_whole_look_travels(pair: Pair) -> None:
    assert all(getattr(WHOLE, field.name) != getattr(Look(), field.name) for field in dataclasses.fields(Look))
    pair.reader.ask(WHOLE)
    pair.reader.poll()
    pair.answerer.look()
    watched = pair.control.watched.look
    assert watched.same_as(WHOLE)
    assert type(watched.pointed) is Pixel


@pytest.mark.parametrize(
    "field", [name.name for name in dataclasses.fields(Look) if name.name not in ("probes", "current")]
)
def test_each_wish_alone_is_one(pair: Pair, field: str) -> None:
    asked = Look(**{field: getattr(WHOLE, field)})
    pair.reader.ask(asked)
    pair.reader.poll()
    pair.answerer.look()
    assert pair.control.watched.look.same_as(Look() if asked.is_empty else asked)
    assert asked.is_empty is (field in ("explained_layer", "explained_class"))


def test_every_kind_of_answer_comes_back(pair: Pair) -> None:
    said = {kind: made(kind) if kind is not FeatureMapsCaptured else maps(3, "conv1") for kind in EVENT_KINDS}
    pair.reader.ask(WHOLE)
    assert pair.reader.poll() == ()
    pair.answerer.look()
    arrived = pair.say_all(*said.values())
    assert [type(event) for event in arrived] == list(EVENT_KINDS)
    for event in arrived:
        assert_same(event, said[type(event)])
    # Only what is new comes again.
    newer = dataclasses.replace(said[LayersOpened], step=4, probe="another")
    (again,) = pair.say_all(newer)
    assert_same(again, newer)
    pair.reader.close()
    assert list(pair.folder.iterdir()) == []


def test_pictures_are_asked_for_while_somebody_looks(pair: Pair) -> None:
    # Nobody has asked for anything yet, so that what is captured is the control's own affair.
    pair.answerer.ask()
    pair.control.pictures_sent()
    assert pair.control.are_pictures_awaited
    pair.reader.ask(Look(opened=("conv1",)))
    pair.reader.poll()
    pair.answerer.look()
    seen = []
    for change in (pair.answerer.ask, pair.control.pictures_sent) * 2:
        change()
        seen.append(pair.control.are_pictures_awaited)
    pair.reader.close()
    pair.answerer.look()
    pair.answerer.ask()
    seen.append(pair.control.are_pictures_awaited)
    assert seen == [True, False, True, False, False]


def test_the_thread_asks_for_one_picture_after_another(tmp_path: Path) -> None:
    reader, control = LookReader(tmp_path), RunControl()
    reader.ask(Look(maps=("conv1",)))
    reader.poll()
    steps = []
    with LookAnswerer(control) as answerer:
        answerer.hear(StateChanged(run_id="r", state="running"), tmp_path)
        while not control.watched.look.maps:
            pass
        for step in range(1, 4):
            while not control.are_pictures_awaited:
                pass
            control.pictures_sent()
            answerer.hear(maps(step, "conv1"), tmp_path)
            while not (arrived := reader.poll()):
                pass
            steps.append(arrived[0].step)
        answerer.hear(end(), tmp_path)
    assert steps == [1, 2, 3]


def weights(**sides: int) -> WeightsCaptured:
    """Square layers, `side * side * 4` bytes each of weight, change and gradient."""
    layers = {}
    for node_id, side in sides.items():
        square = np.full((side, side), 0.5, np.float32)
        layers[node_id] = WeightPictures(square, square, square)
    return WeightsCaptured(run_id="r", step=3, layers=layers)


def kept(event: Any) -> dict[str, tuple[bool, ...]]:
    return {node_id: tuple(part is not None for part in layer) for node_id, layer in event.layers.items()}


def test_what_is_too_large_goes_without_its_largest_parts() -> None:
    # 100, 200 and 300 values a side: 20, 80 and 180 kB a picture at half precision.
    event = weights(small=100, large=300, middle=200)
    whole, alone = (True, True, True), (True, False, False)
    assert fitted(event, 840_000) == (event, None)
    for most_bytes, expected in (
        (839_999, {"small": whole, "large": alone, "middle": whole}),
        (479_999, {"small": whole, "large": alone, "middle": alone}),
        (319_999, {"small": alone, "large": alone, "middle": alone}),
        (279_999, {"small": alone, "middle": alone}),
        (99_999, {"small": alone}),
    ):
        part = fitted(event, most_bytes).event
        assert part is not None
        assert part.step == 3
        assert kept(part) == expected
    assert fitted(event, 19_999).event is None


@pytest.mark.parametrize(
    ("most_bytes", "nodes", "said"),
    [
        (839_999, ("large",), "Left out: the gradients and changes of the weights of large."),
        (279_999, ("large", "middle", "small"), "Left out: large and the gradients and changes of the weights of"),
        (19_999, ("large", "middle", "small"), "Left out: large, middle, small."),
    ],
)
def test_what_is_left_out_is_said_with_what_came_and_what_would_fit(
    most_bytes: int, nodes: tuple[str, ...], said: str
) -> None:
    left_out = fitted(weights(small=100, large=300, middle=200), most_bytes).left_out
    assert left_out is not None
    assert left_out.nodes == nodes
    # Three pictures of 20, 80 and 180 kB.
    assert "weights of 0.8 MB, and an answer holds at most" in left_out.text
    assert f"{most_bytes / 1e6:.1f} MB" in left_out.text
    assert said in left_out.text
    assert "Look at fewer or smaller layers" in left_out.text


def test_first_kernels_stay_where_whole_layers_go() -> None:
    few = np.full((20, 20), 0.5, np.float32)
    event = dataclasses.replace(
        weights(fc1=300, fc2=400),
        first_kernels={"fc1": WeightPictures(few, few, few), "b": WeightPictures(few, few, few)},
    )
    # 4 bytes a value of the few, 4800 for each; 180 and 320 kB of the others.
    part, left_out = fitted(event, 10_000)
    assert isinstance(part, WeightsCaptured)
    assert dict(part.layers) == {}
    assert set(part.first_kernels) == {"fc1", "b"}
    assert part.first_kernels["fc1"].change is few
    assert left_out is not None
    assert left_out.nodes == ("fc2", "fc1")
    part, left_out = fitted(event, 9_000)
    assert isinstance(part, WeightsCaptured)
    assert [(one.change is None, one.gradient is None) for one in part.first_kernels.values()] == [
        (True, True),
        (False, False),
    ]
    assert left_out is not None
    assert left_out.nodes == ("fc2", "fc1")
    part, left_out = fitted(event, 1_599)
    assert part is None
    assert left_out is not None
    assert set(left_out.nodes) == {"fc1", "fc2", "b"}


def test_of_many_layers_that_are_left_out_three_are_named() -> None:
    sides = {f"conv{i}": 100 + i for i in range(5)}
    left_out = fitted(weights(**sides), 1000).left_out
    assert left_out is not None
    assert "Left out: conv4, conv3, conv2 and 2 more." in left_out.text


def test_who_looks_is_told_what_was_left_out_until_it_is_not(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.runs.follow_looks.fitted", partial(fitted, most_bytes=100_000))
    other = LookReader(pair.folder, clock=pair.clock)
    pair.reader.ask(Look(weighed=("small", "large")))
    other.ask(Look(maps=("conv1",)))
    for reader in (pair.reader, other):
        reader.poll()
    pair.answerer.look()
    assert list(pair.reader.remarks) == []
    pair.say_all(weights(small=100, large=300))
    (said,) = pair.reader.remarks
    assert "Left out: large and the gradients" in said
    other.poll()
    assert list(other.remarks) == [], "it does not look at them"
    # What fits again is told of no more.
    pair.say_all(weights(small=100))
    assert list(pair.reader.remarks) == []
    # Nor is what is looked at no more.
    pair.say_all(weights(large=300))
    assert len(pair.reader.remarks) == 1
    pair.reader.ask(Look(weighed=("small",)))
    assert list(pair.reader.remarks) == []
    # What says it goes with the answers.
    for reader in (pair.reader, other):
        reader.close()
    pair.answerer.look()
    assert list(pair.folder.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"[{", b"{}", b"3", b'[{"nodes": 3, "text": "x"}]', b"\xff"])
def test_a_damaged_word_of_what_was_left_out_is_none(pair: Pair, content: bytes) -> None:
    (pair.folder / LEFT_OUT_NAME).write_bytes(content)
    pair.reader.ask(Look(maps=("conv1",)))
    assert pair.reader.poll() == ()
    assert list(pair.reader.remarks) == []


def test_a_folder_that_takes_no_question_is_said_until_it_does(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as refusing:
        refusing.setattr(Path, "write_bytes", refuse)
        pair.reader.ask(Look(maps=("conv1",)))
        for _ in range(2):
            pair.reader.poll()
            (said,) = pair.reader.remarks
            assert str(pair.folder) in said
            assert "Read-only file system" in said
    pair.reader.poll()
    assert list(pair.reader.remarks) == []
    pair.answerer.look()
    assert pair.watched() == ("conv1",)


def refuse(*_: object) -> int:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def test_parameters_go_before_opened_layers_do() -> None:
    small, large = np.zeros(100, np.float32), np.zeros((1000, 1000), np.float32)
    layer = OpenedLayer((small,), small, {"weight": large})
    part = fitted(LayersOpened(run_id="r", step=3, probe="", layers={"fc": layer}), 1000).event
    assert isinstance(part, LayersOpened)
    assert part.layers["fc"].parameters == {}
    assert part.layers["fc"].output is small


def test_a_question_of_the_first_version_is_passed_over(pair: Pair) -> None:
    file = io.BytesIO()
    about = {"format": 1, "node_ids": ["conv1"], "probe": "a seven"}
    np.savez(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), image=np.zeros((4, 4), np.uint8))
    (pair.folder / WATCH_NAME).write_bytes(file.getvalue())
    pair.answerer.look()
    assert pair.watched() == ()
    # And maps of that version are no answer.
    (pair.folder / "maps.npz").write_bytes(file.getvalue())
    pair.reader.ask(Look(maps=("conv1",)))
    assert pair.reader.poll() == ()
    pair.answerer.look()
    assert pair.watched() == ("conv1",)


def question_of(pair: Pair, **changed: Any) -> None:
    """Write a question of which some things are something else."""
    pair.reader.ask(WHOLE)
    pair.reader.poll()
    with np.load(pair.folder / WATCH_NAME, allow_pickle=False) as read:
        arrays = {name: read[name] for name in read.files}
    about = json.loads(arrays.pop("about").tobytes())
    about["look"] |= changed
    file = io.BytesIO()
    np.savez(file, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
    (pair.folder / WATCH_NAME).write_bytes(file.getvalue())


@pytest.mark.parametrize(
    "changed",
    [
        {"maps": 3},
        {"current": float("inf")},
        {"current": "the first"},
        {"probes": [{"label": "grey"}]},
        {"probes": [{"label": str(i), "target": None} for i in range(3)]},
        {"pointed": ["conv1", 1, 2, 3, 4]},
        {"compared": []},
        {"explained_class": [1]},
    ],
)
def test_a_question_that_makes_no_sense_is_none(pair: Pair, changed: dict[str, Any]) -> None:
    question_of(pair)
    pair.answerer.look()
    assert pair.control.watched.look.same_as(WHOLE)
    version = pair.control.watch_version
    question_of(pair, **changed)
    pair.answerer.look()
    assert pair.control.watch_version == version


@pytest.mark.parametrize("at", range(0, 200, 3))
def test_no_damaged_byte_ends_the_reading(pair: Pair, at: int) -> None:
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    pair.answerer.look()
    assert pair.say(maps(1, "conv1")) is not None
    for name in (WATCH_NAME, MAPS_NAME):
        path = pair.folder / name
        whole = path.read_bytes()
        for where in (at % len(whole), -1 - at % len(whole)):
            for value in (0, 0xFF, whole[where] ^ 1, ord("(")):
                damaged = bytearray(whole)
                damaged[where] = value
                path.write_bytes(damaged)
                pair.reader.poll()
                pair.answerer.look()
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "header",
    ["{'descr': '|u1', 'fortran_order': False, 'shape': (1152921504606846976,), }", "{'descr': '|u1', (((", "  x\n y"],
)
def test_a_header_that_is_nonsense_is_no_file(pair: Pair, header: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        text = header.encode()
        for name in ("about", "data"):
            archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(UNREADABLE):
        unpack(file.getvalue())
    pair.reader.ask(Look(maps=("conv1",)))
    (pair.folder / MAPS_NAME).write_bytes(file.getvalue())
    assert pair.reader.poll() == ()
    (pair.folder / WATCH_NAME).write_bytes(file.getvalue())
    pair.answerer.look()
    assert pair.watched() == ()


def test_nobody_asks_and_nothing_is_written(pair: Pair) -> None:
    pair.answerer.look()
    assert pair.say(maps(1, "conv1")) is None
    assert list(pair.folder.iterdir()) == []


def test_a_follower_that_is_gone_is_forgotten_and_one_that_renews_is_not(pair: Pair) -> None:
    pair.reader.ask(Look(maps=("conv1",)))
    for _ in range(10):
        pair.clock.now_s += RENEWAL_S
        before = (pair.folder / WATCH_NAME).stat().st_mtime_ns if (pair.folder / WATCH_NAME).exists() else 0
        while pair.reader.poll() == () and (pair.folder / WATCH_NAME).stat().st_mtime_ns == before:
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


def test_several_followers_are_answered_together_and_leave_each_other_alone(pair: Pair) -> None:
    other = LookReader(pair.folder, clock=pair.clock)
    probes = (Probe(label="another", image=np.ones((4, 5), np.uint8)),)
    pair.reader.ask(Look(maps=("conv1",), measures=True))
    pair.reader.poll()
    # One that looks at nothing disturbs nobody.
    other.ask(Look())
    other.poll()
    other.close()
    pair.answerer.look()
    assert pair.watched() == ("conv1",)
    other.ask(Look(maps=("conv2", "conv1"), opened=("fc1",), probes=probes))
    other.poll()
    pair.answerer.look()
    both = Look(maps=("conv2", "conv1"), opened=("fc1",), measures=True, probes=probes)
    assert pair.control.watched.look.same_as(both)
    # Each reads what is answered, and who asks the same again is not taken for the last to ask.
    assert pair.say(maps(1, "conv1", "conv2")) is not None
    assert [event.step for event in other.poll()] == [1]
    version = pair.control.watch_version
    for reader in (pair.reader, other):
        pair.clock.now_s += RENEWAL_S
        reader.poll()
        pair.answerer.look()
    assert pair.control.watch_version == version
    pair.reader.close()
    pair.answerer.look()
    assert pair.control.watched.look.same_as(Look(maps=("conv2", "conv1"), opened=("fc1",), probes=probes))
    assert (pair.folder / MAPS_NAME).exists(), "answers stay for the other"
    other.close()
    assert list(pair.folder.iterdir()) == []
    pair.answerer.look()
    assert pair.watched() == ()


def test_of_two_followers_one_that_is_gone_is_forgotten(pair: Pair) -> None:
    gone = LookReader(pair.folder, clock=pair.clock)
    for reader, node_id in ((gone, "conv1"), (pair.reader, "fc1")):
        reader.ask(Look(maps=(node_id,)))
        reader.poll()
    pair.answerer.look()
    assert set(pair.watched()) == {"conv1", "fc1"}
    for _ in range(5):
        pair.clock.now_s += RENEWAL_S
        paths = {path: path.stat().st_mtime_ns for path in pair.folder.iterdir()}
        while pair.reader.poll() == () and all(path.stat().st_mtime_ns == mark for path, mark in paths.items()):
            # The file system's clock may be coarse.
            pair.clock.now_s += RENEWAL_S / 100
        pair.answerer.look()
    assert pair.watched() == ("fc1",)


def test_two_that_asked_at_once_are_both_answered(pair: Pair) -> None:
    other = LookReader(pair.folder, clock=pair.clock)
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    # The other one saw no question either.
    (pair.folder / WATCH_NAME).unlink()
    other.ask(Look(maps=("fc1", "conv2")))
    other.poll()
    pair.reader.poll()
    pair.answerer.look()
    assert set(pair.watched()) == {"conv1", "fc1", "conv2"}


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
        assert all(read.step == 1 for read in pair.reader.poll())


def test_a_damaged_question_is_no_sign_of_life(pair: Pair) -> None:
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    pair.answerer.look()
    assert pair.say(maps(1, "conv1")) is not None
    for size in range(5):
        (pair.folder / WATCH_NAME).write_bytes(b"?" * size)
        pair.clock.now_s += FORGOTTEN_S / 4
        pair.answerer.look()
    assert pair.watched() == ()
    # Nobody else is there to take them away.
    assert list(pair.folder.iterdir()) == []


def test_what_a_follower_that_is_gone_asked_goes_and_one_that_slept_asks_again(pair: Pair) -> None:
    slept = LookReader(pair.folder, clock=pair.clock)
    for reader, node_id in ((pair.reader, "conv1"), (slept, "fc1")):
        reader.ask(Look(maps=(node_id,)))
        reader.poll()
    pair.answerer.look()
    assert set(pair.watched()) == {"conv1", "fc1"}
    pair.clock.now_s += FORGOTTEN_S
    pair.answerer.look()
    assert pair.watched() == ()
    assert list(pair.folder.iterdir()) == []
    slept.poll()
    pair.answerer.look()
    assert pair.watched() == ("fc1",)


def test_what_a_process_that_was_killed_answered_is_not_taken_for_new(pair: Pair) -> None:
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    pair.answerer.look()
    assert pair.say(maps(990, "conv1")) is not None
    # Taken up again after step 500, while a follower still asks.
    again = LookAnswerer(pair.control, clock=pair.clock)
    again.hear(maps(500, "conv1"), pair.folder)
    again.look()
    late = LookReader(pair.folder, clock=pair.clock)
    late.ask(Look(maps=("conv1",)))
    assert late.poll() == ()
    again.answer()
    assert [event.step for event in late.poll()] == [500]
    again.look()
    assert [event.step for event in pair.reader.poll()] == [500]


def test_a_folder_that_cannot_be_listed_costs_pictures_only(tmp_path: Path) -> None:
    # Longer than any file system's names; a mount that has gone answers with an error likewise.
    folder = tmp_path / ("n" * 300)
    with LookAnswerer(RunControl()) as answerer:
        answerer.hear(end(), folder)
        answerer.look()


def test_a_folder_that_refuses_costs_pictures_only(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "gone")
    pair.reader.ask(Look(maps=("conv1",)))
    assert pair.reader.poll() == ()
    pair.answerer.look()
    assert pair.say(maps(1, "conv1")) is None
    pair.reader.close()
    (tmp_path / "gone").mkdir()
    pair.reader.ask(Look(maps=("conv1",)))
    pair.reader.poll()
    pair.answerer.look()
    assert pair.watched() == ("conv1",)


def test_the_last_maps_are_there_when_the_run_says_that_it_has_ended(tmp_path: Path) -> None:
    reader, control = LookReader(tmp_path), RunControl()
    reader.ask(Look(maps=("conv1",)))
    reader.poll()
    with LookAnswerer(control) as answerer:
        answerer.hear(maps(0), tmp_path)
        while not control.watched.look.maps:
            pass
        answerer.hear(maps(8, "conv1"), tmp_path)
        answerer.hear(end(), tmp_path)
        (last,) = reader.poll()
    assert last.step == 8
    assert "looks" not in {thread.name for thread in threading.enumerate()}
