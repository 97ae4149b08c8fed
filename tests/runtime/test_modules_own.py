"""The modules that torch has no class for, against references written by hand, torch's parts, and torchvision's own."""

import copy
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.runtime.own_modules import (
    LayerNorm2d,
    LayerScale,
    PaddedConv2d,
    PartialConv2d,
    RadialBasis,
    ScaledTanh,
    StochasticDepth,
    Subsampling,
)
from explorer.runtime.torchvision_door import torchvision

CONNECTIONS = ((0, 2), (1,), (0, 1, 2), (2,))

MODULES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "PaddedConv2d": (lambda: PaddedConv2d(4, 6, (2, 3), pad=(1, 2, -1, 1), stride=2, groups=2), (4, 6, 5)),
    "PartialConv2d": (lambda: PartialConv2d(3, CONNECTIONS, (2, 3), stride=(2, 1), padding=1), (3, 5, 4)),
    "PartialConv2d without bias": (lambda: PartialConv2d(3, CONNECTIONS, 2, bias=False), (3, 5, 4)),
    "Subsampling": (lambda: Subsampling(3, (2, 3), (2, 1)), (3, 5, 4)),
    "ScaledTanh": (lambda: ScaledTanh(1.5, 0.5), (3, 5, 4)),
    "RadialBasis": (lambda: RadialBasis(((1, -1, 1), (-1, -1, 1))), (3,)),
    "StochasticDepth": (lambda: StochasticDepth(0.5).eval(), (3, 5, 4)),
    "LayerNorm2d": (lambda: LayerNorm2d(3), (3, 5, 4)),
    "LayerScale": (lambda: LayerScale(3, 0.1), (3, 5, 4)),
}


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("name", MODULES)
def test_gradients_are_those_of_the_values(name: str) -> None:
    make, shape = MODULES[name]
    module = make().double()
    x = numbers(2, *shape).double().requires_grad_()
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    assert torch.autograd.gradcheck(lambda x, *_: module(x), (x, *parameters))


@pytest.mark.parametrize("name", MODULES)
def test_it_runs_channels_last_in_bfloat16_and_as_a_copy(name: str) -> None:
    make, shape = MODULES[name]
    module, x = make(), numbers(2, *shape)
    expected = module(x)
    for change in ({"memory_format": torch.channels_last}, {"dtype": torch.bfloat16}):
        other = copy.deepcopy(module).to(**change)
        y = other(x.to(**change) if x.dim() == 4 or "dtype" in change else x)
        torch.testing.assert_close(y.float(), expected, atol=0.2, rtol=0.05)
    assert module.to("meta")(x.to("meta")).shape == expected.shape


@pytest.mark.parametrize("name", MODULES)
def test_a_state_dict_is_all_that_a_new_one_needs(name: str) -> None:
    make, shape = MODULES[name]
    first, second, x = make(), make(), numbers(2, *shape)
    second.load_state_dict(first.state_dict(), strict=True)
    assert torch.equal(first(x), second(x))
    assert {"places", "kernels"}.isdisjoint(first.state_dict())


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_padding_each_side_is_numpys_pad_and_then_a_plain_convolution(mode: str) -> None:
    left, right, top, bottom = 1, 2, 0, 3
    padded = PaddedConv2d(
        2, 4, 3, pad=(left, right, top, bottom), stride=(2, 1), dilation=(1, 2), groups=2, padding_mode=mode
    )
    plain = nn.Conv2d(2, 4, 3, stride=(2, 1), dilation=(1, 2), groups=2)
    plain.load_state_dict(padded.state_dict(), strict=True)
    padded.load_state_dict(plain.state_dict(), strict=True)
    x = numbers(2, 2, 6, 7)
    name = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    around = np.pad(x.numpy(), ((0, 0), (0, 0), (top, bottom), (left, right)), mode=name)  # type: ignore[call-overload]
    torch.testing.assert_close(padded(x), plain(torch.from_numpy(around)))


def test_a_negative_pad_crops() -> None:
    padded = PaddedConv2d(1, 2, 1, pad=(-1, -2, 0, -1))
    x = numbers(1, 1, 5, 6)
    torch.testing.assert_close(padded(x), F.conv2d(x[:, :, :4, 1:4], padded.weight, padded.bias))


def test_a_partial_convolution_is_a_sum_over_its_connections() -> None:
    partial = PartialConv2d(3, CONNECTIONS, (2, 3), stride=(2, 1), padding=(1, 0))
    assert sum(parameter.numel() for parameter in partial.parameters()) == 7 * 2 * 3 + 4
    assert list(partial.state_dict()) == ["weight", "bias"]
    x = numbers(2, 3, 5, 6)
    received = partial(x)
    kernels = iter(partial.weight)
    for output, row in enumerate(CONNECTIONS):
        wanted = torch.zeros_like(received[:, output]) + partial.bias[output]  # type: ignore[index]
        for channel in row:
            kernel = next(kernels)[None, None]
            wanted += F.conv2d(x[:, channel : channel + 1], kernel, stride=(2, 1), padding=(1, 0))[:, 0]
        torch.testing.assert_close(received[:, output], wanted)


