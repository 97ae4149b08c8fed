"""The arithmetic that convolution and pooling share: output sizes, what fits, and the same written out."""

from explorer.layers.layer import Arithmetic, Fault, Pair, SetValue, Shape, Suggestion, format_shape

AXES = ("height", "width")


def output_size(size: int, kernel_size: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False) -> int:
    """Output pixels along one axis, from torch's documentation of Conv2d and MaxPool2d.

    With `ceil_mode` the last window may hang over the end, but must start inside the input or its left padding.
    """
    span = size + 2 * padding - dilation * (kernel_size - 1) - 1
    if not ceil_mode:
        return span // stride + 1
    count = -(-span // stride) + 1
    if (count - 1) * stride >= size + padding:
        count -= 1
    return count


def expects_maps(type_name: str, shape: Shape) -> Fault | None:
    """A fault unless `shape` is (C, H, W)."""
    if len(shape) == 3:
        return None
    return Fault(f"{type_name} works on feature maps C×H×W; received {format_shape(shape)}, which a layer flattened")


def window_fault(
    shape: Shape, kernel_size: Pair, padding: Pair, dilation: Pair, *, fixed_padding: bool = False
) -> Fault | None:
    """A fault where the (dilated) kernel is larger than the padded input on an axis of a (C, H, W) shape.

    Args:
        fixed_padding: do not suggest padding, for pooling layers whose padding is bounded by the kernel.
    """
    for axis, name in enumerate(AXES):
        size, k, p, d = shape[axis + 1], kernel_size[axis], padding[axis], dilation[axis]
        extent = d * (k - 1) + 1
        padded = size + 2 * p
        if extent <= padded:
            continue
        largest = tuple(min(kernel_size[a], (shape[a + 1] + 2 * padding[a] - 1) // dilation[a] + 1) for a in range(2))
        least = tuple(
            max(padding[a], -(-(dilation[a] * (kernel_size[a] - 1) + 1 - shape[a + 1]) // 2)) for a in range(2)
        )
        suggestions: list[Suggestion] = [SetValue(f"kernel_size {_pair_text(largest)}", "kernel_size", largest)]
        fits = f"use at most {largest[axis]}"
        if not fixed_padding:
            suggestions.append(SetValue(f"padding {_pair_text(least)}", "padding", least))
            fits += f", or padding of at least {least[axis]}"
        if d > 1 and all(kernel_size[a] <= shape[a + 1] + 2 * padding[a] for a in range(2)):
            dilations = tuple(
                min(dilation[a], (shape[a + 1] + 2 * padding[a] - 1) // max(1, kernel_size[a] - 1)) for a in range(2)
            )
            suggestions.append(SetValue(f"dilation {_pair_text(dilations)}", "dilation", dilations))
        dilated = f" (dilated to {extent})" if d > 1 else ""
        padded_text = format_shape((shape[1] + 2 * padding[0], shape[2] + 2 * padding[1]))
        message = f"kernel_size {k}{dilated} does not fit the padded {padded_text} input along its {name}; {fits}"
        return Fault(message, tuple(suggestions))
    return None


def size_arithmetic(
    shape: Shape,
    output: Shape,
    *,
    kernel_size: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
    source: str,
) -> tuple[Arithmetic, ...]:
    """The output height and width written out; one line where both axes agree."""
    left, right = ("⌈", "⌉") if ceil_mode else ("⌊", "⌋")
    dilated = dilation != (1, 1)
    reach = "d·(k − 1) − 1" if dilated else "k"
    formula = f"{left}(size + 2·p − {reach}) / s{right} + 1"

    def written(axis: int) -> str:
        size, k, s, p, d = shape[axis + 1], kernel_size[axis], stride[axis], padding[axis], dilation[axis]
        taken = f"{d}·({k} − 1) − 1" if dilated else str(k)
        return f"{left}({size} + 2·{p} − {taken}) / {s}{right} + 1"

    if written(0) == written(1):
        return (Arithmetic("output height and width", formula, written(0), output[1], source),)
    return (
        Arithmetic("output height", formula, written(0), output[1], source),
        Arithmetic("output width", formula, written(1), output[2], source),
    )


def _pair_text(values: tuple[int, ...]) -> str:
    return str(values[0]) if values[0] == values[1] else format_shape(values)
