"""Frames as a film: an animated GIF, or a folder of PNG files. Pillow writes both."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Frame = npt.NDArray[np.uint8]
"""`(H, W)` places in a palette, or `(H, W, 3)` red, green, blue."""
_LAST_MS = 1200
"""The last frame stays, so that a loop has an end."""


def write_gif(
    path: Path,
    frames: Sequence[Frame],
    frames_per_second: float,
    palette: npt.NDArray[np.uint8] | None,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> None:
    """Write an animated GIF that repeats for ever.

    Args:
        path: of the file, which appears whole or not at all.
        frames: of one size; places in `palette` stay as they are to the last pixel, colours are brought to 256.
        frames_per_second: at most 50, which is what GIF can say.
        palette: `(256, 3)` for frames of places, else None.
        progress: is told what is done, and the share of it.
        cancelled: whether to stop.

    Raises:
        OSError: it cannot be written.
        ValueError: there is no frame, or it was cancelled.
    """
    if not frames:
        raise ValueError("a film needs at least one frame")
    images = []
    for number, frame in enumerate(frames):
        progress(f"Frame {number + 1:,} of {len(frames):,}", number / len(frames))
        if cancelled():
            raise ValueError("cancelled")
        images.append(_image(frame, palette))
    duration = [max(20, round(1000 / frames_per_second))] * len(images)
    duration[-1] = max(duration[-1], _LAST_MS)
    staged = path.with_name(f".{path.name}.part")
    try:
        images[0].save(
            staged,
            format="GIF",
            save_all=True,
            append_images=images[1:],
            duration=duration,
            loop=0,
            optimize=False,
            disposal=1,
        )
        staged.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise


def write_pngs(
    folder: Path,
    frames: Sequence[Frame],
    steps: Sequence[int],
    palette: npt.NDArray[np.uint8] | None,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> None:
    """Write `frame-0001-step-000000064.png` and so on into a folder, which is made where it is missing.

    Args:
        folder: whose other files stay.
        frames: as for `write_gif`.
        steps: of each frame.
        palette: `(256, 3)` for frames of places, else None.
        progress: is told what is done, and the share of it.
        cancelled: whether to stop.

    Raises:
        OSError: one cannot be written.
        ValueError: it was cancelled.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, (frame, step) in enumerate(zip(frames, steps, strict=True), 1):
        progress(f"Frame {number:,} of {len(frames):,}", number / len(frames))
        if cancelled():
            raise ValueError("cancelled")
        _image(frame, palette).save(folder / f"frame-{number:04}-step-{step:09}.png")


def _image(frame: Frame, palette: npt.NDArray[np.uint8] | None) -> Image.Image:
    if palette is None:
        return Image.fromarray(frame).quantize(256) if frame.ndim == 3 else Image.fromarray(frame)
    height, width = frame.shape
    image = Image.frombytes("P", (width, height), frame.tobytes())
    image.putpalette(palette.tobytes())
    return image
