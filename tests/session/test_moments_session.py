"""Which moments there are, and the one that is looked at: listed and read in a thread, the latest asked for alone."""

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.runs import FeatureMapsCaptured, LayersMeasured
from explorer.runs.looks import Pixel
from explorer.runs.moments import FOLDER_NAME, KeptMoment, MomentStore, kept_moments, read_moment
from explorer.runs.moments_packing import Moment
from explorer.runs.observed import ChannelCompared, FieldMeasured
from explorer.session import moments_session
from explorer.session.moments_session import MomentsSession, ReadMoment
from tests.runs.test_moments_packing import maps, statistics


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = MomentStore(tmp_path, 1 << 26)
    for step in range(0, 50, 5):
        store.put(step, [maps(step)])
    return tmp_path


class Scene:
    def __init__(self) -> None:
        self.session = MomentsSession()
        self.arrived: list[ReadMoment] = []
        self.failures: list[str] = []
        self.session.arrived.connect(self.arrived.append)
        self.session.failed.connect(self.failures.append)


def has_arrived(scene: Scene, count: int) -> bool:
    return len(scene.arrived) == count


@pytest.fixture
def scene(qtbot: QtBot) -> Iterator[Scene]:
    made = Scene()
    yield made
    assert made.session.close()


def opened(scene: Scene, folder: Path, qtbot: QtBot, *, is_growing: bool = False) -> None:
    scene.session.open("r", folder, is_growing=is_growing)
    qtbot.waitUntil(lambda: bool(scene.session.steps))


def test_the_moments_of_a_run_are_listed_and_read(scene: Scene, folder: Path, qtbot: QtBot) -> None:
    opened(scene, folder, qtbot)
    assert scene.session.steps == tuple(range(0, 50, 5))
    scene.session.ask(15)
    qtbot.waitUntil(lambda: bool(scene.arrived))
    (moment,) = scene.arrived
    assert (moment.run_id, moment.step) == ("r", 15)
    assert [event.step for event in moment.events] == [15]


