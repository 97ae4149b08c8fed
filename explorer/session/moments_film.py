"""Frames as a film: an animated GIF, or a folder of PNG files. Pillow writes both."""

import contextlib
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
from PIL import Image

Frame = npt.NDArray[np.uint8]
"""`(H, W)` places in a palette, or `(H, W, 3)` red, green, blue."""
_LAST_MS = 1200
"""The last frame stays, so that a loop has an end."""
_MOST_SAMPLED, _SAMPLED_PIXELS = 12, 100_000
"""Frames that a film's colours are chosen from, and pixels of each."""


class PackedFrames(Sequence[Frame]):
    """Frames of colours, packed: a hundred pictures of a window would else take half a gigabyte. All are as large as
    the largest; smaller ones lie at the upper left, on a ground."""

    def __init__(self, ground: tuple[int, int, int]) -> None:
        """None yet; what is beside a smaller one is `ground`, red, green and blue."""
        self._ground = np.array(ground, np.uint8)
        self._packed: list[tuple[int, int, bytes]] = []
        self._height = self._width = 0

    def append(self, frame: Frame) -> None:
        """Add a frame, `(H, W, 3)`."""
        height, width = frame.shape[:2]
        self._height, self._width = max(self._height, height), max(self._width, width)
        self._packed.append((height, width, zlib.compress(frame.tobytes(), 1)))

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, place: int) -> Frame: ...

    @overload
    def __getitem__(self, place: slice) -> list[Frame]: ...

    def __getitem__(self, place: int | slice) -> Frame | list[Frame]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        height, width, packed = self._packed[place]
        frame = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width, 3)
        if (height, width) == (self._height, self._width):
            return frame
        whole = np.empty((self._height, self._width, 3), np.uint8)
        whole[:] = self._ground
        whole[:height, :width] = frame
        return whole


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
        frames: of one size; places in `palette` stay as they are to the last pixel, colours are brought to 256, the
            same ones in all frames, so that what does not change keeps its colour.
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
    shared = _shared_colours(frames) if palette is None and frames[0].ndim == 3 else None
    images = []
    for number, frame in enumerate(frames):
        progress(f"Frame {number + 1:,} of {len(frames):,}", number / len(frames))
        if cancelled():
            raise ValueError("cancelled")
        image = _image(frame, palette)
        images.append(image if shared is None else image.quantize(palette=shared, dither=Image.Dither.NONE))
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
        return Image.fromarray(frame)
    height, width = frame.shape
    image = Image.frombytes("P", (width, height), frame.tobytes())
    image.putpalette(palette.tobytes())
    return image


def _shared_colours(frames: Sequence[Frame]) -> Image.Image:
    """256 colours for all frames, chosen from some of them, as a picture's palette."""
    places = np.unique(np.linspace(0, len(frames) - 1, _MOST_SAMPLED).round().astype(int))
    sampled = []
    for place in places.tolist():
        frame = frames[place]
        every = max(1, round((frame.shape[0] * frame.shape[1] / _SAMPLED_PIXELS) ** 0.5))
        sampled.append(frame[::every, ::every])
    return Image.fromarray(np.concatenate(sampled)).quantize(256)
