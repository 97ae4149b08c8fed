"""Weights on the disk and between versions of a network."""

from pathlib import Path

import pytest
import torch

from explorer import zoo
from explorer.architecture import edits
from explorer.runtime.modules import build_module
from explorer.runtime.weights import carry_weights, load_weights, save_weights
from tests.networks import branching


def test_files_give_back_the_state_dict(tmp_path: Path) -> None:
    network = build_module(branching(), seed=0)
    for parameter in network.parameters():
        if parameter.dim() == 4:  # As on CUDA; safetensors takes contiguous tensors only.
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    save_weights(network, tmp_path / "w.safetensors")
    loaded = load_weights(tmp_path / "w.safetensors")
    other = build_module(branching(), seed=1)
    other.load_state_dict(loaded, strict=True)
    assert all(torch.equal(value, loaded[key]) for key, value in other.state_dict().items())
    assert set(loaded) == set(network.state_dict())


def test_what_fits_is_carried_and_the_rest_is_named() -> None:
    architecture = zoo.entry("lenet5").build()
    old = build_module(architecture, seed=0).state_dict()
    edited = edits.remove(edits.set_value(architecture, "conv1", "kernel_size", 7), ["fc2"])
    network = build_module(edited, seed=1)
    own = {key: value.clone() for key, value in network.state_dict().items()}
    report = carry_weights({**old, "fc1.weight": old["fc1.weight"][:, :3]}, network)
    assert report.carried == ("conv2",)
    assert report.reinitialised["conv1"] == "conv1.weight is 6×1×5×5 there and 6×1×7×7 here"
    assert set(report.reinitialised) == {"conv1", "fc1", "fc3"}
    assert report.unused == ("fc2.bias", "fc2.weight")
    assert torch.equal(network.state_dict()["conv2.weight"], old["conv2.weight"])
    assert torch.equal(network.state_dict()["conv1.bias"], own["conv1.bias"])
    assert "not among" in carry_weights({}, network).reinitialised["fc1"]


def test_a_batch_norms_count_may_be_absent() -> None:
    old = build_module(branching(), seed=0).state_dict()
    network = build_module(branching(), seed=1)
    counts = {key: value.fill_(7) for key, value in network.state_dict().items() if key.endswith("num_batches_tracked")}
    report = carry_weights({key: value for key, value in old.items() if key not in counts}, network)
    assert not report.reinitialised
    assert all(torch.equal(value, counts.get(key, old[key])) for key, value in network.state_dict().items())
    del old["stem.norm.running_var"]
    assert set(carry_weights(old, network).reinitialised) == {"stem.norm"}


def test_bad_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(ValueError, match="No such file"):
        load_weights(path)
    path.write_bytes(b"not weights at all")
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        load_weights(path)
