"""Which way round images and weights lie in memory."""

import pytest
import torch

from explorer import zoo
from explorer.runtime.modules import build_module
from explorer.training.layout import choose_memory_format, set_memory_format
from explorer.zoo.builder import Builder, flatten, linear

LAST, CONTIGUOUS = torch.channels_last, torch.contiguous_format


@pytest.mark.parametrize(
    ("network", "device", "expected"),
    [
        ("lenet5", "cpu", LAST),
        ("resnet20", "cpu", LAST),
        ("lenet5", "cuda", LAST),
        ("alexnet-28", "mps", CONTIGUOUS),
    ],
)
def test_the_layout_follows_from_network_and_device(network: str, device: str, expected: torch.memory_format) -> None:
    assert choose_memory_format(zoo.entry(network).build(), torch.device(device)) is expected


def test_only_convolutions_weights_are_laid_out_anew() -> None:
    network = build_module(zoo.entry("resnet20").build(), seed=0)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    set_memory_format(network, LAST)

    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
        assert value.dim() != 4 or value.is_contiguous(memory_format=LAST)


@pytest.mark.parametrize("network", ["alexnet-28", "lenet5-max-colour"])
@pytest.mark.parametrize("layout", [LAST, CONTIGUOUS])
def test_from_the_first_convolution_on_all_lies_so(network: str, layout: torch.memory_format) -> None:
    """Also behind grey images, which lie both ways at once."""
    module = set_memory_format(build_module(zoo.entry(network).build(), seed=0), layout)
    x = torch.zeros(2, *module.architecture.input_shape).contiguous(memory_format=layout)
    for node in module.trace(x, [node.id for node in module.architecture.nodes[1:]]).values():
        assert node.dim() != 4 or node.is_contiguous(memory_format=layout)


def test_without_a_convolution_nothing_is_laid_out_anew() -> None:
    perceptron = Builder("perceptron", 1, 8, 8)
    perceptron.chain("layers", [flatten(), linear(10)])
    for device in ("cpu", "cuda"):
        assert choose_memory_format(perceptron.build(), torch.device(device)) is CONTIGUOUS
