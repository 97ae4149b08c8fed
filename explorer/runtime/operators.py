"""What `OperatorCall.name` stands for: torch's operations without state, on the node's inputs, batches first."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it


def _add(*inputs: Tensor) -> Tensor:
    total, *others = inputs
    for other in others:
        total = total + other
    return total


def _sub(*inputs: Tensor) -> Tensor:
    total, *others = inputs
    for other in others:
        total = total - other
    return total


def _mul(*inputs: Tensor) -> Tensor:
    total, *others = inputs
    for other in others:
        total = total * other
    return total


def _cat(*inputs: Tensor, dim: int) -> Tensor:
    return torch.cat(inputs, dim)


def _reshape(x: Tensor, *, shape: tuple[int, ...]) -> Tensor:
    return x.reshape(x.shape[0], *shape)


def _permute(x: Tensor, *, dims: tuple[int, ...]) -> Tensor:
    return x.permute(dims)


def _mean(x: Tensor, *, dim: tuple[int, ...], keepdim: bool) -> Tensor:
    return x.mean(dim, keepdim=keepdim)


def _sum(x: Tensor, *, dim: tuple[int, ...], keepdim: bool) -> Tensor:
    return x.sum(dim, keepdim=keepdim)


def _slice(x: Tensor, *, dim: int, start: int, stop: int | None, step: int) -> Tensor:
    index: list[slice] = [slice(None)] * dim
    return x[(*index, slice(start, stop, step))]


def _pad(x: Tensor, *, pad: tuple[int, ...], mode: str, value: float) -> Tensor:
    # torch takes a value in its "constant" mode only.
    return F.pad(x, pad, mode, value) if mode == "constant" else F.pad(x, pad, mode)


def _chunk(x: Tensor, *, chunks: int, dim: int, index: int) -> Tensor:
    return x.chunk(chunks, dim)[index]


def _split(x: Tensor, *, split_size_or_sections: int | tuple[int, ...], dim: int, index: int) -> Tensor:
    sizes = split_size_or_sections
    return x.split(sizes if isinstance(sizes, int) else list(sizes), dim)[index]  # type: ignore[no-any-return, no-untyped-call]


OPERATORS: dict[str, Callable[..., Tensor]] = {
    "add": _add,
    "cat": _cat,
    "chunk": _chunk,
    "mean": _mean,
    "mul": _mul,
    "pad": _pad,
    "permute": _permute,
    "reshape": _reshape,
    "slice": _slice,
    "split": _split,
    "sub": _sub,
    "sum": _sum,
}
"""By name; "input" is not among them, it is slot 0 of every plan."""
