"""Cases of the layers without a window that keep or join shapes: activations, normalisation, linear layers, merges."""

import math
from collections.abc import Callable

import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.layers import Shape
from tests.runtime.cases import BATCH, Case, Joined, Reference, Values, fixed, maps, small, vectors

rows = st.tuples(st.integers(1, 6), st.integers(1, 12).filter(lambda s: s != BATCH))
"""Channels of values in a row, as a flatten of height and width leaves them."""
ranks: st.SearchStrategy[Shape] = st.one_of(maps, maps, rows, vectors)
reals = st.floats(-3, 3)
probabilities = st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0, 1))
dims = st.integers(1, 4)
affine_and_tracked = st.fixed_dictionaries(
    {"num_features": fixed, "affine": st.booleans(), "track_running_stats": st.booleans()}
)
EPS = st.sampled_from([1e-5, 1e-6, 1e-3])


def _batch_norm(make: Callable[..., nn.Module]) -> Reference:
    return lambda v, shapes: make(
        v["num_features"] or shapes[0][0], affine=v["affine"], track_running_stats=v["track_running_stats"]
    )


def _group_norm(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.GroupNorm(v["num_groups"], v["num_channels"] or shapes[0][0], v["eps"], v["affine"])


def _layer_norm(v: Values, shapes: list[Shape]) -> nn.Module:
    (shape,) = shapes
    if v["num_dims"] > len(shape):
        raise ValueError("torch would need a size for each dimension, and there are fewer")
    return nn.LayerNorm(list(shape[len(shape) - v["num_dims"] :]), v["eps"], v["elementwise_affine"], v["bias"])


class _PixelNorm(nn.LayerNorm):
    """Channels last for the norm alone."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 4:
            raise ValueError("not maps")
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class _Scale(nn.Module):
    def __init__(self, count: int, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((count, 1, 1), value))

    def forward(self, x: Tensor) -> Tensor:
        # Broadcasting must not give the maps more channels, nor take a row of values for maps.
        if x.dim() != 4 or x.shape[1] != self.weight.shape[0]:
            raise ValueError("not as many maps as factors")
        return torch.einsum("nchw,c->nchw", x, self.weight.flatten())


def _plain(make: Callable[[], nn.Module]) -> Case:
    return Case(st.just({}), lambda *_: make(), max_examples=25)


CASES: dict[str, Case] = {
    "BatchNorm2d": Case(affine_and_tracked, _batch_norm(nn.BatchNorm2d)),
    "BatchNorm1d": Case(affine_and_tracked, _batch_norm(nn.BatchNorm1d), ranks),
    "GroupNorm": Case(
        st.fixed_dictionaries(
            {"num_groups": st.integers(1, 6), "num_channels": fixed, "affine": st.booleans(), "eps": EPS}
        ),
        _group_norm,
        ranks,
        max_examples=250,
    ),
    "LayerNorm": Case(
        st.fixed_dictionaries(
            {"num_dims": dims, "elementwise_affine": st.booleans(), "bias": st.booleans(), "eps": EPS}
        ),
        _layer_norm,
        ranks,
    ),
    "InstanceNorm2d": Case(
        # Without weights torch warns of an unlike num_features, whether it refuses it or not.
        affine_and_tracked.filter(lambda v: v["num_features"] is None or v["affine"]),
        _batch_norm(nn.InstanceNorm2d),
    ),
    "LayerNorm2d": Case(
        st.fixed_dictionaries({"num_channels": fixed, "elementwise_affine": st.booleans(), "eps": EPS}),
        lambda v, shapes: _PixelNorm(v["num_channels"] or shapes[0][0], v["eps"], v["elementwise_affine"]),
    ),
    "LayerScale": Case(
        st.fixed_dictionaries({"num_channels": fixed, "init_value": reals}),
        lambda v, shapes: _Scale(v["num_channels"] or shapes[0][0], v["init_value"]),
    ),
    "LocalResponseNorm": Case(
        st.fixed_dictionaries(
            {"size": st.integers(1, 9), "alpha": st.floats(0, 1), "beta": reals, "k": st.floats(1, 3)}
        ),
        lambda v, _: nn.LocalResponseNorm(v["size"], v["alpha"], v["beta"], v["k"]),
        ranks,
    ),
    "Linear": Case(
        st.fixed_dictionaries({"in_features": fixed, "out_features": small, "bias": st.booleans()}),
        lambda v, shapes: nn.Linear(v["in_features"] or shapes[0][-1], v["out_features"], v["bias"]),
        ranks,
    ),
    "Dropout": Case(st.fixed_dictionaries({"p": probabilities}), lambda v, _: nn.Dropout(v["p"]), max_examples=60),
    "Dropout2d": Case(
        # torch warns of what is no map, and so does a remark.
        st.fixed_dictionaries({"p": probabilities}),
        lambda v, _: nn.Dropout2d(v["p"]),
        maps,
        max_examples=60,
    ),
    "StochasticDepth": Case(
        st.fixed_dictionaries({"p": probabilities, "mode": st.sampled_from(["row", "batch"])}),
        lambda *_: nn.Identity(),
        max_examples=60,
    ),
    "Softmax": Case(st.fixed_dictionaries({"dim": dims}), lambda v, _: nn.Softmax(v["dim"]), ranks),
    "LogSoftmax": Case(st.fixed_dictionaries({"dim": dims}), lambda v, _: nn.LogSoftmax(v["dim"]), ranks),
    "ReLU": _plain(nn.ReLU),
    "ReLU6": _plain(nn.ReLU6),
    "LeakyReLU": Case(st.fixed_dictionaries({"negative_slope": reals}), lambda v, _: nn.LeakyReLU(v["negative_slope"])),
    "PReLU": Case(
        st.fixed_dictionaries({"num_slopes": fixed, "init": reals}),
        lambda v, shapes: nn.PReLU(v["num_slopes"] or shapes[0][0], v["init"]),
        ranks,
    ),
    "ELU": Case(st.fixed_dictionaries({"alpha": reals}), lambda v, _: nn.ELU(v["alpha"])),
    "SELU": _plain(nn.SELU),
    "GELU": Case(
        st.fixed_dictionaries({"approximate": st.sampled_from(["none", "tanh"])}),
        lambda v, _: nn.GELU(v["approximate"]),
        max_examples=25,
    ),
    "SiLU": _plain(nn.SiLU),
    "Mish": _plain(nn.Mish),
    "Hardswish": _plain(nn.Hardswish),
    "Hardsigmoid": _plain(nn.Hardsigmoid),
    "Sigmoid": _plain(nn.Sigmoid),
    "Tanh": _plain(nn.Tanh),
    "ScaledTanh": Case(
        st.fixed_dictionaries({"amplitude": reals, "slope": reals}),
        lambda v, _: Joined(lambda x: torch.tanh(x * v["slope"]) * v["amplitude"]),
        max_examples=60,
    ),
    "Add": Case(st.just({}), lambda *_: Joined(lambda *inputs: sum(inputs[1:], inputs[0]))),
    "Sub": Case(st.just({}), lambda *_: Joined(lambda first, *others: first - sum(others[1:], others[0]))),
    "Mul": Case(st.just({}), lambda *_: Joined(lambda *inputs: math.prod(inputs[1:], start=inputs[0]))),
    "Concat": Case(
        st.fixed_dictionaries({"dim": st.integers(1, 3)}),
        lambda v, _: Joined(lambda *inputs: torch.cat(inputs, v["dim"])),
    ),
}
