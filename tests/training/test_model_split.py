"""A network on two devices: the numbers are those of one, to the bit, and every move is one that was foreseen.

There may be no two devices here. So the CPU plays both, through the same code; and torch's meta device, which has
shapes and no values, shows what is where.
"""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer import zoo
from explorer.architecture import Architecture
from explorer.inference import infer
from explorer.layers import Concat, Dropout, ReLU
from explorer.runs import (
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    StepsRecorded,
)
from explorer.runs.placement import FIRST, LAST, place
from explorer.runtime.devices import choose_device, choose_devices
from explorer.runtime.modules import build_module
from explorer.training.data import loading
from explorer.training.loop import train
from explorer.training.model_split import SplitNetwork
from explorer.training.recorded import resume_recorded, train_recorded
from explorer.zoo.builder import Builder, conv, flatten, linear, max_pool
from tests.networks import branching
from tests.training.distributed_worker import keep_few_digits

CPU, META = torch.device("cpu"), torch.device("meta")
CONFIG = RunConfig(device="cpu", epochs=2, batch_size=40, learning_rate=0.05, threads=1, clip_norm=3.0)


def towers() -> Architecture:
    """AlexNet's plan at the size of a digit."""
    net = Builder("small towers", 1, 12, 12)
    ends = ["input", "input"]
    for stage in (1, 2):
        for i, tower in enumerate("ab"):
            net.add(f"conv{stage}{tower}", conv(4, 3, padding=1), after=ends[i])
            net.add(f"relu{stage}{tower}", ReLU())
            ends[i] = net.add(f"pool{stage}{tower}", max_pool(2))
        ends = [net.add(f"both{stage}", Concat(), after=ends)] * 2
    flat = net.add("flatten", flatten())
    ends = []
    for tower in "ab":
        net.add(f"fc3{tower}", linear(12), after=flat)
        ends.append(net.add(f"dropout3{tower}", Dropout(p=0.3)))
    net.add("both3", Concat(), after=ends)
    net.add("fc4", linear(10))
    return net.build()


@pytest.fixture(autouse=True)
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_kept", loading._kept.copy())
    keep_few_digits()


def run(architecture: Architecture, device: str) -> tuple[list[float], list[EpochFinished], RunStarted]:
    events: list[Event] = []
    result = train(architecture, dataclasses.replace(CONFIG, device=device), events.append, RunControl(), run_id="r")
    assert isinstance(result, RunFinished), result
    losses = [loss for event in events if isinstance(event, StepsRecorded) for loss in event.losses.tolist()]
    (started,) = (event for event in events if isinstance(event, RunStarted))
    return losses, [event for event in events if isinstance(event, EpochFinished)], started


@pytest.mark.parametrize("architecture", [towers(), branching(1, 12)], ids=["towers", "cut"])
def test_a_split_run_has_the_losses_of_one_device_to_the_bit(architecture: Architecture) -> None:
    usual, usual_epochs, _ = run(architecture, "cpu")
    split, split_epochs, started = run(architecture, "cpu+cpu")
    assert len(usual) == 8
    assert split == usual
    assert [epoch.test_loss for epoch in split_epochs] == [epoch.test_loss for epoch in usual_epochs]
    assert started.device.count("CPU") == 2
    assert any(note.startswith("The network is split ") for note in started.notes)


