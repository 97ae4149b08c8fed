"""Published weights on real images: the accuracy that a network of the catalogue reaches with weights from a file.

The CIFAR ResNet-20 of Idelbayev's repository (`resnet20-12fca82f.th`) gives 81.03 % on CIFAR-10's test images stored
as JPEG, with ImageNet's normalisation, which it was trained with. The folder has one folder of images a class, all of
one size; the classes in alphabetical order are the network's:

    python -m tests.benchmarks.pretrained resnet20-12fca82f.th cifar10/test
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from explorer import zoo
from explorer.runs import IMAGENET, Normalization, parse_normalization
from explorer.runtime.images import to_network_input
from explorer.runtime.modules import build_module
from explorer.runtime.weights import carry_weights
from explorer.runtime.weights_files import read_state_dict
from explorer.runtime.weights_matching import apply, compare

_BATCH = 500


def main() -> None:
    """Load, compare, classify, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("weights", type=Path, help="a safetensors file, or what torch.save wrote")
    parser.add_argument("images", type=Path, help="one folder of images a class")
    parser.add_argument("--network", default="resnet20", help="of the catalogue")
    parser.add_argument("--normalization", type=parse_normalization, default=IMAGENET, metavar="MEAN,…/STD,…")
    options = parser.parse_args()
    torch.set_num_threads(2)
    architecture = zoo.entry(options.network).build()
    state = read_state_dict(options.weights)
    report = compare(architecture, state)
    print(f"{options.weights.name}: {report.summary}")
    network = build_module(architecture)
    carry_weights(apply(state, report), network)
    images, labels, names = _read(options.images)
    start_s = time.perf_counter()
    accuracy = _accuracy(network.eval(), architecture.input_shape, images, labels, options.normalization)
    seconds = time.perf_counter() - start_s
    print(f"{len(images):,} images of {len(names)} classes, normalised with {options.normalization.text}")
    print(f"top-1 accuracy {100 * accuracy:.2f} % in {seconds:.1f} s on {torch.get_num_threads()} threads of the CPU")


def _read(folder: Path) -> tuple[Tensor, Tensor, list[str]]:
    """Images `(N, 3, H, W)` in uint8, their classes' positions, and the classes."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    pictures: list[np.ndarray] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        for path in sorted((folder / name).iterdir()):
            with Image.open(path) as image:
                pictures.append(np.asarray(image.convert("RGB")))
            labels.append(label)
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2), torch.tensor(labels), names


@torch.inference_mode()
def _accuracy(
    network: torch.nn.Module,
    input_shape: tuple[int, ...],
    images: Tensor,
    labels: Tensor,
    normalization: Normalization,
) -> float:
    right = 0
    for start in range(0, len(images), _BATCH):
        x = to_network_input(images[start : start + _BATCH], input_shape, normalization)
        right += int((network(x).argmax(1) == labels[start : start + _BATCH]).sum())
    return right / len(images)


if __name__ == "__main__":
    main()
