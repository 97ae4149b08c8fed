"""What the network at rest is asked: all that is on screen once, and after that only what is new. And what of its
answers, of a moment of before, and of a run that is followed, the views are shown."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.app.looking import Looking
from explorer.architecture import Architecture, edits
from explorer.runs import Event, LayersMeasured, LayersOpened, Look, OpenedLayer, Probe, WeightsCaptured
from explorer.runs.follow import Followed
from explorer.runs.looks import Pixel
from explorer.session import Document
from explorer.session.follow_session import FollowSession
from explorer.session.probe_session import ProbeRequest, ProbeSession
from explorer.session.probe_set import ProbeSet
from explorer.session.run_session import RunSession
from explorer.session.sources import Source


class Viewer(QObject):
    """Wants what it is told to want."""

    wanted_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.look = Look()
        self.shown: list[Event] = []
        self.sources: list[Source] = []
        self.problems: list[str] = []

    @property
    def problem(self) -> str:
        """What it says now."""
        return self.problems[-1] if self.problems else ""

    def want(self, look: Look) -> None:
        self.look = look
        self.wanted_changed.emit()

    def wanted(self) -> Look:
        return self.look

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        self.shown.extend(events)
        self.sources.append(source)

    def clear_observed(self) -> None:
        self.shown.clear()

    def show_problem(self, text: str) -> None:
        self.problems.append(text)


class Stage:
    """Looking, with a network at rest that answers as soon as it may, and refuses what it cannot.

    `num_images` of an answer says of which probe it is.
    """

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.asked: list[Look] = []
        self.weights: list[str | None] = []
        """Those that each of them was asked of."""
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.refuses_field = False
        self.document = Document()
        self.viewer = Viewer()
        self.probes = ProbeSet()
        self.at_rest = ProbeSession(self._capture)
        self.run = RunSession(_no_trainer)
        self.looking = Looking(self.document, self.run, self.at_rest, self.probes, (self.viewer,))
        self.document.open(zoo.entry("lenet5").build())
        self.probes.put(Probe(label="0", image=np.zeros((28, 28), np.uint8)))
        self.looking.enable()

    def _capture(self, request: ProbeRequest) -> tuple[Event, ...]:
        self.weights.append(request.weights)
        self.asked.append(request.look)
        assert self.may_answer.wait(10)
        if request.architecture["conv1"].layer == _too_large(request.architecture)["conv1"].layer:
            raise ValueError("too large")
        if self.refuses_field and request.look.pointed is not None:
            raise ValueError("no field")
        return (LayersMeasured(run_id="", step=0, num_images=request.look.current, layers={}),)

    def settled(self) -> None:
        """All changes have been asked for, of which one may be under way."""
        self.qtbot.waitUntil(lambda: not self.looking._timer.isActive(), timeout=5_000)

    def until_asked(self, count: int) -> None:
        self.qtbot.waitUntil(lambda: len(self.asked) == count, timeout=5_000)

    def until_shown(self, count: int) -> None:
        self.qtbot.waitUntil(lambda: len(self.viewer.shown) == count, timeout=5_000)

    def want(self, look: Look) -> Look:
        """What is asked for it."""
        count, shown = len(self.asked), len(self.viewer.shown)
        self.viewer.want(look)
        self.qtbot.waitUntil(lambda: len(self.asked) > count and len(self.viewer.shown) > shown, timeout=5_000)
        return self.asked[-1]


def _no_trainer(*_: object, **__: object) -> None:
    raise AssertionError("nothing trains here")


@pytest.fixture
def stage(qtbot: QtBot) -> Iterator[Stage]:
    stage = Stage(qtbot)
    yield stage
    stage.may_answer.set()
    assert stage.at_rest.close()


def test_only_what_is_new_is_asked(stage: Stage) -> None:
    assert stage.want(Look(maps=("conv1",), opened=("conv1",))).opened == ("conv1",)
    left = stage.want(Look(maps=("conv1", "conv2"), opened=("conv1",), measures=True))
    assert left.maps == ("conv2",)
    assert not left.opened
    assert left.measures


def test_what_was_let_go_is_asked_again(stage: Stage) -> None:
    stage.want(Look(opened=("conv1",)))
    # Faster than the network at rest is asked: the view has forgotten it all the same.
    stage.viewer.want(Look())
    assert stage.want(Look(opened=("conv1",))).opened == ("conv1",)


def test_another_network_or_probe_is_asked_for_everything(stage: Stage) -> None:
    wanted = Look(maps=("conv1",), measures=True)
    stage.want(wanted)
    count = len(stage.asked)
    stage.probes.put(Probe(label="1", image=np.ones((28, 28), np.uint8)))
    stage.qtbot.waitUntil(lambda: len(stage.asked) > count, timeout=5_000)
    assert stage.asked[-1].maps == ("conv1",)
    count = len(stage.asked)
    stage.document.edit("Wider", _renamed)
    stage.qtbot.waitUntil(lambda: len(stage.asked) > count, timeout=5_000)
    assert stage.asked[-1].measures


def _renamed(architecture: Architecture) -> Architecture:
    return Architecture(name="another", nodes=architecture.nodes, outputs=architecture.outputs)


def _too_large(architecture: Architecture) -> Architecture:
    return edits.set_value(architecture, "conv1", "out_channels", 77)


MAPS = Look(maps=("conv1",))


def test_the_answer_for_a_probe_that_was_left_again_is_not_shown(stage: Stage) -> None:
    stage.probes.add(Probe(label="1", image=np.ones((28, 28), np.uint8)))
    stage.probes.choose(0)
    stage.want(MAPS)
    stage.settled()
    asked, shown = len(stage.asked), len(stage.viewer.shown)
    stage.may_answer.clear()
    stage.probes.choose(1)
    stage.until_asked(asked + 1)
    stage.probes.choose(0)
    stage.settled()
    stage.may_answer.set()
    stage.until_asked(asked + 2)
    stage.until_shown(shown + 1)
    assert [look.current for look in stage.asked[asked:]] == [1, 0]
    answer = stage.viewer.shown[-1]
    assert isinstance(answer, LayersMeasured)
    assert answer.num_images == 0


def test_an_edit_that_is_undone_while_it_is_captured_is_asked_for_again(stage: Stage) -> None:
    stage.want(MAPS)
    asked, shown, before = len(stage.asked), len(stage.viewer.shown), stage.document.architecture
    stage.may_answer.clear()
    stage.document.edit("Rename", _renamed)
    stage.until_asked(asked + 1)
    stage.document.undo_stack.undo()
    assert stage.document.architecture is before
    stage.settled()
    stage.may_answer.set()
    stage.until_shown(shown + 1)
    assert stage.asked[-1].maps == ("conv1",)
    assert len(stage.asked) == asked + 2


def test_an_edit_that_is_undone_before_it_is_asked_for_is_asked_for_again(stage: Stage) -> None:
    stage.want(MAPS)
    asked, shown = len(stage.asked), len(stage.viewer.shown)
    stage.document.edit("Rename", _renamed)
    stage.document.undo_stack.undo()
    stage.until_shown(shown + 1)
    assert stage.asked[asked:] == [stage.asked[-1]]
    assert stage.asked[-1].maps == ("conv1",), "the views have forgotten it at the edit"


def test_a_problem_goes_with_the_edit_that_made_it(stage: Stage) -> None:
    stage.want(MAPS)
    shown = len(stage.viewer.shown)
    stage.document.edit("Widen", _too_large)
    stage.qtbot.waitUntil(lambda: stage.viewer.problem == "too large", timeout=5_000)
    stage.document.undo_stack.undo()
    stage.until_shown(shown + 1)
    assert stage.viewer.problem == ""


def test_a_problem_of_a_network_that_is_gone_is_not_said(stage: Stage) -> None:
    stage.want(MAPS)
    asked, shown = len(stage.asked), len(stage.viewer.shown)
    said: list[str] = []
    stage.at_rest.failed.connect(lambda _request, text: said.append(text))
    stage.may_answer.clear()
    stage.document.edit("Widen", _too_large)
    stage.until_asked(asked + 1)
    stage.document.undo_stack.undo()
    stage.settled()
    stage.may_answer.set()
    stage.until_shown(shown + 1)
    assert said == ["too large"]
    assert stage.viewer.problems == []


def test_a_problem_goes_with_the_wish_that_made_it(stage: Stage) -> None:
    stage.refuses_field = True
    stage.want(MAPS)
    shown = len(stage.viewer.shown)
    stage.viewer.want(Look(maps=("conv1",), pointed=Pixel("conv1", 0)))
    stage.qtbot.waitUntil(lambda: stage.viewer.problem == "no field", timeout=5_000)
    stage.viewer.want(MAPS)
    stage.settled()
    assert stage.viewer.problem == "", "all that is wanted is on screen"
    assert len(stage.viewer.shown) == shown


def _moment(*node_ids: str) -> tuple[LayersOpened]:
    layer = OpenedLayer((), np.zeros((1, 1, 1), np.float32), {})
    return (LayersOpened(run_id="r", step=5, probe="0", layers=dict.fromkeys(node_ids, layer)),)


BACK = Source("step 5 (looking back)", 5, "r")


def test_a_moment_is_shown_again_to_a_view_that_wants_something_else(stage: Stage) -> None:
    stage.want(Look(opened=("conv1",)))
    events = _moment("conv1", "conv2")
    stage.looking.look_back(events, BACK)
    asked, shown = len(stage.asked), len(stage.viewer.shown)
    stage.viewer.want(Look(opened=("conv2",)))
    stage.until_shown(shown + 1)
    assert stage.viewer.shown[-1] is events[0]
    assert stage.viewer.sources[-1] == BACK
    assert stage.viewer.problem == ""

    # So it is after an edit, at which a view may forget something, and for another probe.
    stage.document.edit("Rename", _renamed)
    stage.until_shown(shown + 2)
    stage.probes.add(Probe(label="1", image=np.ones((28, 28), np.uint8)))
    stage.until_shown(shown + 3)
    assert len(stage.asked) == asked


def test_what_a_moment_does_not_hold_is_said_until_somebody_looks_at_the_present(stage: Stage) -> None:
    stage.want(Look(opened=("conv1",)))
    stage.looking.look_back(_moment("conv1"), BACK)
    assert stage.viewer.problem == ""
    stage.viewer.want(Look(opened=("conv1", "fc1")))
    said = "This moment does not hold fc1's values; press Now (Alt+End) to see the present."
    stage.qtbot.waitUntil(lambda: stage.viewer.problem == said, timeout=5_000)
    for look, name in ((Look(weighed=("fc2",)), "fc2's weights"), (Look(measures=True), "the layers' statistics")):
        stage.viewer.want(look)
        stage.settled()
        assert name in stage.viewer.problem
    asked = len(stage.asked)
    stage.looking.look_at_present()
    assert stage.viewer.problem == ""
    stage.until_asked(asked + 1)
    assert stage.asked[-1].measures


def test_what_the_network_at_rest_says_meanwhile_is_not_shown_in_a_look_back(stage: Stage) -> None:
    stage.want(MAPS)
    asked, shown = len(stage.asked), len(stage.viewer.shown)
    reported: list[str] = []
    stage.at_rest.failed.connect(lambda _request, text: reported.append(text))
    stage.may_answer.clear()
    stage.document.edit("Widen", _too_large)
    stage.until_asked(asked + 1)
    stage.looking.look_back((*_moment("conv1"), LayersMeasured(run_id="r", step=5, num_images=1, layers={})), BACK)
    stage.may_answer.set()
    stage.qtbot.waitUntil(lambda: reported == ["too large"], timeout=5_000)
    assert all("This moment" in text for text in stage.viewer.problems)
    assert len(stage.viewer.shown) == shown + 2


@pytest.fixture
def followed(stage: Stage, tmp_path: Path) -> Iterator[FollowSession]:
    """A run that is followed and goes on; its thread is the test itself."""
    session = FollowSession(tmp_path)
    stage.looking.follow(session)
    session.status_changed.emit(Followed("running", "far", 7, 0.0, 0.0))
    yield session
    stage.looking.follow(None)


MEASURED = LayersMeasured(run_id="r", step=9, num_images=4, layers={})
OPENED = LayersOpened(run_id="r", step=1200, probe="0", layers={})


def test_a_followed_run_answers_every_view_in_place_of_the_network_at_rest(
    stage: Stage, followed: FollowSession
) -> None:
    # What has not answered yet is no source; its network at rest is.
    stage.want(Look(opened=("conv1",)))
    stage.viewer.shown.clear()
    stage.viewer.sources.clear()
    followed.observed_arrived.emit((MEASURED, OPENED))
    assert stage.viewer.shown == [MEASURED, OPENED]
    assert stage.viewer.sources == [Source("step 9", 9, "r"), Source("step 1,200", 1200, "r")]
    count = len(stage.asked)
    stage.viewer.want(Look(opened=("conv2",), weighed=("fc1",)))
    assert not stage.looking._timer.isActive()
    # Once it has ended, all of that is asked of what it has trained.
    followed.status_changed.emit(Followed("completed", "far", 7, 0.0, 0.0))
    stage.qtbot.waitUntil(lambda: len(stage.asked) > count, timeout=5_000)
    assert (stage.asked[-1].opened, stage.asked[-1].weighed) == (("conv2",), ("fc1",))


class Noted(FollowSession):
    """Keeps in which threads somebody asked where the weights are."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, interval_s=0.01)
        self.threads: list[str] = []

    @property
    def weights(self) -> Path:
        self.threads.append(threading.current_thread().name)
        return super().weights


