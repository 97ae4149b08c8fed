"""A node's numbers with their calculation written out, the ones that need the whole graph included."""

import math

from explorer.inference.autocast import FLOAT32_BYTES
from explorer.inference.field_arithmetic import field_arithmetic
from explorer.inference.report import NodeReport
from explorer.layers import Arithmetic, Shape
from explorer.layers.layer import KEEPS_NOTHING

_KEPT_SOURCE = "torch.autograd.graph.saved_tensors_hooks; what several layers keep is in memory once"


def arithmetic(report: NodeReport, upstream: tuple[NodeReport, ...]) -> tuple[Arithmetic, ...]:
    """The calculations behind a node's report; none where a fault leaves it unknown.

    Args:
        upstream: the reports of the nodes that arrive, in order.
    """
    if report.output_shape is None or None in report.input_shapes:
        return ()
    inputs: tuple[Shape, ...] = report.input_shapes  # type: ignore[assignment]  # None was just excluded
    lines = list(report.layer.arithmetic(inputs, report.output_shape))
    sizes = "·".join(str(size) for size in report.output_shape)
    formula = {1: "features·4", 3: "C·H·W·4"}.get(len(report.output_shape), "values·4")
    lines.append(
        Arithmetic("output bytes", formula, f"{sizes}·4", math.prod(report.output_shape) * 4, "float32 has 4 bytes")
    )
    if report.macs and report.flops is not None:
        lines.append(
            Arithmetic(
                "FLOPs", "2·MACs", f"2·{report.macs}", report.flops, "torch.utils.flop_counter: multiply, and add"
            )
        )
    return (*lines, *_kept(report, upstream), *field_arithmetic(report, upstream))


def _kept(report: NodeReport, upstream: tuple[NodeReport, ...]) -> list[Arithmetic]:
    """What autograd keeps of the node for one image in float32, and what it keeps however many images there are."""
    kept = report.kept
    if kept is None or kept == KEEPS_NOTHING:
        return []
    terms: list[tuple[str, str, int]] = []
    for port in kept.inputs:
        num_bytes = upstream[port].output_bytes or 0
        terms.append(("input" if len(upstream) == 1 else f"input {port}", str(num_bytes), num_bytes))
    if kept.output:
        terms.append(("output", str(report.output_bytes), report.output_bytes or 0))
    if kept.values:
        terms.append(("values·4", f"{kept.values}·4", kept.values * FLOAT32_BYTES))
    if kept.num_bytes:
        terms.append(("masks and places", str(kept.num_bytes), kept.num_bytes))
    lines = []
    if terms:
        formula, values = " + ".join(term[0] for term in terms), " + ".join(term[1] for term in terms)
        lines.append(Arithmetic("kept for backward", formula, values, sum(term[2] for term in terms), _KEPT_SOURCE))
    if kept.batch_bytes:
        text = str(kept.batch_bytes)
        lines.append(Arithmetic("kept for any batch", "statistics", text, kept.batch_bytes, _KEPT_SOURCE))
    return lines
