"""Layers on their own: what they refuse, say and suggest. Shapes and counts meet torch in tests/runtime."""

import pytest

from explorer.layers import (
    AvgPool2d,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    Input,
    InsertBefore,
    Kind,
    Linear,
    MaxPool2d,
    ModuleCall,
    SetValue,
    layer_type,
    layer_types,
)


def test_a_hyper_parameter_out_of_range_names_layer_field_value_and_what_fits() -> None:
    with pytest.raises(ValueError, match=r"Conv2d: out_channels received 0; use a whole number from 1 to 1,000,000"):
        Conv2d(out_channels=0, kernel_size=(5, 5))
    with pytest.raises(ValueError, match=r"Dropout: p received 1.5; use a number from 0.0 to 1.0"):
        Dropout(p=1.5)
    with pytest.raises(ValueError, match=r"bias received 1; use true or false"):
        Linear(out_features=3, bias=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("received", [3, [3, 3], (3, 3)])
def test_a_pair_has_one_canonical_form(received: object) -> None:
    assert Conv2d(out_channels=1, kernel_size=received).kernel_size == (3, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize("received", [True, 2.0, "3", (3,), (3, 3, 3), None])
def test_what_is_no_pair_is_refused(received: object) -> None:
    with pytest.raises(ValueError, match="kernel_size received"):
        Conv2d(out_channels=1, kernel_size=received)  # type: ignore[arg-type]


def test_with_value_returns_another_layer_and_refuses_unknown_names() -> None:
    layer = Conv2d(out_channels=6, kernel_size=(5, 5))
    assert layer.with_value("stride", (2, 2)).stride == (2, 2)
    assert layer.stride == (1, 1)
    with pytest.raises(ValueError, match=r"Conv2d has no hyper-parameter 'size'; it has in_channels"):
        layer.with_value("size", 3)


def test_a_kernel_larger_than_its_padded_input_says_what_would_fit() -> None:
    fault = Conv2d(out_channels=6, kernel_size=(7, 7)).fault(((1, 5, 5),))
    assert fault is not None
    assert (
        fault.message == "kernel_size 7 does not fit the padded 5×5 input along its height; "
        "use at most 5, or padding of at least 1"
    )
    assert [s.value for s in fault.suggestions if isinstance(s, SetValue)] == [(5, 5), (1, 1)]


def test_groups_that_do_not_divide_suggest_those_that_do_nearest_first() -> None:
    fault = Conv2d(out_channels=8, kernel_size=(3, 3), groups=3).fault(((6, 9, 9),))
    assert fault is not None
    assert [s.value for s in fault.suggestions if isinstance(s, SetValue)] == [2, 1, 9]


def test_pooling_padding_is_at_most_half_the_kernel() -> None:
    fault = MaxPool2d(kernel_size=(2, 2), stride=(2, 2), padding=(2, 2)).fault(((3, 8, 8),))
    assert fault is not None
    assert "use at most 1" in fault.message


def test_a_fixed_size_that_no_longer_fits_can_follow_again_or_be_set() -> None:
    fault = Linear(in_features=400, out_features=120).fault(((576,),))
    assert fault is not None
    assert [(s.name, s.value) for s in fault.suggestions if isinstance(s, SetValue)] == [
        ("in_features", None),
        ("in_features", 576),
    ]


def test_a_linear_layer_before_a_missing_flatten_offers_it() -> None:
    layer = Linear(in_features=400, out_features=120)
    fault = layer.fault(((16, 5, 5),))
    assert fault is not None
    assert fault.suggestions[0].text == "flatten before"
    assert layer.fault((Flatten().output_shape(((16, 5, 5),)),)) is None


def test_unlike_inputs_cannot_be_joined() -> None:
    fault = Concat().fault(((4, 8, 8), (4, 7, 7)))
    assert fault is not None
    assert "4×8×8 and 4×7×7" in fault.message


def test_what_follows_the_input_is_filled_in_for_torch() -> None:
    call = Conv2d(out_channels=6, kernel_size=(5, 5)).call(((3, 32, 32),))
    assert isinstance(call, ModuleCall)
    assert call.arguments["in_channels"] == 3
    assert BatchNorm2d().call(((7, 4, 4),)).arguments["num_features"] == 7


def test_arithmetic_is_written_with_the_actual_numbers() -> None:
    layer = Conv2d(out_channels=96, kernel_size=(11, 11), stride=(4, 4))
    size, parameters, macs = layer.arithmetic(((3, 227, 227),), (96, 55, 55))
    assert (size.values, size.result) == ("⌊(227 + 2·0 − 11) / 4⌋ + 1", 55)
    assert (parameters.values, parameters.result) == ("11·11·3·96 + 96", 34_944)
    assert macs.result == 11 * 11 * 3 * 96 * 55 * 55


def test_the_registry_lists_every_layer_once_and_knows_near_misses() -> None:
    names = [cls.__name__ for cls in layer_types()]
    assert len(names) == len(set(names))
    with pytest.raises(ValueError, match=r"unknown layer 'Con2d'; did you mean Conv2d"):
        layer_type("Con2d")


def test_every_hyper_parameter_explains_itself() -> None:
    for cls in layer_types():
        assert cls.summary.endswith(".")
        for parameter in cls.hyper_parameters:
            assert parameter.help.endswith(".")
            if parameter.kind in {Kind.INTEGER, Kind.PAIR, Kind.REAL, Kind.INTEGERS}:
                assert parameter.minimum is not None


def test_average_pooling_counts_nothing_and_keeps_channels() -> None:
    pool = AvgPool2d(kernel_size=(2, 2), stride=(2, 2))
    assert pool.output_shape(((6, 28, 28),)) == (6, 14, 14)
    assert pool.num_parameters(((6, 28, 28),)) == 0
    assert Input(channels=1, height=28, width=28).output_shape(()) == (1, 28, 28)


@pytest.mark.parametrize("shape", [None, (4, 9, 9), (1, 1, 1), (120,)])
def test_a_layer_just_added_fits_what_arrives_where_it_can(shape: tuple[int, ...] | None) -> None:
    for cls in layer_types():
        layer = cls.suggested(shape)
        if shape is not None and len(shape) == 3 and layer.min_inputs < 2:
            fault = layer.fault((shape,))
            # A layer that works on rows of features offers the flatten before it.
            assert fault is None or all(isinstance(s, InsertBefore) for s in fault.suggestions), fault
