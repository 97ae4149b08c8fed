"""What only the graph tells: layers that undo each other, or that meet in shapes that are hardly meant.

Layers remark on themselves (`Layer.remarks`); `heads` has what follows from a node's place among the outputs. Inference
asks at every node at each edit, so that what there is to look for is found by the types that meet, in one dict.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from explorer.architecture import Architecture, Node, edits
from explorer.inference.repairs import Step, Steps, insert_before, issue_of, set_value
from explorer.inference.report import Issue, Repair
from explorer.layers import (
    Add,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Category,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    Hardsigmoid,
    InstanceNorm2d,
    Layer,
    Linear,
    LogSoftmax,
    LPPool2d,
    MaxPool2d,
    Mul,
    PartialConv2d,
    Permute,
    ReLU,
    ReLU6,
    Shape,
    Sigmoid,
    Softmax,
    Sub,
    format_shape,
    layer_types,
)
from explorer.layers.hyper_parameter import LARGEST

OnEdge = Callable[["Neighbours"], tuple[Issue, ...]]
OnShapes = Callable[[Node, tuple[Shape, ...]], tuple[Issue, ...]]
"""From a node and what arrives at it to what is to be said."""


class Neighbours(NamedTuple):
    """A node with what it reads."""

    architecture: Architecture
    node: Node
    arriving: Shape | None
    """What it reads first; None where that is unknown."""

    @property
    def source(self) -> Layer:
        """The layer that it reads first."""
        return self.architecture[self.node.inputs[0]].layer

    @property
    def source_id(self) -> str:
        """The id of the node that it reads first."""
        return self.node.inputs[0]

    @property
    def is_alone(self) -> bool:
        """Whether it is the only one to read that node, which the network does not return either."""
        source = self.node.inputs[0]
        return len(self.architecture.structure.consumers[source]) == 1 and source not in self.architecture.outputs


_NOTHING: tuple[Issue, ...] = ()


def _lost_bias(at: Neighbours) -> tuple[Issue, ...]:
    """A bias before a layer that takes each channel's mean away (Ioffe and Szegedy 2015, section 3.2)."""
    if not getattr(at.source, "bias", False) or not at.is_alone:
        return _NOTHING
    message = f"the bias of {at.source_id} has no effect: this layer subtracts each channel's mean"
    return _note(at.node, message, Repair(f"no bias in {at.source_id}", set_value(at.source_id, "bias", False)))


def _norm_twice(at: Neighbours) -> tuple[Issue, ...]:
    if not at.is_alone:
        return _NOTHING
    message = f"{at.source_id} has normalised each channel already; a second time has hardly an effect"
    return _note(at.node, message, _removed(at.node.id), _removed(at.source_id))


def _nothing_negative(at: Neighbours) -> tuple[Issue, ...]:
    again = type(at.node.layer) is type(at.source)
    why = f"{at.source_id} is {_article(at.source.type_name)} already" if again else f"{at.source_id} is never negative"
    return _note(at.node, f"changes nothing: {why}", _removed(at.node.id))


def _no_activation(at: Neighbours) -> tuple[Issue, ...]:
    """Convolutions and linear layers, one right behind the other: said once for each row of them."""
    above = at.architecture[at.source_id].inputs
    if not at.is_alone or (above and isinstance(at.architecture[above[0]].layer, _LINEAR)):
        return _NOTHING
    # Depthwise and pointwise, or one axis after the other: a cheaper form of one convolution, made so on purpose.
    if any(_is_factor(layer) for layer in (at.source, at.node.layer)):
        return _NOTHING
    message = f"no activation stands between {at.source_id} and this layer: together they are one linear map"
    return _note(at.node, message, Repair("ReLU before", insert_before(at.node.id, ReLU())))


def _into_linear(at: Neighbours) -> tuple[Issue, ...]:
    """A linear layer on maps, which is meant behind a permute that puts the channels last (Liu et al. 2022)."""
    issues = _no_activation(at) if isinstance(at.source, _LINEAR) else _NOTHING
    shape = at.arriving
    if shape is None or len(shape) == 1 or _has_channels_last(at):
        return issues
    message = (
        f"{format_shape(shape)} arrives unflattened: the layer acts on the last dimension ({shape[-1]}) alone, "
        f"not on all {math.prod(shape):,} values"
    )
    flattened = insert_before(at.node.id, Flatten())
    repair = Repair("flatten before", flattened)
    if getattr(at.node.layer, "in_features", None) not in (None, math.prod(shape)):
        follows = set_value(at.node.id, "in_features", None)
        repair = Repair("flatten before, in_features follows the input", Steps((flattened, follows)))
    return (issue_of(at.node, "warning", message, (repair,)), *issues)


def _has_channels_last(at: Neighbours) -> bool:
    """Whether a permute stands before it, or a linear layer, of which it was said already."""
    source = at.source_id
    for _ in range(_FARTHEST):
        node = at.architecture[source]
        if isinstance(node.layer, Permute | Linear):
            return True
        if node.layer.category not in _POINTWISE or not node.inputs:
            return False
        source = node.inputs[0]
    return False


def _is_factor(layer: Layer) -> bool:
    if isinstance(layer, Conv2d | ConvTranspose2d):
        return layer.groups > 1 or layer.kernel_size[0] != layer.kernel_size[1]
    return False


