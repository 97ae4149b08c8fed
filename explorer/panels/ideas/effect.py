"""What the idea under the pointer is, and what it does to the network's numbers: before, after, and the change.

Memory is under the conditions in force, as in the bar above, and comes from `estimates`.
"""

from typing import NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.estimates import Estimates
from explorer.session import Snapshot

_TEXT_LINES = 3
_PAPER_LINES = 2


class Figure(NamedTuple):
    """One number before and after, as text."""

    before: str
    after: str
    change: str
    """With its sign; empty where nothing changes."""


class EffectPane(QWidget):
    """Stands still while the pointer runs over the list: every text has its room, whether it is there or not."""

    def __init__(self, estimates: Estimates, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._estimates = estimates
        self._themes = themes
        self.title = ElidedLabel(themes, font=body_font(bold=True), parent=self)
        self.explanation = RoleLabel(themes, font=small_font(), wraps=True, parent=self)
        self.paper = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        line = QFontMetrics(small_font()).lineSpacing()
        for label, count in ((self.explanation, _TEXT_LINES), (self.paper, _PAPER_LINES)):
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            label.setFixedHeight(count * line + GRID // 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        column.setSpacing(GRID // 2)
        for widget in (self.title, self.explanation, self.paper):
            column.addWidget(widget)
        grid = QGridLayout()
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(1, 1)
        self._rows: dict[str, tuple[RoleLabel, RoleLabel]] = {}
        names = {
            "parameters": self.tr("Parameters"),
            "macs": self.tr("MACs"),
            "memory": self.tr("Training"),
        }
        for row, (key, name) in enumerate(names.items()):
            label, figure, change = (
                RoleLabel(themes, role="muted" if column == 0 else "text", font=small_font(), parent=self)
                for column in range(3)
            )
            label.setText(name)
            for column_index, widget in enumerate((label, figure, change)):
                side = Qt.AlignmentFlag.AlignLeft if column_index == 0 else Qt.AlignmentFlag.AlignRight
                grid.addWidget(widget, row, column_index, side)
            self._rows[key] = (figure, change)
        column.addLayout(grid)
        self.figures: dict[str, Figure] = {}
        self.explain("", "", "")

    def explain(self, title: str, explanation: str, paper: str, *, is_refusal: bool = False) -> None:
        """Say what is under the pointer; nothing for an empty title."""
        self.title.show_text(title or self.tr("The network as it is"))
        self.explanation.set_role("error" if is_refusal else "text" if title else "muted")
        self.explanation.show_text(explanation or self.tr("Point at a form to see what it changes; click to apply it."))
        self.paper.show_text(paper)

    def apply(self, now: Snapshot | None, preview: Snapshot | None) -> None:
        """Show the numbers of `now`, and how `preview` changes them."""
        self.figures = {} if now is None else self._worked_out(now, preview or now)
        for key, (label, change) in self._rows.items():
            figure = self.figures.get(key)
            if figure is None:
                label.show_text(numbers.UNKNOWN)
                change.show_text("")
                continue
            differs = bool(figure.change)
            label.show_text(f"{figure.before} {numbers.ARROW} {figure.after}" if differs else figure.before)
            change.show_text(figure.change)
            change.set_role("accent" if differs else "text")

    def _worked_out(self, now: Snapshot, then: Snapshot) -> dict[str, Figure]:
        first, second = now.inference.totals, then.inference.totals
        amounts = {
            "parameters": (first.num_parameters, second.num_parameters),
            "macs": (first.macs, second.macs),
            "memory": tuple(self._estimates.memory(snapshot).training_bytes for snapshot in (now, then)),
        }
        figures: dict[str, Figure] = {}
        for key, (before, after) in amounts.items():
            write = numbers.short_bytes if key == "memory" else numbers.short_count
            difference = after - before
            change = numbers.signed(difference, write(abs(difference))) if difference else ""
            figures[key] = Figure(write(before), write(after), change)
        return figures

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(0, 0, self.width(), 1, self._themes.theme.border)
