"""Receptive field, output stride and centre written out, axis by axis; `receptive_field` computes them."""

from collections.abc import Callable, Sequence

from explorer.inference.receptive_field import ReceptiveField, rounding
from explorer.inference.report import NodeReport
from explorer.layers import Arithmetic, Ratio, Shape, Window

_SOURCE = "Araujo, Norris and Sim 2019, “Computing receptive fields of convolutional neural networks”, section 2"
_UNION = "the smallest field that holds what each branch sees"
_BETWEEN = "windows between pixels that lie j apart read whole ones, up to q = j·(1 − 1/parts of a pixel) away"
_BOUND = "the smallest field that holds what each branch sees, at every output"
_AXES = ("height", "width")

_Written = tuple[str, str, Ratio, str]
"""Formula, values, result, source."""


def field_arithmetic(report: NodeReport, upstream: Sequence[NodeReport]) -> tuple[Arithmetic, ...]:
    """How a node's receptive field, output stride and centre follow from those that arrive; none where unknown.

    Args:
        upstream: the reports of the nodes that arrive, in order.
    """
    field = report.receptive_field
    fields = [before.receptive_field for before in upstream]
    known = [before for before in fields if before is not None]
    if field is None or len(known) < len(fields):
        return ()
    inputs: tuple[Shape, ...] = report.input_shapes  # type: ignore[assignment]  # known, or the field were not
    window = report.layer.window(inputs) if inputs else None

    def by_axis(what: str, write: Callable[[int], _Written]) -> list[Arithmetic]:
        rows, columns = write(0), write(1)
        if rows == columns:
            return [Arithmetic(what, *rows)]
        return [Arithmetic(f"{what}, {axis}", *one) for axis, one in zip(_AXES, (rows, columns), strict=True)]

    return (
        *by_axis("receptive field", lambda axis: _size(field, known, window, axis)),
        *by_axis("output stride", lambda axis: _stride(field, known, window, axis)),
        *by_axis("first pixel seen", lambda axis: _start(field, known, window, axis)),
        *by_axis("centre", lambda axis: _centre(field, axis)),
    )


def _size(field: ReceptiveField, before: list[ReceptiveField], window: Window | None, axis: int) -> _Written:
    result = field.size[axis]
    if window is None or not before:
        return "1", "1", result, "a pixel of the image sees itself"
    if len(before) > 1:
        ends = [one.start[axis] + one.size[axis] for one in before]
        starts = [one.start[axis] for one in before]
        if max(ends) - min(starts) != result or min(starts) != field.start[axis]:
            # Branches of unlike strides, or values that are repeated, drift apart from output to output.
            first, end = field.start[axis], field.start[axis] + result
            return "max(end) − min(start)", f"{_text(end)} − {_bracketed(first)}", result, _BOUND
        return "max(end) − min(start)", f"{_max(ends)} − {_bracketed(_min(starts))}", result, _UNION
    (one,) = before
    if one.is_whole[axis]:
        return "r", _text(one.size[axis]), result, "all outputs before see the same, so that neighbours add nothing"
    k, d = window.kernel_size[axis], window.dilation[axis]
    values = f"{_text(one.size[axis])} + ({k} − 1)·{d}·{_text(one.stride[axis])}"
    if (off := rounding(one, window, axis)) and not one.is_whole[axis]:
        return "r + (k − 1)·d·j + 2·q", f"{values} + 2·{_bracketed(off)}", result, _BETWEEN
    return "r + (k − 1)·d·j", values, result, _SOURCE


def _stride(field: ReceptiveField, before: list[ReceptiveField], window: Window | None, axis: int) -> _Written:
    result = field.stride[axis]
    if window is None or not before:
        return "1", "1", result, "neighbouring pixels of the image"
    if len(before) > 1:
        moving = [one.stride[axis] for one in before if not one.is_whole[axis]]
        spacings = moving or [one.stride[axis] for one in before]
        if max(spacings) != result:
            return "j", _text(result), result, "the map's own spacing; a value that is repeated over it has none"
        return "max(j)", _max(spacings), result, _UNION
    return "j·s", f"{_text(before[0].stride[axis])}·{_text(window.stride[axis])}", result, _SOURCE


def _start(field: ReceptiveField, before: list[ReceptiveField], window: Window | None, axis: int) -> _Written:
    result = field.start[axis]
    if window is None or not before:
        return "0", "0", result, "output (0, 0) is the image's first pixel"
    if len(before) > 1:
        starts = [one.start[axis] for one in before]
        if min(starts) != result:
            return "min(start)", _text(result), result, _BOUND
        return "min(start)", _min(starts), result, _UNION
    (one,) = before
    if one.is_whole[axis]:
        return "start", _text(one.start[axis]), result, "all outputs before see the same"
    values = f"{_text(one.start[axis])} − {_bracketed(window.padding[axis])}·{_text(one.stride[axis])}"
    if off := rounding(one, window, axis):
        return "start − p·j − q", f"{values} − {_bracketed(off)}", result, _BETWEEN
    return "start − p·j", values, result, _SOURCE


def _centre(field: ReceptiveField, axis: int) -> _Written:
    size, start = field.size[axis], field.start[axis]
    return "start + (r − 1) / 2", f"{_text(start)} + ({_text(size)} − 1) / 2", field.center[axis], _SOURCE


def _max(values: list[Ratio]) -> str:
    return _of_all("max", values)


def _min(values: list[Ratio]) -> str:
    return _of_all("min", values)


def _of_all(name: str, values: list[Ratio]) -> str:
    """The largest or least of the different ones; one alone needs no word for it."""
    different = list(dict.fromkeys(_text(value) for value in values))
    return different[0] if len(different) == 1 else f"{name}({', '.join(different)})"


def _bracketed(value: Ratio | str) -> str:
    text = value if isinstance(value, str) else _text(value)
    return f"({text})" if text.startswith("−") or "/" in text else text


def _text(value: Ratio) -> str:
    return str(value).replace("-", "−")
