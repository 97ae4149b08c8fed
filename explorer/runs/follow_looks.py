"""What is looked at of a run by whoever follows it, by files in the run's folder.

Who follows asks by `watch.npz`: a whole `Look`, with its images. As long as that is renewed the run answers, in one
file for each kind of event (`answer-LayersOpened.npz`), which it replaces as a whole when there is a newer one, as
often as its budget for pictures and the disk allow. Neither side waits for the other, and clocks are not compared.
Without a question nothing is captured or written. Arrays and JSON only: nothing is unpickled. What another version
wrote is passed over, and so is half a file.

Answers are packed as moments are (`moments_packing`), their large arrays at half precision, and hold at most
`MOST_ANSWER_BYTES`: what is larger goes without its largest parts (`fitted`).
"""

import contextlib
import dataclasses
import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from explorer.runs.control import RunControl
from explorer.runs.events import Event, RunFailed, RunFinished
from explorer.runs.looks import MOST_PROBES, Look, Pixel, Probe
from explorer.runs.moments_packing import EVENT_KINDS, SMALL, UNREADABLE, Moment, pack, read_arrays, unpack
from explorer.runs.observed import LayersOpened, WeightsCaptured

WATCH_NAME = "watch.npz"
ANSWER_NAMES: Mapping[type[Any], str] = {kind: f"answer-{kind.__name__}.npz" for kind in EVENT_KINDS}
RENEWAL_S = 4.0
"""How often a follower says that it still looks."""
FORGOTTEN_S = 4 * RENEWAL_S
"""So long after the last renewal the run takes nobody to look any more."""
MOST_ANSWER_BYTES = 1 << 26
"""Of the arrays of one answer, as they are packed."""
_INTERVAL_S = 0.2
_DISK_SHARE = 0.1
"""Of its thread's time that writing may take."""
_MOST_FILE_BYTES = MOST_ANSWER_BYTES + (1 << 22)
"""Of a file that is read: an answer, and what says what its arrays are."""
_FORMAT = 2
"""Of questions; the first asked for feature maps alone."""
_logger = logging.getLogger(__name__)


