"""Blocks put into networks: they equal those that the catalogue builds, follow what arrives, and torch runs them."""

import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture, Block, EditRefused, edits
from explorer.architecture.grouping import identical_blocks
from explorer.inference import infer
from explorer.layers import Mul
from explorer.runtime.modules import build_module
from explorer.zoo.blocks import BlockEntry, block_entries, block_entry, last_maps
from explorer.zoo.catalogue import Value
from tests.zoo.conftest import Catalogue

_NETWORKS = (
    "alexnet",
    "lenet5",
    "vgg11",
    "resnet18",
    "googlenet",
    "squeezenet1-0",
    "mobilenet-v2",
    "densenet121",
    "nin",
)


def _new(new: Architecture, old: Architecture) -> list[str]:
    return [node.id for node in new if node.id not in old]


@pytest.mark.parametrize("block", block_entries(), ids=lambda block: block.id)
def test_every_block_is_explained(block: BlockEntry) -> None:
    assert block.idea.endswith(".")
    assert len(block.idea) <= 120
    assert any(character.isdecimal() for character in block.paper)
    assert block_entry(block.id) is block
    assert len({parameter.name for parameter in block.parameters}) == len(block.parameters)


@pytest.mark.parametrize("block", block_entries(), ids=lambda block: block.id)
@pytest.mark.parametrize("network", _NETWORKS)
def test_every_block_fits_every_network(catalogue: Catalogue, network: str, block: BlockEntry) -> None:
    old = catalogue[network].architecture
    new = block.append(old)
    added = _new(new, old)
    assert [node.id for node in new if node.id in old] == [node.id for node in old]
    assert all(node_id.partition(".")[2] for node_id in added)
    blocks = [b for b in new.blocks if b not in old.blocks]
    outer = min(blocks, key=lambda b: len(b.path))
    assert outer.kind == block.kind
    assert all(node_id.startswith(f"{outer.path}.") for node_id in added)
    inference = infer(new)
    # A pooling that halves the maps may leave less than a window behind it needs, which is an issue with repairs.
    if block.id != "vgg-stage":
        assert not inference.errors
    for issue in inference.errors:
        assert issue.node_id in old
        assert issue.repairs


