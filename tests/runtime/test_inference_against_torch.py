"""Inference in closed form against torch itself, for random hyper-parameters of every layer type.

The references below write each torch call by hand, with fixed sizes as the user fixed them, so that they do not share
`Layer.call`'s reading of the values.
"""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer import layers as L  # noqa: N812
from explorer.architecture import Architecture, Node
from explorer.inference import infer
from explorer.layers import Shape
from explorer.runtime.modules import NotRunnable, build_module
from tests.networks import branching

BATCH = 7
"""A size that no other dimension takes, so that torch cannot mistake the batch for another dimension."""
Values = dict[str, Any]
small = st.integers(1, 4)
pairs = st.tuples(small, small)
paddings = st.tuples(st.integers(0, 3), st.integers(0, 3))
maps = st.tuples(st.integers(1, 6), st.integers(1, 12).filter(lambda s: s != BATCH), st.integers(1, 12))
vectors = st.tuples(st.integers(1, 12))
any_shape = st.one_of(maps, maps, maps, vectors)
fixed = st.one_of(st.none(), st.integers(1, 6))


def _conv(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.Conv2d(
        v["in_channels"] or shapes[0][0], v["out_channels"], v["kernel_size"], v["stride"], v["padding"],
        v["dilation"], v["groups"], v["bias"],
    )  # fmt: skip


def _max_pool(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.MaxPool2d(v["kernel_size"], v["stride"], v["padding"], v["dilation"], ceil_mode=v["ceil_mode"])


def _avg_pool(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.AvgPool2d(v["kernel_size"], v["stride"], v["padding"], v["ceil_mode"], v["count_include_pad"])


def _norm(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.BatchNorm2d(
        v["num_features"] or shapes[0][0], affine=v["affine"], track_running_stats=v["track_running_stats"]
    )


def _flatten(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.Flatten(v["start_dim"], v["end_dim"])


def _linear(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.Linear(v["in_features"] or shapes[0][-1], v["out_features"], v["bias"])


class _Joined(nn.Module):
    def __init__(self, join: Callable[..., Tensor]) -> None:
        super().__init__()
        self.join = join

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.join(*inputs)


Reference = Callable[[Values, list[Shape]], nn.Module]
CASES: dict[str, tuple[st.SearchStrategy[Values], Reference]] = {
    "Conv2d": (
        st.fixed_dictionaries(
            {
                "in_channels": fixed, "out_channels": st.integers(1, 6), "kernel_size": pairs, "stride": pairs,
                "padding": paddings, "dilation": pairs, "groups": st.sampled_from([1, 1, 2, 3]), "bias": st.booleans(),
            }
        ),
        _conv,
    ),
    "MaxPool2d": (
        st.fixed_dictionaries(
            {"kernel_size": pairs, "stride": pairs, "padding": paddings, "dilation": pairs, "ceil_mode": st.booleans()}
        ),
        _max_pool,
    ),
    "AvgPool2d": (
        st.fixed_dictionaries(
            {
                "kernel_size": pairs, "stride": pairs, "padding": paddings, "ceil_mode": st.booleans(),
                "count_include_pad": st.booleans(),
            }
        ),
        _avg_pool,
    ),
    "AdaptiveAvgPool2d": (
        st.fixed_dictionaries({"output_size": pairs}),
        lambda v, _: nn.AdaptiveAvgPool2d(v["output_size"]),
    ),
    "BatchNorm2d": (
        # Without weights and statistics torch never looks at num_features; a fixed one that is wrong is a fault here.
        st.fixed_dictionaries(
            {"num_features": fixed, "affine": st.booleans(), "track_running_stats": st.booleans()}
        ).filter(lambda v: v["affine"] or v["track_running_stats"]),
        _norm,
    ),
    "Linear": (
        st.fixed_dictionaries({"in_features": fixed, "out_features": small, "bias": st.booleans()}),
        _linear,
    ),
    "Flatten": (st.fixed_dictionaries({"start_dim": st.integers(1, 3), "end_dim": st.integers(-3, 3)}), _flatten),
    "Dropout": (
        st.fixed_dictionaries({"p": st.floats(0, 1)}),
        lambda v, _: nn.Dropout(v["p"]),
    ),
    "Softmax": (
        st.fixed_dictionaries({"dim": st.integers(1, 3)}),
        lambda v, _: nn.Softmax(v["dim"]),
    ),
    "ReLU": (st.just({}), lambda *_: nn.ReLU()),
    "Tanh": (st.just({}), lambda *_: nn.Tanh()),
    "Sigmoid": (st.just({}), lambda *_: nn.Sigmoid()),
    "Add": (st.just({}), lambda *_: _Joined(lambda *inputs: sum(inputs[1:], inputs[0]))),
    "Concat": (
        st.fixed_dictionaries({"dim": st.integers(1, 3)}),
        lambda v, _: _Joined(lambda *inputs: torch.cat(inputs, v["dim"])),
    ),
}  # fmt: skip


def test_every_layer_type_has_a_case() -> None:
    assert {cls.__name__ for cls in L.layer_types()} == {*CASES, "Input"}


@pytest.mark.parametrize("name", sorted(CASES))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_layer_agrees_with_torch(name: str, data: st.DataObject) -> None:
    strategy, reference = CASES[name]
    values = data.draw(strategy)
    layer = L.layer_type(name)(**values)
    architecture, shapes = data.draw(_networks_around(layer))
    report = infer(architecture).nodes["layer"]

    inputs = [torch.rand(BATCH, *shape) for shape in shapes]
    module, output = None, None
    try:
        module = reference(values, shapes)
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


@st.composite
def _networks_around(draw: st.DrawFn, layer: L.Layer) -> tuple[Architecture, list[Shape]]:
    """A network whose node `layer` is the given one, and the shapes that arrive at it."""
    if layer.max_inputs == 1:
        single: Shape = draw(any_shape)
        if len(single) == 3:
            nodes = [_input(single), Node(id="layer", layer=layer, inputs=("input",))]
        else:
            flat = Node(id="flat", layer=L.Flatten(), inputs=("input",))
            nodes = [_input((single[0], 1, 1)), flat, Node(id="layer", layer=layer, inputs=("flat",))]
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
