"""Two moments of a layer's maps or weights as pictures with one scale, and a third of what changed between them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from explorer.architecture import files
from explorer.inference import infer
from explorer.layers import Shape
from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.moments.pair_words import PairWords, value
from explorer.panels.moments.values import What, coloured, probe_of, side_by_side, values_of
from explorer.runs.moments_packing import Moment
from explorer.session.job import Job

_ARCHITECTURE = "architecture.arch.json"
"""In a run's folder: what it trains."""
_CLOSE_TIMEOUT_S = 2.0
Shapes = Mapping[str, Shape]


class PicturesPage(QWidget):
    """Three pictures side by side.

    Signals:
        found(): it is known how many channels the run's network has.
    """

    found = Signal()

    def __init__(self, folder: Path, themes: ThemeSource, parent: QWidget | None = None) -> None:
        """Compare moments of the run in `folder`."""
        super().__init__(parent)
        self._themes = themes
        self._shapes: Shapes = {}
        """What the layers of the run's network put out; what is open may have been edited since."""
        self._job = Job(partial(_read_shapes, folder), self)
        self._job.finished.connect(self._take_shapes)
        self.pictures = tuple(Picture(themes, self) for _ in range(3))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2 * GRID)
        for picture in self.pictures:
            row.addWidget(picture, 1)
        self._job.start()

    def close_jobs(self) -> None:
        """End all work."""
        self._job.close(_CLOSE_TIMEOUT_S)

    def _take_shapes(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self.found.emit()

    def show_pair(self, left: Sequence[Moment], right: Sequence[Moment], node_id: str, what: What) -> PairWords:
        """Show these, where both moments have them and of one shape; what there is to say of it."""
        before, after = values_of(left, node_id, what), values_of(right, node_id, what)
        if before is None or after is None or before.shape != after.shape:
            for picture in self.pictures:
                picture.show_image(QImage())
            return PairWords(note=self.tr("These moments hold no such values of one layer."))
        theme = self._themes.theme
        low, high = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
        change = after - before
        reach = float(np.abs(change).max()) or 1.0
        form = self.pictures[0].width() / max(1, self.pictures[0].height())
        text, facts = self.tr("values {least} to {greatest}"), []
        for picture, one in zip(self.pictures[:2], (before, after), strict=True):
            picture.show_image(coloured(side_by_side(one, form), low, high, theme))
            facts.append(text.format(least=value(float(one.min())), greatest=value(float(one.max()))))
        self.pictures[2].show_image(coloured(side_by_side(change, form), -reach, reach, theme))
        said = self.tr("{least} to {greatest} · RMS {rms}").format(
            least=value(float(change.min())),
            greatest=value(float(change.max())),
            rms=value(float(np.sqrt(np.mean(np.square(change, dtype=np.float64))))),
        )
        probes = [probe for probe in dict.fromkeys((probe_of(left), probe_of(right))) if probe]
        notes = [self.tr("image: {0}").format(probe) for probe in probes] + self._kept(node_id, len(before))
        return PairWords((facts[0], facts[1], said), " · ".join(notes) if what == "maps" else "")

    def _kept(self, node_id: str, count: int) -> list[str]:
        """That moments keep only so many of a layer's maps."""
        shape = self._shapes.get(node_id, ())
        if not shape or count >= shape[0]:
            return []
        form = self.tr("{0} of {1} channels kept") if len(shape) > 1 else self.tr("{0} of {1} values kept")
        return [form.format(numbers.exact_count(count), numbers.exact_count(shape[0]))]


def _read_shapes(folder: Path, _progress: Callable[[str, float], None], _cancelled: Callable[[], bool]) -> Shapes:
    architecture = files.load(folder / _ARCHITECTURE).architecture
    reports = infer(architecture).nodes.items()
    return {node_id: report.output_shape for node_id, report in reports if report.output_shape is not None}


class Picture(QWidget):
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
