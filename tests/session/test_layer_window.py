"""Windows and sums of random layers against torch's outputs and gradients, and against counting pixel by pixel."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.layers import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    Conv2d,
    ConvTranspose2d,
    Layer,
    Linear,
    LPPool2d,
    MaxPool2d,
    ModuleCall,
    PartialConv2d,
    ReLU,
    Shape,
    Subsampling,
)
from explorer.layers.hyper_parameter import Padding
from explorer.runs import OpenedLayer
from explorer.runtime.modules import build_node
from explorer.session.layer_arithmetic import Walk
from explorer.session.layer_window import ABSENT, BETWEEN, PADDED, grid, padding, slide

Draw = Callable[[random.Random], tuple[Layer, Shape]]
_REPEATS = 60

# torch remarks on what an even kernel costs there, once in a process.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


def _module(layer: Layer, shape: Shape) -> nn.Module:
    call = layer.call((shape,))
    assert isinstance(call, ModuleCall)
    return build_node("layer", call, 0).eval()


def _pair(draw: random.Random, most: int, least: int = 1) -> tuple[int, int]:
    return draw.randint(least, most), draw.randint(least, most)


def _shape(draw: random.Random, channels: int) -> Shape:
    return (channels, draw.randint(3, 14), draw.randint(3, 14))


def _conv(draw: random.Random) -> tuple[Layer, Shape]:
    groups = draw.choice([1, 1, 2, 3])
    paddings: tuple[Padding, ...] = ("same", "valid", _pair(draw, 4, 0), (*_pair(draw, 3, -2), *_pair(draw, 3, -2)))
    return (
        Conv2d(
            out_channels=groups * draw.randint(1, 3),
            kernel_size=_pair(draw, 5),
            stride=_pair(draw, 4),
            padding=draw.choice(paddings),
            dilation=_pair(draw, 3),
            groups=groups,
            bias=draw.random() < 0.7,
            padding_mode=draw.choice(["zeros", "zeros", "reflect", "replicate", "circular"]),
        ),
        _shape(draw, groups * draw.randint(1, 3)),
    )


def _depthwise(draw: random.Random) -> tuple[Layer, Shape]:
    channels = draw.randint(1, 6)
    return Conv2d(out_channels=channels, kernel_size=(3, 3), padding=(1, 1), groups=channels), _shape(draw, channels)


def _transposed(draw: random.Random) -> tuple[Layer, Shape]:
    groups, stride = draw.choice([1, 2]), _pair(draw, 3)
    return (
        ConvTranspose2d(
            out_channels=groups * draw.randint(1, 3),
            kernel_size=_pair(draw, 4),
            stride=stride,
            padding=_pair(draw, 2, 0),
            output_padding=(draw.randrange(stride[0]), draw.randrange(stride[1])),
            dilation=_pair(draw, 2),
            groups=groups,
            bias=draw.random() < 0.5,
        ),
        _shape(draw, groups * 2),
    )


def _pool(draw: random.Random) -> tuple[Layer, Shape]:
    kernel, stride, ceil = _pair(draw, 4), _pair(draw, 4), draw.random() < 0.5
    padding = (draw.randint(0, kernel[0] // 2), draw.randint(0, kernel[1] // 2))
    kind = draw.choice(["max", "mean", "norm"])
    shape = _shape(draw, 2)
    if kind == "max":
        dilation = _pair(draw, 2)
        return MaxPool2d(kernel_size=kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil), shape
    if kind == "mean":
        counts = draw.random() < 0.5
        return AvgPool2d(
            kernel_size=kernel, stride=stride, padding=padding, ceil_mode=ceil, count_include_pad=counts
        ), shape
    return LPPool2d(norm_type=draw.choice([1.0, 2.0, 3.0]), kernel_size=kernel, stride=stride, ceil_mode=ceil), shape


def _adaptive(draw: random.Random) -> tuple[Layer, Shape]:
    return draw.choice([AdaptiveAvgPool2d, AdaptiveMaxPool2d])(output_size=_pair(draw, 6)), _shape(draw, 2)


def _historic(draw: random.Random) -> tuple[Layer, Shape]:
    if draw.random() < 0.5:
        return Subsampling(kernel_size=_pair(draw, 3), stride=_pair(draw, 3)), _shape(draw, 3)
    rows = tuple(tuple(sorted(draw.sample(range(4), draw.randint(1, 4)))) for _ in range(5))
    return PartialConv2d(connections=rows, kernel_size=_pair(draw, 3), padding=_pair(draw, 1, 0)), _shape(draw, 4)


def _linear(draw: random.Random) -> tuple[Layer, Shape]:
    return Linear(out_features=draw.randint(1, 30), bias=draw.random() < 0.5), (draw.randint(1, 40),)


def _drawn(draw: random.Random, kind: Draw) -> tuple[Layer, Shape]:
    """A layer and a shape that fit each other."""
    while True:
        layer, shape = kind(draw)
        if layer.fault((shape,)) is None:
            return layer, shape


def _opened(module: nn.Module, x: Tensor) -> OpenedLayer:
    with torch.no_grad():
        output = module(x[None])[0]
    parameters = {name: value.detach().numpy() for name, value in module.named_parameters()}
    return OpenedLayer(inputs=(x.detach().numpy(),), output=output.numpy(), parameters=parameters)


_KINDS = {
    "conv": _conv,
    "depthwise": _depthwise,
    "transposed": _transposed,
    "pool": _pool,
    "adaptive": _adaptive,
    "historic": _historic,
    "linear": _linear,
}


@pytest.mark.parametrize("kind", _KINDS)
def test_the_sum_is_torchs_output_at_random_pixels_of_random_layers(kind: str) -> None:
    draw = random.Random(kind)
    for _ in range(_REPEATS):
        layer, shape = _drawn(draw, _KINDS[kind])
        module = _module(layer, shape)
        x = torch.randn(shape, generator=torch.Generator().manual_seed(draw.randrange(1000)))
        walk = Walk(layer, _opened(module, x))
        assert walk.agrees()
        channels, height, width = walk.output_shape
        for _ in range(5):
            found = walk.at(draw.randrange(channels), draw.randrange(height), draw.randrange(width))
            assert found.total == pytest.approx(found.output, rel=1e-4, abs=1e-5, nan_ok=True), (layer, shape)
            if found.kind == "weighted":
                summed = found.channel_sums.sum() + (found.bias or 0.0)
                assert summed == pytest.approx(found.products.sum() + (found.bias or 0.0))
                assert found.total == pytest.approx(summed)


@pytest.mark.parametrize("kind", ["conv", "transposed", "pool", "adaptive"])
def test_what_is_read_is_what_torch_sends_gradients_to(kind: str) -> None:
    """Autograd says which pixels an output rests on, with weights and values that cancel nothing."""
    draw = random.Random(f"read {kind}")
    for _ in range(25):
        layer, shape = _drawn(draw, _KINDS[kind])
        if isinstance(layer, MaxPool2d | AdaptiveMaxPool2d):
            continue  # only the largest gets a gradient
        module = _module(layer, shape)
        for parameter in module.parameters():
            nn.init.uniform_(parameter, 0.5, 1.0)
        x = (torch.rand(shape) + 0.5).requires_grad_()
        out = module(x[None])[0]
        sliding = slide(layer, shape)
        assert (sliding.rows.outputs, sliding.columns.outputs) == tuple(out.shape[1:])
        row, column = draw.randrange(out.shape[1]), draw.randrange(out.shape[2])
        (one,) = torch.autograd.grad(out[:, row, column].sum(), x, retain_graph=True)
        read = (one.abs().sum(0) > 0).numpy()
        for place in {(draw.randrange(shape[1]), draw.randrange(shape[2])) for _ in range(8)}:
            assert sliding.readers(*place)[row, column] == read[place], (layer, shape)
        (whole,) = torch.autograd.grad(out.sum(), x)
        assert np.array_equal(sliding.is_unread, (whole.abs().sum(0) == 0).numpy()), (layer, shape)


def _windows(layer: Conv2d | MaxPool2d | AvgPool2d, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Counting tap by tap: how often each pixel is read, and the share of each output's taps outside the map."""
    axes = layer.axes(shape)
    counts = np.zeros(shape[1:], int)
    share = np.zeros((axes[0].outputs, axes[1].outputs))
    for y in range(axes[0].outputs):
        for x in range(axes[1].outputs):
            outside = 0
            for i in range(axes[0].kernel_size):
                for j in range(axes[1].kernel_size):
                    row = y * axes[0].stride + i * axes[0].dilation - axes[0].before
                    column = x * axes[1].stride + j * axes[1].dilation - axes[1].before
                    if 0 <= row < shape[1] and 0 <= column < shape[2]:
                        counts[row, column] += 1
                    else:
                        outside += 1
            share[y, x] = outside / (axes[0].kernel_size * axes[1].kernel_size)
    return counts, share


