"""Nested Python values with tensors among them, as plain JSON values and tensors by name; and back, bit for bit.

What an optimizer or a schedule keeps is of this kind. Nothing is pickled, so that reading one runs no code.
"""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor

_TENSOR, _MAPPING, _TUPLE, _REAL = "$tensor", "$mapping", "$tuple", "$real"


def take_apart(value: object, name: str, tensors: dict[str, Tensor]) -> Any:
    """The value ready for JSON, in which tensors are named; they themselves go into `tensors`.

    Args:
        value: made of None, bool, int, float, str, tensors, and lists, tuples and mappings of these.
        name: of the value; its parts' names begin with it.
        tensors: takes the tensors, detached, as they are.

    Raises:
        TypeError: something else is in it; the message says where.
    """
    if isinstance(value, Tensor):
        tensors[name] = value.detach()
        return {_TENSOR: name}
    if isinstance(value, Mapping):
        # Pairs, since JSON's objects have no keys but texts and an optimizer numbers its parameters.
        return {
            _MAPPING: [[_key(key, name), take_apart(part, f"{name}.{key}", tensors)] for key, part in value.items()]
        }
    if isinstance(value, (list, tuple)):
        parts = [take_apart(part, f"{name}.{index}", tensors) for index, part in enumerate(value)]
        return {_TUPLE: parts} if isinstance(value, tuple) else parts
    if isinstance(value, float) and not math.isfinite(value):
        return {_REAL: repr(value)}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{name}: a {type(value).__name__} cannot be kept in a checkpoint")


def put_together(plain: Any, tensors: Mapping[str, Tensor]) -> Any:
    """What `take_apart` took apart.

    Raises:
        ValueError: it was not written by `take_apart`, or a tensor is missing.
    """
    if isinstance(plain, list):
        return [put_together(part, tensors) for part in plain]
    if not isinstance(plain, dict):
        return plain
    match plain:
        case {"$tensor": str(name)}:
            if name not in tensors:
                raise ValueError(f"the tensor {name} is missing")
            return tensors[name]
        case {"$mapping": list(pairs)}:
            return {key: put_together(part, tensors) for key, part in pairs}
        case {"$tuple": list(parts)}:
            return tuple(put_together(part, tensors) for part in parts)
        case {"$real": str(text)}:
            return float(text)
    raise ValueError(f"expected a value of a checkpoint, received an object of {', '.join(plain) or 'nothing'}")


def _key(key: object, name: str) -> int | str:
    if isinstance(key, (int, str)):
        return key
    raise TypeError(f"{name}: a mapping by {type(key).__name__} cannot be kept in a checkpoint")
