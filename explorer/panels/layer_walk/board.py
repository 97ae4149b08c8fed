"""Input, arithmetic and output of a layer side by side, and what moves the window over them: keys, mouse and animation.

Where the window is on its way is `way`'s; which layer it is, and where its values come from, `panel`'s.
"""

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QMenu, QWidget

from explorer.look.labels import ElidedLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.layer_walk.colours import reach
from explorer.panels.layer_walk.controls import ChannelChooser, WalkControls
from explorer.panels.layer_walk.input import InputView
from explorer.panels.layer_walk.output import OutputView
from explorer.panels.layer_walk.sum import Scales, SumView, wanted_width
from explorer.panels.layer_walk.way import Place, Way
from explorer.panels.layer_walk.words import Words
from explorer.session.layer_arithmetic import Walk

_FRAME_MS = 33
_REDUCED_FRAME_MS = 250
"""While a run computes, so that it keeps its time; the window then takes larger steps."""


class Board(QWidget):
    """The three pictures.

    Arrow keys move from output to output, Home and End to the first and last one, Page up and down from channel to
    channel, Space plays and pauses, Escape takes marks back.
    """

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._words = Words(self.tr)
        self._walk: Walk | None = None
        self._channel = 0
        self._input_channel = 0
        self._way = Way()
        self._over: Place | None = None
        self._scales = Scales(1, 1, 1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.input = InputView(themes, self)
        self.sum = SumView(themes, self)
        self.output = OutputView(themes, self)
        # In words only where they cover nothing: the pictures answer to the mouse by themselves.
        self.input.setAccessibleDescription(self.tr("Click a pixel to see which outputs read it"))
        self.output.setAccessibleDescription(self.tr("Point at an output to see how it comes about; click to stay"))
        self.controls = WalkControls(themes, self)
        self.input_chooser = ChannelChooser(self.tr("Input channel"), themes, self)
        self.output_chooser = ChannelChooser(self.tr("Output channel"), themes, self)
        self.output_chooser.box.setToolTip(self.tr("Page up and down"))
        self._input_says = ElidedLabel(themes, font=small_font(), parent=self)
        self._output_says = ElidedLabel(themes, font=small_font(), parent=self)
        self._lay_out()
        self._timer = QTimer(self, interval=_FRAME_MS)
        self._timer.timeout.connect(self._tick)
        self.set_reduced(False)

        self.input.hovered.connect(self._point_at_input)
        self.input.clicked.connect(self._mark)
        self.sum.pointed.connect(self.input.point_at)
        self.sum.channel_chosen.connect(self.choose_input_channel)
        self.output.hovered.connect(self._hover)
        self.output.clicked.connect(self._choose_clicked)
        for view in (self.input, self.sum, self.output):
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            view.customContextMenuRequested.connect(self._open_menu)
        self.controls.first_asked.connect(lambda: self._go((0, 0)))
        self.controls.toggled.connect(self.toggle)
        self.controls.step_asked.connect(self.step)
        self.controls.share_chosen.connect(self.output.show_share)
        self.input_chooser.chosen.connect(self.choose_input_channel)
        self.output_chooser.chosen.connect(self.choose_channel)

    # What is on show

    @property
    def walk(self) -> Walk | None:
        """The layer with its values; None for none."""
        return self._walk

    @property
    def place(self) -> tuple[int, int, int]:
        """Output channel, row and column on show."""
        return self._channel, *(self._over or self._way.place)

    @property
    def is_playing(self) -> bool:
        """Whether the window moves by itself."""
        return self._timer.isActive()

    def show_walk(self, walk: Walk | None, *, restart: bool) -> None:
        """Show a layer's values.

        Args:
            restart: it is another layer; else the window stays where it is, as far as there is such a place.
        """
        self._walk = walk
        if walk is None:
            self.pause()
            self.input.show_input(None)
            self.output.show_output(None)
            self.sum.show_sum(None, 0, self._scales)
            return
        self._share_width()
        channels, height, width = walk.output_shape
        if restart:
            self.pause()
            self._channel = self._input_channel = 0
            self._way.restart(walk.output_map(0))
            self.input.mark(None)
            self.output.mark_readers(None)
        self._over = None
        self._channel = min(self._channel, channels - 1)
        self._way.fit(height, width)
        self._show_channels()

    def choose(self, row: int, column: int) -> None:
        """Put the window where an output is computed."""
        if self._walk is None:
            return
        self._way.choose(row, column)
        self._over = None
        self._show_place()

    def choose_channel(self, channel: int) -> None:
        """Compute another output channel."""
        if self._walk is not None and 0 <= channel < self._walk.output_shape[0] and channel != self._channel:
            self._channel = channel
            self._show_channels()

    def choose_input_channel(self, channel: int) -> None:
        """Look at another input channel closely; of a layer that takes each channel alone, at that one's output."""
        walk = self._walk
        if walk is None or channel == self._input_channel or not 0 <= channel < walk.input_shape[0]:
            return
        reads = walk.reads(self._channel)
        if channel not in reads and len(reads) > 1:
            further = [c for c in reads if (c > channel) == (channel > self._input_channel)]
            channel = min(further or reads, key=lambda c: abs(c - channel))
        elif channel not in reads:
            readers = [c for c in range(walk.output_shape[0]) if channel in walk.reads(c)]
            self._channel = readers[0] if readers else self._channel
        self._input_channel = channel
        self._show_channels()

    def set_reduced(self, reduced: bool) -> None:
        """Draw less often, as a run needs the time."""
        self._timer.setInterval(_REDUCED_FRAME_MS if reduced else _FRAME_MS)

    # The window's way

    def play(self) -> None:
        """Let the window go over the whole map, from the first output unless one was chosen."""
        if self._walk is None:
            return
        self._way.begin()
        self._over = None
        self._timer.start()
        self.controls.show_playing(True)
        self._show_place()

    def pause(self) -> None:
        """Let it stay."""
        if self._timer.isActive():
            self._timer.stop()
            self.controls.show_playing(False)

    def toggle(self) -> None:
        """Play or pause."""
        if self.is_playing:
            self.pause()
        else:
            self.play()

    def step(self) -> None:
        """On to the next output."""
        self.pause()
        self._advance(1)

    def _advance(self, steps: int) -> None:
        if self._walk is None:
            return
        if not self._way.advance(steps):
            self.pause()
        self._over = None
        self._show_place()

    def _tick(self) -> None:
        if steps := self._way.owed(self.controls.pixels_per_second * self._timer.interval() / 1000):
            self._advance(steps)

    # Showing

    def _show_channels(self) -> None:
        """The chosen channels, and all that follows."""
        walk = self._walk
        assert walk is not None
        reads = walk.reads(self._channel)
        if self._input_channel not in reads:
            self._input_channel = reads[0]
        count, says = walk.input_shape[0], self._words.input_of(walk, self._channel)
        self.input_chooser.show_channel(self._input_channel, count, says)
        count, says = walk.output_shape[0], self._words.output_of(walk)
        self.output_chooser.show_channel(self._channel, count, says, is_number=not walk.is_whole)
        self.input.show_input(walk, self._input_channel)
        self.output.show_output(walk, self._channel)
        row, column = self._way.place
        weights = walk.weights(self._channel, row, column)
        self._scales = Scales(self.input.scale, 1.0 if weights is None else reach(weights), self.output.scale)
        self.controls.set_padded(bool(walk.slide.padding_share.any()))
        self._show_place()

    def _show_place(self) -> None:
        walk = self._walk
        if walk is None:
            return
        channel, row, column = self.place
        found = walk.at(channel, row, column)
        if walk.is_whole and found.weights is not None:
            self._scales = self._scales._replace(weights=reach(found.weights))
        self.input.show_sum(found)
        self.sum.show_sum(found, self._input_channel, self._scales)
        self.output.show_place(row, column, self._way.filled)
        self._output_says.show_text(self._words.place(walk, found))
        self._show_input_words(None)

    def _show_input_words(self, place: Place | None) -> None:
        walk = self._walk
        if walk is None:
            return
        place = place or self.input.marked
        if place is not None:
            self._input_says.show_text(self._words.readers(walk, *place))
        else:
            self._input_says.show_text(self._words.unread(walk) or self._words.window(walk))

    # Pointing

    def _point_at_input(self, place: Place | None) -> None:
        tap = None if place is None else self.input.tap_at(*place)
        self.input.point_at(tap)
        self.sum.point_at(tap)
        self._show_input_words(place)

    def _mark(self, row: int, column: int) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        walk = self._walk
        if walk is None:
            return
        rows, columns = walk.slide
        inside = 0 <= row < rows.size and 0 <= column < columns.size
        place = (row, column) if inside and (row, column) != self.input.marked else None
        self.input.mark(place)
        self.output.mark_readers(None if place is None else walk.slide.readers(row, column))
        self._show_input_words(None)

    def _hover(self, place: Place | None) -> None:
        if not self.is_playing and place != self._over:
            self._over = place
            self._show_place()

    def _choose_clicked(self, row: int, column: int) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.pause()
        self._way.fill()
        self.choose(row, column)

    # Building

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        for column, head in enumerate((self.input_chooser, self.controls, self.output_chooser)):
            grid.addWidget(head, 0, column)
        for column, view in enumerate((self.input, self.sum, self.output)):
            grid.addWidget(view, 1, column, 2 if view is self.sum else 1, 1)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self._input_says, 2, 0)
        grid.addWidget(self._output_says, 2, 2)
        grid.setRowStretch(1, 1)

    def _open_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(self.tr("Copy picture"), self.copy)
        sender = self.sender()
        menu.popup(sender.mapToGlobal(position) if isinstance(sender, QWidget) else self.mapToGlobal(position))

    def copy(self) -> None:
        """Put the three pictures into the clipboard."""
        QGuiApplication.clipboard().setPixmap(self.grab())

    # Qt

    def _go(self, place: Place) -> None:
        self.pause()
        self._way.fill()
        self.choose(*place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, (row, column) = event.key(), self._way.place
        moves = {
            Qt.Key.Key_Left: (row, column - 1),
            Qt.Key.Key_Right: (row, column + 1),
            Qt.Key.Key_Up: (row - 1, column),
            Qt.Key.Key_Down: (row + 1, column),
            Qt.Key.Key_Home: (0, 0),
            Qt.Key.Key_End: (2**31, 2**31),
        }
        if self._walk is None or _is_modified(event):
            super().keyPressEvent(event)
        elif key in moves:
            self.pause()
            self.choose(*moves[Qt.Key(key)])
        elif key == Qt.Key.Key_Space:
            self.toggle()
        elif key in {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}:
            self.choose_channel(self._channel + (1 if key == Qt.Key.Key_PageDown else -1))
        elif key == Qt.Key.Key_Escape and (self.input.marked is not None or self._way.filled is not None):
            self.input.mark(None)
            self.output.mark_readers(None)
            self._way.fill()
            self.pause()
            self._show_place()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # The window's own shortcuts would take these keys; here they move the layer's window.
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.key() in _KEYS and not _is_modified(event):
            event.accept()
            return True
        return super().event(event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.pause()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Squares beside the arithmetic, which has room for its numbers first."""
        wished = 0
        if self._walk is not None:
            wished = wanted_width(self._walk.slide.columns.taps, self._walk.has_weights)
        left = (self.width() - 4 * GRID - wished) // 2
        side = max(21 * GRID, min(self.height() - 6 * GRID, left, int(self.width() * 0.25)))
        for view in (self.input, self.output):
            view.setFixedWidth(side)

    def sizeHint(self) -> QSize:
        return QSize(120 * GRID, 28 * GRID)


_KEYS = frozenset(
    {
        Qt.Key.Key_Left,
        Qt.Key.Key_Right,
        Qt.Key.Key_Up,
        Qt.Key.Key_Down,
        Qt.Key.Key_Home,
        Qt.Key.Key_End,
        Qt.Key.Key_PageUp,
        Qt.Key.Key_PageDown,
        Qt.Key.Key_Space,
    }
)


def _is_modified(event: QKeyEvent) -> bool:
    """Whether Alt, Ctrl or the like is held; keys of the number pad count as plain."""
    return bool(event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier)
