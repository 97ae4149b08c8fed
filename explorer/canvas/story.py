"""What hovering tells, as rich text: the whole story of a node, of a folded or open block, and of a wire."""

import html
import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from explorer.architecture import Node
from explorer.architecture.likeness import Likeness
from explorer.architecture.placement import Wire
from explorer.canvas import statistics, steps
from explorer.canvas.block_facts import BlockFacts
from explorer.canvas.card_text import issue_colour
from explorer.canvas.measures import NodeValues
from explorer.inference import Issue, NodeReport, Totals
from explorer.layers import HyperParameter, Kind, Layer, Shape
from explorer.look import numbers, values
from explorer.look.theme import Theme
from explorer.session.profile_session import Measured

_FLOAT32_BYTES = 4
_MOST_NAMES = 3


def _tr(text: str) -> str:
    return QCoreApplication.translate("Story", text)


class Whole(NamedTuple):
    """What a part is a part of, where it is known."""

    totals: Totals | None = None
    kept_bytes: Mapping[str, int] | None = None
    """What training keeps of each node for one image."""
    measured: Measured | None = None
    """What a profile measured."""
    statistics: Mapping[str, NodeValues] = MappingProxyType({})
    """What was measured of the layers while they learned, by `layer_statistics.KEYS`."""
    num_images: int = 0
    """That activations were measured on."""
    pictures: tuple[tuple[str, str], ...] = ()
    """Rows about the picture that its card carries."""


NOTHING_AROUND = Whole()


def node_story(node: Node, report: NodeReport, theme: Theme, whole: Whole) -> str:
    """Layer, values that differ from torch's defaults, shapes, counts, memory, receptive field, and what is wrong."""
    rows = [(p.name, _written(p, node.layer)) for p in node.layer.hyper_parameters if _is_telling(p, node.layer)]
    rows += _flow(report.input_shapes, (report.output_shape,))
    totals = whole.totals
    parameters = _part(report.num_parameters, None if totals is None else totals.num_parameters)
    rows.append((_tr("parameters"), _tr("{}, frozen").format(parameters) if node.frozen else parameters))
    if report.num_buffers:
        rows.append((_tr("buffers"), numbers.exact_count(report.num_buffers)))
    rows.append((_tr("multiply-accumulates"), _part(report.macs, None if totals is None else totals.macs)))
    rows += _memory((node.id,), report.output_bytes, whole.kept_bytes)
    rows += _times((node.id,), whole.measured)
    field = report.receptive_field
    if field is not None:
        rows.append((_tr("receptive field"), f"{numbers.size(field.size)}, {_every(field.stride)}"))
    problem = _issues(report.issues, theme) + _trouble((node.id,), whole, theme)
    rows += [*statistics.told(whole.statistics, (node.id,)), *whole.pictures]
    return _card(node.id, node.layer.type_name, problem, rows)


def block_story(
    path: str, facts: BlockFacts, likeness: Likeness | None, theme: Theme, node_ids: Iterable[str], whole: Whole
) -> str:
    """Kind, what it is made of, shapes in and out, sums, its first fault, and the blocks made like it."""
    totals = whole.totals
    rows = [(_tr("layers"), numbers.exact_count(facts.num_layers))]
    if facts.parts is not None:
        rows.append((_tr("made of"), "{} × {}".format(*facts.parts)))
    rows += _flow(facts.arrives, facts.leaves)
    rows.append((_tr("parameters"), _part(facts.num_parameters, None if totals is None else totals.num_parameters)))
    rows.append((_tr("multiply-accumulates"), _part(facts.macs, None if totals is None else totals.macs)))
    node_ids = tuple(node_ids)
    rows += _memory(node_ids, None, whole.kept_bytes)
    rows += _times(node_ids, whole.measured)
    issue = facts.fault or facts.warning
    rows += [*statistics.told(whole.statistics, node_ids), *whole.pictures]
    problem = "" if issue is None else _paragraph(issue.text, issue_colour(issue, theme).name())
    problem += _trouble(node_ids, whole, theme)
    return _card(path, facts.kind, problem, rows) + _likeness_story(path, likeness)


def wire_story(
    wire: Wire,
    connections: Iterable[Wire],
    shapes: Mapping[str, Shape | None],
    theme: Theme,
    fault: Issue | None,
) -> str:
    """From where to where, and each tensor that passes with its size.

    Args:
        connections: what the wire stands for.
        shapes: what each source puts out.
        fault: why the target cannot take what arrives.
    """
    sources = tuple(dict.fromkeys(connection.source for connection in connections))
    rows = []
    for source in sources:
        shape = shapes[source]
        size = "" if shape is None else f",  {numbers.short_bytes(_FLOAT32_BYTES * math.prod(shape))}"
        name = _tr("passes") if sources == (wire.source,) else source
        rows.append((name, f"{numbers.shape(shape)}{size}"))
    known = [math.prod(shape) for shape in shapes.values() if shape is not None]
    if len(known) > 1:
        rows.append((_tr("together"), numbers.short_bytes(_FLOAT32_BYTES * sum(known))))
    problem = "" if fault is None else _paragraph(fault.text, issue_colour(fault, theme).name())
    note = _paragraph(_tr("Bytes are for one image in float32."), theme.muted.name()) if known else ""
    return _card(f"{wire.source} {numbers.ARROW} {wire.target}", "", problem, rows) + note


