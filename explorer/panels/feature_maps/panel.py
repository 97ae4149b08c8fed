"""The selected layer's feature maps in full, and pinned channels of others.

What lies where is `body`'s, what is asked for `wanted`'s, what the numbers say
`values`' and `pointing`'s, the probe image `probes`'. The panel captures nothing: it says
what it wants to show (`wanted`), and is given what was captured (`show_observed`): small pictures first, the values
themselves as soon as they are there.
"""

import math
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from explorer.look.theme import GRID, ThemeSource
from explorer.panels.feature_maps.body import MapsBody
from explorer.panels.feature_maps.line import LinkLine
from explorer.panels.feature_maps.order import ChannelOrder
from explorer.panels.feature_maps.pins import MOST_PINS, Pin
from explorer.panels.feature_maps.pointing import Pointing, field_of, is_there, pixel_of
from explorer.panels.feature_maps.taken import Store, Taken
from explorer.panels.feature_maps.values import (
    Scale,
    levels_of,
    scale_of,
)
from explorer.panels.feature_maps.wanted import is_too_large, wanted_look
from explorer.panels.feature_maps.words import Words
from explorer.panels.feature_maps.zoom import ZoomBar
from explorer.panels.probes.bar import ProbeBar, dropped_image
from explorer.panels.viewer_panel import ViewerPanel
from explorer.runs import Event, Look
from explorer.runs.looks import Pixel
from explorer.runs.observed import ChannelCompared
from explorer.session import Document, Selection, Snapshot
from explorer.session.probe_set import ProbeSet
from explorer.session.sources import Source

_MOST_BARS = 100


