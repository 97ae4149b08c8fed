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

_CACHE_BYTES = 512 * 1024**2
_CONVERSION_BATCH = 1024
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
        self._images: Tensor | None = None
        self._away: BatchStream | HostImages | None = None
        """Images that are not on the device."""
        self._is_converted = False
        if isinstance(images, StreamedImages):
            self._away = BatchStream(images, labels, device)
            return
        room = _room_bytes(device)
        if images.numel() > room:
            self._away = HostImages(images, device)
            return
        self._images = images.to(device)
        convert = self._sized if is_augmented else self.normalised
        values_per_image = torch.Size(self._raw_shape if is_augmented else input_shape).numel()
        if len(images) * values_per_image * 4 <= min(_CACHE_BYTES, room - images.numel()):
            self._images = torch.cat([convert(part) for part in torch.split(self._images, _CONVERSION_BATCH)])
            self._is_converted = True

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
            return self._chosen(self._images, positions).contiguous(memory_format=self._memory_format), labels
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

    @staticmethod
    def _chosen(tensor: Tensor, positions: Positions) -> Tensor:
        # Copies rows whole, where an index of a tensor looks up each value.
        return tensor[positions] if isinstance(positions, slice) else tensor.index_select(0, positions)

    def _sized(self, images: Tensor) -> Tensor:
        return to_network_input(images, self._raw_shape, _AS_IT_IS)


def _room_bytes(device: torch.device) -> int:
    """How much of the device images may take; the host's memory was looked at when they were read."""
    if device.type != "cuda":
        return 2**62
    # With what torch keeps of tensors that are gone: an earlier run's, or those of the probe before this one.
    return int(_DEVICE_SHARE * device_memory(str(device)).available_bytes)


_AS_IT_IS = Normalization(mean=(0.0,), std=(1.0,))
