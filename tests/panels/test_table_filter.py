"""The table's filter with real keys, against the query itself and plain sums; and the model that orders the rows."""

import pytest
from PySide6.QtCore import QEvent, QItemSelectionModel, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.inference.memory import memory
from explorer.look.query import matching, parse
from explorer.panels.table.model import LayerTableModel
from explorer.panels.table.panel import LayerTable
from explorer.zoo import entry
from tests.networks import branching
from tests.panels.stage import Stage, press, shown, stage, write
from tests.panels.test_table import click_row, column, sort_by, table_of


@pytest.fixture
def resnet(qtbot: QtBot) -> Stage:
    return stage(entry("resnet18").build())


def type_filter(table: LayerTable, text: str) -> None:
    """Go to the filter with Ctrl+F from the rows, and type."""
    table.view.setFocus()
    press(table.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert table.filter.field.hasFocus()
    write(table.filter.field, text)


def expected(on: Stage, text: str) -> list[str]:
    return list(matching(parse(text), on.document.snapshot.inference))


def ids(table: LayerTable) -> list[str]:
    return column(table, LayerTableModel.ID)


def test_each_key_filters_in_the_language_of_find(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    every = ids(table)
    type_filter(table, "kernel>3")
    assert ids(table) == expected(resnet, "kernel>3") == ["conv1"]
    assert table.filter.count.text() == f"1 of {len(every)}"
    press(table.filter.field, Qt.Key.Key_Backspace)
    assert table.filter.problem.whole == "kernel> waits for a value, as in kernel=2"
    assert ids(table) == ["conv1"], "what is not understood yet takes no row away"
    write(table.filter.field, "=3 type:conv")
    assert ids(table) == expected(resnet, "kernel>=3 type:conv")
    assert table.filter.problem.whole == ""
    press(table.filter.field, Qt.Key.Key_Escape)
    assert ids(table) == every
    assert table.filter.count.isHidden()
    press(table.filter.field, Qt.Key.Key_Escape)
    assert table.view.hasFocus()


def test_nothing_found_is_said_and_headers_stay(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    table.grab()
    type_filter(table, "nothing-like-this")
    assert table.rows.rowCount() == 0
    assert table.rows.headerData(LayerTableModel.MACS, Qt.Orientation.Horizontal) == "MACs"
    empty = table.view.viewport().grab().toImage()
    middle = [empty.pixelColor(x, empty.height() // 2) for x in range(empty.width())]
    assert len({colour.name() for colour in middle}) > 3, "it says how to get the rows back"
    table.view.setFocus()
    override = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    override.ignore()
    QApplication.sendEvent(table.view, override)
    assert override.isAccepted(), "before the window's Escape"
    press(table.view, Qt.Key.Key_Escape)
    assert table.rows.rowCount() == len(resnet.document.architecture)
    assert table.filter.field.text() == ""


def test_totals_are_of_the_rows_shown_and_say_so(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    whole = table.model.exact_total(LayerTableModel.PARAMETERS)
    type_filter(table, "type:conv")
    inference = resnet.document.snapshot.inference
    found = expected(resnet, "type:conv")
    kept = memory(resnet.document.architecture, inference, batch_size=1).nodes
    assert table.totals.text(LayerTableModel.ID) == f"Of the {len(found)} shown"
    sums = {
        LayerTableModel.PARAMETERS: f"{sum(inference.nodes[i].num_parameters or 0 for i in found):,}",
        LayerTableModel.MACS: f"{sum(inference.nodes[i].macs or 0 for i in found):,}",
        LayerTableModel.BYTES: f"{sum(inference.nodes[i].output_bytes or 0 for i in found):,} bytes",
        LayerTableModel.KEPT: f"{sum(kept[i] for i in found):,} bytes",
    }
    assert {c: table.model.exact_total(c) for c in sums} == sums
    resnet.document.preview(lambda a: edits.set_value(a, "conv1", "out_channels", 32))
    assert " → " in table.totals.text(LayerTableModel.PARAMETERS)
    resnet.document.preview(None)
    resnet.set_value("layer3.0.conv1", "kernel_size", (90, 90))
    assert table.totals.text(LayerTableModel.ID) == f"Of the {len(found)} shown, up to layer3.0.conv1"
    table.filter.field.clear()
    assert table.totals.text(LayerTableModel.ID) == "Up to layer3.0.conv1"
    resnet.document.undo_stack.undo()
    assert table.model.exact_total(LayerTableModel.PARAMETERS) == whole


def test_it_follows_values_and_structure(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    type_filter(table, "kernel=5")
    assert ids(table) == []
    resnet.set_value("layer2.0.conv2", "kernel_size", (5, 5))
    assert ids(table) == ["layer2.0.conv2"]
    resnet.document.undo_stack.undo()
    assert ids(table) == []
    table.filter.field.setText("block:layer4 type:relu")
    before = ids(table)
    resnet.document.edit("Remove", lambda a: edits.remove(a, [before[-1]]))
    assert ids(table) == before[:-1]
    resnet.document.open(branching())
    table.filter.field.setText("type:concat")
    assert ids(table) == ["mixed.cat"]


def test_the_selection_is_shared_and_outlives_the_filter(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    resnet.selection.set(("fc", "conv1"))
    received: list[object] = []
    resnet.selection.changed.connect(received.append)
    type_filter(table, "type:conv")
    assert list(resnet.selection.ids) == ["fc", "conv1"]
    assert [index.data() for index in table.view.selectionModel().selectedRows()] == ["conv1"]
    assert received == [], "filtering selects nothing"
    resnet.selection.set(("layer4.0.conv2",))
    assert [index.data() for index in table.view.selectionModel().selectedRows()] == ["layer4.0.conv2"]
    click_row(table, 2, Qt.KeyboardModifier.NoModifier)
    assert list(resnet.selection.ids) == [expected(resnet, "type:conv")[2]]
    press(table.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert set(resnet.selection.ids) == set(expected(resnet, "type:conv")), "what is seen, to be edited together"
    table.filter.field.clear()
    assert {index.data() for index in table.view.selectionModel().selectedRows()} == set(resnet.selection.ids)


def test_enter_and_down_go_on_in_the_rows(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    type_filter(table, "kernel>3")
    press(table.filter.field, Qt.Key.Key_Down)
    assert table.view.hasFocus()
    assert resnet.selection.ids == ("conv1",)
    type_filter(table, "type:relu")
    press(table.filter.field, Qt.Key.Key_Return)
    assert table.view.hasFocus()
    assert resnet.selection.ids == (expected(resnet, "type:relu")[0],)


def test_order_and_filter_go_together(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    sort_by(table, LayerTableModel.PARAMETERS)
    sort_by(table, LayerTableModel.PARAMETERS)
    counts = {i: r.num_parameters or 0 for i, r in resnet.document.snapshot.inference.nodes.items()}
    assert [counts[i] for i in ids(table)] == sorted(counts.values(), reverse=True)
    type_filter(table, "type:conv")
    assert set(ids(table)) == set(expected(resnet, "type:conv"))
    assert [counts[i] for i in ids(table)] == sorted((counts[i] for i in ids(table)), reverse=True)
    resnet.set_value("conv1", "out_channels", 4096)
    counts = {i: r.num_parameters or 0 for i, r in resnet.document.snapshot.inference.nodes.items()}
    assert ids(table)[0] == "layer1.0.conv1", "which reads what conv1 puts out"
    assert [counts[i] for i in ids(table)] == sorted((counts[i] for i in ids(table)), reverse=True)
    sort_by(table, LayerTableModel.PARAMETERS)
    assert ids(table) == expected(resnet, "type:conv")
    sort_by(table, LayerTableModel.ISSUE)
    assert set(ids(table)) == set(expected(resnet, "type:conv"))


def test_copies_and_files_hold_what_is_shown(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    type_filter(table, "kernel>3")
    assert [line.split("\t")[0] for line in table.copied_text().splitlines()] == ["Layer id", "conv1"]


def test_the_rows_keep_qt_s_rules(qtbot: QtBot, qtmodeltester: ModelTester, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    for text in ("", "type:conv", "nothing-like-this"):
        table.filter.field.setText(text)
        qtmodeltester.check(table.rows)  # type: ignore[no-untyped-call]
    table.filter.field.setText("type:conv")
    current = table.rows.index(3, 0)
    table.view.selectionModel().setCurrentIndex(current, QItemSelectionModel.SelectionFlag.NoUpdate)
    name = current.data()
    table.rows.sort(LayerTableModel.ID, Qt.SortOrder.DescendingOrder)
    assert table.view.currentIndex().data() == name, "the current row keeps its layer while rows move"
    qtmodeltester.check(table.rows)  # type: ignore[no-untyped-call]


def test_a_long_message_moves_no_row(qtbot: QtBot, resnet: Stage) -> None:
    table = table_of(qtbot, resnet)
    top = table.view.geometry().top()
    for text in ("kernal=3", "type:conv", "kernel>", ""):
        table.filter.field.setText(text)
        assert table.view.geometry().top() == top
    narrow = LayerTable(resnet.document, resnet.selection, resnet.themes)
    shown(qtbot, narrow, 320, 300)
    narrow.filter.field.setText("kernal=3")
    assert narrow.filter.problem.toolTip() == narrow.filter.problem.whole != ""