@pytest.mark.parametrize(
    ("block_id", "values"),
    [
        ("residual", {}),
        ("residual", {"channels": 96, "stride": 2}),
        ("bottleneck", {}),
        ("bottleneck", {"width": 5}),
        ("inception", {"conv1x1": 3, "project": 2}),
        ("dense", {"layers": 3, "growth_rate": 7}),
        ("fire", {"squeeze": 4}),
        ("inverted-residual", {}),
        ("inverted-residual", {"channels": 24, "expansion": 1, "stride": 2}),
        ("squeeze-excitation", {"reduction": 1024}),
        ("conv-norm-relu", {"kernel_size": 5, "channels": 9}),
        ("vgg-stage", {"batch_norm": True, "convolutions": 3}),
    ],
)
def test_torch_runs_what_was_inserted(catalogue: Catalogue, block_id: str, values: dict[str, Value]) -> None:
    new = block_entry(block_id).insert(catalogue["alexnet-28"].architecture, "relu2", **values)
    inference = infer(new)
    assert not inference.errors
    with torch.device("meta"):
        network = build_module(new).eval()
        output = network(torch.empty(2, 1, 28, 28))
    assert tuple(output.shape) == (2, 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == inference.totals.num_parameters


@pytest.mark.parametrize(
    ("network", "block_id", "after", "values", "alike"),
    [
        ("resnet18", "residual", "layer2.1.relu", {}, "layer2.1"),
        ("resnet50", "bottleneck", "layer1.2.relu", {}, "layer1.1"),
        ("resnet50", "bottleneck", "layer1.2.relu", {"width": 128, "stride": 2}, "layer2.0"),
        ("googlenet", "inception", "inception5b.concat", {}, "inception3a"),
        ("squeezenet1-0", "fire", "features.12.concat", {}, "features.3"),
        ("mobilenet-v2", "inverted-residual", "features.6.add", {}, "features.6"),
        ("densenet121", "dense", "features.pool0", {}, "features.denseblock1"),
        ("googlenet-torchvision", "conv-norm-relu", "maxpool1", {"channels": 64, "kernel_size": 1}, "conv2"),
    ],
)
def test_inserted_blocks_equal_the_networks_own(
    catalogue: Catalogue, network: str, block_id: str, after: str, values: dict[str, Value], alike: str
) -> None:
    old = catalogue[network].architecture
    new = block_entry(block_id).insert(old, after, **values)
    outer = min((b.path for b in new.blocks if b not in old.blocks), key=len)
    assert any({outer, alike} <= set(paths) for paths in identical_blocks(new))


def test_a_block_behind_a_block_is_counted_on_from_it(catalogue: Catalogue) -> None:
    resnet = catalogue["resnet18"].architecture
    new = block_entry("residual").insert(resnet, "layer2.1.relu")
    assert Block(path="layer2.2", kind="residual block") in new.blocks
    assert new["layer3.0.conv1"].inputs == new["layer3.0.downsample.0"].inputs == ("layer2.2.relu",)
    alexnet = catalogue["alexnet"].architecture
    twice = block_entry("residual").insert(block_entry("residual").insert(alexnet, "pool2"), "pool5")
    assert {block.path for block in twice.blocks} == {"residual1", "residual2"}


def test_shortcuts_are_projected_where_sizes_change(catalogue: Catalogue) -> None:
    alexnet = catalogue["alexnet"].architecture
    same = block_entry("residual").insert(alexnet, "relu3")
    assert "residual1.downsample.0" not in same
    halved = block_entry("residual").insert(alexnet, "relu3", stride=2)
    assert infer(halved).nodes["residual1.relu"].output_shape == (384, 7, 7)
    assert "residual1.downsample.0" in halved


def test_squeeze_and_excitation_multiplies(catalogue: Catalogue) -> None:
    """By hand: 384·24 + 24 and 24·384 + 384 parameters (Hu et al. 2017, section 3)."""
    new = block_entry("squeeze-excitation").insert(catalogue["alexnet"].architecture, "relu3")
    assert isinstance(new["se1.scale"].layer, Mul)
    assert new["se1.scale"].inputs == ("se1.scale_activation", "relu3")
    inference = infer(new)
    assert inference.nodes["se1.scale_activation"].output_shape == (384, 1, 1)
    assert inference.nodes["se1.scale"].output_shape == (384, 13, 13)
    added = inference.totals.num_parameters - catalogue["alexnet"].inference.totals.num_parameters
    assert added == 384 * 24 + 24 + 24 * 384 + 384


@pytest.mark.parametrize(
    ("network", "maps"),
    [
        ("alexnet", "pool5"),
        ("vgg11", "features.20"),
        ("resnet18", "layer4.1.relu"),
        ("squeezenet1-0", "features.12.concat"),
        ("shufflenet-v2-1-0", "conv5.2"),
        ("lenet5-1998", "s4_tanh"),
        ("inception-compared", "naive.concat"),
        ("lenet5-max", "features.3"),
        ("googlenet", "inception5b.concat"),
    ],
)
def test_the_last_maps(catalogue: Catalogue, network: str, maps: str) -> None:
    assert last_maps(catalogue[network].architecture) == maps


def test_a_network_grows_from_its_input() -> None:
    net = edits.remove(zoo.entry("lenet-plain").build(), ["flatten", *(f"layer3.fc{i}" for i in (1, 2, 3))])
    net = edits.remove(net, ["layer1.conv1", "layer1.pool1", "layer2.conv2", "layer2.pool2"])
    assert len(net) == 1
    net = block_entry("vgg-stage").append(net, channels=8)
    net = block_entry("vgg-stage").append(net)
    net = block_entry("residual").append(net)
    inference = infer(net)
    assert not inference.errors
    assert inference.nodes[net.outputs[0]].output_shape == (16, 7, 7)
    assert [block.path for block in net.blocks] == ["stage1", "stage2", "residual1"]


def test_what_cannot_be_inserted_says_why(catalogue: Catalogue) -> None:
    resnet = catalogue["resnet18"].architecture
    with pytest.raises(EditRefused, match="a residual block works on feature maps C×H×W; fc makes 1000"):
        block_entry("residual").insert(resnet, "fc")
    with pytest.raises(EditRefused, match="'fc9' is not in ResNet-18"):
        block_entry("residual").insert(resnet, "fc9")
    with pytest.raises(EditRefused, match=r"stage1\.pool does not take what is left of 512×1×1 there"):
        block_entry("vgg-stage").insert(resnet, "avgpool")
    broken = edits.set_value(resnet, "layer1.0.conv1", "in_channels", 5)
    with pytest.raises(EditRefused, match=r"what layer4\.1\.relu makes is unknown; mend the fault before it first"):
        block_entry("residual").insert(broken, "layer4.1.relu")
    with pytest.raises(ValueError, match="residual has no parameter 'widths'; it has channels, stride"):
        block_entry("residual").insert(resnet, "maxpool", widths=3)
    with pytest.raises(ValueError, match="stride received 3; use 1 or 2"):
        block_entry("residual").insert(resnet, "maxpool", stride=3)
    with pytest.raises(ValueError, match="unknown block 'residuals'; did you mean residual"):
        block_entry("residuals")
