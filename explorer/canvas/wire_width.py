"""How thick a wire is for the size of what passes. No Qt."""

import math
from functools import lru_cache

from explorer.layers import Shape

PLAIN = 1.5
"""Pixels of a wire that says nothing of its size."""
_THINNEST, _THICKEST = 1.25, 3.5
_LEAST, _MOST = 256.0, 4.0 * 1024**2
"""Values of one image from which, and up to which, a wire grows."""


@lru_cache(maxsize=4096)
def width(shapes: tuple[Shape | None, ...]) -> float:
    """Pixels, by the logarithm of the number of values that pass: the same for the same shape in any network."""
    values = sum(math.prod(shape) for shape in shapes if shape is not None)
    share = math.log(max(values, _LEAST) / _LEAST) / math.log(_MOST / _LEAST)
    return _THINNEST + (_THICKEST - _THINNEST) * min(1.0, share)
