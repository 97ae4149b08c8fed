"""Weights saved beside a project and found again: whole, changed, missing, unfit, on a full disk, after a kill."""

import errno
import json
import os
from pathlib import Path

import pytest
import torch
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.app import weights_engine
from explorer.app.message_bar import MessageBar
from explorer.app.projects import Projects
from explorer.architecture import edits, files
from explorer.look.theme import ThemeSource
from explorer.runs import IMAGENET, WeightsFacts, read_facts
from explorer.runtime.modules import build_module
from explorer.runtime.weights import load_weights, save_weights
from explorer.session import Document
from explorer.session.recovery import Autosave, autosave_folder, recoverable, sweep_weights
from explorer.session.run_session import InitialWeights, RunSession

LENET = zoo.entry("lenet5").build()
FACTS = WeightsFacts(text="from elsewhere", normalization=IMAGENET, class_names=("nought", "one"))


class Stage:
    """What the window puts together, without its views."""

    def __init__(self, qtbot: QtBot, *, checks: bool = True) -> None:
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.document = Document(self.window)
        self.run = RunSession(lambda *_, **__: None, self.window)
        # As the canvas's maps do.
        self.document.changed.connect(lambda old, _new: self.run.detach() if old is None else None)
        self.bar = MessageBar(ThemeSource(self.window), self.window)
        self.projects = Projects(self.document, self.run, self.bar, self.window)
        self.autosave = Autosave(self.document, parent=self.window, weights=self.run.initial_path)
        if checks:
            self.projects.weights.enable()
        self._qtbot = qtbot

    def apply(self, folder: Path, seed: int = 5) -> InitialWeights:
        """As the dialog does at Apply."""
        path = folder / "mine.safetensors"
        save_weights(build_module(LENET, seed=seed), path, FACTS)
        comparison = weights_engine.compare_file(LENET, path, lambda *_: None, lambda: False)
        kept = weights_engine.keep(comparison, comparison.report, lambda *_: None, lambda: False)
        self.run.start_from(kept)
        return kept

    def is_modified(self) -> bool:
        """A call, since types do not narrow it."""
        return self.document.is_modified

    def started_from(self) -> InitialWeights | None:
        """Likewise."""
        return self.run.initial_weights

    def checked(self) -> None:
        """Wait for the check in the background."""
        self._qtbot.waitUntil(lambda: self.projects.weights._job is None, timeout=20_000)


@pytest.fixture
def stage(qtbot: QtBot) -> Stage:
    stage = Stage(qtbot)
    stage.document.open(LENET)
    return stage


@pytest.fixture
def saved(stage: Stage, tmp_path: Path) -> Path:
    """A project with weights, which is still open."""
    stage.apply(tmp_path)
    path = tmp_path / "net.arch.json"
    assert stage.projects._save_to(path)
    return path


def test_applied_weights_count_as_unsaved_until_they_are_saved(stage: Stage, tmp_path: Path) -> None:
    assert not stage.is_modified()
    kept = stage.apply(tmp_path)
    assert stage.is_modified()
    stage.run.start_from(None)
    assert not stage.is_modified()
    stage.run.start_from(kept)
    path = tmp_path / "net.arch.json"
    assert stage.projects._save_to(path)
    assert not stage.is_modified()
    assert "net.weights.safetensors" in stage.bar.text
    beside = tmp_path / "net.weights.safetensors"
    assert json.loads(path.read_text())["weights"]["sha256"] == files.sha256_of(beside)
    wanted = build_module(LENET, seed=5).state_dict()
    assert all(torch.equal(value, wanted[name]) for name, value in load_weights(beside).items())
    assert read_facts(beside).class_names == FACTS.class_names
    stage.run.start_from(None)
    assert stage.is_modified()
    assert stage.projects._save_to(path)
    assert "weights" not in json.loads(path.read_text())


def test_opening_finds_them_and_is_no_change(qtbot: QtBot, saved: Path) -> None:
    other = Stage(qtbot)
    assert other.projects.open_file(saved)
    initial = other.started_from()
    assert initial is not None
    assert initial.path.name == "net.weights.safetensors"
    assert initial.text == "mine.safetensors: 5 of 5 layers"
    assert initial.normalization == IMAGENET
    assert not other.is_modified()
    other.checked()
    assert other.run.initial_weights == initial
    assert other.bar.isHidden()
    assert other.projects.open_network("lenet5")
    assert other.started_from() is None
    assert not other.is_modified()


def test_renamed_together_they_are_still_found(qtbot: QtBot, saved: Path) -> None:
    saved.rename(saved.with_name("moved.arch.json"))
    saved.with_name("net.weights.safetensors").rename(saved.with_name("moved.weights.safetensors"))
    other = Stage(qtbot)
    assert other.projects.open_file(saved.with_name("moved.arch.json"))
    other.checked()
    assert other.started_from() is not None
    assert not other.is_modified()


def test_missing_ones_are_said_and_the_project_goes_on_naming_them(qtbot: QtBot, saved: Path) -> None:
    saved.with_name("net.weights.safetensors").unlink()
    other = Stage(qtbot)
    assert other.projects.open_file(saved)
    assert "net.weights.safetensors is not beside net.arch.json" in other.bar.text
    assert other.started_from() is None
    assert other.projects._save_to(saved)
    assert json.loads(saved.read_text())["weights"]["file"] == "net.weights.safetensors"
    other.projects.weights._forget()
    assert other.is_modified()
    assert other.projects._save_to(saved)
    assert "weights" not in json.loads(saved.read_text())


