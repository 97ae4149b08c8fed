"""LeNet-5's own layers: trainable subsampling, a partially connected convolution and the radial basis output.

Source: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition", section II.B.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from explorer.layers.geometry import Axis, axes_of, sides_of, size_arithmetic
from explorer.layers.hyper_parameter import Pair, connections, flag, pair
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Fault,
    InsertBefore,
    Kept,
    Layer,
    ModuleCall,
    SetValue,
    Shape,
    Window,
    format_shape,
)
from explorer.layers.linear import Flatten
from explorer.layers.pooling import halving
from explorer.layers.registry import register
from explorer.layers.windows import (
    Finding,
    Problem,
    Windowed,
    blank_finding,
    kernel_mending,
    kernel_problem,
    sliding_findings,
    sliding_improvements,
)

_PAPER = "LeCun et al. 1998, section II.B"
_FLOAT_BYTES = 4
Connections = tuple[tuple[int, ...], ...]

C3_CONNECTIONS: Connections = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip
"""Which of the 6 maps of S2 each of the 16 maps of C3 reads (LeCun et al. 1998, table I)."""

_DIGITS = """
.#####. ...##.. .#####. .#####. #....## ####### ..####. ####### .#####. .#####.
##...## ..###.. ##...## ##...## #....## ##..... .##.... ##...## ##...## ##...##
##...## .####.. #....## #....## #....## ##..... ##..... .....## ##...## ##...##
##...## ...##.. .....## .....## ##...## ##..... ##..... ....##. ##...## ##...##
##...## ...##.. ....##. ....##. ##...## ######. ######. ....##. .#####. ##...##
##...## ...##.. ...##.. ..####. .###### .....## ##...## ...##.. .#####. .######
##...## ...##.. ..##... ....##. .....## .....## ##...## ...##.. ##...## .....##
##...## ...##.. .##.... .....## .....## .....## ##...## ..##... ##...## .....##
##...## ...##.. ##..... #....## .....## #....## ##...## ..##... ##...## .....##
##...## ...##.. ##..... ##...## .....## ##...## ##...## .##.... ##...## ....##.
.#####. .###### ####### .#####. .....## .#####. .#####. .##.... .#####. .####..
....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""
"""The ten digits on bitmaps of 7×12, in the manner of the paper's figure 3."""


def _bitmaps(drawing: str) -> Connections:
    """For each drawing of a row of them, the places of its set pixels, row by row."""
    rows = [line.split() for line in drawing.split("\n") if line]
    drawn = ["".join(pixels) for pixels in zip(*rows, strict=True)]
    return tuple(tuple(place for place, pixel in enumerate(pixels) if pixel == "#") for pixels in drawn)


