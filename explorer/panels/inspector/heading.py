"""The heading over figures: opens or folds all calculations, and copies everything as text."""

from itertools import pairwise

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from explorer.look.icons import icon
from explorer.look.labels import section_label
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.inspector.facts import Facts


class FactsHeading(QWidget):
    """Stands over `Facts`."""

    def __init__(self, facts: Facts, themes: ThemeSource, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._facts = facts
        self._themes = themes
        self.all_button = QToolButton(self)
        self.all_button.setFont(small_font())
        self.all_button.setAutoRaise(True)
        self.all_button.setToolTip(self.tr("Each figure also opens by a click, or Enter"))
        self.all_button.clicked.connect(lambda: facts.set_all_open(not facts.is_all_open))
        self.copy_button = QToolButton(self)
        self.copy_button.setAutoRaise(True)
        self.copy_button.setToolTip(self.tr("Copy all figures with their calculations"))
        self.copy_button.setAccessibleName(self.tr("Copy all figures"))
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(facts.as_text()))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID // 2)
        row.addWidget(section_label(themes, title, self), 1)
        row.addWidget(self.all_button)
        row.addWidget(self.copy_button)
        for before, after in pairwise((self.all_button, self.copy_button, *facts.rows)):
            QWidget.setTabOrder(before, after)
        facts.opened_changed.connect(self._show_state)
        themes.changed.connect(self._redraw)
        self._show_state()
        self._redraw()

    def _show_state(self) -> None:
        all_open = self._facts.is_all_open and bool(self._facts.open_keys)
        self.all_button.setText(self.tr("Fold all") if all_open else self.tr("Show arithmetic"))

    def _redraw(self) -> None:
        self.copy_button.setIcon(icon("copy", self._themes.theme, self._themes.theme.muted))
