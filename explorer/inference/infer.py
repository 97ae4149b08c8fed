"""From an architecture to everything that follows from it, in closed form: no torch, one pass, nothing raised.

Reports of the last inference are reused as the same objects where neither the layer nor what arrives has changed, so
an edit costs what it changes, and views can diff by identity.
"""

import math
from typing import NamedTuple

from explorer.architecture import Architecture, Node
from explorer.inference.advice import ADVISED, Neighbours, OnShapes, shape_advice
from explorer.inference.faults import fault_issue
from explorer.inference.heads import role_advice
from explorer.inference.receptive_field import IMAGE_FIELD, behind
from explorer.inference.repairs import issue_of, suggested
from explorer.inference.report import Context, Inference, Issue, NodeReport, Totals
from explorer.layers import Fault, Kept, Layer, Remark, Shape, Window
from explorer.layers.layer import KEEPS_NOTHING, POINTWISE

_BYTES_PER_VALUE = 4  # float32
_FIELD = NodeReport._fields.index("receptive_field")


class _Numbers(NamedTuple):
    """What follows from a layer and the shapes that arrive alone: worked out once for equal layers and shapes."""

    layer: Layer
    fault: Fault | None
    counts: tuple[Shape, int, int, int, int]
    """The report's output shape, parameters, buffers, multiply-accumulates and bytes."""
    window: Window
    kept: Kept
    remarks: tuple[Remark, ...]
    advise: OnShapes | None
    """What else is to be said of a node that takes these shapes."""


_memo: dict[tuple[int, tuple[Shape, ...]], _Numbers] = {}
"""By the layer's identity, which needs no hash of its values and holds while its numbers are kept, and what arrives.

Networks repeat their blocks, and a value that is turned comes back to where it was, so most of an edit is looked up.
"""
_MOST_REMEMBERED = 4096


def infer(architecture: Architecture, previous: Inference | None = None) -> Inference:
    """Shapes, counts, costs, receptive fields and issues of every node.

    Args:
        previous: the inference of an earlier version; its reports are reused where they still hold.
    """
    known = (previous.nodes if previous is not None else {}).get
    structure = architecture.structure
    roles = {node_id: role for role, node_id in enumerate(architecture.outputs)}.get
    reports: list[NodeReport] = []
    make = tuple.__new__
    memo = _memo
    parameters = trainable = buffers = macs = output_bytes = 0
    complete = True
    # This loop runs for each node at each edit: what is written out here instead of called is what took the time.
    for node, sources, is_read in zip(architecture.nodes, structure.sources, structure.is_read, strict=True):
        node_id, layer = node.id, node.layer
        shapes: tuple[Shape | None, ...]
        if len(sources) == 1:
            first = reports[sources[0]]
            arriving, shapes = [first], (first.output_shape,)
        else:
            arriving = [reports[source] for source in sources]
            shapes = tuple([report.output_shape for report in arriving])
        role = roles(node_id)
        advised: tuple[Issue, ...] = ()
        if arriving and (look := ADVISED.get((type(arriving[0].layer), type(layer)))) is not None:
            advised = look(Neighbours(architecture, node, arriving))
        if (role is not None or not is_read) and None not in shapes:
            advised += role_advice(architecture, node, role, is_read, arriving)
        old = known(node_id)
        context: Context | None = None
        is_same = False
        if old is not None:
            before = old.context
            if before.node is node and before.role == role and before.is_read is is_read and before.advice == advised:
                context, is_same = before, old.input_shapes == shapes
        if context is None:
            context = Context(node, role, is_read, advised)
        if None in shapes:
            complete = False
            if is_same and old is not None:
                reports.append(old)
            else:
                reports.append(NodeReport(layer, context, shapes, None, None, None, None, None, None, None, ()))
            continue
        inputs: tuple[Shape, ...] = shapes  # type: ignore[assignment]  # None was just excluded
        key = (id(layer), inputs)
        numbers = memo.get(key)
        if numbers is None:
            if len(memo) >= _MOST_REMEMBERED:
                memo.clear()
            numbers = memo[key] = _numbers(layer, inputs)
        if numbers.fault is not None:
            complete = False
            # What mends a fault may change with any node before it, so that it is looked for again.
            issue = fault_issue(architecture, reports, node, numbers.fault, inputs)
            if is_same and old is not None and old.issues == (issue,):
                reports.append(old)
            else:
                reports.append(NodeReport(layer, context, inputs, None, None, None, None, None, None, None, (issue,)))
            continue
        if numbers.window is POINTWISE and len(arriving) == 1:
            field = arriving[0].receptive_field
        elif arriving:
            field = behind(numbers.window, [r.receptive_field for r in arriving], inputs)
        else:
            field = IMAGE_FIELD
        if not is_same or old is None:
            issues = advised
            if numbers.remarks or numbers.advise is not None:
                issues = _remarks(node, inputs, numbers) + advised
            # What `NodeReport(...)` does, without the call that unpacks its arguments by name.
            report = make(NodeReport, (layer, context, inputs, *numbers.counts, field, numbers.kept, issues))
        elif field == old.receptive_field:
            report = old
        else:
            # What `old._replace(receptive_field=field)` does, several times as fast.
            report = make(NodeReport, (*old[:_FIELD], field, *old[_FIELD + 1 :]))
        reports.append(report)
        _, num_parameters, num_buffers, its_macs, its_bytes = numbers.counts
        output_bytes += its_bytes
        macs += its_macs
        if num_parameters:
            parameters += num_parameters
            if not node.frozen:
                trainable += num_parameters
        buffers += num_buffers
    by_id = dict(zip(structure.index, reports, strict=True))
    return Inference(by_id, Totals(parameters, trainable, buffers, macs, output_bytes, complete))


def _remarks(node: Node, inputs: tuple[Shape, ...], numbers: _Numbers) -> tuple[Issue, ...]:
    """What the layer itself says of what it takes, and what else is to be said of such shapes."""
    issues = tuple([issue_of(node, r.severity, r.message, suggested(node, r.suggestions)) for r in numbers.remarks])
    return issues if numbers.advise is None else issues + numbers.advise(node, inputs)


def _numbers(layer: Layer, inputs: tuple[Shape, ...]) -> _Numbers:
    if fault := layer.fault(inputs):
        return _Numbers(layer, fault, ((), 0, 0, 0, 0), POINTWISE, KEEPS_NOTHING, (), None)
    output = layer.output_shape(inputs)
    counts = (
        output,
        layer.num_parameters(inputs),
        layer.num_buffers(inputs),
        layer.macs(inputs, output),
        math.prod(output) * _BYTES_PER_VALUE,
    )
    return _Numbers(
        layer,
        None,
        counts,
        layer.window(inputs),
        layer.kept(inputs, output),
        layer.remarks(inputs, output),
        shape_advice(layer, inputs),
    )
