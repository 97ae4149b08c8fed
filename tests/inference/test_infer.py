"""Inference: the figures of the documents, faults and repairs, reuse. Random layers meet torch in tests/runtime."""

import random

import pytest

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.inference import arithmetic, changed, infer
from explorer.layers import Category, Conv2d, Flatten, Linear, ReLU
from explorer.zoo.builder import Builder, conv, linear
from tests.inference.random_networks import TYPES, random_layer, random_network
from tests.networks import branching, deep_chain


@pytest.fixture
def lenet() -> Architecture:
    return zoo.entry("lenet5").build()


def test_lenet5_has_the_papers_shapes_and_counts(lenet: Architecture) -> None:
    nodes = infer(lenet).nodes
    shapes = {node_id: nodes[node_id].output_shape for node_id in ("conv1", "pool1", "conv2", "pool2", "flatten")}
    assert shapes == {
        "conv1": (6, 28, 28),
        "pool1": (6, 14, 14),
        "conv2": (16, 10, 10),
        "pool2": (16, 5, 5),
        "flatten": (400,),
    }
    counts = [nodes[node_id].num_parameters for node_id in ("conv1", "conv2", "fc1", "fc2", "fc3")]
    assert counts == [156, 2_416, 48_120, 10_164, 850]


def test_receptive_fields_of_lenet5_are_the_papers(lenet: Architecture) -> None:
    nodes = infer(lenet).nodes
    fields = {node_id: nodes[node_id].receptive_field for node_id in ("conv1", "pool1", "conv2", "pool2", "fc1")}
    assert {node_id: f.size for node_id, f in fields.items() if f} == {
        "conv1": (5, 5),
        "pool1": (6, 6),
        "conv2": (14, 14),
        "pool2": (16, 16),
        "fc1": (32, 32),
    }
    pool2 = fields["pool2"]
    assert pool2 is not None
    assert pool2.stride == (4, 4)


def test_a_fault_stops_what_follows_and_totals_count_up_to_it(lenet: Architecture) -> None:
    broken = edits.set_value(lenet, "conv2", "kernel_size", (15, 15))
    inference = infer(broken)
    assert [issue.node_id for issue in inference.errors] == ["conv2"]
    assert inference.nodes["fc1"].output_shape is None
    assert not inference.totals.complete
    assert inference.totals.num_parameters == 156
    assert inference.errors[0].text.startswith("conv2: kernel_size 15 does not fit the padded 14×14 input")


def test_each_repair_of_a_fault_removes_it(lenet: Architecture) -> None:
    fixed = edits.set_value(lenet, "fc1", "in_features", 400)
    faulty = [
        edits.set_value(lenet, "conv1", "kernel_size", (40, 3)),
        edits.set_value(edits.set_value(lenet, "conv2", "dilation", (9, 9)), "conv2", "padding", (1, 1)),
        edits.set_value(lenet, "conv2", "groups", 5),
        edits.set_value(lenet, "pool1", "padding", (2, 2)),
        edits.set_input_shape(fixed, 1, 28, 28),
        edits.remove(fixed, ["flatten"]),
        edits.set_value(edits.set_value(lenet, "flatten", "start_dim", 3), "flatten", "end_dim", 1),
    ]
    for net in faulty:
        (issue,) = infer(net).errors
        assert issue.repairs
        for repair in issue.repairs:
            assert not any(left.node_id == issue.node_id for left in infer(repair.edit(net)).errors), repair.text


def test_a_skip_of_another_shape_is_projected() -> None:
    net = Builder("residual", 16, 32, 32)
    net.add("conv1", conv(32, 3, 2, 1))
    from explorer.layers import Add

    net.add("add", Add(), after=("conv1", "input"))
    architecture = net.build()
    (issue,) = infer(architecture).errors
    assert issue.repairs[0].text == "project input with 1×1, stride 2"
    repaired = issue.repairs[0].edit(architecture)
    assert infer(repaired).nodes["add"].output_shape == (32, 16, 16)


def test_a_missing_flatten_warns_and_offers_it() -> None:
    net = Builder("no flatten", 3, 8, 8)
    net.add("conv1", conv(4, 3))
    net.add("relu1", ReLU())
    net.add("fc1", linear(10))
    architecture = net.build()
    inference = infer(architecture)
    assert inference.nodes["fc1"].output_shape == (4, 6, 10)
    (issue,) = inference.issues
    assert issue.severity == "warning"
    repaired = issue.repairs[0].edit(architecture)
    assert isinstance(repaired["flatten1"].layer, Flatten)
    assert infer(repaired).nodes["fc1"].output_shape == (10,)
    assert not infer(repaired).issues


