"""What goes in and what comes out: the number of classes, and the images' size and channels."""

from collections.abc import Mapping
from dataclasses import replace

from explorer.architecture import Architecture, EditRefused, edits
from explorer.architecture.shapes import output_shapes
from explorer.inference.ideas.fitting import with_layers
from explorer.inference.ideas.idea import Amount, Scaling
from explorer.inference.ideas.walking import scores
from explorer.layers import Conv2d, Layer, Linear
from explorer.layers.hyper_parameter import LARGEST

_CLASSES = "classes"


def num_classes(architecture: Architecture) -> int | None:
    """How many scores the first output has; None where it is no row of scores, or where no layer makes them alone."""
    shape = output_shapes(architecture)[architecture.outputs[0]]
    heads = scores(architecture)
    if shape is None or len(shape) != 1 or not heads or _width(heads[0].layer) != shape[0]:
        return None
    return shape[0]


def _change_classes(architecture: Architecture, values: Mapping[str, float]) -> Architecture:
    count = num_classes(architecture)
    if count is None:
        raise EditRefused(f"{architecture.name} returns no scores that one layer makes, a number for each class")
    wanted = int(values[_CLASSES])
    layers: dict[str, Layer] = {}
    for node in scores(architecture):
        layer = node.layer
        if isinstance(layer, Conv2d) and layer.out_channels == count:
            layers[node.id] = replace(layer, out_channels=wanted)
        elif isinstance(layer, Linear) and layer.out_features == count:
            layers[node.id] = replace(layer, out_features=wanted)
    return with_layers(architecture, layers)


def _width(layer: Layer) -> int:
    if isinstance(layer, Linear):
        return layer.out_features
    return layer.out_channels if isinstance(layer, Conv2d) else 0


def _current_classes(architecture: Architecture) -> dict[str, float]:
    count = num_classes(architecture)
    return {} if count is None else {_CLASSES: count}


def _change_images(architecture: Architecture, values: Mapping[str, float]) -> Architecture:
    channels, height, width = (int(values[name]) for name in ("channels", "height", "width"))
    return edits.set_input_shape(architecture, channels, height, width)


def _current_images(architecture: Architecture) -> dict[str, float]:
    channels, height, width = architecture.input_shape
    return {"channels": channels, "height": height, "width": width}


CLASSES = Scaling(
    id="classes",
    title="Classes",
    text="Change the number of classes",
    explanation="The layers that make the scores get as many outputs, the auxiliary heads' too; all else can be kept.",
    paper="Yosinski, Clune, Bengio and Lipson 2014, How transferable are features in deep neural networks?",
    amounts=(Amount(_CLASSES, "Classes", 1, LARGEST, is_whole=True),),
    current=_current_classes,
    change=_change_classes,
)
IMAGES = Scaling(
    id="images",
    title="Images",
    text="Change the images",
    explanation="Larger images show more detail, for arithmetic that grows with their area; flattened, weights too.",
    paper="Tan and Le 2019, EfficientNet, section 3",
    amounts=tuple(
        Amount(name, name.capitalize(), 1, LARGEST, is_whole=True) for name in ("channels", "height", "width")
    ),
    current=_current_images,
    change=_change_images,
)
