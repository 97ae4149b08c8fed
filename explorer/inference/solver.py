"""The reverse of a layer's shape arithmetic: which of its values make a wanted output size, nearest first.

"Nearest" is the fewest changed hyper-parameters, then the smallest change, and among equals what networks usually do:
odd kernels, padding alike on opposite sides and no larger than half of the kernel, strides no larger than the kernel.
Every solution is checked by the layer itself. Input sizes that make a whole network fit are `input_sizes`.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations, product
from typing import NamedTuple, cast

from explorer.inference.solver_axis import Axis, Values, axis_of, choices, cost_of, names_of
from explorer.layers import Kind, Layer, Pair, Shape, format_shape

_PER_CHANGE = 100.0
"""What one more changed hyper-parameter costs: more than any change of a single one that is offered."""
_PER_CHOICE = 3
"""How many solutions are offered for one choice of the hyper-parameters that change, so that the list stays varied."""
_PAIRED = 6
"""For sizes that need unlike values on the axes: how many of the nearest on each are tried with one another."""


class Solution(NamedTuple):
    """One way to reach an output size."""

    text: str
    """What changes, as its new values: "kernel_size 3, padding 1"; "as it is" where nothing has to."""
    layer: Layer
    distance: float
    """How far it is from the present layer: 100 for each changed hyper-parameter, and the size of the changes."""


class Goal(NamedTuple):
    """An output size that is often wanted."""

    text: str
    """In the imperative: "keep the size"."""
    target: Pair
    """(height, width), in pixels."""


@lru_cache(maxsize=256)
def solutions(layer: Layer, inputs: tuple[Shape, ...], target: Pair, limit: int = 12) -> tuple[Solution, ...]:
    """The values of this layer that make its output `target` high and wide.

    Args:
        layer: the present layer; whether it fits its inputs does not matter.
        inputs: shapes that arrive, `(C, H, W)`.
        target: (height, width) of the output, in pixels.
        limit: how many at most.

    Returns:
        Nearest first, without repetition; none where no value of this layer makes that size.
    """
    if len(inputs) != 1 or len(inputs[0]) != 3 or min(target) < 1 or limit < 1:
        return ()
    found: list[Solution] = []
    seen: set[Layer] = set()
    if _reaches(layer, inputs, target):
        found.append(Solution("as it is", layer, 0.0))
        seen.add(layer)
    size = (inputs[0][1], inputs[0][2])
    for lenient in (False, True):
        for batch in _candidates(layer, size, target, lenient):
            # A batch changes more hyper-parameters than those before it: nothing in it can be nearer.
            if len(found) >= limit:
                break
            for candidates in batch:
                found += _nearest(layer, inputs, target, candidates, seen)
        if found:
            break
    return tuple(sorted(found, key=lambda solution: solution.distance)[:limit])


def _nearest(
    layer: Layer, inputs: tuple[Shape, ...], target: Pair, candidates: Iterable[tuple[Values, float]], seen: set[Layer]
) -> list[Solution]:
    """The few nearest of the candidates that hold and are new; `seen` grows by them."""
    found: list[Solution] = []
    for values, cost in sorted(candidates, key=lambda candidate: candidate[1]):
        new = _with(layer, values)
        if new is None or new in seen or not _reaches(new, inputs, target):
            continue
        seen.add(new)
        found.append(Solution(_text(layer, new), new, _PER_CHANGE * len(_changed(layer, new)) + cost))
        if len(found) == _PER_CHOICE:
            break
    return found


def goals(layer: Layer, inputs: tuple[Shape, ...]) -> tuple[Goal, ...]:
    """The sizes that are often wanted of a layer and that this one can reach: the same, half, double, one pixel."""
    if len(inputs) != 1 or len(inputs[0]) != 3:
        return ()
    _, height, width = inputs[0]
    wanted = (
        Goal("keep the size", (height, width)),
        Goal("halve it", ((height + 1) // 2, (width + 1) // 2)),
        Goal("double it", (2 * height, 2 * width)),
        Goal("make it one pixel", (1, 1)),
    )
    distinct = {goal.target: goal for goal in reversed(wanted)}
    doubles = _makes_more(layer)
    return tuple(
        goal
        for goal in wanted
        if distinct[goal.target] is goal
        and (doubles or max(goal.target[0] - height, goal.target[1] - width) <= 0)
        and solutions(layer, inputs, goal.target, 1)
    )


def _makes_more(layer: Layer) -> bool:
    """Whether a larger output is what the layer is for: not padding in a convolution."""
    names = {parameter.name for parameter in layer.hyper_parameters}
    return "output_padding" in names or "kernel_size" not in names


def _reaches(layer: Layer, inputs: tuple[Shape, ...], target: Pair) -> bool:
    if layer.fault(inputs) is not None:
        return False
    output = layer.output_shape(inputs)
    return len(output) == 3 and output[1:] == target


def _with(layer: Layer, values: Values) -> Layer | None:
    """The layer with these values; None where one is out of its range."""
    try:
        for name, value in values.items():
            if getattr(layer, name) != value:
                layer = layer.with_value(name, value)
    except ValueError:
        return None
    return layer


def _changed(old: Layer, new: Layer) -> list[str]:
    return [name for name, value in new.values().items() if getattr(old, name) != value]


def _text(old: Layer, new: Layer) -> str:
    return ", ".join(f"{name} {value_text(getattr(new, name))}" for name in _changed(old, new))


def value_text(value: object) -> str:
    """A value as a repair names it: 3, 3×5, "same", or (top, bottom, left, right)."""
    if isinstance(value, tuple) and len(value) == 2:
        return str(value[0]) if value[0] == value[1] else format_shape(value)
    return str(value).replace("-", "−")


def _candidates(
    layer: Layer, size: Pair, target: Pair, lenient: bool
) -> Iterator[list[Iterable[tuple[Values, float]]]]:
    """Values that may reach the target with their costs, for each choice of what changes, fewest changes first."""
    rows, columns = axis_of(layer, size[0], 0), axis_of(layer, size[1], 1)
    if rows is None or columns is None:
        yield [_direct(layer, size, target)]
        return
    names = names_of(layer)
    for count in range(1, len(names) + 1):
        yield [_both((rows, columns), target, free, lenient) for free in combinations(names, count)]


def _both(
    axes: tuple[Axis, Axis], target: Pair, free: tuple[str, ...], lenient: bool
) -> Iterator[tuple[Values, float]]:
    """One value for both axes where that does; else, or if lenient, the nearest of each axis with one another."""
    rows = choices(axes[0], target[0], free)
    is_square = axes[0] == axes[1] and target[0] == target[1]
    columns = rows if is_square else choices(axes[1], target[1], free)
    per_axis = (rows, columns)
    alike = False
    for values in rows.keys() | columns.keys():
        high, wide = (
            found[values] if values in found else cost_of(axis, wanted, free, values)
            for found, axis, wanted in zip(per_axis, axes, target, strict=True)
        )
        if high is not None and wide is not None:
            alike = True
            yield _joined(free, values, values), max(high, wide)
    if "padding" in free and axes[0].sided:
        yield from _same(axes, target, free)
    are_alike = axes[0].present == axes[1].present
    if alike and are_alike and not lenient:
        return
    nearest = [sorted(found.items(), key=lambda item: item[1])[:_PAIRED] for found in per_axis]
    for (row, row_cost), (column, column_cost) in product(*nearest):
        if row != column:
            yield _joined(free, row, column), min(90.0, row_cost + column_cost + are_alike)


def _same(axes: tuple[Axis, Axis], target: Pair, free: tuple[str, ...]) -> Iterator[tuple[Values, float]]:
    """Values with padding "same", with which the stride alone decides: ⌈size / stride⌉."""
    if not set(free) <= {"padding", "stride"}:
        return  # Kernel and dilation do not matter then, so that changing them is no way to the target.
    strides: list[Pair] = [(axes[0].stride, axes[1].stride)]
    if "stride" in free:
        nearest = [max(1, round(axis.size / wanted)) for axis, wanted in zip(axes, target, strict=True)]
        strides = [(nearest[0], nearest[1])]
    for stride in strides:
        if all(-(-axis.size // s) == wanted for axis, s, wanted in zip(axes, stride, target, strict=True)):
            values: Values = {name: "same" if name == "padding" else stride for name in free}
            yield values, 1.5 + max(abs(s - axis.stride) for axis, s in zip(axes, stride, strict=True))


def _joined(free: tuple[str, ...], row: tuple[object, ...], column: tuple[object, ...]) -> Values:
    """The hyper-parameters' values from one for each axis."""
    values: Values = {}
    for name, high, wide in zip(free, row, column, strict=True):
        if name != "padding":
            values[name] = (high, wide)
            continue
        (top, bottom), (left, right) = cast("Pair", high), cast("Pair", wide)
        values[name] = (top, left) if top == bottom and left == right else (top, bottom, left, right)
    return values


