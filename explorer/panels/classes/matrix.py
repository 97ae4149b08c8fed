"""The confusion matrix on screen: any number of classes, from one pixel a cell to numbers in the cells.

What is chosen and how far it is enlarged is this file's; where cells lie is `arranged`'s, how they look `painting`'s.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.classes.arranged import Arranged, arrange
from explorer.panels.classes.layout import LARGEST_CELL, Cell, Groups, Scale
from explorer.panels.classes.painting import Axes, Marks, MatrixPicture
from explorer.panels.classes.words import describe
from explorer.runs.class_figures import Confusion

_ZOOM_STEP = 1.5
_MOVES = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
"""Rows down and columns to the right."""


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
        self._arranged: Arranged | None = None
        self._picture: MatrixPicture | None = None
        self._zoom = 1.0
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
        renewed = None
        if is_same and found is not None and self._arranged is not None and self._arranged.order == tuple(order):
            renewed = self._arranged.renewed(found)
        self._found, self._order = found, tuple(order)
        if renewed is None:
            self._arrange()
        else:
            self._arranged = renewed
            self._redraw()
        self._say()

    @property
    def scale(self) -> Scale:
        """How large cells are."""
        return Scale(1.0, 1) if self._arranged is None else self._arranged.scale

    @property
    def chosen(self) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """True and predicted classes of the chosen cell."""
        cell, groups = self._chosen, self._groups
        return None if cell is None or groups is None else (groups.rows[cell.row], groups.columns[cell.column])

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
        if self._arranged is None:
            return
        self._chosen = self._cursor = self._arranged.cell_of(true, predicted)
        self._bring_up(self._cursor)
        self.viewport().update()

    def unmark(self) -> None:
        """Mark none, without saying so."""
        self._chosen = None
        self.viewport().update()

    def set_zoom(self, zoom: float, centre: QPointF | None = None) -> None:
        """Show classes `zoom` times as large as where all fit, keeping what is below `centre` where it is."""
        if self._arranged is None:
            return
        fitting = self._arranged.fitting(self.maximumViewportSize())
        zoom = max(1.0, min(zoom, LARGEST_CELL / fitting))
        if zoom == self._zoom:
            return
        centre = centre or QPointF(self.viewport().rect().center())
        before = self._zoom
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        left, top = self._arranged.left, self._arranged.top
        x, y = centre.x() - left + across.value(), centre.y() - top + down.value()
        self._zoom = zoom
        self._arrange()
        across.setValue(round(x * zoom / before - centre.x() + self._arranged.left))
        down.setValue(round(y * zoom / before - centre.y() + self._arranged.top))

    def cell_rect(self, cell: Cell) -> QRect:
        """Where a cell lies in the viewport."""
        assert self._arranged is not None
        return self._arranged.cell_rect(cell, self._scrolled)

    def describe(self, cell: Cell) -> str:
        """A cell in words."""
        assert self._arranged is not None
        return describe(self, self._arranged, cell)

    def picture(self) -> QImage:
        """What is on screen, at its resolution."""
        return self.viewport().grab().toImage()

    def used_width(self, most: int) -> int:
        """Pixels that it makes use of at its height, of so many, where all classes are seen."""
        if self._found is None:
            return min(most, self.sizeHint().width())
        return self._arrange_in(QSize(most, self.maximumViewportSize().height()), 1.0).width

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
        key = Qt.Key(event.key())
        if self._arranged is None:
            super().keyPressEvent(event)
        elif key in _MOVES:
            down, across = _MOVES[key]
            self._cursor = self._arranged.within(Cell(self._cursor.row + down, self._cursor.column + across))
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
        if self._picture is None:
            return
        cursor = self._cursor if self.hasFocus() else None
        marks = Marks(self._hovered, cursor, self._chosen, self._current())
        self._picture.paint(QPainter(self.viewport()), self.viewport().size(), self._scrolled, marks)

    # Places

    @property
    def _groups(self) -> Groups | None:
        return None if self._arranged is None else self._arranged.groups

    @property
    def _scrolled(self) -> QPoint:
        return QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def _arrange(self) -> None:
        if self._found is None:
            self._arranged = self._picture = None
            self.viewport().update()
            return
        before = self._arranged
        self._arranged = arranged = self._arrange_in(self.maximumViewportSize(), self._zoom)
        if before is not None and len(before.groups.rows) != len(arranged.groups.rows):
            self._chosen = self._hovered = None
            self._cursor = arranged.within(self._cursor)
        view = self.viewport().size()
        for bar, length, seen in (
            (self.horizontalScrollBar(), int(arranged.xs[-1]), view.width() - arranged.left),
            (self.verticalScrollBar(), int(arranged.ys[-1]), view.height() - arranged.top),
        ):
            bar.setRange(0, max(0, length - seen + 1))
            bar.setPageStep(max(1, seen))
            bar.setSingleStep(max(1, round(arranged.scale.cell)))
        self._redraw()

    def _arrange_in(self, room: QSize, zoom: float) -> Arranged:
        assert self._found is not None
        metrics = QFontMetrics(self.font())
        names = (*self._found.class_names, self.tr("none of these"))[: self._found.num_columns]
        least = metrics.horizontalAdvance(self.tr("true ↓"))
        return arrange(self._found, self._order, zoom, room, metrics, names, least)

    def _redraw(self) -> None:
        if self._arranged is not None:
            axes = Axes(self.tr("predicted →"), self.tr("true ↓"))
            self._picture = MatrixPicture(self._arranged, self._themes.theme, self.font(), axes)
        self.viewport().update()

    def _at(self, point: QPoint) -> Cell | None:
        return None if self._arranged is None else self._arranged.at(point, self._scrolled)

    def _bring_up(self, cell: Cell) -> None:
        assert self._arranged is not None
        xs, ys, view = self._arranged.xs, self._arranged.ys, self.viewport().size()
        for bar, first, last, room in (
            (self.horizontalScrollBar(), xs[cell.column], xs[cell.column + 1], view.width() - self._arranged.left),
            (self.verticalScrollBar(), ys[cell.row], ys[cell.row + 1], view.height() - self._arranged.top),
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
