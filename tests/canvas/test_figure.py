"""Figures: what is on them, that text stays text, their size on paper, and what cannot be written."""

import re
import signal
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from explorer.architecture import Architecture, Project, edits
from explorer.architecture.files import SUFFIX, save
from explorer.architecture.placement import Point, lay_out
from explorer.canvas import card as cards
from explorer.canvas import figure as figures
from explorer.canvas.figure import FigureError, FigureOptions
from explorer.canvas.figure_columns import MOST_COLUMNS
from explorer.cli import figures as command
from explorer.cli import main
from explorer.inference import infer
from explorer.layers import Flatten
from explorer.session.arrangement import SECTION
from explorer.zoo import entry
from tests.networks import branching

pytestmark = pytest.mark.usefixtures("qapp")

PLAIN = FigureOptions(shapes=True, counts=True, columns=1, width_mm=None, is_transparent=False)
_SVG = "{http://www.w3.org/2000/svg}"


def _figure(network: Architecture, depth: str = "none", options: FigureOptions = PLAIN) -> figures.Figure:
    return figures.figure(network, infer(network), figures.folded(network, depth), options)


def _texts(drawn: figures.Figure) -> list[str]:
    root = ET.fromstring(figures.encoded(drawn, ".svg"))
    return ["".join(element.itertext()) for element in root.iter(f"{_SVG}text")]


def test_every_layer_is_there_by_name_type_shape_and_count() -> None:
    network = entry("alexnet").build()
    drawn, inference = _texts(_figure(network)), infer(network)
    for node in network:
        assert node.id in drawn
        shape = inference.nodes[node.id].output_shape
        assert shape is not None
        assert "×".join(map(str, shape)) in drawn
    assert "Conv2d  out 96  k 11×11  s 4  p 0" in drawn
    assert "34.9 k params" in drawn


def test_shapes_and_counts_can_be_left_out() -> None:
    options = FigureOptions(shapes=False, counts=False, columns=1, width_mm=None, is_transparent=False)
    texts = _texts(_figure(entry("alexnet").build(), options=options))
    assert "conv1" in texts
    assert not [text for text in texts if "params" in text or re.fullmatch(r"\d+×\d+×\d+", text)]
    wide, narrow = _figure(entry("alexnet").build()), _figure(entry("alexnet").build(), options=options)
    assert narrow.width_mm < wide.width_mm, "it is no wider than its words"


def test_blocks_fold_as_asked() -> None:
    network = entry("googlenet").build()
    folded, opened = _texts(_figure(network, "all")), _texts(_figure(network, "none"))
    assert "inception3a" in folded
    assert "reduce3x3" not in folded
    assert "reduce3x3" in opened
    assert _texts(_figure(network, "auto")) == folded, "it opens folded, being large"
    with pytest.raises(FigureError, match="auto, all, none"):
        figures.folded(network, "some")


def test_only_a_part() -> None:
    network = branching()
    only = {"mixed.left", "mixed.right", "mixed.cat"}
    drawn = figures.figure(network, infer(network), figures.folded(network, "none"), PLAIN, only)
    assert set(drawn.placement.nodes) == only
    assert set(drawn.placement.frames) == {"mixed"}
    assert {(w.source, w.target) for w in drawn.placement.wires} == {
        ("mixed.left", "mixed.cat"),
        ("mixed.right", "mixed.cat"),
    }
    with pytest.raises(FigureError, match="selection is empty"):
        figures.figure(network, infer(network), figures.folded(network, "none"), PLAIN, frozenset())


def test_no_words_run_out_of_their_card() -> None:
    drawn = _figure(entry("resnet18").build())
    root = ET.fromstring(figures.encoded(drawn, ".svg"))
    width = float(root.attrib["viewBox"].split()[2])
    assert width == pytest.approx(drawn.rect.width(), abs=1)
    assert all(0 <= float(text.attrib["x"]) < width for text in root.iter(f"{_SVG}text"))


def test_svg_says_its_size_and_font() -> None:
    options = FigureOptions(shapes=True, counts=True, columns=1, width_mm=85.0, is_transparent=False)
    drawn = _figure(entry("lenet5").build(), options=options)
    text = figures.encoded(drawn, ".svg").decode()
    assert text.count('width="85.000mm"') == 1
    assert f'font-family="{drawn.fonts.words.family()}, Helvetica, Arial, sans-serif"' in text
    assert "<image" not in text
    assert drawn.smallest_points == pytest.approx(11 * 85 / drawn.rect.width() / 25.4 * 72)


