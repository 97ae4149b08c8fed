"""How large a pixel of the maps is: a slider, and a button that fits all channels."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.segments import Toggle
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.feature_maps.tiles import SCALES
from explorer.panels.feature_maps.view import MapsView


class ZoomBar(QWidget):
    """Follows the view that it was made for, and leads it."""

    def __init__(self, view: MapsView, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self.text = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self.text.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.text.setFixedWidth(5 * GRID)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, len(SCALES) - 1)
        self.slider.setFixedWidth(14 * GRID)
        self.slider.setToolTip(self.tr("Size of a pixel (Ctrl+wheel)"))
        self.slider.setAccessibleName(self.tr("Zoom"))
        self.fit_button = Toggle(themes, self)
        self.fit_button.setText(self.tr("Fit"))
        self.fit_button.setChecked(True)
        self.fit_button.setToolTip(self.tr("Show all channels at once, as large as they fit"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        for widget in (self.text, self.slider, self.fit_button):
            row.addWidget(widget)
        self.slider.valueChanged.connect(self._zoom)
        self.fit_button.toggled.connect(self._fit)
        view.scaled.connect(self._show)

    def _zoom(self, place: int) -> None:
        self.fit_button.setChecked(False)
        self._view.set_zoom(SCALES[place])

    def _fit(self, fits: bool) -> None:
        self._view.set_zoom(None if fits else self._view.tiling.scale)

    def _show(self, scale: float) -> None:
        for widget in (self.slider, self.fit_button):
            widget.blockSignals(True)
        self.slider.setValue(SCALES.index(scale))
        self.fit_button.setChecked(self._view.zoom is None)
        for widget in (self.slider, self.fit_button):
            widget.blockSignals(False)
        self.text.show_text(f"{scale:g}×" if scale >= 1 else f"1/{round(1 / scale)}×")