def _softmax_inside(at: Neighbours) -> tuple[Issue, ...]:
    """Probabilities that a further layer computes on. Attention, which multiplies by them, is another matter."""
    message = (
        f"computes on the probabilities of {at.source_id}, which sum to one: what stands before learns slowly; "
        "a softmax belongs behind the last layer"
    )
    return (issue_of(at.node, "warning", message, (_removed(at.source_id),)),)


def shape_advice(layer: Layer, inputs: tuple[Shape, ...]) -> OnShapes | None:
    """What to say about a layer that takes these shapes; mostly nothing. Called once for equal layers and shapes."""
    match layer:
        case Conv2d():
            if inputs[0][1:] == (1, 1) and layer.kernel_size != (1, 1) and layer.padding_mode == "zeros":
                return _kernel_on_one_pixel
        case MaxPool2d() | AvgPool2d() | LPPool2d():
            if inputs[0][1:] == (1, 1):
                return _pool_on_one_pixel
        case Add() | Sub():
            if any(shape != inputs[0] for shape in inputs):
                return _broadcast
    return None


def _kernel_on_one_pixel(node: Node, inputs: tuple[Shape, ...]) -> tuple[Issue, ...]:
    layer = node.layer
    assert isinstance(layer, Conv2d)
    values: dict[str, object] = {"kernel_size": (1, 1), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1)}
    changes = tuple(set_value(node.id, name, value) for name, value in values.items() if getattr(layer, name) != value)
    taps = format_shape(layer.kernel_size)
    message = f"maps of {format_shape(inputs[0][1:])} arrive: all taps of the {taps} kernel but one read padding"
    return _note(node, message, Repair("kernel_size 1, no padding", Steps(changes)))


def _pool_on_one_pixel(node: Node, inputs: tuple[Shape, ...]) -> tuple[Issue, ...]:
    message = f"maps of {format_shape(inputs[0][1:])} arrive: there is nothing left to pool"
    return _note(node, message, _removed(node.id))


def _broadcast(node: Node, inputs: tuple[Shape, ...]) -> tuple[Issue, ...]:
    """A sum of unlike shapes, of which one is repeated without a word."""
    full = tuple(max(sizes) for sizes in zip(*inputs, strict=True))
    ports = [port for port, shape in enumerate(inputs) if shape != full]
    small, name = inputs[ports[0]], node.inputs[ports[0]]
    message = f"{format_shape(small)} of {name} is repeated to {format_shape(full)}"
    repairs: list[Repair] = []
    if len(ports) == 1 and max(full) <= LARGEST:
        if len(full) == 1:
            linear = insert_before(node.id, Linear(out_features=full[0]), ports[0])
            repairs.append(Repair(f"bring {name} to {full[0]:,} features", linear))
        elif len(full) == 3 and small[1:] == full[1:]:
            conv = Conv2d(out_channels=full[0], kernel_size=(1, 1), bias=False)
            repairs.append(Repair(f"project {name} with 1×1", insert_before(node.id, conv, ports[0])))
    if isinstance(node.layer, Add) and small[1:] == (1, 1) and small[0] == full[0]:
        message += ": one value is added to a whole map"
        repairs.append(Repair("multiply instead", Step(edits.set_layer, (node.id, Mul()))))
    return _note(node, message, *repairs)


def _note(node: Node, message: str, *repairs: Repair) -> tuple[Issue, ...]:
    return (issue_of(node, "note", message, repairs),)


def _removed(node_id: str) -> Repair:
    return Repair(f"remove {node_id}", Step(edits.remove, ((node_id,),)))


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "AEIOU" else f"a {name}"


_LINEAR = (Conv2d, ConvTranspose2d, Linear)
_CENTRING = (BatchNorm1d, BatchNorm2d, InstanceNorm2d)
_POINTWISE = (Category.ACTIVATION, Category.NORMALIZATION, Category.REGULARIZATION, Category.OTHER)
_FARTHEST = 16
"""How many nodes up a permute is looked for."""
_COMPUTING = (Category.ACTIVATION, Category.CONVOLUTION, Category.LINEAR, Category.NORMALIZATION, Category.POOLING)


def _meetings() -> dict[tuple[type[Layer], type[Layer]], OnEdge]:
    found: dict[tuple[type[Layer], type[Layer]], OnEdge] = {}
    for norm in _CENTRING:
        found |= {(source, norm): _lost_bias for source in (*_LINEAR, PartialConv2d)}
        found[norm, norm] = _norm_twice
    found |= {(source, ReLU): _nothing_negative for source in (ReLU, ReLU6, Sigmoid, Hardsigmoid)}
    found[ReLU6, ReLU6] = _nothing_negative
    found |= {(source, reader): _no_activation for source in _LINEAR for reader in (Conv2d, ConvTranspose2d)}
    found |= {(source, Linear): _into_linear for source in layer_types()}
    for reader in layer_types():
        if reader.category in _COMPUTING and reader.max_inputs == 1:
            found |= {(softmax, reader): _softmax_inside for softmax in (Softmax, LogSoftmax)}
    return found


ADVISED: Mapping[tuple[type[Layer], type[Layer]], OnEdge] = _meetings()
"""What to look for where a layer of the first type is read by one of the second.

All follows from the types of layers, the connections, and the values of the two that meet, but for `BY_SHAPE`.
"""
BY_SHAPE: frozenset[OnEdge] = frozenset({_into_linear})
"""What also goes by the shape that arrives."""
