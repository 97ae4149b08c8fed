"""The dialog that asks for a family's or a block's parameters and says, while one chooses, what they come to."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QSizePolicy, QVBoxLayout, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font, title_font
from explorer.panels.parameters.form import ParameterForm
from explorer.zoo import FamilyParameter, Value

_WIDTH = 64 * GRID
_PAUSE_MS = 60
"""Typing "1000" counts the network once, not four times."""


class Outcome(NamedTuple):
    """What the values come to, in words."""

    text: str
    is_possible: bool = True
    """Whether they can be had at all."""
    issue: str = ""
    """The first thing that is wrong with the result, though it can be had."""


Describe = Callable[[Mapping[str, Value]], Outcome]


class ParameterDialog(QDialog):
    """Title, idea, form, outcome, and one button that does it.

    Signals:
        chosen(dict[str, Value]): the user wants these values.
    """

    chosen = Signal(object)

    def __init__(
        self,
        title: str,
        idea: str,
        parameters: tuple[FamilyParameter, ...],
        describe: Describe,
        themes: ThemeSource,
        *,
        button: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._describe = describe
        self.setWindowTitle(title)
        self.setMinimumWidth(_WIDTH)
        heading = RoleLabel(themes, font=title_font(), parent=self)
        heading.setText(title)
        about = RoleLabel(themes, role="muted", wraps=True, parent=self)
        about.setText(idea)
        self.form = ParameterForm(parameters, themes, self)
        self.totals = RoleLabel(themes, font=body_font(bold=True), wraps=True, parent=self)
        self.issue = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        # Room for two lines is kept, so that nothing jumps while one types.
        self.issue.setMinimumHeight(2 * self.issue.fontMetrics().lineSpacing())
        self.issue.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.MinimumExpanding)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, parent=self)
        self.accept_button = buttons.addButton(button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.accept_button.setDefault(True)
        for each in buttons.buttons():
            each.setIcon(QIcon())  # the style's own icons do not follow the theme
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[3 * GRID] * 4)
        column.setSpacing(GRID)
        column.addWidget(heading)
        column.addWidget(about)
        column.addSpacing(GRID)
        column.addWidget(self.form)
        column.addSpacing(2 * GRID)
        column.addWidget(self.totals)
        column.addWidget(self.issue, 1)
        column.addWidget(buttons)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._show_outcome)
        self.form.changed.connect(self._pause.start)
        self._show_outcome()
        self.resize(_WIDTH, column.totalHeightForWidth(_WIDTH))

    def accept(self) -> None:
        """Take the values, if they can be had; what was just typed counts."""
        self._show_outcome()
        if self.accept_button.isEnabled():
            super().accept()
            self.chosen.emit(self.form.values())

    def _show_outcome(self) -> None:
        self._pause.stop()
        outcome = self._describe(self.form.values())
        self.accept_button.setEnabled(outcome.is_possible)
        self.totals.show_text(outcome.text if outcome.is_possible else "")
        self.issue.show_text(outcome.issue if outcome.is_possible else outcome.text)
