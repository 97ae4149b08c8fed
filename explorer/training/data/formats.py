"""Files of published data sets, as arrays: IDX, MATLAB's level 5, CIFAR's pickles and STL-10's raw bytes.

Nothing of a file is executed: of a pickle, arrays and plain values are read and all else is refused.
"""

import gzip
import io
import math
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_IDX_UINT8 = 0x08
_MAT_HEADER_BYTES = 128
_MAT_COMPRESSED, _MAT_MATRIX = 15, 14
_MAT_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}


class DamagedFile(ValueError):  # noqa: N818 - it says what happened
    """A file of a data set that is not what it should be; names it and says why."""


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """The array in a file of MNIST's form, packed by gzip or not (http://yann.lecun.com/exdb/mnist).

    Raises:
        DamagedFile: cut off, or of another form.
        FileNotFoundError: it is not there.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedFile(f"{path}: cannot be unpacked ({error}); delete it and download it again") from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != _IDX_UINT8 or not 1 <= content[3] <= 4:
        raise DamagedFile(f"{path}: is no IDX file of bytes; delete it and download it again")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DamagedFile(f"{path}: ends within its header; delete it and download it again")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    if math.prod(shape) != len(content) - start:
        raise DamagedFile(
            f"{path}: has {len(content) - start:,} bytes for an array of {' x '.join(map(str, shape))}; delete it and "
            "download it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def read_mat(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The numeric arrays in a MATLAB file of level 5, by name (MathWorks, "MAT-File Format", 2019, chapter 1).

    Raises:
        DamagedFile: cut off, or of another form.
        FileNotFoundError: it is not there.
    """
    content = path.read_bytes()
    if content[126:128] != b"IM":
        raise DamagedFile(f"{path}: is no MATLAB file of level 5, little-endian; delete it and download it again")
    found = {}
    try:
        for kind, body in _elements(memoryview(content)[_MAT_HEADER_BYTES:]):
            unpacked = _elements(memoryview(zlib.decompress(body))) if kind == _MAT_COMPRESSED else [(kind, body)]
            for inner, matrix in unpacked:
                if inner == _MAT_MATRIX:
                    name, array = _matrix(matrix)
                    found[name] = array
    except (zlib.error, struct.error, ValueError, KeyError, IndexError) as error:
        raise DamagedFile(f"{path}: is damaged ({error}); delete it and download it again") from None
    return found


def read_pickled(path: Path) -> dict[str, Any]:
    """The dictionary in one of CIFAR's files, as Python 2 wrote them (https://www.cs.toronto.edu/~kriz/cifar.html).

    Raises:
        DamagedFile: cut off, of another form, or it would run code.
        FileNotFoundError: it is not there.
    """
    try:
        value = _Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except FileNotFoundError:
        raise
    except Exception as error:
        raise DamagedFile(f"{path}: cannot be read ({error}); delete it and download it again") from None
    if not isinstance(value, dict):
        raise DamagedFile(f"{path}: holds no dictionary; delete it and download it again")
    return value


def read_raw_images(path: Path, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """STL-10's images `(N, C, H, W)`: bytes, each channel column after column (https://cs.stanford.edu/~acoates/stl10).

    Raises:
        DamagedFile: no whole number of images.
        FileNotFoundError: it is not there.
    """
    values = np.fromfile(path, np.uint8)
    if not len(values) or len(values) % math.prod(shape):
        raise DamagedFile(f"{path}: {len(values):,} bytes are no whole images; delete it and download it again")
    channels, height, width = shape
    return np.ascontiguousarray(values.reshape(-1, channels, width, height).transpose(0, 1, 3, 2))


class _Unpickler(pickle.Unpickler):
    """Arrays and plain values only."""

    _ALLOWED = frozenset(
        {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }
    )

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")
        # numpy's older name of the module still works, but warns.
        return super().find_class(module_name.replace("numpy.core", "numpy._core"), global_name)


def _elements(content: memoryview) -> list[tuple[int, memoryview]]:
    """The elements of a MATLAB file one after another: kind and body."""
    found = []
    place = 0
    while place + 8 <= len(content):
        kind, num_bytes = struct.unpack_from("<II", content, place)
        start = place + 8
        if kind >> 16:  # Of up to four bytes, which lie in the tag itself.
            kind, num_bytes, start = kind & 0xFFFF, kind >> 16, place + 4
            place += 8
        else:
            place = start + num_bytes + (0 if kind == _MAT_COMPRESSED else -num_bytes % 8)
        if start + num_bytes > len(content):
            raise ValueError("it is cut off")
        found.append((kind, content[start : start + num_bytes]))
    return found


def _matrix(content: memoryview) -> tuple[str, npt.NDArray[Any]]:
    _flags, dimensions, name, (kind, body) = _elements(content)[:4]
    shape = struct.unpack(f"<{len(dimensions[1]) // 4}i", dimensions[1])
    values = np.frombuffer(body, np.dtype(f"<{_MAT_TYPES[kind]}"))
    return bytes(name[1]).decode("latin1"), values.reshape(shape, order="F")
