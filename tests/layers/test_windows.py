"""Faults and remarks of layers with a window: each suggestion, taken, does away with what it was made for."""

from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from explorer.layers import (
    AdaptiveAvgPool2d,
    AvgPool2d,
    Conv2d,
    ConvTranspose2d,
    Fault,
    InsertBefore,
    Layer,
    LPPool2d,
    MaxPool2d,
    PartialConv2d,
    RadialBasis,
    Remark,
    SetValue,
    Shape,
    Subsampling,
)

small = st.integers(1, 5)
pairs = st.tuples(small, small)
borders = st.tuples(st.integers(0, 5), st.integers(0, 5))
slight = st.tuples(st.integers(0, 1), st.integers(0, 1))
side = st.integers(-4, 4)
paddings: st.SearchStrategy[Any] = st.one_of(
    borders, st.tuples(side, side, side, side), st.sampled_from(["same", "valid"])
)
fixed = st.one_of(st.none(), st.none(), st.integers(1, 4))
groups = st.sampled_from([1, 1, 1, 2, 3])
rows = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True).map(tuple), min_size=1, max_size=4)
maps = st.tuples(st.integers(1, 6), st.integers(1, 14), st.integers(1, 14))

LAYERS: dict[str, st.SearchStrategy[Layer]] = {
    "Conv2d": st.builds(
        Conv2d, in_channels=fixed, out_channels=st.integers(1, 6), kernel_size=pairs, stride=pairs, padding=paddings,
        dilation=pairs, groups=groups, padding_mode=st.sampled_from(["zeros", "zeros", "reflect", "circular"]),
    ),
    "ConvTranspose2d": st.builds(
        ConvTranspose2d, in_channels=fixed, out_channels=st.integers(1, 6), kernel_size=pairs, stride=pairs,
        padding=borders, output_padding=st.tuples(st.integers(0, 2), st.integers(0, 2)), groups=groups, dilation=pairs,
    ),
    "MaxPool2d": st.builds(
        MaxPool2d, kernel_size=pairs, stride=pairs, padding=slight, dilation=pairs, ceil_mode=st.booleans()
    ),
    "AvgPool2d": st.builds(AvgPool2d, kernel_size=pairs, stride=pairs, padding=slight, ceil_mode=st.booleans()),
    "LPPool2d": st.builds(LPPool2d, kernel_size=pairs, stride=pairs, ceil_mode=st.booleans()),
    "Subsampling": st.builds(Subsampling, kernel_size=pairs, stride=pairs),
    "PartialConv2d": st.builds(
        PartialConv2d, connections=rows.map(tuple), kernel_size=pairs, stride=pairs, padding=borders
    ),
    "AdaptiveAvgPool2d": st.builds(AdaptiveAvgPool2d, output_size=pairs),
}  # fmt: skip


def _taken(layer: Layer, suggestion: object) -> Layer:
    assert isinstance(suggestion, SetValue)
    changed = layer.with_value(suggestion.name, suggestion.value)
    assert changed != layer
    return changed


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_suggestion_helps(name: str) -> None:
    @settings(max_examples=600, deadline=None, derandomize=True)
    @given(layer=LAYERS[name], shape=maps)
    def helps(layer: Layer, shape: Shape) -> None:
        fault = layer.fault((shape,))
        if fault is not None:
            event("fault")
            _mends(layer, shape, fault)
            return
        for remark in layer.remarks((shape,), layer.output_shape((shape,))):
            event(f"remark, {'mended' if remark.suggestions else 'not mended'}: {remark.message[-25:]}")
            _removes(layer, shape, remark)

    helps()


def _mends(layer: Layer, shape: Shape, fault: Fault) -> None:
    assert fault.suggestions, fault.message
    left = [_taken(layer, suggestion).fault((shape,)) for suggestion in fault.suggestions]
    # Another thing may be wrong besides, which then shows; but no suggestion leaves this fault.
    for other in left:
        assert other is None or _kind(other.message) != _kind(fault.message), (fault.message, other.message)


def _removes(layer: Layer, shape: Shape, remark: Remark) -> None:
    for suggestion in remark.suggestions:
        changed = _taken(layer, suggestion)
        assert changed.fault((shape,)) is None
        left = changed.remarks((shape,), changed.output_shape((shape,)))
        assert _kind(remark.message) not in {_kind(other.message) for other in left}, (suggestion, remark.message)


def _kind(message: str) -> str:
    """What a message is about: its words, without what it tells of the layer at hand."""
    words = [word for word in message.split() if word.isalpha()]
    return " ".join(word for word in words if word not in {"row", "rows", "column", "columns", "is", "are"})[-40:]


