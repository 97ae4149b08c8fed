"""Mixed precision on the CPU: near float32, scaled where it must be, honest about overflows. CUDA never ran here."""

import dataclasses
import math
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor

from explorer import zoo
from explorer.architecture import Architecture
from explorer.runs import Event, RunConfig, RunControl, RunFailed, RunFinished, RunStarted, StepsRecorded
from explorer.runtime.modules import Network, build_module
from explorer.runtime.weights import save_weights
from explorer.training import plan_run
from explorer.training.fitting import make_attempt
from explorer.training.guard import Guard
from explorer.training.loop import train
from explorer.training.optimization import Optimization
from explorer.training.precision import Precision, choose_precision, computing_in, precision_note
from explorer.training.step import Step

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda", 0), torch.device("mps")
Mixed = Literal["bfloat16", "float16"]
Rule = Literal["sgd", "adam", "adamw", "rmsprop"]
RECIPE = RunConfig(epochs=2, batch_size=16, learning_rate=0.01)

pytestmark = pytest.mark.usefixtures("few_digits")


def lenet() -> Architecture:
    return zoo.entry("lenet5-relu-dropout").build()


def trained(config: RunConfig) -> list[Event]:
    events: list[Event] = []
    train(lenet(), config, events.append, RunControl(), run_id="r")
    return events


def losses(events: list[Event]) -> list[float]:
    return [loss for event in events if isinstance(event, StepsRecorded) for loss in event.losses.tolist()]


def batches(network: Network, count: int) -> list[tuple[Tensor, Tensor]]:
    random = torch.Generator().manual_seed(1)
    shape = network.architecture.input_shape
    return [(torch.randn(8, *shape, generator=random), torch.randint(10, (8,), generator=random)) for _ in range(count)]


@pytest.mark.parametrize(
    ("name", "device", "chosen"),
    [
        ("auto", CPU, "float32"),
        ("auto", MPS, "float32"),
        ("float32", CUDA, "float32"),
        ("tf32", CUDA, "tf32"),
        ("tf32", CPU, "float32"),
        ("bfloat16", CPU, "bfloat16"),
        ("bfloat16", MPS, "float32"),
        ("float16", CUDA, "float16"),
    ],
)
def test_what_is_chosen(name: str, device: torch.device, chosen: str) -> None:
    precision = choose_precision(name, device)
    assert precision == (chosen, device)
    assert precision.for_memory == ("mixed" if chosen in ("bfloat16", "float16") else "float32")
    told = precision_note(name, precision)
    if name in ("auto", "float32"):
        assert told is None
    else:
        assert told is not None
        assert (chosen if chosen != "tf32" else "TF32") in told
        assert ("not offered" in told) == (name != chosen)


@pytest.mark.parametrize("name", ["float32", "tf32"])
def test_the_switches_of_tf32_are_put_back(name: Literal["float32", "tf32"]) -> None:
    """The switches are there without a GPU; torch's own choice is convolutions alone."""

    def switches() -> tuple[bool, bool]:
        return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32

    before = switches()
    with computing_in(Precision(name, CUDA)):
        assert switches() == ((True, True) if name == "tf32" else (False, False))
    assert switches() == before
    with computing_in(Precision(name, CPU)):
        assert switches() == before


def test_what_mixed_precision_leaves_in_float32_may_be_multiplied_in_tf32() -> None:
    with computing_in(Precision("bfloat16", CUDA)):
        assert torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_losses_are_near_those_of_float32(name: Mixed) -> None:
    config = dataclasses.replace(RECIPE, epochs=1)
    exact, mixed = trained(config), trained(dataclasses.replace(config, precision=name))
    assert isinstance(mixed[-1], RunFinished)
    assert losses(mixed) != losses(exact)
    assert losses(mixed) == pytest.approx(losses(exact), abs=0.02)
    started = mixed[0]
    assert isinstance(started, RunStarted)
    assert any(f"compute in {name}" in note for note in started.notes)


