"""Marks of equal blocks: one letter a group, and the odd one among siblings."""

from explorer.architecture import edits
from explorer.architecture.likeness import likenesses
from explorer.zoo import entry


def test_the_blocks_of_a_stage_are_alike_and_the_first_is_odd() -> None:
    found = likenesses(entry("resnet50").build())
    assert {found[f"layer3.{n}"].letter for n in range(1, 6)} == {"C"}
    assert len(found["layer3.1"].equals) == 5
    assert found["layer3.0"].is_odd
    assert "layer1" not in found, "four different stages are just different"


def test_one_that_is_changed_becomes_the_odd_one() -> None:
    network = entry("densenet121").build()
    path = "features.denseblock2.denselayer5"
    assert likenesses(network)[path].letter == "A"
    convolution = next(node for node in network if node.id.startswith(path) and node.layer.type_name == "Conv2d")
    changed = likenesses(edits.set_value(network, convolution.id, "bias", True))
    assert changed[path].is_odd
    assert changed[path].equals == (path,)
    assert len(changed["features.denseblock2.denselayer4"].equals) == 57


def test_many_groups_have_letters_of_their_own() -> None:
    found = likenesses(entry("inception-v3").build())
    letters = {likeness.letter: likeness.equals for likeness in found.values() if not likeness.is_odd}
    assert len(set(letters.values())) == len(letters)
    assert all(len(equals) > 1 for equals in letters.values())
