"""The inspector's figures against torch and hand calculation; how they open, and how they are copied."""

import math
import re

import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.panels.inspector.facts import Facts
from explorer.panels.inspector.panel import Inspector
from explorer.panels.inspector.row import FactRow
from explorer.runs import RunConfig
from explorer.runtime.modules import build_module
from tests.networks import branching
from tests.panels.stage import Stage, click, press, shown, stage


@pytest.fixture
def lenet(qtbot: QtBot) -> Stage:
    return stage()


def inspector_of(qtbot: QtBot, on: Stage, *selected: str, batch_size: int = 64) -> Inspector:
    inspector = Inspector(on.document, on.selection, on.themes)
    shown(qtbot, inspector, 320, 1400)
    inspector.estimates.set_config(RunConfig(batch_size=batch_size))
    on.selection.set(selected)
    return inspector


def is_open(row: FactRow) -> bool:
    return row.is_open


def lines_of(facts: Facts, key: str) -> dict[str, str]:
    return {line.what: line.values for line in facts.lines(key)}


def test_figures_are_those_of_hand_calculation(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1", batch_size=100)
    facts = inspector.node_page.facts
    assert facts.text("input") == "1×32×32"
    assert facts.text("output") == "6×28×28"
    assert facts.text("parameters") == facts.text("trainable") == str(5 * 5 * 1 * 6 + 6)
    assert facts.text("buffers") == "0"
    assert facts.tip("macs").startswith(f"{5 * 5 * 6 * 28 * 28:,}")
    assert facts.tip("flops").startswith(f"{2 * 5 * 5 * 6 * 28 * 28:,}")
    assert facts.tip("bytes").startswith(f"{6 * 28 * 28 * 4:,} bytes")
    assert facts.tip("batch_bytes").startswith(f"{6 * 28 * 28 * 4 * 100:,} bytes")
    assert facts.text("field") == "5×5"
    assert facts.text("stride") == "1×1"
    assert facts.text("centre") == "2"


def test_shares_are_parts_of_the_whole_network(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "fc1")
    facts = inspector.node_page.facts
    module = build_module(lenet.document.architecture)
    sizes = {name.split(".")[0]: 0 for name, _ in module.named_parameters()}
    for name, parameter in module.named_parameters():
        sizes[name.split(".")[0]] += parameter.numel()
    expected = sizes["fc1"] / sum(sizes.values())
    assert facts.row("parameters").share == f"{100 * expected:.1f}\u2009%"


def test_what_is_kept_for_backward_is_what_memory_says(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "tanh1", batch_size=8)
    found = inspector.estimates.memory(lenet.document.snapshot)
    facts = inspector.node_page.facts
    # Tanh keeps its output.
    assert found.nodes["tanh1"] == 6 * 28 * 28 * 4 * 8
    assert facts.tip("kept").startswith(f"{found.nodes['tanh1']:,} bytes")
    facts.set_open("kept", True)
    assert [line.result for line in facts.lines("kept")] == [found.nodes["tanh1"]]
    inspector.estimates.set_config(RunConfig(batch_size=16))
    assert facts.tip("kept").startswith(f"{2 * found.nodes['tanh1']:,} bytes")


def test_each_figure_opens_into_its_calculation_in_place(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    facts = inspector.node_page.facts
    row = facts.row("parameters")
    assert row.can_open
    assert not is_open(row)
    click(row, QPoint(40, 8))
    assert is_open(row)
    assert lines_of(facts, "parameters") == {"parameters": "5·5·1·6 + 6"}
    (view,) = [view for key, view in facts._views.items() if key == "parameters"]
    QApplication.processEvents()
    assert view.isVisible()
    # In place: below its own row and above the next.
    assert row.geometry().bottom() < view.geometry().top()
    assert view.geometry().bottom() < facts.row("trainable").geometry().top()
    (line,) = view.lines
    assert line.source.text() == "torch.nn.Conv2d"
    # Another layer keeps open what was opened.
    lenet.selection.set(("conv2",))
    assert lines_of(facts, "parameters") == {"parameters": "5·5·6·16 + 16"}
    click(row, QPoint(40, 8))
    assert not view.isVisible()


def test_rows_are_opened_and_walked_by_keyboard(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    facts = inspector.node_page.facts
    first, output = facts.row("input"), facts.row("output")
    first.setFocus(Qt.FocusReason.TabFocusReason)
    press(first, Qt.Key.Key_Down)
    assert output.hasFocus()
    press(output, Qt.Key.Key_Return)
    assert is_open(output)
    press(output, Qt.Key.Key_Right)
    assert is_open(output)
    press(output, Qt.Key.Key_Left)
    assert not is_open(output)
    press(output, Qt.Key.Key_Space)
    assert is_open(output)
    press(output, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("Output: 6×28×28")
    assert "= 28 (torch.nn.Conv2d)" in copied


@pytest.mark.parametrize("node_id", ["conv1", "pool2", "fc1", "tanh3", "flatten"])
def test_all_open_at_once_and_every_calculation_evaluates_to_its_result(
    qtbot: QtBot, lenet: Stage, node_id: str
) -> None:
    inspector = inspector_of(qtbot, lenet, node_id)
    page = inspector.node_page
    click(page.heading.all_button)
    assert page.heading.all_button.text() == "Fold all"
    names = {"math": math, "max": max, "min": min}
    opened = 0
    for key in (
        "output",
        "parameters",
        "trainable",
        "macs",
        "flops",
        "bytes",
        "batch_bytes",
        "kept",
        "field",
        "stride",
        "centre",
    ):
        for line in page.facts.lines(key):
            opened += 1
            assert line.source
            python = re.sub(r"(?<=\d),(?=\d{3})", "", line.values)
            python = python.replace("·", "*").replace("−", "-").replace("⌊", "math.floor(").replace("⌋", ")")
            assert eval(python, names) == line.result, line
    assert opened >= 6
    click(page.heading.all_button)
    assert not page.facts.open_keys


def test_everything_is_copied_without_invisible_characters(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    page = inspector.node_page
    click(page.heading.copy_button)
    text = QGuiApplication.clipboard().text()
    assert "Parameters: 156" in text
    assert "5·5·1·6 + 6 = 156" in text
    assert "\u200b" not in text
    page.facts.set_open("parameters", True)
    (line,) = page.facts._views["parameters"].lines
    line.values.setFocus()
    line.values.setSelection(0, len(line.values.text()))
    press(line.values, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "= 5·5·1·6 + 6"


def test_a_preview_shows_old_and_new_of_every_figure_it_changes(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet, "conv1")
    facts = inspector.node_page.facts
    before = {key: facts.text(key) for key in ("output", "macs", "flops", "field", "centre")}
    lenet.document.preview(lambda a: edits.set_value(a, "conv1", "kernel_size", (3, 3)))
    for key, text in before.items():
        assert facts.text(key).startswith(f"{text} → "), key
    assert facts.text("centre") == "2 → 1"
    lenet.document.preview(lambda a: edits.set_frozen(a, ["conv1"], True))
    assert facts.text("trainable") == "156 → 0"
    lenet.selection.set(("tanh1",))
    lenet.document.preview(lambda a: edits.set_value(a, "conv1", "kernel_size", (3, 3)))
    assert " → " in facts.text("kept")
    lenet.document.preview(None)
    assert " → " not in facts.text("kept")


def test_figures_never_widen_a_narrow_dock_however_much_is_open(qtbot: QtBot) -> None:
    network = stage(branching())
    inspector = inspector_of(qtbot, network, "layer1.0.conv1")
    inspector.node_page.facts.set_all_open(True)
    inspector.network_page.facts.set_all_open(True)
    inspector.network_page.memory.facts.set_all_open(True)
    inspector.resize(260, 700)
    for selected in (("layer1.0.conv1",), ("layer1.0.add",), ()):
        network.selection.set(selected)
        QApplication.processEvents()
        assert inspector.horizontalScrollBar().maximum() == 0, selected


def test_the_networks_totals_open_into_sums_over_its_layers(qtbot: QtBot, lenet: Stage) -> None:
    inspector = inspector_of(qtbot, lenet)
    facts = inspector.network_page.facts
    facts.set_open("parameters", True)
    (line,) = facts.lines("parameters")
    assert line.formula == "conv1 + conv2 + fc1 + fc2 + fc3"
    parts = [int(part.replace(",", "")) for part in line.values.split(" + ")]
    module = build_module(lenet.document.architecture)
    assert sum(parts) == line.result == sum(torch.numel(parameter) for parameter in module.parameters())
