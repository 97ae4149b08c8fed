"""Autosave and recovery: what is not saved survives a kill, a crash and a power cut.

Each window writes its modified project to a file of its own, named after its process; a clean end removes it. A file
whose process is gone is what a killed window left, and is offered at the next start. The weights that a window starts
from lie in a folder of their own (`kept_weights`), so that the recovery file only has to name them.
"""

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.architecture import ArchitectureFileError, Project, files
from explorer.session.document import Document
from explorer.session.places import state_folder

AUTOSAVE_INTERVAL_MS = 1_000
_ORIGIN = "autosave"
_KEPT = "autosave-weights"
"""The folder of weights, beside that of the recovery files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A project that a killed window left."""

    file: Path
    project: Project
    origin: Path | None
    """The project's own file, if it had one."""
    modified_s: float
    """When it was last written, in seconds since the epoch."""
    weights: Path | None = None
    """The weights that it starts from, if it has some."""


class Autosave(QObject):
    """Writes the document to a recovery file shortly after each edit.

    Signals:
        failed(str): the recovery file cannot be written, and why; once until a write succeeds.
    """

    failed = Signal(str)

    def __init__(
        self,
        document: Document,
        folder: Path | None = None,
        parent: QObject | None = None,
        *,
        weights: Callable[[], Path | None] = lambda: None,
    ) -> None:
        """Follow a document.

        Args:
            folder: of the recovery files; None for the user's own.
            weights: where the weights lie that a run starts from now; None for fresh ones.
        """
        super().__init__(parent)
        self._document = document
        self._weights = weights
        self._folder = folder or autosave_folder()
        self._file = self._folder / f"{os.getpid()}-{uuid.uuid4().hex[:8]}{files.SUFFIX}"
        self._is_failing = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(AUTOSAVE_INTERVAL_MS)
        self._timer.timeout.connect(self.write)
        # Not restarted while it runs: steady editing is written every second, not once at its end.
        document.changed.connect(lambda _old, _new: self._timer.isActive() or self._timer.start())
        document.file_changed.connect(self._follow_file)

    def write(self) -> None:
        """Write now, if anything is unsaved."""
        if not self._document.is_modified:
            self.clear()
            return
        path, weights = self._document.path, self._weights()
        places = {
            "origin": str(path.resolve()) if path else None,
            "weights": str(weights.resolve()) if weights else None,
        }
        sections = {**self._document.sections, _ORIGIN: places}
        try:
            files.save(Project(architecture=self._document.architecture, sections=sections), self._file)
        except OSError as error:
            if not self._is_failing:
                self._is_failing = True
                self.failed.emit(f"autosave to {self._file} failed: {error.strerror or error}")
        else:
            self._is_failing = False

    def clear(self) -> None:
        """Remove the recovery file: everything is saved, or given up on purpose."""
        self._timer.stop()
        self._file.unlink(missing_ok=True)

    def _follow_file(self) -> None:
        if not self._document.is_modified:
            self.clear()
        elif not self._timer.isActive():
            self._timer.start()  # what changed may be the weights alone


def autosave_folder() -> Path:
    """The folder of recovery files."""
    folder = state_folder() / "autosave"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def recoverable(folder: Path | None = None) -> list[Recovered]:
    """What killed windows left, newest first; files of living windows and damaged ones are passed over."""
    found = []
    for file in (folder or autosave_folder()).glob(f"*{files.SUFFIX}"):
        process = file.name.partition("-")[0]
        if not process.isdigit() or _is_alive(int(process)):
            continue
        try:
            project = files.load(file)
            modified_s = file.stat().st_mtime
        except (ArchitectureFileError, OSError):
            continue
        sections = dict(project.sections)
        places = sections.pop(_ORIGIN, None)
        path, weights = (places.get("origin"), places.get("weights")) if isinstance(places, dict) else (None, None)
        found.append(
            Recovered(
                file=file,
                project=Project(architecture=project.architecture, sections=sections),
                origin=Path(path) if isinstance(path, str) else None,
                modified_s=modified_s,
                weights=Path(weights) if isinstance(weights, str) else None,
            )
        )
    return sorted(found, key=lambda recovered: -recovered.modified_s)


def kept_weights(stem: str) -> Path:
    """A new place for weights that this process starts from; `sweep_weights` at its end takes them away."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in stem)[:80]
    return _kept_folder() / f"{os.getpid()}-{uuid.uuid4().hex[:8]}-{name}.safetensors"


def take_over_weights(path: Path) -> Path:
    """Weights that a killed window kept, under a name of this process's own; others stay where they are.

    The old name stays too, for whoever kills this window before it has written its own recovery file.

    Raises:
        OSError: there are none, or they cannot be copied.
    """
    if path.resolve().parent != _kept_folder().resolve():
        return path
    own = kept_weights(re.sub(r"^[0-9]+-[0-9a-f]{8}-", "", path.stem))
    try:
        own.hardlink_to(path)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(path, own)  # a file system without links
    return own


def sweep_weights(*, is_ending: bool = False) -> None:
    """Remove kept weights of ended processes that no recovery file names.

    Args:
        is_ending: this process is one of them.
    """
    with suppress(OSError):
        named = {place for file in autosave_folder().glob(f"*{files.SUFFIX}") if (place := _named_weights(file))}
        for path in _kept_folder().iterdir():
            process = path.name.lstrip(".").partition("-")[0]
            if not process.isdigit() or path.resolve() in named:
                continue
            if (is_ending and int(process) == os.getpid()) or not _is_alive(int(process)):
                with suppress(OSError):
                    path.unlink()


def _named_weights(file: Path) -> Path | None:
    try:
        named = json.loads(file.read_text(encoding="utf-8"))[_ORIGIN]["weights"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Path(named).resolve() if isinstance(named, str) else None


def _kept_folder() -> Path:
    folder = autosave_folder().with_name(_KEPT)
    folder.mkdir(exist_ok=True)
    return folder


def _is_alive(process_id: int) -> bool:
    if process_id == os.getpid():
        return True
    if os.name == "nt":
        return _is_alive_on_windows(process_id)
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _is_alive_on_windows(process_id: int) -> bool:
    # os.kill(pid, 0) would end the process on Windows; asking for a handle does not.
    import ctypes

    query_limited_information, still_active = 0x1000, 259
    kernel32 = ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore]
    handle = kernel32.OpenProcess(query_limited_information, False, process_id)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel32.CloseHandle(handle)
    return code.value == still_active
