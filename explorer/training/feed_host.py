"""Images that fit into the host's memory and not on the device: each batch is gathered in pinned memory and sent."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from explorer.training.data import Coming, Positions


class HostImages:
    """Gives batches of images on a device that does not hold them."""

    def __init__(self, images: Tensor, device: torch.device) -> None:
        """Keep the images where they are.

        Args:
            images: `(N, C, H, W)`, uint8, on the CPU.
            device: where the batches go.
        """
        self._images = images
        self._device = device
        self._coming = Coming()

    def prefetch(self, batches: Iterable[Positions]) -> None:
        """Say what will be asked for, so that the host need not fetch the positions of each batch from the device."""
        self._coming = Coming(batches, len(self._images))

    @contextmanager
    def batch(self, positions: Positions) -> Iterator[Tensor]:
        """The images at `positions`, `(n, C, H, W)` in uint8 on the device."""
        is_next = self._coming.is_next(positions)
        known = self._coming.take() if is_next else Coming([positions], len(self._images)).positions[0]
        # torch keeps pinned memory for the next batch, and knows when what was sent has left it.
        is_pinned = self._device.type == "cuda"
        room = torch.empty((len(known), *self._images.shape[1:]), dtype=torch.uint8, pin_memory=is_pinned)
        torch.index_select(self._images, 0, torch.tensor(known, dtype=torch.int64), out=room)
        yield room.to(self._device, non_blocking=True)

    def take_trouble(self) -> str | None:
        """Nothing can go wrong."""
        return None

    def close(self) -> None:
        """Forget what was announced."""
        self._coming = Coming()
