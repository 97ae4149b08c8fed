"""Layer types: one class a layer, one file a family. A new type is one new class, imported here."""

from explorer.layers.activation import (
    ELU,
    GELU,
    SELU,
    Hardsigmoid,
    Hardswish,
    LeakyReLU,
    LogSoftmax,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    ScaledTanh,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from explorer.layers.adaptive import AdaptiveAvgPool2d, AdaptiveMaxPool2d
from explorer.layers.axes import Mean, Sum
from explorer.layers.convolution import Conv2d
from explorer.layers.hyper_parameter import HyperParameter, Kind, Padding, Pair, Sides
from explorer.layers.input import Input
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Fault,
    InsertBefore,
    Kept,
    Layer,
    ModuleCall,
    OperatorCall,
    Ratio,
    Remark,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
)
from explorer.layers.layer_norm import LayerNorm, LayerNorm2d, LayerScale, LocalResponseNorm
from explorer.layers.lenet import PartialConv2d, RadialBasis, Subsampling
from explorer.layers.linear import Flatten, Linear
from explorer.layers.merge import Add, Concat, Mul, Sub
from explorer.layers.normalization import BatchNorm1d, BatchNorm2d, GroupNorm, InstanceNorm2d
from explorer.layers.opaque import Measurement, Opaque
from explorer.layers.pad import Pad
from explorer.layers.pieces import Chunk, Slice, Split
from explorer.layers.pooling import AvgPool2d, LPPool2d, MaxPool2d
from explorer.layers.registry import layer_type, layer_types
from explorer.layers.regularization import Dropout, Dropout2d, StochasticDepth
from explorer.layers.reshape import ChannelShuffle, Identity, Permute, PixelShuffle, Reshape
from explorer.layers.transposed import ConvTranspose2d
from explorer.layers.upsample import Upsample

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool2d",
    "Add",
    "Arithmetic",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Call",
    "Category",
    "ChannelShuffle",
    "Chunk",
    "Concat",
    "Conv2d",
    "ConvTranspose2d",
    "Dropout",
    "Dropout2d",
    "Fault",
    "Flatten",
    "GroupNorm",
    "Hardsigmoid",
    "Hardswish",
    "HyperParameter",
    "Identity",
    "Input",
    "InsertBefore",
    "InstanceNorm2d",
    "Kept",
    "Kind",
    "LPPool2d",
    "Layer",
    "LayerNorm",
    "LayerNorm2d",
    "LayerScale",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LogSoftmax",
    "MaxPool2d",
    "Mean",
    "Measurement",
    "Mish",
    "ModuleCall",
    "Mul",
    "Opaque",
    "OperatorCall",
    "PReLU",
    "Pad",
    "Padding",
    "Pair",
    "PartialConv2d",
    "Permute",
    "PixelShuffle",
    "RadialBasis",
    "Ratio",
    "ReLU",
    "ReLU6",
    "Remark",
    "Reshape",
    "ScaledTanh",
    "SetValue",
    "Shape",
    "SiLU",
    "Sides",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Split",
    "StochasticDepth",
    "Sub",
    "Subsampling",
    "Suggestion",
    "Sum",
    "Tanh",
    "Upsample",
    "Window",
    "format_shape",
    "layer_type",
    "layer_types",
]
