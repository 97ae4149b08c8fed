"""The dialog of trained weights, with small files made here, and what a run, maps and export then start from."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot
from torch import Tensor

from explorer import zoo
from explorer.app import weights_engine
from explorer.app.weights_dialog import SUFFIXES, WeightsDialog
from explorer.app.weights_engine import Offer, look_up, matching_entries
from explorer.app.window import MainWindow
from explorer.architecture import Architecture, edits
from explorer.architecture.freezing import all_but_head
from explorer.look.numbers import short_bytes
from explorer.look.theme import ThemeSource
from explorer.runs import RunConfig, RunFinished, RunStarted
from explorer.runtime import pretrained, weights_files
from explorer.runtime.download import DownloadCancelled, DownloadError
from explorer.runtime.modules import build_module
from explorer.runtime.torchvision_door import torchvision
from explorer.runtime.weights import load_weights
from explorer.session import Document
from explorer.session.run_session import RunSession

LENET = zoo.entry("lenet5").build()


def values(architecture: Architecture = LENET, seed: int = 5) -> dict[str, Tensor]:
    return build_module(architecture, seed=seed).state_dict()


@pytest.fixture(autouse=True)
def quick_lookup(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision is asked only where a test is about it."""
    if "offer" not in request.fixturenames:
        monkeypatch.setattr(weights_engine, "look_up", lambda *_: ())


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    document = Document()
    document.open(LENET)
    return document


@pytest.fixture
def run(qtbot: QtBot) -> RunSession:
    return RunSession(lambda *_, **__: None)


@pytest.fixture
def make(qtbot: QtBot, document: Document, run: RunSession) -> Callable[[], WeightsDialog]:
    themes = ThemeSource()

    def make() -> WeightsDialog:
        dialog = WeightsDialog(document, run, themes)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return make


@pytest.fixture
def dialog(qtbot: QtBot, make: Callable[[], WeightsDialog]) -> WeightsDialog:
    dialog = make()
    qtbot.waitUntil(lambda: "no trained weights" in dialog.offers_text.text(), timeout=10_000)
    return dialog


def opened(qtbot: QtBot, dialog: WeightsDialog, path: Path) -> None:
    dialog.open_file(path)
    settled(qtbot, dialog)


def settled(qtbot: QtBot, dialog: WeightsDialog) -> None:
    qtbot.waitUntil(lambda: not dialog.cancel_button.isVisible(), timeout=20_000)


def applied(qtbot: QtBot, dialog: WeightsDialog) -> None:
    with qtbot.waitSignal(dialog.accepted, timeout=20_000):
        dialog.apply_button.click()


def rows(dialog: WeightsDialog) -> dict[str, list[tuple[str, str]]]:
    """The list: name and reason of each row, by group."""
    result = {}
    for index in range(dialog.view.list.topLevelItemCount()):
        group = dialog.view.list.topLevelItem(index)
        assert group is not None
        children = [child for at in range(group.childCount()) if (child := group.child(at)) is not None]
        result[group.text(0)] = [(child.text(0), child.text(2)) for child in children]
    return result


def test_the_report_comes_before_anything_is_applied(
    qtbot: QtBot, dialog: WeightsDialog, run: RunSession, document: Document, tmp_path: Path
) -> None:
    given = values()
    ids = [node.id for node in LENET if f"{node.id}.weight" in given]
    first, second, head = ids[0], ids[1], ids[-1]
    given[f"{head}.weight"], given[f"{head}.bias"] = given[f"{head}.weight"][:3], given[f"{head}.bias"][:3]
    given[f"{first}.weight"] = torch.zeros(2, 2)
    del given[f"{second}.bias"]
    given["extra.weight"] = torch.zeros(3)
    torch.save({"state_dict": given}, tmp_path / "mine.pth")
    opened(qtbot, dialog, tmp_path / "mine.pth")
    taken = len(ids) - 3
    assert dialog.view.counts.whole == f"{taken} taken · 1 fresh · 1 missing · 1 does not fit · 1 unused in the file"
    shown = rows(dialog)
    assert next(iter(shown)) == "Does not fit (1)"
    ((name, why),) = shown["Does not fit (1)"]
    assert name == first
    assert "2×2 in the file" in why
    assert shown["Missing in the file (1)"] == [(second, f"{second}.bias is not in the file")]
    assert shown["Left over in the file (1)"][0][0] == "extra.weight"
    assert len(shown[f"Taken from the file ({taken})"]) == taken
    assert "'state_dict'" in dialog.view.notes.text()
    assert run.initial_weights is None
    assert document.architecture is LENET


