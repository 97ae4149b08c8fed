"""What a drop makes of a network: checked by torch where it works, and by what is said where it cannot."""

import pytest
import torch

from explorer.architecture import Architecture, edits
from explorer.architecture.folding import folded_by_default, shown
from explorer.inference import infer
from explorer.layers import Add, BatchNorm2d, Linear, ReLU
from explorer.runtime.modules import build_module
from explorer.session import Snapshot
from explorer.session.dragging import Dragged, DraggedBlock
from explorer.session.placing import Place, Placed, Refused, behind, on_wire, place
from explorer.zoo import entry
from explorer.zoo.blocks import block_entries, block_entry


def _snapshot(architecture: Architecture) -> Snapshot:
    return Snapshot(architecture, infer(architecture))


def _block(block_id: str, **values: int) -> DraggedBlock:
    return DraggedBlock(block_entry(block_id), values)


@pytest.fixture(scope="module")
def resnet() -> Snapshot:
    return _snapshot(entry("resnet18").build())


@pytest.fixture(scope="module")
def lenet() -> Snapshot:
    return _snapshot(entry("lenet5").build())


@pytest.mark.parametrize("block_id", [block.id for block in block_entries()])
@pytest.mark.parametrize("where", [Place("conv1"), Place("tanh1", 0)], ids=["node", "wire"])
def test_every_block_goes_behind_a_node_and_on_a_wire_and_torch_runs_it(
    lenet: Snapshot, block_id: str, where: Place
) -> None:
    placed = place(lenet, _block(block_id), where)
    assert isinstance(placed, Placed)
    model = build_module(placed.architecture)
    assert sum(p.numel() for p in model.parameters()) == placed.inference.totals.num_parameters
    assert model.eval()(torch.zeros(1, 1, 32, 32)).shape == (1, 10)
    assert placed.architecture["tanh1"].inputs == (placed.added[-1],)
    assert placed.arriving == (6, 28, 28)


def test_behind_a_node_all_readers_read_the_block_and_on_a_wire_one(resnet: Snapshot) -> None:
    after_node = place(resnet, _block("residual"), Place("maxpool"))
    on_one_wire = place(resnet, _block("residual"), Place("layer1.0.conv1", 0))
    assert isinstance(after_node, Placed)
    assert isinstance(on_one_wire, Placed)
    assert "maxpool" not in after_node.architecture["layer1.0.add"].inputs
    assert "maxpool" in on_one_wire.architecture["layer1.0.add"].inputs
    assert after_node.text == "Insert Residual block after maxpool"
    assert on_one_wire.text == "Insert Residual block before layer1.0.conv1"


def test_a_layer_on_a_wire_between_blocks_is_read_by_all_that_read_the_source() -> None:
    network = entry("resnet50").build()
    found = shown(network, folded_by_default(network) - {"layer3"})
    link, stands_for = next((k, v) for k, v in found.links.items() if k[:2] == ("layer3.1", "layer3.2"))
    assert len(stands_for) == 2, "the branch and the shortcut"
    where = on_wire(network, *link, stands_for)
    assert where is not None
    placed = place(_snapshot(network), ReLU, where)
    assert isinstance(placed, Placed)
    assert placed.text == "Insert ReLU after layer3.1"
    (added,) = placed.added
    assert added.startswith("layer3.")
    assert added.count(".") == 1, "beside the blocks, not in one"
    assert placed.architecture[added].inputs == ("layer3.1.relu",)
    assert placed.architecture["layer3.2.conv1"].inputs == (added,)
    assert added in placed.architecture["layer3.2.add"].inputs


@pytest.mark.parametrize("block_id", ["fire", "inception"])
def test_widths_follow_what_arrives_where_the_defaults_would_break_a_sum(resnet: Snapshot, block_id: str) -> None:
    placed = place(resnet, _block(block_id), Place("layer1.0.add", 0))
    assert isinstance(placed, Placed)
    assert (placed.arriving, placed.leaving) == ((64, 56, 56), (64, 56, 56))
    assert placed.inference.errors == ()


