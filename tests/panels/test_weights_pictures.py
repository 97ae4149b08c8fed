"""Pictures of weights against numpy slices of torch's own tensors: in colour, by channel, in groups, folded back."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Architecture
from explorer.layers.convolution import Conv2d
from explorer.layers.linear import Linear
from explorer.layers.transposed import ConvTranspose2d
from explorer.look.ramps import diverging, signed_levels
from explorer.look.theme import DARK, LIGHT
from explorer.panels.weights.arrangement import Arrangement, enlarged
from explorer.panels.weights.kernel_view import in_common, short
from explorer.panels.weights.kernels import averaged, folded_shape, kernels_of, largest, tiles_of
from explorer.panels.weights.pictures import PicturesPage
from explorer.runs import WeightPictures
from explorer.runtime.modules import build_module
from tests.panels.stage import click, press, shown, stage


def _weight(architecture: Architecture, node_id: str) -> np.ndarray:
    weight: np.ndarray = build_module(architecture, seed=0).state_dict()[f"{node_id}.weight"].numpy()
    return weight


def _alexnet() -> Architecture:
    return zoo.entry("alexnet-28").build()


# What is a picture of what


def test_the_first_convolution_in_colour_has_red_green_and_blue_of_each_weight() -> None:
    architecture = zoo.entry("resnet20").build()
    weight = _weight(architecture, "conv1")
    weights = kernels_of(weight, architecture["conv1"].layer)
    assert weights.forms[0] == "colour"
    tiles = tiles_of(weights, "colour")
    assert tiles.values.shape == (16, 3, 3, 3)
    for output in range(16):
        for colour in range(3):
            assert np.array_equal(tiles.values[output, :, :, colour], weight[output, colour])


def test_a_deeper_convolution_by_input_channel_and_all_at_once() -> None:
    architecture = zoo.entry("lenet5").build()
    weight = _weight(architecture, "conv2")
    weights = kernels_of(weight, architecture["conv2"].layer)
    assert weights.forms == ("channel", "kernels")
    for channel in range(6):
        assert np.array_equal(tiles_of(weights, "channel", channel).values, weight[:, channel])
    tiles = tiles_of(weights, "kernels")
    assert tiles.columns == tiles.num_outputs == 16
    for place, tile in enumerate(tiles.values):
        row, column = divmod(place, 16)
        assert np.array_equal(tile, weight[column, row])
        assert tiles.output(place) == column


def test_a_grouped_convolution_names_the_channels_that_each_filter_reads() -> None:
    torch.manual_seed(0)
    module = torch.nn.Conv2d(6, 8, 3, groups=2, bias=False)
    weights = kernels_of(module.weight.detach().numpy(), Conv2d(out_channels=8, kernel_size=(3, 3), groups=2))
    for output in range(8):
        for place in range(3):
            # An image of nothing but one input channel answers with that kernel's sum.
            x = torch.zeros(1, 6, 3, 3)
            x[0, weights.channel(output, place)] = 1
            answer = float(module(x)[0, output, 0, 0].detach())
            assert answer == pytest.approx(float(weights.values[output, place].sum()), abs=1e-6)


def test_a_transposed_convolution_stands_by_outputs() -> None:
    torch.manual_seed(0)
    module = torch.nn.ConvTranspose2d(4, 6, 3, groups=2, bias=False)
    layer = ConvTranspose2d(out_channels=6, kernel_size=(3, 3), groups=2)
    weights = kernels_of(module.weight.detach().numpy(), layer)
    assert weights.values.shape == (6, 2, 3, 3)
    for channel in range(4):
        x = torch.zeros(1, 4, 1, 1)
        x[0, channel] = 1
        painted = module(x)[0].detach().numpy()
        for output in range(6):
            places = [place for place in range(2) if weights.channel(output, place) == channel]
            kernel = weights.values[output, places[0]] if places else np.zeros((3, 3))
            assert np.allclose(painted[output], kernel)


def test_a_linear_layer_is_folded_back_onto_the_map_that_it_reads() -> None:
    at = stage()
    assert folded_shape(at.document.snapshot, "fc1") == (16, 5, 5)
    assert folded_shape(at.document.snapshot, "fc2") is None
    assert folded_shape(at.document.snapshot, "conv2") is None
    network = build_module(at.document.architecture, seed=0)
    module = network.node_module("fc1")
    assert module is not None
    weights = kernels_of(module.get_parameter("weight").detach().numpy(), Linear(out_features=120), (16, 5, 5))
    assert weights.is_folded
    map_CHW = torch.randn(16, 5, 5)
    answers = module(map_CHW.flatten()).detach() - module.get_parameter("bias").detach()
    by_hand = (weights.values * map_CHW.numpy()).sum(axis=(1, 2, 3))
    assert np.allclose(answers.numpy(), by_hand, atol=1e-5)


def test_a_linear_layer_behind_dropout_and_flatten_is_folded_too() -> None:
    at = stage(_alexnet())
    node = next(node for node in at.document.architecture.nodes if isinstance(node.layer, Linear))
    shape = folded_shape(at.document.snapshot, node.id)
    assert shape is not None
    assert math.prod(shape) == _weight(at.document.architecture, node.id).shape[1]


@pytest.mark.parametrize("shape", [(5, 7), (7, 5), (4, 6, 1, 1), (6, 4, 1, 1), (64,)])
def test_numbers_are_a_matrix_whose_longer_side_lies(shape: tuple[int, ...]) -> None:
    weight = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    weights = kernels_of(weight, Linear(out_features=5))
    assert weights.forms == ("matrix",)
    tiles = tiles_of(weights, "matrix")
    matrix = weight.reshape(shape[0], shape[1]) if len(shape) > 1 else weight[None]
    assert tiles.num_outputs == len(matrix)
    assert tiles.columns == max(matrix.shape)
    for tile, value in enumerate(tiles.values.reshape(-1)):
        assert value == matrix[tiles.output(tile), tiles.place(tile)]


def test_scales() -> None:
    weight = np.array([[1.0, -4.0], [0.5, 0.25], [np.nan, np.inf]], np.float32)
    weights = kernels_of(weight, Linear(out_features=3))
    assert largest(weights, each=False).tolist() == [4, 4, 4]
    assert largest(weights, each=True).tolist() == [4, 0.5, 0]


def _reads(page: PicturesPage, text: str) -> bool:
    return page.readout.text() == text


# Colours and places


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_zero_is_grey_and_the_ends_are_blue_and_orange(theme: object) -> None:
    ramp = diverging(theme)  # type: ignore[arg-type]
    low, zero, high = (QColor.fromRgb(int(ramp[level])) for level in (0, 127, 254))
    assert low.blue() > low.red() + 40
    assert high.red() > high.blue() + 40
    assert max(zero.red(), zero.green(), zero.blue()) - min(zero.red(), zero.green(), zero.blue()) < 16
    levels = signed_levels(np.array([-2.0, -1.0, 0.0, 1.0, 3.0, np.nan], np.float32), 1.0)
    assert levels.tolist() == [0, 0, 127, 254, 254, 127]
    assert signed_levels(np.zeros(2, np.float32), 0.0).tolist() == [127, 127]


@given(st.integers(1, 90), st.integers(1, 7), st.integers(1, 7), st.integers(60, 1500), st.integers(40, 600))
def test_every_value_is_found_where_it_is_drawn(count: int, height: int, width: int, x: int, y: int) -> None:
    values = np.arange(1, count * height * width + 1, dtype=np.uint32).reshape(count, height, width)
    weights = kernels_of(values[:, None].astype(np.float32), Conv2d(out_channels=count, kernel_size=(height, width)))
    tiles = tiles_of(weights, weights.forms[0])
    at = Arrangement(tiles, x, y, 3)
    assume(at.block == 1)
    drawn = enlarged(values if not tiles.is_matrix else values.reshape(-1, 1, 1), at, np.uint32(0))
    assert drawn.shape == (at.size.height(), at.size.width())
    for tile in range(count):
        rect = at.rect(tile)
        for row in range(height):
            for column in range(width):
                left = int(rect.left()) + column * at.scale + at.scale // 2
                top = int(rect.top()) + row * at.scale + at.scale // 2
                assert drawn[top, left] == values[tile, row, column]
                assert at.under(left, top) == (tile, row, column)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9))
def test_means_of_blocks(rows: int, columns: int, block: int) -> None:
    matrix = np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)
    found = averaged(matrix, block)
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            part = matrix[row * block : (row + 1) * block, column * block : (column + 1) * block]
            assert found[row, column] == pytest.approx(part.mean(dtype=np.float64), abs=1e-6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.25, "−0.250"),
        (0.0028, "0.00280"),
        (0.9996, "1.00"),
        (1.5, "1.50"),
        (-12.34, "−12.3"),
        (1234.0, "1234"),
        (-1.4e-05, "−1.40e-5"),
        (2e9, "2.00e9"),
    ],
)
def test_short_numbers(value: float, text: str) -> None:
    assert short(value) == text


def test_numbers_of_a_kernel_share_their_decimals() -> None:
    assert in_common(np.array([[0.5, -0.25], [0, 0.125]], np.float32)) == (["0.500", "−0.250", "0.000", "0.125"], "")
    assert in_common(np.array([3.4e-3, -1.2e-4], np.float32)) == (["3.40", "−0.12"], "×10⁻³")
    assert in_common(np.array([25_000.0, 1.0], np.float32)) == (["25.0", "0.0"], "×10³")
    assert in_common(np.zeros(1, np.float32)) == (["0.000"], "")


# The page


def _page(qtbot: QtBot, name: str = "lenet5", node_id: str = "conv1") -> tuple[PicturesPage, WeightPictures]:
    at = stage(zoo.entry(name).build())
    weight = _weight(at.document.architecture, node_id)
    generator = np.random.default_rng(1)
    change = generator.normal(size=weight.shape).astype(np.float32)
    gradient = generator.normal(scale=0.01, size=weight.shape).astype(np.float32)
    pictures = WeightPictures(weight, change, gradient)
    page = PicturesPage(at.themes)
    shown(qtbot, page, 1000, 300)
    _show(page, name, node_id, pictures)
    return page, pictures


def _show(page: PicturesPage, name: str, node_id: str, pictures: WeightPictures) -> None:
    at = stage(zoo.entry(name).build())
    layer = at.document.architecture[node_id].layer
    page.show_layer(node_id, layer, folded_shape(at.document.snapshot, node_id), pictures)


def _middle(page: PicturesPage, output: int, row: int, column: int) -> QPoint:
    at = page.mosaic.arrangement
    assert at is not None
    rect = page.mosaic.output_rect(output)
    x, y = (column + 0.5) * rect.width() / at.tile_width, (row + 0.5) * rect.height() / at.tile_height
    return QPoint(round(rect.left() + x), round(rect.top() + y))


def test_pixels_on_screen_have_the_colours_of_the_weights(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot)
    for what, values in (("weight", pictures.weight), ("change", pictures.change), ("gradient", pictures.gradient)):
        assert values is not None
        page.choose_what(what)  # type: ignore[arg-type]
        ramp = diverging(LIGHT)
        levels = signed_levels(values, np.abs(values).max())
        image = page.mosaic.viewport().grab().toImage()
        for output in range(6):
            for row, column in ((0, 0), (2, 3), (4, 4)):
                colour = image.pixelColor(_middle(page, output, row, column))
                assert colour.rgb() == ramp[levels[output, 0, row, column]]
        assert page.scale_bar.words[2] == f"+{short(float(np.abs(values).max()))}"


def test_a_scale_for_each_filter(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot)
    click(page.each_button)
    image = page.mosaic.viewport().grab().toImage()
    ends = {int(diverging(LIGHT)[0]), int(diverging(LIGHT)[254])}
    for output in range(6):
        row, column = np.unravel_index(np.abs(pictures.weight[output, 0]).argmax(), (5, 5))
        assert image.pixelColor(_middle(page, output, int(row), int(column))).rgb() in ends


def test_hovering_reads_the_value_and_its_place(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot, node_id="conv2")
    page.channel_spin.setValue(4)
    QTest.mouseMove(page.mosaic.viewport(), _middle(page, 7, 3, 1))
    qtbot.waitUntil(lambda: page.readout.text() != "")
    assert page.readout.text() == f"filter 7 · input 4 · row 3, column 1 · {short(float(pictures.weight[7, 4, 3, 1]))}"


def test_a_click_enlarges_a_filter_and_arrows_go_through_them(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot)
    click(page.mosaic.viewport(), _middle(page, 2, 1, 1))
    assert page.mosaic.chosen == 2
    assert page.side.title.text() == "filter 2"
    assert np.array_equal(page.side.kernel.kernels, pictures.weight[2])
    rows = [[float(cell) for cell in line.split("\t")] for line in page.side.kernel.text().split("\n")]
    assert np.allclose(rows, pictures.weight[2, 0], rtol=1e-6)
    for key, expected in (
        (Qt.Key.Key_Right, 3),
        (Qt.Key.Key_Left, 2),
        (Qt.Key.Key_End, 5),
        (Qt.Key.Key_Right, 5),
        (Qt.Key.Key_Home, 0),
    ):
        press(page.mosaic, key)
        assert page.mosaic.chosen == expected
        assert np.array_equal(page.side.kernel.kernels, pictures.weight[expected])
    press(page.mosaic, Qt.Key.Key_Escape)
    assert not page.side.title.isVisible()
    assert page.mosaic.chosen is None


def test_the_chosen_filter_stays_while_the_run_goes_on(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot)
    page.mosaic.choose(4)
    later = pictures._replace(weight=pictures.weight * 2)
    _show(page, "lenet5", "conv1", later)
    assert page.mosaic.chosen == 4
    assert np.array_equal(page.side.kernel.kernels, later.weight[4])


def test_in_colour_the_three_channels_stand_beside_it(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot, "resnet20")
    page.mosaic.choose(9)
    assert np.array_equal(page.side.kernel.kernels, pictures.weight[9])
    whole = np.abs(pictures.weight).max()
    expected = signed_levels(pictures.weight[9, :, 1, 1], whole)
    colour = page.mosaic.viewport().grab().toImage().pixelColor(_middle(page, 9, 1, 1))
    assert [colour.red(), colour.green(), colour.blue()] == expected.tolist()


def test_each_layer_starts_in_its_best_form_and_keeps_the_one_that_was_chosen(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot, "resnet20")
    other = _page(qtbot, "resnet20", "layer1.0.conv1")[1]
    assert page.form_menu.currentText() == "In colour"
    _show(page, "resnet20", "layer1.0.conv1", other)
    assert page.form_menu.currentText() == "One input channel"
    page.form_menu.setCurrentText("All kernels")
    _show(page, "resnet20", "conv1", pictures)
    assert page.form_menu.currentText() == "In colour"
    _show(page, "resnet20", "layer1.0.conv1", other)
    assert page.form_menu.currentText() == "All kernels"
    QTest.mouseMove(page.mosaic.viewport(), page.mosaic.output_rect(5).center().toPoint())
    qtbot.waitUntil(lambda: page.readout.text().startswith("filter 5"))


def test_a_matrix_is_read_where_it_is_drawn(qtbot: QtBot) -> None:
    at = stage()
    page = PicturesPage(at.themes)
    shown(qtbot, page, 700, 300)
    for shape in ((9, 4), (4, 9)):
        weight = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        page.show_layer(f"fc{shape}", Linear(out_features=shape[0]), None, WeightPictures(weight, None, None))
        found = page.mosaic.arrangement
        assert found is not None
        output, place = 3, 2
        tile = place * 9 + output if shape[0] == 9 else output * 9 + place
        QTest.mouseMove(page.mosaic.viewport(), QPoint(3, 3) + found.rect(tile).center().toPoint())
        ending = f"input 2 · {short(float(weight[3, 2]))}"
        qtbot.waitUntil(partial(_reads, page, f"unit 3 · {ending}"))


def test_a_norm_is_one_number_a_channel(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot, "resnet20", "bn1")
    page.mosaic.choose(0)
    assert page.side.title.text() == "16 channels"
    assert page.side.kernel.text().split("\t") == [f"{value:.7g}" for value in pictures.weight.tolist()]


def test_a_large_matrix_is_averaged_down_and_says_so(qtbot: QtBot) -> None:
    at = stage()
    page = PicturesPage(at.themes)
    shown(qtbot, page, 500, 250)
    weight = np.random.default_rng(0).normal(size=(600, 900)).astype(np.float32)
    page.show_layer("fc", Linear(out_features=600), None, WeightPictures(weight, None, None))
    arranged = page.mosaic.arrangement
    assert arranged is not None
    block = arranged.block
    assert block > 1
    assert f"mean of {block}×{block}" in page.caption.whole
    image = page.mosaic.image()
    assert (image.height(), image.width()) == (-(-600 // block), -(-900 // block))
    means = averaged(weight, block)
    ramp = diverging(LIGHT)
    levels = signed_levels(means, np.abs(means).max())
    for row, column in ((0, 0), (10, 20), (image.height() - 1, image.width() - 1)):
        assert image.pixelColor(column, row).rgb() == ramp[levels[row, column]]


def test_what_is_not_there_is_said(qtbot: QtBot) -> None:
    page, pictures = _page(qtbot)
    _show(page, "lenet5", "conv1", WeightPictures(pictures.weight, None, None))
    page.choose_what("gradient")
    assert "no gradient yet" in page.sentence
    page.choose_what("change")
    assert "not known" in page.sentence
    _show(page, "lenet5", "conv1", WeightPictures(pictures.weight, np.zeros_like(pictures.weight), None))
    assert "Nothing has changed yet" in page.sentence
    page.choose_what("weight")
    assert page.sentence == ""


def test_pictures_can_be_copied_and_saved(qtbot: QtBot, tmp_path: Path) -> None:
    page, _ = _page(qtbot)
    page.save_picture(tmp_path / "filters.png")
    saved = QImage(str(tmp_path / "filters.png"))
    drawn = page.mosaic.image()
    assert saved.width() >= drawn.width()
    assert saved.height() > drawn.height()
    assert saved.pixelColor(5, 5) == drawn.pixelColor(5, 5)
    failures: list[str] = []
    page.failed.connect(failures.append)
    page.save_picture(tmp_path / "missing" / "filters.png")
    assert len(failures) == 1
    page.mosaic.choose(1)
    QGuiApplication.clipboard().setText("")
    page._copy_numbers()
    assert len(QGuiApplication.clipboard().text().split("\n")) == 5
