"""Statistics of layers against autograd by hand, numpy's histograms, states before and after, and plain hooks."""

import math
import weakref

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.architecture import Architecture
from explorer.runs import Histogram, LayersMeasured, LayerStatistics, Look, Probe
from explorer.runtime.modules import build_module
from explorer.runtime.observer import Observer
from explorer.runtime.statistics import MOST_VALUES, StatisticsInstrument, fitting_sample, measure_layers
from tests.networks import branching
from tests.runtime.statistics_cases import NETWORKS, assert_numpys, norm, squashing, subject, together


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


def test_the_instrument_compares_before_and_after() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    instrument = StatisticsInstrument(subject(network, is_trained=True, scale=0.5))
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
    assert not StatisticsInstrument(subject(build_module(architecture), is_trained=False)).needs_step
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
