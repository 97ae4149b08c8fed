"""All layers at once: gradient norm and update ratio over the steps, and a list of the layers with their newest."""

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QBoxLayout, QFrame, QHBoxLayout, QStackedLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.ramps import in_order
from explorer.look.segments import Toggle
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.panels.weights.history import NUMBERS, History

if TYPE_CHECKING:
    from explorer.panels.weights.curves_plot import LayersPlot

_NUM_COLOURS = 16
_ROW = 18
_KEY_WIDTH = 36 * GRID
_HEALTHY_RATIO = 1e-3
_SIDE_BY_SIDE = 90 * GRID


class LayersKey(QAbstractScrollArea):
    """The layers from first to last, each with its colour and newest numbers.

    Signals:
        layer_chosen(str): clicked.
    """

    layer_chosen = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._rows: tuple[tuple[str, str, str], ...] = ()
        self._colours: dict[str, QColor] = {}
        self._selected: str | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFont(small_font())
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Base)
        self.setAccessibleName(self.tr("Layers"))
        themes.changed.connect(lambda _theme: self.viewport().update())

    @property
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Layer, gradient norm and update ratio of each row."""
        return self._rows

    def show_rows(self, rows: tuple[tuple[str, str, str], ...], colours: dict[str, QColor]) -> None:
        """Show these: layer, gradient norm, update ratio."""
        self._rows, self._colours = rows, colours
        self._fit()
        self.viewport().update()

    def select(self, name: str | None) -> None:
        """Mark a layer."""
        if name == self._selected:
            return
        self._selected = name
        place = next((i for i, row in enumerate(self._rows) if row[0] == name), None)
        if place is not None:
            bar, height = self.verticalScrollBar(), self.viewport().height() - _ROW
            bar.setValue(min(max(bar.value(), (place + 1) * _ROW - height), place * _ROW))
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y() + self.verticalScrollBar().value() - _ROW) // _ROW
        if event.position().y() >= _ROW and 0 <= row < len(self._rows):
            self.layer_chosen.emit(self._rows[row][0])

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), theme.panel)
        painter.setFont(small_font())
        metrics = painter.fontMetrics()
        width, offset = self.viewport().width() - 4, self.verticalScrollBar().value()
        numbers_width = 7 * GRID
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for place, (name, norm, ratio) in enumerate(self._rows):
            top = (place + 1) * _ROW - offset
            if top < 0 or top > self.viewport().height():
                continue
            if name == self._selected:
                lit = QColor(theme.test)
                lit.setAlpha(50)
                painter.fillRect(QRectF(0, top, self.viewport().width(), _ROW), lit)
            painter.fillRect(QRectF(4, top + _ROW / 2 - 1.5, 12, 3), self._colours.get(name, theme.wire))
            painter.setPen(theme.text)
            room = QRectF(GRID * 3, top, width - 2 * numbers_width - 3 * GRID - 4, _ROW)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideLeft, int(room.width()))
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
            painter.setPen(theme.muted)
            painter.drawText(QRectF(width - 2 * numbers_width, top, numbers_width, _ROW), right, norm)
            painter.drawText(QRectF(width - numbers_width, top, numbers_width, _ROW), right, ratio)
        painter.fillRect(QRectF(0, 0, self.viewport().width(), _ROW), theme.panel)
        painter.setPen(theme.muted)
        painter.drawText(QRectF(4, 0, width, _ROW), Qt.AlignmentFlag.AlignVCenter, self.tr("layer, first to last"))
        painter.drawText(QRectF(width - 2 * numbers_width, 0, numbers_width, _ROW), right, self.tr("gradient"))
        painter.drawText(QRectF(width - numbers_width, 0, numbers_width, _ROW), right, self.tr("update"))

    def _fit(self) -> None:
        height = self.viewport().height()
        self.verticalScrollBar().setRange(0, max(0, (len(self._rows) + 1) * _ROW - height))
        self.verticalScrollBar().setPageStep(height)
        self.verticalScrollBar().setSingleStep(_ROW)


class CurvesPage(QWidget):
    """Two plots and the list.

    Signals:
        layer_chosen(str): a line or a row was clicked.
    """

    layer_chosen = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._history: History | None = None
        self._selected: str | None = None
        self._marked: int | None = None
        self._norms: frozenset[str] = frozenset()
        self._plots: tuple[LayersPlot, LayersPlot] | None = None
        self.norms_button = Toggle(themes, self)
        self.norms_button.setText(self.tr("With norms"))
        self.norms_button.setToolTip(self.tr("Show scales and shifts of normalisations, too"))
        self.norms_button.toggled.connect(lambda _checked: self._draw())
        self.key = LayersKey(themes, self)
        self.key.setFixedWidth(_KEY_WIDTH)
        self.key.layer_chosen.connect(self.layer_chosen)
        self._empty = RoleLabel(themes, role="muted", wraps=True, parent=self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setText(
            self.tr("Start a run (F5): the gradient and the update of every layer appear here, step by step.")
        )
        self._body = QWidget(self)
        row = QHBoxLayout(self._body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        self._plot_row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._plot_row.setSpacing(GRID)
        row.addLayout(self._plot_row, 1)
        row.addWidget(self.key)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._body)
        themes.changed.connect(lambda _theme: self._draw())

    @property
    def plots(self) -> "tuple[LayersPlot, LayersPlot]":
        """Gradient norm and update ratio."""
        if self._plots is None:
            from explorer.panels.weights.curves_plot import LayersPlot

            self._plots = (
                LayersPlot(self.tr("Gradient norm"), self.tr("of the loss, by layer"), self._themes, self._body),
                LayersPlot(
                    self.tr("Update ratio"),
                    self.tr("size of a step's update ÷ size of the weights"),
                    self._themes,
                    self._body,
                ),
            )
            self._plots[1].show_healthy(_HEALTHY_RATIO, self.tr("about 0.001 is usual"))
            for plot in self._plots:
                self._plot_row.addWidget(plot, 1)
                plot.layer_chosen.connect(self.layer_chosen)
        return self._plots

    def show_history(
        self, history: History, selected: str | None, marked: int | None, norms: frozenset[str] = frozenset()
    ) -> None:
        """Show what there is.

        Args:
            history: of the run.
            selected: the layer to emphasise.
            marked: a step of before that is looked at.
            norms: the layers that only scale and shift; left out unless they are asked for.
        """
        self._history, self._selected, self._marked, self._norms = history, selected, marked, norms
        self._draw()

    def sizeHint(self) -> QSize:
        return QSize(130 * GRID, 24 * GRID)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() - _KEY_WIDTH >= min(_SIDE_BY_SIDE, 1.5 * self.height())
        self._plot_row.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self.key.setVisible(self.width() >= 2 * _KEY_WIDTH)

    def _draw(self) -> None:
        history = self._history
        if history is None or not self.isVisible():
            return
        found = {number: history.curves(number) for number in NUMBERS}
        left_out = frozenset() if self.norms_button.isChecked() else self._norms - {self._selected}
        names = [n for n in history.names if n not in left_out and any(n in lines for _, lines in found.values())]
        if not names:
            self._stack.setCurrentWidget(self._empty)
            return
        ramp = in_order(self._themes.theme, _NUM_COLOURS)
        colours = {name: ramp[i * (_NUM_COLOURS - 1) // max(1, len(names) - 1)] for i, name in enumerate(names)}
        for plot, (steps, lines) in zip(self.plots, found.values(), strict=True):
            plot.show_lines(steps, {name: lines[name] for name in names if name in lines}, colours)
            plot.select(self._selected)
            plot.mark(self._marked)
        rows = []
        for name in names:
            newest = [_newest(lines.get(name)) for _, lines in found.values()]
            rows.append((name, newest[0], newest[1]))
        self.key.show_rows(tuple(rows), colours)
        self.key.select(self._selected)
        self._stack.setCurrentWidget(self._body)


def _newest(values: "np.ndarray | None") -> str:
    if values is None:
        return ""
    finite = values[np.isfinite(values)]
    return numbers.two_digits(float(finite[-1])) if len(finite) else ""
