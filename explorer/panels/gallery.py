"""The first page: recent projects, and every network of the catalogue as a card, family by family.

Cards are `gallery_card`'s, what is asked before a network opens otherwise than by default `gallery_options`'.

Cards stand at once with what the catalogue says; networks are built, counted and drawn after the first paint, a few
milliseconds at a time.
"""

import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPushButton, QScrollArea, QVBoxLayout, QWidget

from explorer.architecture import Architecture, ArchitectureError, files
from explorer.inference import infer
from explorer.look import numbers
from explorer.look.icons import icon
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font, title_font
from explorer.panels.gallery_card import Card, CardText
from explorer.panels.gallery_options import options_dialog, totals_text
from explorer.panels.parameter_dialog import ParameterDialog
from explorer.zoo import Entry, entries

_GAP = 2 * GRID
_NARROWEST_CARD = 33 * GRID
_WIDEST_PAGE = 200 * GRID
_SLICE_MS = 6
"""Work between two paints while the cards are filled in."""
_LARGEST_RECENT_BYTES = 1024 * 1024
"""A larger project shows no miniature: reading it would be felt."""


class Gallery(QWidget):
    """The page to choose from. Typing searches, arrows move, Enter opens.

    Signals:
        network_chosen(str): id of a network of the catalogue.
        options_chosen(str, dict[str, Value]): id of a network, and values for its family's parameters.
        project_chosen(Path): a recent or dropped project.
        open_requested(): the user wants to pick a file.
    """

    network_chosen = Signal(str)
    options_chosen = Signal(str, object)
    project_chosen = Signal(object)
    open_requested = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._recent: dict[Path, Card] = {}
        self._queue: list[Callable[[], None]] = []
        self._is_dropping = False
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._fill_some)
        self.setAcceptDrops(True)
        self.setAutoFillBackground(True)

        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search networks by name, year or idea"))
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(self.tr("Search"))
        self.search.setMinimumHeight(4 * GRID)
        self.search.setMaximumWidth(60 * GRID)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._open_first)
        self.search.installEventFilter(self)
        self._search_icon = QAction(self)
        self.search.addAction(self._search_icon, QLineEdit.ActionPosition.LeadingPosition)
        self.open_button = QPushButton(self.tr("Open project…"), self)
        self.open_button.setMinimumHeight(4 * GRID)
        self.open_button.setToolTip(self.tr("Open a project file; or drop one anywhere on this page"))
        self.open_button.clicked.connect(self.open_requested)
        title = QLabel(self.tr("Choose a network"), self)
        title.setFont(title_font())

        self._recent_title = self._heading(self.tr("Recent projects"))
        self._recent_grid = _CardGrid(self)
        self._nothing = QLabel(self)
        self._nothing.setFont(body_font())
        self._nothing.setWordWrap(True)
        self._nothing.hide()
        by_family: dict[str, list[Entry]] = {}
        for entry in entries():
            by_family.setdefault(entry.family, []).append(entry)
        in_order = [entry for family in by_family.values() for entry in family]
        self._entries = {entry.id: (entry, self._network_card(entry)) for entry in in_order}
        families = {name: [self._entries[entry.id][1] for entry in family] for name, family in by_family.items()}
        self._families = {family: _Family(family, cards, themes, self) for family, cards in families.items()}

        header = QHBoxLayout()
        header.setSpacing(_GAP)
        header.addWidget(title)
        header.addStretch(1)
        header.addWidget(self.search, 4)
        header.addWidget(self.open_button)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(3 * GRID, 0, 3 * GRID, 3 * GRID)
        column.setSpacing(GRID)
        column.addWidget(self._recent_title)
        column.addWidget(self._recent_grid)
        for family_part in self._families.values():
            column.addWidget(family_part)
        column.addWidget(self._nothing)
        column.addStretch(1)
        self._page = page
        self._area = QScrollArea(self)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 3 * GRID, 0, 0)
        whole.setSpacing(GRID)
        self._header = header
        whole.addLayout(header)
        whole.addWidget(self._area, 1)
        self.set_recent(())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        themes.changed.connect(self._recolour)

    def set_recent(self, paths: Iterable[Path]) -> None:
        """Show these projects first, the latest first."""
        for card in self._recent.values():
            card.deleteLater()
        self._recent = {path: self._recent_card(path) for path in dict.fromkeys(paths)}
        self._recent_grid.set_cards(list(self._recent.values()))
        self._filter(self.search.text())
        if self.isVisible():
            self._timer.start()

    def cards(self) -> list[Card]:
        """The cards on the page, in reading order, without those that the search hides."""
        networks = [card for family in self._families.values() for card in family.grid.cards]
        return [card for card in (*self._recent_grid.cards, *networks) if not card.isHidden()]

    def ask_options(self, network_id: str) -> ParameterDialog:
        """Offer the parameters of a network; once chosen, `options_chosen` tells."""
        entry, _ = self._entries[network_id]
        dialog = options_dialog(entry, self._themes, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(lambda values: self.options_chosen.emit(network_id, values))
        dialog.open()
        return dialog

    @property
    def is_filled(self) -> bool:
        """Whether every network has been built and counted."""
        return not self._queue

    def sizeHint(self) -> QSize:
        return QSize(120 * GRID, 80 * GRID)

    # Cards

    def _heading(self, text: str) -> QLabel:
        label = QLabel(text, self)
        label.setFont(body_font(bold=True))
        label.setContentsMargins(0, 2 * GRID, 0, 0)
        return label

    def _network_card(self, entry: Entry) -> Card:
        card = self._card(CardText(entry.title, str(entry.year), " ", entry.idea), tall=True)
        card.setToolTip(entry.paper)
        card.clicked.connect(lambda: self.network_chosen.emit(entry.id))
        if entry.parameters:
            card.offer_options()
            card.options_requested.connect(lambda: self.ask_options(entry.id))

        def fill() -> None:
            self._describe(card, entry.build())

        self._queue.append(fill)
        return card

    def _recent_card(self, path: Path) -> Card:
        name = path.name.removesuffix(files.SUFFIX)
        card = self._card(CardText(name, "", "", str(path.parent)), tall=False)
        card.setToolTip(str(path))
        card.clicked.connect(lambda: self.project_chosen.emit(path))

        def fill() -> None:
            # The card may be gone: another list of recent projects arrived meanwhile.
            if self._recent.get(path) is not card:
                return
            try:
                size = path.stat().st_size
            except OSError:
                card.setEnabled(False)
                card.setToolTip(self.tr("{path} is no longer there").format(path=path))
                card.set_text(card.card_text._replace(text=self.tr("no longer there")))
                return
            if size > _LARGEST_RECENT_BYTES:
                return
            try:
                architecture = files.load(path).architecture
            except ArchitectureError as error:
                card.setToolTip(str(error))
                return
            card.set_network(architecture, infer(architecture))

        self._queue.append(fill)
        return card

    def _card(self, text: CardText, *, tall: bool) -> Card:
        card = Card(text, tall=tall, themes=self._themes)
        card.arrow_pressed.connect(lambda key: self._move(card, Qt.Key(key)))
        card.typed.connect(self._type)
        card.focused.connect(lambda: self._area.ensureWidgetVisible(card, 0, _GAP))
        return card

    def _describe(self, card: Card, architecture: Architecture) -> None:
        inference = infer(architecture)
        totals = inference.totals
        card.set_text(card.card_text._replace(numbers=totals_text(architecture, inference)))
        exact = self.tr("{parameters} parameters · {macs} multiply-accumulates an image").format(
            parameters=numbers.exact_count(totals.num_parameters), macs=numbers.exact_count(totals.macs)
        )
        card.setToolTip(f"{exact}\n{card.toolTip()}")
        card.set_network(architecture, inference)

    def _fill_some(self) -> None:
        end = time.perf_counter() + _SLICE_MS / 1000
        while self._queue and time.perf_counter() < end:
            self._queue.pop(0)()
        if not self._queue:
            self._timer.stop()

    # Search

    def _filter(self, text: str) -> None:
        words = text.casefold().split()

        def fits(haystack: str) -> bool:
            return all(word in haystack.casefold() for word in words)

        for path, card in self._recent.items():
            card.setHidden(not fits(str(path)))
        for entry, card in self._entries.values():
            facts = f"{entry.id} {entry.title} {entry.family} {entry.year} {entry.idea} {entry.paper}"
            card.setHidden(not fits(facts))
        self._recent_grid.arrange()
        any_left = any(not card.isHidden() for card in self._recent_grid.cards)
        self._recent_title.setVisible(any_left)
        self._recent_grid.setVisible(any_left)
        for family in self._families.values():
            family.arrange()
        self._nothing.setText(
            self.tr("Nothing matches “{text}”. Try a family (LeNet), a year (1998) or an idea (dropout).").format(
                text=text
            )
        )
        self._nothing.setVisible(not self.cards())

    def _open_first(self) -> None:
        if cards := self.cards():
            cards[0].click()

    def _type(self, text: str) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.insert(text)

    def _move(self, card: Card, key: Qt.Key) -> None:
        cards = self.cards()
        position = cards.index(card)
        target: Card | None = None
        if key in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            position += 1 if key == Qt.Key.Key_Right else -1
            target = cards[position] if 0 <= position < len(cards) else None
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            target = cards[0 if key == Qt.Key.Key_Home else -1]
        else:
            target = self._beyond(card, cards, 1 if key == Qt.Key.Key_Down else -1)
            if target is None and key == Qt.Key.Key_Up:
                self.search.setFocus(Qt.FocusReason.BacktabFocusReason)
        if target is not None:
            target.setFocus(Qt.FocusReason.TabFocusReason)

    def _beyond(self, card: Card, cards: list[Card], sign: int) -> Card | None:
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

    # Events

    def event(self, event: QEvent) -> bool:
        # Ctrl+F is the canvas' too; here it belongs to the search whoever else listens.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_find(event):
            event.accept()
            return True
        return super().event(event)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down and self.cards():
                self.cards()[0].setFocus(Qt.FocusReason.TabFocusReason)
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_find(event):
            self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.search.selectAll()
        elif self.hasFocus() and event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Right} and self.cards():
            self.cards()[0].setFocus(Qt.FocusReason.TabFocusReason)
        elif self.hasFocus() and event.text().isprintable() and event.text().strip():
            self._type(event.text())
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._queue:
            self._timer.start()
        QTimer.singleShot(0, self, self._recolour)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = max(3 * GRID, (self.width() - _WIDEST_PAGE) // 2)
        layout = self._page.layout()
        assert layout is not None
        layout.setContentsMargins(side, 0, side, 3 * GRID)
        self._header.setContentsMargins(side, 0, side, 0)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_projects(event):
            self._is_dropping = True
            self.update()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._is_dropping = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._is_dropping = False
        self.update()
        if paths := _dropped_projects(event):
            event.acceptProposedAction()
            self.project_chosen.emit(paths[0])

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._is_dropping:
            painter = QPainter(self)
            painter.setPen(QPen(self._themes.theme.accent, 2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(self.rect().adjusted(4, 4, -4, -4), GRID, GRID)

    def _recolour(self) -> None:
        # The icon font costs 0.2 s, so it is asked for after the first paint.
        self._search_icon.setIcon(icon("search", self._themes.theme, self._themes.theme.muted))
        self.open_button.setIcon(icon("open", self._themes.theme))


class _Family(QWidget):
    """A quiet heading with the count of its networks in sight, and their cards."""

    def __init__(self, name: str, cards: list[Card], themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        title = RoleLabel(themes, font=body_font(bold=True), parent=self)
        title.setText(name)
        self.count = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.grid = _CardGrid(self)
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
        self.grid.set_cards(cards)
        self.arrange()

    def arrange(self) -> None:
        """Close the gaps that a search left; nothing is shown of a family without a match."""
        self.grid.arrange()
        num_shown = sum(not card.isHidden() for card in self.grid.cards)
        self.count.show_text(str(num_shown))
        self.setVisible(num_shown > 0)


class _CardGrid(QWidget):
    """Cards in as many equal columns as fit; hidden ones take no place."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.cards: list[Card] = []

    def set_cards(self, cards: list[Card]) -> None:
        """Hold these cards instead; the old ones are their owner's to delete."""
        self.cards = cards
        for card in cards:
            card.setParent(self)
            card.show()
        self.arrange()

    def arrange(self) -> None:
        """Place the cards for the width at hand, and be as tall as they need."""
        shown = [card for card in self.cards if not card.isHidden()]
        columns = max(1, (self.width() + _GAP) // (_NARROWEST_CARD + _GAP))
        width = (self.width() - _GAP * (columns - 1)) // columns
        y = 0
        for start in range(0, len(shown), columns):
            row = shown[start : start + columns]
            for column, card in enumerate(row):
                card.setGeometry(column * (width + _GAP), y, width, card.height())
            y += row[0].height() + _GAP
        self.setFixedHeight(max(0, y - _GAP))
        for before, after in pairwise(shown):
            QWidget.setTabOrder(before, after)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.arrange()


def _is_find(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Find)


def _dropped_projects(event: QDropEvent) -> list[Path]:
    urls = event.mimeData().urls()
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile() and url.toLocalFile().endswith(files.SUFFIX)]