def moves(architecture: Architecture, x: Tensor) -> tuple[SplitNetwork, list[tuple[str, int, int]]]:
    """The network with what moves in one forward pass: node, to where, bytes an image."""
    seen: list[tuple[str, int, int]] = []

    def hear(node_id: str, device: int, value: Tensor) -> None:
        seen.append((node_id, device, value.numel() * value.element_size() // len(value)))

    placed = place(architecture, infer(architecture))
    network = SplitNetwork(build_module(architecture, seed=2), placed, (CPU, CPU), hear)
    network(x)
    return network, seen


@pytest.mark.parametrize("architecture", [towers(), branching(1, 12)], ids=["towers", "cut"])
def test_what_moves_is_what_was_foreseen_and_once(architecture: Architecture) -> None:
    _, seen = moves(architecture, torch.randn(3, 1, 12, 12))
    foreseen = place(architecture, infer(architecture)).crossings
    assert sorted(seen) == sorted((c.node_id, c.to, c.bytes_per_image) for c in foreseen)


def test_gradients_and_traced_values_are_those_of_one_device() -> None:
    architecture, x = towers(), torch.randn(5, 1, 12, 12)
    usual = build_module(architecture, seed=2).eval()
    split = moves(architecture, x)[0].eval()
    for network in (usual, split):
        output = network(x)
        assert isinstance(output, Tensor)
        torch.autograd.backward(output.square().sum())
    for (name, ours), theirs in zip(split.named_parameters(), usual.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert torch.equal(ours.grad, theirs.grad), name
    everything = [node.id for node in architecture]
    with torch.no_grad():
        ours_traced, theirs_traced = split.trace(x, everything), usual.trace(x, everything)
    assert all(torch.equal(ours_traced[node_id], theirs_traced[node_id]) for node_id in everything)


@pytest.fixture
def zeros_from_meta(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets values move from the meta device as well, as zeros, since it has none."""
    usual = Tensor.to

    def to(value: Tensor, *where: Any, **options: Any) -> Any:
        is_back = value.device == META and where == (CPU,)
        return torch.zeros(value.shape) if is_back else usual(value, *where, **options)

    monkeypatch.setattr(Tensor, "to", to)


def test_alexnets_towers_lie_on_two_devices_and_never_mix(zeros_from_meta: None) -> None:
    architecture = zoo.entry("alexnet-two-towers").build()
    with torch.device(META):
        network = build_module(architecture)
    placed = place(architecture, infer(architecture))
    # torch refuses an operation on tensors of two devices, so that a value at the wrong place would be an error.
    split = SplitNetwork(network.to_empty(device=CPU), placed, (META, CPU))
    where = {name: parameter.device for name, parameter in split.named_parameters()}
    assert {name for name, device in where.items() if device == META} == {
        f"{layer}{number}a.{kind}"
        for layer, numbers in (("conv", range(1, 6)), ("fc", (6, 7)))
        for number in numbers
        for kind in ("weight", "bias")
    }
    with torch.no_grad():
        outputs = split.trace(torch.zeros(1, 3, 227, 227), ("conv5a", "fc8"))
    assert {node_id: tuple(value.shape) for node_id, value in outputs.items()} == {
        "conv5a": (1, 128, 13, 13),
        "fc8": (1, 1000),
    }
    assert all(value.device == CPU for value in outputs.values())


def test_a_chain_computes_its_first_part_where_that_lies() -> None:
    architecture = zoo.entry("lenet5").build()
    placed = place(architecture, infer(architecture))
    split = SplitNetwork(build_module(architecture, seed=1), placed, (CPU, META))
    devices = {name.split(".")[0]: parameter.device for name, parameter in split.named_parameters()}
    assert devices["conv1"] == CPU
    assert devices["fc3"] == META
    assert {devices[node_id] for node_id in devices if placed.devices_of[node_id] == (FIRST,)} == {CPU}
    assert {devices[node_id] for node_id in devices if placed.devices_of[node_id] == (LAST,)} == {META}
    output = split(torch.zeros(2, 1, 32, 32))
    assert isinstance(output, Tensor)
    assert output.device == META


def test_the_checkpoint_of_a_split_run_goes_on_on_one_device(tmp_path: Path) -> None:
    whole = run(towers(), "cpu")[0]
    control, events = RunControl(), list[Event]()

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochFinished):
            control.stop()

    config = dataclasses.replace(CONFIG, device="cpu+cpu")
    stopped = train_recorded(towers(), config, listen, control, root=tmp_path)
    assert isinstance(stopped, RunFinished)
    resumed = resume_recorded(stopped.run_id, events.append, RunControl(), root=tmp_path, device="cpu")
    assert isinstance(resumed, RunFinished), resumed
    began = max(place for place, event in enumerate(events) if isinstance(event, RunStarted))
    after = [event for event in events[began:] if isinstance(event, StepsRecorded)]
    assert [loss for event in after for loss in event.losses.tolist()] == whole


def test_devices_are_named_in_pairs() -> None:
    assert choose_devices("cpu+cpu") == (CPU, CPU)
    assert choose_device("cpu+cpu") == CPU
    assert RunConfig(device="cuda:0+cuda:1").device == "cuda:0+cuda:1"
    for wrong in ("cuda:0+", "cuda:0+mps", "cuda:0+cuda:1+cuda:2", "auto+cpu"):
        with pytest.raises(ValueError, match=r"device: received .*; use auto or .* or cuda:N or cuda:N\+cuda:N"):
            RunConfig(device=wrong)
    failed = train(towers(), dataclasses.replace(CONFIG, device="cpu+cuda:97"), lambda _: None, RunControl(), run_id="")
    assert isinstance(failed, RunFailed)
    assert "device: cuda:97 is not available" in failed.message
