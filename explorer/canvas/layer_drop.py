"""Layers and blocks dragged onto the canvas: onto a wire, where they are inserted, or behind a node.

While they hang over a place, the document previews what dropping them there would do, and a hint at the pointer says
it; Esc takes both back. What a drop does to the network is `session.placing`'s to say, the hint's looks are
`drop_hint`'s.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Signal
from PySide6.QtGui import QDropEvent

from explorer.canvas.card_item import CardItem
from explorer.canvas.drop_hint import DropHint, Hint
from explorer.canvas.scene import GraphScene
from explorer.canvas.wire_item import WireItem
from explorer.layers import format_shape
from explorer.look import numbers
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection, Snapshot
from explorer.session.dragging import Dragged, DraggedBlock, dragged
from explorer.session.placing import Place, Placed, Refused, behind, on_wire, place

if TYPE_CHECKING:
    from explorer.canvas.editing import Editing
    from explorer.canvas.view import GraphView


class LayerDrop(QObject):
    """Takes the drag events of a view's viewport; whatever is neither layer nor block goes on to the window.

    Signals:
        refused(str): why what was dropped cannot go there, and what would.
        inserted(str): the id of the last new node; all are selected now.
    """

    refused = Signal(str)
    inserted = Signal(str)

    def __init__(
        self,
        view: "GraphView",
        graph: GraphScene,
        editing: "Editing",
        document: Document,
        selection: Selection,
        themes: ThemeSource,
    ) -> None:
        super().__init__(view)
        self._view = view
        self._graph = graph
        self._document = document
        self._selection = selection
        self.hint = DropHint(themes, view.viewport())
        # The answer for the place under the pointer: a drag reports every pixel, and asking costs milliseconds.
        self._answer: tuple[tuple[Snapshot, Dragged, Place], Placed | Refused] | None = None
        self._is_previewing = False
        self.refused.connect(editing.refused)
        self.inserted.connect(editing.inserted)
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
        target = self._target(position)
        is_drop = event.type() == QEvent.Type.Drop
        # A place that refuses is accepted too: the system would not report a drop that the hint could then explain.
        if target is not None or event.type() == QEvent.Type.DragEnter:
            event.acceptProposedAction()
        else:
            event.ignore()
        if target is None:
            self._end()
            if not is_drop:
                self.hint.show_at(position, Hint(self.tr("Drop it on a wire or on a node"), "", is_refusal=False))
            return True
        answer = self._ask(what, target)
        if is_drop:
            self._end()
            self._drop(answer)
            return True
        rect = None
        if isinstance(target, CardItem):
            self._graph.hover(target.key, None, None)
            rect = self._view.mapFromScene(target.sceneBoundingRect()).boundingRect()
        else:
            self._graph.hover(None, None, target)
        self.hint.show_at(position, self._hint(what, target, answer), rect)
        return True

    def _ask(self, what: Dragged, target: CardItem | WireItem) -> Placed | Refused:
        """What dropping it there makes of the network, which is previewed."""
        snapshot = self._document.snapshot
        if isinstance(target, CardItem):
            where = behind(snapshot.architecture, target.key)
        else:
            where = on_wire(snapshot.architecture, target.wire.source, target.wire.target, target.wire.port)
        if where is None:
            self._preview(None)
            return Refused(
                self.tr("Several wires run together here"), self.tr("Unfold the block, and drop it on one of them.")
            )
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

    def _drop(self, answer: Placed | Refused) -> None:
        if isinstance(answer, Refused):
            self.refused.emit(answer.text)
            return
        self._document.finish_merge()
        self._document.apply(answer.text, answer.architecture)
        self._selection.set(answer.added)
        self.inserted.emit(answer.added[-1])
        self._view.setFocus()

    def _end(self) -> None:
        """The drag left, was let go or taken back: nothing of it stays in sight."""
        self._answer = None
        self._preview(None)
        self._graph.hover(None, None, None)
        self.hint.hide_all()

    def _hint(self, what: Dragged, target: CardItem | WireItem, answer: Placed | Refused) -> Hint:
        if isinstance(answer, Refused):
            return Hint(answer.why, answer.would_fit, is_refusal=True)
        name = what.block.title if isinstance(what, DraggedBlock) else what.__name__
        if isinstance(target, CardItem):
            title = self.tr("{what} after {node}").format(what=name, node=target.key)
        else:
            title = self.tr("{what} between {source} and {target}").format(
                what=name, source=target.wire.source, target=target.wire.target
            )
        if answer.issue:
            return Hint(title, answer.issue, is_refusal=True)
        now, then = self._document.snapshot.inference.totals, answer.inference.totals
        parameters = then.num_parameters - now.num_parameters
        macs = then.macs - now.macs
        facts = self.tr("{arriving} → {leaving}  ·  {parameters} parameters  ·  {macs} MACs").format(
            arriving="–" if answer.arriving is None else format_shape(answer.arriving),
            leaving="–" if answer.leaving is None else format_shape(answer.leaving),
            parameters=numbers.signed(parameters, numbers.short_count(abs(parameters))),
            macs=numbers.signed(macs, numbers.short_count(abs(macs))),
        )
        return Hint(title, facts, is_refusal=False)

    def _target(self, position: QPoint) -> CardItem | WireItem | None:
        scene_place = self._view.mapToScene(position)
        return self._graph.card_at(scene_place) or self._graph.wire_at(scene_place)
