"""One image file as pixels of a given size: oriented, resized, cut from the middle; and why a file is none."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

if TYPE_CHECKING:
    # Alone this module loads in a third of the time, which a process that only decodes saves: see `decode_worker`.
    from explorer.layers import Shape

# What PIL warns of while it reads a damaged file ends as a problem, or did no harm; nobody watches the terminal.
warnings.filterwarnings("ignore", module=r"PIL\.")

VERSION = 2
"""Counts what changes the pixels, so that pixels kept on disk are not taken for newer ones."""
_DEEP_MODES = {"I": "32 bits", "F": "floating-point", "I;16": "16 bits", "I;16B": "16 bits", "I;16L": "16 bits"}
_PLAIN_MODES = frozenset({"1", "L", "RGB"})
_ORIENTATION = 0x0112
"""Exif 2.32, 4.6.4: how the camera was held, 1 to 8; from 5 on it lay on its side."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refused(ValueError):  # noqa: N818 - it says what happened
    """A file that is left out; the message goes after its name and a colon."""


class Decoded(NamedTuple):
    """An image as it is kept."""

    pixels: npt.NDArray[np.uint8]
    """`(C, H, W)`."""
    height: int
    """Of the image as it was found, upright."""
    width: int
    remark: str
    """What was done to it that the user may not expect; empty for nothing."""


def decode(path: Path, shape: "Shape") -> Decoded:
    """Read an image, bring its shorter side to the size, and cut the rest off on both sides alike.

    Resized by PIL's bilinear filter, which averages where it shrinks. What PIL would convert badly is refused: 16
    bits lose their range, and CMYK its colours.

    Args:
        shape: `(C, H, W)` with 1 or 3 channels.

    Raises:
        Refused: no image, damaged, or of a kind that has no one meaning as 8-bit grey or colour.
    """
    try:
        if path.stat().st_size == 0:
            raise Refused("is empty")
        with Image.open(path) as image:
            return _decode(image, shape)
    except Refused:
        raise
    except FileNotFoundError:
        raise Refused("is no longer there") from None
    except UnidentifiedImageError:
        raise Refused("is no image") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise Refused("is too large to be decoded") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise Refused("is cut off" if "truncated" in why.lower() else f"cannot be read: {why}") from None
    except Exception as error:
        # On damaged files each of PIL's readers raises something else: SyntaxError, struct.error, IndexError, ...
        raise Refused(f"is damaged: {error}") from None


def read_small(path: Path, side: int) -> npt.NDArray[np.uint8] | None:
    """An image as it is found, `(3, H, W)`, upright and shrunk to a side at most; None if it cannot be read."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (side, side))
            small = _upright(image, image.convert("RGB"))
            small.thumbnail((side, side))
            return np.ascontiguousarray(np.asarray(small, np.uint8).transpose(2, 0, 1))
    except Exception:  # As in `decode`.
        return None


def _decode(image: Image.Image, shape: "Shape") -> Decoded:
    channels, height, width = shape
    num_frames = int(getattr(image, "n_frames", 1))
    # A telephone's MPO is a photograph with a second view, or a depth, behind it.
    if num_frames > 1 and image.format != "MPO":
        raise Refused(f"is animated, with {num_frames} frames; save the one that is meant")
    if image.mode in _DEEP_MODES:
        raise Refused(f"has {_DEEP_MODES[image.mode]} a pixel; save it with 8 bits a channel")
    remark = ""
    found_width, found_height = image.size
    if image.mode in ("P", "PA", "LA", "La", "RGBA", "RGBa"):
        is_palette = image.mode in ("P", "PA")
        whole = image.convert("RGBA")
        is_clear = whole.getchannel("A").getextrema()[0] != 255
        remark = "palette turned to colour" if is_palette else ""
        if is_clear:
            remark = "transparent parts became white"
            ground = Image.new("RGBA", whole.size, "white")
            ground.alpha_composite(whole)
            whole = ground
        upright = _upright(image, whole.convert("RGB"))
    elif image.mode in _PLAIN_MODES:
        # A JPEG decoder can leave out detail that shrinking would; twice the size leaves enough to average.
        image.draft(image.mode, (2 * width, 2 * height))
        upright = _upright(image, image)
    else:
        raise Refused(f"is {image.mode}, not grey or RGB; save it as RGB")
    if image.getexif().get(_ORIENTATION, 1) >= 5:
        found_width, found_height = found_height, found_width
    picture = upright.convert("L" if channels == 1 else "RGB")
    fitted = ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(fitted, np.uint8)
    pixels = pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))
    return Decoded(pixels, found_height, found_width, remark)


def _upright(image: Image.Image, pixels: Image.Image) -> Image.Image:
    """As the camera's mark says that it was held."""
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    return pixels if turn is None else pixels.transpose(turn)
