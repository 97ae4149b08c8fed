"""Inference in closed form against torch itself, for random hyper-parameters of every layer type.

The layers' strategies and references stand in `cases_windows`, `cases_pointwise` and `cases_reshape`.
"""

import math
from collections.abc import Callable
from functools import partial

import pytest
import torch
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer import layers as L  # noqa: N812
from explorer.architecture import Architecture, Node
from explorer.inference import infer
from explorer.layers import Kept, OperatorCall, Shape
from explorer.runtime.modules import Network, NotRunnable, build_module
from explorer.runtime.operators import OPERATORS
from tests.networks import branching
from tests.runtime import cases_pointwise, cases_reshape, cases_windows
from tests.runtime.cases import BATCH, Case, any_shape, maps
from tests.runtime.saved import saved_bytes

CASES: dict[str, Case] = {**cases_windows.CASES, **cases_pointwise.CASES, **cases_reshape.CASES}


def test_every_layer_type_has_a_case() -> None:
    assert {cls.__name__ for cls in L.layer_types()} == {*CASES, "Input", "Opaque"}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", sorted(CASES))
def test_layer_agrees_with_torch(name: str) -> None:
    case = CASES[name]

    @settings(
        max_examples=case.max_examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(data=st.data())
    def agrees(data: st.DataObject) -> None:
        _agrees_with_torch(name, case, data)

    agrees()


def _agrees_with_torch(name: str, case: Case, data: st.DataObject) -> None:
    values = data.draw(case.values)
    layer = L.layer_type(name)(**values)
    networks = case.networks(layer) if case.networks is not None else _networks_around(layer, case.shapes)
    architecture, shapes = data.draw(networks)
    report = infer(architecture).nodes["layer"]

    inputs = [torch.rand(BATCH, *shape) for shape in shapes]
    module, output = None, None
    try:
        module = case.reference(values, shapes)
        output = module(*inputs)
    except (RuntimeError, ValueError, IndexError) as error:
        message = str(error)
    event(f"{name}: {'refused' if output is None else 'accepted'}")

    if output is None or module is None:
        assert report.fault is not None, f"torch refuses: {message}"
        with pytest.raises(NotRunnable, match=r"^layer: "):
            build_module(architecture)
        return
    assert report.fault is None, report.fault
    assert report.output_shape == tuple(output.shape[1:])
    assert report.num_parameters == sum(p.numel() for p in module.parameters())
    # torch's batch counter is not counted, as every summary of networks leaves it out.
    assert report.num_buffers == sum(b.numel() for b in module.buffers() if b.dim())
    assert report.output_bytes == output[0].numel() * output.element_size()
    network = build_module(architecture, seed=0)
    _computes_the_same(network, module, [torch.rand(BATCH, *shape) for shape in shapes])
    assert report.kept is not None
    if case.saves_alike:
        _keeps_what_it_says(report.kept, network, output, inputs)


def _function(network: Network) -> Callable[..., Tensor]:
    call = network.calls["layer"]
    if isinstance(call, OperatorCall):
        return partial(OPERATORS[call.name], **call.arguments)
    module = network.node_module("layer")
    assert module is not None
    return module


def _computes_the_same(network: Network, reference: nn.Module, inputs: list[Tensor]) -> None:
    function = _function(network)
    if isinstance(function, nn.Module):
        reference.load_state_dict(function.state_dict())
    network.eval()
    reference.eval()
    torch.testing.assert_close(function(*inputs), reference(*inputs), rtol=1e-4, atol=1e-5, equal_nan=True)


def _keeps_what_it_says(kept: Kept, network: Network, output: Tensor, inputs: list[Tensor]) -> None:
    layer, function = network.architecture["layer"].layer, _function(network)
    network.train()
    shapes = tuple(tuple(x.shape[1:]) for x in inputs)
    arriving = [x.detach().clone().requires_grad_() for x in inputs]
    is_view = function(*arriving).untyped_storage().data_ptr() == arriving[0].untyped_storage().data_ptr()
    assert layer.is_view(shapes) == is_view
    sizes = {port: inputs[port].nbytes for port in kept.inputs}
    if kept.output and not (is_view and 0 in sizes):
        sizes[-1] = output.nbytes
    expected = sum(sizes.values()) + BATCH * (kept.values * output.element_size() + kept.num_bytes) + kept.batch_bytes
    parameters = [*network.parameters(), *network.buffers()]
    assert saved_bytes(function, inputs, parameters) == expected


@st.composite
def _networks_around(
    draw: st.DrawFn, layer: L.Layer, arriving: st.SearchStrategy[Shape] = any_shape
) -> tuple[Architecture, list[Shape]]:
    """A network whose node `layer` is the given one, and the shapes that arrive at it."""
    if layer.max_inputs == 1:
        single: Shape = draw(arriving)
        if len(single) == 3:
            nodes = [_input(single), Node(id="layer", layer=layer, inputs=("input",))]
        else:
            flat = Node(id="flat", layer=L.Flatten(start_dim=len(single)), inputs=("input",))
            image = (*single, 1, 1)
            nodes = [_input((image[0], image[1], image[2])), flat, Node(id="layer", layer=layer, inputs=("flat",))]
        return Architecture(name="one layer", nodes=tuple(nodes), outputs=("layer",)), [single]
    channels, height, width = draw(maps)
    nodes = [_input((channels, height, width))]
    shapes: list[Shape] = []
    sources: list[str] = []
    are_flat = draw(st.booleans())
    for i in range(draw(st.integers(2, 3))):
        # Convolutions that keep or change each size, so that branches agree often enough to be accepted.
        out = draw(st.sampled_from([1, 2, 2, channels]))
        kernel_size = draw(st.sampled_from([(1, 1), (1, 1), (1, 1), (min(2, height), 1), (height, 1), (height, width)]))
        conv = L.Conv2d(out_channels=out, kernel_size=kernel_size)
        nodes.append(Node(id=f"conv{i}", layer=conv, inputs=("input",)))
        sources.append(f"conv{i}")
        shape: Shape = (out, height - kernel_size[0] + 1, width - kernel_size[1] + 1)
        if are_flat:
            nodes.append(Node(id=f"flat{i}", layer=L.Flatten(), inputs=(f"conv{i}",)))
            sources[-1], shape = f"flat{i}", (math.prod(shape),)
        shapes.append(shape)
    nodes.append(Node(id="layer", layer=layer, inputs=tuple(sources)))
    return Architecture(name="a merge", nodes=tuple(nodes), outputs=("layer",)), shapes


def _input(shape: Shape) -> Node:
    channels, height, width = shape
    return Node(id="input", layer=L.Input(channels=channels, height=height, width=width), inputs=())


@settings(max_examples=25, deadline=None, derandomize=True)
@given(size=st.integers(1, 24), channels=st.integers(1, 4))
def test_branching_network_agrees_with_torch(size: int, channels: int) -> None:
    architecture = branching(channels, size)
    inference = infer(architecture)
    assume(not inference.errors)
    network = build_module(architecture, seed=0)
    values = network.eval().trace(torch.rand(2, channels, size, size), [node.id for node in architecture])
    for node_id, value in values.items():
        assert inference.nodes[node_id].output_shape == tuple(value.shape[1:]), node_id
    assert inference.totals.num_parameters == sum(p.numel() for p in network.parameters())
    assert inference.totals.num_buffers == sum(b.numel() for b in network.buffers() if b.dim())
