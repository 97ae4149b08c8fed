"""The Classes tab, with events as a user makes them: matrix, tables, images, and what is taken away."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.panels.classes.layout import Cell
from explorer.runs.class_figures import confusion, images_of
from tests.panels.classes_panel import ClassesTab, classes_panel, of_pairs
from tests.panels.fake_run import epoch_finished
from tests.panels.stage import click, press
from tests.runs.test_class_figures import made


@pytest.fixture
def scene(qtbot: QtBot, tmp_path: Path) -> Iterator[ClassesTab]:
    yield from classes_panel(qtbot, tmp_path)


def test_it_says_what_to_do_before_there_is_a_test(scene: ClassesTab) -> None:
    assert "Train a network" in scene.panel._empty.text()
    scene.start()
    assert "after the first epoch" in scene.panel._empty.text()
    scene.run.enter("idle")
    assert "No test of this run is kept" in scene.panel._empty.text()


def test_a_test_that_cannot_be_read_is_said(scene: ClassesTab) -> None:
    scene.keep(1)
    next((scene.root / "r" / "tests").iterdir()).write_bytes(b"torn")
    scene.start()
    scene.run.say([epoch_finished(1)])
    assert "epoch-000001.npz: cannot be read" in scene.panel._empty.text()


def test_a_click_on_a_cell_shows_its_images(scene: ClassesTab, qtbot: QtBot) -> None:
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


def test_the_keyboard_reaches_every_cell(scene: ClassesTab) -> None:
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


def test_hovering_reads_the_numbers_out(scene: ClassesTab) -> None:
    scene.start()
    tested = made(4, 100)
    scene.show_test(tested)
    counts = confusion(tested).counts
    QTest.mouseMove(scene.panel.matrix.viewport(), scene.cells()[1, 2])
    scene.panel.matrix._hover(Cell(1, 2))
    assert f"{counts[1, 2]} of {counts[1].sum()} images" in scene.panel.words.whole


def test_orders_change_rows_and_columns_alike(scene: ClassesTab) -> None:
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


def test_the_table_of_classes_leads_to_their_mistakes(scene: ClassesTab) -> None:
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


def test_the_commonest_mistakes_lead_to_their_cell(scene: ClassesTab) -> None:
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


def test_the_marked_mistake_stays_the_one_whose_images_are_shown(scene: ClassesTab) -> None:
    scene.start()
    panel = scene.panel
    scene.show_test(of_pairs(of_00=5, of_01=4, of_12=3, of_20=1))
    click(panel.choice.button(1))
    panel.pairs.selectRow(1)
    assert panel.cell.heading.whole == "class 1 taken for class 2: 3"

    def marked() -> list[str]:
        return [str(index.data()) for index in panel.pairs.selectedIndexes()[:3]]

    assert marked() == ["class 1", "class 2", "3"]
    # The commonest of before is the rarest now.
    scene.show_test(of_pairs(of_00=5, of_01=1, of_12=6, of_20=2), 2)
    assert panel.cell.heading.whole == "class 1 taken for class 2: 6"
    assert marked() == ["class 1", "class 2", "6"]
    scene.show_test(of_pairs(of_00=5, of_11=3, of_20=2), 3)
    assert panel.cell.heading.whole == "class 1 taken for class 2: 0"
    assert marked() == []


def test_an_image_becomes_the_probe(scene: ClassesTab, qtbot: QtBot) -> None:
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


def test_what_is_saved_can_be_read(scene: ClassesTab, tmp_path: Path) -> None:
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


def test_the_slider_looks_at_earlier_epochs(scene: ClassesTab) -> None:
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


def test_hidden_it_follows_nothing(scene: ClassesTab) -> None:
    scene.panel.hide()
    scene.start()
    scene.show_test(made(10, 200))
    assert scene.panel._found is None
    scene.panel.show()
    assert scene.panel.title.text() == "After epoch 1"


def test_behind_another_tab_it_follows_nothing(scene: ClassesTab, qtbot: QtBot) -> None:
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


def test_both_themes_paint_it(scene: ClassesTab) -> None:
    scene.start()
    scene.show_test(made(10, 200))
    pictures = []
    for choice in ("light", "dark"):
        scene.themes.choose(choice)
        pictures.append(scene.panel.matrix.picture())
    assert pictures[0] != pictures[1]


def test_the_images_say_what_their_percentage_is(scene: ClassesTab) -> None:
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
