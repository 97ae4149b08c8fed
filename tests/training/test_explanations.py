"""Explanations during a run: they come, are those of the weights of their step, and change no loss."""

import numpy as np
import pytest

from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, Dropout, ReLU
from explorer.runs import Event, Look, Probe, ProbesExplained, RunConfig, RunControl, RunFinished, StepsRecorded
from explorer.training import load_data, train
from explorer.zoo.builder import Builder, conv, flatten, linear, max_pool

pytestmark = pytest.mark.usefixtures("few_digits")


def _network() -> Architecture:
    """With what an explanation might disturb: batch statistics, random numbers, and a second output."""
    net = Builder("small", 1, 12, 12)
    net.add("conv1", conv(6, 3))
    net.add("norm1", BatchNorm2d())
    net.add("relu1", ReLU())
    net.add("pool1", max_pool(2))
    pooled = net.add("dropout", Dropout(p=0.4))
    net.add("flatten", flatten())
    main = net.add("fc", linear(10))
    net.add("aux.flatten", flatten(), after=pooled)
    aux = net.add("aux.fc", linear(10))
    return net.build(outputs=(main, aux))


def _run(look: Look) -> tuple[list[float], list[ProbesExplained]]:
    control = RunControl()
    control.watch(look)
    events: list[Event] = []
    config = RunConfig(epochs=3, batch_size=16, device="cpu", momentum=0.9, threads=1)
    assert isinstance(train(_network(), config, events.append, control, run_id="r"), RunFinished)
    losses = [loss for event in events if isinstance(event, StepsRecorded) for loss in event.losses.tolist()]
    return losses, [event for event in events if isinstance(event, ProbesExplained)]


def test_losses_are_the_same_to_the_bit_with_explanations() -> None:
    images = load_data("digits").test_images[:8, 0].numpy()
    probes = tuple(Probe(label=f"no. {i}", image=image) for i, image in enumerate(images))
    plain, none = _run(Look())
    watched, found = _run(Look(probes=probes, explained=True))
    assert plain == watched
    assert len(plain) == 18
    assert not none
    assert found
    for event in found:
        assert event.run_id == "r"
        assert event.layer == "dropout"
        assert event.class_names == tuple("0123456789")
        assert len(event.answers) == 8
        for answer in event.answers:
            assert answer.probabilities.sum() == pytest.approx(1, abs=1e-5)
            assert answer.explained_class == int(np.argmax(answer.probabilities))
            assert answer.saliency.shape == (12, 12)
            assert answer.cam is not None
            assert answer.cam.shape == (5, 5)


def test_without_a_probe_the_first_test_image_is_explained() -> None:
    _, (first, *_) = _run(Look(explained=True))
    (answer,) = first.answers
    assert answer.probe == ""
