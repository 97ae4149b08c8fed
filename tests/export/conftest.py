"""What all exports to ONNX here share."""

import functools
import importlib
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_registry() -> Iterator[None]:
    """torch reads its 500 ONNX functions anew for each export, which takes longer than most exports here: once will do.

    Nothing is added to what it finds. Where a torch keeps it elsewhere, all is as usual.
    """
    with pytest.MonkeyPatch.context() as patch:
        try:
            registry = importlib.import_module("torch.onnx._internal.exporter._registration").ONNXRegistry
            patch.setattr(registry, "from_torchlib", staticmethod(functools.cache(registry.from_torchlib)))
        except (ImportError, AttributeError):
            pass
        yield