# Rows


def _is_telling(parameter: HyperParameter, layer: Layer) -> bool:
    """Whether a value says something: it has no default, or another value, or stands on the card anyway."""
    value = getattr(layer, parameter.name)
    return value is not None and (parameter.required or parameter.on_node or value != parameter.default)


def _written(parameter: HyperParameter, layer: Layer) -> str:
    value = getattr(layer, parameter.name)
    if isinstance(value, bool):
        return _tr("yes") if value else _tr("no")
    if parameter.kind in {Kind.PAIR, Kind.PADDING}:
        return steps.written(layer, parameter.name)
    return values.written(parameter.kind, value)


def _flow(arrives: tuple[Shape | None, ...], leaves: tuple[Shape | None, ...]) -> list[tuple[str, str]]:
    after = _shapes(leaves)
    if not arrives:
        return [(_tr("shape"), after)]
    return [(_tr("shape"), f"{_shapes(arrives)} {numbers.ARROW} {after}")]


def _shapes(shapes: tuple[Shape | None, ...]) -> str:
    distinct = tuple(dict.fromkeys(shapes))
    if len(distinct) == 1 and len(shapes) > 2:
        return f"{len(shapes)} × {numbers.shape(distinct[0])}"
    return " + ".join(numbers.shape(shape) for shape in (shapes if len(shapes) <= _MOST_NAMES else distinct))


def _part(count: int | None, total: int | None) -> str:
    """A number with every digit, and its share of the whole."""
    text = numbers.exact_count(count)
    return f"{text}  ({numbers.share(count, total)})" if count and total else text


def _memory(
    node_ids: Iterable[str], output_bytes: int | None, kept_bytes: Mapping[str, int] | None
) -> list[tuple[str, str]]:
    rows = []
    if output_bytes is not None:
        rows.append((_tr("output"), numbers.short_bytes(output_bytes)))
    known = [] if kept_bytes is None else [kept_bytes[node_id] for node_id in node_ids if node_id in kept_bytes]
    if known:
        rows.append((_tr("kept for training"), _tr("{} an image").format(numbers.short_bytes(sum(known)))))
    return rows


def _times(node_ids: Iterable[str], measured: Measured | None) -> list[tuple[str, str]]:
    """What was measured of nodes together, with their part of the step."""
    ids = [] if measured is None else [i for i in node_ids if i in measured.profile.nodes]
    # A sum without the layers that were edited since would be no sum.
    if measured is None or not ids or any(i not in measured.nodes for i in ids):
        return []
    known = [measured.nodes[i] for i in ids]
    whole = measured.profile.measured_s
    rows = []
    for name, seconds in (
        (_tr("forward, measured"), sum(node.forward_s for node in known)),
        (_tr("backward, measured"), sum(node.backward_s for node in known)),
    ):
        rows.append((name, f"{numbers.short_time(seconds)}  ({numbers.share(seconds, whole)})"))
    return rows


def _every(stride: tuple[object, ...]) -> str:
    if set(stride) == {1}:
        return _tr("at every pixel")
    return _tr("every {} px").format("×".join(str(axis) for axis in dict.fromkeys(stride)))


def _likeness_story(path: str, likeness: Likeness | None) -> str:
    if likeness is None:
        return ""
    if likeness.is_odd:
        return f"<p>{html.escape(_tr('It differs from its siblings, which are alike.'))}</p>"
    others = [other for other in likeness.equals if other != path]
    names = ", ".join(others[:_MOST_NAMES]) + (", …" if len(others) > _MOST_NAMES else "")
    text = _tr("{count} others are made alike: {blocks}").format(count=len(others), blocks=names)
    return f"<p>{html.escape(text)}</p>"


# Rich text


def _issues(issues: Iterable[Issue], theme: Theme) -> str:
    return "".join(_paragraph(issue.message, issue_colour(issue, theme).name()) for issue in issues)


def _trouble(node_ids: Iterable[str], whole: Whole, theme: Theme) -> str:
    sentences = statistics.trouble(whole.statistics, node_ids, whole.num_images)
    return "".join(_paragraph(sentence, theme.warning.name()) for sentence in sentences)


def _paragraph(text: str, colour: str) -> str:
    return f"<p style='color:{colour}'>{html.escape(text)}</p>"


def _card(title: str, kind: str, problem: str, rows: Iterable[tuple[str, str]]) -> str:
    table = "".join(
        f"<tr><td style='white-space:pre'>{html.escape(name)}&nbsp;&nbsp;</td>"
        f"<td align='right' style='white-space:pre'>{html.escape(value)}</td></tr>"
        for name, value in rows
    )
    heading = f"<b>{html.escape(title)}</b>&nbsp; {html.escape(kind)}"
    return f"<p style='white-space:pre'>{heading}</p>{problem}<table cellspacing='2'>{table}</table>"
