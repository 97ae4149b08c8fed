"""The editors for what is typed as a line: a text, and a row of whole numbers."""

import re
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QSize, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QKeySequence, QPalette, QWheelEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from explorer.layers import HyperParameter
from explorer.look.labels import RoleLabel
from explorer.look.numbers import UNKNOWN
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.values.base import ROW_HEIGHT, Mixed, ValueEditor
from explorer.panels.values.number import TYPING_PAUSE_MS

_TAKEN_BACK = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
_NUMBER = re.compile(r"[+-]?\d+")
_NOTCH = 120
"""Eighths of a degree of one notch of a wheel (Qt, QWheelEvent.angleDelta)."""

_words: dict[HyperParameter, tuple[str, ...]] = {}


def offer_words(parameter: HyperParameter, words: Sequence[str]) -> None:
    """Complete what is typed for a hyper-parameter from these words, in every editor from the next keystroke on."""
    _words[parameter] = tuple(words)


class LineField(QLineEdit):
    """A line that commits on Enter and on leaving, and takes back on Escape.

    Signals:
        committed(str): what was typed.
        left(): the focus went elsewhere.
    """

    committed = Signal(str)
    left = Signal()

    def __init__(self, themes: ThemeSource) -> None:
        super().__init__()
        self._themes = themes
        self._shown = ""
        self._given: str | None = None
        self._is_refused = False
        self.setFont(body_font())
        self.setPlaceholderText(UNKNOWN)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.returnPressed.connect(self.commit)
        themes.changed.connect(self._recolour)

    @property
    def is_typed(self) -> bool:
        """Whether it holds something that is not committed."""
        return self.text() != self._shown

    def is_showing(self, text: str) -> bool:
        """Whether this is the committed text."""
        return text == self._shown

    def show_text(self, text: str) -> None:
        """Show a committed text; what is being typed stays where it is the same as before."""
        if text == self._shown and self.is_typed:
            return
        self._shown, self._given = text, None
        if text != self.text():
            place = self.cursorPosition()
            self.setText(text)
            self.setCursorPosition(place if self.hasFocus() else 0)

    def take_back(self) -> None:
        """Show the committed text again."""
        if self.is_typed:
            self.setText(self._shown)
            self.textEdited.emit(self._shown)

    def commit(self) -> None:
        """Give what was typed away, once."""
        if self.is_typed and self.text() != self._given:
            self._given = self.text()
            self.committed.emit(self._given)

    def set_refused(self, refused: bool) -> None:
        """Show in the error's colour that this cannot be."""
        if refused != self._is_refused:
            self._is_refused = refused
            self._recolour()

    def _recolour(self) -> None:
        theme = self._themes.theme
        colours = QPalette()
        colours.setColor(QPalette.ColorRole.Text, QColor(theme.error if self._is_refused else theme.text))
        self.setPalette(colours)

    # Qt

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if not self.is_typed and any(event.matches(key) for key in _TAKEN_BACK):
                # With nothing half typed, Undo takes back the last edit of the network.
                event.ignore()
                return False
            if self.is_typed and event.key() == Qt.Key.Key_Escape:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.is_typed:
            self.take_back()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.commit()
            self.left.emit()

    def sizeHint(self) -> QSize:
        return QSize(12 * GRID, ROW_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(6 * GRID, ROW_HEIGHT)


class LineEditor(ValueEditor):
    """A line to type into, with room below for why it cannot be."""

    def __init__(
        self, parameter: HyperParameter, field: LineField, themes: ThemeSource, parent: QWidget | None
    ) -> None:
        super().__init__(parameter, themes, parent)
        self.field = field
        self.field.setParent(self)
        self.field.setAccessibleName(parameter.name)
        self.message = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        self.message.hide()
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self.field)
        column.addWidget(self.message)
        self._layout.addLayout(column, 1)
        self.setFocusProxy(self.field)

    def refuse(self, why: str) -> None:
        self.message.show_text(why)
        self.message.setVisible(bool(why))
        self.field.set_refused(bool(why))


