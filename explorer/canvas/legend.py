"""The corner that says what the colours mean, with the menu that chooses it, and what else of the drawing is shown."""

import html
import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QActionGroup,
    QColor,
    QEnterEvent,
    QFontMetrics,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QMenu, QToolButton, QWidget, QWidgetAction

from explorer.canvas import ramp
from explorer.canvas.card_item import LEFT, RIGHT
from explorer.canvas.card_text import draw_line
from explorer.canvas.colouring import Coloured, Colouring
from explorer.canvas.legend_link import LegendLink
from explorer.canvas.menu_place import menu_place
from explorer.canvas.pictures import Pictures
from explorer.layers import Category
from explorer.look import catalogue, numbers
from explorer.look.icons import icon
from explorer.look.labels import section_label
from explorer.look.ramps import diverging
from explorer.look.theme import GRID, Theme, ThemeSource, body_font, small_font

_WIDE, _NARROW, _TOLD = 30 * GRID, 22 * GRID, 26 * GRID
"""Pixels that two columns of categories take, a scale, and one with more words below it."""
_CRAMPED = QSize(112 * GRID, 70 * GRID)
"""In a smaller view the categories come up only under the pointer, so that they cover nothing."""
_ROW = 2 * GRID
_HEADER = 3 * GRID
_BAR = 10
_DOT = 10


class Switch(NamedTuple):
    """A part of the drawing that can be hidden."""

    text: str
    is_on: Callable[[], bool]
    turn: Callable[[bool], None]


