"""What one output value really rests on in the image: the gradient of that value by the input, pixel by pixel.

The box that it can lie in at most follows from the architecture (`inference.receptive_field`, `inference.support`).
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.runs import Look
from explorer.runs.looks import Pixel
from explorer.runs.observed import FieldMeasured
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network

if TYPE_CHECKING:
    from explorer.runtime.instruments import Subject


def measure_field(network: Network, image: Tensor, pixel: Pixel) -> npt.NDArray[np.float32]:
    """The absolute gradient of an output value by the image, summed over the colours (Luo et al. 2016, "Understanding
    the effective receptive field in deep convolutional neural networks", section 2); `(H, W)`.

    The network is afterwards as it was, its parameters' gradients included.

    Args:
        network: on the image's device, in any mode.
        image: `(1, C, H, W)`, as the network takes it.
        pixel: of one of the network's nodes.

    Raises:
        IndexError: the node's output has no such value.
    """
    with torch.enable_grad(), evaluating(network):
        x = image.detach().clone().requires_grad_()
        output = network.trace(x, (pixel.node_id,))[pixel.node_id][0]
        (gradient,) = torch.autograd.grad(_value(output, pixel), x)
    heat: npt.NDArray[np.float32] = gradient[0].abs().sum(0).float().cpu().numpy()
    return heat


class FieldInstrument:
    """What the value that somebody points at rests on."""

    needs_step = False

    def __init__(self, subject: "Subject") -> None:
        self._subject = subject
        self._pixel: Pixel | None = None
        self._input: Tensor | None = None
        self._label = ""

    def aim(self, look: Look) -> bool:
        """Take the value that is pointed at."""
        pixel = look.pointed
        is_known = pixel is not None and pixel.node_id in self._subject.network.architecture
        self._pixel = pixel if is_known else None
        self._input = self._subject.to_input(look.probe) if is_known else None
        self._label = "" if look.probe is None else look.probe.label
        return is_known

    def prepare(self) -> None:
        """Nothing to keep."""

    def capture(self, step: int) -> FieldMeasured:
        """The gradient now."""
        assert self._pixel is not None
        assert self._input is not None
        heat = measure_field(self._subject.network, self._input, self._pixel)
        return FieldMeasured(run_id=self._subject.run_id, step=step, probe=self._label, pixel=self._pixel, heat=heat)


def _value(output: Tensor, pixel: Pixel) -> Tensor:
    """The value that is shown at (row, column) of a channel's tile: rows are those of all dimensions in between."""
    channel = output[pixel.channel]
    return channel if channel.dim() == 0 else channel.reshape(-1, channel.shape[-1])[pixel.row, pixel.column]