def test_unread_pixels_and_the_share_of_padding_are_as_counted() -> None:
    draw = random.Random(8)
    for _ in range(_REPEATS):
        layer, shape = _drawn(draw, draw.choice([_conv, _pool]))
        if isinstance(layer, LPPool2d):
            continue
        assert isinstance(layer, Conv2d | MaxPool2d | AvgPool2d)
        counts, share = _windows(layer, shape)
        sliding = slide(layer, shape)
        assert sliding.padding_share == pytest.approx(share)
        if not (isinstance(layer, Conv2d) and layer.padding_mode != "zeros"):  # copies read pixels again
            assert np.array_equal(sliding.is_unread, counts == 0)


def test_lenets_first_convolution_by_hand() -> None:
    sliding = slide(Conv2d(out_channels=6, kernel_size=(5, 5), padding=(2, 2)), (1, 28, 28))
    assert sliding.rows.span == (-2, 30)
    assert sliding.rows.places[0].tolist() == [-2, -1, 0, 1, 2]
    assert sliding.padding_share[0, 0] == pytest.approx(16 / 25)
    assert sliding.padding_share[14, 14] == 0
    assert sliding.readers(0, 0).sum() == 9
    assert not sliding.is_unread.any()


def test_a_window_at_the_rim_reads_the_map_and_padding() -> None:
    layer = Conv2d(out_channels=2, kernel_size=(3, 3), padding=(1, 1))
    opened = _opened(_module(layer, (3, 5, 5)), torch.randn(3, 5, 5))
    walk = Walk(layer, opened)
    assert walk.slide.rows.sources[0].tolist() == [PADDED, 0, 1]
    assert walk.slide.columns.sources[2].tolist() == [1, 2, 3]
    patch = walk.at(1, 0, 2).patch
    assert np.array_equal(patch[:, 1:], opened.inputs[0][:, 0:2, 1:4])
    assert not patch[:, 0].any()


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_padding_copies_what_torch_copies(mode: str) -> None:
    pixels = torch.arange(1.0, 7.0)
    for before, after in ((2, 3), (0, 1), (-1, 2), (3, -2), (-2, -1)):
        expected = functional.pad(pixels[None], (before, after), mode=mode)[0].int() - 1
        # A constant is 0, and so stands below all pixels here, as `PADDED` does.
        assert padding(mode, 6, before, after).sources[:, 0].tolist() == expected.tolist()


