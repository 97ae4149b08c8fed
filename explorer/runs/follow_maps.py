"""Feature maps of a run for whoever follows it, by two files in the run's folder.

Who follows asks by `watch.npz`: which nodes, of which image. As long as that is renewed the run answers in `maps.npz`,
which it replaces as a whole as often as its budget for pictures and the disk allow. Neither side waits for the other,
and clocks are not compared. Without a question nothing is captured or written. Arrays only: nothing is unpickled.
"""

import contextlib
import io
import json
import logging
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from explorer.runs.control import RunControl
from explorer.runs.events import Atlas, Event, FeatureMapsCaptured, RunFailed, RunFinished
from explorer.runs.looks import Look, Probe

WATCH_NAME, MAPS_NAME = "watch.npz", "maps.npz"
RENEWAL_S = 4.0
"""How often a follower says that it still looks."""
FORGOTTEN_S = 4 * RENEWAL_S
"""So long after the last renewal the run takes nobody to look any more."""
_INTERVAL_S = 0.2
_DISK_SHARE = 0.1
"""Of its thread's time that writing may take."""
_MOST_BYTES = 1 << 26
_FORMAT = 1
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, AssertionError, zipfile.BadZipFile)
_logger = logging.getLogger(__name__)


class MapsAnswerer:
    """The run's side: a thread that lets `RunControl` watch what is asked, and writes what is captured.

    Use it in a `with` statement. A disk that refuses costs pictures and nothing else.
    """

    def __init__(self, control: RunControl, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._control = control
        self._clock = clock
        self._folder: Path | None = None
        self._mark: tuple[int, int] | None = None
        self._marked_s = 0.0
        self._is_asked = False
        self._newest: FeatureMapsCaptured | None = None
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="maps", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def hear(self, event: Event, folder: Path) -> None:
        """Take what the run says, from any thread.

        Args:
            event: of the run.
            folder: the run's.
        """
        self._folder = folder
        if isinstance(event, FeatureMapsCaptured):
            with self._lock:
                self._newest = event
        elif isinstance(event, (RunFinished, RunFailed)):
            self.answer()

    def look(self) -> None:
        """See what is asked, and watch that."""
        if self._folder is None:
            return
        mark = _mark_of(self._folder / WATCH_NAME)
        now_s = self._clock()
        if mark is not None and mark != self._mark:
            self._marked_s = now_s
            if (question := _read_question(self._folder / WATCH_NAME)) is not None:
                self._mark, self._is_asked = mark, bool(question.maps)
                self._control.watch(question)
        elif self._is_asked and (mark is None or now_s - self._marked_s >= FORGOTTEN_S):
            self._is_asked = False
            self._mark = mark
            self._control.watch(Look())

    def answer(self) -> None:
        """Write the newest maps, if there are new ones that somebody asked for."""
        with self._writing:
            with self._lock:
                event, self._newest = self._newest, None
            if event is None or self._folder is None or not self._is_asked:
                return
            try:
                _replace(self._folder / MAPS_NAME, _packed_maps(event))
            except (OSError, ValueError) as error:
                _logger.info("%s: the feature maps could not be written: %s", self._folder, error)

    def _work(self) -> None:
        wait_s = _INTERVAL_S
        while not self._is_over.wait(wait_s):
            self.look()
            start_s = time.perf_counter()
            self.answer()
            wait_s = max(_INTERVAL_S, (time.perf_counter() - start_s) / _DISK_SHARE)


class MapsReader:
    """A follower's side; all in the thread that follows, since a mount may hang."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read from a run's folder."""
        self._folder = folder
        self._clock = clock
        self._question: Look | None = None
        self._mark: tuple[int, int] | None = None
        self._own_mark: tuple[int, int] | None = None
        """Of the question as it was written, so that another follower's is left alone."""
        self._asked_s = clock()
        self._is_written = False

    def ask(self, question: Look) -> None:
        """Say whose maps are looked at now, nobody's included; it is written when `poll` comes.

        Of several followers the last one that asks is answered.
        """
        if question.maps:
            self._question, self._is_written = question, False
        else:
            self.close()

    def poll(self) -> FeatureMapsCaptured | None:
        """Newer maps, if there are any. A folder that cannot be written, or read, gives none."""
        if self._question is None:
            return None
        now_s = self._clock()
        path = self._folder / WATCH_NAME
        with contextlib.suppress(OSError):
            there = _mark_of(path)
            if not self._is_written or (there is None and now_s - self._asked_s >= RENEWAL_S):
                _replace(path, _packed_question(self._question))
                self._own_mark = _mark_of(path)
                self._is_written, self._asked_s = True, now_s
            elif now_s - self._asked_s >= RENEWAL_S and there == self._own_mark:
                path.touch()
                self._own_mark, self._asked_s = _mark_of(path), now_s
        maps = self._folder / MAPS_NAME
        mark = _mark_of(maps)
        if mark is None or mark == self._mark:
            return None
        # Half a file, as a copy may have it, is one that is looked at again when it has changed.
        self._mark = mark
        return _read_maps(maps)

    def close(self) -> None:
        """Look no more, and leave nothing behind but what another follower asks."""
        path = self._folder / WATCH_NAME
        if self._question is not None and self._own_mark is not None and _mark_of(path) == self._own_mark:
            for name in (WATCH_NAME, MAPS_NAME):
                with contextlib.suppress(OSError):
                    (self._folder / name).unlink(missing_ok=True)
        self._question = self._own_mark = None


def _mark_of(path: Path) -> tuple[int, int] | None:
    """Changes when the file does; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _replace(path: Path, content: bytes) -> None:
    staged = path.with_name(f".{path.name}.part")
    try:
        staged.write_bytes(content)
        staged.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise


def _packed(about: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> bytes:
    file = io.BytesIO()
    text = np.frombuffer(json.dumps({"format": _FORMAT, **about}, allow_nan=False).encode(), np.uint8)
    np.savez(file, about=text, **arrays)  # type: ignore[arg-type]  # an array could be called like an option
    return file.getvalue()


def _unpacked(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """
    Raises:
        one of `_UNREADABLE`: not such a file, or half of one.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path}: larger than {_MOST_BYTES:,} bytes")
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as read:
        arrays: dict[str, npt.NDArray[Any]] = {name: read[name] for name in read.files}
    about = json.loads(arrays.pop("about").tobytes())
    if not isinstance(about, dict) or about["format"] != _FORMAT:
        raise ValueError(f"{path}: of another version")
    return about, arrays


