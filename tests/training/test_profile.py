"""A step measured node by node, against torch: the same gradients as a whole backward pass, the same bytes kept.

No test judges a time: on a busy machine only what must be there, and what must be exactly 0, can be said of them.
"""

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.architecture import Architecture, edits
from explorer.inference import infer
from explorer.inference.memory import memory
from explorer.inference.schedule import Precision as MemoryPrecision
from explorer.layers import Add, Dropout, Linear, ReLU, Softmax, StochasticDepth
from explorer.runs import RunConfig
from explorer.runs.placement import place
from explorer.runtime.devices import DeviceMemory
from explorer.runtime.modules import Network, build_module
from explorer.training import fitting, profile, rehearsed_step
from explorer.training.graphed import Chosen
from explorer.training.loss import training_losses
from explorer.training.model_split import SplitNetwork
from explorer.training.precision import Precision
from explorer.training.profile import LacksMemory, profile_step
from explorer.training.profile_clock import Allocations, Clock
from explorer.training.profile_sweep import Sweep
from explorer.training.rehearsal import RehearsalCancelled, end_rehearsals, rehearsing
from explorer.training.step import Step
from explorer.zoo import entry
from explorer.zoo.builder import Builder, conv, flatten, max_pool
from tests.networks import branching
from tests.runtime.saved import saved_as_they_are

BATCH = 3
CPU, META = torch.device("cpu"), torch.device("meta")


def nothing_to_look_at() -> None:
    """The look of a sweep that nobody ends."""


def summed_loss(outputs: Sequence[Tensor]) -> Tensor:
    target = torch.arange(len(outputs[0])) % outputs[0].shape[1]
    return torch.stack([F.cross_entropy(output, target) for output in outputs]).sum()


def batch_of(architecture: Architecture) -> Tensor:
    return torch.rand(BATCH, *architecture.input_shape, generator=torch.Generator().manual_seed(1))


def gradients(network: Network) -> dict[str, Tensor]:
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def dropping() -> Architecture:
    """Layers that draw random numbers, and ones that do nothing at all."""
    net = Builder("dropping", 1, 12, 12)
    first = net.add("conv1", conv(6, 3))
    nothing = net.add("nothing", Dropout(p=0.0))
    net.add("depth", StochasticDepth(p=0.5))
    second = net.add("conv2", conv(6, 3, padding=1))
    # One tensor arrives three times, twice under another name.
    net.add("add", Add(), after=(second, first, nothing, first))
    net.add("pool", max_pool(2))
    net.add("flatten", flatten())
    net.add("drop", Dropout(p=0.5))
    net.add("fc", Linear(out_features=10))
    return net.build()


def frozen(*node_ids: str) -> Architecture:
    return edits.set_frozen(branching(), node_ids, True)


def networks() -> dict[str, Architecture]:
    return {
        "branching": branching(),
        "frozen from the start": frozen("stem.conv", "stem.norm"),
        "frozen in the middle": frozen("layer1.0.conv1", "layer1.0.norm1"),
        "frozen convolution": frozen("layer1.0.conv1"),
        "dropping": dropping(),
        "lenet5": entry("lenet5").build(),
    }


