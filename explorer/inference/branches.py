"""Repairs of a merge whose branches do not fit: one branch is brought to another's shape, in the ways networks do it.

Each way is tried on the shapes, so that the merge takes what arrives afterwards.
"""

import math
from collections.abc import Callable, Iterator

from explorer.architecture import Node, edits
from explorer.inference.input_sizes import input_sizes
from explorer.inference.repairs import Place, Step, Steps, insert_before, set_value
from explorer.inference.report import Repair
from explorer.inference.solver import solutions, value_text
from explorer.inference.upstream import resize_input
from explorer.layers import (
    AdaptiveAvgPool2d,
    Concat,
    Conv2d,
    Flatten,
    Layer,
    Linear,
    Pad,
    Pair,
    Reshape,
    SetValue,
    Shape,
    Upsample,
    format_shape,
)
from explorer.layers.hyper_parameter import LARGEST

_FARTHEST = 6
"""How many nodes up a branch the window is looked for that may make another size."""

Layers = list[Layer]
Wanted = tuple[int | None, ...]
"""A shape in which None stands for any size."""
Way = Callable[[Shape, Wanted], Layers | None]
"""The layers that bring one shape to another, in order; None where this way does not lead there."""


def joining(place: Place) -> list[Repair]:
    """Edits that let a merge take its inputs: layers on a branch, other values of its layers, another input size."""
    repairs = list(_brought(place))
    if len(place.inputs) > 2:
        repairs += _left_out(place)
    repairs += _remade(place)
    for size in input_sizes(place.architecture, place.node.id, 1):
        repairs.append(resize_input(size))
    return repairs


def _brought(place: Place) -> Iterator[Repair]:
    shapes = list(dict.fromkeys(place.inputs))
    shapes.sort(key=lambda shape: -place.inputs.count(shape))
    for name, way in _WAYS.items():
        for wanted in shapes:
            added = _added(place, way, wanted)
            rest = _rest(place, added) if added else None
            if added and rest is not None:
                yield _repair(place, name, added, wanted, rest)


def _added(place: Place, way: Way, wanted: Shape) -> dict[int, Layers] | None:
    """What the way adds on each port for all to come to `wanted`; None where it does not lead there."""
    target = _target(place, wanted)
    added: dict[int, Layers] = {}
    for port, shape in enumerate(place.inputs):
        if not _is(shape, target):
            try:
                layers = way(shape, target)
            except ValueError:  # a size that no layer takes
                return None
            if layers is None:
                return None
            added[port] = layers
    return added


def _target(place: Place, wanted: Shape) -> Wanted:
    """What a branch has to become beside one of shape `wanted`: a concatenation leaves it its own size along `dim`."""
    layer = place.node.layer
    if not isinstance(layer, Concat):
        return wanted
    axis = layer.dim - 1 if layer.dim <= len(wanted) else 0
    return (*wanted[:axis], None, *wanted[axis + 1 :])


def _is(shape: Shape, wanted: Wanted) -> bool:
    return len(shape) == len(wanted) and all(w in (None, size) for size, w in zip(shape, wanted, strict=True))


def _rest(place: Place, added: dict[int, Layers]) -> tuple[SetValue, ...] | None:
    """What the merge itself needs besides, mostly nothing; None where it does not take what then arrives."""
    arriving: list[Shape] = []
    for port, shape in enumerate(place.inputs):
        left = _through(added.get(port, []), shape)
        if left is None:
            return None
        arriving.append(left)
    fault = place.node.layer.fault(tuple(arriving))
    if fault is None:
        return ()
    values = [suggestion for suggestion in fault.suggestions if isinstance(suggestion, SetValue)]
    return (values[0],) if values else None


