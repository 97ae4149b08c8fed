"""The confusion matrix on screen: any number of classes, from one pixel a cell to numbers in the cells."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, Theme, ThemeSource, contrast, small_font
from explorer.panels.classes.layout import LARGEST_CELL, Cell, Groups, Scale, depths, edges, grouped, scale_of
from explorer.runs.class_figures import Confusion

_ZOOM_STEP = 1.5
_WIDEST_CELL = 9 * GRID
_WIDEST_NAME = 12 * GRID
_LONGEST_UPRIGHT = 7 * GRID
_LINED_CELL = 7
"""Pixels from which cells have lines between them."""


class ConfusionView(QAbstractScrollArea):
    """Rows are true classes, columns predicted ones.

    Arrow keys move from cell to cell, Enter chooses one, Esc none; + and - zoom, as Ctrl and the wheel do, 0 fits.

    Signals:
        cell_chosen(object): `(true classes, predicted classes)` of the cell to look into; None for none.
        read_out(str): the cell below the pointer or the cursor in words; empty for none.
    """

    cell_chosen = Signal(object)
    read_out = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._found: Confusion | None = None
        self._order: tuple[int, ...] = ()
        self._groups: Groups | None = None
        self._image = QImage()
        self._depths: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None
        self._zoom = 1.0
        self._scale = Scale(1.0, 1)
        self._cell_width = 1.0
        self._left = self._top = 0
        self._hovered: Cell | None = None
        self._cursor = Cell(0, 0)
        self._chosen: Cell | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFont(small_font())
        self.setAccessibleName(self.tr("Confusion matrix: rows are true classes, columns predicted ones"))
        self.viewport().setMouseTracking(True)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        themes.changed.connect(self._redraw)

    def apply(self, found: Confusion | None, order: Sequence[int] = ()) -> None:
        """Show this matrix with its classes in that order; zoom, place and the chosen cell stay where they can."""
        is_same = found is not None and self._found is not None and found.class_names == self._found.class_names
        if not is_same or tuple(order) != self._order:
            self._chosen, self._cursor, self._hovered = None, Cell(0, 0), None
        if not is_same:
            self._zoom = 1.0
        self._found, self._order = found, tuple(order)
        self._arrange()
        self._say()

    @property
    def scale(self) -> Scale:
        """How large cells are."""
        return self._scale

    @property
    def chosen(self) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """True and predicted classes of the chosen cell."""
        return None if self._chosen is None or self._groups is None else self._classes(self._chosen)

    def choose(self, cell: Cell | None) -> None:
        """Mark a cell and say so."""
        self._chosen = cell
        if cell is not None:
            self._cursor = cell
        self.viewport().update()
        self._say()
        self.cell_chosen.emit(self.chosen)

    def mark(self, true: int, predicted: int) -> None:
        """Mark the cell of two classes, without saying so."""
        if self._groups is None:
            return
        rows = [place for place, group in enumerate(self._groups.rows) if true in group]
        columns = [place for place, group in enumerate(self._groups.columns) if predicted in group]
        self._chosen = self._cursor = Cell(rows[0], columns[0])
        self._bring_up(self._cursor)
        self.viewport().update()

    def unmark(self) -> None:
        """Mark none, without saying so."""
        self._chosen = None
        self.viewport().update()

    def set_zoom(self, zoom: float, centre: QPointF | None = None) -> None:
        """Show classes `zoom` times as large as where all fit, keeping what is below `centre` where it is."""
        if self._found is None:
            return
        fitting = self._fitting()
        zoom = max(1.0, min(zoom, LARGEST_CELL / fitting))
        if zoom == self._zoom:
            return
        centre = centre or QPointF(self.viewport().rect().center())
        before = self._zoom
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        x, y = centre.x() - self._left + across.value(), centre.y() - self._top + down.value()
        self._zoom = zoom
        self._arrange()
        across.setValue(round(x * zoom / before - centre.x() + self._left))
        down.setValue(round(y * zoom / before - centre.y() + self._top))

    def cell_rect(self, cell: Cell) -> QRect:
        """Where a cell lies in the viewport."""
        xs, ys = self._edges()
        left, top = self._left - self.horizontalScrollBar().value(), self._top - self.verticalScrollBar().value()
        x, y = int(xs[cell.column]), int(ys[cell.row])
        return QRect(left + x, top + y, int(xs[cell.column + 1]) - x, int(ys[cell.row + 1]) - y)

    def describe(self, cell: Cell) -> str:
        """A cell in words."""
        assert self._groups is not None
        rows, columns = self._classes(cell)
        count, images = int(self._groups.counts[cell.row, cell.column]), int(self._groups.images[cell.row])
        share = numbers.share(count, images)
        values = {"count": numbers.exact_count(count), "images": numbers.exact_count(images), "share": share}
        if rows == columns and len(rows) == 1:
            return self.tr("{true}: {count} of {images} images are recognised ({share})").format(
                true=self._name(rows[0]), **values
            )
        if rows == columns:
            within = int(self._groups.wrong[cell.row, cell.column])
            text = self.tr("{true}: {right} of {images} images are recognised, {within} mixed up within the group")
            right = numbers.exact_count(count - within)
            return text.format(true=self._names(rows), right=right, within=numbers.exact_count(within), **values)
        return self.tr("{true} taken for {predicted}: {count} of {images} images ({share})").format(
            true=self._names(rows), predicted=self._names(columns), **values
        )

    def picture(self) -> QImage:
        """What is on screen, at its resolution."""
        return self.viewport().grab().toImage()

    def sizeHint(self) -> QSize:
        return QSize(48 * GRID, 26 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(20 * GRID, 12 * GRID)

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._say()
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._say()
        self.viewport().update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            up = event.angleDelta().y() > 0
            self.set_zoom(self._zoom * (_ZOOM_STEP if up else 1 / _ZOOM_STEP), event.position())
            event.accept()
        else:
            super().wheelEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and cell is not None:
            self.choose(None if cell == self._chosen else cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
        }
        key = Qt.Key(event.key())
        if self._groups is None:
            super().keyPressEvent(event)
        elif key in moves:
            down, across = moves[key]
            self._cursor = self._within(Cell(self._cursor.row + down, self._cursor.column + across))
            self._bring_up(self._cursor)
            self._say()
            self.viewport().update()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.choose(self._cursor)
        elif key == Qt.Key.Key_Escape and self._chosen is not None:
            self.choose(None)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.set_zoom(self._zoom * _ZOOM_STEP, QPointF(self.cell_rect(self._cursor).center()))
        elif key == Qt.Key.Key_Minus:
            self.set_zoom(self._zoom / _ZOOM_STEP, QPointF(self.cell_rect(self._cursor).center()))
        elif key == Qt.Key.Key_0:
            self.set_zoom(1.0)
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self._at(event.pos())
            QToolTip.showText(event.globalPos(), "" if cell is None else self.describe(cell), self)
            return True
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._groups is None:
            return
        painter = QPainter(self.viewport())
        theme = self._themes.theme
        cells = self.viewport().rect().adjusted(self._left, self._top, 0, 0)
        painter.setClipRect(cells)
        self._paint_cells(painter, theme)
        self._paint_marks(painter, theme)
        painter.setClipping(False)
        self._paint_rows(painter, theme)
        self._paint_columns(painter, theme)

    # Painting

    def _paint_cells(self, painter: QPainter, theme: Theme) -> None:
        assert self._groups is not None
        xs, ys = self._edges()
        rows, columns = self._visible(ys, True), self._visible(xs, False)
        for row in rows if self._scale.cell >= _LINED_CELL else ():
            for column in columns:
                place = self.cell_rect(Cell(row, column)).adjusted(0, 0, -1, -1)
                painter.fillRect(place, self._image.pixelColor(column, row))
        if self._scale.cell < _LINED_CELL:
            # Whole pixels, as wide as `edges` says, which scaling the picture would not keep.
            left, top = self._left - self.horizontalScrollBar().value(), self._top - self.verticalScrollBar().value()
            painter.drawImage(QPoint(left, top), self._stretched(xs, ys))
            return
        metrics = QFontMetrics(self.font())
        widest = metrics.horizontalAdvance(numbers.exact_count(int(self._groups.counts.max(initial=0))))
        if self._scale.cell >= metrics.height() and self._cell_width >= widest + 4:
            painter.setFont(self.font())
            for row in rows:
                for column in columns:
                    count = int(self._groups.counts[row, column])
                    if count:
                        ground = self._image.pixelColor(column, row)
                        readable = max((theme.text, theme.panel), key=lambda ink: contrast(ink, ground))
                        painter.setPen(readable)
                        place = self.cell_rect(Cell(row, column))
                        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, numbers.exact_count(count))

    def _paint_marks(self, painter: QPainter, theme: Theme) -> None:
        for cell, colour, width in (
            (self._hovered, theme.muted, 1),
            (self._cursor if self.hasFocus() else None, theme.accent, 1),
            (self._chosen, theme.accent, 2),
        ):
            if cell is not None:
                painter.setPen(QPen(colour, width))
                rect = self.cell_rect(cell)
                grown = max(0, 6 - rect.height()) // 2
                painter.drawRect(rect.adjusted(-1 - grown, -1 - grown, grown, grown))

    def _paint_rows(self, painter: QPainter, theme: Theme) -> None:
        metrics = QFontMetrics(self.font())
        painter.setFont(self.font())
        _, ys = self._edges()
        step = max(1, -(-metrics.height() // max(1, round(self._scale.cell))))
        beyond = max(0, metrics.height() - round(self._scale.cell)) // 2
        painter.setClipRect(QRect(0, self._top - beyond, self._left, self.viewport().height()))
        current = self._current()
        for row in self._visible(ys, True):
            if row % step and (current is None or row != current.row):
                continue
            rect = self.cell_rect(Cell(row, 0))
            place = QRect(0, rect.center().y() - metrics.height() // 2, self._left - GRID // 2, metrics.height())
            is_current = current is not None and row == current.row
            if is_current:
                painter.fillRect(place, theme.window)
            painter.setPen(theme.text if is_current else theme.muted)
            name = metrics.elidedText(self._row_name(row), Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setClipping(False)

    def _paint_columns(self, painter: QPainter, theme: Theme) -> None:
        assert self._groups is not None
        metrics = QFontMetrics(self.font())
        xs, _ = self._edges()
        upright = self._is_upright()
        room = metrics.height() if upright else 1
        step = max(1, -(-room // max(1, round(self._cell_width))))
        painter.setClipRect(QRect(self._left - GRID, 0, self.viewport().width(), self._top))
        current = self._current()
        height = self._top - metrics.height()
        for column in self._visible(xs, False):
            is_current = current is not None and column == current.column
            if column % step and not is_current:
                continue
            rect = self.cell_rect(Cell(0, column))
            painter.setPen(theme.text if is_current else theme.muted)
            name = self._column_name(column)
            if not upright:
                place = QRect(rect.left(), metrics.height(), rect.width(), height)
                elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, rect.width() - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, elided)
                continue
            painter.save()
            painter.translate(rect.center().x() - metrics.height() // 2, self._top - GRID // 2)
            painter.rotate(-90)
            place = QRect(0, 0, height - GRID // 2, metrics.height())
            if is_current:
                painter.fillRect(place, theme.window)
            elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)
            painter.restore()
        painter.setClipping(False)
        painter.setPen(theme.muted)
        top = QRect(self._left, 0, self.viewport().width() - self._left, metrics.height())
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.tr("predicted →"))
        # Above the first row's name, which stands out over its row where rows are thin.
        beyond = max(0, metrics.height() - round(self._scale.cell)) // 2
        corner = QRect(0, 0, self._left - GRID // 2, self._top - 2 - beyond)
        painter.drawText(corner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom, self.tr("true ↓"))

    def _stretched(self, xs: npt.NDArray[np.int64], ys: npt.NDArray[np.int64]) -> QImage:
        columns = np.repeat(np.arange(len(xs) - 1), np.diff(xs))
        rows = np.repeat(np.arange(len(ys) - 1), np.diff(ys))
        pixels = np.ascontiguousarray(self._pixels[np.ix_(rows, columns)])
        return QImage(pixels.data, len(columns), len(rows), 4 * len(columns), QImage.Format.Format_RGB32).copy()

    # Places

    def _arrange(self) -> None:
        if self._found is None:
            self._groups = None
            self.viewport().update()
            return
        before = self._groups
        self._cell_width = float(_WIDEST_CELL)
        # Twice, since names that stand upright take room from the cells.
        for _ in range(2):
            self._measure_names()
            self._scale = scale_of(self._fitting() * self._zoom)
            self._groups = grouped(self._found, self._order, self._scale.group)
            self._cell_width = self._widened()
        assert self._groups is not None
        if before is not None and len(before.rows) != len(self._groups.rows):
            self._chosen = self._hovered = None
            self._cursor = self._within(self._cursor)
        view = self.viewport().size()
        xs, ys = self._edges()
        for bar, length, room in (
            (self.horizontalScrollBar(), int(xs[-1]), view.width() - self._left),
            (self.verticalScrollBar(), int(ys[-1]), view.height() - self._top),
        ):
            bar.setRange(0, max(0, length - room + 1))
            bar.setPageStep(max(1, room))
            bar.setSingleStep(max(1, round(self._scale.cell)))
        self._redraw()

    def _fitting(self) -> float:
        """Pixels of a class where all classes are seen."""
        assert self._found is not None
        view = self.maximumViewportSize()
        height, width = view.height() - self._top - 2, view.width() - self._left - 2
        return max(0.05, min(height / self._found.num_classes, width / self._found.num_columns, LARGEST_CELL))

    def _widened(self) -> float:
        """A cell's width: more than its height where names and numbers need it and there is room."""
        assert self._groups is not None
        metrics = QFontMetrics(self.font())
        if self._scale.group > 1 or self._scale.cell < metrics.height():
            return self._scale.cell
        names = max(metrics.horizontalAdvance(self._column_name(c)) for c in range(len(self._groups.columns)))
        digits = metrics.horizontalAdvance(numbers.exact_count(int(self._groups.counts.max(initial=0))))
        room = (self.maximumViewportSize().width() - self._left - 2) // len(self._groups.columns)
        return max(self._scale.cell, min(room, _WIDEST_CELL, max(names + GRID, digits + GRID, 2 * self._scale.cell)))

    def _measure_names(self) -> None:
        assert self._found is not None
        metrics = QFontMetrics(self.font())
        names = [self._name(place) for place in range(self._found.num_columns)]
        # The longest by its letters is wide enough to know: measuring a thousand names takes milliseconds.
        longest = sorted(names, key=len)[-8:]
        width = max(metrics.horizontalAdvance(name) for name in longest)
        least = metrics.horizontalAdvance(self.tr("true ↓"))
        self._left = min(max(width, least), _WIDEST_NAME) + GRID
        upright = self._is_upright()
        self._top = metrics.height() + (min(width, _LONGEST_UPRIGHT) + GRID if upright else metrics.height() + 2)

    def _is_upright(self) -> bool:
        """Whether the names of columns stand upright, for want of room."""
        metrics = QFontMetrics(self.font())
        assert self._found is not None
        longest = max((self._name(place) for place in range(self._found.num_columns)), key=len)
        return self._cell_width < min(metrics.horizontalAdvance(longest), 5 * GRID)

    def _edges(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        assert self._groups is not None
        columns, rows = len(self._groups.columns), len(self._groups.rows)
        return edges(columns, self._cell_width), edges(rows, self._scale.cell)

    def _visible(self, places: npt.NDArray[np.int64], down: bool) -> range:
        bar = self.verticalScrollBar() if down else self.horizontalScrollBar()
        room = self.viewport().height() - self._top if down else self.viewport().width() - self._left
        first = int(np.searchsorted(places, bar.value(), "right")) - 1
        last = int(np.searchsorted(places, bar.value() + room, "left"))
        return range(max(0, first), min(len(places) - 1, last))

    def _at(self, point: QPoint) -> Cell | None:
        if self._groups is None or point.x() < self._left or point.y() < self._top:
            return None
        xs, ys = self._edges()
        column = int(np.searchsorted(xs, point.x() - self._left + self.horizontalScrollBar().value(), "right")) - 1
        row = int(np.searchsorted(ys, point.y() - self._top + self.verticalScrollBar().value(), "right")) - 1
        inside = row < len(self._groups.rows) and column < len(self._groups.columns)
        return Cell(row, column) if inside else None

    def _within(self, cell: Cell) -> Cell:
        assert self._groups is not None
        rows, columns = len(self._groups.rows), len(self._groups.columns)
        return Cell(max(0, min(cell.row, rows - 1)), max(0, min(cell.column, columns - 1)))

    def _bring_up(self, cell: Cell) -> None:
        xs, ys = self._edges()
        view = self.viewport().size()
        for bar, first, last, room in (
            (self.horizontalScrollBar(), xs[cell.column], xs[cell.column + 1], view.width() - self._left),
            (self.verticalScrollBar(), ys[cell.row], ys[cell.row + 1], view.height() - self._top),
        ):
            bar.setValue(min(int(first), max(bar.value(), int(last) - room + 2)))

    # Words

    def _current(self) -> Cell | None:
        if self._hovered is not None:
            return self._hovered
        return self._cursor if self.hasFocus() else self._chosen

    def _hover(self, cell: Cell | None) -> None:
        if cell != self._hovered:
            self._hovered = cell
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor if cell is None else Qt.CursorShape.PointingHandCursor)
            self.viewport().update()
            self._say()

    def _say(self) -> None:
        cell = self._current() if self._groups is not None else None
        self.read_out.emit("" if cell is None else self.describe(cell))

    def _classes(self, cell: Cell) -> tuple[tuple[int, ...], tuple[int, ...]]:
        assert self._groups is not None
        return self._groups.rows[cell.row], self._groups.columns[cell.column]

    def _name(self, place: int) -> str:
        assert self._found is not None
        names = self._found.class_names
        return names[place] if place < len(names) else self.tr("none of these")

    def _names(self, classes: Sequence[int]) -> str:
        if len(classes) == 1:
            return self._name(classes[0])
        return self.tr("{first} … {last} ({count} classes)").format(
            first=self._name(classes[0]), last=self._name(classes[-1]), count=len(classes)
        )

    def _row_name(self, row: int) -> str:
        assert self._groups is not None
        return self._name(self._groups.rows[row][0])

    def _column_name(self, column: int) -> str:
        assert self._groups is not None
        return self._name(self._groups.columns[column][0])

    def _redraw(self) -> None:
        if self._groups is not None:
            theme = self._themes.theme
            right, wrong = depths(self._groups)
            self._pixels = _pixels(right, wrong, theme)
            height, width = self._pixels.shape[:2]
            self._image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()
        self.viewport().update()


def _pixels(right: npt.NDArray[np.float64], wrong: npt.NDArray[np.float64], theme: Theme) -> npt.NDArray[np.uint8]:
    """Colours of cells, `(rows, columns, 4)` as Qt keeps them."""
    ground = _bgr(theme.canvas)
    is_right = (right >= wrong)[..., None]
    depth = np.where(is_right, right[..., None], wrong[..., None])
    hue = np.where(is_right, _bgr(theme.train), _bgr(theme.test))
    colours = np.full((*right.shape, 4), 255, np.uint8)
    colours[..., :3] = np.round(ground + (hue - ground) * depth)
    return colours


def _bgr(colour: QColor) -> npt.NDArray[np.float64]:
    return np.array([colour.blue(), colour.green(), colour.red()], np.float64)
