"""What is written out for receptive field, stride and centre evaluates to what inference computed."""

from fractions import Fraction

import pytest

from explorer.architecture import Architecture, edits
from explorer.inference import infer
from explorer.inference.field_arithmetic import field_arithmetic
from explorer.zoo.lenet import lenet5
from tests.networks import branching


def evaluated(written: str) -> Fraction:
    """The value of a written calculation."""
    python = written.replace("·", "*").replace("−", "-").replace(" / 2", " * Fraction(1, 2)")
    return Fraction(eval(python, {"max": max, "min": min, "Fraction": Fraction}))


@pytest.mark.parametrize(
    "architecture",
    [
        lenet5(),
        branching(),
        branching(3, 33),
        edits.set_value(branching(), "layer1.0.conv1", "kernel_size", (5, 3)),
        edits.set_value(branching(), "aux.conv", "padding", (2, 0)),
    ],
    ids=["lenet5", "branching", "odd", "axes differ", "padding differs"],
)
def test_every_line_evaluates_to_the_field(architecture: Architecture) -> None:
    nodes = infer(architecture).nodes
    for node in architecture:
        report = nodes[node.id]
        field = report.receptive_field
        if field is None:
            continue
        lines = field_arithmetic(report, [nodes[source] for source in node.inputs])
        expected = {
            "receptive field": field.size,
            "output stride": field.stride,
            "first pixel seen": field.start,
            "centre": field.center,
        }
        found = {line.what: line for line in lines}
        for what, (height, width) in expected.items():
            by_axis = [found.get(what) or found[f"{what}, {axis}"] for axis in ("height", "width")]
            assert [line.result for line in by_axis] == [height, width], node.id
            for line in by_axis:
                assert evaluated(line.values) == line.result, (node.id, line)


def test_the_centre_of_a_3x3_window_without_padding_is_its_middle_pixel() -> None:
    architecture = edits.set_value(lenet5(), "conv1", "kernel_size", (3, 4))
    field = infer(architecture).nodes["conv1"].receptive_field
    assert field is not None
    assert field.center == (1, Fraction(3, 2))