def test_apply_keeps_the_weights_and_freezes_in_one_undoable_edit(
    qtbot: QtBot, dialog: WeightsDialog, run: RunSession, document: Document, tmp_path: Path
) -> None:
    given = values()
    torch.save({f"module.{name}": value for name, value in given.items()}, tmp_path / "mine.th")
    opened(qtbot, dialog, tmp_path / "mine.th")
    dialog.freeze.setCurrentIndex(dialog.freeze.findText("all but the head"))
    head = document.snapshot.inference.totals.num_parameters - sum(
        given[f"{i}.{leaf}"].numel()
        for i in all_but_head(LENET)
        for leaf in ("weight", "bias")
        if f"{i}.{leaf}" in given
    )
    assert f"changes {head:,} of" in dialog.freeze_text.whole
    applied(qtbot, dialog)
    start = run.initial_weights
    assert start is not None
    num_layers = len({name.rpartition(".")[0] for name in given})
    assert start.text == f"mine.th: {num_layers} of {num_layers} layers"
    kept = load_weights(start.path)
    assert kept.keys() == given.keys()
    assert all(torch.equal(kept[name], given[name]) for name in given)
    assert run.checkpoint == str(start.path)
    assert {node.id for node in document.architecture if node.frozen} == set(all_but_head(LENET))
    assert document.undo_stack.count() == 1
    document.undo_stack.undo()
    assert document.architecture == LENET


def test_freezing_alone_and_fresh_weights(
    qtbot: QtBot, make: Callable[[], WeightsDialog], run: RunSession, document: Document, tmp_path: Path
) -> None:
    dialog = make()
    assert not dialog.apply_button.isEnabled()
    dialog.freeze.setCurrentIndex(dialog.freeze.findText("all but the head"))
    applied(qtbot, dialog)
    assert any(node.frozen for node in document.architecture)
    assert run.initial_weights is None
    torch.save(values(), tmp_path / "mine.pt")
    dialog = make()
    assert not dialog.fresh_button.isEnabled()
    opened(qtbot, dialog, tmp_path / "mine.pt")
    dialog.freeze.setCurrentIndex(dialog.freeze.findText("nothing"))
    applied(qtbot, dialog)
    assert document.architecture == LENET
    dialog = make()
    assert "mine.pt" in dialog.current.whole
    dialog.fresh_button.click()
    assert run.initial_weights is None
    assert run.checkpoint is None
    assert dialog.current.whole == "The next run starts from fresh weights."


def test_what_is_frozen_without_weights_of_the_file_is_named(
    qtbot: QtBot, dialog: WeightsDialog, tmp_path: Path
) -> None:
    given = values()
    first = all_but_head(LENET)[0]
    torch.save({name: value for name, value in given.items() if not name.startswith(f"{first}.")}, tmp_path / "a.pt")
    opened(qtbot, dialog, tmp_path / "a.pt")
    assert "not from the file" not in dialog.freeze_text.whole
    dialog.freeze.setCurrentIndex(dialog.freeze.findText("all but the head"))
    assert f"Frozen, but not from the file: {first}." in dialog.freeze_text.whole


def test_pairing_in_order_is_offered_and_can_be_taken_back(
    qtbot: QtBot, dialog: WeightsDialog, run: RunSession, tmp_path: Path
) -> None:
    given = values()
    names = {name: f"part{index // 2}.{name.rpartition('.')[2]}" for index, name in enumerate(given)}
    torch.save({names[name]: value for name, value in given.items()}, tmp_path / "other.pth")
    opened(qtbot, dialog, tmp_path / "other.pth")
    assert not dialog.apply_button.isEnabled()
    assert "That is a guess" in dialog.view.offer.text()
    dialog.view.offer_button.click()
    assert dialog.apply_button.isEnabled()
    dialog.view.offer_button.click()
    assert not dialog.apply_button.isEnabled()
    dialog.view.offer_button.click()
    applied(qtbot, dialog)
    assert run.initial_weights is not None
    kept = load_weights(run.initial_weights.path)
    assert all(torch.equal(kept[name], given[name]) for name in given)