def test_unchanged_reports_are_the_same_objects(lenet: Architecture) -> None:
    before = infer(lenet)
    new = edits.set_value(lenet, "fc2", "out_features", 90)
    after = infer(new, before)
    change = changed((lenet, before), (new, after))
    assert change.changed == {"fc2", "tanh4", "fc3"}
    assert not change.structure
    assert after == infer(new)


def test_a_stopped_report_is_reused_too(lenet: Architecture) -> None:
    broken = edits.set_value(lenet, "conv1", "kernel_size", (40, 40))
    first = infer(broken)
    renamed = edits.set_name(broken, "other")
    second = infer(renamed, first)
    assert not changed((broken, first), (renamed, second)).changed


def test_structural_changes_are_told_apart(lenet: Architecture) -> None:
    before = infer(lenet)
    new = edits.remove(lenet, ["tanh1"])
    after = infer(new, before)
    change = changed((lenet, before), (new, after))
    assert change.removed == {"tanh1"}
    assert change.structure
    assert changed(None, (new, after)).added == frozenset(node.id for node in new)


@pytest.mark.parametrize("net", [branching(), deep_chain(60)])
def test_reuse_never_changes_a_result(net: Architecture) -> None:
    inference = infer(net)
    for node in net:
        if isinstance(node.layer, Conv2d):
            for kernel in ((1, 1), (2, 2), (50, 50), (3, 3)):
                net = edits.set_value(net, node.id, "kernel_size", kernel)
                inference = infer(net, inference)
                fresh = infer(net)
                assert [r[:8] for r in inference.nodes.values()] == [r[:8] for r in fresh.nodes.values()]
                assert [i.text for i in inference.issues] == [i.text for i in fresh.issues]


@pytest.mark.parametrize("seed", range(150))
def test_what_is_kept_over_random_edits_is_what_is_worked_out_anew(seed: int) -> None:
    rng = random.Random(seed)
    net = random_network(rng)
    inference = infer(net)
    for _ in range(8):
        edited = _edited(rng, net)
        after = infer(edited, inference)
        assert after == infer(edited)
        change = changed((net, inference), (edited, after))
        both = [node.id for node in edited if node.id in net]
        differing = {i for i in both if inference.nodes[i] != after.nodes[i]}
        assert differing <= change.changed
        assert {i for i in change.changed - differing if edited[i] is net[i]} == set()
        net, inference = edited, after


def _edited(rng: random.Random, net: Architecture) -> Architecture:
    node = rng.choice(net.nodes[1:])
    match rng.randint(0, 5):
        case 0 | 1:
            return edits.set_layer(net, node.id, random_layer(rng, type(node.layer)))
        case 2:
            layer = random_layer(rng, rng.choice(TYPES))
            fits = layer.min_inputs <= len(node.inputs) <= (layer.max_inputs or len(node.inputs))
            return edits.set_layer(net, node.id, layer) if fits else net
        case 3:
            return edits.set_frozen(net, [node.id], not node.frozen) if node.layer.category in _WEIGHTED else net
        case 4:
            outputs = rng.sample([node.id for node in net], min(2, len(net)))
            return edits.set_outputs(net, tuple(outputs))
        case _:
            return edits.set_input_shape(net, rng.randint(1, 6), rng.randint(1, 12), rng.randint(1, 12))


_WEIGHTED = (Category.CONVOLUTION, Category.LINEAR, Category.NORMALIZATION)


def test_arithmetic_results_are_the_reports_numbers() -> None:
    for entry in zoo.entries():
        architecture = entry.build()
        nodes = infer(architecture).nodes
        for node in architecture:
            lines = {
                line.what: line.result for line in arithmetic(nodes[node.id], tuple(nodes[i] for i in node.inputs))
            }
            report = nodes[node.id]
            assert lines.get("parameters", 0) == report.num_parameters
            assert lines.get("multiply-accumulates", 0) == report.macs
            assert lines["output bytes"] == report.output_bytes
            assert report.receptive_field is not None
            if "receptive field" in lines:
                assert lines["receptive field"] == report.receptive_field.height


def test_linear_layers_count_every_position() -> None:
    layer = Linear(out_features=7)
    assert layer.macs(((3, 4, 5),), (3, 4, 7)) == 3 * 4 * 5 * 7
