"""The gallery's page of cards: recent projects, the families, and what only matches by what is said about it.

It arranges and moves the focus; which cards there are and which a search leaves is the gallery's to say.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.gallery.card import Card
from explorer.panels.gallery.grid import GAP, CardGrid, CardSection


class CardPage(QScrollArea):
    """Sections below each other, that scroll."""

    def __init__(self, families: dict[str, list[Card]], themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._page = QWidget()
        self.recent_title = QLabel(self.tr("Recent projects"), self._page)
        self.recent_title.setFont(body_font(bold=True))
        self.recent_title.setContentsMargins(0, 2 * GRID, 0, 0)
        self.recent = CardGrid(self._page)
        self.families = {name: CardSection(name, cards, themes, self._page) for name, cards in families.items()}
        self.described = CardSection(self.tr("Matched by their description"), [], themes, self._page)
        self.nothing = QLabel(self._page)
        self.nothing.setFont(body_font())
        self.nothing.setWordWrap(True)
        self.nothing.hide()
        self._order = list(self.families)
        column = self._column = QVBoxLayout(self._page)
        column.setContentsMargins(3 * GRID, 0, 3 * GRID, 3 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self.recent_title)
        column.addWidget(self.recent)
        for section in self.families.values():
            column.addWidget(section)
        column.addWidget(self.described)
        column.addWidget(self.nothing)
        column.addStretch(1)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(self._page)

    def cards(self) -> list[Card]:
        """The cards in sight, in reading order."""
        sections = [self.families[name].grid for name in self._order]
        grids = (self.recent, *sections, self.described.grid)
        return [card for grid in grids for card in grid.cards if not card.isHidden()]

    def show_recent(self, cards: list[Card]) -> None:
        """Show these projects, as far as they are not hidden."""
        self.recent.set_cards(cards)
        any_left = any(not card.isHidden() for card in cards)
        self.recent_title.setVisible(any_left)
        self.recent.setVisible(any_left)

    def show_networks(self, families: dict[str, list[Card]], described: list[Card]) -> None:
        """Show these cards by family, families in this order, and below them those that only their text matches."""
        order = list(families)
        if order != self._order:
            first = self._column.indexOf(self.recent) + 1
            for place, name in enumerate(order):
                self._column.insertWidget(first + place, self.families[name])
            self._order = order
        self.described.set_cards(described)
        for name, cards in families.items():
            self.families[name].set_cards(cards)

    def set_side(self, side: int) -> None:
        """Leave so many pixels free at both sides."""
        self._column.setContentsMargins(side, 0, side, 3 * GRID)

    def follow(self, card: Card) -> None:
        """Bring a card into sight."""
        self.ensureWidgetVisible(card, 0, GAP)

    def neighbour(self, card: Card, key: Qt.Key) -> Card | None:
        """The card that an arrow key, Home or End leads to; None at the page's edge."""
        cards = self.cards()
        position = cards.index(card)
        if key in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            position += 1 if key == Qt.Key.Key_Right else -1
            return cards[position] if 0 <= position < len(cards) else None
        if key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            return cards[0 if key == Qt.Key.Key_Home else -1]
        return self._beyond(card, cards, 1 if key == Qt.Key.Key_Down else -1)

    def _beyond(self, card: Card, cards: Sequence[Card], sign: int) -> Card | None:
        """The card nearest to straight above or below, across sections too."""
        here = card.mapTo(self._page, card.rect().center())
        rows: dict[int, list[Card]] = {}
        for other in cards:
            there = other.mapTo(self._page, other.rect().center())
            if (there.y() - here.y()) * sign > GRID:
                rows.setdefault(there.y(), []).append(other)
        if not rows:
            return None
        row = rows[min(rows, key=lambda y: abs(y - here.y()))]
        return min(row, key=lambda other: abs(other.mapTo(self._page, other.rect().center()).x() - here.x()))
