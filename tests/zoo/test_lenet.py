"""What LeNet's forms have beside their figures."""

import torch

from explorer.inference import infer
from explorer.layers import PartialConv2d
from explorer.runtime.modules import build_module
from explorer.zoo.lenet import lenet5_1998, lenet5_max


def test_logits_and_probabilities() -> None:
    architecture = lenet5_max()
    shapes = [infer(architecture).nodes[output].output_shape for output in architecture.outputs]
    assert shapes == [(10,), (10,)]


def test_maps_of_c3_read_as_table_i_says() -> None:
    layer = lenet5_1998()["c3"].layer
    assert isinstance(layer, PartialConv2d)
    assert [len(row) for row in layer.connections] == [3] * 6 + [4] * 9 + [6]
    # Each map of S2 is read by ten maps of C3, which the table's rows show.
    assert all(sum(channel in row for row in layer.connections) == 10 for channel in range(6))


def test_1998_output_is_largest_for_the_class_whose_bitmap_f6_draws() -> None:
    network = build_module(lenet5_1998(), seed=0)
    output = network.node_module("output")
    assert output is not None
    drawn = output.get_buffer("patterns")
    assert drawn.shape == (10, 84)
    assert set(drawn.flatten().tolist()) == {-1.0, 1.0}
    distances = output(drawn)
    assert torch.equal(distances.argmax(1), torch.arange(10))
    assert torch.equal(distances.diagonal(), torch.zeros(10))


def test_1998_layers_keep_the_papers_names_and_shapes() -> None:
    inference = infer(lenet5_1998())
    shapes = {node_id: inference.nodes[node_id].output_shape for node_id in ("c1", "s2", "c3", "s4", "c5", "f6")}
    assert shapes == {
        "c1": (6, 28, 28),
        "s2": (6, 14, 14),
        "c3": (16, 10, 10),
        "s4": (16, 5, 5),
        "c5": (120, 1, 1),
        "f6": (84,),
    }
