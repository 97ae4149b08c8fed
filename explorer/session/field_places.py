"""The line of arithmetic of layers that join branches, move values to other places, or sum over whole axes."""

import math

import numpy as np

from explorer import layers as L  # noqa: N812
from explorer.runs import OpenedLayer
from explorer.session.field_terms import Index, WorkedOut, bracketed, plus, result, written
from explorer.session.layer_window import padding


def merged(layer: L.Layer, opened: OpenedLayer, index: Index) -> WorkedOut:
    met = [float(x[tuple(0 if n == 1 else i for i, n in zip(index, x.shape, strict=True))]) for x in opened.inputs]
    first, *others = met
    if isinstance(layer, L.Mul):
        text = " · ".join(bracketed(value) for value in met)
        return result(text, math.prod(met), math.prod(met), len(met))
    if isinstance(layer, L.Sub):
        others = [-value for value in others]
    text = " ".join([written(first), *(plus(value) for value in others)])
    return result(text, sum([first, *others]), np.array(met))


def concat(layer: L.Concat, opened: OpenedLayer, index: Index) -> WorkedOut:
    axis, place = layer.dim - 1, index[layer.dim - 1]
    for number, x in enumerate(opened.inputs):
        if place < x.shape[axis]:
            source = (*index[:axis], place, *index[axis + 1 :])
            what = ("channel", "row", "column")[axis] if x.ndim == 3 else "value"
            return result(f"{what} {place} of input {number + 1}, as it is", float(x[source]))
        place -= x.shape[axis]
    raise AssertionError("the output is as long as its inputs together")


def _copied(opened: OpenedLayer, source: Index, said: str = "") -> WorkedOut:
    where = ", ".join(str(place) for place in source)
    return result(said or f"the input's value at ({where})", float(opened.inputs[0][source]))


def kept(_layer: L.Layer, opened: OpenedLayer, index: Index) -> WorkedOut:
    return _copied(opened, index, "the input's value, as it is")


def reshaped(_layer: L.Layer, opened: OpenedLayer, index: Index) -> WorkedOut:
    flat = int(np.ravel_multi_index(index, opened.output.shape))
    return _copied(opened, tuple(int(i) for i in np.unravel_index(flat, opened.inputs[0].shape)))


def permuted(layer: L.Permute, opened: OpenedLayer, index: Index) -> WorkedOut:
    source = [0] * len(index)
    for place, dim in zip(index, layer.dims, strict=True):
        source[dim - 1] = place
    return _copied(opened, tuple(source))


def shuffled(layer: L.ChannelShuffle, opened: OpenedLayer, index: Index) -> WorkedOut:
    place, group = divmod(index[0], layer.groups)
    return _copied(opened, (group * (opened.inputs[0].shape[0] // layer.groups) + place, *index[1:]))


def pixel_shuffled(layer: L.PixelShuffle, opened: OpenedLayer, index: Index) -> WorkedOut:
    factor = layer.upscale_factor
    (row, in_row), (column, in_column) = divmod(index[1], factor), divmod(index[2], factor)
    return _copied(opened, (index[0] * factor**2 + in_row * factor + in_column, row, column))


def piece(layer: L.Slice | L.Chunk | L.Split, opened: OpenedLayer, index: Index) -> WorkedOut:
    axis = layer.dim - 1
    place = layer.places(opened.inputs[0].shape[axis])[index[axis]]
    return _copied(opened, (*index[:axis], place, *index[axis + 1 :]))


def padded(layer: L.Pad, opened: OpenedLayer, index: Index) -> WorkedOut | None:
    (x,) = opened.inputs
    if x.ndim > 3:
        return None
    sides = ((layer.before, layer.after), (layer.top, layer.bottom), (layer.left, layer.right))
    if x.ndim < 3:
        sides = (sides[0], sides[2])[: x.ndim] if x.ndim == 2 else sides[:1]  # type: ignore[assignment]
    source = []
    for place, size, (before, after) in zip(index, x.shape, sides, strict=True):
        read = int(padding(layer.mode, size, before, after).sources[place, 0])
        if read < 0:
            return result("padding", layer.value)
        source.append(read)
    return _copied(opened, tuple(source))


def over_dims(layer: L.Mean | L.Sum, opened: OpenedLayer, index: Index) -> WorkedOut:
    (x,) = opened.inputs
    axes = {dim - 1 for dim in layer.dims}
    places = iter(index)
    picked: list[int | slice] = []
    for axis in range(x.ndim):
        if axis in axes:
            picked.append(slice(None))
            if layer.keepdim:
                next(places)
        else:
            picked.append(next(places))
    values = x[tuple(picked)].astype(np.float64)
    total = float(values.sum())
    if isinstance(layer, L.Sum):
        return result(f"Σ {values.size:,} values", total, values)
    text = f"Σ {values.size:,} values / {values.size:,} = {written(total)} / {values.size:,}"
    return result(text, total / values.size, values / values.size)
