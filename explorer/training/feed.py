"""Images on the device, as batches of what the network takes."""

import torch
from torch import Tensor

from explorer.layers import Shape
from explorer.runs import Normalization
from explorer.runtime.images import to_network_input

_CACHE_BYTES = 512 * 1024**2
_CONVERSION_BATCH = 1024


class Feed:
    """Labelled images, moved to the device once: as float32 network input if that fits, else as uint8.

    For augmentation, which comes before the normalisation, they are kept at the network's size, but as they are.
    """

    def __init__(
        self,
        images: Tensor,
        labels: Tensor,
        input_shape: Shape,
        normalization: Normalization,
        device: torch.device,
        *,
        memory_format: torch.memory_format = torch.contiguous_format,
        is_augmented: bool = False,
    ) -> None:
        """Move the data.

        Args:
            images: `(N, C, H, W)`, uint8.
            labels: `(N,)`, int64.
            input_shape: the network's `(channels, height, width)`.
            normalization: as `to_network_input` takes it.
            device: where the network is.
            memory_format: how batches lie in memory; as the network's weights do, see `layout`.
            is_augmented: whether `raw` is what will be asked for.
        """
        self._input_shape = input_shape
        self._raw_shape = (images.shape[1], *input_shape[1:])
        self._normalization = normalization
        self._is_augmented = is_augmented
        self._memory_format = memory_format
        self._labels = labels.to(device)
        self._images = images.to(device)
        self._is_converted = False
        convert = self._sized if is_augmented else self.normalised
        values_per_image = torch.Size(self._raw_shape if is_augmented else input_shape).numel()
        if len(images) * values_per_image * 4 <= _CACHE_BYTES:
            self._images = torch.cat([convert(part) for part in torch.split(self._images, _CONVERSION_BATCH)])
            self._is_converted = True

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, positions: Tensor | slice) -> tuple[Tensor, Tensor]:
        """The images at `positions`, `(n, *input_shape)` in float32, and their labels `(n,)`."""
        images = self._images[positions]
        x = images if self._is_converted and not self._is_augmented else self.normalised(images)
        return x.contiguous(memory_format=self._memory_format), self._labels[positions]

    def raw(self, positions: Tensor | slice) -> tuple[Tensor, Tensor]:
        """The images at `positions` in their own channels at the network's size, `(n, C, H, W)` in float32 from 0 to 1,
        and their labels `(n,)`. Only where they are augmented."""
        assert self._is_augmented
        images = self._images[positions]
        return images if self._is_converted else self._sized(images), self._labels[positions]

    def normalised(self, x: Tensor) -> Tensor:
        """What `raw` gave, or images as they are stored, as the network takes them: `(n, *input_shape)`."""
        x = to_network_input(x, self._input_shape, self._normalization)
        return x.contiguous(memory_format=self._memory_format)

    def _sized(self, images: Tensor) -> Tensor:
        return to_network_input(images, self._raw_shape, _AS_IT_IS)


_AS_IT_IS = Normalization(mean=(0.0,), std=(1.0,))
