"""Takes a page of the weights panel away: as a picture, and its curves as a table."""

import csv
import io
from pathlib import Path

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from explorer.architecture.files import write_atomically
from explorer.panels.weights.history import NUMBERS, History


class ExportButton(QToolButton):
    """A menu of what can be done with the page in front.

    Signals:
        failed(str): why something could not be written.
    """

    failed = Signal(str)

    def __init__(self, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._page: QWidget | None = None
        self._name = "weights"
        self.setText(self.tr("Export"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.addAction(self.tr("Copy picture"), self.copy_picture)
        menu.addAction(self.tr("Save picture…"), self._ask_picture)
        self._table = menu.addAction(self.tr("Save curves of all layers as CSV…"), self._ask_table)
        menu.aboutToShow.connect(lambda: self._table.setEnabled(bool(self._history.names)))
        self.setMenu(menu)

    def offer(self, page: QWidget, name: str) -> None:
        """Take this page, to a file of that name unless another is given."""
        self._page, self._name = page, name

    def copy_picture(self) -> None:
        """Put the page on the clipboard."""
        if self._page is not None:
            QGuiApplication.clipboard().setPixmap(self._page.grab())

    def save_picture(self, path: Path) -> None:
        """Write the page as PNG; `failed` says why it could not be."""
        if self._page is not None and not self._page.grab().save(str(path)):
            self.failed.emit(self.tr("{path} could not be written; choose another folder").format(path=path))

    def save_table(self, path: Path) -> None:
        """Write the curves as CSV; `failed` says why it could not be."""
        try:
            write_atomically(path, curves_csv(self._history).encode())
        except OSError as error:
            self.failed.emit(self.tr("{path}: {why}").format(path=path, why=error.strerror or error))

    def _ask_picture(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, self.tr("Save picture"), f"{self._name}.png", self.tr("Picture (*.png)")
        )
        if name:
            self.save_picture(Path(name))

    def _ask_table(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save curves"), "layers.csv", self.tr("Table (*.csv)"))
        if name:
            self.save_table(Path(name))


def curves_csv(history: History) -> str:
    """A line for each layer of each step that is kept, with its numbers; empty where there is none."""
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(("step", "layer", *NUMBERS))
    found = [history.curves(number) for number in NUMBERS]
    steps = np.unique(np.concatenate([steps for steps, _ in found]))
    places = [{int(step): place for place, step in enumerate(steps)} for steps, _ in found]
    for step in steps.tolist():
        for name in history.names:
            cells = []
            for (_, curves), place in zip(found, places, strict=True):
                value = float(curves[name][place[step]]) if name in curves and step in place else float("nan")
                cells.append(f"{value:.7g}" if np.isfinite(value) else "")
            if any(cells):
                table.writerow((step, name, *cells))
    return written.getvalue()
