"""What outputs see of the image, against the measured support of the gradient on random branching networks.

All weights, biases and values are positive, so that no two paths cancel out and no factor is zero: a gradient is zero
where, and only where, nothing is read. Max pooling stands aside, since its gradient takes one path of many.
"""

from collections.abc import Sequence
from fractions import Fraction

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from explorer import layers as L  # noqa: N812
from explorer import zoo
from explorer.architecture import Architecture
from explorer.inference import infer
from explorer.inference.receptive_field import Box, ReceptiveField, behind
from explorer.inference.support import support
from explorer.layers import Shape
from explorer.layers.layer import POINTWISE
from explorer.runtime.modules import build_module
from explorer.zoo.builder import Builder, adaptive_avg_pool, avg_pool, conv
from tests.networks import branching

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
small = st.integers(0, 2)


def measured(
    architecture: Architecture, node_id: str, pixels: Sequence[tuple[int, int]] = ()
) -> dict[tuple[int, int], Box | None]:
    """For the output pixels, or all, the box of the image pixels that the gradient reaches; a vector has one pixel."""
    network = build_module(architecture, seed=0).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.rand_like(parameter) + 0.5)
    shape = infer(architecture).nodes[node_id].output_shape
    assert shape is not None
    rows, columns = shape[1:] if len(shape) == 3 else (1, 1)
    asked = list(pixels) or [(row, column) for row in range(rows) for column in range(columns)]
    # One image for each output pixel, so that one backward pass measures all.
    x = torch.ones(len(asked), *architecture.input_shape, dtype=torch.float64, requires_grad=True)
    output = network.eval().trace(x, [node_id])[node_id]
    if len(shape) == 3:
        places = torch.tensor([row * columns + column for row, column in asked])
        seen = output.sum(1).flatten(1)[torch.arange(len(asked)), places].sum()
    else:
        seen = output.sum()
    (gradient,) = torch.autograd.grad(seen, x)
    return dict(zip(asked, map(_box, gradient.abs().sum(1) > 0), strict=True))