@pytest.mark.parametrize("name", networks())
def test_each_nodes_gradients_are_those_of_one_whole_backward_pass(name: str) -> None:
    architecture = networks()[name]
    x = batch_of(architecture)
    whole, swept = build_module(architecture, seed=0), build_module(architecture, seed=0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        outputs = whole(x)
        torch.autograd.backward(summed_loss(outputs if isinstance(outputs, tuple) else (outputs,)))
        torch.manual_seed(5)
        Sweep(swept, summed_loss, nothing_to_look_at).times(x, Clock(CPU))
    expected, found = gradients(whole), gradients(swept)
    assert found.keys() == expected.keys()
    assert found
    for key, gradient in expected.items():
        torch.testing.assert_close(found[key], gradient)


def test_in_mixed_precision_each_way_back_computes_as_in_a_step() -> None:
    """Also where it is no convolution's: autocast stands around the forward pass alone."""
    architecture, precision = branching(), Precision("bfloat16", CPU)
    whole, swept = (build_module(architecture, seed=0).train() for _ in range(2))
    x = batch_of(architecture)
    with precision.autocast():
        outputs = whole(x)
    torch.autograd.backward(summed_loss(outputs if isinstance(outputs, tuple) else (outputs,)))
    autocasts: list[bool] = []

    def loss(given: Sequence[Tensor]) -> Tensor:
        autocasts.append(torch.is_autocast_enabled("cpu"))
        return summed_loss(given)

    Sweep(swept, loss, nothing_to_look_at, precision.autocast).times(x, Clock(CPU))
    assert autocasts == [False]
    expected = gradients(whole)
    for name, found in gradients(swept).items():
        torch.testing.assert_close(found, expected[name], rtol=0, atol=0, msg=name)


def test_what_works_in_place_gives_the_same_gradients() -> None:
    net = Builder("in place", 1, 8, 8)
    net.add("conv1", conv(4, 3))
    net.add("relu", ReLU())
    net.add("conv2", conv(4, 3))
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=3))
    architecture = net.build()
    x = batch_of(architecture)
    found = []
    for in_place in (False, True):
        network = build_module(architecture, seed=0)
        module = network.node_module("relu")
        assert isinstance(module, torch.nn.ReLU)
        module.inplace = in_place
        Sweep(network, summed_loss, nothing_to_look_at).times(x, Clock(CPU))
        found.append(gradients(network))
    assert found[0].keys() == found[1].keys()
    for key, gradient in found[0].items():
        torch.testing.assert_close(found[1][key], gradient, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["branching", "frozen from the start", "frozen convolution", "lenet5"])
def test_the_bytes_kept_are_the_predicted_ones_node_by_node(name: str) -> None:
    architecture = networks()[name]
    network = build_module(architecture, seed=0)
    sizes = Sweep(network, summed_loss, nothing_to_look_at).bytes(batch_of(architecture), Allocations(CPU))
    predicted = memory(architecture, infer(architecture), batch_size=BATCH)
    assert {i: kept for i, kept in sizes.kept.items() if kept} == {i: b for i, b in predicted.nodes.items() if b}
    assert set(sizes.grown.values()) == {None}, "the CPU keeps no account"


@pytest.mark.parametrize("name", ["resnet20", "squeezenet1-1"])
def test_the_bytes_kept_add_up_to_what_torch_saves(name: str) -> None:
    architecture = edits.set_input_shape(entry(name).build(), 3, 64, 64)
    x = batch_of(architecture)
    measured, whole = build_module(architecture, seed=0).eval(), build_module(architecture, seed=0).eval()
    sizes = Sweep(measured, lambda outputs: outputs[0].sum(), nothing_to_look_at).bytes(x, Allocations(CPU))
    saved = saved_as_they_are(lambda x: whole(x).sum(), [x], [*whole.parameters(), *whole.buffers()])
    assert sum(sizes.kept.values()) + sizes.loss_kept == saved


def test_nodes_in_front_of_all_that_is_trained_have_no_backward_pass() -> None:
    front = ("stem.conv", "stem.norm", "stem.relu")
    found = profile_step(frozen("stem.conv", "stem.norm"), config(), repetitions=1)
    nodes = found.nodes
    assert [nodes[node_id].backward_s for node_id in front] == [0.0, 0.0, 0.0]
    others = [i for i in nodes if i not in ("input", *front)]
    assert all(nodes[i].backward_s > 0 for i in others)
    assert all(node.forward_s > 0 for i, node in nodes.items() if i != "input")
    assert nodes["input"].forward_s == nodes["input"].backward_s == 0.0
    # A frozen layer behind trained ones hands its gradient on.
    middle = profile_step(frozen("layer1.0.conv1", "layer1.0.norm1"), config(), repetitions=1).nodes
    assert middle["layer1.0.conv1"].backward_s > 0


def config(**changes: int | float | str) -> RunConfig:
    return RunConfig.from_plain({**RunConfig().to_plain(), "device": "cpu", "batch_size": 4, **changes})


def test_a_profile_says_what_it_holds_for() -> None:
    found = profile_step(branching(), config(optimizer="adam"), repetitions=2)
    assert list(found.nodes) == [node.id for node in branching().nodes]
    assert (found.network, found.batch_size, found.optimizer) == ("branching", 4, "adam")
    assert (found.device, found.threads, found.repetitions) == ("cpu", 1, 2)
    assert found.versions["torch"] == torch.__version__
    assert found.peak_bytes is None
    assert found.notes == ()
    assert min(found.data_s, found.loss_s, found.optimizer_s, found.step_s) > 0
    predicted = memory(branching(), infer(branching()), batch_size=4, optimizer="adam")
    assert found.kept_bytes == predicted.saved_bytes


