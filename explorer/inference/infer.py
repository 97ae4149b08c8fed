"""From an architecture to everything that follows from it, in closed form: no torch, one pass, nothing raised.

An edit costs what it changes: what a layer makes of a shape is looked up (`numbers`), what the graph alone says is kept
from the last inference while the graph is the same, and reports are made when somebody asks (`inference`).
"""

from collections.abc import Iterable, Sequence

from explorer.architecture import Architecture
from explorer.inference.advice import ADVISED, BY_SHAPE, Neighbours, OnEdge
from explorer.inference.faults import fault_issue
from explorer.inference.heads import role_advice
from explorer.inference.inference import Inference, Reports
from explorer.inference.numbers import Numbers, numbers_of
from explorer.inference.receptive_field import IMAGE_FIELD, ReceptiveField, behind
from explorer.inference.report import Totals
from explorer.layers import Shape
from explorer.layers.layer import POINTWISE


def infer(architecture: Architecture, previous: Inference | None = None) -> Inference:
    """Shapes, counts, costs, receptive fields and issues of every node.

    Args:
        previous: the inference of an earlier version; what it says of the graph is reused where it still holds.
    """
    index = architecture.structure.index
    roles = {index[node_id]: role for role, node_id in enumerate(architecture.outputs)}
    reports = Reports(architecture, roles)
    _pass(reports)
    _advise(reports, None if previous is None else previous.nodes)
    totals = _totals(reports)
    if not totals.complete:
        _find_repairs(reports)
    return Inference(reports, totals)


def _pass(reports: Reports) -> None:
    """Fill the columns of numbers and receptive fields."""
    architecture, numbers, fields = reports.architecture, reports.numbers, reports.fields
    structure = architecture.structure
    add_numbers, add_field, known_field = numbers.append, fields.append, _fields.get
    # This loop runs for each node at each edit: what is written out here instead of called is what took the time.
    for node, source in zip(architecture.nodes, structure.single, strict=True):
        layer = node.layer
        if source >= 0:
            arriving = numbers[source]
            its = arriving.readers.get(id(layer)) or numbers_of(layer, (arriving.output,))
            window, field = its.window, fields[source]
            if window is not POINTWISE and field is not None:
                known = known_field((id(window), id(field)))
                field = known[0] if known is not None else _field_behind(its, (field,))
        elif sources := structure.sources[len(numbers)]:
            its = numbers_of(layer, tuple([numbers[source].output for source in sources]))
            several = [fields[source] for source in sources]
            known = known_field((id(its), *map(id, several)))
            field = known[0] if known is not None else _field_behind(its, several)
        else:
            its, field = numbers_of(layer, ()), IMAGE_FIELD
        add_numbers(its)
        add_field(field)


def _find_repairs(reports: Reports) -> None:
    """Make the issues of layers that do not take what arrives: a repair may change any node before."""
    architecture = reports.architecture
    for position, its in enumerate(reports.numbers):
        if its.fault is not None:
            inputs: tuple[Shape, ...] = its.inputs  # type: ignore[assignment]  # a fault is found in known shapes
            node = architecture.nodes[position]
            reports.faults[position] = fault_issue(architecture, reports, node, its.fault, inputs)


_fields: dict[tuple[int, ...], tuple[ReceptiveField | None, object]] = {}
"""Receptive fields by the identities of what they follow from, and that, which must live as long as its identity.

One input: the window and the field that arrives. Several: the numbers, which stand for the shapes too, and the fields.
"""
_MOST_FIELDS = 4096


def _field_behind(numbers: Numbers, arriving: Sequence[ReceptiveField | None]) -> ReceptiveField | None:
    if len(_fields) >= _MOST_FIELDS:
        _fields.clear()
    by = numbers.window if len(arriving) == 1 else numbers
    field = None
    if numbers.output is not None:
        inputs: tuple[Shape, ...] = numbers.inputs  # type: ignore[assignment]  # known, as the output is
        field = behind(numbers.window, arriving, inputs)
    _fields[(id(by), *map(id, arriving))] = (field, (by, *arriving))
    return field


def _totals(reports: Reports) -> Totals:
    numbers = reports.numbers
    parameters, buffers, macs, output_bytes, known = map(sum, zip(*[its.counts for its in numbers], strict=True))
    frozen = [its.counts[0] for node, its in zip(reports.architecture.nodes, numbers, strict=True) if node.frozen]
    return Totals(parameters, parameters - sum(frozen), buffers, macs, output_bytes, known == len(numbers))


# What the graph says


def _advise(reports: Reports, before: Reports | None) -> None:
    """Find what neighbours and roles cause; where only values were turned, again only where that may change it."""
    architecture, numbers, advice = reports.architecture, reports.numbers, reports.advice
    nodes, sources, unread = architecture.nodes, architecture.structure.sources, architecture.structure.unread
    ends = unread | reports.roles.keys()
    turned = None if before is None else _turned(architecture, before.architecture)
    if before is None or turned is None:
        meetings = _meetings(architecture)
        asked: Iterable[int] = meetings
    else:
        meetings = before.meetings
        asked = [
            position
            for position, look in meetings.items()
            if position in turned or sources[position][0] in turned or position in ends or look in BY_SHAPE
        ]
        advice.update(before.advice)
    reports.meetings.update(meetings)
    for position in (*asked, *ends):
        advice.pop(position, None)
    for position in asked:
        arriving = numbers[sources[position][0]].output
        if found := meetings[position](Neighbours(architecture, nodes[position], arriving)):
            advice[position] = found
    for position in ends:
        inputs, role = numbers[position].inputs, reports.roles.get(position)
        if None not in inputs:
            found = role_advice(architecture, nodes[position], role, position not in unread, inputs)
            if found:
                advice[position] = advice.get(position, ()) + found


def _meetings(architecture: Architecture) -> dict[int, OnEdge]:
    """What to look for at which positions."""
    types = [type(node.layer) for node in architecture.nodes]
    found = {}
    for position, come in enumerate(architecture.structure.sources):
        if come and (look := ADVISED.get((types[come[0]], types[position]))) is not None:
            found[position] = look
    return found


def _turned(new: Architecture, old: Architecture) -> set[int] | None:
    """Where values differ; None if more does."""
    if new.structure is not old.structure or new.outputs != old.outputs:
        return None
    turned = {p for p, (node, was) in enumerate(zip(new.nodes, old.nodes, strict=True)) if node is not was}
    if any(type(new.nodes[position].layer) is not type(old.nodes[position].layer) for position in turned):
        return None
    return turned
