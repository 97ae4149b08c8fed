"""A grid of connections to paint in: outputs across, inputs down, as in the table of LeCun et al. 1998.

It draws only the cells in sight, so a layer with many channels scrolls as a small one does. Its value and what becomes
of it are the editor's (`connections`).
"""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QToolTip, QWidget

from explorer.look.theme import GRID, ThemeSource, small_font

Rows = tuple[tuple[int, ...], ...]
"""For each output the inputs that it reads, rising."""

_LARGEST_CELL = 20
_SMALLEST_CELL = 12
_MOST_HEIGHT = 30 * GRID


class Cell(NamedTuple):
    """One possible connection."""

    output: int
    input: int


class ConnectionGrid(QAbstractScrollArea):
    """Shows connections; a press sets or clears one, a drag paints the same over others.

    The keyboard moves a cursor with the arrow keys, Space sets or clears, Shift with an arrow key paints.

    Signals:
        painting(Rows): what a drag has come to, not yet chosen.
        painted(Rows): the user chose these connections.
        cancelled(): a drag was taken back.
        refused(): an output would read nothing.
        left(): the focus went elsewhere.
    """

    painting = Signal(object)
    painted = Signal(object)
    cancelled = Signal()
    refused = Signal()
    left = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._rows: Rows = ((0,),)
        self._known = 1
        self._num_inputs = 1
        self._before: Rows | None = None
        self._painted_state = True
        self._cursor = Cell(0, 0)
        self._pointed: Cell | None = None
        self.setFont(small_font())
        self.setFrameShape(QFrame.Shape.NoFrame)
        # Cells grow with the width, and the height that they need with them.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        themes.changed.connect(self.viewport().update)

    @property
    def rows(self) -> Rows:
        """What is shown."""
        return self._rows

    @property
    def is_painting(self) -> bool:
        """Whether a drag is going on."""
        return self._before is not None

    def show_rows(self, rows: Rows, num_inputs: int | None) -> None:
        """Show connections; a drag that is going on keeps its own.

        Args:
            num_inputs: the channels that arrive; None where that is unknown.
        """
        if self.is_painting:
            return
        named = 1 + max(max(row) for row in rows)
        known = named if num_inputs is None else num_inputs
        if (rows, known) == (self._rows, self._known):
            return
        resized = len(rows) != len(self._rows) or max(named, known) != self._num_inputs
        self._rows, self._known, self._num_inputs = rows, known, max(named, known)
        self._cursor = Cell(min(self._cursor.output, len(rows) - 1), min(self._cursor.input, self._num_inputs - 1))
        if resized:
            self.updateGeometry()
            self._measure()
        self.viewport().update()

    # Where things are

    @property
    def cell_size(self) -> int:
        """Width and height of a cell, in pixels."""
        return self._cell_size(self.width())

    def _cell_size(self, width: int) -> int:
        """What lets all outputs fit into a width, within reason."""
        room = width - self._head - 1
        if self._top + self._num_inputs * _SMALLEST_CELL > _MOST_HEIGHT:
            room -= self.verticalScrollBar().sizeHint().width()
        return max(_SMALLEST_CELL, min(_LARGEST_CELL, room // max(1, len(self._rows))))

    @property
    def _head(self) -> int:
        """Room for the numbers of inputs and outputs."""
        return QFontMetrics(self.font()).horizontalAdvance("0" * len(str(self._num_inputs))) + GRID

    @property
    def _top(self) -> int:
        return QFontMetrics(self.font()).height() + 2

    def place(self, cell: Cell) -> QRect:
        """Where a cell is drawn on the viewport."""
        size = self.cell_size
        x = self._head + cell.output * size - self.horizontalScrollBar().value()
        y = self._top + cell.input * size - self.verticalScrollBar().value()
        return QRect(x, y, size, size)

    def _cell_at(self, position: QPoint) -> Cell | None:
        if position.x() < self._head or position.y() < self._top:
            return None
        size = self.cell_size
        output = (position.x() - self._head + self.horizontalScrollBar().value()) // size
        input_ = (position.y() - self._top + self.verticalScrollBar().value()) // size
        return Cell(output, input_) if output < len(self._rows) and input_ < self._num_inputs else None

    def _measure(self) -> None:
        """How far it scrolls. A bar takes room from the other axis, so both follow from the whole size."""
        size = self.cell_size
        wide, high = self._head + len(self._rows) * size + 1, self._top + self._num_inputs * size + 1
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        bar = down.sizeHint().width()
        is_high = high > self.height()
        is_wide = wide > self.width() - (bar if is_high else 0)
        is_high = high > self.height() - (bar if is_wide else 0)
        for scroll, length, room, head in (
            (across, wide, self.width() - (bar if is_high else 0), self._head),
            (down, high, self.height() - (bar if is_wide else 0), self._top),
        ):
            scroll.setRange(0, max(0, length - room))
            scroll.setPageStep(max(1, room - head))
            scroll.setSingleStep(size)

    # Painting in it

    def _begin(self, cell: Cell) -> None:
        self._before = self._rows
        self._painted_state = cell.input not in self._rows[cell.output]
        self._set(cell)

    def _set(self, cell: Cell) -> None:
        row = self._rows[cell.output]
        if (cell.input in row) == self._painted_state:
            return
        changed = tuple(sorted({*row, cell.input} if self._painted_state else set(row) - {cell.input}))
        if not changed:
            self.refused.emit()
            return
        self._rows = (*self._rows[: cell.output], changed, *self._rows[cell.output + 1 :])
        self.viewport().update()
        if self.is_painting:
            self.painting.emit(self._rows)

    def _finish(self) -> None:
        before, self._before = self._before, None
        if before is None:
            return
        if self._rows == before:
            self.cancelled.emit()
        else:
            self.painted.emit(self._rows)

    def cancel(self) -> None:
        """Take back what a drag has painted."""
        if self._before is not None:
            self._rows, self._before = self._before, None
            self.viewport().update()
            self.cancelled.emit()

    def _set_at_cursor(self) -> None:
        before = self._rows
        self._set(self._cursor)
        if self._rows != before:
            self.painted.emit(self._rows)

    def _move(self, across: int, down: int) -> None:
        output = min(max(self._cursor.output + across, 0), len(self._rows) - 1)
        input_ = min(max(self._cursor.input + down, 0), self._num_inputs - 1)
        self._cursor = Cell(output, input_)
        place, view = self.place(self._cursor), self.viewport().rect()
        for bar, start, end, low, high in (
            (self.horizontalScrollBar(), place.left(), place.right(), self._head, view.right()),
            (self.verticalScrollBar(), place.top(), place.bottom(), self._top, view.bottom()),
        ):
            bar.setValue(bar.value() + min(0, start - low) + max(0, end - high))
        self.viewport().update()

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and cell is not None:
            self._cursor = cell
            self._begin(cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position().toPoint())
        if self.is_painting and cell is not None:
            for between in _line(self._cursor, cell):
                self._set(between)
            self._cursor = cell
        if cell != self._pointed:
            self._pointed = cell
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._finish()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.mousePressEvent(event)  # two quick clicks set and clear

    def leaveEvent(self, event: QEvent) -> None:
        self._pointed = None
        self.viewport().update()
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and self.is_painting
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        moves = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
            Qt.Key.Key_Home: (-len(self._rows), 0),
            Qt.Key.Key_End: (len(self._rows), 0),
            Qt.Key.Key_PageUp: (0, -self._num_inputs),
            Qt.Key.Key_PageDown: (0, self._num_inputs),
        }
        if key in moves:
            extends = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._painted_state = self._cursor.input in self._rows[self._cursor.output]
            self._move(*moves[key])
            if extends:
                self._set_at_cursor()
        elif key == Qt.Key.Key_Space:
            self._painted_state = self._cursor.input not in self._rows[self._cursor.output]
            self._set_at_cursor()
        elif key == Qt.Key.Key_Escape and self.is_painting:
            self.cancel()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.cancel()
        self.viewport().update()
        self.left.emit()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self._cell_at(event.pos())
            text = ""
            if cell is not None:
                reads = cell.input in self._rows[cell.output]
                text = self.tr("output {0}, input {1}: connected") if reads else self.tr("output {0}, input {1}")
                if cell.input >= self._known:
                    text += "\n" + self.tr("Only {2} channels arrive.")
                text = text.format(cell.output, cell.input, self._known)
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: object) -> None:
        self._measure()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, size = self._themes.theme, self.cell_size
        painter = QPainter(self.viewport())
        view = self.viewport().rect()
        painter.fillRect(view, theme.window)
        first_out, outputs = self._in_sight(self.horizontalScrollBar().value(), view.width(), len(self._rows))
        first_in, inputs = self._in_sight(self.verticalScrollBar().value(), view.height(), self._num_inputs)
        painter.save()
        painter.setClipRect(view.adjusted(self._head - 1, self._top - 1, 0, 0))
        for output in range(first_out, outputs):
            reads = set(self._rows[output])
            for input_ in range(first_in, inputs):
                place = self.place(Cell(output, input_)).adjusted(0, 0, -1, -1)
                fault = input_ >= self._known
                if input_ in reads:
                    painter.fillRect(place, theme.error if fault else theme.accent)
                else:
                    painter.fillRect(place, theme.grid if fault else theme.panel)
        if self._pointed is not None or self.hasFocus():
            cell = self._cursor if self.hasFocus() else self._pointed
            assert cell is not None
            painter.setPen(QPen(theme.text, 2 if self.hasFocus() else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.place(cell).adjusted(0, 0, -1, -1))
        painter.restore()
        self._paint_numbers(painter, range(first_out, outputs), range(first_in, inputs), size)

    def _paint_numbers(self, painter: QPainter, outputs: Sequence[int], inputs: Sequence[int], size: int) -> None:
        theme, metrics = self._themes.theme, QFontMetrics(self.font())
        pointed = self._cursor if self.hasFocus() else self._pointed
        painter.setFont(self.font())
        widest = metrics.horizontalAdvance("0" * len(str(len(self._rows) - 1))) + 2
        every = next(n for n in (1, 2, 5, 10, 20, 50, 100, 1000) if n * size >= widest)
        for output in outputs:
            place = self.place(Cell(output, 0))
            is_pointed = pointed is not None and pointed.output == output
            if (output % every == 0 or is_pointed) and place.right() > self._head:
                painter.setPen(theme.text if is_pointed else theme.muted)
                room = QRect(place.center().x() - widest, 0, 2 * widest, self._top)
                painter.drawText(room, Qt.AlignmentFlag.AlignCenter, str(output))
        for input_ in inputs:
            place = self.place(Cell(0, input_))
            is_pointed = pointed is not None and pointed.input == input_
            if place.center().y() > self._top:
                painter.setPen(theme.error if input_ >= self._known else theme.text if is_pointed else theme.muted)
                room = QRect(0, place.top(), self._head - GRID // 2, size)
                painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(input_))

    def _in_sight(self, offset: int, room: int, count: int) -> tuple[int, int]:
        size = self.cell_size
        return max(0, offset // size), min(count, (offset + room) // size + 1)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        size = self._cell_size(width)
        scrolls = self._head + len(self._rows) * size + 1 > width
        bar = self.horizontalScrollBar().sizeHint().height() if scrolls else 0
        return min(_MOST_HEIGHT, self._top + self._num_inputs * size + 1) + bar

    def sizeHint(self) -> QSize:
        width = self._head + len(self._rows) * _LARGEST_CELL + 1
        return QSize(width, self.heightForWidth(self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(10 * GRID, 8 * GRID)


def _line(start: Cell, end: Cell) -> list[Cell]:
    """The cells from one to another, without gaps, so that a fast drag paints all that it passes."""
    steps = max(abs(end.output - start.output), abs(end.input - start.input), 1)
    return [
        Cell(
            start.output + round((end.output - start.output) * k / steps),
            start.input + round((end.input - start.input) * k / steps),
        )
        for k in range(1, steps + 1)
    ]
