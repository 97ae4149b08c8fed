"""Frames as a film: an animated GIF, or a folder of PNG files. Pillow writes both."""

import contextlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt
from PIL import Image

Frame = npt.NDArray[np.uint8]
"""`(H, W)` places in a palette, or `(H, W, 3)` red, green, blue."""
PICTURES = "frame-*-step-*.png"
"""What `write_pngs` calls its files."""
_LAST_MS = 1200
"""The last frame stays, so that a loop has an end."""
_MOST_SAMPLED, _SAMPLED_PIXELS = 12, 100_000
"""Frames that a film's colours are chosen from, and pixels of each."""
_NUM_CUT = 160
"""Of a film's 256 colours, those that a median cut chooses."""
_AT_ONCE = 4096
"""Colours that are compared with a palette at once: 25 MB."""


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
    colours = _Colours(_shared_palette(frames)) if palette is None else None
    images = []
    for number, frame in enumerate(frames):
        progress(f"Frame {number + 1:,} of {len(frames):,}", number / len(frames))
        if cancelled():
            raise ValueError("cancelled")
        images.append(_image(frame, palette) if colours is None else _image(colours.places(frame), colours.palette))
    duration = [max(20, round(1000 / frames_per_second))] * len(images)
    duration[-1] = max(duration[-1], _LAST_MS)
    with _staged(path) as staged:
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


def write_pngs(
    folder: Path,
    frames: Sequence[Frame],
    steps: Sequence[int],
    palette: npt.NDArray[np.uint8] | None,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> None:
    """Write `frame-0001-step-000000064.png` and so on into a folder, which is made where it is missing.

    Each picture appears whole or not at all; those before one that cannot be written stay.

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
        with _staged(folder / f"frame-{number:04}-step-{step:09}.png") as staged:
            _image(frame, palette).save(staged, format="PNG")


@contextlib.contextmanager
def _staged(path: Path) -> Iterator[Path]:
    """A file beside, which takes the name in the end; nothing of it stays where it could not be written."""
    staged = path.with_name(f".{path.name}.part")
    try:
        yield staged
        staged.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise


def _image(frame: Frame, palette: npt.NDArray[np.uint8] | None) -> Image.Image:
    if palette is None:
        return Image.fromarray(frame)
    height, width = frame.shape
    image = Image.frombytes("P", (width, height), frame.tobytes())
    image.putpalette(palette.tobytes())
    return image


def _shared_palette(frames: Sequence[Frame]) -> npt.NDArray[np.uint8]:
    """Colours for all frames, chosen from some of them, `(256, 3)`.

    Most are a median cut, in which rare colours count more than they have pixels, the others whatever is then farthest
    off: a thin line that says a layer's category must keep its colour among a hundred thousand pixels of grey maps.
    """
    places = np.unique(np.linspace(0, len(frames) - 1, _MOST_SAMPLED).round().astype(int))
    sampled = []
    for number, place in enumerate(places.tolist()):
        frame = frames[place]
        every = max(1, round((frame.shape[0] * frame.shape[1] / _SAMPLED_PIXELS) ** 0.5))
        # From frame to frame others, or a line of one pixel may lie between all that are looked at.
        first = number % every
        sampled.append(_packed(frame[first::every, first::every]).ravel())
    found, counts = np.unique(np.concatenate(sampled), return_counts=True)
    colours = _unpacked(found)
    damped = np.repeat(colours, np.ceil(np.sqrt(counts)).astype(int), axis=0)
    cut = Image.fromarray(damped[None].astype(np.uint8)).quantize(_NUM_CUT)
    chosen = np.asarray(cut.getpalette(), np.int64)[: 3 * _NUM_CUT].reshape(-1, 3)
    off = np.full(len(colours), np.iinfo(np.int64).max)
    for colour in chosen:
        off = np.minimum(off, _squares(colours, colour))
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(chosen)] = chosen
    for place in range(len(chosen), 256):
        palette[place] = colours[np.argmax(off * counts)]
        off = np.minimum(off, _squares(colours, palette[place].astype(np.int64)))
    return palette


class _Colours:
    """Brings colours to the nearest of a palette; Pillow's own way looks at six bits of each, so that white is grey."""

    def __init__(self, palette: npt.NDArray[np.uint8]) -> None:
        self.palette = palette
        self._place = np.zeros(1 << 24, np.uint8)
        self._is_known = np.zeros(1 << 24, np.bool_)

    def places(self, frame: Frame) -> Frame:
        """The places in the palette of a frame's colours, `(H, W)`."""
        packed = _packed(frame)
        new = np.unique(packed[~self._is_known[packed]])
        for some in np.array_split(new, len(new) // _AT_ONCE + 1):
            off = _squares(_unpacked(some)[:, None], self.palette.astype(np.int64))
            self._place[some] = off.argmin(axis=1)
        self._is_known[new] = True
        return self._place[packed]


def _packed(frame: Frame) -> npt.NDArray[np.uint32]:
    """Colours `(H, W, 3)` as one number each, `(H, W)`."""
    red, green, blue = (frame[..., place].astype(np.uint32) for place in range(3))
    return red << np.uint32(16) | green << np.uint32(8) | blue


def _unpacked(packed: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """Colours `(n, 3)` of as many numbers."""
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=1).astype(np.int64)


def _squares(colours: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """How far colours are off another, squared, summed over the last axis."""
    return np.asarray(((colours - other) ** 2).sum(axis=-1), np.int64)
