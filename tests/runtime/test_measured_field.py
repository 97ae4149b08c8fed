"""The measured receptive field against autograd by hand, and inside the theoretical one on every network there is."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture, Node
from explorer.inference import Inference, infer
from explorer.inference.support import support
from explorer.layers import Input
from explorer.runs import Look, Probe
from explorer.runs.looks import Pixel
from explorer.runs.observed import FieldMeasured
from explorer.runtime.instruments import Subject
from explorer.runtime.measured_field import FieldInstrument, measure_field
from explorer.runtime.modules import Network, build_module
from tests.networks import branching

_SIDE = 72
"""Pixels: smaller than most networks' images, so that all of them are soon through."""


@pytest.mark.parametrize("name", [entry.id for entry in zoo.entries()])
def test_what_is_measured_lies_inside_the_theoretical_field(name: str) -> None:
    architecture = _maps_only(zoo.entry(name).build())
    inference = infer(architecture)
    network = _positive(architecture)
    image = torch.rand(1, *architecture.input_shape, generator=torch.Generator().manual_seed(0))
    spatial = [node.id for node in architecture.nodes[1:] if len(inference.nodes[node.id].output_shape or ()) == 3]
    places = ((0, 0), (0.5, 0.5), (1, 0.4))
    nodes = [spatial[len(spatial) * part // 3 - 1] for part in (1, 2, 3)]
    for node_id, (down, right) in zip(nodes, places, strict=True):
        shape = inference.nodes[node_id].output_shape
        assert shape is not None
        row, column = round((shape[1] - 1) * down), round((shape[2] - 1) * right)
        heat = measure_field(network, image, Pixel(node_id, 0, row, column))
        _lies_inside(heat, architecture, inference, node_id, row, column)


def test_it_is_the_gradient_that_autograd_gives_by_hand() -> None:
    network = build_module(branching(), seed=0)
    network(torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(4)))
    image = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    heat = measure_field(network, image, Pixel("mixed.cat", 5, 3, 4))
    vector = measure_field(network, image, Pixel("fc", 7))
    network.eval()
    kept: dict[str, torch.Tensor] = {}
    inputs = {"mixed.right": "right", "fc": "fc"}
    for module, key in inputs.items():
        network.get_submodule(module).register_forward_hook(
            lambda _module, _given, output, key=key: kept.update({key: output})
        )
    x = image.clone().requires_grad_()
    network(x)
    # Channel 5 of the concatenation is channel 1 of its second input.
    for value, found in ((kept["right"][0, 1, 3, 4], heat), (kept["fc"][0, 7], vector)):
        (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
        assert found.shape == (16, 16)
        np.testing.assert_allclose(found, gradient[0].abs().sum(0).numpy(), rtol=1e-5, atol=1e-8)
    assert heat.any()
    assert vector.all()


def test_measuring_disturbs_nothing() -> None:
    network = build_module(branching(), seed=0)
    network.get_submodule("stem.norm").eval()
    network(torch.rand(2, 3, 16, 16))[0].sum().backward()
    gradients = [None if p.grad is None else p.grad.clone() for p in network.parameters()]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    measure_field(network, torch.rand(1, 3, 16, 16), Pixel("fc", 0))
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert (parameter.grad is None) == (gradient is None)
        assert gradient is None or (parameter.grad is not None and torch.equal(parameter.grad, gradient))


def test_the_instrument_measures_what_is_pointed_at() -> None:
    network = build_module(branching(), seed=0)
    image = torch.rand(1, 3, 16, 16)
    instrument = FieldInstrument(Subject(run_id="r", network=network, to_input=lambda _probe: image))
    probe = Probe(label="a picture", image=np.zeros((16, 16), np.uint8))
    assert not instrument.aim(Look(maps=("fc",), probes=(probe,)))
    assert not instrument.aim(Look(pointed=Pixel("gone", 0), probes=(probe,)))
    pixel = Pixel("stem.conv", 2, 5, 6)
    assert instrument.aim(Look(pointed=pixel, probes=(probe,)))
    event = instrument.capture(12)
    assert isinstance(event, FieldMeasured)
    assert (event.run_id, event.step, event.probe, event.pixel) == ("r", 12, "a picture", pixel)
    assert np.array_equal(np.argwhere(event.heat).min(0), (4, 5))
    assert np.array_equal(np.argwhere(event.heat).max(0), (6, 7))


def _lies_inside(
    heat: np.ndarray, architecture: Architecture, inference: Inference, node_id: str, row: int, column: int
) -> None:
    # Convolutions that are computed by transforms leave a rounding error where nothing is read.
    seen = np.argwhere(heat > 1e-6 * heat.max())
    assert len(seen), f"{node_id} ({row}, {column}) rests on nothing"
    exact = support(architecture, inference, node_id, row, column)
    assert exact is not None
    boxes = [exact]
    field = inference.nodes[node_id].receptive_field
    if field is not None:
        boxes.append(field.box(row, column))
    for box in boxes:
        assert seen[:, 0].min() >= box.top, (node_id, row, column, box)
        assert seen[:, 0].max() < box.top + box.height, (node_id, row, column, box)
        assert seen[:, 1].min() >= box.left, (node_id, row, column, box)
        assert seen[:, 1].max() < box.left + box.width, (node_id, row, column, box)


def _maps_only(architecture: Architecture) -> Architecture:
    """What has height and width, on small images where it can be: the classifiers hold most of the weights."""
    first = architecture.nodes[0]
    assert isinstance(first.layer, Input)
    height, width = architecture.input_shape[1:]
    for side in (_SIDE, max(height, width)):
        small = Input(channels=first.layer.channels, height=min(height, side), width=min(width, side))
        nodes = (Node(id=first.id, layer=small, inputs=()), *architecture.nodes[1:])
        found = infer(Architecture(name="small", nodes=nodes, outputs=architecture.outputs))
        kept: list[Node] = []
        for node in nodes:
            shape = found.nodes[node.id].output_shape
            if shape is not None and len(shape) == 3 and all(source in {n.id for n in kept} for source in node.inputs):
                kept.append(node)
        if len(kept) > 3 or side >= max(height, width):
            break
    read = {source for node in kept for source in node.inputs}
    outputs = tuple(node.id for node in kept if node.id not in read)
    return Architecture(name="maps only", nodes=tuple(kept), outputs=outputs)


def _positive(architecture: Architecture) -> Network:
    """With weights above zero, so that no two paths cancel out; their size keeps the values' size.

    Channels differ, as a norm over equal ones would give zero.
    """
    with _without_initialisation():
        network = build_module(architecture)
    with torch.no_grad():
        for parameter in network.parameters():
            unlike = 0.5 + (torch.arange(len(parameter)) % 7) / 7
            parameter.copy_((unlike / parameter[0].numel()).view(-1, *[1] * (parameter.dim() - 1)))
    return network


@contextlib.contextmanager
def _without_initialisation() -> Iterator[None]:
    """torch draws a hundred million numbers for the largest networks, which are written over anyway."""
    names = ("kaiming_uniform_", "uniform_", "trunc_normal_", "normal_")
    with pytest.MonkeyPatch.context() as patched:
        for name in names:
            patched.setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)
        yield
