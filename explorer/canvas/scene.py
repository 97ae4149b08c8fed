"""The drawing of a network: items for nodes, folded and open blocks and wires, kept in step by `apply(old, new)` alone.

What is folded is a value of `folds`; which items that makes is `explorer.architecture.folding`'s to say. What is
selected and under the pointer is `marks`' business.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from PySide6.QtCore import QObject, QPointF, QRectF, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from explorer.architecture.arranging import arranged
from explorer.architecture.folding import Shown
from explorer.architecture.forms import Forms
from explorer.architecture.likeness import Likeness, likenesses
from explorer.architecture.paths import Ports
from explorer.architecture.placement import Placement, Point, Wire
from explorer.canvas import card as cards
from explorer.canvas.block_facts import block_facts, frame_sums
from explorer.canvas.block_item import BlockItem
from explorer.canvas.card import Part
from explorer.canvas.card_item import CardItem
from explorer.canvas.folds import Folds
from explorer.canvas.frame_item import FrameItem
from explorer.canvas.layouts import Layouts, meanwhile
from explorer.canvas.maps_strip import strip
from explorer.canvas.marks import Marks
from explorer.canvas.node_item import NodeItem, Now
from explorer.canvas.previews import Previews
from explorer.canvas.pulse import Pulse
from explorer.canvas.wire_item import WireItem
from explorer.inference import NodeReport, changed
from explorer.inference.inference import Reports
from explorer.layers import Shape
from explorer.look.theme import Theme
from explorer.runs import Atlas
from explorer.session import Snapshot
from explorer.session.measuring import is_waiting

_LABEL_HEIGHT = 16
_MANY = 32
"""From so many items on, drawing all that is in sight costs less than finding out what of it has changed."""


class GraphScene(QGraphicsScene):
    """The items of a network.

    Attributes:
        nodes: the shown nodes, by id.
        blocks: the folded blocks, by path.
        frames: the open blocks, by path.
        wires: what runs between nodes and folded blocks.
        likenesses: which blocks are made alike.
        folds: what is folded.
        shown: what of the network the items stand for.

    Signals:
        laid_out(): items stand elsewhere than before.
        about_to_move(): a layout that took its time has come, and items go to their places in it; `laid_out` follows.
    """

    laid_out = Signal()
    about_to_move = Signal()

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.nodes: dict[str, NodeItem] = {}
        self.blocks: dict[str, BlockItem] = {}
        self.frames: dict[str, FrameItem] = {}
        self.wires: dict[Wire, WireItem] = {}
        self.folds = Folds()
        self.shown: Shown | None = None
        self.placement: Placement | None = None
        self.automatic: Placement | None = None
        """What the layout says, without what was moved by hand."""
        self.moved: Mapping[str, Point] = {}
        self._theme = theme
        self._snapshot: Snapshot | None = None
        self.likenesses: Mapping[str, Likeness] = {}
        self._forms = Forms()
        self._now = Now()
        self._wires_at: defaultdict[str, list[WireItem]] = defaultdict(list)
        self._maps_at: dict[str, BlockItem] = {}
        self._within: dict[str, tuple[str, ...]] = {}
        self._has_places = True
        self._marks = Marks(self)
        self._layouts = Layouts(self)
        self._layouts.made.connect(self._show_late)
        self._hidden: frozenset[str] = frozenset()
        self._previews = Previews(self)
        self._pulse = Pulse(self._redraw, self)

    # What the document says

    def apply(self, old: Snapshot | None, new: Snapshot) -> None:
        """Get from the drawing of `old` (None: another document) to that of `new`."""
        self._previews.end()
        if old is None:
            self._clear()
        change = changed(old, new)
        self._snapshot = new
        self._now.reports = new.inference.nodes
        if old is None or change.structure or _layers_differ(old, new, change.changed):
            self.likenesses = likenesses(new.architecture, self._forms)
        if change.structure:
            self.folds = self.folds.followed(new.architecture, self.likenesses)
            self._show_items()
            self._lay_out()
            self._marks.show_all()
            self._show_shapes(self.wires.values())
            self._redraw(tuple(self.cards()), tuple(self.wires.values()))
        else:
            assert old is not None
            pairs = zip(new.architecture.nodes, old.architecture.nodes, strict=True)
            replaced = {node.id for node, before in pairs if node is not before}
            self._show_values(change.changed & self._holders.keys(), replaced)
        if old is not None:
            seen = _different(change.changed & self._holders.keys(), old.inference.nodes, new.inference.nodes)
            added = change.added & self._holders.keys()
            self._pulse.light(self._cards_of(seen | added))

    def show_folds(self, folds: Folds) -> None:
        """Fold and unfold."""
        if self._snapshot is None or folds == self.folds:
            return
        self._previews.end()
        self.folds = folds
        self._show_items()
        self._lay_out()
        self._show_shapes(self.wires.values())
        self._marks.show_all()
        self.update()

    def show_preview(self, now: Snapshot, preview: Snapshot | None) -> None:
        """Show beside what is what would be after an edit under the pointer; None ends that."""
        self._previews.end()
        if preview is not None:
            self._previews.show(now, preview)

    def show_moved(self, moved: Mapping[str, Point]) -> None:
        """Put these items where a hand has put them, and all others where the layout does."""
        self.moved = moved
        if self.shown is not None and self.automatic is not None:
            self._previews.end()
            self._show_placement(arranged(self.automatic, moved, self.shown.inside))
            self.update()

    # What the window says

    def select(self, node_ids: Iterable[str]) -> None:
        """Show these nodes as selected, and the blocks of which all are."""
        self._marks.select(node_ids)

    def hover(self, key: str | None, part: Part | None, wire: WireItem | None) -> None:
        """Show what the pointer is on: an item or an open block by its key, or a wire."""
        self._marks.hover(key, part, wire)

    def show_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        for item in self.cards():
            item.show_theme(theme)
        for frame in self.frames.values():
            frame.show_theme(theme)
        for wire in self.wires.values():
            wire.show_theme(theme)

    def set_maps(self, atlases: Mapping[str, Atlas]) -> None:
        """Show these maps; nodes without one keep what they show."""
        for node_id, atlas in atlases.items():
            item = self.nodes.get(node_id) or self._maps_at.get(node_id)
            if item is not None:
                item.show_strip(strip(atlas, item.card.maps.width(), item.card.maps.height()))

    def clear_maps(self) -> None:
        """Show no pictures on cards."""
        for item in self.cards():
            item.show_strip(None)

    def show_places(self, has_places: bool) -> None:
        """Mark where maps will stand, or, where cards carry something else, not."""
        self._has_places = has_places
        for item in self.cards():
            item.show_places(has_places)
        self.update()

    @property
    def is_laying_out(self) -> bool:
        """Whether a layout is being made aside, and what came last has no place yet."""
        return self._layouts.is_waiting

    def close(self) -> None:
        """Make no more layouts."""
        self._layouts.close()

    # What is where

    def cards(self) -> Iterable[CardItem]:
        """All nodes and folded blocks."""
        return itertools.chain(self.nodes.values(), self.blocks.values())

    def card(self, key: str) -> CardItem | None:
        """The item of a node's id or a folded block's path."""
        return self.nodes.get(key) or self.blocks.get(key)

    def card_at(self, position: QPointF) -> CardItem | None:
        """The node or folded block at a place in the scene."""
        return next((item for item in self.items(position) if isinstance(item, CardItem)), None)

    def wire_at(self, position: QPointF) -> WireItem | None:
        """The wire at a place in the scene, unless a node covers it."""
        first = next(iter(self.items(position)), None)
        return first if isinstance(first, WireItem) else None

    def frame_at(self, position: QPointF) -> FrameItem | None:
        """The open block whose header is at a place in the scene, under no card."""
        found = self.items(position)
        first = next((item for item in found if not isinstance(item, WireItem)), None)
        return first if isinstance(first, FrameItem) else None

    def wires_of(self, node_ids: Iterable[str]) -> tuple[WireItem, ...]:
        """The wires that carry what some nodes read or put out, each once."""
        return tuple(dict.fromkeys(item for node_id in node_ids for item in self._wires_at.get(node_id, ())))

    def place_of(self, key: str) -> QRectF | None:
        """Where an item, or the header of an open block, is in the scene."""
        if self.placement is None:
            return None
        if key in self.placement.nodes:
            return QRectF(*self.placement.nodes[key])
        frame = self.frames.get(key)
        return None if frame is None else frame.header.translated(frame.pos())

    def nodes_of(self, key: str) -> tuple[str, ...]:
        """The nodes that an item, or an open block, stands for."""
        assert self.shown is not None
        if key in self.frames:
            if key not in self._within:
                self._within[key] = tuple(i for i in self.shown.holders if i.startswith(f"{key}."))
            return self._within[key]
        return self.shown.folded.get(key, (key,))

    # Inside

    @property
    def _holders(self) -> Mapping[str, str]:
        return {} if self.shown is None else self.shown.holders

    def _show_items(self) -> None:
        """Have one item for all that is shown, each with its values."""
        assert self._snapshot is not None
        architecture = self._snapshot.architecture
        shown = self.shown = self.folds.shown(architecture)
        self._within.clear()
        items = set(shown.items)
        for key in self.nodes.keys() - items:
            self._drop(self.nodes.pop(key))
        for key in self.blocks.keys() - items:
            self._drop(self.blocks.pop(key))
        for key in self.frames.keys() - set(shown.frames):
            self._drop(self.frames.pop(key))
        outputs = {node_id: place for place, node_id in enumerate(architecture.outputs)}
        for key in shown.items:
            if key in shown.folded:
                self._show_block(key)
                continue
            node = architecture[key]
            item = self.nodes.get(key)
            if item is None:
                item = self.nodes[key] = NodeItem(node, self._now, self._theme, self._pulse.glow)
                self.addItem(item)
            item.show_node(node, outputs.get(key))
        for card in self.cards():
            card.show_frame(shown.inside.get(card.key, ""))
            card.show_places(self._has_places)
        self._maps_at = {item.facts.exit: item for item in self.blocks.values()}
        kinds = {block.path: block.kind for block in architecture.blocks}
        depths: dict[str, int] = {}
        for path in shown.frames:
            depths[path] = depths.get(shown.inside.get(path, ""), 0) + 1
            frame = self.frames.get(path)
            if frame is None:
                frame = self.frames[path] = FrameItem(path, self._theme)
                self.addItem(frame)
            frame.show_block(kinds[path], shown.inside.get(path, ""), depths[path], self.likenesses.get(path))
        self._show_sums()

    def _show_block(self, path: str, around: Ports | None = None) -> None:
        assert self._snapshot is not None
        assert self.shown is not None
        architecture, reports = self._snapshot.architecture, self._snapshot.inference.nodes
        facts = block_facts(architecture, reports, path, self.shown.folded[path], around)
        item = self.blocks.get(path)
        if item is None:
            item = self.blocks[path] = BlockItem(path, facts, self._theme, self._pulse.glow)
            self.addItem(item)
        item.show_block(facts, self.likenesses.get(path))

    def _show_values(self, node_ids: AbstractSet[str], replaced: AbstractSet[str]) -> None:
        """Show other values of these nodes, where nothing but values has changed.

        Args:
            node_ids: of which anything is otherwise.
            replaced: those that are other nodes, so that not only their numbers are otherwise.
        """
        assert self._snapshot is not None
        architecture = self._snapshot.architecture
        sizes_differ = False
        for node_id in replaced & self.nodes.keys():
            item = self.nodes[node_id]
            before = item.card
            item.show_node(architecture[node_id], item.output)
            sizes_differ = sizes_differ or item.card is not before
        touched = self._cards_of(node_ids)
        for card in touched:
            if isinstance(card, BlockItem):
                self._show_block(card.key, card.facts.ports)
        for path in (*self.blocks, *self.frames):
            self._show_likeness(path)
        self._show_sums()
        if sizes_differ:
            self._lay_out()
        # Where most has changed, all wires are sooner looked at than those found out that carry it.
        is_most = 2 * len(node_ids) > len(self._holders)
        wires = tuple(self.wires.values()) if is_most else self.wires_of(node_ids)
        self._show_shapes(wires)
        self._redraw(touched, wires)

    def _show_sums(self) -> None:
        """Show on open blocks what they hold."""
        if self.frames and self.shown is not None and self._snapshot is not None:
            for path, sums in frame_sums(self.shown, self._snapshot.inference).items():
                self.frames[path].show_sums(sums)

    def _show_likeness(self, path: str) -> None:
        """Mark a block anew whose nodes have not changed, but those of its equals."""
        likeness = self.likenesses.get(path)
        block, frame = self.blocks.get(path), self.frames.get(path)
        if block is not None and block.likeness != likeness:
            block.show_block(block.facts, likeness)
            block.update()
        if frame is not None:
            frame.show_likeness(likeness)

    def _cards_of(self, node_ids: Iterable[str]) -> tuple[CardItem, ...]:
        """The cards that show these nodes, each once."""
        keys = dict.fromkeys(self._holders[node_id] for node_id in node_ids)
        return tuple(self.nodes.get(key) or self.blocks[key] for key in keys)

    def _lay_out(self) -> None:
        assert self.shown is not None
        shown = self.shown
        sizes = {}
        for key in shown.items:
            rect = (self.nodes.get(key) or self.blocks[key]).card.rect
            sizes[key] = (rect.width(), rect.height())
        made = self._layouts.find(sizes, shown, may_wait=self.placement is not None)
        if made is not None:
            self._show_automatic(made)
            return
        assert self.placement is not None
        self.automatic, hidden = meanwhile(self.placement, sizes, shown)
        self._show_placement(self.automatic)
        self._hide(hidden)

    def _show_automatic(self, automatic: Placement) -> None:
        assert self.shown is not None
        self._hide(frozenset())
        self.automatic = automatic
        self._show_placement(arranged(automatic, self.moved, self.shown.inside))

    def _show_late(self, automatic: Placement) -> None:
        """Show a layout that was made aside, once it is here."""
        self.about_to_move.emit()
        self._show_automatic(automatic)
        self._show_shapes(self.wires.values())
        self._marks.show_all()
        self.update()

    def _hide(self, keys: frozenset[str]) -> None:
        """Let only these items and open blocks not be seen."""
        for key in self._hidden ^ keys:
            item = self.card(key) or self.frames.get(key)
            if item is not None:
                item.setVisible(key not in keys)
        self._hidden = keys

    def _show_placement(self, placement: Placement) -> None:
        assert self.shown is not None
        shown = self.shown
        self.placement = placement
        for key, box in self.placement.nodes.items():
            (self.nodes.get(key) or self.blocks[key]).setPos(box.x, box.y)
        for path, box in self.placement.frames.items():
            self.frames[path].show_box(box, self.placement.titles[path])
        texts = self._layouts.texts(placement, cards.shape_width(QGuiApplication.font().key()), _LABEL_HEIGHT)
        for path, end in texts.ends.items():
            self.frames[path].show_free_end(end)
        for wire in self.wires.keys() - placement.wires.keys():
            self._drop(self.wires.pop(wire))
        self._wires_at.clear()
        for wire, points in self.placement.wires.items():
            item = self.wires.get(wire)
            if item is None:
                item = self.wires[wire] = WireItem(wire, self._theme)
                self.addItem(item)
            item.show_connections(shown.links[wire])
            item.show_route(points, texts.labels.get(wire))
            for node_id in {*item.sources, *item.targets}:
                self._wires_at[node_id].append(item)
        self.laid_out.emit()

    def _show_shapes(self, wires: Iterable[WireItem]) -> None:
        """Show what passes these wires."""
        assert self._snapshot is not None
        reports = self._snapshot.inference.nodes
        # The columns, since a report is made for each node that is asked for.
        index, columns, faults = reports.architecture.structure.index, reports.numbers, reports.faults
        for item in wires:
            # An unknown output is the sign of a fault here or upstream; only then is it worth looking for.
            unknown = [i for i in item.targets if columns[index[i]].output is None] if faults else ()
            faulty = [r for i in unknown if (r := reports[i]).fault and not is_waiting(r.layer, r.input_shapes)]
            shapes = tuple([columns[index[source]].output for source in item.sources])
            item.show_shapes(shapes if len(shapes) == 1 else _distinct(shapes), is_fault=bool(faulty))

    def _redraw(self, *groups: Sequence[QGraphicsItem]) -> None:
        if sum(map(len, groups)) > _MANY:
            self.update()
            return
        for item in itertools.chain(*groups):
            item.update()

    def _drop(self, item: QGraphicsItem) -> None:
        if isinstance(item, WireItem):
            self._marks.forget(item)
        if isinstance(item, CardItem):
            self._pulse.forget(item)
        self.removeItem(item)

    def _clear(self) -> None:
        self._layouts.forget()
        self._hidden = frozenset()
        self._pulse.stop()
        self._marks.clear()
        for item in (*self.cards(), *self.frames.values(), *self.wires.values()):
            self._drop(item)
        for held in (self.nodes, self.blocks, self.frames, self.wires, self._maps_at):
            held.clear()
        self._wires_at.clear()
        self.folds = Folds()
        self.shown = self.placement = self.automatic = None


def _distinct(shapes: Iterable[Shape | None]) -> tuple[Shape | None, ...]:
    return tuple(dict.fromkeys(shapes))


def _layers_differ(old: Snapshot, new: Snapshot, node_ids: Iterable[str]) -> bool:
    """Whether a layer in some block is another, so that blocks may be alike that were not."""
    before, after = old.architecture, new.architecture
    return any("." in node_id and before[node_id].layer is not after[node_id].layer for node_id in node_ids)


def _different(node_ids: Iterable[str], old: Reports, new: Reports) -> set[str]:
    """Those of some nodes whose cards look different; a receptive field alone lights nothing up."""
    before_index, index = old.architecture.structure.index, new.architecture.structure.index
    before_at, after_at = {*old.noted, *old.faults}, {*new.noted, *new.faults}
    found = set()
    for node_id in node_ids:
        before, after = before_index[node_id], index[node_id]
        one, other = old.numbers[before], new.numbers[after]
        if (
            one.layer is not other.layer
            or one.output != other.output
            or one.parameters != other.parameters
            or ((before in before_at or after in after_at) and _texts(old.at(before)) != _texts(new.at(after)))
        ):
            found.add(node_id)
    return found


def _texts(report: NodeReport) -> list[str]:
    return [issue.text for issue in report.issues]
