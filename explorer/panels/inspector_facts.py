"""Rows of a name and a figure: what a node or the network comes to. What they say is worked out by the pages."""

from collections.abc import Mapping
from typing import NamedTuple

from PySide6.QtCore import QEasingCurve, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from explorer.look.labels import RoleLabel
from explorer.look.numbers import ARROW
from explorer.look.theme import GRID, ThemeSource, body_font

PULSE_MS = 600


class Fact(NamedTuple):
    """A figure as text."""

    text: str
    exact: str
    """For the tooltip: every digit, or why it is not known."""


class PulseLabel(RoleLabel):
    """A figure that lights up briefly when an edit changes it."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(themes, font=body_font(), parent=parent)
        self._whole = self._short = ""
        # A preview's two values may be wider than a narrow dock, which must not grow or scroll sideways for them.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._light = QVariantAnimation(self, startValue=0.6, endValue=0.0, duration=PULSE_MS)
        self._light.setEasingCurve(QEasingCurve.Type.InQuad)
        self._light.valueChanged.connect(self.update)

    def pulse(self) -> None:
        """Light up."""
        self._light.stop()
        self._light.start()

    @property
    def whole(self) -> str:
        """What it says where there is room."""
        return self._whole

    def show_figure(self, whole: str, short: str) -> None:
        """Show `whole`, or `short` where there is no room for it."""
        self._whole, self._short = whole, short
        self._fit()

    def _fit(self) -> None:
        room = self.contentsRect().width()
        metrics = self.fontMetrics()
        text = next((text for text in (self._whole, self._short) if metrics.horizontalAdvance(text) <= room), None)
        self.show_text(metrics.elidedText(self._short, Qt.TextElideMode.ElideMiddle, room) if text is None else text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._light.state() == QVariantAnimation.State.Running:
            colour = QColor(self._themes.theme.pulse)
            colour.setAlphaF(float(self._light.currentValue()))
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            width = min(self.width(), self.fontMetrics().horizontalAdvance(self.text()) + GRID)
            painter.drawRoundedRect(self.width() - width, 0, width, self.height(), 3, 3)
            painter.end()
        super().paintEvent(event)


class Facts(QWidget):
    """Figures under each other, right-aligned; their rows never change, so nothing jumps."""

    def __init__(self, themes: ThemeSource, names: Mapping[str, str], parent: QWidget | None = None) -> None:
        """
        Args:
            names: what is written before each figure, by key, in order.
        """
        super().__init__(parent)
        self._facts: dict[str, Fact] = {}
        self._labels: dict[str, PulseLabel] = {}
        self._names: dict[str, RoleLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for row, (key, name) in enumerate(names.items()):
            title = RoleLabel(themes, role="muted", font=body_font(), parent=self)
            title.setText(name)
            label = PulseLabel(themes, self)
            label.setContentsMargins(GRID // 2, 0, 0, 0)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(title, row, 0)
            grid.addWidget(label, row, 1)
            grid.setRowMinimumHeight(row, 2 * GRID + GRID // 2)
            self._labels[key] = label
            self._names[key] = title

    def apply(self, facts: Mapping[str, Fact], preview: Mapping[str, Fact] | None, *, pulse: bool) -> None:
        """Show these figures.

        Args:
            preview: what they would become after the edit under the pointer.
            pulse: light up the figures that differ from those shown.
        """
        for key, label in self._labels.items():
            fact = facts[key]
            after = None if preview is None else preview[key]
            if after is None or after.text == fact.text:
                label.show_figure(fact.text, fact.text)
                label.setToolTip(fact.exact)
                label.set_role("text")
            else:
                label.show_figure(f"{fact.text} {ARROW} {after.text}", f"{ARROW} {after.text}")
                label.setToolTip(f"{fact.exact} {ARROW} {after.exact}")
                label.set_role("accent")
            if pulse and key in self._facts and self._facts[key].text != fact.text:
                label.pulse()
        self._facts = dict(facts)

    def set_name(self, key: str, name: str) -> None:
        """Write something else before a figure."""
        self._names[key].show_text(name)

    def text(self, key: str) -> str:
        """What stands there for that key."""
        return self._labels[key].whole

    def tip(self, key: str) -> str:
        """The tooltip of the figure of that key."""
        return self._labels[key].toolTip()
