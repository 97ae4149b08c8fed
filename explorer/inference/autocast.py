"""In what types autocast computes: of mixed precision, what memory depends on.

Source: torch's note "Automatic Mixed Precision", the autocast op reference for CUDA.
"""

from collections.abc import Iterable, Sequence

from explorer.layers import (
    Conv2d,
    ConvTranspose2d,
    GroupNorm,
    Layer,
    LayerNorm,
    LayerNorm2d,
    LayerScale,
    Linear,
    LocalResponseNorm,
    LogSoftmax,
    LPPool2d,
    PartialConv2d,
    PReLU,
    RadialBasis,
    Softmax,
    Subsampling,
    Sum,
)

FLOAT32_BYTES, SIXTEEN_BIT_BYTES = 4, 2
_Types = frozenset[type[Layer]]
AUTOCAST_16_BIT: _Types = frozenset({Conv2d, ConvTranspose2d, Linear, PReLU, PartialConv2d})
"""What autocast computes in 16 bits, whatever arrives."""
AUTOCAST_FLOAT32: _Types = frozenset(
    {GroupNorm, LPPool2d, LayerNorm, LayerNorm2d, LocalResponseNorm, LogSoftmax, Softmax, Sum}
)
"""What autocast computes in float32, whatever arrives."""
_WIDENED_BY_WEIGHTS: _Types = frozenset({LayerScale, RadialBasis, Subsampling})
"""What arithmetic with its own float32 values brings back to float32."""


def autocast_widths(types: Sequence[type[Layer]], sources: Sequence[Sequence[int]], order: Iterable[int]) -> list[int]:
    """The bytes of a value of each output under autocast, by position; of those outside `order` float32's.

    Args:
        types: of the layers, by position.
        sources: the positions that each reads.
        order: the positions that are computed, each behind what it reads.
    """
    widths = [FLOAT32_BYTES] * len(types)
    for position in order:
        kind = types[position]
        if kind in AUTOCAST_16_BIT:
            widths[position] = SIXTEEN_BIT_BYTES
        elif sources[position] and kind not in AUTOCAST_FLOAT32 and kind not in _WIDENED_BY_WEIGHTS:
            widths[position] = max([widths[source] for source in sources[position]])
    return widths
