"""Memory in closed form against torch: what autograd saves, to the byte, and what is alive at the peak.

Networks run on the meta device, where a batch of 256 costs nothing; mixed precision runs on the CPU, on small images.
"""

import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import layers as L  # noqa: N812
from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.inference import infer
from explorer.inference.logits import auxiliary_heads, logits_node
from explorer.inference.memory import largest_batch, memory, memory_arithmetic
from explorer.inference.schedule import Precision
from explorer.runtime.modules import Network, build_module
from explorer.zoo.builder import Builder, adaptive_avg_pool, avg_pool, conv, flatten, linear, max_pool
from tests.networks import branching, deep_chain
from tests.runtime.alive import AliveBytes
from tests.runtime.saved import CudaDropout, saved_as_they_are

KNOWN = ("alexnet", "vgg16", "googlenet", "resnet50")
BATCHES = (1, 16, 256)


def trained_alone(architecture: Architecture) -> Architecture:
    """The network as training builds it: its logits are its one output."""
    return replace(architecture, outputs=(logits_node(architecture)[0],))


def on_meta(architecture: Architecture) -> Network:
    with torch.device("meta"):
        return build_module(architecture).train()


def batch_of(architecture: Architecture, batch_size: int, device: str = "meta") -> tuple[Tensor, Tensor]:
    """Images and classes."""
    shape = infer(architecture).nodes[logits_node(architecture)[0]].output_shape
    assert shape is not None
    x = torch.ones(batch_size, *architecture.input_shape, device=device)
    return x, torch.zeros(batch_size, *shape[1:], dtype=torch.int64, device=device)


def measured_saved_bytes(architecture: Architecture, batch_size: int) -> int:
    network = on_meta(architecture)
    x, target = batch_of(architecture, batch_size)
    tensors = [*network.parameters(), *network.buffers()]
    return saved_as_they_are(lambda x: loss_of(network(x), target), [x], tensors)


def loss_of(outputs: Tensor | tuple[Tensor, ...], target: Tensor) -> Tensor:
    """The sum of the heads' losses."""
    first, *heads = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = F.cross_entropy(first, target)
    for head in heads:
        loss = loss + F.cross_entropy(head, target)
    return loss


def measured_training_bytes(architecture: Architecture, batch_size: int) -> int:
    """The peak of a second step, with SGD's momentum."""
    network = on_meta(architecture)
    x, target = batch_of(architecture, batch_size)
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(loss_of(network(x), target))
        optimizer.step()

    with CudaDropout():
        step()
        alive = AliveBytes([x, target, *network.parameters(), *network.buffers()])
        for parameter in network.parameters():
            for tensor in (parameter.grad, *optimizer.state[parameter].values()):
                if tensor is not None:
                    alive.hold(tensor)
        del parameter, tensor
        with alive:
            step()
    return alive.peak


@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("name", KNOWN)
def test_what_autograd_saves_is_predicted_to_the_byte(name: str, batch_size: int) -> None:
    net = trained_alone(zoo.entry(name).build())
    predicted = memory(net, infer(net), batch_size=batch_size)
    assert predicted.saved_bytes == measured_saved_bytes(net, batch_size)
    assert predicted.saved_bytes == sum(predicted.nodes.values()) + predicted.loss_bytes


@pytest.mark.parametrize("batch_size", BATCHES)
@pytest.mark.parametrize("name", KNOWN)
def test_the_peak_of_training_is_predicted_within_a_hundredth(name: str, batch_size: int) -> None:
    net = trained_alone(zoo.entry(name).build())
    predicted = memory(net, infer(net), batch_size=batch_size, momentum=0.9)
    assert predicted.training_bytes == pytest.approx(measured_training_bytes(net, batch_size), rel=0.01)
    assert predicted.training_bytes == sum(num_bytes for _, num_bytes in predicted.peak_parts)
    assert min(num_bytes for _, num_bytes in predicted.peak_parts) >= 0


