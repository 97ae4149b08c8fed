"""The blocks that networks are made of, ready to be put into any network, with parameters and sizes that follow it.

Each is what the catalogue's own networks are built of, so that an inserted one equals theirs.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from explorer.architecture import Architecture, EditRefused
from explorer.architecture.copying import copied_block, paste
from explorer.architecture.freezing import head
from explorer.architecture.shapes import output_shapes
from explorer.layers import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    BatchNorm2d,
    Dropout,
    Dropout2d,
    ReLU,
    Sigmoid,
    format_shape,
)
from explorer.zoo.builder import Builder, conv, max_pool
from explorer.zoo.catalogue import FamilyParameter, Value, chosen_values, number, one_of, switch
from explorer.zoo.densenet import dense_layer
from explorer.zoo.googlenet import INCEPTION_3A, Widths, inception
from explorer.zoo.inception_blocks import UNIT, conv_norm_relu
from explorer.zoo.mobile_blocks import squeeze_excitation
from explorer.zoo.mobilenet import inverted_residual
from explorer.zoo.resnet import bottleneck, residual_block
from explorer.zoo.squeezenet import fire

_MOST_CHANNELS = 8192
_CLASSIFIERS = (AdaptiveAvgPool2d, AdaptiveMaxPool2d, Dropout, Dropout2d)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEntry:
    """A block that the palette offers."""

    id: str
    title: str
    kind: str
    """What the canvas calls it, in the field's words."""
    idea: str
    """One sentence on what it does."""
    paper: str
    name: str
    """What the first one in a network is called."""
    make: Callable[..., None]
    """Adds it to a builder, given the path, how many channels arrive, and the parameters' values by name."""
    parameters: tuple[FamilyParameter, ...] = ()

    def insert(
        self, architecture: Architecture, after: str, beside: str | None = None, /, **values: Value
    ) -> Architecture:
        """The network with the block behind a node: what read the node reads the block.

        Behind the end of a block it stands beside that one, and is counted on from it: `layer1.3` behind `layer1.2`; or
        beside what `beside` names.

        Raises:
            EditRefused: no such node, what it makes is unknown or no maps, or a layer of the block does not take it.
            ValueError: no such parameter, or a value out of its range.
        """
        if after not in architecture:
            raise EditRefused(f"{after!r} is not in {architecture.name}")
        chosen = chosen_values(self.id, self.parameters, values)
        shape = output_shapes(architecture)[after]
        if shape is None:
            raise EditRefused(f"what {after} makes is unknown; mend the fault before it first")
        if len(shape) != 3:
            raise EditRefused(f"a {self.kind} works on feature maps C×H×W; {after} makes {format_shape(shape)}")
        net = Builder(self.title, *shape)
        self.make(net, self.name, shape[0], **chosen)
        alone = net.build()
        for node_id, made in output_shapes(alone).items():
            if made is None:
                raise EditRefused(f"{node_id} does not take what is left of {format_shape(shape)} there")
        return paste(architecture, copied_block(alone, self.name), after, beside)

    def append(self, architecture: Architecture, **values: Value) -> Architecture:
        """The network with the block behind its last maps: before they are averaged or flattened for the classifier.

        Raises:
            EditRefused: no maps lead to the output; and as `insert`.
            ValueError: as `insert`.
        """
        return self.insert(architecture, last_maps(architecture), **values)


def last_maps(architecture: Architecture) -> str:
    """The id of the node that makes the last maps before the classifier averages or flattens them.

    A classifier's own maps do not count, as SqueezeNet's, and maps of one pixel only where there are no larger ones.
    """
    shapes = output_shapes(architecture)
    way = [architecture[architecture.outputs[0]]]
    while way[-1].inputs:
        way.append(architecture[way[-1].inputs[0]])
    returned = shapes[way[0].id]
    if returned is not None and len(returned) == 1:
        made_by = [place for place, node in enumerate(way) if node.id in head(architecture)]
        way = way[max(made_by) + 1 :] if made_by else way
    maps = [node for node in way if (shape := shapes[node.id]) is not None and len(shape) == 3]
    maps = [node for node in maps if (shapes[node.id] or ())[1:] != (1, 1)] or maps
    # A pooling to a size that the classifier asks for, and dropout before it, are the classifier's.
    return next((node for node in maps if not isinstance(node.layer, _CLASSIFIERS)), maps[0]).id


