"""The option --weights, in this process."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from explorer.architecture import Architecture, Project, edits
from explorer.architecture.files import save, sha256_of
from explorer.cli import main
from explorer.runs import Normalization, RunStore, SavedWeights, WeightsFacts, default_root
from explorer.runtime.modules import build_module
from explorer.runtime.weights import save_weights
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


@pytest.fixture
def project(tmp_path: Path, architecture: Architecture) -> Path:
    """Saved with weights beside it."""
    beside, path = tmp_path / "own.weights.safetensors", tmp_path / "own.arch.json"
    half = Normalization(mean=(0.5,), std=(0.5,))
    save_weights(build_module(architecture, seed=7), beside, WeightsFacts(text="mine", normalization=half))
    saved = SavedWeights(file=beside.name, sha256=sha256_of(beside), text="mine", num_layers=5, normalization=half)
    save(Project(architecture=architecture, sections={"weights": saved.to_plain()}), path)
    return path


def test_a_projects_own_weights_are_used_and_said(
    tmp_path: Path, project: Path, architecture: Architecture, capsys: Output
) -> None:
    target = tmp_path / "w.safetensors"
    source = tmp_path / "w.py"
    assert main(["export", str(project), "--to", str(target), "--to", str(source)]) == 0
    captured = capsys.readouterr()
    assert "own.arch.json starts from its weights, mine" in captured.err
    assert "normalised with mean 0.5, std 0.5" in captured.out
    assert "# Expects pixels from 0 to 1, normalised with mean 0.5, std 0.5." in source.read_text()
    wanted = build_module(architecture, seed=7).state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in safetensors.torch.load_file(target).items())
    assert main(["export", str(project), "--weights", "none", "--to", str(target)]) == 0
    captured = capsys.readouterr()
    assert "own.arch.json starts" not in captured.err
    assert not torch.equal(safetensors.torch.load_file(target)["conv1.weight"], wanted["conv1.weight"])
    options = ["--epochs", "1", "--batch-size", "4000", "--lr", "1e-8", "--device", "cpu", "--json"]
    assert main(["train", str(project), *options]) == 0
    with RunStore(default_root()) as store:
        record = store.get(json.loads(capsys.readouterr().out)["run_id"])
    assert record.config.normalization == "0.5/0.5"
    torch.testing.assert_close(safetensors.torch.load_file(record.weights_path)["conv1.weight"], wanted["conv1.weight"])


def test_a_projects_weights_that_are_gone_or_changed_are_a_mistake(project: Path, capsys: Output) -> None:
    beside = project.with_name("own.weights.safetensors")
    beside.write_bytes(beside.read_bytes()[:-1] + b"!")
    assert main(["train", str(project)]) == 2
    assert "own.weights.safetensors was changed after the project was saved" in capsys.readouterr().err
    beside.unlink()
    assert main(["train", str(project)]) == 2
    assert "put it back; or use --weights none" in capsys.readouterr().err
