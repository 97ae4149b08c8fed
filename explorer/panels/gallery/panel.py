"""The first page: recent projects, and every network of the catalogue, as a card by family or as a point of a plot.

Typing searches in both. How well a network fits is `search`'s, cards are `card`'s and stand on
`page`, what they show once it is known is `filling`'s, the plot `plot`'s; what is asked before
a network opens otherwise than by default, `options`'.
"""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from explorer.architecture import files
from explorer.look.icons import icon
from explorer.look.theme import GRID, ThemeSource, title_font
from explorer.panels.gallery.card import Card, CardText
from explorer.panels.gallery.filling import Filling, fill_network, fill_project
from explorer.panels.gallery.filters import GalleryFilters
from explorer.panels.gallery.options import options_dialog
from explorer.panels.gallery.page import CardPage
from explorer.panels.gallery.plot import GalleryPlot
from explorer.panels.gallery.search import DESCRIBED, Facts
from explorer.panels.parameters.dialog import ParameterDialog
from explorer.zoo import Entry, entries

_WIDEST_PAGE = 200 * GRID


class Gallery(QWidget):
    """The page to choose from. Typing searches, arrows move, Enter opens.

    Signals:
        network_chosen(str): id of a network of the catalogue.
        options_chosen(str, dict[str, Value]): id of a network, and values for its family's parameters.
        project_chosen(Path): a recent or dropped project.
        new_requested(): the user wants to build a network from nothing.
        open_requested(): the user wants to pick a file.
    """

    network_chosen = Signal(str)
    options_chosen = Signal(str, object)
    project_chosen = Signal(object)
    new_requested = Signal()
    open_requested = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._recent: dict[Path, Card] = {}
        self._facts: dict[str, Facts] = {}
        self._filling = Filling(self)
        self._filling.finished.connect(self._filled)
        self._is_dropping = False
        self.setAcceptDrops(True)
        self.setAutoFillBackground(True)

        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search networks by name, year or idea"))
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(self.tr("Search"))
        self.search.setMinimumHeight(4 * GRID)
        self.search.setMaximumWidth(60 * GRID)
        self.search.textChanged.connect(lambda _text: self._filter())
        self.search.returnPressed.connect(self._open_first)
        self.search.installEventFilter(self)
        self._search_icon = QAction(self)
        self.search.addAction(self._search_icon, QLineEdit.ActionPosition.LeadingPosition)
        self.new_button = QPushButton(self.tr("New network"), self)
        self.new_button.setMinimumHeight(4 * GRID)
        self.new_button.setToolTip(self.tr("Begin with nothing but an input, and build by hand (Ctrl+Shift+N)"))
        self.new_button.clicked.connect(self.new_requested)
        self.open_button = QPushButton(self.tr("Open project…"), self)
        self.open_button.setMinimumHeight(4 * GRID)
        self.open_button.setToolTip(self.tr("Open a project file; or drop one anywhere on this page"))
        self.open_button.clicked.connect(self.open_requested)
        title = QLabel(self.tr("Choose a network"), self)
        title.setFont(title_font())

        self.filters = GalleryFilters(themes, self)
        self.filters.changed.connect(self._filter)
        self.filters.plot_chosen.connect(self._show_plot)

        by_family: dict[str, list[Entry]] = {}
        for entry in entries():
            by_family.setdefault(entry.family, []).append(entry)
        in_order = [entry for family in by_family.values() for entry in family]
        self._entries = {entry.id: (entry, self._network_card(entry)) for entry in in_order}
        families = {name: [self._entries[entry.id][1] for entry in family] for name, family in by_family.items()}
        self.page = CardPage(families, themes, self)
        self.plot = GalleryPlot(themes, self)
        self.plot.network_chosen.connect(self.network_chosen)
        self.plot.options_requested.connect(self.ask_options)
        self.plot.typed.connect(self._type)
        self.plot.left.connect(lambda: self.search.setFocus(Qt.FocusReason.BacktabFocusReason))
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.page)
        self._pages.addWidget(self.plot)

        header = QHBoxLayout()
        header.setSpacing(2 * GRID)
        header.addWidget(title)
        header.addStretch(1)
        header.addWidget(self.search, 4)
        header.addWidget(self.new_button)
        header.addWidget(self.open_button)
        self._top = QVBoxLayout()
        self._top.setSpacing(2 * GRID)
        self._top.addLayout(header)
        self._top.addWidget(self.filters)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 3 * GRID, 0, 0)
        whole.setSpacing(GRID)
        whole.addLayout(self._top)
        whole.addWidget(self._pages, 1)
        self.set_recent(())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._take_no_room()
        themes.changed.connect(self._recolour)
        self._recolour()

    def set_recent(self, paths: Iterable[Path]) -> None:
        """Show these projects first, the latest first."""
        for card in self._recent.values():
            card.deleteLater()
        self._recent = {path: self._recent_card(path) for path in dict.fromkeys(paths)}
        self._filter()
        if self.isVisible():
            self._filling.start()

    def cards(self) -> list[Card]:
        """The cards on the page, in reading order, without those that search and filters hide."""
        return self.page.cards()

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
        return self._filling.is_done

    def sizeHint(self) -> QSize:
        return QSize(120 * GRID, 80 * GRID)

    # Cards

    def _network_card(self, entry: Entry) -> Card:
        card = self._card(CardText(entry.title, str(entry.year), " ", entry.idea), tall=True)
        card.setToolTip(entry.paper)
        card.clicked.connect(lambda: self.network_chosen.emit(entry.id))
        if entry.parameters:
            card.offer_options()
            card.options_requested.connect(lambda: self.ask_options(entry.id))

        def fill() -> None:
            self._facts[entry.id] = fill_network(card, entry)

        self._filling.add(fill)
        return card

    def _recent_card(self, path: Path) -> Card:
        name = path.name.removesuffix(files.SUFFIX)
        card = self._card(CardText(name, "", "", str(path.parent)), tall=False)
        card.setToolTip(str(path))
        card.clicked.connect(lambda: self.project_chosen.emit(path))

        def fill() -> None:
            # The card may be gone: another list of recent projects arrived meanwhile.
            if self._recent.get(path) is card:
                fill_project(card, path)

        self._filling.add(fill)
        return card

    def _card(self, text: CardText, *, tall: bool) -> Card:
        card = Card(text, tall=tall, themes=self._themes)
        card.arrow_pressed.connect(lambda key: self._move(card, Qt.Key(key)))
        card.typed.connect(self._type)
        card.focused.connect(lambda: self.page.follow(card))
        return card

    def _filled(self) -> None:
        self.plot.show_networks((entry for entry, _card in self._entries.values()), self._facts)
        self._filter()

    # Search

    def _filter(self) -> None:
        """Leave what is asked for, the best matches first, in cards and plot."""
        wanted = self.filters.wanted(self.search.text())
        words = wanted.text.casefold().split()
        for path, card in self._recent.items():
            card.setHidden(wanted.is_filtered or not all(word in str(path).casefold() for word in words))
        self.page.show_recent(list(self._recent.values()))
        ranks = {i: wanted.rank(entry, self._facts.get(i)) for i, (entry, _card) in self._entries.items()}
        families: dict[str, list[tuple[int, Card]]] = {}
        described: list[Card] = []
        for network_id, (entry, card) in self._entries.items():
            rank = ranks[network_id]
            card.setHidden(rank is None)
            named = families.setdefault(entry.family, [])
            if rank is not None and rank >= DESCRIBED:
                described.append(card)
            else:
                named.append((DESCRIBED if rank is None else rank, card))
        best = {name: min((rank for rank, _card in cards), default=DESCRIBED) for name, cards in families.items()}
        self.page.show_networks(
            {
                name: [card for _rank, card in sorted(families[name], key=lambda ranked: ranked[0])]
                for name in sorted(families, key=lambda name: best[name])
            },
            described,
        )
        left = [network_id for network_id, rank in ranks.items() if rank is not None]
        self.plot.filter(left)
        self.filters.show_count(len(left), len(self._entries))
        nothing = self.tr("Nothing matches “{text}”. Try a family (LeNet), a year (1998) or an idea (dropout).")
        if wanted.is_filtered:
            nothing = self.tr("Nothing is left. Reset the filters, or search for something else.")
        self.page.nothing.setText(nothing.format(text=wanted.text))
        self.page.nothing.setVisible(not self.cards())

    def _show_plot(self, wanted: bool) -> None:
        self._pages.setCurrentWidget(self.plot if wanted else self.page)

    def _enter(self) -> None:
        """From the search into what it searches."""
        if self._pages.currentWidget() is self.plot:
            self.plot.setFocus(Qt.FocusReason.TabFocusReason)
        elif cards := self.cards():
            cards[0].setFocus(Qt.FocusReason.TabFocusReason)

    def _open_first(self) -> None:
        if cards := self.cards():
            cards[0].click()

    def _type(self, text: str) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.insert(text)

    def _move(self, card: Card, key: Qt.Key) -> None:
        target = self.page.neighbour(card, key)
        if target is not None:
            target.setFocus(Qt.FocusReason.TabFocusReason)
        elif key == Qt.Key.Key_Up:
            self.search.setFocus(Qt.FocusReason.BacktabFocusReason)

    # Events

    def event(self, event: QEvent) -> bool:
        # Ctrl+F is the canvas' too; here it belongs to the search whoever else listens.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_find(event):
            event.accept()
            return True
        return super().event(event)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if watched is self.search and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Down:
                self._enter()
                return True
            if event.key() == Qt.Key.Key_Escape and self.search.text():
                self.search.clear()
                return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _is_find(event):
            self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.search.selectAll()
        elif self.hasFocus() and event.key() in {Qt.Key.Key_Down, Qt.Key.Key_Right}:
            self._enter()
        elif self.hasFocus() and event.text().isprintable() and event.text().strip():
            self._type(event.text())
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._filling.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._take_no_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = max(3 * GRID, (self.width() - _WIDEST_PAGE) // 2)
        self.page.set_side(side)
        self.plot.setContentsMargins(side, 0, side, 2 * GRID)
        self._top.setContentsMargins(side, 0, side, 0)

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

    def _take_no_room(self) -> None:
        """Behind another page, the window may be as narrow as that allows."""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)

    def _recolour(self) -> None:
        self._search_icon.setIcon(icon("search", self._themes.theme, self._themes.theme.muted))
        self.new_button.setIcon(icon("add", self._themes.theme))
        self.open_button.setIcon(icon("open", self._themes.theme))
        self.filters.show_icons()


def _is_find(event: QKeyEvent) -> bool:
    return event.matches(QKeySequence.StandardKey.Find)


def _dropped_projects(event: QDropEvent) -> list[Path]:
    urls = event.mimeData().urls()
    return [Path(url.toLocalFile()) for url in urls if url.isLocalFile() and url.toLocalFile().endswith(files.SUFFIX)]
