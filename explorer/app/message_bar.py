"""A line above the canvas that says what happened and offers what to do; it never blocks the window."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from explorer.look import icons, theme
from explorer.look.theme import Theme, ThemeSource

_NOTE_MS = 6_000


class MessageBar(QFrame):
    """Shows one message at a time; a note goes by itself, an error stays until it is dismissed."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._severity = "info"
        self.setObjectName("message-bar")
        self._icon = QLabel()
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(theme.GRID)
        self._dismiss = QToolButton()
        self._dismiss.setText("✕")
        self._dismiss.setAutoRaise(True)
        self._dismiss.setToolTip(self.tr("Dismiss"))
        self._dismiss.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.GRID, theme.GRID, theme.GRID, theme.GRID)
        row.setSpacing(theme.GRID)
        row.addWidget(self._icon)
        row.addWidget(self._text, 1)
        row.addLayout(self._actions)
        row.addWidget(self._dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.hide)
        themes.changed.connect(self._colour)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def note(self, text: str) -> None:
        """Say something that went well; it goes by itself."""
        self._show("info", text, ())
        self._timer.start(_NOTE_MS)

    def error(self, text: str, actions: Sequence[tuple[str, Callable[[], object]]] = ()) -> None:
        """Say what went wrong, and what may help."""
        self._show("error", text, actions)

    def ask(self, text: str, actions: Sequence[tuple[str, Callable[[], object]]]) -> None:
        """Offer something without insisting."""
        self._show("warning", text, actions)

    def _show(self, severity: str, text: str, actions: Sequence[tuple[str, Callable[[], object]]]) -> None:
        self._timer.stop()
        self._severity = severity
        self._text.setText(text)
        while (item := self._actions.takeAt(0)) is not None:
            if widget := item.widget():
                widget.deleteLater()
        for label, action in actions:
            button = QPushButton(label)
            button.clicked.connect(self.hide)
            button.clicked.connect(lambda _checked=False, act=action: act())
            self._actions.addWidget(button)
        self._colour(self._themes.theme)
        self.show()

    def _colour(self, shown: Theme) -> None:
        colour = {"info": shown.accent, "warning": shown.warning, "error": shown.error}[self._severity]
        self._icon.setPixmap(icons.icon(self._severity, shown, colour).pixmap(16, 16))
        self.setStyleSheet(
            f"#message-bar {{ background: {shown.card.name()}; border: none;"
            f" border-left: 4px solid {colour.name()}; border-bottom: 1px solid {shown.border.name()}; }}"
        )
