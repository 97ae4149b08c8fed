"""The three pictures of a card as pixmaps, kept while they stay the same. Their pixels are `heat`'s."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPixmap

from explorer.panels.explanations.card import Card
from explorer.panels.explanations.heat import (
    as_qimage,
    blended,
    cam_levels,
    is_crisp,
    resized,
    saliency_levels,
    seen,
)


class Pictures(NamedTuple):
    """Of one card."""

    plain: QPixmap
    saliency: QPixmap
    cam: QPixmap | None
    """None where no layer has height and width."""


class _Ground(NamedTuple):
    small: npt.NDArray[np.uint8]
    side: int
    pixels: npt.NDArray[np.uint8]
    drawn: QPixmap


class KeptPictures:
    """Makes pictures when they are first drawn: saliency and Grad-CAM change with each answer, images hardly ever."""

    def __init__(self) -> None:
        self._pictures: dict[str, Pictures] = {}
        self._grounds: dict[str, _Ground] = {}

    def keep(self, labels: set[str]) -> None:
        """There are other answers, of probes with these labels; of others nothing is needed any more."""
        self._pictures.clear()
        self._grounds = {label: ground for label, ground in self._grounds.items() if label in labels}

    def redraw(self) -> None:
        """Size or opacity is another."""
        self._pictures.clear()

    def of(self, card: Card, side: int, opacity: float, ratio: float) -> Pictures:
        """A card's pictures.

        Args:
            card: what they show.
            side: of their square, in the screen's logical pixels.
            opacity: how much the heat covers of the image, 0 to 1.
            ratio: the screen's pixels to a logical one.
        """
        found = self._pictures.get(card.answer.probe)
        if found is None:
            found = self._pictures[card.answer.probe] = self._make(card, side, opacity, ratio)
        return found

    def _make(self, card: Card, side: int, opacity: float, ratio: float) -> Pictures:
        answer = card.answer
        ground, plain = self._ground(card, round(side * ratio), ratio)
        height, width = ground.shape[:2]
        levels = resized(saliency_levels(answer.saliency), width, height, smooth=not is_crisp(answer.saliency))
        saliency = _framed(blended(ground, levels, opacity), ratio)
        if answer.cam is None:
            return Pictures(plain, saliency, None)
        levels = resized(cam_levels(answer.cam), width, height, smooth=True)
        return Pictures(plain, saliency, _framed(blended(ground, levels, opacity), ratio))

    def _ground(self, card: Card, side: int, ratio: float) -> tuple[npt.NDArray[np.uint8], QPixmap]:
        """The image at its size on screen, as pixels and as it is drawn; kept while it is the same."""
        small = seen(card.answer.image) if card.picture is None else card.picture
        kept = self._grounds.get(card.answer.probe)
        if kept is not None and kept.side == side and np.array_equal(kept.small, small):
            return kept.pixels, kept.drawn
        # As it is: not stretched to a square where it is none.
        scale = side / max(small.shape[:2])
        height, width = (max(1, round(length * scale)) for length in small.shape[:2])
        pixels = resized(small, width, height, smooth=not is_crisp(small))
        made = _Ground(small, side, pixels, _framed(pixels, ratio))
        self._grounds[card.answer.probe] = made
        return made.pixels, made.drawn


def _framed(picture: npt.NDArray[np.uint8], ratio: float) -> QPixmap:
    """A picture in the middle of a square."""
    height, width = picture.shape[:2]
    image = as_qimage(picture)
    if height == width:
        pixmap = QPixmap.fromImage(image)
    else:
        side = max(height, width)
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.drawImage((side - width) // 2, (side - height) // 2, image)
        painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
