"""An issue with its repairs, as issues panel and inspector show it: hovering a repair previews, a click applies."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from explorer.architecture import Architecture, ArchitectureError
from explorer.inference import Issue, Repair
from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel, RoleLabel, role_colour
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.session import Document

_STRIPE = 3


class FlowLayout(QLayout):
    """Widgets side by side, on as many lines as the width needs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._place(QRect(0, 0, width, 0), move=False)

    def minimumSize(self) -> QSize:
        return QSize(12 * GRID, max((item.minimumSize().height() for item in self._items), default=0))

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def _place(self, rect: QRect, *, move: bool) -> int:
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            if item.isEmpty():
                continue
            hint = item.sizeHint()
            width = min(hint.width(), rect.width())
            if x > rect.x() and x + width > rect.right() + 1:
                x, y, line = rect.x(), y + line + GRID // 2, 0
            if move:
                item.setGeometry(QRect(QPoint(x, y), QSize(width, hint.height())))
            x += width + GRID // 2
            line = max(line, hint.height())
        return y + line - rect.y()


class RepairButton(QPushButton):
    """One repair: one click, one step of the history. The preview lasts while the pointer is over it."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._repair: Repair | None = None
        self._node_id = ""
        self._is_previewing = False
        self.setFont(small_font())
        self.setFixedHeight(3 * GRID)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAutoDefault(False)
        self.clicked.connect(self._apply)

    def show_repair(self, node_id: str, repair: Repair) -> None:
        """Offer this repair."""
        self._node_id = node_id
        self._repair = repair
        if self.text() != repair.text:
            self.setText(repair.text)
            self.setAccessibleName(self.tr("Repair %s: %s") % (node_id, repair.text))
            self.setToolTip(self.tr("Point to preview, click to repair: %s") % repair.text)

    def _apply(self) -> None:
        repair = self._repair
        if repair is None:
            return
        self._is_previewing = False
        text = self.tr("Repair %s: %s") % (self._node_id, repair.text)
        new = _tried(repair.edit, self._document.architecture)
        if new is not None:
            self._document.finish_merge()
            self._document.apply(text, new)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        if self._repair is not None and _tried(self._repair.edit, self._document.architecture) is not None:
            self._is_previewing = True
            self._document.preview(self._repair.edit)

    def leaveEvent(self, event: object) -> None:
        self._end_preview()

    def hideEvent(self, event: QHideEvent) -> None:
        self._end_preview()
        super().hideEvent(event)

    def _end_preview(self) -> None:
        if self._is_previewing:
            self._is_previewing = False
            self._document.preview(None)


def _tried(edit: Callable[[Architecture], Architecture], architecture: Architecture) -> Architecture | None:
    """The edit's result; None where the network has changed so much that the edit makes none."""
    try:
        return edit(architecture)
    except (ArchitectureError, ValueError):
        return None


class IssueCard(QFrame):
    """An issue: how grave, where, what is wrong, and what would mend it.

    Signals:
        chosen(str): the user clicked it, or pressed Enter on it; the node's id.
    """

    chosen = Signal(str)

    def __init__(
        self, document: Document, themes: ThemeSource, *, shows_node: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._themes = themes
        self._issue: Issue | None = None
        self._shows_node = shows_node
        self._picture = QLabel(self)
        self._picture.setFixedSize(2 * GRID, 2 * GRID + 2)
        self._node = ElidedLabel(themes, font=body_font(bold=True), parent=self)
        self._node.setVisible(shows_node)
        self._message = RoleLabel(themes, font=body_font(), wraps=True, parent=self)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._repairs = QWidget(self)
        self._flow = FlowLayout(self._repairs)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._repairs.setSizePolicy(policy)
        self._buttons: list[RepairButton] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(_STRIPE + GRID, GRID, GRID, GRID)
        row.setSpacing(GRID)
        row.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(GRID // 2)
        column.addWidget(self._node)
        column.addWidget(self._message)
        column.addWidget(self._repairs)
        row.addLayout(column, 1)
        if shows_node:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self._repairs.setCursor(Qt.CursorShape.ArrowCursor)
        themes.changed.connect(self._redraw)

    @property
    def issue(self) -> Issue | None:
        """The issue that is shown."""
        return self._issue

    @property
    def message(self) -> str:
        """What it says is wrong."""
        return self._message.text()

    @property
    def buttons(self) -> list[RepairButton]:
        """The repairs that are offered."""
        return [] if self._issue is None else self._buttons[: len(self._issue.repairs)]

    def show_issue(self, issue: Issue) -> None:
        """Show this issue in place of the last one."""
        if issue is self._issue:
            return
        self._issue = issue
        self._node.show_text(issue.node_id)
        self._message.show_text(issue.message)
        self.setAccessibleName(issue.text)
        while len(self._buttons) < len(issue.repairs):
            button = RepairButton(self._document, self._repairs)
            self._flow.addWidget(button)
            self._buttons.append(button)
        for button, repair in zip(self._buttons, issue.repairs, strict=False):
            button.show_repair(issue.node_id, repair)
        for position, button in enumerate(self._buttons):
            button.setVisible(position < len(issue.repairs))
        self._repairs.setVisible(bool(issue.repairs))
        self._flow.invalidate()
        self._redraw()

    def _redraw(self) -> None:
        if self._issue is not None:
            colour = role_colour(self._issue.severity, self._themes.theme)
            self._picture.setPixmap(icon(self._issue.severity, self._themes.theme, colour).pixmap(2 * GRID, 2 * GRID))
            self._message.set_role("text" if self._shows_node else self._issue.severity)
        self.update()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.accent if self.hasFocus() else theme.border, 1))
        painter.setBrush(theme.panel)
        painter.drawRoundedRect(box, 4, 4)
        if self._issue is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(role_colour(self._issue.severity, theme))
            painter.drawRoundedRect(1, 1, _STRIPE, self.height() - 2, 1.5, 1.5)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self._choose()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self._choose()
        else:
            super().keyPressEvent(event)

    def _choose(self) -> None:
        if self._issue is not None and self._shows_node:
            self.chosen.emit(self._issue.node_id)
