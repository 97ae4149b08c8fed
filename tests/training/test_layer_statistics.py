"""Statistics of layers in real runs: of the step that was made, unclipped, and at no cost to the losses."""

import dataclasses
import itertools
from typing import Literal

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.architecture import Architecture
from explorer.layers import BatchNorm2d, Dropout, Linear, ReLU
from explorer.runs import Event, LayersMeasured, Look, RunConfig, RunControl, RunFinished, StepsRecorded
from explorer.runtime.modules import build_module
from explorer.runtime.statistics import measure_layers
from explorer.training import load_data, train
from explorer.training.layer_statistics import NUM_IMAGES, statistics_sample
from explorer.training.optimization import Optimization
from explorer.training.step import Step
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten
from tests.training.test_model_split import moves, towers

NUM_TRAIN = 90
"""Of `few_digits`."""

pytestmark = pytest.mark.usefixtures("few_digits")


def normed() -> Architecture:
    """Batch norm and dropout."""
    net = Builder("normed", 1, 16, 16)
    net.add("conv", conv(8, 3))
    net.add("norm", BatchNorm2d())
    net.add("relu", ReLU())
    net.add("pool", adaptive_avg_pool(2))
    net.add("flatten", flatten())
    net.add("dropout", Dropout(p=0.3))
    net.add("fc", Linear(out_features=10))
    return net.build()


def run(architecture: Architecture, config: RunConfig, look: Look) -> list[Event]:
    events: list[Event] = []
    control = RunControl()
    control.watch(look)
    result = train(architecture, config, events.append, control, run_id="r")
    assert isinstance(result, RunFinished), result
    return events


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["normed", "lenet5-relu-dropout"])
def test_watching_changes_no_loss(name: str, precision: Literal["float32", "bfloat16"]) -> None:
    architecture = normed() if name == "normed" else zoo.entry(name).build()
    config = RunConfig(epochs=2, batch_size=16, device="cpu", precision=precision, augmentation="flip,crop:2")
    losses, measured = [], []
    for look in (Look(), Look(measures=True)):
        events = run(architecture, config, look)
        losses.append([loss for event in events if isinstance(event, StepsRecorded) for loss in event.losses.tolist()])
        measured.append([event for event in events if isinstance(event, LayersMeasured)])
    assert len(losses[0]) == 12
    assert losses[0] == losses[1]
    assert not measured[0]
    assert len(measured[1]) >= 2


@pytest.mark.parametrize("clip_norm", [0.0, 0.01])
def test_a_step_is_measured_as_autograd_and_the_states_say(clip_norm: float) -> None:
    architecture, rate = zoo.entry("lenet5").build(), 0.05
    config = RunConfig(
        epochs=1, batch_size=NUM_TRAIN, learning_rate=rate, momentum=0.0, weight_decay=0.0, device="cpu", seed=3
    )
    events = run(architecture, dataclasses.replace(config, clip_norm=clip_norm), Look(measures=True))
    event = next(event for event in events if isinstance(event, LayersMeasured))
    assert (event.step, event.num_images) == (1, NUM_IMAGES)
    data = load_data("digits")
    network = build_module(architecture, seed=3)
    images = statistics_sample(
        dataclasses.replace(data, train_images=data.train_images[:1]), architecture.input_shape, data.normalization
    )
    assert images.shape == (1, 1, 32, 32)
    every = torch.cat(
        [
            statistics_sample(
                dataclasses.replace(data, train_images=part), architecture.input_shape, data.normalization
            )
            for part in torch.split(data.train_images, NUM_IMAGES)
        ]
    )
    torch.autograd.backward(F.cross_entropy(network(every), data.train_labels))
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    whole = float(torch.cat([g.reshape(-1) for g in gradients.values() if g is not None]).norm())
    clipped = min(1.0, clip_norm / whole) if clip_norm else 1.0
    assert (clipped < 0.5) == bool(clip_norm)
    for node_id in ("conv1", "conv2", "fc1", "fc2", "fc3"):
        own = [
            gradient for name, gradient in gradients.items() if name.startswith(f"{node_id}.") and gradient is not None
        ]
        norm = float(torch.cat([gradient.reshape(-1) for gradient in own]).norm())
        weights = [value for name, value in network.named_parameters() if name.startswith(f"{node_id}.")]
        weight_norm = float(torch.cat([value.detach().reshape(-1) for value in weights]).norm())
        found = event.layers[node_id]
        assert found.gradient_norm == pytest.approx(norm, rel=1e-4)
        # Plain SGD: the change is the rate times the gradient that was let through.
        assert found.update_ratio == pytest.approx(rate * clipped * norm / weight_norm, rel=1e-3)


def test_the_sample_is_spread_over_the_images() -> None:
    data = load_data("digits")
    numbered = torch.arange(NUM_TRAIN, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    images = statistics_sample(dataclasses.replace(data, train_images=numbered), (1, 8, 8), data.normalization)
    grey = (images[:, 0, 0, 0] * data.normalization.std[0] + data.normalization.mean[0]) * 255
    places = grey.round().int().tolist()
    assert len(places) == len(set(places)) == NUM_IMAGES
    assert (places[0], places[-1]) == (0, NUM_TRAIN - 1)
    assert max(after - before for before, after in itertools.pairwise(places)) == 2


def test_a_network_on_two_devices_measures_as_on_one() -> None:
    architecture, x = towers(), torch.randn(5, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    usual = build_module(architecture, seed=2)
    split = moves(architecture, x)[0]
    found, wanted = measure_layers(split, x), measure_layers(usual, x)
    assert list(found) == list(wanted)
    for node_id, layer in wanted.items():
        other = found[node_id]
        assert (other.weight_norm, other.dead) == (layer.weight_norm, layer.dead)
        assert layer.activations is not None
        assert other.activations is not None
        assert other.activations.counts.tolist() == layer.activations.counts.tolist()


@pytest.mark.parametrize("clip_norm", [0.0, 0.01])
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop"])
def test_gradients_in_half_precision_are_told_unscaled_and_unclipped(
    optimizer: Literal["sgd", "rmsprop"], clip_norm: float
) -> None:
    """SGD's kernel is fused and takes the scale out itself, RMSprop's is not."""
    cpu, architecture = torch.device("cpu"), zoo.entry("lenet5").build()
    config = RunConfig(precision="float16", device="cpu", optimizer=optimizer, clip_norm=clip_norm)
    network, twin = build_module(architecture, seed=0), build_module(architecture, seed=0)
    optimization = Optimization(network, config, cpu, 10)
    x, target = torch.randn(8, 1, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(8)
    Step(network, optimization, config)(x, target)
    with optimization.precision.autocast():
        output = twin(x)
    torch.autograd.backward(F.cross_entropy(output.float(), target))
    scale = optimization.gradient_scale()
    assert (scale < 0.5) == bool(clip_norm)
    found, wanted = measure_layers(network, None, gradient_scale=scale), measure_layers(twin, None)
    for node_id in ("conv1", "fc3"):
        assert found[node_id].gradient_norm == pytest.approx(wanted[node_id].gradient_norm, rel=0.02)
