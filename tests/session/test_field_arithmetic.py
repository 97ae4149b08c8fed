"""What the line of arithmetic says of an output pixel, against torch, for every layer type and whole networks."""

import math

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from explorer import layers as L  # noqa: N812
from explorer import zoo
from explorer.architecture import Architecture, Node
from explorer.inference import infer
from explorer.runs import OpenedLayer
from explorer.runtime.modules import build_module
from explorer.runtime.opened import open_layers
from explorer.session.field_arithmetic import place_in, worked_out
from tests.networks import branching
from tests.runtime.test_inference_against_torch import CASES, _networks_around

_UNWRITTEN = {"Upsample"}
"""Layer types that have no line."""


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", sorted(set(CASES) - _UNWRITTEN))
def test_every_layer_is_worked_out_as_torch_computes_it(name: str) -> None:
    case = CASES[name]

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(data=st.data())
    def agrees(data: st.DataObject) -> None:
        layer = L.layer_type(name)(**data.draw(case.values))
        networks = case.networks(layer) if case.networks is not None else _networks_around(layer, case.shapes)
        architecture, _ = data.draw(networks)
        assume(not infer(architecture).errors)
        try:
            opened = _opened(architecture, "layer", seed=data.draw(st.integers(0, 5)))
        except ValueError:
            reject()  # A norm by the batch, of which one image gives it one value.
        for _ in range(4):
            channel, row, column = data.draw(_places(opened))
            _agrees(layer, opened, channel, row, column)

    agrees()


@pytest.mark.parametrize("name", ["lenet5", "resnet20", "alexnet-28", "lenet5-1998"])
def test_random_pixels_of_random_layers_of_networks(name: str) -> None:
    architecture = zoo.entry(name).build()
    network = build_module(architecture, seed=1)
    shape = architecture.input_shape
    image = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
    network(image.repeat(2, 1, 1, 1) * torch.tensor([0.5, 2.0]).view(2, 1, 1, 1))
    layers = open_layers(network, image, [node.id for node in architecture.nodes[1:]])
    draw = np.random.default_rng(3)
    for node_id in draw.choice(list(layers), 12, replace=False):
        opened = layers[node_id]
        for _ in range(5):
            channel, row, column = (int(draw.integers(n)) for n in _tile(opened))
            _agrees(architecture[node_id].layer, opened, channel, row, column)


def test_a_convolution_says_its_products_its_padding_and_its_bias() -> None:
    layer = L.Conv2d(out_channels=2, kernel_size=(3, 3), padding=(1, 1))
    opened = _opened(_around(layer, 3, 5, 5), "layer")
    done = worked_out(layer, opened, 1, 0, 2)
    assert done is not None
    assert done.text.startswith("Σ 27 products (9 of padding) + bias = ")


def test_a_wrong_value_does_not_agree() -> None:
    layer = L.Conv2d(out_channels=2, kernel_size=(3, 3))
    opened = _opened(_around(layer, 3, 5, 5), "layer")
    done = worked_out(layer, opened, 0, 0, 0)
    assert done is not None
    assert done.agrees(float(opened.output[0, 0, 0]))
    assert not done.agrees(float(opened.output[0, 0, 0]) + 1e-3)
    assert done.tolerance < 1e-4
    assert not done.agrees(math.nan)


def test_without_weights_or_formula_nothing_is_said() -> None:
    layer = L.Conv2d(out_channels=2, kernel_size=(3, 3))
    opened = _opened(_around(layer, 3, 5, 5), "layer")
    assert worked_out(layer, opened._replace(parameters={}), 0, 0, 0) is None
    up = L.Upsample(mode="bicubic")
    assert worked_out(up, _opened(_around(up, 3, 5, 5), "layer"), 0, 0, 0) is None


def test_places_that_are_not_there_are_refused() -> None:
    assert place_in((4, 3, 2), 3, 2, 1) == (3, 2, 1)
    assert place_in((4,), 3, 0, 0) == (3,)
    for place in ((4, 0, 0), (0, 3, 0), (0, 0, 2)):
        with pytest.raises(IndexError):
            place_in((4, 3, 2), *place)


def test_a_concatenation_says_whose_channel_it_is() -> None:
    architecture = branching()
    opened = open_layers(build_module(architecture, seed=0), torch.rand(1, 3, 16, 16), ["mixed.cat", "layer1.0.add"])
    wide = opened["mixed.cat"].inputs[0].shape[0]
    done = worked_out(architecture["mixed.cat"].layer, opened["mixed.cat"], wide, 1, 2)
    assert done is not None
    assert done.text == "channel 0 of input 2, as it is"
    _agrees(architecture["mixed.cat"].layer, opened["mixed.cat"], wide, 1, 2)


def _around(layer: L.Layer, channels: int, height: int, width: int) -> Architecture:
    nodes = (
        Node(id="input", layer=L.Input(channels=channels, height=height, width=width), inputs=()),
        Node(id="layer", layer=layer, inputs=("input",)),
    )
    return Architecture(name="one layer", nodes=nodes, outputs=("layer",))


def _opened(architecture: Architecture, node_id: str, seed: int = 0) -> OpenedLayer:
    network = build_module(architecture, seed=seed)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point() and not name.endswith("patterns"):
                tensor.copy_(torch.rand(tensor.shape, generator=draw) + 0.1 if "var" in name else tensor)
    image = torch.randn(1, *architecture.input_shape, generator=draw)
    return open_layers(network, image, [node_id])[node_id]


def _tile(opened: OpenedLayer) -> tuple[int, int, int]:
    shape = opened.output.shape
    return shape[0], math.prod(shape[1:-1]), shape[-1] if len(shape) > 1 else 1


@st.composite
def _places(draw: st.DrawFn, opened: OpenedLayer) -> tuple[int, int, int]:
    channel, row, column = (draw(st.integers(0, size - 1)) for size in _tile(opened))
    return channel, row, column


def _agrees(layer: L.Layer, opened: OpenedLayer, channel: int, row: int, column: int) -> None:
    done = worked_out(layer, opened, channel, row, column)
    shown = float(opened.output[place_in(opened.output.shape, channel, row, column)])
    if done is None:
        # Four dimensions, of which no line tells what is padded.
        assert isinstance(layer, L.Pad)
        assert opened.inputs[0].ndim > 3
        return
    assert done.agrees(shown), (layer, channel, row, column, done, shown)
    if math.isfinite(done.value):
        assert done.tolerance <= 1e-3 * max(1.0, abs(done.value)) or not isinstance(layer, L.Conv2d | L.Linear)
