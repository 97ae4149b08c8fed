"""What a case of the property tests against torch is, and the values that cases draw from.

`cases_windows` holds those of layers with a window, `cases_pointwise` all others; `test_inference_against_torch` runs
them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st
from torch import Tensor, nn

from explorer import layers as L  # noqa: N812
from explorer.architecture import Architecture
from explorer.layers import Shape

BATCH = 7
"""A size that no other dimension takes, so that torch cannot mistake the batch for another dimension."""
Values = dict[str, Any]
Reference = Callable[[Values, list[Shape]], nn.Module]
"""From a layer's values and the shapes that arrive: torch's module, which takes the layer's inputs.

Written by hand, with fixed sizes as the user fixed them, so that it does not share `Layer.call`'s reading of values.
Where it has weights, they have the same names as those of the module that the layer calls.
"""

small = st.integers(1, 4)
pairs = st.tuples(small, small)
paddings = st.tuples(st.integers(0, 3), st.integers(0, 3))
maps = st.tuples(st.integers(1, 6), st.integers(1, 12).filter(lambda s: s != BATCH), st.integers(1, 12))
vectors = st.tuples(st.integers(1, 12))
any_shape: st.SearchStrategy[Shape] = st.one_of(maps, maps, maps, vectors)
fixed = st.one_of(st.none(), st.integers(1, 6))


class Case(NamedTuple):
    """How one layer type meets torch."""

    values: st.SearchStrategy[Values]
    """Random hyper-parameters."""
    reference: Reference
    shapes: st.SearchStrategy[Shape] = any_shape
    """What arrives, at a layer of one input."""
    networks: Callable[[L.Layer], st.SearchStrategy[tuple[Architecture, list[Shape]]]] | None = None
    """Networks whose node "layer" is the given one, and the shapes that arrive there; None for the usual ones."""
    max_examples: int = 150
    saves_alike: bool = True
    """Whether the CPU keeps for the backward pass what CUDA keeps, which is what `Layer.kept` says."""


class Joined(nn.Module):
    """A function as a module without weights."""

    def __init__(self, join: Callable[..., Tensor]) -> None:
        super().__init__()
        self.join = join

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.join(*inputs)