def test_changed_ones_are_not_used_unless_somebody_says_so(qtbot: QtBot, saved: Path) -> None:
    beside = saved.with_name("net.weights.safetensors")
    save_weights(build_module(LENET, seed=6), beside)
    other = Stage(qtbot)
    assert other.projects.open_file(saved)
    other.checked()
    assert "was changed after the project was saved" in other.bar.text
    assert other.started_from() is None
    assert not other.is_modified()
    use = next(b for b in other.bar.findChildren(QPushButton) if b.text().startswith("Use"))
    use.click()
    assert other.started_from() is not None
    assert other.is_modified()
    assert other.projects._save_to(saved)
    assert json.loads(saved.read_text())["weights"]["sha256"] == files.sha256_of(beside)


@pytest.mark.parametrize("content", [b"", b"\x80\x04cos\nsystem\n", b"\x08\0\0\0\0\0\0\0{}      "])
def test_damaged_ones_are_never_executed_and_said(qtbot: QtBot, saved: Path, content: bytes) -> None:
    saved.with_name("net.weights.safetensors").write_bytes(content)
    other = Stage(qtbot)
    assert other.projects.open_file(saved)
    other.checked()
    assert "The project's weights" in other.bar.text
    assert other.started_from() is None


def test_what_fits_no_more_is_named(qtbot: QtBot, saved: Path) -> None:
    project = files.load(saved)
    wider = edits.set_value(project.architecture, "fc3", "out_features", 4)
    files.save(files.Project(architecture=wider, sections=project.sections), saved)
    other = Stage(qtbot)
    assert other.projects.open_file(saved)
    other.checked()
    assert "fit only 4 of 5 layers now: fc3 start anew" in other.bar.text
    assert other.started_from() is not None
    alien = zoo.entry("resnet20").build()
    files.save(files.Project(architecture=alien, sections=project.sections), saved)
    assert other.projects.open_file(saved)
    other.checked()
    assert "does not fit the network any more" in other.bar.text
    assert other.started_from() is None


@pytest.mark.parametrize("file", ["../secret.safetensors", "/etc/passwd", "", 3])
def test_a_name_that_leads_elsewhere_is_refused(qtbot: QtBot, saved: Path, file: object) -> None:
    plain = json.loads(saved.read_text())
    plain["weights"]["file"] = file
    saved.write_text(json.dumps(plain))
    other = Stage(qtbot)
    assert other.projects.open_file(saved)
    assert "weights.file" in other.bar.text
    assert other.started_from() is None


def test_saving_elsewhere_takes_them_along(qtbot: QtBot, stage: Stage, saved: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    assert stage.projects._save_to(tmp_path / "b" / "copy.arch.json")
    assert files.sha256_of(tmp_path / "b" / "copy.weights.safetensors") == files.sha256_of(
        saved.with_name("net.weights.safetensors")
    )


def test_a_file_of_somebody_elses_is_asked_for(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.apply(tmp_path)
    alien = tmp_path / "net.weights.safetensors"
    alien.write_bytes(b"not ours")
    asked: list[str] = []

    def answer(_parent: QWidget, _title: str, text: str) -> QMessageBox.StandardButton:
        asked.append(text)
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", answer)
    assert not stage.projects._save_to(tmp_path / "net.arch.json")
    assert "net.weights.safetensors lies there already" in asked[0]
    assert alien.read_bytes() == b"not ours"
    assert not (tmp_path / "net.arch.json").exists()


def test_a_full_disk_leaves_both_files_as_they_were(
    stage: Stage, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = saved.with_name("net.weights.safetensors")
    before = saved.read_bytes(), beside.read_bytes()
    stage.apply(tmp_path, seed=6)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert not stage.projects._save_to(saved)
    assert f"Cannot save to {beside}" in stage.bar.text
    assert "No space left on device" in stage.bar.text
    assert (saved.read_bytes(), beside.read_bytes()) == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    assert stage.is_modified()
    stage.projects._save_without_weights(saved)
    assert "weights" not in json.loads(saved.read_text())
    assert stage.run.initial_weights is not None
    assert stage.is_modified()


def test_what_a_killed_window_started_from_is_restored(
    qtbot: QtBot, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = stage.apply(tmp_path)
    stage.autosave.write()
    ended = 2**22 + 1
    recovery, weights = next(autosave_folder().glob("*.arch.json")), kept.path
    text = recovery.read_text()
    for path in (recovery, weights):
        path.rename(path.with_name(path.name.replace(str(os.getpid()), str(ended), 1)))
    weights = weights.with_name(weights.name.replace(str(os.getpid()), str(ended), 1))
    recovery = recovery.with_name(recovery.name.replace(str(os.getpid()), str(ended), 1))
    recovery.write_text(text.replace(kept.path.name, weights.name))
    sweep_weights()
    assert weights.exists(), "a recovery file names them"
    other = Stage(qtbot)
    (found,) = recoverable()
    other.projects._restore(found)
    other.checked()
    initial = other.started_from()
    assert initial is not None
    assert (initial.text, initial.sha256) == (kept.text, kept.sha256)
    assert initial.path.exists()
    assert other.is_modified()
    assert not weights.exists()
    other.autosave.clear()
    sweep_weights(is_ending=True)
    assert not initial.path.exists()
