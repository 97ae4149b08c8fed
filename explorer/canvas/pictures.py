"""What pictures the cards carry: feature maps, filters, their change or gradients, or histograms; and what they say.

How each is drawn is `maps_strip`'s, `kernel_strip`'s and `histogram_strip`'s; which cards are large enough the view's.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtGui import QGuiApplication

from explorer.canvas import ramp
from explorer.canvas.card_item import CardItem
from explorer.canvas.histogram_strip import histogram_strip, range_text
from explorer.canvas.kernel_strip import Floats, KernelStrip, kernel_strip
from explorer.canvas.maps_strip import Strip
from explorer.canvas.scene import GraphScene
from explorer.layers import Category, Input, Layer
from explorer.look import numbers
from explorer.look.theme import Theme, ThemeSource
from explorer.runs import Atlas, Histogram, Look, WeightPictures, WeightsCaptured
from explorer.runs.first_kernels import first_kernels
from explorer.session import Document, Snapshot
from explorer.session.layer_statistics import KnownStatistics
from explorer.session.places import settings
from explorer.session.sources import Source

MAPS = "maps"
KERNELS = ("filters", "filter changes", "filter gradients")
HISTOGRAMS = ("weight histograms", "gradient histograms", "activation histograms")
GRADIENTS = ("filter gradients", "gradient histograms")
"""Of a step alone."""
_CHOICE_KEY = "canvas/pictures"


class Choice(NamedTuple):
    """What cards may carry."""

    key: str
    title: str
    help: str


class _Known(NamedTuple):
    """The first kernels of a layer, and where they come from."""

    pictures: WeightPictures
    source: Source
    gradient_source: Source


class Pictures(QObject):
    """Puts pictures on the cards of a scene.

    Signals:
        changed(): another choice, or they are of another step.
    """

    changed = Signal()

    def __init__(self, document: Document, themes: ThemeSource, graph: GraphScene, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._themes = themes
        self._graph = graph
        tr = self.tr
        signed = tr("Blue is negative, orange positive; of three colours in, around grey.")
        bars = tr(
            "How many values lie where, from the least to the largest; the dotted line is zero. A bar more than twice "
            "as high as all others is cut."
        )
        self.choices: tuple[Choice, ...] = (
            Choice(MAPS, tr("Feature maps"), tr("What layers put out for the current probe.")),
            Choice("filters", tr("Filters"), f"{tr('The first kernels of each layer.')} {signed}"),
            Choice("filter changes", tr("Change of filters since start"), f"{tr('What training has added.')} {signed}"),
            Choice("filter gradients", tr("Gradients"), f"{tr('Of the last loss by each weight.')} {signed}"),
            Choice("weight histograms", tr("Histogram of weights"), bars),
            Choice("gradient histograms", tr("Histogram of gradients"), bars),
            Choice("activation histograms", tr("Histogram of activations"), bars),
        )
        chosen = str(settings().value(_CHOICE_KEY, MAPS))
        self._choice = chosen if chosen in {choice.key for choice in self.choices} else MAPS
        self._known: dict[str, _Known] = {}
        self._statistics: KnownStatistics | None = None
        self._maps_source: Source | None = None
        self._keys: tuple[str, ...] = ()
        """The cards that are large enough for a histogram."""
        self._note = ""
        graph.show_places(self._choice == MAPS)
        themes.changed.connect(self._redraw)
        graph.laid_out.connect(self._show_all)

    @property
    def choice(self) -> str:
        """The key of what cards carry."""
        return self._choice

    @property
    def title(self) -> str:
        """What cards carry, in words."""
        return next(choice.title for choice in self.choices if choice.key == self._choice)

    @property
    def note(self) -> str:
        """Of which step they are; empty while there is none."""
        return self._note

    @property
    def nothing(self) -> str:
        """Why there is none."""
        if self.is_far:
            return self.far
        if self._choice == MAPS:
            return self.tr("not captured yet")
        return self.tr("train to see them") if self._choice in GRADIENTS else self.tr("captured soon")

    @property
    def is_far(self) -> bool:
        """Whether no card is in sight that is large enough for a picture."""
        return not self._keys

    @property
    def far(self) -> str:
        """What to do about that."""
        return self.tr("zoom in to see pictures")

    @property
    def is_signed(self) -> bool:
        """Whether their colours go from negative to positive."""
        return self._choice in KERNELS

    def choose(self, key: str) -> None:
        """Let cards carry something else, and remember it.

        Raises:
            ValueError: there is nothing of that name.
        """
        if key not in {choice.key for choice in self.choices}:
            raise ValueError(f"pictures received {key!r}; use {', '.join(choice.key for choice in self.choices)}")
        if key == self._choice:
            return
        self._choice = key
        settings().setValue(_CHOICE_KEY, key)
        self._maps_source = None
        self._graph.clear_maps()
        self._graph.show_places(key == MAPS)
        self._show_all()
        self._say(always=True)

    def wanted(self, keys: Iterable[str]) -> Look:
        """What has to be captured for these cards."""
        if self._choice in HISTOGRAMS:
            return Look(measures=bool(tuple(keys)))
        found = tuple(dict.fromkeys(i for key in keys if (i := self.node_of(key)) is not None))
        return Look(maps=found) if self._choice == MAPS else Look(first_kernels=found)

    def node_of(self, key: str) -> str | None:
        """The node of a card whose picture it carries, None for none: of a folded block the last one, or the last one
        that has weights, a normalisation only where nothing else has. A normalisation has no filters."""
        block = self._graph.blocks.get(key)
        if self._choice in {MAPS, "activation histograms"}:
            return key if block is None else block.facts.exit
        reports = self._document.snapshot.inference.nodes
        weighted = [i for i in self._graph.nodes_of(key) if i in reports and reports[i].num_parameters]
        others = [i for i in weighted if reports[i].layer.category is not Category.NORMALIZATION]
        found = others if self._choice in KERNELS else others or weighted
        return found[-1] if found else None

    # What is captured

    def show_maps(self, atlases: Mapping[str, Atlas], source: Source) -> None:
        """Show feature maps on their nodes; other nodes keep theirs."""
        if self._choice != MAPS:
            return
        self._maps_source = source
        self._graph.set_maps(atlases)
        self._say()

    def show_weights(self, event: WeightsCaptured, source: Source) -> None:
        """Take in weights, in full or their first kernels; other nodes keep theirs."""
        reports = self._document.snapshot.inference.nodes
        found = dict(event.first_kernels)
        for node_id, pictures in event.layers.items():
            if node_id in reports and node_id not in found:
                found[node_id] = _first_of(pictures, reports[node_id].layer)
        if source.is_past:
            # What the moment does not hold was captured of other steps.
            self._known = {node_id: known for node_id, known in self._known.items() if node_id in found}
        for node_id, pictures in found.items():
            before = self._known.get(node_id)
            if before is not None and before.gradient_source.is_past and not source.is_past:
                before = None
            self._known[node_id] = _Known(pictures, source, source)
            old = None if before is None else before.pictures.gradient
            # At rest there is none; that of the last step stays, and says so.
            is_at_rest = pictures.gradient is None and not event.run_id
            if is_at_rest and before is not None and old is not None and old.shape == pictures.weight.shape:
                self._known[node_id] = _Known(pictures._replace(gradient=old), source, before.gradient_source)
        if self._choice in KERNELS:
            self._show_all(None if source.is_past else found)

    def show_statistics(self, known: KnownStatistics | None) -> None:
        """Take in histograms; None takes them away."""
        self._statistics = known
        if self._choice in HISTOGRAMS:
            self._show_all()

    def follow(self, keys: tuple[str, ...]) -> None:
        """These cards are large enough for a picture now."""
        before, self._keys = self._keys, keys
        if self._choice in HISTOGRAMS and keys != before:
            self._show_all()
        self._say(always=bool(before) != bool(keys))

    def follow_edit(self, old: Snapshot | None, new: Snapshot) -> None:
        """Forget the weights of nodes that are others now, or have other inputs."""
        if old is None:
            self.clear()
            return
        self._known = {node_id: known for node_id, known in self._known.items() if new.keeps(node_id, old)}
        if self._choice in KERNELS:
            self._show_all()

    def clear(self) -> None:
        """Show none."""
        self._known.clear()
        self._statistics = self._maps_source = None
        self._graph.clear_maps()
        self._say()

    def strips(self, theme: Theme) -> Mapping[str, Strip]:
        """What cards carry, by their keys, as it would be drawn in a theme."""
        carrying = [card for card in self._graph.cards() if card.strip is not None]
        if self._choice == MAPS:
            return {card.key: card.strip for card in carrying if card.strip is not None}
        found = {card.key: self._strip(card, theme) for card in carrying}
        return {key: strip for key, strip in found.items() if strip is not None}

    # What it says

    def told(self, key: str) -> list[tuple[str, str]]:
        """Rows of a card's story: what its picture is, of which step and over which range; none where it has none."""
        card = self._graph.card(key)
        node_id = self.node_of(key) if card is not None and card.strip is not None else None
        if node_id is None or self._choice == MAPS:
            return []
        of = "" if node_id == key else self.tr(" of {0}").format(node_id)
        name = f"{self.title.lower()}{of}"
        if self._choice in HISTOGRAMS:
            histogram, source = self._histogram(node_id)
            return [] if histogram is None or source is None else [(name, f"{range_text(histogram)} · {source.text}")]
        known = self._known.get(node_id)
        values = None if known is None else self._values(known)
        if known is None or values is None or card is None:
            return []
        room = card.card.maps
        found = self._kernel_strip(node_id, values, self._themes.theme, room)
        limit = f"±{numbers.scientific(found.largest)}"
        source = known.gradient_source if self._choice in GRADIENTS else known.source
        rows = [(name, f"{limit} · {source.text}")]
        if values.shape[1] == 1 or len(values) == 1:
            return [*rows, (self.tr("picture"), self.tr("the first {0}").format(found.num_outputs))]
        if found.is_colour:
            told = self.tr("first {0} outputs, in colour; grey is 0").format(found.num_outputs)
        else:
            across = values.shape[2] * values.shape[3] > 1
            form = self.tr("{0} outputs across, {1} inputs down") if across else self.tr("{0} outputs down, {1} inputs")
            told = form.format(found.num_outputs, found.num_inputs)
        return [*rows, (self.tr("picture"), told)]

    def _say(self, *, always: bool = False) -> None:
        sources = {source.text: None for key in self._keys if (source := self._source_of(key)) is not None}
        note = ", ".join(sources)
        if always or note != self._note:
            self._note = note
            self.changed.emit()

    def _source_of(self, key: str) -> Source | None:
        if self._choice == MAPS:
            return self._maps_source
        node_id = self.node_of(key) if self._graph.card(key) is not None else None
        if node_id is None:
            return None
        if self._choice in HISTOGRAMS:
            histogram, source = self._histogram(node_id)
            return None if histogram is None else source
        known = self._known.get(node_id)
        if known is None or self._values(known) is None:
            return None
        return known.gradient_source if self._choice in GRADIENTS else known.source

    # Drawing

    def _redraw(self) -> None:
        # Feature maps have no colours of the theme's.
        if self._choice != MAPS:
            self._show_all()

    def _show_all(self, node_ids: Iterable[str] | None = None) -> None:
        """Show what is known on the cards of these nodes, or on all cards."""
        if self._choice == MAPS or not self._document.is_open or self._graph.shown is None:
            return
        only = None if node_ids is None else set(node_ids)
        for card in self._graph.cards():
            if self._choice in HISTOGRAMS and card.key not in self._keys:
                # Of all layers there is one; those that nobody sees are drawn when somebody does.
                continue
            if only is None or self.node_of(card.key) in only:
                card.show_strip(self._strip(card, self._themes.theme))
        self._say()

    def _strip(self, card: CardItem, theme: Theme) -> Strip | None:
        node_id, room = self.node_of(card.key), card.card.maps
        if node_id is None:
            return None
        if self._choice in HISTOGRAMS:
            histogram, _source = self._histogram(node_id)
            if histogram is None:
                return None
            font = QGuiApplication.font().key()
            # The card may have the colour of a number.
            return histogram_strip(histogram, ramp.readable(theme), room.width(), room.height(), font)
        known = self._known.get(node_id)
        values = None if known is None else self._values(known)
        return None if values is None else self._kernel_strip(node_id, values, theme, room).strip

    def _kernel_strip(self, node_id: str, values: Floats, theme: Theme, room: QRectF) -> KernelStrip:
        reports = self._document.snapshot.inference.nodes
        is_first = any(
            isinstance(self._document.architecture[i].layer, Input) for i in self._document.architecture[node_id].inputs
        )
        groups = int(getattr(reports[node_id].layer, "groups", 1))
        may_be_colour = is_first and groups == 1
        return kernel_strip(values, theme, room.width(), room.height(), may_be_colour=may_be_colour)

    def _values(self, known: _Known) -> Floats | None:
        """What is chosen of the first kernels; None where it is not known."""
        match self._choice:
            case "filters":
                return known.pictures.weight
            case "filter changes":
                return known.pictures.change
        return known.pictures.gradient

    def _histogram(self, node_id: str) -> tuple[Histogram | None, Source | None]:
        known = self._statistics
        layer = None if known is None else known.layers.get(node_id)
        if known is None or layer is None:
            return None, None
        match self._choice:
            case "weight histograms":
                return layer.weights, known.source
            case "gradient histograms":
                return layer.gradients, known.gradient_source
        return layer.activations, known.source


def _first_of(pictures: WeightPictures, layer: Layer) -> WeightPictures:
    """The first kernels of a layer whose weights are known in full."""
    groups, name = int(getattr(layer, "groups", 1)), str(getattr(layer, "module", layer.type_name))
    is_transposed = name.startswith("ConvTranspose")
    arrays = (
        None if array is None else first_kernels(array, groups=groups, is_transposed=is_transposed)
        for array in pictures
    )
    return WeightPictures(*arrays)  # type: ignore[arg-type] # the first is no None
