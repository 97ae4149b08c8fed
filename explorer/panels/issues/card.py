"""An issue with its repairs, as issues panel and inspector show it: hovering a repair previews, a click applies."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from explorer.inference import Issue, Repair
from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel, RoleLabel, role_colour
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.flow import flow_widget
from explorer.panels.preview_button import PreviewButton
from explorer.session import Document

_STRIPE = 3
_FIRST_REPAIRS = 3
"""The likeliest come first; more would hide the next issue."""


class RepairButton(PreviewButton):
    """One repair."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def show_repair(self, node_id: str, repair: Repair) -> None:
        """Offer this repair."""
        self.show_edit(repair.text, self.tr("Repair %s: %s") % (node_id, repair.text), repair.edit)


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
        self._repairs, self._flow = flow_widget(self)
        self._buttons: list[RepairButton] = []
        self._shows_all = False
        self.more = QToolButton(self._repairs)
        self.more.setFont(small_font())
        self.more.setAutoRaise(True)
        self.more.setFixedHeight(3 * GRID)
        self.more.clicked.connect(self._toggle_more)
        self._flow.addWidget(self.more)
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
        """The repairs that are offered; of many, the first until more are asked for."""
        return self._buttons[: self._num_shown]

    def show_issue(self, issue: Issue) -> None:
        """Show this issue in place of the last one."""
        if issue is self._issue:
            return
        self._issue = issue
        self._node.show_text(issue.node_id)
        self._message.show_text(issue.message)
        self.setAccessibleName(issue.text)
        self._shows_all = False
        self._show_repairs()
        self._redraw()

    @property
    def _num_shown(self) -> int:
        count = 0 if self._issue is None else len(self._issue.repairs)
        # One more button takes no more room than the word that would stand for it.
        return count if self._shows_all or count <= _FIRST_REPAIRS + 1 else _FIRST_REPAIRS

    def _show_repairs(self) -> None:
        assert self._issue is not None
        repairs = self._issue.repairs[: self._num_shown]
        self._flow.removeWidget(self.more)
        while len(self._buttons) < len(repairs):
            button = RepairButton(self._document, self._repairs)
            QWidget.setTabOrder(button, self.more)
            self._flow.addWidget(button)
            self._buttons.append(button)
        self._flow.addWidget(self.more)
        for button, repair in zip(self._buttons, repairs, strict=False):
            button.show_repair(self._issue.node_id, repair)
        for position, button in enumerate(self._buttons):
            button.setVisible(position < len(repairs))
        beyond = len(self._issue.repairs) - _FIRST_REPAIRS
        self.more.setVisible(beyond > 1)
        self.more.setText(self.tr("Fewer") if self._shows_all else self.tr("%d more") % beyond)
        self._repairs.setVisible(bool(repairs))
        self._flow.invalidate()
        self._repairs.updateGeometry()

    def _toggle_more(self) -> None:
        self._shows_all = not self._shows_all
        self._show_repairs()

    def _redraw(self) -> None:
        if self._issue is not None:
            colour = role_colour(self._issue.severity, self._themes.theme)
            self._picture.setPixmap(icon(self._issue.severity, self._themes.theme, colour).pixmap(2 * GRID, 2 * GRID))
            is_note = self._issue.severity == "note"
            self._message.set_role("text" if self._shows_node and not is_note else self._issue.severity)
        self.update()

    # Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        is_note = self._issue is not None and self._issue.severity == "note"
        painter.setPen(QPen(theme.accent if self.hasFocus() else theme.grid if is_note else theme.border, 1))
        # A note lies on the panel's own ground, quieter than what has to be mended.
        painter.setBrush(Qt.BrushStyle.NoBrush if is_note else theme.panel)
        painter.drawRoundedRect(box, 4, 4)
        if self._issue is not None and not is_note:
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
