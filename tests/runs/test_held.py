"""What captured events hold of a look."""

import numpy as np

from explorer.runs import (
    Event,
    FeatureMapsCaptured,
    LayersMeasured,
    LayersOpened,
    Look,
    OpenedLayer,
    ProbesExplained,
    WeightPictures,
    WeightsCaptured,
)
from explorer.runs.held import held

VALUES = np.zeros((1, 1, 1), np.float32)


def test_nothing_holds_nothing() -> None:
    assert held(()).is_empty


def test_what_is_not_held_is_left() -> None:
    events: tuple[Event, ...] = (
        LayersOpened(run_id="r", step=1, probe="a", layers={"conv1": OpenedLayer((), VALUES, {})}),
        WeightsCaptured(run_id="r", step=1, layers={"conv2": WeightPictures(VALUES, None, None)}),
        WeightsCaptured(run_id="r", step=0, layers={"fc": WeightPictures(VALUES, None, None)}),
        FeatureMapsCaptured(run_id="r", step=1, probe="a", atlases={}),
    )
    wanted = Look(maps=("conv1",), opened=("fc", "conv1"), weighed=("conv2", "fc"), measures=True, explained=True)
    assert wanted.beyond(held(events)).same_as(Look(maps=("conv1",), opened=("fc",), measures=True, explained=True))


def test_statistics_and_explanations_are_held_as_a_whole() -> None:
    events: tuple[Event, ...] = (
        LayersMeasured(run_id="r", step=1, num_images=1, layers={}),
        ProbesExplained(run_id="r", step=1, class_names=(), layer=None, answers=()),
    )
    assert Look(measures=True, explained=True).beyond(held(events)).is_empty


def test_layers_in_full_hold_their_first_kernels_too() -> None:
    pictures = WeightPictures(VALUES, None, None)
    event = WeightsCaptured(run_id="r", step=1, layers={"conv1": pictures}, first_kernels={"fc1": pictures})
    assert Look(first_kernels=("conv1", "fc1", "fc2")).beyond(held((event,))).first_kernels == ("fc2",)
    assert Look(weighed=("conv1", "fc1")).beyond(held((event,))).weighed == ("fc1",)
