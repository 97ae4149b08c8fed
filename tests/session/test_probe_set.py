"""The probe images that all views share: which there are, which one is the current, and who is told."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.runs import MOST_PROBES, Probe
from explorer.session.probe_set import ProbeSet


def a_probe(label: str) -> Probe:
    return Probe(label=label, image=np.zeros((2, 2), np.uint8))


def a_set(*labels: str) -> ProbeSet:
    probes = ProbeSet()
    for label in labels:
        probes.add(a_probe(label))
    return probes


def labels(probes: ProbeSet) -> list[str]:
    return [probe.label for probe in probes.probes]


def current(probes: ProbeSet) -> str | None:
    return None if probes.current is None else probes.current.label


def num_told(probes: ProbeSet, change: Callable[[], None]) -> int:
    """How often `changed` comes with a change."""
    told: list[bool] = []

    def hear() -> None:
        told.append(True)

    probes.changed.connect(hear)
    change()
    probes.changed.disconnect(hear)
    return len(told)


def test_there_is_none_at_first_and_the_first_is_the_current_one() -> None:
    probes = ProbeSet()
    assert (probes.probes, probes.current, probes.place, probes.is_full) == ((), None, 0, False)
    assert num_told(probes, lambda: probes.put(a_probe("a"))) == 1
    assert (labels(probes), current(probes)) == (["a"], "a")


def test_put_replaces_the_current_one_and_keeps_the_others() -> None:
    probes = a_set("a", "b", "c")
    probes.choose(1)
    assert num_told(probes, lambda: probes.put(a_probe("d"))) == 1
    assert (labels(probes), current(probes)) == (["a", "d", "c"], "d")


@pytest.mark.parametrize("take", [ProbeSet.put, ProbeSet.add])
def test_a_known_label_is_chosen_and_its_newer_image_taken(take: Callable[[ProbeSet, Probe], None]) -> None:
    probes = a_set("a", "b", "c")
    newer = a_probe("a")
    take(probes, newer)
    assert labels(probes) == ["a", "b", "c"]
    assert probes.current is newer


def test_eight_fit_and_no_more() -> None:
    probes = a_set(*"abcdefgh")
    assert len(probes.probes) == MOST_PROBES
    assert probes.is_full
    with pytest.raises(ValueError, match="there are 8 already; remove one first"):
        probes.add(a_probe("i"))
    assert (labels(probes), current(probes)) == (list("abcdefgh"), "h")
    probes.add(a_probe("b"))
    probes.put(a_probe("i"))
    assert labels(probes) == list("aicdefgh")


@pytest.mark.parametrize(
    ("chosen", "removed", "left"),
    [(1, 0, "b"), (1, 2, "b"), (1, 1, "c"), (2, 2, "b"), (0, 0, "b"), (0, 2, "a")],
)
def test_removing_another_keeps_the_current_one_and_removing_it_takes_the_next(
    chosen: int, removed: int, left: str
) -> None:
    probes = a_set("a", "b", "c")
    probes.choose(chosen)
    assert num_told(probes, lambda: probes.remove(removed)) == 1
    assert labels(probes) == [label for i, label in enumerate("abc") if i != removed]
    assert current(probes) == left


def test_the_last_one_stays_and_a_place_of_none_is_no_trouble() -> None:
    probes = a_set("a")
    assert num_told(probes, lambda: probes.remove(0)) == 0
    probes.add(a_probe("b"))
    assert num_told(probes, lambda: probes.remove(2)) == 0
    assert num_told(probes, lambda: probes.remove(-1)) == 0
    assert labels(probes) == ["a", "b"]


def test_choosing_tells_only_of_another() -> None:
    probes = a_set("a", "b")
    assert num_told(probes, lambda: probes.choose(1)) == 0
    assert num_told(probes, lambda: probes.choose(0)) == 1
    assert current(probes) == "a"
    for place in (-1, 2):
        with pytest.raises(IndexError, match=f"probe {place} of 2"):
            probes.choose(place)


@given(st.lists(st.tuples(st.sampled_from(["put", "add", "remove", "choose"]), st.integers(0, 11)), max_size=40))
def test_labels_stay_unique_and_the_current_one_is_among_them(moves: list[tuple[str, int]]) -> None:
    probes = ProbeSet()
    for move, number in moves:
        if move == "put" or (move == "add" and not probes.is_full):
            probes.put(a_probe(str(number))) if move == "put" else probes.add(a_probe(str(number)))
            assert current(probes) == str(number)
        elif move == "remove":
            before = len(probes.probes)
            probes.remove(number)
            assert len(probes.probes) == before - (before > 1 and number < before)
        elif move == "choose" and number < len(probes.probes):
            probes.choose(number)
            assert current(probes) == labels(probes)[number]
        assert len(set(labels(probes))) == len(probes.probes) <= MOST_PROBES
        assert probes.place == 0 or probes.place < len(probes.probes)
