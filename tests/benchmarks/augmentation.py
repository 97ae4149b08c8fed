"""Augmentation of a batch, each image by itself, against torchvision called once an image, in the same run.

    python -m tests.benchmarks.augmentation

Where kornia is installed, it is timed too; the project does not need it.
"""

import importlib
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from explorer.runs.augmentation import parse_augmentation
from explorer.runtime.torchvision_door import torchvision
from explorer.training.augment import Augmenter

_SHAPES = ((128, 1, 28, 28), (128, 3, 32, 32), (128, 3, 224, 224))
_REPEATS = 3
Apply = Callable[[Tensor], object]


def main() -> None:
    """Time every pair and print milliseconds and ratios."""
    torch.set_num_threads(2)
    torchvision()
    for shape in _SHAPES:
        x = torch.rand(shape)
        stored = (x * 255).to(torch.uint8)
        print("×".join(map(str, shape)))
        for text, peer, of_kornia in _rows(shape[-1]):
            own_ms = _milliseconds(_own(Augmenter(parse_augmentation(text), stored, x.device)), x)
            peer_ms = _milliseconds(_each(peer), x)
            print(
                f"  {text:20}{own_ms:8.1f} ms  torchvision × {peer_ms / own_ms:5.1f}  {_kornia(of_kornia, x, own_ms)}"
            )


def _rows(side: int) -> list[tuple[str, Any, Callable[[Any], Any]]]:
    """The written form, torchvision's transform, and kornia's from its module."""
    v2: Any = importlib.import_module("torchvision.transforms.v2")
    return [
        ("flip,crop", _several(v2.RandomCrop(side, padding=4), v2.RandomHorizontalFlip()), _flip_and_crop(side)),
        ("resized_crop:0.08", v2.RandomResizedCrop(side), lambda k: k.RandomResizedCrop((side, side))),
        ("rotate,translate", v2.RandomAffine(15, (0.1, 0.1)), lambda k: k.RandomAffine(15, (0.1, 0.1), p=1.0)),
        ("jitter", v2.ColorJitter(0.2, 0.2, 0.2, 0.05), lambda k: k.ColorJitter(0.2, 0.2, 0.2, 0.05, p=1.0)),
        ("erase", v2.RandomErasing(), lambda k: k.RandomErasing()),
    ]


def _own(augmenter: Augmenter) -> Apply:
    generator = torch.Generator().manual_seed(0)
    return lambda x: augmenter(x, generator)


def _each(transform: Any) -> Apply:
    return lambda x: torch.stack([transform(image) for image in x])


def _flip_and_crop(side: int) -> Callable[[Any], Any]:
    return lambda kornia: _several(kornia.RandomCrop((side, side), padding=4), kornia.RandomHorizontalFlip())


def _several(*parts: Apply) -> Apply:
    def apply(x: Tensor) -> object:
        result: Any = x
        for part in parts:
            result = part(result)
        return result

    return apply


def _kornia(of_kornia: Callable[[Any], Any], x: Tensor, own_ms: float) -> str:
    try:
        kornia = importlib.import_module("kornia.augmentation")
    except ImportError:
        return ""
    try:
        return f"kornia × {_milliseconds(of_kornia(kornia), x) / own_ms:5.1f}"
    except ValueError as error:
        return f"kornia: {error}"


def _milliseconds(apply: Apply, x: Tensor) -> float:
    apply(x)
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        apply(x)
        seconds.append(time.perf_counter() - start)
    return 1000 * min(seconds)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
