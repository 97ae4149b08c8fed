"""Which data set's images are offered, and when; the work itself is made up."""

import threading

import numpy as np
from pytestqt.qtbot import QtBot

from explorer.layers import Shape
from explorer.runs import Probe
from explorer.session.data_session import Cancelled, Progress
from explorer.session.probe_set import ProbeSet
from explorer.session.probes_offer import ProbeOffer
from explorer.session.probes_source import ProbeSource


class Work:
    """Data sets that may be at hand; notes what it was asked."""

    def __init__(self) -> None:
        self.at_hand = False
        self.fails = False
        self.asked: list[tuple[str, bool]] = []
        self.may_end = threading.Event()
        self.may_end.set()

    def __call__(
        self, data: str, input_shape: Shape, reads: bool, progress: Progress, cancelled: Cancelled
    ) -> ProbeOffer | None:
        self.asked.append((data, reads))
        progress("Reading", 0.5)
        assert self.may_end.wait(10)
        if self.fails:
            raise ValueError("no such folder")
        if not (self.at_hand or reads):
            return None
        image = np.zeros(input_shape, np.uint8)
        return ProbeOffer(data, ("a",), {0: (Probe(label=f"{data} {input_shape[1]}", target=0, image=image),)})


def _source(qtbot: QtBot) -> tuple[ProbeSource, ProbeSet, Work]:
    probes, work = ProbeSet(), Work()
    source = ProbeSource(probes, work, probes)
    return source, probes, work


def _data(probes: ProbeSet) -> str:
    return "" if probes.offer is None else probes.offer.data


def test_images_come_as_soon_as_they_are_at_hand(qtbot: QtBot) -> None:
    source, probes, work = _source(qtbot)
    probes.ensure()
    source.want("shapes", (3, 8, 8))
    assert work.asked == []  # torch may not load yet
    source.enable()
    qtbot.waitUntil(lambda: work.asked == [("shapes", False)] and source._job is None)
    assert _data(probes) == "digits"
    work.at_hand = True
    source.look()
    qtbot.waitUntil(lambda: _data(probes) == "shapes")
    assert [probe.label for probe in probes.probes] == ["shapes 8"]
    source.look()
    source.want("shapes", (3, 8, 8))
    assert len(work.asked) == 2
    # Another size of the network: photographs are cut to it.
    source.want("shapes", (3, 9, 9))
    qtbot.waitUntil(lambda: [probe.label for probe in probes.probes] == ["shapes 9"])
    source.want("digits", (1, 32, 32))
    assert _data(probes) == "digits"
    assert probes.drawing_size == (28, 28)
    source.want("shapes", (3, 9, 11))
    assert probes.drawing_size == (9, 11)
    qtbot.waitUntil(lambda: _data(probes) == "shapes")
    assert source.close()


def test_who_asks_for_them_waits_and_hears_of_it(qtbot: QtBot) -> None:
    source, probes, work = _source(qtbot)
    heard: list[tuple[str, float]] = []
    failed: list[str] = []
    probes.fetching.connect(lambda text, share: heard.append((text, share)))
    source.failed.connect(failed.append)
    source.want("shapes", (3, 8, 8))
    work.fails = True
    assert probes.wanted_data == "shapes"
    probes.fetch_asked.emit()
    qtbot.waitUntil(lambda: failed == ["no such folder"])
    work.fails = False
    source.fetch()
    qtbot.waitUntil(lambda: _data(probes) == "shapes")
    assert heard[-2:] == [("Reading", 0.5), ("", 1.0)]
    assert source.close()


def test_who_waits_hears_that_another_data_set_ends_the_wait(qtbot: QtBot) -> None:
    source, probes, work = _source(qtbot)
    heard: list[tuple[str, float]] = []
    probes.fetching.connect(lambda text, share: heard.append((text, share)))
    work.may_end.clear()
    source.want("old", (1, 8, 8))
    source.fetch()
    qtbot.waitUntil(lambda: heard == [("Reading", 0.5)])
    source.want("new", (1, 8, 8))
    assert heard == [("Reading", 0.5), ("", 1.0)]
    source.want("newer", (1, 8, 8))
    work.may_end.set()
    assert source.close()
    assert heard == [("Reading", 0.5), ("", 1.0)]


def test_what_is_overtaken_is_not_heard_any_more(qtbot: QtBot) -> None:
    source, probes, work = _source(qtbot)
    source.enable()
    work.at_hand = True
    work.may_end.clear()
    source.want("old", (1, 8, 8))
    qtbot.waitUntil(lambda: len(work.asked) == 1)
    source.want("new", (1, 8, 8))
    work.may_end.set()
    qtbot.waitUntil(lambda: _data(probes) == "new")
    assert source.close()
