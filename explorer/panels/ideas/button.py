"""A form of an idea as a button: whether the network has it, what it would do, why it cannot be."""

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.architecture import Architecture, Edit, EditRefused
from explorer.inference.ideas import Presence
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.preview_button import PreviewButton
from explorer.session import Document


class Offer(NamedTuple):
    """A change of the whole network that a button stands for."""

    text: str
    """What stands on the button."""
    step: str
    """What the Undo menu will say."""
    explanation: str
    paper: str
    edit: Edit
    """Raises EditRefused where it makes no sense."""


class OfferButton(PreviewButton):
    """Filled where the network has what it offers, outlined by dashes where a part of it does.

    Signals:
        pointed(OfferButton | None): pointer or keyboard came to it, or left it.
        moved(int): the user wants the neighbour, one to the left (−1) or to the right (1).
    """

    pointed = Signal(object)
    moved = Signal(int)

    def __init__(self, document: Document, themes: ThemeSource, offer: Offer, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self._themes = themes
        self._presence: Presence = "off"
        self._refusal = ""
        self.offer = offer
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_offer(offer)
        themes.changed.connect(self.update)

    @property
    def presence(self) -> Presence:
        """Whether the network has it."""
        return self._presence

    @property
    def refusal(self) -> str:
        """Why the network cannot have it; empty where it can."""
        return self._refusal

    def show_offer(self, offer: Offer) -> None:
        """Stand for this change."""
        self.offer = offer
        self.show_edit(offer.text, offer.step, offer.edit)
        self.setToolTip(self._refusal)

    def evaluate(self, architecture: Architecture, presence_of: Callable[[Architecture], Presence]) -> None:
        """Look whether this network has it, and try it; what comes out is kept for the click on this network."""
        edit, refusal = self.offer.edit, ""
        try:
            result = edit(architecture)
        except EditRefused as refused:
            refusal = str(refused)
        else:
            self.show_edit(self.offer.text, self.offer.step, lambda a: result if a is architecture else edit(a))
        self.show_state(presence_of(architecture), refusal)

    def show_state(self, presence: Presence, refusal: str) -> None:
        """Show whether the network has it, and why it cannot."""
        self._presence, self._refusal = presence, refusal
        self.setEnabled(not refusal)
        # What can be done is explained beside the list; a tooltip would only hide the rows below.
        self.setToolTip(refusal)
        state = {"on": self.tr("on"), "off": self.tr("off"), "mixed": self.tr("in a part of the network")}[presence]
        self.setAccessibleDescription(refusal or f"{state}. {self.offer.explanation} {self.offer.paper}")
        self.update()

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 2 * GRID, 3 * GRID)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.pointed.emit(self)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.pointed.emit(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.is_previewing:
            self.pointed.emit(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.underMouse():
            self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            self.moved.emit(1 if event.key() == Qt.Key.Key_Right else -1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        is_on, is_lit = self._presence == "on", self.hasFocus() or self.underMouse()
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        pen = QPen(theme.border if self.isEnabled() else theme.grid, 1)
        if self.isEnabled() and (is_on or self._presence == "mixed" or self.hasFocus()):
            pen.setColor(theme.accent)
        if self._presence == "mixed":
            pen.setStyle(Qt.PenStyle.DashLine)
        ground = theme.border if self.isDown() else theme.grid if is_lit else theme.panel
        if not self.isEnabled():
            ground = theme.window
        painter.setPen(pen)
        painter.setBrush(theme.accent if is_on and self.isEnabled() else ground)
        painter.drawRoundedRect(box, 3, 3)
        if is_on and self.hasFocus():
            painter.setPen(QPen(theme.accent_text, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(2, 2, -2, -2), 2, 2)
        painter.setPen(
            self.palette().buttonText().color()
            if not self.isEnabled()
            else theme.accent_text
            if is_on
            else theme.accent
            if self._presence == "mixed"
            else theme.text
        )
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
