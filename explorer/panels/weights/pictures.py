"""The weights of one layer as pictures: all of them, and one output's enlarged. What is a picture of what is
`kernels`', drawing `mosaic`'s and `kernel_view`'s, words `pictures_words`'."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QMenu,
    QSpinBox,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from explorer.layers import Layer, Shape
from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.segments import Segments, Toggle, level
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.weights.kernel_view import ScaleBar, short
from explorer.panels.weights.kernels import Form, Weights, kernels_of, largest, tiles_of
from explorer.panels.weights.mosaic import MosaicView
from explorer.panels.weights.pictures_words import Choice, What, Words
from explorer.panels.weights.side import OutputView
from explorer.runs import WeightPictures

_WHATS: tuple[What, ...] = ("weight", "change", "gradient")
_LEAST_SAVED = 8
"""Pixels a weight, in a picture that is taken away."""


class PicturesPage(QWidget):
    """Pictures at the left, the chosen output at the right, the scale below. `tools` belongs above it.

    Signals:
        failed(str): why a picture could not be written.
    """

    failed = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._pictures: WeightPictures | None = None
        self._layer: Layer | None = None
        self._words = Words(self.tr, None)
        self._folded: Shape | None = None
        self._name = ""
        self._weights: Weights | None = None
        self._what: What = "weight"
        self._choices: list[Choice] = []
        self._chosen_forms: dict[str, Choice] = {}
        """By layer, where somebody chose another than the first."""
        self._hovered = (-1, 0, 0)
        """Tile, row and column below the mouse."""

        self.tools = QWidget(self)
        self.whats = Segments(
            (
                (self.tr("Weights"), self.tr("The weights as they are now")),
                (self.tr("Change"), self.tr("The weights now less those before the first step")),
                (self.tr("Gradient"), self.tr("Of the last step's loss by each weight")),
            ),
            themes,
            self.tools,
        )
        self.form_menu = QComboBox(self.tools)
        self.form_menu.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.form_menu.setAccessibleName(self.tr("Form of the pictures"))
        self.channel_spin = QSpinBox(self.tools)
        self.channel_spin.setAccessibleName(self.tr("Input channel"))
        self.channel_spin.setToolTip(self.tr("The input channel whose weights are shown"))
        self.channel_spin.setWrapping(True)
        self.each_button = Toggle(themes, self.tools)
        # What they offer is known with the first layer's weights.
        for widget in (self.form_menu, self.channel_spin, self.each_button):
            widget.hide()
        self.export_button = QToolButton(self.tools)
        self.export_button.setText(self.tr("Export"))
        self.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.mosaic = MosaicView(themes, self)
        self.side = OutputView(themes, self)
        self.side.hide()
        self.scale_bar = ScaleBar(themes, self)
        self.caption = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.readout = RoleLabel(themes, font=small_font(), parent=self)
        # What is below the mouse must not hold the window wide.
        self.readout.setMinimumWidth(1)
        self._empty = RoleLabel(themes, role="muted", wraps=True, parent=self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lay_out()

        self.whats.chosen.connect(self._choose_what)
        self.form_menu.currentIndexChanged.connect(self._choose_form)
        self.channel_spin.valueChanged.connect(lambda _value: self._draw())
        self.each_button.toggled.connect(lambda _checked: self._draw())
        self.mosaic.output_chosen.connect(lambda _output: self._show_side())
        self.mosaic.hovered.connect(self._read_mosaic)
        self.mosaic.arranged.connect(self._say)
        self.side.hovered.connect(self._read_output)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.export_button.setMenu(self._menu)
        for view in (self.mosaic, self.side.kernel):
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            view.customContextMenuRequested.connect(self._open_menu)
        self.show_nothing("")

    @property
    def what(self) -> What:
        """What is shown of the weights."""
        return self._what

    @property
    def sentence(self) -> str:
        """What stands in place of pictures; empty where there are some."""
        return self._empty.text() if self._stack.currentWidget() is self._empty else ""

    def show_nothing(self, why: str) -> None:
        """Show a sentence in place of pictures."""
        self._pictures = None
        self.tools.setEnabled(False)
        self._show_empty(why)

    def show_layer(self, name: str, layer: Layer, folded: Shape | None, pictures: WeightPictures) -> None:
        """Show the weights of a layer; what is chosen stays chosen where it is the same layer.

        Args:
            name: of the node.
            layer: its layer.
            folded: as for `kernels_of`.
            pictures: what was captured.
        """
        is_new = (name, layer, folded) != (self._name, self._layer, self._folded) or self._pictures is None
        self._name, self._layer, self._folded, self._pictures = name, layer, folded, pictures
        self._words = Words(self.tr, layer)
        self.tools.setEnabled(True)
        if is_new:
            self.mosaic.choose(None)
            self._hovered = (-1, 0, 0)
            self._offer_forms()
        self._draw()

    def save_picture(self, path: Path) -> None:
        """Write all pictures as PNG; `failed` says why it could not be."""
        if not self.picture().save(str(path)):
            self.failed.emit(self.tr("{path} could not be written; choose another folder").format(path=path))

    def picture(self) -> QImage:
        """All pictures with their scale, as the clipboard and a file get them."""
        drawn = self.mosaic.image()
        at = self.mosaic.arrangement
        factor = 1 if at is None or at.block > 1 else max(1, _LEAST_SAVED // max(1, at.scale))
        if max(drawn.width(), drawn.height()) * factor > 4096:
            factor = 1
        drawn = drawn.scaled(drawn.size() * factor)
        foot = self.scale_bar.height() + GRID
        whole = QImage(max(drawn.width(), self.scale_bar.width()), drawn.height() + foot, QImage.Format.Format_RGB32)
        whole.fill(self._themes.theme.panel)
        painter = QPainter(whole)
        drawn.setDevicePixelRatio(1)
        painter.drawImage(0, 0, drawn)
        self.scale_bar.render(painter, QPoint(0, drawn.height() + GRID))
        painter.end()
        return whole

    # Building

    def _lay_out(self) -> None:
        row = QHBoxLayout(self.tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.whats)
        row.addSpacing(GRID // 2)
        for widget in (self.form_menu, self.channel_spin, self.each_button, self.export_button):
            row.addWidget(widget)
        level(self.form_menu, self.channel_spin, self.export_button)

        self._pictures_part = QWidget(self)
        body = QHBoxLayout()
        body.setSpacing(GRID)
        body.addWidget(self.mosaic, 1)
        body.addWidget(self.side)
        foot = QHBoxLayout()
        foot.setSpacing(2 * GRID)
        foot.addWidget(self.scale_bar)
        foot.addWidget(self.caption, 1)
        foot.addWidget(self.readout)
        column = QVBoxLayout(self._pictures_part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        column.addLayout(body, 1)
        column.addLayout(foot)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._pictures_part)
        self._stack.addWidget(self._empty)

    def _offer_forms(self) -> None:
        assert self._pictures is not None
        assert self._layer is not None
        chosen = self._chosen_forms.get(self._name)
        choices = []
        if self._folded is not None:
            weights = kernels_of(self._pictures.weight, self._layer, self._folded)
            choices = [Choice(form, True) for form in weights.forms]
        choices += [Choice(form, False) for form in kernels_of(self._pictures.weight, self._layer).forms]
        self._choices = choices
        with QSignalBlocker(self.form_menu):
            self.form_menu.clear()
            for choice in choices:
                self.form_menu.addItem(self._words.form(choice))
            self.form_menu.setCurrentIndex(choices.index(chosen) if chosen in choices else 0)
        self.form_menu.setVisible(len(choices) > 1)

    # Choosing

    @property
    def _choice(self) -> Choice | None:
        index = self.form_menu.currentIndex()
        return self._choices[index] if 0 <= index < len(self._choices) else None

    def choose_what(self, what: What) -> None:
        """Show the weights, their change or their gradient."""
        self._choose_what(_WHATS.index(what))

    def choose_form(self, form: Form, *, is_folded: bool = False) -> None:
        """Show pictures of that form, where there are any."""
        choice = Choice(form, is_folded)
        if choice in self._choices:
            self.form_menu.setCurrentIndex(self._choices.index(choice))

    def _choose_form(self) -> None:
        if (choice := self._choice) is not None:
            self._chosen_forms[self._name] = choice
        self._draw()

    def _choose_what(self, place: int) -> None:
        self._what = _WHATS[place]
        self.whats.choose(place)
        self._draw()

    # Drawing

    def _draw(self) -> None:
        choice = self._choice
        if self._pictures is None or self._layer is None or choice is None:
            return
        values = getattr(self._pictures, self._what)
        if values is None or (self._what == "change" and not np.any(values)):
            self._show_empty(self._words.nothing(self._what, is_known=values is not None))
            return
        weights = kernels_of(values, self._layer, self._folded if choice.is_folded else None)
        self._weights = weights
        inputs = weights.values.shape[1]
        with QSignalBlocker(self.channel_spin):
            self.channel_spin.setRange(0, inputs - 1)
            self.channel_spin.setPrefix(self.tr("input ") if weights.groups == 1 else self.tr("input of group "))
        self.channel_spin.setVisible(choice.form == "channel" and inputs > 1)
        self.each_button.setVisible(len(weights.values) > 1)
        self.each_button.setText(self.tr("Scale per {0}").format(self._words.noun(weights)))
        self.each_button.setToolTip(self.tr("Colours reach to the largest weight of each, not to that of the layer"))
        tiles = tiles_of(weights, choice.form, self.channel_spin.value())
        limits = largest(weights, each=self.each_button.isChecked())
        if tiles.columns is not None:
            limits = np.tile(limits, inputs) if tiles.is_upright else limits.repeat(inputs)
        self.mosaic.show_tiles(tiles, limits)
        self._stack.setCurrentWidget(self._pictures_part)
        self._say()
        self._show_side()
        # What is below the mouse goes on to change.
        self._read_mosaic(*self._hovered)

    def _show_empty(self, why: str) -> None:
        self._weights = None
        self._empty.show_text(why)
        self._stack.setCurrentWidget(self._empty)

    def _say(self) -> None:
        weights, choice, at = self._weights, self._choice, self.mosaic.arrangement
        if weights is None or choice is None or at is None:
            return
        limit = float(largest(weights, each=False).max(initial=0))
        if at.block > 1:
            limit = self.mosaic.block_limit
        is_grey = choice.form == "colour"
        if self.each_button.isChecked() and at.block == 1:
            self.scale_bar.show_scale(self.tr("−largest"), "0", self.tr("+largest of each"), is_grey=is_grey)
        else:
            self.scale_bar.show_scale(short(-limit), "0", f"+{short(limit)}", is_grey=is_grey)
        channel = self.channel_spin.value()
        self.caption.show_text(self._words.caption(self._what, weights, choice, channel, at.block))

    def _show_side(self) -> None:
        weights, output, choice = self._weights, self.mosaic.chosen, self._choice
        if weights is None or output is None or choice is None:
            self.side.hide()
            return
        count = weights.values.shape[1]
        title = self.tr("{0} channels").format(count) if weights.is_vector else f"{self._words.noun(weights)} {output}"
        limit = float(largest(weights, each=self.each_button.isChecked())[output])
        self.side.show_output(title, weights, output, choice.form, self.channel_spin.value(), limit)
        self.side.show()

    # Reading

    def _read_mosaic(self, tile: int, row: int, column: int) -> None:
        weights, choice, at = self._weights, self._choice, self.mosaic.arrangement
        self._hovered = (tile, row, column)
        if tile < 0 or weights is None or choice is None or at is None or tile >= self.mosaic.num_tiles:
            self.readout.show_text("")
            return
        inputs = weights.values.shape[1]
        if choice.form == "colour":
            self.readout.show_text(self._words.colours(weights, tile, row, column))
            return
        tiles = tiles_of(weights, choice.form)
        output, place = tiles.output(tile), tiles.place(tile)
        if choice.form == "channel":
            place = min(self.channel_spin.value(), inputs - 1)
        if at.block > 1:
            self.readout.show_text(self._words.mean(weights, output, place, at.block))
            return
        self.readout.show_text(self._words.value(weights, output, place, row, column))

    def _read_output(self, place: int, row: int, column: int) -> None:
        weights, output = self._weights, self.mosaic.chosen
        self._hovered = (-1, 0, 0)
        if place < 0 or weights is None or output is None:
            self.readout.show_text("")
        else:
            self.readout.show_text(self._words.value(weights, output, place, row, column))

    # Taking away

    def _fill_menu(self) -> None:
        self._menu.clear()
        self._menu.addAction(self.tr("Copy pictures"), self._copy)
        self._menu.addAction(self.tr("Save pictures…"), self._ask_picture)
        if self.mosaic.chosen is not None:
            self._menu.addAction(self.tr("Copy numbers of the chosen one"), self._copy_numbers)
        for action in self._menu.actions():
            action.setEnabled(self._weights is not None)

    def _open_menu(self, position: QPoint) -> None:
        sender = self.sender()
        self._menu.popup(sender.mapToGlobal(position) if isinstance(sender, QWidget) else self.mapToGlobal(position))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())

    def _copy_numbers(self) -> None:
        QGuiApplication.clipboard().setText(self.side.kernel.text())

    def _ask_picture(self) -> None:
        proposal = f"{self._name}-{self._what}.png"
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save pictures"), proposal, self.tr("Picture (*.png)"))
        if name:
            self.save_picture(Path(name))
