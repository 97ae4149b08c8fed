"""Normalisation: AlexNet's over neighbouring channels, and batch norm behind every convolution."""

from collections.abc import Mapping
from dataclasses import replace

from explorer.architecture import Architecture, EditRefused, Node
from explorer.architecture.shapes import output_shapes
from explorer.inference.ideas.fitting import Names, inserted, remembered, restored, with_layers, without
from explorer.inference.ideas.idea import Form, History, Idea, Presence
from explorer.inference.ideas.walking import meets, onwards, scores
from explorer.layers import (
    BatchNorm2d,
    Category,
    Conv2d,
    ConvTranspose2d,
    GroupNorm,
    InstanceNorm2d,
    Layer,
    LayerNorm,
    LayerNorm2d,
    LocalResponseNorm,
    PartialConv2d,
)

_LRN = LocalResponseNorm(size=5, alpha=1e-4, beta=0.75, k=2.0)
"""Section 3.3 of AlexNet's paper: n = 5, α = 10⁻⁴, β = 0.75, k = 2."""
_MOST_LRN = 2
"""AlexNet normalises behind its first two convolutions."""
_OTHER_NORMS = (LayerNorm, LayerNorm2d, GroupNorm, InstanceNorm2d)
_CONVOLUTIONS = (Conv2d, ConvTranspose2d, PartialConv2d)

_RESPONSE = (
    Form(
        id="on",
        title="on",
        text="Add response normalisation",
        explanation="Behind the first two convolutions each value is divided by the activity of its neighbouring "
        "channels, so that the strongest response stands out.",
        paper="Krizhevsky, Sutskever and Hinton 2012, section 3.3",
    ),
    Form(
        id="off",
        title="off",
        text="Remove response normalisation",
        explanation="VGG found that it costs memory and time and improves nothing.",
        paper="Simonyan and Zisserman 2014, section 2.1",
    ),
)
_BATCH = (
    Form(
        id="on",
        title="on",
        text="Add batch norm behind every convolution",
        explanation="Each channel is brought to zero mean and unit variance between convolution and activation, whose "
        "bias goes: deep networks train faster, with less care for the learning rate.",
        paper="Ioffe and Szegedy 2015, Batch normalization, section 3.2",
    ),
    Form(
        id="off",
        title="off",
        text="Remove batch norm",
        explanation="The convolutions get their biases back, and training depends on how weights begin again.",
        paper="Ioffe and Szegedy 2015, Batch normalization, section 4.2",
    ),
)


def _first_activations(architecture: Architecture) -> dict[str, str]:
    """For the first two convolutions with larger kernels, before the network branches: the activation behind each."""
    found: dict[str, str] = {}
    last: Node | None = None
    for node in onwards(architecture, architecture.input.id):
        if isinstance(node.layer, _CONVOLUTIONS):
            last = node if max(node.layer.kernel_size) > 1 else None
        elif node.layer.category is Category.ACTIVATION and last is not None:
            found[last.id] = node.id
            last = None
            if len(found) == _MOST_LRN:
                break
        elif node.layer.category in (Category.LINEAR, Category.RESHAPE):
            break
    return found


def _response_nodes(architecture: Architecture) -> list[str]:
    return [node.id for node in architecture if isinstance(node.layer, LocalResponseNorm)]


def _lacking_response(architecture: Architecture) -> dict[str, str]:
    return {
        conv: activation
        for conv, activation in _first_activations(architecture).items()
        if meets(architecture, conv, LocalResponseNorm) is None
    }


def _look_at_response(architecture: Architecture, form_id: str) -> Presence:
    return _presence(form_id, bool(_response_nodes(architecture)), bool(_lacking_response(architecture)))


def _change_response(architecture: Architecture, form_id: str, earlier: History) -> Architecture:
    if form_id == "off":
        return without(architecture, _response_nodes(architecture))
    known = next((version for version in earlier if _response_nodes(version)), None)
    if known is not None:
        architecture = restored(architecture, known, lambda node: isinstance(node.layer, LocalResponseNorm))
    if not _response_nodes(architecture):
        _refuse_behind(architecture, (BatchNorm2d, *_OTHER_NORMS))
    lacking = _lacking_response(architecture)
    if not lacking and not _response_nodes(architecture):
        raise EditRefused(f"{architecture.name} has no convolution with an activation behind it before it branches")
    names = Names(architecture)
    return inserted(architecture, {at: (names.beside(conv, "norm"), _LRN) for conv, at in lacking.items()})


