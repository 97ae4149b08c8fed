"""Repairs of a node of one input that change what stands before it: a flatten, a pooling, a width, the input's size."""

import math
from collections.abc import Iterator

from explorer.architecture import Architecture, Node, edits
from explorer.inference.input_sizes import input_sizes
from explorer.inference.repairs import Place, Step, insert_before, set_value
from explorer.inference.report import Repair
from explorer.inference.solver import value_text
from explorer.layers import (
    AdaptiveAvgPool2d,
    Flatten,
    Input,
    InsertBefore,
    Layer,
    Pair,
    Reshape,
    Shape,
    Suggestion,
    format_shape,
)
from explorer.layers.hyper_parameter import LARGEST

_FARTHEST = 16
"""How many nodes up the search for a flatten or a width goes."""
_WIDTHS = ("out_channels", "out_features", "channels")
_FIXED = ("in_features", "in_channels", "num_features", "num_channels", "num_slopes")


def changes_before(place: Place) -> list[Repair]:
    """Edits of the nodes before one of one input that let it take what then arrives, tried on the shapes."""
    (shape,) = place.inputs
    repairs: list[Repair] = []
    if len(shape) == 1:
        repairs += _unflattened(place)
    wanted = _fixed_width(place.node.layer)
    if wanted:
        repairs += _pooled_to_fit(place, wanted)
    repairs += [resize_input(size) for size in input_sizes(place.architecture, place.node.id)]
    if wanted:
        repairs += _widened(place, wanted)
    return repairs


def _fixed_width(layer: Layer) -> int:
    """The channels or features that a layer is fixed at; 0 if they follow the input."""
    return next((value for name in _FIXED if (value := getattr(layer, name, None)) is not None), 0)


def _following(layer: Layer) -> Layer:
    """The layer with its channels or features following the input."""
    for name in _FIXED:
        if getattr(layer, name, None) is not None:
            layer = layer.with_value(name, None)
    return layer


def _chain(place: Place) -> Iterator[tuple[Node, list[Node]]]:
    """The nodes above the place's node, nearest first, as long as each reads one input; with those between."""
    between: list[Node] = []
    source = place.node.inputs[0]
    for _ in range(_FARTHEST):
        node = place.architecture[source]
        yield node, list(reversed(between))
        if len(node.inputs) != 1:
            return
        between.append(node)
        source = node.inputs[0]


def _takes(place: Place, shape: Shape, between: list[Node]) -> bool:
    """Whether the place's node takes what arrives if `shape` enters the nodes between."""
    for layer in [*(node.layer for node in between), place.node.layer]:
        if layer.fault((shape,)) is not None:
            return False
        shape = layer.output_shape((shape,))
    return True


def made_maps(place: Place) -> Iterator[Suggestion]:
    """For a layer of maps where something else arrives: the flattened maps made again, or pixels of what there is."""
    (shape,) = place.inputs
    if len(shape) >= 3 or _following(place.node.layer).fault(place.inputs) is None:
        return
    sizes: list[Shape] = [(*shape, *(1,) * (3 - len(shape)))]
    flattened = _flatten_above(place)
    if flattened is not None:
        maps = place.report(flattened[0].inputs[0]).output_shape
        if maps is not None and len(maps) == 3 and math.prod(maps) == math.prod(shape):
            sizes.insert(0, maps)
    for size in dict.fromkeys(sizes):
        if max(size) > LARGEST:
            continue
        yield InsertBefore(f"reshape to {format_shape(size)} before", Reshape(sizes=size))


def _flatten_above(place: Place) -> tuple[Node, list[Node]] | None:
    """The flatten whose row arrives, if only layers that leave shapes alone stand between; and those."""
    for node, between in _chain(place):
        if isinstance(node.layer, Flatten):
            return node, between
        report = place.report(node.id)
        if report.input_shapes[:1] != (report.output_shape,):
            return None
    return None


def _unflattened(place: Place) -> Iterator[Repair]:
    """For a layer of maps behind a flatten: without it."""
    found = _flatten_above(place)
    if found is None:
        return
    node, between = found
    maps = place.report(node.inputs[0]).output_shape
    if maps is None or not _takes(place, maps, between):
        return
    if between or place.is_private(node.id):
        yield Repair(f"remove {node.id}", Step(edits.remove, ((node.id,),)))
    else:
        yield Repair(f"read {node.inputs[0]} before {node.id}", Step(edits.connect, (node.inputs[0], place.node.id, 0)))


def _pooled_to_fit(place: Place, wanted: int) -> Iterator[Repair]:
    """Adaptive pooling before the flatten, so that a fixed number of features arrives whatever the input's size."""
    found = _flatten_above(place)
    if found is None:
        return
    node, between = found
    maps = place.report(node.inputs[0]).output_shape
    if maps is None or len(maps) != 3 or wanted % maps[0]:
        return
    size = _like(wanted // maps[0], maps[1], maps[2])
    if max(size) > LARGEST or not _takes(place, (maps[0], *size), [node, *between]):
        return
    above = place.architecture[node.inputs[0]]
    if isinstance(above.layer, AdaptiveAvgPool2d) and place.is_private(above.id):
        yield Repair(f"output_size {value_text(size)} in {above.id}", set_value(above.id, "output_size", size))
    else:
        pool = insert_before(node.id, AdaptiveAvgPool2d(output_size=size))
        yield Repair(f"pool to {format_shape(size)} before {node.id}", pool)


def _like(count: int, height: int, width: int) -> Pair:
    """The (rows, columns) of `count` pixels whose form is nearest to height by width."""
    fitting = [(rows, count // rows) for rows in range(1, math.isqrt(count) + 1) if count % rows == 0]
    fitting += [(columns, rows) for rows, columns in fitting]
    return min(fitting, key=lambda size: abs(math.log(size[0] * width / (size[1] * height))))


def _widened(place: Place, wanted: int) -> Iterator[Repair]:
    """Another width of the layer that makes the channels or features, or of the input."""
    for node, between in _chain(place):
        name = next((p.name for p in node.layer.hyper_parameters if p.name in _WIDTHS), None)
        if not place.is_private(node.id):
            return
        report = place.report(node.id)
        shape = report.output_shape
        if name is None:
            if shape is None or not report.input_shapes:
                return
            continue
        if shape is None:
            return
        # Behind a flatten each channel makes as many features as its map has pixels.
        axis = len(shape) - 1 if name == "out_features" else 0
        arriving = place.inputs[0][-1] if _is_on_features(place) else place.inputs[0][0]
        width = shape[axis] * wanted // arriving
        if width < 1 or width == shape[axis] or width * arriving != shape[axis] * wanted:
            return
        try:
            layer = node.layer.with_value(name, width)
        except ValueError:
            return
        inputs = tuple(s for s in report.input_shapes if s is not None)
        if layer.fault(inputs) is None and _takes(place, layer.output_shape(inputs), between):
            where = "of the input" if isinstance(layer, Input) else f"in {node.id}"
            yield Repair(f"{name} {width:,} {where}", set_value(node.id, name, width))
        return


def _is_on_features(place: Place) -> bool:
    return any(parameter.name == "in_features" for parameter in place.node.layer.hyper_parameters)


def resize_input(size: Pair) -> Repair:
    """Give the images another (height, width)."""
    return Repair(f"input {format_shape(size)}", Step(_set_input_size, size))


def _set_input_size(architecture: Architecture, height: int, width: int) -> Architecture:
    return edits.set_input_shape(architecture, architecture.input_shape[0], height, width)