DIGIT_PATTERNS = _bitmaps(_DIGITS)
"""For each digit, which of the 84 outputs of F6 should be +1 (LeCun et al. 1998, section II.B and figure 3)."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Subsampling(Windowed):
    """LeNet-5's S2 and S4: `(C, H, W)` to `(C, H', W')`; each window's sum times a coefficient, plus a bias."""

    category: ClassVar[Category] = Category.POOLING
    summary: ClassVar[str] = "Sums each window, then scales and shifts each channel by learned values, as LeNet-5 does."
    keywords: ClassVar[str] = "lenet trainable average pooling s2"
    menu_place: ClassVar[int] = 2

    kernel_size: Pair = pair((2, 2), help="Height and width of the window, in pixels.", on_node=True)
    stride: Pair = pair((2, 2), help="Pixels from one window to the next.", on_node=True)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """Halves the size."""
        return cls(kernel_size=halving(shape), stride=halving(shape))

    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        return axes_of(shape, self.kernel_size, self.stride, (0, 0, 0, 0))

    def problem(self, shape: Shape) -> Problem | None:
        return kernel_problem(self.axes(shape), (0, 0))

    def mending(self, problem: Problem, shape: Shape) -> Iterator[SetValue]:
        return kernel_mending(self.axes(shape))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        height, width = self.axes(inputs[0])
        return (inputs[0][0], height.outputs, width.outputs)

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        return 2 * inputs[0][0]

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return Window(self.kernel_size, self.stride, (0, 0), (1, 1))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # The sums too, for the coefficients' gradient.
        return Kept(inputs=(0,), values=math.prod(output))

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("Subsampling", {"num_channels": inputs[0][0], **self.values()}, is_own=True)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        channels = inputs[0][0]
        return (
            *size_arithmetic(self.axes(inputs[0]), _PAPER),
            Arithmetic("parameters", "2·C (coefficient, bias)", f"2·{channels}", 2 * channels, _PAPER),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class PartialConv2d(Windowed):
    """LeNet-5's C3: a convolution in which each output channel reads some of the input channels only (table I)."""

    category: ClassVar[Category] = Category.CONVOLUTION
    summary: ClassVar[str] = "Convolves; each output channel reads the input channels that it is connected with."
    keywords: ClassVar[str] = "lenet connection table c3"
    menu_place: ClassVar[int] = 2

    connections: Connections = connections(help="For each output channel, the input channels it reads, counted from 0.")
    kernel_size: Pair = pair(help="Height and width of the kernel, in pixels.", on_node=True)
    stride: Pair = pair((1, 1), help="Pixels from one window to the next.", on_node=True)
    padding: Pair = pair((0, 0), minimum=0, help="Zeros added on each side, in pixels.", on_node=True)
    bias: bool = flag(True, help="Adds one learned value to each output channel.")

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """LeNet-5's C3 behind six channels, else three neighbouring channels for each output; keeps the size."""
        channels = shape[0] if shape is not None and len(shape) == 3 else 6
        rows = C3_CONNECTIONS
        if channels != 6:
            rows = tuple(tuple(sorted({i, (i + 1) % channels, (i + 2) % channels})) for i in range(channels))
        return cls(connections=rows, kernel_size=(3, 3), padding=(1, 1))

    @property
    def num_connections(self) -> int:
        """Kernels: pairs of an output channel and an input channel that it reads."""
        return sum(len(row) for row in self.connections)

    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        return axes_of(shape, self.kernel_size, self.stride, sides_of(self.padding))

    def problem(self, shape: Shape) -> Problem | None:
        missing = _missing(self.connections, shape[0])
        if missing is None:
            return kernel_problem(self.axes(shape))
        output, channel = missing
        return Problem(
            "connections",
            f"output channel {output} reads input channel {channel}, but only 0 to {shape[0] - 1} arrive",
        )

    def mending(self, problem: Problem, shape: Shape) -> Iterator[SetValue]:
        if problem.kind == "window":
            yield from kernel_mending(self.axes(shape))
        else:
            yield from _within("connections", self.connections, shape[0], "channels")

    def findings(self, shape: Shape) -> list[Finding]:
        axes = self.axes(shape)
        findings = sliding_findings(axes)
        if blank := blank_finding(axes, "the bias alone" if self.bias else "zero"):
            findings.append(blank)
        if unread := self._unread(shape[0]):
            listed = ", ".join(str(channel) for channel in unread[:5]) + (", …" if len(unread) > 5 else "")
            findings.append(Finding("unread", "warning", f"no output reads input channel {listed}"))
        return findings

    def improving(self, finding: Finding, shape: Shape) -> Iterator[SetValue]:
        if finding.kind != "unread":
            yield from sliding_improvements(finding.kind, self.axes(shape))
            return
        *rows, last = self.connections
        unread = self._unread(shape[0])
        yield SetValue("let the last output read it too", "connections", (*rows, tuple(sorted({*last, *unread}))))

    def _unread(self, channels: int) -> list[int]:
        return sorted(set(range(channels)) - {channel for row in self.connections for channel in row})

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        height, width = self.axes(inputs[0])
        return (len(self.connections), height.outputs, width.outputs)

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        weights = self.num_connections * self.kernel_size[0] * self.kernel_size[1]
        return weights + len(self.connections) if self.bias else weights

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return self.num_connections * self.kernel_size[0] * self.kernel_size[1] * output[1] * output[2]

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        return Window(self.kernel_size, self.stride, self.padding, (1, 1))

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        # torch convolves with full kernels, in which zeros stand for the connections that are not there.
        kernels = len(self.connections) * inputs[0][0] * self.kernel_size[0] * self.kernel_size[1]
        return Kept(inputs=(0,), batch_bytes=kernels * _FLOAT_BYTES)

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall("PartialConv2d", {"in_channels": inputs[0][0], **self.values()}, is_own=True)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        k, source = self.kernel_size, "LeCun et al. 1998, table I"
        bias, added = (" + out", f" + {output[0]}") if self.bias else ("", "")
        return (
            *size_arithmetic(self.axes(inputs[0]), _PAPER),
            Arithmetic(
                "parameters",
                f"connections·k·k{bias}",
                f"{self.num_connections}·{k[0]}·{k[1]}{added}",
                self.num_parameters(inputs),
                source,
            ),
            Arithmetic(
                "multiply-accumulates",
                "connections·k·k·H·W",
                f"{self.num_connections}·{k[0]}·{k[1]}·{output[1]}·{output[2]}",
                self.macs(inputs, output),
                source,
            ),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class RadialBasis(Layer):
    """LeNet-5's output: `(features,)` to `(classes,)`, minus each squared distance to a class's fixed pattern of ±1."""

    category: ClassVar[Category] = Category.LINEAR
    summary: ClassVar[str] = "Compares the features with a fixed pattern for each class; the nearest scores highest."
    keywords: ClassVar[str] = "lenet rbf gaussian output patterns"
    menu_place: ClassVar[int] = 2

    patterns: Connections = connections(
        help="For each class, the features that should be +1, counted from 0; the others should be −1."
    )

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """LeNet-5's bitmaps of the ten digits on 84 features, else ten patterns that differ in about half of them."""
        features = shape[0] if shape is not None and len(shape) == 1 else 84
        return cls(patterns=DIGIT_PATTERNS if features == 84 else _walsh_patterns(features))

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        (shape,) = inputs
        if len(shape) != 1:
            message = f"RadialBasis compares a row of features; received {format_shape(shape)}"
            return Fault(message, (InsertBefore("flatten before", Flatten()),))
        missing = _missing(self.patterns, shape[0])
        if missing is None:
            return None
        return Fault(
            f"the pattern of class {missing[0]} names feature {missing[1]}, but only 0 to {shape[0] - 1} arrive",
            (
                *_within("patterns", self.patterns, shape[0], "features"),
                SetValue(f"new patterns for {shape[0]} features", "patterns", _walsh_patterns(shape[0])),
            ),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return (len(self.patterns),)

    def num_buffers(self, inputs: tuple[Shape, ...]) -> int:
        return len(self.patterns) * inputs[0][0]

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return Kept(values=output[0] * inputs[0][0])

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        rows = [set(row) for row in self.patterns]
        patterns = tuple(tuple(1 if i in row else -1 for i in range(inputs[0][0])) for row in rows)
        return ModuleCall("RadialBasis", {"patterns": patterns}, is_own=True)

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        features = inputs[0][0]
        values = f"{output[0]}·{features}"
        return (Arithmetic("buffers", "classes·features", values, output[0] * features, _PAPER),)


def _missing(rows: Connections, count: int) -> tuple[int, int] | None:
    """The first row that names a number which is not below `count`, and that number; None if all are."""
    return next(((row, index) for row, indices in enumerate(rows) for index in indices if index >= count), None)


def _within(name: str, rows: Connections, count: int, what: str) -> Iterator[SetValue]:
    """The same rows with what is there: either by leaving the rest out, or by counting on from 0 again."""
    kept = tuple(tuple(index for index in row if index < count) for row in rows)
    if all(kept):
        yield SetValue(f"leave out {what} from {count} on", name, kept)
    wrapped = tuple(tuple(sorted({index % count for index in row})) for row in rows)
    yield SetValue(f"spread over the {count} {what} that arrive", name, wrapped)


def _walsh_patterns(features: int, classes: int = 10) -> Connections:
    """Patterns that differ in about half of the features from each other: Walsh's functions, feature by feature."""
    return tuple(
        tuple(i for i in range(features) if ((label + 1) & (i + 1)).bit_count() % 2) or (label % features,)
        for label in range(classes)
    )
