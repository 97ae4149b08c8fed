"""How many images each class has: one row a class, a bar for training and one for tests; a click shows one class."""

from typing import Literal

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QToolTip, QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.runs.data_facts import DataFacts

_ROW = 3 * GRID
_BAR = 5


class ClassBars(QWidget):
    """The rows.

    Signals:
        chosen(object): the position of the one class to show; None for all.
    """

    chosen = Signal(object)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._facts: DataFacts | None = None
        self._only: int | None = None
        self._hovered = -1
        self.setFont(small_font())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Images of each class"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        themes.changed.connect(self.update)

    @property
    def only(self) -> int | None:
        """The one class that is shown; None for all."""
        return self._only

    def show_facts(self, facts: DataFacts | None) -> None:
        """Show this data set's classes; the choice goes with another's."""
        old, self._facts = self._facts, facts
        if old is None or facts is None or old.class_names != facts.class_names:
            self._only = None
        self.setCursor(Qt.CursorShape.ArrowCursor if facts is None else Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(self.sizeHint().height())
        self.update()

    def choose(self, only: int | None) -> None:
        """Show one class, or all."""
        if only != self._only:
            self._only = only
            self.update()
            self.chosen.emit(only)

    def row_rect(self, position: int) -> QRect:
        """Where a class' row lies."""
        return QRect(0, position * _ROW, self.width(), _ROW)

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(32 * GRID, _ROW * (len(self._facts.class_names) if self._facts is not None else 0))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._at(int(event.position().y()))
        if event.button() == Qt.MouseButton.LeftButton and place >= 0:
            self.choose(None if place == self._only else place)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._at(int(event.position().y())))

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        count = len(self._facts.class_names) if self._facts is not None else 0
        move = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if move is not None and count:
            start = -1 if self._only is None else self._only
            self.choose(min(max(start + move, 0), count - 1))
            self._bring_up()
        elif event.key() == Qt.Key.Key_Escape and self._only is not None:
            self.choose(None)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = self._at(event.pos().y())
            QToolTip.showText(event.globalPos(), self._tip(place) if place >= 0 else "", self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        facts, theme = self._facts, self._themes.theme
        if facts is None:
            return
        painter = QPainter(self)
        metrics = self.fontMetrics()
        most = max((*facts.train_counts, *facts.test_counts, 1))
        counts = [numbers.exact_count(train) for train in facts.train_counts]
        tests = [numbers.exact_count(test) for test in facts.test_counts]
        figures = max(metrics.horizontalAdvance(f"{a}  {b}") for a, b in zip(counts, tests, strict=True)) + GRID
        widest = max(metrics.horizontalAdvance(name) for name in facts.class_names) + GRID
        names = min(widest, (self.width() - figures) // 2)
        bars = max(0, self.width() - names - figures - 2 * GRID)
        first, last = event.rect().top() // _ROW, event.rect().bottom() // _ROW
        for place in range(max(0, first), min(last + 1, len(counts))):
            row = self.row_rect(place)
            if place in (self._only, self._hovered):
                shade = theme.accent if place == self._only else theme.text
                painter.setOpacity(0.16 if place == self._only else 0.06)
                painter.fillRect(row, shade)
                painter.setOpacity(1)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.setPen(theme.text)
            name = metrics.elidedText(facts.class_names[place], Qt.TextElideMode.ElideRight, names - GRID // 2)
            painter.drawText(QRect(GRID // 2, row.top(), names, _ROW), middle, name)
            left = names + GRID
            for offset, count, colour in (
                (-_BAR, facts.train_counts[place], theme.train),
                (1, facts.test_counts[place], theme.test),
            ):
                length = round(bars * count / most)
                painter.fillRect(left, row.center().y() + offset, max(length, 1 if count else 0), _BAR - 1, colour)
            right = row.adjusted(0, 0, -GRID // 2, 0)
            painter.setPen(theme.test)
            painter.drawText(right, middle | Qt.AlignmentFlag.AlignRight, tests[place])
            right.setRight(right.right() - max(map(metrics.horizontalAdvance, tests)) - GRID)
            painter.setPen(theme.train)
            painter.drawText(right, middle | Qt.AlignmentFlag.AlignRight, counts[place])
        if self.hasFocus() and self._only is None:
            painter.setPen(theme.accent)
            painter.drawRect(self.row_rect(0).adjusted(0, 0, -1, -1))

    def _at(self, y: int) -> int:
        place = y // _ROW
        return place if self._facts is not None and 0 <= place < len(self._facts.class_names) else -1

    def _hover(self, place: int) -> None:
        if place != self._hovered:
            self._hovered = place
            self.update()

    def _bring_up(self) -> None:
        viewport = self.parentWidget()
        area = viewport.parentWidget() if viewport is not None else None
        if isinstance(area, QScrollArea) and self._only is not None:
            area.ensureVisible(0, self.row_rect(self._only).center().y(), 0, _ROW)

    def _tip(self, place: int) -> str:
        assert self._facts is not None
        share = self._facts.train_counts[place] / max(1, self._facts.num_train)
        return self.tr("{name}: {train} for training ({share}), {test} for tests\nClick to see only these").format(
            name=self._facts.class_names[place],
            train=numbers.exact_count(self._facts.train_counts[place]),
            share=numbers.percent(share),
            test=numbers.exact_count(self._facts.test_counts[place]),
        )


class SwatchLabel(QWidget):
    """A word beside a square of the colour that it stands for."""

    def __init__(self, text: str, role: Literal["train", "test"], themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = text
        self._role = role
        self._themes = themes
        self.setFont(small_font())
        width = self.fontMetrics().horizontalAdvance(text)
        self.setFixedSize(width + 2 * GRID, self.fontMetrics().height())
        themes.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.fillRect(
            0, (self.height() - GRID) // 2, GRID, GRID, theme.train if self._role == "train" else theme.test
        )
        painter.setPen(theme.muted)
        painter.drawText(self.rect().adjusted(GRID + GRID // 2, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self._text)


def scrolled(widget: QWidget, parent: QWidget) -> QScrollArea:
    """A widget in an area that scrolls it down and never sideways."""
    area = QScrollArea(parent)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(widget)
    return area
