"""The frames of films of moments: of a layer's values, and of what a view painted, each with the step that it shows.

How frames become files is `session.moments_film`'s; which are made, `moments_export`'s.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from explorer.app.moments_views import FilmedView
from explorer.look import ramps
from explorer.look.theme import GRID, Theme, body_font, small_font
from explorer.panels.moments.values import What, side_by_side, values_of
from explorer.runs.moments import MomentFileError, read_moment
from explorer.session.moments_film import Frame

_WIDTH = 480
"""Pixels that a film of maps has at least; whole pixels a pixel."""
_CAPTION = 3 * GRID
"""Pixels of the line that says the step."""
_GROUND = 255
_INK = 0
"""The place of the text's colour; values begin at the next, so that the two lowest levels of the ramp look alike."""
WIDTH_PER_HEIGHT = 1.1
"""Of what the tiles of a layer are to fill: where a row more is as good as a column more, columns."""
Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


def film_of_layer(
    folder: Path,
    steps: Sequence[int],
    layer: str,
    what: What,
    theme: Theme,
    progress: Progress,
    cancelled: Cancelled,
) -> tuple[list[Frame], npt.NDArray[np.uint8], list[int]]:
    """Frames of a layer's maps or weights with one scale for all of them; their palette `(256, 3)`, and their steps.

    A frame holds places in the palette: 1 to 254 are values, 0 is text, 255 the ground. Below the values stands the
    step.

    Raises:
        ValueError: no moment has any, or it was cancelled.
    """
    found: list[tuple[int, npt.NDArray[np.float32]]] = []
    for number, step in enumerate(steps):
        progress(f"Reading moment {number + 1:,} of {len(steps):,}", number / len(steps))
        if cancelled():
            raise ValueError("cancelled")
        try:
            values = values_of(read_moment(folder, step), layer, what)
        except MomentFileError:
            continue
        if values is not None and (not found or values.shape == found[0][1].shape):
            found.append((step, values))
    if not found:
        raise ValueError(f"{layer}: no moment of this run holds its {what}")
    low = min(float(values.min()) for _, values in found)
    high = max(float(values.max()) for _, values in found)
    table = ramps.diverging(theme) if low < 0 else ramps.grey(255)
    palette = np.empty((256, 3), np.uint8)
    palette[:255] = np.stack([table >> 16 & 255, table >> 8 & 255, table & 255], axis=1)
    for place, colour in ((_INK, theme.text), (_GROUND, theme.panel)):
        palette[place] = [colour.red(), colour.green(), colour.blue()]
    frames = [_frame(side_by_side(values, WIDTH_PER_HEIGHT), low, high, f"step {step:,}") for step, values in found]
    return frames, palette, [step for step, _ in found]


def _frame(flat: npt.NDArray[np.float32], low: float, high: float, caption: str) -> Frame:
    if low < 0:
        levels = ramps.signed_levels(flat, max(-low, high))
    else:
        levels = ramps.shares_levels((np.nan_to_num(flat) - low) / ((high - low) or 1.0))
    levels = np.maximum(levels, _INK + 1)
    levels[np.isnan(flat)] = _GROUND
    scale = max(1, -(-_WIDTH // levels.shape[1]))
    large = np.repeat(np.repeat(levels, scale, axis=0), scale, axis=1)
    return np.concatenate([large, _caption(caption, large.shape[1])])


def _caption(text: str, width: int) -> Frame:
    """A line of text, in the palette's ink on its ground."""
    image = QImage(width, _CAPTION, QImage.Format.Format_Grayscale8)
    image.fill(QColor(0, 0, 0))
    painter = QPainter(image)
    painter.setPen(QColor(255, 255, 255))
    painter.setFont(body_font(bold=True))
    painter.drawText(QRect(4, 0, width - 8, _CAPTION), Qt.AlignmentFlag.AlignVCenter, text)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())[:, :width]
    return np.where(rows >= 96, _INK, _GROUND).astype(np.uint8)


def with_caption(image: QImage, step: int, view: FilmedView, theme: Theme) -> Frame:
    """A picture of a view with the step beside, where the view has a place for it."""
    picture = image.convertToFormat(QImage.Format.Format_RGB888)
    text = f"step {step:,}"
    if view.caption == "below":
        text = f"{view.title} · {text}"
        longer = QImage(picture.width(), picture.height() + _CAPTION, QImage.Format.Format_RGB888)
        longer.fill(theme.window)
        painter = QPainter(longer)
        painter.drawImage(0, 0, picture)
        painter.setFont(body_font(bold=True))
        painter.setPen(theme.text)
        line = QRect(GRID, picture.height(), picture.width() - 2 * GRID, _CAPTION)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
        picture = longer
    elif view.caption == "inside":
        painter = QPainter(picture)
        painter.setFont(small_font())
        box = painter.fontMetrics().boundingRect(text).adjusted(-GRID, -2, GRID, 2)
        box.moveTopLeft(picture.rect().topLeft())
        painter.fillRect(box, theme.card)
        painter.setPen(theme.text)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.end()
    rows = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.bytesPerLine())
    return rows[:, : 3 * picture.width()].reshape(picture.height(), picture.width(), 3).copy()
