"""What the constructors of torch's modules and of this program's own take: their arguments in order, with defaults.

Torch is slow to load and the source is written at each edit, so its signatures stand here; a test holds them against
torch. The own modules' are read from their source, which is also where exported source takes their text from.
"""

import ast
import importlib.resources
import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from explorer.layers import ModuleCall

# Without what no layer here gives: inplace, return_indices, device, dtype and the like.
_TORCH = """
AdaptiveAvgPool2d(output_size)
AdaptiveMaxPool2d(output_size)
AvgPool2d(kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None)
BatchNorm1d(num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
BatchNorm2d(num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
ChannelShuffle(groups)
Conv2d(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
       padding_mode="zeros")
ConvTranspose2d(in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True,
                dilation=1, padding_mode="zeros")
Dropout(p=0.5)
Dropout2d(p=0.5)
ELU(alpha=1.0)
Flatten(start_dim=1, end_dim=-1)
GELU(approximate="none")
GroupNorm(num_groups, num_channels, eps=1e-05, affine=True)
Hardsigmoid()
Hardswish()
Identity()
InstanceNorm2d(num_features, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False)
LPPool2d(norm_type, kernel_size, stride=None, ceil_mode=False)
LayerNorm(normalized_shape, eps=1e-05, elementwise_affine=True, bias=True)
LeakyReLU(negative_slope=0.01)
Linear(in_features, out_features, bias=True)
LocalResponseNorm(size, alpha=0.0001, beta=0.75, k=1.0)
LogSoftmax(dim=None)
MaxPool2d(kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False)
Mish()
PReLU(num_parameters=1, init=0.25)
PixelShuffle(upscale_factor)
PixelUnshuffle(downscale_factor)
ReLU()
ReLU6()
SELU()
SiLU()
Sigmoid()
Softmax(dim=None)
Tanh()
Upsample(size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None)
"""

NEEDED = object()
"""Stands where an argument has no default."""

Signature = Mapping[str, object]
"""Each argument's default, in order."""


class OwnModule(NamedTuple):
    """A class of `explorer.runtime.own_modules`, as text."""

    text: str
    """The class, word for word."""
    signature: Signature
    uses_functional: bool
    """Whether it needs `F`, torch.nn.functional."""


def signature_of(call: ModuleCall) -> Signature:
    """What the module's constructor takes; nothing where torch's module is not known here."""
    if call.is_own:
        return own_modules()[call.name].signature
    return torch_signatures().get(call.name, {})


@cache
def torch_signatures() -> Mapping[str, Signature]:
    """By class."""
    found = {}
    for function in ast.parse(re.sub(r"^(\w.*(?:\n .*)*)", r"def \1: pass", _TORCH, flags=re.MULTILINE)).body:
        assert isinstance(function, ast.FunctionDef)
        found[function.name] = _signature(function.args)
    return found


@cache
def own_modules() -> Mapping[str, OwnModule]:
    """By class, in the order of their file, which is read as text: importing it would load torch."""
    source = importlib.resources.files("explorer").joinpath("runtime", "own_modules.py").read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            text = ast.get_source_segment(source, node)
            assert text is not None
            names = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            found[node.name] = OwnModule(f"{text}\n", _own_signature(node), "F" in names)
    return found


def _own_signature(node: ast.ClassDef) -> Signature:
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            signature = dict(_signature(statement.args))
            del signature["self"]
            return signature
    (base,) = node.bases
    assert isinstance(base, ast.Attribute), "a class without a constructor has its base's"
    return torch_signatures()[base.attr]


def _signature(arguments: ast.arguments) -> Signature:
    names = [argument.arg for argument in arguments.args]
    defaults: list[ast.expr | None] = [None] * (len(names) - len(arguments.defaults))
    defaults += [*arguments.defaults, *arguments.kw_defaults]
    names += [argument.arg for argument in arguments.kwonlyargs]
    return {name: NEEDED if value is None else _value(value) for name, value in zip(names, defaults, strict=True)}


def _value(expression: ast.expr) -> object:
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Div):
        numerator, denominator = ast.literal_eval(expression.left), ast.literal_eval(expression.right)
        return float(numerator / denominator)
    return ast.literal_eval(expression)
