"""What the layers without a sliding window refuse, say and suggest; tests/runtime holds them against torch."""

from fractions import Fraction

import pytest

from explorer.layers import (
    GELU,
    BatchNorm1d,
    BatchNorm2d,
    Category,
    Chunk,
    Dropout,
    Flatten,
    GroupNorm,
    InstanceNorm2d,
    Layer,
    LayerNorm,
    LogSoftmax,
    Mean,
    ModuleCall,
    OperatorCall,
    Pad,
    Permute,
    PixelShuffle,
    PReLU,
    Remark,
    Reshape,
    SetValue,
    Shape,
    Slice,
    Softmax,
    Split,
    Upsample,
    Window,
    layer_types,
)


def message(layer: Layer, *inputs: Shape) -> str:
    fault = layer.fault(inputs)
    assert fault is not None
    return fault.message


def values(layer: Layer, *inputs: Shape) -> list[tuple[str, object]]:
    fault = layer.fault(inputs)
    assert fault is not None
    return [(s.name, s.value) for s in fault.suggestions if isinstance(s, SetValue)]


def remarks(layer: Layer, shape: Shape) -> tuple[Remark, ...]:
    assert layer.fault((shape,)) is None
    return layer.remarks((shape,), layer.output_shape((shape,)))


def test_a_chunk_that_torch_does_not_make_says_how_many_there_are() -> None:
    layer = Chunk(chunks=4, index=3)
    assert message(layer, (6, 8, 8)) == (
        "index 3 is not among the chunks: the 6 places of dimension 1 make 3 of 2; use at most 2"
    )
    assert values(layer, (6, 8, 8)) == [("index", 2), ("chunks", 6)]
    (remark,) = remarks(Chunk(chunks=4, index=0), (6, 8, 8))
    assert (remark.severity, remark.message) == ("note", "torch makes 3 chunks of the 6 places, not 4")


def test_split_sizes_that_do_not_add_up_are_fitted() -> None:
    layer = Split(sizes=(2, 3), index=1)
    assert message(layer, (8, 4, 4)) == "sizes 2, 3 add up to 5, but dimension 1 has 8 places"
    assert values(layer, (8, 4, 4))[:2] == [("sizes", (2, 6)), ("sizes", (5, 3))]


def test_a_reshape_that_does_not_fit_names_both_products() -> None:
    layer = Reshape(sizes=(4, 5))
    assert message(layer, (2, 3, 4)) == (
        "sizes 4, 5 hold 20, but 2×3×4 = 24 values arrive; use sizes whose product is 24"
    )
    assert values(layer, (2, 3, 4))[0] == ("sizes", (4, 6))
    assert Reshape(sizes=(4, -1)).output_shape(((2, 3, 4),)) == (4, 6)
    assert "hold −1 more than once" in message(Reshape(sizes=(-1, -1)), (2, 3, 4))


def test_a_dimension_that_is_not_there_is_named() -> None:
    assert message(Softmax(dim=3), (10,)) == "dim 3 is not there: 10 arrives, which has only dimension 1; use at most 1"
    assert values(Softmax(dim=3), (10,)) == [("dim", 1)]
    assert "once; use 1, 2, 3 in an order" in message(Permute(dims=(1, 2)), (3, 4, 5))
    assert message(Mean(dims=(1,)), (10,)).startswith("dims 1 leave no dimension")


@pytest.mark.parametrize(
    ("layer", "shape", "says"),
    [
        (Pad(top=-3, bottom=-2), (1, 5, 5), "top −3 and bottom −2 cut off all 5 places; leave at least one of"),
        (Pad(left=5, mode="reflect"), (1, 5, 5), "reflect padding adds at most 4 on a side"),
        (Pad(left=6, mode="circular"), (1, 5, 5), "circular padding adds at most 5 on a side"),
        (Pad(left=8, right=-6), (1, 5, 5), "cut off more than the 5 places before they add any; cut at most 5"),
        (Pad(top=1), (10,), "top 1 has no dimension: 10 arrives; use before and after"),
    ],
)
def test_padding_that_torch_refuses_says_why(layer: Pad, shape: Shape, says: str) -> None:
    assert says in message(layer, shape)
    assert values(layer, shape)


def test_pixel_shuffle_offers_factors_and_channels_that_fit() -> None:
    fault = PixelShuffle(upscale_factor=2).fault(((6, 4, 4),))
    assert fault is not None
    assert [s.text for s in fault.suggestions] == ["upscale_factor 1", "1×1 convolution to 8 channels"]


def test_groups_offer_the_divisors_nearest_first() -> None:
    assert values(GroupNorm(num_groups=5), (12, 4, 4))[:3] == [("num_groups", 4), ("num_groups", 6), ("num_groups", 3)]


@pytest.mark.parametrize("layer", [BatchNorm2d(num_features=8), GroupNorm(num_groups=1, num_channels=8)])
def test_a_fixed_size_follows_again_or_is_set(layer: Layer) -> None:
    assert "is fixed at 8, but 6 channels arrive; use 6" in message(layer, (6, 4, 4))
    assert [value for _, value in values(layer, (6, 4, 4))] == [None, 6]


def test_a_fixed_size_that_nothing_depends_on_is_a_note() -> None:
    layer = InstanceNorm2d(num_features=8)
    (remark,) = remarks(layer, (6, 4, 4))
    assert remark.severity == "note"
    assert layer.call(((6, 4, 4),)).arguments["num_features"] == 8


