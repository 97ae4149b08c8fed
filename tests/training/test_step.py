"""The loss of a step: smoothed labels, shares of classes, and auxiliary heads, against formulas written out; how many
images a test takes."""

import dataclasses
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.inference import infer
from explorer.inference.logits import auxiliary_heads
from explorer.inference.memory import memory
from explorer.layers import Linear, Softmax
from explorer.runs import Normalization, RunConfig
from explorer.runtime.devices import DeviceMemory
from explorer.runtime.modules import Network, build_module
from explorer.training import plan_run
from explorer.training import step as step_module
from explorer.training.feed import Feed
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan
from explorer.training.step import Step, evaluate, evaluation_batch_size
from explorer.zoo.builder import Builder, flatten

CPU = torch.device("cpu")


def two_heads(*, with_softmax: bool = False) -> Architecture:
    """Input, a shared layer, the classifier and a head of the same classes."""
    net = Builder("two heads", 1, 28, 28)
    net.add("flatten", flatten())
    shared = net.add("shared", Linear(out_features=12))
    main = net.add("main", Linear(out_features=10))
    outputs = [net.add("probabilities", Softmax()) if with_softmax else main]
    outputs.append(net.add("head", Linear(out_features=10), after=shared))
    return net.build(outputs)


def made(architecture: Architecture, **values: Any) -> tuple[Network, Step]:
    config = RunConfig(learning_rate=0.1, momentum=0.0, **values)
    net = build_module(architecture, seed=0)
    return net, Step(net, Optimization(net, config, CPU, 1), config)


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(5, 1, 28, 28, generator=generator), torch.randint(10, (5,), generator=generator)


def smoothed(logits: Tensor, target: Tensor, share: float) -> Tensor:
    """Szegedy et al. 2016, section 7: each label keeps 1 - share, and share is spread over all classes."""
    wanted = F.one_hot(target, logits.shape[1]).float() * (1 - share) + share / logits.shape[1]
    return -(wanted * logits.log_softmax(1)).sum(1).mean()


def test_labels_are_smoothed() -> None:
    net, step = made(_linear(), label_smoothing=0.2)
    x, target = batch()
    expected = smoothed(net(x), target, 0.2)
    loss, right = step(x, target)
    torch.testing.assert_close(loss, expected.detach())
    assert 0 <= int(right) <= 5


def _linear(classes: int = 10) -> Architecture:
    net = Builder("linear", 1, 28, 28)
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=classes))
    return net.build()


def test_shares_of_classes_are_trained_and_judged_by_the_largest() -> None:
    net, step = made(_linear())
    x, target = batch()
    shares = 0.7 * F.one_hot(target, 10).float() + 0.3 * F.one_hot(target.roll(1), 10).float()
    logits = net(x)
    expected = -(shares * logits.log_softmax(1)).sum(1).mean()
    labels = logits.argmax(1)
    loss, right = step(x, shares)
    torch.testing.assert_close(loss, expected.detach())
    assert int(right) == int((labels == target).sum())


def test_a_network_with_more_scores_than_classes_takes_shares_too() -> None:
    net, step = made(_linear(12))
    x, target = batch()
    expected = F.cross_entropy(net(x), target)
    loss, _ = step(x, F.one_hot(target, 10).float())
    torch.testing.assert_close(loss, expected.detach())


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_auxiliary_heads_are_trained_with_their_weight(weight: float) -> None:
    net, step = made(two_heads(), aux_weight=weight)
    x, target = batch()
    main, head = net(x)
    whole = F.cross_entropy(main, target) + weight * F.cross_entropy(head, target)
    expected = torch.autograd.grad(whole, list(net.parameters()))
    before = [parameter.detach().clone() for parameter in net.parameters()]
    loss, _ = step(x, target)
    # What is reported is the first output's own loss.
    torch.testing.assert_close(loss, F.cross_entropy(main, target).detach())
    for old, gradient, new in zip(before, expected, net.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), old - 0.1 * gradient)


def test_the_test_judges_the_first_output_alone() -> None:
    net, _ = made(two_heads())
    images = torch.randint(256, (20, 1, 28, 28), generator=torch.Generator().manual_seed(3)).to(torch.uint8)
    labels = torch.arange(20) % 10
    feed = Feed(images, labels, (1, 28, 28), Normalization(mean=(0.5,), std=(0.25,)), CPU)
    net.eval()
    x, _ = feed.batch(slice(0, 20))
    logits = net(x)[0].detach()
    found = evaluate(net, feed, 8, lambda: False)
    assert found is not None
    assert found[0] == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-5)
    assert found[1] == pytest.approx(float((logits.argmax(1) == labels).float().mean()))


