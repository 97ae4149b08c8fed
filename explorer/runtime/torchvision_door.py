"""The one door to torchvision: no other module imports it.

torch's CPU build beside torchvision's CUDA build is common; torchvision's compiled operators cannot load there, and its
import fails on two of them that nothing here calls.
"""

import functools
import importlib
import sys
from types import ModuleType

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
