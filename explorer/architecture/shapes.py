"""The shape that each node puts out, for edits that must know what arrives. All else that follows is inference's."""

from collections.abc import Mapping

from explorer.architecture.architecture import Architecture
from explorer.layers import Shape


def output_shapes(architecture: Architecture) -> Mapping[str, Shape | None]:
    """The shape of each node's output, without the batch, by id; None at a fault and behind it."""
    shapes: list[Shape | None] = []
    memo: dict[tuple[int, tuple[Shape, ...]], Shape | None] = {}
    for node, sources in zip(architecture.nodes, architecture.structure.sources, strict=True):
        layer = node.layer
        arriving = tuple([shape for source in sources if (shape := shapes[source]) is not None])
        if len(arriving) < len(sources):
            shapes.append(None)
            continue
        # By identity, which needs no hash of the values: networks repeat their layers as the same objects.
        key = (id(layer), arriving)
        if key not in memo:
            memo[key] = layer.output_shape(arriving) if layer.fault(arriving) is None else None
        shapes.append(memo[key])
    return dict(zip(architecture.structure.index, shapes, strict=True))
