"""How many classes the network scores, and the edit that lets it score as many as a data set has."""

from explorer.architecture import Architecture, edits
from explorer.inference.infer import infer
from explorer.inference.inference import Inference
from explorer.inference.logits import auxiliary_heads, logits_node
from explorer.layers import Category

_SIZES = ("out_features", "out_channels")
_PASSED = frozenset(
    {Category.ACTIVATION, Category.POOLING, Category.RESHAPE, Category.REGULARIZATION, Category.NORMALIZATION}
)
"""What may stand behind the layer that makes the scores, each score staying what it was."""


def num_scores(architecture: Architecture, inference: Inference) -> int | None:
    """The classes that the output which is trained on scores; None where that is no vector, or not known."""
    logits_id, _ = logits_node(architecture)
    shape = inference.nodes[logits_id].output_shape
    return shape[0] if shape is not None and len(shape) == 1 else None


def scoring_layers(architecture: Architecture, inference: Inference) -> tuple[str, ...]:
    """The layers that say how many classes are scored: that of the output trained on first, then the auxiliary heads';
    empty where it is another than the size of one layer each."""
    logits_id, _ = logits_node(architecture)
    found = [_scoring(architecture, node_id) for node_id in (logits_id, *auxiliary_heads(architecture, inference))]
    return tuple(dict.fromkeys(node_id for node_id in found if node_id is not None)) if None not in found else ()


def with_scores(architecture: Architecture, layers: tuple[str, ...], num_classes: int) -> Architecture | None:
    """The architecture with those layers made for so many classes; None where that would break it or score others."""
    for node_id in layers:
        architecture = edits.set_value(architecture, node_id, _size_name(architecture, node_id), num_classes)
    inference = infer(architecture)
    return architecture if not inference.errors and num_scores(architecture, inference) == num_classes else None


def _scoring(architecture: Architecture, node_id: str) -> str | None:
    node = architecture[node_id]
    while not _size_name(architecture, node.id):
        if node.layer.category not in _PASSED or len(node.inputs) != 1:
            return None
        node = architecture[node.inputs[0]]
    return node.id


def _size_name(architecture: Architecture, node_id: str) -> str:
    names = {parameter.name for parameter in architecture[node_id].layer.hyper_parameters}
    return next((name for name in _SIZES if name in names), "")
