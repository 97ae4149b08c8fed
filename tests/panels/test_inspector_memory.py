"""The network's memory: what the section says is what the model says, under the conditions that are chosen."""

import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.inference.memory import memory
from explorer.look import numbers
from explorer.panels.estimates import Device, Estimates
from explorer.panels.inspector.panel import Inspector
from explorer.runs import RunConfig
from tests.panels.stage import Stage, click, shown, stage

GB = 1024**3


@pytest.fixture
def lenet(qtbot: QtBot) -> Stage:
    return stage()


def inspector_of(qtbot: QtBot, on: Stage) -> Inspector:
    inspector = Inspector(on.document, on.selection, on.themes)
    shown(qtbot, inspector, 320, 1600)
    return inspector


def test_the_parts_add_up_to_the_peak(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    section = inspector.network_page.memory
    snapshot = lenet.document.snapshot
    found = memory(*snapshot, batch_size=64, optimizer="sgd", momentum=0.9)
    assert section.facts.text("training") == numbers.short_bytes(found.training_bytes)
    assert section.facts.text("inference") == numbers.short_bytes(found.inference_bytes)
    assert sum(amount for _, amount in section.training_bar.parts) == found.training_bytes
    assert section.facts.tip("weights").startswith(f"{61_706 * 4:,} bytes")
    assert section.facts.tip("optimizer").startswith(f"{61_706 * 4:,} bytes")
    for key in ("training", "weights", "buffers", "optimizer", "gradients", "saved", "temporary", "inference"):
        section.facts.set_open(key, True)
        lines = section.facts.lines(key)
        assert lines, key
        assert f"{lines[-1].result:,} bytes" in section.facts.tip(key), key


def test_optimizer_follows_the_form_until_another_is_tried(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    section, estimates = inspector.network_page.memory, inspector.estimates
    assert section.optimizer.currentText() == "As in training: SGD, momentum 0.9"
    estimates.set_config(RunConfig(optimizer="adam", batch_size=8))
    assert section.optimizer.currentText() == "As in training: Adam"
    assert section.title.text() == "Memory, batch of 8"
    assert section.facts.tip("optimizer").startswith(f"{2 * 61_706 * 4:,} bytes")
    plain = section.optimizer.findText("SGD")
    section.optimizer.setCurrentIndex(plain)
    section.optimizer.activated.emit(plain)
    assert section.facts.tip("optimizer").startswith("0 bytes")
    estimates.set_config(RunConfig(optimizer="adam", batch_size=16))
    assert estimates.conditions.optimizer == "sgd"
    section.optimizer.activated.emit(0)
    assert estimates.conditions.optimizer == "adam"


def test_precision_is_remembered(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    section = inspector.network_page.memory
    wide = section.facts.tip("weights")
    section.precision.activated.emit(section.precision.findData("bfloat16"))
    assert section.facts.tip("weights").startswith(f"{61_706 * 2:,} bytes")
    assert section.facts.tip("weights") != wide
    assert Estimates().conditions.precision == "bfloat16"
    again = inspector_of(qtbot, lenet)
    assert again.network_page.memory.precision.currentData() == "bfloat16"


def test_the_precision_is_that_of_training_until_another_is_tried(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    section, estimates = inspector.network_page.memory, inspector.estimates

    def estimated() -> tuple[str, str]:
        return estimates.conditions.precision, section.precision.currentText()

    assert estimated() == ("float32", "As in training: float32")
    estimates.set_config(RunConfig(precision="float16"))
    assert estimated() == ("mixed", "As in training: mixed (autocast)")
    estimates.set_config(RunConfig(precision="auto"))
    assert estimated() == ("float32", "As in training: float32")
    estimates.set_device(Device("GPU", 24 * GB, 23 * GB, mixed=("auto", "bfloat16", "float16")))
    assert estimated() == ("mixed", "As in training: mixed (autocast)")
    estimates.set_config(RunConfig(precision="tf32"))
    section.precision.activated.emit(section.precision.findData("bfloat16"))
    assert estimated() == ("bfloat16", "bfloat16")
    assert estimates.in_training.precision == "float32"
    section.precision.activated.emit(0)
    assert estimated() == ("float32", "As in training: float32")
    assert Estimates().tried_precision is None


def test_the_device_decides_whether_it_fits_and_the_largest_batch(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    section, estimates = inspector.network_page.memory, inspector.estimates
    chosen: list[int] = []
    inspector.batch_chosen.connect(chosen.append)
    assert "not known yet" in section.verdict.text()
    assert not section.largest.isVisible()
    estimates.set_device(Device("GPU", 24 * GB, 23 * GB))
    assert section.verdict.text().startswith("It fits: 23.0\u2009GB of 24.0\u2009GB are free on GPU")
    needed = estimates.memory(lenet.document.snapshot).training_bytes
    estimates.set_device(Device("GPU", 24 * GB, needed - 1))
    assert section.verdict.text().startswith("It does not fit")
    assert section.largest.text() == "Largest batch that fits: 63"
    click(section.largest, QPoint(12, 12))
    assert chosen == [63]
    estimates.set_device(Device("GPU", 24 * GB, 1000))
    assert section.largest.text() == "Not even one image fits"
    assert not section.largest.isEnabled()


def test_a_preview_shows_old_and_new(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    section = inspector.network_page.memory
    training = section.facts.text("training")
    lenet.document.preview(lambda a: edits.set_value(a, "fc1", "out_features", 4000))
    assert section.facts.text("training").startswith(f"{training} → ")
    lenet.document.preview(None)
    assert section.facts.text("training") == training


def test_each_snapshot_is_worked_out_once(qtbot: QtBot, lenet: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    estimates = Estimates()
    calls: list[int] = []

    def counted(*args: object, batch_size: int, **more: object) -> object:
        calls.append(batch_size)
        return memory(*args, batch_size=batch_size, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("explorer.panels.estimates.memory", counted)
    first = estimates.memory(lenet.document.snapshot)
    assert estimates.memory(lenet.document.snapshot) is first
    estimates.set_config(RunConfig(batch_size=3))
    assert estimates.memory(lenet.document.snapshot) is not first
    assert calls == [64, 3]