class TextEditor(LineEditor):
    """TEXT: a line, completed where words are on offer. What is refused stays, marked, to be mended."""

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parameter, LineField(themes), themes, parent)
        self._offered = QStringListModel(self)
        completer = QCompleter(self._offered, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setMaxVisibleItems(10)
        popup = completer.popup()
        assert popup is not None
        popup.setFont(body_font())
        self.field.setCompleter(completer)
        self.field.textEdited.connect(self._typed)
        self.field.committed.connect(self._give)
        self.field.left.connect(self.left)
        completer.highlighted.connect(self._point_at)
        completer.activated.connect(lambda _word: self.field.commit())
        popup.installEventFilter(self)

    def show_value(self, value: object, arriving: object) -> None:
        text = "" if isinstance(value, Mixed) else str(value)
        if not self.field.is_typed or not self.field.is_showing(text):
            self.refuse("")
        self.field.show_text(text)

    def restart(self) -> None:
        self.field.take_back()
        self.refuse("")

    def _typed(self) -> None:
        self.refuse("")
        begun = self.field.text().casefold()
        # What begins as typed stands before what only contains it.
        words = sorted(_words.get(self.parameter, ()), key=lambda word: not word.casefold().startswith(begun))
        if words != self._offered.stringList():
            self._offered.setStringList(words)

    def _give(self, text: str) -> None:
        self.edited.emit(text)

    def _point_at(self, word: str) -> None:
        self.previewed.emit(word)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide:
            self.preview_ended.emit()
        return super().eventFilter(watched, event)


class IntegersEditor(LineEditor):
    """INTEGERS: a row of whole numbers, as "1, -1" or "0 2 3"; keys and wheel step the one at the cursor."""

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        field = _NumbersField(themes)
        super().__init__(parameter, field, themes, parent)
        self._value: tuple[int, ...] = ()
        self._given: tuple[int, ...] | None = None
        self._end_with_room()
        self._pause = QTimer(self, singleShot=True, interval=TYPING_PAUSE_MS)
        self._pause.timeout.connect(self._take_typed)
        field.textEdited.connect(self._typed)
        field.committed.connect(lambda _text: self._take_typed())
        field.stepped.connect(self._step)
        field.left.connect(self._leave)

    def show_value(self, value: object, arriving: object) -> None:
        if isinstance(value, Mixed):
            self._value = ()
            self.field.show_text("")
        elif isinstance(value, tuple):
            is_own = value == self._given and parsed(self.field.text()) == value
            if not is_own and (value != self._value or not self.field.is_typed):
                self.field.show_text(written(value))
                self.refuse("")
            self._value = value
        self._given = None

    def restart(self) -> None:
        self._pause.stop()
        self.field.take_back()
        self.refuse("")

    def _typed(self) -> None:
        if self._fault(self.field.text()) is None:
            self.refuse("")
        self._pause.start()

    def _take_typed(self) -> None:
        self._pause.stop()
        text = self.field.text()
        why = self._fault(text) if self.field.is_typed else None
        self.refuse(why or "")
        if why is None and self.field.is_typed and parsed(text) != self._value:
            self._give(parsed(text) or ())

    def _give(self, value: tuple[int, ...]) -> None:
        # The layer may refuse it; what it takes comes back by `show_value`, and then half-typed text stays as it is.
        self._given = value
        self.edited.emit(value)

    def _leave(self) -> None:
        self._take_typed()
        # What cannot be does not stay behind when the eye is elsewhere; what can is written as it is read.
        self.refuse("")
        self.field.take_back()
        self.field.show_text(written(self._value))
        self.left.emit()

    def _step(self, count: int) -> None:
        text, place = self.field.text(), self.field.cursorPosition()
        found = next((m for m in _NUMBER.finditer(text) if m.start() <= place <= m.end()), None)
        if found is None or self._fault(text) is not None:
            return
        number = int(found.group()) + count
        if self.parameter.minimum is not None:
            number = max(number, int(self.parameter.minimum))
        if self.parameter.maximum is not None:
            number = min(number, int(self.parameter.maximum))
        changed = f"{text[: found.start()]}{number}{text[found.end() :]}"
        value = parsed(changed)
        if value is None or value == parsed(text):
            return
        self._pause.stop()
        self.field.setText(changed)
        self.field.setCursorPosition(found.start() + len(str(number)))
        self.refuse("")
        if value != self._value:
            self._give(value)

    def _fault(self, text: str) -> str | None:
        """Why a text is no value, or None."""
        numbers = parsed(text)
        if numbers is None:
            return self.tr("Write whole numbers with commas or spaces between: 1, -1")
        try:
            self.parameter.check(numbers, "")
        except ValueError:
            fits = self.parameter.range_text()
            return self.tr("Use %s.") % fits
        return None


class _NumbersField(LineField):
    """A line of numbers.

    Signals:
        stepped(int): the number at the cursor should be as much more.
    """

    stepped = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_PageUp: 10, Qt.Key.Key_PageDown: -10}
        if count := steps.get(Qt.Key(event.key())):
            self.stepped.emit(count)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        count = int(event.angleDelta().y() / _NOTCH)
        if self.hasFocus() and count:
            self.stepped.emit(count)
            event.accept()
        else:
            event.ignore()


def parsed(text: str) -> tuple[int, ...] | None:
    """The whole numbers of a text, with commas or spaces between and brackets allowed about them; None if it has none.

    >>> parsed("1, -1"), parsed("[0 2 3]"), parsed("1, x")
    ((1, -1), (0, 2, 3), None)
    """
    inner = text.strip()
    if inner[:1] + inner[-1:] in {"()", "[]"}:
        inner = inner[1:-1]
    parts = inner.replace("−", "-").replace("×", " ").replace(",", " ").split()
    if not parts or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    return tuple(int(part) for part in parts)


def written(value: Sequence[int]) -> str:
    """Whole numbers as the field shows them: "1, -1"."""
    return ", ".join(str(number) for number in value)
