"""The oracle of `Layer.kept` and `inference.memory`: what autograd saves in a forward pass, counted by storage."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it
from torch.overrides import TorchFunctionMode


def saved_bytes(module: Callable[..., Any], inputs: Sequence[Tensor], parameters: Iterable[Tensor] = ()) -> int:
    """Bytes of the distinct storages that autograd saves while `module(*inputs)` runs with inputs that need a gradient.

    A tensor and its views are one storage, counted whole and once; an input that is saved counts. It works on the meta
    device too, where a large batch costs nothing. Dropout runs as CUDA computes it, with a mask of one byte a value.

    Args:
        module: what is called with the inputs; in training mode if it has modes.
        inputs: floating point tensors; they themselves are left as they are.
        parameters: tensors that do not count when they are saved: the module's parameters and buffers.
    """
    return saved_as_they_are(module, [tensor.detach().requires_grad_() for tensor in inputs], parameters)


def saved_as_they_are(module: Callable[..., Any], inputs: Sequence[Tensor], parameters: Iterable[Tensor] = ()) -> int:
    """The same with the inputs as they are: through those that need no gradient, as images, none passes."""
    # By the address of the storage's own object: on the meta device every data pointer is 0. The storages are held
    # until the count is done, so that no address is used twice.
    excluded = {tensor.untyped_storage()._cdata for tensor in parameters}
    storages: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in excluded:
            storages.setdefault(storage._cdata, storage)
        return tensor

    with CudaDropout(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(*inputs)
    return sum(storage.nbytes() for storage in storages.values())


class CudaDropout(TorchFunctionMode):
    """Dropout as on CUDA, by `torch.native_dropout`: the CPU keeps a mask in the input's precision."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is F.dropout or getattr(func, "__name__", "") == "dropout":
            return _dropout(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    # The fused kernel runs where a value may stay or go; ATen's `is_fused_kernel_acceptable` says so.
    if training and 0 < p < 1:
        return torch.native_dropout(input, p, True)[0]
    return F.dropout(input, p, training)