def _residual(net: Builder, path: str, arriving: int, channels: int, stride: int) -> None:
    residual_block(net, path, arriving, channels or arriving, stride)


def _bottleneck(net: Builder, path: str, arriving: int, width: int, stride: int) -> None:
    bottleneck(net, path, arriving, width or max(1, arriving // 4), stride)


def _inception(net: Builder, path: str, _arriving: int, **widths: int) -> None:
    inception(net, path, net.last, Widths(**widths))


def _dense(net: Builder, path: str, _arriving: int, layers: int, growth_rate: int) -> None:
    for i in range(1, layers + 1):
        dense_layer(net, f"{path}.denselayer{i}", growth_rate)
    net.block(path, "dense block")


def _fire(net: Builder, path: str, _arriving: int, squeeze: int, expand: int) -> None:
    fire(net, path, squeeze, expand)


def _inverted(net: Builder, path: str, arriving: int, channels: int, expansion: int, stride: int) -> None:
    inverted_residual(net, path, arriving, channels or arriving, stride, expansion)


def _squeeze(net: Builder, path: str, arriving: int, reduction: int) -> None:
    squeeze_excitation(net, path, arriving, max(1, arriving // reduction), ReLU(), Sigmoid())


def _unit(net: Builder, path: str, arriving: int, channels: int, kernel_size: int, stride: int) -> None:
    conv_norm_relu(net, path, channels or arriving, kernel_size, stride, (kernel_size - 1) // 2)


def _stage(net: Builder, path: str, arriving: int, convolutions: int, channels: int, batch_norm: bool) -> None:
    for i in range(1, convolutions + 1):
        net.add(f"{path}.conv{i}", conv(channels or 2 * arriving, 3, padding=1))
        if batch_norm:
            net.add(f"{path}.bn{i}", BatchNorm2d())
        net.add(f"{path}.relu{i}", ReLU())
    net.add(f"{path}.pool", max_pool(2))
    net.block(path, "VGG stage")


def _channels(name: str, title: str, help: str) -> FamilyParameter:
    return number(name, title, 0, 0, _MOST_CHANNELS, help)


_STRIDE = one_of("stride", "Stride", 1, (1, 2), "2 halves the size of the maps.")
_AS_MANY = "Channels that leave; 0: as many as arrive."
_WIDTHS = {
    "conv1x1": ("1×1", "Channels of the 1×1 branch."),
    "reduce3x3": ("Before 3×3", "Channels that the 3×3 kernels read."),
    "conv3x3": ("3×3", "Channels of the 3×3 branch."),
    "reduce5x5": ("Before 5×5", "Channels that the 5×5 kernels read."),
    "conv5x5": ("5×5", "Channels of the 5×5 branch."),
    "project": ("Behind pooling", "Channels of the 1×1 convolution behind the pooling."),
}

_BLOCKS = (
    BlockEntry(
        id="residual",
        title="Residual block",
        kind="residual block",
        idea="Two 3×3 convolutions learn what to add to what arrives; a 1×1 projects it where size or channels change.",
        paper="He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, figure 5",
        name="residual1",
        make=_residual,
        parameters=(_channels("channels", "Channels", _AS_MANY), _STRIDE),
    ),
    BlockEntry(
        id="bottleneck",
        title="Bottleneck",
        kind="bottleneck",
        idea="A residual block whose 3×3 convolution works on a quarter of the channels, between two 1×1 ones.",
        paper="He, Zhang, Ren and Sun 2015, Deep residual learning for image recognition, figure 5",
        name="bottleneck1",
        make=_bottleneck,
        parameters=(
            _channels("width", "Width", "Channels of the 3×3, a quarter of those that leave; 0: of those that arrive."),
            _STRIDE,
        ),
    ),
    BlockEntry(
        id="inception",
        title="Inception block",
        kind="Inception",
        idea="Kernels of three sizes and a pooling side by side, behind 1×1 convolutions that thin the channels out.",
        paper="Szegedy et al. 2014, Going deeper with convolutions, figure 2(b)",
        name="inception1",
        make=_inception,
        parameters=tuple(
            number(name, title, getattr(INCEPTION_3A, name), 1, _MOST_CHANNELS, help)
            for name, (title, help) in _WIDTHS.items()
        ),
    ),
    BlockEntry(
        id="dense",
        title="Dense block",
        kind="dense block",
        idea="Every layer reads all maps before it, and adds a few of its own.",
        paper="Huang, Liu, van der Maaten and Weinberger 2016, Densely connected convolutional networks",
        name="dense1",
        make=_dense,
        parameters=(
            number("layers", "Layers", 6, 1, 128, "Dense layers, each a 1×1 and a 3×3 convolution."),
            number("growth_rate", "Growth rate", 32, 1, 1024, "Channels that each layer adds."),
        ),
    ),
    BlockEntry(
        id="fire",
        title="Fire module",
        kind="fire",
        idea="Squeezes to a few channels by 1×1, then expands with 1×1 and 3×3 kernels side by side.",
        paper="Iandola et al. 2016, SqueezeNet, figure 1",
        name="fire1",
        make=_fire,
        parameters=(
            number("squeeze", "Squeeze", 16, 1, _MOST_CHANNELS, "Channels of the 1×1 convolution that comes first."),
            number("expand", "Expand", 64, 1, _MOST_CHANNELS, "Channels of each of the two behind it."),
        ),
    ),
    BlockEntry(
        id="inverted-residual",
        title="Inverted residual",
        kind="inverted residual",
        idea="Wide and cheap in the middle, where each channel is filtered on its own; narrow where the shortcut runs.",
        paper="Sandler et al. 2018, MobileNetV2: inverted residuals and linear bottlenecks, figure 4(d)",
        name="inverted1",
        make=_inverted,
        parameters=(
            _channels("channels", "Channels", _AS_MANY),
            number("expansion", "Expansion", 6, 1, 64, "So many times the channels that arrive, in the middle."),
            _STRIDE,
        ),
    ),
    BlockEntry(
        id="squeeze-excitation",
        title="Squeeze-and-excitation",
        kind="squeeze-and-excitation",
        idea="Weighs each channel by what the averages of all channels say; sizes stay.",
        paper="Hu, Shen and Sun 2017, Squeeze-and-excitation networks, section 3",
        name="se1",
        make=_squeeze,
        parameters=(
            number("reduction", "Reduction", 16, 1, 1024, "So many times fewer channels between its two convolutions."),
        ),
    ),
    BlockEntry(
        id="conv-norm-relu",
        title="Convolution, batch norm, ReLU",
        kind=UNIT,
        idea="The unit of most networks since 2015: a convolution without bias, batch norm and ReLU.",
        paper="Ioffe and Szegedy 2015, Batch normalization",
        name="unit1",
        make=_unit,
        parameters=(
            _channels("channels", "Channels", _AS_MANY),
            one_of("kernel_size", "Kernel", 3, (1, 3, 5, 7, 11), "Height and width of the kernel, in pixels."),
            _STRIDE,
        ),
    ),
    BlockEntry(
        id="vgg-stage",
        title="VGG stage",
        kind="VGG stage",
        idea="3×3 convolutions one behind another, then a pooling that halves the size.",
        paper="Simonyan and Zisserman 2014, Very deep convolutional networks, table 1",
        name="stage1",
        make=_stage,
        parameters=(
            number("convolutions", "Convolutions", 2, 1, 16, "3×3 convolutions before the pooling."),
            _channels("channels", "Channels", "Channels that leave; 0: twice as many as arrive."),
            switch("batch_norm", "Batch norm", False, "Normalises behind every convolution."),
        ),
    ),
)
_BY_ID = {block.id: block for block in _BLOCKS}


def block_entries() -> tuple[BlockEntry, ...]:
    """All blocks, as the palette lists them."""
    return _BLOCKS


def block_entry(block_id: str) -> BlockEntry:
    """The block of that id.

    Raises:
        ValueError: unknown; the message lists near matches.
    """
    if block_id in _BY_ID:
        return _BY_ID[block_id]
    near = difflib.get_close_matches(block_id, _BY_ID, n=3, cutoff=0.5) or sorted(_BY_ID)
    raise ValueError(f"unknown block {block_id!r}; did you mean {' or '.join(near)}?")
