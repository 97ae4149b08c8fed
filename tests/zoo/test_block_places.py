"""Blocks on one wire: what else reads its source is left alone, and sums keep their shapes."""

import pytest

from explorer.architecture import EditRefused, edits
from explorer.inference import infer
from explorer.zoo import entry
from explorer.zoo.block_places import insert_on_wire, keeping_values
from explorer.zoo.blocks import block_entries, block_entry


def test_only_the_wire_leads_through_the_block() -> None:
    before = entry("resnet18").build()
    # maxpool is read by the first convolution of the block and by its sum.
    after = insert_on_wire(block_entry("residual"), before, "layer1.0.conv1")
    new = [node for node in after if node.id not in before]
    assert after["layer1.0.conv1"].inputs == (new[-1].id,)
    assert new[0].inputs == ("maxpool",)
    assert after["layer1.0.add"].inputs == before["layer1.0.add"].inputs
    assert "maxpool" in after["layer1.0.add"].inputs
    assert after.outputs == before.outputs


def test_an_output_that_is_also_read_stays_the_output() -> None:
    before = edits.set_outputs(entry("lenet5").build(), ("fc3", "conv1"))
    after = insert_on_wire(block_entry("residual"), before, "tanh1")
    assert after.outputs == ("fc3", "conv1")
    assert after["tanh1"].inputs != before["tanh1"].inputs


def test_a_wire_that_is_not_there_is_refused() -> None:
    lenet = entry("lenet5").build()
    with pytest.raises(EditRefused, match="tanh1 has no input 1; it has 1"):
        insert_on_wire(block_entry("fire"), lenet, "tanh1", 1)
    with pytest.raises(EditRefused, match="'tanh9' is not in"):
        insert_on_wire(block_entry("fire"), lenet, "tanh9")


@pytest.mark.parametrize("arriving", [6, 16, 64, 192, 256, 1024])
@pytest.mark.parametrize("block_id", ["fire", "inception"])
def test_keeping_values_let_as_many_channels_leave_as_arrive(block_id: str, arriving: int) -> None:
    lenet = edits.set_value(entry("lenet5").build(), "conv1", "out_channels", arriving)
    block = block_entry(block_id)
    after = block.insert(lenet, "conv1", **keeping_values(block, arriving))
    added = [node.id for node in after if node.id not in lenet]
    assert infer(after).nodes[added[-1]].output_shape == (arriving, 28, 28)


def test_the_papers_own_widths_come_out_where_their_channels_arrive() -> None:
    inception = block_entry("inception")
    assert keeping_values(inception, 256) == {p.name: p.default for p in inception.parameters}
    assert keeping_values(block_entry("fire"), 128) == {"squeeze": 16, "expand": 64}


def test_blocks_that_follow_what_arrives_need_none() -> None:
    assert {b.id for b in block_entries() if keeping_values(b, 64)} == {"fire", "inception"}
    assert keeping_values(block_entry("fire"), 7) == {}
