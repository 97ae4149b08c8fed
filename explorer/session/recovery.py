"""Autosave and recovery: what is not saved survives a kill, a crash and a power cut.

Each window writes its modified project to a file of its own, named after its process; a clean end removes it. A file
whose process is gone is what a killed window left, and is offered at the next start.
"""

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.architecture import ArchitectureFileError, Project, files
from explorer.session.document import Document
from explorer.session.places import state_folder

AUTOSAVE_INTERVAL_MS = 1_000
_ORIGIN = "autosave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A project that a killed window left."""

    file: Path
    project: Project
    origin: Path | None
    """The project's own file, if it had one."""
    modified_s: float
    """When it was last written, in seconds since the epoch."""


class Autosave(QObject):
    """Writes the document to a recovery file shortly after each edit.

    Signals:
        failed(str): the recovery file cannot be written, and why; once until a write succeeds.
    """

    failed = Signal(str)

    def __init__(self, document: Document, folder: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
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
        path = self._document.path
        sections = {**self._document.sections, _ORIGIN: {"origin": str(path.resolve()) if path else None}}
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
        origin = sections.pop(_ORIGIN, None)
        path = origin.get("origin") if isinstance(origin, dict) else None
        found.append(
            Recovered(
                file=file,
                project=Project(architecture=project.architecture, sections=sections),
                origin=Path(path) if isinstance(path, str) else None,
                modified_s=modified_s,
            )
        )
    return sorted(found, key=lambda recovered: -recovered.modified_s)


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
