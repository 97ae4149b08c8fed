"""Layers and blocks dragged onto the canvas: onto a wire, behind a node, or, over empty canvas, by the nearest node.

While they hang over a place, the document previews what dropping them there would do, and a hint at the pointer says
it; Esc takes both back; near the edge the view scrolls. What a drop does to the network is `session.placing`'s to say,
which place is meant `targets`', the hint's looks are `drop_hint`'s.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Signal
from PySide6.QtGui import QDropEvent

from explorer.canvas import targets
from explorer.canvas.card_item import CardItem
from explorer.canvas.drop_hint import DropHint, Hint
from explorer.canvas.edge_scroll import EdgeScroll
from explorer.canvas.pinning import Pinning
from explorer.canvas.scene import GraphScene
from explorer.canvas.targets import Target
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection, Snapshot
from explorer.session.dragging import Dragged, dragged, joins, name_of
from explorer.session.placing import Place, Placed, Refused, place

if TYPE_CHECKING:
    from explorer.canvas.editing import Editing
    from explorer.canvas.view import GraphView


class LayerDrop(QObject):
    """Takes the drag events of a view's viewport; whatever is neither layer nor block goes on to the window.

    Signals:
        refused(str): why what was dropped cannot go there, and what would.
    """

    refused = Signal(str)

    def __init__(
        self,
        view: "GraphView",
        graph: GraphScene,
        editing: "Editing",
        document: Document,
        selection: Selection,
        themes: ThemeSource,
        edge_scroll: EdgeScroll,
        pinning: Pinning,
    ) -> None:
        super().__init__(view)
        self._edge_scroll = edge_scroll
        self._pinning = pinning
        self._view = view
        self._graph = graph
        self._document = document
        self._selection = selection
        self.hint = DropHint(themes, view.viewport())
        # The answer for the place under the pointer: a drag reports every pixel, and asking costs milliseconds.
        self._answer: tuple[tuple[Snapshot, Dragged, Place], Placed | Refused] | None = None
        self._is_previewing = False
        self.refused.connect(editing.refused)
        view.viewport().setAcceptDrops(True)
        view.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent):
            return self._take(event)
        if event.type() == QEvent.Type.DragLeave:
            self._end()
            return True
        return False

    def _take(self, event: QDropEvent) -> bool:
        what = dragged(event.mimeData())
        if what is None or not self._document.is_open:
            # The scene would accept it and do nothing; ignored, it reaches the window, which opens projects.
            event.ignore()
            return True
        position = event.position().toPoint()
        # A place that refuses is accepted too: the system would not report a drop that the hint could then explain.
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            target = self._target(what, position)
            answer = self._ask(what, target)
            self._end()
            self._drop(answer, self._view.mapToScene(position) if target.is_near else None)
            return True
        self._show(what, position)
        if event.type() == QEvent.Type.DragEnter:
            self._edge_scroll.enter()
        if event.type() == QEvent.Type.DragMove:
            self._edge_scroll.follow(position, lambda: self._show(what, position))
        return True

    def _show(self, what: Dragged, position: QPoint) -> None:
        """Say what a drop at a position of the viewport would do."""
        target = self._target(what, position)
        answer = self._ask(what, target)
        rect = None
        if isinstance(target.item, CardItem):
            self._graph.hover(target.item.key, None, None)
            rect = self._view.mapFromScene(target.item.sceneBoundingRect()).boundingRect()
        else:
            self._graph.hover(None, None, target.item)
        self.hint.show_at(position, self._hint(what, target, answer), rect)

    def _ask(self, what: Dragged, target: Target) -> Placed | Refused:
        """What dropping it there makes of the network, which is previewed."""
        snapshot, where = self._document.snapshot, target.where
        if isinstance(where, Refused):
            self._preview(None)
            return where
        key = (snapshot, what, where)
        if self._answer is None or self._answer[0] != key:
            self._answer = (key, place(snapshot, what, where))
            self._preview(self._answer[1])
        return self._answer[1]

    def _preview(self, answer: Placed | Refused | None) -> None:
        if isinstance(answer, Placed):
            self._is_previewing = True
            self._document.preview(lambda _architecture: answer.architecture)
        elif self._is_previewing:
            self._is_previewing = False
            self._document.preview(None)

    def _drop(self, answer: Placed | Refused, at: QPointF | None) -> None:
        if isinstance(answer, Refused):
            self.refused.emit(answer.text)
            return
        self._pinning.put(answer, at)
        self._view.setFocus()

    def _end(self) -> None:
        """The drag left, was let go or taken back: nothing of it stays in sight."""
        self._answer = None
        self._edge_scroll.stop()
        self._preview(None)
        self._graph.hover(None, None, None)
        self.hint.hide_all()

    def _hint(self, what: Dragged, target: Target, answer: Placed | Refused) -> Hint:
        if isinstance(answer, Refused):
            return Hint(answer.why, answer.would_fit, is_refusal=True)
        title = f"{name_of(what)} {target.words}"
        if answer.issue:
            return Hint(title, answer.issue, is_refusal=True)
        return Hint(title, targets.facts(self._document.snapshot, answer), is_refusal=False)

    def _target(self, what: Dragged, position: QPoint) -> Target:
        architecture = self._document.architecture
        target = targets.target_at(self._graph, architecture, self._view.mapToScene(position))
        if joins(what):
            return targets.joining(self._graph, architecture, self._selection.ids, target)
        return target
