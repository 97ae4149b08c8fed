"""The data session: the latest wish only, nothing while nobody looks, downloads, and no thread left."""

import threading

import numpy as np
import numpy.typing as npt
import pytest
from pytestqt.qtbot import QtBot

from explorer.layers import Shape
from explorer.runs import Normalization, RunConfig
from explorer.runs.data_facts import DataFacts, DataState, Sheet, SizeCount
from explorer.session.data_session import Cancelled, DataSession, DataView, Progress

SHAPE: Shape = (1, 32, 32)


def facts_of(name: str) -> DataFacts:
    """A data set of two classes."""
    normalization = Normalization(mean=(0.5,), std=(0.25,))
    return DataFacts(
        name=name,
        class_names=("cat", "dog"),
        train_counts=(6, 4),
        test_counts=(2, 1),
        image_shape=(1, 8, 8),
        sizes=(SizeCount(8, 8, 13),),
        mean=normalization.mean,
        std=normalization.std,
        num_bytes=13 * 64,
        fingerprint="0" * 64,
        problems=(),
        input_notes=(),
        input_problem="",
    )


def sheet_of(name: str, only: int | None) -> Sheet:
    """Ten black pictures, or those of one class."""
    labels = tuple(label for label in (0,) * 6 + (1,) * 4 if only in (None, label))
    positions = tuple(range(len(labels)))
    images = np.zeros((len(labels), 1, 8, 8), np.uint8)
    return Sheet(name=name, images=images, labels=labels, positions=positions, only=only, num_available=len(labels))


class Work:
    """Answers at once, but for what is held."""

    def __init__(self) -> None:
        self.looked: list[tuple[str, Shape, bool]] = []
        self.held: set[str] = set()
        self.released = threading.Event()
        self.is_here = True
        self.error = ""

    def states(self, progress: Progress, cancelled: Cancelled) -> tuple[DataState, ...]:
        return (DataState("digits", True, ""), DataState("mnist", self.is_here, ""))

    def look(
        self, config: RunConfig, input_shape: Shape, again: bool, progress: Progress, cancelled: Cancelled
    ) -> DataView:
        self.looked.append((config.data, input_shape, again))
        progress("Reading", 0.5)
        if config.data in self.held:
            self.released.wait(10)
        if self.error:
            raise ValueError(self.error)
        return DataView(facts_of(config.data), sheet_of(config.data, None), None)

    def sheet(
        self, config: RunConfig, input_shape: Shape, only: int | None, progress: Progress, cancelled: Cancelled
    ) -> Sheet:
        return sheet_of(config.data, only)

    def image(
        self, config: RunConfig, input_shape: Shape, position: int, progress: Progress, cancelled: Cancelled
    ) -> tuple[npt.NDArray[np.uint8], str]:
        return np.full((8, 8), position, np.uint8), f"image {position}"

    def fetch(self, name: str, progress: Progress, cancelled: Cancelled) -> None:
        progress("Downloading: 1 MB of 2 MB", 0.5)
        while not self.released.wait(0.01):
            if cancelled():
                raise ValueError("cancelled")
        if self.error:
            raise ValueError(self.error)
        self.is_here = True


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def session(work: Work, qtbot: QtBot) -> DataSession:
    return DataSession(work)


def _name(session: DataSession) -> str:
    return "" if session.view is None else session.view.facts.name


def test_nothing_is_read_before_somebody_looks(qtbot: QtBot, session: DataSession, work: Work) -> None:
    session.want(RunConfig(), SHAPE)
    qtbot.wait(50)
    assert not work.looked
    session.set_watched(True)
    qtbot.waitUntil(lambda: _name(session) == "digits")
    assert work.looked == [("digits", SHAPE, False)]
    assert [state.name for state in session.states] == ["digits", "mnist"]
    # The same again asks nobody.
    session.want(RunConfig(), SHAPE)
    session.set_watched(False)
    session.set_watched(True)
    qtbot.wait(50)
    assert len(work.looked) == 1
    session.reload()
    qtbot.waitUntil(lambda: len(work.looked) == 2)
    assert work.looked[-1] == ("digits", SHAPE, True)
    assert session.close()


