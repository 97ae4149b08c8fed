"""A network's forward pass, and with it the way back, compiled by torch: layers that follow become one kernel.

Norms, activations and additions each read and write whole feature maps; compiled, they do so once together.
Convolutions are the same kernels as before. torch keeps what it compiled in a folder of the user's and finds it by the
graph: a process that compiles ahead and the run that goes on with it have to do so alike, which is this file's job.
Source: documentation of `torch.compile`.
"""

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from explorer.runtime.modules import Network
from explorer.training.failures import is_out_of_memory

Output = Tensor | tuple[Tensor, ...]
_OPTIONS: dict[str, str | int | bool | Callable[..., object]] = {
    # Runs change their number of threads as they go.
    "cpp.dynamic_threads": True,
    # Dropout draws the numbers that it draws otherwise.
    "fallback_random": True,
}
_logger = logging.getLogger(__name__)


def compiler_settings() -> str:
    """Torch's settings that what it compiled is found by, beside the graph, as a text to be compared: any part of a
    program may have changed one, and a process whose settings are others would compile in vain."""
    from torch._functorch import config as autograd
    from torch._inductor import config as compiler

    plain = (bool, int, float, str)
    kept = [config.save_config_portable().items() for config in (compiler, autograd)]
    values = [sorted((name, value) for name, value in items if isinstance(value, plain)) for items in kept]
    matmul = torch.backends.cuda.matmul
    flags = (
        matmul.fp32_precision,
        matmul.allow_fp16_reduced_precision_reduction,
        matmul.allow_bf16_reduced_precision_reduction,
        torch.are_deterministic_algorithms_enabled(),
    )
    return repr((values, flags))


class CompiledForward:
    """Calls a network, compiled for full batches, and as usual for others. Compiled at the first call."""

    def __init__(
        self,
        network: Network,
        full: Tensor,
        look: Callable[[Output], None] = lambda _: None,
        *,
        in_parallel: bool = False,
    ) -> None:
        """Compile nothing yet.

        Args:
            network: in training mode, on its device.
            full: a full batch, `(N, C, H, W)`, laid out in memory as those to come.
            look: takes each compiled output, as the network's own hooks would.
            in_parallel: let torch start processes that compile; else it compiles in this one, as suits what is found
                on the disk.
        """
        options = _OPTIONS if in_parallel else {**_OPTIONS, "compile_threads": 1}
        self._network = network
        self._shape, self._stride = full.shape, full.stride()
        self._look = look
        self._compiled: Callable[[Tensor], Output] | None = torch.compile(
            network.forward, fullgraph=True, dynamic=False, options=options
        )

    def __call__(self, x: Tensor) -> Output:
        """As the network does. Where compiling fails, now or later, it is left to the network itself from then on."""
        output: Output
        full = self._as_compiled(x)
        if self._compiled is not None and full is not None:
            try:
                output = self._compiled(full)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                _logger.warning("the compiled network cannot be used", exc_info=True)
                self._compiled = None
            else:
                self._look(output)
                return output
        output = self._network(x)
        return output

    def _as_compiled(self, x: Tensor) -> Tensor | None:
        """A full batch with the very strides that were compiled for; None for any other batch.

        Along an axis of length 1, as the channel of grey images, a stride may be anything, but not for the compiler.
        """
        if x.shape != self._shape:
            return None
        if x.stride() == self._stride:
            return x
        axes = zip(self._shape, x.stride(), self._stride, strict=True)
        return x.as_strided(self._shape, self._stride) if all(n == 1 or s == t for n, s, t in axes) else None

    @property
    def is_compiled(self) -> bool:
        """Whether nothing spoke against it so far."""
        return self._compiled is not None
