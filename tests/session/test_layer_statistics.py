"""What stays known of layers' statistics, and of which step it is then."""

import math

from explorer.runs import LayersMeasured, LayerStatistics
from explorer.session.layer_statistics import joined, value_of
from explorer.session.sources import Source


def event(step: int, run_id: str = "r", **layers: LayerStatistics) -> LayersMeasured:
    return LayersMeasured(run_id=run_id, step=step, num_images=64, layers=layers)


def at(step: int, run_id: str = "r") -> Source:
    return Source(f"step {step}", step, run_id)


IN_STEP = LayerStatistics(gradient_norm=2.0, weight_norm=1.0, update_ratio=1e-3)
BETWEEN = LayerStatistics(gradient_norm=3.0, weight_norm=1.1)
AT_REST = LayerStatistics(weight_norm=1.2)
REST = Source("trained weights", None, "")


def test_a_pause_keeps_the_last_ratio_and_says_of_when() -> None:
    known = joined(joined(None, event(10, a=IN_STEP), at(10)), event(14, a=BETWEEN, b=BETWEEN), at(14))
    assert known.layers["a"] == BETWEEN._replace(update_ratio=1e-3)
    assert known.layers["b"] == BETWEEN
    assert (known.source, known.gradient_source, known.ratio_source) == (at(14), at(14), at(10))


def test_at_rest_the_last_gradients_stay_but_not_those_of_layers_that_are_gone() -> None:
    known = joined(joined(None, event(10, a=IN_STEP, b=IN_STEP), at(10)), event(0, "", a=AT_REST), REST)
    assert known.layers == {"a": AT_REST._replace(gradient_norm=2.0, update_ratio=1e-3)}
    assert (known.source, known.gradient_source, known.ratio_source) == (REST, at(10), at(10))


def test_nothing_stays_of_another_run_or_of_later() -> None:
    known = joined(None, event(10, a=IN_STEP), at(10))
    other = joined(known, event(20, "another", a=AT_REST), at(20, "another"))
    assert (other.layers, other.gradient_source, other.ratio_source) == ({"a": AT_REST}, None, None)
    before = joined(known, event(4, a=BETWEEN), at(4))
    assert (before.layers, before.ratio_source) == ({"a": BETWEEN}, None)
    assert joined(None, event(0, "", a=AT_REST), REST).gradient_source is None


def test_what_was_looked_back_at_does_not_stay_in_the_present() -> None:
    moment = Source("step 10 (looking back)", 10, at(10).run_id, is_past=True)
    known = joined(joined(None, event(10, a=IN_STEP), moment), event(0, "", a=AT_REST), REST)
    assert (known.layers, known.gradient_source, known.ratio_source) == ({"a": AT_REST}, None, None)


def test_what_is_no_number_is_not_known() -> None:
    layer = LayerStatistics(gradient_norm=math.nan, update_ratio=math.inf, dead=0.0)
    assert [value_of(key, layer) for key in ("gradient", "ratio", "dead", "saturated")] == [None, None, 0.0, None]
