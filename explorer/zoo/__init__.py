"""The catalogue of networks, one file a family. A new family is one file of builders, imported here."""

from explorer.zoo import (
    alexnet,
    convnext,
    densenet,
    efficientnet,
    googlenet,
    inception,
    lenet,
    mobilenet,
    nin,
    resnet,
    resnet_cifar,
    shufflenet,
    squeezenet,
    vgg,
    zfnet,
)
from explorer.zoo.catalogue import Entry, FamilyParameter, Pretrained, Value, entries, entry

__all__ = [
    "Entry",
    "FamilyParameter",
    "Pretrained",
    "Value",
    "alexnet",
    "convnext",
    "densenet",
    "efficientnet",
    "entries",
    "entry",
    "googlenet",
    "inception",
    "lenet",
    "mobilenet",
    "nin",
    "resnet",
    "resnet_cifar",
    "shufflenet",
    "squeezenet",
    "vgg",
    "zfnet",
]
