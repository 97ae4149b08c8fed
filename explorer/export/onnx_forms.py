"""Modules that torch's ONNX exporter does not know, or that engines run otherwise, in words that all of them share.

torch's `ceil_mode` drops a last window that would begin in the padding, and its averages leave out what lies beyond the
padding (documentation of `torch.nn.AvgPool2d`). ONNX's operators say neither, so such a pooling leaves with its padding
written out and no rounding. onnxruntime refuses an output_padding that is not below the stride, which torch takes where
it is below the dilation. A form computes what the module does in evaluation mode.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.layers import Shape, Sides


def exportable_form(module: nn.Module, input_shape: Shape) -> nn.Module:
    """The module itself, or one that computes the same of inputs of that shape (without the batch)."""
    if len(input_shape) != 3:
        return module
    if isinstance(module, nn.AdaptiveMaxPool2d) and not module.return_indices:
        return _adaptive_max(module, input_shape)
    if isinstance(module, nn.MaxPool2d) and module.ceil_mode and not module.return_indices:
        pool = nn.MaxPool2d(module.kernel_size, module.stride, 0, module.dilation)
        return nn.Sequential(_Pad(_sides(module, input_shape, module.dilation), float("-inf")), pool)
    if isinstance(module, nn.AvgPool2d) and module.ceil_mode:
        return _average(module, input_shape)
    if isinstance(module, nn.LPPool2d) and module.ceil_mode:
        sums = nn.AvgPool2d(module.kernel_size, module.stride, ceil_mode=True)
        return _Norm(_average(sums, input_shape), module)
    if isinstance(module, nn.ConvTranspose2d) and any(map(int.__ge__, module.output_padding, module.stride)):
        return _CroppedTranspose(module)
    return module


class _Pad(nn.Module):
    def __init__(self, sides: Sides, value: float) -> None:
        super().__init__()
        top, bottom, left, right = sides
        self.pad, self.value = (left, right, top, bottom), value

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x, self.pad, value=self.value)


class _Scale(nn.Module):
    """Times a constant for each place."""

    factors: Tensor

    def __init__(self, factors: Tensor) -> None:
        super().__init__()
        self.register_buffer("factors", factors)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factors


def _average(module: nn.AvgPool2d, input_shape: Shape) -> nn.Module:
    pad = _Pad(_sides(module, input_shape), 0.0)
    pool = nn.AvgPool2d(module.kernel_size, module.stride)
    ones = torch.ones(1, 1, *input_shape[1:])
    # A window divides by what torch counts there; one that sees padding alone is 0 by either divisor.
    factors = torch.nan_to_num(module(ones) / pool(pad(ones)), nan=1.0)
    return nn.Sequential(pad, pool, _Scale(factors))


def _sides(module: nn.Module, input_shape: Shape, dilation: Any = 1) -> Sides:
    """The padding with which every window lies inside: (top, bottom, left, right), in pixels; negative ones crop."""
    shape = module(torch.zeros(1, *input_shape)).shape[2:]
    sides = []
    for axis in range(2):
        kernel_size, stride, step = (_on(value, axis) for value in (module.kernel_size, module.stride, dilation))
        before = _on(getattr(module, "padding", 0), axis)
        reached = (shape[axis] - 1) * stride + step * (kernel_size - 1) + 1
        sides += [before, reached - before - input_shape[1 + axis]]
    top, bottom, left, right = sides
    return top, bottom, left, right


def _on(value: Any, axis: int) -> int:
    return int(value[axis] if isinstance(value, tuple) else value)


class _Norm(nn.Module):
    """`torch.nn.functional.lp_pool2d` around another average."""

    def __init__(self, average: nn.Module, module: nn.LPPool2d) -> None:
        super().__init__()
        self.average, self.norm_type = average, float(module.norm_type)
        self.count = _on(module.kernel_size, 0) * _on(module.kernel_size, 1)

    def forward(self, x: Tensor) -> Tensor:
        mean = self.average(x.pow(self.norm_type))
        return (torch.sign(mean) * F.relu(torch.abs(mean)) * self.count).pow(1 / self.norm_type)


class _CroppedTranspose(nn.Module):
    """A transposed convolution made whole, and then cropped or widened to its size."""

    def __init__(self, module: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.module = module
        (top, below), (left, right) = ((_on(module.padding, a), _on(module.output_padding, a)) for a in range(2))
        self.pad = (-left, right - left, -top, below - top)

    def forward(self, x: Tensor) -> Tensor:
        m = self.module
        whole = F.conv_transpose2d(x, m.weight, None, m.stride, groups=m.groups, dilation=m.dilation)
        y = F.pad(whole, self.pad)
        return y if m.bias is None else y + m.bias.view(1, -1, 1, 1)


def _adaptive_max(module: nn.AdaptiveMaxPool2d, input_shape: Shape) -> nn.Module:
    given, sizes = module.output_size, input_shape[1:]
    wanted = given if isinstance(given, tuple) else (given, given)
    rows, columns = (size if count is None else count for size, count in zip(sizes, wanted, strict=True))
    if sizes[0] % rows == 0 and sizes[1] % columns == 0:
        return nn.MaxPool2d((sizes[0] // rows, sizes[1] // columns))
    return _MaxOfWindows(_windows(sizes[0], rows), _windows(sizes[1], columns))


def _windows(size: int, count: int) -> list[tuple[int, int]]:
    """The first pixel of each window and the one behind its last (`torch.nn.AdaptiveMaxPool2d`)."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


class _MaxOfWindows(nn.Module):
    """The largest value of each window, first along the height, then along the width."""

    def __init__(self, rows: list[tuple[int, int]], columns: list[tuple[int, int]]) -> None:
        super().__init__()
        self.windows = {2: rows, 3: columns}

    def forward(self, x: Tensor) -> Tensor:
        for dim, windows in self.windows.items():
            largest = [x.narrow(dim, start, end - start).amax(dim, keepdim=True) for start, end in windows]
            x = torch.cat(largest, dim)
        return x
