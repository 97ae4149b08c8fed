"""The reverse solver along one axis: values of a window that turn one size into another, and how far they are.

A window slides (convolutions, pooling) or is laid down (transposed convolutions); both are torch's documented formulas.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

from explorer.layers import Category, Kind, Layer

Values = dict[str, object]
Sides = tuple[int, int]

_NAMES = ("padding", "kernel_size", "stride", "output_padding", "dilation")
"""In the order in which equally near solutions are offered."""


class Axis(NamedTuple):
    """What one axis of a layer with a window is now."""

    size: int
    """Pixels that arrive."""
    kernel_size: int
    stride: int
    padding: Sides | None
    """Before and after; None for "same"."""
    dilation: int
    output_padding: int
    is_transposed: bool
    ceil_mode: bool
    half_padding: bool
    """Whether the padding may not exceed half of the kernel, as in torch's pooling."""
    sided: bool
    """Whether the padding may differ between opposite sides."""

    @property
    def present(self) -> tuple[object, ...]:
        """What tells the axes of a layer apart."""
        return (self.kernel_size, self.stride, self.padding, self.dilation, self.output_padding)


def names_of(layer: Layer) -> tuple[str, ...]:
    """The hyper-parameters that decide the size of a layer with a window."""
    own = {parameter.name for parameter in layer.hyper_parameters}
    return tuple(name for name in _NAMES if name in own)


def axis_of(layer: Layer, size: int, axis: int) -> Axis | None:
    """One axis (0: height) of a layer that has a window; None if it has none."""
    kinds = {parameter.name: parameter.kind for parameter in layer.hyper_parameters}
    if "kernel_size" not in kinds or "stride" not in kinds:
        return None

    def value(name: str, default: int) -> int:
        pair = getattr(layer, name, (default, default))
        return pair[axis] if isinstance(pair, tuple) else int(pair)

    padding = getattr(layer, "padding", (0, 0))
    sides: Sides | None
    if isinstance(padding, str):
        sides = None if padding == "same" else (0, 0)
    elif isinstance(padding, tuple):
        sides = (padding[2 * axis], padding[2 * axis + 1]) if len(padding) == 4 else (padding[axis], padding[axis])
    else:
        sides = (int(padding), int(padding))
    return Axis(
        size=size,
        kernel_size=value("kernel_size", 1),
        stride=value("stride", 1),
        padding=sides,
        dilation=value("dilation", 1),
        output_padding=value("output_padding", 0),
        is_transposed="output_padding" in kinds,
        ceil_mode=bool(getattr(layer, "ceil_mode", False)),
        half_padding=layer.category is Category.POOLING,
        sided=kinds.get("padding") is Kind.PADDING,
    )


def choices(axis: Axis, target: int, free: tuple[str, ...]) -> dict[tuple[object, ...], float]:
    """Values for the free hyper-parameters that make `target` pixels of the axis, each with its cost."""
    if axis.padding is None and "padding" not in free:
        # Padding "same" follows the kernel: the stride alone decides.
        return _strides_of_same(axis, target, free)
    found: dict[tuple[object, ...], float] = {}
    for stride in _strides(axis, target, free):
        for dilation in _dilations(axis, free):
            for kernel_size in _kernels(axis, target, stride, dilation, free):
                extent = dilation * (kernel_size - 1) + 1
                for padding, extra in _paddings(axis, target, extent, stride, dilation, free):
                    picked = (padding, kernel_size, stride, extra, dilation)
                    cost = _cost(axis, target, free, *picked)
                    if cost is not None:
                        found[tuple([v for name, v in zip(_NAMES, picked, strict=True) if name in free])] = cost
    return found


def cost_of(axis: Axis, target: int, free: tuple[str, ...], values: tuple[object, ...]) -> float | None:
    """What those values of the free hyper-parameters cost on this axis; None where they do not make the target."""
    given = dict(zip(free, values, strict=True))
    padding = given.get("padding", axis.padding)
    if padding is None:
        return _strides_of_same(axis, target, free).get(values)
    return _cost(
        axis,
        target,
        free,
        cast("Sides", padding),
        cast("int", given.get("kernel_size", axis.kernel_size)),
        cast("int", given.get("stride", axis.stride)),
        cast("int", given.get("output_padding", axis.output_padding)),
        cast("int", given.get("dilation", axis.dilation)),
    )


