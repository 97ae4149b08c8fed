"""Cases of the layers that arrange, take or add values: reshapes, pieces, padding, means, other sizes of maps.

Two things are refused that torch allows: an output without a value or a dimension beside the batch, and circular
padding beyond what a crop leaves, for which torch copies memory that it has not written.
"""

from collections.abc import Callable

import torch
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.layers import Shape
from tests.runtime.cases import BATCH, Case, Joined, Reference, Values, maps, vectors
from tests.runtime.cases_pointwise import dims, ranks, rows


def _some(compute: Callable[[Values, Tensor], Tensor]) -> Reference:
    """The operation as a module that refuses to yield nothing."""

    def reference(v: Values, shapes: list[Shape]) -> nn.Module:
        def checked(x: Tensor) -> Tensor:
            y = compute(v, x)
            if y.numel() == 0 or y.dim() < 2:
                raise ValueError(f"nothing is left: {tuple(y.shape)}")
            return y

        return Joined(checked)

    return reference


def _pad(v: Values, x: Tensor) -> Tensor:
    sides = {"width": (v["left"], v["right"]), "height": (v["top"], v["bottom"]), "first": (v["before"], v["after"])}
    used = {2: ["first"], 3: ["width", "first"], 4: ["width", "height", "first"]}[x.dim()]
    if any(sum(map(abs, pair)) for name, pair in sides.items() if name not in used):
        raise ValueError("a side without a dimension")
    amounts = [amount for name in used for amount in sides[name]]
    if v["mode"] == "constant":
        return F.pad(x, amounts, value=v["value"])
    if sides["first"] == (0, 0) and x.dim() > 2:
        amounts = amounts[:-2]
    if v["mode"] == "circular":
        for dim, pair in zip((-1, -2, 1) if x.dim() == 4 else (-1, 1), (sides[name] for name in used), strict=False):
            if max(pair) > x.shape[dim] + min(0, *pair):
                raise ValueError("torch copies values around from memory that it has not written")
    return F.pad(x, amounts, v["mode"])


def _index(v: Values) -> tuple[slice, ...]:
    return (*(slice(None),) * v["dim"], slice(v["start"], v["stop"], v["step"]))


def _slice(v: Values, x: Tensor) -> Tensor:
    return x[_index(v)]


def _split(v: Values, x: Tensor) -> Tensor:
    sizes = list(v["sizes"])
    pieces: tuple[Tensor, ...] = torch.split(x, sizes if len(sizes) > 1 else sizes[0], v["dim"])
    return pieces[v["index"]]


def _upsample(v: Values, shapes: list[Shape]) -> nn.Module:
    corners = v["align_corners"] if v["mode"] != "nearest" or v["align_corners"] else None
    (shape,) = shapes
    if v["height"] is None and v["width"] is None:
        return nn.Upsample(scale_factor=(v["scale_height"], v["scale_width"]), mode=v["mode"], align_corners=corners)
    # A side that is not fixed is scaled, which torch itself does for a single axis of maps one pixel wide.
    sizes = [
        fixed if fixed is not None else int(size * scale)
        for fixed, size, scale in zip(
            (v["height"], v["width"]), shape[-2:], (v["scale_height"], v["scale_width"]), strict=False
        )
    ]
    return nn.Upsample(tuple(sizes), mode=v["mode"], align_corners=corners)


def _over(reduce: Callable[..., Tensor]) -> Reference:
    return _some(lambda v, x: reduce(x, v["dims"], keepdim=v["keepdim"]))


amounts = st.one_of(st.just(0), st.just(0), st.integers(-4, 4))
places = st.integers(-8, 8)
over_dims = st.fixed_dictionaries({"dims": st.lists(dims, min_size=1, max_size=3).map(tuple), "keepdim": st.booleans()})
some_dims = st.sampled_from([1, 1, 1, 2, 3, 4])
piece_sizes = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
reshape_sizes = st.lists(st.sampled_from([-1, -1, 0, 1, 2, 2, 3, 3, 4, 5, 6, 10, 12]), min_size=1, max_size=4)
scales = st.one_of(st.sampled_from([1.0, 2.0, 0.5, 1.5, 0.1, 1.3]), st.floats(0.05, 3.0))
orders = st.one_of(*(st.permutations(range(1, n + 1)) for n in (1, 2, 3, 3)), st.lists(dims, min_size=1))
quarters = st.tuples(st.sampled_from([4, 8, 9, 18]), st.integers(1, 4), st.integers(1, 4))
edge = st.one_of(st.none(), st.none(), st.integers(1, 9))

CASES: dict[str, Case] = {
    "Flatten": Case(
        st.fixed_dictionaries({"start_dim": st.integers(1, 3), "end_dim": st.integers(-3, 3)}),
        lambda v, _: nn.Flatten(v["start_dim"], v["end_dim"]),
        ranks,
    ),
    "Reshape": Case(
        st.fixed_dictionaries({"sizes": reshape_sizes.map(tuple)}),
        _some(lambda v, x: x.reshape(BATCH, *v["sizes"])),
        ranks,
        max_examples=300,
    ),
    "Permute": Case(
        st.fixed_dictionaries({"dims": orders}),
        _some(lambda v, x: x.permute(0, *v["dims"])),
        ranks,
    ),
    "ChannelShuffle": Case(
        st.fixed_dictionaries({"groups": st.integers(1, 6)}), lambda v, _: nn.ChannelShuffle(v["groups"]), ranks
    ),
    "PixelShuffle": Case(
        st.fixed_dictionaries({"upscale_factor": st.sampled_from([1, 2, 2, 3])}),
        lambda v, _: nn.PixelShuffle(v["upscale_factor"]),
        st.one_of(maps, quarters, vectors),
    ),
    "Identity": Case(st.just({}), lambda *_: nn.Identity(), max_examples=25),
    "Mean": Case(over_dims, _over(torch.mean), ranks),
    "Sum": Case(over_dims, _over(torch.sum), ranks),
    "Slice": Case(
        st.fixed_dictionaries(
            {"dim": some_dims, "start": places, "stop": st.one_of(st.none(), places), "step": st.integers(1, 3)}
        ),
        _some(_slice),
        ranks,
        max_examples=300,
    ),
    "Pad": Case(
        st.fixed_dictionaries(
            {
                **dict.fromkeys(["top", "bottom", "left", "right", "before", "after"], amounts),
                "mode": st.sampled_from(["constant", "reflect", "replicate", "circular"]), "value": st.floats(-2, 2),
            }
        ),
        _some(_pad),
        st.one_of(maps, maps, maps, rows, ranks),
        max_examples=500,
    ),
    "Chunk": Case(
        st.fixed_dictionaries({"chunks": st.integers(1, 5), "index": st.integers(0, 4), "dim": some_dims}),
        _some(lambda v, x: x.chunk(v["chunks"], v["dim"])[v["index"]]),
        ranks,
        max_examples=250,
    ),
    "Split": Case(
        st.fixed_dictionaries({"sizes": piece_sizes, "index": st.integers(0, 3), "dim": some_dims}),
        _some(_split),
        ranks,
        max_examples=300,
    ),
    "Upsample": Case(
        st.fixed_dictionaries(
            {
                "height": edge, "width": edge, "scale_height": scales, "scale_width": scales,
                "mode": st.sampled_from(["nearest", "bilinear", "bicubic"]),
                "align_corners": st.sampled_from([False, False, True]),
            }
        ),
        _upsample,
        max_examples=250,
    ),
}  # fmt: skip
