"""Cards in rows: a grid of equal columns, and a section of the gallery's page with a heading over one."""

from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.gallery.card import Card

GAP = 2 * GRID
_NARROWEST_CARD = 33 * GRID


class CardGrid(QWidget):
    """Cards in as many equal columns as fit; hidden ones take no place."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.cards: list[Card] = []

    def set_cards(self, cards: list[Card]) -> None:
        """Hold these cards instead, in this order; the old ones are their owner's to delete."""
        self.cards = cards
        for card in cards:
            if card.parentWidget() is not self:
                was_hidden = card.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide) and card.isHidden()
                card.setParent(self)
                card.setHidden(was_hidden)
        self.arrange()

    def arrange(self) -> None:
        """Place the cards for the width at hand, and be as tall as they need."""
        shown = [card for card in self.cards if not card.isHidden()]
        columns = max(1, (self.width() + GAP) // (_NARROWEST_CARD + GAP))
        width = (self.width() - GAP * (columns - 1)) // columns
        y = 0
        for start in range(0, len(shown), columns):
            row = shown[start : start + columns]
            for column, card in enumerate(row):
                card.setGeometry(column * (width + GAP), y, width, card.height())
            y += row[0].height() + GAP
        self.setFixedHeight(max(0, y - GAP))
        for before, after in pairwise(shown):
            QWidget.setTabOrder(before, after)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.arrange()


class CardSection(QWidget):
    """A quiet heading with the count of its networks in sight, and their cards."""

    def __init__(self, name: str, cards: list[Card], themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        title = RoleLabel(themes, font=body_font(bold=True), parent=self)
        title.setText(name)
        self.count = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.grid = CardGrid(self)
        heading = QHBoxLayout()
        heading.setContentsMargins(0, 2 * GRID, 0, 0)
        heading.setSpacing(GRID)
        heading.addWidget(title, 0, Qt.AlignmentFlag.AlignBaseline)
        heading.addWidget(self.count, 0, Qt.AlignmentFlag.AlignBaseline)
        heading.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(heading)
        column.addWidget(self.grid)
        self.set_cards(cards)

    def set_cards(self, cards: list[Card]) -> None:
        """Hold these cards, in this order; nothing is shown of a section without one in sight."""
        self.grid.set_cards(cards)
        num_shown = sum(not card.isHidden() for card in self.grid.cards)
        self.count.show_text(str(num_shown))
        self.setVisible(num_shown > 0)
