"""What layers suggest, tried: over random hyper-parameters and inputs every suggestion mends what it was made for."""

import math

import pytest
from hypothesis import HealthCheck, assume, given, settings

from explorer.layers import Add, Concat, InsertBefore, Layer, Mul, SetValue, Shape, Sub, Suggestion, layer_type
from tests.runtime import cases_pointwise, cases_reshape
from tests.runtime.cases import Case

SINGLE: dict[str, Case] = {
    name: case
    for name, case in {**cases_pointwise.CASES, **cases_reshape.CASES}.items()
    if name not in {cls.__name__ for cls in (Add, Concat, Mul, Sub)}
}
# Nothing about the layer itself mends these: other maps must arrive.
HOPELESS = {"BatchNorm2d", "InstanceNorm2d", "LayerNorm2d", "LayerScale", "LocalResponseNorm", "ChannelShuffle"}
HOPELESS |= {"PixelShuffle", "Upsample", "Flatten", "Pad"}


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_what_is_suggested_mends(name: str) -> None:
    case = SINGLE[name]

    @settings(
        max_examples=min(150, case.max_examples),
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(values=case.values, shape=case.shapes)
    def mends(values: dict[str, object], shape: Shape) -> None:
        layer = layer_type(name)(**values)
        fault = layer.fault((shape,))
        if fault is not None:
            assert fault.suggestions or name in HOPELESS, fault
            for suggestion in fault.suggestions:
                _lead_to_no_fault(layer, shape, suggestion, fault.message)
            return
        for remark in layer.remarks((shape,), layer.output_shape((shape,))):
            for suggestion in remark.suggestions:
                changed, arriving = _applied(layer, shape, suggestion)
                assert changed.fault((arriving,)) is None, suggestion
                left = changed.remarks((arriving,), changed.output_shape((arriving,)))
                assert remark.message not in {other.message for other in left}, suggestion

    mends()


def _lead_to_no_fault(layer: Layer, shape: Shape, suggestion: Suggestion, message: str) -> None:
    """Where several things were wrong, the first repairs of the faults that follow mend them one by one."""
    for _ in range(8):
        layer, shape = _applied(layer, shape, suggestion)
        left = layer.fault((shape,))
        if left is None:
            return
        assert left.message != message, suggestion
        if not left.suggestions:
            assert layer.type_name in HOPELESS, left
            return
        suggestion, message = left.suggestions[0], left.message
    pytest.fail(f"the repairs of {layer} lead nowhere")


def _applied(layer: Layer, shape: Shape, suggestion: Suggestion) -> tuple[Layer, Shape]:
    if isinstance(suggestion, SetValue):
        return layer.with_value(suggestion.name, suggestion.value), shape
    assert isinstance(suggestion, InsertBefore)
    return layer, suggestion.layer.output_shape((shape,))


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_arithmetic_names_what_layers_say_of_themselves(name: str) -> None:
    case = SINGLE[name]

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
    )
    @given(values=case.values, shape=case.shapes)
    def agrees(values: dict[str, object], shape: Shape) -> None:
        layer = layer_type(name)(**values)
        assume(layer.fault((shape,)) is None)
        output = layer.output_shape((shape,))
        found = {line.what: line for line in layer.arithmetic((shape,), output)}
        counts = {"parameters": layer.num_parameters((shape,)), "buffers": layer.num_buffers((shape,))}
        counts["multiply-accumulates"] = layer.macs((shape,), output)
        assert {what: count for what, count in counts.items() if count} == {
            what: line.result for what, line in found.items() if what in counts
        }
        for line in found.values():
            assert line.result in {*counts.values(), *output}
            assert _computed(line.values) in {None, line.result}, line

    agrees()


def _computed(written: str) -> float | None:
    """What the written calculation comes to; None where it is written in words."""
    words = {"·": "*", "−": "-", "²": "**2", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", ",": ", "}
    for mark, meaning in words.items():
        written = written.replace(mark, meaning)
    if not set(written) <= set("0123456789+-*/(). ,floceimn"):
        return None
    return float(eval(written, {"__builtins__": {}}, {"floor": math.floor, "ceil": math.ceil, "min": min}))
