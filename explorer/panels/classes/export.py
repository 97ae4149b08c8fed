"""Taking away what the Classes tab shows: its tables as CSV, to the clipboard or a file; a picture of the matrix."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from explorer.architecture.files import write_atomically
from explorer.runs.class_figures import Confusion, TestedImages, classes_csv, confusion_csv, images_csv


class Shown(NamedTuple):
    """What there is to take away."""

    found: Confusion
    tested: TestedImages
    order: Sequence[int]
    """Of the classes in the matrix."""


class ExportButton(QToolButton):
    """The button with its menu.

    Signals:
        done(str): what was written.
        failed(str): what could not be.
    """

    done = Signal(str)
    failed = Signal(str)

    def __init__(
        self, shown: Callable[[], Shown | None], picture: Callable[[], QImage], parent: QWidget | None = None
    ) -> None:
        """Make the menu.

        Args:
            shown: what the tab shows; None for nothing.
            picture: of the matrix.
        """
        super().__init__(parent)
        self._shown = shown
        self._picture = picture
        self.setText(self.tr("Export"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.addAction(self.tr("Copy the matrix as CSV"), self.copy_matrix)
        menu.addAction(self.tr("Copy the classes as CSV"), self.copy_classes)
        menu.addSeparator()
        table, image = self.tr("Table (*.csv)"), self.tr("Picture (*.png)")
        for text, what, name, kind in (
            (self.tr("Save the matrix…"), "matrix", "confusion.csv", table),
            (self.tr("Save the classes…"), "classes", "classes.csv", table),
            (self.tr("Save the answer to each image…"), "images", "answers.csv", table),
            (self.tr("Save a picture of the matrix…"), "picture", "confusion.png", image),
        ):
            menu.addAction(text, partial(self._ask, what, name, kind))
        self.setMenu(menu)

    def copy_matrix(self) -> None:
        """Put the matrix on the clipboard, as CSV in the order on screen."""
        if (shown := self._shown()) is not None:
            QGuiApplication.clipboard().setText(confusion_csv(shown.found, shown.order))

    def copy_classes(self) -> None:
        """Put the classes with their figures on the clipboard, as CSV."""
        if (shown := self._shown()) is not None:
            QGuiApplication.clipboard().setText(classes_csv(shown.found))

    def save(self, what: str, path: Path) -> None:
        """Write "matrix", "classes" or "images" as CSV, or the "picture" of the matrix; `done` or `failed` follows."""
        if (shown := self._shown()) is None:
            return
        try:
            if what == "picture":
                if not self._picture().save(str(path)):
                    raise OSError(self.tr("the picture could not be written"))
            else:
                write_atomically(path, _table(what, shown).encode())
        except OSError as error:
            self.failed.emit(f"{path}: {error.strerror or error}")
        else:
            self.done.emit(self.tr("Wrote {0}").format(path))

    def _ask(self, what: str, name: str, kind: str) -> None:
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Export"), name, kind)
        if path:
            self.save(what, Path(path))


def _table(what: str, shown: Shown) -> str:
    if what == "matrix":
        return confusion_csv(shown.found, shown.order)
    return classes_csv(shown.found) if what == "classes" else images_csv(shown.tested)
