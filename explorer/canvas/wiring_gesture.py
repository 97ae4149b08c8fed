"""Drawing a wire from port to port, and taking the end of one elsewhere: live preview, refusal with its reason, Esc.

What a wire makes of the network is `session.wiring`'s to say; what is drawn meanwhile, `overlay`'s.
"""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QPoint, QPointF, QRectF, Qt
from PySide6.QtWidgets import QGraphicsView

from explorer.architecture.placement import Wire
from explorer.canvas.card_item import CardItem
from explorer.canvas.drop_hint import DropHint, Hint
from explorer.canvas.overlay import Drawn, Overlay
from explorer.canvas.ports import Port, WireEnd, ports_of, reach
from explorer.canvas.scene import GraphScene
from explorer.look import numbers
from explorer.session import Document, Snapshot, wiring
from explorer.session.placing import Refused
from explorer.session.wiring import Wired

_STARTS_AFTER = 4
"""Pixels of the screen that the pointer moves before a press on a port is more than a click."""
_MOST_LOOKED_AT = 80
"""Cards in sight that are asked whether the wire fits them."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("Wiring", text)


class Stage(NamedTuple):
    """Where the gesture takes place."""

    view: QGraphicsView
    graph: GraphScene
    document: Document
    overlay: Overlay
    hint: DropHint
    zoom: Callable[[], float]
    refused: Callable[[str], None]
    """Says in the window why something could not be done."""
    add_behind: Callable[[str, QPoint], None]
    """Asks at a position what to add behind an item."""


class WiringGesture:
    """One wire at the pointer."""

    def __init__(self, start: Port | WireEnd, pressed: QPoint, stage: Stage) -> None:
        self._stage = stage
        self._pressed = pressed
        self._has_begun = False
        self._position = pressed
        self._force = False
        self._answers: dict[tuple[str, Wire | None, bool], Wired | Refused] = {}
        self._answered_for: Snapshot | None = None
        self._is_previewing = False
        self._answer: Wired | Refused | None = None
        self._over: str | None = None
        if isinstance(start, Port) and start.wire is not None:
            start = WireEnd(start.wire, is_target=True, place=start.place)
        self._start = start
        self._moved = start.wire if isinstance(start, WireEnd) else None
        """The wire of which an end is taken elsewhere."""
        self._fixed = self._fixed_end()

    # The gesture

    def move(self, position: QPoint, modifiers: Qt.KeyboardModifier) -> None:
        """The pointer moved."""
        self._position = position
        self._force = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if not self._has_begun:
            if (position - self._pressed).manhattanLength() < _STARTS_AFTER:
                return
            self._has_begun = True
            if self._moved is not None:
                self._moved.setOpacity(0.25)
        place = self._stage.view.mapToScene(position)
        item = self._stage.graph.card_at(place) or self._stage.graph.card_at(place + QPointF(0, reach(self._zoom())))
        self._over = None if item is None else item.key
        if item is None:
            self._answer = self._dropped_nowhere()
        else:
            self._answer = self._ask(item, place)
        self._preview(self._answer)
        self._show(place, item)

    def finish(self) -> None:
        """The button was let go: connect, or say why not."""
        answer, over, has_begun = self._answer, self._over, self._has_begun
        self._end()
        if not has_begun:
            return
        if isinstance(answer, Wired):
            self._stage.document.finish_merge()
            self._stage.document.apply(answer.text, answer.architecture)
        elif isinstance(answer, Refused) and over is not None:
            self._stage.refused(answer.text)
        elif over is None and self._draws_from_output:
            self._stage.add_behind(self._start_key, self._position)

    def cancel(self) -> None:
        """Nothing happened."""
        self._end()

    def _end(self) -> None:
        if self._moved is not None:
            self._moved.setOpacity(1.0)
        self._preview(None)
        self._stage.overlay.clear()
        self._stage.hint.hide_all()

    # What is asked

    @property
    def _draws_from_output(self) -> bool:
        return isinstance(self._start, Port) and self._start.is_output

    @property
    def _start_key(self) -> str:
        assert isinstance(self._start, Port)
        return self._start.key

    def _ask(self, item: CardItem, place: QPointF) -> Wired | Refused:
        port = None if self._takes_source else self._port_under(item, place)
        return self._asked(item.key, port)

    def _asked(self, key: str, port: Wire | None) -> Wired | Refused:
        """The answer for a card, which a drag asks again and again."""
        snapshot = self._stage.document.snapshot
        if snapshot is not self._answered_for:
            self._answers.clear()
            self._answered_for = snapshot
        asked = (key, port, self._force)
        if asked not in self._answers:
            self._answers[asked] = self._worked_out(snapshot, key, port)
        return self._answers[asked]

    def _worked_out(self, snapshot: Snapshot, key: str, port: Wire | None) -> Wired | Refused:
        number = None if port is None else port.port
        start, force = self._start, self._force
        if isinstance(start, WireEnd):
            connections = start.wire.connections
            if start.is_target:
                return wiring.target_moved(snapshot, connections, key, number, force=force)
            return wiring.source_moved(snapshot, connections, key, force=force)
        if start.is_output:
            return wiring.connected(snapshot, start.key, key, number, force=force)
        return wiring.connected(snapshot, key, start.key, None, force=force)

    def _dropped_nowhere(self) -> Wired | Refused | None:
        if isinstance(self._start, WireEnd):
            return wiring.disconnected(self._stage.document.snapshot, self._start.wire.connections)
        return None

    @property
    def _takes_source(self) -> bool:
        """Whether what is looked for is where the wire comes from."""
        return not self._start.is_target if isinstance(self._start, WireEnd) else not self._start.is_output

    def _port_under(self, item: CardItem, place: QPointF) -> Wire | None:
        """The input with a wire that the pointer is on; for a layer that reads one node, that one wherever it is."""
        architecture = self._stage.document.architecture
        ports = [port for port in ports_of(self._stage.graph, architecture, item.key) if not port.is_output]
        within = 1.5 * reach(self._zoom())
        for port in ports:
            if port.wire is not None and (port.place - place).manhattanLength() < within:
                return port.wire.wire
        return None

    def _preview(self, answer: Wired | Refused | None) -> None:
        document = self._stage.document
        if isinstance(answer, Wired):
            self._is_previewing = True
            document.preview(lambda _architecture: answer.architecture)
        elif self._is_previewing:
            self._is_previewing = False
            document.preview(None)

    # What is shown

    def _zoom(self) -> float:
        return self._stage.zoom()

    def _fixed_end(self) -> QPointF:
        start = self._start
        if isinstance(start, Port):
            return start.place
        placement = self._stage.graph.placement
        assert placement is not None
        points = placement.wires[start.wire.wire]
        return QPointF(*(points[0] if start.is_target else points[-1]))

    def _show(self, place: QPointF, item: CardItem | None) -> None:
        answer = self._answer
        is_refused = isinstance(answer, Refused) and item is not None
        line = (place, self._fixed) if self._takes_source else (self._fixed, place)
        fitting, dimmed = self._sorted_out(item)
        self._stage.overlay.show(
            Drawn(
                line=line,
                is_refused=is_refused,
                fitting=fitting,
                dimmed=dimmed,
                target=None if item is None else _box(item),
                ports=() if item is None else self._shown_ports(item),
                lit=None if item is None else self._lit_port(item, place),
            )
        )
        self._stage.hint.show_at(self._position, self._hint(item, answer))

    def _sorted_out(self, over: CardItem | None) -> tuple[tuple[QRectF, ...], tuple[QRectF, ...]]:
        """The cards in sight that the wire may lead to, and those that it may not."""
        view, graph = self._stage.view, self._stage.graph
        area = view.mapToScene(view.viewport().rect()).boundingRect()
        cards = [card for card in graph.cards() if _box(card).intersects(area)]
        if len(cards) > _MOST_LOOKED_AT:
            return (), ()
        own = self._start_key if isinstance(self._start, Port) else None
        fitting: list[QRectF] = []
        dimmed: list[QRectF] = []
        for card in cards:
            if card is over or card.key == own:
                continue
            answer = self._asked(card.key, None)
            (fitting if isinstance(answer, Wired) and not answer.issue else dimmed).append(_box(card))
        return tuple(fitting), tuple(dimmed)

    def _shown_ports(self, item: CardItem) -> tuple[Port, ...]:
        ports = ports_of(self._stage.graph, self._stage.document.architecture, item.key)
        return tuple(port for port in ports if port.is_output is self._takes_source)

    def _lit_port(self, item: CardItem, place: QPointF) -> QPointF | None:
        ports = self._shown_ports(item)
        taken = None if self._takes_source else self._port_under(item, place)
        for port in ports:
            if (port.wire is None and taken is None) or (port.wire is not None and port.wire.wire == taken):
                return port.place
        return ports[0].place if ports else None

    def _hint(self, item: CardItem | None, answer: Wired | Refused | None) -> Hint:
        if item is None:
            return self._hint_nowhere(answer)
        if isinstance(answer, Refused):
            return Hint(answer.why, answer.would_fit, is_refusal=True)
        assert answer is not None
        if answer.issue:
            return Hint(answer.text, answer.issue, is_refusal=True)
        arriving = " + ".join(numbers.shape(shape) for shape in answer.arriving)
        facts = f"{arriving} {numbers.ARROW} {numbers.shape(answer.leaving)}"
        return Hint(answer.text, facts, is_refusal=False)

    def _hint_nowhere(self, answer: Wired | Refused | None) -> Hint:
        if isinstance(answer, Wired):
            return Hint(_tr("Let go here: {text}").format(text=answer.text), "", is_refusal=False)
        if isinstance(answer, Refused):
            return Hint(_tr("Let go here: it stays as it is"), answer.text, is_refusal=False)
        if self._takes_source:
            return Hint(_tr("Drop it on the layer to read"), "", is_refusal=False)
        shape = self._passing()
        return Hint(_tr("Drop it on a layer to connect, here to add one"), shape, is_refusal=False)

    def _passing(self) -> str:
        snapshot = self._stage.document.snapshot
        source = wiring.source_of(snapshot.architecture, self._start_key)
        return "" if source is None else numbers.shape(snapshot.inference.nodes[source].output_shape)


def _box(item: CardItem) -> QRectF:
    return item.card.rect.translated(item.pos())
