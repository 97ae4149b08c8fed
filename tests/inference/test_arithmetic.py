"""Every number of a node's report is written out, and what is written evaluates to it."""

import re
from fractions import Fraction

import pytest

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.inference import arithmetic, infer
from explorer.layers import Add, Upsample
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv
from tests.networks import branching


def strided_upsampling() -> Architecture:
    """Windows between pixels that lie two apart, and branches of unlike strides."""
    net = Builder("between", 3, 33, 29)
    coarse = net.add("conv", conv(4, 3, 2))
    net.add("up", Upsample(scale_height=1.5, scale_width=1.25, mode="bilinear"))
    net.add("next", conv(4, 3))
    net.add("pool", adaptive_avg_pool(7))
    other = net.add("other", adaptive_avg_pool(7), after=coarse)
    net.add("add", Add(), after=("pool", other))
    return net.build()


def evaluated(written: str) -> Fraction:
    """The value of a written calculation, fractions whole."""
    python = re.sub(r"\d+", r"Fraction(\g<0>)", written.replace("·", "*").replace("−", "-"))
    return Fraction(eval(python, {"max": max, "min": min, "Fraction": Fraction}))


@pytest.mark.parametrize(
    "net",
    [
        branching(),
        branching(3, 33),
        strided_upsampling(),
        edits.set_value(branching(), "aux.conv", "kernel_size", (5, 3)),
        *(zoo.entry(name).build() for name in ("lenet5", "alexnet", "googlenet", "mobilenet-v2", "efficientnet-b0")),
    ],
    ids=lambda net: net.name,
)
def test_every_number_is_written_out(net: Architecture) -> None:
    nodes = infer(net).nodes
    for node in net:
        report = nodes[node.id]
        lines = {line.what: line for line in arithmetic(report, tuple(nodes[i] for i in node.inputs))}
        results = {what: line.result for what, line in lines.items()}
        assert results["output bytes"] == report.output_bytes
        assert results.get("FLOPs", 0) == report.flops
        assert all(line.source for line in lines.values())
        field, kept = report.receptive_field, report.kept
        assert field is not None
        assert kept is not None
        numbers = {"receptive field": field.size, "output stride": field.stride, "first pixel seen": field.start}
        for what, (height, width) in {**numbers, "centre": field.center}.items():
            by_axis = [results.get(what, results.get(f"{what}, {axis}")) for axis in ("height", "width")]
            assert by_axis == [height, width], (node.id, what)
        for what in ("output bytes", "FLOPs", "kept for backward", "kept for any batch"):
            if what in lines:
                assert evaluated(lines[what].values) == results[what]
        for line in lines.values():
            if line.what.startswith(("receptive", "output stride", "first", "centre")):
                assert evaluated(line.values) == line.result, (node.id, line)
        inputs = [nodes[node.inputs[port]].output_bytes or 0 for port in kept.inputs]
        own = (report.output_bytes or 0) if kept.output else 0
        assert results.get("kept for backward", 0) == sum(inputs) + own + 4 * kept.values + kept.num_bytes
        assert results.get("kept for any batch", 0) == kept.batch_bytes


def test_nothing_is_written_of_a_node_behind_a_fault() -> None:
    net = edits.set_value(branching(), "stem.conv", "kernel_size", (99, 99))
    nodes = infer(net).nodes
    assert arithmetic(nodes["stem.conv"], (nodes["input"],)) == ()
    assert arithmetic(nodes["fc"], (nodes["flatten"],)) == ()
