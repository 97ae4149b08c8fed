"""Pooling over windows: overlapping or side by side, the largest value or the average."""

from dataclasses import replace
from functools import partial

from explorer.architecture import Architecture, EditRefused, Node
from explorer.architecture.shapes import output_shapes
from explorer.inference.ideas.fitting import remembered, with_layers
from explorer.inference.ideas.idea import Form, History, Idea, Presence
from explorer.layers import AvgPool2d, Layer, MaxPool2d, Pair, Shape

_KERNELS = {"overlapping": (3, 3), "plain": (2, 2)}
_STRIDE = (2, 2)
_WINDOWS = (
    Form(
        id="overlapping",
        title="overlapping",
        text="Let pooling windows overlap",
        explanation="Windows of 3×3 at stride 2 share a row with their neighbours: AlexNet overfitted a little less.",
        paper="Krizhevsky, Sutskever and Hinton 2012, section 3.4",
    ),
    Form(
        id="plain",
        title="side by side",
        text="Pool side by side",
        explanation="Windows of 2×2 at stride 2 read each pixel once, as LeNet's do.",
        paper="LeCun, Bottou, Bengio and Haffner 1998, section II.B",
    ),
)
_KINDS = (
    Form(
        id="max",
        title="largest value",
        text="Pool by the largest value",
        explanation="Keeps the strongest response of each window, wherever in it it was.",
        paper="Scherer, Müller and Behnke 2010, Evaluation of pooling operations in convolutional architectures",
    ),
    Form(
        id="average",
        title="average",
        text="Pool by the average",
        explanation="Every pixel of a window counts alike, which keeps more of the texture and less of the peaks.",
        paper="LeCun, Bottou, Bengio and Haffner 1998, section II.B",
    ),
)

WindowPool = MaxPool2d | AvgPool2d


def _halving(architecture: Architecture) -> dict[str, WindowPool]:
    """The pooling layers at stride 2 with windows of 2×2 or 3×3."""
    found: dict[str, WindowPool] = {}
    for node in architecture:
        layer = node.layer
        if not isinstance(layer, (MaxPool2d, AvgPool2d)) or (isinstance(layer, MaxPool2d) and layer.dilation != (1, 1)):
            continue
        if layer.stride == _STRIDE and layer.kernel_size in _KERNELS.values():
            found[node.id] = layer
    return found


def _look_at_windows(architecture: Architecture, form_id: str) -> Presence:
    layers = _halving(architecture).values()
    count = sum(layer.kernel_size == _KERNELS[form_id] for layer in layers)
    return "off" if count == 0 else "on" if count == len(layers) else "mixed"


def _change_windows(architecture: Architecture, form_id: str, earlier: History) -> Architecture:
    pools = _halving(architecture)
    if not pools:
        raise EditRefused(f"{architecture.name} has no pooling at stride 2 with windows of 2×2 or 3×3")
    kernel = _KERNELS[form_id]
    shapes = output_shapes(architecture)
    layers: dict[str, Layer] = {}
    for node_id, layer in pools.items():
        if layer.kernel_size != kernel:
            was = remembered(earlier, node_id, partial(_differs_in_window, layer, kernel))
            arrives, leaves = shapes[architecture[node_id].inputs[0]], shapes[node_id]
            layers[node_id] = was or _nearest(layer, kernel, arrives, leaves)
    return with_layers(architecture, layers)


def _differs_in_window(layer: WindowPool, kernel: Pair, was: Layer) -> bool:
    """Whether `was` is the layer with that kernel, maybe padded or rounded otherwise."""
    if not isinstance(was, (MaxPool2d, AvgPool2d)) or was.kernel_size != kernel:
        return False
    return _windowed_as(layer, kernel, was.padding, was.ceil_mode) == was


def _nearest(layer: WindowPool, kernel: Pair, arrives: Shape | None, leaves: Shape | None) -> Layer:
    """The layer with another window, padded or rounded up so that the same size leaves, where that can be."""
    # Padded by nothing if that will do; else rounded up, as Caffe does; else with a row and a column more at each side.
    forms = [
        _windowed_as(layer, kernel, padding, up) for padding, up in (((0, 0), False), ((0, 0), True), ((1, 1), False))
    ]
    if arrives is not None:
        for form in forms:
            if form.fault((arrives,)) is None and form.output_shape((arrives,)) == leaves:
                return form
    return forms[0]


def _windowed_as(layer: WindowPool, kernel: Pair, padding: Pair, ceil_mode: bool) -> WindowPool:
    if isinstance(layer, MaxPool2d):
        return replace(layer, kernel_size=kernel, padding=padding, ceil_mode=ceil_mode)
    return replace(layer, kernel_size=kernel, padding=padding, ceil_mode=ceil_mode)


def _windowed(architecture: Architecture) -> list[Node]:
    """The pooling layers over windows, but for the one that averages whole maps, which is the classifier's."""
    shapes = output_shapes(architecture)
    found = []
    for node in architecture:
        layer = node.layer
        if not isinstance(layer, (MaxPool2d, AvgPool2d)):
            continue
        arrives = shapes[node.inputs[0]]
        is_global = arrives is not None and len(arrives) == 3 and layer.kernel_size == arrives[1:]
        if not is_global and not (isinstance(layer, MaxPool2d) and layer.dilation != (1, 1)):
            found.append(node)
    return found


def _look_at_kinds(architecture: Architecture, form_id: str) -> Presence:
    nodes = _windowed(architecture)
    wanted = MaxPool2d if form_id == "max" else AvgPool2d
    count = sum(isinstance(node.layer, wanted) for node in nodes)
    return "off" if count == 0 else "on" if count == len(nodes) else "mixed"


def _change_kinds(architecture: Architecture, form_id: str, earlier: History) -> Architecture:
    nodes = _windowed(architecture)
    if not nodes:
        raise EditRefused(f"{architecture.name} has no pooling over windows")
    layers: dict[str, Layer] = {}
    for node in nodes:
        layer = node.layer
        assert isinstance(layer, (MaxPool2d, AvgPool2d))
        if _kind(layer) != form_id:
            was = remembered(earlier, node.id, partial(_differs_in_kind, layer))
            layers[node.id] = was or _of_kind(layer, form_id)
    return with_layers(architecture, layers)


def _differs_in_kind(layer: WindowPool, was: Layer) -> bool:
    """Whether `was` is what the layer was made of."""
    return (
        isinstance(was, (MaxPool2d, AvgPool2d))
        and type(was) is not type(layer)
        and _of_kind(was, _kind(layer)) == layer
    )


def _kind(layer: WindowPool) -> str:
    return "max" if isinstance(layer, MaxPool2d) else "average"


def _of_kind(layer: WindowPool, form_id: str) -> WindowPool:
    if form_id == _kind(layer):
        return layer
    made = MaxPool2d if form_id == "max" else AvgPool2d
    return made(kernel_size=layer.kernel_size, stride=layer.stride, padding=layer.padding, ceil_mode=layer.ceil_mode)


WINDOWS = Idea(
    id="pooling-windows", title="Pooling windows", forms=_WINDOWS, look=_look_at_windows, change=_change_windows
)
KINDS = Idea(id="pooling", title="Pooling", forms=_KINDS, look=_look_at_kinds, change=_change_kinds)
