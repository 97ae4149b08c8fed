"""Values as text, and what comes some steps on."""

import dataclasses

import pytest

from explorer.layers import BatchNorm2d, Conv2d, Dropout, HyperParameter, Kind, Layer
from explorer.look import values


def parameter(layer: type[Layer], name: str) -> HyperParameter:
    return next(p for p in layer.hyper_parameters if p.name == name)


@pytest.mark.parametrize(
    ("kind", "value", "short", "written"),
    [
        (Kind.INTEGER, 4096, "4096", "4,096"),
        (Kind.FOLLOWS, None, "auto", "auto"),
        (Kind.PAIR, (5, 5), "5", "5×5"),
        (Kind.PAIR, (7, 5), "7×5", "7×5"),
        (Kind.PADDING, (1, 1), "1", "1"),
        (Kind.PADDING, (3, 1), "3×1", "3×1"),
        (Kind.PADDING, (0, 1, 0, 1), "0/1", "top 0, bottom 1, left 0, right 1"),
        (Kind.PADDING, (-1, 1, 0, 2), "sides", "top −1, bottom 1, left 0, right 2"),
        (Kind.PADDING, (-1, -1, -1, -1), "−1", "top −1, bottom −1, left −1, right −1"),
        (Kind.PADDING, "same", "same", "same"),
        (Kind.REAL, 1e-5, "1e-05", "1e-05"),
        (Kind.REAL, 0.5, "0.5", "0.5"),
        (Kind.FLAG, False, "off", "off"),
        (Kind.CHOICE, "reflect", "reflect", "reflect"),
        (Kind.INTEGERS, (1, -1), "1 −1", "1, −1"),
        (Kind.CONNECTIONS, ((0, 1), (2,)), "3", "3 connections of 2 outputs"),
        (Kind.TEXT, "GLU", "GLU", "GLU"),
        (Kind.TEXT, "", "", "–"),
    ],
)
def test_every_kind_reads_short_on_a_card_and_whole_in_the_history(
    kind: Kind, value: object, short: str, written: str
) -> None:
    assert values.short(kind, value, as_one=True) == short
    assert values.written(kind, value) == written


def test_magnitudes_step_through_one_two_five() -> None:
    eps = parameter(BatchNorm2d, "eps")
    up = [values.moved_real(eps, 1e-5, count) for count in range(4)]
    assert up == [1e-5, 2e-5, 5e-5, 1e-4]
    assert values.moved_real(eps, 1e-4, -3) == 1e-5
    assert values.moved_real(eps, 3e-5, 1) == 5e-5
    assert values.moved_real(eps, 3e-5, -1) == 2e-5
    assert values.moved_real(eps, 0.0, 1) == 1e-5
    assert values.moved_real(eps, 1e-12, -1) == 0.0
    assert values.moved_real(eps, 1.0, 1) == eps.maximum


def test_other_real_numbers_step_without_dust_within_their_range() -> None:
    p = parameter(Dropout, "p")
    assert not values.is_magnitude(p)
    assert values.moved(p, 0.1, 1) == 0.15
    assert values.moved(p, 0.95, 9) == p.maximum


@pytest.mark.parametrize(
    ("padding", "count", "after"),
    [
        ((1, 1), 1, (2, 2)),
        ((1, 0), -1, (1, 0)),
        ((0, 0), -1, (0, 0)),
        ((3, 2), -5, (1, 0)),
        ((0, 1, 0, 1), 1, (1, 2, 1, 2)),
        ((-1, 0, 0, 0), -1, (-2, -1, -1, -1)),
        ((-1, -1, -1, -1), 1, (0, 0)),
        ("valid", 1, (1, 1)),
        ("valid", -1, "valid"),
        ("same", 1, (2, 2)),
        ("same", -1, (0, 0)),
    ],
)
def test_padding_steps_all_sides_together_and_never_crops_by_itself(padding: object, count: int, after: object) -> None:
    layer = Conv2d(out_channels=1, kernel_size=(3, 3)).with_value("padding", padding)
    assert values.moved(parameter(Conv2d, "padding"), padding, count, layer) == after


def test_same_adds_what_keeps_the_size_at_stride_one() -> None:
    layer = Conv2d(out_channels=1, kernel_size=(4, 3), dilation=(2, 1), padding="same")
    top, bottom, left, right = values.same_sides(layer) or (0, 0, 0, 0)
    shape = dataclasses.replace(layer, padding=(top, bottom, left, right)).output_shape(((1, 9, 7),))
    assert shape == layer.output_shape(((1, 9, 7),)) == (1, 9, 7)
    assert values.same_sides(Dropout()) is None
