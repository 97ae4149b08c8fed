"""Edits: what they change, what they share, what they refuse."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer import zoo
from explorer.architecture import Architecture, ArchitectureError, EditRefused, Node, edits, files
from explorer.layers import Add, BatchNorm2d, Concat, Conv2d, Dropout, Input, Linear, MaxPool2d, ReLU, Tanh
from tests.networks import branching


@pytest.fixture
def lenet() -> Architecture:
    return zoo.entry("lenet5").build()


def test_a_changed_value_shares_every_other_node_and_the_structure(lenet: Architecture) -> None:
    new = edits.set_value(lenet, "conv1", "kernel_size", (7, 7))
    assert [a is b for a, b in zip(lenet, new, strict=True)].count(False) == 1
    assert new.structure is lenet.structure
    assert lenet["conv1"].layer == Conv2d(out_channels=6, kernel_size=(5, 5))


def test_setting_the_same_value_is_no_change(lenet: Architecture) -> None:
    assert edits.set_value(lenet, "conv1", "kernel_size", (5, 5)) is lenet


def test_insert_after_takes_over_the_readers_and_a_free_name(lenet: Architecture) -> None:
    new = edits.insert_after(lenet, "conv1", BatchNorm2d())
    assert new["norm1"].inputs == ("conv1",)
    assert new["tanh1"].inputs == ("norm1",)
    assert [node.id for node in new][:4] == ["input", "conv1", "norm1", "tanh1"]


def test_insert_after_an_output_becomes_the_output(lenet: Architecture) -> None:
    assert edits.insert_after(lenet, "fc3", Dropout()).outputs == ("dropout1",)


def test_insert_before_one_port_leaves_other_readers_alone() -> None:
    net = branching()
    new = edits.insert_before(net, "layer1.0.add", Tanh(), port=1)
    assert new["layer1.0.add"].inputs == ("layer1.0.relu", "layer1.0.tanh1")
    assert new["layer1.0.tanh1"].inputs == ("stem.relu",)
    assert new["layer1.0.conv1"].inputs == ("stem.relu",)


def test_remove_heals_the_wire_and_the_outputs(lenet: Architecture) -> None:
    new = edits.remove(lenet, ["tanh1", "fc3"])
    assert new["pool1"].inputs == ("conv1",)
    assert new.outputs == ("tanh4",)


def test_removing_a_branch_removes_the_merge_that_it_starves() -> None:
    net = branching()
    new = edits.remove(net, ["layer1.0.conv1", "layer1.0.norm1", "layer1.0.relu"])
    assert "layer1.0.add" not in new
    assert new["mixed.left"].inputs == ("stem.relu",)
    assert "layer1.0" not in {block.path for block in new.blocks}


def test_the_input_stays(lenet: Architecture) -> None:
    with pytest.raises(EditRefused, match="input is the network's input"):
        edits.remove(lenet, ["input"])


def test_a_cycle_is_refused(lenet: Architecture) -> None:
    net = edits.insert_after(lenet, "conv1", ReLU())
    with pytest.raises(EditRefused, match="feed each other"):
        edits.connect(net, "conv2", "conv1", port=0)


def test_arity_is_refused(lenet: Architecture) -> None:
    with pytest.raises(EditRefused, match="Add takes at least 2 inputs; received 1"):
        edits.insert_after(lenet, "conv1", Add())
    with pytest.raises(EditRefused, match=r"conv1: Conv2d takes 1 inputs; received 2"):
        edits.connect(lenet, "input", "conv1")


def test_merges_take_and_lose_inputs() -> None:
    net = branching()
    more = edits.connect(net, "stem.relu", "mixed.cat")
    assert more["mixed.cat"].inputs == ("mixed.left", "mixed.right", "stem.relu")
    assert edits.disconnect(more, "mixed.cat", 2) == net
    with pytest.raises(EditRefused, match="at least 2"):
        edits.disconnect(net, "mixed.cat", 0)


def test_rename_follows_into_inputs_and_outputs(lenet: Architecture) -> None:
    new = edits.rename(lenet, "fc3", "head.fc")
    assert new.outputs == ("head.fc",)
    assert edits.rename(lenet, "conv1", "c1")["tanh1"].inputs == ("c1",)
    with pytest.raises(EditRefused, match="conv2 is there already"):
        edits.rename(lenet, "conv1", "conv2")
    with pytest.raises(EditRefused, match="torch's modules use the name 'training'"):
        edits.rename(lenet, "conv1", "layer1.training")
    with pytest.raises(EditRefused, match="is no id"):
        edits.rename(lenet, "conv1", "conv 1")
    with pytest.raises(EditRefused, match="conv2 is a layer"):
        edits.rename(lenet, "conv1", "conv2.inner")


def test_add_node_is_an_output_in_place_of_what_it_reads(lenet: Architecture) -> None:
    assert edits.add_node(lenet, ReLU(), ["fc3"]).outputs == ("relu1",)
    assert edits.add_node(lenet, Linear(out_features=2), ["tanh4"]).outputs == ("fc3", "fc4")


def test_a_network_deeper_than_the_recursion_limit_is_fine() -> None:
    nodes = [Node(id="input", layer=Input(channels=1, height=8, width=8), inputs=())]
    nodes += [Node(id=f"r{i}", layer=ReLU(), inputs=(nodes[-1].id if not i else f"r{i - 1}",)) for i in range(5_000)]
    net = Architecture(name="deep", nodes=tuple(nodes), outputs=("r4999",))
    assert len(edits.remove(net, ["r2500"])) == 5_000


def test_what_is_no_network_says_why() -> None:
    image = Node(id="input", layer=Input(), inputs=())
    with pytest.raises(ArchitectureError, match="starts with its Input"):
        Architecture(name="x", nodes=(), outputs=())
    with pytest.raises(ArchitectureError, match="at least one output"):
        Architecture(name="x", nodes=(image,), outputs=())
    with pytest.raises(ArchitectureError, match="'y' is not there"):
        Architecture(name="x", nodes=(image,), outputs=("y",))


_EDITS = ["insert_after", "insert_before", "remove", "add", "join", "connect", "rename"]
_LAYERS = st.sampled_from(
    [
        ReLU(),
        BatchNorm2d(),
        Dropout(),
        Conv2d(out_channels=4, kernel_size=(3, 3)),
        MaxPool2d(kernel_size=(2, 2), stride=(2, 2)),
    ]
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_sequence_of_edits_leaves_a_whole_network_that_survives_its_file(data: st.DataObject) -> None:
    net = branching()
    for _ in range(data.draw(st.integers(1, 12))):
        some = st.sampled_from([node.id for node in net])
        kind = data.draw(
            st.sampled_from(["insert_after", "insert_before", "remove", "add", "join", "connect", "rename"])
        )
        try:
            match kind:
                case "insert_after":
                    net = edits.insert_after(net, data.draw(some), data.draw(_LAYERS))
                case "insert_before":
                    net = edits.insert_before(net, data.draw(some), data.draw(_LAYERS), data.draw(st.integers(0, 1)))
                case "remove":
                    net = edits.remove(net, data.draw(st.lists(some, min_size=1, max_size=3)))
                case "add":
                    net = edits.add_node(net, data.draw(_LAYERS), [data.draw(some)])
                case "join":
                    net = edits.add_node(net, data.draw(st.sampled_from([Add(), Concat()])), data.draw(st.lists(some)))
                case "connect":
                    net = edits.connect(net, data.draw(some), data.draw(some), data.draw(st.none() | st.integers(0, 2)))
                case "rename":
                    net = edits.rename(net, data.draw(some), data.draw(st.sampled_from(["a", "b.c", "stem", "x y"])))
        except EditRefused:
            continue
        # Rebuilding from the nodes alone checks everything that the shared structure might have skipped.
        again = Architecture(name=net.name, nodes=net.nodes, outputs=net.outputs, blocks=net.blocks)
        assert again == net
        assert dict(again.structure.index) == dict(net.structure.index)
        assert files.from_plain(files.to_plain(net)).outputs == net.outputs