def _refuse_behind(architecture: Architecture, norms: tuple[type[Layer], ...]) -> None:
    """A second normalisation would hardly have an effect."""
    norm = next((node for node in architecture if isinstance(node.layer, norms)), None)
    if norm is not None:
        raise EditRefused(f"{norm.id} normalises already; remove {norm.layer.type_name} first")


def _normalisable(architecture: Architecture) -> list[Node]:
    """The convolutions but for those that make the scores, and those of one pixel, which squeeze and excite."""
    shapes = output_shapes(architecture)
    last = {node.id for node in scores(architecture)}
    found = []
    for node in architecture:
        if isinstance(node.layer, _CONVOLUTIONS) and node.id not in last:
            arrives = shapes[node.inputs[0]]
            if arrives is None or arrives[1:] != (1, 1):
                found.append(node)
    return found


def _lacking_batch(architecture: Architecture) -> list[Node]:
    return [node for node in _normalisable(architecture) if meets(architecture, node.id, BatchNorm2d) is None]


def _batch_nodes(architecture: Architecture) -> list[str]:
    return [node.id for node in architecture if isinstance(node.layer, BatchNorm2d)]


def _look_at_batch(architecture: Architecture, form_id: str) -> Presence:
    return _presence(form_id, bool(_batch_nodes(architecture)), bool(_lacking_batch(architecture)))


def _change_batch(architecture: Architecture, form_id: str, earlier: History) -> Architecture:
    return _with_batch(architecture, earlier) if form_id == "on" else _without_batch(architecture, earlier)


def _with_batch(architecture: Architecture, earlier: History) -> Architecture:
    known = next((version for version in earlier if _batch_nodes(version)), None)
    if known is not None:
        before = {node.id for node in _lacking_batch(architecture)}
        architecture = restored(architecture, known, lambda node: isinstance(node.layer, BatchNorm2d))
        again = before - {node.id for node in _lacking_batch(architecture)}
        was = {node_id: known[node_id].layer for node_id in again if node_id in known}
        architecture = _with_biases(architecture, {i: bool(getattr(layer, "bias", True)) for i, layer in was.items()})
    if not _batch_nodes(architecture):
        _refuse_behind(architecture, _OTHER_NORMS)
        if not _normalisable(architecture):
            raise EditRefused(f"{architecture.name} has no convolution on maps, the one that makes the scores aside")
    lacking = _lacking_batch(architecture)
    norm_layer = next((node.layer for node in architecture if isinstance(node.layer, BatchNorm2d)), BatchNorm2d())
    names = Names(architecture)
    architecture = _with_biases(architecture, {node.id: False for node in lacking})
    return inserted(architecture, {node.id: (names.beside(node.id, "bn"), norm_layer) for node in lacking})


def _without_batch(architecture: Architecture, earlier: History) -> Architecture:
    gone = _batch_nodes(architecture)
    convolutions = [node for node in architecture if isinstance(node.layer, _CONVOLUTIONS)]
    had = [node for node in convolutions if meets(architecture, node.id, BatchNorm2d) is not None]
    versions = [version for version in earlier if not _batch_nodes(version)]
    biases = {}
    for node in had:
        # What a batch norm shifts by is the convolution's bias once it is gone, unless there was none before it came.
        was = remembered(versions, node.id, lambda layer: isinstance(layer, _CONVOLUTIONS))
        biases[node.id] = True if was is None else bool(getattr(was, "bias", True))
    return without(_with_biases(architecture, biases), gone)


def _with_biases(architecture: Architecture, biases: Mapping[str, bool]) -> Architecture:
    layers: dict[str, Layer] = {}
    for node_id, bias in biases.items():
        layer = architecture[node_id].layer
        if isinstance(layer, _CONVOLUTIONS):
            layers[node_id] = replace(layer, bias=bias)
    return with_layers(architecture, layers)


def _presence(form_id: str, has_some: bool, lacks_some: bool) -> Presence:
    """Of a thing that is put in and taken out."""
    if has_some and lacks_some:
        return "mixed"
    return "on" if has_some == (form_id == "on") else "off"


RESPONSE_NORM = Idea(
    id="response-norm",
    title="Response normalisation",
    forms=_RESPONSE,
    look=_look_at_response,
    change=_change_response,
)
BATCH_NORM = Idea(id="batch-norm", title="Batch norm", forms=_BATCH, look=_look_at_batch, change=_change_batch)
