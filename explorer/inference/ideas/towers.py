"""AlexNet's two towers: convolutions split into two groups, which learned side by side on two graphics cards."""

from dataclasses import replace

from explorer.architecture import Architecture, EditRefused
from explorer.architecture.shapes import output_shapes
from explorer.inference.ideas.fitting import with_layers
from explorer.inference.ideas.idea import Form, History, Idea, Presence
from explorer.inference.ideas.walking import scores
from explorer.layers import Conv2d

_TWO = 2
_MEETING = 3
"""Every third convolution reads both towers, as AlexNet's conv3 does."""
_FORMS = (
    Form(
        id="two",
        title="two groups",
        text="Split the network into two towers",
        explanation="Convolutions read half of the channels each, and only every third reads all, as on AlexNet's two "
        "graphics cards: half of their weights and arithmetic.",
        paper="Krizhevsky, Sutskever and Hinton 2012, sections 3.2 and 3.5",
    ),
    Form(
        id="one",
        title="one tower",
        text="Join the towers into one",
        explanation="Every kernel reads all channels that arrive.",
        paper="Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks",
    ),
)


def _split(architecture: Architecture) -> dict[str, Conv2d]:
    """The convolutions that stand in two groups."""
    shapes = output_shapes(architecture)
    found = {}
    for node in architecture:
        if isinstance(node.layer, Conv2d) and node.layer.groups == _TWO:
            arrives = shapes[node.inputs[0]]
            if arrives is None or arrives[0] != _TWO:  # of two channels it would be a depthwise convolution
                found[node.id] = node.layer
    return found


def _places(architecture: Architecture) -> dict[str, Conv2d]:
    """The convolutions that two towers split: of larger kernels, neither the first nor every third, nor the scores'."""
    shapes = output_shapes(architecture)
    last = {node.id for node in scores(architecture)}
    found: dict[str, Conv2d] = {}
    place = -1
    for node in architecture:
        layer = node.layer
        if not isinstance(layer, Conv2d) or layer.groups > _TWO or max(layer.kernel_size) == 1 or node.id in last:
            continue
        place += 1
        arrives = shapes[node.inputs[0]]
        if place == 0 or place % _MEETING == _MEETING - 1 or arrives is None:
            continue
        if arrives[0] % _TWO == 0 and arrives[0] > _TWO and layer.out_channels % _TWO == 0:
            found[node.id] = layer
    return found


def _look(architecture: Architecture, form_id: str) -> Presence:
    split, places = _split(architecture), _places(architecture)
    if split and any(layer.groups == 1 for layer in places.values()):
        return "mixed"
    return "on" if bool(split) == (form_id == "two") else "off"


def _change(architecture: Architecture, form_id: str, earlier: History) -> Architecture:
    if form_id == "one":
        return with_layers(
            architecture, {node_id: replace(layer, groups=1) for node_id, layer in _split(architecture).items()}
        )
    layers = dict(_places(architecture))
    known = next((split for version in earlier if (split := _split(version))), {})
    for node_id in known:
        layer = architecture[node_id].layer if node_id in architecture else None
        if isinstance(layer, Conv2d) and layer.groups == 1:
            layers[node_id] = layer
    if not layers:
        raise EditRefused(
            f"{architecture.name} has nothing to split: no convolution but the first reads an even number of channels "
            "all at once with a kernel larger than 1×1"
        )
    return with_layers(architecture, {node_id: replace(layer, groups=_TWO) for node_id, layer in layers.items()})


TOWERS = Idea(id="towers", title="Towers", forms=_FORMS, look=_look, change=_change)
