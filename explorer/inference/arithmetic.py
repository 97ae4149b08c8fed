"""A node's numbers with their calculation written out, the ones that need the whole graph included."""

import math

from explorer.inference.report import NodeReport
from explorer.layers import Arithmetic, Shape


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
    lines.append(
        Arithmetic("output bytes", "C·H·W·4", f"{sizes}·4", math.prod(report.output_shape) * 4, "float32 has 4 bytes")
    )
    field, before = report.receptive_field, upstream[0].receptive_field if len(upstream) == 1 else None
    if field is not None and before is not None and field.size != before.size:
        k, d = report.layer.window(inputs).kernel_size, report.layer.window(inputs).dilation
        lines.append(
            Arithmetic(
                "receptive field",
                "r + (k − 1)·d·j",
                f"{before.height} + ({k[0]} − 1)·{d[0]}·{before.stride[0]}",
                field.height,
                "Araujo, Norris and Sim 2019, section 2",
            )
        )
    return tuple(lines)
