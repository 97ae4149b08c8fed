"""Statistics of layers against autograd by hand, numpy's histograms, states before and after, and plain hooks."""

import math
import weakref
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.layers import BatchNorm2d, Concat, Conv2d, Hardsigmoid, Linear, ReLU, ScaledTanh, Sigmoid, Tanh
from explorer.runs import Histogram, LayersMeasured, LayerStatistics, Look, Probe
from explorer.runtime import statistics_initial
from explorer.runtime.instruments import Subject
from explorer.runtime.modules import Network, build_module
from explorer.runtime.observer import Observer
from explorer.runtime.statistics import MOST_VALUES, StatisticsInstrument, fitting_sample, measure_layers
from explorer.runtime.statistics_histograms import (
    DeviceHistograms,
    count_bins,
    count_bins_queued,
    spread_sample,
    spread_stride,
    to_histogram,
)
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, max_pool
from tests.networks import branching


def dense() -> Architecture:
    """Each layer reads all before it; grouped and depthwise convolutions, and a frozen one."""
    net = Builder("dense", 3, 12, 12)
    before = [net.add("stem", conv(8, 3, padding=1))]
    for place in range(3):
        net.add(f"cat{place}", Concat(), after=tuple(before)) if place else before[0]
        source = f"cat{place}" if place else before[0]
        net.add(f"norm{place}", BatchNorm2d(), after=source)
        net.add(f"relu{place}", ReLU())
        before.append(net.add(f"conv{place}", Conv2d(out_channels=8, kernel_size=(3, 3), padding=(1, 1), groups=4)))
    net.add("depthwise", Conv2d(out_channels=8, kernel_size=(3, 3), groups=8))
    net.add("tanh", Tanh())
    net.add("pool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=10))
    return edits.set_frozen(net.build(), ["stem"], True)


def squashing() -> Architecture:
    """All that saturates here, and a ReLU on a vector."""
    net = Builder("squashing", 1, 8, 8)
    net.add("conv", conv(4, 3))
    net.add("scaled", ScaledTanh())
    net.add("pool", max_pool(2, 2))
    net.add("flatten", flatten())
    net.add("fc1", Linear(out_features=20))
    net.add("relu", ReLU())
    net.add("fc2", Linear(out_features=20))
    net.add("sigmoid", Sigmoid())
    net.add("fc3", Linear(out_features=20))
    net.add("hard", Hardsigmoid())
    net.add("fc4", Linear(out_features=10))
    return net.build()


NETWORKS: dict[str, Callable[[], Architecture]] = {
    "lenet5": lambda: zoo.entry("lenet5").build(),
    "lenet5-relu-dropout": lambda: zoo.entry("lenet5-relu-dropout").build(),
    "resnet20": lambda: zoo.entry("resnet20").build(),
    "branching": branching,
    "dense": dense,
    "squashing": squashing,
}


Counting = Callable[[Sequence[Tensor]], DeviceHistograms]


class Stepped:
    """A network before and after one update on a batch, and the gradients of that."""

    def __init__(self, architecture: Architecture, *, spread: float = 1.0, autocast: bool = False) -> None:
        self.network = build_module(architecture, seed=5)
        random = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in self.network.parameters():
                # Also biases and scales differ from each other, and units saturate and die.
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=random)).mul_(spread)
        self.x = torch.randn(8, *architecture.input_shape, generator=random)
        self.target = torch.randint(0, 10, (8,), generator=random)
        trained = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        self.before = [parameter.detach().clone() for parameter in trained]
        self.state_before = {name: value.clone() for name, value in self.network.state_dict().items()}
        loss = self.loss(autocast=autocast)
        torch.autograd.backward(loss)
        self.gradients = dict(
            zip(
                [name for name, parameter in self.network.named_parameters() if parameter.requires_grad],
                torch.autograd.grad(self.loss(autocast=autocast, seed=7), trained, allow_unused=True),
                strict=True,
            )
        )
        torch.optim.SGD(trained, lr=0.1, momentum=0.5).step()

    def loss(self, *, autocast: bool = False, seed: int = 7) -> Tensor:
        torch.manual_seed(seed)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            outputs = self.network(self.x)
        output = outputs[0] if isinstance(outputs, tuple) else outputs
        return F.cross_entropy(output.float(), self.target)

    def measured(self) -> dict[str, LayerStatistics]:
        return measure_layers(self.network, self.x, [value.clone() for value in self.before])


def together(tensors: Sequence[Tensor]) -> npt.NDArray[np.float32]:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).numpy()


