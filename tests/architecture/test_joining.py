"""Joining nodes with a merge, and letting several inputs read another source, as edits of the value."""

import pytest

from explorer.architecture import EditRefused, edits
from explorer.layers import Add
from explorer.zoo import entry


def test_a_merge_stands_behind_the_last_and_takes_its_readers() -> None:
    before = entry("lenet5").build()
    after = edits.join(before, Add(), ("tanh1", "conv1"))
    (new,) = (node for node in after if node.id not in before)
    assert new.inputs == ("tanh1", "conv1")
    assert after["pool1"].inputs == (new.id,), "what read the last reads the merge"
    assert after["tanh1"].inputs == ("conv1",), "the others keep their readers"
    assert after.outputs == before.outputs
    assert after["conv2"] is before["conv2"]


def test_ends_of_branches_are_outputs_no_more() -> None:
    before = edits.add_node(entry("lenet5").build(), Add(), ("tanh1", "conv1"), "side")
    assert before.outputs == ("fc3", "side")
    assert edits.join(before, Add(), ("side", "fc3")).outputs == ("add1",)


def test_too_few_or_unknown_sources_are_refused() -> None:
    lenet = entry("lenet5").build()
    for sources in ((), ("conv1",), ("conv1", "conv1"), ("conv1", "nobody")):
        with pytest.raises(EditRefused):
            edits.join(lenet, Add(), sources)


def test_several_inputs_read_another_source_at_once() -> None:
    before = edits.join(entry("lenet5").build(), Add(), ("tanh1", "conv1"))
    after = edits.reconnect(before, "input", [("add1", 0), ("add1", 1), ("tanh1", 0)])
    assert after["add1"].inputs == ("input", "input")
    assert after["tanh1"].inputs == ("input",)
    with pytest.raises(EditRefused, match="no cycles"):
        edits.reconnect(before, "fc3", [("conv2", 0)])
    with pytest.raises(EditRefused, match="has no input 5"):
        edits.reconnect(before, "input", [("add1", 5)])