def _remarks(layer: Layer, shape: Shape) -> tuple[Remark, ...]:
    assert layer.fault((shape,)) is None
    return layer.remarks((shape,), layer.output_shape((shape,)))


def test_rows_that_rounding_down_never_reads_are_counted() -> None:
    (remark,) = _remarks(MaxPool2d(kernel_size=(2, 2), stride=(2, 2)), (8, 7, 9))
    assert remark.severity == "warning"
    assert remark.message == (
        "the last 1 row and the last 1 column of the 7×9 input are never read (24 % of its pixels): "
        "the output size is rounded down"
    )
    assert [s.text for s in remark.suggestions] == ["ceil_mode", "padding 1", "kernel_size 3", "stride 1"]
    (remark,) = _remarks(Conv2d(out_channels=4, kernel_size=(7, 7), stride=(2, 2)), (3, 224, 224))
    assert remark.severity == "note"
    assert "the last 1 row and the last 1 column of the 224×224 input are never read" in remark.message


def test_padding_that_is_never_read_is_nobodys_loss() -> None:
    # ResNet's first layer leaves one row of padding over, and none of the image.
    assert _remarks(Conv2d(out_channels=64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3)), (3, 224, 224)) == ()
    assert _remarks(MaxPool2d(kernel_size=(3, 3), stride=(2, 2), padding=(1, 1)), (64, 112, 112)) == ()
    # What the user crops is meant to go, and what lies between a dilated kernel's taps is seen by the next window.
    assert _remarks(Conv2d(out_channels=4, kernel_size=(3, 3), padding=(0, -2, 0, -3)), (3, 9, 9)) == ()
    assert _remarks(Conv2d(out_channels=4, kernel_size=(3, 3), dilation=(2, 2)), (3, 9, 9)) == ()


def test_a_strided_projection_is_a_note_and_larger_gaps_a_warning() -> None:
    (remark,) = _remarks(Conv2d(out_channels=128, kernel_size=(1, 1), stride=(2, 2), bias=False), (64, 56, 56))
    assert remark.severity == "note"
    assert "75 % of the pixels are never read" in remark.message
    assert [s.text for s in remark.suggestions] == ["stride 1", "kernel_size 2"]
    (remark,) = _remarks(Conv2d(out_channels=128, kernel_size=(2, 2), stride=(4, 2)), (64, 56, 56))
    assert remark.severity == "warning"
    assert "50 % of the pixels" in remark.message


def test_an_even_kernel_that_keeps_position_shifts() -> None:
    (remark,) = _remarks(Conv2d(out_channels=8, kernel_size=(4, 4), padding="same"), (3, 9, 9))
    assert (remark.severity, [s.text for s in remark.suggestions]) == ("note", ["kernel_size 3", "kernel_size 5"])
    assert _remarks(Conv2d(out_channels=8, kernel_size=(4, 4)), (3, 9, 9)) == ()
    assert _remarks(Conv2d(out_channels=8, kernel_size=(2, 2), dilation=(2, 2), padding=(1, 1)), (3, 9, 9)) == ()
    assert _remarks(Conv2d(out_channels=96, kernel_size=(4, 4), stride=(4, 4)), (3, 224, 224)) == ()


def test_windows_of_nothing_but_padding_are_told() -> None:
    (remark,) = _remarks(Conv2d(out_channels=8, kernel_size=(3, 3), padding=(4, 1)), (3, 9, 9))
    assert remark.severity == "warning"
    assert remark.message == "4 of 15 rows of the output see only padding and are the bias alone"
    assert [s.text for s in remark.suggestions] == ["padding 2×1", "kernel_size 5×3"]
    (remark,) = _remarks(MaxPool2d(kernel_size=(2, 2), stride=(1, 1), padding=(1, 1), dilation=(2, 2)), (3, 1, 1))
    assert "minus infinity" in remark.message


def test_a_transposed_kernel_smaller_than_its_stride_leaves_holes() -> None:
    (remark,) = _remarks(ConvTranspose2d(out_channels=3, kernel_size=(1, 1), stride=(2, 2)), (3, 4, 4))
    assert (remark.severity, "75 %" in remark.message) == ("warning", True)
    (remark,) = _remarks(ConvTranspose2d(out_channels=3, kernel_size=(3, 3), stride=(2, 2)), (3, 4, 4))
    assert remark.severity == "note"
    assert [s.text for s in remark.suggestions] == ["kernel_size 4", "kernel_size 2", "stride 1"]
    assert _remarks(ConvTranspose2d(out_channels=3, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1)), (3, 4, 4)) == ()


