"""Files of weights as others write them: what is in them is found, and nothing of them is executed."""

import argparse
import pickle
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from explorer.runtime.weights_files import read_state_dict


def weights() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict()


def written(path: Path, content: object, **options: Any) -> Path:
    torch.save(content, path, **options)
    return path


def optimizer_state() -> dict[str, Any]:
    module = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "key", [None, "state_dict", "model", "model_state_dict", "net", "generator", "model.state_dict"]
)
def test_weights_are_found_wherever_they_lie(tmp_path: Path, key: str | None, zipped: bool) -> None:
    content: dict[str, Any] = dict(weights())
    for part in reversed(key.split(".") if key else ()):
        content = {"epoch": 3, "optimizer": optimizer_state(), "best": torch.tensor(0.5), part: content}
    path = written(tmp_path / "w.pth", content, _use_new_zipfile_serialization=zipped)
    state = read_state_dict(path)
    assert list(state.tensors) == list(weights())
    assert all(torch.equal(value, weights()[name]) for name, value in state.tensors.items())
    assert state.is_ordered
    assert state.notes == ((f"The weights lie under {key!r} in the file.",) if key else ())


@pytest.mark.parametrize("name", ["w.safetensors", "w.bin"])
def test_safetensors_by_any_name(tmp_path: Path, name: str) -> None:
    safetensors.torch.save_file(weights(), tmp_path / name)
    state = read_state_dict(tmp_path / name)
    assert set(state.tensors) == set(weights())
    assert all(torch.equal(value, weights()[name]) for name, value in state.tensors.items())
    assert not state.is_ordered


def test_parameters_and_what_requires_a_gradient_come_as_plain_tensors(tmp_path: Path) -> None:
    state = read_state_dict(written(tmp_path / "w.pt", dict(nn.Linear(2, 3).named_parameters())))
    assert not any(value.requires_grad for value in state.tensors.values())


def test_what_scripts_keep_beside_weights_is_set_aside_and_never_made(tmp_path: Path) -> None:
    content = {
        "state_dict": {**weights(), "note": "text", "extra": None},
        "args": argparse.Namespace(lr=0.1),
        "best": np.float64(91.78),
        "history": np.arange(3),
        "folder": Path("runs"),
    }
    state = read_state_dict(written(tmp_path / "w.th", content))
    assert list(state.tensors) == list(weights())
    assert state.notes[1] == "Passed over, since they are no tensors: note, extra."


class _Hostile:
    """Unpickled by Python, it makes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    target = tmp_path / "executed"
    content = {"state_dict": weights(), "extra": _Hostile(target)}
    path = written(tmp_path / "w.pth", content, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match=r"w\.pth: not opened: .*run code; save the model's state_dict\(\)"):
        read_state_dict(path)
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(content["extra"]))
    with pytest.raises(ValueError, match=r"plain\.pth: "):
        read_state_dict(tmp_path / "plain.pth")
    assert not target.exists()
    torch.load(path, weights_only=False)  # So the file would have done it.
    assert target.exists()


def test_a_whole_model_is_refused_by_its_class(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a Python object, torch\.nn\.modules\.linear\.Linear"):
        read_state_dict(written(tmp_path / "w.pt", nn.Linear(2, 3)))


@pytest.mark.filterwarnings(
    "ignore:.*torch.jit:DeprecationWarning",
    "ignore:.*torch.jit:FutureWarning",
    "ignore:.*TorchScript archive:UserWarning",
)
def test_a_torchscript_program_is_told_apart(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(2, 3)), tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"w\.pt: a TorchScript program"):
        read_state_dict(tmp_path / "w.pt")


@pytest.mark.filterwarnings("ignore:.*[Ss]parse:UserWarning")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.zeros(2), "holds a single tensor"),
        ([1, 2], "holds a list"),
        (argparse.Namespace(), "holds another object"),
        ({}, "holds no weights; found nothing"),
        ({"epoch": 1, "optimizer": optimizer_state()}, "holds no weights; found epoch, optimizer"),
        ({"student": weights(), "teacher": weights()}, "holds several sets of weights, student, teacher"),
        ({"w": torch.eye(3).to_sparse()}, "w is no plain tensor (torch.sparse_coo)"),
        ({"w": torch.empty(3, device="meta")}, "w is no plain tensor (on the meta device)"),
    ],
)
def test_other_contents_are_named(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"w.pth: {message}")):
        read_state_dict(written(tmp_path / "w.pth", content))


def test_damaged_files_are_told(tmp_path: Path) -> None:
    whole = [
        written(tmp_path / "zip.pth", weights()).read_bytes(),
        written(tmp_path / "old.pth", weights(), _use_new_zipfile_serialization=False).read_bytes(),
        safetensors.torch.save(weights()),
    ]
    path = tmp_path / "w.pth"
    for content in (b"", b"hello world", *(part[: len(part) // 2] for part in whole)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"^w\.pth: (damaged|not a whole safetensors)"):
            read_state_dict(path)
    with pytest.raises(ValueError, match=r"none\.pth: No such file or directory"):
        read_state_dict(tmp_path / "none.pth")
    with pytest.raises(ValueError, match=r"Is a directory|Permission denied"):
        read_state_dict(tmp_path)


def test_flipped_bytes_lead_to_weights_or_to_a_message(tmp_path: Path) -> None:
    chance = random.Random(0)
    refused = 0
    for options in ({}, {"_use_new_zipfile_serialization": False}):
        whole = written(tmp_path / "whole.pth", weights(), **options).read_bytes()
        for _ in range(60):
            content = bytearray(whole)
            for _ in range(chance.randint(1, 6)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            (tmp_path / "w.pth").write_bytes(content)
            try:
                read_state_dict(tmp_path / "w.pth")
            except ValueError as error:
                refused += 1
                assert str(error).startswith("w.pth: ")  # noqa: PT017 - some files are still whole
    assert refused > 20