def norm(tensors: Sequence[Tensor]) -> float:
    return float(np.linalg.norm(together(tensors).astype(np.float64)))


def assert_numpys(found: Histogram | None, values: npt.NDArray[np.float32]) -> None:
    assert found is not None
    finite = values[np.isfinite(values)]
    counts, edges = np.histogram(finite, bins=64)
    assert found.counts.tolist() == counts.tolist()
    assert (found.low, found.high) == (float(edges[0]), float(edges[-1]))
    assert found.num_not_finite == len(values) - len(finite)


def own(named: dict[str, Tensor], node_id: str) -> list[Tensor]:
    return [value for name, value in named.items() if name.rpartition(".")[0] == node_id]


@pytest.mark.parametrize("autocast", [False, True], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_norms_ratios_and_histograms_of_parameters(name: str, autocast: bool) -> None:
    stepped = Stepped(NETWORKS[name](), autocast=autocast)
    measured = stepped.measured()
    after = dict(stepped.network.named_parameters())
    num_layers = 0
    for node in stepped.network.architecture.nodes:
        statistics, weights = measured[node.id], own({**after}, node.id)
        if not weights:
            assert (statistics.gradient_norm, statistics.weight_norm, statistics.update_ratio) == (None, None, None)
            assert (statistics.weights, statistics.gradients) == (None, None)
            continue
        num_layers += 1
        assert statistics.weight_norm == pytest.approx(norm(weights), rel=1e-5)
        assert_numpys(statistics.weights, together(weights))
        gradients = [gradient for gradient in own(stepped.gradients, node.id) if gradient is not None]
        if not gradients:
            assert (statistics.gradient_norm, statistics.gradients) == (None, None)
        else:
            assert statistics.gradient_norm == pytest.approx(norm(gradients), rel=1e-4)
            assert_numpys(statistics.gradients, together(gradients))
        if node.frozen:
            assert statistics.update_ratio is None
            continue
        state = stepped.network.state_dict()
        names = [key for key in after if key.rpartition(".")[0] == node.id]
        change = norm([state[key].double() - stepped.state_before[key].double() for key in names])
        ratio = change / norm([stepped.state_before[key] for key in names])
        assert statistics.update_ratio == pytest.approx(ratio, rel=1e-3)
        assert statistics.update_ratio != 0 or not gradients
    assert num_layers >= 5


def _distance(found: Histogram | None, values: npt.NDArray[np.float32]) -> float:
    """The most by which shares below a bin's end differ between what was counted and all values."""
    assert found is not None
    ends = np.linspace(found.low, found.high, len(found.counts) + 1)[1:-1]
    exact = np.searchsorted(np.sort(values.ravel()), ends) / values.size
    return float(np.abs(np.cumsum(found.counts)[:-1] / found.counts.sum() - exact).max())


@pytest.mark.parametrize("spread", [1.0, 4.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_activations_against_a_hook(name: str, spread: float) -> None:
    stepped = Stepped(NETWORKS[name](), spread=spread)
    network = stepped.network
    outputs: dict[str, Tensor] = {}
    hooks = []
    for node in network.architecture.nodes:
        if (module := network.node_module(node.id)) is not None:

            def keep(_module: nn.Module, _inputs: object, output: Tensor, node_id: str = node.id) -> None:
                outputs[node_id] = output.detach()

            hooks.append(module.register_forward_hook(keep))
    modes = [module.training for module in network.modules()]
    network.eval()
    network(stepped.x)
    for hook in hooks:
        hook.remove()
    for module, mode in zip(network.modules(), modes, strict=True):
        module.training = mode
    measured = stepped.measured()
    for node_id, output in outputs.items():
        found, values = measured[node_id], output.numpy()
        layer = network.architecture[node_id].layer.type_name
        # Of the largest outputs every k-th value is counted.
        stride = -(-values.size // min(2**15, 2**20 // len(network.architecture.nodes)))
        while stride > 1 and math.gcd(stride, values.size) > 1:
            stride += 1
        assert_numpys(found.activations, values.ravel()[::stride])
        # As near to all values as if those counted had been drawn at random (Kolmogorov and Smirnov's bound, 1 %).
        assert _distance(found.activations, values) < 1.63 / math.sqrt(-(-values.size // stride))
        if layer == "ReLU":
            dead = sum(not values[:, channel].any() for channel in range(values.shape[1])) / values.shape[1]
            assert found.dead == pytest.approx(dead)
        else:
            assert found.dead is None
        ends = {"Tanh": (-1, 1), "ScaledTanh": (-1.7159, 1.7159), "Sigmoid": (0, 1), "Hardsigmoid": (0, 1)}.get(layer)
        if ends is None:
            assert found.saturated is None
        else:
            low, high = ends
            near = (high - low) / 100
            assert found.saturated == pytest.approx(np.mean((values <= low + near) | (values >= high - near)))


def test_shares_are_not_all_nothing() -> None:
    """What the test above compares is neither 0 nor 1 everywhere."""
    measured = Stepped(squashing(), spread=4.0).measured()
    for node_id in ("scaled", "sigmoid", "hard"):
        assert 0 < (measured[node_id].saturated or 0.0) < 1
    assert 0 < (measured["relu"].dead or 0.0) < 1


def counted(*parts: list[float] | npt.NDArray[np.float32], how: Counting = count_bins) -> list[Histogram]:
    found = how([torch.tensor(values, dtype=torch.float32) for values in parts])
    return [to_histogram(*each) for each in zip(found.ends.numpy(), found.counts.numpy(), strict=True)]


@pytest.mark.parametrize("how", [count_bins, count_bins_queued])
def test_histograms_equal_numpys_to_the_last_count(how: Counting) -> None:
    random = np.random.default_rng(0)
    parts: list[npt.NDArray[np.float32]] = []
    for scale in (1.0, 1e-6, 1e-20, 3e4):
        for shift in (0.0, 0.3, -7.0):
            for size in (1, 2, 65, 5000):
                parts.append((random.standard_normal(size) * scale + shift * scale).astype(np.float32))
    # On the bins' ends, where rounding decides.
    for low, high in ((0, 64), (-1, 1), (0.1, 0.7)):
        values = np.linspace(low, high, 65).astype(np.float32)
        parts.append(
            np.concatenate([values, np.nextafter(values, np.float32(9)), np.nextafter(values, np.float32(-9))])
        )
    parts += [np.full(9, 0.25, np.float32), np.zeros(9, np.float32)]
    for values, found in zip(parts, counted(*parts, how=how), strict=True):
        assert_numpys(found, values)
        assert_numpys(counted(values, how=how)[0], values)


@pytest.mark.parametrize("how", [count_bins, count_bins_queued])
def test_what_is_not_finite_is_counted_apart(how: Counting) -> None:
    values = np.array([1, math.nan, 2, math.inf, -math.inf, 3, 2], np.float32)
    one, other, nothing = counted(values, [5.0, 6.0, 5.5], [math.nan, math.inf], how=how)
    assert_numpys(one, values)
    assert_numpys(other, np.array([5, 6, 5.5], np.float32))
    assert (nothing.counts.sum(), nothing.num_not_finite) == (0, 2)


@pytest.mark.parametrize("how", [count_bins, count_bins_queued])
@pytest.mark.parametrize(
    "values",
    [
        [1.0, 1.0, 0.99999994, 1.0000001],
        [-3e38, 3e38, 1.0],
        [1e20, 1e20],
        [1e-45, 3e-45, 0.0],
    ],
    ids=["bins below rounding", "range beyond float32", "all equal and large", "denormal"],
)
def test_what_numpy_refuses_is_counted_all_the_same(values: list[float], how: Counting) -> None:
    (found,) = counted(values, how=how)
    assert found.counts.sum() == len(values)
    assert found.num_not_finite == 0
    assert (found.low, found.high) == pytest.approx((min(values), max(values)), rel=1e-6)


@pytest.mark.parametrize("how", [count_bins, count_bins_queued])
def test_values_too_far_apart_for_float32_are_in_their_bins(how: Counting) -> None:
    random = np.random.default_rng(0)
    far = (random.uniform(-1, 1, 500) * 3.4e38).astype(np.float32)
    near = random.standard_normal(70).astype(np.float32)
    for values, found in zip((far, near), counted(far, near, how=how), strict=True):
        counts, edges = np.histogram(values.astype(np.float64), bins=64)
        assert found.counts.tolist() == counts.tolist()
        assert (found.low, found.high) == (edges[0], edges[-1])


def test_of_many_values_a_spread_part_is_counted() -> None:
    values = torch.arange(3 * 8 * 16 * 16, dtype=torch.float32).reshape(3, 8, 16, 16)
    stride = spread_stride(values.numel(), 5)
    assert stride == 5
    assert spread_stride(values.numel(), 6) == 7
    part = spread_sample([values], 1400)
    assert part.tolist() == values.reshape(-1)[::5].tolist()
    images, channels, rows, columns = np.unravel_index(part.long().numpy(), values.shape)
    for axis, size in zip((images, channels, rows, columns), values.shape, strict=True):
        assert np.bincount(axis, minlength=size).min() > 0.9 * len(part) / size
    # Of what lies in memory pixel by pixel as well.
    last = values.to(memory_format=torch.channels_last)
    assert sorted(spread_sample([last], 10**6).tolist()) == values.reshape(-1).tolist()
    assert len(spread_sample([last], 1400)) == len(part)


def test_gradients_are_as_before_they_were_scaled() -> None:
    stepped = Stepped(NETWORKS["lenet5"]())
    plain = stepped.measured()["conv1"]
    for parameter in stepped.network.parameters():
        assert parameter.grad is not None
        parameter.grad *= 0.25
    scaled = measure_layers(stepped.network, None, gradient_scale=0.25)["conv1"]
    assert plain.gradients is not None
    assert scaled.gradients is not None
    assert scaled.gradient_norm == pytest.approx(plain.gradient_norm)
    assert (scaled.gradients.low, scaled.gradients.high) == (plain.gradients.low, plain.gradients.high)
    assert scaled.gradients.counts.tolist() == plain.gradients.counts.tolist()
    assert (scaled.update_ratio, scaled.activations) == (None, None)


def test_measuring_disturbs_nothing() -> None:
    stepped = Stepped(branching())
    network = stepped.network
    network.get_submodule("stem.norm").eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    gradients = [None if p.grad is None else p.grad.clone() for p in network.parameters()]
    modes = {name: module.training for name, module in network.named_modules()}
    random = torch.get_rng_state()
    stepped.measured()
    assert {name: module.training for name, module in network.named_modules()} == modes
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert (parameter.grad is None) == (gradient is None)
        assert gradient is None or torch.equal(gradient, parameter.grad)  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), random)


def test_large_networks_get_fewer_images() -> None:
    small, large = (
        build_module(zoo.entry("lenet5").build(), seed=0),
        build_module(zoo.entry("resnet20").build(), seed=0),
    )
    images = torch.arange(64.0).reshape(64, 1, 1, 1)
    assert fitting_sample(small, images) is images
    fewer = fitting_sample(large, images).flatten().tolist()
    assert 4 <= len(fewer) < 64
    assert (fewer[0], fewer[-1]) == (0, 63)
    with torch.inference_mode():
        outputs = large.eval().trace(torch.zeros(1, 3, 32, 32), [node.id for node in large.architecture.nodes])
    assert len(fewer) == MOST_VALUES // sum(value.numel() for value in outputs.values())


def _subject(network: Network, *, is_trained: bool, scale: float = 1.0) -> Subject:
    images = torch.randn(64, *network.architecture.input_shape, generator=torch.Generator().manual_seed(2))
    return Subject(
        "r",
        network,
        lambda _probe: images[:1],
        sample=lambda: images,
        is_trained=is_trained,
        gradient_scale=lambda: scale,
    )


def test_the_instrument_compares_before_and_after() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    instrument = StatisticsInstrument(_subject(network, is_trained=True, scale=0.5))
    assert instrument.needs_step
    assert not instrument.aim(Look(maps=("conv1",)))
    assert instrument.aim(Look(measures=True))
    instrument.prepare()
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
        with torch.no_grad():
            parameter.mul_(1.01)
    event = instrument.capture(3)
    assert isinstance(event, LayersMeasured)
    assert (event.run_id, event.step, event.num_images) == ("r", 3, 64)
    assert list(event.layers) == [node.id for node in network.architecture.nodes]
    conv1 = event.layers["conv1"]
    assert conv1.update_ratio == pytest.approx(0.01, rel=1e-3)
    assert conv1.gradient_norm == pytest.approx(2 * math.sqrt(156))
    # At a standstill there is nothing to compare with.
    again = instrument.capture(3).layers["conv1"]
    assert again.update_ratio is None
    assert again.gradient_norm == conv1.gradient_norm


def test_at_rest_there_are_no_gradients() -> None:
    architecture = zoo.entry("lenet5").build()
    look = Look(measures=True, probes=(Probe(label="p", image=np.zeros((28, 28), np.uint8)),))
    images = torch.rand(64, 1, 32, 32, generator=torch.Generator().manual_seed(2))
    (event,) = Observer().capture(architecture, None, 0, look, sample=lambda: images)
    assert isinstance(event, LayersMeasured)
    assert not StatisticsInstrument(_subject(build_module(architecture), is_trained=False)).needs_step
    conv1 = event.layers["conv1"]
    assert (event.run_id, event.num_images) == ("", 64)
    assert (conv1.gradient_norm, conv1.update_ratio, conv1.gradients) == (None, None, None)
    weights = list(build_module(architecture, seed=0).get_submodule("conv1").parameters())
    assert conv1.weight_norm == pytest.approx(norm(weights))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_visit_hands_over_what_a_trace_does_and_keeps_nothing(name: str) -> None:
    network = build_module(NETWORKS[name](), seed=5).eval()
    x = torch.randn(2, *network.architecture.input_shape, generator=torch.Generator().manual_seed(1))
    ids = [node.id for node in network.architecture.nodes]
    seen: list[str] = []
    alive: dict[str, weakref.ref[Tensor]] = {}
    with torch.no_grad():
        wanted = network.trace(x, ids)

        def see(node_id: str, value: Tensor) -> None:
            seen.append(node_id)
            assert torch.equal(value, wanted[node_id])
            alive[node_id] = weakref.ref(value)

        network.visit(x, see)
    assert seen == ids
    assert [node_id for node_id, value in alive.items() if value() is not None] == ids[:1], "the input is the caller's"


def _with_initial(network: Network, names: Sequence[str] | None = None) -> Subject:
    """The network as it is now, which is what training began with; of those nodes, or all, that is known."""
    start = {name: value.detach().clone() for name, value in network.named_parameters()}

    def initial(node_id: str) -> dict[str, Tensor] | None:
        if names is not None and node_id not in names:
            return None
        return {name.rpartition(".")[2]: start[name] for name in start if name.rpartition(".")[0] == node_id}

    return _subject(network, is_trained=True)._replace(initial=initial)


def _shift(network: Network, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=random))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("first_step", [0, 40])
def test_the_change_since_the_start_against_numpy(name: str, first_step: int) -> None:
    network = build_module(NETWORKS[name](), seed=3)
    subject = _with_initial(network)
    start = {key: value.detach().double().numpy().copy() for key, value in network.named_parameters()}
    if first_step == 0:
        # What a run begins with need not be asked for.
        subject = subject._replace(initial=lambda _node_id: None)
    else:
        _shift(network, 1)
    instrument = StatisticsInstrument(subject)
    assert instrument.aim(Look(measures=True))
    for step in (first_step, first_step + 10):
        instrument.prepare()
        if step:
            _shift(network, 100 + step)
        layers = instrument.capture(step).layers
        for node in network.architecture.nodes:
            own_names = [name for name in start if name.rpartition(".")[0] == node.id]
            after = {name: network.get_parameter(name).detach().double().numpy() for name in own_names}
            if not after:
                assert layers[node.id].change is None
                continue
            difference = sum(float(((value - start[key]) ** 2).sum()) for key, value in after.items())
            before = sum(float((start[key] ** 2).sum()) for key in after)
            assert layers[node.id].change == pytest.approx(math.sqrt(difference / before), rel=1e-5)
            assert (layers[node.id].change == 0) == (step == 0)


def test_the_change_is_not_told_of_what_is_not_known_or_was_nothing() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    with torch.no_grad():
        for parameter in network.get_submodule("fc1").parameters():
            parameter.zero_()
    subject = _with_initial(network, ["conv1", "fc1"])
    _shift(network, 1)
    layers = measure_layers(network, None, None, statistics_initial.initial_parameters(subject, 7))
    assert {node_id for node_id, layer in layers.items() if layer.change is not None} == {"conv1"}
    layers = measure_layers(network, None)
    assert all(layer.change is None for layer in layers.values())


def test_a_layer_with_which_too_much_would_be_kept_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    # 156, 2,416, 48,120, 10,164 and 850 parameters.
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    monkeypatch.setattr(statistics_initial, "MOST_VALUES", 13_586)
    found = statistics_initial.initial_parameters(_with_initial(network), 7)
    assert set(found.nodes) == {"conv1", "conv2", "fc2", "fc3"}
    del found
    monkeypatch.setattr(statistics_initial, "MOST_VALUES", 13_585)
    found = statistics_initial.initial_parameters(_with_initial(network), 7)
    assert set(found.nodes) == {"conv1", "conv2", "fc2"}


def test_one_copy_is_kept_of_a_network_and_none_when_nobody_looks() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    one, other = (StatisticsInstrument(_with_initial(network)) for _ in range(2))
    _shift(network, 1)
    for instrument in (one, other):
        assert instrument.aim(Look(measures=True))
        instrument.capture(3)
    kept = weakref.ref(statistics_initial.initial_parameters(_with_initial(network), 3))
    one.aim(Look())
    assert kept() is not None
    other.aim(Look())
    assert kept() is None
