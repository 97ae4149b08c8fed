"""The gallery's row of filters: year, size and cost, how many networks they leave, and cards against plot.

What the filters mean is `search`'s to say.
"""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.segments import Segments
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.gallery.search import Band, Wanted

_M, _G = 1e6, 1e9


class GalleryFilters(QWidget):
    """Three lists to choose from, and the switch between cards and plot.

    Signals:
        changed(): another band was chosen.
        plot_chosen(bool): the plot instead of the cards, or back.
    """

    changed = Signal()
    plot_chosen = Signal(bool)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bands: dict[QComboBox, tuple[Band, ...]] = {}
        self.years = self._choice(
            self.tr("Year"),
            (
                (self.tr("Any year"), Band()),
                (self.tr("Before 2012"), Band(None, 2011)),
                (self.tr("2012 to 2014"), Band(2011, 2014)),
                (self.tr("2015 to 2017"), Band(2014, 2017)),
                (self.tr("2018 and later"), Band(2017, None)),
            ),
        )
        self.sizes = self._choice(
            self.tr("Size"),
            (
                (self.tr("Any size"), Band()),
                (self.tr("Up to 1 M parameters"), Band(None, 1 * _M)),
                (self.tr("1 M to 10 M parameters"), Band(1 * _M, 10 * _M)),
                (self.tr("10 M to 50 M parameters"), Band(10 * _M, 50 * _M)),
                (self.tr("Over 50 M parameters"), Band(50 * _M, None)),
            ),
        )
        self.costs = self._choice(
            self.tr("Cost"),
            (
                (self.tr("Any cost"), Band()),
                (self.tr("Up to 100 M MACs"), Band(None, 100 * _M)),
                (self.tr("100 M to 1 G MACs"), Band(100 * _M, 1 * _G)),
                (self.tr("1 G to 5 G MACs"), Band(1 * _G, 5 * _G)),
                (self.tr("Over 5 G MACs"), Band(5 * _G, None)),
            ),
        )
        self.reset_button = QPushButton(self.tr("Reset filters"), self)
        self.reset_button.setFlat(True)
        self.reset_button.clicked.connect(self.reset)
        self.count = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.pages = Segments(
            (
                (self.tr("Cards"), ""),
                (self.tr("Plot"), self.tr("Accuracy on ImageNet against arithmetic and parameters")),
            ),
            themes,
            self,
        )
        self.cards_button, self.plot_button = self.pages.button(0), self.pages.button(1)
        self.plot_button.toggled.connect(self.plot_chosen)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for widget in (*self._bands, self.count, self.reset_button):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.pages)
        self._show_reset()

    def wanted(self, text: str) -> Wanted:
        """What the filters ask for, with the text of a search."""
        years, sizes, costs = (bands[choice.currentIndex()] for choice, bands in self._bands.items())
        return Wanted(text, years, sizes, costs)

    def reset(self) -> None:
        """Take all networks again."""
        for choice in self._bands:
            with QSignalBlocker(choice):
                choice.setCurrentIndex(0)
        self._changed()

    def show_count(self, shown: int, of: int) -> None:
        """Say how many networks are left."""
        self.count.show_text(
            self.tr("{count} networks").format(count=of)
            if shown == of
            else self.tr("{shown} of {count} networks").format(shown=shown, count=of)
        )

    def show_icons(self) -> None:
        """Draw the icons too, from now on."""
        self.pages.show_icons(("gallery", "chart"))

    def _choice(self, name: str, bands: tuple[tuple[str, Band], ...]) -> QComboBox:
        choice = QComboBox(self)
        choice.setAccessibleName(name)
        choice.addItems([text for text, _band in bands])
        self._bands[choice] = tuple(band for _text, band in bands)
        choice.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        choice.currentIndexChanged.connect(lambda _index: self._changed())
        return choice

    def _changed(self) -> None:
        self._show_reset()
        self.changed.emit()

    def _show_reset(self) -> None:
        self.reset_button.setVisible(self.wanted("").is_filtered)
