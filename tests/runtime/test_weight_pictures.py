"""Captured weights against the network's own `state_dict`, gradients against autograd, changes against arithmetic."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.runs import Look
from explorer.runs.observed import MOST_PARAMETERS
from explorer.runtime import weight_pictures
from explorer.runtime.instruments import Subject, make_instruments
from explorer.runtime.modules import Network, build_module
from explorer.runtime.weight_pictures import WeightsInstrument, weight_name
from explorer.training.layout import set_memory_format


def _subject(network: Network, *, is_trained: bool = True, scale: float = 1.0) -> Subject:
    start = {name: value.detach().clone() for name, value in network.named_parameters()}

    def initial(node_id: str) -> dict[str, torch.Tensor]:
        return {name.removeprefix(f"{node_id}."): v for name, v in start.items() if name.startswith(f"{node_id}.")}

    return Subject(
        run_id="r",
        network=network,
        to_input=lambda _probe: torch.zeros(1),
        is_trained=is_trained,
        gradient_scale=lambda: scale,
        initial=initial,
    )


def _step(network: Network, scale: float = 1.0) -> None:
    torch.manual_seed(1)
    x, target = torch.randn(4, *network.architecture.input_shape), torch.tensor([0, 1, 2, 3])
    outputs = network(x)
    loss = F.cross_entropy(outputs[0] if isinstance(outputs, tuple) else outputs, target)
    (loss * scale).backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for parameter in network.parameters():
            assert parameter.grad is not None
            parameter.sub_(0.1 * parameter.grad / scale)


@pytest.mark.parametrize(
    ("name", "node_ids"), [("lenet5", ("conv1", "conv2", "fc1")), ("resnet20", ("conv1", "layer2.0.conv1", "bn1"))]
)
@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_weight_change_and_gradient_are_torchs(name: str, node_ids: tuple[str, ...], scale: float) -> None:
    network = build_module(zoo.entry(name).build(), seed=0)
    set_memory_format(network, torch.channels_last)
    before = {node_id: network.get_parameter(f"{node_id}.weight").detach().clone() for node_id in node_ids}
    instrument = WeightsInstrument(_subject(network, scale=scale))
    assert instrument.aim(Look(weighed=(*node_ids, "gone")))
    _step(network, scale)
    event = instrument.capture(7)
    assert (event.run_id, event.step, tuple(event.layers)) == ("r", 7, node_ids)
    for node_id, pictures in event.layers.items():
        now = network.get_parameter(f"{node_id}.weight")
        assert now.grad is not None
        assert np.array_equal(pictures.weight, now.detach().numpy())
        assert pictures.change is not None
        assert pictures.gradient is not None
        assert np.array_equal(pictures.change, (now - before[node_id]).detach().numpy())
        assert np.array_equal(pictures.gradient, (now.grad / scale).numpy())
        assert float(np.abs(pictures.change).max()) > 0


def test_what_was_captured_is_not_changed_by_the_next_step() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    instrument = WeightsInstrument(_subject(network))
    instrument.aim(Look(weighed=("conv1",)))
    captured = instrument.capture(1).layers["conv1"].weight
    kept = captured.copy()
    _step(network)
    assert np.array_equal(captured, kept)
    assert not np.array_equal(instrument.capture(2).layers["conv1"].weight, kept)


@pytest.mark.parametrize(("is_trained", "step"), [(False, 5), (True, 0)])
def test_no_gradient_where_no_step_was_made(is_trained: bool, step: int) -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    instrument = WeightsInstrument(_subject(network, is_trained=is_trained))
    instrument.aim(Look(weighed=("conv1",)))
    _step(network)
    assert instrument.capture(step).layers["conv1"].gradient is None


def test_no_change_where_the_beginning_is_not_known() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    instrument = WeightsInstrument(_subject(network)._replace(initial=lambda _node_id: None))
    instrument.aim(Look(weighed=("conv1",)))
    assert instrument.capture(1).layers["conv1"].change is None


def test_the_beginning_is_kept_while_others_come_to_be_watched() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    asked: list[str] = []
    subject = _subject(network)

    def initial(node_id: str) -> dict[str, torch.Tensor]:
        asked.append(node_id)
        found = subject.initial(node_id)
        assert found is not None
        return dict(found)

    instrument = WeightsInstrument(subject._replace(initial=initial))
    for weighed in (("conv1",), ("conv1", "fc1"), ("fc1",)):
        assert instrument.aim(Look(weighed=weighed))
    assert asked == ["conv1", "fc1"]
    assert not instrument.aim(Look(maps=("conv1",)))
    assert not instrument.aim(Look(weighed=("relu1", "input")))


def test_kernels_of_a_partial_convolution_lie_where_torch_computes_with_them() -> None:
    network = build_module(zoo.entry("lenet5-1998").build(), seed=0)
    node_id = next(node.id for node in network.architecture.nodes if node.layer.type_name == "PartialConv2d")
    module = network.node_module(node_id)
    assert module is not None
    instrument = WeightsInstrument(_subject(network))
    instrument.aim(Look(weighed=(node_id,)))
    kernels = torch.from_numpy(instrument.capture(0).layers[node_id].weight)
    x = torch.randn(2, kernels.shape[1], 14, 14)
    bias = module.get_parameter("bias")
    assert torch.allclose(F.conv2d(x, kernels, bias), module(x), atol=1e-5)


def test_too_large_a_layer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    assert MOST_PARAMETERS >= 2**20
    monkeypatch.setattr(weight_pictures, "MOST_PARAMETERS", 48_000 - 1)
    instrument = WeightsInstrument(_subject(network))
    assert instrument.aim(Look(weighed=("fc1", "conv1")))
    assert tuple(instrument.capture(0).layers) == ("conv1",)


def test_the_weight_of_a_layer_that_has_several() -> None:
    assert weight_name(torch.nn.MultiheadAttention(8, 2)) == "in_proj_weight"
    assert weight_name(torch.nn.Conv2d(1, 2, 3)) == "weight"
    assert weight_name(torch.nn.ReLU()) is None


def test_it_is_among_the_instruments() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    found = make_instruments(_subject(network))
    assert [type(instrument) for instrument in found].count(WeightsInstrument) == 1


@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_of_first_kernels_no_more_is_captured_than_a_small_picture_shows(scale: float) -> None:
    network = build_module(zoo.entry("resnet20").build(), seed=0)
    node_ids = ("conv1", "layer3.0.conv1", "linear")
    before = {node_id: network.get_parameter(f"{node_id}.weight").detach().clone() for node_id in node_ids}
    instrument = WeightsInstrument(_subject(network, scale=scale))
    assert instrument.aim(Look(first_kernels=(*node_ids, "relu", "gone")))
    _step(network, scale)
    event = instrument.capture(7)
    assert not event.layers
    assert tuple(event.first_kernels) == node_ids
    for node_id, cut in (("conv1", np.s_[:24, :4]), ("layer3.0.conv1", np.s_[:24, :4]), ("linear", np.s_[:16, :40])):
        now, pictures = network.get_parameter(f"{node_id}.weight"), event.first_kernels[node_id]
        expected = (now, now - before[node_id], now.grad / scale) if now.grad is not None else ()
        for found, whole in zip(pictures, expected, strict=True):
            assert found is not None
            assert np.array_equal(found.reshape(found.shape[: whole.ndim]), whole.detach().numpy()[cut])
            assert found.base is None or found.base.size < 10_000, "nothing large is kept alive by it"


def test_first_kernels_and_whole_layers_come_in_one_capture() -> None:
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    instrument = WeightsInstrument(_subject(network))
    assert instrument.aim(Look(weighed=("conv2",), first_kernels=("conv1", "conv2")))
    event = instrument.capture(0)
    assert np.array_equal(event.layers["conv2"].weight, network.get_parameter("conv2.weight").detach().numpy())
    assert np.array_equal(event.first_kernels["conv2"].weight, event.layers["conv2"].weight[:24, :4])
    assert np.array_equal(event.first_kernels["conv1"].weight, network.get_parameter("conv1.weight").detach().numpy())
    assert event.first_kernels["conv1"].gradient is None


def test_first_kernels_of_a_layer_that_reads_some_channels_have_zeros_for_the_others() -> None:
    network = build_module(zoo.entry("lenet5-1998").build(), seed=0)
    node_id = next(i for i in ("c3", "conv2") if i in network.architecture)
    instrument = WeightsInstrument(_subject(network))
    assert instrument.aim(Look(weighed=(node_id,), first_kernels=(node_id,)))
    event = instrument.capture(0)
    found = event.first_kernels[node_id].weight
    assert np.array_equal(found, event.layers[node_id].weight[:24, :4])
    assert not found.all()


def test_a_layer_too_large_to_be_made_again_has_first_kernels_without_a_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weight_pictures, "MOST_PARAMETERS", 1000)
    network = build_module(zoo.entry("lenet5").build(), seed=0)
    instrument = WeightsInstrument(_subject(network))
    assert instrument.aim(Look(first_kernels=("conv1", "fc1")))
    found = instrument.capture(0).first_kernels
    assert found["fc1"].change is None
    assert found["fc1"].weight.shape == (16, 40, 1, 1)
    assert found["conv1"].change is not None