def test_a_dropped_file_that_is_none_says_so_in_a_sentence(qtbot: QtBot, dialog: WeightsDialog, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no weights")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    where, copy, left = QPoint(5, 5), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(where, copy, data, left, Qt.KeyboardModifier.NoModifier)
    enter.ignore()
    dialog.dragEnterEvent(enter)
    assert enter.isAccepted()
    dialog.dropEvent(QDropEvent(where.toPointF(), copy, data, left, Qt.KeyboardModifier.NoModifier))
    settled(qtbot, dialog)
    assert dialog.error.isVisible()
    assert dialog.error.text().startswith("notes.txt: damaged, or not a file of weights")
    assert not dialog.view.isVisible()


def test_nothing_is_applied_while_a_run_is_active(
    qtbot: QtBot, dialog: WeightsDialog, run: RunSession, tmp_path: Path
) -> None:
    torch.save(values(), tmp_path / "mine.pt")
    opened(qtbot, dialog, tmp_path / "mine.pt")
    assert dialog.apply_button.isEnabled()
    run.start(LENET, RunConfig())
    assert not dialog.apply_button.isEnabled()
    assert "A run is active" in dialog.apply_button.toolTip()
    qtbot.waitUntil(lambda: not run.is_active, timeout=5_000)
    assert dialog.apply_button.isEnabled()


def test_a_network_with_faults_offers_nothing(
    qtbot: QtBot, make: Callable[[], WeightsDialog], document: Document
) -> None:
    document.edit("Set", lambda a: edits.set_value(a, "conv1", "kernel_size", (99, 99)))
    dialog = make()
    assert "has faults" in dialog.error.text()
    assert not dialog.file_button.isEnabled()


# torchvision's


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Offer:
    offer = Offer("lenet5", "lenet5, MADE_UP", 246_824, False, 69.758, 1000, 256, 224)
    monkeypatch.setattr(weights_engine, "look_up", lambda *_: (offer,))
    known = pretrained.details(zoo.entry("googlenet-torchvision"))
    monkeypatch.setattr(pretrained, "details", lambda _entry: known)
    return offer


def offered(qtbot: QtBot, dialog: WeightsDialog) -> QPushButton:
    def button() -> QPushButton | None:
        return next((b for b in dialog.findChildren(QPushButton, "offer-lenet5") if b.isVisible()), None)

    qtbot.waitUntil(lambda: button() is not None, timeout=10_000)
    found = button()
    assert found is not None
    return found


def test_an_offer_is_downloaded_with_progress_and_compared(
    qtbot: QtBot,
    make: Callable[[], WeightsDialog],
    offer: Offer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = tmp_path / "lenet5-0123.pth"
    monkeypatch.setattr(pretrained, "find", lambda _entry: path if path.exists() else None)

    def download(_entry: zoo.Entry, progress: Callable[[int, int], None], _cancelled: Callable[[], bool]) -> Path:
        progress(0, 1000)
        progress(1000, 1000)
        torch.save(values(), path)
        return path

    monkeypatch.setattr(pretrained, "download", download)
    dialog = make()
    button = offered(qtbot, dialog)
    assert button.text().startswith("Download, 241")
    button.click()
    settled(qtbot, dialog)
    assert "Every layer" in dialog.view.summary.text()
    assert "normalised with mean 0.5, 0.5, 0.5" in dialog.view.facts.text()
    assert "1,000 classes: tench, " in dialog.view.facts.text()
    qtbot.waitUntil(lambda: offered(qtbot, dialog).text() == "Compare", timeout=5_000)
    path.write_bytes(b"damaged")
    offered(qtbot, dialog).click()
    settled(qtbot, dialog)
    assert "damaged" in dialog.error.text()
    qtbot.waitUntil(lambda: "again" in offered(qtbot, dialog).text(), timeout=5_000)
    offered(qtbot, dialog).click()
    settled(qtbot, dialog)
    assert "Every layer" in dialog.view.summary.text()


def test_a_download_can_be_cancelled(
    qtbot: QtBot, make: Callable[[], WeightsDialog], offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "find", lambda _entry: None)
    never = threading.Event()

    def download(_entry: zoo.Entry, progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> Path:
        progress(100, 500)
        while not cancelled():
            never.wait(0.01)
        raise DownloadCancelled

    monkeypatch.setattr(pretrained, "download", download)
    dialog = make()
    offered(qtbot, dialog).click()
    qtbot.waitUntil(lambda: dialog.progress_text.whole == f"{short_bytes(100)} of {short_bytes(500)}", timeout=10_000)
    assert dialog.progress.value() == 200
    dialog.cancel_button.click()
    settled(qtbot, dialog)
    assert dialog.error.text() == "Cancelled; nothing was changed."


def test_a_failed_download_says_what_helps(
    qtbot: QtBot, make: Callable[[], WeightsDialog], offer: Offer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "find", lambda _entry: None)

    def download(*_: object) -> Path:
        raise DownloadError("there cannot be reached: no answer; check the connection, or choose a file")

    monkeypatch.setattr(pretrained, "download", download)
    dialog = make()
    offered(qtbot, dialog).click()
    settled(qtbot, dialog)
    assert dialog.error.text().endswith("choose a file")


def test_networks_are_known_by_their_layers() -> None:
    with_weights = [entry for entry in zoo.entries() if entry.has_pretrained]
    for entry in with_weights[::6]:
        assert [found.id for found in matching_entries(entry.build())] == [entry.id]
    (entry,) = matching_entries(zoo.entry("resnet34").build(classes=10))
    assert entry.id == "resnet34"
    assert matching_entries(LENET) == ()


def test_the_facts_are_torchvisions_own() -> None:
    models = torchvision().models
    (offer,) = look_up(zoo.entry("squeezenet1-1").build(), lambda *_: None, lambda: False)
    meta = models.SqueezeNet1_1_Weights.IMAGENET1K_V1.meta
    assert offer.top1 == meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert offer.num_classes == len(meta["categories"])
    assert offer.num_bytes == round(meta["_file_size"] * 1024**2)


def test_the_file_filter_is_the_readers() -> None:
    assert SUFFIXES == weights_files.SUFFIXES


# In the window


def test_a_run_in_the_window_starts_from_them_until_another_network_opens(qtbot: QtBot, tmp_path: Path) -> None:
    window = MainWindow()
    qtbot.addWidget(window, before_close_func=lambda _: window.document.undo_stack.setClean())
    window.show()
    assert not window.actions_.weights.isEnabled()
    window.open_target("lenet5")
    assert window.actions_.weights.isEnabled()
    plain = {**window.training.config().to_plain(), "device": "cpu", "epochs": 1, "learning_rate": 1e-8}
    window.training.set_config(RunConfig.from_plain(plain))
    given = values(seed=99)
    torch.save(given, tmp_path / "mine.pt")
    dialog = WeightsDialog(window.document, window.run_session, window.themes, window)
    dialog.show()
    opened(qtbot, dialog, tmp_path / "mine.pt")
    window.docks["feature-maps"].raise_()
    window.selection.set(["conv1"])
    window.looking.enable()
    probed: list[str | None] = []
    window.probe_session.captured.connect(lambda request, _atlases: probed.append(request.weights))
    qtbot.waitUntil(lambda: None in probed, timeout=60_000)
    applied(qtbot, dialog)
    qtbot.waitUntil(lambda: probed[-1] == window.run_session.checkpoint is not None, timeout=60_000)
    num_layers = len({name.rpartition(".")[0] for name in given})
    line = f"Starts from mine.pt: {num_layers} of {num_layers} layers."
    assert line in window.training.status.text()
    events: list[object] = []
    window.run_session.events_arrived.connect(events.extend)
    window.training.start()
    qtbot.waitUntil(lambda: any(isinstance(event, RunStarted) for event in events), timeout=60_000)
    window.run_session.stop()
    qtbot.waitUntil(lambda: not window.run_session.is_active, timeout=60_000)
    assert any(isinstance(event, RunFinished) for event in events)
    checkpoint = window.run_session.checkpoint
    assert checkpoint is not None
    trained = load_weights(Path(checkpoint))
    # At so small a learning rate the run ends where it started.
    assert all(torch.allclose(trained[name], given[name], atol=1e-4) for name in given)
    assert line in window.training.status.text()
    assert window.document.is_modified
    window.document.save(tmp_path / "net.arch.json", window.projects.weights.companion(tmp_path / "net.arch.json"))
    window.open_target("lenet5")
    assert window.run_session.initial_weights is None
    assert "Starts from" not in window.training.status.text()
