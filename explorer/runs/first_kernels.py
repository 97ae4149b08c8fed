"""The part of a weight that a small picture shows: its first kernels; the same of torch's tensors and of arrays."""

import math
from typing import Any

MOST_OUTPUTS, MOST_INPUTS = 24, 4
"""Of kernels with height or width."""
MOST_ROWS, MOST_COLUMNS = 16, 40
"""Of a matrix, whose rows are outputs."""


def first_kernels(weight: Any, *, groups: int = 1, is_transposed: bool = False) -> Any:
    """The first kernels of a weight, `(outputs, inputs, height, width)`; of a matrix, height and width are 1.

    A vector, as a normalisation has, is one output's: `(1, values, 1, 1)`.

    Args:
        weight: as torch holds it, a tensor or an array; what is given back may be a view of it.
        groups: of a convolution.
        is_transposed: whether it is a transposed convolution's, which torch holds by inputs; of several groups the
            first is taken.
    """
    if weight.ndim <= 1 or (weight.ndim == 3 and math.prod(weight.shape[1:]) == 1):
        return weight.reshape(1, -1, 1, 1)[:, : MOST_ROWS * MOST_COLUMNS]
    if is_transposed:
        weight = weight[: weight.shape[0] // groups].swapaxes(0, 1)
    is_matrix = math.prod(weight.shape[2:]) == 1
    outputs, inputs = (MOST_ROWS, MOST_COLUMNS) if is_matrix else (MOST_OUTPUTS, MOST_INPUTS)
    weight = weight[:outputs, :inputs]
    height, width = (1, 1, *weight.shape[2:])[-2:]
    return weight.reshape(weight.shape[0], -1, height, width)
