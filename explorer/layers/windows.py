"""What layers with a sliding window share: which fault torch would raise, what is easily overlooked, what mends both.

Every suggestion is tried on the layer before it is made, so that none offers a value that does not help. The arithmetic
is in `explorer.layers.geometry`.
"""

from abc import abstractmethod
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from explorer.layers.geometry import AXES, LINES, Axis, expects_maps, pair_text, sides_of
from explorer.layers.hyper_parameter import LARGEST, Padding, Pair, Sides
from explorer.layers.layer import Fault, Layer, Remark, SetValue, Shape, format_shape

_WASTEFUL = 0.2
"""From this share of never-read pixels on, a remark is a warning. AlexNet's forms, pooling 12×12 by 3/2, stay under."""


class Problem(NamedTuple):
    """What torch would refuse. A kind is told from the others by its name, so that a change can be seen to mend it."""

    kind: str
    message: str


class Finding(NamedTuple):
    """What torch accepts, although it may not be meant."""

    kind: str
    severity: Literal["warning", "note"]
    message: str


class Windowed(Layer):
    """A layer whose window slides over maps (C, H, W). Subclasses say what is wrong, and which values might mend it."""

    __slots__ = ()

    kernel_size: Pair
    stride: Pair

    @abstractmethod
    def axes(self, shape: Shape) -> tuple[Axis, Axis]:
        """The window's two axes over a (C, H, W) shape."""

    @abstractmethod
    def problem(self, shape: Shape) -> Problem | None:
        """The first thing that torch would refuse about maps of `shape`, or None."""

    def mending(self, problem: Problem, shape: Shape) -> Iterator[SetValue]:
        """Values that may mend a problem, the best first."""
        yield from ()

    def findings(self, shape: Shape) -> list[Finding]:
        """What is worth a remark where nothing is refused."""
        return sliding_findings(self.axes(shape))

    def improving(self, finding: Finding, shape: Shape) -> Iterator[SetValue]:
        """Values that may do away with a finding, the best first."""
        return sliding_improvements(finding.kind, self.axes(shape))

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        return _fault(self, inputs[0])

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        return _remarks(self, inputs[0])

    def tried(self, candidates: Iterator[SetValue]) -> Iterator[SetValue]:
        """Each candidate once, without those that change nothing or lie out of range."""
        ranges = {parameter.name: parameter for parameter in self.hyper_parameters}
        seen: list[tuple[str, object]] = []
        for candidate in candidates:
            if candidate.name not in ranges:
                continue
            try:
                value = ranges[candidate.name].check(candidate.value, self.type_name)
            except ValueError:
                continue
            if (candidate.name, value) in seen or value == getattr(self, candidate.name):
                continue
            seen.append((candidate.name, value))
            yield SetValue(candidate.text, candidate.name, value)


# Networks repeat their layers, equal though not the same, so that most answers of an edit are already known.
@lru_cache(maxsize=4096)
def _fault(layer: Windowed, shape: Shape) -> Fault | None:
    if wrong := expects_maps(layer.type_name, shape):
        return wrong
    problem = layer.problem(shape)
    if problem is None:
        return None
    mending: list[SetValue] = []
    others: list[SetValue] = []
    for candidate in layer.tried(layer.mending(problem, shape)):
        left = layer.with_value(candidate.name, candidate.value).problem(shape)
        if left is None:
            mending.append(candidate)
        elif left.kind != problem.kind:
            others.append(candidate)
    return Fault(problem.message, tuple(mending or others))


@lru_cache(maxsize=4096)
def _remarks(layer: Windowed, shape: Shape) -> tuple[Remark, ...]:
    findings = layer.findings(shape)
    return tuple(Remark(f.severity, f.message, tuple(_helping(layer, shape, f, findings))) for f in findings)


def _helping(layer: Windowed, shape: Shape, finding: Finding, findings: list[Finding]) -> Iterator[SetValue]:
    """The values that do away with the finding; at worst a warning turns into a note of another kind."""
    known = {other.kind for other in findings}
    for candidate in layer.tried(layer.improving(finding, shape)):
        changed = layer.with_value(candidate.name, candidate.value)
        if changed.problem(shape) is not None:
            continue
        left = changed.findings(shape)
        if all(
            other.kind != finding.kind
            and (other.kind in known or (finding.severity == "warning" and other.severity == "note"))
            for other in left
        ):
            yield candidate


