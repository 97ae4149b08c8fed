"""Images that stay in their files: a tensor to all who ask for some of them, which are decoded then.

What reads them ahead of a run is `batch_stream`; which files there are is settled by `survey`.
"""

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.layers import Shape
from explorer.training.data.decode_workers import SharedWorkers
from explorer.training.data.decoding import Refused, decode

_logger = logging.getLogger(__name__)


class StreamedImages(Tensor):
    """`(N, C, H, W)` in uint8 on the CPU, whose values lie in files.

    It has shape, type and length, and gives a plain tensor for an index, as other image tensors do. Whatever would need
    all values raises a TypeError.
    """

    root: Path
    files: tuple[str, ...]
    """Below the root, with slashes; one for each image."""
    workers: SharedWorkers
    """What decodes them, shared with the other images of the folder."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # as torch does it

    @staticmethod
    def __new__(cls, root: Path, files: Sequence[str], shape: Shape, workers: SharedWorkers) -> "StreamedImages":
        """Name the files.

        Args:
            root: the folder.
            files: paths below it.
            shape: `(C, H, W)` to decode to.
            workers: what decodes batches of them.
        """
        self: StreamedImages = torch.Tensor._make_wrapper_subclass(
            cls, (len(files), *shape), dtype=torch.uint8, device=torch.device("cpu")
        )
        self.root, self.files, self.workers = root, tuple(files), workers
        return self

    def __init__(self, *_: object) -> None:
        """`__new__` has made it."""

    def __repr__(self, **_: object) -> str:  # type: ignore[override]  # torch's own takes what it prints
        return f"StreamedImages({tuple(self.shape)}, {str(self.root)!r})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, _types: Any, _args: Any = (), _kwargs: Any = None) -> Any:
        raise TypeError(f"{func}: these images lie in files, which this would decode all; take some by their positions")

    def __getitem__(self, index: Any) -> Tensor:
        """Some images, decoded now; black where a file cannot be read any more. As a tensor's index, whose first place
        says which images."""
        first, *rest = index if isinstance(index, tuple) else (index,)
        if isinstance(first, int):
            return self._image(range(len(self.files))[first], tuple(rest))
        positions = torch.arange(len(self.files))[first].tolist()
        if not positions:
            return torch.empty((0, *self.shape[1:]), dtype=torch.uint8)[(slice(None), *rest)]
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1), thread_name_prefix="decode") as pool:
            return torch.stack([*pool.map(lambda position: self._image(position, tuple(rest)), positions)])

    def _image(self, position: int, rest: tuple[Any, ...]) -> Tensor:
        try:
            pixels = decode(self.root / self.files[position], tuple(self.shape[1:])).pixels
        except Refused as refused:
            _logger.warning("%s %s; shown black", self.files[position], refused)
            pixels = np.zeros(tuple(self.shape[1:]), np.uint8)
        image = torch.from_numpy(np.array(pixels))
        return image[rest].clone() if rest else image
