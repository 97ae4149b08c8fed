"""Modules that torch has no class for. Exported source brings those that it uses along, word for word.

So each class stands alone: torch, `nn`, `Tensor` and `F` are all that it may name, it reads as a user would write it,
and its code lines are no wider than the 88 columns of exported source.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it


class PaddedConv2d(nn.Conv2d):
    """A convolution of maps that are first padded by another amount on each side."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        *,
        pad: tuple[int, int, int, int],
        stride: int | tuple[int, int] = 1,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        """Pad by `pad`: left, right, top, bottom; negative amounts crop."""
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self.pad = pad
        self.pad_mode = "constant" if padding_mode == "zeros" else padding_mode

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.pad, self.pad_mode))


class PartialConv2d(nn.Module):
    """A convolution whose outputs read some channels each.

    LeCun et al. 1998, table I.
    """

    places: Tensor

    def __init__(
        self,
        in_channels: int,
        connections: tuple[tuple[int, ...], ...],
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        bias: bool = True,
    ) -> None:
        """Let output channel `i` read the input channels `connections[i]`."""
        super().__init__()
        if isinstance(kernel_size, int):
            kernel_size = (kernel_size, kernel_size)
        height, width = kernel_size
        self.stride, self.padding = stride, padding
        self.shape = (len(connections), in_channels, height, width)
        outputs = [i for i, row in enumerate(connections) for _ in row]
        inputs = [channel for row in connections for channel in row]
        # Where each kernel belongs; follows from the arguments, so not in state_dict.
        places = torch.tensor([outputs, inputs])
        self.register_buffer("places", places, persistent=False)
        # As in nn.Conv2d: uniform, within one over the root of the fan-in.
        fan_ins = [len(row) * height * width for row in connections]
        bounds = torch.tensor(fan_ins).rsqrt()
        weight = nn.init.uniform_(torch.empty(len(inputs), height, width), -1, 1)
        self.weight = nn.Parameter(weight * bounds[places[0]].view(-1, 1, 1))
        self.bias = None
        if bias:
            uniform = nn.init.uniform_(torch.empty(len(connections)), -1, 1)
            self.bias = nn.Parameter(uniform * bounds)

    def forward(self, x: Tensor) -> Tensor:
        kernels = self.weight.new_zeros(self.shape)
        kernels = kernels.index_put((self.places[0], self.places[1]), self.weight)
        return F.conv2d(x, kernels, self.bias, self.stride, self.padding)


class Subsampling(nn.Module):
    """Sums each window, times a learned factor, plus a learned bias, a channel.

    LeCun et al. 1998, section II.B.
    """

    def __init__(
        self,
        num_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int],
    ) -> None:
        super().__init__()
        if isinstance(kernel_size, int):
            kernel_size = (kernel_size, kernel_size)
        self.kernel_size, self.stride = kernel_size, stride
        self.count = kernel_size[0] * kernel_size[1]
        # An average at first.
        self.weight = nn.Parameter(torch.full((num_channels,), 1 / self.count))
        self.bias = nn.Parameter(torch.zeros(num_channels))

    def forward(self, x: Tensor) -> Tensor:
        sums = F.avg_pool2d(x, self.kernel_size, self.stride) * self.count
        return sums * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class ScaledTanh(nn.Module):
    """`a · tanh(s · x)`, which keeps ±1 at ±1 (LeCun et al. 1998, appendix A)."""

    def __init__(self, amplitude: float = 1.7159, slope: float = 2 / 3) -> None:
        super().__init__()
        self.amplitude, self.slope = amplitude, slope

    def forward(self, x: Tensor) -> Tensor:
        return self.amplitude * torch.tanh(self.slope * x)


class RadialBasis(nn.Module):
    """Minus the squared distance to each class's fixed pattern.

    LeCun et al. 1998, section II.B.
    """

    patterns: Tensor

    def __init__(self, patterns: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        self.register_buffer("patterns", torch.tensor(patterns, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        return -(x.unsqueeze(1) - self.patterns).square().sum(2)


class StochasticDepth(nn.Module):
    """Drops a branch while training: of each image ("row") or of the whole batch.

    Huang et al. 2016.
    """

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        shape = (x.shape[0] if self.mode == "row" else 1,) + (1,) * (x.dim() - 1)
        kept = torch.empty(shape, dtype=x.dtype, device=x.device).bernoulli_(1 - self.p)
        return x * (kept / (1 - self.p) if self.p < 1 else kept)


class LayerNorm2d(nn.LayerNorm):
    """Normalises the channels of each pixel, as ConvNeXt does (Liu et al. 2022)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class LayerScale(nn.Module):
    """Times a learned factor a channel, small at first.

    Touvron et al. 2021, section 2; in the form of ConvNeXt (Liu et al. 2022).
    """

    def __init__(self, num_channels: int, init_value: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((num_channels, 1, 1), init_value))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight
