"""Which layers an answer can be explained at: those with places in the image that lead to the first output."""

from explorer.architecture import Architecture
from explorer.inference import Inference


def explainable_layers(architecture: Architecture, inference: Inference) -> tuple[str, ...]:
    """The nodes that Grad-CAM can look at, in the network's order; empty where the first output is no row of scores.

    They have height and width, of which one is over 1, and the first output is computed from them. Not the input, whose
    channels are colours and no findings.
    """
    if not architecture.outputs:
        return ()
    first = architecture.outputs[0]
    shape = inference.nodes[first].output_shape
    if shape is None or len(shape) != 1:
        return ()
    leading = {first}
    for node in reversed(architecture.nodes):
        if node.id in leading:
            leading.update(node.inputs)
    return tuple(
        node.id
        for node in architecture.nodes
        if node.id in leading and node.inputs and _has_places(inference.nodes[node.id].output_shape)
    )


def has_scores(architecture: Architecture, inference: Inference) -> bool:
    """Whether the first output is a row of scores, one a class."""
    shape = inference.nodes[architecture.outputs[0]].output_shape if architecture.outputs else None
    return shape is not None and len(shape) == 1


def _has_places(shape: tuple[int, ...] | None) -> bool:
    return shape is not None and len(shape) == 3 and shape[1] * shape[2] > 1
