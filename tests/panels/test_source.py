"""The source panel: the live source, its colours, the selected node's lines, and that nothing scrolls by itself."""

import io
import subprocess
import sys
import tokenize

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.export.source import network_class_name, to_source
from explorer.inference import infer
from explorer.panels.source.highlight import spans
from explorer.panels.source.lines import lines_of
from explorer.panels.source.panel import SourcePanel
from explorer.zoo.lenet import lenet5, lenet5_max, lenet_plain
from tests.networks import branching, deep_chain
from tests.panels.stage import Stage, click, shown, stage


@pytest.fixture
def lenet(qtbot: QtBot) -> Stage:
    return stage()


def panel_of(qtbot: QtBot, on: Stage) -> SourcePanel:
    panel = SourcePanel(on.document, on.selection, on.themes)
    shown(qtbot, panel, 640, 240)
    return panel


def source_of(architecture: Architecture) -> str:
    return to_source(architecture, infer(architecture))


def marked(panel: SourcePanel) -> list[str]:
    lines = panel.source.split("\n")
    return [lines[extra.cursor.blockNumber()].strip() for extra in panel.view.extraSelections()]


def test_the_source_follows_every_edit(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    for name, value in [("kernel_size", (3, 3)), ("bias", False), ("kernel_size", (40, 40)), ("padding", (9, 9))]:
        lenet.set_value("conv1", name, value)
        assert panel.view.toPlainText() == source_of(lenet.document.architecture)
    while lenet.document.undo_stack.canUndo():
        lenet.document.undo_stack.undo()
        assert panel.view.toPlainText() == source_of(lenet.document.architecture)
    lenet.document.open(branching())
    assert panel.view.toPlainText() == source_of(branching())


def test_an_edit_keeps_scroll_position_and_selected_text(qtbot: QtBot) -> None:
    chain = stage(deep_chain(120))
    panel = panel_of(qtbot, chain)
    bar = panel.view.verticalScrollBar()
    bar.setValue(60)
    chain.set_value("layer10.0", "bias", False)
    assert bar.value() == 60


def test_long_source_waits_until_edits_pause(qtbot: QtBot) -> None:
    chain = stage(deep_chain(400))
    panel = panel_of(qtbot, chain)
    before = panel.view.source
    chain.set_value("layer10.0", "bias", False)
    assert panel.view.source == before
    qtbot.waitUntil(lambda: panel.view.source == source_of(chain.document.architecture))


def test_a_hidden_panel_writes_nothing_until_it_is_shown(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    panel.hide()
    before = panel.view.source
    lenet.set_value("conv1", "kernel_size", (3, 3))
    assert panel.view.source == before
    panel.show()
    assert panel.view.source == source_of(lenet.document.architecture)


def test_the_selected_node_s_lines_are_marked_and_brought_into_view(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.selection.set(("fc3",))
    assert len(marked(panel)) == 2
    assert marked(panel)[0].startswith("self.fc3 = nn.Linear(84, 10)")
    assert "self.fc3(" in marked(panel)[1]
    selections = panel.view.extraSelections()
    first = selections[0].cursor.blockNumber()
    top = panel.view.firstVisibleBlock().blockNumber()
    assert top <= first < top + panel.view.viewport().height() // panel.view.fontMetrics().lineSpacing()
    lenet.selection.set(())
    assert marked(panel) == []


@pytest.mark.parametrize("architecture", [lenet5(), lenet_plain(), lenet5_max(), branching()], ids=lambda a: a.name)
def test_every_module_is_found_in_the_source(architecture: Architecture) -> None:
    source, name = source_of(architecture), network_class_name(architecture)
    lines = source.split("\n")
    for node in architecture.nodes[1:]:
        found = lines_of(source, name, node.id)
        if node.layer.type_name in {"Add", "Concat"}:
            assert found == []
        else:
            assert f"nn.{node.layer.type_name}(" in lines[found[0].first], node.id


def test_the_button_copies_all(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    click(panel.copy_button)
    assert QGuiApplication.clipboard().text() == source_of(lenet.document.architecture)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("class A(B):  # three", [("keyword", "class"), ("definition", "A"), ("comment", "# three")]),
        ('    """One line."""', [("string", '"""One line."""')]),
        ("        self.a = nn.Conv2d(3,", [("builtin", "self"), ("number", "3")]),
        ("        ),", []),
        ("        print(len(x.shape))", [("builtin", "print"), ("builtin", "len")]),
    ],
)
def test_spans_are_python_s_own_tokens(line: str, expected: list[tuple[str, str]]) -> None:
    assert [(kind, line[start : start + length]) for start, length, kind in spans(line)] == expected


def test_the_exporter_writes_no_string_over_several_lines() -> None:
    tokens = tokenize.generate_tokens(io.StringIO(source_of(branching())).readline)
    assert all(token.start[0] == token.end[0] for token in tokens if token.type == tokenize.STRING)


def test_marks_stay_right_while_lines_come_and_go(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.selection.set(("fc3",))
    lenet.set_value("conv1", "bias", False)
    assert all("fc3" in line for line in marked(panel))
    lenet.document.edit("Remove", lambda a: edits.remove(a, ["tanh1"]))
    assert len(marked(panel)) == 2
    assert all("fc3" in line for line in marked(panel))


def test_both_themes_paint(qtbot: QtBot, lenet: Stage) -> None:
    panel = panel_of(qtbot, lenet)
    lenet.themes.choose("dark")
    panel.grab()
    lenet.themes.choose("light")
    panel.grab()


def test_the_panels_never_load_torch() -> None:
    code = """
import importlib, pkgutil, sys
from explorer import panels
names = [module.name for module in pkgutil.walk_packages(panels.__path__, "explorer.panels.")]
assert len(names) > 100, names
for name in names:
    importlib.import_module(name)
    assert "torch" not in sys.modules, name
"""
    subprocess.run([sys.executable, "-c", code], check=True)
