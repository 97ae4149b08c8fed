"""The Layer tab: the window of the selected convolution or pooling on its real input, output by output.

The panel captures nothing: it says which layer it wants to see closely (`wanted`), and is given values
(`show_observed`). The pictures are `board`'s, the editors beside them `form`'s.
"""

from collections.abc import Iterator, Sequence
from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from explorer.layers import Category, Flatten, Layer, Shape
from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, mono_font, small_font
from explorer.panels.layer_walk.board import Board
from explorer.panels.layer_walk.form import WIDTH, LayerSteppers, size_lines
from explorer.panels.viewer_panel import ViewerPanel
from explorer.runs import Event, LayersOpened, Look, OpenedLayer
from explorer.session import Document, Selection, Snapshot
from explorer.session.layer_arithmetic import Walk
from explorer.session.layer_window import can_slide, is_whole
from explorer.session.sources import Source

_MOST_NAMED = 12
_LEAST_BOARD = 76 * GRID
"""The editors beside the pictures go where the pictures would be narrower than this; the inspector has them too."""
_KEEPS_PLACES = frozenset({Category.ACTIVATION, Category.REGULARIZATION, Category.NORMALIZATION})


class LayerWalkPanel(ViewerPanel):
    """One layer, understood."""

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._shown: str | None = None
        """The node that the board shows."""
        self._asked: tuple[str, int, int, int] | None = None
        """Where the window is to stand as soon as the values are here: node, channel, row, column."""
        self._where = ""
        self._note = ""
        self._problem = ""
        self._title = RoleLabel(themes, font=body_font(bold=True), parent=self)
        self._facts = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self._size = RoleLabel(themes, font=mono_font(), parent=self)
        self.board = Board(themes, self)
        self.steppers = LayerSteppers(document, themes, self)
        self.empty = RoleLabel(themes, role="muted", wraps=True, parent=self)
        self.empty.setTextFormat(Qt.TextFormat.RichText)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)
        self.empty.linkActivated.connect(lambda node_id: selection.set((node_id,)))
        self._lay_out()
        document.changed.connect(self._apply)
        selection.changed.connect(lambda _ids: self._follow())
        self._follow()

    # A viewer

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Take the values of the selected layer; the window stays where it is."""
        current = self._selection.current
        for event in events:
            if isinstance(event, LayersOpened) and current is not None and current in event.layers:
                self._take(current, event.layers[current], event.probe, source)

    def clear_observed(self) -> None:
        """Forget the values, as another network or run makes them wrong."""
        self._forget()
        self._show()

    def show_problem(self, text: str) -> None:
        """Say why there are no values; the next ones take it back."""
        self._problem = text
        self._show()

    def go_to(self, node_id: str, channel: int, row: int, column: int) -> None:
        """Put the window of a selected layer where this output is computed, as soon as its values are here."""
        self._asked = (node_id, channel, row, column)
        self._go()

    def _go(self) -> None:
        if self._asked is not None and self._asked[0] == self._shown and self.board.walk is not None:
            _, channel, row, column = self._asked
            self._asked = None
            if self.board.walk.is_whole:
                # Its outputs are laid out as a map; elsewhere they are channels of one pixel.
                row, column = divmod(max(channel, row, column), self.board.walk.output_shape[2])
            self.board.choose_channel(channel if not self.board.walk.is_whole else 0)
            self.board.choose(row, column)

    def set_reduced(self, reduced: bool) -> None:
        """Draw less often, as a run needs the time."""
        self.board.set_reduced(reduced)

    def _take(self, node_id: str, opened: OpenedLayer, probe: str, source: Source) -> None:
        if not self._document.is_open or node_id not in self._document.architecture:
            return
        self._problem = ""
        layer = self._document.architecture[node_id].layer
        before = self.board.walk.layer if self._shown == node_id and self.board.walk is not None else None
        flattened = self._flattened(node_id)
        found, self._note = None, ""
        # A run goes on with the layer that it was started with, whatever is edited meanwhile.
        for candidate in dict.fromkeys((layer, before)):
            if candidate is None or found is not None:
                continue
            try:
                walk = Walk(candidate, opened, flattened)
            except ValueError as error:
                self._problem = self._problem or str(error)
                continue
            if walk.agrees():
                found = walk
                self._note = "" if candidate == layer else self.tr("as it was before the edit")
        if found is None:
            self._forget()
            self._show()
            return
        self._problem = ""
        self._where = " · ".join(text for text in (probe, source.text) if text)
        restart, self._shown = self._shown != node_id, node_id
        self.board.show_walk(found, restart=restart)
        self._go()
        self._show()

    def _forget(self) -> None:
        self._shown = None
        self._where = self._note = ""
        self.board.show_walk(None, restart=True)

    # What changes

    def _look(self) -> Look:
        """The selected layer with all its values."""
        current = self._selection.current
        return Look(opened=(current,) if current is not None and self._can_walk(current) else ())

    def _can_walk(self, node_id: str) -> bool:
        if not self._document.is_open or node_id not in self._document.architecture:
            return False
        layer = self._document.architecture[node_id].layer
        report = self._document.snapshot.inference.nodes[node_id]
        if is_whole(layer):
            return (
                len(report.input_shapes) == 1
                and report.input_shapes[0] is not None
                and len(report.input_shapes[0]) == 1
            )
        return can_slide(layer)

    def _apply(self, old: Snapshot | None, new: Snapshot) -> None:
        if old is None or (self._shown is not None and self._shown not in new.architecture):
            self._forget()
        self._problem = ""
        self._report_wanted()
        self._show()

    def _follow(self) -> None:
        if self._selection.current != self._shown:
            self._forget()
            self._problem = ""
        if self._asked is not None and self._asked[0] != self._selection.current:
            self._asked = None
        self.steppers.finish_gesture()
        self._report_wanted()
        self._show()

    # What is shown

    def _show(self) -> None:
        if not self.isVisible():
            return
        current = self._selection.current
        known = current is not None and self._document.is_open and current in self._document.architecture
        can_walk = known and self._can_walk(current or "")
        self._show_heading(current if known else None)
        self._show_size(current if can_walk else None)
        self.steppers.setVisible(can_walk and self.width() >= _LEAST_BOARD + WIDTH)
        if can_walk and current is not None:
            self.steppers.show_node(current)
            has_output = self._document.snapshot.inference.nodes[current].output_shape is not None
            if self._shown == current and has_output and not self._problem:
                self._stack.setCurrentWidget(self.board)
                return
        self.board.pause()
        self.empty.setText(self._what_to_do(current if known else None, can_walk))
        self._stack.setCurrentWidget(self.empty)

    def _show_heading(self, current: str | None) -> None:
        self._title.show_text(current or "")
        if current is None:
            self._facts.show_text("")
            return
        report = self._document.snapshot.inference.nodes[current]
        arrives = report.input_shapes[0] if len(report.input_shapes) == 1 else None
        facts = [
            report.layer.type_name,
            f"{numbers.shape(arrives)} {numbers.ARROW} {numbers.shape(report.output_shape)}",
        ]
        if self._shown == current:
            facts += [text for text in (self._where, self._note) if text]
        self._facts.show_text(" · ".join(facts))

    def _show_size(self, current: str | None) -> None:
        """The output's height and width with the numbers in their formula."""
        lines = [] if current is None else size_lines(current, self._document.snapshot)
        names = {"output height": self.tr("height"), "output width": self.tr("width")}
        said = [(names.get(line.what, self.tr("size")), line.values, numbers.exact(line.result)) for line in lines]
        self._size.show_text("   ".join(f"{name} = {values} = {result}" for name, values, result in said))
        self._size.setToolTip("\n".join(f"{line.what} = {line.formula}" for line in lines))

    def _what_to_do(self, current: str | None, can_walk: bool) -> str:
        if not self._document.is_open:
            return self.tr("Open a network to see how a layer computes its output.")
        if current is not None and can_walk:
            report = self._document.snapshot.inference.nodes[current]
            if report.output_shape is None:
                return escape(self.tr("{0} has no output: mend the fault first.").format(current))
            if self._problem:
                return escape(self._problem)
            return escape(self.tr("Waiting for the values of {0}…").format(current))
        choose = self.tr("Select a convolution or pooling layer to see its window at work: {0}").format(self._links())
        if current is None:
            return choose
        layer = self._document.architecture[current].layer
        says = escape(f"{current} · {layer.type_name}: {layer.summary}")
        return f"{says}<br>{escape(self.tr('It has no window that slides.'))}<br><br>{choose}"

    def _links(self) -> str:
        names = list(self._windowed())
        links = [f'<a href="{escape(name)}">{escape(name)}</a>' for name in names[:_MOST_NAMED]]
        return ", ".join(links) + (", …" if len(names) > _MOST_NAMED else "")

    def _windowed(self) -> Iterator[str]:
        return (node.id for node in self._document.architecture.nodes if can_slide(node.layer))

    def _flattened(self, node_id: str) -> Shape | None:
        """The maps that a linear layer's inputs were, where a flatten laid them out as a row."""
        architecture, nodes = self._document.architecture, self._document.snapshot.inference.nodes
        if not is_whole(architecture[node_id].layer):
            return None
        while architecture[node_id].inputs:
            node_id = architecture[node_id].inputs[0]
            report, layer = nodes[node_id], architecture[node_id].layer
            shape = report.input_shapes[0] if report.input_shapes else None
            if isinstance(layer, Flatten):
                return shape if shape is not None and len(shape) == 3 else None
            if not _keeps_places(layer):
                return None
        return None

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(GRID)
        line.addWidget(self._title)
        line.addWidget(self._facts, 1)
        line.addWidget(self._size)
        left = QWidget(self)
        self._stack = QStackedLayout(left)
        self._stack.addWidget(self.board)
        self._stack.addWidget(self.empty)
        body = QHBoxLayout()
        body.setSpacing(GRID)
        body.addWidget(left, 1)
        body.addWidget(self.steppers)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID // 2)
        column.addLayout(line)
        column.addLayout(body, 1)

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(140 * GRID, 40 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(60 * GRID, 22 * GRID)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show()


def _keeps_places(layer: Layer) -> bool:
    """Whether each of a row of features stays where it is."""
    return layer.category in _KEEPS_PLACES
