"""Images on the device, as batches of what the network takes."""

import torch
from torch import Tensor

from explorer.layers import Shape
from explorer.runs import Normalization
from explorer.runtime.images import to_network_input

_CACHE_BYTES = 512 * 1024**2
_CONVERSION_BATCH = 1024


class Feed:
    """Labelled images, moved to the device once: as float32 network input if that fits, else as uint8."""

    def __init__(
        self, images: Tensor, labels: Tensor, input_shape: Shape, normalization: Normalization, device: torch.device
    ) -> None:
        """Move the data.

        Args:
            images: `(N, C, H, W)`, uint8.
            labels: `(N,)`, int64.
            input_shape: the network's `(channels, height, width)`.
            normalization: as `to_network_input` takes it.
            device: where the network is.
        """
        self._input_shape = input_shape
        self._normalization = normalization
        # cuDNN's tensor cores read channels-last; on the CPU and MPS small networks gain nothing by it.
        self.memory_format = torch.channels_last if device.type == "cuda" else torch.contiguous_format
        self._labels = labels.to(device)
        self._images = images.to(device)
        values_per_image = torch.Size(input_shape).numel()
        if len(images) * values_per_image * 4 <= _CACHE_BYTES:
            parts = torch.split(self._images, _CONVERSION_BATCH)
            self._images = torch.cat([self._converted(part) for part in parts])

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, positions: Tensor | slice) -> tuple[Tensor, Tensor]:
        """The images at `positions`, `(n, *input_shape)` in float32, and their labels `(n,)`."""
        images = self._images[positions]
        x = self._converted(images) if images.dtype == torch.uint8 else images
        return x.contiguous(memory_format=self.memory_format), self._labels[positions]

    def _converted(self, images: Tensor) -> Tensor:
        return to_network_input(images, self._input_shape, self._normalization)
