"""Which way a run makes its steps: one after the other is tried, and each goes on from the one before."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor

from explorer.runtime import threads
from explorer.training import compilation, step_choice
from explorer.training.compilation import Compilation
from explorer.training.graphed import Chosen
from explorer.training.precision import PrecisionName
from explorer.training.step import Step
from explorer.training.step_choice import StepChoice
from explorer.training.trial import Trial
from tests.training.step_parts import Parts, Working


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> Working:
    """On a machine with units for bfloat16 and a compiler, where each way tried is twice as fast as the one before."""
    working = Working([True])
    monkeypatch.setattr(threads, "are_given", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    monkeypatch.setattr(torch, "compile", lambda forward, **_: forward)
    monkeypatch.setattr(compilation, "_has_room", lambda _: True)
    monkeypatch.setattr(step_choice, "Compilation", partial(Compilation, begin=working.begin))
    times = [0.4, 0.2, 0.2, 0.1]
    monkeypatch.setattr(Trial, "_times", lambda *_: (times.pop(0), times.pop(0)))
    return working


@pytest.fixture
def choice(parts: Parts, working: Working) -> StepChoice:
    choice = StepChoice(parts.plan, parts.network, parts.step, parts.optimization, parts.guard, 1)
    assert choice.begin(lambda: parts.batch, (2, 1)) is None
    return choice


def told(choice: StepChoice, parts: Parts) -> str:
    return choice.try_next(lambda: parts.batch, lambda: False)


def test_the_step_is_compiled_in_the_precision_that_was_chosen(
    choice: StepChoice, parts: Parts, working: Working
) -> None:
    assert choice.make is parts.step
    choice.heard(100, 0.2, 5000.0)
    assert choice.is_ready
    assert not working.jobs
    assert "in bfloat16: 200 ms a step instead of 400 ms" in told(choice, parts)
    assert (choice.precision.name, choice.is_compiled, choice.is_ready) == ("bfloat16", False, False)

    choice.heard(120, 0.1, 4000.0)
    (job,) = working.jobs
    assert (job["config"]["precision"], job["threads"]) == ("bfloat16", (2, 1))
    assert choice.is_ready
    assert "torch compiled: 100 ms a step instead of 200 ms" in told(choice, parts)
    assert (choice.precision.name, choice.is_compiled, choice.is_ready) == ("bfloat16", True, False)
    assert isinstance(choice.make, Step)
    assert choice.make.precision.name == "bfloat16"


def test_where_bfloat16_is_not_used_the_step_is_compiled_in_float32(
    choice: StepChoice, parts: Parts, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trial, "_times", lambda *_: (0.1, 0.1))
    choice.heard(100, 0.2, 5000.0)
    assert told(choice, parts).startswith("Computes in float32")
    assert choice.make is parts.step
    choice.heard(120, 0.1, 4000.0)
    assert working.jobs[0]["config"]["precision"] == "float32"


def test_a_short_run_is_left_as_it_is(choice: StepChoice, working: Working) -> None:
    choice.heard(100, 0.2, 10.0)
    assert not choice.is_ready
    assert not working.jobs


def test_in_the_end_steps_are_the_usual_ones_in_their_precision(
    choice: StepChoice, parts: Parts, working: Working
) -> None:
    choice.heard(100, 0.2, 5000.0)
    told(choice, parts)
    choice.heard(120, 0.1, 4000.0)
    told(choice, parts)
    choice.close()
    assert isinstance(choice.make, Step)
    assert (choice.precision.name, choice.is_ready) == ("bfloat16", False)


def test_somebody_who_stops_the_run_ends_the_trial(choice: StepChoice, parts: Parts) -> None:
    parts.step(*parts.batch)
    before = parts.everything()
    choice.heard(100, 0.2, 5000.0)
    assert choice.try_next(lambda: parts.batch, lambda: True) == ""
    assert choice.make is parts.step
    assert parts.is_as(before)


def test_a_trial_that_leaves_weights_otherwise_is_the_runs_failure(
    choice: StepChoice, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> Tensor:
        raise RuntimeError("the device is lost")

    monkeypatch.setattr("explorer.training.trial.TrialState.put_back", fails)
    choice.heard(100, 0.2, 5000.0)
    with pytest.raises(RuntimeError, match="the device is lost"):
        told(choice, parts)


def resumed(parts: Parts, begun_in: PrecisionName | None, planned: PrecisionName) -> StepChoice:
    plan = replace(parts.plan, config=replace(parts.plan.config, precision=planned))
    step = parts.step.in_precision(plan.precision)
    choice = StepChoice(plan, parts.network, step, parts.optimization, parts.guard, 1)
    choice.resume_in(begun_in)
    return choice


def test_a_resumed_run_goes_on_in_the_precision_of_the_graph_that_it_had(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[tuple[Step, ...]] = []

    def choose(step: Step, *given: object) -> Chosen:
        tried.append(given[-1])  # type: ignore[arg-type]
        return Chosen(step, step)

    monkeypatch.setattr(step_choice, "capture_of", lambda *_: "graphs")
    monkeypatch.setattr(step_choice, "other_steps", lambda _config, step: (step,))
    monkeypatch.setattr(step_choice, "choose_step", choose)
    choice = resumed(parts, "tf32", "bfloat16")
    assert (choice.precision.name, choice.begun_in) == ("tf32", "tf32")
    choice.begin(lambda: parts.batch, (1,))
    assert isinstance(choice.make, Step)
    assert (choice.make.precision.name, choice.begun_in) == ("tf32", "tf32")
    resumed(parts, "bfloat16", "bfloat16").begin(lambda: parts.batch, (1,))
    assert tried == [(), ()], "no other is tried"
    resumed(parts, None, "bfloat16").begin(lambda: parts.batch, (1,))
    assert len(tried[-1]) == 1, "of a run that did not keep it"


def test_on_another_device_a_resumed_run_has_what_is_offered_there(parts: Parts) -> None:
    assert resumed(parts, "tf32", "float32").precision.name == "float32"
    assert resumed(parts, "bfloat16", "float32").precision.name == "float32"
