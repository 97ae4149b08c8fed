"""Every gesture and key on the canvas, made with real events: what it edits, what it shows, and its undo."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.canvas import GraphView
from explorer.canvas.gestures import IDLE_MS
from explorer.layers import Conv2d, Flatten, Tanh
from explorer.look.theme import ThemeSource
from explorer.session import Document, Selection
from tests.canvas.conftest import Canvas

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def _conv(canvas: Canvas, node_id: str = "conv1") -> Conv2d:
    layer = canvas.architecture[node_id].layer
    assert isinstance(layer, Conv2d)
    return layer


def _selected(canvas: Canvas) -> tuple[str, ...]:
    return canvas.selection.ids


def _outputs(canvas: Canvas) -> tuple[str, ...]:
    return canvas.architecture.outputs


def _action(menu: QMenu, *path: str) -> QAction:
    """The action under these texts, submenu by submenu."""
    found: QAction | None = None
    for text in path:
        found = next(a for a in menu.actions() if a.text().partition("\t")[0] == text)
        below = found.menu()
        if isinstance(below, QMenu):
            menu = below
    assert found is not None
    return found


def _empty(canvas: Canvas) -> QPoint:
    place = QPoint(20, 20)
    assert canvas.scene.card_at(canvas.view.mapToScene(place)) is None
    return place


# Selecting


def test_a_click_selects_and_another_with_ctrl_adds_and_takes_away(canvas: Canvas) -> None:
    canvas.click(canvas.at("conv1"))
    assert _selected(canvas) == ("conv1",)
    canvas.click(canvas.at("pool1"), CTRL)
    assert _selected(canvas) == ("conv1", "pool1")
    canvas.click(canvas.at("conv1"), CTRL)
    assert _selected(canvas) == ("pool1",)
    canvas.check()
    canvas.click(_empty(canvas))
    assert _selected(canvas) == ()


def test_a_rubber_band_selects_what_it_touches_and_escape_takes_it_back(canvas: Canvas) -> None:
    canvas.selection.set(("fc3",))
    start, end = _empty(canvas), canvas.at("conv1")
    canvas.drag(start, end)
    assert _selected(canvas) == ("input", "conv1")
    canvas.key(Qt.Key.Key_Escape)
    assert _selected(canvas) == ("fc3",)
    QTest.mouseRelease(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=end)
    assert _selected(canvas) == ("fc3",)
    canvas.drag(start, end)
    QTest.mouseRelease(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=end)
    assert _selected(canvas) == ("input", "conv1")
    canvas.check()


def test_arrow_keys_follow_the_wires(canvas: Canvas) -> None:
    canvas.key(Qt.Key.Key_Down)
    assert _selected(canvas) == ("input",), "the first press takes the input"
    canvas.key(Qt.Key.Key_Down)
    canvas.key(Qt.Key.Key_Down, SHIFT)
    assert _selected(canvas) == ("conv1", "tanh1")
    canvas.key(Qt.Key.Key_Up)
    canvas.key(Qt.Key.Key_Up)
    canvas.key(Qt.Key.Key_Up)
    assert _selected(canvas) == ("input",)
    canvas.key(Qt.Key.Key_End)
    assert _selected(canvas) == ("fc3",)
    canvas.key(Qt.Key.Key_Home)
    assert _selected(canvas) == ("input",)


def test_left_and_right_go_to_the_branch_beside(canvas: Canvas) -> None:
    network = edits.add_node(canvas.architecture, Tanh(), ("pool1",), "beside")
    canvas.document.apply("Branch", network)
    canvas.selection.set(("beside",))
    key = Qt.Key.Key_Right if canvas.item("beside").x() < canvas.item("conv2").x() else Qt.Key.Key_Left
    canvas.key(key)
    assert _selected(canvas) == ("conv2",)


def test_tab_goes_through_all_nodes_and_then_on(canvas: Canvas) -> None:
    seen = []
    for _ in canvas.architecture:
        canvas.key(Qt.Key.Key_Tab)
        seen.append(canvas.selection.current)
    assert seen == [node.id for node in canvas.architecture]
    canvas.key(Qt.Key.Key_Tab)
    assert canvas.selection.current == "fc3", "the last one: Tab left the canvas"
    canvas.key(Qt.Key.Key_Backtab, SHIFT)
    assert canvas.selection.current == "tanh4"


def test_select_all_and_escape(canvas: Canvas) -> None:
    canvas.key(Qt.Key.Key_A, CTRL)
    assert len(canvas.selection.ids) == len(canvas.architecture)
    canvas.check()
    canvas.key(Qt.Key.Key_Escape)
    assert _selected(canvas) == ()


def test_escape_is_the_windows_when_there_is_nothing_to_take_back(canvas: Canvas) -> None:
    pressed: list[str] = []
    shortcut = QShortcut(QKeySequence("Escape"), canvas.view)
    shortcut.activated.connect(lambda: pressed.append("window"))
    canvas.selection.set(("conv1",))
    canvas.key(Qt.Key.Key_Escape)
    assert (_selected(canvas), pressed) == ((), [])
    canvas.key(Qt.Key.Key_Escape)
    assert pressed == ["window"]


def test_double_click_and_enter_ask_for_the_form(canvas: Canvas) -> None:
    asked: list[str] = []
    canvas.view.edit_requested.connect(asked.append)
    QTest.mouseDClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=canvas.at("pool1"))
    canvas.selection.set(("fc1",))
    canvas.key(Qt.Key.Key_Return)
    assert asked == ["pool1", "fc1"]


# Camera


def test_the_wheel_zooms_at_the_pointer(canvas: Canvas) -> None:
    place = canvas.at("fc3")
    under, zoom = canvas.view.mapToScene(place), canvas.view.zoom
    canvas.wheel(place, 2)
    assert canvas.view.zoom == pytest.approx(zoom * 1.44)
    after = canvas.view.mapToScene(place)
    assert (after - under).manhattanLength() * canvas.view.zoom < 3
    canvas.wheel(place, -2, CTRL)
    assert canvas.view.zoom == pytest.approx(zoom)


def test_zoom_has_limits(canvas: Canvas) -> None:
    for _ in range(40):
        canvas.wheel(_empty(canvas) if canvas.view.zoom < 1 else QPoint(450, 350), 3, CTRL)
    assert canvas.view.zoom == pytest.approx(4)
    for _ in range(80):
        canvas.wheel(QPoint(450, 350), -3, CTRL)
    assert canvas.view.zoom == pytest.approx(0.05)


def test_a_trackpad_pans(canvas: Canvas) -> None:
    canvas.close_up()
    before, zoom = canvas.at("conv1"), canvas.view.zoom
    canvas.wheel(QPoint(450, 650), -0.5, phase=Qt.ScrollPhase.ScrollUpdate)
    assert canvas.at("conv1") - before == QPoint(0, -60)
    assert canvas.view.zoom == zoom


def _with_space(canvas: Canvas) -> Qt.MouseButton:
    QTest.keyPress(canvas.view, Qt.Key.Key_Space)
    return Qt.MouseButton.LeftButton


@pytest.mark.parametrize("button", [lambda _canvas: Qt.MouseButton.MiddleButton, _with_space])
def test_a_drag_pans_and_escape_goes_back(canvas: Canvas, button: Callable[[Canvas], Qt.MouseButton]) -> None:
    canvas.close_up()
    before = canvas.at("conv1")
    start, end = canvas.at("pool1"), canvas.at("pool1") + QPoint(-40, -60)
    pressed = button(canvas)
    canvas.drag(start, end, pressed)
    assert canvas.at("conv1") - before == QPoint(-40, -60)
    canvas.key(Qt.Key.Key_Escape)
    assert canvas.at("conv1") == before
    QTest.mouseRelease(canvas.view.viewport(), pressed, pos=end)
    QTest.keyRelease(canvas.view, Qt.Key.Key_Space)
    assert _selected(canvas) == ()


def test_f_fits_everything(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.close_up()
    canvas.wheel(QPoint(450, 350), 5, CTRL)
    canvas.key(Qt.Key.Key_F)
    qtbot.waitUntil(lambda: _sees_everything(canvas), timeout=1000)
    canvas.view.resize(700, 500)
    qtbot.waitUntil(lambda: _sees_everything(canvas), timeout=1000)


def _sees_everything(canvas: Canvas) -> bool:
    shown = canvas.view.mapToScene(canvas.view.viewport().rect()).boundingRect()
    return all(shown.contains(item.sceneBoundingRect()) for item in canvas.scene.nodes.values())


def test_it_opens_fitted(canvas: Canvas) -> None:
    assert _sees_everything(canvas)


def test_keys_zoom(canvas: Canvas) -> None:
    zoom = canvas.view.zoom
    canvas.key(Qt.Key.Key_Plus)
    assert canvas.view.zoom == pytest.approx(zoom * 1.2)
    canvas.key(Qt.Key.Key_Minus)
    assert canvas.view.zoom == pytest.approx(zoom)
    canvas.key(Qt.Key.Key_0)
    assert canvas.view.zoom == pytest.approx(1)


def test_selecting_by_key_brings_into_sight(canvas: Canvas) -> None:
    canvas.close_up()
    canvas.key(Qt.Key.Key_End)
    shown = canvas.view.mapToScene(canvas.view.viewport().rect()).boundingRect()
    assert shown.contains(canvas.item("fc3").sceneBoundingRect())


# Steppers


def test_an_arrow_steps_a_pair_and_undo_takes_it_back(canvas: Canvas) -> None:
    canvas.close_up()
    before = canvas.architecture
    canvas.click(canvas.stepper("conv1", "kernel_size", 1))
    assert _conv(canvas).kernel_size == (6, 6)
    assert canvas.document.undo_stack.undoText() == "Set conv1 kernel_size to 6×6"
    canvas.click(canvas.stepper("conv1", "kernel_size", -1))
    canvas.click(canvas.stepper("conv1", "kernel_size", -1))
    assert _conv(canvas).kernel_size == (4, 4)
    assert canvas.document.undo_stack.count() == 3
    canvas.check()
    for _ in range(3):
        canvas.document.undo_stack.undo()
    assert canvas.architecture is before
    canvas.check()


def test_two_quick_clicks_are_two_steps(canvas: Canvas) -> None:
    canvas.close_up()
    place = canvas.stepper("conv1", "out_channels", 1)
    canvas.click(place)
    QTest.mouseDClick(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert _conv(canvas).out_channels == 8


def test_holding_an_arrow_goes_on_and_is_one_step_of_the_history(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.close_up()
    before, place = canvas.architecture, canvas.stepper("conv1", "out_channels", 1)
    QTest.mousePress(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: _conv(canvas).out_channels >= 8, timeout=3000)
    QTest.mouseRelease(canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert canvas.document.undo_stack.count() == 1
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_the_wheel_over_a_value_is_one_step_until_it_rests(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.close_up()
    before, zoom = canvas.architecture, canvas.view.zoom
    for _ in range(4):
        canvas.wheel(canvas.stepper("conv1", "out_channels"), 1)
    assert _conv(canvas).out_channels == 10
    assert canvas.document.undo_stack.count() == 1
    assert canvas.view.zoom == zoom
    qtbot.wait(IDLE_MS + 100)
    canvas.wheel(canvas.stepper("conv1", "out_channels"), 1)
    assert canvas.document.undo_stack.count() == 2
    canvas.document.undo_stack.undo()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before


def test_shift_steps_by_ten_and_values_stay_in_range(canvas: Canvas) -> None:
    canvas.close_up()
    canvas.wheel(canvas.stepper("conv1", "out_channels"), 2, SHIFT)
    assert _conv(canvas).out_channels == 26
    canvas.wheel(canvas.stepper("conv1", "out_channels"), -5, SHIFT)
    assert _conv(canvas).out_channels == 1
    canvas.click(canvas.stepper("conv1", "padding", -1))
    assert _conv(canvas).padding == (0, 0)
    assert canvas.messages == []


def test_a_zoom_does_not_begin_to_edit_when_a_value_slides_under_the_pointer(canvas: Canvas) -> None:
    canvas.close_up()
    before = canvas.architecture
    canvas.wheel(canvas.at("conv1"), 0.1)
    canvas.wheel(canvas.stepper("conv1", "out_channels"), 1)
    assert canvas.architecture is before
    assert canvas.view.zoom > 1


def test_hovering_an_arrow_previews_and_leaving_ends_it(canvas: Canvas) -> None:
    canvas.close_up()
    before = canvas.document.snapshot
    canvas.hover(canvas.stepper("conv1", "kernel_size", 1))
    preview = canvas.item("pool1").preview
    assert preview is not None
    assert preview.output_shape == (6, 13, 13)
    assert canvas.document.snapshot is before
    assert canvas.document.undo_stack.count() == 0
    lines = {wire.source: item.label for wire, item in canvas.scene.wires.items()}
    assert lines["conv1"] == "6×27×27"
    canvas.hover(canvas.at("conv1"))
    canvas.check()
    canvas.hover(canvas.stepper("conv1", "kernel_size", 1))
    canvas.click(canvas.stepper("conv1", "kernel_size", 1))
    canvas.check()


def test_a_title_has_no_steppers(canvas: Canvas) -> None:
    canvas.view.zoom_by(0.4 / canvas.view.zoom)
    before = canvas.architecture
    canvas.click(canvas.stepper("conv1", "kernel_size", 1))
    assert canvas.architecture is before
    assert _selected(canvas) == ("conv1",)


def test_a_fault_reddens_node_and_wire(canvas: Canvas) -> None:
    canvas.document.apply("Break", edits.set_value(canvas.architecture, "conv2", "kernel_size", 99))
    canvas.check()
    assert canvas.item("conv2").report.fault is not None
    assert [wire.target for wire, line in canvas.scene.wires.items() if line.is_fault] == ["conv2"]
    assert "kernel" in canvas.item("conv2").tool_tip()
    canvas.view.to_image(1.0)
    canvas.document.undo_stack.undo()
    canvas.check()


# Structure


def test_delete_removes_and_undo_brings_back(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.click(canvas.at("tanh1"))
    canvas.key(Qt.Key.Key_Delete)
    assert "tanh1" not in canvas.architecture
    assert canvas.document.undo_stack.undoText() == "Remove tanh1"
    assert _selected(canvas) == ("conv1",), "what fed it comes next"
    canvas.check()
    canvas.document.undo_stack.undo()
    assert canvas.architecture is before
    canvas.check()


def test_several_are_removed_in_one_step(canvas: Canvas) -> None:
    canvas.selection.set(("tanh1", "tanh2", "pool1"))
    canvas.key(Qt.Key.Key_Backspace)
    assert len(canvas.architecture) == 10
    assert canvas.document.undo_stack.count() == 1
    canvas.check()


def test_what_cannot_be_is_a_message(canvas: Canvas) -> None:
    before = canvas.architecture
    canvas.selection.set(("input",))
    canvas.key(Qt.Key.Key_Delete)
    assert canvas.architecture is before
    assert canvas.messages == ["input is the network's input; every network needs it"]


def test_the_menu_of_a_node(canvas: Canvas) -> None:
    menu = canvas.view.menu_at(canvas.at("conv1"))
    assert _selected(canvas) == ("conv1",)
    _action(menu, "Insert after", "Pooling", "MaxPool2d").trigger()
    assert [node.id for node in canvas.architecture][:3] == ["input", "conv1", "pool3"]
    assert _selected(canvas) == ("pool3",)
    assert canvas.document.undo_stack.undoText() == "Insert MaxPool2d after conv1"
    canvas.check()
    menu = canvas.view.menu_at(canvas.at("tanh1"))
    _action(menu, "Insert before", "Conv2d").trigger()
    inserted = canvas.architecture[canvas.architecture["tanh1"].inputs[0]]
    assert inserted.layer == Conv2d(out_channels=6, kernel_size=(3, 3), padding=(1, 1))
    canvas.check()
    _action(canvas.view.menu_at(canvas.at("fc1")), "Copy id").trigger()
    assert QGuiApplication.clipboard().text() == "fc1"
    _action(canvas.view.menu_at(canvas.at("fc1")), "Output of the network").trigger()
    assert _outputs(canvas) == ("fc3", "fc1")
    _action(canvas.view.menu_at(canvas.at("fc3")), "Output of the network").trigger()
    assert _outputs(canvas) == ("fc1",)
    only = _action(canvas.view.menu_at(canvas.at("fc1")), "Output of the network")
    assert not only.isEnabled()
    assert only.toolTip()
    _action(canvas.view.menu_at(canvas.at("fc1")), "Remove").trigger()
    assert "fc1" not in canvas.architecture
    canvas.check()
    while canvas.document.undo_stack.canUndo():
        canvas.document.undo_stack.undo()
    canvas.check()


def test_the_menu_of_a_wire(canvas: Canvas) -> None:
    line = next(line for wire, line in canvas.scene.wires.items() if wire.source == "pool2")
    place = canvas.view.mapFromScene(line.mapToScene(line.shape().boundingRect().center()))
    _action(canvas.view.menu_at(place), "Insert", "Flatten").trigger()
    assert isinstance(canvas.architecture[canvas.architecture["flatten"].inputs[0]].layer, Flatten)
    canvas.check()


def test_the_menu_of_the_empty_canvas(canvas: Canvas) -> None:
    menu = canvas.view.menu_at(_empty(canvas))
    _action(menu, "Add at the end", "Activation", "Softmax").trigger()
    assert _outputs(canvas) == ("softmax1",)
    _action(canvas.view.menu_at(_empty(canvas)), "Copy picture").trigger()
    assert not QGuiApplication.clipboard().image().isNull()
    canvas.check()


def test_a_right_click_opens_the_menu(canvas: Canvas, qtbot: QtBot) -> None:
    place = canvas.at("conv1")
    QTest.mouseClick(canvas.view.viewport(), Qt.MouseButton.RightButton, pos=place)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, canvas.view.viewport().mapToGlobal(place))
    QApplication.sendEvent(canvas.view.viewport(), event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    menu.close()


# The rest


def test_hovering_a_wire_shows_it(canvas: Canvas) -> None:
    line = next(iter(canvas.scene.wires.values()))
    canvas.hover(canvas.view.mapFromScene(line.mapToScene(line.shape().boundingRect().center())))
    with_pointer = canvas.view.to_image(1.0)
    QApplication.sendEvent(canvas.view, QEvent(QEvent.Type.Leave))
    assert canvas.view.to_image(1.0) != with_pointer


def test_nothing_happens_while_nothing_is_open(qtbot: QtBot) -> None:
    document = Document()
    view = GraphView(document, Selection(document), ThemeSource())
    qtbot.addWidget(view)
    view.show()
    qtbot.waitExposed(view)
    canvas = Canvas(document, Selection(document), ThemeSource(), view, [])
    for key in (Qt.Key.Key_F, Qt.Key.Key_Delete, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_Tab):
        canvas.key(key)
    canvas.click(QPoint(50, 50))
    canvas.wheel(QPoint(50, 50), 1)
    canvas.hover(QPoint(60, 60))
    view.fit()
    assert view.wanted().maps == ()


def test_both_themes(canvas: Canvas) -> None:
    light = canvas.view.to_image(1.0)
    canvas.themes.choose("dark")
    dark = canvas.view.to_image(1.0)
    assert light.size() == dark.size()
    assert light.pixelColor(2, 2).lightness() > 200
    assert dark.pixelColor(2, 2).lightness() < 60
    canvas.check()


def test_pictures_scale(canvas: Canvas) -> None:
    one, two = canvas.view.to_image(1.0), canvas.view.to_image(2.0)
    assert abs(two.width() - 2 * one.width()) <= 2
    assert canvas.scene.placement is not None
    assert one.height() >= canvas.scene.placement.bounds.height
