"""Numbers with units, and shapes, as one types them in a query. No Qt."""

import math
import re

from explorer.layers import Shape

NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)([kmgt]?i?b?)", re.IGNORECASE)
SHAPE = re.compile(r"\d+(?:[x×]\d+)+")
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
IN_BYTES = frozenset({"memory", "bytes"})
"""The fields that are in bytes."""


class QueryError(ValueError):
    """A text that is no query: says which part is not understood, and what would be."""


def number(text: str, field: str) -> float:
    """A number with its unit: "3", "1.5M", and of what is in bytes "4MB".

    Raises:
        QueryError: no number, or a unit that does not fit the field.
    """
    match = NUMBER.fullmatch(text)
    if match is None:
        raise QueryError(f"{field}: {text} is no number; write it like 3, 0.5, 64k, 1.5M{_byte_hint(field)}")
    unit = match[2].lower()
    is_bytes = unit.endswith("b")
    if is_bytes and field not in IN_BYTES:
        raise QueryError(f"{field} is not in bytes: use {match[1]}{match[2][0] if len(unit) > 1 else ''}")
    # As the screen writes them: counts by thousands, bytes by 1,024.
    base = 1024 if field in IN_BYTES else 1000
    return float(match[1]) * math.pow(base, _UNITS[unit.rstrip("b").rstrip("i")])


def _byte_hint(field: str) -> str:
    return ", 4MB" if field in IN_BYTES else ""


def axes(text: str) -> tuple[int, ...]:
    """The numbers of "64x56x56", which `SHAPE` matches."""
    return tuple(int(axis) for axis in re.split("[x×]", text))


def ends_with(shape: Shape | None, last: tuple[int, ...]) -> bool:
    """Whether these are a shape's last axes."""
    return shape is not None and len(shape) >= len(last) and tuple(shape[-len(last) :]) == last
