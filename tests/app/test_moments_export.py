"""Films and files out of moments, reopened by Pillow and numpy and compared with the values."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from explorer.app.moments_export import MomentsExport
from explorer.app.moments_frames import WIDTH_PER_HEIGHT
from explorer.app.moments_views import FilmedView, Stage
from explorer.canvas import GraphView
from explorer.look import ramps
from explorer.look.theme import LIGHT, ThemeSource
from explorer.panels.moments.values import side_by_side
from explorer.runs import Atlas, FeatureMapsCaptured, WeightPictures, WeightsCaptured
from explorer.runs.moments import MomentStore, read_moment
from explorer.session import Document, Selection
from explorer.session.moments_film import PackedFrames, write_gif
from explorer.session.sources import Source
from explorer.zoo.lenet import lenet5

STEPS = (0, 3, 20)
RANDOM = np.random.default_rng(1)
Values = npt.NDArray[np.float64]


class Kept(NamedTuple):
    """A run's folder, and what its moments were made of."""

    folder: Path
    maps: dict[str, list[Atlas]]
    """Of each layer, one a step."""
    weights: dict[str, list[npt.NDArray[np.float32]]]
    """`(2, 2, 4, 4)`, one a step."""

    def values(self, what: str, layer: str) -> list[Values]:
        """`(4, 4, 4)` for each step, in the order in which they stand side by side."""
        if what == "weights":
            return [
                np.array([weight[place // 2, place % 2] for place in range(4)], np.float64)
                for weight in self.weights[layer]
            ]
        found = []
        for one in self.maps[layer]:
            tiles = [one.image[top : top + 4, left : left + 4] for top in (0, 5) for left in (0, 5)]
            found.append(one.minimum + np.array(tiles, np.float64) / 255 * (one.maximum - one.minimum))
        return found


def atlas(low: float, high: float) -> Atlas:
    image = RANDOM.integers(0, 256, (9, 9), dtype=np.uint8)
    image[4], image[:, 4] = 0, 0
    return Atlas(image=image, num_channels=4, columns=2, tile_height=4, tile_width=4, gap=1, minimum=low, maximum=high)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    folder = tmp_path / "run"
    folder.mkdir()
    store = MomentStore(folder, 1 << 26)
    maps = {
        "conv1": [atlas(-1.0 - step, 2.0) for step in STEPS],
        "relu1": [atlas(0.0, 3.0 + step) for step in STEPS],
    }
    weights = {"conv1": [RANDOM.normal(0.1, 1 + step, (2, 2, 4, 4)).astype(np.float32) for step in STEPS]}
    for place, step in enumerate(STEPS):
        atlases = {layer: each[place] for layer, each in maps.items()}
        pictures = {layer: WeightPictures(each[place], None, None) for layer, each in weights.items()}
        seen = FeatureMapsCaptured(run_id="r", step=step, probe="p", atlases=atlases)
        store.put(step, [seen, WeightsCaptured(run_id="r", step=step, layers=pictures)])
    return Kept(folder, maps, weights)


@pytest.fixture
def folder(kept: Kept) -> Path:
    return kept.folder


class Scene:
    def __init__(self, folder: Path, layer: str | None) -> None:
        self.themes = ThemeSource()
        self.themes.choose("light")
        self.document = Document()
        self.document.open(lenet5())
        self.canvas = GraphView(self.document, Selection(self.document), self.themes)
        self.canvas.resize(400, 600)
        self.folder = folder
        self.num_left = 0
        self.row = QLabel()
        self.row.resize(300, 40)
        views = (
            FilmedView("canvas", "Canvas", self.canvas.viewport(), "inside"),
            FilmedView("row", "Row", self.row, "below"),
        )
        self.dialog = MomentsExport(folder, STEPS, layer, Stage(views, self.show, self.leave), self.themes)

    def show(self, step: int) -> bool:
        self.canvas.show_observed(read_moment(self.folder, step), Source("", step, ""))
        self.row.setText(f"{step}")
        # A view that grows with what it shows.
        self.row.resize(300 + step, 40)
        return True

    def leave(self) -> None:
        self.num_left += 1
        self.row.setText("the present")

    def choose(self, what: str) -> None:
        """The film of a layer's values, of a view, or the data."""
        for place in range(self.dialog.what.count()):
            found = self.dialog.what.itemData(place)
            if what == (found.key if isinstance(found, FilmedView) else found):
                self.dialog.what.setCurrentIndex(place)
                return
        raise AssertionError(what)


def added(qtbot: QtBot, scene: Scene) -> None:
    for widget in (scene.dialog, scene.canvas, scene.row):
        qtbot.addWidget(widget)


def made(qtbot: QtBot, folder: Path, path: Path, what: str, form: str = "gif", layer: str | None = "conv1") -> Scene:
    scene = Scene(folder, layer)
    added(qtbot, scene)
    scene.choose(what)
    scene.dialog.form.setCurrentIndex(scene.dialog.form.findData(form))
    scene.dialog.export_to(path)
    qtbot.waitUntil(lambda: "ritten" in scene.dialog.status.text())
    return scene


def frames_of(path: Path) -> list[npt.NDArray[np.uint8]]:
    frames = []
    with Image.open(path) as film:
        for place in range(film.n_frames):  # type: ignore[attr-defined]
            film.seek(place)
            frames.append(np.asarray(film.convert("RGB")))
    return frames


@pytest.mark.parametrize(("what", "layer"), [("maps", "conv1"), ("maps", "relu1"), ("weights", "conv1")])
def test_each_pixel_of_a_film_is_the_colour_of_its_value(
    qtbot: QtBot, kept: Kept, tmp_path: Path, what: str, layer: str
) -> None:
    path = tmp_path / "film.gif"
    scene = made(qtbot, kept.folder, path, what, layer=layer)
    assert scene.dialog.what.currentData() == what
    assert scene.dialog.status.text().startswith("Written")
    known = kept.values(what, layer)
    low, high = min(one.min() for one in known), max(one.max() for one in known)
    assert (low < 0) == (layer == "conv1"), "both scales of colours are tried"
    for frame, value in zip(frames_of(path), known, strict=True):
        scale = frame.shape[1] // 9
        assert frame.shape[1] == 9 * scale
        for channel in range(4):
            row, column = divmod(channel, 2)
            for y, x in ((0, 0), (3, 3), (1, 2)):
                one = float(value[channel, y, x])
                if low < 0:
                    level = round(one / max(-low, high) * 127) + 127
                    colour = int(ramps.diverging(LIGHT)[level])
                else:
                    colour = int(ramps.grey(255)[round((one - low) / (high - low) * 254)])
                expected = [colour >> 16 & 255, colour >> 8 & 255, colour & 255]
                place = (row * 5 + y) * scale + scale // 2, (column * 5 + x) * scale + scale // 2
                np.testing.assert_allclose(frame[place], expected, atol=3)
        assert list(frame[scale // 2, 4 * scale + scale // 2]) == [255, 255, 255], "gaps are the ground"
        text, caption = LIGHT.text, frame[9 * scale :].reshape(-1, 3)
        assert {tuple(colour) for colour in caption.tolist()} == {
            (255, 255, 255),
            (text.red(), text.green(), text.blue()),
        }, "the step is written in the colour of text"


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (4, 2), (6, 3), (12, 4), (16, 4)])
def test_the_tiles_of_a_film_fill_a_place_that_lies(count: int, columns: int) -> None:
    assert side_by_side(np.zeros((count, 4, 4), np.float32), WIDTH_PER_HEIGHT).shape[1] == columns * 5 - 1


def test_pictures_are_named_by_their_steps(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    made(qtbot, folder, tmp_path / "frames", "maps", "png")
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [
        "frame-0001-step-000000000.png",
        "frame-0002-step-000000003.png",
        "frame-0003-step-000000020.png",
    ]


def test_the_canvas_becomes_a_film_of_its_own_size(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    scene = made(qtbot, folder, path, "canvas")
    with Image.open(path) as film:
        assert film.size == (scene.canvas.viewport().width(), scene.canvas.viewport().height())
        assert film.n_frames == 3  # type: ignore[attr-defined]


def test_the_maps_on_the_canvas_change_from_picture_to_picture(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    # Not as a film, whose pictures differ by what is lost to 256 colours.
    made(qtbot, folder, tmp_path / "frames", "canvas", "png")
    pictures = []
    for path in sorted((tmp_path / "frames").iterdir()):
        with Image.open(path) as picture:
            pictures.append(np.asarray(picture.convert("RGB")))
    below_the_caption = {picture[40:].tobytes() for picture in pictures}
    assert len(pictures) == len(below_the_caption) == 3


def test_the_frames_of_a_view_are_of_one_size_and_the_view_is_left_as_it_was(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    scene = made(qtbot, folder, tmp_path / "frames", "row", "png")
    pictures = []
    for path in sorted((tmp_path / "frames").iterdir()):
        with Image.open(path) as picture:
            pictures.append(np.asarray(picture.convert("RGB")))
    # As wide as the widest, and a line for the caption.
    assert [picture.shape for picture in pictures] == [(40 + 24, 320, 3)] * 3
    ground = [LIGHT.window.red(), LIGHT.window.green(), LIGHT.window.blue()]
    assert (pictures[0][:40, 300:] == ground).all()
    # Each frame is the view as it painted that moment.
    for frame, step in zip(pictures, STEPS, strict=True):
        scene.show(step)
        image = scene.row.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(40, image.bytesPerLine())[:, : 3 * (300 + step)]
        np.testing.assert_array_equal(frame[:40, : 300 + step], rows.reshape(40, 300 + step, 3))
        assert (frame[40:] != ground).any(), "the caption"
    assert scene.num_left == 1


def test_a_film_of_a_view_that_is_cancelled_leaves_no_file_and_the_view_as_it_was(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    scene = Scene(folder, None)
    added(qtbot, scene)
    scene.choose("row")
    shown: list[str] = []

    def cancel(_value: int) -> None:
        if "moment 2 of 3" in scene.dialog.status.text() or scene.row.text() == "0":
            shown.append(scene.row.text())
            scene.dialog.reject()

    scene.dialog.progress.valueChanged.connect(cancel)
    scene.dialog.export_to(tmp_path / "film.gif")
    assert scene.dialog.status.text() == "Cancelled."
    assert shown == ["0"]
    assert scene.row.text() == "the present"
    assert list(tmp_path.glob("*film*")) == []


def test_a_folder_that_takes_no_file_is_said_before_anything_is_drawn(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    scene = Scene(folder, None)
    added(qtbot, scene)
    scene.choose("row")
    (tmp_path / "no folder").write_text("")
    scene.dialog.export_to(tmp_path / "no folder" / "film.gif")
    assert scene.dialog.status.text() == f"Not written: {tmp_path / 'no folder'}: Not a directory"
    assert scene.num_left == 0
    assert scene.dialog.export_button.isEnabled()


def test_a_folder_that_is_missing_is_said_before_anything_is_drawn(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    scene = Scene(folder, None)
    added(qtbot, scene)
    scene.choose("row")
    scene.dialog.export_to(tmp_path / "nowhere" / "film.gif")
    assert scene.dialog.status.text() == f"Not written: {tmp_path / 'nowhere'}: No such file or directory"
    assert scene.num_left == 0


@pytest.mark.parametrize("typed", ["film", "film-0.05", "film.gif", "film.GIF"])
def test_a_film_has_its_suffix_whatever_is_typed(
    qtbot: QtBot, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    scene = Scene(folder, "conv1")
    added(qtbot, scene)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / typed), ""))
    scene.dialog.export_button.click()
    qtbot.waitUntil(lambda: "ritten" in scene.dialog.status.text())
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [
        typed if typed.lower().endswith(".gif") else f"{typed}.gif"
    ]


@pytest.mark.parametrize("answer", [QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No])
def test_a_film_whose_suffix_was_not_typed_replaces_another_only_where_that_is_wanted(
    qtbot: QtBot,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: QMessageBox.StandardButton,
) -> None:
    scene = Scene(folder, "conv1")
    added(qtbot, scene)
    before = scene.dialog.status.text()
    (tmp_path / "film.gif").write_bytes(b"another")
    asked: list[str] = []

    def question(_parent: object, _title: str, text: str) -> QMessageBox.StandardButton:
        asked.append(text)
        return answer

    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "film"), ""))
    monkeypatch.setattr(QMessageBox, "question", question)
    scene.dialog.export_button.click()
    qtbot.waitUntil(scene.dialog.export_button.isEnabled)
    assert asked == ["film.gif already exists. Replace it?"]
    is_replaced = answer == QMessageBox.StandardButton.Yes
    assert ((tmp_path / "film.gif").read_bytes() != b"another") == is_replaced
    assert (scene.dialog.status.text() != before) == is_replaced


def test_pictures_are_counted_and_those_of_other_films_told_of(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    film = tmp_path / "film"
    first = made(qtbot, folder, film, "maps", "png")
    assert first.dialog.status.text() == f"Written: {film} (3 pictures)"
    (film / "frame-0004-step-000000021.png").write_bytes(b"")
    (film / "notes.txt").write_text("")
    again = made(qtbot, folder, film, "row", "png")
    assert again.dialog.status.text() == f"Written: {film} (3 pictures). Of other films lie there too: 1."


def test_a_file_that_cannot_be_written_is_named_as_it_was_chosen(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    scene = Scene(folder, "conv1")
    added(qtbot, scene)
    scene.choose("maps")
    (tmp_path / "film.gif").mkdir()  # which no file can replace
    scene.dialog.export_to(tmp_path / "film.gif")
    qtbot.waitUntil(lambda: "ritten" in scene.dialog.status.text())
    assert scene.dialog.status.text() == f"Not written: {tmp_path / 'film.gif'}: Is a directory"


def test_pictures_that_were_written_before_one_could_not_be_are_told_of(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film"
    (film / "frame-0003-step-000000020.png").mkdir(parents=True)
    scene = Scene(folder, "conv1")
    added(qtbot, scene)
    dialog = scene.dialog
    dialog.form.setCurrentIndex(dialog.form.findData("png"))
    for what in (0, dialog.what.findText("Film: Row, as it is on screen")):
        dialog.what.setCurrentIndex(what)
        dialog.export_to(film)
        qtbot.waitUntil(dialog.export_button.isEnabled, timeout=10_000)
        said = f"Not written: {film}: Is a directory. In the folder all the same: 2 of 3 pictures."
        assert dialog.status.text() == said
    assert sorted(path.name for path in film.iterdir() if path.is_file()) == [
        "frame-0001-step-000000000.png",
        "frame-0002-step-000000003.png",
    ]
    # Nothing of it is said of what comes next.
    (film / "frame-0003-step-000000020.png").rmdir()
    dialog.export_to(film)
    qtbot.waitUntil(dialog.export_button.isEnabled, timeout=10_000)
    assert dialog.status.text().startswith("Written:")


def test_the_button_cancels_what_is_under_way_and_the_dialog_stays_as_large_as_it_was(
    qtbot: QtBot, folder: Path, tmp_path: Path
) -> None:
    scene = Scene(folder, None)
    added(qtbot, scene)
    scene.choose("row")
    dialog = scene.dialog
    dialog.show()
    before = dialog.size()
    button = next(each for each in dialog.findChildren(QPushButton) if each is not dialog.export_button)
    seen = []

    def cancel(_value: int) -> None:
        seen.append((button.text(), dialog.sizeHint().expandedTo(dialog.size())))
        button.click()

    dialog.progress.valueChanged.connect(cancel)
    dialog.export_to(tmp_path / "film.gif")
    assert seen == [("Cancel", before)]
    assert dialog.isVisible()
    assert dialog.status.text() == "Cancelled."
    assert button.text() == "Close"
    button.click()
    assert not dialog.isVisible()


def test_closing_the_dialog_ends_what_is_under_way(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    scene = Scene(folder, None)
    added(qtbot, scene)
    scene.choose("row")
    scene.dialog.show()
    scene.dialog.progress.valueChanged.connect(lambda _value: scene.dialog.close())
    scene.dialog.export_to(tmp_path / "film.gif")
    assert not scene.dialog.isVisible()
    assert scene.row.text() == "the present"
    assert list(tmp_path.glob("*film*")) == []


def test_a_film_keeps_the_colour_of_what_does_not_change(tmp_path: Path) -> None:
    still = RANDOM.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    frames = PackedFrames((0, 0, 0))
    for _ in range(3):
        moving = RANDOM.integers(0, 256, (40, 8, 3), dtype=np.uint8)
        frames.append(np.concatenate([still, moving]))
    write_gif(tmp_path / "a.gif", frames, 8, None, lambda _text, _share: None, lambda: False)
    first, *others = frames_of(tmp_path / "a.gif")
    for other in others:
        np.testing.assert_array_equal(other[:8], first[:8])
        assert (other[8:] != first[8:]).any()


def test_a_film_keeps_white_and_the_colours_of_thin_lines(tmp_path: Path) -> None:
    # Grey maps in every level and a tint, on white, and three categories of which each has 0.1 % of the pixels.
    categories = np.array([[230, 159, 0], [213, 94, 0], [0, 158, 115]], np.uint8)
    frames = PackedFrames((0, 0, 0))
    for _ in range(3):
        frame = np.full((200, 300, 3), 255, np.uint8)
        frame[50:] = RANDOM.integers(0, 256, (150, 300, 1), dtype=np.uint8)
        frame[100:150, :, 2] = RANDOM.integers(200, 256, (50, 300), dtype=np.uint8)
        for place, colour in enumerate(categories):
            frame[60:90, 10 * place : 10 * place + 2] = colour
        frames.append(frame)
    write_gif(tmp_path / "a.gif", frames, 8, None, lambda _text, _share: None, lambda: False)
    for found in frames_of(tmp_path / "a.gif"):
        assert (found[:50] == 255).all()
        for place, colour in enumerate(categories):
            off = np.abs(found[60:90, 10 * place : 10 * place + 2].astype(int) - colour).max()
            assert off <= 4


def test_all_data_is_one_file(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    made(qtbot, folder, tmp_path / "all.npz", "data", layer=None)
    with np.load(tmp_path / "all.npz", allow_pickle=False) as read:
        np.testing.assert_array_equal(read["steps"], STEPS)
        assert read["maps/conv1/levels"].shape == (3, 4, 4, 4)


def test_a_layer_without_values_is_said(qtbot: QtBot, folder: Path, tmp_path: Path) -> None:
    scene = made(qtbot, folder, tmp_path / "film.gif", "maps", layer="fc9")
    assert "no moment of this run holds its maps" in scene.dialog.status.text()
    assert not (tmp_path / "film.gif").exists()


def test_as_many_frames_as_are_wanted_evenly_from_first_to_last(qtbot: QtBot, folder: Path) -> None:
    scene = Scene(folder, "conv1")
    added(qtbot, scene)
    assert scene.dialog.frame_steps() == STEPS
    scene.dialog.most.setValue(2)
    assert scene.dialog.frame_steps() == (0, 20)


def test_a_cancelled_film_leaves_nothing(tmp_path: Path) -> None:
    frames = [np.zeros((4, 4), np.uint8)] * 3
    with pytest.raises(ValueError, match="cancelled"):
        write_gif(tmp_path / "a.gif", frames, 8, np.zeros((256, 3), np.uint8), lambda _text, _share: None, lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_a_films_pace_is_kept(tmp_path: Path) -> None:
    frames = [np.full((4, 4), place, np.uint8) for place in range(3)]
    palette = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    write_gif(tmp_path / "a.gif", frames, 10, palette, lambda _text, _share: None, lambda: False)
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 3  # type: ignore[attr-defined]
        assert film.info["duration"] == 100
        assert film.info["loop"] == 0
