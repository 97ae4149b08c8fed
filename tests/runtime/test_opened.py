"""Opened layers against torch's own forward hooks, and what opening must leave alone."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer.runs.observed import OpenedLayer
from explorer.runtime import opened
from explorer.runtime.modules import Network, build_module
from explorer.runtime.opened import open_layers
from tests.networks import branching

_IMAGE = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def network() -> Network:
    """With statistics that batch norm has gathered, so that the modes differ."""
    network = build_module(branching(), seed=0)
    network(torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(4)))
    return network


def hooked(network: Network) -> dict[str, tuple[Tensor, Tensor]]:
    """What went into each module and came out, by torch's name, in evaluation mode."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def keep(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
            seen[name] = (given[0][0].clone(), output[0].clone())

        return hook

    modules = [(name, module) for name, module in network.named_modules() if not list(module.children())]
    handles = [module.register_forward_hook(keep(name)) for name, module in modules]
    modes = {name: module.training for name, module in network.named_modules()}
    network.eval()
    with torch.no_grad():
        network(_IMAGE)
    for name, module in network.named_modules():
        module.training = modes[name]
    for handle in handles:
        handle.remove()
    return seen


def same(values: np.ndarray, tensor: Tensor) -> bool:
    return values.dtype == np.float32 and np.array_equal(values, tensor.numpy())


def test_what_goes_in_and_comes_out_is_what_hooks_see(network: Network) -> None:
    seen = hooked(network)
    layers = open_layers(network, _IMAGE, seen)
    assert {"stem.conv", "stem.norm", "stem.relu", "mixed.right", "fc", "aux.fc"} <= set(layers)
    assert list(layers) == list(seen)
    for node_id, (given, output) in seen.items():
        (into,) = layers[node_id].inputs
        assert same(into, given), node_id
        assert same(layers[node_id].output, output), node_id


def test_a_merge_has_its_inputs_in_order(network: Network) -> None:
    seen = hooked(network)
    layers = open_layers(network, _IMAGE, ["mixed.cat", "layer1.0.add", "mixed.cat"])
    assert list(layers) == ["mixed.cat", "layer1.0.add"]
    left, right = layers["mixed.cat"].inputs
    assert same(left, seen["mixed.left"][1])
    assert same(right, seen["mixed.right"][1])
    assert same(layers["mixed.cat"].output, torch.cat((seen["mixed.left"][1], seen["mixed.right"][1])))
    branch, stem = layers["layer1.0.add"].inputs
    assert same(branch, seen["layer1.0.relu"][1])
    assert same(stem, seen["stem.relu"][1])
    assert same(layers["layer1.0.add"].output, seen["layer1.0.relu"][1] + seen["stem.relu"][1])
    assert layers["mixed.cat"].parameters == {}


def test_the_input_has_come_from_nowhere(network: Network) -> None:
    layer = open_layers(network, _IMAGE, ["input"])["input"]
    assert layer.inputs == ()
    assert same(layer.output, _IMAGE[0])


def test_parameters_and_buffers_have_torchs_names(network: Network) -> None:
    layers = open_layers(network, _IMAGE, ["stem.conv", "stem.norm", "fc", "stem.relu"])
    names = {node_id: list(layer.parameters) for node_id, layer in layers.items()}
    norm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert names == {"stem.conv": ["weight"], "stem.norm": norm, "fc": ["weight", "bias"], "stem.relu": []}
    state = network.state_dict()
    for node_id, layer in layers.items():
        for name, values in layer.parameters.items():
            assert same(values, state[f"{node_id}.{name}"].float()), (node_id, name)
    assert layers["stem.norm"].parameters["num_batches_tracked"] == 1


def test_parameters_of_too_many_values_are_left_out(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "MOST_PARAMETERS", 10)
    assert list(open_layers(network, _IMAGE, ["fc"])["fc"].parameters) == ["bias"]


def test_opening_disturbs_nothing(network: Network) -> None:
    network.get_submodule("stem.norm").eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    modes = {name: module.training for name, module in network.named_modules()}
    state = torch.get_rng_state()
    open_layers(network, _IMAGE, ["stem.norm", "layer1.0.norm1", "fc"])
    assert {name: module.training for name, module in network.named_modules()} == modes
    assert any(modes.values())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_what_was_opened_stays_when_the_next_step_writes(network: Network) -> None:
    image = _IMAGE.clone()
    layers = open_layers(network, image, ["input", "stem.conv", "stem.norm", "fc"])
    kept = [values.copy() for layer in layers.values() for values in _arrays(layer)]
    with torch.no_grad():
        image.fill_(7)
        for tensor in network.state_dict().values():
            tensor.fill_(7)
    after = [values for layer in layers.values() for values in _arrays(layer)]
    assert all(np.array_equal(a, b) for a, b in zip(kept, after, strict=True))


def _arrays(layer: OpenedLayer) -> list[np.ndarray]:
    return [*layer.inputs, layer.output, *layer.parameters.values()]
