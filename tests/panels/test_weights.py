"""The panel: what it wants and when, what it shows of what arrives, and what it says where there is nothing."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.look.ramps import diverging
from explorer.look.theme import Theme, ThemeSource
from explorer.panels.weights.curves_plot import LayersPlot
from explorer.panels.weights.history import strip
from explorer.panels.weights.panel import WeightsPanel
from explorer.panels.weights.strip import ROWS
from explorer.runs import Histogram, LayersMeasured, LayerStatistics, Look, WeightPictures, WeightsCaptured
from explorer.session import Document, Selection
from explorer.session.sources import Source
from tests.panels.stage import Stage, click, shown, stage

AT_REST = Source("initial weights", None, "")


def _panel(qtbot: QtBot, architecture: Architecture | None = None) -> tuple[WeightsPanel, Stage]:
    at = stage(architecture)
    panel = WeightsPanel(at.document, at.selection, at.themes)
    shown(qtbot, panel, 1200, 300)
    return panel, at


def _captured(step: int = 7, **shapes: tuple[int, ...]) -> WeightsCaptured:
    generator = np.random.default_rng(step)
    layers = {}
    for name, shape in shapes.items():
        weight, change, gradient = (generator.normal(size=shape).astype(np.float32) for _ in range(3))
        layers[name] = WeightPictures(weight, change, gradient)
    return WeightsCaptured(run_id="r", step=step, layers=layers)


def _histogram(values: np.ndarray) -> Histogram:
    counts, edges = np.histogram(values, 64)
    return Histogram(float(edges[0]), float(edges[-1]), counts.astype(np.int64))


def _values(step: int, name: str) -> np.ndarray:
    values: np.ndarray = np.random.default_rng([step, len(name)]).normal(size=3000)
    return values


NAMES = ("conv1", "conv2", "fc1", "fc2", "fc3")


def _measured(step: int, run_id: str = "r", *, trained: bool = True) -> LayersMeasured:
    layers = {
        name: LayerStatistics(
            gradient_norm=0.1 * (place + 1) / step if trained else None,
            update_ratio=1e-3 * (place + 1) if trained else None,
            weights=_histogram(_values(step, name)),
            gradients=_histogram(_values(step, name) / 100) if trained else None,
            activations=_histogram(np.abs(_values(step, name))),
        )
        for place, name in enumerate(NAMES)
    }
    return LayersMeasured(run_id=run_id, step=step, num_images=64, layers=layers)


def _step(step: int) -> Source:
    return Source(f"step {step}", step, "r")


# What it wants


def test_it_wants_what_its_page_in_front_shows_and_nothing_while_hidden(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    asked: list[Look] = []
    panel.wanted_changed.connect(lambda: asked.append(panel.wanted()))
    assert panel.wanted().weighed == ("conv1",)
    assert not panel.wanted().measures
    at.selection.set(["fc2"])
    assert panel.wanted().weighed == ("fc2",)
    at.selection.set(["tanh1"])
    assert panel.wanted().is_empty
    for place in (1, 2):
        click(panel.tabs.button(place))
        assert panel.wanted().same_as(Look(measures=True))
    panel.hide()
    assert panel.wanted().is_empty
    panel.show()
    assert [(look.weighed, look.measures) for look in asked] == [
        (("fc2",), False),
        ((), False),
        ((), True),
        ((), False),
        ((), True),
    ]


def test_without_a_network_it_wants_nothing(qtbot: QtBot) -> None:
    document = Document()
    panel = WeightsPanel(document, Selection(document), ThemeSource())
    shown(qtbot, panel, 800, 300)
    assert panel.wanted().is_empty
    assert "Open a network" in panel.pictures.sentence
    for place in (0, 1, 2):
        panel.open_page(place)


# Pictures


def test_pictures_of_the_layer_appear_and_follow_the_selection(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    assert "Waiting for the weights of conv1" in panel.pictures.sentence
    tools = (panel.pictures.form_menu, panel.pictures.channel_spin, panel.pictures.each_button)
    assert not any(tool.isVisible() for tool in tools), "they have nothing to offer yet"
    captured = _captured(conv1=(6, 1, 5, 5), fc2=(84, 120))
    panel.show_observed([captured], _step(7))
    assert panel.pictures.sentence == ""
    assert panel.pictures.each_button.isVisible()
    panel.pictures.mosaic.choose(5)
    assert np.array_equal(panel.pictures.side.kernel.kernels, captured.layers["conv1"].weight[5])
    at.selection.set(["fc2"])
    assert panel.pictures.mosaic.chosen is None
    assert "84 outputs" in panel.pictures.caption.whole
    at.selection.set(["tanh1"])
    assert "has no weights" in panel.pictures.sentence
    at.selection.set(["fc1"])
    assert "Waiting for the weights of fc1" in panel.pictures.sentence


def test_of_a_large_network_only_a_few_layers_are_kept(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, zoo.entry("resnet20").build())
    convolutions = [node.id for node in at.document.architecture.nodes if ".conv" in node.id][:12]
    captured = _captured(conv=(16, 16, 3, 3))
    for node_id in convolutions:
        panel.show_observed([dataclasses.replace(captured, layers={node_id: captured.layers["conv"]})], _step(7))
    seen = []
    for node_id in convolutions:
        at.selection.set([node_id])
        seen.append(panel.pictures.sentence == "")
    assert seen == [False] * 3 + [True] * 9


def test_an_edit_forgets_the_weights_that_do_not_fit_any_more(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    panel.show_observed([_captured(conv1=(6, 1, 5, 5), fc3=(10, 84))], _step(7))
    at.set_value("conv1", "out_channels", 8)
    assert "Waiting" in panel.pictures.sentence
    at.selection.set(["fc3"])
    assert panel.pictures.sentence == ""


def test_a_problem_is_said_until_something_arrives(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    panel.show_problem("too large for a preview")
    assert panel.pictures.sentence == "too large for a preview"
    panel.show_observed([_captured(conv1=(6, 1, 5, 5))], _step(7))
    assert panel.pictures.sentence == ""
    panel.clear_observed()
    assert "Waiting" in panel.pictures.sentence


def test_a_layer_with_a_fault_before_it_says_so(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.document.apply("break", edits.set_value(at.document.architecture, "conv1", "kernel_size", (90, 90)))
    at.selection.set(["conv2"])
    assert "no known shape" in panel.pictures.sentence


def test_too_large_a_layer_is_explained(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, zoo.entry("alexnet").build())
    reports = at.document.snapshot.inference.nodes
    largest = max(at.document.architecture.nodes, key=lambda node: reports[node.id].num_parameters or 0)
    at.selection.set([largest.id])
    assert "too many" in panel.pictures.sentence


# Histograms


def test_the_strip_on_screen_is_numpys_histogram(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["conv2"])
    panel.open_page(1)
    for step in range(1, 21):
        panel.show_observed([_measured(step)], _step(step))
    view = panel.over_time.strips["weights"]
    edges = np.linspace(*view.value_range, ROWS + 1)
    assert view.shares.shape == (20, ROWS)
    for row, step in zip(view.shares, range(1, 21), strict=True):
        values = _values(step, "conv2")
        exact = np.histogram(values, edges)[0] / len(values)
        most = np.histogram(values, 64)[0].max() / len(values)
        assert np.abs(np.cumsum(row) - np.cumsum(exact)).max() <= 2 * most


def test_at_rest_there_are_weights_and_activations_and_a_word_on_gradients(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    panel.open_page(1)
    panel.show_observed([_measured(1, "", trained=False)], AT_REST)
    strips = panel.over_time.strips
    assert strips["weights"].sentence == strips["activations"].sentence == ""
    assert "Train a step" in strips["gradients"].sentence
    at.selection.set(["tanh1"])
    assert "no weights" in strips["weights"].sentence


def test_with_nothing_selected_every_layer_is_there_to_be_chosen(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    panel.open_page(1)
    panel.show_history([_measured(step) for step in (1, 5, 9)])
    assert panel.over_time.is_overview
    assert panel.over_time.overview.names == NAMES
    rect = panel.over_time.overview.rect_of(3)
    click(panel.over_time.overview.viewport(), rect.center().toPoint())
    assert at.selection.ids == ("fc2",)
    assert not panel.over_time.is_overview


def test_hovering_a_strip_shows_that_step(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    panel.open_page(1)
    panel.show_history([_measured(step) for step in range(1, 11)])
    view = panel.over_time.strips["weights"]
    steps: list[int] = []
    view.step_hovered.connect(steps.append)
    QTest.mouseMove(view, QPoint(view.width() // 4, view.height() // 2))
    qtbot.waitUntil(lambda: bool(steps))
    assert 1 <= steps[-1] <= 10
    others = [panel.over_time.strips[kind].pointed_step for kind in ("gradients", "activations")]
    assert others == [steps[-1]] * 2
    column = panel.over_time.strips["weights"].shares[steps[-1] - 1]
    history = panel.history.columns("conv1", "weights")
    edges = np.linspace(*view.value_range, ROWS + 1)
    assert np.array_equal(column, strip(history, edges)[steps[-1] - 1])


# Curves


def _plots(panel: WeightsPanel) -> tuple[LayersPlot, LayersPlot]:
    return panel.curves.plots


def test_curves_are_the_numbers_that_arrived(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    panel.open_page(2)
    for step in range(1, 31):
        panel.show_observed([_measured(step)], _step(step))
    norms, ratios = (plot.lines for plot in _plots(panel))
    for place, name in enumerate(NAMES):
        expected = np.log10(0.1 * (place + 1) / np.arange(1, 31))
        assert np.allclose(norms[name], expected, atol=1e-5)
        assert np.allclose(ratios[name], np.log10(1e-3 * (place + 1)), atol=1e-5)
    assert [row[0] for row in panel.curves.key.rows] == list(NAMES)
    at.selection.set(["fc1"])
    key = panel.curves.key
    click(key.viewport(), QPoint(40, 18 + 18 + 9))
    assert at.selection.ids == ("conv2",)


def test_norms_are_left_out_until_they_are_asked_for(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, zoo.entry("resnet20").build())
    panel.open_page(2)
    layers = {name: LayerStatistics(gradient_norm=1.0, update_ratio=1e-3) for name in ("conv1", "bn1", "linear")}
    for step in (1, 2):
        panel.show_observed([LayersMeasured(run_id="r", step=step, num_images=1, layers=layers)], _step(step))
    assert list(_plots(panel)[0].lines) == ["conv1", "linear"]
    click(panel.curves.norms_button)
    assert list(_plots(panel)[0].lines) == ["conv1", "bn1", "linear"]


def test_the_word_on_usual_ratios_lies_over_the_lines(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    panel.open_page(2)
    for step in (1, 2):
        panel.show_observed([_measured(step)], _step(step))
    at.selection.set(["fc1"])
    plot = _plots(panel)[1]
    assert plot._lines
    assert plot._healthy_line.zValue() > max(line.zValue() for line in (*plot._lines, plot._emphasised))


def test_one_axis_writes_its_numbers_in_one_form(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    panel.open_page(2)
    for step, least, expected in ((1, 0.002, {"0.001", "0.0005"}), (3, 1e-6, {"10⁻³", "10⁻⁶"})):
        layers = {"conv1": LayerStatistics(gradient_norm=1.0, update_ratio=least)}
        for at in (step, step + 1):
            panel.show_observed([LayersMeasured(run_id="r", step=at, num_images=1, layers=layers)], _step(at))
        ticks = _plots(panel)[1]._view.getPlotItem().getAxis("left")._tickLevels[0]
        assert expected <= {text for _, text in ticks}


def test_zero_and_what_is_no_number_has_no_place_on_the_axis(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    panel.open_page(2)
    for step, norm in ((1, 1.0), (2, 0.0), (3, float("inf")), (4, 0.01)):
        layers = {"conv1": LayerStatistics(gradient_norm=norm)}
        panel.show_observed([LayersMeasured(run_id="r", step=step, num_images=1, layers=layers)], _step(step))
    line = _plots(panel)[0].lines["conv1"]
    assert np.isfinite(line).sum() == 2
    assert float(np.nanmin(line)) == pytest.approx(-2)
    assert float(np.nanmax(line)) == pytest.approx(0)


def test_pages_are_taken_away_as_a_picture_and_the_curves_as_a_table(qtbot: QtBot, tmp_path: Path) -> None:
    panel, _ = _panel(qtbot)
    panel.show_history([_measured(step) for step in (1, 5)])
    for place, page in ((1, panel.over_time), (2, panel.curves)):
        panel.open_page(place)
        panel.export_button.save_picture(tmp_path / f"{place}.png")
        assert QImage(str(tmp_path / f"{place}.png")).width() == page.width()
    panel.export_button.save_table(tmp_path / "layers.csv")
    with (tmp_path / "layers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["layer"]) for row in rows] == [(step, name) for step in ("1", "5") for name in NAMES]
    for row in rows:
        place = NAMES.index(row["layer"]) + 1
        assert float(row["gradient_norm"]) == pytest.approx(0.1 * place / int(row["step"]), rel=1e-5)
        assert float(row["update_ratio"]) == pytest.approx(1e-3 * place, rel=1e-5)
    failures: list[str] = []
    panel.failed.connect(failures.append)
    panel.export_button.save_table(tmp_path / "missing" / "layers.csv")
    panel.export_button.save_picture(tmp_path / "missing" / "page.png")
    assert len(failures) == 2


# Past and present


def test_a_look_back_marks_its_step_and_the_present_takes_it_away(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    panel.open_page(1)
    panel.show_history([_measured(step) for step in (1, 5, 9)])
    panel.show_observed([_measured(5)], _step(5))
    marked = [panel.marked_step]
    assert len(panel.over_time.strips["weights"].shares) == 3
    panel.show_observed([_measured(12)], _step(12))
    assert [*marked, panel.marked_step] == [5, None]
    assert len(panel.over_time.strips["weights"].shares) == 4


def test_the_newest_step_is_the_present_also_when_it_comes_again(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    panel.open_page(1)
    marks = []
    # A pause at step 9, a look back, and Live: the trainer stands where it stood.
    for step in (5, 9, 5, 9):
        panel.show_observed([_measured(step)], _step(step))
        marks.append(panel.marked_step)
    assert marks == [None, None, 5, None]
    panel.show_observed([_measured(0, "", trained=False)], AT_REST)
    assert panel.marked_step is None


@pytest.mark.parametrize(("counted", "is_sample"), [(64 * 6 * 28 * 28, False), (27_365, True)])
def test_it_says_where_activations_are_a_sample(qtbot: QtBot, counted: int, is_sample: bool) -> None:
    panel, at = _panel(qtbot)
    panel.open_page(1)
    counts = np.zeros(64, np.int64)
    counts[:2] = counted - 5, 2
    layers = {"conv1": LayerStatistics(activations=Histogram(0.0, 1.0, counts, num_not_finite=3))}
    panel.show_observed([LayersMeasured(run_id="r", step=3, num_images=64, layers=layers)], _step(3))
    said = ", of large layers a sample of the values" if is_sample else ""
    assert f"activations of 64 images{said} · the darker" in panel._facts.whole
    at.selection.set(["conv1"])
    said = ", a sample of 27,365 values" if is_sample else ""
    assert f"activations of 64 images{said} · the darker" in panel._facts.whole
    at.selection.set(["conv2"])
    assert "activations of 64 images · the darker" in panel._facts.whole


@pytest.mark.parametrize(("counted", "is_sample"), [(48_120, False), (4_812, True)])
def test_it_says_where_weights_are_a_sample(qtbot: QtBot, counted: int, is_sample: bool) -> None:
    panel, at = _panel(qtbot)
    panel.open_page(1)
    layers = {"fc1": LayerStatistics(weights=Histogram(0.0, 1.0, np.array([counted - 2, 2])))}
    panel.show_observed([LayersMeasured(run_id="r", step=3, num_images=64, layers=layers)], _step(3))
    said = ", of large layers a sample of the values" if is_sample else ""
    assert f"activations of 64 images{said} · the darker" in panel._facts.whole
    at.selection.set(["fc1"])
    assert ("a sample of 4,812 weights · activations of 64 images" in panel._facts.whole) == is_sample


def test_what_was_kept_of_the_run_joins_what_was_seen_of_it(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    panel.open_page(1)
    for step in (7, 9):
        panel.show_observed([_measured(step)], _step(step))
    panel.show_history([_measured(step) for step in (1, 3, 7)])
    assert panel.history.columns("conv1", "weights").steps.tolist() == [1, 3, 7, 9]
    assert panel.history.newest is not None
    assert panel.history.newest.step == 9
    panel.show_history([_measured(step, "other") for step in (2, 4)])
    assert panel.history.columns("conv1", "weights").steps.tolist() == [2, 4]
    panel.show_history([])
    assert panel.history.columns("conv1", "weights").steps.tolist() == [2, 4]


def test_what_arrives_while_hidden_is_kept_and_drawn_when_shown(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    at.selection.set(["conv1"])
    panel.open_page(1)
    panel.hide()
    panel.show_observed([_measured(3), _captured(conv1=(6, 1, 5, 5))], _step(3))
    assert len(panel.over_time.strips["weights"].shares) == 0
    panel.show()
    assert len(panel.over_time.strips["weights"].shares) == 1
    panel.open_page(0)
    assert panel.pictures.sentence == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 900, 1900])
def test_every_page_paints_at_any_width_in_both_themes(qtbot: QtBot, theme: str, width: int) -> None:
    panel, at = _panel(qtbot)
    at.themes.choose(theme)
    panel.resize(width, 300)
    captured = _captured(conv1=(6, 1, 5, 5))
    panel.show_observed([captured, _measured(3), _measured(4)], _step(4))
    for selected in ([], ["conv1"]):
        at.selection.set(selected)
        for place in (0, 1, 2):
            panel.open_page(place)
            image = panel.grab().toImage()
            colours = {image.pixel(x, y) for x in range(0, width, 7) for y in range(40, 300, 7)}
            assert len(colours) > 4
        _check_colours(panel, captured.layers["conv1"].weight, at.themes.theme)


def _check_colours(panel: WeightsPanel, weight: np.ndarray, theme: Theme) -> None:
    """One known colour on each page."""
    panel.open_page(0)
    # The largest weight has one of the scale's ends.
    output, _, row, column = (int(place) for place in np.unravel_index(np.abs(weight).argmax(), weight.shape))
    end = diverging(theme)[-1 if weight[output, 0, row, column] > 0 else 0]
    rect = panel.pictures.mosaic.output_rect(output)
    place = rect.topLeft() + QPointF((column + 0.5) * rect.width() / 5, (row + 0.5) * rect.height() / 5)
    assert panel.pictures.mosaic.viewport().grab().toImage().pixel(place.toPoint()) == end
    panel.open_page(1)
    # Histograms over time have frames.
    page = panel.over_time.grab().toImage()
    colours = [page.pixel(x, y) for x in range(page.width()) for y in range(page.height())]
    assert colours.count(theme.border.rgb()) > page.height()
    panel.open_page(2)
    # On a light ground the layers begin with viridis's first colour, on a dark one they end with its last.
    key = panel.curves.key.viewport().grab().toImage()
    first, last = (key.pixelColor(8, 18 * line + 9) for line in (1, 5))
    assert last == QColor("#fde725") if theme.is_dark else first == QColor("#440154")
