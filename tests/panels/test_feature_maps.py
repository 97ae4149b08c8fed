"""Feature maps on screen against the arrays they were made of; the probe bar by real clicks, keys and files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.assets import resource
from explorer.panels.feature_maps import FeatureMapsPanel
from explorer.panels.feature_maps_tiles import as_pixels, fitting, gap_of, grid_size, reflowed, tiles, vector
from explorer.panels.probes import ProbeBar
from explorer.runs import Atlas, FeatureMapsCaptured
from explorer.session.probe_set import ProbeSet
from explorer.session.probes import ProbeImageError, pixels, probe_images, read_image, to_qimage
from explorer.session.sources import Source
from tests.panels.fake_run import atlas
from tests.panels.stage import Stage, click, press, shown, stage, wheel


def _maps(count: int = 6, height: int = 28, width: int = 28) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width), dtype=np.uint8)


def _panel(qtbot: QtBot) -> tuple[FeatureMapsPanel, Stage]:
    at = stage()
    panel = FeatureMapsPanel(at.document, at.selection, ProbeSet(at.document), at.themes)
    shown(qtbot, panel, 1000, 400)
    qtbot.waitUntil(lambda: panel.probe_bar.current is not None)
    return panel, at


def _with_maps(qtbot: QtBot, maps: np.ndarray) -> tuple[FeatureMapsPanel, Stage]:
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    _give(panel, "step 1,240", conv1=atlas(maps, columns=3))
    return panel, at


def _give(panel: FeatureMapsPanel, source: str, **atlases: Atlas) -> None:
    maps = FeatureMapsCaptured(run_id="", step=0, probe="", atlases=atlases)
    panel.show_observed([maps], Source(source, None, ""))


# The picture


@given(
    st.integers(1, 40), st.integers(1, 7), st.integers(1, 7), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2)
)
def test_reflowing_keeps_every_pixel(count: int, height: int, width: int, old: int, new: int, gap: int) -> None:
    maps = _maps(count, height, width)
    source = atlas(maps, columns=min(old, count), gap=gap)
    assert np.array_equal(tiles(source), maps)
    columns = min(new, count)
    image = reflowed(source, columns)
    assert image.shape == grid_size(source, columns)
    between = gap_of(source)
    for channel in range(count):
        row, column = divmod(channel, columns)
        top, left = row * (height + between), column * (width + between)
        assert np.array_equal(image[top : top + height, left : left + width], maps[channel])


@given(st.integers(1, 600), st.integers(1, 64), st.integers(50, 2000), st.integers(50, 2000))
def test_fitting_shows_all_channels_at_once(count: int, size: int, height: int, width: int) -> None:
    source = atlas(np.zeros((count, size, size), np.uint8), columns=count)
    tiling = fitting(source, height, width)
    shown_height, shown_width = (side * tiling.scale for side in grid_size(source, tiling.columns))
    if tiling.scale > 1 / 8:
        assert shown_height <= height
        assert shown_width <= width
    assert tiling.columns <= count


def test_vectors_are_told_from_maps() -> None:
    levels = np.array([0, 51, 255], np.uint8)
    for source in (atlas(levels.reshape(3, 1, 1), columns=2), atlas(levels.reshape(1, 1, 3), columns=1)):
        values = vector(source)
        assert values is not None
        assert values.tolist() == pytest.approx([-1, -0.6, 1])
        assert tiles(as_pixels(source)).reshape(-1).tolist() == levels.tolist()
    assert vector(atlas(_maps(), columns=3)) is None


# The panel


def test_all_channels_are_one_picture_with_crisp_pixels(qtbot: QtBot) -> None:
    maps = _maps()
    panel, _ = _with_maps(qtbot, maps)
    screen = panel.maps.viewport().grab().toImage()
    scale = panel.maps.tiling.scale
    assert scale == int(scale) >= 2
    ratio = screen.devicePixelRatio()
    for channel in range(6):
        corner = panel.maps.channel_rect(channel).topLeft() * ratio
        for y, x in ((0, 0), (27, 27), (5, 20)):
            centre = corner + QPointF((x + 0.5) * scale, (y + 0.5) * scale)
            assert QColor(screen.pixel(centre.toPoint())).red() == maps[channel, y, x]


def test_heading_says_shape_range_and_source(qtbot: QtBot) -> None:
    panel, _ = _with_maps(qtbot, _maps())
    assert panel._title.text() == "conv1"
    assert panel._facts.whole == "Conv2d · 6×28×28 · values −1 to 1 · step 1,240"


def test_hovering_tells_channel_place_and_value(qtbot: QtBot) -> None:
    maps = _maps()
    panel, _ = _with_maps(qtbot, maps)
    scale = panel.maps.tiling.scale / panel.devicePixelRatioF()
    corner = panel.maps.channel_rect(4).topLeft()
    QTest.mouseMove(panel.maps.viewport(), (corner + QPointF(7.5 * scale, 3.5 * scale)).toPoint())
    value = -1 + 2 * maps[4, 3, 7] / 255
    qtbot.waitUntil(lambda: panel._readout.text() != "")
    assert panel._readout.text() == f"channel 4 · row 3, column 7 · ≈ {value:.3g}".replace("-", "−")


def test_click_enlarges_arrows_move_and_escape_closes(qtbot: QtBot) -> None:
    panel, _ = _with_maps(qtbot, _maps())
    click(panel.maps.viewport(), panel.maps.channel_rect(2).center().toPoint())
    assert panel.maps.chosen == 2
    assert panel.channel.isVisible()
    assert panel._channel_text.text().startswith("channel 2 ·")
    press(panel.maps, Qt.Key.Key_Right)
    assert panel._channel_text.text().startswith("channel 3 ·")
    press(panel.maps, Qt.Key.Key_Escape)
    assert not panel.channel.isVisible()


def test_new_maps_keep_the_enlarged_channel(qtbot: QtBot) -> None:
    panel, _ = _with_maps(qtbot, _maps())
    panel.maps.choose(1)
    _give(panel, "step 1,300", conv1=atlas(np.full((6, 28, 28), 200, np.uint8), columns=6))
    assert panel.maps.chosen == 1
    assert panel._facts.whole.endswith("step 1,300")


def test_zooming_by_slider_and_wheel_and_fitting_again(qtbot: QtBot) -> None:
    panel, _ = _with_maps(qtbot, _maps())
    fitted = panel.maps.tiling
    panel.zoom_slider.setFocus()
    press(panel.zoom_slider, Qt.Key.Key_Left)
    assert panel.maps.tiling.scale < fitted.scale
    assert not panel.fit_button.isChecked()
    click(panel.fit_button)
    assert panel.maps.tiling == fitted
    panel.maps.set_zoom(24.0)
    assert panel.maps.verticalScrollBar().maximum() > 0
    assert panel._scale_text.text() == "24×"


def test_ten_logits_are_bars_and_many_features_pixels(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    _give(panel, "x", fc3=atlas(_maps(10, 1, 1), columns=4), flatten=atlas(_maps(400, 1, 1), columns=20))
    at.selection.set(["fc3"])
    assert panel.bars.isVisible()
    QTest.mouseMove(panel.bars, QPoint(12, 40))
    qtbot.waitUntil(lambda: panel._readout.text().startswith("feature 0"))
    at.selection.set(["flatten"])
    assert panel.maps.isVisible()
    assert not panel.bars.isVisible()
    assert panel.maps.picture().width() * panel.maps.picture().height() >= 400


def test_empty_states_say_what_to_do(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    assert "Select a layer" in panel._empty.text()
    at.selection.set(["conv1"])
    assert "Waiting for the maps of conv1" in panel._empty.text()
    panel.show_problem("torch is not installed")
    assert panel._empty.text() == "torch is not installed"
    _give(panel, "initial weights", conv1=atlas(_maps(), columns=3))
    assert panel.maps.isVisible()
    at.set_value("conv2", "kernel_size", (99, 99))
    at.selection.set(["conv2"])
    assert "mend the fault" in panel._empty.text()


def test_maps_of_another_shape_are_dropped_with_the_edit(qtbot: QtBot) -> None:
    panel, at = _with_maps(qtbot, _maps())
    at.set_value("conv2", "out_channels", 8)
    assert panel.maps.isVisible()
    at.set_value("conv1", "out_channels", 8)
    assert not panel.maps.isVisible()


def test_only_the_selected_node_of_a_visible_panel_is_wanted(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    wanted: list[tuple[str, ...]] = []
    panel.wanted_changed.connect(lambda: wanted.append(panel.wanted().maps))
    at.selection.set(["conv1"])
    at.selection.set(["conv1", "conv2"])
    panel.hide()
    panel.show()
    assert wanted == [("conv1",), ("conv2",), (), ("conv2",)]


def test_the_picture_can_be_copied_and_saved(qtbot: QtBot, tmp_path: Path) -> None:
    panel, _ = _with_maps(qtbot, _maps())
    said: list[str] = []
    panel.failed.connect(said.append)
    panel.save_picture(tmp_path / "maps.png")
    assert QImage(str(tmp_path / "maps.png")).size() == panel.maps.picture().size()
    panel.save_picture(tmp_path / "no" / "maps.png")
    assert len(said) == 1
    menu = panel.menu()
    menu.actions()[0].trigger()
    assert QGuiApplication.clipboard().image().size() == panel.maps.picture().size()
    menu.deleteLater()


# The probe image


def test_the_first_digit_is_taken_when_the_bar_shows(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    probe = panel.probe_bar.current
    assert probe is not None
    assert (probe.target, probe.label, probe.image.shape) == (0, "digit 0, no. 1", (28, 28))


def test_probes_are_the_data_sets_test_images() -> None:
    with np.load(resource("digits", "digits.npz")) as arrays:
        images, labels = arrays["test_images"], arrays["test_labels"]
    probes = probe_images()
    assert len(probes) == 200
    for probe in probes[:30]:
        assert any(np.array_equal(probe.image, image) for image in images[labels == probe.target])
    assert not probes[0].image.flags.writeable


def test_click_key_and_wheel_choose_digits(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    bar = panel.probe_bar
    probes = next(iter(at.document.findChildren(ProbeSet)))
    labels: list[str] = []
    probes.changed.connect(lambda: labels.extend(probe.label for probe in probes.probes))
    click(bar.digits, bar.digits.tile_rect(7).center())
    click(bar.digits, bar.digits.tile_rect(7).center())
    press(bar.digits, Qt.Key.Key_Right)
    press(bar.digits, Qt.Key.Key_3)
    assert wheel(bar.digits, -1)
    assert wheel(bar.digits, 1)
    assert labels == [
        "digit 7, no. 1",
        "digit 7, no. 2",
        "digit 8, no. 1",
        "digit 3, no. 1",
        "digit 3, no. 2",
        "digit 3, no. 1",
    ]
    assert bar.current is not None
    assert bar.current.target == 3
    assert probes.current is bar.current


def test_grey_and_colour_files_keep_their_pixels(tmp_path: Path) -> None:
    grey = _maps(1, 9, 7)[0]
    colour = _maps(3, 9, 7)
    to_qimage(grey).save(str(tmp_path / "grey.png"))
    to_qimage(colour).save(str(tmp_path / "colour.png"))
    assert np.array_equal(read_image(tmp_path / "grey.png").image, grey)
    assert np.array_equal(read_image(tmp_path / "colour.png").image, colour)


def test_transparency_becomes_white_and_giants_are_scaled(tmp_path: Path) -> None:
    clear = QImage(4, 4, QImage.Format.Format_ARGB32)
    clear.fill(0)
    assert (pixels(clear) == 255).all()
    giant = QImage(3000, 1000, QImage.Format.Format_Grayscale8)
    giant.fill(7)
    giant.save(str(tmp_path / "giant.png"))
    assert read_image(tmp_path / "giant.png").image.shape == (341, 1024)


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n broken"])
def test_a_damaged_image_is_said_and_changes_nothing(qtbot: QtBot, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(ProbeImageError, match=r"photo\.png cannot be read"):
        read_image(path)
    panel, _ = _panel(qtbot)
    before = panel.probe_bar.current
    panel.probe_bar.open_image(path)
    assert panel.probe_bar.current is before
    assert "photo.png cannot be read" in panel.probe_bar.error
    panel.probe_bar.choose_class(4)
    assert panel.probe_bar.error == ""


# Qt 6.12 wants another constructor, which 6.11 does not have.
@pytest.mark.filterwarnings("ignore:Function. 'QD:DeprecationWarning")
def test_a_dropped_picture_becomes_the_probe(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    to_qimage(_maps(3, 9, 7)).save(str(path))
    panel, _ = _panel(qtbot)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(panel, QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, left, none))
    QApplication.sendEvent(panel, QDropEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, left, none))
    probe = panel.probe_bar.current
    assert probe is not None
    assert (probe.label, probe.target, probe.image.shape) == ("photo.png", None, (3, 9, 7))


def test_a_probe_chosen_before_the_bar_shows_stays(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    to_qimage(_maps(1, 9, 7)[0]).save(str(path))
    probes = ProbeSet()
    bar = ProbeBar(probes, stage().themes)
    qtbot.addWidget(bar)
    bar.open_image(path)
    bar.load()
    assert bar.current is not None
    assert bar.current.label == "photo.png"
    assert probes.probes == (bar.current,)
