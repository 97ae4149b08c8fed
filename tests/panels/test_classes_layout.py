"""The room of the Classes tab: its columns, the cells of any number of classes at any zoom, and their names."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from pytestqt.qtbot import QtBot

from explorer.look.theme import GRID, small_font
from explorer.panels.classes.columns import Needs, shared
from explorer.panels.classes.layout import Cell, depths, edges, grouped, scale_of
from explorer.runs.class_figures import confusion
from tests.panels.classes_panel import ClassesTab, classes_panel, of_pairs
from tests.panels.stage import press
from tests.runs.test_class_figures import made


@pytest.fixture
def scene(qtbot: QtBot, tmp_path: Path) -> Iterator[ClassesTab]:
    yield from classes_panel(qtbot, tmp_path)


@pytest.mark.parametrize(("classes", "count"), [(2, 50), (10, 1000), (100, 5000), (1000, 20000)])
def test_every_class_fits_and_can_be_enlarged(scene: ClassesTab, classes: int, count: int) -> None:
    scene.start()
    scene.show_test(made(classes, count))
    matrix = scene.panel.matrix
    assert not matrix.verticalScrollBar().maximum()
    last = matrix.cell_rect(Cell(len(matrix._groups.rows) - 1, len(matrix._groups.columns) - 1))  # type: ignore[union-attr]
    assert matrix.viewport().rect().contains(last)
    for _ in range(40):
        matrix.set_zoom(matrix._zoom * 1.5, QPointF(matrix.viewport().rect().center()))
    assert matrix.scale.group == 1
    assert matrix.scale.cell == pytest.approx(48)
    press(matrix, Qt.Key.Key_0)
    assert not matrix.verticalScrollBar().maximum()


def test_zooming_keeps_the_place_under_the_pointer(scene: ClassesTab) -> None:
    scene.start()
    scene.show_test(made(100, 5000))
    matrix = scene.panel.matrix
    matrix.set_zoom(6.0)
    place = matrix.viewport().rect().center()
    before = matrix._at(place)
    assert before is not None
    matrix.set_zoom(9.0, QPointF(place))
    after = matrix._at(place)
    assert after is not None
    assert abs(after.row - before.row) <= 1
    assert abs(after.column - before.column) <= 1


@pytest.mark.parametrize("size", [1, 3, 7, 40])
def test_groups_keep_every_image(size: int) -> None:
    found = confusion(made(23, 600, beyond=4))
    order = np.random.default_rng(1).permutation(23).tolist()
    groups = grouped(found, order, size)
    assert groups.counts.sum() == 600
    assert sorted(c for row in groups.rows for c in row) == list(range(23))
    for row, trues in enumerate(groups.rows):
        for column, answers in enumerate(groups.columns):
            assert groups.counts[row, column] == found.counts[np.ix_(trues, answers)].sum()
    assert groups.right.sum() == found.right.sum()
    right, wrong = depths(groups)
    assert ((wrong > 0) == (groups.wrong > 0)).all()
    assert right.max() <= 1
    assert wrong.max() <= 1.05


def test_cells_are_never_too_small_to_see() -> None:
    for pixels in (0.05, 0.4, 1.0, 1.5, 3.0, 40.0):
        scale = scale_of(pixels)
        assert scale.cell >= 1.5
        assert scale.group == 1 or pixels < 1.5
    assert edges(3, 1.5).tolist() == [0, 2, 3, 4]


def test_each_column_is_as_wide_as_it_needs_and_images_take_the_rest() -> None:
    few = Needs(matrix=lambda most: min(most, 160), least_matrix=290, table=400, least_images=350)
    assert shared(1240, few) == [290, 400, 550]
    many = few._replace(matrix=lambda most: min(most, 700))
    assert shared(1240, many) == [490, 400, 350]
    assert shared(2000, many) == [700, 400, 900]
    # Too narrow for all of them, none vanishes.
    narrow = shared(700, many)
    assert sum(narrow) == 700
    assert min(narrow) > 130


@pytest.mark.parametrize("width", [1280, 1440, 1920])
@pytest.mark.parametrize("classes", [10, 100])
def test_the_matrix_leaves_what_it_does_not_use_to_the_images(scene: ClassesTab, width: int, classes: int) -> None:
    scene.start()
    scene.show_test(made(classes, 5000))
    panel = scene.panel
    panel.resize(width, 340)
    matrix, groups = panel.matrix, panel.matrix._groups
    assert groups is not None
    right = matrix.cell_rect(Cell(0, len(groups.columns) - 1)).right()
    beside = matrix.width() - right
    # The words below the matrix want their room too.
    words = panel.words.fontMetrics().horizontalAdvance(panel.words.whole)
    assert beside <= 24 or matrix.width() <= words + 16
    assert not panel.classes.horizontalScrollBar().maximum()
    first, third = panel.images.tile_rect(0), panel.images.tile_rect(2)
    assert first.top() == third.top()
    assert third.right() < panel.images.width()


def test_a_border_that_was_moved_stays(scene: ClassesTab) -> None:
    scene.start()
    scene.show_test(made(10, 500))
    columns = scene.panel.columns
    columns.moveSplitter(500, 1)
    before = columns.sizes()
    assert before[0] == 500
    scene.show_test(made(20, 500), 2)
    assert columns.sizes() == before


@pytest.mark.parametrize(("classes", "height"), [(10, 190), (10, 340), (100, 190)])
def test_a_low_tab_keeps_its_height_for_the_cells(scene: ClassesTab, classes: int, height: int) -> None:
    """Names of columns stand upright only where they leave the cells most of the height."""
    scene.start()
    scene.panel.resize(1600, height)
    scene.show_test(made(classes, 5000))
    matrix, groups = scene.panel.matrix, scene.panel.matrix._groups
    assert groups is not None
    last = matrix.cell_rect(Cell(len(groups.rows) - 1, 0))
    first = matrix.cell_rect(Cell(0, 0))
    assert last.bottom() - first.top() >= 0.6 * matrix.viewport().height()
    assert last.bottom() < matrix.viewport().height()
    # Ten names lie above cells that are wide enough for them.
    widest = max(matrix.fontMetrics().horizontalAdvance(f"class {place}") for place in range(10))
    assert classes > 10 or first.width() >= widest


class _Texts:
    """A painter that only notes where texts are put."""

    def __init__(self) -> None:
        self.middles: dict[str, int] = {}

    def drawText(self, place: QRect, _flags: object, text: str) -> None:
        self.middles[text] = place.center().y()

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


@pytest.mark.parametrize("row", [37, 38, 39, 40])
def test_the_name_of_the_current_row_stands_on_no_other(scene: ClassesTab, row: int) -> None:
    scene.start()
    scene.show_test(made(100, 5000))
    matrix, texts = scene.panel.matrix, _Texts()
    assert matrix._picture is not None
    size = matrix.viewport().size()
    matrix._picture._paint_rows(cast("QPainter", texts), size, QPoint(), Cell(row, 0))
    own = texts.middles.pop(f"class {row}")
    assert len(texts.middles) > 5
    assert min(abs(own - other) for other in texts.middles.values()) >= 0.7 * matrix.fontMetrics().height()


def test_the_table_s_columns_keep_their_widths_whatever_the_numbers(scene: ClassesTab) -> None:
    table = scene.panel.classes
    scene.start()
    scene.show_test(of_pairs(of_00=1, of_12=2))
    before = [table.columnWidth(column) for column in range(table.figures.columnCount())]
    scene.show_test(of_pairs(of_00=1200, of_11=1, of_22=1), epoch=2)
    texts = [table.figures.index(0, column).data() for column in range(len(before))]
    assert texts[1] == "1,200"
    assert texts[-1].startswith("100.0")
    assert [table.columnWidth(column) for column in range(len(before))] == before
    assert all(
        table.fontMetrics().horizontalAdvance(text) + GRID <= width for text, width in zip(texts, before, strict=True)
    )
    assert table.wanted_width() <= table.width()


def test_every_row_has_its_name_where_letters_do_not_touch(scene: ClassesTab) -> None:
    scene.start()
    scene.show_test(made(10, 400))
    matrix, texts = scene.panel.matrix, _Texts()
    line, thin = QFontMetrics(small_font()).height(), 0
    for height in range(340, 100, -1):
        scene.panel.resize(1300, height)
        if (thin := min(matrix.cell_rect(Cell(row, 0)).height() for row in range(10))) < line:
            break
    assert 0.75 * line <= thin < line
    assert matrix._picture is not None
    matrix._picture._paint_rows(cast("QPainter", texts), matrix.viewport().size(), QPoint(), None)
    assert len(texts.middles) == 10
