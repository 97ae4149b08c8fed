"""Layer types: one class a layer, one file a family. A new type is one new class, imported here."""

from explorer.layers.activation import ReLU, Sigmoid, Softmax, Tanh
from explorer.layers.convolution import Conv2d
from explorer.layers.input import Input
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Fault,
    HyperParameter,
    InsertBefore,
    Kind,
    Layer,
    ModuleCall,
    OperatorCall,
    Pair,
    SetValue,
    Shape,
    Suggestion,
    Window,
    format_shape,
)
from explorer.layers.linear import Flatten, Linear
from explorer.layers.merge import Add, Concat
from explorer.layers.normalization import BatchNorm2d
from explorer.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, MaxPool2d
from explorer.layers.registry import layer_type, layer_types
from explorer.layers.regularization import Dropout

__all__ = [
    "AdaptiveAvgPool2d",
    "Add",
    "Arithmetic",
    "AvgPool2d",
    "BatchNorm2d",
    "Call",
    "Category",
    "Concat",
    "Conv2d",
    "Dropout",
    "Fault",
    "Flatten",
    "HyperParameter",
    "Input",
    "InsertBefore",
    "Kind",
    "Layer",
    "Linear",
    "MaxPool2d",
    "ModuleCall",
    "OperatorCall",
    "Pair",
    "ReLU",
    "SetValue",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Suggestion",
    "Tanh",
    "Window",
    "format_shape",
    "layer_type",
    "layer_types",
]
