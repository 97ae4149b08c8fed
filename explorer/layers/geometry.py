"""The arithmetic of a window that slides along an axis: output sizes, what is read and what never is, written out.

What fits and what is remarked on, in words and with suggestions, is in `explorer.layers.windows`.
"""

from typing import NamedTuple

from explorer.layers.hyper_parameter import Pair, Sides
from explorer.layers.layer import Arithmetic, Fault, Shape, format_shape

AXES = ("height", "width")
LINES = ("row", "column")
"""What an axis counts."""


class Axis(NamedTuple):
    """A window sliding along one axis of a map. Sizes in pixels; negative padding crops."""

    size: int
    """Pixels that arrive."""
    kernel_size: int
    stride: int
    before: int
    """Padding before the first pixel."""
    after: int
    """Padding after the last pixel."""
    dilation: int = 1
    ceil_mode: bool = False

    @property
    def extent(self) -> int:
        """The pixels from the window's first tap to its last."""
        return self.dilation * (self.kernel_size - 1) + 1

    @property
    def padded(self) -> int:
        """The pixels that the window slides over."""
        return self.size + self.before + self.after

    @property
    def outputs(self) -> int:
        """The windows, each one output pixel; below 1 where none fits (torch's documentation of Conv2d, MaxPool2d).

        With `ceil_mode` the last window may hang over the end, but must start inside the input or its left padding.
        """
        return output_size(
            self.size, self.kernel_size, self.stride, (self.before, self.after), self.dilation, self.ceil_mode
        )

    @property
    def visible(self) -> int:
        """Pixels that cropping leaves to be read."""
        return max(0, self.size + min(self.before, 0) + min(self.after, 0))

    @property
    def lost(self) -> int:
        """Pixels at the end that no window reaches, as the output size is rounded down."""
        reached = (self.outputs - 1) * self.stride - self.before + self.extent
        return max(0, min(self.size + min(self.after, 0) - reached, self.visible))

    @property
    def read(self) -> int:
        """Pixels that some window covers, of all that arrive; what lies between a window's taps counts as covered."""
        step = min(self.stride, self.extent)
        if step == self.stride:  # No gaps between the windows.
            first, last = -self.before, (self.outputs - 1) * self.stride - self.before + self.extent
            return max(0, min(last, self.size) - max(first, 0))
        covered = self.outputs * self.extent
        for window in range(self.outputs):
            start = window * self.stride - self.before
            if start >= 0:
                break
            covered -= min(self.extent, -start)
        for window in range(self.outputs - 1, -1, -1):
            over = window * self.stride - self.before + self.extent - self.size
            if over <= 0:
                break
            covered -= min(self.extent, over)
        return covered

    @property
    def blank(self) -> int:
        """The windows all of whose taps read padding."""
        if self.dilation > self.size:  # A small map may slip between two taps.
            return sum(all(not 0 <= tap < self.size for tap in self._taps(window)) for window in range(self.outputs))
        # The windows that end before the first pixel, and those that begin behind the last.
        ahead = max(0, -(-(self.before - self.extent + 1) // self.stride))
        behind = max(0, self.outputs - max(0, -(-(self.size + self.before) // self.stride)))
        return min(self.outputs, ahead + behind)

    def _taps(self, window: int) -> range:
        start = window * self.stride - self.before
        return range(start, start + self.extent, self.dilation)


def output_size(
    size: int, kernel_size: int, stride: int, padding: int | Pair, dilation: int = 1, ceil_mode: bool = False
) -> int:
    """Output pixels along one axis, from torch's documentation of Conv2d and MaxPool2d.

    With `ceil_mode` the last window may hang over the end, but must start inside the input or its left padding.

    Args:
        padding: on each side, or (before, after).
    """
    before, after = (padding, padding) if isinstance(padding, int) else padding
    span = size + before + after - dilation * (kernel_size - 1) - 1
    if not ceil_mode:
        return span // stride + 1
    count = -(-span // stride) + 1
    if (count - 1) * stride >= size + before:
        count -= 1
    return count


def same_padding(size: int, kernel_size: int, stride: int, dilation: int) -> Pair:
    """(before, after) along one axis with which `⌈size / stride⌉` windows fit; the odd pixel comes after.

    Source: TensorFlow's documentation of `tf.nn`, "SAME" padding.
    """
    count = -(-size // stride)
    total = max((count - 1) * stride + dilation * (kernel_size - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def axes_of(
    shape: Shape, kernel_size: Pair, stride: Pair, sides: Sides, dilation: Pair = (1, 1), ceil_mode: bool = False
) -> tuple[Axis, Axis]:
    """The height's and the width's axis of a (C, H, W) shape."""
    return (
        Axis(shape[1], kernel_size[0], stride[0], sides[0], sides[1], dilation[0], ceil_mode),
        Axis(shape[2], kernel_size[1], stride[1], sides[2], sides[3], dilation[1], ceil_mode),
    )


def sides_of(padding: Pair) -> Sides:
    """(top, bottom, left, right) of padding that is the same on opposite sides."""
    return (padding[0], padding[0], padding[1], padding[1])


def expects_maps(type_name: str, shape: Shape) -> Fault | None:
    """A fault unless `shape` is (C, H, W)."""
    if len(shape) == 3:
        return None
    return Fault(f"{type_name} works on feature maps C×H×W; received {format_shape(shape)}, which a layer flattened")


def size_arithmetic(axes: tuple[Axis, Axis], source: str) -> tuple[Arithmetic, ...]:
    """The output height and width written out; one line where both axes agree."""
    formulas = [_written(axis)[0] for axis in axes]
    values = [_written(axis)[1] for axis in axes]
    return both_axes("output {}", formulas, values, [axis.outputs for axis in axes], source)


def both_axes(
    what: str, formulas: list[str], values: list[str], results: list[int], source: str
) -> tuple[Arithmetic, ...]:
    """One line for both axes where they agree, else one for each; `{}` in `what` is the axis's name."""
    if values[0] == values[1]:
        return (Arithmetic(what.format("height and width"), formulas[0], values[0], results[0], source),)
    return tuple(
        Arithmetic(what.format(name), formulas[a], values[a], results[a], source) for a, name in enumerate(AXES)
    )


def _written(axis: Axis) -> tuple[str, str]:
    """The output size's formula, and the same with its values."""
    left, right = ("⌈", "⌉") if axis.ceil_mode else ("⌊", "⌋")
    reach, taken = "k", str(axis.kernel_size)
    if axis.dilation != 1:
        reach, taken = "d·(k − 1) − 1", f"{axis.dilation}·({axis.kernel_size} − 1) − 1"
    added, padding = " + 2·p", f" + 2·{axis.before}"
    if axis.before != axis.after:
        added, padding = " + p₁ + p₂", signed(axis.before) + signed(axis.after)
    elif axis.before < 0:
        padding = f" − 2·{-axis.before}"
    ending, last = " + 1", " + 1"
    if axis.ceil_mode and axis.outputs == -(-(axis.padded - axis.extent) // axis.stride):
        ending, last = " + 1 − 1 (a last window that would start behind the input is left out)", " + 1 − 1"
    return (
        f"{left}(size{added} − {reach}) / s{right}{ending}",
        f"{left}({axis.size}{padding} − {taken}) / {axis.stride}{right}{last}",
    )


def signed(value: int) -> str:
    """A summand: " + 2", " − 2"."""
    return f" − {-value}" if value < 0 else f" + {value}"


def pair_text(values: tuple[int, ...]) -> str:
    """A pair as the screen shows it: one number where both agree."""
    return str(values[0]) if len(values) == 2 and values[0] == values[1] else format_shape(values)