def _packed_question(question: Look) -> bytes:
    probe = question.probe
    about = {"node_ids": list(question.maps), "probe": "" if probe is None else probe.label}
    return _packed(about, {} if probe is None else {"image": probe.image})


def _read_question(path: Path) -> Look | None:
    try:
        about, arrays = _unpacked(path)
        image = arrays.get("image")
        probes = () if image is None else (Probe(label=str(about["probe"]), image=image),)
        return Look(maps=tuple(str(node_id) for node_id in about["node_ids"]), probes=probes)
    except _UNREADABLE:
        return None


_ATLAS_NUMBERS = ("num_channels", "columns", "tile_height", "tile_width", "gap", "minimum", "maximum")


def _packed_maps(event: FeatureMapsCaptured) -> bytes:
    atlases = [
        {"node_id": node_id, **{name: getattr(atlas, name) for name in _ATLAS_NUMBERS}}
        for node_id, atlas in event.atlases.items()
    ]
    about = {"run_id": event.run_id, "step": event.step, "probe": event.probe, "atlases": atlases}
    return _packed(about, {f"atlas{i}": atlas.image for i, atlas in enumerate(event.atlases.values())})


def _read_maps(path: Path) -> FeatureMapsCaptured | None:
    try:
        about, arrays = _unpacked(path)
        atlases = {
            str(entry["node_id"]): Atlas(image=arrays[f"atlas{i}"], **{name: entry[name] for name in _ATLAS_NUMBERS})
            for i, entry in enumerate(about["atlases"])
        }
        return FeatureMapsCaptured(
            run_id=str(about["run_id"]), step=int(about["step"]), probe=str(about["probe"]), atlases=atlases
        )
    except _UNREADABLE:
        return None
