"""The issues panel: everything that keeps the network from running, or from meaning what it should, with repairs."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from explorer.inference import Issue
from explorer.look.icons import dress, icon
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.issues_card import IssueCard
from explorer.session import Document, Selection, Snapshot

_MOST_CARDS = 100
"""Nobody reads more at once, and cards are widgets."""


class IssueCards(QWidget):
    """Issues under each other. Cards are reused, so that one under the pointer stays.

    Signals:
        chosen(str): the id of the node whose issue was clicked.
    """

    chosen = Signal(str)

    def __init__(
        self, document: Document, themes: ThemeSource, *, shows_node: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._themes = themes
        self._shows_node = shows_node
        self._cards: list[IssueCard] = []
        self._count = 0
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GRID)

    @property
    def cards(self) -> list[IssueCard]:
        """The cards that are shown."""
        return self._cards[: self._count]

    def apply(self, issues: Sequence[Issue]) -> None:
        """Show these issues."""
        self._count = len(issues)
        while len(self._cards) < len(issues):
            card = IssueCard(self._document, self._themes, shows_node=self._shows_node, parent=self)
            card.chosen.connect(self.chosen)
            self._column.addWidget(card)
            self._cards.append(card)
        for card, issue in zip(self._cards, issues, strict=False):
            card.show_issue(issue)
        for position, card in enumerate(self._cards):
            card.setVisible(position < len(issues))
        self.setVisible(bool(issues))


class IssuesPanel(QScrollArea):
    """Lists the issues; a click on one selects its node.

    Signals:
        count_changed(int, int): how many errors and warnings there are now.
    """

    count_changed = Signal(int, int)

    def __init__(
        self, document: Document, selection: Selection, themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._themes = themes
        self._count = (0, 0)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        body.setBackgroundRole(QPalette.ColorRole.Window)
        column = QVBoxLayout(body)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        self.cards = IssueCards(document, themes, shows_node=True, parent=body)
        self.cards.chosen.connect(lambda node_id: selection.set((node_id,)))
        self._more = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=body)
        self._empty = QWidget(body)
        self._empty_picture = QLabel(self._empty)
        self._empty_text = RoleLabel(themes, role="muted", font=body_font(), parent=self._empty)
        row = QHBoxLayout(self._empty)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._empty_picture)
        row.addWidget(self._empty_text, 1)
        column.addWidget(self.cards)
        column.addWidget(self._more)
        column.addWidget(self._empty)
        column.addStretch(1)
        self.setWidget(body)
        document.changed.connect(self.apply)
        themes.changed.connect(self._redraw)
        self._redraw()
        self.apply(None, document.snapshot if document.is_open else None)

    @property
    def count(self) -> tuple[int, int]:
        """How many errors and warnings there are."""
        return self._count

    @property
    def empty_text(self) -> str:
        """What stands in place of issues; empty where there are some."""
        return "" if self._empty.isHidden() else self._empty_text.text()

    def apply(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """Show the issues of `new`; None where nothing is open."""
        issues = () if new is None else new.inference.issues
        # What stops the network comes first, each kind in the network's order.
        issues = tuple(sorted(issues, key=lambda issue: issue.severity != "error"))
        self.cards.apply(issues[:_MOST_CARDS])
        beyond = len(issues) - _MOST_CARDS
        self._more.show_text(self.tr("and %d more") % beyond if beyond > 0 else "")
        self._more.setVisible(beyond > 0)
        self._empty.setVisible(not issues)
        self._empty_picture.setVisible(new is not None)
        self._empty_text.show_text(
            self.tr("No network is open.") if new is None else self.tr("No issues: every layer fits.")
        )
        errors = sum(issue.severity == "error" for issue in issues)
        if (errors, len(issues) - errors) != self._count:
            self._count = (errors, len(issues) - errors)
            self.count_changed.emit(*self._count)

    def _redraw(self) -> None:
        dress(self, self._set_picture)

    def _set_picture(self) -> None:
        theme = self._themes.theme
        self._empty_picture.setPixmap(icon("good", theme, theme.good).pixmap(QSize(2 * GRID, 2 * GRID)))
