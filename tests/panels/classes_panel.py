"""The Classes tab as its tests start: shown, beside a run whose tests and answers a test makes up."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from explorer.look.theme import ThemeSource
from explorer.panels.classes.layout import Cell
from explorer.panels.classes.panel import ClassesPanel
from explorer.runs import ClassesTested, Event
from explorer.runs.class_figures import TestedImages
from explorer.session.sources import Source
from tests.panels.stage import shown
from tests.runs.test_class_figures import made
from tests.session.test_classes_session import Scene


class ClassesTab(Scene):
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


def classes_panel(qtbot: QtBot, root: Path) -> Iterator[ClassesTab]:
    """The tab while a test looks at it, and its end."""
    scene = ClassesTab(qtbot, root)
    yield scene
    assert scene.session.close()


def of_pairs(**counts: int) -> TestedImages:
    """A test of three classes with so many images of each true and answered one: `of_12=3` takes three of 1 for 2."""
    rows = [(int(name[3]), int(name[4])) for name, count in counts.items() for _ in range(count)]
    labels, predicted = (np.array(column, np.uint16) for column in zip(*rows, strict=True))
    sure = np.full(len(rows), 0.9, np.float16)
    return replace(made(3, len(rows)), labels=labels, predicted=predicted, probabilities=sure)
