"""Convolution's own: the forms of its padding, its torch call and its arithmetic. tests/runtime has the shapes."""

from fractions import Fraction

import pytest

from explorer.layers import Conv2d, ConvTranspose2d, ModuleCall, Padding, Shape, Sides


def _conv(padding: Padding, kernel_size: int = 3, stride: tuple[int, int] = (1, 1)) -> Conv2d:
    return Conv2d(out_channels=8, kernel_size=(kernel_size, kernel_size), stride=stride, padding=padding)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (_conv((2, 1)), (3, 9, 9), (2, 2, 1, 1)),
        (_conv("valid"), (3, 9, 9), (0, 0, 0, 0)),
        (_conv((0, 1, -2, 3)), (3, 9, 9), (0, 1, -2, 3)),
        (_conv("same", 11, (4, 4)), (3, 227, 227), (4, 4, 4, 4)),
        (_conv("same", 3, (2, 1)), (3, 224, 225), (0, 1, 1, 1)),
    ],
)
def test_every_padding_comes_down_to_four_sides(layer: Conv2d, shape: Shape, expected: Sides) -> None:
    assert layer.sides(shape) == expected


@pytest.mark.parametrize(
    ("layer", "shape", "name", "argument"),
    [
        (_conv((2, 1)), (3, 9, 9), "Conv2d", (2, 1)),
        (_conv("valid"), (3, 9, 9), "Conv2d", "valid"),
        (_conv("same", 4), (3, 9, 9), "Conv2d", "same"),
        (_conv("same", 3, (2, 2)), (3, 225, 225), "Conv2d", (1, 1)),
        (_conv("same", 3, (2, 1)), (3, 224, 224), "PaddedConv2d", (1, 1, 0, 1)),
        (_conv((0, 1, -2, 3)), (3, 9, 9), "PaddedConv2d", (-2, 3, 0, 1)),
        (_conv((-1, -1, -1, -1)), (3, 9, 9), "PaddedConv2d", (-1, -1, -1, -1)),
    ],
)
def test_torchs_own_convolution_is_called_wherever_it_can_say_it(
    layer: Conv2d, shape: Shape, name: str, argument: object
) -> None:
    call = layer.call((shape,))
    assert isinstance(call, ModuleCall)
    assert (call.name, call.is_own) == (name, name == "PaddedConv2d")
    assert call.arguments["pad" if call.is_own else "padding"] == argument
    assert call.arguments["in_channels"] == 3
    assert ("padding" in call.arguments) != call.is_own


@pytest.mark.parametrize("stride", range(1, 6))
@pytest.mark.parametrize("size", [1, 2, 7, 8, 32])
def test_same_padding_keeps_the_size_over_the_stride(size: int, stride: int) -> None:
    layer = Conv2d(out_channels=4, kernel_size=(5, 2), stride=(stride, stride), padding="same", dilation=(2, 3))
    assert layer.fault(((3, size, size),)) is None
    assert layer.output_shape(((3, size, size),)) == (4, -(-size // stride), -(-size // stride))


@pytest.mark.parametrize(
    ("layer", "shape", "lines"),
    [
        (_conv((1, 1)), (3, 9, 9), [("output height and width", "⌊(9 + 2·1 − 3) / 1⌋ + 1", 9)]),
        (
            _conv((0, 1, -2, 3)),
            (3, 9, 9),
            [
                ("output height", "⌊(9 + 0 + 1 − 3) / 1⌋ + 1", 8),
                ("output width", "⌊(9 − 2 + 3 − 3) / 1⌋ + 1", 8),
            ],
        ),
        (_conv((-1, -1, -1, -1)), (3, 9, 9), [("output height and width", "⌊(9 − 2·1 − 3) / 1⌋ + 1", 5)]),
        (
            _conv("same", 3, (2, 2)),
            (3, 224, 224),
            [
                ("output height and width", "⌈224 / 2⌉", 112),
                ("padding along the height and width", "max((112 − 1)·2 + 1·(3 − 1) + 1 − 224, 0)", 1),
            ],
        ),
    ],
)
def test_the_output_size_is_written_out_for_every_padding(
    layer: Conv2d, shape: Shape, lines: list[tuple[str, str, int]]
) -> None:
    written = layer.arithmetic((shape,), layer.output_shape((shape,)))
    assert [(line.what, line.values, line.result) for line in written[: len(lines)]] == lines
    assert all(line.source for line in written)


def test_the_window_begins_where_the_first_side_does() -> None:
    assert _conv("same", 4).window(((3, 9, 9),)).padding == (1, 1)
    assert _conv((-2, 0, 3, 0)).window(((3, 9, 9),)).padding == (-2, 3)


def test_a_transposed_convolutions_window_moves_by_parts_of_a_pixel() -> None:
    layer = ConvTranspose2d(out_channels=4, kernel_size=(4, 2), stride=(2, 2), padding=(1, 0))
    assert layer.output_shape(((3, 8, 8),)) == (4, 16, 16)
    window = layer.window(((3, 8, 8),))
    assert window.kernel_size == (2, 1)
    assert window.stride == (Fraction(1, 2), Fraction(1, 2))
    assert window.padding == (Fraction(3, 4), Fraction(1, 4))
    assert ConvTranspose2d(out_channels=1, kernel_size=(3, 3)).window(((1, 5, 5),)).padding == (2, 2)
    size, parameters, macs = layer.arithmetic(((3, 8, 8),), (4, 16, 16))[-3:]
    assert (size.values, size.result) == ("(8 − 1)·2 − 2·0 + 1·(2 − 1) + 0 + 1", 16)
    assert (parameters.values, parameters.result) == ("4·2·3·4 + 4", 100)
    assert (macs.values, macs.result) == ("4·2·3·4·8·8", 6144)
