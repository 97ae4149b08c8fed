"""The line of arithmetic of layers that sum over a window, or over all of their inputs.

What a window reads and what it comes to is `layer_arithmetic`'s, as in the Layer tab; here it becomes a line.
"""

import math

import numpy as np

from explorer import layers as L  # noqa: N812
from explorer.runs import OpenedLayer
from explorer.session.field_terms import MINUS, Index, Values, WorkedOut, bracketed, plus, result, weights_of, written
from explorer.session.layer_arithmetic import Sum, Walk
from explorer.session.layer_window import BETWEEN


def windowed(layer: L.Layer, opened: OpenedLayer, index: Index) -> WorkedOut | None:
    """Of a convolution or a pooling; None where the values are of another layer, or lack the weights."""
    try:
        walk = Walk(layer, opened)
    except ValueError:
        return None
    done = walk.at(*index)
    match done.kind:
        case "weighted":
            return _products(done)
        case "maximum":
            return _largest(walk, done)
        case "mean":
            return _mean(done)
        case "norm":
            return _norm(done)
        case "scaled":
            return _scaled(done)


def linear(layer: L.Linear, opened: OpenedLayer, index: Index) -> WorkedOut:
    """Of more than one dimension the last is mixed."""
    x = opened.inputs[0][index[:-1]].astype(np.float64)
    bias = float(weights_of(opened, "bias")[index[-1]]) if layer.bias else None
    return _summed(x * weights_of(opened)[index[-1]], bias)


def radial(_layer: L.RadialBasis, opened: OpenedLayer, index: Index) -> WorkedOut:
    """The distance to a pattern."""
    squares = (opened.inputs[0].astype(np.float64) - weights_of(opened, "patterns")[index[0]]) ** 2
    return result(f"{MINUS}Σ {squares.size:,} squared differences", -float(squares.sum()), squares)


def _summed(products: Values, bias: float | None, padded: int = 0) -> WorkedOut:
    total = float(products.sum())
    noun = "product" if products.size == 1 else "products"
    padding = f" ({padded:,} of padding)" if padded else ""
    if bias is None:
        return result(f"Σ {products.size:,} {noun}{padding}", total, products)
    text = f"Σ {products.size:,} {noun}{padding} + bias = {written(total)} {plus(bias)}"
    return result(text, total + bias, np.append(products, bias))


def _products(done: Sum) -> WorkedOut:
    # Between the pixels of a transposed convolution there is nothing that could be multiplied.
    there = done.state != BETWEEN
    padded = int((there & (done.state < 0)).sum()) * len(done.reads)
    return _summed(done.products[:, there], done.bias, padded)


def _largest(walk: Walk, done: Sum) -> WorkedOut:
    if math.isnan(done.total):
        return result("", math.nan)
    assert done.best is not None
    row = walk.slide.rows.sources[done.row, done.best[0]]
    column = walk.slide.columns.sources[done.column, done.best[1]]
    return result(f"largest of {int((done.state == 0).sum())}, at row {row}, column {column}", done.total)


def _mean(done: Sum) -> WorkedOut:
    inside, count = done.patch[0][done.state == 0], done.divisor
    padding = f" (and {count - inside.size} of padding)" if count > inside.size else ""
    text = f"Σ {inside.size} values{padding} / {count} = {written(float(inside.sum()))} / {count}"
    return result(text, done.total, inside / max(1, count))


def _norm(done: Sum) -> WorkedOut:
    powers, p = done.products[0][done.state == 0], done.power
    # torch averages, over what hangs over the end too, and multiplies by the whole window: `lp_pool2d`.
    total = float(powers.mean()) * done.state.size
    text = f"(Σ {powers.size} values^{written(p)})^(1/{written(p)}) = {written(total)}^{written(1 / p)}"
    relative = float(np.abs(powers).sum()) / max(abs(total), 1e-30)
    return result(text, done.total, done.total * relative, powers.size)


def _scaled(done: Sum) -> WorkedOut:
    assert done.factor is not None
    assert done.bias is not None
    total = written(float(done.patch.sum()))
    text = f"Σ {done.patch.size} values · coefficient + bias = {total} · {bracketed(done.factor)} {plus(done.bias)}"
    return result(text, done.total, np.append(done.patch * done.factor, done.bias))
