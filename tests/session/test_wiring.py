"""What a drawn or moved wire makes of a network; checked by the values themselves, and refusals by what they say."""

import pytest

from explorer.architecture import Architecture, edits
from explorer.architecture.placement import Wire
from explorer.inference import infer
from explorer.layers import Add, Concat, Conv2d, ReLU
from explorer.session import Snapshot
from explorer.session.placing import Refused
from explorer.session.wiring import Wired, connected, disconnected, entries, source_moved, source_of, target_moved
from explorer.zoo import entry
from explorer.zoo.builder import Builder


def _snapshot(architecture: Architecture) -> Snapshot:
    return Snapshot(architecture, infer(architecture))


@pytest.fixture
def net() -> Snapshot:
    """a → b → sum(a, b) → end, and a smaller branch beside."""
    net = Builder("net", 4, 8, 8)
    a = net.add("a", Conv2d(out_channels=4, kernel_size=(1, 1)))
    b = net.add("b", ReLU())
    net.add("sum", Add(), after=(a, b))
    net.add("end", ReLU())
    architecture = net.build()
    small = Conv2d(out_channels=4, kernel_size=(3, 3), stride=(2, 2))
    return _snapshot(edits.add_node(architecture, small, ("input",), "small"))


def _wired(answer: Wired | Refused) -> Wired:
    assert isinstance(answer, Wired)
    return answer


def _refused(answer: Wired | Refused) -> Refused:
    assert isinstance(answer, Refused)
    return answer


def test_a_sum_takes_one_more_of_the_same_shape(net: Snapshot) -> None:
    answer = _wired(connected(net, "input", "sum", None))
    assert answer.architecture["sum"].inputs == ("a", "b", "input")
    assert answer.arriving == ((4, 8, 8),) * 3
    assert answer.leaving == (4, 8, 8)
    assert answer.issue == ""


def test_a_shape_that_cannot_be_added_is_refused_with_what_mends_it_unless_forced(net: Snapshot) -> None:
    refused = _refused(connected(net, "small", "sum", None))
    assert "4×3×3" in refused.why
    assert "Hold Ctrl" in refused.would_fit
    forced = _wired(connected(net, "small", "sum", None, force=True))
    assert forced.architecture["sum"].inputs == ("a", "b", "small")
    assert "4×3×3" in forced.issue


def test_other_sizes_do_not_concatenate_but_other_channels_do() -> None:
    net = Builder("net", 4, 8, 8)
    a = net.add("a", Conv2d(out_channels=4, kernel_size=(1, 1)))
    b = net.add("b", Conv2d(out_channels=6, kernel_size=(1, 1)), after="input")
    net.add("cat", Concat(), after=(a, b))
    snapshot = _snapshot(net.build())
    assert _wired(connected(snapshot, "input", "cat", None)).leaving == (14, 8, 8)


def test_a_cycle_is_refused(net: Snapshot) -> None:
    assert "no cycles" in _refused(connected(net, "end", "a", None)).why
    assert "itself" in _refused(connected(net, "b", "b", None)).why


def test_the_image_reads_nothing_and_nothing_is_connected_twice(net: Snapshot) -> None:
    assert "reads nothing" in _refused(connected(net, "a", "input", None)).why
    assert "already" in _refused(connected(net, "a", "b", None)).why
    assert "already" in _refused(connected(net, "a", "sum", None)).why
    twice = _wired(connected(net, "a", "sum", None, force=True))
    assert twice.architecture["sum"].inputs == ("a", "b", "a")


def test_a_layer_of_one_input_reads_the_new_source_instead(net: Snapshot) -> None:
    answer = _wired(connected(net, "input", "end", None))
    assert answer.architecture["end"].inputs == ("input",)


def test_an_output_that_is_read_now_is_none_any_more(net: Snapshot) -> None:
    assert net.architecture.outputs == ("end", "small")
    answer = _wired(connected(net, "small", "sum", None, force=True))
    assert answer.architecture.outputs == ("end",)


def test_the_upper_end_of_a_wire_goes_elsewhere(net: Snapshot) -> None:
    answer = _wired(source_moved(net, (Wire("a", "sum", 0),), "input"))
    assert answer.architecture["sum"].inputs == ("input", "b")
    assert "already" in _refused(source_moved(net, (Wire("a", "sum", 0),), "a")).why


def test_the_lower_end_leaves_only_what_can_do_without() -> None:
    net = Builder("net", 4, 8, 8)
    a, b = net.add("a", ReLU()), net.add("b", ReLU())
    net.add("sum", Add(), after=("input", a, b))
    net.add("end", ReLU())
    snapshot = _snapshot(net.build())
    answer = _wired(target_moved(snapshot, (Wire("input", "sum", 0),), "end", None))
    assert answer.architecture["sum"].inputs == ("a", "b")
    assert answer.architecture["end"].inputs == ("input",)
    refused = _refused(target_moved(snapshot, (Wire("a", "b", 0),), "end", None))
    assert "b needs one input" in refused.why


def test_letting_go_disconnects_where_enough_inputs_remain(net: Snapshot) -> None:
    assert "at least 2 inputs" in _refused(disconnected(net, (Wire("a", "sum", 0),))).why
    three = _wired(connected(net, "input", "sum", None)).architecture
    answer = _wired(disconnected(_snapshot(three), (Wire("a", "sum", 0),)))
    assert answer.architecture["sum"].inputs == ("b", "input")


def test_blocks_drawn_as_one_have_ends_and_entries() -> None:
    snapshot = _snapshot(entry("resnet18").build())
    architecture = snapshot.architecture
    assert source_of(architecture, "layer1.0") == "layer1.0.relu"
    assert {wire.source for wire in entries(architecture, "layer1.1")} == {"layer1.0.relu"}
    answer = _wired(connected(snapshot, "maxpool", "layer1.1", None))
    changed = [n.id for n in architecture if answer.architecture[n.id].inputs != n.inputs]
    assert changed
    assert all(i.startswith("layer1.1.") for i in changed)
    assert answer.leaving is not None
