"""Where on the canvas something new goes: onto a wire, behind a node, or, over empty canvas, by the nearest one.

The place itself is a value of `session.placing`; here are its words and what of the drawing it belongs to.
"""

from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QPointF, QRectF

from explorer.architecture import Architecture
from explorer.architecture.placement import Box
from explorer.canvas.card_item import CardItem
from explorer.canvas.scene import GraphScene
from explorer.canvas.wire_item import WireItem
from explorer.layers import format_shape
from explorer.look import numbers
from explorer.session import Snapshot
from explorer.session.placing import Place, Placed, Refused, behind, on_wire

_ABOVE = 2.0
"""A card that the place lies beside counts as so many times farther than one that it lies below."""
_MOST_NAMED = 3
"""So many nodes at most are named that a layer joins; of more, how many they are."""


class Target(NamedTuple):
    """A place, and what is marked for it."""

    where: Place | Refused
    words: str
    """Completes what is put there: "after conv1"."""
    item: CardItem | WireItem | None
    is_near: bool = False
    """Whether the pointer is on nothing, and the item is only what lies nearest."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Targets", text)


def target_at(graph: GraphScene, architecture: Architecture, position: QPointF) -> Target:
    """The place for something dropped at a position of the scene."""
    item = graph.card_at(position)
    if item is not None:
        return behind_item(architecture, item)
    wire = graph.wire_at(position)
    if wire is not None:
        return on_wire_item(architecture, wire)
    return _near(graph, architecture, position)


def behind_key(architecture: Architecture, key: str) -> Place | Refused:
    """The place behind a node, or behind the one end of a block; or why there is none."""
    where = behind(architecture, key)
    if where is None:
        return Refused(
            _tr("{block} has several ends").format(block=key), _tr("Unfold it, and take one of its layers or wires.")
        )
    return where


def behind_item(architecture: Architecture, item: CardItem) -> Target:
    """The place behind a node or a folded block."""
    where = behind_key(architecture, item.key)
    words = "" if isinstance(where, Refused) else _tr("after {node}").format(node=item.key)
    return Target(where, words, item)


def joining(graph: GraphScene, architecture: Architecture, node_ids: Iterable[str], target: Target) -> Target:
    """The place for a layer that joins branches: behind the last of the selected nodes and the card that it hangs over.

    Over one that is not selected it joins that, too; elsewhere it joins what is selected. Where that is less than two
    ends, the target stays as it is.
    """
    assert graph.shown is not None
    over = target.item.key if isinstance(target.item, CardItem) and not target.is_near else None
    keys = {graph.shown.holders[i] for i in node_ids if i in graph.shown.holders} | ({over} if over else set())
    ends: list[tuple[str, Place]] = []
    for key in graph.shown.items:
        if key in keys:
            where = behind_key(architecture, key)
            if isinstance(where, Refused):
                return Target(where, "", graph.card(key))
            ends.append((key, where))
    if len(ends) < 2:
        return target
    ends.sort(key=lambda end: architecture.structure.index[end[1].node_id])
    (*others, (last, where)) = ends
    words = _tr("joining {others} and {last}").format(others=", ".join(key for key, _ in others), last=last)
    if len(ends) > _MOST_NAMED:
        words = _tr("joining {count} nodes").format(count=len(ends))
    place = where._replace(joined=tuple(end.node_id for _, end in others))
    return Target(place, words, target.item if over else graph.card(last), is_near=target.is_near)


def on_wire_item(architecture: Architecture, wire: WireItem) -> Target:
    """The place on a wire."""
    ends = wire.wire
    where = on_wire(architecture, ends.source, ends.target, ends.port, wire.connections)
    if where is None:
        refused = Refused(_tr("Several wires run together here"), _tr("Unfold the block, and take one of them."))
        return Target(refused, "", wire)
    words = _tr("between {source} and {target}").format(source=ends.source, target=ends.target)
    return Target(where, words, wire)


def _near(graph: GraphScene, architecture: Architecture, position: QPointF) -> Target:
    """Over empty canvas: behind the nearest node where it is below it, as a branch of that one where it is beside."""
    placement = graph.placement
    assert placement is not None
    key, box = min(placement.nodes.items(), key=lambda entry: _distance(entry[1], position))
    item = graph.card(key)
    where = behind_key(architecture, key)
    if isinstance(where, Refused):
        return Target(where, "", item, is_near=True)
    outside = _left_frame(graph, key, position)
    if outside and not where.beside:
        where = where._replace(beside=outside)
    is_end = not architecture.consumers(where.node_id)
    if is_end or box.x <= position.x() <= box.right:
        words = _tr("after {node}, where the network ends") if is_end else _tr("after {node}, the nearest")
        return Target(where, words.format(node=key), item, is_near=True)
    return Target(where._replace(branch=True), _tr("as a new branch of {node}").format(node=key), item, is_near=True)


def _left_frame(graph: GraphScene, key: str, position: QPointF) -> str:
    """The outermost open block around an item that the position is outside of; empty where it is inside all."""
    shown, placement = graph.shown, graph.placement
    assert shown is not None
    assert placement is not None
    left, path = "", shown.inside.get(key)
    while path is not None:
        if not QRectF(*placement.frames[path]).contains(position):
            left = path
        path = shown.inside.get(path)
    return left


def facts(snapshot: Snapshot, placed: Placed) -> str:
    """What putting it there changes, in a line: shapes, parameters, MACs."""
    now, then = snapshot.inference.totals, placed.inference.totals
    parameters, macs = then.num_parameters - now.num_parameters, then.macs - now.macs
    return _tr("{arriving} → {leaving}  ·  {parameters} parameters  ·  {macs} MACs").format(
        arriving="–" if placed.arriving is None else format_shape(placed.arriving),
        leaving="–" if placed.leaving is None else format_shape(placed.leaving),
        parameters=numbers.signed(parameters, numbers.short_count(abs(parameters))),
        macs=numbers.signed(macs, numbers.short_count(abs(macs))),
    )


def _distance(box: Box, position: QPointF) -> float:
    across = max(box.x - position.x(), 0.0, position.x() - box.right)
    below, above = max(position.y() - box.bottom, 0.0), max(box.y - position.y(), 0.0)
    return across + below + _ABOVE * above
