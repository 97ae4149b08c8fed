"""Captured events as bytes and back: their values as JSON, their arrays behind one another in one buffer.

The file is an npz of two arrays of bytes, `about` and `data`, and nothing in it is unpickled. Which kinds there are is
read off `observed` and `events`, so that a new kind of observation needs nothing here. A reader passes over events of
kinds that it does not know, and over fields that it does not know of those that it does.

Large arrays of float32 are kept as float16 of their share of the largest magnitude: half the place, and an error of at
most `RELATIVE_ERROR` of that magnitude.
"""

import dataclasses
import io
import json
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast, get_args, get_type_hints

import numpy as np
import numpy.typing as npt

from explorer.runs.events import FeatureMapsCaptured
from explorer.runs.observed import Observed

Moment = FeatureMapsCaptured | Observed
"""What a moment may hold."""
EVENT_KINDS: tuple[type[Any], ...] = (FeatureMapsCaptured, *get_args(Observed))
SMALL = 1024
"""Values of an array of float32 up to which it is kept as it is."""
RELATIVE_ERROR = 2.0**-11
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    AssertionError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What a damaged file may raise: `zipfile` meets flags and methods that it does not know (RuntimeError, and those of
the other decompressors), numpy a header that is no Python."""
_FORMAT = 1
_ALIGNMENT = 8
_MOST_BYTES = 1 << 28
"""Of a file that is read: one that says it is larger when unpacked is not believed."""


def pack(events: Sequence[Moment]) -> bytes:
    """The events of a moment as the content of a file."""
    arrays = _Arrays()
    about = {"format": _FORMAT, "events": [_plain(event, arrays) for event in events]}
    text = np.frombuffer(json.dumps(about, allow_nan=False, separators=(",", ":")).encode(), np.uint8)
    data = np.frombuffer(arrays.joined(), np.uint8)
    file = io.BytesIO()
    # The quickest that still takes a third off: pictures are mostly noise, and a moment is read while somebody scrubs.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in (("about", text), ("data", data)):
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(f"{name}.npy", content.getbuffer())
    return file.getvalue()


def unpack(content: bytes) -> tuple[Moment, ...]:
    """The events that `pack` was given, but those of kinds unknown here; arrays are read-only.

    Raises:
        one of `UNREADABLE`: not such a file, or half of one.
    """
    arrays = read_arrays(content)
    about, data = json.loads(arrays["about"].tobytes()), arrays["data"].tobytes()
    if about["format"] != _FORMAT:
        raise ValueError(f"of format {about['format']!r}; this version reads {_FORMAT}")
    events = []
    for plain in about["events"]:
        if plain["kind"] in {kind.__name__ for kind in EVENT_KINDS}:
            events.append(_value(plain, data))
    return tuple(events)


def read_arrays(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an npz file, none of which is unpickled.

    Raises:
        one of `UNREADABLE`: not such a file, or half of one.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MOST_BYTES:
            raise ValueError(f"larger than {_MOST_BYTES:,} bytes")
    with np.load(io.BytesIO(content), allow_pickle=False) as read:
        return {name: read[name] for name in read.files}


def _parts_of(hint: Any) -> Iterator[type[Any]]:
    """The types with fields that a value of that type may be made of, itself included."""
    for argument in get_args(hint):
        yield from _parts_of(argument)
    if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or hasattr(hint, "_fields")):
        yield hint
        for part in get_type_hints(hint).values():
            yield from _parts_of(part)


_KINDS: Mapping[str, type[Any]] = {part.__name__: part for kind in EVENT_KINDS for part in _parts_of(kind)}


class _Arrays:
    """Arrays behind one another."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def put(self, array: npt.NDArray[Any]) -> dict[str, Any]:
        """Take an array; what says where it is."""
        if array.dtype.hasobject:
            raise TypeError(f"an array of objects cannot be kept: {array.dtype}")
        said: dict[str, Any] = {"shape": list(array.shape)}
        if array.dtype == np.float32 and array.size > SMALL:
            magnitudes = np.abs(array[np.isfinite(array)])
            largest = float(magnitudes.max(initial=0.0))
            said["scale"] = largest or 1.0
            array = (array / np.float32(said["scale"])).astype(np.float16)
        content = np.ascontiguousarray(array)
        content = content.astype(content.dtype.newbyteorder("<"), copy=False)
        said |= {"array": self._size, "dtype": content.dtype.str}
        padding = -content.nbytes % _ALIGNMENT
        self._parts += [content.tobytes(), bytes(padding)]
        self._size += content.nbytes + padding
        return said

    def joined(self) -> bytes:
        return b"".join(self._parts)


def _plain(value: Any, arrays: _Arrays) -> Any:
    if isinstance(value, np.ndarray):
        return arrays.put(value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"number": str(value)}
    if isinstance(value, Mapping):
        return {"map": [[str(key), _plain(item, arrays)] for key, item in value.items()]}
    if hasattr(value, "_fields"):
        return _fields(value, value._fields, arrays)
    if dataclasses.is_dataclass(value):
        return _fields(value, tuple(field.name for field in dataclasses.fields(value)), arrays)
    if isinstance(value, (tuple, list)):
        return [_plain(item, arrays) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be kept in a moment")


def _fields(value: Any, names: Sequence[str], arrays: _Arrays) -> dict[str, Any]:
    return {"kind": type(value).__name__, "fields": {name: _plain(getattr(value, name), arrays) for name in names}}


def _value(plain: Any, data: bytes) -> Any:
    if isinstance(plain, list):
        return tuple(_value(item, data) for item in plain)
    if not isinstance(plain, dict):
        return plain
    if "array" in plain:
        return _array(plain, data)
    if "number" in plain:
        return float(plain["number"])
    if "map" in plain:
        return {key: _value(item, data) for key, item in plain["map"]}
    kind = _KINDS[plain["kind"]]
    known = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set(kind._fields)
    return kind(**{name: _value(item, data) for name, item in plain["fields"].items() if name in known})


def _array(said: Mapping[str, Any], data: bytes) -> npt.NDArray[Any]:
    dtype, shape = np.dtype(str(said["dtype"])), tuple(int(side) for side in said["shape"])
    if dtype.hasobject or any(side < 0 for side in shape):
        raise ValueError(f"not an array of numbers: {said}")
    flat = np.frombuffer(data, dtype, math.prod(shape), int(said["array"]))
    array = flat.reshape(shape)
    if "scale" in said:
        array = array.astype(np.float32) * np.float32(said["scale"])
        array.flags.writeable = False
    return cast("npt.NDArray[Any]", array)
