"""Hyper-parameters' values as text, short on a card and whole in a history, and what comes some steps on. No Qt."""

import math
from collections.abc import Sequence

from explorer.layers import HyperParameter, Kind, Layer, Sides
from explorer.layers.hyper_parameter import LARGEST
from explorer.look.numbers import MINUS, UNKNOWN

_SMALL = 1e-3
"""Real numbers whose default is smaller than this are orders of magnitude: 1e-5 is followed by 2e-5, 5e-5 and 1e-4."""
_LEAST = 1e-12
_MANTISSAS = (1, 2, 5)
_DIGITS = 12


def short(kind: Kind, value: object, *, as_one: bool = False) -> str:
    """A value as a card shows it: "5×5", "2", "same", "1e-05".

    Args:
        as_one: a pair whose numbers agree is written as one of them.
    """
    if value is None:
        return "auto"
    match kind:
        case Kind.FLAG:
            return "on" if value else "off"
        case Kind.PAIR if isinstance(value, tuple):
            return str(value[0]) if as_one and len(set(value)) == 1 else _product(value)
        case Kind.PADDING if isinstance(value, tuple):
            return _short_padding(value, as_one=as_one)
        case Kind.CONNECTIONS if isinstance(value, tuple):
            return str(sum(len(row) for row in value))
        case Kind.INTEGERS if isinstance(value, tuple):
            return " ".join(_whole(v) for v in value)
        case Kind.REAL if isinstance(value, float):
            return f"{value:g}".replace("-", MINUS, 1) if value < 0 else f"{value:g}"
    return str(value)


def written(kind: Kind, value: object) -> str:
    """A value in full, as the Undo menu and a tooltip show it: "7", "5×5", "top 0, bottom 1, left 0, right 1"."""
    match kind:
        case Kind.FLAG:
            return "on" if value else "off"
        case Kind.INTEGER | Kind.FOLLOWS if isinstance(value, int):
            return f"{value:,}".replace("-", MINUS)
        case Kind.PADDING if isinstance(value, tuple) and len(value) == 4:
            names = ("top", "bottom", "left", "right")
            return ", ".join(f"{name} {_whole(v)}" for name, v in zip(names, value, strict=True))
        case Kind.PADDING if isinstance(value, tuple):
            return _short_padding(value, as_one=True)
        case Kind.CONNECTIONS if isinstance(value, tuple):
            return f"{sum(len(row) for row in value):,} connections of {len(value):,} outputs"
        case Kind.INTEGERS if isinstance(value, tuple):
            return ", ".join(_whole(v) for v in value)
        case Kind.TEXT:
            return str(value) or UNKNOWN
    return short(kind, value)


def moved(parameter: HyperParameter, value: object, count: int, layer: Layer | None = None) -> object:
    """What comes `count` steps after a value, kept in its range; the value itself where it cannot move.

    The numbers of a pair, or of four sides, move together and keep their differences.

    Args:
        layer: the layer that has the value; "same" padding steps on from what keeps the size at stride 1.
    """
    match parameter.kind:
        case Kind.INTEGER | Kind.FOLLOWS if isinstance(value, int):
            return _together((value,), count * round(parameter.step), parameter.minimum, parameter.maximum)[0]
        case Kind.PAIR if isinstance(value, tuple):
            return _together(value, count * round(parameter.step), parameter.minimum, parameter.maximum)
        case Kind.REAL if isinstance(value, (int, float)):
            return moved_real(parameter, value, count)
        case Kind.CHOICE if value in parameter.options:
            place = parameter.options.index(str(value)) + count
            return parameter.options[min(max(place, 0), len(parameter.options) - 1)]
        case Kind.PADDING:
            return _moved_padding(value, count, layer)
    return value


