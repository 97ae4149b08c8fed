"""One row of the inspector's figures: a name, its share in the whole, the figure; it opens into its calculation.

What the figure is, and what stands under an open row, is `facts`' and the pages'.
"""

from PySide6.QtCore import QEasingCurve, QEvent, QPointF, QRect, QRectF, QSize, Qt, QVariantAnimation, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractButton, QMenu, QSizePolicy, QWidget

from explorer.look.labels import Role, role_colour
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.fold_heading import draw_chevron

PULSE_MS = 600
_CHEVRON = 2 * GRID
"""What the sign that a row opens takes at its left."""
_GAP = GRID
_SWATCH = GRID


class FactRow(QAbstractButton):
    """A figure that can be opened, by click, Enter, Space and the arrow keys.

    Signals:
        opened(bool): the user opened or closed it.
        copy_asked(): the user wants it as text.
        step_asked(int): the user wants the row that many below, by an arrow key.
    """

    opened = Signal(bool)
    copy_asked = Signal()
    step_asked = Signal(int)

    def __init__(self, themes: ThemeSource, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._name = name
        self._whole = self._short = self._share = ""
        self._role: Role = "text"
        self._swatch: float | None = None
        self._name_width = 0
        self._can_open = self._is_open = False
        self._extra: QWidget | None = None
        self._is_ringed = False
        self.setFont(body_font())
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        # A preview's two values may be wider than a narrow dock, which must not grow or scroll sideways for them.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._light = QVariantAnimation(self, startValue=0.6, endValue=0.0, duration=PULSE_MS)
        self._light.setEasingCurve(QEasingCurve.Type.InQuad)
        self._light.valueChanged.connect(self.update)
        self.clicked.connect(self._toggle)
        themes.changed.connect(self.update)

    @property
    def name(self) -> str:
        """What is written before the figure."""
        return self._name

    @property
    def whole(self) -> str:
        """The figure as it is where there is room."""
        return self._whole

    @property
    def share(self) -> str:
        """The part of the whole that it is, as text."""
        return self._share

    @property
    def role(self) -> Role:
        """The role of the figure's colour."""
        return self._role

    @property
    def can_open(self) -> bool:
        """Whether there is a calculation under it."""
        return self._can_open

    @property
    def is_open(self) -> bool:
        """Whether its calculation is shown."""
        return self._is_open

    def set_name(self, name: str) -> None:
        """Write something else before the figure."""
        if name != self._name:
            self._name = name
            self._describe()

    def set_name_width(self, width: int) -> None:
        """How much room all rows give their names, so that the shares stand under each other."""
        self._name_width = width
        self.update()

    def name_width(self) -> int:
        """The room that its own name needs."""
        return self.fontMetrics().horizontalAdvance(self._name)

    def set_swatch(self, strength: float | None) -> None:
        """Show the colour by which a bar shows this figure: the accent at this strength, 0 to 1."""
        self._swatch = strength
        self.update()

    def set_extra(self, widget: QWidget) -> None:
        """Put a control between name and figure."""
        widget.setParent(self)
        self._extra = widget
        self._place_extra()

    def show_figure(self, whole: str, short: str, share: str, role: Role) -> None:
        """Show `whole`, or `short` where there is no room for it."""
        if (whole, short, share, role) != (self._whole, self._short, self._share, self._role):
            self._whole, self._short, self._share, self._role = whole, short, share, role
            self._describe()

    def set_state(self, *, can_open: bool, is_open: bool) -> None:
        """Whether it opens, and is open."""
        if (can_open, is_open) != (self._can_open, self._is_open):
            self._can_open, self._is_open = can_open, is_open
            self.setCursor(Qt.CursorShape.PointingHandCursor if can_open else Qt.CursorShape.ArrowCursor)
            self._describe()

    def pulse(self) -> None:
        """Light up."""
        self._light.stop()
        self._light.start()

    def _describe(self) -> None:
        state = (self.tr(", open") if self._is_open else self.tr(", folded")) if self._can_open else ""
        self.setAccessibleName(f"{self._name}: {self._whole}{state}")
        self.update()

    def _toggle(self) -> None:
        if self._can_open:
            self.opened.emit(not self._is_open)

    def _room(self) -> QRect:
        left = _CHEVRON + (_SWATCH + _GAP if self._swatch is not None else 0)
        return self.rect().adjusted(left, 0, -GRID // 2, 0)

    def _place_extra(self) -> None:
        if self._extra is not None:
            size = self._extra.sizeHint()
            left = self._room().left() + self.name_width() + _GAP // 2
            self._extra.setGeometry(left, (self.height() - size.height()) // 2, size.width(), size.height())

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(24 * GRID, max(2 * GRID + GRID // 2, self.fontMetrics().height() + 2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_extra()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        self._is_ringed = True
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_asked.emit()
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self._toggle()
        elif key in {Qt.Key.Key_Right, Qt.Key.Key_Left} and self._can_open:
            if self._is_open == (key == Qt.Key.Key_Left):
                self._toggle()
        elif key in {Qt.Key.Key_Down, Qt.Key.Key_Up}:
            self.step_asked.emit(1 if key == Qt.Key.Key_Down else -1)
        else:
            # Not the button's own: its arrow keys leave the rows.
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.addAction(self.tr("Copy")).triggered.connect(self.copy_asked)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._is_ringed = event.reason() is not Qt.FocusReason.MouseFocusReason
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._can_open and self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.grid)
            painter.drawRoundedRect(self.rect(), 3, 3)
        if self.hasFocus() and self._is_ringed:
            painter.setPen(QPen(theme.accent, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
        if self._can_open:
            middle = QPointF(_CHEVRON / 2 - 2, self.height() / 2)
            draw_chevron(painter, theme, middle, is_open=self._is_open, is_lit=self.underMouse())
        room, metrics = self._room(), self.fontMetrics()
        centred = Qt.AlignmentFlag.AlignVCenter
        if self._swatch is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(swatch_colour(self._themes, self._swatch))
            top = (self.height() - _SWATCH) / 2
            painter.drawRoundedRect(QRectF(_CHEVRON, top, _SWATCH, _SWATCH), 2, 2)
        painter.setPen(theme.muted)
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | centred, self._name)
        figure = QRect(room)
        figure.setLeft(min(room.right(), room.left() + self.name_width() + _GAP + self._extra_width()))
        text = self._fitting(metrics, figure.width())
        width = metrics.horizontalAdvance(text)
        if self._light.state() == QVariantAnimation.State.Running:
            colour = QColor(theme.pulse)
            colour.setAlphaF(float(self._light.currentValue()))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawRoundedRect(figure.right() + 1 - width - 4, 1, width + 8, self.height() - 2, 3, 3)
        painter.setPen(role_colour(self._role, theme))
        painter.drawText(figure, Qt.AlignmentFlag.AlignRight | centred, text)
        self._paint_share(painter, room, figure.right() - width)

    def _paint_share(self, painter: QPainter, room: QRect, figure_left: int) -> None:
        font = small_font()
        metrics = QFontMetrics(font)
        column = metrics.horizontalAdvance("100.0\u2009%")
        right = room.left() + max(self._name_width, self.name_width()) + _GAP + column
        if self._share and right + _GAP <= figure_left:
            painter.setFont(font)
            painter.setPen(self._themes.theme.muted)
            box = QRect(right - column, 0, column, self.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._share)

    def _extra_width(self) -> int:
        return self._extra.width() + _GAP // 2 if self._extra is not None and not self._extra.isHidden() else 0

    def _fitting(self, metrics: QFontMetrics, width: int) -> str:
        for text in (self._whole, self._short):
            if metrics.horizontalAdvance(text) <= width:
                return text
        return metrics.elidedText(self._short, Qt.TextElideMode.ElideMiddle, width)


def swatch_colour(themes: ThemeSource, strength: float) -> QColor:
    """The accent, mixed with the panel's ground: one hue for the parts of one whole."""
    accent, ground = themes.theme.accent, themes.theme.window
    parts = [
        strength * a + (1 - strength) * b
        for a, b in zip(accent.getRgbF()[:3], ground.getRgbF()[:3], strict=True)  # type: ignore[index]
    ]
    return QColor.fromRgbF(*parts)
