"""A message inside a panel: what happened in one sentence, details on demand, dismissed when read."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from explorer.look.icons import icon
from explorer.look.labels import RoleLabel
from explorer.look.segments import Toggle
from explorer.look.theme import GRID, ThemeSource, mono_font


class MessageBar(QWidget):
    """Hidden until `show_message`."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._badge = QLabel(self)
        self.text = RoleLabel(themes, wraps=True, parent=self)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.offer_button = QPushButton(self)
        self.offer_button.clicked.connect(self._take_offer)
        self._take: Callable[[], object] | None = None
        self.details_button = Toggle(themes, self)
        self.details_button.setText(self.tr("Details"))
        self.copy_button = self._button(self.tr("Copy"))
        self.close_button = self._button("✕")
        self.close_button.setToolTip(self.tr("Dismiss"))
        self.close_button.setAccessibleName(self.tr("Dismiss"))
        self.details = QPlainTextEdit(self)
        self.details.setReadOnly(True)
        self.details.setFont(mono_font())
        self.details.setFixedHeight(15 * GRID)
        self.details_button.toggled.connect(self.details.setVisible)
        self.copy_button.clicked.connect(self._copy)
        self.close_button.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(self._badge)
        row.addWidget(self.text, 1)
        for button in (self.offer_button, self.details_button, self.copy_button, self.close_button):
            button.setMinimumHeight(3 * GRID + 2)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(GRID + 4, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addLayout(row)
        column.addWidget(self.details)
        self.hide()
        themes.changed.connect(self._recolour)

    def show_message(self, text: str, details: str = "", offer: tuple[str, Callable[[], object]] | None = None) -> None:
        """Show a failure; the details stay folded until asked for.

        Args:
            text: what happened.
            details: for a report.
            offer: what may help, as a button's text and what it does; the message goes then.
        """
        self.text.setText(text)
        self._take = None if offer is None else offer[1]
        self.offer_button.setText("" if offer is None else offer[0])
        self.offer_button.setVisible(offer is not None)
        self.details.setPlainText(details)
        self.details_button.setChecked(False)
        self.details_button.setVisible(bool(details))
        self.details.hide()
        self._recolour()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.border, 1))
        painter.setBrush(theme.panel)
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), 4, 4)
        painter.fillRect(0, 4, 4, self.height() - 8, theme.error)

    def _button(self, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setAutoRaise(True)
        return button

    def _take_offer(self) -> None:
        self.hide()
        if self._take is not None:
            self._take()

    def _copy(self) -> None:
        details = self.details.toPlainText()
        QGuiApplication.clipboard().setText(f"{self.text.text()}\n\n{details}" if details else self.text.text())

    def _recolour(self) -> None:
        if self.text.text():
            self._badge.setPixmap(icon("error", self._themes.theme, self._themes.theme.error).pixmap(20, 20))
            self.update()
