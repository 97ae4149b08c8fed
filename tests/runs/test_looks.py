"""What several views look at becomes one question, and the same question is known again."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from explorer.runs import Look, Probe, merged
from explorer.runs.looks import Pixel


def a_probe(**different: Any) -> Probe:
    same: dict[str, Any] = {"label": "3", "image": np.zeros((2, 2), np.uint8), "target": 3}
    return Probe(**(same | different))


def test_merged_is_what_each_view_looks_at_once_and_in_order() -> None:
    probes = (a_probe(), a_probe(label="4"))
    canvas = Look(maps=("conv1", "conv2"), measures=True)
    panel = Look(maps=("fc1", "conv1"), opened=("fc1",), weighed=("conv2", "conv2"))
    why = Look(explained=True, explained_layer="conv2", explained_class=5, opened=("conv1", "fc1"))
    look = merged((canvas, panel, why), probes, 1)
    assert (look.probes, look.current, look.probe) == (probes, 1, probes[1])
    assert look.maps == ("conv1", "conv2", "fc1")
    assert look.opened == ("fc1", "conv1")
    assert look.weighed == ("conv2",)
    assert look.measures
    assert (look.explained, look.explained_layer, look.explained_class) == (True, "conv2", 5)


def test_what_a_hidden_view_would_explain_counts_for_nothing() -> None:
    hidden = Look(explained_layer="conv1", explained_class=1)
    look = merged((hidden, Look(explained=True, explained_class=2)))
    assert (look.explained, look.explained_layer, look.explained_class) == (True, None, 2)
    assert merged((hidden,)).same_as(Look())


def test_one_value_is_pointed_at_and_one_channel_compared() -> None:
    pixel = Pixel("conv1", 2, 3, 4)
    look = merged((Look(maps=("a",)), Look(pointed=pixel), Look(compared=("conv2", 1), pointed=Pixel("fc", 0))))
    assert (look.pointed, look.compared) == (pixel, ("conv2", 1))
    assert not Look(pointed=pixel).is_empty
    assert not Look(compared=("conv2", 1)).is_empty
    assert Look(pointed=pixel).same_as(Look(pointed=Pixel("conv1", 2, 3, 4)))
    assert not Look(pointed=pixel).same_as(Look(pointed=Pixel("conv1", 2, 3, 5)))
    assert not Look(compared=("conv2", 1)).same_as(Look(compared=("conv2", 2)))


def test_one_view_that_shows_the_test_is_enough() -> None:
    shown = merged((Look(maps=("a",)), Look(tested=True)))
    assert shown.tested
    assert not Look(tested=True).is_empty
    assert not Look(tested=True).same_as(Look())
    assert shown.beyond(Look(tested=True)).same_as(Look(maps=("a",)))
    assert shown.beyond(Look(maps=("a",))).same_as(Look(tested=True))


def test_nothing_is_looked_at_without_nodes_statistics_or_reasons() -> None:
    assert merged(()).is_empty
    assert Look(probes=(a_probe(),), explained_layer="conv1").is_empty
    asked = (Look(maps=("a",)), Look(opened=("a",)), Look(weighed=("a",)), Look(measures=True), Look(explained=True))
    assert not any(look.is_empty for look in asked)
    assert not any(merged((Look(), look)).is_empty for look in asked)


def test_the_probe_is_the_current_one_or_the_last_there_is() -> None:
    probes = (a_probe(), a_probe(label="4"))
    assert [Look(probes=probes, current=i).probe for i in (0, 1, 2)] == [probes[0], probes[1], probes[1]]
    assert Look(current=1).probe is None


def test_the_same_look_is_known_in_any_order_of_nodes_and_by_equal_pixels() -> None:
    look = Look(maps=("a", "b"), opened=("c", "d"), weighed=("e", "f"), probes=(a_probe(), a_probe(label="4")))
    again = Look(maps=("b", "a"), opened=("d", "c"), weighed=("f", "e"), probes=(a_probe(), a_probe(label="4")))
    assert look.same_as(again)
    assert again.same_as(look)
    # Which probe comes first decides which is the current one.
    assert not look.same_as(Look(maps=look.maps, opened=look.opened, weighed=look.weighed, probes=look.probes[::-1]))


@pytest.mark.parametrize(
    "different",
    [
        {"label": "4"},
        {"target": None},
        {"image": np.zeros((1, 2, 2), np.uint8)},
        {"image": np.eye(2, dtype=np.uint8)},
        {"image": np.zeros((2, 2), np.float32)},
    ],
)
def test_a_probe_is_the_same_by_label_class_and_pixels(different: dict[str, Any]) -> None:
    assert a_probe().same_as(a_probe())
    assert not a_probe().same_as(a_probe(**different))


def test_what_is_beyond_what_is_shown_is_all_that_is_asked() -> None:
    shown = Look(maps=("a", "b"), opened=("a",), measures=True, explained=True, pointed=Pixel("a", 1))
    wanted = Look(maps=("b", "c"), opened=("a",), weighed=("c",), measures=True, explained=True, pointed=Pixel("a", 2))
    left = wanted.beyond(shown)
    assert left.same_as(Look(maps=("c",), weighed=("c",), pointed=Pixel("a", 2)))
    assert wanted.beyond(wanted).is_empty
    assert shown.beyond(Look()).same_as(shown)
    assert dataclasses.replace(shown, explained_class=3).beyond(shown).explained
    # What both have.
    assert shown.beyond(shown.beyond(wanted)).same_as(Look(maps=("b",), opened=("a",), measures=True, explained=True))


def test_first_kernels_are_asked_for_like_other_rows_of_nodes() -> None:
    look = merged((Look(first_kernels=("a", "b")), Look(weighed=("a",)), Look(first_kernels=("b", "c"))))
    assert look.first_kernels == ("a", "b", "c")
    assert not Look(first_kernels=("a",)).is_empty
    assert look.same_as(Look(first_kernels=("c", "b", "a"), weighed=("a",)))
    assert not look.same_as(Look(weighed=("a",)))
    assert look.beyond(Look(first_kernels=("a",))).first_kernels == ("b", "c")
    assert look.beyond(look).is_empty