def _repair(place: Place, name: str, added: dict[int, Layers], wanted: Shape, rest: tuple[SetValue, ...]) -> Repair:
    steps = [insert_before(place.node.id, layer, port) for port, layers in added.items() for layer in layers]
    branches = " and ".join(dict.fromkeys(place.node.inputs[port] for port in added))
    layers = next(iter(added.values()))
    to = format_shape(wanted[1:]) if len(wanted) == 3 else f"{wanted[0]:,} features"
    text = name.format(branches=branches, to=to)
    last = layers[-1]
    if isinstance(last, Conv2d):
        text += f", stride {value_text(last.stride)}" if last.stride != (1, 1) else ""
        text += " and project it" if len(layers) > 1 else ""
    elif isinstance(last, Linear):
        text += f", then Linear to {last.out_features:,}"
    for value in rest:
        steps.append(set_value(place.node.id, value.name, value.value))
        text += f", {value.text}"
    return Repair(text, steps[0] if len(steps) == 1 else Steps(tuple(steps)))


def _project(shape: Shape, wanted: Wanted) -> Layers | None:
    """A 1×1 convolution, with a stride where the other branch is smaller (He et al. 2016, section 3.3)."""
    if len(shape) != 3 or len(wanted) != 3 or wanted[0] is None:
        return None
    height, width = _size(shape, wanted)
    stride = (max(1, -(-shape[1] // height)), max(1, -(-shape[2] // width)))
    if ((shape[1] - 1) // stride[0] + 1, (shape[2] - 1) // stride[1] + 1) != (height, width):
        return None
    return [Conv2d(out_channels=wanted[0], kernel_size=(1, 1), stride=stride, bias=False)]


def _pool(shape: Shape, wanted: Wanted) -> Layers | None:
    """Adaptive pooling to the smaller branch's size."""
    if len(shape) != 3 or len(wanted) != 3:
        return None
    size = _size(shape, wanted)
    if size == shape[1:] or (shape[1] < size[0] and shape[2] < size[1]):
        return None
    return [AdaptiveAvgPool2d(output_size=size), *_to_width(shape, wanted)]


def _upsample(shape: Shape, wanted: Wanted) -> Layers | None:
    """Repeated pixels, to the larger branch's size."""
    if len(shape) != 3 or len(wanted) != 3:
        return None
    size = _size(shape, wanted)
    if size == shape[1:] or shape[1] > size[0] or shape[2] > size[1]:
        return None
    return [Upsample(height=size[0], width=size[1]), *_to_width(shape, wanted)]


def _crop(shape: Shape, wanted: Wanted) -> Layers | None:
    """The middle of the larger branch, less a quarter of it at most."""
    return _edged(shape, wanted, -1)


def _pad(shape: Shape, wanted: Wanted) -> Layers | None:
    """Zeros around the smaller branch, a quarter of it at most."""
    return _edged(shape, wanted, 1)


def _edged(shape: Shape, wanted: Wanted, sign: int) -> Layers | None:
    if len(shape) != 3 or len(wanted) != 3 or wanted[0] not in (None, shape[0]):
        return None
    size = _size(shape, wanted)
    down, right = size[0] - shape[1], size[1] - shape[2]
    if size == shape[1:] or min(sign * down, sign * right) < 0:
        return None
    if 4 * abs(down) > shape[1] or 4 * abs(right) > shape[2]:
        return None
    top, left = down // 2, right // 2
    return [Pad(top=top, bottom=down - top, left=left, right=right - left)]


def _flatten(shape: Shape, wanted: Wanted) -> Layers | None:
    """One row of features where the other branch is one."""
    if len(wanted) != 1 or len(shape) < 2:
        return None
    return [Flatten()] if wanted[0] in (None, math.prod(shape)) else [Flatten(), Linear(out_features=wanted[0])]


def _average(shape: Shape, wanted: Wanted) -> Layers | None:
    """One value a map, as features."""
    if len(wanted) != 1 or len(shape) != 3:
        return None
    layers: Layers = [AdaptiveAvgPool2d(output_size=(1, 1)), Flatten()]
    return layers if wanted[0] in (None, shape[0]) else [*layers, Linear(out_features=wanted[0])]


def _reshape(shape: Shape, wanted: Wanted) -> Layers | None:
    """Features as channels of one pixel, which the merge repeats (Hu, Shen and Sun 2018, section 3.2)."""
    if len(shape) != 1 or len(wanted) != 3 or wanted[0] is None:
        return None
    layers: Layers = [] if shape[0] == wanted[0] else [Linear(out_features=wanted[0])]
    return [*layers, Reshape(sizes=(wanted[0], 1, 1))]


def _linear(shape: Shape, wanted: Wanted) -> Layers | None:
    """Another number of features."""
    if len(shape) != 1 or len(wanted) != 1 or wanted[0] is None:
        return None
    return [Linear(out_features=wanted[0])]


def _size(shape: Shape, wanted: Wanted) -> Pair:
    """(height, width) wanted; the branch's own where any will do."""
    return (wanted[1] or shape[1], wanted[2] or shape[2])


def _to_width(shape: Shape, wanted: Wanted) -> Layers:
    if wanted[0] in (None, shape[0]):
        return []
    return [Conv2d(out_channels=wanted[0], kernel_size=(1, 1), bias=False)]


_WAYS: dict[str, Way] = {
    "project {branches} with 1×1": _project,
    "reshape {branches} to one pixel a channel": _reshape,
    "pool {branches} to {to}": _pool,
    "upsample {branches} to {to}": _upsample,
    "crop {branches} to {to}": _crop,
    "pad {branches} to {to}": _pad,
    "flatten {branches}": _flatten,
    "average {branches} to one value a channel": _average,
    "bring {branches} to {to}": _linear,
}
"""By what their repairs say; the best first."""


def _remade(place: Place) -> Iterator[Repair]:
    """Other values of the layer that makes a branch's size or width, so that it makes the other branch's."""
    for port, shape in enumerate(place.inputs):
        for other in dict.fromkeys(place.inputs):
            if len(shape) != len(other) or shape == other:
                continue
            found = _maker(place, port, "kernel_size" if shape[1:] != other[1:] else "out_")
            if found is None:
                continue
            node, inputs, between = found
            for text, layer in _makers(node.layer, inputs, shape, other):
                output = None if layer.fault(inputs) is not None else layer.output_shape(inputs)
                output = None if output is None else _through(between, output)
                if output is None:
                    continue
                arriving = (*place.inputs[:port], output, *place.inputs[port + 1 :])
                if place.node.layer.fault(arriving) is None:
                    yield Repair(f"{text} in {node.id}", Step(edits.set_layer, (node.id, layer)))
                    break


def _makers(layer: Layer, inputs: tuple[Shape, ...], shape: Shape, other: Shape) -> Iterator[tuple[str, Layer]]:
    """Forms of a layer that may lead to the other branch's size, else to its width; with what they change."""
    if shape[1:] != other[1:]:
        if len(other) == 3:
            for solution in solutions(layer, inputs, (other[1], other[2]), 2):
                yield solution.text, solution.layer
        return
    for name in ("out_channels", "out_features"):
        if hasattr(layer, name) and other[0] <= LARGEST:
            yield f"{name} {other[0]:,}", layer.with_value(name, other[0])


def _maker(place: Place, port: int, attribute: str) -> tuple[Node, tuple[Shape, ...], Layers] | None:
    """The nearest layer up a branch of its own that has the attribute, what arrives there, and the layers behind it."""
    between: Layers = []
    source = place.node.inputs[port]
    for _ in range(_FARTHEST):
        node, report = place.architecture[source], place.report(source)
        if not place.is_private(source) or len(node.inputs) != 1:
            return None
        (shape,) = report.input_shapes
        if shape is None:
            return None
        if any(parameter.name.startswith(attribute) for parameter in node.layer.hyper_parameters):
            return node, (shape,), between
        between.insert(0, node.layer)
        source = node.inputs[0]
    return None


def _through(layers: Layers, shape: Shape) -> Shape | None:
    for layer in layers:
        if layer.fault((shape,)) is not None:
            return None
        shape = layer.output_shape((shape,))
    return shape


def _left_out(place: Place) -> Iterator[Repair]:
    """The merge without one of its branches."""
    for port, source in enumerate(place.node.inputs):
        if place.node.layer.fault((*place.inputs[:port], *place.inputs[port + 1 :])) is None:
            yield Repair(f"leave out {source}", Step(edits.disconnect, (place.node.id, port)))
