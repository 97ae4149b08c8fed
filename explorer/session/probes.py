"""Where probe images come from: the embedded digits by class, and image files of the user's."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter

from explorer.assets import resource
from explorer.runs import Probe

LARGEST_SIDE = 1024
_PER_CLASS = 20


class ProbeImageError(ValueError):
    """A file that is no readable image; the message names it and says what would work."""


@lru_cache(maxsize=1)
def probe_images() -> tuple[Probe, ...]:
    """Test images of the embedded digits, 20 of each class, in the order 0 to 9, 0 to 9, …; read on the first call.

    Raises:
        FileNotFoundError: the installation lacks the data set.
    """
    with np.load(resource("digits", "digits.npz"), allow_pickle=False) as arrays:
        images, labels = arrays["test_images"], arrays["test_labels"]
    by_class = [np.flatnonzero(labels == digit)[:_PER_CLASS] for digit in range(10)]
    images.flags.writeable = False
    return tuple(
        Probe(label=f"digit {digit}, no. {number + 1}", target=digit, image=images[by_class[digit][number]])
        for number in range(_PER_CLASS)
        for digit in range(10)
    )


def read_image(path: Path) -> Probe:
    """The image in a file, as stored but for its orientation mark; larger than 1024 pixels is scaled down to that.

    Raises:
        ProbeImageError: missing, damaged, or of a format that Qt does not read.
    """
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    # By content, since names lie; and never the whole of a giant picture when a small one will do.
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > LARGEST_SIDE:
        reader.setScaledSize(size.scaled(QSize(LARGEST_SIDE, LARGEST_SIDE), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        reason = reader.errorString().rstrip(".").lower() or "damaged"
        raise ProbeImageError(f"{path.name} cannot be read as an image ({reason}); use a PNG, JPEG, BMP or GIF file")
    return Probe(label=path.name, image=pixels(image))


def pixels(image: QImage) -> npt.NDArray[np.uint8]:
    """The image's pixels, `(H, W)` if it is grey and `(3, H, W)` if not; transparency becomes white."""
    if image.hasAlphaChannel():
        ground = QImage(image.size(), QImage.Format.Format_RGB888)
        ground.fill(Qt.GlobalColor.white)
        painter = QPainter(ground)
        painter.drawImage(0, 0, image)
        painter.end()
        image = ground
    if image.allGray():
        result = _rows(image.convertToFormat(QImage.Format.Format_Grayscale8), 1)[:, :, 0]
    else:
        result = np.ascontiguousarray(_rows(image.convertToFormat(QImage.Format.Format_RGB888), 3).transpose(2, 0, 1))
    result.flags.writeable = False
    return result


def to_qimage(image: npt.NDArray[Any]) -> QImage:
    """The picture of an array as `Probe.image` holds it."""
    if image.ndim == 2:
        grey = np.ascontiguousarray(image)
        height, width = grey.shape
        return QImage(grey.data, width, height, width, QImage.Format.Format_Grayscale8).copy()
    rgb = np.ascontiguousarray(image.transpose(1, 2, 0))
    height, width, _ = rgb.shape
    return QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def _rows(image: QImage, channels: int) -> npt.NDArray[np.uint8]:
    # Qt pads every row to four bytes.
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    # A copy: the view does not keep the image alive.
    return rows[:, : image.width() * channels].copy().reshape(image.height(), image.width(), channels)
