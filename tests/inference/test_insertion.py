"""Adding a layer by its type alone: every type fits where a layer of its kind usually stands."""

import pytest

from explorer import layers as L  # noqa: N812
from explorer.architecture import EditRefused
from explorer.inference import infer
from explorer.inference.insertion import insertion, refusal
from explorer.zoo.builder import Builder, conv, flatten, linear
from tests.networks import branching

_AFTER_FEATURES = {"BatchNorm1d", "RadialBasis"}
_UNMEASURED = {"Opaque"}
"""torch measures it once it is there."""


@pytest.mark.parametrize("name", [cls.__name__ for cls in L.layer_types() if cls.max_inputs == 1])
def test_every_layer_fits_where_it_is_added(name: str) -> None:
    net = Builder("growing", 3, 16, 16)
    net.add("conv1", conv(8, 3, padding=1))
    net.add("flatten", flatten())
    net.add("fc1", linear(84))
    architecture = net.build()
    anchor = "fc1" if name in _AFTER_FEATURES else "conv1"
    added = insertion(architecture, infer(architecture), name, [anchor])
    assert (added.where, added.anchor) == ("after", anchor)
    assert added.architecture[added.node_id].layer == added.layer
    faults = [issue.text for issue in infer(added.architecture).errors if issue.node_id == added.node_id]
    assert name in _UNMEASURED or faults == []


@pytest.mark.parametrize("name", ["Add", "Sub", "Mul", "Concat"])
def test_merges_join_what_is_selected(name: str) -> None:
    architecture = branching()
    added = insertion(architecture, infer(architecture), name, ["layer1.0.relu", "stem.relu"])
    assert added.architecture[added.node_id].inputs == ("stem.relu", "layer1.0.relu")
    assert added.anchor == "layer1.0.relu"
    assert infer(added.architecture).nodes[added.node_id].fault is None


def test_without_a_selection_it_stands_before_the_output() -> None:
    architecture = branching()
    added = insertion(architecture, infer(architecture), "Dropout")
    assert (added.where, added.anchor) == ("before", "fc")
    assert added.architecture["fc"].inputs == (added.node_id,)


def test_what_cannot_be_added_says_why() -> None:
    architecture = branching()
    assert refusal("Input", 1) == "input"
    assert refusal("Mul", 1) == "two"
    assert refusal("Mul", 2) is None
    with pytest.raises(EditRefused, match="a network has one"):
        insertion(architecture, infer(architecture), "Input")
    with pytest.raises(EditRefused, match="joins at least two"):
        insertion(architecture, infer(architecture), "Sub", ["stem.relu"])
