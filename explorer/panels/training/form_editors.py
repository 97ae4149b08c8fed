"""One editor for each kind of field of `RunConfig`. Where they stand and what they mean together is `form`."""

import math
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from explorer.look.check_box import CheckBox
from explorer.look.theme import GRID, body_font
from explorer.runs import IMAGENET, ConfigField, ConfigValue, Normalization, parse_normalization


class Editor(NamedTuple):
    """The editor of a field."""

    widget: QWidget
    show: Callable[[ConfigValue], None]
    """Shows a value; nothing is taken from it then."""


def make_editor(field: ConfigField, take: Callable[[ConfigValue], None], parent: QWidget) -> Editor:
    """The editor that fits a field.

    Args:
        take: receives what the user sets, as it was typed; it says what does not fit.
    """
    if field.name == "normalization":
        editor = _normalization(field, take, parent)
    elif field.kind == "choice":
        editor = _choice(field, take, parent)
    elif field.kind == "text":
        editor = _text(field, take, parent)
    elif field.kind == "flag":
        editor = _flag(field, take, parent)
    else:
        editor = _number_box(field, take, parent)
    widget = editor.widget
    widget.setFont(body_font())
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if field.kind != "flag":
        # The hint is for the largest number that fits, which nobody types.
        widget.setMinimumWidth(9 * GRID)
        # The styles' own heights differ by kind; side by side they are to be one.
        widget.setMinimumHeight(3 * GRID)
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    return editor


def _number_box(field: ConfigField, take: Callable[[ConfigValue], None], parent: QWidget) -> Editor:
    assert field.minimum is not None
    assert field.maximum is not None
    box: WholeBox | RealBox
    if field.kind == "int":
        box = WholeBox(parent)
        box.setRange(int(field.minimum), int(field.maximum))
        box.setSingleStep(int(field.step or 1))
        box.setGroupSeparatorShown(True)
        box.setValue(int(field.default))
    else:
        box = RealBox(parent)
        box.setRange(field.minimum, field.maximum)
        box.setValue(float(field.default))
        box.first_step = float(field.step or 0.0)
    # While a number is typed, its first digits are not yet it; the value comes with Enter or on leaving.
    box.setKeyboardTracking(False)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    box.valueChanged.connect(take)
    box.unfit.connect(take)

    def show(value: ConfigValue) -> None:
        with QSignalBlocker(box):
            if isinstance(box, RealBox):
                box.setValue(float(value))
            else:
                box.setValue(int(value))

    return Editor(box, show)


def _flag(field: ConfigField, take: Callable[[ConfigValue], None], parent: QWidget) -> Editor:
    box = CheckBox(parent.tr(field.title), parent)
    box.setChecked(bool(field.default))
    box.clicked.connect(take)

    def show(value: ConfigValue) -> None:
        box.setChecked(bool(value))

    return Editor(box, show)


def _text(field: ConfigField, take: Callable[[ConfigValue], None], parent: QWidget) -> Editor:
    line = QLineEdit(str(field.default), parent)
    line.editingFinished.connect(lambda: take(line.text()))

    def show(value: ConfigValue) -> None:
        line.setText(str(value))
        line.setCursorPosition(0)

    return Editor(line, show)


def _choice(field: ConfigField, take: Callable[[ConfigValue], None], parent: QWidget) -> Editor:
    menu = Menu(parent)
    menu.addItems(field.choices)
    menu.setCurrentText(str(field.default))
    if field.more_choices:
        menu.setEditable(True)
        menu.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        line = menu.lineEdit()
        assert line is not None
        menu.activated.connect(lambda _index: take(menu.currentText()))
        line.editingFinished.connect(lambda: take(menu.currentText()))
    else:
        menu.currentTextChanged.connect(take)

    def show(value: ConfigValue) -> None:
        with QSignalBlocker(menu):
            menu.setCurrentText(str(value))
            if (line := menu.lineEdit()) is not None:
                line.setCursorPosition(0)

    return Editor(menu, show)


def _normalization(field: ConfigField, take: Callable[[ConfigValue], None], parent: QWidget) -> Editor:
    menu = NormalizationMenu(str(field.default), parent)
    menu.activated.connect(lambda index: take(menu.itemData(index)))
    return Editor(menu, lambda value: menu.show_value(str(value)))


class Menu(QComboBox):
    """A menu that a wheel which scrolls the panel does not change by passing over it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class NormalizationMenu(Menu):
    """A menu of sentences; the value behind each is the field's."""

    def __init__(self, value: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = value
        self._known: Normalization | None = None
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._fill()

    def show_value(self, value: str) -> None:
        """Show a value of the field."""
        self._value = value
        self._fill()

    def set_known(self, known: Normalization | None) -> None:
        """Offer what the weights were trained with that the next run starts from; None where that is not known."""
        self._known = known
        self._fill()

    def _fill(self) -> None:
        """Without weights that know better, `auto` and `data` are the same, and one of them is enough."""
        known, value = self._known, self._value
        with QSignalBlocker(self):
            self.clear()
            if known is not None:
                self.addItem(self.tr("as the weights were trained: {0}").format(known.text), "auto")
            own = "data" if known is not None or value == "data" else "auto"
            self.addItem(self.tr("by this data set's own mean and standard deviation"), own)
            self.addItem(self.tr("as ImageNet: {0}").format(IMAGENET.text), "imagenet")
            if self.findData(value) < 0:
                self.addItem(self.tr("by {0}").format(parse_normalization(value).text), value)
            self.setCurrentIndex(self.findData(value))


class WholeBox(QSpinBox):
    """A whole number.

    Signals:
        unfit(int): a number outside the range was typed to the end; the box goes back to what it had.
    """

    unfit = Signal(object)

    def fixup(self, text: str) -> str:
        number = _number(text.replace(self.locale().groupSeparator(), ""))
        if number is not None and not self.minimum() <= number <= self.maximum():
            self.unfit.emit(int(number))
        return super().fixup(text)

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A wheel that scrolls the panel must not change a number that it happens to pass.
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class RealBox(QDoubleSpinBox):
    """A number over many orders of magnitude: shown with the digits it has, stepped in its own last digit.

    Signals:
        unfit(float): a number outside the range was typed to the end; the box goes back to what it had.
    """

    unfit = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(12)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)
        self.first_step = 0.0001
        """What a step adds to zero, which has no digit of its own."""

    def textFromValue(self, value: float) -> str:
        return f"{value:.6g}"

    def valueFromText(self, text: str) -> float:
        return _number(text) or 0.0

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        number = _number(text)
        if number is not None and self.minimum() <= number <= self.maximum():
            return QValidator.State.Acceptable, text, position
        possible = all(c in "0123456789.,eE+-" for c in text)
        return QValidator.State.Intermediate if possible else QValidator.State.Invalid, text, position

    def fixup(self, text: str) -> str:
        number = _number(text)
        if number is not None and not self.minimum() <= number <= self.maximum():
            self.unfit.emit(number)
        return super().fixup(text)

    def stepBy(self, steps: int) -> None:
        value = self.value()
        # 0.05 steps by 0.01 and 0.001 by 0.0001 below, 0.001 above: the step belongs to where the value goes.
        reached = value * (1 + 1e-9) if steps > 0 else value * (1 - 1e-9)
        step = 10.0 ** math.floor(math.log10(reached)) if value > 0 else self.first_step
        self.setValue(max(self.minimum(), float(f"{value + steps * step:.6g}")))
        self.selectAll()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _number(text: str) -> float | None:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
