"""Images on the device, as batches of what the network takes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from explorer.layers import Shape
from explorer.runs import Normalization
from explorer.runtime.devices import device_memory
from explorer.runtime.images import to_network_input
from explorer.training.data import BatchStream, Positions, StreamedImages
from explorer.training.feed_host import HostImages

_CONVERTED_BYTES = 512 * 1024**2
"""Images are kept as the network takes them up to here. A CPU gains little by it: 0.05 of 0.2 ms for a batch of 128 of
CIFAR-10, whose conversion takes seconds and four times the memory."""
_CONVERTED_SHARE = 0.25
"""Of a GPU's memory that is free, for images as the network takes them, where the network leaves so much."""
_CONVERSION_BYTES = 16 * 1024**2
"""Converted at once."""
_DEVICE_SHARE = 0.5
"""Of the device's memory that is free, for images; the rest is the network's."""


class Feed:
    """Labelled images, moved to the device once: as float32 network input if that fits, else as uint8.

    For augmentation, which comes before the normalisation, they are kept at the network's size, but as they are. What
    does not fit on the device stays in the host's memory, and what does not fit there in its files; `prefetch` says in
    which order it will be needed.
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
        network_bytes: int | None = None,
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
            network_bytes: that the network will need of a GPU's memory; None where nobody knows, and little is taken.
        """
        self._input_shape = input_shape
        self._raw_shape = (images.shape[1], *input_shape[1:])
        self._normalization = normalization
        self._is_augmented = is_augmented
        self._memory_format = memory_format
        self._labels = labels.to(device)
        self._images: Tensor | None = None
        self._away: BatchStream | HostImages | None = None
        """Images that are not on the device."""
        self._is_converted = False
        if isinstance(images, StreamedImages):
            self._away = BatchStream(images, labels, device)
            return
        kept_shape = torch.Size(self._raw_shape if is_augmented else input_shape)
        if len(images) * kept_shape.numel() * 4 <= _most_converted_bytes(device, network_bytes):
            self._images = self._converted(images, kept_shape, device)
            self._is_converted = True
        elif images.numel() > _room_bytes(device):
            self._away = HostImages(images, device)
        else:
            self._images = images.to(device)

    def __len__(self) -> int:
        return len(self._labels)

    def prefetch(self, batches: Iterable[Positions]) -> None:
        """Say for which positions `batch` or `raw` will be called next, in order, so that they are read ahead.

        Not looked at where all images are on the device. What is asked for otherwise is given too, but waited for.
        """
        if self._away is not None:
            self._away.prefetch(batches)

    def batch(self, positions: Positions) -> tuple[Tensor, Tensor]:
        """The images at `positions`, `(n, *input_shape)` in float32, and their labels `(n,)`.

        Raises:
            ImagesGone: they lay in files, which are not there any more.
        """
        labels = self._chosen(self._labels, positions)
        if self._is_converted and not self._is_augmented:
            assert self._images is not None
            return self._chosen(self._images, positions), labels
        with self._stored(positions) as images:
            return self.normalised(images), labels

    def raw(self, positions: Positions) -> tuple[Tensor, Tensor]:
        """The images at `positions` in their own channels at the network's size, `(n, C, H, W)` in float32 from 0 to 1,
        and their labels `(n,)`. Only where they are augmented.

        Raises:
            ImagesGone: as `batch`.
        """
        assert self._is_augmented
        with self._stored(positions) as images:
            return images if self._is_converted else self._sized(images), self._chosen(self._labels, positions)

    def normalised(self, x: Tensor) -> Tensor:
        """What `raw` gave, or images as they are stored, as the network takes them: `(n, *input_shape)`."""
        x = to_network_input(x, self._input_shape, self._normalization)
        return x.contiguous(memory_format=self._memory_format)

    def take_trouble(self) -> str | None:
        """What went wrong with reading images since the last call, for the user; None for nothing."""
        return None if self._away is None else self._away.take_trouble()

    def close(self) -> None:
        """End what reads ahead. The images can still be asked for."""
        if self._away is not None:
            self._away.close()

    @contextmanager
    def _stored(self, positions: Positions) -> Iterator[Tensor]:
        if self._away is None:
            assert self._images is not None
            yield self._chosen(self._images, positions)
        else:
            with self._away.batch(positions) as images:
                yield images

    def _converted(self, images: Tensor, shape: torch.Size, device: torch.device) -> Tensor:
        """The images as `batch` or `raw` gives them, `(N, *shape)` in float32.

        Args:
            images: `(N, C, H, W)`, uint8, where they are stored.
            shape: of one of them.
            device: where they go, part by part, so that little more than the result is needed there.
        """
        convert = self._sized if self._is_augmented else self.normalised
        result = torch.empty((len(images), *shape), dtype=torch.float32, device=device)
        # Of one channel both ways are the same, and torch tells them apart by how the strides are written.
        if self._memory_format == torch.channels_last and shape[0] > 1:
            result = result.view(len(images), *shape[1:], shape[0]).permute(0, 3, 1, 2)
        size = max(1, _CONVERSION_BYTES // (4 * max(shape.numel(), images[:1].numel())))
        for part, place in zip(torch.split(images, size), torch.split(result, size), strict=True):
            place.copy_(convert(part.to(device)))
        return result

    @staticmethod
    def _chosen(tensor: Tensor, positions: Positions) -> Tensor:
        if isinstance(positions, slice):
            return tensor[positions]
        # Copies rows whole, where an index of a tensor looks up each value; what it gives is always contiguous, so that
        # channels-last rows are selected as what they are in memory.
        if tensor.dim() == 4 and not tensor.is_contiguous():
            return tensor.permute(0, 2, 3, 1).index_select(0, positions).permute(0, 3, 1, 2)
        return tensor.index_select(0, positions)

    def _sized(self, images: Tensor) -> Tensor:
        return to_network_input(images, self._raw_shape, _AS_IT_IS)


def _room_bytes(device: torch.device) -> int:
    """How much of the device images may take; the host's memory was looked at when they were read."""
    if device.type != "cuda":
        return 2**62
    # With what torch keeps of tensors that are gone: an earlier run's, or those of the probe before this one.
    return int(_DEVICE_SHARE * device_memory(str(device)).available_bytes)


def _most_converted_bytes(device: torch.device, network_bytes: int | None) -> int:
    """How much of the device images may take as the network takes them, four times of what they are stored in."""
    few = min(_CONVERTED_BYTES, _room_bytes(device))
    if device.type != "cuda" or network_bytes is None:
        return few
    available = device_memory(str(device)).available_bytes
    return max(few, min(int(_CONVERTED_SHARE * available), available - network_bytes))


_AS_IT_IS = Normalization(mean=(0.0,), std=(1.0,))
