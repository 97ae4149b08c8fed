"""Small files of data sets as their publishers write them, and folders of images, made by numpy, struct and PIL."""

import gzip
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

IDX_FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx_bytes(array: npt.NDArray[np.uint8]) -> bytes:
    """An array as IDX."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def idx_arrays(num_train: int = 40, num_test: int = 20) -> list[npt.NDArray[np.uint8]]:
    """Images and labels as MNIST's four files have them."""
    random = np.random.default_rng(0)
    arrays = []
    for count in (num_train, num_test):
        arrays.append(random.integers(0, 256, (count, 28, 28), np.uint8))
        arrays.append((np.arange(count) % 10).astype(np.uint8))
    return arrays


def write_idx(folder: Path, *, packed: bool = True) -> list[npt.NDArray[np.uint8]]:
    """MNIST's four files; returns what is in them."""
    folder.mkdir(parents=True)
    arrays = idx_arrays()
    for name, array in zip(IDX_FILES, arrays, strict=True):
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx_bytes(array), mtime=0))
        else:
            (folder / name).write_bytes(idx_bytes(array))
    return arrays


def write_cifar10(folder: Path) -> npt.NDArray[np.uint8]:
    """CIFAR-10's files with ten images each; returns the training images `(50, 3, 32, 32)`."""
    folder.mkdir(parents=True)
    images = np.random.default_rng(1).integers(0, 256, (60, 3072), np.uint8)
    names = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]
    for place, name in enumerate(names):
        batch = {"data": images[10 * place : 10 * place + 10], "labels": list(range(10))}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    classes = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": classes}, protocol=2))
    return images[:50].reshape(-1, 3, 32, 32)


def mat_bytes(arrays: dict[str, npt.NDArray[Any]], *, compressed: bool = True) -> bytes:
    """Arrays of bytes as MATLAB's level 5 writes them ("MAT-File Format", chapter 1)."""

    def element(kind: int, body: bytes) -> bytes:
        if 0 < len(body) <= 4:
            return struct.pack("<HH", kind, len(body)) + body.ljust(4, b"\0")
        return struct.pack("<II", kind, len(body)) + body + b"\0" * (-len(body) % 8)

    content = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    for name, array in arrays.items():
        body = element(6, struct.pack("<II", 9, 0))
        body += element(5, struct.pack(f"<{array.ndim}i", *array.shape))
        body += element(1, name.encode()) + element(2, array.tobytes(order="F"))
        matrix = struct.pack("<II", 14, len(body)) + body
        packed = zlib.compress(matrix)
        content += struct.pack("<II", 15, len(packed)) + packed if compressed else matrix
    return content


def picture(path: Path, colour: tuple[int, int, int] = (200, 40, 40), size: tuple[int, int] = (40, 30)) -> None:
    """One image of a colour; PIL takes the format from the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def picture_folder(root: Path, per_class: int = 10) -> None:
    """Red and blue images, without a split."""
    for name, colour in (("red", (200, 40, 40)), ("blue", (40, 40, 200))):
        for number in range(per_class):
            picture(root / name / f"{number}.png", colour)