def test_a_followed_runs_folder_is_looked_at_in_its_own_thread(stage: Stage, tmp_path: Path) -> None:
    """A mount may hang, and the window must not."""
    session = Noted(tmp_path)
    stage.looking.follow(session)
    session.start()
    stage.want(Look(opened=("conv1",)))
    assert stage.weights[-1] is None
    (tmp_path / "weights.safetensors").write_bytes(b"")
    # They are looked at as soon as they are there, whatever is clicked.
    stage.qtbot.waitUntil(lambda: stage.weights[-1] == str(tmp_path / "weights.safetensors"), timeout=5_000)
    stage.looking.follow(None)
    stage.qtbot.waitUntil(lambda: stage.weights[-1] is None, timeout=5_000)
    assert session.close()
    assert set(session.threads) == {"follow"}


def test_after_a_look_back_the_newest_of_a_followed_run_are_shown_again(stage: Stage, followed: FollowSession) -> None:
    followed.observed_arrived.emit((MEASURED, OPENED))
    before = WeightsCaptured(run_id="r", step=2, layers={})
    stage.looking.look_back([before], Source("step 2", 2, "r"))
    newer = LayersOpened(run_id="r", step=1300, probe="0", layers={})
    followed.observed_arrived.emit((newer,))
    assert stage.viewer.shown == [MEASURED, OPENED, before]
    stage.looking.look_at_present()
    assert stage.viewer.shown[3:] == [MEASURED, newer]
    # Those of a run that is followed no more are nobody's.
    stage.looking.follow(None)
    stage.looking.look_back([before], Source("step 2", 2, "r"))
    stage.looking.look_at_present()
    assert stage.viewer.shown[5:] == [before]
