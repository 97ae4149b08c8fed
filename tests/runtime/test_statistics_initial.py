"""The change since the start against numpy, and what is kept for it."""

import math
import weakref
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from explorer import zoo
from explorer.runs import Look
from explorer.runtime import statistics_initial
from explorer.runtime.instruments import Subject
from explorer.runtime.modules import Network, build_module
from explorer.runtime.statistics import StatisticsInstrument, measure_layers
from tests.runtime.statistics_cases import NETWORKS, subject


def _with_initial(network: Network, names: Sequence[str] | None = None) -> Subject:
    """The network as it is now, which is what training began with; of those nodes, or all, that is known."""
    start = {name: value.detach().clone() for name, value in network.named_parameters()}

    def initial(node_id: str) -> dict[str, Tensor] | None:
        if names is not None and node_id not in names:
            return None
        return {name.rpartition(".")[2]: start[name] for name in start if name.rpartition(".")[0] == node_id}

    return subject(network, is_trained=True)._replace(initial=initial)


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
