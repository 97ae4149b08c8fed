"""Predictions, saliency and Grad-CAM against plain torch: hooks, `backward` and one image at a time."""

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from explorer import zoo
from explorer.architecture import Architecture
from explorer.inference import infer
from explorer.layers import LogSoftmax, Softmax
from explorer.runs import Look, Probe, ProbeAnswer, ProbesExplained
from explorer.runs.explained_layers import explainable_layers
from explorer.runs.placement import place
from explorer.runtime.explanations import ExplanationInstrument, _home
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.instruments import Subject
from explorer.runtime.modules import Network, build_module
from explorer.runtime.observer import Observer
from explorer.training.model_split import SplitNetwork
from explorer.zoo.builder import Builder, conv, flatten, linear
from tests.networks import branching


def _network(architecture: Architecture) -> Network:
    """With statistics that batch norm has gathered, so that the modes differ."""
    network = build_module(architecture, seed=0)
    network(torch.rand(8, *architecture.input_shape, generator=torch.Generator().manual_seed(4)))
    return network


def _probes(architecture: Architecture, count: int = 3) -> tuple[Probe, ...]:
    draw = torch.Generator().manual_seed(5)
    shape = architecture.input_shape
    return tuple(Probe(label=f"no. {i}", image=torch.rand(*shape, generator=draw).numpy()) for i in range(count))


def _subject(network: Network, class_names: tuple[str, ...] = ()) -> Subject:
    def to_input(probe: Probe | None) -> Tensor:
        assert probe is not None
        if probe.image.shape != network.architecture.input_shape:
            raise ValueError(f"{probe.label} does not fit")
        return torch.from_numpy(np.array(probe.image))[None]

    return Subject("r", network, to_input, class_names)


def _explained(network: Network, look: Look) -> ProbesExplained:
    instrument = ExplanationInstrument(_subject(network))
    assert instrument.aim(look)
    return instrument.capture(7)


