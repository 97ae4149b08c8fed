"""The order in which batches will be asked for, on the host, and whether what is asked for is the next of them."""

from collections.abc import Iterable
from itertools import islice

import torch
from torch import Tensor

Positions = Tensor | slice
"""Which images: `(n,)` in int64 on any device, or a range."""


class Coming:
    """Batches that were announced. On a GPU the host waits for it once here, and not at each batch."""

    def __init__(self, batches: Iterable[Positions] = (), count: int = 0) -> None:
        """Bring the positions to the host.

        Args:
            batches: in the order in which they will be asked for.
            count: of all images.
        """
        self._batches = [*batches]
        tensors = [batch for batch in self._batches if isinstance(batch, Tensor)]
        on_host = iter(torch.cat(tensors).tolist() if tensors else ())
        self.positions = [
            [*islice(on_host, len(batch))] if isinstance(batch, Tensor) else [*range(count)[batch]]
            for batch in self._batches
        ]
        """Of each batch."""
        self._next = 0

    def is_next(self, positions: Positions) -> bool:
        """Whether these are the ones of the next batch, as far as one can say without waiting for a device."""
        if self._next == len(self._batches):
            return False
        announced = self._batches[self._next]
        if isinstance(positions, slice) or isinstance(announced, slice):
            return isinstance(positions, slice) and isinstance(announced, slice) and positions == announced
        if positions.shape != announced.shape:
            return False
        # The same part of the same memory, which is held here, so that nothing else lies there.
        if (positions.data_ptr(), positions.stride()) == (announced.data_ptr(), announced.stride()):
            return True
        return positions.device.type == "cpu" and positions.tolist() == self.positions[self._next]

    def take(self) -> list[int]:
        """The positions of the next batch, which counts as asked for."""
        self._next += 1
        return self.positions[self._next - 1]
