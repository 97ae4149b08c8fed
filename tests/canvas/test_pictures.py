"""What pictures cards carry: asked for as far as they are seen, drawn in signed colours or bars, and told in words."""

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor, QImage, QTransform
from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.canvas import histogram_strip as strips
from explorer.canvas.histogram_strip import histogram_strip
from explorer.canvas.kernel_strip import kernel_strip
from explorer.canvas.legend import pictures_menu
from explorer.canvas.pictures import HISTOGRAMS, KERNELS, MAPS
from explorer.look.ramps import diverging
from explorer.look.theme import DARK, LIGHT, Theme
from explorer.runs import Histogram, LayersMeasured, LayerStatistics, Look, WeightPictures, WeightsCaptured
from explorer.session.sources import Source
from explorer.zoo import entry
from tests.canvas.conftest import Canvas

STEP = Source("step 120", 120, "r")
REST = Source("trained weights", None, "")
Floats = npt.NDArray[np.float32]


def values(*shape: int, largest: float = 0.5) -> Floats:
    """From `-largest` to `largest`, evenly, in the order of the array."""
    return np.linspace(-largest, largest, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def captured(*node_ids: str, step: int = 120, gradient: bool = True) -> WeightsCaptured:
    pictures = WeightPictures(
        values(6, 1, 5, 5), values(6, 1, 5, 5, largest=0.1), values(6, 1, 5, 5, largest=2e-3) if gradient else None
    )
    return WeightsCaptured(
        run_id="r" if step else "", step=step, layers={}, first_kernels=dict.fromkeys(node_ids, pictures)
    )


def measured(*node_ids: str) -> LayersMeasured:
    histograms = [Histogram(low, 1.0, np.array([1, 2, 4, 1])) for low in (-1.0, -2.0, -3.0)]
    return LayersMeasured(
        run_id="r",
        step=120,
        num_images=8,
        layers={
            i: LayerStatistics(
                gradient_norm=1.0, weights=histograms[0], gradients=histograms[1], activations=histograms[2]
            )
            for i in node_ids
        },
    )


def image(canvas: Canvas, key: str) -> QImage | None:
    card = canvas.scene.card(key)
    assert card is not None
    return None if card.strip is None else card.strip.image


def choose(canvas: Canvas, key: str) -> None:
    canvas.view.reading.pictures.choose(key)
    canvas.view._settle()


def texts(canvas: Canvas) -> tuple[str, ...]:
    return canvas.view.reading.legend.picture_texts


# What is asked for


def test_what_is_chosen_is_asked_for_of_the_cards_that_are_seen(canvas: Canvas) -> None:
    canvas.close_up()
    asked: list[Look] = []
    canvas.view.wanted_changed.connect(lambda: asked.append(canvas.view.wanted()))
    seen = set(canvas.view.wanted().maps)
    assert {"conv1", "tanh1"} <= seen < {node.id for node in canvas.architecture}
    for key in KERNELS:
        canvas.view.reading.pictures.choose(key)
        look = canvas.view.wanted()
        assert not look.maps
        assert not look.measures
        assert set(look.first_kernels) == seen & {"conv1", "conv2", "fc1", "fc2", "fc3"}
    for key in HISTOGRAMS:
        canvas.view.reading.pictures.choose(key)
        assert canvas.view.wanted().same_as(Look(measures=True))
    canvas.view.reading.pictures.choose(MAPS)
    assert set(canvas.view.wanted().maps) == seen
    # Filters, change and gradients come together, and so do the three histograms.
    assert [bool(look.first_kernels) for look in asked] == [True, False, False]
    canvas.view.hide()
    assert canvas.view.wanted().is_empty


def test_nothing_is_asked_for_from_far_away(canvas: Canvas) -> None:
    canvas.view.zoom_by(0.1 / canvas.view.zoom)
    for key in (*KERNELS, *HISTOGRAMS):
        canvas.view.reading.pictures.choose(key)
        assert canvas.view.wanted().is_empty
        canvas.view._settle()
        assert texts(canvas)[-1] == "zoom in to see pictures"


def test_colouring_by_statistics_asks_for_them_beside_filters(canvas: Canvas) -> None:
    choose(canvas, "filters")
    canvas.view.reading.colouring.choose("gradient")
    look = canvas.view.wanted()
    assert look.measures
    assert "conv1" in look.first_kernels


def test_a_block_stands_for_its_last_layer_with_filters(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet20").build())
    pictures = canvas.view.reading.pictures
    canvas.view._folding.fold_all()
    folded = "layer3"
    assert pictures.node_of(folded) == canvas.scene.blocks[folded].facts.exit
    pictures.choose("filters")
    assert pictures.node_of(folded) == "layer3.2.conv2"
    assert pictures.node_of("bn1") is None, "a normalisation has no filters"
    assert pictures.node_of("relu") is None
    pictures.choose("weight histograms")
    assert pictures.node_of(folded) == "layer3.2.conv2"
    assert pictures.node_of("bn1") == "bn1"


def test_the_choice_is_in_both_menus_and_remembered(canvas: Canvas, qtbot: QtBot) -> None:
    pictures = canvas.view.reading.pictures
    menu = pictures_menu(canvas.view.reading.legend.menu(), pictures)
    names = ["Feature maps", "Filters", "Change of filters since start", "Gradients"]
    names += [f"Histogram of {what}" for what in ("weights", "gradients", "activations")]
    assert [action.text() for action in menu.actions()] == names
    menu.actions()[3].trigger()
    assert pictures.choice == "filter gradients"
    for offered in (canvas.view.reading.legend.menu(), canvas.view.menu_at(canvas.view.rect().topLeft())):
        assert "Pictures on cards" in [action.text() for action in offered.actions()]
    again = type(pictures)(canvas.document, canvas.themes, canvas.scene, canvas.view)
    assert again.choice == "filter gradients"
    with pytest.raises(ValueError, match="use maps, filters"):
        pictures.choose("dreams")


# Filters


def test_filters_their_change_and_gradients_are_three_pictures_of_one_answer(canvas: Canvas) -> None:
    sizes = {card.key: card.card.rect for card in canvas.scene.cards()}
    choose(canvas, "filters")
    assert texts(canvas)[-2:] == ("Filters", "captured soon")
    canvas.view.show_observed([captured("conv1")], STEP)
    seen = [image(canvas, "conv1")]
    assert image(canvas, "conv2") is None
    assert texts(canvas)[-2:] == ("Filters", "step 120")
    for key in KERNELS[1:]:
        choose(canvas, key)
        seen.append(image(canvas, "conv1"))
    assert None not in seen
    limits = []
    for key in KERNELS:
        choose(canvas, key)
        limits += [text for name, text in canvas.view.reading.pictures.told("conv1") if "step" in text]
    assert limits == ["±0.50 · step 120", "±0.1 · step 120", "±2.0·10⁻³ · step 120"]
    assert {card.key: card.card.rect for card in canvas.scene.cards()} == sizes
    choose(canvas, MAPS)
    assert image(canvas, "conv1") is None
    assert "step 120" not in texts(canvas)


def test_whole_layers_as_moments_hold_them_are_cut(canvas: Canvas) -> None:
    choose(canvas, "filters")
    whole = values(16, 6, 5, 5)
    first = WeightsCaptured(
        run_id="r", step=120, layers={}, first_kernels={"conv2": WeightPictures(whole[:24, :4], None, None)}
    )
    canvas.view.show_observed([first], STEP)
    expected = image(canvas, "conv2")
    canvas.view.clear_observed()
    assert image(canvas, "conv2") is None
    moment = WeightsCaptured(run_id="r", step=120, layers={"conv2": WeightPictures(whole, None, None)})
    canvas.view.show_observed([moment], STEP)
    assert expected is not None
    assert image(canvas, "conv2") == expected


def test_where_there_is_no_change_or_gradient_there_is_no_picture(canvas: Canvas) -> None:
    choose(canvas, "filter gradients")
    canvas.view.show_observed([captured("conv1", gradient=False)], STEP)
    assert image(canvas, "conv1") is None
    assert texts(canvas)[-1] == "train to see them"


def test_a_gradient_outlives_its_run_and_says_of_which_step_it_is(canvas: Canvas) -> None:
    choose(canvas, "filter gradients")
    canvas.view.show_observed([captured("conv1")], STEP)
    canvas.view.show_observed([captured("conv1", step=0, gradient=False)], REST)
    assert image(canvas, "conv1") is not None
    assert texts(canvas)[-1] == "step 120"
    choose(canvas, "filters")
    assert texts(canvas)[-1] == "trained weights"
    # A moment of the run before its first update has none.
    choose(canvas, "filter gradients")
    start = WeightsCaptured(
        run_id="r", step=0, layers={}, first_kernels=captured("conv1", gradient=False).first_kernels
    )
    canvas.view.show_observed([start], Source("step 0", 0, "r"))
    assert image(canvas, "conv1") is None


def test_another_layer_has_no_picture_of_what_was_there(canvas: Canvas) -> None:
    choose(canvas, "filters")
    canvas.view.show_observed([captured("conv1", "conv2")], STEP)
    canvas.document.apply("Set", edits.set_value(canvas.architecture, "conv2", "kernel_size", (3, 3)))
    assert image(canvas, "conv1") is not None
    assert image(canvas, "conv2") is None
    canvas.document.open(entry("lenet5").build())
    assert image(canvas, "conv1") is None


def test_they_are_drawn_anew_in_another_theme(canvas: Canvas) -> None:
    choose(canvas, "filters")
    canvas.view.show_observed([captured("conv1")], STEP)
    light = image(canvas, "conv1")
    canvas.themes.choose("dark")
    QCoreApplication.processEvents()
    assert light is not None
    assert image(canvas, "conv1") != light
    assert canvas.view.strips()["conv1"].image == light, "paper stays white"


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_zero_is_the_middle_colour_and_the_largest_an_end(theme: Theme) -> None:
    kernel = np.array([[[[-2.0, 0.0, 2.0], [1.0, 0.0, -1.0], [0.0, 0.0, np.nan]]]], np.float32)
    found = kernel_strip(kernel, theme, 160, 48, may_be_colour=True)
    drawn, side = found.strip.image, found.strip.image.width() // 3
    ramp = diverging(theme)
    colours = [[drawn.pixel(c * side + side // 2, r * side + side // 2) for c in range(3)] for r in range(3)]
    assert colours[0] == [ramp[0], ramp[127], ramp[254]]
    assert colours[1][1] == colours[2][0] == colours[2][2] == ramp[127]
    assert found.largest == 2.0
    assert (found.num_outputs, found.num_inputs, found.is_colour) == (1, 1, False)


def test_a_first_layer_is_shown_in_its_colours_around_grey() -> None:
    kernels = np.zeros((24, 3, 2, 2), np.float32)
    kernels[0, :, 0, 0] = (1, -1, 0)
    found = kernel_strip(kernels, LIGHT, 160, 48, may_be_colour=True)
    first = QColor(found.strip.image.pixel(2, 2))
    assert (first.red(), first.green(), first.blue()) == (254, 0, 127)
    last = QColor(found.strip.image.pixel(found.strip.image.width() - 3, 2))
    assert last == QColor(127, 127, 127)
    assert found.is_colour
    assert not kernel_strip(kernels, LIGHT, 160, 48, may_be_colour=False).is_colour


def test_deeper_kernels_have_a_row_for_each_input_and_a_column_for_each_output() -> None:
    kernels = np.zeros((24, 4, 3, 3), np.float32)
    kernels[1, 0], kernels[0, 1] = 1, -1
    found = kernel_strip(kernels, LIGHT, 160, 48, may_be_colour=False)
    drawn, ramp = found.strip.image, diverging(LIGHT)
    assert found.num_inputs == 2
    across, down = drawn.width() / found.num_outputs, drawn.height() / 2
    assert drawn.pixel(int(1.4 * across), int(0.4 * down)) == ramp[254]
    assert drawn.pixel(int(0.4 * across), int(1.6 * down)) == ramp[0]
    assert drawn.pixel(int(0.4 * across), int(0.4 * down)) == ramp[127]


@pytest.mark.parametrize(
    "shape",
    [
        *[(24, 3, 11, 11), (24, 4, 1, 7), (24, 4, 7, 1), (1, 640, 1, 1), (16, 40, 1, 1), (2, 3, 1, 1), (24, 1, 64, 64)],
        *[(1, 1, 3, 3), (24, 4, 3, 300), (1, 1, 1, 1), (24, 4, 2, 2)],
    ],
)
@pytest.mark.parametrize("height", [36.0, 48.0])
def test_a_strip_never_leaves_its_room(shape: tuple[int, ...], height: float) -> None:
    found = kernel_strip(values(*shape), DARK, 160, height, may_be_colour=True)
    assert 0 < found.strip.size.width() <= 160.01
    assert 0 < found.strip.size.height() <= height + 0.01
    assert found.strip.image.width() <= 2000
    assert found.num_outputs >= 1


# Histograms


def test_each_histogram_is_of_its_own_values(canvas: Canvas) -> None:
    seen = []
    for key, low in zip(HISTOGRAMS, ("−1", "−2.0", "−3.0"), strict=True):
        choose(canvas, key)
        canvas.view.show_observed([measured("conv1")], STEP)
        assert image(canvas, "conv2") is None
        seen.append(image(canvas, "conv1"))
        ((name, text),) = canvas.view.reading.pictures.told("conv1")
        assert name == canvas.view.reading.pictures.title.lower()
        assert text == f"{low} to 1 · step 120"
        assert text in canvas.scene.card("conv1").tool_tip(  # type: ignore[union-attr]
            canvas.view.reading._whole()._replace(pictures=((name, text),))
        )
    assert seen[0] is not None
    assert seen[0] != seen[1]
    canvas.view.clear_observed()
    assert image(canvas, "conv1") is None


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_bars_are_as_high_as_they_are_full(theme: Theme) -> None:
    histogram = Histogram(1.0, 5.0, np.array([10, 20, 0, 5]))
    found = histogram_strip(histogram, theme, 160, 48, "")
    base = found.image.height() * (1 - found.figures)
    heights = [_height(found.image, (place + 0.5) / 4, theme.accent) for place in range(4)]
    assert heights == pytest.approx([base / 2, base, 0, base / 4], abs=5)


def test_ends_are_written_as_they_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def line(_painter: object, _room: object, text: str, *_how: object) -> float:
        written.append(text)
        return 0.0

    monkeypatch.setattr(strips, "draw_line", line)
    for low, high in ((-0.0471, 0.27), (-0.5, 0.001), (4.9e-4, 12.0)):
        histogram_strip(Histogram(low, high, np.array([1, 2])), LIGHT, 160, 48, "")
    ends = [text for text in written if text != "0"]
    assert ends == ["−0.047", "0.27", "−0.50", "0.001", "4.9·10⁻⁴", "12"]


def test_a_bar_far_higher_than_all_others_is_cut() -> None:
    found = histogram_strip(Histogram(1.0, 4.0, np.array([1000, 10, 5])), LIGHT, 160, 48, "")
    base = found.image.height() * (1 - found.figures)
    heights = [_height(found.image, (place + 0.5) / 3, LIGHT.accent) for place in range(3)]
    assert heights == pytest.approx([base, base / 2, base / 4], abs=5)


def test_zero_is_marked_where_it_is_in_the_range() -> None:
    def dots(histogram: Histogram) -> int:
        drawn = histogram_strip(histogram, LIGHT, 160, 48, "").image
        column = drawn.width() // 4
        return sum(drawn.pixelColor(column, row) == LIGHT.text for row in range(drawn.height() // 2))

    counts = np.array([0, 1])
    assert dots(Histogram(-1.0, 3.0, counts)) > 4
    assert dots(Histogram(1.0, 3.0, counts)) == 0


def _height(drawn: QImage, share: float, colour: QColor) -> int:
    """Pixels of a colour in the column at a share of the width."""
    column = int(share * drawn.width())
    return sum(drawn.pixelColor(column, row) == colour for row in range(drawn.height()))


def test_pictures_are_asked_for_wherever_cards_draw_them(canvas: Canvas) -> None:
    """At the least zoom with titles cards still draw theirs, which would else stay of an old step."""
    canvas.view.resize(1200, 900)
    for zoom, is_drawn in ((0.25, True), (0.2, False)):
        canvas.view.setTransform(QTransform.fromScale(zoom, zoom))
        assert (set(canvas.view.wanted().maps) >= {"conv1", "fc3"}) is is_drawn
        assert bool(canvas.view.wanted().maps) is is_drawn


def test_a_moment_shows_its_own_kernels_alone_and_leaves_no_gradient_behind(canvas: Canvas) -> None:
    choose(canvas, "filters")
    canvas.view.show_observed([captured("conv1", "conv2")], STEP)
    moment = Source("step 20 (looking back)", 20, "r", is_past=True)
    canvas.view.show_observed([captured("conv1", step=20)], moment)
    assert image(canvas, "conv1") is not None
    assert image(canvas, "conv2") is None
    choose(canvas, "filter gradients")
    assert image(canvas, "conv1") is not None
    canvas.view.show_observed([captured("conv1", step=0, gradient=False)], REST)
    assert image(canvas, "conv1") is None