def test_an_overtaken_wish_is_never_shown(qtbot: QtBot, session: DataSession, work: Work) -> None:
    views: list[str] = []
    session.view_changed.connect(lambda view: views.append("" if view is None else view.facts.name))
    work.held = {"mnist"}
    session.set_watched(True)
    session.want(RunConfig(data="mnist"), SHAPE)
    qtbot.waitUntil(lambda: len(work.looked) == 1)
    session.want(RunConfig(data="kmnist"), SHAPE)
    qtbot.waitUntil(lambda: _name(session) == "kmnist")
    work.released.set()
    assert session.close()
    assert views == ["kmnist"]


def test_what_was_shown_before_shows_again(qtbot: QtBot, session: DataSession, work: Work) -> None:
    session.set_watched(True)
    session.want(RunConfig(), SHAPE)
    qtbot.waitUntil(lambda: _name(session) == "digits")
    # Back before the other one is read.
    work.held = {"mnist"}
    session.want(RunConfig(data="mnist"), SHAPE)
    qtbot.waitUntil(lambda: len(work.looked) == 2)
    session.want(RunConfig(), SHAPE)
    qtbot.waitUntil(lambda: _name(session) == "digits")
    work.released.set()
    # Back after it could not be read.
    work.error = "it is damaged"
    with qtbot.waitSignal(session.failed):
        session.want(RunConfig(data="kmnist"), SHAPE)
    work.error = ""
    session.want(RunConfig(), SHAPE)
    qtbot.waitUntil(lambda: _name(session) == "digits")
    assert session.close()


def test_a_size_that_is_taken_back_is_not_shown(qtbot: QtBot, session: DataSession, work: Work) -> None:
    session.set_watched(True)
    session.want(RunConfig(), SHAPE)
    qtbot.waitUntil(lambda: session.view is not None)
    shown = session.view
    views: list[object] = []
    session.view_changed.connect(views.append)
    work.held = {"digits"}
    session.want(RunConfig(), (3, 64, 64))
    qtbot.waitUntil(lambda: len(work.looked) == 2)
    with qtbot.waitSignal(session.looking, check_params_cb=lambda text, _share: not text):
        session.want(RunConfig(), SHAPE)
    work.released.set()
    assert session.close()
    assert views == []
    assert session.view is shown


def test_an_error_takes_the_old_view_away(qtbot: QtBot, session: DataSession, work: Work) -> None:
    session.set_watched(True)
    session.want(RunConfig(), SHAPE)
    qtbot.waitUntil(lambda: session.view is not None)
    work.error = "it is damaged"
    with qtbot.waitSignal(session.failed) as failed:
        session.want(RunConfig(), (3, 32, 32))
    assert failed.args == ["it is damaged"]
    assert session.view is None
    assert session.close()


def test_pictures_of_one_class_and_one_image(qtbot: QtBot, session: DataSession) -> None:
    session.set_watched(True)
    session.want(RunConfig(), SHAPE)
    qtbot.waitUntil(lambda: session.view is not None)
    with qtbot.waitSignal(session.sheet_changed) as changed:
        session.show_class(1)
    assert changed.args[0].only == 1
    with qtbot.waitSignal(session.image_found) as found:
        session.find_image(3)
    assert found.args[1] == "image 3"
    assert session.close()


def test_a_download_ends_in_the_data_set(qtbot: QtBot, session: DataSession, work: Work) -> None:
    work.is_here = False
    said: list[tuple[str, float]] = []
    session.downloading.connect(lambda text, share: said.append((text, share)))
    session.set_watched(True)
    session.want(RunConfig(data="mnist"), SHAPE)
    qtbot.waitUntil(lambda: session.view is not None and len(session.states) > 0)
    session.download("mnist")
    assert session.fetched == "mnist"
    session.download("kmnist")  # one at a time
    assert session.fetched == "mnist"
    with qtbot.waitSignal(session.downloaded) as downloaded:
        work.released.set()
    assert downloaded.args == ["mnist"]
    assert ("Downloading: 1 MB of 2 MB", 0.5) in said
    qtbot.waitUntil(lambda: all(state.is_here for state in session.states))
    qtbot.waitUntil(lambda: len(work.looked) == 2)
    assert session.close()


def test_a_download_can_be_ended(qtbot: QtBot, session: DataSession) -> None:
    session.download("mnist")
    with qtbot.waitSignal(session.download_failed) as failed:
        session.cancel_download()
    assert failed.args == [""]
    assert session.fetched == ""
    session.download("mnist")
    assert session.close()  # while it goes
