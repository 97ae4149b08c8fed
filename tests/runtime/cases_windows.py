"""Cases of the layers with a window: convolutions, pooling, and LeNet-5's own."""

import torch
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.layers import Shape
from tests.runtime.cases import BATCH, Case, Values, paddings, pairs, small, vectors

# Mostly what torch accepts, and enough of what it refuses, on every ground.
side = st.integers(-3, 3)
any_padding = st.one_of(
    paddings, paddings, st.tuples(side, side, side, side), st.sampled_from(["same", "same", "valid"])
)
sizes = st.one_of(st.integers(1, 4), st.integers(3, 14).filter(lambda size: size != BATCH))
wide_maps: st.SearchStrategy[Shape] = st.tuples(st.sampled_from([1, 2, 3, 4, 6, 6]), sizes, sizes)
wide = st.integers(0, 19).flatmap(lambda i: wide_maps if i else vectors)
dilations = st.tuples(*[st.sampled_from([1, 1, 1, 2, 3])] * 2)
seldom_fixed = st.sampled_from([None, None, None, None, None, None, 3, 6])
groups = st.sampled_from([1, 1, 1, 1, 2, 3])
many = st.sampled_from([1, 2, 3, 4, 6, 6])


@st.composite
def _pools(draw: st.DrawFn, /, **others: st.SearchStrategy[object]) -> Values:
    """A pooling layer's values, whose padding is seldom more than half of the kernel."""
    k = draw(pairs)
    most = 0 if draw(st.integers(0, 9)) else 1
    padding = tuple(draw(st.integers(0, size // 2 + most)) for size in k)
    return {"kernel_size": k, "padding": padding, **{name: draw(values) for name, values in others.items()}}


class _PaddedConv(nn.Conv2d):
    """A convolution of a copy that is padded by hand."""

    sides: tuple[int, int, int, int]
    mode: str

    def forward(self, x: Tensor) -> Tensor:
        top, bottom, left, right = self.sides
        if self.mode == "circular":
            for size, before, after in ((x.shape[2], top, bottom), (x.shape[3], left, right)):
                # torch checks the uncropped size only, and then reads pixels that it has not written yet.
                if max(before, after, 0) > size + min(before, 0) + min(after, 0):
                    raise ValueError("wraps around more than is there")
        mode = "constant" if self.mode == "zeros" else self.mode
        padded = F.pad(x, (left, right, top, bottom), mode)
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def _same(size: int, kernel_size: int, stride: int, dilation: int) -> tuple[int, int]:
    """TensorFlow's documentation of `tf.nn` says it by the remainder."""
    extent = dilation * (kernel_size - 1) + 1
    total = max(extent - (size % stride or stride), 0)
    return total // 2, total - total // 2


def _conv(v: Values, shapes: list[Shape]) -> nn.Module:
    channels = v["in_channels"] or shapes[0][0]
    padding, stride = v["padding"], v["stride"]
    by_torch = padding == "valid" or (padding == "same" and stride == (1, 1)) or len(padding) == 2
    if by_torch and v["padding_mode"] != "circular":
        return nn.Conv2d(
            channels, v["out_channels"], v["kernel_size"], stride, padding, v["dilation"], v["groups"], v["bias"],
            v["padding_mode"],
        )  # fmt: skip
    module = _PaddedConv(
        channels, v["out_channels"], v["kernel_size"], stride, 0, v["dilation"], v["groups"], v["bias"]
    )
    if padding == "same":
        _, height, width = shapes[0] if len(shapes[0]) == 3 else (0, 1, 1)
        k, d = v["kernel_size"], v["dilation"]
        padding = (*_same(height, k[0], stride[0], d[0]), *_same(width, k[1], stride[1], d[1]))
    elif padding == "valid":
        padding = (0, 0, 0, 0)
    elif len(padding) == 2:
        padding = (padding[0], padding[0], padding[1], padding[1])
    module.sides, module.mode = padding, v["padding_mode"]
    return module


class _Transposed(nn.ConvTranspose2d):
    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        output = super().forward(input, output_size)
        # The CPU's library lets an output of no pixels pass; the others refuse it.
        if output.numel() == 0:
            raise ValueError("output size is too small")
        return output


def _transposed(v: Values, shapes: list[Shape]) -> nn.Module:
    return _Transposed(
        v["in_channels"] or shapes[0][0], v["out_channels"], v["kernel_size"], v["stride"], v["padding"],
        v["output_padding"], v["groups"], v["bias"], v["dilation"],
    )  # fmt: skip


def _max_pool(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.MaxPool2d(v["kernel_size"], v["stride"], v["padding"], v["dilation"], ceil_mode=v["ceil_mode"])


def _avg_pool(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.AvgPool2d(v["kernel_size"], v["stride"], v["padding"], v["ceil_mode"], v["count_include_pad"])


def _lp_pool(v: Values, shapes: list[Shape]) -> nn.Module:
    return nn.LPPool2d(v["norm_type"], v["kernel_size"], v["stride"], v["ceil_mode"])


class _Subsampling(nn.Module):
    """Sums by a convolution with ones."""

    def __init__(self, channels: int, v: Values) -> None:
        super().__init__()
        self.ones = (channels, 1, *v["kernel_size"])
        self.stride = v["stride"]
        self.weight, self.bias = nn.Parameter(torch.rand(channels)), nn.Parameter(torch.rand(channels))

    def forward(self, x: Tensor) -> Tensor:
        sums = F.conv2d(x, torch.ones(self.ones), None, self.stride, groups=self.ones[0])
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


class _Partial(nn.Module):
    """One output channel at a time, from the input channels that it reads."""

    def __init__(self, v: Values) -> None:
        super().__init__()
        self.rows, self.stride, self.padding = v["connections"], v["stride"], v["padding"]
        self.weight = nn.Parameter(torch.rand(sum(len(row) for row in self.rows), *v["kernel_size"]))
        self.bias = nn.Parameter(torch.rand(len(self.rows))) if v["bias"] else None

    def forward(self, x: Tensor) -> Tensor:
        outputs, first = [], 0
        for i, row in enumerate(self.rows):
            kernels = self.weight[None, first : first + len(row)]
            first += len(row)
            bias = None if self.bias is None else self.bias[i : i + 1]
            outputs.append(F.conv2d(x[:, sorted(row)], kernels, bias, self.stride, self.padding))
        return torch.cat(outputs, 1)


class _Distance(nn.Module):
    def __init__(self, v: Values, shape: Shape) -> None:
        super().__init__()
        if len(shape) > 1:
            raise ValueError("not a row of features")
        patterns = torch.full((len(v["patterns"]), shape[0]), -1.0)
        for label, row in enumerate(v["patterns"]):
            patterns[label, list(row)] = 1
        self.register_buffer("patterns", patterns)

    def forward(self, x: Tensor) -> Tensor:
        return -(torch.cdist(x, self.get_buffer("patterns"), compute_mode="donot_use_mm_for_euclid_dist") ** 2)


def _rows(most: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(st.integers(0, most), min_size=1, max_size=4, unique=True), min_size=1, max_size=5)


rows = st.one_of(st.just(0), st.integers(0, 2), st.integers(0, 5)).flatmap(_rows)

CASES: dict[str, Case] = {
    "Conv2d": Case(
        st.fixed_dictionaries(
            {
                "in_channels": seldom_fixed, "out_channels": many, "kernel_size": pairs, "stride": pairs,
                "padding": any_padding, "dilation": dilations, "groups": groups,
                "bias": st.booleans(),
                "padding_mode": st.sampled_from(["zeros", "zeros", "reflect", "replicate", "circular"]),
            }
        ),
        _conv,
        shapes=wide,
        max_examples=1500,
    ),
    "ConvTranspose2d": Case(
        st.fixed_dictionaries(
            {
                "in_channels": seldom_fixed, "out_channels": many, "kernel_size": pairs, "stride": pairs,
                "padding": paddings, "output_padding": st.tuples(st.integers(0, 2), st.integers(0, 2)),
                "groups": groups, "bias": st.booleans(), "dilation": dilations,
            }
        ),
        _transposed,
        shapes=wide,
        max_examples=600,
    ),
    "MaxPool2d": Case(
        _pools(stride=pairs, dilation=dilations, ceil_mode=st.booleans()),
        _max_pool,
        shapes=wide,
        max_examples=600,
    ),
    "AvgPool2d": Case(
        _pools(stride=pairs, ceil_mode=st.booleans(), count_include_pad=st.booleans()),
        _avg_pool,
        shapes=wide,
        max_examples=600,
    ),
    "LPPool2d": Case(
        st.fixed_dictionaries(
            {
                "norm_type": st.sampled_from([1.0, 1.5, 2.0, 3.0]), "kernel_size": pairs, "stride": pairs,
                "ceil_mode": st.booleans(),
            }
        ),
        _lp_pool,
        shapes=wide,
        max_examples=300,
    ),
    "AdaptiveAvgPool2d": Case(
        st.fixed_dictionaries({"output_size": pairs}),
        lambda v, _: nn.AdaptiveAvgPool2d(v["output_size"]),
        shapes=wide,
        max_examples=200,
    ),
    "AdaptiveMaxPool2d": Case(
        st.fixed_dictionaries({"output_size": pairs}),
        lambda v, _: nn.AdaptiveMaxPool2d(v["output_size"]),
        shapes=wide,
        max_examples=200,
    ),
    "Subsampling": Case(
        st.fixed_dictionaries({"kernel_size": pairs, "stride": pairs}),
        lambda v, shapes: _Subsampling(shapes[0][0], v),
        shapes=wide,
        max_examples=200,
    ),
    "PartialConv2d": Case(
        st.fixed_dictionaries(
            {
                "connections": rows, "kernel_size": pairs, "stride": pairs,
                "padding": paddings, "bias": st.booleans(),
            }
        ),
        lambda v, _: _Partial(v),
        shapes=wide,
        max_examples=400,
    ),
    "RadialBasis": Case(
        st.fixed_dictionaries({"patterns": rows}),
        lambda v, shapes: _Distance(v, shapes[0]),
        shapes=st.one_of(vectors, vectors, vectors, st.tuples(small, small, small)),
        max_examples=200,
    ),
}  # fmt: skip
