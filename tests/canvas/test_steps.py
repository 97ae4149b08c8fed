"""The steppers' arithmetic on every layer type and any value: nothing raises, and what it gives is a layer."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.canvas import steps
from explorer.canvas.card import card
from explorer.layers import Conv2d, Dropout, HyperParameter, Kind, Layer, Permute, layer_types

_SMALL = st.integers(-3, 9)


def a_value(parameter: HyperParameter) -> st.SearchStrategy[object]:
    """Values of a kind, also some that the layer refuses."""
    least = 0 if parameter.minimum is None else int(parameter.minimum)
    whole = st.integers(max(least, -3), max(least, -3) + 12)
    kinds: dict[Kind, st.SearchStrategy[object]] = {
        Kind.INTEGER: st.one_of(whole, st.just(parameter.maximum)),
        Kind.FOLLOWS: st.one_of(st.none(), whole),
        Kind.PAIR: st.tuples(whole, whole),
        Kind.REAL: st.one_of(st.sampled_from([0.0, 1e-12, 1e-5, 0.5, 1.0]), st.floats(-2, 2)),
        Kind.FLAG: st.booleans(),
        Kind.CHOICE: st.sampled_from(parameter.options or ("",)),
        Kind.PADDING: st.one_of(
            st.sampled_from(["same", "valid"]), st.tuples(_SMALL, _SMALL), st.tuples(_SMALL, _SMALL, _SMALL, _SMALL)
        ),
        Kind.INTEGERS: st.lists(_SMALL, min_size=1, max_size=4),
        Kind.CONNECTIONS: st.lists(st.sets(st.integers(0, 5), min_size=1).map(list), min_size=1, max_size=6),
        Kind.TEXT: st.sampled_from(["GLU", "", "dim=1", "not a name"]),
    }
    return kinds[parameter.kind]


@st.composite
def a_layer(draw: st.DrawFn, layer_type: type[Layer]) -> Layer:
    layer = layer_type.suggested(draw(st.sampled_from([None, (4, 9, 9), (10,)])))
    for parameter in layer.hyper_parameters:
        try:
            layer = layer.with_value(parameter.name, draw(a_value(parameter)))
        except ValueError:
            continue  # refused alone or beside its others: the layer keeps what it had
    return layer


@pytest.mark.parametrize("layer_type", layer_types(), ids=lambda t: t.__name__)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_value_of_every_layer_reads_and_steps(layer_type: type[Layer], data: st.DataObject) -> None:
    layer = data.draw(a_layer(layer_type))
    assert "None" not in steps.summary(layer)
    for parameter in layer.hyper_parameters:
        name = parameter.name
        assert "None" not in steps.text(layer, name)
        assert steps.written(layer, name)
        for count in (1, -1, 10, -1000):
            after = steps.stepped(layer, name, count)
            assert type(after) is layer_type
            assert parameter.check(getattr(after, name), name) == getattr(after, name)
            others = {n: v for n, v in after.values().items() if n != name}
            assert others == {n: v for n, v in layer.values().items() if n != name}
        if parameter.kind in {Kind.INTEGER, Kind.PAIR} and steps.stepped(layer, name, 1) != layer:
            assert steps.stepped(steps.stepped(layer, name, 1), name, -1) == layer


@pytest.mark.parametrize("layer_type", layer_types(), ids=lambda t: t.__name__)
def test_the_controls_of_a_card_lie_beside_each_other_and_leave_room(qapp: object, layer_type: type[Layer]) -> None:
    made = card(layer_type, "Sans,10")
    rects = [stepper.rect for stepper in made.steppers]
    assert [s.name for s in made.steppers] == [p.name for p in steps.on_node(layer_type)]
    assert all(a.right() <= b.left() + 0.5 for a, b in pairwise(rects))
    assert all(made.rect.contains(rect) and rect.right() < made.maps.left() for rect in rects)


def test_what_sets_a_layer_apart_is_told_beside_its_type() -> None:
    plain = Conv2d(out_channels=8, kernel_size=(3, 3))
    assert steps.summary(plain) == ""
    assert steps.summary(plain.with_value("groups", 4).with_value("bias", False)) == "groups 4  no bias"
    assert steps.summary(Dropout()) == "p 0.5"
    assert steps.summary(Permute(dims=(2, 3, 1))) == "2 3 1"
