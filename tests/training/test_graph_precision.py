"""In which precision a step is captured: a graph in TF32 is tried beside the one in bfloat16."""

import dataclasses

import pytest
import torch

from explorer.runs import RunConfig, StepsRecorded
from explorer.training import step_choice
from explorer.training.graphed import (
    Call,
    GraphedStep,
    other_steps,
)
from explorer.training.precision import Precision
from tests.training.graph_parts import (
    CPU,
    GRAPHED_S,
    RATE,
    USUAL_S,
    Parts,
    Replayed,
    numbers,
    run,
    run_captured,
)

pytestmark = pytest.mark.usefixtures("few_digits")


@pytest.mark.parametrize(
    ("tf32_s", "graphed_s", "told"),
    [
        (0.0005, 0.001, "that multiplies in TF32, not in bfloat16 (1.00 ms): 0.50 ms a step instead of 4.00 ms"),
        (0.00095, 0.001, "is a replay of one CUDA graph: 1.00 ms a step instead of 4.00 ms"),
        (0.0005, 0.0039, "that multiplies in TF32, not in bfloat16 (3.90 ms): 0.50 ms a step instead of 4.00 ms"),
        (0.0038, 0.0039, "made as usual: a CUDA graph would take 3.90 ms"),
    ],
    ids=["faster", "hardly faster", "only it", "neither"],
)
def test_a_graph_in_tf32_is_used_where_it_is_faster(tf32_s: float, graphed_s: float, told: str) -> None:
    parts = Parts(RunConfig(learning_rate=RATE, precision="bfloat16"), Replayed(graphed_s=graphed_s, tf32_s=tf32_s))
    tf32 = parts.tf32()
    before = {name: value.clone() for name, value in parts.network.state_dict().items()}
    chosen = parts.choose(tf32)
    assert chosen.told is not None
    assert told in chosen.told
    assert chosen.step is (tf32 if "TF32" in told else parts.step)
    assert isinstance(chosen.make, GraphedStep) is ("is a replay" in chosen.told)
    assert all(torch.equal(before[name], value) for name, value in parts.network.state_dict().items())


class NoMemoryInTf32(Replayed):
    def record(self, call: Call) -> Call:
        replay = super().record(call)
        if self.is_tf32:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return replay


def test_a_graph_in_tf32_that_fails_is_not_missed(caplog: pytest.LogCaptureFixture) -> None:
    parts = Parts(RunConfig(learning_rate=RATE, precision="bfloat16"), NoMemoryInTf32())
    before = {name: value.clone() for name, value in parts.network.state_dict().items()}
    chosen = parts.choose(parts.tf32())
    assert isinstance(chosen.make, GraphedStep)
    assert chosen.step is parts.step
    assert "could not be captured in tf32" in caplog.text
    assert all(torch.equal(before[name], value) for name, value in parts.network.state_dict().items())


def test_which_precisions_are_tried() -> None:
    parts = Parts(RunConfig(), Replayed())
    cuda = torch.device("cuda", 0)
    mixed = parts.step.in_precision(Precision("bfloat16", cuda))
    assert [step.precision for step in other_steps(RunConfig(), mixed)] == [Precision("tf32", cuda)]
    assert other_steps(RunConfig(precision="bfloat16"), mixed) == ()
    assert other_steps(RunConfig(), parts.step.in_precision(Precision("float32", cuda))) == ()
    assert other_steps(RunConfig(), parts.step.in_precision(Precision("bfloat16", CPU))) == ()


def test_a_run_tests_in_the_precision_that_it_chose_before_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here float32, which is what TF32 is on the CPU, in place of bfloat16."""
    config = RunConfig(epochs=1, batch_size=16, learning_rate=RATE, precision="bfloat16")
    monkeypatch.setattr(step_choice, "other_steps", lambda _config, step: (step.in_precision(Precision("tf32", CPU)),))
    monkeypatch.setattr(Replayed.__init__, "__defaults__", (USUAL_S, GRAPHED_S, GRAPHED_S / 2, 0.9))
    captured, _ = run_captured(config, monkeypatch)
    assert {event.precision for event in captured if isinstance(event, StepsRecorded)} == {"tf32"}
    assert numbers(captured) == numbers(run(dataclasses.replace(config, precision="float32")))
