"""What of the drawing would be otherwise after an edit under the pointer: shown beside what is, and taken back."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from explorer.architecture.folding import Shown
from explorer.architecture.paths import members
from explorer.canvas.block_facts import block_facts, frame_sums
from explorer.canvas.block_item import BlockItem
from explorer.canvas.frame_item import FrameItem
from explorer.canvas.node_item import NodeItem
from explorer.canvas.wire_item import WireItem
from explorer.inference import Inference, NodeReport, changed
from explorer.layers import Shape
from explorer.session import Snapshot

if TYPE_CHECKING:
    from explorer.canvas.scene import GraphScene


class Previews:
    """The previews on a scene's items."""

    def __init__(self, graph: "GraphScene") -> None:
        self._graph = graph
        self._nodes: list[NodeItem] = []
        self._blocks: list[BlockItem] = []
        self._wires: list[WireItem] = []
        self._frames: list[FrameItem] = []

    def show(self, now: Snapshot, preview: Snapshot) -> None:
        """Show what would be other than now."""
        graph = self._graph
        difference = changed(now, preview)
        before, reports = now.inference.nodes, preview.inference.nodes
        holders = {} if graph.shown is None else graph.shown.holders
        touched = difference.changed & holders.keys()
        for node_id in touched & graph.nodes.keys():
            graph.nodes[node_id].show_preview(reports[node_id])
            self._nodes.append(graph.nodes[node_id])
        held = members(preview.architecture) if graph.blocks else {}
        for path, item in graph.blocks.items():
            within = [node.id for node in held.get(path, ())]
            if within and (difference.structure or not touched.isdisjoint(within)):
                facts = block_facts(preview.architecture, reports, path, within)
                if facts != item.facts:
                    item.show_preview(facts)
                    self._blocks.append(item)
        if graph.frames and graph.shown is not None and (touched or difference.structure):
            folds, new = graph.folds, preview.architecture
            shown = folds.followed(new, graph.likenesses).shown(new) if difference.structure else graph.shown
            self._show_sums(shown, preview.inference)
        for wire in graph.wires_of(touched):
            after = _shapes(reports, wire.sources)
            if after != _shapes(before, wire.sources):
                wire.show_preview(tuple(dict.fromkeys(after)))
                self._wires.append(wire)

    def _show_sums(self, shown: Shown, inference: Inference) -> None:
        """Say on the open blocks what they would hold, so that it agrees with the cards in them."""
        for path, sums in frame_sums(shown, inference).items():
            frame = self._graph.frames.get(path)
            if frame is not None and sums != frame.sums:
                frame.show_preview(sums)
                self._frames.append(frame)

    def end(self) -> None:
        """Show what is."""
        for frame in self._frames:
            frame.show_preview(None)
        for node in self._nodes:
            node.show_preview(None)
        for block in self._blocks:
            block.show_preview(None)
        for wire in self._wires:
            wire.show_preview(None)
        self._nodes, self._blocks, self._wires, self._frames = [], [], [], []


def _shapes(reports: Mapping[str, NodeReport], sources: Iterable[str]) -> tuple[Shape | None, ...]:
    return tuple(reports[i].output_shape if i in reports else None for i in sources)