def size_of(axis: Axis, extent: int, stride: int, padding: Sides, output_padding: int) -> int:
    """Output pixels, from torch's documentation of Conv2d, MaxPool2d and ConvTranspose2d; 0 where nothing fits."""
    total = padding[0] + padding[1]
    if axis.is_transposed:
        return max(0, (axis.size - 1) * stride - total + extent + output_padding)
    span = axis.size + total - extent
    if not axis.ceil_mode:
        return span // stride + 1 if span >= 0 else 0
    count = -(-span // stride) + 1
    # The last window must start inside the input or the padding before it.
    return max(0, count - 1 if (count - 1) * stride >= axis.size + padding[0] else count)


def _strides_of_same(axis: Axis, target: int, free: tuple[str, ...]) -> dict[tuple[object, ...], float]:
    if free != ("stride",):
        return {}
    fitting = [s for s in range(1, axis.size + 1) if -(-axis.size // s) == target]
    return {(s,): float(abs(s - axis.stride)) for s in fitting}


def _strides(axis: Axis, target: int, free: tuple[str, ...]) -> list[int]:
    if "stride" not in free:
        return [axis.stride]
    if free == ("stride",):
        return list(range(1, max(axis.size, target) + 1))
    ratio = target // axis.size if axis.is_transposed else axis.size // target
    near = {1, 2, 3, 4, *range(axis.stride - 2, axis.stride + 3), ratio - 1, ratio, ratio + 1}
    return sorted(stride for stride in near if stride >= 1)


def _dilations(axis: Axis, free: tuple[str, ...]) -> list[int]:
    if "dilation" not in free:
        return [axis.dilation]
    if free == ("dilation",):
        return list(range(1, 65))
    near = {1, 2, *range(axis.dilation - 2, axis.dilation + 3)}
    return sorted(dilation for dilation in near if dilation >= 1)


def _kernels(axis: Axis, target: int, stride: int, dilation: int, free: tuple[str, ...]) -> list[int]:
    if "kernel_size" not in free:
        return [axis.kernel_size]
    sides = axis.padding or (0, 0)
    total = sides[0] + sides[1]
    # The extents that just reach the target with the present padding, and the smaller ones that do too at this stride.
    if axis.is_transposed:
        widest = target - (axis.size - 1) * stride + total - axis.output_padding
    else:
        widest = axis.size + total - (target - 1) * stride
    exact = (widest - 1) // dilation + 1
    reach = min(stride // dilation + 2, 24)
    near = {*range(exact - reach, exact + (reach if axis.ceil_mode else 2))}
    near |= {*range(axis.kernel_size - 3, axis.kernel_size + 4)}
    if len(free) > 1:
        near |= {1, 2, 3, 5, 7, axis.size - target + 1}
    return sorted(kernel_size for kernel_size in near if kernel_size >= 1)


def _paddings(
    axis: Axis, target: int, extent: int, stride: int, dilation: int, free: tuple[str, ...]
) -> Iterator[tuple[Sides, int]]:
    """Paddings, and output paddings, that may reach the target."""
    extras = [axis.output_padding]
    if "output_padding" in free:
        extras = list(range(min(max(stride, dilation), 16)))
    for extra in extras:
        if "padding" not in free:
            if axis.padding is not None:
                yield axis.padding, extra
            continue
        for total in _totals(axis, target, extent, stride, extra):
            yield (total // 2, total - total // 2), extra
            if total % 2:
                yield (total - total // 2, total // 2), extra


def _totals(axis: Axis, target: int, extent: int, stride: int, extra: int) -> list[int]:
    """Sums of the padding on both sides that may reach the target, a few nearest to the present one and to none."""
    if axis.is_transposed:
        total = (axis.size - 1) * stride + extent + extra - target
        return [total] if total >= 0 else []
    most = (target - 1) * stride + extent - axis.size + (stride - 1 if not axis.ceil_mode else 0)
    least = max(0, most - stride + 1)
    if axis.ceil_mode:
        most += stride - 1  # The last window may be dropped for starting in the padding.
    sides = axis.padding or (0, 0)
    present = sides[0] + sides[1]
    near = {least, least + 1, most - 1, most, extent - 1, *range(present - 3, present + 4)}
    return sorted(total for total in near if least <= total <= most)


def _allowed(axis: Axis, sides: Sides, kernel_size: int) -> bool:
    if sides == axis.padding and axis.sided:
        return True
    if sides[0] != sides[1] and not axis.sided:
        return False
    return not axis.half_padding or max(sides) <= kernel_size // 2


def _cost(
    axis: Axis,
    target: int,
    free: tuple[str, ...],
    padding: Sides,
    kernel_size: int,
    stride: int,
    output_padding: int,
    dilation: int,
) -> float | None:
    """The size of the change, and half a step or more for what networks seldom do; None where it misses the target."""
    extent = dilation * (kernel_size - 1) + 1
    if kernel_size == 1 and "kernel_size" in free and dilation != axis.dilation:
        return None  # A single tap has no distance to another.
    if not _allowed(axis, padding, kernel_size) or size_of(axis, extent, stride, padding, output_padding) != target:
        return None
    if axis.is_transposed and output_padding >= max(stride, dilation):
        return None
    total, was = sum(padding), sum(axis.padding or (0, 0))
    cost = (
        abs(kernel_size - axis.kernel_size)
        + abs(stride - axis.stride)
        + abs(total - was) / 2
        + abs(dilation - axis.dilation) * 1.5
        + abs(output_padding - axis.output_padding)
    )
    if kernel_size != axis.kernel_size:
        cost += 0.5 * (kernel_size % 2 == 0) + axis.half_padding * (kernel_size == 1)
    if padding != axis.padding:
        if padding[0] != padding[1]:
            cost += 3 if padding[0] < padding[1] else 3.25  # TensorFlow gives the odd pixel to the end.
        cost += 3 + max(padding) - extent // 2 if max(padding) > extent // 2 else 0
        cost += 0.25 if total != extent - 1 else 0
    if stride > extent and not axis.is_transposed and (stride, extent) != (axis.stride, axis.kernel_size):
        cost += 2  # Pixels between the windows would be skipped.
    return min(cost, 90.0)
