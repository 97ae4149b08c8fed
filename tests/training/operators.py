"""Which operators make tensors: on a GPU each is a kernel to launch, which the CPU can count too."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class MadeTensors(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own is not typed
    """Notes each operator that gives a tensor in memory of its own; views and changes in place give none."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.made: list[tuple[str, int]] = []
        """Its name without the overload, and the bytes of what it gave."""

    def __torch_dispatch__(
        self, func: Any, types: Sequence[Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        known = {value.untyped_storage().data_ptr() for value in args if isinstance(value, Tensor)}
        if isinstance(result, Tensor) and result.untyped_storage().data_ptr() not in known:
            self.made.append((func.overloadpacket.__name__, result.untyped_storage().nbytes()))
        return result
