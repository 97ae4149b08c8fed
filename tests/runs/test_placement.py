"""Which node goes to which of two devices, by the graph; AlexNet's split is figure 2 of its paper."""

import pytest

from explorer import zoo
from explorer.inference import infer
from explorer.runs.placement import FIRST, LAST, has_towers, place, split_notes
from tests.networks import branching, deep_chain


def test_alexnets_towers_meet_where_the_paper_says() -> None:
    architecture = zoo.entry("alexnet-two-towers").build()
    placed = place(architecture, infer(architecture))
    assert placed.way == "towers"
    # "the kernels of layer 3 take input from all kernel maps in layer 2. However, kernels in layer 4 take input only
    # from those kernel maps in layer 3 which reside on the same GPU" (section 3.2); and the fully connected layers.
    meeting = {(crossing.node_id, crossing.to, crossing.bytes_per_image) for crossing in placed.crossings}
    assert meeting == {
        ("input", FIRST, 4 * 3 * 227 * 227),
        ("pool2a", LAST, 4 * 128 * 13 * 13),
        ("pool2b", FIRST, 4 * 128 * 13 * 13),
        ("pool5a", LAST, 4 * 128 * 6 * 6),
        ("pool5b", FIRST, 4 * 128 * 6 * 6),
        ("dropout6a", LAST, 4 * 2048),
        ("dropout6b", FIRST, 4 * 2048),
        ("dropout7a", LAST, 4 * 2048),
    }
    assert {node_id: devices for node_id, devices in placed.devices_of.items() if len(devices) > 1}.keys() == {
        "both2",
        "both5",
        "flatten",
        "both6",
    }
    for node in architecture:
        if node.id[-1] in "ab":
            assert placed.devices_of[node.id] == ((FIRST,) if node.id.endswith("a") else (LAST,))
    # fc8 reads both towers' 4,096 features, on the last device.
    assert sum(placed.num_parameters) == 60_965_224
    assert placed.num_parameters[LAST] - placed.num_parameters[FIRST] == 4096 * 1000 + 1000
    assert placed.macs[LAST] - placed.macs[FIRST] == 4096 * 1000


def test_only_networks_of_two_towers_have_them() -> None:
    found = [entry.id for entry in zoo.entries() if has_towers(net := entry.build(), infer(net))]
    assert found == ["alexnet-two-towers"]


def test_a_chain_is_cut_where_both_have_as_much_to_do() -> None:
    architecture = deep_chain(9)
    placed = place(architecture, infer(architecture))
    assert placed.way == "cut"
    # Of three convolutions, the first with 3 input maps and the others with 8, two thirds at most stay together.
    assert [node_id for node_id, devices in placed.devices_of.items() if devices == (FIRST,)] == [
        "layer0.0",
        "layer0.1",
        "layer0.2",
        "layer1.0",
    ]
    assert placed.macs == (9 * 32 * 32 * 8 * (3 + 8), 9 * 32 * 32 * 8 * 8)
    assert [(c.node_id, c.to, c.bytes_per_image) for c in placed.crossings] == [
        ("input", FIRST, 4 * 3 * 32 * 32),
        ("layer1.0", LAST, 4 * 8 * 32 * 32),
    ]


def test_outputs_end_on_the_last_device_wherever_they_are_computed() -> None:
    architecture = branching()
    given = {node.id: FIRST for node in architecture}
    placed = place(architecture, infer(architecture), given)
    assert [(c.node_id, c.to) for c in placed.crossings] == [("input", FIRST), ("fc", LAST), ("aux.fc", LAST)]
    assert placed.num_parameters == (infer(architecture).totals.num_parameters, 0)
    with pytest.raises(ValueError, match="nowhere: received device 1; use nodes of branching, and 0 or 1"):
        place(architecture, infer(architecture), {"nowhere": LAST})
    with pytest.raises(ValueError, match="fc: received device 2"):
        place(architecture, infer(architecture), {"fc": 2})


def test_a_user_is_told_what_crosses_over() -> None:
    architecture = zoo.entry("alexnet-two-towers").build()
    what, crossing = split_notes(place(architecture, infer(architecture)), ("cuda:0", "cuda:1"))
    assert what.startswith("The network is split by its two towers: cuda:0 has 28,434,112 parameters")
    assert crossing.startswith("852.8 kB an image cross over on the way forward, in 8 places")
    assert "pool2a to cuda:1 (86.5 kB)" in crossing