def test_a_partial_convolution_with_all_connections_is_torchs_and_begins_like_it() -> None:
    rows = tuple(tuple(range(64)) for _ in range(32))
    partial, plain = PartialConv2d(64, rows, 3), nn.Conv2d(64, 32, 3)
    plain.weight.data = partial.weight.data.view(32, 64, 3, 3)
    assert partial.bias is not None
    assert plain.bias is not None
    plain.bias.data = partial.bias.data
    x = numbers(1, 64, 4, 4)
    torch.testing.assert_close(partial(x), plain(x))
    fresh = nn.Conv2d(64, 32, 3)
    torch.testing.assert_close(partial.weight.std(), fresh.weight.std(), rtol=0.05, atol=0)
    assert partial.weight.abs().max() <= 1 / math.sqrt(64 * 9)


def test_a_kernel_begins_as_small_as_its_outputs_fan_in_asks() -> None:
    rows = ((0,), tuple(range(16)))
    partial = PartialConv2d(16, rows, 5)
    one, many = partial.weight[:1].abs().max(), partial.weight[1:].abs().max()
    assert 0.8 / 5 < one <= 1 / 5
    assert 0.8 / 20 < many <= 1 / 20


def test_subsampling_sums_scales_and_shifts() -> None:
    layer = Subsampling(2, (2, 3), (2, 2))
    x = numbers(2, 2, 5, 7)
    torch.testing.assert_close(layer(x), F.avg_pool2d(x, (2, 3), (2, 2)))  # at first
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.5, -2.0]))
        layer.bias.copy_(torch.tensor([1.0, 3.0]))
    received = layer(x)
    assert received.shape == (2, 2, 2, 3)
    for n, c, i, j in itertools.product(range(2), range(2), range(2), range(3)):
        window = x[n, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 3]
        wanted = window.sum() * layer.weight[c] + layer.bias[c]
        torch.testing.assert_close(received[n, c, i, j], wanted)


def test_scaled_tanh_keeps_one_at_one() -> None:
    received = ScaledTanh()(torch.tensor([-1.0, 0.0, 1.0, 20.0]))
    torch.testing.assert_close(received, torch.tensor([-1.0, 0.0, 1.0, 1.7159]), atol=1e-4, rtol=0)


def test_radial_basis_is_minus_the_squared_distance() -> None:
    patterns = ((1, -1, 1, -1), (-1, -1, 1, 1), (1, 1, 1, 1))
    layer, x = RadialBasis(patterns), numbers(2, 4)
    received = layer(x)
    for n, k in itertools.product(range(2), range(3)):
        wanted = -sum((float(x[n, i]) - patterns[k][i]) ** 2 for i in range(4))
        assert float(received[n, k]) == pytest.approx(wanted, rel=1e-5)
    assert not list(layer.parameters())
    assert list(layer.state_dict()) == ["patterns"]
    assert layer(torch.tensor(patterns, dtype=torch.float32)).argmax(1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("mode", ["row", "batch"])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("shape", [(64, 2, 3, 3), (64, 5)])
def test_stochastic_depth_is_torchvisions_draw_for_draw(mode: str, p: float, shape: tuple[int, ...]) -> None:
    layer, x = StochasticDepth(p, mode), numbers(*shape)
    torch.manual_seed(3)
    wanted = torchvision().ops.stochastic_depth(x, p, mode, training=True)
    torch.manual_seed(3)
    torch.testing.assert_close(layer(x), wanted)
    assert layer.eval()(x) is x


def test_layer_norm_2d_and_layer_scale_are_convnexts() -> None:
    x = numbers(2, 6, 4, 5)
    own, other = LayerNorm2d(6), torchvision().models.convnext.LayerNorm2d(6)
    with torch.no_grad():
        own.weight.copy_(numbers(6))
        own.bias.copy_(numbers(6))
    other.load_state_dict(own.state_dict(), strict=True)
    torch.testing.assert_close(own(x), other(x))
    plain = nn.LayerNorm(6)
    plain.load_state_dict(own.state_dict(), strict=True)
    torch.testing.assert_close(own(x)[:, :, 1, 2], plain(x[:, :, 1, 2]))
    scale = LayerScale(6, 1e-6)
    assert torch.equal(scale.weight, torchvision().models.convnext.CNBlock(6, 1e-6, 0.0).layer_scale)
    assert torch.equal(scale(x), x * 1e-6)