class LookAnswerer:
    """The run's side: a thread that lets `RunControl` watch what is asked, and writes what is captured.

    It asks for pictures whenever it can write some, so that none are captured for nothing. Use it in a `with`
    statement. A disk that refuses costs pictures and nothing else.
    """

    def __init__(self, control: RunControl, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._control = control
        self._clock = clock
        self._folder: Path | None = None
        self._mark: tuple[int, int] | None = None
        self._marked_s = 0.0
        self._is_asked = False
        self._newest: dict[type[Any], Moment] = {}
        """Of each kind, what is still to be written."""
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="looks", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        # Who has gone meanwhile has left to us what was written after that.
        self.look()

    def hear(self, event: Event, folder: Path) -> None:
        """Take what the run says, from any thread.

        Args:
            event: of the run.
            folder: the run's.
        """
        self._folder = folder
        if isinstance(event, Moment):
            with self._lock:
                self._newest[type(event)] = event
        elif isinstance(event, (RunFinished, RunFailed)):
            self.answer()

    def look(self) -> None:
        """See what is asked, and watch that."""
        if self._folder is None:
            return
        mark = _mark_of(self._folder / WATCH_NAME)
        now_s = self._clock()
        is_new, self._mark = mark is not None and mark != self._mark, mark
        if is_new and (question := _read_question(self._folder / WATCH_NAME)) is not None:
            self._marked_s, self._is_asked = now_s, not question.is_empty
            self._control.watch(question)
        elif self._is_asked and (mark is None or now_s - self._marked_s >= FORGOTTEN_S):
            self._control.watch(Look())
            with self._writing:
                self._is_asked = False
                _remove_answers(self._folder)

    def ask(self) -> None:
        """Let the run capture more, if anybody looks: what it captures now is written soon."""
        if self._is_asked:
            self._control.ask_for_pictures()

    def answer(self) -> None:
        """Write the newest of each kind, where there are new ones that somebody asked for."""
        with self._writing:
            with self._lock:
                events, self._newest = self._newest, {}
            if self._folder is None or not self._is_asked:
                return
            # Followers see steps grow, as whoever sits at the run does.
            for event in sorted(events.values(), key=lambda event: event.step):
                kind = type(event)
                try:
                    if (part := fitted(event)) is not None:
                        _replace(self._folder / ANSWER_NAMES[kind], pack([part]))
                except (OSError, ValueError, TypeError, MemoryError) as error:
                    _logger.info("%s: %s could not be written: %s", self._folder, kind.__name__, error)

    def _work(self) -> None:
        due_s = 0.0
        while not self._is_over.wait(_INTERVAL_S):
            self.look()
            start_s = time.perf_counter()
            if start_s >= due_s:
                self.answer()
                end_s = time.perf_counter()
                due_s = end_s + (end_s - start_s) / _DISK_SHARE
            # What is captured now is written when it is next looked, and not old by then.
            if time.perf_counter() + _INTERVAL_S >= due_s:
                self.ask()


class LookReader:
    """A follower's side; all in the thread that follows, since a mount may hang."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read from a run's folder."""
        self._folder = folder
        self._clock = clock
        self._question: Look | None = None
        self._marks: dict[str, tuple[int, int] | None] = {}
        """Of the answers that were read."""
        self._own_mark: tuple[int, int] | None = None
        """Of the question as it was written, so that another follower's is left alone."""
        self._asked_s = clock()
        self._is_written = False

    def ask(self, question: Look) -> None:
        """Say what is looked at now, nothing included; it is written when `poll` comes.

        Of several followers the last one that asks is answered.
        """
        if question.is_empty:
            self.close()
        else:
            self._question, self._is_written = question, False

    def poll(self) -> tuple[Moment, ...]:
        """Newer answers by step, if there are any. A folder that cannot be written, or read, gives none."""
        if self._question is None:
            return ()
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
        events: list[Moment] = []
        for name in ANSWER_NAMES.values():
            mark = _mark_of(self._folder / name)
            if mark is None or mark == self._marks.get(name):
                continue
            # Half a file, as a copy may have it, is one that is looked at again when it has changed.
            self._marks[name] = mark
            events += _read_answer(self._folder / name)
        return tuple(sorted(events, key=lambda event: event.step))

    def close(self) -> None:
        """Look no more, and leave nothing behind but what another follower asks."""
        path = self._folder / WATCH_NAME
        if self._question is not None and self._own_mark is not None and _mark_of(path) == self._own_mark:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            _remove_answers(self._folder)
        self._question = self._own_mark = None


def fitted(event: Moment, most_bytes: int = MOST_ANSWER_BYTES) -> Moment | None:
    """An event without its largest parts, so that its arrays take at most so many bytes.

    Gradients and changes of weights, and the parameters of opened layers, go first, the largest layer's before others';
    then whole layers, the largest first. What is left out is logged.

    Returns:
        The event itself where it fits; None where nothing that fits is left.
    """
    if _packed_bytes(event) <= most_bytes:
        return event
    part: Any = event
    for field, node_id, shrunk in _shrunk(event):
        layers = dict(getattr(part, field))
        if shrunk is None:
            del layers[node_id]
        else:
            layers[node_id] = shrunk
        part = dataclasses.replace(part, **{field: layers})
        if layers and _packed_bytes(part) <= most_bytes:
            _logger.info(
                "%s of step %d is too large: without %s and larger ones", type(event).__name__, event.step, node_id
            )
            return part  # type: ignore[no-any-return]  # replaced by its own kind
    _logger.info("%s of step %d is too large and left out", type(event).__name__, event.step)
    return None


def _shrunk(event: Moment) -> Iterator[tuple[str, str, Any]]:
    """Field, node and what takes its place, None for nothing; what to leave out first comes first."""
    for field in ("atlases", "layers"):
        layers: Mapping[str, Any] = getattr(event, field, {})
        ordered = sorted(layers, key=lambda node_id: -_packed_bytes(layers[node_id]))
        for node_id in ordered:
            if isinstance(event, WeightsCaptured):
                yield field, node_id, layers[node_id]._replace(change=None, gradient=None)
            elif isinstance(event, LayersOpened):
                yield field, node_id, layers[node_id]._replace(parameters={})
        for node_id in ordered:
            yield field, node_id, None


def _packed_bytes(value: Any) -> int:
    """Of all arrays in a value, about as `pack` has them."""
    if isinstance(value, np.ndarray):
        return value.nbytes // 2 if value.dtype == np.float32 and value.size > SMALL else value.nbytes
    if isinstance(value, Mapping):
        return sum(_packed_bytes(item) for item in value.values())
    if dataclasses.is_dataclass(value):
        return sum(_packed_bytes(getattr(value, field.name)) for field in dataclasses.fields(value))
    return sum(_packed_bytes(item) for item in value) if isinstance(value, (tuple, list)) else 0


def _remove_answers(folder: Path) -> None:
    for name in ANSWER_NAMES.values():
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)


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


