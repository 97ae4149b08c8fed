"""Weights from files that others wrote: safetensors, and torch's own archives, which are read and never executed.

`weights` reads and writes this program's own files; `weights_matching` says what of a file fits a network.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from explorer.runtime.weights import load_weights

SUFFIXES = (".safetensors", ".pt", ".pth", ".th", ".bin", ".ckpt", ".tar")
"""What files of weights are called; all but the first are read as torch's own archives, as is any other name."""

_NESTED_UNDER = ("state_dict", "model_state_dict", "model", "net", "weights", "params")
"""Where checkpoints keep the `state_dict` beside epoch and optimizer, likeliest first."""
_DEEPEST = 4
_FORBIDDEN = re.compile(r"GLOBAL ([\w.]+)")


class StateDict(NamedTuple):
    """Tensors by name, on the CPU."""

    tensors: Mapping[str, Tensor]
    is_ordered: bool
    """Whether they come in the order of the network that was saved; safetensors sorts them by name."""
    notes: tuple[str, ...] = ()
    """What the file holds beside them, one sentence each."""


def read_state_dict(path: Path) -> StateDict:
    """The weights in a file, wherever in it they lie. Nothing in the file is executed.

    Args:
        path: a safetensors file, or what `torch.save` wrote: a `state_dict`, or a checkpoint that holds one.

    Raises:
        ValueError: no such file, damaged, of another kind, without weights, or one whose opening would run code.
    """
    if path.suffix.lower() == ".safetensors" or _is_safetensors(path):
        return StateDict(load_weights(path), is_ordered=False)
    found = _find(_load(path), path.name, "")
    tensors, skipped = {}, []
    for name, value in found.content.items():
        if not isinstance(value, Tensor):
            skipped.append(name)
        elif value.layout is not torch.strided or value.is_quantized or value.is_meta:
            raise ValueError(f"{path.name}: {name} is no plain tensor ({_kind(value)}); save the weights as float32")
        else:
            tensors[name] = value.detach()
    notes = []
    if found.where:
        notes.append(f"The weights lie under {found.where!r} in the file.")
    if skipped:
        notes.append(f"Passed over, since they are no tensors: {', '.join(skipped[:5])}{', …' * (len(skipped) > 5)}.")
    return StateDict(tensors, is_ordered=True, notes=tuple(notes))


def _is_safetensors(path: Path) -> bool:
    """Whether a file of another name starts as safetensors do: the header's length in eight bytes, then JSON."""
    try:
        with path.open("rb") as file:
            start = file.read(10)
            return start[8:] == b'{"' and int.from_bytes(start[:8], "little") < path.stat().st_size
    except OSError:
        return False  # `_load` says what is wrong with it.


class _Aside:
    """Stands in for an object beside the weights that is neither made nor needed."""

    def __new__(cls, *_: object) -> "_Aside":
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        pass


_ASIDE = (
    "argparse.Namespace",
    "types.SimpleNamespace",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    "numpy.dtype",
    "numpy.ndarray",
)
"""What training scripts put beside the weights: options, folders, the best accuracy. Where a file names one of these,
an `_Aside` is made in its place."""


def _load(path: Path) -> object:
    """What `torch.save` wrote, by torch's unpickler that makes tensors and plain containers and refuses all else."""
    aside: list[Any] = [(_Aside, name) for name in _ASIDE]
    try:
        with torch.serialization.safe_globals(aside):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ValueError(f"{path}: No such file or directory") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    except Exception as error:
        # A damaged file may trip the unpickler anywhere, so there is no telling of what type its error is.
        raise ValueError(f"{path.name}: {_reason(str(error))}") from None


def _reason(error: str) -> str:
    if forbidden := _FORBIDDEN.search(error):
        return (
            f"not opened: it holds a Python object, {forbidden[1]}, and making it could run code; "
            "save the model's state_dict() instead of the model"
        )
    if "TorchScript" in error:
        return "a TorchScript program and no weights; save its state_dict() with torch.save"
    if "legacy .tar format" in error:
        return "in torch's form of before version 0.1.10; load it once with torch and save it again"
    if "allowlisted" in error or "unrecognized function" in error or "blocked" in error:
        return "not opened: it would run code; save the model's state_dict() instead of the model"
    return "damaged, or not a file of weights; a safetensors file or one that torch.save wrote is expected"


class _Found(NamedTuple):
    content: Mapping[str, Any]
    where: str
    """Keys on the way to it, joined by dots; empty if the file holds nothing else."""


def _find(content: object, file: str, where: str) -> _Found:
    """The mapping with tensors among its values, the outermost one."""
    if isinstance(content, Tensor):
        raise ValueError(f"{file}: holds a single tensor and no state_dict")
    if not isinstance(content, Mapping):
        raise ValueError(f"{file}: holds {_kind(content)} and no state_dict")
    named = {key: value for key, value in content.items() if isinstance(key, str)}
    inner = {key: value for key, value in named.items() if isinstance(value, Mapping) and _has_tensors(value, _DEEPEST)}
    known = next((key for key in _NESTED_UNDER if key in inner), None)
    # A tensor without dimensions beside a set of weights is a figure, the best accuracy say.
    if known is None and not any(isinstance(value, Tensor) and (value.dim() or not inner) for value in named.values()):
        if len(inner) > 1:
            raise ValueError(f"{file}: holds several sets of weights, {', '.join(inner)}; save one of them by itself")
        known = next(iter(inner), None)
        if known is None:
            held = ", ".join(list(named)[:5]) or "nothing"
            raise ValueError(f"{file}: holds no weights; found {held}")
    if known is None:
        return _Found(named, where)
    return _find(inner[known], file, f"{where}.{known}" if where else known)


def _has_tensors(content: Mapping[Any, Any], depth: int) -> bool:
    """Whether it leads to named tensors; an optimizer's state, whose keys are numbers, does not."""
    named = [value for key, value in content.items() if isinstance(key, str)]
    if any(isinstance(value, Tensor) for value in named):
        return True
    return depth > 0 and any(isinstance(value, Mapping) and _has_tensors(value, depth - 1) for value in named)


def _kind(value: object) -> str:
    if isinstance(value, Tensor):
        return "quantised" if value.is_quantized else "on the meta device" if value.is_meta else str(value.layout)
    return "another object" if isinstance(value, _Aside) else f"a {type(value).__name__}"
