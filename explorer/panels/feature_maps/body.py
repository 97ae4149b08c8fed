"""What lies below the probe bar: controls, all channels, one enlarged, the image, and what is pinned, side by side.

Which layer's they are, and what happens to them, is `panel`'.
"""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.feature_maps.bars import BarsView
from explorer.panels.feature_maps.channel import ChannelSide
from explorer.panels.feature_maps.controls import Controls
from explorer.panels.feature_maps.field import FieldView
from explorer.panels.feature_maps.pins import PinsView
from explorer.panels.feature_maps.probes import ComparedView
from explorer.panels.feature_maps.view import MapsView


class MapsBody(QWidget):
    """In the middle one of `maps`, `bars`, `compared` and a sentence; the enlarged channel and the image beside it."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.controls = Controls(themes, self)
        self.maps = MapsView(themes, self)
        self.compared = ComparedView(themes, self)
        self.bars = BarsView(themes, self)
        self.side = ChannelSide(themes, self)
        self.field = FieldView(themes, self)
        self.pins = PinsView(themes, self)
        self._empty = RoleLabel(themes, role="muted", wraps=True, parent=self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._has_maps = False
        views = QWidget(self)
        self._stack = QStackedLayout(views)
        for view in (self.maps, self.bars, self.compared, self._empty):
            self._stack.addWidget(view)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for widget in (self.controls, views, self.side, self.field, self.pins):
            row.addWidget(widget, int(widget is views))

    @property
    def sentence(self) -> str:
        """What stands in place of maps; empty where there are some."""
        return self._empty.text() if self.is_in_front(self._empty) else ""

    def is_in_front(self, view: QWidget) -> bool:
        """Whether it is what is seen in the middle."""
        return self._stack.currentWidget() is view

    def bring(self, view: QWidget) -> None:
        """Show one of the views in the middle."""
        self._has_maps = True
        self._stack.setCurrentWidget(view)

    def show_sentence(self, text: str) -> None:
        """Show a sentence, and nothing beside it."""
        self._has_maps = False
        self.side.hide()
        self.field.hide()
        self._empty.show_text(text)
        self._stack.setCurrentWidget(self._empty)

    def fit_sides(self) -> None:
        """Enlarged channel and image as wide as they are high, as far as the channels keep room."""
        room = self.width() - self.controls.width() - self.pins.width()
        wide = min(self.height() + GRID, room // 4)
        self.side.setFixedWidth(max(25 * GRID, wide))
        self.field.setFixedWidth(max(20 * GRID, wide))
        needed = self.side.width() + self.field.width() + 25 * GRID
        self.field.setVisible(room >= needed and self._has_maps)

    def copy(self) -> None:
        """Put all maps on the clipboard, a pixel for a pixel; a vector as it is seen."""
        QGuiApplication.clipboard().setImage(self._picture())

    def save(self, path: Path) -> bool:
        """Write all maps as one picture, as `copy` gives them; whether it could be."""
        return self._picture().save(str(path))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.controls.fit(self.width())
        self.fit_sides()

    def _picture(self) -> QImage:
        return self.bars.grab().toImage() if self.is_in_front(self.bars) else self.maps.picture()