def _content(path: Path) -> bytes:
    """
    Raises:
        OSError, ValueError: it cannot be read, or is larger than any that is written here.
    """
    if path.stat().st_size > _MOST_FILE_BYTES:
        raise ValueError(f"{path}: larger than {_MOST_FILE_BYTES:,} bytes")
    return path.read_bytes()


def _packed_question(question: Look) -> bytes:
    look = {field.name: getattr(question, field.name) for field in dataclasses.fields(question)}
    look["probes"] = [{"label": probe.label, "target": probe.target} for probe in question.probes]
    text = json.dumps({"format": _FORMAT, "look": look}, allow_nan=False)
    images = {f"image{i}": probe.image for i, probe in enumerate(question.probes)}
    file = io.BytesIO()
    np.savez(file, about=np.frombuffer(text.encode(), np.uint8), **images)  # type: ignore[arg-type]  # no option's name
    return file.getvalue()


def _read_question(path: Path) -> Look | None:
    """None for what is no question, or one of another version."""
    try:
        arrays = read_arrays(_content(path))
        about = json.loads(arrays["about"].tobytes())
        if about["format"] != _FORMAT:
            return None
        look = about["look"]
        probes = look["probes"][:MOST_PROBES]
        return Look(
            probes=tuple(
                Probe(label=str(probe["label"]), image=_image(arrays[f"image{i}"]), target=_maybe(int, probe["target"]))
                for i, probe in enumerate(probes)
            ),
            current=max(0, int(look["current"])),
            maps=_names(look["maps"]),
            opened=_names(look["opened"]),
            weighed=_names(look["weighed"]),
            measures=bool(look["measures"]),
            explained=bool(look["explained"]),
            explained_layer=_maybe(str, look["explained_layer"]),
            explained_class=_maybe(int, look["explained_class"]),
            pointed=_maybe(lambda said: Pixel(str(said[0]), *(int(place) for place in said[1:])), look["pointed"]),
            compared=_maybe(lambda said: (str(said[0]), int(said[1])), look["compared"]),
        )
    except UNREADABLE:
        return None


def _names(said: Any) -> tuple[str, ...]:
    return tuple(str(node_id) for node_id in list(said))


def _maybe(kind: Callable[[Any], Any], said: Any) -> Any:
    return None if said is None else kind(said)


def _image(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.kind not in "uif":
        raise ValueError(f"an image of {array.dtype}")
    return array


def _read_answer(path: Path) -> tuple[Moment, ...]:
    try:
        return tuple(dataclasses.replace(event, step=int(event.step)) for event in unpack(_content(path)))
    except UNREADABLE:
        return ()