# Which outputs are heads


def heads(architecture: Architecture) -> tuple[str, ...]:
    return auxiliary_heads(architecture, infer(architecture))


def test_googlenets_heads_are_found() -> None:
    assert heads(zoo.entry("googlenet").build(auxiliary_heads=True)) == ("aux1.fc2", "aux2.fc2")
    assert heads(zoo.entry("googlenet").build()) == ()


def test_probabilities_beside_the_logits_are_no_head() -> None:
    assert heads(zoo.entry("lenet5-max").build()) == ()


def test_a_value_on_the_way_is_no_head() -> None:
    net = Builder("on the way", 1, 28, 28)
    net.add("flatten", flatten())
    first = net.add("first", Linear(out_features=10))
    last = net.add("last", Linear(out_features=10))
    assert heads(net.build([last, first])) == ()


def test_the_plan_keeps_the_heads_and_says_so() -> None:
    plan = plan_run(two_heads(with_softmax=True), RunConfig(device="cpu"))
    assert plan.architecture.outputs == ("main", "head")
    assert plan.logits_id == "main"
    assert "head is trained too, each loss times 0.3." in plan.notes
    alone = plan_run(two_heads(), RunConfig(device="cpu", aux_weight=0.0))
    assert alone.architecture.outputs == ("main",)
    assert not any("head" in note for note in alone.notes)


def test_a_schedule_that_does_nothing_is_said() -> None:
    def notes(**values: Any) -> str:
        return " ".join(plan_run(_linear(), RunConfig(device="cpu", epochs=3, **values)).notes)

    assert "The step schedule changes nothing: its first step (every 5)" in notes(schedule="step")
    assert notes(schedule="step", step_epochs="1") == ""
    assert "warm-up of 4 epochs is shortened to the run's 3" in notes(warmup_epochs=4)


# How many images a test takes at once


def on_a_gpu(
    name: str, batch_size: int, monkeypatch: pytest.MonkeyPatch, *, free_bytes: int = 139 * 1024**3
) -> RunPlan:
    monkeypatch.setattr(step_module, "device_memory", lambda device: DeviceMemory(device, 2 * free_bytes, free_bytes))
    architecture = zoo.entry(name).build()
    plan = plan_run(edits.set_input_shape(architecture, 1, *architecture.input_shape[1:]), RunConfig(device="cpu"))
    images = torch.empty(10_000, 1, 1, 1, dtype=torch.uint8)
    data = dataclasses.replace(plan.data, test_images=images)
    return dataclasses.replace(plan, data=data, batch_size=batch_size, device=torch.device("cuda", 0))


@pytest.mark.parametrize(("batch_size", "size"), [(1, 32), (64, 128), (128, 256), (1000, 512)])
def test_the_cpus_test_takes_twice_a_batch_within_limits(batch_size: int, size: int) -> None:
    plan = dataclasses.replace(plan_run(zoo.entry("lenet5").build(), RunConfig(device="cpu")), batch_size=batch_size)
    assert evaluation_batch_size(plan) == size


@pytest.mark.parametrize(("num_processes", "size"), [(1, 3334), (2, 2500), (4, 2500), (8, 1250), (64, 256)])
def test_a_gpus_test_takes_thousands_of_small_images_in_equal_parts(
    num_processes: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert evaluation_batch_size(on_a_gpu("lenet5", 128, monkeypatch), num_processes) == size


def test_a_gpus_test_takes_fewer_images_that_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """AlexNet's first convolution gives 54x54 values in 96 channels: 239 images fill 256 MiB."""
    assert evaluation_batch_size(on_a_gpu("alexnet-d2l", 64, monkeypatch)) == 239
    assert evaluation_batch_size(on_a_gpu("alexnet-d2l", 128, monkeypatch)) == 256, "never less than on the CPU"


@pytest.mark.parametrize("free_bytes", [0, 2**25, 2**27, 2**30])
def test_a_test_needs_no_more_than_a_step_or_a_quarter_of_what_steps_leave(
    free_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = on_a_gpu("lenet5", 16, monkeypatch, free_bytes=free_bytes)
    size, inference = evaluation_batch_size(plan), infer(plan.architecture)
    step, test = (memory(plan.architecture, inference, batch_size=count) for count in (plan.batch_size, size))
    weights = step.weights_bytes + step.buffers_bytes
    needed, step_bytes = test.inference_bytes - weights, step.training_bytes - weights
    assert size == 32 or needed <= max(step_bytes, (free_bytes - 3 * step_bytes) / 4)
