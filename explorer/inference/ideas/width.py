"""The width of a network: all inner convolutions and linear layers made wider or narrower by one factor."""

from collections.abc import Mapping
from dataclasses import replace

from explorer.architecture import Architecture, EditRefused
from explorer.architecture.shapes import output_shapes
from explorer.inference.ideas.channels import is_depthwise, makers, widths
from explorer.inference.ideas.fitting import following, with_layers
from explorer.inference.ideas.idea import Amount, Scaling
from explorer.layers import Conv2d, ConvTranspose2d, Layer, Linear, Pad, Shape
from explorer.layers.hyper_parameter import LARGEST

_FACTOR = "factor"


def scaled(architecture: Architecture, factor: float) -> Architecture:
    """The network with all inner widths times `factor`; the scores and what cannot change keep theirs.

    Widths are rounded to what groups and shuffles divide them by; those that must stay equal do.

    Raises:
        EditRefused: no width can change, or one would leave the range of a layer.
    """
    sets, made = widths(architecture), makers(architecture)
    if all(sets.is_pinned(maker) for maker in made):
        raise EditRefused(f"{architecture.name} has no width to scale: its layers make the scores, or sizes are fixed")
    new = {maker: sets.scaled(maker, width, factor) for maker, width in made.items()}
    if too_wide := next((maker for maker, width in new.items() if width > LARGEST), None):
        raise EditRefused(f"{too_wide} would make {new[too_wide]:,} channels; a layer has at most {LARGEST:,}")
    before = output_shapes(architecture)
    shapes: dict[str, Shape | None] = {}
    layers: dict[str, Layer] = {}
    for node in architecture:
        arriving = tuple(shape for source in node.inputs if (shape := shapes[source]) is not None)
        layer = node.layer
        if len(arriving) < len(node.inputs):
            shapes[node.id] = None
            continue
        was = before[node.inputs[0]] if node.inputs else None
        if was is not None:
            layer = _resized(layer, was[0], arriving[0][0], new.get(node.id))
        if before[node.id] is not None and layer.fault(arriving) is not None:
            layer = following(layer)
        shapes[node.id] = layer.output_shape(arriving) if layer.fault(arriving) is None else None
        layers[node.id] = layer
    return with_layers(architecture, layers)


def _resized(layer: Layer, was: int, arrives: int, width: int | None) -> Layer:
    """The layer where so many channels arrive.

    Args:
        layer: as it is.
        was: channels that arrived so far.
        arrives: channels that arrive now.
        width: channels that it is to make; None if it makes none of its own.
    """
    if isinstance(layer, (Conv2d, ConvTranspose2d)):
        if is_depthwise(layer, was):
            return replace(layer, groups=arrives, out_channels=layer.out_channels // layer.groups * arrives)
        return layer if width is None else replace(layer, out_channels=width)
    if isinstance(layer, Linear) and width is not None:
        return replace(layer, out_features=width)
    if isinstance(layer, Pad) and width is not None:
        added, now = layer.before + layer.after, width - arrives
        first = layer.before * now // added if added else 0
        return replace(layer, before=first, after=now - first)
    return layer


def _change(architecture: Architecture, values: Mapping[str, float]) -> Architecture:
    return scaled(architecture, values[_FACTOR])


WIDTH = Scaling(
    id="width",
    title="Width",
    text="Scale the width",
    explanation="All inner layers get so many times the channels; weights and arithmetic grow with the square.",
    paper="Zagoruyko and Komodakis 2016, Wide residual networks; Howard et al. 2017, MobileNets, section 3.3",
    amounts=(Amount(_FACTOR, "Factor", 0.01, 32, is_whole=False),),
    current=lambda _: {_FACTOR: 1.0},
    change=_change,
)
