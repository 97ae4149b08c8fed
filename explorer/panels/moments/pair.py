"""Two moments of a run beside each other: a layer's maps or weights at one, at the other, and what changed between."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QComboBox, QDialog, QGridLayout, QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.moments.values import What, coloured, nodes_with, probe_of, side_by_side, values_of
from explorer.runs.moments_packing import Moment
from explorer.session import Document, Selection
from explorer.session.moments_session import MomentsSession, ReadMoment


class MomentPair(QDialog):
    """The pinned moment at the left, the one of the scrubber in the middle, what changed between at the right.

    Signals:
        closed(): the window goes.
        pinned_changed(int): another moment is pinned, by its step.
    """

    closed = Signal()
    pinned_changed = Signal(int)

    def __init__(
        self,
        folder: Path,
        steps: tuple[int, ...],
        pinned: int,
        document: Document,
        selection: Selection,
        themes: ThemeSource,
        parent: QWidget | None = None,
    ) -> None:
        """Compare moments of the run in `folder`.

        Args:
            folder: of the run.
            steps: after which there is a moment, in order.
            pinned: one of them.
        """
        super().__init__(parent)
        self._document = document
        self._selection = selection
        self._themes = themes
        self._steps = steps
        self._shown: list[int] = [pinned, steps[-1]]
        self._moments: list[tuple[Moment, ...] | None] = [None, None]
        self.setWindowTitle(self.tr("Two moments compared"))
        self.setModal(False)
        self.what = QComboBox(self)
        self.what.addItem(self.tr("Feature maps"), "maps")
        self.what.addItem(self.tr("Weights"), "weights")
        self.layer = QComboBox(self)
        self.layer.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.sliders = (QSlider(Qt.Orientation.Horizontal, self), QSlider(Qt.Orientation.Horizontal, self))
        self._titles = tuple(RoleLabel(themes, font=body_font(bold=True), parent=self) for _ in range(3))
        self._facts = tuple(RoleLabel(themes, role="muted", font=small_font(), parent=self) for _ in range(3))
        self.pictures = tuple(_Picture(themes, self) for _ in range(3))
        self._note = RoleLabel(themes, role="muted", font=small_font(), parent=self)
        self._lay_out()
        self._sessions = (MomentsSession(self), MomentsSession(self))
        for place, (session, slider) in enumerate(zip(self._sessions, self.sliders, strict=True)):
            session.open("", folder)
            session.arrived.connect(lambda moment, place=place: self._take(place, moment))
            session.failed.connect(self._note.show_text)
            slider.valueChanged.connect(lambda at, place=place: self._move(place, at))
        self._set_ranges()
        self.what.currentIndexChanged.connect(lambda _place: self._list_layers())
        self.layer.currentIndexChanged.connect(lambda _place: self._draw())
        selection.changed.connect(self._follow_selection)
        themes.changed.connect(self._redraw)
        for place, step in enumerate(self._shown):
            self._sessions[place].ask(step)
        self.resize(116 * GRID, 56 * GRID)

    @property
    def steps(self) -> tuple[int, int]:
        """Of the pinned moment and the other."""
        return self._shown[0], self._shown[1]

    def show_steps(self, steps: tuple[int, ...]) -> None:
        """Other moments are there."""
        if steps:
            self._steps = steps
            self._set_ranges()

    def show_other(self, step: int) -> None:
        """Show this moment beside the pinned one."""
        self._choose(1, step)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw()

    def closeEvent(self, event: QCloseEvent) -> None:
        for session in self._sessions:
            session.close()
        self._selection.changed.disconnect(self._follow_selection)
        self._themes.changed.disconnect(self._redraw)
        self.closed.emit()
        super().closeEvent(event)

    def reject(self) -> None:
        """Escape closes, as the button of the window does."""
        self.close()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(self.layer)
        head.addWidget(self.what)
        head.addWidget(self._note, 1)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(4)
        for column in range(3):
            grid.setColumnStretch(column, 1)
            grid.addWidget(self._titles[column], 0, column)
            grid.addWidget(self._facts[column], 1, column)
            grid.addWidget(self.pictures[column], 2, column)
            if column < 2:
                grid.addWidget(self.sliders[column], 3, column)
        grid.setRowStretch(2, 1)
        column_ = QVBoxLayout(self)
        column_.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column_.setSpacing(2 * GRID)
        column_.addLayout(head)
        column_.addLayout(grid, 1)
        self._titles[2].show_text(self.tr("Change from the left to the right"))
        for label in (self._titles[2], self._facts[2]):
            label.setToolTip(self.tr("Blue fell, orange rose. RMS: the root of the mean squared change."))
        self.sliders[0].setAccessibleName(self.tr("Pinned moment"))
        self.sliders[1].setAccessibleName(self.tr("Other moment"))

    def _set_ranges(self) -> None:
        for place, slider in enumerate(self.sliders):
            slider.blockSignals(True)
            slider.setRange(0, len(self._steps) - 1)
            step = self._shown[place]
            distances = [abs(one - step) for one in self._steps]
            slider.setValue(distances.index(min(distances)))
            slider.blockSignals(False)

    def _move(self, place: int, at: int) -> None:
        self._choose(place, self._steps[at])

    def _choose(self, place: int, step: int) -> None:
        if step == self._shown[place]:
            return
        self._shown[place] = step
        self._set_ranges()
        self._sessions[place].ask(step)
        if place == 0:
            self.pinned_changed.emit(step)

    def _take(self, place: int, moment: ReadMoment) -> None:
        had_none = self._moments[place] is None
        self._moments[place] = moment.events
        if had_none:
            self._list_layers()
        else:
            self._draw()

    def _list_layers(self) -> None:
        """Those that both moments know."""
        left, right = self._moments
        if left is None or right is None:
            return
        what = self._what()
        before = self.layer.currentText() or self._selection.current or ""
        # The input never changes.
        inputs = {node.id for node in self._document.architecture.nodes[:1]} if self._document.is_open else set()
        known = set(nodes_with(left, what))
        found = [node_id for node_id in nodes_with(right, what) if node_id in known]
        self.layer.blockSignals(True)
        self.layer.clear()
        self.layer.addItems(found)
        wanted = self._selection.current if self._selection.current in found else before
        first = next((place for place, node_id in enumerate(found) if node_id not in inputs), 0)
        place = self.layer.findText(wanted or "")
        self.layer.setCurrentIndex(place if place >= 0 else first)
        self.layer.blockSignals(False)
        self._draw()

    def _follow_selection(self, _ids: object) -> None:
        place = self.layer.findText(self._selection.current or "")
        if place >= 0:
            self.layer.setCurrentIndex(place)

    def _redraw(self, _theme: object) -> None:
        self._draw()

    def _what(self) -> What:
        return "weights" if self.what.currentData() == "weights" else "maps"

    def _draw(self) -> None:
        theme, node_id, what = self._themes.theme, self.layer.currentText(), self._what()
        for place, step in enumerate(self._shown):
            name = self.tr("Pinned · step {0}") if place == 0 else self.tr("Step {0}")
            self._titles[place].show_text(name.format(numbers.exact_count(step)))
        values = [None if moment is None else values_of(moment, node_id, what) for moment in self._moments]
        left, right = values
        if left is None or right is None or left.shape != right.shape:
            for picture, facts in zip(self.pictures, self._facts, strict=True):
                picture.show_image(QImage())
                facts.show_text("")
            if None not in self._moments:
                self._note.show_text(self.tr("These moments hold no such values of one layer."))
            return
        moments = [moment for moment in self._moments if moment is not None]
        probes = list(dict.fromkeys(probe for probe in map(probe_of, moments) if probe))
        self._note.show_text(
            " · ".join(self.tr("image: {0}").format(probe) for probe in probes) if what == "maps" else ""
        )
        low, high = float(min(left.min(), right.min())), float(max(left.max(), right.max()))
        change = right - left
        reach = float(np.abs(change).max())
        form = self.pictures[0].width() / max(1, self.pictures[0].height())
        for place, one in enumerate((left, right)):
            self.pictures[place].show_image(coloured(side_by_side(one, form), low, high, theme))
            text = self.tr("values {least} to {greatest}")
            self._facts[place].show_text(text.format(least=_value(float(one.min())), greatest=_value(float(one.max()))))
        self.pictures[2].show_image(coloured(side_by_side(change, form), -(reach or 1.0), reach or 1.0, theme))
        text = self.tr("{least} to {greatest} · RMS {rms}")
        self._facts[2].show_text(
            text.format(
                least=_value(float(change.min())),
                greatest=_value(float(change.max())),
                rms=_value(float(np.sqrt(np.mean(np.square(change, dtype=np.float64))))),
            )
        )


class _Picture(QWidget):
    """An image as large as whole pixels allow."""

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._themes = themes
        self.image = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_image(self, image: QImage) -> None:
        """Show this; a null one for none."""
        self.image = image
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(36 * GRID, 36 * GRID)

    def minimumSizeHint(self) -> QSize:
        return QSize(16 * GRID, 16 * GRID)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._themes.theme.panel)
        if self.image.isNull():
            return
        ratio = self.devicePixelRatioF()
        fit = min((self.width() - 8) / self.image.width(), (self.height() - 8) / self.image.height()) * ratio
        scale = (int(fit) if fit >= 1 else fit) / ratio
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, fit < 1)
        painter.drawImage(QRectF(4, 4, self.image.width() * scale, self.image.height() * scale), self.image)


def _value(value: float) -> str:
    return f"{value:.3g}".replace("-", numbers.MINUS)
