"""The box for one number that every editor uses: calm under typing, wheel and arrow keys, blank where values differ."""

import math
import re

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSizePolicy, QWidget

from explorer.layers import HyperParameter, Kind
from explorer.look.numbers import UNKNOWN
from explorer.look.theme import GRID, body_font
from explorer.look.undo import leave_undo_to_window
from explorer.look.values import is_magnitude, moved_real

TYPING_PAUSE_MS = 300
"""A typed value takes effect when the user rests this long, on Enter, and on leaving the box."""

_UNBOUNDED = 1e9
_DECIMALS = 12
_BEGINNING = re.compile(r"[+-]?\d*\.?\d*([eE][+-]?\d*)?")


class NumberBox(QDoubleSpinBox):
    """A spin box for whole or real numbers.

    Arrow keys, steppers and the wheel (only with the focus, so that scrolling a form changes nothing) act at once.
    Real numbers are written as Python writes them: 1e-05, not 0.00001000; those of magnitude step by 1, 2, 5, 10.

    Signals:
        edited(int | float): the user chose this value; never emitted by `show_number`.
        left(): the focus went elsewhere.
    """

    edited = Signal(object)
    left = Signal()

    def __init__(self, parameter: HyperParameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parameter = parameter
        self._is_whole = parameter.kind is not Kind.REAL
        self._is_blank = False
        self._typed_into_blank = False
        self.setFont(body_font())
        self.setDecimals(0 if self._is_whole else _DECIMALS)
        self.setRange(
            -_UNBOUNDED if parameter.minimum is None else parameter.minimum,
            _UNBOUNDED if parameter.maximum is None else parameter.maximum,
        )
        self.setSingleStep(parameter.step)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        # Spin boxes refuse to be narrower than their hint; a narrow dock needs them to be.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setKeyboardTracking(False)
        self.setAccelerated(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToNearestValue)
        self.lineEdit().setPlaceholderText(UNKNOWN)
        # Fusion gives the focus to a spin box under the wheel only through its line edit.
        self.lineEdit().installEventFilter(self)
        leave_undo_to_window(self)
        self._pause = QTimer(self, singleShot=True, interval=TYPING_PAUSE_MS)
        self._pause.timeout.connect(self._take_typed)
        self.lineEdit().textEdited.connect(self._typed)
        self.editingFinished.connect(self._take_typed)
        self.valueChanged.connect(self._report)

    @property
    def number(self) -> int | float:
        """The value, whole if the hyper-parameter is."""
        return round(self.value()) if self._is_whole else self.value()

    @property
    def is_blank(self) -> bool:
        """Whether it stands for values that differ."""
        return self._is_blank

    def show_number(self, number: float) -> None:
        """Show a value; half-typed text and the cursor stay where it is the same."""
        if number == self.value() and not self._is_blank:
            return
        self._is_blank = False
        self._set_quietly(number)

    def show_blank(self, number: float) -> None:
        """Show that values differ; steps start at `number`."""
        if self._is_blank and number == self.value():
            return
        self._is_blank = True
        self._set_quietly(number)

    def forget_typed(self) -> None:
        """Drop half-typed text, for the box now stands for something else."""
        self._pause.stop()
        self._typed_into_blank = False
        self.lineEdit().setText(self.textFromValue(self.value()))

    def _set_quietly(self, number: float) -> None:
        self._pause.stop()
        self._typed_into_blank = False
        self.blockSignals(True)
        self.setValue(number)
        self.blockSignals(False)
        # setValue leaves the text alone where the number was the same and only the blank ends or begins.
        text = self.textFromValue(self.value())
        if self.lineEdit().text() != text:
            self.lineEdit().setText(text)

    def _typed(self) -> None:
        if self._is_blank:
            self._is_blank = False
            self._typed_into_blank = True
        self._pause.start()

    def _take_typed(self) -> None:
        self._pause.stop()
        if not self._typed_into_blank:
            if self.lineEdit().hasAcceptableInput():
                self.interpretText()
            return
        self._typed_into_blank = False
        if self.lineEdit().hasAcceptableInput():
            before = self.value()
            self.interpretText()
            if self.value() == before:
                self.edited.emit(self.number)
        else:
            self.show_blank(self.value())

    def _report(self) -> None:
        self._is_blank = False
        self.edited.emit(self.number)

    # Qt

    def textFromValue(self, value: float) -> str:
        if self._is_blank:
            return ""
        return str(round(value)) if self._is_whole else repr(value + 0.0).removesuffix(".0")

    def valueFromText(self, text: str) -> float:
        number = _parsed(text)
        return self.value() if number is None else number

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        if self._is_whole and not re.fullmatch(r"[+-]?[\d,]*", text):
            return QValidator.State.Invalid, text, position
        number = _parsed(text)
        if number is not None and self.minimum() <= number <= self.maximum():
            return QValidator.State.Acceptable, text, position
        if number is not None or _BEGINNING.fullmatch(text):
            return QValidator.State.Intermediate, text, position
        return QValidator.State.Invalid, text, position

    def fixup(self, text: str) -> str:
        number = _parsed(text)
        if number is None:
            return self.textFromValue(self.value())
        return self.textFromValue(min(max(number, self.minimum()), self.maximum()))

    def stepBy(self, steps: int) -> None:
        if self._is_blank:
            self._is_blank = False
            self.lineEdit().setText(self.textFromValue(self.value()))
        else:
            self._take_typed()
        if is_magnitude(self._parameter):
            self.setValue(moved_real(self._parameter, self.value(), steps))
            self.lineEdit().selectAll()
        else:
            super().stepBy(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and not self.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("000000") + 4 * GRID, 3 * GRID + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("000") + 3 * GRID, 3 * GRID + 2)


def _parsed(text: str) -> float | None:
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
