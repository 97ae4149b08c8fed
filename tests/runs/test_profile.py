"""What was measured, kept as plain values, and what follows from it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from explorer.runs.profile import NodeProfile, StepProfile, forward_flops_per_second


def node(forward_s: float, backward_s: float, kept_bytes: int) -> NodeProfile:
    return NodeProfile(forward_s=forward_s, backward_s=backward_s, kept_bytes=kept_bytes, peak_bytes=None)


def profile(nodes: Mapping[str, NodeProfile]) -> StepProfile:
    return StepProfile(
        network="LeNet-5",
        nodes=nodes,
        data_s=0.5,
        loss_s=0.25,
        loss_kept_bytes=40,
        optimizer_s=0.125,
        step_s=8.0,
        peak_bytes=None,
        device="cpu",
        device_text="CPU, 2 threads",
        threads=2,
        batch_size=64,
        optimizer="sgd",
        data="digits",
        repetitions=5,
        versions={"torch": "2.11"},
        notes=("Measured on digits.",),
    )


TWO = {"conv1": node(1.0, 2.0, 100), "relu1": node(0.5, 0.25, 200)}


def test_the_parts_add_up() -> None:
    found = profile(TWO)
    assert (found.forward_s, found.backward_s, found.kept_bytes) == (1.5, 2.25, 340)
    assert found.measured_s == 1.5 + 2.25 + 0.25 + 0.125
    assert found.coverage == found.measured_s / 8
    assert replace(found, step_s=0.0).coverage == 1
    assert TWO["conv1"].step_s == 3.0


def test_it_survives_being_written_as_json() -> None:
    found = profile(TWO)
    assert StepProfile.from_plain(json.loads(json.dumps(found.to_plain()))) == found


@pytest.mark.parametrize(
    "spoil", [{"nodes": {"conv1": {"forward_s": 1}}}, {"nodes": None}, {"unheard": 1}, {"versions": 3}]
)
def test_another_form_is_refused(spoil: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="profile of a step: of another form"):
        StepProfile.from_plain({**profile(TWO).to_plain(), **spoil})


def test_the_arithmetic_achieved_counts_two_operations_for_a_product_and_its_sum() -> None:
    assert forward_flops_per_second(node(0.5, 0.0, 0), macs=1_000, batch_size=10) == 40_000
    assert forward_flops_per_second(node(0.5, 0.0, 0), macs=0, batch_size=10) is None
    assert forward_flops_per_second(node(0.5, 0.0, 0), macs=None, batch_size=10) is None
    assert forward_flops_per_second(node(0.0, 0.0, 0), macs=5, batch_size=10) is None
