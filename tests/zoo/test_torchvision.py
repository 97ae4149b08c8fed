"""Networks with torchvision's weights against torchvision itself: names, shapes, outputs, and what it says of them."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from explorer import zoo
from explorer.runtime.modules import build_module
from explorer.runtime.torchvision_door import torchvision
from explorer.zoo import Entry
from tests.zoo.conftest import Catalogue

_PRETRAINED = [entry for entry in zoo.entries() if entry.pretrained is not None]
_NO_HEADS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"aux_logits": False, "init_weights": False},
}
"""Arguments of torchvision's networks that have auxiliary heads unless told otherwise."""


def _theirs(name: str, **arguments: Any) -> nn.Module:
    with torch.device("meta"):
        module: nn.Module = getattr(torchvision().models, name)(**{**_NO_HEADS.get(name, {}), **arguments})
    return module.eval()


def _ours(entry: Entry, state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """torchvision's `state_dict` under the names that the entry gives."""
    assert entry.pretrained is not None
    renamed = {}
    for key, value in state_dict.items():
        for theirs, ours in entry.pretrained.renamed:
            key = key.replace(theirs, ours)  # noqa: PLW2901
        renamed[key] = value
    return renamed


def _shapes(state_dict: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in state_dict.items()}


@pytest.mark.parametrize("entry", _PRETRAINED, ids=lambda entry: entry.id)
def test_names_and_shapes_of_the_state_dict(catalogue: Catalogue, entry: Entry) -> None:
    assert entry.pretrained is not None
    theirs = _ours(entry, _theirs(entry.pretrained.model).state_dict())
    assert _shapes(catalogue.module(entry.id).state_dict()) == _shapes(theirs)


@pytest.mark.parametrize(
    ("network", "switch"), [("googlenet-torchvision", "auxiliary_heads"), ("inception-v3", "auxiliary_head")]
)
def test_names_and_shapes_with_auxiliary_heads(network: str, switch: str) -> None:
    entry = zoo.entry(network)
    assert entry.pretrained is not None
    with torch.device("meta"):
        module = build_module(entry.build(**{switch: True}))
    assert _shapes(module.state_dict()) == _shapes(_theirs(entry.pretrained.model, aux_logits=True).state_dict())


_PERIOD = 1_000_003
"""Random numbers repeat after so many, a prime, so that VGG's hundred million cost no time."""


def _random(state_dict: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights that keep values in range through any depth, and statistics that are not the initial ones."""
    noise = torch.rand(_PERIOD, generator=torch.Generator().manual_seed(0)).repeat(2)
    filled = {}
    start = 0
    for key, value in state_dict.items():
        count = value.numel()
        if not value.is_floating_point():
            filled[key] = torch.zeros(value.shape, dtype=value.dtype)
            continue
        if value.dim() > 1:
            bound = math.sqrt(6 / value[0].numel())
            low, high = -bound, bound
        else:
            low, high = (0.5, 1.5) if key.endswith(("running_var", "weight")) else (-0.1, 0.1)
        values = noise[start : start + min(count, _PERIOD)] * (high - low) + low
        filled[key] = values.repeat(-(-count // _PERIOD))[:count].view(value.shape)
        start = (start + count) % _PERIOD
    return filled


_SIDE = {"inception-v3": 96}
"""The smallest image that it takes is 75 pixels a side."""


@pytest.mark.parametrize("entry", _PRETRAINED, ids=lambda entry: entry.id)
def test_outputs_are_torchvisions_to_the_last_bit(catalogue: Catalogue, entry: Entry) -> None:
    assert entry.pretrained is not None
    theirs = _theirs(entry.pretrained.model)
    weights = _random(theirs.state_dict())
    theirs.load_state_dict(weights, assign=True)
    with torch.device("meta"):
        ours = build_module(catalogue[entry.id].architecture).eval()
    ours.load_state_dict(_ours(entry, weights), assign=True)
    side = _SIDE.get(entry.id, 64)
    images = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted, received = theirs(images), ours(images)
    assert wanted.abs().max() > 0
    assert torch.isfinite(wanted).all()
    assert torch.equal(received, wanted)


@pytest.mark.parametrize("entry", _PRETRAINED, ids=lambda entry: entry.id)
def test_facts_about_the_weights(entry: Entry) -> None:
    facts = entry.pretrained
    assert facts is not None
    weights = torchvision().models.get_model_weights(facts.model)[facts.weights]
    assert facts.top1 == weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    preset = weights.transforms()
    assert [facts.crop] == preset.crop_size
    assert [facts.resize] == preset.resize_size
    if facts.model not in _NO_HEADS:
        assert facts.mean == tuple(preset.mean)
        assert facts.std == tuple(preset.std)


@pytest.mark.parametrize("name", sorted(_NO_HEADS))
def test_normalisation_is_transform_input_in_one_step(name: str) -> None:
    facts = next(entry.pretrained for entry in _PRETRAINED if entry.pretrained and entry.pretrained.model == name)
    preset = torchvision().models.get_model_weights(name)[facts.weights].transforms()
    colours = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))

    def normalised(mean: Any, std: Any) -> Tensor:
        return (colours - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)

    theirs = _theirs(name, transform_input=True)._transform_input(normalised(preset.mean, preset.std))  # type: ignore[operator]
    torch.testing.assert_close(normalised(facts.mean, facts.std), theirs)


def test_inception_a_is_torchvisions(catalogue: Catalogue) -> None:
    theirs = torchvision().models.inception.InceptionA(192, pool_features=32).eval()
    weights = _random(theirs.state_dict())
    theirs.load_state_dict(weights)
    ours = build_module(catalogue["inception-a"].architecture).eval()
    ours.load_state_dict({f"mixed.{key}": value for key, value in weights.items()})
    images = torch.rand(1, 192, 35, 35, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(ours(images), theirs(images))


def test_names_in_densenets_file_are_from_before_dots_were_forbidden(catalogue: Catalogue) -> None:
    entry = zoo.entry("densenet121")
    path = "features.denseblock3.denselayer12"
    old = {f"{path}.{name}.{i}.weight": torch.empty(1) for name in ("norm", "relu", "conv") for i in (1, 2)}
    new = {f"{path}.{name}{i}.weight" for name in ("norm", "relu", "conv") for i in (1, 2)}
    assert set(_ours(entry, old)) == new
    untouched = catalogue.module("densenet121").state_dict()
    assert _ours(entry, untouched).keys() == untouched.keys()
