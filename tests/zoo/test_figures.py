"""Every figure that the sources print for the catalogue's networks: counts, costs, layers, shapes; and torch's."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from explorer import zoo
from explorer.inference import infer
from explorer.layers import Conv2d, Linear, MaxPool2d, Shape
from tests.zoo.conftest import Catalogue

_ROWS: list[tuple[str, Shape, int, int | None]] = [
    ("lenet5", (1, 32, 32), 61_706, 416_520),
    ("lenet5-1998", (1, 32, 32), 60_000, None),
    ("lenet5-tanh84", (1, 32, 32), 60_856, 415_680),
    ("lenet-plain", (1, 28, 28), 61_610, 341_256),
    ("lenet5-max", (1, 32, 32), 61_706, 416_520),
    ("lenet5-max-colour", (3, 32, 32), 62_006, 651_720),
    ("lenet5-relu-dropout", (1, 28, 28), 61_706, 416_520),
    ("alexnet", (3, 227, 227), 60_965_224, 724_406_816),
    ("alexnet-one-tower", (3, 227, 227), 62_378_344, 1_135_256_096),
    ("alexnet-two-towers", (3, 227, 227), 60_965_224, 724_406_816),
    ("alexnet-torchvision", (3, 224, 224), 61_100_840, 714_188_480),
    ("alexnet-d2l", (1, 224, 224), 46_764_746, 938_146_176),
    ("alexnet-28", (1, 28, 28), 2_466_250, 44_948_736),
    ("alexnet-bn", (3, 227, 227), 58_323_018, None),
    ("vgg11", (3, 224, 224), 132_863_336, 7_609_090_048),
    ("vgg13", (3, 224, 224), 133_047_848, 11_308_466_176),
    ("vgg16", (3, 224, 224), 138_357_544, 15_470_264_320),
    ("vgg19", (3, 224, 224), 143_667_240, 19_632_062_464),
    ("vgg11-bn", (3, 224, 224), 132_868_840, 7_609_090_048),
    ("vgg13-bn", (3, 224, 224), 133_053_736, 11_308_466_176),
    ("vgg16-bn", (3, 224, 224), 138_365_992, 15_470_264_320),
    ("vgg19-bn", (3, 224, 224), 143_678_248, 19_632_062_464),
    ("googlenet", (3, 224, 224), 6_998_552, None),
    ("googlenet-torchvision", (3, 224, 224), 6_624_904, 1_498_376_192),
    ("resnet18", (3, 224, 224), 11_689_512, 1_814_073_344),
    ("resnet34", (3, 224, 224), 21_797_672, 3_663_761_408),
    ("resnet50", (3, 224, 224), 25_557_032, 4_089_184_256),
    ("resnet101", (3, 224, 224), 44_549_160, 7_801_405_440),
    ("resnet152", (3, 224, 224), 60_192_808, 11_513_626_624),
    ("resnet20", (3, 32, 32), 269_722, None),
    ("resnet32", (3, 32, 32), 464_154, None),
    ("resnet44", (3, 32, 32), 658_586, None),
    ("resnet56", (3, 32, 32), 853_018, None),
    ("resnet110", (3, 32, 32), 1_727_962, None),
    ("plain20", (3, 32, 32), 269_722, None),
    ("plain56", (3, 32, 32), 853_018, None),
    ("densenet121", (3, 224, 224), 7_978_856, 2_834_161_664),
    ("densenet161", (3, 224, 224), 28_681_000, 7_727_907_072),
    ("densenet169", (3, 224, 224), 14_149_480, 3_359_843_328),
    ("densenet201", (3, 224, 224), 20_013_928, 4_291_365_888),
    ("nin-cifar", (3, 32, 32), 966_986, None),
]


@pytest.mark.parametrize(("network", "shape", "num_parameters", "macs"), _ROWS, ids=[row[0] for row in _ROWS])
def test_figures(catalogue: Catalogue, network: str, shape: Shape, num_parameters: int, macs: int | None) -> None:
    architecture, inference = catalogue[network]
    assert architecture.input_shape == shape
    assert inference.totals.num_parameters == num_parameters
    assert macs is None or inference.totals.macs == macs


def _weights(catalogue: Catalogue, network: str) -> list[int]:
    """Parameters of each layer that has any, in order."""
    return [report.num_parameters for report in catalogue[network].inference.nodes.values() if report.num_parameters]


_CLASSIFIER = [37_752_832, 16_781_312]

_LAYERS: dict[str, list[int]] = {
    "lenet5": [156, 2_416, 48_120, 10_164, 850],
    "lenet5-1998": [156, 12, 1_516, 32, 48_120, 10_164],
    "alexnet-one-tower": [34_944, 614_656, 885_120, 1_327_488, 884_992, *_CLASSIFIER, 4_097_000],
    # Trained values: the source's 384 and 1,024 have the running statistics with them.
    "alexnet-bn": [34_944, 192, 614_656, 512, 885_120, 1_327_488, 884_992, *_CLASSIFIER, 40_970],
}


@pytest.mark.parametrize("network", _LAYERS)
def test_parameters_of_each_layer(catalogue: Catalogue, network: str) -> None:
    assert _weights(catalogue, network) == _LAYERS[network]


def test_running_statistics(catalogue: Catalogue) -> None:
    totals = catalogue["alexnet-bn"].inference.totals
    assert totals.num_buffers == 704
    assert totals.num_parameters + totals.num_buffers == 58_323_722
    norms = [r for r in catalogue["alexnet-bn"].inference.nodes.values() if r.num_buffers]
    assert [(r.num_parameters or 0) + (r.num_buffers or 0) for r in norms] == [384, 1_024]


_SIDES: dict[str, list[int]] = {
    "alexnet-one-tower": [55, 27, 27, 13, 13, 13, 13, 6],
    "alexnet": [55, 27, 27, 13, 13, 13, 13, 6],
    "alexnet-d2l": [54, 26, 26, 12, 12, 12, 12, 5],
    "alexnet-28": [14, 12, 12, 12, 12, 5],
    "alexnet-bn": [57, 28, 28, 13, 13, 13, 13, 6],
    "zfnet": [110, 55, 26, 13, 13, 13, 13, 6],
}


@pytest.mark.parametrize("network", _SIDES)
def test_sides_behind_each_convolution_and_pooling(catalogue: Catalogue, network: str) -> None:
    reports = catalogue[network].inference.nodes.values()
    shapes = [r.output_shape for r in reports if isinstance(r.layer, Conv2d | MaxPool2d) and r.output_shape]
    assert [height for _, height, _ in shapes] == [width for _, _, width in shapes] == _SIDES[network]


@pytest.mark.parametrize(
    ("network", "features"),
    [("alexnet-d2l", 6_400), ("alexnet-28", 1_600), ("alexnet-bn", 9_216), ("alexnet", 9_216), ("vgg16", 25_088)],
)
def test_features_behind_the_flatten(catalogue: Catalogue, network: str, features: int) -> None:
    assert catalogue[network].inference.nodes["flatten"].output_shape == (features,)


def test_maps_of_lenet5(catalogue: Catalogue) -> None:
    nodes = catalogue["lenet5"].inference.nodes
    shapes = [nodes[node_id].output_shape for node_id in ("conv1", "pool1", "conv2", "pool2")]
    assert shapes == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]


@pytest.mark.parametrize("network", ["googlenet", "googlenet-torchvision"])
def test_channels_behind_each_inception_block(catalogue: Catalogue, network: str) -> None:
    nodes = catalogue[network].inference.nodes
    blocks = {"3a": 256, "3b": 480, "4a": 512, "4b": 512, "4c": 512, "4d": 528, "4e": 832, "5a": 832, "5b": 1024}
    for name, channels in blocks.items():
        shape = nodes[f"inception{name}.concat"].output_shape
        assert shape is not None
        assert shape[0] == channels


def test_inception_a_makes_256_channels(catalogue: Catalogue) -> None:
    architecture, inference = catalogue["inception-a"]
    assert inference.nodes[architecture.outputs[0]].output_shape == (256, 35, 35)


def test_reductions_make_the_inception_block_cheaper(catalogue: Catalogue) -> None:
    naive, reduced = (catalogue[f"inception-{kind}"].inference.totals for kind in ("naive", "reduced"))
    both = catalogue["inception-compared"].inference.totals
    assert both.macs == naive.macs + reduced.macs
    assert both.num_parameters == naive.num_parameters + reduced.num_parameters
    assert reduced.macs * 2 < naive.macs


def test_alexnet_has_650_000_neurons(catalogue: Catalogue) -> None:
    reports = catalogue["alexnet"].inference.nodes.values()
    neurons = sum(r.output_bytes or 0 for r in reports if isinstance(r.layer, Conv2d | Linear)) // 4
    assert 650_000 < neurons < 660_000


@pytest.mark.parametrize(
    ("network", "switch", "num_parameters"),
    [
        ("googlenet", "auxiliary_heads", 13_378_280),
        ("googlenet-torchvision", "auxiliary_heads", 13_004_888),
        ("inception-v3", "auxiliary_head", 27_161_264),
    ],
)
def test_auxiliary_heads(network: str, switch: str, num_parameters: int) -> None:
    architecture = zoo.entry(network).build(**{switch: True})
    inference = infer(architecture)
    assert inference.totals.num_parameters == num_parameters
    assert not inference.errors
    assert {inference.nodes[node_id].output_shape for node_id in architecture.outputs} == {(1000,)}
    assert architecture.outputs[0] == "fc"


# torch counts the kernels that PartialConv2d fills with zeros; the paper and we count the connections that there are.
_COUNTED = [entry.id for entry in zoo.entries() if entry.id != "lenet5-1998"]


@pytest.mark.parametrize("network", _COUNTED)
def test_torch_counts_twice_as_many_operations_as_macs(catalogue: Catalogue, network: str) -> None:
    architecture, inference = catalogue[network]
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        catalogue.module(network)(torch.empty(1, *architecture.input_shape, device="meta"))
    assert counter.get_total_flops() == 2 * inference.totals.macs
