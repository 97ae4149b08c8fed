"""The layer table against inference, the selection and the clipboard."""

import csv
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.inference.memory import memory
from explorer.look.theme import GRID
from explorer.panels.table.model import PLAIN_ROLE, LayerTableModel
from explorer.panels.table.panel import LayerTable
from tests.networks import branching
from tests.panels.stage import Stage, click, press, shown, stage


@pytest.fixture
def lenet(qtbot: QtBot) -> Stage:
    return stage()


def table_of(qtbot: QtBot, on: Stage) -> LayerTable:
    table = LayerTable(on.document, on.selection, on.themes)
    shown(qtbot, table, 1280, 400)
    return table


def column(table: LayerTable, number: int) -> list[str]:
    rows = range(table.rows.rowCount())
    return [table.rows.index(row, number).data() for row in rows]


def click_row(table: LayerTable, row: int, modifier: Qt.KeyboardModifier) -> None:
    place = table.view.visualRect(table.rows.index(row, 0)).center()
    click(table.view.viewport(), place, modifier)


def sort_by(table: LayerTable, section: int) -> None:
    header = table.view.horizontalHeader()
    place = QPoint(header.sectionViewportPosition(section) + 20, header.height() // 2)
    click(header.viewport(), place)


def test_the_model_keeps_qt_s_rules_through_edits_and_resets(
    qtbot: QtBot, qtmodeltester: ModelTester, lenet: Stage
) -> None:
    table = table_of(qtbot, lenet)
    qtmodeltester.check(table.model)  # type: ignore[no-untyped-call]
    lenet.set_value("conv1", "kernel_size", (3, 3))
    lenet.document.edit("Remove", lambda a: edits.remove(a, ["tanh1"]))
    lenet.document.open(branching())
    qtmodeltester.check(table.model)  # type: ignore[no-untyped-call]


def test_cells_say_what_inference_says(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    assert column(table, LayerTableModel.ID)[:3] == ["input", "conv1", "tanh1"]
    assert column(table, LayerTableModel.OUTPUT)[1:5] == ["6×28×28", "6×28×28", "6×14×14", "16×10×10"]
    tips = [
        table.model.index(row, LayerTableModel.PARAMETERS).data(Qt.ItemDataRole.ToolTipRole)
        for row in range(table.model.rowCount())
    ]
    assert sum(int(tip.replace(",", "")) for tip in tips) == 61_706
    assert table.totals.text(LayerTableModel.ID) == "Total"
    assert table.model.exact_total(LayerTableModel.MACS) == "416,520"


def test_an_edit_announces_only_what_it_changed(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    changes: list[tuple[int, int]] = []
    resets: list[bool] = []
    table.model.dataChanged.connect(lambda first, last: changes.append((first.row(), last.row())))
    table.model.modelReset.connect(lambda: resets.append(True))
    lenet.set_value("fc2", "bias", False)
    row = table.model.row_of("fc2")
    assert (row, row) in changes
    assert resets == []
    lenet.document.edit("Remove", lambda a: edits.remove(a, ["tanh1"]))
    assert resets == [True]
    assert "tanh1" not in column(table, LayerTableModel.ID)


def test_changed_cells_light_up_and_go_out(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    lenet.set_value("fc2", "bias", False)
    row = table.model.row_of("fc2")
    assert row is not None
    cell = table.model.index(row, LayerTableModel.PARAMETERS)
    assert cell.data(Qt.ItemDataRole.BackgroundRole) is not None
    assert table.model.index(row, LayerTableModel.OUTPUT).data(Qt.ItemDataRole.BackgroundRole) is None
    qtbot.waitUntil(lambda: cell.data(Qt.ItemDataRole.BackgroundRole) is None, timeout=2000)
    qtbot.waitUntil(lambda: not table.model._frames.isActive(), timeout=2000)


def test_totals_reach_up_to_the_fault(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    lenet.set_value("conv2", "kernel_size", (40, 40))
    assert table.totals.text(LayerTableModel.ID) == "Up to conv2"
    assert table.totals.text(LayerTableModel.PARAMETERS) == "156"
    assert column(table, LayerTableModel.PARAMETERS)[-1] == "–"
    assert "does not fit" in column(table, LayerTableModel.ISSUE)[4]


def test_selection_goes_both_ways(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    click_row(table, 4, Qt.KeyboardModifier.NoModifier)
    assert list(lenet.selection.ids) == ["conv2"]
    click_row(table, 1, Qt.KeyboardModifier.ControlModifier)
    assert list(lenet.selection.ids) == ["conv2", "conv1"]
    lenet.selection.set(("fc1", "fc2"))
    assert {index.row() for index in table.view.selectionModel().selectedRows()} == {8, 10}
    lenet.selection.set(())
    assert not table.view.selectionModel().hasSelection()


def test_edits_and_structure_changes_keep_the_selection(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    lenet.selection.set(("fc1",))
    received: list[object] = []
    lenet.selection.changed.connect(received.append)
    lenet.set_value("conv1", "kernel_size", (3, 3))
    lenet.document.edit("Remove", lambda a: edits.remove(a, ["tanh1"]))
    assert lenet.selection.ids == ("fc1",)
    assert received == []
    (row,) = table.view.selectionModel().selectedRows()
    assert row.data() == "fc1"


def test_a_header_sorts_and_the_third_click_restores_the_order(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    order = column(table, LayerTableModel.ID)
    sort_by(table, LayerTableModel.PARAMETERS)
    sort_by(table, LayerTableModel.PARAMETERS)
    assert column(table, LayerTableModel.ID)[0] == "fc1"
    lenet.selection.set(("conv2",))
    assert [index.data() for index in table.view.selectionModel().selectedRows()] == ["conv2"]
    sort_by(table, LayerTableModel.PARAMETERS)
    assert column(table, LayerTableModel.ID) == order


def test_a_preview_shows_old_and_new_and_leaves_no_trace(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    lenet.document.preview(lambda a: edits.set_value(a, "conv1", "kernel_size", (7, 7)))

    def output() -> tuple[str | None, str]:
        cell = table.model.cell(1, LayerTableModel.OUTPUT)
        return cell.before, cell.text

    assert output() == ("6×28×28", "6×26×26")
    assert table.model.cell(1, LayerTableModel.LAYER).before is None
    assert " → " in table.totals.text(LayerTableModel.PARAMETERS)
    table.grab()
    lenet.document.preview(None)
    assert output() == (None, "6×28×28")
    lenet.document.preview(lambda a: edits.set_value(a, "conv1", "kernel_size", (7, 7)))
    lenet.set_value("conv1", "kernel_size", (7, 7))
    assert output() == (None, "6×26×26")


def test_copies_are_exact_and_of_the_selected_rows(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    table.view.setFocus()
    lenet.selection.set(("fc1",))
    press(table.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    rows = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    assert len(rows) == 2
    assert rows[1][:4] == ["fc1", "Linear", "120", "48120"]
    lenet.selection.set(())
    assert len(table.copied_text().splitlines()) == 14


def test_csv_holds_every_digit(qtbot: QtBot, lenet: Stage, tmp_path: Path) -> None:
    table = table_of(qtbot, lenet)
    lenet.set_value("fc3", "in_features", 5)
    table.export_csv(tmp_path / "layers.csv")
    with (tmp_path / "layers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Layer id"] for row in rows] == [node.id for node in lenet.document.architecture]
    assert sum(int(row["MACs"] or 0) for row in rows) == 416_520 - 840
    assert rows[-1]["MACs"] == ""
    assert rows[-1]["Issue"].startswith("in_features is fixed")
    with pytest.raises(OSError, match="missing"):
        table.export_csv(tmp_path / "missing" / "layers.csv")


def test_kept_bytes_and_output_strides_stand_beside_the_other_numbers(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    memory_of = memory(lenet.document.architecture, lenet.document.snapshot.inference, batch_size=1)
    kept = [table.model.index(row, LayerTableModel.KEPT).data(PLAIN_ROLE) for row in range(table.model.rowCount())]
    assert [int(text) for text in kept] == list(memory_of.nodes.values())
    assert table.model.exact_total(LayerTableModel.KEPT) == f"{memory_of.saved_bytes:,} bytes"
    assert column(table, LayerTableModel.STRIDE)[:4] == ["1×1", "1×1", "1×1", "2×2"]


def test_shares_can_be_of_another_column(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    row = table.model.row_of("conv2")
    assert row is not None
    share = table.model.index(row, LayerTableModel.SHARE)
    assert share.data().startswith(f"{2_416 / 61_706 * 100:.1f}")
    table.show_share_of(LayerTableModel.MACS)
    assert share.data().startswith(f"{240_000 / 416_520 * 100:.1f}")
    title = table.model.headerData(LayerTableModel.SHARE, Qt.Orientation.Horizontal)
    assert title == "% MACs"


def test_columns_are_hidden_and_remembered(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    header = table.view.horizontalHeader()
    assert header.isSectionHidden(LayerTableModel.STRIDE)
    table.show_column(LayerTableModel.STRIDE, True)
    table.show_column(LayerTableModel.KEPT, False)
    again = table_of(qtbot, lenet)
    assert not again.view.horizontalHeader().isSectionHidden(LayerTableModel.STRIDE)
    assert again.view.horizontalHeader().isSectionHidden(LayerTableModel.KEPT)


def test_what_is_painted_is_what_the_model_says(qtbot: QtBot, lenet: Stage) -> None:
    """The view paints its rows itself: a selected row is tinted, and a cell's text leaves ink where the cell is."""
    table = table_of(qtbot, lenet)
    table.show_column(LayerTableModel.ISSUE, False)

    def ink(row: int, section: int) -> int:
        box = table.view.visualRect(table.rows.index(row, section))
        image = table.view.viewport().grab(box).toImage()
        ground = image.pixelColor(1, 1)
        return sum(image.pixelColor(x, y) != ground for x in range(image.width()) for y in range(4, image.height() - 6))

    assert ink(1, LayerTableModel.OUTPUT) > 40
    assert ink(1, LayerTableModel.LAYER) > 40
    before = table.view.viewport().grab().toImage().pixelColor(3, 3 * 24 + 2)
    lenet.selection.set(("pool1",))
    assert table.view.viewport().grab().toImage().pixelColor(3, 3 * 24 + 2) != before


def test_the_columns_that_are_there_at_first_fit_a_small_screen(qtbot: QtBot, lenet: Stage) -> None:
    table = table_of(qtbot, lenet)
    assert table.view.horizontalScrollBar().maximum() == 0
    header = table.view.horizontalHeader()
    for column, content in enumerate(table.model.columns):
        assert table.view.fontMetrics().horizontalAdvance(content.widest) + GRID <= header.sectionSize(column) or (
            header.isSectionHidden(column)
        )
