"""Recovery: a killed window's work is found again, a living or finished one's is not."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import edits, files
from explorer.session import Document
from explorer.session.recovery import Autosave, autosave_folder, recoverable

_WINDOW = """
import os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from functools import partial
from pathlib import Path
from PySide6.QtWidgets import QApplication
from explorer import zoo
from explorer.architecture import edits
from explorer.session import Document
from explorer.session.recovery import Autosave
application = QApplication([])
document = Document()
autosave = Autosave(document)
document.open(zoo.entry("lenet5").build(), path=Path(sys.argv[1]))
document.edit("Set", partial(edits.set_value, node_id="fc1", name="out_features", value=77))
autosave._timer.timeout.connect(lambda: print("written", flush=True))
application.exec()
"""


def widen(document: Document, width: int) -> None:
    document.edit("Set", partial(edits.set_value, node_id="fc1", name="out_features", value=width))


@pytest.mark.skipif(os.name == "nt", reason="kill is not a crash there")
def test_what_a_killed_window_left_is_found(tmp_path: Path) -> None:
    origin = tmp_path / "mine.arch.json"
    with subprocess.Popen([sys.executable, "-c", _WINDOW, str(origin)], stdout=subprocess.PIPE, text=True) as window:
        assert window.stdout is not None
        assert window.stdout.readline() == "written\n"
        assert recoverable() == []  # it lives
        window.kill()
    (found,) = recoverable()
    assert found.origin == origin
    assert found.project.architecture == edits.set_value(zoo.entry("lenet5").build(), "fc1", "out_features", 77)
    assert "autosave" not in found.project.sections


def test_saving_and_undoing_leave_nothing_behind(qtbot: QtBot, tmp_path: Path) -> None:
    document = Document()
    autosave = Autosave(document)
    document.open(zoo.entry("lenet5").build())
    widen(document, 90)
    autosave.write()
    assert len(list(autosave_folder().iterdir())) == 1
    document.save(tmp_path / "net.arch.json")
    assert list(autosave_folder().iterdir()) == []
    widen(document, 91)
    autosave.write()
    document.undo_stack.undo()
    assert list(autosave_folder().iterdir()) == []
    autosave.clear()


def test_an_edit_is_written_soon_without_being_asked(qtbot: QtBot) -> None:
    document = Document()
    autosave = Autosave(document)
    document.open(zoo.entry("lenet5").build())
    widen(document, 90)
    qtbot.waitUntil(lambda: any(autosave_folder().iterdir()), timeout=5_000)
    autosave.clear()


def test_a_full_disk_is_reported_once(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document()
    autosave = Autosave(document)
    document.open(zoo.entry("lenet5").build())
    messages: list[str] = []
    autosave.failed.connect(messages.append)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for width in (90, 91):
        widen(document, width)
        autosave.write()
    assert len(messages) == 1
    assert "No space left on device" in messages[0]
    autosave.clear()


def test_damaged_recovery_files_are_passed_over() -> None:
    (autosave_folder() / f"999999999-x{files.SUFFIX}").write_text("{")
    (autosave_folder() / f"name-x{files.SUFFIX}").write_text("{}")
    assert recoverable() == []