def test_chosen_values_are_kept_and_refused_with_both_shapes_and_what_fits(resnet: Snapshot) -> None:
    refused = place(resnet, _block("fire", squeeze=16, expand=64), Place("layer1.0.add", 0))
    assert isinstance(refused, Refused)
    assert "128×56×56 and 64×56×56" in refused.why
    assert refused.would_fit.startswith("What fits there: Residual block")
    for other in block_entries():
        if other.title in refused.would_fit:
            assert isinstance(place(resnet, DraggedBlock(other, {}), Place("layer1.0.add", 0)), Placed)


def test_a_vector_is_refused_with_the_node_that_would_fit(lenet: Snapshot) -> None:
    refused = place(lenet, _block("residual"), Place("fc1"))
    assert isinstance(refused, Refused)
    assert "fc1 makes 120" in refused.why
    assert refused.would_fit == "It fits behind pool2, which makes 16×5×5."
    assert isinstance(place(lenet, _block("residual"), Place("pool2")), Placed)


def test_maps_of_one_pixel_are_refused_by_what_pools_and_the_last_larger_ones_are_named(resnet: Snapshot) -> None:
    refused = place(resnet, _block("vgg-stage"), Place("avgpool"))
    assert isinstance(refused, Refused)
    assert "512×1×1" in refused.why
    assert "layer4.1.relu, which makes 512×7×7" in refused.would_fit


def test_a_value_out_of_range_is_refused(lenet: Snapshot) -> None:
    refused = place(lenet, _block("fire", squeeze=0), Place("conv1"))
    assert isinstance(refused, Refused)
    assert "squeeze received 0" in refused.text


def test_layers_take_values_that_fit_and_a_misfit_is_placed_with_its_issue(lenet: Snapshot) -> None:
    placed = place(lenet, BatchNorm2d, Place("tanh1", 0))
    assert isinstance(placed, Placed)
    assert placed.architecture[placed.added[0]].inputs == ("conv1",)
    assert placed.issue == ""
    misfit = place(lenet, BatchNorm2d, Place("fc1"))
    assert isinstance(misfit, Placed)
    assert misfit.issue == infer(misfit.architecture).errors[0].text
    assert isinstance(place(lenet, Linear, Place("fc3")), Placed)


def test_a_merge_is_refused_and_says_how(lenet: Snapshot) -> None:
    refused = place(lenet, Add, Place("conv1"))
    assert isinstance(refused, Refused)
    assert "select two nodes" in refused.would_fit


def test_faults_that_were_there_before_refuse_nothing() -> None:
    broken = _snapshot(edits.set_value(entry("lenet5").build(), "conv2", "kernel_size", (99, 99)))
    assert isinstance(place(broken, _block("residual"), Place("conv1")), Placed)
    refused = place(broken, _block("residual"), Place("pool2"))
    assert isinstance(refused, Refused)
    assert "what pool2 makes is unknown" in refused.why


def test_a_block_drawn_as_one_stands_for_its_end_and_its_reader(resnet: Snapshot) -> None:
    architecture = resnet.architecture
    end = behind(architecture, "layer1.0")
    assert end == Place("layer1.0.relu", beside="layer1.0")
    assert behind(architecture, "no such block") is None
    assert on_wire(architecture, "layer4", "avgpool", 0) == Place("avgpool", 0, "layer4")
    # The block's convolution and its shortcut read what arrives: the wire is theirs together, behind its source.
    assert on_wire(architecture, "layer1.0", "layer1.1", 0) == end
    assert on_wire(architecture, "maxpool", "layer1.0", 0) == Place("maxpool", beside="maxpool")
    assert on_wire(architecture, "conv1", "layer1.0", 0) is None


@pytest.mark.parametrize("what", [BatchNorm2d, _block("fire", expand=32)], ids=["layer", "block"])
def test_behind_a_block_drawn_as_one_it_stands_outside(resnet: Snapshot, what: Dragged) -> None:
    where = behind(resnet.architecture, "layer1.0")
    assert where is not None
    placed = place(resnet, what, where)
    assert isinstance(placed, Placed)
    assert not any(node_id.startswith("layer1.0.") for node_id in placed.added)
    assert all(node_id.startswith("layer1.") for node_id in placed.added)
    assert placed.issue == ""
