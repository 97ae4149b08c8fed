"""Text in one of the theme's roles, which follows the theme by itself. Sizes and weights are `theme`'s."""

from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPalette, QShowEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from explorer.look.theme import Theme, ThemeSource, body_font, small_font

Role = Literal["text", "muted", "error", "warning", "note", "accent"]


def role_colour(role: Role, theme: Theme) -> QColor:
    """The colour of text in that role."""
    colours = {
        "text": theme.text,
        "muted": theme.muted,
        "error": theme.error,
        "warning": theme.warning,
        "note": theme.muted,
        "accent": theme.accent,
    }
    return colours[role]


class RoleLabel(QLabel):
    """A label whose colour is a role of the theme."""

    def __init__(
        self,
        themes: ThemeSource,
        *,
        role: Role = "text",
        font: QFont | None = None,
        wraps: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._themes = themes
        self._role: Role = role
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(font or body_font())
        self.setWordWrap(wraps)
        if wraps:
            # A wrapped label asks for the height that its width needs, and may be as narrow as its dock.
            policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
            policy.setHeightForWidth(True)
            self.setSizePolicy(policy)
        themes.changed.connect(self._recolour)
        self._recolour()

    def set_role(self, role: Role) -> None:
        """Take another role's colour."""
        if role != self._role:
            self._role = role
            self._recolour()

    def show_text(self, text: str) -> None:
        """Show `text`; nothing is laid out again where it has not changed."""
        if text != self.text():
            self.setText(text)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # A window's style sheet may have put back what the palette was when the label was made.
        self._recolour()

    def _recolour(self) -> None:
        colours = QPalette()
        colours.setColor(QPalette.ColorRole.WindowText, role_colour(self._role, self._themes.theme))
        self.setPalette(colours)


class ElidedLabel(RoleLabel):
    """One line of text that shortens itself to its width; the whole is its tooltip then."""

    def __init__(
        self,
        themes: ThemeSource,
        *,
        role: Role = "text",
        font: QFont | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(themes, role=role, font=font, parent=parent)
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @property
    def whole(self) -> str:
        """The text before it is shortened."""
        return self._whole

    def show_text(self, text: str) -> None:
        self._whole = text
        self._fit()

    def resizeEvent(self, event: object) -> None:
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(0, self.width()))
        if shown != self.text():
            self.setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


def section_label(themes: ThemeSource, text: str, parent: QWidget | None = None) -> RoleLabel:
    """The heading of a part of a panel."""
    font = small_font()
    font.setWeight(QFont.Weight.DemiBold)
    label = RoleLabel(themes, role="muted", font=font, parent=parent)
    label.setText(text)
    return label
