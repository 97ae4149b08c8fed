"""What is put in over empty canvas stays where the pointer let it go, as part of the step that puts it in."""

from collections.abc import Iterable
from functools import partial

from PySide6.QtCore import QObject, QPointF, QRectF
from PySide6.QtWidgets import QGraphicsView

from explorer.architecture.landing import Landing
from explorer.architecture.placement import Point
from explorer.canvas.editing import Editing
from explorer.canvas.moving import SNAP, in_sight, snapped
from explorer.canvas.scene import GraphScene
from explorer.session.arrangement import Arrangement
from explorer.session.placing import Placed


class Pinning(QObject):
    """Puts in what a gesture has chosen, and pins it."""

    def __init__(self, view: QGraphicsView, graph: GraphScene, editing: Editing, arrangement: Arrangement) -> None:
        super().__init__(editing)
        self._view = view
        self._graph = graph
        self._editing = editing
        self._arrangement = arrangement

    def put(self, placed: Placed, at: QPointF | None) -> None:
        """Make an insertion, in one step of the history.

        Args:
            at: where in the scene the middle of what is new is to be, on a level or in a column with what it is almost,
                and at the free place nearest to that; None leaves it to the layout.
        """
        self._editing.put(placed, None if at is None else partial(self._pin, at))

    def _pin(self, at: QPointF, node_ids: Iterable[str]) -> None:
        shown, placement = self._graph.shown, self._graph.placement
        if shown is None or placement is None:
            return
        keys = tuple(dict.fromkeys(shown.holders[node_id] for node_id in node_ids if node_id in shown.holders))
        if not keys or (len(keys) > 1 and self._graph.is_laying_out):
            return  # how the cards of a block stand to each other is not known yet
        around = QRectF()
        for key in keys:
            around = around.united(QRectF(*placement.nodes[key]))
        wanted = at - around.center()
        others = in_sight(self._view, placement, keys)
        wanted += snapped(around.translated(wanted), others, SNAP / self._view.transform().m11()).by
        by = Landing(placement, keys, shown.inside).nearest(Point(wanted.x(), wanted.y()))
        places = {key: Point(placement.nodes[key].x + by.x, placement.nodes[key].y + by.y) for key in keys}
        self._arrangement.move_along({**places, **self._arrangement.positions})
