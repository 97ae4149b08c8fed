"""The selected layer's feature maps in full. What is drawn how is `feature_maps_view`'s, the probe image `probes`'.

The panel captures nothing: it says what it wants to show (`wanted`), and is given maps (`show_observed`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QSlider,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.feature_maps_tiles import SCALES, as_pixels, level_value, tiles, vector
from explorer.panels.feature_maps_view import BarsView, ChannelView, MapsView
from explorer.panels.probes import ProbeBar, dropped_image
from explorer.runs import Atlas, Event, FeatureMapsCaptured, Look
from explorer.session import Document, Selection, Snapshot
from explorer.session.probe_set import ProbeSet
from explorer.session.sources import Source

_MOST_BARS = 100
_SIDE_WIDTH = 32 * GRID


class _Maps(NamedTuple):
    atlas: Atlas
    source: str


class FeatureMapsPanel(QWidget):
    """Probe bar at the top, all channels below, the chosen channel at the side.

    Signals:
        wanted_changed(): `wanted()` is another.
        failed(str): why a picture or a file could not be used or written.
    """

    wanted_changed = Signal()
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
        self._maps: dict[str, _Maps] = {}
        self._problem = ""
        self._shown: _Maps | None = None
        self._wanted: tuple[str, ...] = ()
        self.setAcceptDrops(True)

        self.probe_bar = ProbeBar(probes, themes, self)
        self.probe_bar.failed.connect(self.failed)
        self._title = RoleLabel(themes, font=body_font(bold=True), parent=self)
        self._facts = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self._readout = RoleLabel(themes, font=small_font(), parent=self)
        self._scale_text = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self._scale_text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._scale_text.setFixedWidth(5 * GRID)
        self.zoom_slider = QSlider(Qt.Orientation.Horizontal, self)
        self.zoom_slider.setRange(0, len(SCALES) - 1)
        self.zoom_slider.setFixedWidth(14 * GRID)
        self.zoom_slider.setToolTip(self.tr("Size of a pixel (Ctrl+wheel)"))
        self.zoom_slider.setAccessibleName(self.tr("Zoom"))
        self.fit_button = QToolButton(self)
        self.fit_button.setText(self.tr("Fit"))
        self.fit_button.setCheckable(True)
        self.fit_button.setChecked(True)
        self.fit_button.setToolTip(self.tr("Show all channels at once, as large as they fit"))
        self.maps = MapsView(themes, self)
        self.bars = BarsView(themes, self)
        self._empty = RoleLabel(themes, role="muted", wraps=True, parent=self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.channel = ChannelView(themes, self)
        self._channel_text = RoleLabel(themes, font=small_font(), wraps=True, parent=self)
        self._lay_out()

        self.zoom_slider.valueChanged.connect(self._zoom)
        self.fit_button.toggled.connect(self._fit)
        self.maps.scaled.connect(self._show_scale)
        self.maps.channel_chosen.connect(lambda _channel: self._show_channel())
        for view in (self.maps, self.channel, self.bars):
            view.hovered.connect(self._read_out)
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            view.customContextMenuRequested.connect(self._open_menu)
        document.changed.connect(self._apply)
        selection.changed.connect(lambda _ids: self._follow())
        self._follow()

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Take maps of some nodes; those of others stay."""
        arrived = [event for event in events if isinstance(event, FeatureMapsCaptured)]
        if not arrived:
            return
        self._problem = ""
        for event in arrived:
            self._maps.update({node_id: _Maps(atlas, source.text) for node_id, atlas in event.atlases.items()})
        if any(self._selection.current in event.atlases for event in arrived):
            self._show()

    def clear_observed(self) -> None:
        """Forget all maps, as another network or run makes them wrong."""
        self._maps.clear()
        self._show()

    def show_problem(self, text: str) -> None:
        """Say why there are no maps; the next maps take it back."""
        self._problem = text
        self._show()

    def wanted(self) -> Look:
        """Maps of the selected node, or of none while it is hidden."""
        return Look(maps=self._wanted_nodes())

    def _wanted_nodes(self) -> tuple[str, ...]:
        current = self._selection.current
        return (current,) if self.isVisible() and current is not None else ()

    def sizeHint(self) -> QSize:
        return QSize(120 * GRID, 40 * GRID)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._report_wanted()
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._report_wanted()

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
        copy = menu.addAction(self.tr("Copy all maps"), self._copy)
        save = menu.addAction(self.tr("Save all maps…"), self._ask_picture)
        for action in (copy, save):
            action.setEnabled(self._shown is not None)
        if self.maps.chosen is not None and not self._side.isHidden():
            menu.addAction(self.tr("Copy channel {channel}").format(channel=self.maps.chosen), self.channel.copy)
        return menu

    def save_picture(self, path: Path) -> None:
        """Write all maps as one picture, a pixel for a pixel; `failed` says why it could not be."""
        if not self.maps.picture().save(str(path)):
            self.failed.emit(self.tr("{path} could not be written; choose another folder").format(path=path))

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(GRID)
        line.addWidget(self._title)
        line.addWidget(self._facts, 1)
        line.addWidget(self._readout)
        line.addSpacing(GRID)
        for widget in (self._scale_text, self.zoom_slider, self.fit_button):
            line.addWidget(widget)
        views = QWidget(self)
        self._stack = QStackedLayout(views)
        for view in (self.maps, self.bars, self._empty):
            self._stack.addWidget(view)
        self._side = QWidget(self)
        self._side.setFixedWidth(_SIDE_WIDTH)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(GRID, 0, 0, 0)
        side.setSpacing(4)
        side.addWidget(self._channel_text)
        side.addWidget(self.channel, 1)
        self._side.hide()
        body = QHBoxLayout()
        body.setSpacing(0)
        body.addWidget(views, 1)
        body.addWidget(self._side)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addWidget(self.probe_bar)
        column.addLayout(line)
        column.addLayout(body, 1)

    # What changes

    def _apply(self, old: Snapshot | None, new: Snapshot) -> None:
        if old is None:
            self._maps.clear()
        else:
            # A node of another shape or input has other maps; those on screen would be of a network that is gone.
            before = old.inference.nodes
            after = new.inference.nodes
            for node_id in list(self._maps):
                known = node_id in after and node_id in before
                if not known or after[node_id].output_shape != before[node_id].output_shape:
                    del self._maps[node_id]
        self._show()

    def _follow(self) -> None:
        self.maps.choose(None)
        self._report_wanted()
        self._show()

    def _report_wanted(self) -> None:
        wanted = self._wanted_nodes()
        if wanted != self._wanted:
            self._wanted = wanted
            self.wanted_changed.emit()

    # What is shown

    def _show(self) -> None:
        if not self.isVisible():
            return
        current = self._selection.current
        self._shown = self._maps.get(current) if current is not None else None
        self._show_heading(current)
        self._show_tools()
        if self._shown is None:
            self._side.hide()
            self._empty.show_text(self._what_to_do(current))
            self._stack.setCurrentWidget(self._empty)
            return
        atlas = self._shown.atlas
        values = vector(atlas)
        if values is not None and len(values) <= _MOST_BARS:
            self.bars.show_values(values)
            self._stack.setCurrentWidget(self.bars)
            self._side.hide()
        else:
            self.maps.show_atlas(atlas if values is None else as_pixels(atlas))
            self._stack.setCurrentWidget(self.maps)
            self._show_channel()
        self._show_tools()

    def _show_tools(self) -> None:
        zooms = self._shown is not None and self._stack.currentWidget() is self.maps
        for widget in (self._scale_text, self.zoom_slider, self.fit_button):
            widget.setVisible(zooms)

    def _show_heading(self, current: str | None) -> None:
        # A selection may outlive its network for a moment: the document changes first.
        known = self._document.is_open and current is not None and current in self._document.architecture
        if current is None or not known:
            self._title.show_text("")
            self._facts.show_text("")
            return
        report = self._document.snapshot.inference.nodes[current]
        self._title.show_text(current)
        facts = [report.layer.type_name, numbers.shape(report.output_shape)]
        if self._shown is not None:
            atlas = self._shown.atlas
            facts.append(
                self.tr("values {least} to {greatest}").format(
                    least=_value(atlas.minimum), greatest=_value(atlas.maximum)
                )
            )
            facts.append(self._shown.source)
        self._facts.show_text(" · ".join(facts))

    def _what_to_do(self, current: str | None) -> str:
        if not self._document.is_open:
            return self.tr("Open a network to see its feature maps.")
        if current is None:
            return self.tr("Select a layer on the canvas or in the table to see its feature maps.")
        if self._problem:
            return self._problem
        snapshot = self._document.snapshot
        if current in snapshot.inference.nodes and snapshot.inference.nodes[current].output_shape is None:
            return self.tr("{node} has no output yet: mend the fault that the Issues panel names.").format(node=current)
        if self.probe_bar.current is None:
            return self.tr("Choose a probe image above.")
        return self.tr("Waiting for the maps of {node}…").format(node=current)

    def _show_channel(self) -> None:
        channel = self.maps.chosen
        # A single pixel enlarged says no more than its value, which the readout gives.
        whole = self._shown is not None and vector(self._shown.atlas) is None
        if channel is None or self._shown is None or not whole:
            self._side.hide()
            return
        atlas = self._shown.atlas
        levels = tiles(atlas)[channel]
        self._channel_text.show_text(
            self.tr("channel {channel} · values {least} to {greatest}").format(
                channel=channel,
                least=_value(level_value(atlas, int(levels.min()))),
                greatest=_value(level_value(atlas, int(levels.max()))),
            )
        )
        self.channel.show_channel(atlas, channel)
        self._side.show()

    def _read_out(self, channel: int | None, row: int, column: int) -> None:
        if channel is None or self._shown is None:
            self._readout.show_text("")
            return
        atlas = self._shown.atlas
        values = vector(atlas)
        if values is not None:
            value = _value(float(values[channel])) if channel < len(values) else numbers.UNKNOWN
            self._readout.show_text(self.tr("feature {index} · ≈ {value}").format(index=channel, value=value))
            return
        level = int(atlas.tile(channel)[row, column])
        self._readout.show_text(
            self.tr("channel {channel} · row {row}, column {column} · ≈ {value}").format(
                channel=channel, row=row, column=column, value=_value(level_value(atlas, level))
            )
        )

    # Zoom

    def _zoom(self, place: int) -> None:
        self.fit_button.setChecked(False)
        self.maps.set_zoom(SCALES[place])

    def _fit(self, fits: bool) -> None:
        self.maps.set_zoom(None if fits else self.maps.tiling.scale)

    def _show_scale(self, scale: float) -> None:
        for widget in (self.zoom_slider, self.fit_button):
            widget.blockSignals(True)
        self.zoom_slider.setValue(SCALES.index(scale))
        self.fit_button.setChecked(self.maps.zoom is None)
        for widget in (self.zoom_slider, self.fit_button):
            widget.blockSignals(False)
        self._scale_text.show_text(f"{scale:g}×" if scale >= 1 else f"1/{round(1 / scale)}×")

    # Taking away

    def _open_menu(self, position: QPoint) -> None:
        sender = self.sender()
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(sender.mapToGlobal(position) if isinstance(sender, QWidget) else self.mapToGlobal(position))

    def _copy(self) -> None:
        if self._stack.currentWidget() is self.bars:
            QGuiApplication.clipboard().setPixmap(self.bars.grab())
        else:
            QGuiApplication.clipboard().setImage(self.maps.picture())

    def _ask_picture(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save feature maps"), f"{self._selection.current}.png", self.tr("Picture (*.png)")
        )
        if name:
            self.save_picture(Path(name))


def _value(value: float) -> str:
    return f"{value:.3g}".replace("-", numbers.MINUS)
