"""A box to tick, in the look of the other buttons that stay down."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QCheckBox, QStyle, QStyleOptionButton, QStylePainter

_TICK = ((-3.5, 0.0), (-1.0, 2.5), (3.5, -2.5))
_DASH = ((-3.0, 0.0), (3.0, 0.0))
"""For some of several."""
_GAP = 2
"""Pixels between the text and the frame that says where the keyboard is."""
_MIDDLE_LEFT = int((Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter).value)


class CheckBox(QCheckBox):
    """Filled with the accent while ticked. Its colours are the palette's, which follows the theme."""

    def paintEvent(self, event: QPaintEvent) -> None:
        option = QStyleOptionButton()
        self.initStyleOption(option)
        style, parts = self.style(), QStyle.SubElement
        box = QRectF(style.subElementRect(parts.SE_CheckBoxIndicator, option, self))
        content = style.subElementRect(parts.SE_CheckBoxContents, option, self)
        painter = QStylePainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        has_keyboard = self.hasFocus() and bool(option.state & QStyle.StateFlag.State_KeyboardFocusChange)
        self._draw_box(painter, box, has_keyboard=has_keyboard)
        if has_keyboard and self.text():
            frame = QRectF(style.itemTextRect(self.fontMetrics(), content, _MIDDLE_LEFT, True, self.text()))
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame.adjusted(0.5 - _GAP, 0.5, _GAP - 0.5, -0.5), 3, 3)
        option.rect = content
        painter.drawControl(QStyle.ControlElement.CE_CheckBoxLabel, option)

    def _draw_box(self, painter: QPainter, box: QRectF, *, has_keyboard: bool) -> None:
        palette, roles = self.palette(), QPalette.ColorRole
        state = self.checkState()
        is_filled = state is not Qt.CheckState.Unchecked
        if not self.isEnabled():
            ground, border, sign = roles.Mid if is_filled else roles.Window, roles.Mid, roles.PlaceholderText
        elif is_filled:
            ground, border, sign = roles.Highlight, roles.Highlight, roles.HighlightedText
        else:
            ground, border, sign = roles.Base, roles.PlaceholderText, roles.Text
            if self.underMouse():
                border = roles.Highlight
        width = 1
        if has_keyboard and not is_filled:
            border, width = roles.Highlight, 2
        painter.setPen(QPen(palette.color(border), width))
        painter.setBrush(palette.color(ground))
        half = width / 2
        painter.drawRoundedRect(box.adjusted(half, half, -half, -half), 2, 2)
        if is_filled:
            if has_keyboard:
                painter.setPen(QPen(palette.color(sign), 1))
                painter.drawRect(box.adjusted(1.5, 1.5, -1.5, -1.5))
            shape = _TICK if state is Qt.CheckState.Checked else _DASH
            pen = QPen(palette.color(sign), 1.8)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF([box.center() + QPointF(x, y) for x, y in shape]))