def test_of_many_asked_for_the_latest_wins(
    scene: Scene, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read, read = threading.Event(), []

    def slow(place: Path, step: int) -> tuple[Moment, ...]:
        assert may_read.wait(5)
        read.append(step)
        return read_moment(place, step)

    monkeypatch.setattr(moments_session, "read_moment", slow)
    opened(scene, folder, qtbot)
    for step in (0, 5, 10, 15, 20, 45):
        scene.session.ask(step)
    may_read.set()
    qtbot.waitUntil(lambda: bool(scene.arrived))
    assert [moment.step for moment in scene.arrived] == [45]
    assert len(read) <= 2, "what was overtaken is not read"


def test_what_was_read_and_what_was_read_ahead_is_at_hand(scene: Scene, folder: Path, qtbot: QtBot) -> None:
    opened(scene, folder, qtbot)
    scene.session.ask(15, 20)
    qtbot.waitUntil(lambda: len(scene.session._at_hand) == 2)
    scene.arrived.clear()
    scene.session.ask(20)
    assert [moment.step for moment in scene.arrived] == [20], "without another turn of the loop"


def test_memory_holds_so_many_and_no_more(
    scene: Scene, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments_session, "_MOST_AT_HAND", 3)
    opened(scene, folder, qtbot)
    for number, step in enumerate((0, 5, 10, 15, 20), 1):
        scene.session.ask(step)
        qtbot.waitUntil(partial(has_arrived, scene, number))
    assert list(scene.session._at_hand) == [10, 15, 20]


def test_what_a_moment_lacks_is_what_was_captured_last_before_it(scene: Scene, tmp_path: Path, qtbot: QtBot) -> None:
    store = MomentStore(tmp_path, 1 << 26)
    store.put(3, [maps(3), statistics()])
    store.put(5, [maps(5)])
    opened(scene, tmp_path, qtbot)
    for step in (3, 5):
        scene.arrived.clear()
        scene.session.ask(step)
        qtbot.waitUntil(lambda: bool(scene.arrived))
    found = {type(event): event.step for event in scene.arrived[-1].events}
    assert found == {FeatureMapsCaptured: 5, LayersMeasured: 3}


def test_also_the_first_moment_that_is_asked_for_is_completed(scene: Scene, tmp_path: Path, qtbot: QtBot) -> None:
    store = MomentStore(tmp_path, 1 << 26)
    store.put(0, [maps(0), statistics()])
    store.put(1, [maps(1)])
    opened(scene, tmp_path, qtbot)
    scene.session.ask(1)
    qtbot.waitUntil(lambda: bool(scene.arrived))
    assert {type(event) for event in scene.arrived[0].events} == {FeatureMapsCaptured, LayersMeasured}


def test_what_only_somebody_who_looked_measured_is_in_no_later_moment(
    scene: Scene, tmp_path: Path, qtbot: QtBot
) -> None:
    field = FieldMeasured(
        run_id="r", step=3, probe="p", pixel=Pixel("conv1", 0, 1, 1), heat=np.ones((4, 4), np.float32)
    )
    compared = ChannelCompared(
        run_id="r", step=3, node_id="conv1", channel=0, probes=("p",), maps=np.ones((1, 4, 4), np.float32)
    )
    store = MomentStore(tmp_path, 1 << 26)
    store.put(3, [maps(3), field, compared, statistics()])
    store.put(5, [maps(5)])
    opened(scene, tmp_path, qtbot)
    kinds = []
    for step in (3, 5):
        scene.arrived.clear()
        scene.session.ask(step)
        qtbot.waitUntil(lambda: bool(scene.arrived))
        kinds.append({type(event) for event in scene.arrived[-1].events})
    assert kinds == [
        {FeatureMapsCaptured, FieldMeasured, ChannelCompared, LayersMeasured},
        {FeatureMapsCaptured, LayersMeasured},
    ]


def test_new_moments_of_a_run_that_goes_on_are_found(
    scene: Scene, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments_session, "_LIST_INTERVAL_S", 0.01)
    opened(scene, folder, qtbot, is_growing=True)
    MomentStore(folder, 1 << 26).put(60, [maps(60)])
    qtbot.waitUntil(lambda: 60 in scene.session.steps)


def test_while_none_come_the_moments_are_not_listed_again(
    scene: Scene, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand of them cost a run on the same cores more than their names do."""
    monkeypatch.setattr(moments_session, "_LIST_INTERVAL_S", 0.01)
    looks: list[Path] = []
    lists: list[Path] = []
    names = moments_session._names

    def look(place: Path) -> list[str]:
        looks.append(place)
        return names(place)

    def kept(place: Path) -> tuple[KeptMoment, ...]:
        lists.append(place)
        return kept_moments(place)

    monkeypatch.setattr(moments_session, "_names", look)
    monkeypatch.setattr(moments_session, "kept_moments", kept)
    opened(scene, folder, qtbot, is_growing=True)
    qtbot.waitUntil(lambda: len(looks) >= 5)
    assert len(lists) == 1
    MomentStore(folder, 1 << 26).put(60, [maps(60)])
    qtbot.waitUntil(lambda: 60 in scene.session.steps)


def test_the_last_moments_are_found_when_a_run_ends(scene: Scene, folder: Path, qtbot: QtBot) -> None:
    opened(scene, folder, qtbot, is_growing=True)
    MomentStore(folder, 1 << 26).put(60, [maps(60)])
    scene.session.set_growing(False)
    qtbot.waitUntil(lambda: 60 in scene.session.steps)


def test_another_run_takes_the_place_of_the_one_before(
    scene: Scene, folder: Path, qtbot: QtBot, tmp_path_factory: pytest.TempPathFactory
) -> None:
    opened(scene, folder, qtbot)
    scene.session.ask(15)
    other = tmp_path_factory.mktemp("other")
    MomentStore(other, 1 << 26).put(7, [maps(7)])
    scene.session.open("s", other)
    assert scene.session.steps == ()
    qtbot.waitUntil(lambda: scene.session.steps == (7,))
    scene.arrived.clear()
    scene.session.ask(7)
    qtbot.waitUntil(lambda: bool(scene.arrived))
    assert [(moment.run_id, moment.step) for moment in scene.arrived] == [("s", 7)]


def test_a_moment_that_is_gone_is_said_and_listed_no_more(scene: Scene, folder: Path, qtbot: QtBot) -> None:
    opened(scene, folder, qtbot)
    (folder / FOLDER_NAME / "step-000000015.npz").unlink()
    scene.session.ask(15)
    qtbot.waitUntil(lambda: bool(scene.failures))
    assert "step-000000015.npz" in scene.failures[0]
    qtbot.waitUntil(lambda: 15 not in scene.session.steps)
    assert scene.arrived == []


def test_a_moment_that_is_damaged_is_said_and_the_next_one_read(scene: Scene, folder: Path, qtbot: QtBot) -> None:
    path = folder / FOLDER_NAME / "step-000000015.npz"
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # encrypted, says the archive's directory
    path.write_bytes(content)
    opened(scene, folder, qtbot)
    scene.session.ask(15)
    qtbot.waitUntil(lambda: bool(scene.failures))
    assert "step-000000015.npz" in scene.failures[0]
    scene.session.ask(20)
    qtbot.waitUntil(lambda: bool(scene.arrived))
    assert scene.arrived[0].step == 20
