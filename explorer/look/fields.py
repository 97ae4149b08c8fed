"""Fields that leave out the middle of what they have no room for, since both ends tell it from others."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QPaintEvent
from PySide6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox, QStylePainter, QToolTip

_BESIDE_TEXT = 4
"""Pixels that a style keeps free within the field."""


class ElidedComboBox(QComboBox):
    """A list to choose from that leaves out the middle of a text that is too long for it; its tooltip has the whole."""

    @property
    def shown_text(self) -> str:
        """The current text as far as the field has room for it."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        room = field.width() - _BESIDE_TEXT
        return self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideMiddle, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        option.currentText = self.shown_text
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            whole = self.currentText()
            texts = (self.toolTip(),) if self.shown_text == whole else (whole, self.toolTip())
            QToolTip.showText(event.globalPos(), "\n".join(text for text in texts if text), self)
            return True
        return super().event(event)