@pytest.mark.parametrize("name", KNOWN)
def test_the_peak_of_a_forward_pass_is_predicted_within_a_hundredth(name: str) -> None:
    net = zoo.entry(name).build()
    network = on_meta(net).eval()
    x, _ = batch_of(net, 32)
    with torch.no_grad(), AliveBytes([x, *network.parameters(), *network.buffers()]) as alive:
        network(x)
    predicted = memory(net, infer(net), batch_size=32)
    assert predicted.inference_bytes == pytest.approx(alive.peak, rel=0.01)


@pytest.mark.parametrize("entry", [e.id for e in zoo.entries() if e.id not in KNOWN])
def test_every_network_of_the_catalogue_saves_what_is_predicted(entry: str) -> None:
    net = trained_alone(zoo.entry(entry).build())
    assert memory(net, infer(net), batch_size=3).saved_bytes == measured_saved_bytes(net, 3)


@pytest.mark.parametrize("frozen", [(), ("stem",), ("stem", "layer1"), ("mixed", "fc"), ("layer1", "mixed")])
def test_frozen_layers_keep_what_others_need_of_them(frozen: tuple[str, ...]) -> None:
    net = trained_alone(branching())
    ids = [node.id for node in net if node.id.split(".")[0] in frozen]
    net = edits.set_frozen(net, ids, True)
    predicted = memory(net, infer(net), batch_size=4, momentum=0.9)
    assert predicted.saved_bytes == measured_saved_bytes(net, 4)
    assert predicted.training_bytes == pytest.approx(measured_training_bytes(net, 4), rel=0.02)
    if frozen == ("stem",):
        assert predicted.nodes["input"] == predicted.nodes["stem.conv"] == 0


