"""The legend: where its menu opens, what it says of pictures on cards, and the words that lead to them."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from explorer.canvas.card import CARD_ZOOM, TITLE_ZOOM
from explorer.canvas.legend import Legend
from explorer.canvas.legend_link import LegendLink
from explorer.canvas.menu_place import menu_place
from explorer.look.theme import small_font
from explorer.runs import Atlas, FeatureMapsCaptured, LayersMeasured, LayerStatistics
from explorer.session.sources import Source
from tests.canvas.conftest import Canvas

MENU, SUBMENU = QSize(204, 440), QSize(210, 170)
SCREEN = QRect(0, 0, 1280, 800)


def maps(step: int) -> FeatureMapsCaptured:
    atlas = Atlas(
        image=np.zeros((4, 4), np.uint8),
        num_channels=1,
        columns=1,
        tile_height=4,
        tile_width=4,
        gap=0,
        minimum=0.0,
        maximum=1.0,
    )
    return FeatureMapsCaptured(run_id="r", step=step, probe="p", atlases={"conv1": atlas})


def legend_of(canvas: Canvas) -> Legend:
    return canvas.view.reading.legend


def go_far(canvas: Canvas) -> LegendLink:
    """From where cards are bars of colour."""
    canvas.view.zoom_by(0.15 / canvas.view.zoom)
    canvas.view._settle()
    link = legend_of(canvas).link
    assert link.isVisible()
    return link


def arrive(canvas: Canvas) -> None:
    canvas.view._camera.stop()
    canvas.view._settle()


# The menu


@pytest.mark.parametrize(
    ("legend", "place"),
    [
        # Beside it, and down to where it ends, however high it is and wherever it lies.
        (QRect(210, 506, 95, 28), QPoint(307, 94)),
        (QRect(210, 402, 208, 132), QPoint(420, 94)),
        (QRect(210, 60, 208, 132), QPoint(420, 0)),
        (QRect(210, 700, 208, 132), QPoint(420, 360)),
        # Where there is no room at the right: above, as far to the right as the legend, and else at the left.
        (QRect(900, 640, 208, 132), QPoint(904, 198)),
        (QRect(900, 402, 208, 132), QPoint(694, 94)),
    ],
)
def test_the_menu_opens_beside_or_above_the_legend(legend: QRect, place: QPoint) -> None:
    found = menu_place(legend, MENU, SUBMENU, SCREEN)
    assert found == place
    assert not QRect(found, MENU).intersects(legend)
    assert SCREEN.contains(QRect(found, MENU))


def test_the_menu_that_opens_leaves_the_legend_in_sight(canvas: Canvas, qtbot: QtBot) -> None:
    canvas.view.reading.colouring.choose("change")
    canvas.view.reading.pictures.choose("filters")
    legend = legend_of(canvas)
    for height in (700, 420):
        canvas.view.resize(500, height)
        around = QRect(legend.mapToGlobal(QPoint()), legend.size())
        QTest.mouseClick(legend.button, Qt.MouseButton.LeftButton)
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        assert not menu.geometry().intersects(around)
        # The words over the choices have room above them.
        heading = menu.actionGeometry(menu.actions()[0])
        assert menu.actions()[0].text() == "Colour by"
        assert heading.height() >= QFontMetrics(small_font()).height() + 8
        menu.close()


# Of which step pictures are


def test_maps_say_of_which_step_they_are_and_nothing_moves(canvas: Canvas) -> None:
    # Where there is no room for categories, which are wider than what is told of pictures.
    canvas.view.resize(700, 450)
    canvas.close_up()
    canvas.view._settle()
    legend = legend_of(canvas)
    said = [legend.picture_texts]
    before = legend.geometry()
    for step, text, is_past in (
        (9, "step 9", False),
        (398, "step 398", False),
        (12_345, "step 12,345 (looking back)", True),
        (99_999, "step 99,999", False),
    ):
        canvas.view.show_observed([maps(step)], Source(text, step, "r", is_past))
        said.append(legend.picture_texts)
        assert said[-1] == ("Feature maps", text)
        assert legend.geometry() == before
    canvas.view.show_observed([maps(0)], Source("trained weights", None, ""))
    said.append(legend.picture_texts)
    canvas.view.reading.show_legend(False)
    said.append(legend.picture_texts)
    assert said[0] == ("Feature maps", "not captured yet")
    assert said[-2:] == [("Feature maps", "trained weights"), ()]


def test_statistics_of_an_earlier_moment_say_so(canvas: Canvas) -> None:
    """A moment without statistics is shown with those of the last one before it that has some."""
    canvas.view.reading.colouring.choose("change")
    layers = {"conv1": LayerStatistics(change=0.25)}
    event = LayersMeasured(run_id="r", step=1102, num_images=8, layers=layers)
    canvas.view.show_observed([event], Source("step 1,128 (looking back)", 1128, "r", True))
    assert legend_of(canvas).texts[-1] == "step 1,102 (looking back)"
    canvas.view.show_observed([event], Source("step 1,102 (looking back)", 1102, "r", True))
    assert legend_of(canvas).texts[-1] == "step 1,102 (looking back)"


# The words that lead to pictures


def test_the_words_zoom_to_the_selected_node(canvas: Canvas) -> None:
    canvas.selection.set(("fc3",))
    link = go_far(canvas)
    assert link.text() == "zoom in to see pictures" == legend_of(canvas).picture_texts[1]
    assert "selected layer" in link.toolTip()
    assert legend_of(canvas).rect().contains(link.geometry())
    assert canvas.view.wanted().is_empty
    QTest.mouseClick(link, Qt.MouseButton.LeftButton)
    arrive(canvas)
    assert canvas.view.zoom >= CARD_ZOOM
    middle = canvas.view.viewport().rect().center()
    box = canvas.item("fc3").mapRectToScene(canvas.item("fc3").card.rect)
    assert box.contains(canvas.view.mapToScene(middle))
    assert "fc3" in canvas.view.wanted().maps
    assert not link.isVisible()


def test_with_nothing_selected_they_zoom_to_the_card_next_to_the_middle(canvas: Canvas) -> None:
    canvas.selection.set(())
    link = go_far(canvas)
    # The network is pushed out of the middle: far below it.
    canvas.view._camera.pan(QPoint(0, 400))
    QTest.mouseClick(link, Qt.MouseButton.LeftButton)
    arrive(canvas)
    assert canvas.view.zoom > TITLE_ZOOM
    assert "input" in canvas.view.wanted().maps


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_the_keyboard_reaches_them(canvas: Canvas, key: Qt.Key) -> None:
    link = go_far(canvas)
    reached: QWidget | None = canvas.view.nextInFocusChain()
    while reached is not None and reached not in {link, canvas.view}:
        reached = reached.nextInFocusChain()
    assert reached is link
    link.setFocus(Qt.FocusReason.TabFocusReason)
    assert link.hasFocus(), "Tab stops there"
    assert link.focusPolicy() & Qt.FocusPolicy.TabFocus
    plain = link.grab().toImage()
    QTest.keyClick(link, key)
    arrive(canvas)
    assert canvas.view.zoom >= CARD_ZOOM
    assert canvas.view.hasFocus()
    go_far(canvas)
    assert link.grab().toImage() != plain, "focus is seen"
