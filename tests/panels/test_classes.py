"""The Classes tab, with events as a user makes them: matrix, tables, images, and what is taken away."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.classes.columns import Needs, shared
from explorer.panels.classes.layout import Cell, depths, edges, grouped, scale_of
from explorer.panels.classes.panel import ClassesPanel
from explorer.runs import ClassesTested, Event, Look
from explorer.runs.class_figures import TestedImages, confusion, images_of
from explorer.session.sources import Source
from tests.panels.fake_run import epoch_finished
from tests.panels.stage import click, press, shown
from tests.runs.test_class_figures import made
from tests.runs.test_latest_answers import evaluated
from tests.session.test_classes_session import Scene


class _Panel(Scene):
    """The tab with its parts."""

    def __init__(self, qtbot: QtBot, root: Path) -> None:
        super().__init__(root)
        self.themes = ThemeSource()
        self.panel = ClassesPanel(self.session, self.themes)
        shown(qtbot, self.panel, 1300, 340)

    def show_test(self, tested: TestedImages, epoch: int = 1) -> None:
        self.run.say([ClassesTested(run_id="r", epoch=epoch, step=epoch, tested=tested)])

    def observe(self, event: Event) -> None:
        self.panel.show_observed([event], Source("", None, "r"))

    @property
    def chosen(self) -> object:
        return self.panel.matrix.chosen

    def cells(self) -> dict[tuple[int, int], QPoint]:
        """Where each cell of the matrix is, by its classes."""
        matrix = self.panel.matrix
        assert matrix._groups is not None
        return {
            (row[0], column[0]): matrix.cell_rect(Cell(r, c)).center()
            for r, row in enumerate(matrix._groups.rows)
            for c, column in enumerate(matrix._groups.columns)
        }


@pytest.fixture
def scene(qtbot: QtBot, tmp_path: Path) -> Iterator[_Panel]:
    scene = _Panel(qtbot, tmp_path)
    yield scene
    assert scene.session.close()


def test_it_says_what_to_do_before_there_is_a_test(scene: _Panel) -> None:
    assert "Train a network" in scene.panel._empty.text()
    scene.start()
    assert "after the first epoch" in scene.panel._empty.text()
    scene.run.enter("idle")
    assert "No test of this run is kept" in scene.panel._empty.text()


def test_a_test_that_cannot_be_read_is_said(scene: _Panel) -> None:
    scene.keep(1)
    next((scene.root / "r" / "tests").iterdir()).write_bytes(b"torn")
    scene.start()
    scene.run.say([epoch_finished(1)])
    assert "epoch-000001.npz: cannot be read" in scene.panel._empty.text()


def test_a_click_on_a_cell_shows_its_images(scene: _Panel, qtbot: QtBot) -> None:
    scene.start()
    tested = made(10, 400)
    scene.show_test(tested)
    found = confusion(tested)
    matrix = scene.panel.matrix
    for row, column in ((2, 2), (3, 7), (9, 0)):
        click(matrix.viewport(), scene.cells()[row, column])
        expected = images_of(tested, [row], [column]).tolist()
        assert len(expected) == found.counts[row, column]
        assert [answer.position for answer in scene.panel.images.answers] == expected
        assert matrix.chosen == ((row,), (column,))
    qtbot.waitUntil(lambda: not scene.panel.images.missing())
    click(scene.panel.cell.back_button)
    assert matrix.chosen is None
    probabilities = [answer.probability for answer in scene.panel.images.answers]
    assert probabilities == sorted(probabilities, reverse=True)
    assert not any(answer.is_right for answer in scene.panel.images.answers)


def test_the_keyboard_reaches_every_cell(scene: _Panel) -> None:
    scene.start()
    scene.show_test(made(5, 200))
    matrix = scene.panel.matrix
    matrix.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Return):
        press(matrix, key)
    assert matrix.chosen == ((2,), (1,))
    assert "class 2 taken for class 1" in scene.panel.words.whole
    press(matrix, Qt.Key.Key_Escape)
    assert scene.chosen is None
    press(matrix, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    table = list(csv.reader(io.StringIO(QGuiApplication.clipboard().text())))
    assert [int(cell) for cell in table[1][1:]] == confusion(made(5, 200)).counts[0].tolist()


def test_hovering_reads_the_numbers_out(scene: _Panel) -> None:
    scene.start()
    tested = made(4, 100)
    scene.show_test(tested)
    counts = confusion(tested).counts
    QTest.mouseMove(scene.panel.matrix.viewport(), scene.cells()[1, 2])
    scene.panel.matrix._hover(Cell(1, 2))
    assert f"{counts[1, 2]} of {counts[1].sum()} images" in scene.panel.words.whole


@pytest.mark.parametrize(("classes", "count"), [(2, 50), (10, 1000), (100, 5000), (1000, 20000)])
def test_every_class_fits_and_can_be_enlarged(scene: _Panel, classes: int, count: int) -> None:
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


def test_zooming_keeps_the_place_under_the_pointer(scene: _Panel) -> None:
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


def test_orders_change_rows_and_columns_alike(scene: _Panel) -> None:
    scene.start()
    tested = made(6, 300)
    scene.show_test(tested)
    scene.panel.order_menu.setCurrentIndex(1)
    groups = scene.panel.matrix._groups
    assert groups is not None
    assert groups.rows == groups.columns
    found = confusion(tested)
    mistakes = [int(found.images[row[0]] - found.right[row[0]]) for row in groups.rows]
    assert mistakes == sorted(mistakes, reverse=True)


def test_the_table_of_classes_leads_to_their_mistakes(scene: _Panel) -> None:
    scene.start()
    tested = made(6, 300)
    scene.show_test(tested)
    table = scene.panel.classes
    table.sortByColumn(3, Qt.SortOrder.AscendingOrder)
    accuracies = [float(table.figures.index(row, 3).data().split("\u2009")[0]) for row in range(6)]
    assert accuracies == sorted(accuracies)
    table.selectRow(0)
    worst = table.figures.line(0)
    answers = scene.panel.images.answers
    assert {answer.true for answer in answers} == {f"class {worst}"}
    assert len(answers) == int((confusion(tested).images - confusion(tested).right)[worst])
    # The next test keeps what is looked at.
    scene.show_test(made(6, 300, 5), 2)
    assert {answer.true for answer in scene.panel.images.answers} == {f"class {worst}"}


def test_the_commonest_mistakes_lead_to_their_cell(scene: _Panel) -> None:
    scene.start()
    tested = made(6, 300)
    scene.show_test(tested)
    click(scene.panel.choice.button(1))
    scene.panel.pairs.selectRow(0)
    counts = confusion(tested).counts.copy()
    np.fill_diagonal(counts, 0)
    assert len(scene.panel.images.answers) == counts.max()
    chosen = scene.panel.matrix.chosen
    assert chosen is not None
    assert counts[chosen[0][0], chosen[1][0]] == counts.max()


def _of_pairs(**counts: int) -> TestedImages:
    """A test of three classes with so many images of each true and answered one: `of_12=3` takes three of 1 for 2."""
    rows = [(int(name[3]), int(name[4])) for name, count in counts.items() for _ in range(count)]
    labels, predicted = (np.array(column, np.uint16) for column in zip(*rows, strict=True))
    sure = np.full(len(rows), 0.9, np.float16)
    return replace(made(3, len(rows)), labels=labels, predicted=predicted, probabilities=sure)


def test_the_marked_mistake_stays_the_one_whose_images_are_shown(scene: _Panel) -> None:
    scene.start()
    panel = scene.panel
    scene.show_test(_of_pairs(of_00=5, of_01=4, of_12=3, of_20=1))
    click(panel.choice.button(1))
    panel.pairs.selectRow(1)
    assert panel.cell.heading.whole == "class 1 taken for class 2: 3"

    def marked() -> list[str]:
        return [str(index.data()) for index in panel.pairs.selectedIndexes()[:3]]

    assert marked() == ["class 1", "class 2", "3"]
    # The commonest of before is the rarest now.
    scene.show_test(_of_pairs(of_00=5, of_01=1, of_12=6, of_20=2), 2)
    assert panel.cell.heading.whole == "class 1 taken for class 2: 6"
    assert marked() == ["class 1", "class 2", "6"]
    scene.show_test(_of_pairs(of_00=5, of_11=3, of_20=2), 3)
    assert panel.cell.heading.whole == "class 1 taken for class 2: 0"
    assert marked() == []


def test_an_image_becomes_the_probe(scene: _Panel, qtbot: QtBot) -> None:
    chosen: list[tuple[object, str]] = []
    scene.panel.probe_chosen.connect(lambda image, label: chosen.append((image, label)))
    scene.start()
    scene.show_test(made(6, 300))
    images = scene.panel.images
    images.setFocus()
    press(images, Qt.Key.Key_Right)
    press(images, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(chosen) == 1)
    answer = images.answers[1]
    assert chosen[0][1] == f"{answer.true}, test image {answer.position:,}"


def test_what_is_saved_can_be_read(scene: _Panel, tmp_path: Path) -> None:
    scene.start()
    tested = made(6, 300)
    scene.show_test(tested)
    done: list[str] = []
    failed: list[str] = []
    scene.panel.done.connect(done.append)
    scene.panel.failed.connect(failed.append)
    for what in ("matrix", "classes", "images"):
        scene.panel.save(what, tmp_path / f"{what}.csv")
    scene.panel.save("picture", tmp_path / "picture.png")
    assert len((tmp_path / "images.csv").read_text().splitlines()) == 301
    assert len((tmp_path / "matrix.csv").read_text().splitlines()) == 7
    assert not QImage(str(tmp_path / "picture.png")).isNull()
    assert len(done) == 4
    scene.panel.save("classes", tmp_path / "nowhere" / "classes.csv")
    assert len(failed) == 1


def test_the_slider_looks_at_earlier_epochs(scene: _Panel) -> None:
    scene.start()
    for epoch in (1, 2, 3):
        scene.keep(epoch, epoch)
        scene.show_test(made(10, 200, epoch), epoch)
    slider = scene.panel.epoch_slider
    assert slider.isVisible()
    slider.setValue(0)
    assert scene.panel.title.text() == "After epoch 1"
    assert not scene.panel.newest_button.isChecked()
    click(scene.panel.newest_button)
    assert scene.panel.title.text() == "After epoch 3"


def test_hidden_it_follows_nothing(scene: _Panel) -> None:
    scene.panel.hide()
    scene.start()
    scene.show_test(made(10, 200))
    assert scene.panel._found is None
    scene.panel.show()
    assert scene.panel.title.text() == "After epoch 1"


def test_behind_another_tab_it_follows_nothing(scene: _Panel, qtbot: QtBot) -> None:
    panel = scene.panel
    scene.start()
    scene.show_test(made(10, 200))
    qtbot.waitUntil(lambda: not panel.images.missing())
    panel.set_in_front(False)
    assert panel.isVisible(), "as Qt leaves it"
    asked = len(scene.work.asked)
    scene.show_test(made(10, 300, 4), 2)
    assert panel.title.text() == "After epoch 1"
    assert len(scene.work.asked) == asked
    panel.hide()
    panel.show()
    assert panel.title.text() == "After epoch 1", "its dock comes back behind the other tab"
    panel.set_in_front(True)
    assert panel.title.text() == "After epoch 2"
    qtbot.waitUntil(lambda: not panel.images.missing())
    panel.hide()
    panel.set_in_front(True)
    scene.show_test(made(10, 400, 5), 3)
    assert panel.title.text() == "After epoch 2"


def test_both_themes_paint_it(scene: _Panel) -> None:
    scene.start()
    scene.show_test(made(10, 200))
    pictures = []
    for choice in ("light", "dark"):
        scene.themes.choose(choice)
        pictures.append(scene.panel.matrix.picture())
    assert pictures[0] != pictures[1]


# How the columns share the width


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
def test_the_matrix_leaves_what_it_does_not_use_to_the_images(scene: _Panel, width: int, classes: int) -> None:
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


def test_a_border_that_was_moved_stays(scene: _Panel) -> None:
    scene.start()
    scene.show_test(made(10, 500))
    columns = scene.panel.columns
    columns.moveSplitter(500, 1)
    before = columns.sizes()
    assert before[0] == 500
    scene.show_test(made(20, 500), 2)
    assert columns.sizes() == before


@pytest.mark.parametrize(("classes", "height"), [(10, 190), (10, 340), (100, 190)])
def test_a_low_tab_keeps_its_height_for_the_cells(scene: _Panel, classes: int, height: int) -> None:
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
def test_the_name_of_the_current_row_stands_on_no_other(scene: _Panel, row: int) -> None:
    scene.start()
    scene.show_test(made(100, 5000))
    matrix, texts = scene.panel.matrix, _Texts()
    assert matrix._picture is not None
    size = matrix.viewport().size()
    matrix._picture._paint_rows(cast("QPainter", texts), size, QPoint(), Cell(row, 0))
    own = texts.middles.pop(f"class {row}")
    assert len(texts.middles) > 5
    assert min(abs(own - other) for other in texts.middles.values()) >= 0.7 * matrix.fontMetrics().height()


def test_the_images_say_what_their_percentage_is(scene: _Panel) -> None:
    scene.start()
    scene.show_test(made(10, 500))
    cell = scene.panel.cell
    assert cell.caption.isVisible()
    assert cell.caption.whole == "In %: the network's probability of the class it chose"
    answer = cell.images.answers[0]
    tip = cell.images.describe(0)
    share = f"{100 * answer.probability:.2f}"
    assert f"takes it for {answer.predicted}, to which it gives the probability {share}" in tip
    right = made(10, 500)
    scene.show_test(replace(right, predicted=right.labels), 2)
    assert not cell.caption.isVisible(), "there is no percentage"


# Between two tests


def test_it_says_what_was_tried_since_when(scene: _Panel) -> None:
    scene.start()
    scene.run.enter("running")
    panel, whole = scene.panel, made(10, 1200)
    scene.observe(evaluated(whole, range(300), whole.labels[:300], step=2))
    assert panel.title.text() == "Live"
    assert panel.facts.whole.startswith("300 of 1,200 test images tried so far · 100.0")
    assert panel.facts.whole.endswith("step 2")
    assert panel.cell.heading.whole == "Surest mistakes · 0 in all"
    scene.show_test(whole, 3)
    assert panel.title.text() == "After epoch 3"
    scene.observe(evaluated(whole, range(900, 1000), whole.labels[900:1000], step=8))
    assert panel.title.text() == "Live"
    assert panel.facts.whole.startswith("100 of 1,200 tried again since epoch 3 · ")
    right = whole.num_right + int((whole.predicted[900:1000] != whole.labels[900:1000]).sum())
    assert panel._found is not None
    assert panel._found.right.sum() == right
    scene.run.enter("idle")
    assert panel.title.text() == "After step 8"


def test_the_headline_never_names_an_epoch_before_the_one_that_the_answers_came_after(scene: _Panel) -> None:
    scene.start()
    scene.run.enter("running")
    panel, whole = scene.panel, made(10, 200)
    scene.test(1)
    # After the second epoch, whose test is fetched later.
    scene.observe(evaluated(whole, range(61), whole.labels[:61], step=130))
    assert panel.title.text() == "Live"
    assert panel.facts.whole.startswith("61 of 200 tried again since epoch 2 · ")
    scene.test(2)
    assert panel.title.text() == "Live"
    assert panel.facts.whole.startswith("61 of 200 tried again since epoch 2 · ")
    scene.test(3)
    assert panel.title.text() == "After epoch 3"


def test_it_wants_the_test_while_a_run_goes_on_and_it_is_seen(scene: _Panel) -> None:
    panel, wishes = scene.panel, list[bool]()
    panel.wanted_changed.connect(lambda: wishes.append(panel.wanted().tested))
    assert panel.wanted().same_as(Look())
    scene.start()
    assert panel.wanted().same_as(Look(tested=True))
    for epoch in (1, 2):
        scene.keep(epoch)
        scene.show_test(made(10, 200), epoch)
    panel.epoch_slider.setValue(0)
    assert panel.wanted().same_as(Look())
    click(panel.newest_button)
    assert panel.wanted().tested
    panel.set_in_front(False)
    assert not panel.wanted().tested
    panel.set_in_front(True)
    scene.run.enter("idle")
    assert wishes == [True, False, True, False, True, False]


def test_the_pictures_of_a_cell_stay_until_those_of_now_are_asked_for(scene: _Panel, qtbot: QtBot) -> None:
    scene.start()
    panel = scene.panel
    whole = _of_pairs(of_00=5, of_01=4, of_12=3, of_20=2)
    scene.show_test(whole)
    click(panel.matrix.viewport(), scene.cells()[0, 1])
    assert [answer.position for answer in panel.images.answers] == [5, 6, 7, 8]
    assert not panel.cell.renew_button.isVisible()
    # Two more of class 0 are taken for class 1, one of before is recognised.
    scene.observe(evaluated(whole, [0, 1, 8], [1, 1, 0], step=5))
    assert panel.cell.heading.whole == "class 0 taken for class 1: 5"
    assert panel.cell.renew_button.text() == "2 more, 1 fewer since"
    assert [answer.position for answer in panel.images.answers] == [5, 6, 7, 8]
    assert panel.matrix.chosen == ((0,), (1,))
    # Nor does the next whole test take them away.
    scene.show_test(_of_pairs(of_00=2, of_01=7, of_12=3, of_20=2), 6)
    assert panel.cell.renew_button.text() == "3 more since"
    assert [answer.position for answer in panel.images.answers] == [5, 6, 7, 8]
    click(panel.cell.renew_button)
    assert {answer.position for answer in panel.images.answers} == {2, 3, 4, 5, 6, 7, 8}
    assert not panel.cell.renew_button.isVisible()
    qtbot.waitUntil(lambda: not panel.images.missing())


def test_surest_mistakes_are_exchanged_now_and_then_but_not_below_the_keyboard(
    scene: _Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(scene.panel.cell, "_clock", lambda: now[0])
    scene.start()
    whole = _of_pairs(of_00=5, of_11=4, of_20=2)
    scene.show_test(whole)

    def shown_after(seconds: float, step: int) -> list[int]:
        now[0] += seconds
        scene.observe(evaluated(whole, [step], [2], step=step + 2))
        return sorted(answer.position for answer in scene.panel.images.answers)

    assert shown_after(0.5, 0) == [9, 10]
    assert scene.panel.cell.heading.whole == "Surest mistakes · 3 in all"
    assert shown_after(3.0, 1) == [0, 1, 9, 10]
    scene.panel.images.setFocus()
    assert shown_after(9.0, 2) == [0, 1, 9, 10]
    scene.panel.matrix.setFocus()
    assert shown_after(9.0, 3) == [0, 1, 2, 3, 9, 10]


def test_while_it_is_live_rows_stay_in_their_order(scene: _Panel) -> None:
    scene.start()
    panel, whole = scene.panel, _of_pairs(of_00=4, of_01=1, of_11=3, of_12=2, of_20=3)
    panel.order_menu.setCurrentIndex(1)
    scene.show_test(whole)

    def rows() -> list[int]:
        assert panel.matrix._groups is not None
        return [row[0] for row in panel.matrix._groups.rows]

    assert rows() == [2, 1, 0]
    click(panel.matrix.viewport(), scene.cells()[1, 2])
    # Class 0 has the most mistakes now.
    scene.observe(evaluated(whole, [0, 1, 2, 3], [2, 2, 2, 2], step=9))
    assert rows() == [2, 1, 0]
    assert panel.matrix.chosen == ((1,), (2,))
    panel.order_menu.setCurrentIndex(0)
    panel.order_menu.setCurrentIndex(1)
    assert rows() == [0, 2, 1]


def test_the_table_and_the_matrix_follow_what_was_answered(scene: _Panel) -> None:
    scene.start()
    panel, whole = scene.panel, made(6, 300)
    scene.show_test(whole)
    groups = panel.matrix._groups
    random = np.random.default_rng(2)
    latest = whole.predicted.copy()
    for step in range(2, 6):
        positions, said = random.permutation(300)[:40], random.integers(0, 6, 40)
        scene.observe(evaluated(whole, positions, said, step=step))
        latest[positions] = said
    expected = np.zeros((6, 6), int)
    np.add.at(expected, (whole.labels, latest), 1)
    assert panel.matrix._groups is not groups
    assert panel.matrix._groups is not None
    assert panel.matrix._groups.counts.tolist() == expected.tolist()
    wrong = [int(panel.classes.figures.index(row, 2).data()) for row in range(6)]
    assert wrong == (expected.sum(1) - np.diagonal(expected)).tolist()
    click(panel.choice.button(1))
    np.fill_diagonal(expected, 0)
    assert int(panel.pairs.figures.index(0, 2).data()) == expected.max()


def test_a_moment_of_before_the_first_test_says_that_it_has_none(scene: _Panel) -> None:
    scene.start()
    whole = made(10, 200)
    scene.observe(evaluated(whole, range(50), whole.labels[:50], step=7))
    scene.panel.show_problem("This moment does not hold a test of the classes.")
    assert scene.panel._empty.isVisible()
    assert scene.panel._empty.text() == "This moment does not hold a test of the classes."
    scene.panel.show_problem("")
    assert scene.panel.title.text() == "Live"
