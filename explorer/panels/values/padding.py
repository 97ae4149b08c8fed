"""The editor for padding: one number, two, one a side, or a word; the arrow behind them changes which."""

import dataclasses
from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QGridLayout, QMenu, QWidget

from explorer.layers import HyperParameter, Sides
from explorer.layers.hyper_parameter import LARGEST
from explorer.look.labels import ElidedLabel
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.look.values import sides_of
from explorer.panels.values.base import MenuButton, Mixed, ValueEditor
from explorer.panels.values.number import NumberBox

T = TypeVar("T")


class Way(Enum):
    """How a padding is written."""

    ONE = "one"
    """One number, on all sides."""
    TWO = "two"
    """Height and width."""
    SIDES = "sides"
    """Top, bottom, left and right; negative ones crop."""
    SAME = "same"
    VALID = "valid"


class PaddingEditor(ValueEditor):
    """PADDING: as many boxes as there are numbers to choose, four of them placed as the sides are."""

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parameter, themes, parent)
        self.way = Way.ONE
        self._restarted = True
        self._same: Sides | None = None
        self._value: object = (0, 0)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GRID // 2)
        for column in range(4):
            grid.setColumnStretch(column, 1)
            grid.setColumnMinimumWidth(column, 0)
        self._grid = grid
        names = (self.tr("on all sides"), self.tr("top and bottom"), self.tr("left and right"))
        self.boxes = [self._make_box(parameter, name) for name in names]
        side = dataclasses.replace(parameter, minimum=-LARGEST)
        places = (self.tr("top"), self.tr("bottom"), self.tr("left"), self.tr("right"))
        self.sides = [self._make_box(side, name) for name in places]
        self.word = ElidedLabel(themes, role="muted", font=body_font(), parent=self)
        self.word.setFixedHeight(self.word.fontMetrics().height() + GRID)
        one, height, width = self.boxes
        top, bottom, left, right = self.sides
        # Where the sides are on the map: top and bottom in the middle, left and right beside each other.
        for widget, row, column, span in (
            (one, 0, 0, 4),
            (height, 0, 0, 2),
            (width, 0, 2, 2),
            (self.word, 0, 0, 4),
            (top, 0, 1, 2),
            (left, 1, 0, 2),
            (right, 1, 2, 2),
            (bottom, 2, 1, 2),
        ):
            grid.addWidget(widget, row, column, 1, span)
        for before, after in ((top, left), (left, right), (right, bottom)):
            QWidget.setTabOrder(before, after)
        self._layout.addLayout(grid, 1)
        self.choose = MenuButton(themes, self)
        self.choose.setAccessibleName(self.tr("%s, how it is given") % parameter.name)
        self.choose.setToolTip(self.tr("One number, height and width, each side, same or valid"))
        self._layout.addWidget(self.choose)
        self._layout.setAlignment(self.choose, Qt.AlignmentFlag.AlignTop)
        self._actions = self._make_menu()
        for box in (*self.boxes, *self.sides):
            box.left.connect(self.left)
            box.edited.connect(lambda _number: self._edit())
        self._show_way(Way.ONE)

    def show_value(self, value: object, arriving: object) -> None:
        self._same = _sides(arriving)
        if isinstance(value, Mixed):
            self._value = value
            self._show_way(Way.ONE)
            self.boxes[0].show_blank(max(0, sides_of(value.first, self._same)[0]))
        else:
            self._value = value
            self._show_way(self.way if self._can_show(self.way, value) else _plainest(value))
            self._show_numbers(sides_of(value, self._same))
        self._restarted = False

    def restart(self) -> None:
        self._restarted = True
        for box in (*self.boxes, *self.sides):
            box.forget_typed()

    def choose_way(self, way: Way) -> None:
        """Write the padding in another way; numbers are kept where it can hold them."""
        value = self._in_way(way)
        changes = isinstance(self._value, Mixed) or value != self._value
        self._show_way(way)
        self._show_numbers(sides_of(value, self._same))
        if changes:
            self._value = value
            self.edited.emit(value)
        self.left.emit()
        if way not in {Way.SAME, Way.VALID}:
            self._boxes_of(way)[0].setFocus()

    def _can_show(self, way: Way, value: object) -> bool:
        """Whether the way that the user chose still fits; another node begins with its plainest."""
        if self._restarted:
            return False
        if isinstance(value, str) or way in {Way.SAME, Way.VALID}:
            return way.value == value
        return way is Way.SIDES or (way is Way.TWO and _is_pair(value)) or _plainest(value) is way

    def _in_way(self, way: Way) -> object:
        """The value in another way."""
        if way in {Way.SAME, Way.VALID}:
            return way.value
        value = self._value.first if isinstance(self._value, Mixed) else self._value
        top, bottom, left, right = sides_of(value, self._same)
        if way is Way.ONE:
            return (max(0, top), max(0, top))
        if way is Way.TWO:
            return (max(0, top), max(0, left))
        return _canonical((top, bottom, left, right))

    def _edit(self) -> None:
        numbers = [int(box.number) for box in self._boxes_of(self.way)]
        if self.way is Way.ONE:
            value: tuple[int, ...] = (numbers[0], numbers[0])
        elif self.way is Way.TWO:
            value = (numbers[0], numbers[1])
        else:
            value = _canonical((numbers[0], numbers[1], numbers[2], numbers[3]))
        self._value = value
        self.edited.emit(value)

    def _boxes_of(self, way: Way) -> list[NumberBox]:
        return {Way.ONE: self.boxes[:1], Way.TWO: self.boxes[1:], Way.SIDES: self.sides}.get(way, [])

    def _show_way(self, way: Way) -> None:
        if way in {Way.SAME, Way.VALID}:
            self.word.show_text(self._word(way))
        shown = self._boxes_of(way)
        if way is not self.way or self._restarted:
            focused = any(box.hasFocus() for box in (*self.boxes, *self.sides))
            self.way = way
            for box in (*self.boxes, *self.sides):
                box.setVisible(box in shown)
            self.word.setVisible(not shown)
            self.setFocusProxy(shown[0] if shown else self.choose)
            if focused:
                (shown[0] if shown else self.choose).setFocus()
            self.updateGeometry()
        self._actions[way].setChecked(True)

    def _show_numbers(self, sides: Sides) -> None:
        top, bottom, left, right = sides
        for box, number in zip((*self.boxes, *self.sides), (top, top, left, top, bottom, left, right), strict=True):
            if number >= box.minimum():
                box.show_number(number)

    def _word(self, way: Way) -> str:
        if way is Way.VALID:
            return self.tr("valid: none")
        if self._same is None:
            return "same"
        top, bottom, left, right = self._same
        if (top, left) == (bottom, right):
            numbers = str(top) if top == left else f"{top}×{left}"
        elif (top, bottom) == (left, right):
            numbers = self.tr("{0} before, {1} after").format(top, bottom)
        else:
            numbers = f"{top}, {bottom}, {left}, {right}"
        return self.tr("same: %s") % numbers

    def _make_box(self, parameter: HyperParameter, name: str) -> NumberBox:
        box = NumberBox(parameter, self)
        box.setAccessibleName(f"{parameter.name}, {name}")
        box.setToolTip(f"{parameter.name}, {name}")
        return box

    def _make_menu(self) -> dict[Way, QAction]:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        texts = {
            Way.ONE: (self.tr("One number"), self.tr("Equal on all sides")),
            Way.TWO: (self.tr("Height and width"), self.tr("One number for top and bottom, one for left and right")),
            Way.SIDES: (self.tr("Each side"), self.tr("Top, bottom, left and right; negative ones crop")),
            Way.SAME: ("same", self.tr("As much as gives ⌈size / stride⌉, more at the end where it is odd")),
            Way.VALID: ("valid", self.tr("None: only windows that lie inside")),
        }
        actions = {}
        for way, (text, tip) in texts.items():
            if way is Way.SAME:
                menu.addSeparator()
            action = menu.addAction(text)
            action.setToolTip(tip)
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(_after(self.choose_way, way))
            action.hovered.connect(_after(self._point_at, way))
            actions[way] = action
        menu.aboutToHide.connect(self.preview_ended)
        self.choose.setMenu(menu)
        return actions

    def _point_at(self, way: Way) -> None:
        self.previewed.emit(self._in_way(way))


def _after(function: Callable[[T], None], value: T) -> Callable[..., None]:
    return lambda *_checked: function(value)


def _sides(arriving: object) -> Sides | None:
    return arriving if isinstance(arriving, tuple) and len(arriving) == 4 else None


def _is_pair(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def _plainest(value: object) -> Way:
    """The way with the fewest numbers that holds a value."""
    if isinstance(value, str):
        return Way(value)
    if isinstance(value, tuple) and len(value) == 2:
        return Way.ONE if value[0] == value[1] else Way.TWO
    return Way.SIDES


def _canonical(sides: Sides) -> tuple[int, ...]:
    top, bottom, left, right = sides
    return (top, left) if top == bottom >= 0 and left == right >= 0 else sides