def moved_real(parameter: HyperParameter, value: float, count: int) -> float:
    """A real number some steps on: by its step, or by 1, 2, 5, 10 where it is one of magnitude."""
    if is_magnitude(parameter) and value >= 0:
        result = _magnitude(value, count, parameter.step)
    else:
        result = round(value + count * parameter.step, _DIGITS)
    if parameter.minimum is not None:
        result = max(result, parameter.minimum)
    if parameter.maximum is not None:
        result = min(result, parameter.maximum)
    return result


def is_magnitude(parameter: HyperParameter) -> bool:
    """Whether a real number steps through 1, 2, 5, 10: an eps of 1e-5, which a fixed step would never leave."""
    default = parameter.default
    return parameter.kind is Kind.REAL and isinstance(default, (int, float)) and 0 < abs(default) < _SMALL


def same_sides(layer: Layer) -> Sides | None:
    """What "same" adds at stride 1 as (top, bottom, left, right): d(k − 1) in all, the odd one at the end.

    None for a layer without a kernel. (TensorFlow's documentation, `tf.nn`, "Notes on padding".)
    """
    kernel, dilation = getattr(layer, "kernel_size", None), getattr(layer, "dilation", (1, 1))
    if not (isinstance(kernel, tuple) and isinstance(dilation, tuple) and len(kernel) == len(dilation) == 2):
        return None
    height, width = (d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    return (height // 2, height - height // 2, width // 2, width - width // 2)


def sides_of(value: object, same: Sides | None) -> Sides:
    """A padding as four numbers (top, bottom, left, right).

    Args:
        same: what "same" stands for; None where that is not known, and then it reads as no padding.
    """
    if value == "same":
        return same or (0, 0, 0, 0)
    if isinstance(value, tuple) and len(value) == 2:
        return (value[0], value[0], value[1], value[1])
    if isinstance(value, tuple) and len(value) == 4:
        return (value[0], value[1], value[2], value[3])
    return (0, 0, 0, 0)


def _moved_padding(value: object, count: int, layer: Layer | None) -> object:
    if value == "valid" and count < 0:
        return value
    sides = sides_of(value, None if layer is None else same_sides(layer))
    # Cropping is asked for side by side; steps end at none, unless a side crops already.
    after = _together(sides, count, 0 if min(sides) >= 0 else -LARGEST, LARGEST)
    if after == sides and isinstance(value, tuple):
        return value
    top, bottom, left, right = after
    return (top, left) if top == bottom >= 0 and left == right >= 0 else after


def _together(numbers: Sequence[int], change: int, least: float | None, most: float | None) -> tuple[int, ...]:
    """All numbers changed by as much of `change` as keeps each in its range."""
    if least is not None and change < 0:
        change = min(0, max(change, math.ceil(least) - min(numbers)))
    if most is not None and change > 0:
        change = max(0, min(change, math.floor(most) - max(numbers)))
    return tuple(number + change for number in numbers)


def _magnitude(value: float, count: int, step: float) -> float:
    for _ in range(abs(count)):
        if value <= 0:
            if count < 0:
                return 0.0
            value = step
        elif count > 0:
            value = next(m for m in _ladder(value) if m > value * (1 + 1e-9))
        else:
            value = next(m for m in reversed(_ladder(value)) if m < value * (1 - 1e-9))
            if value < _LEAST:
                return 0.0
    return value


def _ladder(value: float) -> list[float]:
    """1, 2 and 5 times the powers of ten about a value, rising. Written as text, they carry no rounding."""
    exponent = math.floor(math.log10(value))
    return [float(f"{m}e{e}") for e in (exponent - 1, exponent, exponent + 1) for m in _MANTISSAS]


def _short_padding(value: tuple[int, ...], *, as_one: bool) -> str:
    if len(value) == 2:
        return str(value[0]) if as_one and value[0] == value[1] else _product(value)
    top, bottom, left, right = value
    if (top, bottom) == (left, right):
        return _whole(top) if top == bottom else f"{_whole(top)}/{_whole(bottom)}"
    return "sides"


def _product(value: Sequence[object]) -> str:
    return "×".join(str(v) for v in value)


def _whole(value: object) -> str:
    return str(value).replace("-", MINUS)
