"""Cards in the colour of what was measured of their layers: asked for, combined in blocks, and told in words."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from PySide6.QtGui import QColor

from explorer.architecture import edits
from explorer.canvas import ramp
from explorer.canvas.card_item import CardItem
from explorer.canvas.measures import NodeValues, Scale
from explorer.canvas.statistics import statistics_values, told, trouble
from explorer.look.theme import DARK, LIGHT, Theme, contrast
from explorer.runs import LayersMeasured, LayerStatistics
from explorer.session.layer_statistics import KEYS, joined
from explorer.session.sources import Source
from explorer.zoo import entry
from tests.canvas.conftest import Canvas

STEP = Source("step 120", 120, "r")
REST = Source("trained weights", None, "")


def measured(
    canvas: Canvas, others: Mapping[str, LayerStatistics] = MappingProxyType({}), *, step: bool = True
) -> LayersMeasured:
    """A gradient of 10 to the place of a layer among those with weights; every ReLU half dead."""
    layers, place = {}, -6
    for node in canvas.architecture:
        report = canvas.document.snapshot.inference.nodes[node.id]
        if report.num_parameters:
            place += 1
            layers[node.id] = LayerStatistics(
                gradient_norm=10.0**place if step else None, weight_norm=2.0, update_ratio=1e-3 if step else None
            )
        elif node.layer.type_name == "ReLU":
            layers[node.id] = LayerStatistics(dead=0.5)
        elif node.layer.type_name == "Tanh":
            layers[node.id] = LayerStatistics(saturated=0.0)
        else:
            layers[node.id] = LayerStatistics()
    return LayersMeasured(
        run_id="r" if step else "", step=120 if step else 0, num_images=64, layers={**layers, **others}
    )


def tint(canvas: Canvas, key: str) -> QColor:
    card = canvas.scene.card(key)
    assert isinstance(card, CardItem)
    ((colour, _share),) = card.colours
    return colour


def texts(canvas: Canvas) -> tuple[str, ...]:
    return canvas.view.reading.legend.texts


def test_they_are_asked_for_while_one_of_them_colours(canvas: Canvas) -> None:
    colouring, asked = canvas.view.reading.colouring, []
    canvas.view.wanted_changed.connect(lambda: asked.append(canvas.view.wanted().measures))
    assert not canvas.view.wanted().measures
    for key in KEYS:
        colouring.choose(key)
        assert canvas.view.wanted().measures
    colouring.choose("parameters")
    assert not canvas.view.wanted().measures
    assert asked == [True, False]
    colouring.choose("dead")
    canvas.view.hide()
    assert not canvas.view.wanted().measures


def test_gradients_are_coloured_between_powers_of_ten(canvas: Canvas) -> None:
    canvas.view.reading.colouring.choose("gradient")
    assert texts(canvas) == ("Gradient norm", "measured soon")
    shape = canvas.item("conv1")._shape_text()[0]
    canvas.view.show_observed([measured(canvas)], STEP)
    # LeNet-5 has five layers with weights.
    assert texts(canvas) == ("Gradient norm", "10⁻⁵", "0.1", "step 120")
    assert tint(canvas, "conv1") is ramp.ramp(LIGHT)[0]
    assert tint(canvas, "fc3") is ramp.ramp(LIGHT)[-1]
    assert tint(canvas, "pool1") is ramp.nothing(LIGHT)
    assert [canvas.item(i)._shape_text()[0] for i in ("conv1", "fc3", "pool1")] == ["10⁻⁵", "0.1", ""]
    canvas.view.reading.colouring.choose("category")
    assert canvas.item("conv1")._shape_text()[0] == shape
    canvas.check()


def test_no_gradient_at_all_is_not_taken_for_none_measured(canvas: Canvas) -> None:
    canvas.view.reading.colouring.choose("gradient")
    weighed = [
        node.id for node in canvas.architecture if canvas.document.snapshot.inference.nodes[node.id].num_parameters
    ]
    canvas.view.show_observed([measured(canvas, dict.fromkeys(weighed, LayerStatistics(gradient_norm=0.0)))], STEP)
    assert texts(canvas) == ("Gradient norm", "nothing above 0")


def test_ratios_are_coloured_around_what_is_usual(canvas: Canvas) -> None:
    canvas.view.reading.colouring.choose("ratio")
    ratios = {"conv1": 1e-7, "conv2": 1e-4, "fc1": 1e-3, "fc2": 1e-2, "fc3": 3.0}
    layers = {i: LayerStatistics(weight_norm=1.0, update_ratio=ratio) for i, ratio in ratios.items()}
    canvas.view.show_observed([measured(canvas, layers)], STEP)
    assert texts(canvas) == ("Update / weight", "10⁻⁵", "0.1", "step 120")
    legend = canvas.view.reading.legend
    assert "10⁻³ is usual" in legend._middle(legend._colouring.now)  # type: ignore[arg-type]
    assert "10⁻³" in legend.toolTip()
    colours = [tint(canvas, i) for i in ratios]
    scale = ramp.around_middle(LIGHT)
    assert (colours[0], colours[-1]) == (scale[0], scale[-1])
    stand_out = [contrast(colour, LIGHT.card) for colour in colours]
    assert stand_out[2] == min(stand_out)
    assert colours[1].blueF() > colours[1].redF()
    assert colours[3].redF() > colours[3].blueF()
    canvas.view.grab()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_words_stay_legible_on_what_is_too_little_or_too_much(theme: Theme) -> None:
    readable = ramp.readable(theme)
    for colour in ramp.around_middle(theme):
        for words in (readable.text, readable.muted):
            assert contrast(words, ramp.body(theme, colour)) >= 4.5


def test_no_dead_channel_is_told_from_a_layer_that_cannot_die(canvas: Canvas) -> None:
    canvas.document.open(entry("lenet5-relu-dropout").build())
    canvas.view.reading.colouring.choose("dead")
    canvas.view.show_observed([measured(canvas, {"relu1": LayerStatistics(dead=0.0)})], STEP)
    assert texts(canvas) == ("Dead channels", "0\u2009%", "100\u2009%", "step 120 · 64 images")
    assert tint(canvas, "relu1") is ramp.ramp(LIGHT)[0]
    assert tint(canvas, "conv1") is ramp.nothing(LIGHT)
    assert canvas.item("relu2")._shape_text()[0] == "50\u2009%"
    canvas.view.reading.colouring.choose("saturated")
    assert texts(canvas) == ("Saturated values", "no tanh or sigmoid")


def test_after_a_run_its_last_gradients_stay(canvas: Canvas) -> None:
    colouring = canvas.view.reading.colouring
    colouring.choose("gradient")
    canvas.view.show_observed([measured(canvas, step=False)], REST)
    assert texts(canvas) == ("Gradient norm", "train to measure it")
    canvas.view.show_observed([measured(canvas)], STEP)
    canvas.view.show_observed([measured(canvas, step=False)], REST)
    assert texts(canvas)[-1] == "step 120"
    colouring.choose("saturated")
    assert texts(canvas)[-1] == "trained weights · 64 images"
    canvas.view.clear_observed()
    assert texts(canvas) == ("Saturated values", "measured soon")


def test_blocks_say_what_all_their_weights_say_together(canvas: Canvas) -> None:
    canvas.document.open(entry("resnet20").build())
    canvas.view.reading.colouring.choose("gradient")
    event = measured(canvas)
    canvas.view.show_observed([event], STEP)
    (path, ids) = next((path, canvas.scene.nodes_of(path)) for path in canvas.scene.blocks)
    assert len(ids) > 5
    known = joined(None, event, STEP)
    values = {key: statistics_values(key, known, canvas.document.snapshot) for key in KEYS}
    own = [event.layers[i] for i in ids]
    gradients = [layer.gradient_norm for layer in own if layer.gradient_norm is not None]
    assert values["gradient"].of(ids) == pytest.approx(math.sqrt(sum(value**2 for value in gradients)))
    assert canvas.scene.blocks[path]._leaves_text()[0] == values["gradient"].written(values["gradient"].of(ids) or 0)
    assert values["ratio"].of(ids) == pytest.approx(1e-3)
    assert values["dead"].of(ids) == pytest.approx(0.5)
    assert dict(told(values, ids))["gradient norm"]
    canvas.view.grab()


def test_shares_and_ratios_weigh_what_they_are_of() -> None:
    shares = NodeValues(title="", unit="share", values={"a": 1.0, "b": 0.0}, weights={"a": 10.0, "b": 30.0, "c": 5.0})
    assert shares.of(("a", "b", "c")) == pytest.approx(0.25)
    ratios = NodeValues(
        title="", unit="number", values={"a": 0.1, "b": 0.2}, weights={"a": 3.0, "b": 4.0}, is_norm=True
    )
    assert ratios.of(("a", "b")) == pytest.approx(math.hypot(0.3, 0.8) / 5)
    assert ratios.of(("c",)) is None


def test_scales_with_ends_stay() -> None:
    scale = Scale.over([0.0, 0.0], is_log=False, ends=(0.0, 1.0))
    assert scale == Scale(0.0, 1.0, is_log=False)
    assert Scale.over([], is_log=False, ends=(0.0, 1.0)) is None
    assert Scale.over([0.2, 0.5], is_log=True, ends=(0.0, 1.0)) == Scale(0.2, 1.0, is_log=True)
    wide = Scale.over([7.0], is_log=True, ends=(1e-5, 1e-1))
    assert wide is not None
    assert [round(wide.share(value), 6) for value in (1e-9, 1e-5, 1e-3, 1e-1, 9.0)] == [0, 0, 0.5, 1, 1]


def test_stories_say_plainly_what_is_bad(canvas: Canvas) -> None:
    canvas.document.open(entry("lenet5-relu-dropout").build())
    layers = {
        "relu1": LayerStatistics(dead=0.38),
        "conv1": LayerStatistics(gradient_norm=0.0, weight_norm=1.0, update_ratio=0.0),
        "fc1": LayerStatistics(gradient_norm=0.2, weight_norm=1.0, update_ratio=0.12),
        "fc2": LayerStatistics(gradient_norm=0.2, weight_norm=1.0, update_ratio=1.5e-6),
        "fc3": LayerStatistics(gradient_norm=0.2, weight_norm=1.0, update_ratio=1e-3),
    }
    canvas.view.show_observed([measured(canvas, layers)], STEP)
    whole = canvas.view.reading._whole()
    story = {node_id: canvas.item(node_id).tool_tip(whole) for node_id in layers}
    assert "38\u2009% of the channels are dead: 0 for all 64 images." in story["relu1"]
    assert "step 120 · 64 images" in story["relu1"]
    assert "No gradient arrives" in story["conv1"]
    assert "12\u2009% of the weights" in story["fc1"]
    assert "too high" in story["fc1"]
    assert "1.5·10⁻⁶" in story["fc2"]
    assert LIGHT.warning.name() not in story["fc3"]
    assert "update / weight" in story["fc3"]
    values = {"saturated": NodeValues(title="", unit="share", values={"a": 0.6})}
    assert "60\u2009% of the values are saturated" in trouble(values, ("a",), 64)[0]


def test_an_edit_leaves_no_number_of_what_is_gone_or_at_fault(canvas: Canvas) -> None:
    canvas.view.reading.colouring.choose("saturated")
    event = measured(canvas)
    canvas.document.apply("Remove", edits.remove(canvas.architecture, ["tanh1"]))
    canvas.document.apply("Set", edits.set_value(canvas.architecture, "conv2", "kernel_size", 99))
    canvas.view.show_observed([event], STEP)
    now = canvas.view.reading.colouring.now
    assert now is not None
    assert set(now.values.values) == set()
    canvas.check()


def test_change_since_the_start_colours_from_nothing_to_a_round_share(canvas: Canvas) -> None:
    canvas.view.reading.colouring.choose("change")
    assert texts(canvas) == ("Change since start", "measured soon")
    layers = {"conv1": LayerStatistics(change=0.0), "conv2": LayerStatistics(change=0.034), "fc1": LayerStatistics()}
    canvas.view.show_observed([LayersMeasured(run_id="r", step=120, num_images=4, layers=layers)], STEP)
    assert texts(canvas)[:4] == ("Change since start", "0\u2009%", "5.0\u2009%", "step 120")
    assert canvas.item("conv2")._shape_text()[0] == "3.4\u2009%"
    assert tint(canvas, "conv1") != ramp.nothing(LIGHT)
    assert tint(canvas, "fc1") == ramp.nothing(LIGHT)
    known = joined(None, LayersMeasured(run_id="r", step=120, num_images=4, layers=layers), STEP)
    values = statistics_values("change", known, canvas.document.snapshot)
    assert values.of(("conv1", "conv2")) == 0.034
    story = told({"change": values}, ("conv2",))
    assert story[0] == ("change since start", "3.4\u2009%")
