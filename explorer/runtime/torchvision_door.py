"""The one door to torchvision: no other module imports it.

torch's CPU build beside torchvision's CUDA build is common; torchvision's compiled operators cannot load there, and its
import fails on two of them that nothing here calls.
"""

import functools
import importlib
import sys
from types import ModuleType
from typing import NamedTuple

import torch

_FAILURE = "operator torchvision::nms does not exist"
_MISSING = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_DECLARED: list[torch.library.Library] = []
"""Declarations last as long as their library object."""


@functools.cache
def torchvision() -> ModuleType:
    """The package torchvision, imported at the first call.

    Raises:
        ImportError: it is not installed, or it does not go with the installed torch; says so.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if _FAILURE not in str(error):
            raise ImportError(f"torchvision does not go with torch {torch.__version__}: {error}") from error
    for name in [name for name in sys.modules if name == "torchvision" or name.startswith("torchvision.")]:
        del sys.modules[name]  # Half-imported; a second import would find them and skip what failed.
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in _MISSING:
        library.define(schema)  # type: ignore[no-untyped-call]
    _DECLARED.append(library)
    return importlib.import_module("torchvision")


class PublishedWeights(NamedTuple):
    """Weights as torchvision publishes them, in plain values."""

    url: str
    num_bytes: int
    """Of the file, as published."""
    interpolation: str
    """How images are resized for them: "bilinear" or "bicubic"; always with antialiasing."""
    class_names: tuple[str, ...]
    """What each score stands for, in order."""


def published_weights(model: str, weights: str) -> PublishedWeights:
    """What torchvision says of a network's weights.

    Args:
        model: a function of `torchvision.models`.
        weights: a member of that network's `Weights` enumeration.

    Raises:
        ImportError: as `torchvision`.
        ValueError: torchvision has no such network or weights.
    """
    models = torchvision().models
    try:
        member = models.get_model_weights(model)[weights]
    except (KeyError, ValueError):
        raise ValueError(f"torchvision {torchvision().__version__} has no weights {weights} of {model}") from None
    return PublishedWeights(
        url=member.url,
        num_bytes=round(member.meta["_file_size"] * 1024**2),
        interpolation=member.transforms().interpolation.value,
        class_names=tuple(member.meta["categories"]),
    )
