"""The oracle of the memory's peak: the bytes of all storages that are alive while torch computes, on any device."""

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class AliveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own is not typed
    """Counts each storage from the operation that makes it, or from `hold`, until nothing refers to it any more.

    Storages are what `torch.cuda.max_memory_allocated` counts too, but for the allocator's rounding and for what
    kernels take inside one operation. On the meta device a batch of any size costs nothing.
    """

    def __init__(self, tensors: Iterable[Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}
        self.bytes = 0
        self.peak = 0
        for tensor in tensors:
            self.hold(tensor)

    def hold(self, tensor: Tensor) -> None:
        """Count the memory of a tensor that was there before."""
        storage = tensor.untyped_storage()
        key, num_bytes = storage._cdata, storage.nbytes()
        if key in self._alive:
            return

        def gone(_: object) -> None:
            del self._alive[key]
            self.bytes -= num_bytes

        self._alive[key] = weakref.ref(storage, gone)
        self.bytes += num_bytes
        self.peak = max(self.peak, self.bytes)

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor):
                self.hold(value)
        return result
