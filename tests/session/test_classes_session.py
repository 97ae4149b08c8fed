"""Which test is looked at: the newest, an earlier one from the run's folder, or none; and pictures from a thread."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pytestqt.qtbot import QtBot

from explorer.runs import ClassesTested, RunConfig
from explorer.runs.class_files import EpochTest, kept_epochs, write_test
from explorer.session.classes_session import Cancelled, ClassesSession, LiveTest, Pictures, PicturesAsked, Progress
from explorer.session.follow_session import FollowSession
from explorer.zoo.lenet import lenet5
from tests.panels.fake_run import FakeRun, epoch_finished, run_started
from tests.runs.test_class_figures import made
from tests.runs.test_latest_answers import evaluated


class Pictured:
    """Gives pictures whose pixels are the images' places."""

    def __init__(self) -> None:
        self.asked: list[PicturesAsked] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.error = ""

    def __call__(self, asked: PicturesAsked, progress: Progress, cancelled: Cancelled) -> npt.NDArray[np.uint8]:
        self.asked.append(asked)
        self.may_go.wait(5)
        if self.error:
            raise ValueError(self.error)
        side = asked.side or 8
        return np.stack([np.full((1, side, side), position % 256, np.uint8) for position in asked.positions])


class Scene:
    """A session that follows a run which the test speaks for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.run = FakeRun()
        self.work = Pictured()
        self.session = ClassesSession(self.run, root, self.work)
        self.changes = 0
        self.failures: list[str] = []
        self.session.changed.connect(self._count)
        self.session.failed.connect(self.failures.append)

    def _count(self) -> None:
        self.changes += 1

    def start(self) -> None:
        self.run.start(lenet5(), RunConfig())
        self.run.say([run_started()])

    @property
    def epoch(self) -> int | None:
        """The epoch whose test is looked at."""
        return None if self.session.shown is None else self.session.shown.epoch

    def wants(self) -> bool:
        """Whether answers between two tests are asked for."""
        return self.session.wants_live

    def live(self) -> LiveTest | None:
        """What was answered since the newest test."""
        return self.session.live

    def test(self, epoch: int, seed: int = 0) -> ClassesTested:
        """The test of an epoch, said as a run says it."""
        event = ClassesTested(run_id="r", epoch=epoch, step=63 * epoch, tested=made(10, 200, seed))
        self.run.say([event])
        return event

    def keep(self, epoch: int, seed: int = 0) -> None:
        """Leave an epoch's test in the run's folder."""
        (self.root / "r").mkdir(exist_ok=True)
        write_test(self.root / "r", EpochTest(epoch, 63 * epoch, made(10, 200, seed)))


@pytest.fixture
def scene(tmp_path: Path, qtbot: QtBot) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.work.may_go.set()
    assert scene.session.close()


def test_the_newest_is_shown_while_somebody_looks(scene: Scene) -> None:
    assert not scene.session.has_run
    scene.start()
    scene.test(1)
    assert scene.epoch is None
    scene.session.set_watched(True)
    first = scene.session.shown
    assert first is not None
    assert (first.epoch, first.step) == (1, 63)
    event = scene.test(2)
    assert scene.session.shown is not None
    assert scene.session.shown.tested is event.tested
    assert scene.session.is_newest


def test_nobody_looks_and_nothing_is_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def ask(folder: Path) -> tuple[int, ...]:
        asked.append(folder)
        return ()

    monkeypatch.setattr("explorer.session.classes_session.kept_epochs", ask)
    scene.start()
    scene.test(1)
    assert not asked
    assert scene.changes == 0
    scene.session.set_watched(True)
    assert len(asked) == 1
    scene.session.set_watched(False)
    scene.session.set_watched(True)
    assert len(asked) == 1


def test_a_run_of_before_is_read_from_its_folder(scene: Scene) -> None:
    for epoch in (1, 2, 3):
        scene.keep(epoch, epoch)
    scene.session.set_watched(True)
    scene.start()
    scene.run.say([epoch_finished(epoch) for epoch in (1, 2)])
    # The third was trained before the run was taken up again after the second, and is not this run's any more.
    assert scene.session.epochs == (1, 2)
    shown = scene.session.shown
    assert shown is not None
    assert shown.epoch == 2
    assert np.array_equal(shown.tested.predicted, made(10, 200, 2).predicted)


def test_an_earlier_epoch_stays_while_the_run_goes_on(scene: Scene) -> None:
    scene.session.set_watched(True)
    scene.start()
    for epoch in (1, 2):
        scene.keep(epoch, epoch)
        scene.test(epoch, epoch)
    scene.session.choose(1)
    assert not scene.session.is_newest
    scene.keep(3, 3)
    scene.test(3, 3)
    assert scene.session.epochs == (1, 2, 3)
    shown = scene.session.shown
    assert shown is not None
    assert shown.epoch == 1
    scene.session.choose(None)
    newest = scene.session.shown
    assert newest is not None
    assert newest.epoch == 3
    with pytest.raises(ValueError, match=r"epoch 9: not kept; use one of \(1, 2, 3\)"):
        scene.session.choose(9)


def test_another_run_begins_with_nothing(scene: Scene) -> None:
    scene.session.set_watched(True)
    scene.start()
    scene.test(1)
    scene.start()
    assert scene.session.shown is None
    assert scene.session.epochs == ()
    assert scene.session.has_run


def test_a_damaged_file_is_said(scene: Scene) -> None:
    scene.keep(1)
    next((scene.root / "r" / "tests").iterdir()).write_bytes(b"torn")
    scene.session.set_watched(True)
    scene.start()
    scene.run.say([epoch_finished(1)])
    assert kept_epochs(scene.root / "r") == (1,)
    assert scene.session.shown is None
    assert "epoch-000001.npz" in scene.failures[0]


def test_pictures_come_from_a_thread_and_only_the_last_wish_is_heard(scene: Scene, qtbot: QtBot) -> None:
    found: list[Pictures] = []
    scene.session.pictures_found.connect(found.append)
    scene.start()
    scene.work.may_go.clear()
    scene.session.show_pictures([1, 2])
    scene.session.show_pictures([5])
    scene.work.may_go.set()
    qtbot.waitUntil(lambda: len(found) > 0 and not scene.session._ended)
    assert [pictures.positions for pictures in found] == [(5,)]
    assert found[0].images[0, 0, 0, 0] == 5
    assert scene.work.asked[-1].data == "digits"
    assert scene.work.asked[-1].input_shape == lenet5().input_shape


def test_a_whole_image_and_a_failure(scene: Scene, qtbot: QtBot) -> None:
    found: list[tuple[npt.NDArray[np.uint8], int]] = []
    scene.session.image_found.connect(lambda image, place: found.append((image, place)))
    scene.start()
    scene.session.find_image(7)
    qtbot.waitUntil(lambda: len(found) > 0)
    assert found[0][0].shape == (8, 8)
    assert found[0][1] == 7
    assert scene.work.asked[-1].side is None
    scene.work.error = "digits: gone"
    scene.session.show_pictures([3])
    qtbot.waitUntil(lambda: len(scene.failures) > 0)
    assert scene.failures == ["digits: gone"]


# Between two tests


def test_what_is_answered_between_two_tests_is_live(scene: Scene) -> None:
    scene.session.set_watched(True)
    scene.start()
    whole = made(10, 200)
    scene.session.take_evaluated(evaluated(whole, [3, 150], [1, 2], step=20))
    live = scene.live()
    assert live is not None
    assert (live.since, live.step, live.num_new, live.num_images) == (None, 20, 2, 200)
    assert live.tested.positions is not None
    assert live.tested.positions.tolist() == [3, 150]
    assert scene.session.shown is None
    event = scene.test(1)
    assert scene.live() is None
    changes = scene.changes
    said = (whole.predicted[[3, 9]] + 1) % 10
    scene.session.take_evaluated(evaluated(whole, [3, 9], said, step=70))
    assert scene.changes == changes + 1
    live = scene.live()
    assert live is not None
    assert live.since is scene.session.shown
    assert (live.step, live.num_new) == (70, 2)
    assert live.tested.predicted[[3, 9]].tolist() == said.tolist()
    assert np.delete(live.tested.predicted, [3, 9]).tolist() == np.delete(event.tested.predicted, [3, 9]).tolist()


def test_answers_of_before_the_test_of_another_run_or_to_other_images_are_passed_over(scene: Scene) -> None:
    scene.session.set_watched(True)
    scene.start()
    scene.test(1)
    whole = made(10, 200)
    # Pictures come by another way than numbers, and may come later.
    scene.session.take_evaluated(evaluated(whole, [1], [1], step=63))
    scene.session.take_evaluated(evaluated(whole, [1], [1], step=70, run_id="another"))
    scene.session.take_evaluated(evaluated(made(10, 300), [1], [1], step=70))
    assert scene.live() is None
    scene.session.set_watched(False)
    scene.session.take_evaluated(evaluated(whole, [1], [1], step=70))
    assert scene.live() is None


def test_answers_that_overtake_the_tests_before_them_wait_for_these(scene: Scene) -> None:
    """63 steps an epoch; what a mailbox gives by turns, pictures before the numbers of the same time."""
    scene.session.set_watched(True)
    scene.start()
    scene.test(1)
    whole = made(10, 200)

    def answer(step: int, positions: list[int]) -> list[int]:
        said = [(int(whole.predicted[position]) + step) % 10 for position in positions]
        scene.session.take_evaluated(evaluated(whole, positions, said, step=step))
        return said

    def told() -> tuple[int, int, int]:
        live = scene.live()
        assert live is not None
        assert scene.session.shown is not None
        assert live.epoch >= scene.session.shown.epoch
        return live.epoch, live.num_new, live.step

    # The last one of the second epoch, whose weights are those of its test.
    answer(126, [1, 2, 3])
    assert told() == (1, 3, 126)
    # The second epoch is over, which its test does not tell yet.
    said = answer(128, [3, 150])
    assert told() == (2, 2, 128)
    said += answer(131, [40, 41])
    assert told() == (2, 4, 131)
    second = scene.test(2, 5)
    assert told() == (2, 4, 131)
    live = scene.live()
    assert live is not None
    assert live.since is scene.session.shown
    expected = second.tested.predicted.copy()
    expected[[3, 150, 40, 41]] = said
    assert live.tested.predicted.tolist() == expected.tolist()
    # Two epochs on, of whose tests one comes alone.
    said = answer(63 * 4 + 1, [9])
    assert told() == (4, 1, 253)
    scene.test(3, 6)
    assert told() == (4, 1, 253)
    fourth, fifth = (
        ClassesTested(run_id="r", epoch=epoch, step=63 * epoch, tested=made(10, 200, epoch)) for epoch in (4, 5)
    )
    scene.run.say([fourth])
    live = scene.live()
    assert live is not None
    assert told() == (4, 1, 253)
    assert np.flatnonzero(live.tested.predicted != fourth.tested.predicted).tolist() in ([9], [])
    assert live.tested.predicted[9] == said[0]
    # What a newer test than theirs is there of is old.
    scene.run.say([fifth])
    assert scene.live() is None
    assert scene.epoch == 5
    answer(63 * 5, [9])
    assert scene.live() is None


def test_answers_from_before_the_first_test_stay_if_they_are_newer(scene: Scene) -> None:
    scene.session.set_watched(True)
    scene.start()
    whole = made(10, 200)
    scene.session.take_evaluated(evaluated(whole, [0, 4], [1, 1], step=0))
    live = scene.live()
    assert live is not None
    assert (live.since, live.epoch, live.num_new) == (None, 0, 2)
    scene.session.take_evaluated(evaluated(whole, [7], [(int(whole.predicted[7]) + 1) % 10], step=64))
    live = scene.live()
    assert live is not None
    assert (live.since, live.epoch, live.num_new) == (None, 1, 3)
    first = scene.test(1)
    live = scene.live()
    assert live is not None
    assert (live.since, live.epoch, live.num_new) == (scene.session.shown, 1, 1)
    assert np.flatnonzero(live.tested.predicted != first.tested.predicted).tolist() == [7]


def test_an_earlier_epoch_is_not_live_until_the_newest_is_chosen_again(scene: Scene) -> None:
    scene.session.set_watched(True)
    scene.start()
    scene.run.enter("running")
    for epoch in (1, 2):
        scene.keep(epoch, epoch)
        scene.test(epoch, epoch)
    whole = made(10, 200)
    scene.session.take_evaluated(evaluated(whole, [5], [1], step=130))
    assert scene.wants()
    scene.session.choose(1)
    assert not scene.wants()
    assert scene.live() is None
    scene.session.take_evaluated(evaluated(whole, [6], [1], step=140))
    assert scene.live() is None
    scene.session.choose(None)
    assert scene.wants()
    live = scene.live()
    assert live is not None
    assert live.step == 130
    scene.run.enter("idle")
    assert not scene.wants()
    assert scene.live() is live


# A run that trains elsewhere


@pytest.fixture
def elsewhere(tmp_path: Path) -> FollowSession:
    """Follows a folder; what its thread would read, the test says."""
    folder = tmp_path / "mount" / "20261122-101500-3f2a"
    folder.mkdir(parents=True)
    return FollowSession(folder)


def _keep_there(session: FollowSession, epoch: int) -> None:
    write_test(session.folder, EpochTest(epoch, 63 * epoch, made(10, 200, epoch)))


def test_a_run_elsewhere_shows_what_its_folder_has(scene: Scene, elsewhere: FollowSession, qtbot: QtBot) -> None:
    scene.session.set_watched(True)
    scene.start()
    scene.test(1)
    own = scene.session.shown
    _keep_there(elsewhere, 1)
    _keep_there(elsewhere, 2)
    scene.session.follow(elsewhere, lenet5())
    assert scene.epoch is None
    elsewhere.events_arrived.emit([run_started(), epoch_finished(1)])
    qtbot.waitUntil(lambda: scene.epoch == 1)
    assert scene.session.elsewhere == "20261122-101500-3f2a"
    assert scene.session.is_active
    # The second lies there of before the run was taken up again.
    assert scene.session.epochs == (1,)
    scene.session.take_evaluated(evaluated(made(10, 200), [7], [1], step=100))
    live = scene.live()
    assert live is not None
    assert live.since is scene.session.shown
    elsewhere.events_arrived.emit([epoch_finished(2)])
    qtbot.waitUntil(lambda: scene.epoch == 2)
    assert scene.live() is None
    assert scene.session.shown is not None
    assert np.array_equal(scene.session.shown.tested.predicted, made(10, 200, 2).predicted)
    scene.session.choose(1)
    qtbot.waitUntil(lambda: scene.epoch == 1)
    scene.session.show_pictures([4])
    qtbot.waitUntil(lambda: bool(scene.work.asked))
    assert scene.work.asked[-1].data == run_started().config.data
    assert scene.work.asked[-1].input_shape == lenet5().input_shape
    scene.session.follow(None)
    assert scene.session.shown is own
    assert scene.session.elsewhere == ""


def test_a_run_that_begins_here_comes_before_the_followed_one(
    scene: Scene, elsewhere: FollowSession, qtbot: QtBot
) -> None:
    scene.session.set_watched(True)
    _keep_there(elsewhere, 1)
    elsewhere.events_arrived.emit([replace(run_started(), run_id="there"), epoch_finished(1)])
    # What was said before anybody followed counts too.
    scene.session.follow(elsewhere, lenet5())
    qtbot.waitUntil(lambda: scene.epoch == 1)
    scene.start()
    scene.test(5)
    assert scene.epoch == 5
    elsewhere.events_arrived.emit([epoch_finished(2)])
    assert scene.epoch == 5
    # Shown as if it were the window's own once it has ended, its files are where they were.
    scene.run.start(lenet5(), RunConfig())
    scene.run.say([replace(run_started(), run_id="there"), epoch_finished(1)])
    qtbot.waitUntil(lambda: scene.epoch == 1)


def test_a_damaged_file_elsewhere_is_said(scene: Scene, elsewhere: FollowSession, qtbot: QtBot) -> None:
    scene.session.set_watched(True)
    _keep_there(elsewhere, 1)
    next((elsewhere.folder / "tests").iterdir()).write_bytes(b"torn")
    scene.session.follow(elsewhere, lenet5())
    elsewhere.events_arrived.emit([run_started(), epoch_finished(1)])
    qtbot.waitUntil(lambda: len(scene.failures) > 0)
    assert "epoch-000001.npz" in scene.failures[0]


def test_a_followed_run_that_is_taken_up_again_forgets_what_it_answered(
    scene: Scene, elsewhere: FollowSession, qtbot: QtBot
) -> None:
    scene.session.set_watched(True)
    _keep_there(elsewhere, 1)
    scene.session.follow(elsewhere, lenet5())
    elsewhere.events_arrived.emit([run_started(), epoch_finished(1)])
    qtbot.waitUntil(lambda: scene.epoch == 1)
    whole = made(10, 200, 1)
    scene.session.take_evaluated(evaluated(made(10, 200), [7], [(int(whole.predicted[7]) + 1) % 10], step=100))
    elsewhere.events_arrived.emit([run_started()])
    scene.session.take_evaluated(evaluated(made(10, 200), [9], [1], step=70))
    live = scene.live()
    assert live is not None
    assert live.num_new == 1
    assert live.tested.predicted[7] == whole.predicted[7]
