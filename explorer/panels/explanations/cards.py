"""One card a probe: the image, saliency and Grad-CAM over it, and beside them what `card` draws.

Painting copies pictures, which are made in `pictures`. What is asked for, and the words above, are
`panel`'.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QScrollArea, QToolTip, QWidget

from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.explanations.card import BARS_WIDTH, LINE, Card, CardDrawing, percent
from explorer.panels.explanations.pictures import KeptPictures

_PAD = GRID
_MOST_BARS_WIDTH = 56 * GRID
_LEAST_SIDE, _MOST_SIDE = 8 * GRID, 30 * GRID
_TITLE = 20


class CardsView(QWidget):
    """The cards. A click, or the arrow keys, make a probe the current one.

    Signals:
        chosen(str): the label of a probe.
    """

    chosen = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._cards: tuple[Card, ...] = ()
        self._pictures = KeptPictures()
        self._opacity = 0.7
        self._current = ""
        self._side = _LEAST_SIDE
        self._columns = 1
        self._bars_width = BARS_WIDTH
        self._drawing = CardDrawing(themes, self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Probe images with the network's answers"))
        themes.changed.connect(self.update)

    @property
    def cards(self) -> tuple[Card, ...]:
        """What is shown."""
        return self._cards

    @property
    def current(self) -> int | None:
        """The place of the current probe's card; None where it has none."""
        labels = [card.answer.probe for card in self._cards]
        return labels.index(self._current) if self._current in labels else None

    @property
    def side(self) -> int:
        """Pixels of a picture's side."""
        return self._side

    def show_cards(self, cards: Sequence[Card], current: str) -> None:
        """Show these, with the probe of that label as the current one."""
        self._cards, self._current = tuple(cards), current
        self._pictures.keep({card.answer.probe for card in cards})
        self.update()

    def set_opacity(self, opacity: float) -> None:
        """How much the heat covers of the image, 0 to 1."""
        if opacity != self._opacity:
            self._opacity = opacity
            self._pictures.redraw()
            self.update()

    def fit(self, width: int, height: int) -> int:
        """Take the largest pictures with which all cards fit, or the least; returns the height that they then take."""
        count = max(1, len(self._cards))
        best, columns = 0, 1
        for tried in range(1, count + 1):
            rows = -(-count // tried)
            side = min((width // tried - _fixed_width()) // 3, height // rows - _fixed_height())
            if side > best:
                best, columns = side, tried
        if best < _LEAST_SIDE:
            columns = max(1, min(count, width // (_fixed_width() + 3 * _LEAST_SIDE)))
            best = min(_LEAST_SIDE, max(4 * GRID, (width // columns - _fixed_width()) // 3))
        side = min(best, _MOST_SIDE)
        if side != self._side:
            self._side = side
            self._pictures.redraw()
        self._columns = columns
        beside = width // columns - (_fixed_width() - BARS_WIDTH) - 3 * side
        self._bars_width = min(max(BARS_WIDTH, beside), _MOST_BARS_WIDTH)
        self.update()
        return -(-count // columns) * (side + _fixed_height())

    def card_rect(self, place: int) -> QRect:
        """Where a card lies."""
        row, column = divmod(place, self._columns)
        width = self._side * 3 + _fixed_width() - BARS_WIDTH + self._bars_width
        height = self._side + _fixed_height()
        return QRect(column * width, row * height, width - GRID, height - GRID)

    def picture_rect(self, place: int, which: int) -> QRect:
        """Where the image (0), saliency (1) or Grad-CAM (2) of a card lies."""
        card = self.card_rect(place)
        step = self._side + GRID
        return QRect(card.left() + _PAD + which * step, card.top() + _PAD + _TITLE, self._side, self._side)

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self._at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self.chosen.emit(self._cards[place].answer.probe)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._columns,
            Qt.Key.Key_Down: self._columns,
        }
        if Qt.Key(event.key()) not in moves or self.current is None:
            super().keyPressEvent(event)
            return
        place = self.current + moves[Qt.Key(event.key())]
        if 0 <= place < len(self._cards):
            self.chosen.emit(self._cards[place].answer.probe)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self._at(event.pos())
            QToolTip.showText(event.globalPos(), "" if place is None else self._words(place, event), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place in range(len(self._cards)):
            if self.card_rect(place).intersects(event.rect()):
                self._draw(painter, place)

    # Drawing

    def _draw(self, painter: QPainter, place: int) -> None:
        theme, card = self._themes.theme, self._cards[place]
        rect = self.card_rect(place)
        is_current = card.answer.probe == self._current
        painter.setPen(QPen(theme.accent if is_current else theme.border, 2 if is_current else 1))
        painter.setBrush(theme.card)
        painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), 4, 4)
        self._drawing.title(painter, card, QRect(rect.left() + _PAD, rect.top() + 5, rect.width() - 2 * _PAD, _TITLE))
        pictures = self._pictures.of(card, self._side, self._opacity, self.devicePixelRatioF())
        name = card.name(card.answer.explained_class)
        words = (
            (self.tr("the image"), ""),
            (self.tr("saliency"), self.tr("saliency for {0}").format(name)),
            (self.tr("Grad-CAM"), self.tr("Grad-CAM for {0}").format(name)),
        )
        painter.setFont(small_font())
        for which, (picture, (short, long)) in enumerate(zip(pictures, words, strict=True)):
            where = self.picture_rect(place, which)
            if picture is None:
                painter.setPen(theme.muted)
                painter.drawText(where, Qt.AlignmentFlag.AlignCenter, self.tr("no layer has\nheight and width"))
                continue
            painter.drawPixmap(where, picture)
            under = QRect(where.left(), where.bottom() + 2, where.width(), LINE)
            painter.setPen(theme.muted)
            fits = long and QFontMetrics(painter.font()).horizontalAdvance(long) <= under.width()
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, long if fits else short)
        left = self.picture_rect(place, 2).right() + 2 * GRID
        top = rect.top() + _PAD + _TITLE
        beside = QRect(left, top, rect.right() - _PAD - left, self._side + LINE)
        self._drawing.beside(painter, card, beside)

    # Words

    def _at(self, point: QPoint) -> int | None:
        for place in range(len(self._cards)):
            if self.card_rect(place).contains(point):
                return place
        return None

    def _words(self, place: int, event: QHelpEvent) -> str:
        card = self._cards[place]
        answer = card.answer
        name = card.name(answer.explained_class)
        if self.picture_rect(place, 0).contains(event.pos()):
            height, width = answer.image.shape[1:]
            return self.tr("{0}, {1}×{2}, as the network gets it").format(answer.probe, width, height)
        if self.picture_rect(place, 1).contains(event.pos()):
            most = f"{float(answer.saliency.max()):.3g}"
            return self.tr("The score of {0} changes by up to {1} for one unit of a pixel").format(name, most)
        if answer.cam is not None and self.picture_rect(place, 2).contains(event.pos()):
            height, width = answer.cam.shape
            if not answer.cam.any():
                return self.tr("Nothing at {0} speaks for {1}").format(card.layer, name)
            return self.tr("Where {0} ({1}×{2}) speaks for {3}").format(card.layer, width, height, name)
        course = card.course
        if course is None:
            return ""
        has_score = card.followed < course.probabilities.shape[1]
        now = percent(float(course.probabilities[-1, card.followed])) if has_score else numbers.UNKNOWN
        text = self.tr("{0}: {1} at step {2}; the prediction changed {3} times since step {4} (marks on the line)")
        steps = (numbers.exact_count(int(course.steps[-1])), numbers.exact_count(int(course.steps[0])))
        return text.format(card.name(card.followed), now, steps[0], course.num_changes, steps[1])


class CardsArea(QScrollArea):
    """The cards, as large as there is room; they scroll where there is none."""

    def __init__(self, cards: CardsView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards = cards
        self._followed = ""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(cards)

    def follow(self) -> None:
        """Scroll to the current probe's card if it is another than before."""
        place = self._cards.current
        if place is not None and self._cards.cards[place].answer.probe != self._followed:
            self._followed = self._cards.cards[place].answer.probe
            rect = self._cards.card_rect(place)
            self.ensureVisible(rect.center().x(), rect.center().y(), rect.width() // 2, rect.height() // 2)

    def fit(self) -> None:
        """Lay the cards out again, as there are others."""
        width, height = self.width(), self.height()
        needed = self._cards.fit(width, height)
        if needed > height:
            width -= self.verticalScrollBar().sizeHint().width()
            needed = self._cards.fit(width, height)
        self._cards.resize(QSize(width, max(needed, height)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()


def _fixed_width() -> int:
    """Of a card with its gap, beside its three pictures."""
    return 2 * _PAD + 4 * GRID + BARS_WIDTH + GRID


def _fixed_height() -> int:
    """Of a card with its gap, beside a picture."""
    return 2 * _PAD + _TITLE + LINE + GRID