def test_norms_of_one_value_say_so() -> None:
    (remark,) = remarks(GroupNorm(num_groups=4), (4, 1, 1))
    assert "always 0" in remark.message
    assert [s.value for s in remark.suggestions if isinstance(s, SetValue)] == [2, 1]
    (remark,) = remarks(LayerNorm(num_dims=1), (4, 5, 1))
    assert [s.value for s in remark.suggestions if isinstance(s, SetValue)] == [2, 3]


def test_batch_norm_of_one_value_a_channel_needs_several_images() -> None:
    assert BatchNorm2d().needs_several_images(((4, 1, 1),))
    assert BatchNorm1d().needs_several_images(((4,),))
    assert GroupNorm(num_groups=4).needs_several_images(((4,),))
    assert not BatchNorm2d().needs_several_images(((4, 1, 2),))
    assert not BatchNorm1d().needs_several_images(((4, 2),))
    assert not GroupNorm(num_groups=2).needs_several_images(((4,),))
    (remark,) = remarks(BatchNorm1d(), (4,))
    assert (remark.severity, "at least 2 images" in remark.message) == ("note", True)
    assert remarks(BatchNorm2d(), (4, 2, 2)) == ()


def test_softmax_over_the_wrong_values_is_warned_of() -> None:
    (remark,) = remarks(Softmax(dim=3), (10, 4, 6))
    assert remark.message == "dim 3 compares the 6 values of each row, not the 10 channels"
    assert remark.suggestions == (SetValue("dim 1", "dim", 1),)
    (remark,) = remarks(LogSoftmax(), (1,))
    assert remark.message == "dimension 1 of 1 holds one value, so the output is always 0"
    assert remarks(Softmax(), (10, 4, 6)) == remarks(Softmax(), (10,)) == ()


@pytest.mark.parametrize(("p", "severity"), [(0.0, "note"), (1.0, "warning")])
def test_a_probability_at_its_end_is_remarked(p: float, severity: str) -> None:
    assert [remark.severity for remark in remarks(Dropout(p=p), (4,))] == [severity]
    assert remarks(Dropout(p=0.5), (4,)) == ()


def test_a_flatten_too_many_is_remarked() -> None:
    (remark,) = remarks(Flatten(), (10,))
    assert "a flatten too many" in remark.message
    assert remarks(Flatten(), (10, 1, 1)) == ()


def test_slopes_are_one_or_one_a_channel() -> None:
    assert PReLU().num_parameters(((6, 4, 4),)) == 1
    assert PReLU(num_slopes=None).call(((6, 4, 4),)) == ModuleCall("PReLU", {"num_parameters": 6, "init": 0.25})
    assert values(PReLU(num_slopes=4), (6, 4, 4)) == [("num_slopes", None), ("num_slopes", 1), ("num_slopes", 6)]


def test_the_shortcut_without_parameters_can_be_expressed() -> None:
    """Of He et al. 2016, section 3.3, option A: every second pixel, zeros for the new channels."""
    shape: Shape = (16, 32, 32)
    for layer in (Slice(dim=2, step=2), Slice(dim=3, step=2), Pad(before=8, after=8)):
        assert layer.fault((shape,)) is None
        assert layer.num_parameters((shape,)) == 0
        shape = layer.output_shape((shape,))
    assert shape == (32, 16, 16)
    assert Pad(before=8, after=8).call(((16, 16, 16),)) == OperatorCall(
        "pad", {"pad": (0, 0, 0, 0, 8, 8), "mode": "constant", "value": 0.0}
    )


def test_windows_move_stretch_and_span() -> None:
    assert Slice(dim=2, start=3, step=2).window(((1, 9, 9),)) == Window((1, 1), (2, 1), (-3, 0), (1, 1))
    assert Pad(top=2, left=1).window(((1, 9, 9),)).padding == (2, 1)
    assert PixelShuffle(upscale_factor=2).window(((4, 9, 9),)).stride == (Fraction(1, 2), Fraction(1, 2))
    assert Upsample(scale_height=1.3, scale_width=2.0).window(((1, 9, 9),)).stride == (Fraction(10, 13), Fraction(1, 2))
    assert Mean(dims=(2,)).window(((1, 9, 7),)) == Window((9, 1), (1, 1), (0, 0), (1, 1), (True, False))


def test_upsampling_has_a_scale_or_a_size_and_corners_only_between_pixels() -> None:
    assert Upsample().call(((3, 5, 5),)) == ModuleCall("Upsample", {"scale_factor": (2.0, 2.0), "mode": "nearest"})
    fixed = Upsample(height=7, mode="bilinear").call(((3, 5, 5),))
    assert fixed.arguments == {"size": (7, 10), "mode": "bilinear", "align_corners": False}
    assert values(Upsample(align_corners=True), (3, 5, 5)) == [("align_corners", False), ("mode", "bilinear")]


def test_menus_list_by_category_the_most_used_first() -> None:
    listed = layer_types()
    order = list(Category)
    places = [order.index(cls.category) for cls in listed]
    assert places == sorted(places)
    names = [cls.__name__ for cls in listed]
    assert names.index("ReLU") < names.index("GELU") < names.index("ScaledTanh")
    assert names.index("MaxPool2d") < names.index("LPPool2d") < names.index("Subsampling")
    assert "swish" in next(cls for cls in listed if cls.__name__ == "SiLU").keywords
    assert GELU().call(((3,),)) == ModuleCall("GELU", {"approximate": "none"})