class FeatureMapsPanel(ViewerPanel):
    """Probe bar at the top; below it the controls, all channels, one enlarged, the image, and what is pinned.

    Signals:
        walk_requested(str, int, int, int): how this value comes about is asked: node, channel, row, column.
        failed(str): why a picture or a file could not be used or written.
    """

    walk_requested = Signal(str, int, int, int)
    failed = Signal(str)

    def __init__(
        self,
        document: Document,
        selection: Selection,
        probes: ProbeSet,
        themes: ThemeSource,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._probes = probes
        self._store = Store()
        self._channels = ChannelOrder()
        self._words = Words(self.tr)
        self._problem = ""
        self._shown: Taken | None = None
        self._order: npt.NDArray[np.intp] = np.arange(0)
        self._levels: npt.NDArray[np.uint8] | None = None
        self._scale: Scale | None = None
        """What the levels stand for; None without any."""
        self._is_over_maps = False
        self.setAcceptDrops(True)

        self.probe_bar = ProbeBar(probes, themes, self)
        self.probe_bar.failed.connect(self.failed)
        self.body = MapsBody(themes, self)
        self.controls, self.maps = self.body.controls, self.body.maps
        self.bars, self.compared = self.body.bars, self.body.compared
        self.side, self.field, self.pins = self.body.side, self.body.field, self.body.pins
        self.zoom = ZoomBar(self.maps, themes, self)
        self.readout = LinkLine(themes, self)
        self.pointing = Pointing(self)
        self._lay_out()
        self._connect()
        self._follow()

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Take what was captured of some nodes; what there is of others stays."""
        followed = {self._selection.current, *(pin.node_id for pin in self.pins.pins)}
        fresh, has_heat = self._store.take(events, source, followed, self._input_id())
        if self.isVisible() and (self._store.compared is None or _compares(events)):
            self._show_compared()
        if not (fresh or has_heat):
            return
        self._problem = ""
        if not self.isVisible():
            return
        self._show_pins(fresh)
        self.field.show_image(self._store.input)
        if self._selection.current in fresh:
            self._show()
        elif has_heat or self._input_id() in fresh:
            self._point()

    def clear_observed(self) -> None:
        """Forget everything, as another network or run makes it wrong."""
        self._forget_all()
        self.pins.clear_pictures()
        self._show()

    def show_problem(self, text: str) -> None:
        """Say why there are no maps; the next maps take it back."""
        self._problem = text
        self._show()

    def _look(self) -> Look:
        """The selected node in full, with the image and what is pointed at; pictures of it and of what is pinned."""
        if not self._document.is_open:
            return Look()
        pinned = [pin.node_id for pin in self.pins.pins]
        asked, channel = self.pointing.asked, self._compared_channel()
        return wanted_look(self._document.snapshot, self._selection.current, pinned, asked, channel)

    def _compared_channel(self) -> int | None:
        """The channel that is asked for all probes; None for none."""
        taken, many = self._shown, len(self._probes.probes) > 1
        is_on = self.side.compare_button.isChecked() and many and taken is not None and not taken.maps.is_vector
        return self.maps.chosen if is_on else None

    def sizeHint(self) -> QSize:
        return QSize(120 * GRID, 40 * GRID)

    def minimumSizeHint(self) -> QSize:
        """Not as wide as the sides are at present: they follow the panel's size."""
        return QSize(88 * GRID, super().minimumSizeHint().height())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_image(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped_image(event)
        if path is not None:
            event.acceptProposedAction()
            self.probe_bar.open_image(path)

    def menu(self) -> QMenu:
        """What a right click offers."""
        menu = QMenu(self)
        copy = menu.addAction(self.tr("Copy all maps"), self.body.copy)
        save = menu.addAction(self.tr("Save all maps…"), self._ask_picture)
        for action in (copy, save):
            action.setEnabled(self._shown is not None)
        chosen, current = self.maps.chosen, self._selection.current
        if chosen is not None and current is not None and not self.side.isHidden():
            menu.addAction(self.tr("Copy channel {channel}").format(channel=chosen), self.side.view.copy)
            is_pinned = Pin(current, chosen) in self.pins.pins
            text = self.tr("Unpin channel {channel}") if is_pinned else self.tr("Pin channel {channel}")
            menu.addAction(text.format(channel=chosen), lambda: self._pin(chosen))
        return menu

    def save_picture(self, path: Path) -> None:
        """Write all maps as one picture, a pixel for a pixel; `failed` says why it could not be."""
        if not self.body.save(path):
            self.failed.emit(self.tr("{path} could not be written; choose another folder").format(path=path))

    # Layout

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(GRID)
        line.addWidget(self.readout, 1)
        line.addWidget(self.zoom)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, 4)
        column.setSpacing(4)
        column.addWidget(self.probe_bar)
        column.addWidget(self.body, 1)
        column.addLayout(line)

    def _connect(self) -> None:
        self.maps.channel_chosen.connect(lambda _channel: self._channel_chosen())
        self.side.compare_button.toggled.connect(lambda _is_on: self._channel_chosen())
        self.compared.chosen.connect(self._choose_probe)
        self.compared.turned.connect(self.maps.turn)
        self.compared.closed.connect(lambda: self.side.compare_button.setChecked(False))
        self._probes.changed.connect(self._follow_probes)
        self.maps.pin_asked.connect(self._pin)
        self.side.pin_button.clicked.connect(lambda: self._pin(self.maps.chosen))
        self.pins.changed.connect(self._pins_changed)
        self.pins.chosen.connect(self._go_to)
        self.side.view.clicked.connect(self._hold)
        self.controls.changed.connect(self._show)
        self.controls.changed.connect(self._show_pins)
        self.pointing.changed.connect(self._point)
        self.pointing.rested.connect(self._report_wanted)
        self.readout.clicked.connect(self._walk)
        for view in (self.maps, self.side.view, self.bars):
            view.hovered.connect(self._hover)
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            view.customContextMenuRequested.connect(self._open_menu)
        self._document.changed.connect(self._apply)
        self._selection.changed.connect(lambda _ids: self._follow())

    # What changes

    def _apply(self, old: Snapshot | None, new: Snapshot) -> None:
        if old is None:
            self._forget_all()
            self.pins.keep(())
        else:
            # A node of another shape or input has other maps; those on screen would be of a network that is gone.
            before, after = old.inference.nodes, new.inference.nodes
            self._store.forget(
                node_id
                for node_id in self._store.node_ids
                if node_id not in after
                or node_id not in before
                or after[node_id].output_shape != before[node_id].output_shape
            )
            self.pins.keep([pin for pin in self.pins.pins if self._has_channel(new, pin)])
            pixel = self.pointing.current
            if pixel is not None and not is_there(pixel, self._shape(pixel.node_id)):
                self.pointing.clear()
        self._report_wanted()
        self._show()

    def _forget_all(self) -> None:
        self._store.clear()
        self._channels.clear()
        self.field.show_image(None)

    @staticmethod
    def _has_channel(snapshot: Snapshot, pin: Pin) -> bool:
        if pin.node_id not in snapshot.architecture:
            return False
        shape = snapshot.inference.nodes[pin.node_id].output_shape
        # One row of values is shown as a vector.
        return shape is None or pin.channel < (shape[0] if shape[0] > 1 else math.prod(shape))

    def _follow(self) -> None:
        self.maps.choose(None)
        self.pointing.clear()
        self._report_wanted()
        self._show()

    def _input_id(self) -> str | None:
        return self._document.architecture.nodes[0].id if self._document.is_open else None

    def _shape(self, node_id: str) -> tuple[int, ...] | None:
        nodes = self._document.snapshot.inference.nodes
        return nodes[node_id].output_shape if node_id in nodes else None

    # What is shown

    def _show(self) -> None:
        if not self.isVisible():
            return
        current = self._selection.current
        self._shown = self._store.of(current)
        if self._shown is None or current is None:
            self._levels = self._scale = None
            has_probe = self.probe_bar.current is not None
            self.body.show_sentence(self._words.what_to_do(self._document, current, has_probe, self._problem))
        else:
            self._show_maps(current, self._shown)
        self._show_heading(current)
        self._show_tools()
        self._point()

    def _show_maps(self, current: str, taken: Taken) -> None:
        maps = taken.maps
        self._order = self._channels.take(current, taken, self.controls.order, is_held=self._is_over_maps)
        if maps.is_vector and maps.num_channels <= _MOST_BARS:
            self._levels = self._scale = None
            self.bars.show_values(maps.values[:, 0, 0], self._order)
            self.body.bring(self.bars)
            self.controls.bar.hide()
        else:
            self._scale = scale_of(maps, per_channel=self.controls.per_channel, diverging=self.controls.diverging)
            self._levels = levels_of(maps, self._scale)
            self.maps.show_levels(self._levels, self._order, self._scale.is_diverging)
            if not self.body.is_in_front(self.compared) or self._compared_channel() is None:
                self.body.bring(self.maps)
            self._show_range()
            self.controls.bar.show()
            self._show_compared()
        self._show_channel()
        self.body.fit_sides()

    def _show_range(self) -> None:
        """Let the colour bar say what the colours of the maps of the one image stand for."""
        taken, scale = self._shown, self._scale
        if taken is None or scale is None:
            return
        if self.controls.per_channel and not taken.maps.is_vector and self.maps.chosen is None:
            self.controls.bar.show_range(0, 0, scale.is_diverging, self.tr("each channel by its own range"))
        else:
            self.controls.bar.show_range(*scale.of(self.maps.chosen or 0), scale.is_diverging)

    def _show_tools(self) -> None:
        self.zoom.setVisible(self._shown is not None and self.body.is_in_front(self.maps))
        self.controls.setVisible(self._shown is not None)

    def _show_heading(self, current: str | None) -> None:
        # A selection may outlive its network for a moment: the document changes first.
        controls, taken = self.controls, self._shown
        if taken is None or current is None or current not in self._document.architecture:
            return
        report = self._document.snapshot.inference.nodes[current]
        controls.title.show_text(current)
        controls.facts.show_parts(self._words.facts(report, taken, self._probes.current))
        controls.source.show_text(self._words.range(taken.maps, is_too_large(report)))
        change = self._words.change(controls.order, self._channels.reference(current, taken))
        controls.dead.show_parts((change or self._words.dead(taken.maps), *self._words.part(report, taken)))

    def _show_channel(self) -> None:
        channel, taken, current = self.maps.chosen, self._shown, self._selection.current
        # A single pixel enlarged says no more than its value, which the readout gives.
        if taken is None or current is None or self._levels is None or self._scale is None or taken.maps.is_vector:
            self.side.hide()
            return
        self.side.show()
        if channel is None:
            self.side.show_hint()
            return
        self.side.show_channel(
            self._levels,
            channel,
            self._scale.is_diverging,
            text=self._words.channel(taken.maps, channel),
            is_pinned=Pin(current, channel) in self.pins.pins,
            many=len(self._probes.probes) > 1,
        )

    def _channel_chosen(self) -> None:
        """Another channel is enlarged, or it is to be seen for all images, or for one again."""
        if self._compared_channel() is None:
            self._leave_compared()
            self._show_range()
        self._show_channel()
        self._show_compared()
        self._show_tools()
        self._report_wanted()

    def _follow_probes(self) -> None:
        self._channel_chosen()
        if self._shown is None:
            self._show()
        else:
            self._show_heading(self._selection.current)

    def _choose_probe(self, place: int) -> None:
        # A click may come just after the image was taken out.
        if place < len(self._probes.probes):
            self._probes.choose(place)

    def _leave_compared(self) -> None:
        """Back to the maps of the one image."""
        if self.body.is_in_front(self.compared):
            self.body.bring(self.maps)
            self._show_range()
            self._show_tools()

    def _show_compared(self) -> None:
        found, channel = self._store.compared, self._compared_channel()
        if channel is None:
            return
        # Of other probes, a place would mean another image; of another channel, its maps follow soon.
        if found is None or found.probes != tuple(probe.label for probe in self._probes.probes):
            self._leave_compared()
            return
        if (found.node_id, found.channel) != (self._selection.current, channel):
            return
        scale = self.compared.show_maps(found.probes, found.maps, self._probes.place, self.controls.diverging)
        self.controls.bar.show_range(*scale.of(0), scale.is_diverging)
        if not self.body.is_in_front(self.compared):
            had_focus = self.maps.hasFocus()
            self.body.bring(self.compared)
            if had_focus:
                self.compared.setFocus()
            self._show_tools()

    # A value

    def _hover(self, channel: int | None, row: int, column: int) -> None:
        self._is_over_maps = channel is not None
        self.pointing.hover(self._pixel(channel, row, column))

    def _hold(self, channel: int, row: int, column: int) -> None:
        self.pointing.hold(self._pixel(channel, row, column))

    def _pixel(self, channel: int | None, row: int, column: int) -> Pixel | None:
        current, taken = self._selection.current, self._shown
        if channel is None or taken is None or current is None or current not in self._document.architecture:
            return None
        shape = self._document.snapshot.inference.nodes[current].output_shape
        if taken.opened is not None:
            shape = taken.opened.output.shape
        return None if shape is None else pixel_of(current, taken.maps, shape, channel, row, column)

    def _point(self) -> None:
        """Say what there is to say of the value that is pointed at."""
        pixel, taken = self.pointing.current, self._shown
        held = self.pointing.held
        marked = held is not None and held.channel == self.maps.chosen
        self.side.view.mark((held.row, held.column) if held is not None and marked else None)
        if pixel is None or taken is None or pixel.node_id not in self._document.architecture:
            self.field.show_field(None, None)
            self.readout.show_link("", False)
            return
        snapshot = self._document.snapshot
        shown = self._store.heat(pixel, taken.probe)
        # Kept only where it was looked at then.
        why = self.tr("no gradient kept") if shown is None and taken.source.is_past else ""
        self.field.show_field(field_of(snapshot.architecture, snapshot.inference, pixel), shown, why)
        report = snapshot.inference.nodes[pixel.node_id]
        self.readout.show_link(self._words.value(pixel, taken, report), taken.opened is not None)

    def _walk(self) -> None:
        if self.pointing.current is not None:
            self.walk_requested.emit(*self.pointing.current)

    # Pins

    def _pin(self, channel: int | None) -> None:
        current = self._selection.current
        if channel is None or current is None:
            return
        if not self.pins.toggle(Pin(current, channel)):
            self.failed.emit(self.tr("{0} channels are pinned already; unpin one first").format(MOST_PINS))

    def _pins_changed(self) -> None:
        self._show_pins()
        self._show_channel()
        self.body.fit_sides()
        self._report_wanted()

    def _show_pins(self, node_ids: Container[str] | None = None) -> None:
        """Show what there is of pinned channels, or of those of some nodes."""
        for node_id in {pin.node_id for pin in self.pins.pins}:
            taken = self._store.of(node_id)
            if taken is not None and (node_ids is None or node_id in node_ids):
                source = taken.source
                self.pins.show_maps(node_id, taken.maps, source.step, source.run_id, self.controls.diverging)

    def _go_to(self, node_id: str, channel: int) -> None:
        self._selection.set([node_id])
        if self._shown is not None and channel < self._shown.maps.num_channels:
            self.maps.choose(channel)

    # Taking away

    def _open_menu(self, position: QPoint) -> None:
        sender = self.sender()
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(sender.mapToGlobal(position) if isinstance(sender, QWidget) else self.mapToGlobal(position))

    def _ask_picture(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save feature maps"), f"{self._selection.current}.png", self.tr("Picture (*.png)")
        )
        if name:
            self.save_picture(Path(name))


def _compares(events: Sequence[Event]) -> bool:
    return any(isinstance(event, ChannelCompared) for event in events)
