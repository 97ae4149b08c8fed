"""The page of probe images against the arrays that it was given: pictures, bars, words, and what it asks for."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, edits
from explorer.panels.explanations import heat
from explorer.panels.explanations.card import NUM_BARS, Card
from explorer.panels.explanations.history import MOST_KEPT, AnswerHistory
from explorer.panels.explanations.panel import ExplanationsPanel
from explorer.panels.explanations.tab import PROBE_IMAGES, TEST_IMAGES, AnswersTab
from explorer.runs import Look, Normalization, Probe, ProbeAnswer, ProbesExplained
from explorer.runtime.images import probe_tensor, to_network_input
from explorer.session.probe_set import ProbeSet
from explorer.session.sources import Source
from explorer.zoo.builder import Builder, conv, flatten, linear
from tests.networks import branching
from tests.panels.stage import Stage, click, press, shown, stage

NAMES = tuple("0123456789")


def _answer(label: str, predicted: int = 3, share: float = 0.9, *, seed: int = 0) -> ProbeAnswer:
    draw = np.random.default_rng(seed)
    probabilities = np.full(10, (1 - share) / 9, np.float32)
    probabilities[predicted] = share
    return ProbeAnswer(
        probe=label,
        probabilities=probabilities,
        explained_class=predicted,
        saliency=draw.random((28, 28), np.float32),
        cam=draw.random((5, 5), np.float32),
        image=draw.standard_normal((1, 28, 28), np.float32),
    )


def _event(*answers: ProbeAnswer, step: int = 0, run_id: str = "") -> ProbesExplained:
    return ProbesExplained(run_id=run_id, step=step, class_names=NAMES, layer="pool2", answers=answers)


def _panel(qtbot: QtBot, architecture: Architecture | None = None, count: int = 2) -> tuple[ExplanationsPanel, Stage]:
    """With probes "a", whose class is 3, and "b", whose class nobody knows."""
    at = stage(architecture)
    probes = ProbeSet(at.document)
    for place in range(count):
        target = 3 if place == 0 else None
        probes.add(Probe(label="abcdefgh"[place], image=np.zeros((28, 28), np.uint8), target=target))
    probes.choose(0)
    panel = ExplanationsPanel(at.document, probes, at.themes)
    shown(qtbot, panel, 1200, 320)
    return panel, at


def _give(panel: ExplanationsPanel, event: ProbesExplained) -> None:
    text = f"step {event.step:,}" if event.run_id else "initial weights"
    panel.show_observed([event], Source(text, event.step if event.run_id else None, event.run_id))


# Heat


def test_the_map_goes_from_dark_to_light_evenly() -> None:
    colours = heat.heat_colours().astype(float) / 255
    linear_light = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear_light @ (0.2126, 0.7152, 0.0722)
    lightness = np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)
    assert (np.diff(lightness) > -0.01).all()
    steps = np.diff(lightness[::17])
    assert steps.max() < 2.5 * steps.min()
    assert (lightness[0], lightness[-1]) == (pytest.approx(0, abs=1), pytest.approx(98, abs=2))


def test_heat_covers_the_image_by_its_opacity() -> None:
    draw = np.random.default_rng(0)
    ground, levels = draw.integers(0, 256, (4, 5, 3), np.uint8), draw.integers(0, 256, (4, 5), np.uint8)
    assert np.array_equal(heat.blended(ground, levels, 0.0), ground)
    assert np.array_equal(heat.blended(ground, levels, 1.0), heat.heat_colours()[levels])
    half = heat.blended(ground, levels, 0.5).astype(float)
    assert np.abs(half - (ground.astype(float) + heat.heat_colours()[levels]) / 2).max() <= 1


def test_levels_span_none_to_most_and_take_what_is_not_finite() -> None:
    cam = np.array([[0.0, 1.0], [2.0, 4.0]], np.float32)
    assert heat.cam_levels(cam).tolist() == [[0, 64], [128, 255]]
    assert not heat.cam_levels(np.zeros((3, 3), np.float32)).any()
    assert not heat.cam_levels(np.full((3, 3), np.nan, np.float32)).any()
    saliency = np.ones((100, 100), np.float32)
    saliency[0, :20] = 1000.0  # a few pixels that would leave the rest black
    levels = heat.saliency_levels(saliency)
    assert levels[50, 50] == 255
    one = np.zeros((100, 100), np.float32)
    one[3, 4] = 5.0
    assert np.argwhere(heat.saliency_levels(one)).tolist() == [[3, 4]]


def test_the_image_is_shown_as_the_network_got_it() -> None:
    image = np.array([[[-1.0, 1.0], [0.0, 3.0]]], np.float32)
    assert heat.seen(image)[..., 0].tolist() == [[0, 128], [64, 255]]
    assert heat.seen(np.full((3, 2, 2), 7.0, np.float32)).tolist() == np.zeros((2, 2, 3)).tolist()
    colour = np.random.default_rng(0).random((3, 6, 4), np.float32)
    picture = heat.as_qimage(heat.seen(colour))
    assert (picture.width(), picture.height()) == (4, 6)
    assert picture.pixelColor(1, 2).green() == heat.seen(colour)[2, 1, 1]
    levels = np.arange(25, dtype=np.uint8).reshape(5, 5) * 10
    assert heat.resized(levels, 10, 15, smooth=False)[14, 9] == 240
    assert heat.resized(levels, 33, 21, smooth=True).shape == (21, 33)


def test_true_colours_are_padded_or_resized_as_training_does_it() -> None:
    draw = np.random.default_rng(0)
    for stored, size in (
        ((3, 28, 28), (32, 32)),
        ((3, 32, 32), (32, 32)),
        ((3, 40, 50), (16, 16)),
        ((28, 28), (32, 32)),
    ):
        image = draw.integers(0, 256, stored, np.uint8)
        as_it_is = Normalization(mean=(0.0,), std=(1.0,))
        wanted = to_network_input(probe_tensor(image), (3, *size), as_it_is)[0].permute(1, 2, 0).numpy() * 255
        shown_ = heat.given(image, *size)
        assert shown_.shape == (*size, 3)
        # Qt and torch weigh the pixels of a smaller picture a little otherwise.
        assert np.abs(shown_ - wanted).mean() <= (0.6 if size == (32, 32) else 12)


# Cards


def test_bars_are_the_likeliest_classes_and_the_true_one() -> None:
    probabilities = np.array([0.3, 0.25, 0.2, 0.1, 0.08, 0.04, 0.03], np.float32)
    answer = _answer("a")._replace(probabilities=probabilities)
    card = Card(answer=answer, target=6, class_names=("a", "b"), layer=None, course=None)
    assert [label for label, _ in card.bars()] == [0, 1, 2, 3, 6]
    assert len(card.bars()) == NUM_BARS
    assert card.bars()[-1][1] == pytest.approx(0.03)
    assert (card.name(1), card.name(6), card.predicted, card.followed) == ("b", "output 6", 0, 6)
    unknown = Card(answer=answer, target=None, class_names=(), layer=None, course=None)
    assert [label for label, _ in unknown.bars()] == [0, 1, 2, 3, 4]
    assert unknown.followed == answer.explained_class


def _screen(panel: ExplanationsPanel) -> QImage:
    return panel.cards.grab().toImage()


def test_image_and_heat_are_on_screen(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, count=1)
    answer = _answer("a")
    _give(panel, _event(answer))
    panel.opacity_slider.setValue(100)
    screen = _screen(panel)
    side = panel.cards.side
    plain, saliency = panel.cards.picture_rect(0, 0), panel.cards.picture_rect(0, 1)
    for row, column in ((3, 4), (20, 11), (14, 27)):
        x, y = (column + 0.5) * side / 28, (row + 0.5) * side / 28
        grey = QColor(screen.pixel(int(plain.left() + x), int(plain.top() + y)))
        assert (grey.red(), grey.green()) == (heat.seen(answer.image)[row, column, 0],) * 2
        hot = QColor(screen.pixel(int(saliency.left() + x), int(saliency.top() + y)))
        level = heat.saliency_levels(answer.saliency)[row, column]
        assert [hot.red(), hot.green(), hot.blue()] == heat.heat_colours()[level].tolist()
    panel.opacity_slider.setValue(0)
    assert _screen(panel).copy(saliency) == _screen(panel).copy(plain)


def test_all_cards_are_in_sight_where_there_is_room(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, count=4)
    _give(panel, _event(*(_answer(label) for label in "abcd")))
    for size in ((1200, 330), (700, 900), (1500, 500)):
        panel.resize(*size)
        qtbot.waitUntil(lambda: panel.cards.width() <= panel.area.viewport().width())
        rects = [panel.cards.card_rect(place) for place in range(4)]
        assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])
        assert max(rect.right() for rect in rects) <= panel.area.viewport().width()
        assert max(rect.bottom() for rect in rects) <= panel.area.viewport().height()
        assert panel.cards.picture_rect(3, 2).right() < rects[3].right()


def test_a_click_and_the_arrows_choose_the_current_probe(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot, count=3)
    (probes,) = at.document.findChildren(ProbeSet)
    _give(panel, _event(*(_answer(label) for label in "abc")))
    click(panel.cards, panel.cards.card_rect(1).center())
    assert probes.place == 1
    press(panel.cards, Qt.Key.Key_Right)
    assert probes.place == 2
    press(panel.cards, Qt.Key.Key_Right)
    press(panel.cards, Qt.Key.Key_Left)
    assert probes.place == 1


# The page


def test_it_asks_only_while_it_is_seen_and_for_what_is_chosen(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    wanted: list[Look] = []
    panel.wanted_changed.connect(lambda: wanted.append(panel.wanted()))
    look = panel.wanted()
    assert (look.explained, look.explained_layer, look.explained_class) == (True, None, None)
    assert panel.layer_menu.itemText(0) == "pool2 (the last)"
    panel.layer_menu.setCurrentIndex(panel.layer_menu.findData("conv1"))
    _give(panel, _event(_answer("a")))
    panel.class_menu.setCurrentIndex(5)
    assert (wanted[-1].explained_layer, wanted[-1].explained_class) == ("conv1", 4)
    assert "28×28" in panel._words.text()
    panel.hide()
    assert wanted[-1].is_empty
    panel.show()
    assert wanted[-1].explained
    # A layer that an edit leaves alone stays chosen.
    at.set_value("conv2", "out_channels", 20)
    assert panel.wanted().explained_layer == "conv1"


def test_only_layers_with_places_that_lead_to_the_answer_can_be_chosen(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, branching())
    layers = {panel.layer_menu.itemData(place) for place in range(panel.layer_menu.count())}
    assert {"stem.conv", "mixed.cat", "pool"} <= layers
    assert not {"input", "fc", "aux.conv"} & layers


def test_it_says_why_there_is_no_answer(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    assert panel._empty.text() == "Waiting for the network's answers…"
    panel.show_problem("too large for a preview")
    assert panel._empty.text() == "too large for a preview"
    at.set_value("conv2", "kernel_size", (40, 40))
    assert panel.wanted().is_empty
    assert panel._empty.text().startswith("Mend the faults")
    maps = Builder("maps", 1, 8, 8)
    maps.add("conv", conv(3, 3))
    panel, _ = _panel(qtbot, maps.build())
    assert "no row of scores" in panel._empty.text()
    flat = Builder("flat", 1, 8, 8)
    flat.add("flatten", flatten())
    flat.add("fc", linear(10))
    panel, _ = _panel(qtbot, flat.build())
    assert panel.wanted().explained
    assert "Grad-CAM" not in panel._words.text()
    _give(panel, _event(_answer("a")._replace(cam=None)))
    assert not _screen(panel).isNull()


@pytest.mark.parametrize("is_broken", [True, False])
def test_answers_go_with_the_network_that_gave_them(qtbot: QtBot, is_broken: bool) -> None:
    panel, at = _panel(qtbot)
    _give(panel, _event(_answer("a"), _answer("b")))
    at.set_value("conv1", "out_channels", 7)
    assert panel.area.isVisible(), "another network of the same kind is asked soon"
    if is_broken:
        at.set_value("conv2", "kernel_size", (40, 40))
    else:
        ids = [node.id for node in at.document.architecture.nodes]
        head = ids[ids.index("flatten") :]
        at.document.apply("Delete the head", edits.remove(at.document.architecture, head))
    assert not panel.area.isVisible()
    assert panel._empty.text().startswith("Mend the faults" if is_broken else "The network's first output is no row")
    assert panel._where.whole == ""
    # A run goes on with the version that it was started with.
    _give(panel, _event(_answer("a"), _answer("b"), step=7, run_id="r"))
    assert panel.area.isVisible()
    assert panel._where.whole == "step 7"


def test_answers_follow_the_probes(qtbot: QtBot) -> None:
    panel, at = _panel(qtbot)
    (probes,) = at.document.findChildren(ProbeSet)
    _give(panel, _event(_answer("b"), _answer("a")))
    assert [(card.answer.probe, card.target) for card in panel.cards.cards] == [("a", 3), ("b", None)]
    assert panel._where.whole == "initial weights"
    probes.add(Probe(label="c", image=np.zeros((4, 4), np.uint8)))
    assert "No answer for c yet" in panel._left_out.text()
    assert panel._left_out.isVisible()
    probes.remove(0)
    assert [card.answer.probe for card in panel.cards.cards] == ["b"]
    panel.clear_observed()
    assert panel._empty.isVisible()


def test_a_moment_of_before_may_have_other_probes(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot)
    _give(panel, _event(_answer("x"), _answer("y"), step=5, run_id="r"))
    assert [card.answer.probe for card in panel.cards.cards] == ["x", "y"]
    assert panel._where.whole == "step 5"


# The course over a run


def test_the_course_is_that_of_one_run_and_one_picture() -> None:
    history = AnswerHistory()
    history.add(_event(_answer("a")))
    assert history.course("a") is None  # at rest
    for step, predicted in ((0, 1), (20, 3), (10, 1), (30, 1)):
        history.add(_event(_answer("a", predicted, 0.5 + step / 100), step=step, run_id="r"))
    history.add(_event(_answer("a", 3, 0.9), step=20, run_id="r"))
    course = history.course("a")
    assert course is not None
    assert course.steps.tolist() == [0, 10, 20, 30]
    assert course.probabilities[2, 3] == np.float32(0.9)
    assert course.num_changes == 2
    history.add(_event(_answer("a", seed=1), step=40, run_id="r"))
    course = history.course("a")
    assert course is not None
    assert course.steps.tolist() == [40]
    history.add(_event(_answer("b"), step=0, run_id="another"))
    assert history.course("a") is None


def test_a_long_course_is_thinned_and_keeps_its_ends() -> None:
    history = AnswerHistory()
    for step in range(5 * MOST_KEPT):
        history.add(_event(_answer("a"), step=step, run_id="r"))
    course = history.course("a")
    assert course is not None
    assert MOST_KEPT // 2 <= len(course.steps) <= MOST_KEPT
    assert course.steps[-1] == 5 * MOST_KEPT - 1
    assert course.steps[0] < 50
    assert (np.diff(course.steps) > 0).all()


def test_the_course_is_drawn_to_scale(qtbot: QtBot) -> None:
    panel, _ = _panel(qtbot, count=1)
    panel.resize(1000, 400)
    before = _screen(panel)
    for step, share in ((0, 0.1), (50, 0.9), (100, 0.9)):
        _give(panel, _event(_answer("a", 3, share), step=step, run_id="r"))
    after = _screen(panel)
    assert before != after
    good = panel.cards._themes.theme.good
    left = panel.cards.picture_rect(0, 2).right()
    below = panel.cards.picture_rect(0, 0).top() + NUM_BARS * 15 + 20
    drawn = [
        (x, y)
        for x in range(left, panel.cards.card_rect(0).right())
        for y in range(below, panel.cards.card_rect(0).bottom())
        if QColor(after.pixel(x, y)) == good
    ]
    assert drawn
    # Higher on the right, where the class is likelier.
    assert max(y for x, y in drawn if x < min(drawn)[0] + 20) > min(y for _, y in drawn) + 10


# The tab


def test_the_switch_shows_one_page_and_its_tools(qtbot: QtBot) -> None:
    at = stage()
    panel = ExplanationsPanel(at.document, ProbeSet(at.document), at.themes)
    tab = AnswersTab(QLabel("tests"), panel)
    shown(qtbot, tab, 1200, 320)
    assert tab.page == TEST_IMAGES
    assert not panel.isVisible()
    assert not panel.tools.isVisible()
    click(tab.choice.button(PROBE_IMAGES))
    assert panel.isVisible()
    assert panel.tools.isVisible()
    assert panel.wanted().explained
    click(tab.choice.button(TEST_IMAGES))
    assert panel.wanted().is_empty
