"""One channel of a layer for all probes, in one batch: what it answers to."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.runs import Look
from explorer.runs.observed import ChannelCompared
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network

if TYPE_CHECKING:
    from explorer.runtime.instruments import Subject


def compare_channel(network: Network, images: Tensor, node_id: str, channel: int) -> npt.NDArray[np.float32]:
    """A channel's values for each image, `(N, height, width)`; a vector's value is one pixel.

    The network is afterwards as it was.

    Args:
        network: on the images' device, in any mode.
        images: `(N, C, H, W)`, as the network takes them.
        node_id: of one of its nodes.
        channel: the first index of the node's output.

    Raises:
        IndexError: there is no such channel.
    """
    with torch.inference_mode(), evaluating(network):
        values = network.trace(images, (node_id,))[node_id][:, channel].float()
        count = len(values)
        maps = values.reshape(count, 1, 1) if values.dim() == 1 else values.reshape(count, -1, values.shape[-1])
        # A copy also on the CPU, where the next step writes to the same memory.
        found: npt.NDArray[np.float32] = maps.clone().cpu().numpy()
    return found


class ComparedInstrument:
    """The channel that somebody compares the probes by."""

    needs_step = False

    def __init__(self, subject: "Subject") -> None:
        self._subject = subject
        self._node_id = ""
        self._channel = 0
        self._images: Tensor | None = None
        self._labels: tuple[str, ...] = ()

    def aim(self, look: Look) -> bool:
        """Take the channel and the probes."""
        self._images = None
        if look.compared is None or not look.probes or look.compared[0] not in self._subject.network.architecture:
            return False
        self._node_id, self._channel = look.compared
        self._labels = tuple(probe.label for probe in look.probes)
        self._images = torch.cat([self._subject.to_input(probe) for probe in look.probes])
        return True

    def prepare(self) -> None:
        """Nothing to keep."""

    def capture(self, step: int) -> ChannelCompared:
        """The channel now."""
        assert self._images is not None
        return ChannelCompared(
            run_id=self._subject.run_id,
            step=step,
            node_id=self._node_id,
            channel=self._channel,
            probes=self._labels,
            maps=compare_channel(self._subject.network, self._images, self._node_id, self._channel),
        )
