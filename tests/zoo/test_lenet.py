"""The LeNet rows of the catalogue, figure by figure."""

import pytest

from explorer import zoo
from explorer.inference import infer

_ROWS = [
    ("lenet5", (1, 32, 32), 61_706, 416_520),
    ("lenet5-tanh84", (1, 32, 32), 60_856, 415_680),
    ("lenet-plain", (1, 28, 28), 61_610, 341_256),
    ("lenet5-max", (1, 32, 32), 61_706, 416_520),
    ("lenet5-max-colour", (3, 32, 32), 62_006, 651_720),
    ("lenet5-relu-dropout", (1, 28, 28), 61_706, 416_520),
]


@pytest.mark.parametrize(("network", "shape", "num_parameters", "macs"), _ROWS)
def test_figures(network: str, shape: tuple[int, ...], num_parameters: int, macs: int) -> None:
    architecture = zoo.entry(network).build()
    inference = infer(architecture)
    assert architecture.input_shape == shape
    assert inference.totals.num_parameters == num_parameters
    assert inference.totals.macs == macs
    assert inference.totals.complete
    assert not inference.issues


def test_logits_and_probabilities() -> None:
    architecture = zoo.entry("lenet5-max").build()
    shapes = [infer(architecture).nodes[output].output_shape for output in architecture.outputs]
    assert shapes == [(10,), (10,)]


def test_unknown_networks_name_near_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown network 'lenet6'; did you mean lenet5"):
        zoo.entry("lenet6")


def test_every_entry_is_explained() -> None:
    for entry in zoo.entries():
        assert entry.idea.endswith(".")
        assert entry.paper
        assert entry.title == entry.build().name
