"""What of a file fits a network: by name, under other names, in order; and what is made of it."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.layers import BatchNorm2d
from explorer.runtime import pretrained
from explorer.runtime.modules import NotRunnable, build_module
from explorer.runtime.weights import carry_weights, load_weights, write_tensors
from explorer.runtime.weights_files import StateDict, read_state_dict
from explorer.runtime.weights_matching import apply, compare
from explorer.runtime.weights_report import WeightsReport
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, linear
from tests.networks import branching


def trained(architecture: Architecture, seed: int = 5) -> dict[str, Tensor]:
    """Weights and statistics that differ from any initial ones."""
    network = build_module(architecture, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
    return network.state_dict()


def state(tensors: Mapping[str, Tensor], is_ordered: bool = True) -> StateDict:
    return StateDict(dict(tensors), is_ordered)


def outcomes(report: WeightsReport) -> dict[str, str]:
    return {node.node_id: node.outcome for node in report.nodes if node.outcome != "taken"}


def text(report: WeightsReport, node_id: str) -> str:
    return next(node.text for node in report.nodes if node.node_id == node_id)


def assert_same_outputs(
    architecture: Architecture, tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> None:
    """A network that loads `tensors` computes what one with `wanted` does."""
    ours, theirs = build_module(architecture, seed=1), build_module(architecture, seed=2)
    assert not carry_weights(tensors, ours).reinitialised
    theirs.load_state_dict(dict(wanted), strict=True)
    x = torch.rand(2, *architecture.input_shape)
    with torch.no_grad():
        a, b = ours.eval()(x), theirs.eval()(x)
    assert all(
        torch.equal(one, other)
        for one, other in zip(*((v if isinstance(v, tuple) else (v,)) for v in (a, b)), strict=True)
    )


def test_a_checkpoint_from_elsewhere_with_prefixes_and_without_counts(tmp_path: Path) -> None:
    # The form of a well-known repository of CIFAR ResNets: DataParallel's prefix, torch 0.3's batch norms.
    architecture = zoo.entry("resnet20").build(width=4)
    wanted = trained(architecture)
    content = {f"module.{key}": value for key, value in wanted.items() if "num_batches" not in key}
    torch.save({"state_dict": content, "best_prec1": 91.78}, tmp_path / "resnet20.th")
    found = read_state_dict(tmp_path / "resnet20.th")
    report = compare(architecture, found)
    assert report.is_whole
    assert report.matching == "name"
    assert report.by_order is None
    assert "Names in the file begin with 'module.', which is left out." in report.notes
    tensors = apply(found, report)
    assert set(tensors) == set(wanted)
    write_tensors(tensors, tmp_path / "start.safetensors")
    assert_same_outputs(architecture, load_weights(tmp_path / "start.safetensors"), wanted)


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "backbone.", "model.net.body."]
)
def test_wrappers_are_seen_through(prefix: str) -> None:
    wanted = trained(branching())
    found = state({f"{prefix}{key}": value for key, value in wanted.items()})
    report = compare(branching(), found)
    assert report.is_whole
    assert report.notes == (f"Names in the file begin with {prefix!r}, which is left out.",)
    assert_same_outputs(branching(), apply(found, report), wanted)


def test_other_things_beside_a_wrapped_model_are_left_over() -> None:
    found = state(
        {f"model.{key}": value for key, value in trained(branching()).items()} | {"loss.weight": torch.ones(3)}
    )
    report = compare(branching(), found)
    assert not outcomes(report)
    assert [(u.name, u.shape, u.text) for u in report.unused] == [
        ("loss.weight", (3,), "the network has no layer loss with weights")
    ]
    assert report.summary.endswith("1 tensor of the file is left over.")
    assert not report.is_whole


def test_an_own_layer_may_be_called_as_wrappers_are() -> None:
    net = Builder("named", 3, 4, 4)
    net.add("model.module", conv(2, 1))
    architecture = net.build()
    report = compare(architecture, state(trained(architecture)))
    assert report.is_whole
    assert report.notes == ()


@pytest.mark.parametrize("network", ["densenet121", "convnext-tiny"])
def test_torchvisions_own_names_are_translated(network: str) -> None:
    entry = zoo.entry(network)
    assert entry.pretrained is not None
    small = {"densenet121": {"growth_rate": 2}, "convnext-tiny": {"width": 4}}[network]
    architecture = entry.build(**small)
    wanted = trained(architecture)
    theirs = {}
    for key, value in wanted.items():
        for there, here in entry.pretrained.renamed:
            key = key.replace(here, there)  # noqa: PLW2901
        theirs[key] = value
    assert set(theirs) != set(wanted)
    found = state(theirs)
    report = compare(architecture, found)
    assert report.is_whole
    assert any("torchvision" in note for note in report.notes)
    assert apply(found, report).keys() == wanted.keys()
    assert all(torch.equal(value, wanted[key]) for key, value in apply(found, report).items())
    assert compare(architecture, state(wanted)).notes == ()


def test_another_number_of_classes_leaves_the_heads_fresh() -> None:
    architecture = zoo.entry("googlenet-torchvision").build(classes=7, auxiliary_heads=True)
    with torch.device("meta"):
        published = build_module(zoo.entry("googlenet-torchvision").build(auxiliary_heads=True)).state_dict()
    report = compare(architecture, StateDict({k: torch.zeros(v.shape) for k, v in published.items()}, True))
    assert outcomes(report) == {"fc": "fresh", "aux1.fc2": "fresh", "aux2.fc2": "fresh"}
    assert text(report, "fc") == "7 scores here and 1,000 in the file: it starts anew"
    assert report.unused == ()
    assert "fc, aux1.fc2 and aux2.fc2, for another number of classes, start anew." in report.summary


def test_the_fresh_head_keeps_what_it_was_initialised_with() -> None:
    ten = zoo.entry("resnet20").build(width=4)
    hundred = zoo.entry("resnet20").build(width=4, classes=100)
    found = state(trained(ten))
    report = compare(hundred, found)
    assert outcomes(report) == {"linear": "fresh"}
    network = build_module(hundred, seed=3)
    initial = {key: value.clone() for key, value in network.state_dict().items()}
    assert set(carry_weights(apply(found, report), network).reinitialised) == {"linear"}
    loaded = network.state_dict()
    assert torch.equal(loaded["linear.weight"], initial["linear.weight"])
    assert all(torch.equal(loaded[key], found.tensors[key]) for key in loaded if not key.startswith("linear"))


def test_reasons_why_layers_do_not_fit() -> None:
    wanted = trained(branching())
    changed = edits.set_value(branching(), "aux.conv", "kernel_size", 5)
    found = dict(wanted)
    found["stem.conv.bias"] = torch.zeros(8)
    del found["mixed.left.bias"]
    del found["layer1.0.conv1.weight"]
    found["layer1.0.norm1.weight"] = torch.ones(8, dtype=torch.int8)
    found["fc.weight"] = found["fc.weight"][:, :3]
    found["pool.scale"] = torch.ones(1)
    report = compare(changed, state(found))
    assert outcomes(report) == {
        "stem.conv": "misfit",
        "layer1.0.conv1": "missing",
        "layer1.0.norm1": "misfit",
        "mixed.left": "missing",
        "fc": "misfit",
        "aux.conv": "misfit",
    }
    assert "the file has a bias for stem.conv too" in text(report, "stem.conv")
    assert text(report, "layer1.0.conv1") == "the file has nothing of this name"
    assert "stored as int8" in text(report, "layer1.0.norm1")
    assert text(report, "mixed.left") == "mixed.left.bias is not in the file"
    assert text(report, "fc") == "fc.weight is 10×48 here and 10×3 in the file"
    assert text(report, "aux.conv") == "aux.conv.weight is 5×8×5×5 here and 5×8×3×3 in the file"
    assert {u.name: u.text for u in report.unused} == {
        "stem.conv.bias": "stem.conv has no bias here",
        "pool.scale": "the network has no layer pool with weights",
    }
    assert set(apply(state(found), report)) == {key for key in wanted if key.startswith(("stem.norm", "aux.fc"))}
    assert report.summary == (
        "2 of 8 layers take weights from the file. stem.conv, layer1.0.conv1 and 4 more start anew. "
        "2 tensors of the file are left over."
    )


def other_names(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    modules = {key: i for i, key in enumerate(dict.fromkeys(key.rpartition(".")[0] for key in tensors))}
    return {f"part{modules[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": value for key, value in tensors.items()}


def test_names_that_say_nothing_are_offered_in_order() -> None:
    wanted = trained(branching())
    found = state(other_names(wanted))
    report = compare(branching(), found)
    assert not report.taken
    assert report.summary == "No layer takes anything from the file. Paired in order, they fit."
    offer = report.by_order
    assert offer is not None
    assert offer.matching == "order"
    assert offer.is_whole
    assert "paired in order and not by name" in offer.summary
    assert text(offer, "stem.norm") == "takes part1"
    assert_same_outputs(branching(), apply(found, offer), wanted)
    assert apply(found, report) == {}


def test_a_sequential_network_of_ones_own_is_read_in_order() -> None:
    net = Builder("own names", 3, 8, 8)
    net.add("first", conv(4, 3))
    net.add("norm", BatchNorm2d())
    net.add("pool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("scores", linear(2))
    architecture = net.build()
    theirs = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )
    found = state(theirs.state_dict())
    offer = compare(architecture, found).by_order
    assert offer is not None
    ours = build_module(architecture, seed=0)
    carry_weights(apply(found, offer), ours)
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(ours.eval()(x), theirs.eval()(x))
    three = compare(edits.set_value(architecture, "scores", "out_features", 3), found).by_order
    assert three is not None
    assert outcomes(three) == {"scores": "fresh"}


def test_nothing_is_offered_in_order_without_an_order_or_where_shapes_or_roles_disagree() -> None:
    wanted = other_names(trained(branching()))
    assert compare(branching(), state(wanted, is_ordered=False)).by_order is None
    names = list(wanted)
    swapped = {
        ("part1.bias" if n == "part1.weight" else "part1.weight" if n == "part1.bias" else n): wanted[n] for n in names
    }
    assert compare(branching(), state(swapped)).by_order is None
    assert compare(branching(), state({n: wanted[n] for n in names[:-1]})).by_order is None
    assert compare(branching(), state({n: wanted[n] for n in reversed(names)})).by_order is None


def test_number_formats_and_broken_values_are_noted() -> None:
    wanted = trained(branching())
    half = {key: value.half() if value.is_floating_point() else value for key, value in wanted.items()}
    half["fc.bias"] = torch.full((10,), torch.nan)
    found = state(half)
    report = compare(branching(), found)
    assert report.notes == (
        "Stored as float16 in the file; used as float32 here.",
        "Values that are infinite or no numbers are in fc.bias.",
    )
    tensors = apply(found, report)
    assert {str(value.dtype) for value in tensors.values()} == {"torch.float32", "torch.int64"}
    assert torch.equal(tensors["stem.conv.weight"], wanted["stem.conv.weight"].half().float())


def test_tied_and_strided_tensors_become_each_layers_own(tmp_path: Path) -> None:
    net = Builder("tied", 2, 4, 4)
    net.add("a", conv(2, 1, bias=False))
    net.add("b", conv(2, 1, bias=False))
    shared = torch.rand(2, 2, 1, 1).to(memory_format=torch.channels_last)
    found = state({"a.weight": shared, "b.weight": shared})
    tensors = apply(found, compare(net.build(), found))
    write_tensors(tensors, tmp_path / "w.safetensors")
    loaded = load_weights(tmp_path / "w.safetensors")
    assert torch.equal(loaded["a.weight"], shared)
    assert torch.equal(loaded["b.weight"], shared)


def test_a_report_is_of_one_file() -> None:
    report = compare(branching(), state(trained(branching())))
    with pytest.raises(ValueError, match=r"stem\.conv\.weight: not the file that was compared"):
        apply(state({}), report)


def test_comparing_needs_a_sound_network_and_leaves_torchs_random_state_alone() -> None:
    before = torch.get_rng_state()
    compare(branching(), state({}))
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(NotRunnable, match=r"aux\.conv"):
        compare(edits.set_value(branching(), "aux.conv", "kernel_size", 99), state({}))
    net = Builder("nothing to learn", 3, 4, 4)
    net.add("flatten", flatten())
    report = compare(net.build(), state({"x": torch.ones(1)}))
    assert report.summary == "The network has no weights."
    assert report.unused[0].text == "the network has nothing of this name"


def test_auxiliary_heads_that_nobody_trained_are_named() -> None:
    architecture = zoo.entry("googlenet-torchvision").build(auxiliary_heads=True)
    given = trained(architecture)
    assert compare(architecture, state(given)).notes == ()
    for name, value in given.items():
        if name.startswith("aux") and name.endswith("running_mean"):
            value.zero_()
        if name.startswith("aux") and name.endswith("running_var"):
            value.fill_(1)
    report = compare(architecture, state(given))
    (note,) = report.notes
    assert note.startswith("Never trained in the file")
    assert "aux1.conv.bn, aux2.conv.bn." in note
    known = pretrained.details(zoo.entry("googlenet-torchvision"))
    said = pretrained.with_notes(report, known)
    assert said.notes == (
        "torchvision never trained aux1 and aux2: the file holds random numbers for them. Train them before their "
        "scores are used.",
    )
    assert text(said, "aux1.fc1") == "fits, but was never trained"
    assert text(said, "fc") == "fits"
    plain = zoo.entry("googlenet-torchvision").build()
    without = compare(plain, state(given))
    assert pretrained.with_notes(without, known) == without
