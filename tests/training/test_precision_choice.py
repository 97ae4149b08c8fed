"""bfloat16 on the CPU, chosen as a run goes: where it is tried, what decides, and what a run does with it."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch

from explorer.runs import Event, RunConfig, RunControl, RunFinished, RunNoted, StepsRecorded
from explorer.runtime.devices import DeviceMemory
from explorer.training import precision_choice as module
from explorer.training import trial
from explorer.training.loop import train
from explorer.training.precision_choice import PrecisionChoice, may_choose_precision
from explorer.training.step import Step
from tests.training.step_parts import CONFIG, Parts, losses, normed

pytestmark = pytest.mark.usefixtures("few_digits")


@pytest.fixture
def units(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Says what the processor can do."""

    def put(capabilities: dict[str, Any]) -> None:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)

    put({"avx512_bf16": True})
    return put


@pytest.fixture
def step_times(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, float], None]:
    """Lets steps take so many seconds in float32 and in bfloat16."""

    def put(usual_s: float, other_s: float) -> None:
        def seconds(_: object, make: object, __: object) -> float:
            assert isinstance(make, Step)
            return other_s if make.precision.is_mixed else usual_s

        monkeypatch.setattr(trial.Trial, "_seconds", seconds)

    return put


@pytest.mark.usefixtures("threads_are_free", "units")
class TestWhether:
    def test_it_may_where_the_processor_multiplies_it(
        self, parts: Parts, units: Callable[[dict[str, Any]], None]
    ) -> None:
        assert may_choose_precision(parts.plan, parts.network, 1)
        for capabilities in ({"amx_bf16": True}, {"bf16": True}, {"sve_bf16": True, "bf16": False}):
            units(capabilities)
            assert may_choose_precision(parts.plan, parts.network, 1)
        for capabilities in ({}, {"avx512_f": True, "avx512_bf16": False}):
            units(capabilities)
            assert not may_choose_precision(parts.plan, parts.network, 1)

    def test_a_torch_that_does_not_tell_is_not_asked(self, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
        assert not may_choose_precision(parts.plan, parts.network, 1)

    @pytest.mark.parametrize(
        "change", [{"precision": "float32"}, {"precision": "bfloat16"}, {"precision": "tf32"}, {"threads": 2}]
    )
    def test_a_configuration_may_speak_against_it(self, parts: Parts, change: dict[str, Any]) -> None:
        plan = dataclasses.replace(parts.plan, config=dataclasses.replace(parts.plan.config, **change))
        assert not may_choose_precision(plan, parts.network, 1)

    def test_several_processes_go_alike(self, parts: Parts) -> None:
        assert not may_choose_precision(parts.plan, parts.network, 2)

    def test_other_devices_are_told_before_the_start(self, parts: Parts) -> None:
        plan = dataclasses.replace(parts.plan, device=torch.device("mps"))
        assert not may_choose_precision(plan, parts.network, 1)


def test_it_is_tried_once_the_run_has_settled_and_is_long_enough(parts: Parts) -> None:
    choice = PrecisionChoice(parts.plan, parts.network, parts.step)
    for heard in ((19, 0.01, 900.0), (100, 0.01, None), (100, 0.01, 19.0), (100, 1.0, 299.0)):
        choice.heard(*heard)
        assert not choice.is_ready, heard
    choice.heard(100, 1.0, 300.0)
    assert choice.is_ready


def test_a_long_trial_is_announced(parts: Parts) -> None:
    choice = PrecisionChoice(parts.plan, parts.network, parts.step)
    choice.heard(100, 0.1, 5000.0)
    assert choice.announcement == ""
    choice.heard(100, 0.4, 5000.0)
    assert choice.announcement == "Tries whether steps are faster in bfloat16, for about 5 s."
    choice.heard(100, 5.0, 5000.0)
    assert choice.announcement == "Tries whether steps are faster in bfloat16, for about 35 s."


def test_it_is_tried_only_where_memory_is_left(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = sum(4 * parameter.numel() for parameter in parts.network.parameters())
    monkeypatch.setattr(trial, "device_memory", lambda _: DeviceMemory("cpu", 10**10, 20 * weights - 1))
    choice = PrecisionChoice(parts.plan, parts.network, parts.step)
    assert choice.choose(parts.trial, lambda: parts.batch, lambda: False) == (None, "")
    monkeypatch.setattr(trial, "device_memory", lambda _: DeviceMemory("cpu", 10**10, 20 * weights))
    assert choice.choose(parts.trial, lambda: parts.batch, lambda: False)[1] != ""


def test_faster_steps_are_taken_and_the_run_is_as_before(
    parts: Parts, step_times: Callable[[float, float], None]
) -> None:
    step_times(0.2, 0.1)
    parts.step(*parts.batch)
    before = parts.everything()
    step, told = PrecisionChoice(parts.plan, parts.network, parts.step).choose(
        parts.trial, lambda: parts.batch, lambda: False
    )
    assert step is not None
    assert step.precision == ("bfloat16", torch.device("cpu"))
    assert told == (
        "From here on convolutions and linear layers multiply in bfloat16: 100 ms a step instead of 200 ms; weights, "
        "loss and tests are in float32."
    )
    assert parts.is_as(before)
    # The usual one is still what it was.
    assert parts.step.precision.name == "float32"


def test_what_gains_little_stays_in_float32(parts: Parts, step_times: Callable[[float, float], None]) -> None:
    step_times(0.010, 0.0095)
    step, told = PrecisionChoice(parts.plan, parts.network, parts.step).choose(
        parts.trial, lambda: parts.batch, lambda: False
    )
    assert step is None
    assert told == "Computes in float32: in bfloat16 it would take 9.5 ms a step instead of 10.0 ms."


def test_what_comes_to_something_else_stays_in_float32(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOLERANCE", trial.Tolerance(error=1e-9))
    parts.step(*parts.batch)
    before = parts.everything()
    step, told = PrecisionChoice(parts.plan, parts.network, parts.step).choose(
        parts.trial, lambda: parts.batch, lambda: False
    )
    assert step is None
    assert told == "A step in bfloat16 came to other gradients than the usual one; the run computes in float32."
    assert parts.is_as(before)


def test_a_layer_that_knows_no_bfloat16_leaves_the_run_alone(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuses(x: torch.Tensor, *_: object, **__: object) -> torch.Tensor:
        if x.dtype == torch.bfloat16:
            raise RuntimeError("not implemented for 'BFloat16'")
        return torch.relu(x)

    monkeypatch.setattr(torch.nn.functional, "relu", refuses)
    before = parts.everything()
    choice = PrecisionChoice(parts.plan, parts.network, parts.step)
    assert choice.choose(parts.trial, lambda: parts.batch, lambda: False) == (None, "")
    assert "not implemented for 'BFloat16'" in caplog.text
    assert parts.is_as(before)


@pytest.mark.usefixtures("threads_are_free", "units")
class TestRun:
    LONGER = dataclasses.replace(CONFIG, epochs=20, compile=False)

    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Tries it however little of a run is left."""
        monkeypatch.setattr(module, "WORTH_S", 0.0)
        monkeypatch.setattr(module, "WORTH_STEPS", 0)

    def test_a_run_goes_over_and_says_so(self, step_times: Callable[[float, float], None]) -> None:
        step_times(0.2, 0.1)
        tried, usual = self._run(self.LONGER), self._run(dataclasses.replace(self.LONGER, precision="float32"))
        (note,) = [event.note for event in tried if isinstance(event, RunNoted)]
        assert note.startswith("From here on convolutions and linear layers multiply in bfloat16: ")
        names = [event.precision for event in tried if isinstance(event, StepsRecorded)]
        assert (names[0], names[-1]) == ("float32", "bfloat16")
        place = next(i for i, e in enumerate(tried) if isinstance(e, StepsRecorded) and e.precision == "bfloat16")
        switched = tried[place]
        assert isinstance(switched, StepsRecorded)
        ours, theirs = losses(tried), losses(usual)
        first = switched.first_step - 1
        assert ours[:first] == theirs[:first]
        assert ours[first:] != theirs[first:]
        # The same run but for rounding.
        assert ours[first] == pytest.approx(theirs[first], abs=0.02)
        assert ours[-1] == pytest.approx(theirs[-1], abs=0.3)

    def test_trying_changes_nothing_of_a_run(self, step_times: Callable[[float, float], None]) -> None:
        step_times(0.1, 0.2)
        tried, usual = self._run(self.LONGER), self._run(dataclasses.replace(self.LONGER, precision="float32"))
        assert [event.note for event in tried if isinstance(event, RunNoted)] == [
            "Computes in float32: in bfloat16 it would take 200 ms a step instead of 100 ms."
        ]
        assert losses(tried) == losses(usual)

    def test_a_fixed_number_of_threads_stays_in_float32(self, step_times: Callable[[float, float], None]) -> None:
        step_times(0.2, 0.1)
        events = self._run(dataclasses.replace(self.LONGER, threads=1))
        assert not any(isinstance(event, RunNoted) for event in events)
        assert {event.precision for event in events if isinstance(event, StepsRecorded)} == {"float32"}

    @staticmethod
    def _run(config: RunConfig) -> list[Event]:
        events: list[Event] = []
        result = train(normed(), config, events.append, RunControl(), run_id="r")
        assert isinstance(result, RunFinished), result
        return events