def random_net(seed: int) -> Architecture:
    """A small network of random layers of many kinds that branches, joins by sums, products and concatenations, and
    may hold frozen layers."""
    rng = random.Random(seed)
    kinds: list[Callable[[], L.Layer]] = [
        lambda: conv(rng.choice((4, 8)), 3, padding=1),
        lambda: conv(8, 3, padding=1, groups=4, bias=False),
        L.BatchNorm2d,
        lambda: L.GroupNorm(num_groups=2),
        L.LayerNorm2d,
        L.ReLU,
        L.SiLU,
        L.Sigmoid,
        L.PReLU,
        lambda: max_pool(3, 1, 1),
        lambda: avg_pool(3, 1, 1),
        lambda: L.Dropout(p=0.5),
        lambda: L.LocalResponseNorm(size=3),
        L.Identity,
        lambda: L.Softmax(dim=1),
    ]
    net = Builder(f"random {seed}", 3, 8, 8)
    widths = {net.add("stem", conv(8, 3, padding=1)): 8}
    for number in range(rng.randint(6, 14)):
        if rng.random() < 0.35 and len(widths) > 1:
            a, b = rng.choices(list(widths), k=2)
            joins: list[L.Layer] = [L.Concat()]
            if widths[a] == widths[b]:
                joins += [L.Add(), L.Mul(), L.Sub()]
            join = rng.choice(joins)
            width = widths[a] + widths[b] if isinstance(join, L.Concat) else widths[a]
            widths[net.add(f"join{number}", join, after=(a, b))] = width
            continue
        source = rng.choice(list(widths)[-3:])
        layer = rng.choice(kinds)()
        if isinstance(layer, (L.Conv2d, L.GroupNorm)) and widths[source] % 4:
            layer = L.ReLU()
        width = layer.out_channels if isinstance(layer, L.Conv2d) else widths[source]
        widths[net.add(f"layer{number}", layer, after=source)] = width
    last = list(widths)
    net.add("all", L.Concat(), after=(last[-1], last[-2]))
    net.add("pool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("fc", linear(5))
    architecture = net.build()
    frozen = [node.id for node in architecture if rng.random() < 0.2 and node.id != "fc"]
    return edits.set_frozen(architecture, frozen, True)


@pytest.mark.parametrize("seed", range(60))
def test_random_networks_save_what_is_predicted(seed: int) -> None:
    net = random_net(seed)
    predicted = memory(net, infer(net), batch_size=2, momentum=0.9)
    assert predicted.saved_bytes == pytest.approx(measured_saved_bytes(net, 2), rel=0.01)
    assert predicted.training_bytes == pytest.approx(measured_training_bytes(net, 2), rel=0.1)


@pytest.mark.parametrize("layer", [L.ReLU(), conv(4, 3, padding=1), L.BatchNorm2d(), max_pool(2), L.Dropout(p=0.3)])
def test_a_wholly_16_bit_network_saves_half_the_values(layer: L.Layer) -> None:
    net = Builder("16 bit", 3, 8, 8)
    net.add("conv", conv(4, 3, padding=1))
    net.add("layer", layer)
    net.add("flatten", flatten())
    net.add("fc", linear(10))
    architecture = net.build()
    network = on_meta(architecture).to(torch.bfloat16)
    x, target = batch_of(architecture, 16)
    tensors = [*network.parameters(), *network.buffers()]
    measured = saved_as_they_are(lambda x: F.cross_entropy(network(x), target), [x.to(torch.bfloat16)], tensors)
    predicted = memory(architecture, infer(architecture), batch_size=16, precision="bfloat16")
    assert predicted.saved_bytes == pytest.approx(measured, rel=0.01)
    assert predicted.weights_bytes == sum(p.nbytes for p in network.parameters())


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "vgg11", "mobilenet-v2"])
def test_mixed_precision_keeps_what_autocast_keeps(name: str) -> None:
    net = edits.set_input_shape(zoo.entry(name).build(), *((1, 32, 32) if name == "lenet5" else (3, 64, 64)))
    network = build_module(net, seed=0).train()
    x, target = batch_of(net, 2, "cpu")
    tensors = [*network.parameters(), *network.buffers()]

    def step(x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return F.cross_entropy(network(x), target)

    predicted = memory(net, infer(net), batch_size=2, precision="mixed")
    assert predicted.saved_bytes == pytest.approx(saved_as_they_are(step, [x], tensors), rel=0.02)
    assert predicted.weights_bytes == sum(p.nbytes for p in network.parameters())


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_optimiser_state_is_torchs(optimizer: str, momentum: float) -> None:
    net = edits.set_frozen(branching(), ["stem.conv"], True)
    network = build_module(trained_alone(net), seed=0)
    trained = [p for p in network.parameters() if p.requires_grad]
    made: torch.optim.Optimizer
    match optimizer:
        case "sgd":
            made = torch.optim.SGD(trained, momentum=momentum)
        case "rmsprop":
            made = torch.optim.RMSprop(trained, momentum=momentum)
        case "adam":
            made = torch.optim.Adam(trained)
        case _:
            made = torch.optim.AdamW(trained)
    x, target = batch_of(net, 2, "cpu")
    torch.autograd.backward(F.cross_entropy(network(x), target))
    made.step()
    # Adam's and RMSprop's counters of steps are one value for each parameter tensor.
    states = [
        value for state in made.state.values() for value in state.values() if isinstance(value, Tensor) and value.dim()
    ]
    predicted = memory(net, infer(net), batch_size=2, optimizer=optimizer, momentum=momentum, auxiliary=False)
    assert predicted.optimizer_bytes == sum(value.nbytes for value in states)
    assert predicted.gradient_bytes == sum(p.grad.nbytes for p in trained if p.grad is not None)


@pytest.mark.parametrize("precision", ["float32", "mixed", "bfloat16"])
@pytest.mark.parametrize("name", ["lenet5", "googlenet"])
def test_the_largest_batch_fits_and_one_more_does_not(name: str, precision: Precision) -> None:
    net = zoo.entry(name).build()
    inference = infer(net)

    def needed(batch_size: int) -> int:
        return memory(net, inference, batch_size=batch_size, optimizer="adam", precision=precision).training_bytes

    for available in (10**9, 24 * 2**30):
        most = largest_batch(net, inference, available, optimizer="adam", precision=precision)
        assert most > 0
        assert needed(most) <= available < needed(most + 1)
    assert largest_batch(net, inference, needed(1) - 1, optimizer="adam", precision=precision) == 0
    assert largest_batch(net, inference, needed(1), optimizer="adam", precision=precision) == 1


def test_a_faulty_network_counts_up_to_the_fault() -> None:
    net = edits.set_value(branching(), "aux.conv", "kernel_size", (99, 99))
    whole = edits.set_value(branching(), "fc", "in_features", 7)
    assert memory(net, infer(net), batch_size=2).nodes["aux.conv"] == 0
    predicted = memory(whole, infer(whole), batch_size=2)
    assert not predicted.complete
    assert 0 < predicted.saved_bytes < memory(branching(), infer(branching()), batch_size=2).saved_bytes
    broken = edits.set_value(branching(), "stem.conv", "kernel_size", (99, 99))
    assert memory(broken, infer(broken), batch_size=2).saved_bytes == 0
    assert largest_batch(broken, infer(broken), 10**6) > 0


@pytest.mark.parametrize("network", ["googlenet", "googlenet-torchvision"])
def test_auxiliary_heads_are_kept_and_trained(network: str) -> None:
    whole = zoo.entry(network).build(auxiliary_heads=True)
    heads = auxiliary_heads(whole, infer(whole))
    assert len(heads) == 2
    net = replace(whole, outputs=(logits_node(whole)[0], *heads))
    predicted = memory(whole, infer(whole), batch_size=16, momentum=0.9)
    assert predicted.saved_bytes == measured_saved_bytes(net, 16)
    assert predicted.training_bytes == pytest.approx(measured_training_bytes(net, 16), rel=0.01)
    alone = memory(whole, infer(whole), batch_size=16, momentum=0.9, auxiliary=False)
    assert alone.saved_bytes == measured_saved_bytes(trained_alone(whole), 16) < predicted.saved_bytes


def test_what_only_other_outputs_need_is_neither_trained_nor_kept() -> None:
    net = branching()
    predicted = memory(net, infer(net), batch_size=2, auxiliary=False)
    assert predicted.nodes["aux.conv"] == 0
    assert predicted.gradient_bytes < predicted.weights_bytes
    assert predicted.inference_node is not None


def test_arithmetic_adds_up_to_the_memory() -> None:
    net = deep_chain(12)
    predicted = memory(net, infer(net), batch_size=8, optimizer="adam")
    lines = memory_arithmetic(predicted, batch_size=8, optimizer="adam")
    results = {line.what.partition(" (")[0]: line.result for line in lines}
    assert results == {
        "weights": predicted.weights_bytes,
        "buffers": predicted.buffers_bytes,
        "gradients": predicted.gradient_bytes,
        "optimizer state": predicted.optimizer_bytes,
        "kept for backward": predicted.saved_bytes,
        "training": predicted.training_bytes,
        "inference": predicted.inference_bytes,
    }
    for line in lines:
        # The written values are the calculation: their sums of products come to the result.
        terms = line.values.replace(",", "").split(" + ")
        assert sum(math.prod(int(factor) for factor in term.split("·")) for term in terms) == line.result
        assert line.source


def test_mistakes_say_what_fits() -> None:
    net = branching()
    with pytest.raises(ValueError, match="optimizer: received 'lion'; use sgd, adam, adamw or rmsprop"):
        memory(net, infer(net), batch_size=1, optimizer="lion")
    with pytest.raises(ValueError, match="batch_size: received 0; use at least 1"):
        memory(net, infer(net), batch_size=0)