def _by_hand(
    network: Network, image: npt.NDArray[np.float32], reader: str, wanted: int | None
) -> tuple[npt.NDArray[np.float32], int, npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Probabilities, class, saliency and Grad-CAM of what the module `reader` reads, on a copy of the network."""
    module = build_module(network.architecture)
    module.load_state_dict(network.state_dict())
    module.eval()
    read: list[Tensor] = []

    def keep(_module: nn.Module, given: tuple[Tensor, ...]) -> None:
        given[0].retain_grad()
        read.append(given[0])

    module.get_submodule(reader).register_forward_pre_hook(keep)
    x = torch.from_numpy(np.array(image))[None].requires_grad_()
    outputs = module(x)
    logits = (outputs[0] if isinstance(outputs, tuple) else outputs)[0]
    place = int(logits.argmax()) if wanted is None else wanted
    logits[place].backward()
    (maps,) = read
    assert x.grad is not None
    assert maps.grad is not None
    channels = []
    for values, gradient in zip(maps[0], maps.grad[0], strict=True):
        channels.append(float(gradient.sum()) / gradient.numel() * values.detach().numpy())
    exps = np.exp(logits.detach().double().numpy() - float(logits.detach().max()))
    saliency = np.abs(x.grad[0].numpy()).max(axis=0)
    return exps / exps.sum(), place, saliency, np.maximum(np.sum(channels, axis=0), 0)


@pytest.mark.parametrize("wanted", [None, 3])
@pytest.mark.parametrize(
    ("architecture", "layer", "reader"),
    [
        (zoo.entry("lenet5").build(), None, "flatten"),
        (zoo.entry("lenet5").build(), "tanh1", "pool1"),
        (zoo.entry("lenet5-1998").build(), None, "c5"),
        (zoo.entry("resnet20").build(), None, "avgpool"),
        (zoo.entry("resnet20").build(), "layer2.0.bn1", "layer2.0.relu1"),
        (branching(), "mixed.cat", "pool"),
        (branching(), None, "flatten"),
    ],
    ids=["lenet5", "lenet5 tanh1", "lenet5-1998", "resnet20", "resnet20 bn1", "concat beside a head", "branching"],
)
def test_explanations_are_those_of_plain_torch(
    architecture: Architecture, layer: str | None, reader: str, wanted: int | None
) -> None:
    network = _network(architecture)
    probes = _probes(architecture)
    look = Look(probes=probes, explained=True, explained_layer=layer, explained_class=wanted)
    found = _explained(network, look)
    assert (found.run_id, found.step) == ("r", 7)
    assert [answer.probe for answer in found.answers] == ["no. 0", "no. 1", "no. 2"]
    if layer is not None:
        assert found.layer == layer
    for probe, answer in zip(probes, found.answers, strict=True):
        probabilities, place, saliency, cam = _by_hand(network, np.asarray(probe.image), reader, wanted)
        assert answer.explained_class == place
        assert answer.probabilities.dtype == answer.saliency.dtype == np.float32
        np.testing.assert_allclose(answer.probabilities, probabilities, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(answer.saliency, saliency, rtol=2e-3, atol=2e-3 * saliency.max())
        assert saliency.max() > 0
        assert answer.cam is not None
        np.testing.assert_allclose(answer.cam, cam, rtol=2e-3, atol=2e-3 * max(cam.max(), 1e-6))
        assert np.array_equal(answer.image, probe.image)


def test_a_capture_disturbs_nothing() -> None:
    network = _network(branching())
    outputs = network(torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    sum(output.square().sum() for output in outputs).backward()
    network.get_submodule("stem.norm").eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    gradients = {
        name: parameter.grad.clone() for name, parameter in network.named_parameters() if parameter.grad is not None
    }
    modes = {name: module.training for name, module in network.named_modules()}
    state = torch.get_rng_state()
    with torch.no_grad():  # as between the steps of a run
        found = _explained(network, Look(probes=_probes(branching()), explained=True))
    assert found.answers[0].saliency.any()
    assert len(gradients) == len(list(network.parameters()))
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, gradients[name])
    assert {name: module.training for name, module in network.named_modules()} == modes
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_layers_with_places_that_lead_to_the_answer_can_be_chosen() -> None:
    architecture = branching()
    layers = explainable_layers(architecture, infer(architecture))
    assert layers[0] == "stem.conv"
    assert layers[-1] == "pool"
    assert not {"input", "flatten", "fc", "aux.conv", "aux.pool"} & set(layers)
    network = _network(architecture)
    for other in ("aux.conv", "no such node", "input", None):
        assert (
            _explained(network, Look(probes=_probes(architecture), explained=True, explained_layer=other)).layer
            == "pool"
        )


def test_a_network_without_maps_has_no_cam_and_one_without_scores_no_answer() -> None:
    flat = Builder("linear", 1, 4, 4)
    flat.add("flatten", flatten())
    flat.add("fc", linear(3))
    (answer, *_) = _explained(_network(flat.build()), Look(probes=_probes(flat.build()), explained=True)).answers
    assert answer.cam is None
    assert answer.saliency.shape == (4, 4)
    maps = Builder("maps", 1, 4, 4)
    maps.add("conv", conv(3, 3))
    network = build_module(maps.build())
    assert not ExplanationInstrument(_subject(network)).aim(Look(probes=_probes(maps.build()), explained=True))


def test_a_probe_that_does_not_fit_is_left_out() -> None:
    architecture = branching()
    fits, other = _probes(architecture, 1)[0], Probe(label="other", image=np.zeros((5, 5), np.uint8))
    network = _network(architecture)
    found = _explained(network, Look(probes=(other, fits), explained=True))
    assert [answer.probe for answer in found.answers] == ["no. 0"]
    with pytest.raises(ValueError, match="other does not fit"):
        ExplanationInstrument(_subject(network)).aim(Look(probes=(other,), explained=True))
    assert not ExplanationInstrument(_subject(network)).aim(Look(probes=(fits,), maps=("pool",)))


def test_a_split_network_answers_as_a_whole_one_does() -> None:
    architecture = branching()
    whole, parts = _network(architecture), _network(architecture)
    look = Look(probes=_probes(architecture), explained=True, explained_layer="layer1.0.add")
    cpu = torch.device("cpu")
    split = SplitNetwork(parts, place(architecture, infer(architecture)), (cpu, cpu))
    for a, b in zip(_explained(whole, look).answers, _explained(split, look).answers, strict=True):
        assert _same(a, b)


def test_the_gradient_of_a_value_is_taken_where_it_was_computed() -> None:
    """A copy for another device, which nothing else reads, has none."""
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    value = x * 3
    copied = value.to(torch.float64)  # on one device, a move is none; torch notes both alike
    score = (value**2).sum()
    (gradient,) = torch.autograd.grad(score, [_home(copied)])
    assert gradient.tolist() == [6.0, 12.0]


def test_a_network_at_rest_is_explained_too() -> None:
    architecture = zoo.entry("lenet5").build()
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    look = Look(probes=(Probe(label="noise", image=image),), explained=True)
    (event,) = Observer().capture(architecture, None, 3, look, class_names=tuple("0123456789"))
    assert isinstance(event, ProbesExplained)
    assert (event.run_id, event.step, event.layer, event.class_names[7]) == ("", 0, "pool2", "7")
    network = build_module(architecture, seed=3)
    (answer,) = event.answers
    with torch.inference_mode(), evaluating(network):
        logits = network(torch.from_numpy(np.array(answer.image))[None])
        assert isinstance(logits, Tensor)
        np.testing.assert_allclose(answer.probabilities, logits[0].softmax(0).numpy(), rtol=1e-5)


def _scored_twice() -> Architecture:
    net = Builder("twice", 1, 8, 8)
    net.add("conv", conv(2, 3))
    net.add("flatten", flatten())
    net.add("fc", linear(5))
    net.add("softmax", Softmax())
    net.add("again", Softmax())
    return net.build()


def _with_log_softmax() -> Architecture:
    net = Builder("log", 1, 8, 8)
    net.add("conv", conv(2, 3))
    net.add("flatten", flatten())
    net.add("fc", linear(5))
    net.add("log_softmax", LogSoftmax())
    return net.build()


@pytest.mark.parametrize(
    ("architecture", "scores"),
    [(zoo.entry("lenet5-tanh84").build(), "fc2"), (_with_log_softmax(), "fc"), (_scored_twice(), "softmax")],
    ids=["softmax", "log-softmax", "softmax twice"],
)
def test_a_softmax_at_the_end_is_not_taken_for_the_logits(architecture: Architecture, scores: str) -> None:
    """At rest the probabilities are what the network puts out, and all is as in a run, which ends in the logits."""
    look = Look(probes=_probes(architecture), explained=True)
    network = build_module(architecture, seed=2)
    at_rest = _explained(network, look)
    trained = build_module(dataclasses.replace(architecture, outputs=(scores,)), seed=2)
    in_run = ExplanationInstrument(_subject(trained)._replace(is_trained=True))
    assert in_run.aim(look)
    module = build_module(architecture, seed=2).eval()
    read: list[Tensor] = []
    module.get_submodule(scores).register_forward_hook(lambda _module, _given, result: read.append(result))
    for probe, answer, other in zip(look.probes, at_rest.answers, in_run.capture(7).answers, strict=True):
        x = torch.from_numpy(np.array(probe.image))[None].requires_grad_()
        output = module(x)
        assert isinstance(output, Tensor)
        is_log = architecture.outputs == ("log_softmax",)
        expected = (output.exp() if is_log else output)[0].detach().numpy()
        np.testing.assert_allclose(answer.probabilities, expected, rtol=1e-5)
        assert answer.explained_class == expected.argmax()
        logits = read.pop()
        (gradient,) = torch.autograd.grad(logits[0, answer.explained_class], x)
        np.testing.assert_allclose(answer.saliency, gradient[0].abs().amax(0).numpy(), rtol=2e-3, atol=1e-7)
        assert np.array_equal(answer.probabilities, other.probabilities)
        assert _same(answer, other)


def _same(a: ProbeAnswer, b: ProbeAnswer) -> bool:
    assert a.cam is not None
    assert b.cam is not None
    return all(
        np.array_equal(x, y) for x, y in ((a.probabilities, b.probabilities), (a.saliency, b.saliency), (a.cam, b.cam))
    )
