"""Calculations written out: the formula, the same with the values, the result, the source. Whose they are is Facts'."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QVBoxLayout, QWidget

from explorer.layers import Arithmetic
from explorer.look.labels import Role, RoleLabel
from explorer.look.numbers import exact
from explorer.look.theme import GRID, ThemeSource, mono_font, small_font

_BREAK = "\u200b"
"""Lets a narrow panel break a product after its dot; never copied."""


def written(line: Arithmetic) -> str:
    """A calculation as text: "parameters: k·k·in·out + out = 5·5·1·6 + 6 = 156 (torch.nn.Conv2d)"."""
    return f"{line.what}: {line.formula} = {line.values} = {exact(line.result)} ({line.source})"


class _Copyable(RoleLabel):
    """Text that can be selected by mouse and copied."""

    def __init__(self, themes: ThemeSource, *, role: Role, is_small: bool = False, parent: QWidget) -> None:
        super().__init__(themes, role=role, font=small_font() if is_small else mono_font(), wraps=True, parent=parent)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        # Reached by mouse; the keyboard copies the row above, calculation included.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.addAction(self.tr("Copy")).triggered.connect(self._copy)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText((self.selectedText() or self.text()).replace(_BREAK, ""))


class ArithmeticLine(QWidget):
    """One calculation. Its name stands above it where it is not the only one."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.what = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        self.formula = _Copyable(themes, role="muted", parent=self)
        self.values = _Copyable(themes, role="text", parent=self)
        self.result = _Copyable(themes, role="text", parent=self)
        self.source = _Copyable(themes, role="muted", is_small=True, parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        for label in (self.what, self.formula, self.values, self.result, self.source):
            column.addWidget(label)
        self.setSizePolicy(_height_for_width())

    def show_line(self, line: Arithmetic, *, is_named: bool) -> None:
        """Show this calculation."""
        result = exact(line.result)
        self.what.show_text(line.what)
        self.what.setVisible(is_named)
        self.formula.show_text(_breakable(line.formula))
        self.formula.setVisible(bool(line.formula))
        self.values.show_text(_breakable(f"= {line.values}"))
        self.result.show_text(f"= {result}")
        # A sum of one part is its own result.
        self.result.setVisible(line.values.replace(",", "") != result.replace(",", ""))
        self.source.show_text(line.source)


class ArithmeticView(QWidget):
    """The calculations behind one figure, set off from the rows around by a line at their left."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._lines: list[ArithmeticLine] = []
        self._count = 0
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(2 * GRID, GRID // 2, 0, GRID)
        self._column.setSpacing(GRID)
        self.setSizePolicy(_height_for_width())

    @property
    def lines(self) -> list[ArithmeticLine]:
        """The calculations that are shown."""
        return self._lines[: self._count]

    def apply(self, lines: Sequence[Arithmetic]) -> None:
        """Show these calculations."""
        self._count = len(lines)
        while len(self._lines) < len(lines):
            line = ArithmeticLine(self._themes, self)
            self._column.addWidget(line)
            self._lines.append(line)
        for widget, content in zip(self._lines, lines, strict=False):
            widget.show_line(content, is_named=len(lines) > 1)
        for position, widget in enumerate(self._lines):
            widget.setVisible(position < len(lines))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(GRID - 2, GRID // 2, 2, self.height() - GRID - GRID // 2, self._themes.theme.grid)


def _breakable(text: str) -> str:
    return text.replace("·", f"·{_BREAK}")


def _height_for_width() -> QSizePolicy:
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    return policy