def set_pair(name: str, values: tuple[int, ...]) -> SetValue:
    """The suggestion of a pair."""
    return SetValue(f"{name} {pair_text(values)}", name, values)


def set_padding(padding: Padding) -> SetValue:
    """The suggestion of a padding, in its shortest form."""
    if isinstance(padding, str) or len(padding) == 2:
        text = padding if isinstance(padding, str) else pair_text(padding)
        return SetValue(f"padding {text}", "padding", padding)
    top, bottom, left, right = padding
    if top == bottom >= 0 and left == right >= 0:
        return set_padding((top, left))
    sides = ", ".join(f"−{-side}" if side < 0 else str(side) for side in padding)
    return SetValue(f"padding {sides}", "padding", padding)


def kernel_problem(axes: tuple[Axis, Axis], most_padding: Pair = (LARGEST, LARGEST)) -> Problem | None:
    """The (dilated) kernel is larger than the padded map, on some axis.

    Args:
        most_padding: what the layer can take, so that no more is asked for.
    """
    for axis, name, most in zip(axes, AXES, most_padding, strict=True):
        if axis.extent <= axis.padded:
            continue
        largest = (axis.padded - 1) // axis.dilation + 1 if axis.padded > 0 else 0
        fits = [f"at most {largest}"] if largest else []
        if axis.before == axis.after >= 0:
            if (least := -(-(axis.extent - axis.size) // 2)) <= most:
                fits.append(f"padding of at least {least}")
        else:
            fits.append(f"{axis.extent - axis.padded} more of padding")
        dilated = f" (dilated to {axis.extent})" if axis.dilation > 1 and axis.kernel_size > 1 else ""
        padded = format_shape((max(axes[0].padded, 0), max(axes[1].padded, 0)))
        kind = "cropped" if min(axis.before, axis.after) < 0 else "padded"
        return Problem(
            "window",
            f"kernel_size {axis.kernel_size}{dilated} does not fit the {kind} {padded} input along its {name}; "
            f"use {', or '.join(fits)}",
        )
    return None


def kernel_mending(axes: tuple[Axis, Axis]) -> Iterator[SetValue]:
    """A smaller kernel, more padding or less dilation, for a window that does not fit."""
    if all(axis.padded > 0 for axis in axes):
        yield set_pair("kernel_size", tuple(min(a.kernel_size, (a.padded - 1) // a.dilation + 1) for a in axes))
    if all(axis.before == axis.after >= 0 for axis in axes):
        yield set_pair("padding", tuple(max(a.before, -(-(a.extent - a.size) // 2)) for a in axes))
    else:
        yield set_padding(_sides(*(_widened(axis) for axis in axes)))
    if any(axis.dilation > 1 for axis in axes):
        yield set_pair(
            "dilation", tuple(max(1, min(a.dilation, (a.padded - 1) // max(1, a.kernel_size - 1))) for a in axes)
        )


def _widened(axis: Axis) -> Pair:
    """(before, after) with which the window just fits: first less is cropped, then more added, the odd one after."""
    before, after, missing = axis.before, axis.after, axis.extent - axis.padded
    if missing <= 0:
        return before, after
    back = min(missing, max(0, -after))
    after, missing = after + back, missing - back
    back = min(missing, max(0, -before))
    before, missing = before + back, missing - back
    return before + missing // 2, after + missing - missing // 2


def _sides(height: Pair, width: Pair) -> Sides:
    return (*height, *width)


def sliding_findings(axes: tuple[Axis, Axis]) -> list[Finding]:
    """Pixels that no window reads: between windows, and at the end, where rounding down leaves them."""
    if all(axis.stride <= axis.extent and not axis.lost for axis in axes):
        return []
    skips = [axis.stride > axis.extent and axis.read < axis.visible for axis in axes]
    lost = [0 if axis.stride > axis.extent else axis.lost for axis in axes]
    if not any(skips) and not any(lost):
        return []
    findings = []
    if any(skips):
        share = 1.0
        for axis, skipped in zip(axes, skips, strict=True):
            share *= axis.read / axis.visible if skipped else 1
        extent, stride = format_shape((axes[0].extent, axes[1].extent)), pair_text((axes[0].stride, axes[1].stride))
        # A 1×1 kernel with a stride is how residual networks project a skip (He et al. 2016, section 3.3).
        projects = axes[0].kernel_size == axes[1].kernel_size == 1
        findings.append(
            Finding(
                "skipped",
                "note" if projects else "warning",
                f"stride {stride} is larger than the {extent} window: "
                f"{_percent(1 - share)} of the pixels are never read",
            )
        )
    if any(lost):
        share = 1.0
        for axis, count in zip(axes, lost, strict=True):
            share *= 1 - count / axis.visible if count else 1
        parts = [_counted(count, line) for count, line in zip(lost, LINES, strict=True) if count]
        findings.append(
            Finding(
                "lost",
                "warning" if 1 - share >= _WASTEFUL else "note",
                f"the last {' and the last '.join(parts)} of the {format_shape((axes[0].size, axes[1].size))} input "
                f"{'is' if sum(lost) == 1 else 'are'} never read ({_percent(1 - share)} of its pixels): "
                "the output size is rounded down",
            )
        )
    return findings


def blank_finding(axes: tuple[Axis, Axis], becomes: str) -> Finding | None:
    """Windows that read nothing but padding, whose outputs are all `becomes`."""
    blank = [axis.blank for axis in axes]
    if not any(blank):
        return None
    parts = [
        f"{count} of {_counted(axis.outputs, line)}"
        for axis, count, line in zip(axes, blank, LINES, strict=True)
        if count
    ]
    return Finding("blank", "warning", f"{' and '.join(parts)} of the output see only padding and are {becomes}")


def sliding_improvements(kind: str, axes: tuple[Axis, Axis]) -> Iterator[SetValue]:
    """Values that may do away with a finding about `axes`."""
    if kind == "lost":
        yield SetValue("ceil_mode", "ceil_mode", True)
        yield from _reaching(axes)
    elif kind == "skipped":
        yield set_pair("stride", tuple(min(axis.stride, axis.extent) for axis in axes))
        least = tuple(
            axis.kernel_size if axis.extent >= axis.stride else -(-(axis.stride - 1) // axis.dilation) + 1
            for axis in axes
        )
        yield set_pair("kernel_size", least)
        if max(axis.dilation for axis in axes) == 1:
            yield set_pair("kernel_size", tuple(k + 1 - k % 2 for k in least))
        yield set_pair("stride", tuple(1 if axis.stride > axis.extent else axis.stride for axis in axes))
    elif kind == "blank":
        yield set_padding(_sides(*((min(a.before, a.extent - 1), min(a.after, a.extent - 1)) for a in axes)))
        yield set_pair("dilation", (1, 1))
        yield set_pair(
            "kernel_size",
            tuple(max(a.kernel_size, -(-max(a.before, a.after) // a.dilation) + 1) if a.blank else a.kernel_size
                  for a in axes),
        )  # fmt: skip


def _reaching(axes: tuple[Axis, Axis]) -> Iterator[SetValue]:
    """Values with which the last window reaches the end of the map."""
    missing = [axis.stride - (axis.padded - axis.extent) % axis.stride if axis.lost else 0 for axis in axes]
    (top, bottom, below), (left, right, behind) = (
        (axis.before, axis.after, m) for axis, m in zip(axes, missing, strict=True)
    )
    if top == bottom and left == right:
        yield set_padding(sides_of((top + -(-below // 2), left + -(-behind // 2))))
    yield set_padding((top, bottom + below, left, right + behind))
    yield set_padding("same")
    yield set_pair("kernel_size", tuple(axis.kernel_size + -(-axis.lost // axis.dilation) for axis in axes))
    yield set_pair("kernel_size", tuple(_reaching_value(axis, "kernel_size") for axis in axes))
    yield set_pair("stride", tuple(_reaching_value(axis, "stride") for axis in axes))
    yield set_pair("stride", tuple(1 if axis.lost else axis.stride for axis in axes))


def _reaching_value(axis: Axis, name: Literal["kernel_size", "stride"]) -> int:
    """The nearest kernel_size or stride with which all of the axis is read; the axis's own where there is none near."""
    own = axis.stride if name == "stride" else axis.kernel_size
    for distance in range(1, 9):
        for value in (own - distance, own + distance):
            if value < 1 or not axis.lost:
                continue
            other = axis._replace(stride=value) if name == "stride" else axis._replace(kernel_size=value)
            if other.outputs >= 1 and other.stride <= other.extent <= other.padded and not other.lost:
                return value
    return own


def _counted(count: int, line: str) -> str:
    return f"{count} {line}" if count == 1 else f"{count} {line}s"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