def test_a_stride_that_does_not_divide_leaves_the_last_pixels_unread() -> None:
    sliding = slide(Conv2d(out_channels=1, kernel_size=(3, 3), stride=(4, 4)), (1, 10, 10))
    assert sliding.is_unread[:, 3].all()  # between two windows
    assert [int(i) for i in np.flatnonzero(sliding.is_unread[0])] == [3, 7, 8, 9]


def test_ceil_mode_hangs_over_and_counts_nothing_there() -> None:
    layer = AvgPool2d(kernel_size=(2, 2), stride=(2, 2), ceil_mode=True)
    walk = Walk(layer, _opened(_module(layer, (1, 3, 3)), torch.arange(9.0).reshape(1, 3, 3)))
    corner = walk.at(0, 1, 1)
    assert corner.divisor == 1
    assert corner.total == corner.output == 8
    assert walk.slide.rows.span == (0, 4)


def test_a_linear_layer_after_a_flatten_has_a_picture_of_weights_for_each_output() -> None:
    layer = Linear(out_features=10)
    module = _module(layer, (2 * 3 * 4,))
    opened = _opened(module, torch.randn(24))
    walk = Walk(layer, opened, flattened=(2, 3, 4))
    assert walk.input_shape == (2, 3, 4)
    assert walk.output_shape == (1, 2, 5)
    found = walk.at(0, 1, 2)
    assert found.weights is not None
    assert np.array_equal(found.weights.reshape(-1), opened.parameters["weight"][7].astype(np.float64))
    assert found.total == pytest.approx(float(opened.output[7]), rel=1e-5)
    assert Walk(layer, opened).input_shape == (1, 4, 6)
    assert [grid(count) for count in (1, 7, 84, 120, 4096)] == [(1, 1), (1, 7), (7, 12), (10, 12), (64, 64)]


def test_values_of_another_layer_are_told_from_its_own() -> None:
    layer = Conv2d(out_channels=2, kernel_size=(3, 3), padding=(1, 1))
    opened = _opened(_module(layer, (1, 8, 8)), torch.randn(1, 8, 8))
    assert Walk(layer, opened).agrees()
    assert not Walk(layer.with_value("padding_mode", "circular"), opened).agrees()
    with pytest.raises(ValueError, match="not of this layer"):
        Walk(layer.with_value("kernel_size", (5, 5)).with_value("padding", (2, 2)), opened)
    with pytest.raises(ValueError, match="do not fit"):
        Walk(layer.with_value("stride", (2, 2)), opened)
    with pytest.raises(ValueError, match="ReLU has no window"):
        Walk(ReLU(), opened)


def test_taps_that_read_nothing_say_why() -> None:
    transposed = slide(ConvTranspose2d(out_channels=1, kernel_size=(3, 3), stride=(2, 2)), (1, 2, 2))
    assert transposed.rows.sources.tolist()[0] == [0, BETWEEN, BETWEEN]
    assert transposed.rows.places.tolist()[1] == [0.5, 0, -0.5]
    assert transposed.rows.span == (0, 2)
    # The last output lies below all kernels.
    alone = slide(ConvTranspose2d(out_channels=1, kernel_size=(1, 1), stride=(3, 3), output_padding=(2, 2)), (1, 2, 2))
    assert (alone.rows.sources[-1] == BETWEEN).all()
    assert alone.padding_share.max() == 0
    adaptive = slide(AdaptiveAvgPool2d(output_size=(3, 3)), (1, 4, 4))
    assert adaptive.rows.sources.tolist() == [[0, 1], [1, 2], [2, 3]]
    assert (slide(AdaptiveAvgPool2d(output_size=(2, 2)), (1, 3, 4)).columns.sources == ABSENT).sum() == 0
