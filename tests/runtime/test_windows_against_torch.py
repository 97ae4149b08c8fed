"""`Layer.window` and the pixels that remarks count, against the pixels through which torch passes a gradient."""

from fractions import Fraction

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Conv2d,
    ConvTranspose2d,
    Layer,
    ModuleCall,
    PartialConv2d,
    Shape,
    Subsampling,
    Window,
)
from explorer.runtime import own_modules

small = st.integers(1, 4)
pairs = st.tuples(small, small)
slight = st.tuples(st.integers(0, 1), st.integers(0, 1))
side = st.integers(-2, 3)
paddings = st.one_of(slight, st.tuples(side, side, side, side), st.sampled_from(["same", "valid"]))
maps = st.tuples(st.just(1), st.integers(1, 11), st.integers(1, 11))

LAYERS: dict[str, st.SearchStrategy[Layer]] = {
    "Conv2d": st.builds(
        Conv2d, out_channels=st.just(1), kernel_size=pairs, stride=pairs, padding=paddings, dilation=pairs
    ),
    "AvgPool2d": st.builds(AvgPool2d, kernel_size=pairs, stride=pairs, padding=slight, ceil_mode=st.booleans()),
    "Subsampling": st.builds(Subsampling, kernel_size=pairs, stride=pairs),
    "PartialConv2d": st.builds(
        PartialConv2d, connections=st.just(((0,),)), kernel_size=pairs, stride=pairs, padding=slight
    ),
}


def _module(layer: Layer, shape: Shape) -> nn.Module:
    """The layer's module with weights of one, so that no gradient vanishes by chance."""
    call = layer.call((shape,))
    assert isinstance(call, ModuleCall)
    module: nn.Module = getattr(own_modules if call.is_own else nn, call.name)(**call.arguments)
    for parameter in module.parameters():
        nn.init.ones_(parameter)
    return module


def _read(module: nn.Module, shape: Shape) -> tuple[list[list[int]], list[list[int]]]:
    """For each output row the input rows that it reads, and the same for columns."""
    x = torch.ones(1, *shape, requires_grad=True)
    output: Tensor = module(x)
    found: tuple[list[list[int]], list[list[int]]] = ([], [])
    for axis in (0, 1):
        for place in range(output.shape[2 + axis]):
            # All of the other axis at once: the axes are independent of each other.
            (gradient,) = torch.autograd.grad(output.select(2 + axis, place).sum(), x, retain_graph=True)
            reached = gradient[0, 0].abs().sum(1 - axis) > 0
            found[axis].append(reached.nonzero().flatten().tolist())
    return found


def _span(window: Window, axis: int, place: int) -> range:
    start = place * int(window.stride[axis]) - int(window.padding[axis])
    return range(start, start + window.dilation[axis] * (window.kernel_size[axis] - 1) + 1, window.dilation[axis])


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_window_reads_what_torch_reads(name: str) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(layer=LAYERS[name], shape=maps)
    def reads(layer: Layer, shape: Shape) -> None:
        assume(layer.fault((shape,)) is None)
        window = layer.window((shape,))
        found = _read(_module(layer, shape), shape)
        if all(any(places) for places in found):
            for axis in (0, 1):
                for place, pixels in enumerate(found[axis]):
                    assert pixels == [i for i in _span(window, axis, place) if 0 <= i < shape[1 + axis]]

    reads()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(kernel_size=small, stride=small, dilation=small, padding=st.integers(0, 2))
def test_a_transposed_window_lies_about_what_torch_reads(
    kernel_size: int, stride: int, dilation: int, padding: int
) -> None:
    shape = (1, 19, 1)
    layer = ConvTranspose2d(
        out_channels=1, kernel_size=(kernel_size, 1), stride=(stride, 1), dilation=(dilation, 1), padding=(padding, 0)
    )
    assume(layer.fault((shape,)) is None)
    window = layer.window((shape,))
    found = _read(_module(layer, shape), shape)[0]
    extent = window.dilation[0] * (window.kernel_size[0] - 1) + 1
    assert max(pixels[-1] - pixels[0] + 1 for pixels in found if pixels) == extent
    starts = [place * window.stride[0] - window.padding[0] for place in range(len(found))]
    inside = [place for place, start in enumerate(starts) if start >= 1 and start + extent <= shape[1] - 1]
    # Neighbouring outputs read unlike numbers of pixels; over `stride` of them the window is true on the mean.
    assert len(inside) >= stride
    places = inside[:stride]
    if all(found[place] for place in places):
        middles = [Fraction(found[place][0] + found[place][-1] + 1, 2) for place in places]
        assert sum(middles) == sum(starts[place] + Fraction(extent, 2) for place in places)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(shape=maps, output_size=st.tuples(st.integers(1, 13), st.integers(1, 13)))
def test_an_adaptive_window_holds_what_torch_reads(shape: Shape, output_size: tuple[int, int]) -> None:
    layer = AdaptiveAvgPool2d(output_size=output_size)
    window = layer.window((shape,))
    found = _read(_module(layer, shape), shape)
    for axis in (0, 1):
        k, n = window.kernel_size[axis], shape[1 + axis]
        assert max(len(pixels) for pixels in found[axis]) == k
        if window.is_whole[axis]:
            assert all(pixels == list(range(n)) for pixels in found[axis])
            continue
        for place, pixels in enumerate(found[axis]):
            middle = place * window.stride[axis] - window.padding[axis] + Fraction(k, 2)
            assert abs(middle - Fraction(pixels[0] + pixels[-1] + 1, 2)) < 1
        if n % output_size[axis] == 0:
            assert all(pixels == list(_span(window, axis, place)) for place, pixels in enumerate(found[axis]))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@settings(max_examples=300, deadline=None, derandomize=True)
@given(kernel_size=pairs, stride=pairs, padding=paddings, shape=maps)
def test_pixels_never_read_are_those_without_a_gradient(
    kernel_size: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], shape: Shape
) -> None:
    layer = Conv2d(out_channels=1, kernel_size=kernel_size, stride=stride, padding=padding)
    assume(layer.fault((shape,)) is None)
    x = torch.ones(1, *shape, requires_grad=True)
    (gradient,) = torch.autograd.grad(_module(layer, shape)(x).sum(), x)
    rows, columns = layer.axes(shape)
    assert rows.read * columns.read == int((gradient != 0).sum())