def _box(reached: torch.Tensor) -> Box | None:
    rows, columns = (reached.any(dim).nonzero().flatten() for dim in (1, 0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    return Box(top, left, int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left)


@st.composite
def windows(draw: st.DrawFn, shape: Shape) -> L.Layer:
    """A layer with a window that fits."""
    channels = draw(st.integers(1, 2))
    kind = draw(st.sampled_from(["conv", "crop", "pool", "slice", "pad", "adaptive", "transposed", "upsample", "mode"]))
    kernel = draw(pairs)
    match kind:
        case "conv":
            return L.Conv2d(
                out_channels=channels,
                kernel_size=kernel,
                stride=draw(pairs),
                padding=draw(st.one_of(st.tuples(small, small), st.sampled_from(["same", "valid"]))),
                dilation=draw(pairs),
            )
        case "crop":
            sides = draw(st.tuples(*[st.integers(-1, 2)] * 4))
            return L.Conv2d(out_channels=channels, kernel_size=kernel, stride=draw(pairs), padding=sides)
        case "pool":
            border = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
            return L.AvgPool2d(kernel_size=kernel, stride=draw(pairs), padding=border, ceil_mode=draw(st.booleans()))
        case "slice":
            return L.Slice(dim=draw(st.integers(2, 3)), start=draw(small), stop=None, step=draw(st.integers(1, 3)))
        case "pad":
            top, bottom, left, right = (draw(st.integers(-1, 2)) for _ in range(4))
            mode = draw(st.sampled_from(["constant", "reflect", "replicate", "circular"]))
            return L.Pad(top=top, bottom=bottom, left=left, right=right, mode=mode, value=1.0)
        case "adaptive":
            return L.AdaptiveAvgPool2d(output_size=draw(st.tuples(st.integers(1, 6), st.integers(1, 6))))
        case "transposed":
            return L.ConvTranspose2d(
                out_channels=channels, kernel_size=kernel, stride=draw(pairs), padding=(0, draw(st.integers(0, 1)))
            )
        case "upsample":
            scales = st.sampled_from([0.5, 1.5, 2.0, 3.0])
            mode = draw(st.sampled_from(["nearest", "bilinear"]))
            return L.Upsample(
                scale_height=draw(scales),
                scale_width=draw(scales),
                mode=mode,
                align_corners=mode == "bilinear" and draw(st.booleans()),
            )
    mode = draw(st.sampled_from(["reflect", "replicate", "circular"]))
    return L.Conv2d(out_channels=channels, kernel_size=kernel, padding=draw(st.tuples(small, small)), padding_mode=mode)


@st.composite
def networks(draw: st.DrawFn, joins: Sequence[str] = ("add", "cat", "cat-rows", "scale")) -> Architecture:
    """A network of random windows that branches, with branches of unlike strides and offsets that are joined again."""
    net = Builder("random", 1, draw(st.integers(4, 11)), draw(st.integers(4, 11)))
    ids = ["input"]

    def shape_of(node_id: str) -> Shape | None:
        return infer(net.build()).nodes[node_id].output_shape

    def grow(source: str) -> str:
        shape = shape_of(source)
        assert shape is not None
        layer = draw(windows(shape))
        if layer.fault((shape,)) is not None or max(layer.output_shape((shape,))[1:]) > 14:
            return source
        ids.append(net.add(f"n{len(ids)}", layer, after=source))
        return ids[-1]

    for _ in range(draw(st.integers(1, 3))):
        source = grow(draw(st.sampled_from(ids)))
        left, right = grow(source), grow(source)
        a, b = shape_of(left), shape_of(right)
        assert a is not None
        assert b is not None
        if a[1:] != b[1:]:
            # Brought to one size by cropping or padding at the end, which keeps each branch's own stride and offset.
            fitted = L.Pad(bottom=a[1] - b[1], right=a[2] - b[2], value=1.0)
            if fitted.fault((b,)) is not None:
                continue
            ids.append(right := net.add(f"n{len(ids)}", fitted, after=right))
        join = draw(st.sampled_from(joins))
        if join == "scale":
            gate = net.add(f"n{len(ids)}", adaptive_avg_pool(1), after=right)
            ids.append(gate)
            right = gate
        if join in ("add", "scale") and a[0] != b[0]:
            ids.append(right := net.add(f"n{len(ids)}", conv(a[0], 1), after=right))
        if join == "cat-rows" and a[0] != b[0]:
            join = "cat"
        layers: dict[str, L.Layer] = {"add": L.Add(), "cat": L.Concat(), "cat-rows": L.Concat(dim=2), "scale": L.Mul()}
        ids.append(net.add(f"n{len(ids)}", layers[join], after=(left, right)))
    return net.build()


pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
RANDOM = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@RANDOM
@given(networks())
def test_the_support_of_every_output_pixel_is_the_gradients(net: Architecture) -> None:
    inference = infer(net)
    assert not inference.errors
    node_id = net.nodes[-1].id
    for (row, column), box in measured(net, node_id).items():
        assert support(net, inference, node_id, row, column) == box, (row, column)


@RANDOM
@given(networks())
def test_the_receptive_field_holds_what_every_output_sees(net: Architecture) -> None:
    inference = infer(net)
    assume(not any(isinstance(node.layer, (L.Pad, L.Conv2d)) and _copies(node.layer) for node in net))
    report = inference.nodes[net.nodes[-1].id]
    shape, field = report.output_shape, report.receptive_field
    assert shape is not None
    assert field is not None
    for row in range(shape[1]):
        for column in range(shape[2]):
            seen = support(net, inference, net.nodes[-1].id, row, column)
            assert seen is None or _holds(field.box(row, column), seen), (row, column, field, seen)


def _copies(layer: L.Conv2d | L.Pad) -> bool:
    """Whether padding brings pixels from elsewhere, which the field counts as padding."""
    return (layer.padding_mode if isinstance(layer, L.Conv2d) else layer.mode) not in {"zeros", "constant"}


def _holds(outer: Box, inner: Box) -> bool:
    return (
        outer.top <= inner.top
        and outer.left <= inner.left
        and outer.top + outer.height >= inner.top + inner.height
        and outer.left + outer.width >= inner.left + inner.width
    )


@st.composite
def like_strides(draw: st.DrawFn) -> Architecture:
    """A network on a large image whose branches have unlike kernels and offsets, but one stride."""
    net = Builder("like strides", 1, 90, 84)
    last = "input"
    for number in range(draw(st.integers(1, 3))):
        stride = draw(st.integers(1, 2))
        branches = []
        for branch in range(draw(st.integers(1, 3))):
            k, d = draw(pairs), draw(pairs)
            layer = L.Conv2d(
                out_channels=1,
                kernel_size=k,
                stride=(stride, stride),
                dilation=d,
                padding=draw(st.tuples(small, small)),
            )
            branches.append(net.add(f"b{number}.{branch}", layer, after=last))
        shapes = [infer(net.build()).nodes[branch].output_shape or () for branch in branches]
        for i, shape in enumerate(shapes):
            rows, columns = (min(other[a] for other in shapes) - shape[a] for a in (1, 2))
            top = draw(st.integers(rows, 0))
            crop = L.Pad(top=top, bottom=rows - top, right=columns)
            branches[i] = net.add(f"c{number}.{i}", crop, after=branches[i])
        last = net.add(f"join{number}", L.Add(), after=(*branches, branches[0]))
    return net.build()


@settings(RANDOM, max_examples=60)
@given(like_strides())
def test_inside_the_image_the_receptive_field_is_the_gradients_support(net: Architecture) -> None:
    node = net.nodes[-1]
    report = infer(net).nodes[node.id]
    field, shape = report.receptive_field, report.output_shape
    assert field is not None
    assert shape is not None
    row, column = shape[1] // 2, shape[2] // 2
    box = field.box(row, column)
    boxes = measured(net, node.id, [(row, column), (row + 1, column), (row, column + 1)])
    assert box.top > 0
    assert box.left > 0
    assert boxes[row, column] == box
    below, right = boxes[row + 1, column], boxes[row, column + 1]
    assert below is not None
    assert right is not None
    assert (below.top - box.top, right.left - box.left) == field.stride


def test_the_field_of_a_vector_is_all_that_its_maps_see() -> None:
    net = branching()
    inference = infer(net)
    for node_id in ("fc", "aux.fc", "flatten"):
        box = measured(net, node_id)[0, 0]
        assert box is not None
        assert support(net, inference, node_id) == box
        assert (box.height, box.width) == (16, 16) if node_id == "fc" else box.height <= 16


def test_a_channel_gate_lets_every_pixel_see_the_whole_image() -> None:
    net = Builder("gate", 2, 12, 12)
    stem = net.add("stem", conv(4, 3, 2))
    net.add("squeeze", adaptive_avg_pool(1))
    gate = net.add("excite", conv(4, 1))
    net.add("scale", L.Mul(), after=(stem, gate))
    net.add("next", conv(4, 3))
    architecture = net.build()
    inference = infer(architecture)
    field = inference.nodes["next"].receptive_field
    assert field is not None
    assert field.is_whole == (True, True)
    assert field.stride == (2, 2)
    # Row and column 11 are read by nobody: five windows of three, two apart, end at 10.
    assert support(architecture, inference, "next", 1, 1) == measured(architecture, "next")[1, 1] == Box(0, 0, 11, 11)


@pytest.mark.parametrize("name", ["efficientnet-b0", "mobilenet-v3-small"])
def test_channel_gates_leave_a_maps_spacing_as_it_is(name: str) -> None:
    nodes = infer(zoo.entry(name).build()).nodes
    maps = [report for report in nodes.values() if (report.output_shape or ())[1:] == (7, 7)]
    assert {report.receptive_field.stride for report in maps if report.receptive_field} == {(32, 32)}


def test_what_lies_in_the_padding_alone_sees_nothing() -> None:
    net = Builder("padding", 1, 4, 4)
    net.add("conv", conv(1, 1, padding=1))
    architecture = net.build()
    inference = infer(architecture)
    assert support(architecture, inference, "conv", 0, 2) is None
    assert support(architecture, inference, "conv", 1, 2) == Box(0, 1, 1, 1)
    with pytest.raises(IndexError, match="conv: no pixel \\(6, 0\\) in 6×6"):
        support(architecture, inference, "conv", 6, 0)


def test_centres_lie_between_pixels_for_even_sizes() -> None:
    net = Builder("centre", 1, 8, 8)
    net.add("odd", conv(1, 3, padding=1))
    net.add("even", avg_pool(2))
    fields = {node_id: report.receptive_field for node_id, report in infer(net.build()).nodes.items()}
    assert fields["odd"] is not None
    assert fields["even"] is not None
    assert fields["odd"].center == (0, 0)
    assert fields["even"].center == (Fraction(1, 2), Fraction(1, 2))


def test_unlike_spacings_are_bounded_at_the_last_output_too() -> None:
    fine, coarse = ReceptiveField(1, 1, (1, 1), (0, 0)), ReceptiveField(3, 1, (2, 1), (0, 0))
    field = behind(POINTWISE, [fine, coarse], [(1, 5, 5), (1, 5, 5)])
    assert field is not None
    for row in range(5):
        box = field.box(row, 0)
        assert box.top <= row
        assert box.top + box.height >= 2 * row + 3


@pytest.mark.parametrize("name", ["resnet50", "googlenet"])
def test_deep_networks_answer_for_single_pixels(name: str) -> None:
    net = zoo.entry(name).build()
    inference = infer(net)
    maps = [node.id for node in net if len(inference.nodes[node.id].output_shape or ()) == 3]
    last = next(node_id for node_id in reversed(maps) if (inference.nodes[node_id].output_shape or ())[1:] == (7, 7))
    box = support(net, inference, last, 3, 3)
    field = inference.nodes[last].receptive_field
    assert box is not None
    assert field is not None
    bound = field.box(3, 3)
    assert box.top == max(0, bound.top)
    assert box.height <= 224
