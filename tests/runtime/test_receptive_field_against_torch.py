"""What the layers without a sliding window say that they read, against the pixels that torch passes a gradient to."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from explorer import layers as L  # noqa: N812
from explorer.architecture import Architecture, Node
from explorer.inference import infer
from explorer.inference.receptive_field import ReceptiveField
from explorer.layers import Layer
from explorer.runtime.modules import build_module

LAYERS: dict[str, st.SearchStrategy[Layer]] = {
    "activation": st.sampled_from([L.GELU(), L.PReLU(num_slopes=None), L.ScaledTanh(), L.LocalResponseNorm()]),
    "softmax": st.builds(L.Softmax, dim=st.integers(1, 3)),
    "batch and pixel norms": st.sampled_from([L.BatchNorm2d(), L.LayerNorm2d(), L.LayerScale()]),
    "group norm": st.builds(L.GroupNorm, num_groups=st.integers(1, 2)),
    "instance norm": st.just(L.InstanceNorm2d()),
    "layer norm": st.builds(L.LayerNorm, num_dims=st.integers(1, 3)),
    "linear": st.just(L.Linear(out_features=3)),
    "mean": st.builds(L.Mean, dims=st.sampled_from([(1,), (2,), (3,), (2, 3), (1, 3)]), keepdim=st.just(True)),
    "flatten": st.sampled_from([L.Flatten(), L.Mean(dims=(2, 3)), L.Flatten(start_dim=3)]),
    "permute": st.just(L.Permute(dims=(1, 2, 3))),
    "slice": st.builds(L.Slice, dim=st.integers(1, 3), start=st.integers(-3, 3), step=st.integers(1, 3)),
    "chunk": st.builds(L.Chunk, chunks=st.integers(1, 3), index=st.integers(0, 2), dim=st.integers(1, 3)),
    "split": st.builds(L.Split, sizes=st.sampled_from([(1,), (2,)]), index=st.integers(0, 2), dim=st.integers(1, 3)),
    "pad": st.builds(
        L.Pad, top=st.integers(-2, 2), bottom=st.integers(-1, 2), left=st.integers(-2, 2), before=st.integers(0, 2)
    ),
    "channel shuffle": st.just(L.ChannelShuffle(groups=2)),
    "pixel shuffle": st.just(L.PixelShuffle(upscale_factor=2)),
    "upsample": st.builds(
        L.Upsample,
        height=st.one_of(st.none(), st.integers(1, 12)),
        scale_width=st.sampled_from([1.0, 2.0, 3.0, 1.5, 0.5]),
        mode=st.sampled_from(["nearest", "bilinear", "bicubic"]),
        align_corners=st.booleans(),
    ),
}
maps = st.tuples(st.just(4), st.integers(1, 7), st.integers(1, 7))


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_every_pixel_that_is_read_lies_in_the_field(name: str) -> None:
    exact = name not in {"upsample", "pixel shuffle"}  # behind which the field of most pixels begins inside a pixel

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(layer=LAYERS[name], shape=maps)
    def holds(layer: Layer, shape: tuple[int, int, int]) -> None:
        channels, height, width = shape
        nodes = (
            Node(id="input", layer=L.Input(channels=channels, height=height, width=width), inputs=()),
            Node(id="layer", layer=layer, inputs=("input",)),
        )
        architecture = Architecture(name="one layer", nodes=nodes, outputs=("layer",))
        report = infer(architecture).nodes["layer"]
        assume(report.fault is None)
        field, output_shape = report.receptive_field, report.output_shape
        assert field is not None
        assert output_shape is not None
        network = build_module(architecture, seed=0).double().eval()
        x = torch.rand(1, *shape, dtype=torch.float64, requires_grad=True)
        y = network(x)
        rows = output_shape[1] if len(output_shape) == 3 else 1
        columns = output_shape[2] if len(output_shape) == 3 else 1
        for row in range(rows):
            for column in range(columns):
                seen = y[0, :, row, column] if len(output_shape) == 3 else y[0]
                for axis, (place, size) in enumerate(((row, height), (column, width))):
                    _holds(_reached(seen, x, axis), _span(field, axis, place, size), exact)

    holds()


def _reached(values: Tensor, x: Tensor, axis: int) -> set[int]:
    """The rows, or columns, of the image that have a gradient; weighted so that none vanishes by symmetry."""
    weights = torch.rand(values.shape, dtype=values.dtype) + 0.5
    (gradient,) = torch.autograd.grad((values * weights).sum(), x, retain_graph=True)
    per_line = gradient[0].abs().amax((0, 2 - axis))
    return set((per_line > 1e-12 * per_line.amax()).nonzero().flatten().tolist())


def _span(field: ReceptiveField, axis: int, place: int, size: int) -> set[int]:
    step = 0 if field.is_whole[axis] else place * field.stride[axis]
    start = field.start[axis] + step
    return set(range(math.floor(start), math.ceil(start + field.size[axis]))) & set(range(size))


def _holds(reached: set[int], span: set[int], exact: bool) -> None:
    if exact and reached:  # in what padding adds alone, nothing is read
        assert reached == span
    else:
        assert reached <= span
