"""What belongs to a file of weights beside its tensors: where they come from, what images they expect, their classes.

It travels in the header of the safetensors file, which is JSON, so that the window knows it before torch is there.
Other programs pass over it. `runtime.weights` writes it; the tensors themselves are read there too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from explorer.runs.preprocessing import Normalization, Resizing, parse_normalization

KEY = "arch-explorer"
"""The entry of the header's metadata."""
_LARGEST_HEADER_BYTES = 100_000_000
"""The format's own limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsFacts:
    """What is known of weights; None and empty for what is not."""

    text: str = ""
    """Where they come from and how much they cover: "resnet18.pth: 39 of 41 layers"."""
    normalization: Normalization | None = None
    """Of the images that they were trained on."""
    resizing: Resizing | None = None
    """How photographs were brought to size for them."""
    class_names: tuple[str, ...] = ()
    """What each score stands for, in order."""

    def to_text(self) -> str:
        """As it stands in the header."""
        resizing = self.resizing
        plain = {
            "text": self.text,
            "normalization": None if self.normalization is None else self.normalization.written,
            "resizing": None if resizing is None else [resizing.shorter_side, resizing.crop, resizing.interpolation],
            "class_names": list(self.class_names),
        }
        return json.dumps(plain, ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote.

        Raises:
            ValueError: of another form.
        """
        plain = json.loads(text)
        if not isinstance(plain, dict):
            raise ValueError(f"facts of weights: expected an object, received {type(plain).__name__}")
        names, normalization = plain.get("class_names") or [], plain.get("normalization")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("facts of weights: class_names is no list of texts")
        return cls(
            text=str(plain.get("text") or ""),
            normalization=parse_normalization(str(normalization)) if normalization else None,
            resizing=_resizing(plain.get("resizing")),
            class_names=tuple(names),
        )


def read_facts(path: Path) -> WeightsFacts:
    """The facts in a safetensors file's header; nothing known where it has none, or is no such file.

    What is wrong with a file is said by whoever loads its tensors.
    """
    try:
        metadata = _metadata(path)
        return WeightsFacts.from_text(metadata[KEY]) if KEY in metadata else WeightsFacts()
    except (OSError, ValueError, TypeError, RecursionError):
        return WeightsFacts()


def _metadata(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(_LARGEST_HEADER_BYTES, path.stat().st_size):
            raise ValueError("no safetensors file")
        header = json.loads(file.read(length))
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _resizing(plain: object) -> Resizing | None:
    if plain is None:
        return None
    match plain:
        case [int(side), int(crop), "bilinear" | "bicubic" as interpolation]:
            return Resizing(shorter_side=side, crop=crop, interpolation=interpolation)
    raise ValueError(f"facts of weights: resizing is {plain!r}")
