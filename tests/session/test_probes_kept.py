"""Probes between two starts, and how they follow the data set that is offered."""

from pathlib import Path

import numpy as np

from explorer.runs import Probe
from explorer.session import probes_kept
from explorer.session.places import settings
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import to_qimage
from explorer.session.probes_offer import Origin, ProbeOffer, offer_of_digits


def _offer(data: str = "shapes", names: tuple[str, ...] = ("round", "square"), count: int = 3) -> ProbeOffer:
    draw = np.random.default_rng(len(data))
    by_class = {
        label: tuple(
            Probe(label=f"{name}, no. {i + 1}", target=label, image=draw.integers(0, 255, (3, 8, 8), np.uint8))
            for i in range(count)
        )
        for label, name in enumerate(names)
    }
    return ProbeOffer(data, names, by_class)


def _labels(probes: ProbeSet) -> list[str]:
    return [probe.label for probe in probes.probes]


def _again() -> tuple[ProbeSet, list[str]]:
    probes = ProbeSet()
    return probes, probes_kept.restore(probes, settings())


def test_each_kind_is_found_again(tmp_path: Path) -> None:
    file = tmp_path / "mine.png"
    draw = np.random.default_rng(0)
    colours, drawn = draw.integers(0, 255, (3, 5, 6), np.uint8), draw.integers(0, 255, (28, 28), np.uint8)
    to_qimage(colours).save(str(file))
    digits = offer_of_digits()
    before = ProbeSet()
    digit = digits.by_class[7][2]
    before.add(digit, digits.origin(digit))
    before.add(Probe(label="mine.png", image=colours), Origin("file", path=str(file)))
    before.add(Probe(label="drawing 1", image=drawn, target=4), Origin("drawn", data="digits"))
    before.choose(1)
    probes_kept.keep(before, settings())

    after, problems = _again()
    assert problems == []
    assert after.place == 1
    assert all(a.same_as(b) for a, b in zip(after.probes, before.probes, strict=True))
    assert [after.origin(label) for label in _labels(after)] == [before.origin(label) for label in _labels(before)]

    file.unlink()
    after, problems = _again()
    assert _labels(after) == ["digit 7, no. 3", "drawing 1"]
    assert len(problems) == 1
    assert "mine.png cannot be read" in problems[0]


def test_test_images_come_back_once_their_data_set_is_at_hand() -> None:
    offer = _offer()
    before = ProbeSet()
    before.take_offer(offer)
    for probe in (offer.by_class[1][2], offer.by_class[0][1]):
        before.add(probe, offer.origin(probe))
    before.add(Probe(label="pasted 1", image=np.zeros((4, 4), np.uint8)), Origin("picture", path="pasted"))
    before.choose(1)
    probes_kept.keep(before, settings())

    after, _ = _again()
    assert _labels(after) == ["pasted 1"]
    # The window closes before the data set was read: nothing is lost.
    probes_kept.keep(after, settings())
    after, _ = _again()
    after.take_offer(_offer("other", ("a", "b")))
    assert "pasted 1" in _labels(after)
    after, _ = _again()
    after.take_offer(offer)
    assert _labels(after) == _labels(before)
    assert after.place == 1
    assert after.probes[0] is offer.by_class[1][2]


def test_what_another_version_wrote_is_no_trouble() -> None:
    for text in ("", "no json", "[]", '{"place": 0, "probes": [{"kind": "new"}, {"kind": "data", "data": "digits"}]}'):
        settings().setValue("probes/kept", text)
        probes, problems = _again()
        assert (probes.probes, problems) == ((), [])


def test_probes_of_a_data_set_give_way_to_the_next_ones() -> None:
    probes = ProbeSet()
    probes.ensure()
    assert _labels(probes) == ["digit 0, no. 1"]
    digits = probes.offer
    assert digits is not None
    probes.add(digits.by_class[5][3], digits.origin(digits.by_class[5][3]))
    probes.add(Probe(label="mine.png", image=np.zeros((4, 4), np.uint8)), Origin("file", path="mine.png"))
    probes.set_target(2, 7)
    told: list[bool] = []
    probes.changed.connect(lambda: told.append(True))
    probes.take_offer(_offer())
    assert len(told) == 1
    # A class of the digits says nothing about shapes.
    assert [(probe.label, probe.target) for probe in probes.probes] == [
        ("round, no. 1", 0),
        ("square, no. 1", 1),
        ("mine.png", None),
    ]
    # The same images in another size: the same ones are looked at.
    larger = _offer(count=4)
    probes.take_offer(larger)
    assert probes.probes[:2] == (larger.by_class[0][0], larger.by_class[1][0])


def test_classes_of_the_same_names_keep_class_and_number() -> None:
    probes = ProbeSet()
    probes.ensure()
    digits = probes.offer
    assert digits is not None
    probes.put(digits.by_class[7][2], digits.origin(digits.by_class[7][2]))
    probes.add(Probe(label="drawing 1", image=np.zeros((28, 28), np.uint8), target=3), Origin("drawn", data="digits"))
    mnist = _offer("mnist", tuple("0123456789"), 2)
    probes.take_offer(mnist)
    assert [(probe.label, probe.target) for probe in probes.probes] == [("7, no. 1", 7), ("drawing 1", 3)]
    assert probes.origin("7, no. 1") == Origin("data", data="mnist", number=0)
