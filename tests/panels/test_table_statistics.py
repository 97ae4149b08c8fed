"""The layer table's columns of what is measured while a network learns."""

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from explorer.panels.table.columns import LEARNED, Place
from explorer.panels.table.model import PLAIN_ROLE
from explorer.panels.table.panel import LayerTable
from explorer.runs import LayersMeasured, LayerStatistics
from explorer.session.sources import Source
from tests.panels.stage import shown, stage

THIN = "\u2009"


@pytest.fixture
def table(qtbot: QtBot) -> LayerTable:
    on = stage()
    table = LayerTable(on.document, on.selection, on.themes)
    shown(qtbot, table, 1280, 400)
    return table


def show(table: LayerTable) -> None:
    layers = {
        "conv1": LayerStatistics(gradient_norm=0.25, update_ratio=1.2e-3, weight_norm=3.0, change=0.386),
        "conv2": LayerStatistics(gradient_norm=4.0, update_ratio=2e-3, weight_norm=3.0),
        "tanh1": LayerStatistics(saturated=0.386),
    }
    event = LayersMeasured(run_id="r", step=12, num_images=64, layers=layers)
    table.show_observed([event], Source("step 12", 12, "r"))


def test_they_are_measured_while_one_is_on_screen(table: LayerTable) -> None:
    asked: list[bool] = []
    table.wanted_changed.connect(lambda: asked.append(table.wanted().measures))
    header = table.view.horizontalHeader()
    assert all(header.isSectionHidden(column) for column in LEARNED)
    assert not table.wanted().measures
    table.show_column(Place.GRADIENT, True)
    table.show_column(Place.DEAD, True)
    table.show_column(Place.GRADIENT, False)
    assert table.wanted().measures
    table.hide()
    assert not table.wanted().measures
    table.show()
    table.show_column(Place.DEAD, False)
    assert asked == [True, False, True, False]


def test_cells_say_what_was_measured(table: LayerTable) -> None:
    show(table)
    row = {i: table.model.row_of(i) or 0 for i in ("conv1", "tanh1", "pool1")}
    assert [table.model.text(row["conv1"], c) for c in LEARNED] == ["0.25", "1.2·10⁻³", f"39{THIN}%", "–", "–"]
    assert [table.model.text(row["tanh1"], c) for c in LEARNED] == ["–", "–", "–", "–", f"39{THIN}%"]
    assert [table.model.text(row["pool1"], c) for c in LEARNED] == ["–"] * 5
    exact = table.model.index(row["conv1"], Place.UPDATE)
    assert exact.data(Qt.ItemDataRole.ToolTipRole) == "0.0012"
    assert exact.data(PLAIN_ROLE) == "0.0012"
    table.view.grab()
    table.clear_observed()
    assert table.model.text(row["conv1"], Place.GRADIENT) == "–"


def test_rows_sort_by_them_as_they_change(table: LayerTable) -> None:
    table.show_column(Place.GRADIENT, True)
    table.view.sortByColumn(Place.GRADIENT, Qt.SortOrder.DescendingOrder)
    show(table)
    assert [table.rows.index(row, Place.ID).data() for row in range(2)] == ["conv2", "conv1"]


def test_files_have_them_once_they_are_measured(table: LayerTable) -> None:
    assert "Gradient norm" not in table.copied_text()
    show(table)
    lines = table.copied_text().splitlines()
    place = lines[0].split("\t").index("Gradient norm")
    values = {line.split("\t")[0]: line.split("\t")[place] for line in lines[1:]}
    assert (values["conv1"], values["conv2"], values["pool1"]) == ("0.25", "4.0", "")
