"""From an architecture to everything that follows from it, in closed form: no torch, one pass, nothing raised.

Reports of the last inference are reused as the same objects where neither the layer nor what arrives has changed, so
an edit costs what it changes, and views can diff by identity.
"""

import math
from functools import partial

from explorer.architecture import Architecture, Node, edits
from explorer.inference.report import Inference, Issue, NodeReport, ReceptiveField, Repair, Totals
from explorer.layers import Add, Conv2d, Fault, SetValue, Shape, Window, format_shape
from explorer.layers.layer import POINTWISE

_BYTES_PER_VALUE = 4  # float32
_INPUT_FIELD = ReceptiveField(1, 1, (1, 1), (0, 0))


def infer(architecture: Architecture, previous: Inference | None = None) -> Inference:
    """Shapes, counts, costs, receptive fields and issues of every node.

    Args:
        previous: the inference of an earlier version; its reports are reused where they still hold.
    """
    known = previous.nodes if previous is not None else {}
    reports: dict[str, NodeReport] = {}
    parameters = buffers = macs = output_bytes = 0
    complete = True
    for node in architecture.nodes:
        arriving = tuple([reports[source] for source in node.inputs])
        report = _report(node, arriving, known.get(node.id))
        reports[node.id] = report
        if report.num_parameters is not None:
            parameters += report.num_parameters
            buffers += report.num_buffers or 0
        if report.output_shape is None:
            complete = False
        else:
            macs += report.macs or 0
            output_bytes += report.output_bytes or 0
    return Inference(reports, Totals(parameters, buffers, macs, output_bytes, complete))


def _report(node: Node, arriving: tuple[NodeReport, ...], old: NodeReport | None) -> NodeReport:
    layer = node.layer
    shapes = tuple([report.output_shape for report in arriving])
    same = old is not None and old.layer is layer and old.input_shapes == shapes
    if same and old is not None and old.output_shape is None:
        return old
    if None in shapes:
        return NodeReport(layer, shapes, None, None, None, None, None, None, ())
    inputs: tuple[Shape, ...] = shapes  # type: ignore[assignment]  # None was just excluded
    fields = [report.receptive_field for report in arriving]
    if same and old is not None:
        field = _receptive_field(layer.window(inputs), fields) if fields else old.receptive_field
        return old if field == old.receptive_field else old._replace(receptive_field=field)
    if fault := layer.fault(inputs):
        issue = _issue(node, inputs, fault, "error")
        return NodeReport(layer, inputs, None, None, None, None, None, None, (issue,))
    output = layer.output_shape(inputs)
    field = _receptive_field(layer.window(inputs), fields) if fields else _INPUT_FIELD
    warning = layer.warning(inputs)
    return NodeReport(
        layer,
        inputs,
        output,
        layer.num_parameters(inputs),
        layer.num_buffers(inputs),
        layer.macs(inputs, output),
        math.prod(output) * _BYTES_PER_VALUE,
        field,
        (_issue(node, inputs, warning, "warning"),) if warning else (),
    )


def _receptive_field(window: Window, fields: list[ReceptiveField | None]) -> ReceptiveField | None:
    """The field behind `window` over the union of what arrives; None where a branch's is unknown."""
    first = fields[0]
    if first is None:
        return None
    if len(fields) > 1:
        for other in fields[1:]:
            if other is None:
                return None
            if other != first:
                first = _union(first, other)
    if window is POINTWISE:
        return first
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = window
    jump_h, jump_w = first.stride
    return ReceptiveField(
        first.height + (kh - 1) * dh * jump_h,
        first.width + (kw - 1) * dw * jump_w,
        (jump_h * sh, jump_w * sw),
        (first.start[0] - ph * jump_h, first.start[1] - pw * jump_w),
    )


def _union(a: ReceptiveField, b: ReceptiveField) -> ReceptiveField:
    top, left = min(a.start[0], b.start[0]), min(a.start[1], b.start[1])
    bottom = max(a.start[0] + a.height, b.start[0] + b.height)
    right = max(a.start[1] + a.width, b.start[1] + b.width)
    stride = (max(a.stride[0], b.stride[0]), max(a.stride[1], b.stride[1]))
    return ReceptiveField(bottom - top, right - left, stride, (top, left))


def _issue(node: Node, inputs: tuple[Shape, ...], fault: Fault, severity: str) -> Issue:
    repairs = []
    for suggestion in fault.suggestions:
        if isinstance(suggestion, SetValue):
            edit = partial(edits.set_value, node_id=node.id, name=suggestion.name, value=suggestion.value)
        else:
            edit = partial(edits.insert_before, node_id=node.id, layer=suggestion.layer, port=suggestion.port)
        repairs.append(Repair(suggestion.text, edit))
    if isinstance(node.layer, Add):
        repairs += _projections(node, inputs)
    return Issue(node.id, "error" if severity == "error" else "warning", fault.message, tuple(repairs))


def _projections(node: Node, inputs: tuple[Shape, ...]) -> list[Repair]:
    """Repairs of an addition: a 1×1 convolution that brings one branch to another's shape (He et al. 2016, 3.3)."""
    repairs = []
    if len(inputs) != 2 or any(len(shape) != 3 for shape in inputs):
        return []
    for port in (1, 0):
        there, wanted = inputs[port], inputs[1 - port]
        stride = tuple(max(1, -(-there[axis] // wanted[axis])) for axis in (1, 2))
        reached = tuple((there[axis] - 1) // stride[axis - 1] + 1 for axis in (1, 2))
        if reached != wanted[1:]:
            continue
        layer = Conv2d(out_channels=wanted[0], kernel_size=(1, 1), stride=(stride[0], stride[1]), bias=False)
        text = f"project {node.inputs[port]} with 1×1"
        if stride != (1, 1):
            text += f", stride {stride[0]}" if stride[0] == stride[1] else f", stride {format_shape(stride)}"
        repairs.append(Repair(text, partial(edits.insert_before, node_id=node.id, layer=layer, port=port)))
    return repairs