@pytest.mark.parametrize(("most", "precision"), [(1e9, "bfloat16"), (0.0, "float32")], ids=["faster", "slower"])
def test_a_run_on_the_cpu_is_profiled_in_the_precision_that_it_goes_over_to(
    monkeypatch: pytest.MonkeyPatch, most: float, precision: str
) -> None:
    for module in (profile, rehearsed_step):
        monkeypatch.setattr(module, "may_choose_precision", lambda *_: True)
    monkeypatch.setattr(rehearsed_step, "is_worth", lambda *_: True)
    monkeypatch.setattr(rehearsed_step, "GAIN", most)
    found = profile_step(branching(), config(), repetitions=1)
    assert found.precision == precision
    kind: MemoryPrecision = "mixed" if precision == "bfloat16" else "float32"
    predicted = memory(branching(), infer(branching()), batch_size=4, precision=kind).saved_bytes
    assert found.kept_bytes == pytest.approx(predicted, rel=0.02)


def test_a_step_that_a_run_would_replay_is_taken_apart_in_its_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    def choose(step: Step, *_: object) -> Chosen:
        other = step.in_precision(Precision("bfloat16", CPU))
        return Chosen(partial(other), other, "Each full batch is a replay.")

    monkeypatch.setattr(rehearsed_step, "capture_of", lambda *_: "graphs")
    monkeypatch.setattr(rehearsed_step, "choose_step", choose)
    found = profile_step(branching(), config(), repetitions=1)
    assert found.precision == "bfloat16"
    assert len(found.notes) == 1
    assert found.notes[0].endswith("Each full batch is a replay.")


def test_a_precision_that_was_asked_for_is_profiled() -> None:
    assert profile_step(branching(), config(precision="bfloat16"), repetitions=1).precision == "bfloat16"


def _split(architecture: Architecture, devices: tuple[torch.device, torch.device]) -> SplitNetwork:
    return SplitNetwork(build_module(architecture, seed=0), place(architecture, infer(architecture)), devices)


@pytest.mark.parametrize("name", ["branching", "lenet5"])
def test_the_gradients_of_a_network_on_two_devices_are_the_same(name: str) -> None:
    architecture = networks()[name]
    x = batch_of(architecture)
    whole, swept = build_module(architecture, seed=0), _split(architecture, (CPU, CPU))
    Sweep(whole, summed_loss, nothing_to_look_at).times(x, Clock(CPU))
    Sweep(swept, summed_loss, nothing_to_look_at).times(x, Clock(CPU, CPU))
    expected, found = gradients(whole), gradients(swept)
    assert found.keys() == expected.keys()
    for key, gradient in expected.items():
        torch.testing.assert_close(found[key], gradient)


