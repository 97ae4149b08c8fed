"""The chosen filter or unit: its figures, and its weights enlarged."""

import math

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.look.labels import ElidedLabel, RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.weights.kernel_view import KernelView, short
from explorer.panels.weights.kernels import Form, Weights

_WIDTH = 38 * GRID
_MOST_ENLARGED = 12
"""Input channels of one output that are enlarged beside each other."""


class OutputView(QWidget):
    """Title, figures, kernels.

    Signals:
        hovered(int, int, int): which of the inputs that the output reads, row and column of the weight under the mouse;
            -1 when there is none.
    """

    hovered = Signal(int, int, int)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: tuple[int, ...] | None = None
        """Which inputs the kernels read; None where each of its numbers is another input's."""
        self._num_inputs = 0
        self.setFixedWidth(_WIDTH)
        self.title = RoleLabel(themes, font=body_font(bold=True), parent=self)
        self.facts = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.kernel = KernelView(themes, self)
        self.kernel.hovered.connect(self._read)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.title)
        column.addWidget(self.facts)
        column.addWidget(self.kernel, 1)

    def show_output(self, title: str, weights: Weights, output: int, form: Form, channel: int, limit: float) -> None:
        """Show one output.

        Args:
            title: what it is called.
            weights: of the layer.
            output: one of its outputs.
            form: how the layer is shown.
            channel: as for `tiles_of`.
            limit: the magnitude at the end of the scale.
        """
        values = weights.values[output]
        self.title.show_text(title)
        norm = float(np.sqrt(np.square(values, dtype=np.float64).sum()))
        least, most, mean = float(values.min()), float(values.max()), float(values.mean())
        facts = self.tr("{0} to {1} · mean {2} · norm {3}")
        self.facts.show_text(facts.format(short(least), short(most), short(mean), short(norm)))
        inputs, height, width = values.shape
        self._num_inputs = inputs
        if height * width == 1:
            # A row of numbers reads best as a square.
            across = math.ceil(math.sqrt(inputs))
            square = np.zeros((-(-inputs // across), across), np.float32)
            square.flat[:inputs] = values.reshape(-1)
            heading = (
                self.tr("in rows")
                if weights.is_vector
                else self.tr("weights of its {0} inputs, in rows").format(inputs)
            )
            self.kernel.show_kernels(square[None], (heading,), limit, in_colour=False, num_values=inputs)
            self._places = None
        elif form == "colour":
            headings = (self.tr("in colour"), self.tr("red"), self.tr("green"), self.tr("blue"))
            self.kernel.show_kernels(values, headings, limit, in_colour=True)
            self._places = (0, 1, 2)
        else:
            first = min(channel, inputs - 1) if form == "channel" else 0
            places = range(first, first + 1) if form == "channel" else range(min(inputs, _MOST_ENLARGED))
            names = tuple(self.tr("input {0}").format(weights.channel(output, place)) for place in places)
            self.kernel.show_kernels(values[places.start : places.stop], names, limit, in_colour=False)
            self._places = tuple(places)

    def _read(self, kernel: int, row: int, column: int) -> None:
        if kernel < 0:
            self.hovered.emit(-1, 0, 0)
        elif self._places is None:
            place = row * self.kernel.kernels.shape[2] + column
            self.hovered.emit(place if place < self._num_inputs else -1, 0, 0)
        else:
            self.hovered.emit(self._places[kernel], row, column)
