"""The figure dialog: it draws what is chosen, remembers that, copies and saves, and says what went wrong."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.app.figure_dialog import FigureDialog
from explorer.canvas.figure import FIT_PAGE, PAGE_MM, folded
from explorer.session import Document, Selection
from explorer.zoo import entry


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    document = Document()
    document.open(entry("googlenet").build())
    return document


def _dialog(qtbot: QtBot, document: Document, selected: tuple[str, ...] = (), depth: str = "all") -> FigureDialog:
    selection = Selection(document)
    selection.set(selected)
    dialog = FigureDialog(document, selection, folded(document.architecture, depth), {})
    qtbot.addWidget(dialog)
    return dialog


def _choose(dialog: FigureDialog, depth: str) -> None:
    dialog.fold.setCurrentIndex(dialog.fold.findData(depth))
    dialog.draw()


def _items(dialog: FigureDialog) -> int:
    assert dialog.figure is not None
    return len(dialog.figure.placement.nodes)


def test_it_draws_what_is_chosen(qtbot: QtBot, document: Document) -> None:
    dialog = _dialog(qtbot, document, ("conv1", "relu1"))
    folded_items = _items(dialog)
    _choose(dialog, "none")
    assert _items(dialog) == len(document.architecture) > folded_items
    dialog.part.setCurrentIndex(dialog.part.findData("selection"))
    dialog.draw()
    assert _items(dialog) == 2
    dialog.width_mm.setValue(20)
    dialog.draw()
    assert "20 ×" in dialog.facts.text()
    assert "5 points or more" in dialog.facts.text()


def test_a_choice_is_shown_soon(qtbot: QtBot, document: Document) -> None:
    dialog = _dialog(qtbot, document)
    before = dialog.figure
    QTest.keyClick(dialog.shapes, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: dialog.figure is not before)
    assert dialog.figure is not None
    assert not dialog.figure.options.shapes


def test_without_a_selection_or_maps_their_choices_say_why(qtbot: QtBot, document: Document) -> None:
    dialog = _dialog(qtbot, document)
    assert dialog.part.count() == 1
    assert "Select layers" in dialog.part.toolTip()
    assert not dialog.maps.isEnabled()
    assert "no pictures" in dialog.maps.toolTip()


def test_choices_are_remembered_once_used(qtbot: QtBot, document: Document, tmp_path: Path) -> None:
    dialog = _dialog(qtbot, document)
    dialog.counts.setChecked(False)
    dialog.width_mm.setValue(85)
    _choose(dialog, "none")
    assert dialog.save_to(tmp_path / "a.svg")
    again = _dialog(qtbot, document)
    assert not again.counts.isChecked()
    assert again.shapes.isChecked()
    assert again.width_mm.value() == 85
    assert again.fold.currentData() == "none"


def test_it_is_cut_into_columns_that_fit_a_page(qtbot: QtBot, document: Document, tmp_path: Path) -> None:
    dialog = _dialog(qtbot, document)
    assert dialog.figure is not None
    assert dialog.figure.num_columns == 1
    dialog.columns.setCurrentIndex(dialog.columns.findData(FIT_PAGE))
    dialog.draw()
    assert dialog.figure.num_columns == 2
    assert dialog.figure.height_mm < PAGE_MM[1]
    assert f"{dialog.figure.width_mm:.0f} × {dialog.figure.height_mm:.0f} mm" in dialog.facts.text()
    assert dialog.save_to(tmp_path / "a.svg")
    again = _dialog(qtbot, document)
    assert again.columns.currentData() == FIT_PAGE
    assert again.figure is not None
    assert again.figure.num_columns == 2


def test_it_saves_by_the_name_and_says_what_cannot_be(qtbot: QtBot, document: Document, tmp_path: Path) -> None:
    dialog = _dialog(qtbot, document)
    for suffix, start in ((".svg", b"<?xml"), (".pdf", b"%PDF"), (".png", b"\x89PNG")):
        assert dialog.save_to(tmp_path / f"a{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes().startswith(start)
        assert "Saved" in dialog.status.text()
    assert not dialog.save_to(tmp_path / "missing" / "a.svg")
    assert "could not be written" in dialog.status.text()


def test_it_copies_a_picture_and_svg(qtbot: QtBot, document: Document) -> None:
    dialog = _dialog(qtbot, document)
    QTest.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    data = QGuiApplication.clipboard().mimeData()
    assert bytes(data.data("image/svg+xml").data()).startswith(b"<?xml")
    picture = data.imageData()
    assert isinstance(picture, QImage)
    assert dialog.figure is not None
    assert (picture.width(), picture.height()) == dialog.figure.pixels()
