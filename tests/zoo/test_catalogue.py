"""The catalogue as a whole: what every entry says, its family's parameters, and other images than its own."""

from typing import Any

import pytest
import torch

from explorer import zoo
from explorer.architecture import edits
from explorer.inference import infer
from explorer.runtime.modules import NotRunnable, build_module
from explorer.zoo import Entry
from explorer.zoo.catalogue import FamilyParameter
from tests.zoo.conftest import Catalogue

_ENTRIES = zoo.entries()
_IDS = [entry.id for entry in _ENTRIES]


def test_unknown_networks_name_near_ones() -> None:
    with pytest.raises(ValueError, match=r"unknown network 'lenet6'; did you mean lenet5"):
        zoo.entry("lenet6")


def test_entries_stand_by_year() -> None:
    years = [entry.year for entry in _ENTRIES]
    assert years == sorted(years)
    assert len({entry.title for entry in _ENTRIES}) == len(_ENTRIES)


@pytest.mark.parametrize("entry", _ENTRIES, ids=_IDS)
def test_every_entry_is_explained_and_whole(catalogue: Catalogue, entry: Entry) -> None:
    architecture, inference = catalogue[entry.id]
    assert entry.idea.endswith(".")
    assert len(entry.idea) <= 120
    assert entry.paper
    assert entry.title == architecture.name
    assert entry.has_pretrained == (entry.pretrained is not None)
    assert inference.totals.complete
    assert not inference.errors
    ids = [node.id for node in architecture]
    for block in architecture.blocks:
        assert block.kind
        assert any(node_id.startswith(f"{block.path}.") for node_id in ids)
    assert len({block.path for block in architecture.blocks}) == len(architecture.blocks)


def test_equal_layers_are_one_object(catalogue: Catalogue) -> None:
    architecture = catalogue["densenet121"].architecture
    layers = [node.layer for node in architecture]
    assert len({id(layer) for layer in layers}) == len(set(layers)) < len(layers) / 10


def test_concatenations_are_chained(catalogue: Catalogue) -> None:
    assert max(len(node.inputs) for node in catalogue["densenet201"].architecture) == 2


@pytest.mark.parametrize(
    "entry", [e for e in _ENTRIES if any(p.name == "classes" for p in e.parameters)], ids=lambda entry: entry.id
)
def test_other_classes(entry: Entry) -> None:
    architecture = entry.build(classes=7)
    inference = infer(architecture)
    assert {inference.nodes[node_id].output_shape for node_id in architecture.outputs} == {(7,)}
    assert not inference.errors


def _values(parameter: FamilyParameter) -> list[Any]:
    """Some that the parameter takes, its extremes among them."""
    if isinstance(parameter.default, bool):
        return [not parameter.default]
    if parameter.options:
        return [option for option in parameter.options if option != parameter.default]
    assert parameter.minimum is not None
    assert parameter.maximum is not None
    small = parameter.minimum + 1 if isinstance(parameter.default, int) else parameter.minimum * 1.5
    return [parameter.minimum, small, parameter.maximum]


def _choices() -> list[Any]:
    seen: dict[tuple[object, str, object], tuple[Entry, str, Any]] = {}
    for entry in _ENTRIES:
        for parameter in entry.parameters:
            for value in _values(parameter):
                seen.setdefault((entry.make, parameter.name, value), (entry, parameter.name, value))
    return [pytest.param(*choice, id=f"{choice[0].id}-{choice[1]}-{choice[2]}") for choice in seen.values()]


@pytest.mark.parametrize(("entry", "name", "value"), _choices())
def test_every_value_of_a_family_gives_a_network(entry: Entry, name: str, value: Any) -> None:
    inference = infer(entry.build(**{name: value}))
    assert inference.totals.complete
    assert not inference.errors


def test_wrong_values_say_what_would_fit() -> None:
    resnet = zoo.entry("resnet50")
    with pytest.raises(ValueError, match="depth received 51; use 18 or 34 or 50 or 101 or 152"):
        resnet.build(depth=51)
    with pytest.raises(ValueError, match=r"classes received 0; use a whole number from 1 to 100000"):
        resnet.build(classes=0)
    with pytest.raises(ValueError, match="classes received True"):
        resnet.build(classes=True)
    with pytest.raises(ValueError, match="resnet50 has no parameter 'heads'; it has depth, classes, width"):
        resnet.build(heads=2)
    assert zoo.entry("mobilenet-v2").build(width=2) == zoo.entry("mobilenet-v2").build(width=2.0)


def test_depth_chooses_among_a_family() -> None:
    assert zoo.entry("resnet18").build(depth=101) == zoo.entry("resnet101").build()
    assert zoo.entry("vgg11").build(depth=19, batch_norm=True) == zoo.entry("vgg19-bn").build()
    assert zoo.entry("resnet20").build(depth=56, shortcut="none") == zoo.entry("plain56").build()
    assert zoo.entry("densenet121").build(depth=161) == zoo.entry("densenet161").build()


_SIZES = [(1, 1), (7, 5), (31, 64), (97, 131), (300, 260)]


@pytest.mark.parametrize("entry", _ENTRIES, ids=_IDS)
def test_other_images_work_or_say_why_not(catalogue: Catalogue, entry: Entry) -> None:
    architecture = catalogue[entry.id].architecture
    channels = architecture.input_shape[0]
    for height, width in _SIZES:
        for other in (channels, 4):
            inference = infer(edits.set_input_shape(architecture, other, height, width))
            assert inference.totals.complete == (not inference.errors)


_FIXED_POOLING = {"googlenet"}
"""The paper's last pooling is 7×7, which an image of 97×131 pixels leaves no room for."""


@pytest.mark.parametrize("entry", _ENTRIES, ids=_IDS)
def test_torch_agrees_on_another_size(catalogue: Catalogue, entry: Entry) -> None:
    architecture = catalogue[entry.id].architecture
    resized = edits.set_input_shape(architecture, architecture.input_shape[0], 97, 131)
    inference = infer(resized)
    if entry.id in _FIXED_POOLING:
        assert inference.errors
        with pytest.raises(NotRunnable, match=r"^avgpool: kernel_size 7 does not fit"):
            build_module(resized)
        return
    with torch.device("meta"):
        network = build_module(resized).eval()
    with torch.no_grad():
        outputs = network(torch.empty(2, *resized.input_shape, device="meta"))
    received = outputs if isinstance(outputs, tuple) else (outputs,)
    wanted = [inference.nodes[node_id].output_shape for node_id in resized.outputs]
    assert [tuple(output.shape[1:]) for output in received] == wanted
