"""A profile made in the background, and what edits leave of it. The profiler is the test's own: times are given."""

import threading
from collections.abc import Callable, Iterator, Mapping

import pytest
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.inference import infer
from explorer.layers import Tanh
from explorer.runs import RunConfig
from explorer.runs.profile import NodeProfile, ProfileRefused, StepProfile
from explorer.session import Document
from explorer.session.document import Snapshot
from explorer.session.profile_session import ProfileSession, measured_now, node_facts
from explorer.zoo import entry
from tests.runs.test_profile import profile

Made = Callable[..., ProfileSession]


def profile_of(architecture: Architecture) -> StepProfile:
    each = NodeProfile(forward_s=1.0, backward_s=2.0, kept_bytes=8, peak_bytes=None)
    return profile({node.id: each for node in architecture.nodes})


def at_once(
    architecture: Architecture,
    config: RunConfig,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> StepProfile:
    progress("Step 1 of 1", 0.5)
    return profile_of(architecture)


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    document = Document()
    document.open(entry("lenet5").build())
    return document


@pytest.fixture
def made(document: Document) -> Iterator[Made]:
    """Makes sessions, and ends their threads."""
    all_made: list[ProfileSession] = []

    def make(profiler: Callable[..., StepProfile | ProfileRefused] = at_once) -> ProfileSession:
        all_made.append(ProfileSession(document, profiler))
        return all_made[-1]

    yield make
    assert all(session.close() for session in all_made)


def holding(before: Architecture, after: Architecture) -> set[str]:
    """The nodes whose numbers hold after an edit."""
    facts = node_facts(Snapshot(before, infer(before)))
    return set(measured_now(facts, profile_of(before), Snapshot(after, infer(after))).nodes)


def ids(architecture: Architecture) -> set[str]:
    return {node.id for node in architecture.nodes}


def test_it_is_made_in_a_thread_and_kept(qtbot: QtBot, made: Made, document: Document) -> None:
    session = made()
    said: list[tuple[str, float]] = []
    session.progressed.connect(lambda text, share: said.append((text, share)))
    with qtbot.waitSignal(session.finished):
        session.start(RunConfig())
    assert said == [("Step 1 of 1", 0.5)]
    assert not session.is_active
    measured = session.measured
    assert measured is not None
    assert measured.is_whole
    assert measured.macs["conv1"] == document.snapshot.inference.nodes["conv1"].macs


def test_an_edited_layer_and_what_it_reaches_are_dropped_until_undo(
    qtbot: QtBot, made: Made, document: Document
) -> None:
    session = made()
    with qtbot.waitSignal(session.finished):
        session.start(RunConfig())
    whole = session.measured
    with qtbot.waitSignal(session.measured_changed):
        document.edit("Set", lambda a: edits.set_value(a, "fc2", "out_features", 60))
    assert session.measured is not None
    assert not session.measured.is_whole
    gone = set(whole.nodes if whole else ()) - set(session.measured.nodes)
    assert gone == {"fc2", "tanh4", "fc3"}
    document.undo_stack.undo()
    assert session.measured == whole


def test_each_reason_why_a_number_may_hold_no_longer() -> None:
    net = entry("lenet5").build()
    assert holding(net, net) == ids(net)
    # Another function keeps another thing; what stands beside it does as before.
    assert ids(net) - holding(net, edits.set_layer(net, "tanh3", Tanh())) == set()
    # A frozen first layer keeps nothing, and neither do its images need to be kept.
    frozen = edits.set_frozen(net, ["conv1"], True)
    assert {"conv1", "tanh1"} <= ids(net) - holding(net, frozen)
    # Another input changes all that is not behind a layer of fixed size.
    assert "conv1" not in holding(net, edits.set_input_shape(net, 3, 32, 32))
    assert holding(net, edits.rename(net, "fc3", "scores")) == ids(net) - {"fc3"}
    assert holding(net, edits.set_name(net, "other")) == ids(net)


def test_another_network_has_no_profile(qtbot: QtBot, made: Made, document: Document) -> None:
    session = made()
    with qtbot.waitSignal(session.finished):
        session.start(RunConfig())
    document.open(entry("lenet5").build())
    assert session.measured is None


def test_a_lack_of_memory_and_a_cancel_leave_what_was_there(qtbot: QtBot, made: Made) -> None:
    refusal = ProfileRefused(message="too little", fitting_batch_size=3)
    session = made(lambda *_: refusal)
    with qtbot.waitSignal(session.refused) as refused:
        session.start(RunConfig())
    assert refused.args == [refusal]
    assert session.measured is None

    begun = threading.Event()

    def until_cancelled(_a: object, _c: object, _p: object, cancelled: Callable[[], bool]) -> StepProfile:
        begun.set()
        while not cancelled():
            begun.wait(0.01)
        raise ValueError("ended")

    session = made(until_cancelled)
    with qtbot.waitSignal(session.failed) as failed:
        session.start(RunConfig())
        assert begun.wait(10)
        session.cancel()
    assert failed.args == [""]


def test_facts_are_of_all_nodes() -> None:
    net = entry("resnet20").build()
    facts: Mapping[str, object] = node_facts(Snapshot(net, infer(net)))
    assert set(facts) == ids(net)
