"""The gallery's plot and filters by real pointer and keys; its numbers against the catalogue and the inference."""

import csv
import math

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.inference import infer
from explorer.look.theme import ThemeSource
from explorer.panels.gallery.panel import Gallery
from explorer.panels.gallery.plot import GalleryPlot
from explorer.panels.gallery.plot_scale import Scale, Spot
from explorer.panels.gallery.search import Facts
from explorer.panels.parameters.dialog import ParameterDialog
from explorer.zoo import entries, entry
from tests.panels.stage import click, press, shown, write

_PUBLISHED = {e.id for e in entries() if e.pretrained is not None}


@pytest.fixture
def gallery(qtbot: QtBot) -> Gallery:
    gallery = Gallery(ThemeSource())
    shown(qtbot, gallery, 1280, 760)
    qtbot.waitUntil(lambda: gallery.is_filled and bool(gallery.plot.shown))
    click(gallery.filters.plot_button)
    assert gallery.plot.isVisible()
    return gallery


def _point_at(plot: GalleryPlot, place: QPoint) -> None:
    where, none = QPointF(place), Qt.MouseButton.NoButton
    move = QMouseEvent(
        QMouseEvent.Type.MouseMove, where, QPointF(plot.mapToGlobal(place)), none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(plot, move)


def test_what_has_a_published_accuracy_is_there_with_its_numbers_and_source(gallery: Gallery) -> None:
    rows = list(csv.DictReader(gallery.plot.to_csv().splitlines()))
    assert {row["network"] for row in rows} == _PUBLISHED
    by_id = {row["network"]: row for row in rows}
    for network_id in ("resnet18", "vgg16-bn", "mobilenet-v2"):
        found = entry(network_id)
        assert found.pretrained is not None
        totals = infer(found.build()).totals
        assert int(by_id[network_id]["parameters"]) == totals.num_parameters
        assert int(by_id[network_id]["macs"]) == totals.macs
        assert float(by_id[network_id]["top1_percent"]) == found.pretrained.top1
        assert by_id[network_id]["source"] == f"torchvision, {found.pretrained.model} IMAGENET1K_V1"
    assert [int(row["macs"]) for row in rows] == sorted(int(row["macs"]) for row in rows)


def test_pointing_names_a_network_and_a_click_opens_it(gallery: Gallery) -> None:
    chosen: list[str] = []
    gallery.network_chosen.connect(chosen.append)
    plot = gallery.plot
    for network_id in ("convnext-tiny", "alexnet-torchvision", "resnet18"):
        place = plot.point_of(network_id)
        _point_at(plot, place)
        assert plot.current == network_id
        said = plot.accessibleDescription()
        assert entry(network_id).title in said
        assert "top-1" in said
        QTest.mouseClick(plot, Qt.MouseButton.LeftButton, pos=place)
    assert chosen == ["convnext-tiny", "alexnet-torchvision", "resnet18"]


def test_a_click_beside_the_points_opens_nothing(gallery: Gallery) -> None:
    chosen: list[str] = []
    gallery.network_chosen.connect(chosen.append)
    QTest.mouseClick(gallery.plot, Qt.MouseButton.LeftButton, pos=QPoint(120, 60))
    assert chosen == []


def test_arrows_go_by_arithmetic_and_by_accuracy_and_enter_opens(gallery: Gallery) -> None:
    chosen: list[str] = []
    gallery.network_chosen.connect(chosen.append)
    plot = gallery.plot
    gallery.search.setFocus()
    press(gallery.search, Qt.Key.Key_Down)
    assert plot.hasFocus()
    assert plot.current == "convnext-tiny", "the most accurate"
    press(plot, Qt.Key.Key_Down)
    second = sorted((e.pretrained.top1, e.id) for e in entries() if e.pretrained is not None)[-2][1]
    assert plot.current == second
    press(plot, Qt.Key.Key_Home)
    assert plot.current == "alexnet-torchvision"
    press(plot, Qt.Key.Key_Left)
    order = plot.shown
    assert plot.current == order[order.index("alexnet-torchvision") - 1]
    press(plot, Qt.Key.Key_Right)
    press(plot, Qt.Key.Key_Return)
    assert chosen == ["alexnet-torchvision"]
    press(plot, Qt.Key.Key_End)
    press(plot, Qt.Key.Key_Up)
    assert gallery.search.hasFocus()


def test_o_asks_for_options_and_other_letters_search(gallery: Gallery) -> None:
    plot = gallery.plot
    plot.setFocus(Qt.FocusReason.TabFocusReason)
    press(plot, Qt.Key.Key_O)
    (dialog,) = gallery.findChildren(ParameterDialog)
    assert dialog.windowTitle() == "ConvNeXt-Tiny"
    dialog.reject()
    plot.setFocus(Qt.FocusReason.TabFocusReason)
    write(plot, "v")
    assert gallery.search.hasFocus()
    assert gallery.search.text() == "v"


def test_search_and_filters_leave_the_same_in_plot_and_cards(gallery: Gallery) -> None:
    write(gallery.search, "densenet")
    assert set(gallery.plot.shown) == {e.id for e in entries() if e.family == "DenseNet"} & _PUBLISHED
    gallery.plot.setFocus(Qt.FocusReason.TabFocusReason)
    _point_at(gallery.plot, gallery.plot.point_of("convnext-tiny"))
    assert gallery.plot.current != "convnext-tiny", "what is filtered away cannot be chosen"


@pytest.mark.parametrize("which", ["years", "sizes", "costs"])
def test_the_bands_of_a_filter_share_all_networks_out(gallery: Gallery, which: str) -> None:
    choice = getattr(gallery.filters, which)
    seen: list[str] = []
    for place in range(1, choice.count()):
        choice.setCurrentIndex(place)
        assert gallery.cards(), choice.currentText()
        seen += [card.card_text.title for card in gallery.cards()]
        assert gallery.filters.count.text() == f"{len(gallery.cards())} of {len(entries())} networks"
    assert sorted(seen) == sorted(e.title for e in entries())
    assert gallery.filters.reset_button.isVisible()
    click(gallery.filters.reset_button)
    assert len(gallery.cards()) == len(entries())
    assert gallery.filters.count.text() == f"{len(entries())} networks"


def test_a_size_filter_by_keyboard_keeps_what_is_that_small(gallery: Gallery) -> None:
    gallery.filters.sizes.setFocus()
    press(gallery.filters.sizes, Qt.Key.Key_Down)
    titles = {card.card_text.title for card in gallery.cards()}
    small = {e.title for e in entries() if infer(e.build()).totals.num_parameters <= 1_000_000}
    assert titles == small


def test_filters_that_leave_nothing_say_so(gallery: Gallery) -> None:
    gallery.filters.years.setCurrentIndex(1)
    gallery.filters.sizes.setCurrentIndex(4)
    assert gallery.cards() == []
    assert "Reset the filters" in gallery.page.nothing.text()


def test_areas_are_in_proportion_to_parameters_and_places_to_the_logarithm_of_macs() -> None:
    spots = [
        Spot(entry(network_id), Facts(parameters, macs), top1)
        for network_id, parameters, macs, top1 in (
            ("resnet18", 40_000_000, 10**8, 60.0),
            ("resnet34", 160_000_000, 10**9, 70.0),
            ("resnet50", 90_000_000, 10**10, 80.0),
        )
    ]
    scale = Scale(spots, QRectF(50, 20, 900, 600))
    left, middle, right = map(scale.place, spots)
    assert middle.x() - left.x() == pytest.approx(right.x() - middle.x())
    assert left.y() - middle.y() == pytest.approx(middle.y() - right.y())
    assert scale.radius(160e6) / scale.radius(40e6) == pytest.approx(math.sqrt(4))
    assert scale.spot_at(middle, spots) is spots[1]
    assert scale.spot_at(QPointF(60, 30), spots) is None
    boxes = scale.labels(spots, [QSizeF(80, 14)] * 3)
    assert set(boxes) == {"resnet18", "resnet34", "resnet50"}
    assert not any(a.intersects(b) for a in boxes.values() for b in boxes.values() if a is not b)
