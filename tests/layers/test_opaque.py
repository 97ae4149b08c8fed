"""A module that only torch knows: what is measured stays with it, and is all that is said of it."""

import pytest

from explorer.layers import Kept, Layer, Measurement, ModuleCall, Opaque

SHAPE = (4, 8, 8)
KNOWN = Measurement(
    inputs=(SHAPE,), output=(2, 8, 8), num_parameters=5, num_buffers=3, macs=7, kept=Kept(inputs=(0,), values=9)
)
GLU = Opaque(module="GLU", arguments="dim=1", measured=(KNOWN,))


def test_what_was_measured_is_said_and_nothing_else() -> None:
    assert GLU.fault((SHAPE,)) is None
    assert GLU.output_shape((SHAPE,)) == (2, 8, 8)
    assert (GLU.num_parameters((SHAPE,)), GLU.num_buffers((SHAPE,)), GLU.macs((SHAPE,), (2, 8, 8))) == (5, 3, 7)
    assert GLU.kept((SHAPE,), (2, 8, 8)) == KNOWN.kept
    assert {line.what: line.result for line in GLU.arithmetic((SHAPE,), (2, 8, 8))} == {
        "parameters": 5, "buffers": 3, "multiply-accumulates": 7,
    }  # fmt: skip
    fault = GLU.fault(((4, 9, 9),))
    assert fault is not None
    assert fault.message == "GLU has not been measured for 4×9×9: its output is not known yet"
    assert GLU.call((SHAPE,)) == ModuleCall("GLU", {"dim": 1})


def test_the_reason_why_torch_refuses_is_the_fault() -> None:
    refused = GLU.with_measurement(Measurement(inputs=((3, 8, 8),), reason="torch refuses: must be even"))
    fault = refused.fault(((3, 8, 8),))
    assert fault is not None
    assert fault.message == "GLU: torch refuses: must be even"
    assert refused.fault((SHAPE,)) is None


def test_another_module_or_argument_is_not_what_was_measured() -> None:
    assert GLU.with_value("arguments", "dim=2").measured == ()
    assert GLU.with_value("module", "Softsign").measured == ()
    assert GLU.with_value("arguments", "dim=1").measured == (KNOWN,)


def test_a_new_measurement_takes_the_place_of_the_old_and_the_oldest_go() -> None:
    again = GLU.with_measurement(KNOWN._replace(num_parameters=6))
    assert [m.num_parameters for m in again.measured] == [6]
    layer = GLU
    for size in range(1, 40):
        layer = layer.with_measurement(KNOWN._replace(inputs=((4, size, size),)))
    assert len(layer.measured) == 16
    assert layer.measured[-1].inputs == ((4, 39, 39),)


def test_measurements_are_no_hyper_parameter() -> None:
    assert [parameter.name for parameter in Opaque.hyper_parameters] == ["module", "arguments"]
    assert GLU.values() == {"module": "GLU", "arguments": "dim=1"}
    with pytest.raises(ValueError, match="no hyper-parameter 'measured'"):
        GLU.with_value("measured", ())


def test_a_measurement_comes_back_from_plain_data() -> None:
    assert Measurement.from_plain(KNOWN.to_plain(), "here") == KNOWN
    assert hash(Opaque(module="GLU", arguments="dim=1", measured=[KNOWN.to_plain()])) == hash(GLU)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"inputs": []}, r"measured\[0\]\.inputs received \[\]"),
        ({"inputs": [[0, 8, 8]]}, r"measured\[0\]\.inputs received \[0, 8, 8\]; use whole numbers from 1"),
        ({"output": "2x8"}, r"measured\[0\]\.output received '2x8'"),
        ({"macs": -1}, r"measured\[0\]\.macs received -1"),
        ({"kept": {"inputs": [0], "more": 1}}, r"measured\[0\]\.kept has no 'more'"),
        ({"kept": {"output": 1}}, r"measured\[0\]\.kept\.output received 1; use true or false"),
        ({"cost": 1}, r"measured\[0\] has no 'cost'"),
    ],
)
def test_a_broken_measurement_says_where(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Opaque(module="GLU", arguments="dim=1", measured=({**KNOWN.to_plain(), **changes},))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ("", {}),
        ("dim=1", {"dim": 1}),
        ("a=(1, [2, -3.5]), b='x', c=None, d=True,", {"a": (1, [2, -3.5]), "b": "x", "c": None, "d": True}),
    ],
)
def test_arguments_are_plain_values_by_name(arguments: str, values: dict[str, object]) -> None:
    assert Opaque(module="GLU", arguments=arguments).call((SHAPE,)).arguments == values


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("dim=1,,", "cannot be read from character 7 on, ','"),
        ("dim=1) or f(a=2", "use names and values"),
        ("1", "received 1 at character 1, which has no name; write it like dim=1"),
        ("**{}", "received {} without a name"),
        ("dim=__import__('os').getcwd()", r"dim received __import__\('os'\).getcwd\(\); use a number"),
        ("dim={1: 2}", r"dim received \{1: 2\}; use a number"),
        ("eps=1e999", "eps received 1e999; use a number"),
        ("dim=1, dim=2", "name dim twice"),
        ("device='cuda'", "device is the run's to choose"),
        ("a=" + "1" * 2000, "received 2,002 characters; use at most 1,000"),
    ],
)
def test_other_arguments_are_refused_with_their_place(arguments: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"Opaque: .*{says}"):
        Opaque(module="GLU", arguments=arguments)


@pytest.mark.parametrize("module", ["", "nn.GLU", "__class__", "class", "G L U"])
def test_a_module_is_named_by_one_word(module: str) -> None:
    with pytest.raises(ValueError, match=r"use the name of a class of torch\.nn, like GLU"):
        Opaque(module=module)


def test_it_is_a_layer_like_others() -> None:
    assert isinstance(Opaque.suggested(SHAPE), Layer)
