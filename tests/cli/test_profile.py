"""`arch-explorer profile`: the table and the JSON of a real step, against what `inference` predicts."""

import json
from typing import Any

import pytest

from explorer.cli import main
from explorer.inference import infer
from explorer.inference.memory import memory
from explorer.zoo import entry

Output = pytest.CaptureFixture[str]
QUICK = ("--device", "cpu", "--batch-size", "4", "--repetitions", "1")


def flattened_together(nodes: list[dict[str, Any]], key: str) -> list[int]:
    """What LeNet-5's nodes keep, the flattening with what is before it: channels-last maps are copied there, which the
    prediction, made for any layout, counts where they were made."""
    values = {node["id"]: node[key] for node in nodes}
    values["pool2"] += values.pop("flatten")
    return list(values.values())


def test_the_json_has_each_node_measured_and_predicted(capsys: Output) -> None:
    assert main(["profile", "lenet5", *QUICK, "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    net = entry("lenet5").build()
    inference = infer(net)
    assert [node["id"] for node in found["nodes"]] == [node.id for node in net.nodes]
    kept = memory(net, inference, batch_size=4).nodes
    assert [node["predicted_kept_bytes"] for node in found["nodes"]] == [kept[node.id] for node in net.nodes]
    assert flattened_together(found["nodes"], "kept_bytes") == flattened_together(
        found["nodes"], "predicted_kept_bytes"
    )
    for node in found["nodes"]:
        assert node["macs"] == 4 * (inference.nodes[node["id"]].macs or 0)
        assert (node["forward_flops_per_second"] is None) == (node["macs"] == 0)
    assert found["forward_s"] == pytest.approx(sum(node["forward_s"] for node in found["nodes"]))
    assert (found["device"], found["batch_size"], found["repetitions"]) == ("cpu", 4, 1)
    assert "Step 1 of 1" in captured.err


def test_the_table_is_sorted_as_asked(capsys: Output) -> None:
    assert main(["profile", "lenet5", *QUICK, "--sort", "macs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["conv2", "conv1", "fc1"]
    assert any(line.startswith("one step") and "4 images" in line for line in lines)
    assert any(line.startswith("parts") for line in lines)


def test_a_precision_can_be_asked_for(capsys: Output) -> None:
    assert main(["profile", "lenet5", *QUICK, "--precision", "bfloat16", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["precision"] == "bfloat16"
    # The prediction counts the weights' copies in 16 bits whole, biases too, of which autograd keeps none.
    predicted = flattened_together(found["nodes"], "predicted_kept_bytes")
    assert flattened_together(found["nodes"], "kept_bytes") == pytest.approx(predicted, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sort", "colour"), "--sort: received 'colour'; use network, forward"),
        (("--repetitions", "0"), "--repetitions: received '0'; use a whole number from 1 to 1000"),
        (("--batch-size", "none"), "--batch-size:"),
        (("--device", "cuda:99"), "cuda:99 is not available"),
    ],
)
def test_a_mistake_says_what_would_fit(capsys: Output, arguments: tuple[str, ...], said: str) -> None:
    assert main(["profile", "lenet5", *arguments]) == 2
    assert said in capsys.readouterr().err