def _direct(layer: Layer, size: Pair, target: Pair) -> Iterator[tuple[Values, float]]:
    """For layers without a window: values that name the output's size, its ratio to the input's, or what is added."""
    own = {parameter.name for parameter in layer.hyper_parameters}
    (height, width), (rows, columns) = size, target
    known: list[Values] = [
        {"output_size": target},
        {"height": rows, "width": columns},
        {"height": None, "width": None, "scale_height": rows / height, "scale_width": columns / width},
        {"dims": (2, 3), "keepdim": True},
    ]
    known += [_sides(size, target, first) for first in (0, 1)]
    for values in known:
        if values.keys() <= own:
            yield values, 1.0
    for parameter in layer.hyper_parameters:
        if parameter.kind in (Kind.INTEGER, Kind.FOLLOWS):
            present = getattr(layer, parameter.name)
            for value in {rows, columns, rows // height, columns // width, height // rows, width // columns}:
                if value != present:
                    yield {parameter.name: value}, min(90.0, abs(value - (present or 0)))


def _sides(size: Pair, target: Pair, first: int) -> Values:
    """What to add around the maps; an odd pixel goes to the end, or to the start if `first` is 1."""
    down, right = target[0] - size[0], target[1] - size[1]
    top, left = (down + first) // 2, (right + first) // 2
    return {"top": top, "bottom": down - top, "left": left, "right": right - left}
