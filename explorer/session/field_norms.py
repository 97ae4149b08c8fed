"""The line of arithmetic of layers that normalise: by the batch's statistics, a group, a place, or neighbours."""

import math

import numpy as np
import numpy.typing as npt

from explorer import layers as L  # noqa: N812
from explorer.runs import OpenedLayer
from explorer.session.field_terms import Index, Values, WorkedOut, bracketed, plus, result, written


def _normed(x: float, mean: float, variance: float, eps: float, scale: float | None, shift: float | None) -> WorkedOut:
    value = (x - mean) / math.sqrt(variance + eps)
    formula = "(x − mean) / √(variance + eps)"
    numbers = f"({written(x)} {plus(-mean)}) / √{written(variance + eps)}"
    if scale is not None:
        formula, numbers = f"{formula} · weight", f"{numbers} · {bracketed(scale)}"
    if shift is not None:
        formula, numbers = f"{formula} + bias", f"{numbers} {plus(shift)}"
    factor = 1.0 if scale is None else scale
    steep = abs(factor) / math.sqrt(variance + eps)
    terms = np.array([steep * x, steep * mean, factor * value, shift or 0.0])
    return result(f"{formula} = {numbers}", factor * value + (shift or 0.0), terms, 64)


def _affine(opened: OpenedLayer, index: tuple[int, ...]) -> tuple[float | None, float | None]:
    scale, shift = opened.parameters.get("weight"), opened.parameters.get("bias")
    return (
        None if scale is None else float(scale[index]),
        None if shift is None else float(shift[index]),
    )


def channel_norm(layer: L.Layer, opened: OpenedLayer, index: Index) -> WorkedOut:
    """Batch, instance and group norm."""
    (x,) = opened.inputs
    own = float(x[index])
    if isinstance(layer, L.GroupNorm):
        size = x.shape[0] // layer.num_groups
        first = index[0] // size * size
        mean, variance = _mean_and_variance(x[first : first + size])
    elif "running_mean" in opened.parameters:
        mean = float(opened.parameters["running_mean"][index[0]])
        variance = float(opened.parameters["running_var"][index[0]])
    else:
        mean, variance = _mean_and_variance(x[index[0]])
    assert isinstance(layer, L.GroupNorm | L.BatchNorm2d | L.BatchNorm1d | L.InstanceNorm2d)
    return _normed(own, mean, variance, layer.eps, *_affine(opened, index[:1]))


def layer_norm(layer: L.LayerNorm, opened: OpenedLayer, index: Index) -> WorkedOut:
    (x,) = opened.inputs
    kept = x.ndim - layer.num_dims
    return _normed(float(x[index]), *_mean_and_variance(x[index[:kept]]), layer.eps, *_affine(opened, index[kept:]))


def layer_norm_2d(layer: L.LayerNorm2d, opened: OpenedLayer, index: Index) -> WorkedOut:
    block = opened.inputs[0][:, index[1], index[2]]
    return _normed(float(block[index[0]]), *_mean_and_variance(block), layer.eps, *_affine(opened, index[:1]))


def _mean_and_variance(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    exact = values.astype(np.float64)
    return float(exact.mean()), float(exact.var())


def layer_scale(_layer: L.LayerScale, opened: OpenedLayer, index: Index) -> WorkedOut:
    x, factor = float(opened.inputs[0][index]), float(opened.parameters["weight"][index[0], 0, 0])
    return result(f"x · weight = {written(x)} · {bracketed(factor)}", x * factor)


def local_response(layer: L.LocalResponseNorm, opened: OpenedLayer, index: Index) -> WorkedOut:
    (values,) = opened.inputs
    first, end = max(0, index[0] - layer.size // 2), index[0] + (layer.size - 1) // 2 + 1
    picked: tuple[int | slice, ...] = (slice(first, end), *index[1:])
    neighbours: Values = values[picked].astype(np.float64)
    x, squares = float(values[index]), float((neighbours**2).sum())
    inner = layer.k + layer.alpha / layer.size * squares
    text = (
        f"x / (k + alpha/size · Σ {neighbours.size} squares)^beta = "
        f"{written(x)} / {written(inner)}^{written(layer.beta)}"
    )
    value = x / inner**layer.beta
    return result(text, value, value * (1 + abs(layer.beta)), 32)