def test_an_adaptive_pool_that_only_repeats_pixels_says_so() -> None:
    (remark,) = _remarks(AdaptiveAvgPool2d(output_size=(7, 7)), (512, 1, 1))
    assert [s.text for s in remark.suggestions] == ["output_size 1"]
    assert _remarks(AdaptiveAvgPool2d(output_size=(7, 7)), (512, 7, 7)) == ()


@pytest.mark.parametrize(
    ("layer", "shape", "message", "suggestions"),
    [
        (
            Conv2d(out_channels=4, kernel_size=(3, 3), padding=(-2, 0, 1, 1)), (3, 4, 9),
            "kernel_size 3 does not fit the cropped 2×11 input along its height; "
            "use at most 2, or 1 more of padding",
            ["kernel_size 2×3", "padding −1, 0, 1, 1"],
        ),
        (
            Conv2d(out_channels=4, kernel_size=(3, 3), padding=(-2, -3, 0, 0)), (3, 4, 9),
            "kernel_size 3 does not fit the cropped 0×9 input along its height; use 4 more of padding",
            ["padding −1, 0, 0, 0"],
        ),
        (
            Conv2d(out_channels=4, kernel_size=(7, 3), padding="valid"), (3, 4, 9),
            "kernel_size 7 does not fit the padded 4×9 input along its height; use at most 4, or padding of at least 2",
            ["kernel_size 4×3", "padding 2×0"],
        ),
        (
            Conv2d(out_channels=4, kernel_size=(3, 3), padding=(3, 1), padding_mode="reflect"), (3, 3, 9),
            "padding 3 reflects more than the 3 that arrive can give; use at most 2, or another mode",
            ["padding 2×1", "padding_mode replicate", "padding_mode zeros", "padding 0"],
        ),
        (
            Conv2d(out_channels=4, kernel_size=(9, 9), padding="same", padding_mode="circular"), (3, 3, 9),
            "padding 4 wraps around more than the 3 pixels that are there; use at most 3, or another mode",
            ["padding 3×4", "kernel_size 7×9", "padding_mode replicate", "padding_mode zeros"],
        ),
        (
            ConvTranspose2d(out_channels=4, kernel_size=(2, 2), stride=(2, 2), output_padding=(2, 0)), (3, 3, 3),
            "output_padding 2 along the height is not below stride or dilation; use at most 1",
            ["output_padding 1×0", "stride 3×2"],
        ),
        (
            ConvTranspose2d(out_channels=4, kernel_size=(2, 2), padding=(2, 0)), (3, 2, 3),
            "padding 2 cuts off all of the output's height; use kernel_size of at least 4, or padding of at most 1",
            ["padding 1×0", "kernel_size 4×2"],
        ),
        (
            MaxPool2d(kernel_size=(3, 3), stride=(1, 1), dilation=(4, 1)), (3, 6, 5),
            "kernel_size 3 (dilated to 9) does not fit the padded 6×5 input along its height; use at most 2",
            ["kernel_size 2×3", "dilation 2×1"],
        ),
        (
            LPPool2d(kernel_size=(3, 1), stride=(1, 1)), (3, 2, 5),
            "kernel_size 3 does not fit the padded 2×5 input along its height; use at most 2",
            ["kernel_size 2×1"],
        ),
        (
            PartialConv2d(connections=((0, 1), (2, 4)), kernel_size=(3, 3)), (3, 9, 9),
            "output channel 1 reads input channel 4, but only 0 to 2 arrive",
            ["leave out channels from 3 on", "spread over the 3 channels that arrive"],
        ),
    ],
)  # fmt: skip
def test_a_fault_says_what_arrived_and_what_fits(
    layer: Layer, shape: Shape, message: str, suggestions: list[str]
) -> None:
    fault = layer.fault((shape,))
    assert fault is not None
    assert (fault.message, [s.text for s in fault.suggestions]) == (message, suggestions)


def test_a_pattern_of_features_that_do_not_arrive_can_be_made_anew() -> None:
    layer = RadialBasis.suggested((84,))
    assert layer.fault(((84,),)) is None
    fault = layer.fault(((40,),))
    assert fault is not None
    for suggestion in fault.suggestions:
        assert _taken(layer, suggestion).fault(((40,),)) is None
    fault = layer.fault(((4, 3, 7),))
    assert fault is not None
    assert [type(s) for s in fault.suggestions] == [InsertBefore]
