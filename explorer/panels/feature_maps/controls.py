"""What is shown and how: the layer's name and facts, order, scale and colours of its channels, and the colour bar."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.feature_maps.colours import ColourBar
from explorer.panels.feature_maps.line import Line
from explorer.panels.feature_maps.values import ORDERS
from explorer.session.places import settings

_PREFIX = "feature-maps/"
_NARROWEST, _WIDEST = 27 * GRID, 35 * GRID
"""Pixels; where there is room, "Conv2d · 16×10×10 · step 1,240 (looking back)" has a place."""


class Controls(QWidget):
    """The column at the left. What was chosen is remembered.

    Signals:
        changed(): another order, scale or colours.
    """

    changed = Signal()

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = Line(themes, font=body_font(bold=True), parent=self)
        self.facts = Line(themes, role="muted", parent=self)
        self.source = Line(themes, role="muted", parent=self)
        self.dead = Line(themes, role="muted", parent=self)
        self.order_menu = self._menu(
            "order",
            self.tr("Order of the channels"),
            {
                "index": self.tr("By number"),
                "mean": self.tr("Largest mean first"),
                "variance": self.tr("Largest variance first"),
                "last": self.tr("Most changed since the last picture"),
                "first": self.tr("Most changed since the first picture"),
            },
        )
        assert {self.order_menu.itemData(i) for i in range(self.order_menu.count())} == set(ORDERS)
        self.scale_menu = self._menu(
            "scale",
            self.tr("Scale of the values"),
            {"layer": self.tr("By layer"), "channel": self.tr("By channel")},
        )
        self.colours_menu = self._menu(
            "colours",
            self.tr("Colours"),
            {
                "auto": self.tr("By sign"),
                "sequential": self.tr("Grey"),
                "diverging": self.tr("Two hues"),
            },
        )
        self.colours_menu.setToolTip(
            self.tr("By sign: grey where no value is below zero or none above, else two hues that part at zero")
        )
        self.bar = ColourBar(themes, self)
        pair = QHBoxLayout()
        pair.setSpacing(4)
        pair.addWidget(self.scale_menu, 1)
        pair.addWidget(self.colours_menu, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, GRID, 0)
        column.setSpacing(2)
        for label in (self.title, self.facts, self.source, self.dead):
            column.addWidget(label)
        column.addSpacing(2)
        column.addWidget(self.order_menu)
        column.addLayout(pair)
        column.addSpacing(2)
        column.addWidget(self.bar)
        column.addStretch(1)
        self.fit(0)

    def fit(self, width: int) -> None:
        """Be as wide as a panel of that width, in pixels, has room for."""
        self.setFixedWidth(max(_NARROWEST, min(_WIDEST, width * 2 // 9)))

    @property
    def order(self) -> str:
        """One of `ORDERS`."""
        return str(self.order_menu.currentData())

    @property
    def per_channel(self) -> bool:
        """Whether each channel has its own scale."""
        return bool(self.scale_menu.currentData() == "channel")

    @property
    def diverging(self) -> bool | None:
        """Whether the colours part at zero; None for where values of both signs are."""
        return {"sequential": False, "diverging": True}.get(str(self.colours_menu.currentData()))

    def _menu(self, name: str, title: str, choices: dict[str, str]) -> QComboBox:
        menu = QComboBox(self)
        menu.setFont(small_font())
        menu.setAccessibleName(title)
        menu.setToolTip(title)
        menu.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        menu.setMinimumContentsLength(6)
        for key, text in choices.items():
            menu.addItem(text, key)
        stored = menu.findData(str(settings().value(_PREFIX + name, "")))
        menu.setCurrentIndex(max(0, stored))
        menu.view().setMinimumWidth(menu.view().sizeHintForColumn(0) + 3 * GRID)
        menu.currentIndexChanged.connect(lambda _place: self._choose(name, menu))
        return menu

    def _choose(self, name: str, menu: QComboBox) -> None:
        settings().setValue(_PREFIX + name, menu.currentData())
        self.changed.emit()
