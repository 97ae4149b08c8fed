"""The line of arithmetic of activations: value by value, and softmax along a line."""

import math
from collections.abc import Callable

import numpy as np

from explorer import layers as L  # noqa: N812
from explorer.runs import OpenedLayer
from explorer.session.field_terms import Index, Values, WorkedOut, result, weights_of, written


def _functions() -> dict[type[L.Layer], Callable[..., tuple[str, float]]]:
    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))

    def softplus(x: float) -> float:
        return max(x, 0) + math.log1p(math.exp(-abs(x)))

    def gelu(layer: L.GELU, x: float) -> tuple[str, float]:
        if layer.approximate == "tanh":
            inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
            return "x · (1 + tanh(…)) / 2", x * (1 + math.tanh(inner)) / 2
        return "x · Φ(x)", x * 0.5 * math.erfc(-x / math.sqrt(2))

    def selu(_layer: L.SELU, x: float) -> tuple[str, float]:
        scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
        return f"{written(scale)} · ELU(x)", scale * (x if x > 0 else alpha * math.expm1(x))

    def hard(x: float) -> float:
        return min(max(0.0, x + 3), 6.0) / 6

    return {
        L.ReLU: lambda _, x: ("max(0, x)", max(0.0, x)),
        L.ReLU6: lambda _, x: ("min(max(0, x), 6)", min(max(0.0, x), 6.0)),
        L.GELU: gelu,
        L.SiLU: lambda _, x: ("x · sigmoid(x)", x * sigmoid(x)),
        L.LeakyReLU: lambda layer, x: (
            "x" if x > 0 else f"{written(layer.negative_slope)} · x",
            x if x > 0 else layer.negative_slope * x,
        ),
        L.Sigmoid: lambda _, x: ("1 / (1 + e^−x)", sigmoid(x)),
        L.Tanh: lambda _, x: ("tanh(x)", math.tanh(x)),
        L.Hardswish: lambda _, x: ("x · min(max(0, x + 3), 6) / 6", x * hard(x)),
        L.Hardsigmoid: lambda _, x: ("min(max(0, x + 3), 6) / 6", hard(x)),
        L.ELU: lambda layer, x: (
            "x" if x > 0 else f"{written(layer.alpha)} · (e^x − 1)",
            x if x > 0 else layer.alpha * math.expm1(x),
        ),
        L.SELU: selu,
        L.Mish: lambda _, x: ("x · tanh(ln(1 + e^x))", x * math.tanh(softplus(x))),
        L.ScaledTanh: lambda layer, x: (
            f"{written(layer.amplitude)} · tanh({written(layer.slope)} · x)",
            layer.amplitude * math.tanh(layer.slope * x),
        ),
    }


FUNCTIONS = _functions()


def pointwise(layer: L.Layer, opened: OpenedLayer, index: Index) -> WorkedOut:
    x = float(opened.inputs[0][index])
    if not math.isfinite(x):
        return result(f"x = {written(x)}", float(opened.output[index]))
    formula, value = FUNCTIONS[type(layer)](layer, x)
    return result(f"{formula}, x = {written(x)}", value, x, 8)


def prelu(_layer: L.PReLU, opened: OpenedLayer, index: Index) -> WorkedOut:
    x, slopes = float(opened.inputs[0][index]), weights_of(opened)
    slope = float(slopes[index[0] if len(slopes) > 1 else 0])
    formula, value = ("x", x) if x > 0 else (f"{written(slope)} · x", slope * x)
    return result(f"{formula}, x = {written(x)}", value)


def softmax(layer: L.Softmax | L.LogSoftmax, opened: OpenedLayer, index: Index) -> WorkedOut:
    axis = layer.dim - 1
    line: tuple[int | slice, ...] = (*index[:axis], slice(None), *index[axis + 1 :])
    x: Values = opened.inputs[0][line].astype(np.float64)
    own, top = float(x[index[axis]]), float(x.max())
    total = float(np.exp(x - top).sum())
    # What the exponents share is left out, as torch leaves it out.
    if isinstance(layer, L.Softmax):
        text = f"e^x / Σ e^x over {x.size}, x = {written(own)}"
        return result(text, math.exp(own - top) / total, 1.0 + abs(own - top), x.size)
    return result(f"x − ln Σ e^x over {x.size}, x = {written(own)}", own - top - math.log(total), own - top, x.size)
