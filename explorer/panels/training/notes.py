"""What is said of a run, in a room of two lines: what does not fit is behind a button, so that nothing below moves."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QResizeEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QFrame, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font

_NUM_LINES = 2
_SLACK = 2
"""Pixels of the room beyond its lines."""
_WIDEST = 60 * GRID
"""Pixels of a line where all is shown."""
_NARROWEST = 16 * GRID
"""Pixels in which words can be read; with less, what is said is only counted."""


class NotesLine(QWidget):
    """Notes, the most important first. A warning or an error stands above them, and has the room first."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notes: tuple[str, ...] = ()
        self._urgent = ""
        self.urgent = RoleLabel(themes, role="warning", font=small_font(), parent=self)
        self.lines = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.more_button = QToolButton(self)
        self.more_button.setFont(small_font())
        self.more_button.setAutoRaise(True)
        self.more_button.setAccessibleDescription(self.tr("Show all that is said of this run"))
        self.more_button.clicked.connect(self.show_all)
        self.popup = _Popup(themes, self)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._fit()

    def text(self) -> str:
        """All that is said, in view or not."""
        return "\n".join((self._urgent, *self._notes) if self._urgent else self._notes)

    def show_notes(self, notes: Sequence[str], urgent: str = "", role: Literal["warning", "error"] = "warning") -> None:
        """Show these instead of what was shown.

        Args:
            notes: the most important first.
            urgent: what has to be read at once, a paragraph a line; empty for nothing.
            role: of what is urgent.
        """
        self.urgent.set_role(role)
        if tuple(notes) == self._notes and urgent == self._urgent:
            return
        self._notes = tuple(notes)
        self._urgent = urgent
        self._fit()

    def show_all(self) -> None:
        """Pop up all that is said, above this."""
        self.popup.open_at(self.mapToGlobal(QPoint(self.width(), 0)))

    def sizeHint(self) -> QSize:
        return QSize(40 * GRID, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        width = self.width()
        fitted = self._fitted(width)
        if not fitted.is_whole:
            # As wide as it may get, so that the lines keep their breaks as notes come.
            self.more_button.setText(self.tr("{0} more").format(99))
            button = self.more_button.sizeHint().width()
            width = max(0, width - button - GRID // 2)
            fitted = self._fitted(width)
            self.more_button.setText(
                self.tr("{0} more").format(fitted.num_more) if fitted.num_more else self.tr("more")
            )
        text = self.text()
        spacing = self.lines.fontMetrics().lineSpacing()
        height = _NUM_LINES * spacing + _SLACK
        # What is not urgent may have all of the room.
        top = height if fitted.urgent and not fitted.lines else len(fitted.urgent) * spacing
        self.urgent.show_text("\n".join(fitted.urgent))
        self.urgent.setVisible(bool(fitted.urgent))
        self.urgent.setGeometry(0, 0, width, top)
        self.urgent.setAccessibleName(self._urgent)
        self.lines.show_text("\n".join(fitted.lines))
        self.lines.setGeometry(0, top, width, height - top)
        self.lines.setVisible(bool(fitted.lines))
        self.lines.setAccessibleName("\n".join(self._notes))
        self.more_button.setVisible(not fitted.is_whole)
        self.more_button.setGeometry(width + GRID // 2, 0, self.width() - width - GRID // 2, height)
        self.setToolTip("" if fitted.is_whole else text)
        self.setFixedHeight(height)
        self.popup.show_text(text)

    def _fitted(self, width: int) -> "_Fitted":
        metrics, num_lines = self.lines.fontMetrics(), _NUM_LINES if width >= _NARROWEST else 0
        urgent = self._urgent.splitlines()
        shown: list[list[str]] = []
        is_whole = True
        for text in (*urgent, *self._notes):
            room = num_lines - sum(len(lines) for lines in shown)
            lines = _wrapped(text, self.lines.font(), width)
            if len(lines) > room:
                is_whole = False
                if room:
                    shown.append([*lines[: room - 1], _elided(" ".join(lines[room - 1 :]), metrics, width)])
                break
            shown.append(lines)
        return _Fitted(
            urgent=tuple(line for lines in shown[: len(urgent)] for line in lines),
            lines=tuple(line for lines in shown[len(urgent) :] for line in lines),
            num_more=len(urgent) + len(self._notes) - len(shown),
            is_whole=is_whole,
        )


class _Fitted(NamedTuple):
    """What there is room for."""

    urgent: tuple[str, ...]
    lines: tuple[str, ...]
    num_more: int
    """How many warnings and notes are not in view, not even their beginning."""
    is_whole: bool
    """Whether nothing is left out."""


class _Popup(QFrame):
    """All that is said; closes at a click elsewhere, and with Esc."""

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.label = RoleLabel(themes, font=small_font(), wraps=True, parent=self)
        self.label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID + 4, GRID, GRID + 4, GRID)
        column.addWidget(self.label)

    def show_text(self, text: str) -> None:
        """Show all of `text`, a paragraph a line."""
        self.label.show_text(text.replace("\n", "\n\n"))

    def open_at(self, corner: QPoint) -> None:
        """Show it with its lower right corner there, as far as the screen allows."""
        screen = self.screen().availableGeometry()
        widest = max(self.fontMetrics().horizontalAdvance(line) for line in self.label.text().splitlines() or [""])
        width = min(_WIDEST, widest + 2 * GRID)
        self.label.setFixedSize(width, self.label.heightForWidth(width))
        self.adjustSize()
        left = min(corner.x(), screen.right()) - self.width()
        self.move(max(screen.left(), left), max(screen.top(), corner.y() - self.height()))
        self.show()
        self.label.setFocus()


def width_for(text: str, font: QFont, num_lines: int) -> int:
    """The least pixels in which a text takes no more lines than that, or few more."""
    width = QFontMetrics(font).horizontalAdvance(text) // num_lines
    while len(_wrapped(text, font, width)) > num_lines:
        width += GRID // 2
    return width


def _wrapped(text: str, font: QFont, width: int) -> list[str]:
    """The lines that a text takes."""
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    lines = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(max(1, width))
        lines.append(text[line.textStart() : line.textStart() + line.textLength()].rstrip())
    layout.endLayout()
    return lines


def _elided(text: str, metrics: QFontMetrics, width: int) -> str:
    """The text's beginning, so that one sees that it goes on."""
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, width))