class Legend(QWidget):
    """A small card over the canvas: a title, and the colours below it unless they are hidden.

    Signals:
        resized(): it needs more or less room.
        zoom_asked(): cards are too small for pictures, which are to be seen.
    """

    resized = Signal()
    zoom_asked = Signal()

    def __init__(self, colouring: Colouring, pictures: Pictures, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._colouring = colouring
        self._pictures = pictures
        self._themes = themes
        self._switches: tuple[Switch, ...] = ()
        self._categories: tuple[Category, ...] = ()
        self._is_open = True
        self._is_cramped = False
        self._is_hovered = False
        self._picture: QPixmap | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        # What lies below is not painted for it, least of all while the drawing is pushed.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Legend"))
        self.button = QToolButton(self)
        self.button.setAutoRaise(True)
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.button.setIconSize(QSize(2 * GRID, 2 * GRID))
        self.button.setToolTip(self.tr("What colours mean, and what is shown"))
        self.button.setAccessibleName(self.button.toolTip())
        self.button.clicked.connect(self._open_menu)
        self.link = LegendLink(themes, self)
        self.link.setToolTip(
            self.tr("Zooms in until cards carry pictures: at the selected layer, else in the middle of the view")
        )
        self.link.clicked.connect(self.zoom_asked)
        colouring.changed.connect(self._follow)
        pictures.changed.connect(self._follow)
        themes.changed.connect(lambda _theme: self._draw_again())
        self._set_icons()
        self._follow()

    @property
    def texts(self) -> tuple[str, ...]:
        """What is written of the colours."""
        now = self._colouring.now
        if now is None:
            names = tuple(catalogue.category_name(category) for category in self._categories)
            return (self._title(), *(names if self._has_colours else ()))
        told = (*self._ends(now), *self._notes(now)) if self._has_colours else ()
        return (self._title(), *told)

    @property
    def picture_texts(self) -> tuple[str, ...]:
        """What is written below them: what cards carry, and of which step."""
        return (self._pictures.title, self._pictures.note or self._pictures.nothing) if self._is_open else ()

    @property
    def is_open(self) -> bool:
        """Whether the colours are shown."""
        return self._is_open

    def set_switches(self, switches: Iterable[Switch]) -> None:
        """Have the menu offer these too."""
        self._switches = tuple(switches)

    def show_categories(self, categories: Iterable[Category]) -> None:
        """The network's layers are of these."""
        wanted = tuple(sorted(set(categories), key=list(Category).index))
        if wanted != self._categories:
            self._categories = wanted
            self._follow()

    def show_open(self, is_open: bool) -> None:
        """Show the colours, or the title alone."""
        if is_open != self._is_open:
            self._is_open = is_open
            self._follow()

    def show_view_size(self, size: QSize) -> None:
        """The view that it lies over has this size."""
        is_cramped = size.width() < _CRAMPED.width() or size.height() < _CRAMPED.height()
        if is_cramped != self._is_cramped:
            self._is_cramped = is_cramped
            self._follow()

    @property
    def _has_colours(self) -> bool:
        """Whether there is more than the title."""
        is_scale = self._colouring.now is not None
        return self._is_open and (is_scale or not self._is_cramped or self._is_hovered)

    def menu(self) -> QMenu:
        """What can be chosen."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        menu.addAction(self._heading(menu, self.tr("Colour by")))
        group = QActionGroup(menu)
        for place, source in enumerate(self._colouring.sources):
            before = self._colouring.sources[place - 1]
            if source.waits_for and (not before.waits_for or source.is_asked != before.is_asked):
                menu.addSeparator()
            action = menu.addAction(source.title)
            action.setCheckable(True)
            action.setChecked(source.key == self._colouring.choice)
            is_there = self._colouring.is_there(source.key)
            action.setEnabled(is_there)
            action.setToolTip(source.waits_for if source.is_asked or not is_there else "")
            action.triggered.connect(lambda _checked=False, key=source.key: self._colouring.choose(key))
            group.addAction(action)
        menu.addSeparator()
        log = menu.addAction(self.tr("Logarithmic colours"))
        log.setCheckable(True)
        log.setChecked(self._colouring.is_log)
        now = self._colouring.now
        log.setEnabled(now is not None and not now.values.is_around_middle)
        if now is None:
            log.setToolTip(self.tr("Categories have no order: colour by a number first."))
        log.triggered.connect(self._colouring.set_log)
        menu.addSeparator()
        menu.addMenu(pictures_menu(menu, self._pictures))
        for switch in self._switches:
            action = menu.addAction(switch.text)
            action.setCheckable(True)
            action.setChecked(switch.is_on())
            action.triggered.connect(switch.turn)
        return menu

    def _heading(self, menu: QMenu, text: str) -> QWidgetAction:
        """Words over a part of the menu; those of a section lie at its very edge."""
        label = section_label(self._themes, text, menu)
        label.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        heading = QWidgetAction(menu)
        heading.setText(text)
        heading.setDefaultWidget(label)
        heading.setEnabled(False)
        return heading

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatioF() != ratio:
            self._picture = self._drawn(ratio)
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
        painter.end()

    def _drawn(self, ratio: float) -> QPixmap:
        theme = self._themes.theme
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(theme.canvas)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.border, 1))
        painter.setBrush(theme.panel)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), GRID / 2, GRID / 2)
        header = QRectF(GRID, 2, self.width() - 4.5 * GRID, _HEADER)
        draw_line(painter, header, self._title(), body_font(), theme.text, LEFT)
        if self._has_colours:
            now = self._colouring.now
            if now is None:
                self._paint_categories(painter, theme)
            else:
                self._paint_scale(painter, theme, now)
        self._paint_pictures(painter, theme)
        painter.end()
        return picture

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hover(True)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(False)

    def _hover(self, is_hovered: bool) -> None:
        self._is_hovered = is_hovered
        self._follow()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and event.position().y() < _HEADER:
            self._open_menu()

    def _paint_categories(self, painter: QPainter, theme: Theme) -> None:
        width = (_WIDE - 2 * GRID) / 2
        for place, category in enumerate(self._categories):
            row, column = divmod(place, 2)
            at = QRectF(GRID + column * width, _HEADER + 2 + row * _ROW, width - GRID / 2, _ROW)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.category(category))
            painter.drawRoundedRect(QRectF(at.left(), at.center().y() - _DOT / 2, _DOT, _DOT), 2, 2)
            at.setLeft(at.left() + _DOT + 6)
            draw_line(painter, at, catalogue.category_name(category), small_font(), theme.muted, LEFT)

    def _paint_scale(self, painter: QPainter, theme: Theme, now: Coloured) -> None:
        bar = QRectF(GRID, _HEADER + GRID / 2, self.width() - 2 * GRID, _BAR)
        gradient = QLinearGradient(bar.topLeft(), QPointF(bar.right(), bar.top()))
        colours = ramp.around_middle(theme) if now.values.is_around_middle else ramp.ramp(theme)
        for level, colour in enumerate(colours):
            gradient.setColorAt(level / (len(colours) - 1), colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ramp.nothing(theme) if now.scale is None else gradient)
        painter.drawRoundedRect(bar, 2, 2)
        below = QRectF(bar.left(), bar.bottom() + 2, bar.width(), _ROW)
        low, high = self._ends(now)[0], self._ends(now)[-1]
        if low != high:
            draw_line(painter, below, low, small_font(), theme.muted, LEFT)
        draw_line(painter, below, high, small_font(), theme.muted, RIGHT if now.scale is not None else LEFT)
        middle = self._middle(now)
        if middle:
            draw_line(painter, below, middle, small_font(), theme.muted, Qt.AlignmentFlag.AlignCenter)
        for note in self._notes(now):
            below.translate(0, _ROW)
            draw_line(painter, below, note, small_font(), theme.muted, LEFT)

    def _paint_pictures(self, painter: QPainter, theme: Theme) -> None:
        """What cards carry, at the lower edge, with what its colours mean."""
        texts = self.picture_texts
        top = self.height() - self._pictures_height() - 1
        if texts:
            painter.setPen(QPen(theme.border, 1))
            painter.drawLine(QPointF(GRID, top + 0.5), QPointF(self.width() - GRID, top + 0.5))
        row = QRectF(GRID, top + 3, self.width() - 2 * GRID, _ROW)
        for place, text in enumerate(texts):
            if place == 0 or not self._pictures.is_far:
                draw_line(painter, row, text, small_font(), theme.muted, LEFT)
            row.translate(0, _ROW)
        if not texts or not self._pictures.is_signed:
            return
        ends = row.height()
        draw_line(painter, row, numbers.MINUS, small_font(), theme.muted, LEFT)
        draw_line(painter, row, "+", small_font(), theme.muted, RIGHT)
        bar = QRectF(row.left() + ends, row.center().y() - _BAR / 2, row.width() - 2 * ends, _BAR)
        gradient = QLinearGradient(bar.topLeft(), bar.topRight())
        colours = diverging(theme)
        for level in range(0, len(colours), 2):
            gradient.setColorAt(level / (len(colours) - 1), QColor.fromRgb(int(colours[level])))
        painter.setPen(QPen(theme.border, 1))
        painter.setBrush(gradient)
        painter.drawRect(bar)
        painter.setPen(QPen(theme.text, 1))
        painter.drawLine(QPointF(bar.center().x(), bar.top() - 2), QPointF(bar.center().x(), bar.bottom() + 2))

    def _pictures_height(self) -> int:
        rows = len(self.picture_texts)
        return 0 if not rows else (rows + self._pictures.is_signed) * _ROW + GRID // 2 + 2

    def _title(self) -> str:
        now = self._colouring.now
        return self.tr("Category") if now is None else now.values.title

    def _ends(self, now: Coloured) -> tuple[str, ...]:
        if now.scale is None:
            return (now.values.nothing or self.tr("nothing above 0"),)
        return (now.values.written(now.scale.low), now.values.written(now.scale.high))

    def _middle(self, now: Coloured) -> str:
        """What stands between the ends."""
        if now.scale is None or not self._colouring.is_log:
            return ""
        if not now.values.is_around_middle:
            return self.tr("log")
        return self.tr("{0} is usual").format(now.values.written(math.sqrt(now.scale.low * now.scale.high)))

    def _notes(self, now: Coloured) -> tuple[str, ...]:
        """What is measured and of when, below the ends."""
        return (now.values.note,) if now.values.note and now.scale is not None else ()

    def _follow(self) -> None:
        now = self._colouring.now
        if now is None:
            rows = float(-(-len(self._categories) // 2) * _ROW)
        else:
            rows = _BAR + GRID / 2 + _ROW * (1 + len(self._notes(now)))
        paragraphs = now.values.help.split("\n\n") if now is not None and now.values.help else ()
        self.setToolTip("".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs))
        height = _HEADER + 4 + (int(rows) + GRID // 2 if self._has_colours and rows else 0) + self._pictures_height()
        title = QFontMetrics(body_font()).horizontalAdvance(self._title()) + 5 * GRID
        width = title if not self._has_colours else _WIDE if now is None else max(_narrow(now), title)
        texts = self.picture_texts
        if texts:
            # As wide as steps become and a look back makes them, so that nothing moves while they are counted.
            texts = (*texts, self.tr("step 00,000 (looking back)"), self._pictures.far)
            advance = QFontMetrics(small_font()).horizontalAdvance
            width = max(width, *(advance(text) + 2 * GRID for text in texts))
        if self.size() != QSize(width, height):
            self.resize(width, height)
            self.button.setGeometry(width - 3 * GRID - 2, 2, 3 * GRID, _HEADER)
            self.resized.emit()
        self._show_link()
        self._draw_again()

    def _show_link(self) -> None:
        is_linked = bool(self.picture_texts) and self._pictures.is_far
        if is_linked:
            self.link.setText(self._pictures.far)
            self.link.place(GRID, self.height() - self._pictures_height() + 2 + _ROW, _ROW)
        self.link.setVisible(is_linked)

    def _draw_again(self) -> None:
        self._picture = None
        self.update()

    def _open_menu(self) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        legend = QRect(self.mapToGlobal(QPoint()), self.size())
        submenu = QSize()
        for inner in menu.findChildren(QMenu):
            submenu = submenu.expandedTo(inner.sizeHint())
        menu.popup(menu_place(legend, menu.sizeHint(), submenu, self.screen().availableGeometry()))

    def _set_icons(self) -> None:
        self._themes.changed.connect(self._show_icon)
        self._show_icon(self._themes.theme)

    def _show_icon(self, theme: Theme) -> None:
        self.button.setIcon(icon("choose", theme, theme.muted))


def pictures_menu(parent: QMenu, pictures: Pictures) -> QMenu:
    """A submenu of what cards may carry."""
    menu = QMenu(QCoreApplication.translate("Legend", "Pictures on cards"), parent)
    menu.setToolTipsVisible(True)
    group = QActionGroup(menu)
    for choice in pictures.choices:
        action = menu.addAction(choice.title)
        action.setCheckable(True)
        action.setChecked(choice.key == pictures.choice)
        action.setToolTip(choice.help)
        action.triggered.connect(lambda _checked=False, key=choice.key: pictures.choose(key))
        group.addAction(action)
    return menu


def _narrow(now: Coloured) -> int:
    """The width that a scale takes, wider where there is more to say."""
    if not now.values.help:
        return _NARROW
    return max(_NARROW, _TOLD, QFontMetrics(small_font()).horizontalAdvance(now.values.note) + 2 * GRID)
