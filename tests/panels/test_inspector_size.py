"""The size solver on the node page: what it lists is true, hovering previews, a click is one step."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.panels.inspector.panel import Inspector
from explorer.session import Snapshot
from tests.panels.stage import Stage, click, enter, press, shown, stage


@pytest.fixture
def lenet(qtbot: QtBot) -> Stage:
    return stage()


def opened(qtbot: QtBot, on: Stage, node_id: str) -> Inspector:
    inspector = Inspector(on.document, on.selection, on.themes)
    shown(qtbot, inspector, 320, 1400)
    on.selection.set((node_id,))
    assert not inspector.node_page.solver.isVisible()
    click(inspector.node_page.solver_button)
    assert inspector.node_page.solver.isVisible()
    return inspector


def test_it_is_offered_where_values_decide_the_size_and_stays_open(qtbot: QtBot, lenet: Stage) -> None:
    inspector = Inspector(lenet.document, lenet.selection, lenet.themes)
    shown(qtbot, inspector, 320, 1400)
    page = inspector.node_page
    for node_id, offered in (("conv1", True), ("pool1", True), ("tanh1", False), ("fc1", False), ("input", False)):
        lenet.selection.set((node_id,))
        assert page.solver_button.isVisible() == offered, node_id
        assert not page.solver.isVisible()
    lenet.selection.set(("conv1",))
    click(page.solver_button)
    lenet.selection.set(("fc1",))
    assert not page.solver.isVisible()
    lenet.selection.set(("pool1",))
    assert page.solver.isVisible()
    again = Inspector(lenet.document, lenet.selection, lenet.themes)
    shown(qtbot, again, 320, 1400)
    assert again.node_page.solver.isVisible()


def test_every_solution_makes_the_size_that_was_asked_for(qtbot: QtBot, lenet: Stage) -> None:
    inspector = opened(qtbot, lenet, "conv1")
    solver = inspector.node_page.solver
    keep = next(button for button in solver.goal_buttons if button.text() == "keep the size")
    click(keep)
    assert solver.target == (32, 32)
    click(solver.more)
    assert len(solver.buttons) > 3
    for position in range(len(solver.buttons)):
        text = solver.buttons[position].text()
        click(solver.buttons[position])
        assert lenet.document.snapshot.inference.nodes["conv1"].output_shape == (6, 32, 32), text
        assert lenet.document.undo_stack.undoText() == f"Make conv1 32×32: {text}"
        lenet.document.undo_stack.undo()
        assert solver.buttons[position].text() == text


def test_sizes_are_typed_for_each_axis(qtbot: QtBot, lenet: Stage) -> None:
    inspector = opened(qtbot, lenet, "conv1")
    solver = inspector.node_page.solver
    solver.height_box.setValue(16)
    solver.width_box.setValue(10)
    click(solver.buttons[0])
    assert lenet.document.snapshot.inference.nodes["conv1"].output_shape == (6, 16, 10)
    assert solver.target == (16, 10)


def test_pointing_previews_everywhere_and_leaving_ends_it(qtbot: QtBot, lenet: Stage) -> None:
    inspector = opened(qtbot, lenet, "conv1")
    solver = inspector.node_page.solver
    solver.want((32, 32))
    previews: list[Snapshot | None] = []
    lenet.document.previewed.connect(previews.append)
    enter(solver.buttons[0])
    assert previews[-1] is not None
    assert previews[-1].inference.nodes["conv1"].output_shape == (6, 32, 32)
    assert lenet.steps == []
    QApplication.sendEvent(solver.buttons[0], QEvent(QEvent.Type.Leave))
    assert previews[-1] is None


def test_the_keyboard_previews_and_applies(qtbot: QtBot, lenet: Stage) -> None:
    inspector = opened(qtbot, lenet, "conv1")
    solver = inspector.node_page.solver
    solver.want((32, 32))
    previews: list[Snapshot | None] = []
    lenet.document.previewed.connect(previews.append)
    button = solver.buttons[0]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    assert previews[-1] is not None
    press(button, Qt.Key.Key_Return)
    assert lenet.document.snapshot.inference.nodes["conv1"].output_shape == (6, 32, 32)


def test_what_cannot_be_reached_is_said(qtbot: QtBot) -> None:
    on = stage(edits.set_input_shape(stage().document.architecture, 1, 33, 33))
    inspector = opened(qtbot, on, "pool1")
    solver = inspector.node_page.solver
    solver.want((4000, 4000))
    assert solver.buttons == []
    assert "4,000×4,000" in solver.answer.text()
