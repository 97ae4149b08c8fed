"""The issues panel: everything that keeps the network from running, or from meaning what it should, with repairs."""

from collections.abc import Iterable, Sequence
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from explorer.inference import Issue
from explorer.look.icons import icon
from explorer.look.labels import RoleLabel, role_colour
from explorer.look.numbers import exact_count
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.fold_heading import FoldHeading
from explorer.panels.issues.card import IssueCard
from explorer.panels.scroll_body import ScrollBody
from explorer.session import Document, Selection, Snapshot
from explorer.session.places import settings

Severity = Literal["error", "warning", "note"]

_FOLDED = "issues/folded"
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


class IssueSection(QWidget):
    """The issues of one severity under a heading that folds them; gone where there are none.

    Signals:
        chosen(str): the id of the node whose issue was clicked.
        folded(bool): the user folded or opened it.
    """

    chosen = Signal(str)
    folded = Signal(bool)

    def __init__(
        self, document: Document, themes: ThemeSource, severity: Severity, title: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._themes = themes
        self._severity: Severity = severity
        self._issues: tuple[Issue, ...] = ()
        self.heading = FoldHeading(themes, title, self)
        self.heading.clicked.connect(self._fold)
        self.cards = IssueCards(document, themes, shows_node=True, parent=self)
        self.cards.chosen.connect(self.chosen)
        self._more = RoleLabel(themes, role="muted", font=body_font(), wraps=True, parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addWidget(self.heading, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.cards)
        column.addWidget(self._more)
        themes.changed.connect(self._redraw)

    @property
    def is_open(self) -> bool:
        """Whether its issues are shown."""
        return self.heading.isChecked()

    def set_open(self, opened: bool) -> None:
        """Show or fold its issues."""
        self.heading.setChecked(opened)
        self._show()

    def apply(self, issues: Iterable[Issue]) -> None:
        """Show those of these issues that are of its severity."""
        self._issues = tuple(issue for issue in issues if issue.severity == self._severity)
        self._show()
        self._redraw()

    def _fold(self, opened: bool) -> None:
        self._show()
        self.folded.emit(not opened)

    def _show(self) -> None:
        shown = self._issues if self.is_open else ()
        self.cards.apply(shown[:_MOST_CARDS])
        beyond = len(shown) - _MOST_CARDS
        self._more.show_text(self.tr("and %s more") % exact_count(beyond) if beyond > 0 else "")
        self._more.setVisible(beyond > 0)
        self.heading.show_count(exact_count(len(self._issues)))
        self.heading.setToolTip(self.tr("Click to fold") if self.is_open else self.tr("Click to show"))
        self.setVisible(bool(self._issues))

    def _redraw(self) -> None:
        if self._issues:
            self._set_picture()

    def _set_picture(self) -> None:
        theme = self._themes.theme
        self.heading.setIcon(icon(self._severity, theme, role_colour(self._severity, theme)))


class IssuesPanel(QScrollArea):
    """Lists the issues by severity; a click on one selects its node.

    Signals:
        count_changed(int, int): how many errors and warnings there are now; notes do not count.
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
        body = ScrollBody()
        column = QVBoxLayout(body)
        column.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID)
        titles: dict[Severity, str] = {
            "error": self.tr("Errors"),
            "warning": self.tr("Warnings"),
            "note": self.tr("Notes"),
        }
        self.sections: dict[Severity, IssueSection] = {}
        folded = str(settings().value(_FOLDED, "note")).split()
        self._empty = QWidget(body)
        self._empty_picture = QLabel(self._empty)
        self._empty_text = RoleLabel(themes, role="muted", font=body_font(), parent=self._empty)
        row = QHBoxLayout(self._empty)
        row.setContentsMargins(0, GRID, 0, 0)
        row.setSpacing(GRID)
        row.addWidget(self._empty_picture)
        row.addWidget(self._empty_text, 1)
        column.addWidget(self._empty)
        for severity, title in titles.items():
            section = IssueSection(document, themes, severity, title, body)
            section.set_open(severity not in folded)
            section.chosen.connect(lambda node_id: selection.set((node_id,)))
            section.folded.connect(lambda _folded: self._remember())
            column.addWidget(section)
            self.sections[severity] = section
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
    def cards(self) -> list[IssueCard]:
        """The cards that are shown, errors first."""
        return [card for section in self.sections.values() for card in section.cards.cards]

    @property
    def empty_text(self) -> str:
        """What stands in place of errors and warnings; empty where there are some."""
        return "" if self._empty.isHidden() else self._empty_text.text()

    def apply(self, old: Snapshot | None, new: Snapshot | None) -> None:
        """Show the issues of `new`; None where nothing is open."""
        issues = () if new is None else new.inference.issues
        for section in self.sections.values():
            section.apply(issues)
        errors = sum(issue.severity == "error" for issue in issues)
        warnings = sum(issue.severity == "warning" for issue in issues)
        self._empty.setVisible(not errors and not warnings)
        self._empty_picture.setVisible(new is not None)
        self._empty_text.show_text(
            self.tr("No network is open.") if new is None else self.tr("No issues: every layer fits.")
        )
        if (errors, warnings) != self._count:
            self._count = (errors, warnings)
            self.count_changed.emit(errors, warnings)

    def _remember(self) -> None:
        # Never empty, which QSettings would not tell from not set.
        folded = [severity for severity, section in self.sections.items() if not section.is_open]
        settings().setValue(_FOLDED, " ".join(folded) or "none")

    def _redraw(self) -> None:
        self._set_picture()

    def _set_picture(self) -> None:
        theme = self._themes.theme
        self._empty_picture.setPixmap(icon("good", theme, theme.good).pixmap(QSize(2 * GRID, 2 * GRID)))
