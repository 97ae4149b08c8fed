"""The option --weights, in this process."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from explorer.architecture import Architecture, Project, edits
from explorer.architecture.files import save
from explorer.cli import main
from explorer.runs import RunStore, default_root
from explorer.runtime.modules import build_module
from explorer.zoo import entry

Output = pytest.CaptureFixture[str]


@pytest.fixture
def architecture() -> Architecture:
    return entry("lenet5").build()


@pytest.fixture
def checkpoint(tmp_path: Path, architecture: Architecture) -> Path:
    """As a repository elsewhere has it."""
    tensors = {f"module.{key}": value for key, value in build_module(architecture, seed=7).state_dict().items()}
    torch.save({"state_dict": tensors, "epoch": 9}, tmp_path / "lenet.pth")
    return tmp_path / "lenet.pth"


def test_export_writes_the_weights_that_were_given(
    tmp_path: Path, checkpoint: Path, architecture: Architecture, capsys: Output
) -> None:
    target = tmp_path / "w.safetensors"
    assert main(["export", "lenet5", "--weights", str(checkpoint), "--to", str(target)]) == 0
    written = safetensors.torch.load_file(target)
    wanted = build_module(architecture, seed=7).state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in written.items())
    error = capsys.readouterr().err
    assert "lenet.pth: Every layer with weights takes them from the file." in error
    assert "'module.', which is left out" in error


def test_what_does_not_fit_is_said_and_starts_anew(
    tmp_path: Path, checkpoint: Path, architecture: Architecture, capsys: Output
) -> None:
    save(Project(architecture=edits.set_value(architecture, "fc3", "out_features", 4)), tmp_path / "four.arch.json")
    target = tmp_path / "w.safetensors"
    assert main(["export", str(tmp_path / "four.arch.json"), "--weights", str(checkpoint), "--to", str(target)]) == 0
    assert "  fc3: 4 scores here and 10 in the file: it starts anew" in capsys.readouterr().err
    written = safetensors.torch.load_file(target)
    assert written["fc3.weight"].shape == (4, 84)
    assert torch.equal(written["conv1.weight"], build_module(architecture, seed=7).state_dict()["conv1.weight"])


def test_training_starts_from_them(checkpoint: Path, architecture: Architecture, capsys: Output) -> None:
    # With a learning rate this small the weights after a run are still those it started from.
    options = ["--epochs", "1", "--batch-size", "4000", "--lr", "1e-8", "--device", "cpu", "--json"]
    assert main(["train", "lenet5", "--weights", str(checkpoint), *options]) == 0
    run_id = json.loads(capsys.readouterr().out)["run_id"]
    with RunStore(default_root()) as store:
        path = store.get(run_id).weights_path
    kept, wanted = safetensors.torch.load_file(path), build_module(architecture, seed=7).state_dict()
    for key, value in kept.items():
        torch.testing.assert_close(value, wanted[key])


def test_mistakes_are_one_line(tmp_path: Path, checkpoint: Path, capsys: Output) -> None:
    (tmp_path / "bad.pth").write_bytes(b"not weights")
    target = ["--to", str(tmp_path / "w.safetensors")]
    for network, weights, message in (
        ("lenet5", str(tmp_path / "bad.pth"), "bad.pth: damaged, or not a file of weights"),
        ("lenet5", str(tmp_path / "none.pth"), "none.pth: No such file or directory"),
        ("resnet20", str(checkpoint), "lenet.pth: No layer takes anything from the file."),
        ("lenet5", "torchvision", "lenet5: torchvision has no trained weights for it; choose a file"),
    ):
        for command in (["export", network, *target], ["train", network]):
            assert main([*command, "--weights", weights]) == 2
            captured = capsys.readouterr()
            assert captured.err.startswith("arch-explorer: error: ")
            assert message in captured.err
            assert captured.err.count("\n") == 1
    assert not (tmp_path / "w.safetensors").exists()
