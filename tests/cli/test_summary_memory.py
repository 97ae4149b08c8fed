"""What `summary` says of memory, against inference, torch, and a device whose memory the test gives."""

import json

import pytest

from explorer import zoo
from explorer.cli import main
from explorer.cli.memory import MOMENTUM
from explorer.inference import infer
from explorer.inference.memory import memory
from explorer.runs import RunConfig
from explorer.runtime import devices
from explorer.runtime.devices import DeviceMemory

Output = pytest.CaptureFixture[str]


def answered(capsys: Output, *arguments: str) -> dict[str, object]:
    assert main(["summary", *arguments, "--json"]) == 0
    out = capsys.readouterr().out
    found: dict[str, object] = json.loads(out)["memory"]
    return found


def test_the_default_training_is_trains() -> None:
    assert RunConfig().momentum == MOMENTUM
    assert RunConfig().optimizer == "sgd"


def test_memory_follows_batch_optimizer_and_precision(capsys: Output) -> None:
    net = zoo.entry("resnet18").build()
    inference = infer(net)
    plain = answered(capsys, "resnet18", "--batch-size", "16", "--optimizer", "adam", "--precision", "mixed")
    expected = memory(net, inference, batch_size=16, optimizer="adam", precision="mixed")
    assert plain["training_bytes"] == expected.training_bytes
    assert plain["inference_bytes"] == expected.inference_bytes
    assert plain["optimizer_bytes"] == 2 * 4 * inference.totals.num_parameters
    assert plain["device"] is None
    peak = plain["training_peak"]
    assert isinstance(peak, dict)
    assert (peak["node"], peak["when"]) == (expected.peak_node, expected.peak_when)
    assert sum(value for name, value in peak.items() if name.endswith("_bytes")) == expected.training_bytes
    assert answered(capsys, "resnet18", "--momentum", "0")["optimizer_bytes"] == 0


def test_kept_bytes_of_the_nodes_come_to_the_whole(capsys: Output) -> None:
    assert main(["summary", "lenet5", "--batch-size", "32", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    expected = memory(zoo.entry("lenet5").build(), infer(zoo.entry("lenet5").build()), batch_size=32)
    kept = sum(node["kept_bytes"] for node in summary["nodes"])
    assert kept + expected.loss_bytes == summary["memory"]["saved_bytes"] == expected.saved_bytes


@pytest.mark.parametrize(
    ("available", "batch_size", "verdict"),
    [
        (8 * 2**30, "64", "training fits; the largest batch is "),
        (8 * 2**30, "4096", "training does not fit; the largest batch is "),
        (10**6, "1", "training does not fit, not even with one image"),
    ],
)
def test_a_device_is_told_what_fits(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, available: int, batch_size: str, verdict: str
) -> None:
    monkeypatch.setattr(devices, "device_memory", lambda name: DeviceMemory("cuda:0", 16 * 2**30, available))
    assert main(["summary", "resnet18", "--device", "cuda", "--batch-size", batch_size]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("cuda:0"))
    assert verdict in line
    plain = answered(capsys, "resnet18", "--device", "cuda", "--batch-size", batch_size)
    device = plain["device"]
    assert isinstance(device, dict)
    assert device["fits"] == verdict.startswith("training fits")
    net = zoo.entry("resnet18").build()
    if most := device["largest_batch"]:
        assert memory(net, infer(net), batch_size=most, momentum=MOMENTUM).training_bytes <= available


def test_this_machine_answers(capsys: Output) -> None:
    device = answered(capsys, "lenet5", "--device", "cpu")["device"]
    assert isinstance(device, dict)
    assert device["device"] == "cpu"
    assert device["fits"]


def test_the_text_names_the_parts(capsys: Output) -> None:
    assert main(["summary", "lenet5", "--batch-size", "8"]) == 0
    out = capsys.readouterr().out
    assert "training     1.2 MiB for 8 images, sgd (momentum 0.9), float32; most in the backward pass at tanh1:" in out
    assert "weights 241.0 KiB, optimizer state 241.0 KiB, gradients " in out
    assert "inference " in out


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (("--optimizer", "lion"), ("--optimizer: received 'lion'", "use sgd, adam, adamw or rmsprop")),
        (("--precision", "int8"), ("--precision: received 'int8'", "float32, mixed or bfloat16")),
        (("--momentum", "1.5"), ("--momentum: received '1.5'", "from 0 to below 1")),
        (("--momentum", "much"), ("--momentum: received 'much'",)),
        (("--device", "tpu"), ("--device: tpu is not available", "cpu")),
    ],
)
def test_mistakes_say_what_fits(capsys: Output, arguments: tuple[str, ...], fragments: tuple[str, ...]) -> None:
    assert main(["summary", "lenet5", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    for fragment in fragments:
        assert fragment in captured.err