@pytest.mark.parametrize("name", ["bfloat16", "float16"])
def test_layers_compute_in_16_bits_and_the_loss_in_float32(name: Mixed) -> None:
    network = build_module(lenet(), seed=0)
    config = RunConfig(precision=name)
    step = Step(network, Optimization(network, config, CPU, 10), config)
    types = []
    network.register_forward_hook(lambda _network, _inputs, output: types.append(output.dtype))
    loss, _right = step(*batches(network, 1)[0])
    assert types == [getattr(torch, name)]
    assert loss.dtype == torch.float32
    assert {value.dtype for value in network.parameters()} == {torch.float32}


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
@pytest.mark.parametrize("rule", ["sgd", "adam", "rmsprop"])
def test_an_update_that_overflows_is_passed_over_and_no_failure(rule: Rule, clip_norm: float) -> None:
    network = build_module(lenet(), seed=0)
    config = RunConfig(precision="float16", optimizer=rule, clip_norm=clip_norm, learning_rate=0.001)
    optimization = Optimization(network, config, CPU, 10)
    guard = Guard(network, optimization.optimizer, CPU)
    step = Step(network, optimization, config)
    assert optimization._scaler is not None
    optimization._scaler.load_state_dict({**optimization._scaler.state_dict(), "scale": 2.0**26})
    before = [value.clone() for value in network.parameters()]
    (x, target), *others = batches(network, 12)
    assert math.isfinite(float(step(x, target)[0]))
    assert not guard.is_bad
    assert all(torch.equal(kept, value) for kept, value in zip(before, network.parameters(), strict=True))
    assert optimization._scaler.get_scale() == 2.0**25
    for batch in others:
        assert math.isfinite(float(step(*batch)[0]))
    assert not guard.is_bad
    assert all(bool(torch.isfinite(value).all()) for value in network.parameters())
    assert not any(torch.equal(kept, value) for kept, value in zip(before, network.parameters(), strict=True))


def test_what_is_scaled_comes_to_the_same_update() -> None:
    """The scale is a power of two, so that it changes no gradient but those that would have vanished."""
    after = []
    for scale in (2.0**3, 2.0**6):
        network = build_module(lenet(), seed=0)
        config = RunConfig(precision="float16")
        optimization = Optimization(network, config, CPU, 10)
        assert optimization._scaler is not None
        optimization._scaler.load_state_dict({**optimization._scaler.state_dict(), "scale": scale})
        torch.manual_seed(0)
        Step(network, optimization, config)(*batches(network, 1)[0])
        after.append([value.clone() for value in network.parameters()])
    for one, other in zip(*after, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


@pytest.mark.parametrize("rule", ["sgd", "adam", "rmsprop"])
def test_outputs_that_overflow_still_hold_the_update(rule: Rule) -> None:
    network = build_module(lenet(), seed=0)
    config = RunConfig(precision="float16", optimizer=rule)
    optimization = Optimization(network, config, CPU, 10)
    guard = Guard(network, optimization.optimizer, CPU)
    step = Step(network, optimization, config)
    before = [value.clone() for value in network.parameters()]
    (x, target), good = batches(network, 2)
    step(1e30 * x, target)
    assert guard.is_bad
    step(*good)
    assert all(torch.equal(kept, value) for kept, value in zip(before, network.parameters(), strict=True))


def test_the_layer_to_blame_is_found_in_the_precision_of_the_run(tmp_path: Path) -> None:
    """Scores beyond 65,504, the largest number of float16, which in float32 are only large."""
    network = build_module(lenet(), seed=0)
    last = next(node.id for node in reversed(network.architecture.nodes) if network.node_module(node.id) is not None)
    with torch.no_grad():
        network.get_parameter(f"{last}.weight").mul_(1e7)
    save_weights(network, tmp_path / "large.safetensors")
    for name, fails in (("float16", True), ("float32", False)):
        events: list[Event] = []
        config = RunConfig.from_plain({**RECIPE.to_plain(), "epochs": 1, "learning_rate": 1e-8, "precision": name})
        weights = tmp_path / "large.safetensors"
        train(lenet(), config, events.append, RunControl(), run_id="r", initial_weights=weights)
        assert isinstance(events[-1], RunFailed if fails else RunFinished)
        if isinstance(events[-1], RunFailed):
            assert "step 1: the loss became" in events[-1].message
            assert last in events[-1].message


def test_a_lack_of_memory_is_tried_in_the_precision_of_the_run() -> None:
    plan = plan_run(lenet(), RunConfig(precision="bfloat16", device="cpu"))
    network = build_module(plan.architecture)
    types = []
    network.register_forward_hook(lambda _network, _inputs, output: types.append(output.dtype))
    make_attempt(network, plan)(4)
    assert types == [torch.bfloat16]
