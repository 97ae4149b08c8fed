"""Every number that a layer with a window writes out: what stands there, computed, is the result beside it."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from explorer.layers import AvgPool2d, Layer, MaxPool2d, Shape
from tests.layers.test_windows import LAYERS

_AS_PYTHON = {"⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "·": "*", "−": "-"}


def _computed(values: str) -> float:
    for sign, text in _AS_PYTHON.items():
        values = values.replace(sign, text)
    result: float = eval(values, {"__builtins__": {}}, {"floor": math.floor, "ceil": math.ceil, "max": max})
    return result


@pytest.mark.parametrize("name", sorted(LAYERS.keys() - {"AdaptiveAvgPool2d"}))
def test_what_is_written_out_is_what_results(name: str) -> None:
    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(layer=LAYERS[name], shape=st.tuples(st.just(6), st.integers(3, 20), st.integers(3, 20)))
    def results(layer: Layer, shape: Shape) -> None:
        assume(layer.fault((shape,)) is None)
        output = layer.output_shape((shape,))
        lines = layer.arithmetic((shape,), output)
        for line in lines:
            assert _computed(line.values) == line.result, line
        found = {line.what: line.result for line in lines}
        both = found.get("output height and width")
        assert found.get("output height", both) == output[1]
        assert found.get("output width", both) == output[2]
        if layer.num_parameters((shape,)):
            assert found["parameters"] == layer.num_parameters((shape,))
        if layer.macs((shape,), output):
            assert found["multiply-accumulates"] == layer.macs((shape,), output)

    results()


def test_a_last_window_that_is_left_out_says_why() -> None:
    layer = MaxPool2d(kernel_size=(2, 2), stride=(3, 3), padding=(1, 1), ceil_mode=True)
    (line,) = layer.arithmetic(((4, 5, 5),), layer.output_shape(((4, 5, 5),)))
    assert (line.values, line.result) == ("⌈(5 + 2·1 − 2) / 3⌉ + 1 − 1", 2)
    assert "a last window that would start behind the input is left out" in line.formula
    layer = layer.with_value("ceil_mode", False)
    (line,) = layer.arithmetic(((4, 5, 5),), layer.output_shape(((4, 5, 5),)))
    assert (line.values, line.result) == ("⌊(5 + 2·1 − 2) / 3⌋ + 1", 2)


def test_a_window_larger_than_the_input_may_hang_over_with_ceil_mode() -> None:
    layer = AvgPool2d(kernel_size=(3, 3), stride=(2, 2))
    fault = layer.fault(((4, 2, 2),))
    assert fault is not None
    assert [s.text for s in fault.suggestions] == ["kernel_size 2", "padding 1", "ceil_mode"]
    assert layer.with_value("ceil_mode", True).output_shape(((4, 2, 2),)) == (4, 1, 1)
