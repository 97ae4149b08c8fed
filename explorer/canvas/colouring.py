"""Which number colours the cards, and the colours that gives. The numbers are `measures`', the legend `legend`'s."""

from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from explorer.canvas import ramp, statistics
from explorer.canvas.measures import NodeValues, Scale, Source, node_values
from explorer.canvas.scene import GraphScene
from explorer.look.theme import ThemeSource
from explorer.session import Document, Snapshot
from explorer.session.layer_statistics import KEYS
from explorer.session.places import settings

CATEGORY = "category"
_CHOICE_KEY = "canvas/colour_by"
_LOG_KEY = "canvas/logarithmic"
_MANY = 32
"""From so many cards on, the scene is drawn anew as a whole."""


class Coloured(NamedTuple):
    """What the cards are coloured by now."""

    values: NodeValues
    scale: Scale | None
    """None where no value is above 0."""


class Colouring(QObject):
    """Colours the cards of a scene.

    Signals:
        changed(): another choice, range, or colours.
    """

    changed = Signal()

    def __init__(self, document: Document, themes: ThemeSource, graph: GraphScene, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._themes = themes
        self._graph = graph
        tr = self.tr
        asks_run = tr("Measured as soon as it is chosen, and again and again while the network trains.")
        asks_time = tr("Profile one step (Run menu): this is measured on the device.")
        self.sources: tuple[Source, ...] = (
            Source(CATEGORY, tr("Category"), ""),
            Source("parameters", tr("Parameters"), ""),
            Source("macs", tr("Multiply-accumulates"), ""),
            Source("memory", tr("Memory kept for training"), ""),
            Source("field", tr("Receptive field"), ""),
            Source("forward", tr("Forward time"), asks_time),
            Source("backward", tr("Backward time"), asks_time),
            Source("kept", tr("Memory kept, measured"), asks_time),
            Source("rate", tr("Achieved FLOP/s, forward"), asks_time),
            *(Source(key, title, asks_run, is_asked=True) for key, title in statistics.titles().items()),
        )
        self._measured: dict[str, NodeValues] = {}
        self._logs: dict[str, object] = {}
        self._wanted = str(settings().value(_CHOICE_KEY, CATEGORY))
        self._preview: Snapshot | None = None
        self.now: Coloured | None = None
        graph.laid_out.connect(self.show)
        themes.changed.connect(self.show)

    @property
    def choice(self) -> str:
        """The key of what colours the cards: of what was chosen, once it is there."""
        return self._wanted if self.is_there(self._wanted) else CATEGORY

    @property
    def is_log(self) -> bool:
        """Whether the scale goes by orders of magnitude."""
        return self.now is not None and self._is_log(self.choice, self.now.values)

    def is_there(self, key: str) -> bool:
        """Whether this can be shown: what is measured, once it was, unless it is measured on being chosen."""
        return any(s.key == key and (not s.waits_for or s.is_asked or key in self._measured) for s in self.sources)

    @property
    def asks(self) -> bool:
        """Whether what was chosen is to be measured, again and again."""
        return any(s.key == self._wanted and s.is_asked for s in self.sources)

    def choose(self, key: str) -> None:
        """Colour by another number, and remember it."""
        self._wanted = key
        settings().setValue(_CHOICE_KEY, key)
        self.show()

    def set_log(self, is_log: bool) -> None:
        """Go by orders of magnitude, or by differences; remembered for each number."""
        self._logs[self.choice] = "yes" if is_log else "no"
        settings().setValue(f"{_LOG_KEY}/{self.choice}", self._logs[self.choice])
        self.show()

    def give(self, key: str, values: NodeValues | None) -> None:
        """Take in what was measured; None takes it away.

        Raises:
            ValueError: nothing of that name is measured.
        """
        measured = [source.key for source in self.sources if source.waits_for]
        if key not in measured:
            raise ValueError(f"colouring received {key!r}; use {', '.join(measured)}")
        had = key in self._measured
        if values is None:
            self._measured.pop(key, None)
        else:
            self._measured[key] = values
        if key == self._wanted:
            self.show()
        if had != (key in self._measured):
            self.changed.emit()

    def given(self, key: str) -> NodeValues | None:
        """What was measured of that name."""
        return self._measured.get(key)

    def show_preview(self, preview: Snapshot | None) -> None:
        """Colour by what would be; None ends that."""
        if preview is not self._preview:
            self._preview = preview
            if self.choice != CATEGORY:
                self.show()

    def show_edit(self) -> None:
        """The network has other values; any preview is over."""
        self._preview = None
        if self.choice != CATEGORY:
            self.show()

    def show(self) -> None:
        """Colour all cards anew."""
        if not self._document.is_open or self._graph.shown is None:
            return
        key, before = self.choice, self.now
        if key == CATEGORY and before is None:
            return
        if key == CATEGORY:
            self.now = None
            self._colour({})
        else:
            values = self._values(key, self._preview or self._document.snapshot)
            own = {node_id: values.values.get(node_id) for node_id in self._graph.nodes}
            own |= {path: values.of(self._graph.nodes_of(path)) for path in self._graph.blocks}
            known = [value for value in own.values() if value is not None]
            scale = Scale.over(known, is_log=self._is_log(key, values), ends=values.ends)
            self.now = Coloured(values, scale)
            self._colour(own)
        if _told(before) != _told(self.now):
            self.changed.emit()

    def _is_log(self, key: str, values: NodeValues) -> bool:
        if key not in self._logs:
            self._logs[key] = settings().value(f"{_LOG_KEY}/{key}")
        chosen = self._logs[key]
        return values.is_log if chosen is None else chosen == "yes"

    def _values(self, key: str, snapshot: Snapshot) -> NodeValues:
        if key in self._measured:
            return self._measured[key]
        if key in KEYS:
            return statistics.statistics_values(key, None, snapshot)
        title = next(source.title for source in self.sources if source.key == key)
        return node_values(key, title, snapshot)

    def _colour(self, own: Mapping[str, float | None]) -> None:
        theme, scale = self._themes.theme, None if self.now is None else self.now.scale
        touched = []
        for card in self._graph.cards():
            value = own.get(card.key)
            if self.now is None:
                tint = None
            elif scale is None or value is None or (value <= 0 and not self.now.values.has_zero):
                tint = ramp.nothing(theme)
            else:
                tint = ramp.colour(theme, scale.share(value), is_around_middle=self.now.values.is_around_middle)
            told = None
            if self.now is not None and scale is not None and self.now.values.is_written:
                told = "" if value is None else self.now.values.written(value)
            if card.show_tint(tint, told):
                touched.append(card)
        if len(touched) > _MANY:
            self._graph.update()
            return
        for card in touched:
            card.update()


def _told(coloured: Coloured | None) -> tuple[object, ...]:
    if coloured is None:
        return ()
    values = coloured.values
    return (values.title, values.unit, values.note, values.nothing, coloured.scale)
