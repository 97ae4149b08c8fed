"""The Classes tab while a run goes on: what was answered between two tests, and what stays still meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.runs import Look
from tests.panels.classes_panel import ClassesTab, classes_panel, of_pairs
from tests.panels.stage import click
from tests.runs.test_class_figures import made
from tests.runs.test_latest_answers import evaluated


@pytest.fixture
def scene(qtbot: QtBot, tmp_path: Path) -> Iterator[ClassesTab]:
    yield from classes_panel(qtbot, tmp_path)


def test_it_says_what_was_tried_since_when(scene: ClassesTab) -> None:
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


def test_the_headline_never_names_an_epoch_before_the_one_that_the_answers_came_after(scene: ClassesTab) -> None:
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


def test_it_wants_the_test_while_a_run_goes_on_and_it_is_seen(scene: ClassesTab) -> None:
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


def test_the_pictures_of_a_cell_stay_until_those_of_now_are_asked_for(scene: ClassesTab, qtbot: QtBot) -> None:
    scene.start()
    panel = scene.panel
    whole = of_pairs(of_00=5, of_01=4, of_12=3, of_20=2)
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
    scene.show_test(of_pairs(of_00=2, of_01=7, of_12=3, of_20=2), 6)
    assert panel.cell.renew_button.text() == "3 more since"
    assert [answer.position for answer in panel.images.answers] == [5, 6, 7, 8]
    click(panel.cell.renew_button)
    assert {answer.position for answer in panel.images.answers} == {2, 3, 4, 5, 6, 7, 8}
    assert not panel.cell.renew_button.isVisible()
    qtbot.waitUntil(lambda: not panel.images.missing())


def test_surest_mistakes_are_exchanged_now_and_then_but_not_below_the_keyboard(
    scene: ClassesTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(scene.panel.cell, "_clock", lambda: now[0])
    scene.start()
    whole = of_pairs(of_00=5, of_11=4, of_20=2)
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


def test_while_it_is_live_rows_stay_in_their_order(scene: ClassesTab) -> None:
    scene.start()
    panel, whole = scene.panel, of_pairs(of_00=4, of_01=1, of_11=3, of_12=2, of_20=3)
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


def test_the_table_and_the_matrix_follow_what_was_answered(scene: ClassesTab) -> None:
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


def test_a_moment_of_before_the_first_test_says_that_it_has_none(scene: ClassesTab) -> None:
    scene.start()
    whole = made(10, 200)
    scene.observe(evaluated(whole, range(50), whole.labels[:50], step=7))
    scene.panel.show_problem("This moment does not hold a test of the classes.")
    assert scene.panel._empty.isVisible()
    assert scene.panel._empty.text() == "This moment does not hold a test of the classes."
    scene.panel.show_problem("")
    assert scene.panel.title.text() == "Live"
