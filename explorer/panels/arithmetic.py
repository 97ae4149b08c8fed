"""A node's calculations written out: what the number is, its formula, the same with the values, the result."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer.layers import Arithmetic
from explorer.look.labels import RoleLabel
from explorer.look.numbers import exact_count
from explorer.look.theme import GRID, ThemeSource, body_font, mono_font

_BREAK = "\u200b"
"""Lets a narrow panel break a product after its dot."""


class ArithmeticLine(QWidget):
    """One calculation; its source is the tooltip."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.what = RoleLabel(themes, font=body_font(), parent=self)
        self.result = RoleLabel(themes, font=_figures(), parent=self)
        self.formula = RoleLabel(themes, role="muted", font=mono_font(), wraps=True, parent=self)
        self.values = RoleLabel(themes, font=mono_font(), wraps=True, parent=self)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.what, 1)
        head.addWidget(self.result)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self.formula)
        column.addWidget(self.values)

    def show_line(self, line: Arithmetic) -> None:
        """Show this calculation."""
        self.what.show_text(line.what)
        self.result.show_text(exact_count(line.result))
        self.formula.show_text(line.formula.replace("·", f"·{_BREAK}"))
        self.values.show_text(f"= {line.values}".replace("·", f"·{_BREAK}"))
        self.setToolTip(self.tr("Source: %s") % line.source)


class ArithmeticView(QWidget):
    """All calculations of a node."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._lines: list[ArithmeticLine] = []
        self._count = 0
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID + GRID // 2)

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
            widget.show_line(content)
        for position, widget in enumerate(self._lines):
            widget.setVisible(position < len(lines))


def _figures() -> QFont:
    font = mono_font()
    font.setWeight(QFont.Weight.DemiBold)
    return font