def test_svg_and_png_are_the_same_picture() -> None:
    """Drawn by Qt's own SVG reader at the picture's size: the same ink at the same places, but for how edges smooth."""
    drawn = _figure(entry("googlenet").build(), "all")
    picture = QImage.fromData(figures.encoded(drawn, ".png")).convertToFormat(QImage.Format.Format_Grayscale8)
    read = QImage(picture.size(), QImage.Format.Format_RGB32)
    read.fill(QColor("white"))
    painter = QPainter(read)
    QSvgRenderer(QByteArray(figures.encoded(drawn, ".svg"))).render(painter)
    painter.end()
    # Over areas of some pixels, so that neither a hair's shift of a letter nor its smoothing counts.
    size = QSize(picture.width() // 8, picture.height() // 8)
    first, second = (_pixels(image, size) for image in (picture, read))
    darkness = (255.0 - first).sum()
    assert np.abs(first - second).sum() < 0.3 * darkness
    assert np.abs(first - second).max() < 90


def _pixels(image: QImage, size: QSize) -> np.ndarray:
    smooth = Qt.TransformationMode.SmoothTransformation
    small = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
    small = small.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(small.constBits(), np.uint8).reshape(small.height(), small.bytesPerLine())
    return rows[:, : small.width()].astype(float)


def test_pdf_has_one_page_of_that_size_with_fonts() -> None:
    options = FigureOptions(shapes=True, counts=True, columns=1, width_mm=85.0, is_transparent=False)
    drawn = _figure(entry("lenet5").build(), options=options)
    content = figures.encoded(drawn, ".pdf")
    assert content.startswith(b"%PDF")
    box = re.findall(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", content)
    assert len(box) == 1
    wanted = (drawn.width_mm / 25.4 * 72, drawn.height_mm / 25.4 * 72)
    assert [float(side) for side in box[0]] == pytest.approx(wanted, abs=1)
    assert content.count(b"/FontName") == 2, "letters are letters, in two weights"
    assert b"/Subtype /Image" not in content


def test_png_has_its_pixels_and_says_how_large_they_are(tmp_path: Path) -> None:
    options = FigureOptions(shapes=True, counts=True, columns=1, width_mm=85.0, is_transparent=True)
    figures.save(_figure(entry("lenet5").build(), options=options), tmp_path / "a.png")
    image = QImage(str(tmp_path / "a.png"))
    assert image.width() == round(85 / 25.4 * 300)
    assert image.dotsPerMeterX() == round(300 / 0.0254)
    assert image.pixelColor(0, 0).alpha() == 0
    figures.save(_figure(entry("lenet5").build()), tmp_path / "b.png")
    assert QImage(str(tmp_path / "b.png")).pixelColor(0, 0) == QColor("white")


def test_what_cannot_be_written_says_why(tmp_path: Path) -> None:
    drawn = _figure(entry("lenet5").build())
    with pytest.raises(FigureError, match=r"missing.a\.svg could not be written: No such file"):
        figures.save(drawn, tmp_path / "missing" / "a.svg")
    with pytest.raises(FigureError, match=r"\.gif is no figure; use \.svg, \.pdf, \.png"):
        figures.save(drawn, tmp_path / "a.gif")
    with pytest.raises(FigureError, match="too many"):
        figures.encoded(_figure(entry("resnet152").build()), ".png")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_figure(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="only Unix limits the size of files")
    drawn, path = _figure(entry("lenet5").build()), tmp_path / "a.svg"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(FigureError, match="could not be written: File too large"):
            figures.save(drawn, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.svg", "old")]


def test_a_network_with_a_fault_is_drawn_with_what_is_known() -> None:
    network = edits.set_value(entry("lenet5").build(), "conv2", "kernel_size", (99, 99))
    assert "–" in _texts(_figure(network))


def test_the_command_knows_the_same_figures() -> None:
    assert command.SUFFIXES == figures.SUFFIXES
    assert command.FOLDS == figures.FOLDS
    assert command._MOST_COLUMNS == MOST_COLUMNS


# Arrangement


def _centre(drawn: figures.Figure, key: str) -> Point:
    return drawn.placement.nodes[key].centre


@pytest.mark.parametrize("depth", ["all", "none"])
def test_cards_stand_as_a_hand_has_put_them_on_the_canvas(depth: str) -> None:
    network = entry("resnet18").build()
    folds, inference = figures.folded(network, depth), infer(network)
    plain = figures.figure(network, inference, folds, PLAIN)
    font = QGuiApplication.font().key()
    card = cards.card(Flatten, font).rect
    shown = folds.shown(network)
    rects = {
        key: (cards.block_card(font) if key in shown.folded else cards.card(type(network[key].layer), font)).rect
        for key in shown.items
    }
    sizes = {key: (rect.width(), rect.height()) for key, rect in rects.items()}
    screen = lay_out(sizes, shown.links, shown.inside, shown.frames)
    level = screen.nodes["maxpool"].centre
    moved = {"flatten": Point(level.x + 2 * card.width(), level.y - card.height() / 2)}
    drawn = figures.figure(network, inference, folds, PLAIN, moved=moved)
    assert _centre(drawn, "flatten").y == pytest.approx(_centre(drawn, "maxpool").y, abs=1), "as high as on the screen"
    assert _centre(drawn, "flatten").x > drawn.placement.nodes["maxpool"].right
    others = {key: box for key, box in drawn.placement.nodes.items() if key != "flatten"}
    assert others == {key: box for key, box in plain.placement.nodes.items() if key != "flatten"}
    assert not any(drawn.placement.nodes["flatten"].overlaps(box) for box in others.values())
    left = figures.figure(
        network, inference, folds, PLAIN, moved={"maxpool": Point(-3000, level.y), "gone": Point(0, 0)}
    )
    assert _centre(left, "maxpool").x < plain.placement.bounds.x
    assert figures.encoded(left, ".pdf").startswith(b"%PDF")


def test_the_command_draws_a_project_as_it_was_arranged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = entry("lenet5").build()
    sections = {SECTION: {"positions": {"pool1": [2500.0, 0.0]}}}
    save(Project(architecture=network, sections=sections), tmp_path / f"moved{SUFFIX}")
    save(Project(architecture=network, sections={}), tmp_path / f"plain{SUFFIX}")
    for name in ("moved", "plain"):
        assert main(["export", str(tmp_path / f"{name}{SUFFIX}"), "--to", str(tmp_path / f"{name}.svg")]) == 0
    capsys.readouterr()
    boxes = [ET.parse(tmp_path / f"{name}.svg").getroot().get("viewBox") for name in ("moved", "plain")]
    widths = [float((box or "").split()[2]) for box in boxes]
    assert widths[0] > 1.5 * widths[1]
