"""Merges: broadcasting, faults and what is kept, against torch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import layers as L  # noqa: N812
from explorer.layers import Shape, layer_type
from explorer.runtime.operators import OPERATORS
from tests.runtime.saved import saved_bytes

_BATCH = 3
ELEMENTWISE = ("Add", "Mul", "Sub")


@st.composite
def _shapes(draw: st.DrawFn) -> tuple[Shape, ...]:
    """Two to four shapes of one number of dimensions that mostly agree or are 1."""
    full = draw(st.sampled_from([(4, 5, 6), (4, 5, 6), (7,), (4, 9)]))
    count = draw(st.integers(2, 4))
    return tuple(tuple(draw(st.sampled_from([size, size, size, 1, 2])) for size in full) for _ in range(count))


@pytest.mark.parametrize("name", ELEMENTWISE)
@settings(max_examples=80, deadline=None, derandomize=True)
@given(shapes=_shapes())
def test_it_broadcasts_as_torch_does(name: str, shapes: tuple[Shape, ...]) -> None:
    layer = layer_type(name)()
    call = layer.call(shapes)
    assert isinstance(call, L.OperatorCall)
    tensors = [torch.rand(_BATCH, *shape) for shape in shapes]
    try:
        result = OPERATORS[call.name](*tensors)
    except RuntimeError:
        assert layer.fault(shapes) is not None
        return
    assert layer.fault(shapes) is None
    assert layer.output_shape(shapes) == tuple(result.shape[1:])
    kept = layer.kept(shapes, layer.output_shape(shapes))
    values = sum(torch.Size(shapes[port]).numel() for port in kept.inputs) + kept.values
    # A tensor of one value for each image is a scalar to no operation here: all that is multiplied is saved.
    assert saved_bytes(OPERATORS[call.name], tensors) == 4 * _BATCH * values


def test_channels_are_scaled_by_one_value_each() -> None:
    assert L.Mul().output_shape(((32, 7, 9), (32, 1, 1))) == (32, 7, 9)
    (line,) = (line for line in L.Mul().arithmetic(((32, 7, 7), (32, 7, 1)), (32, 7, 7)) if line.what == "dimension 3")
    assert line.values == "max(7, 1)"
    assert line.result == 7


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_unlike_dimensions_would_meet_across_the_batch(name: str) -> None:
    layer = layer_type(name)()
    fault = layer.fault(((8, 4, 4), (8,)))
    assert fault is not None
    assert "8×4×4 and 8" in fault.message


def test_a_fault_names_what_arrived() -> None:
    fault = L.Add().fault(((16, 8, 8), (32, 8, 8)))
    assert fault is not None
    assert fault.message == "cannot add 16×8×8 and 32×8×8: each size must agree or be 1; use one shape"
    fault = L.Sub().fault(((16, 8, 8), (32, 8, 8)))
    assert fault is not None
    assert fault.message.startswith("cannot subtract 16×8×8 and 32×8×8")


def test_a_concatenation_offers_the_dimensions_that_fit() -> None:
    fault = L.Concat().fault(((8, 4, 6), (8, 5, 6)))
    assert fault is not None
    assert [suggestion.text for suggestion in fault.suggestions] == ["dim 2"]
    assert L.Concat(dim=2).output_shape(((8, 4, 6), (8, 5, 6))) == (8, 9, 6)
    fault = L.Concat(dim=3).fault(((8,), (5,)))
    assert fault is not None
    assert [suggestion.text for suggestion in fault.suggestions] == ["dim 1"]