def test_each_node_is_measured_where_it_was_placed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The meta device plays the first one; what comes from there is zeros."""
    usual = Tensor.to

    def to(value: Tensor, *where: Any, **options: Any) -> Any:
        return torch.zeros(value.shape) if value.device == META and where == (CPU,) else usual(value, *where, **options)

    monkeypatch.setattr(Tensor, "to", to)
    architecture = entry("lenet5").build()
    placed = place(architecture, infer(architecture))
    network = _split(architecture, (META, CPU))
    seen: dict[str, set[torch.device]] = {}
    for node in architecture:
        if (module := network.node_module(node.id)) is not None:

            def look(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor, node_id: str = node.id) -> None:
                seen[node_id] = {value.device for value in (*inputs, output)}

            module.register_forward_hook(look)
    Sweep(network, summed_loss, nothing_to_look_at).times(batch_of(architecture), Clock(CPU))
    assert seen == {i: {(META, CPU)[on[0]]} for i, on in placed.devices_of.items() if i in seen}
    assert set.union(*seen.values()) == {META, CPU}


def test_a_split_run_is_profiled_on_both_devices() -> None:
    found = profile_step(branching(), config(device="cpu+cpu"), repetitions=1)
    assert found.device == "cpu+cpu"
    assert found.device_text.count("CPU") == 2
    assert list(found.nodes) == [node.id for node in branching().nodes]
    with rehearsing(branching(), config(device="cpu+cpu"), lambda: False) as rehearsal:
        assert isinstance(rehearsal.network, SplitNetwork)


def test_the_memory_of_two_devices_is_added_up_and_both_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = torch.device("cuda:0"), torch.device("cuda:1")
    lying, peak = {first: 100, last: 7}, {first: 150, last: 9}
    waited: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _device: None)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lying.__getitem__)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", peak.__getitem__)
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    allocations = Allocations(first, last)
    allocations.begin()
    assert (allocations.peak_bytes(), allocations.grown_bytes()) == (159, 52)
    marks = [Clock(first, last).mark() for _ in range(2)]
    assert waited == [first, last] * 2
    assert marks[0].event is None
    assert Clock.seconds(*marks) > 0
    assert Allocations(CPU, last).peak_bytes() is None


def test_the_softmax_behind_the_logits_is_no_part_of_a_step() -> None:
    net = edits.insert_after(entry("lenet5").build(), "fc3", Softmax(dim=1))
    assert net.outputs == ("softmax1",)
    assert list(profile_step(net, config(), repetitions=1).nodes) == [i.id for i in net.nodes if i.id != "softmax1"]


def test_the_loss_is_that_of_a_step() -> None:
    outputs = [torch.randn(4, 10), torch.randn(4, 10)]
    target = torch.tensor([1, 2, 3, 4])
    weighed = config(aux_weight=0.3, label_smoothing=0.1)
    expected = sum(
        weight * F.cross_entropy(output, target, label_smoothing=0.1)
        for weight, output in zip((1.0, 0.3), outputs, strict=True)
    )
    torch.testing.assert_close(training_losses(outputs, target, weighed)[1], expected)


def test_steps_of_a_rehearsal_change_no_weight_and_no_random_number_elsewhere() -> None:
    before = torch.get_rng_state()
    with rehearsing(branching(), config(weight_decay=0.1, momentum=0.9), lambda: False) as rehearsal:
        weights = {name: p.detach().clone() for name, p in rehearsal.network.named_parameters()}
        for _ in range(3):
            rehearsal.step(*rehearsal.batch())
            rehearsal.optimization.end_step()
        assert all(torch.equal(weights[name], p) for name, p in rehearsal.network.named_parameters())
    profile_step(dropping(), config(), repetitions=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_data_that_is_not_here_is_replaced_by_the_digits_and_said() -> None:
    found = profile_step(edits.set_input_shape(branching(), 3, 32, 32), config(data="cifar10"), repetitions=1)
    assert found.data == "digits"
    assert "CIFAR-10 is not on this computer" in found.notes[0]


def test_it_ends_at_once_when_cancelled_and_lets_the_next_in() -> None:
    looks: list[None] = []

    def is_cancelled() -> bool:
        looks.append(None)
        return len(looks) > 12

    with pytest.raises(RehearsalCancelled):
        profile_step(branching(), config(), is_cancelled=is_cancelled)
    assert len(looks) == 13
    assert profile_step(branching(), config(), repetitions=1).repetitions == 1


def test_a_run_that_starts_ends_what_is_under_way_and_waits_for_it() -> None:
    is_under_way = threading.Event()
    ends: list[str] = []

    def measure() -> None:
        try:
            profile_step(branching(), config(), repetitions=10**6, progress=lambda *_: is_under_way.set())
        except RehearsalCancelled as error:
            ends.append(str(error))

    thread = threading.Thread(target=measure, name="job")
    thread.start()
    assert is_under_way.wait(30)
    end_rehearsals()
    thread.join(30)
    assert ends == ["Ended, since a run starts."]
    end_rehearsals()


def test_too_little_memory_is_told_with_the_largest_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    net = branching()
    room = memory(net, infer(net), batch_size=9, momentum=RunConfig().momentum).training_bytes
    for module in (profile, fitting):
        monkeypatch.setattr(module, "device_memory", lambda name: DeviceMemory(name, room, room))
    with pytest.raises(
        LacksMemory, match=r"cpu has too little memory for a batch of 64 .*batch_size of 9 or less"
    ) as e:
        profile_step(net, config(batch_size=64))
    assert e.value.fitting_batch_size == 9


def test_what_cannot_be_trained_says_why() -> None:
    everything = [node.id for node in branching().nodes[1:]]
    with pytest.raises(ValueError, match="is frozen"):
        profile_step(frozen(*everything), config())
