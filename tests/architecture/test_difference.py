"""What differs between two networks, as a person would tell it."""

import dataclasses

from explorer import zoo
from explorer.architecture import edits
from explorer.architecture.difference import differences
from explorer.layers import ReLU


def test_equal_networks_have_no_difference() -> None:
    lenet = zoo.entry("lenet5").build()
    assert differences(lenet, lenet) == ()
    assert differences(lenet, dataclasses.replace(lenet, name="other")) == ()


def test_values_are_named_and_equal_changes_are_one() -> None:
    lenet = zoo.entry("lenet5").build()
    changed = edits.set_value(lenet, "conv1", "kernel_size", (3, 3))
    changed = edits.set_value(changed, "conv2", "kernel_size", (3, 3))
    changed = edits.set_value(changed, "fc1", "bias", False)
    assert differences(lenet, changed) == ("conv1 and conv2: kernel_size 5×5 → 3×3", "fc1: bias on → off")


def test_layers_that_come_and_go() -> None:
    lenet = zoo.entry("lenet5").build()
    fewer = edits.remove(lenet, ("tanh1",))
    # conv1 now feeds pool1 directly, which follows from the removal and is not said.
    assert differences(lenet, fewer) == ("without Tanh tanh1",)
    assert differences(fewer, lenet) == ("with Tanh tanh1",)


def test_another_type_input_and_freezing() -> None:
    lenet = zoo.entry("lenet5").build()
    nodes = [dataclasses.replace(node, layer=ReLU()) if node.id == "tanh1" else node for node in lenet.nodes]
    nodes = [dataclasses.replace(node, frozen=True) if node.id == "conv1" else node for node in nodes]
    other = dataclasses.replace(lenet, nodes=tuple(nodes))
    assert differences(lenet, other) == ("conv1: trained → frozen", "tanh1: Tanh → ReLU")
    larger = edits.set_value(edits.set_value(lenet, "input", "height", 64), "input", "width", 64)
    assert differences(lenet, larger) == ("input 1×32×32 → 1×64×64",)


def test_many_of_a_kind_are_counted() -> None:
    assert differences(zoo.entry("resnet20").build(), zoo.entry("resnet32").build())
    for phrase in differences(zoo.entry("resnet20").build(), zoo.entry("resnet32").build()):
        assert len(phrase) < 200, phrase
