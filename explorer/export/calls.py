"""A layer's torch call as source text: only the arguments that torch would not choose itself."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from explorer.export.layout import Group, Text, call, chain, flat, row, wrapped
from explorer.export.signatures import NEEDED, Signature, signature_of
from explorer.layers import Layer, ModuleCall, OperatorCall, Shape

_NAMELESS = (
    *("in_channels", "out_channels", "in_features", "out_features"),
    *("num_features", "num_groups", "num_channels", "normalized_shape"),
)
"""The sizes that torch's layers take first, and that every reader knows."""
_PAIRS = frozenset(
    ["kernel_size", "stride", "padding", "dilation", "output_padding", "output_size", "size", "scale_factor"]
)
"""Arguments where one number stands for (height, width)."""
_OPERATORS = {"add": "+", "sub": "-", "mul": "*"}
_MOST = 60
"""Columns that an expression behind its variable's name may take, so that a line holds it."""


class Module(NamedTuple):
    """What constructs a layer's module."""

    text: Group
    own_class: str | None
    """The class of this program's own that the source must bring along."""


# The source is written anew at each edit, and then all layers but one are the same.
@lru_cache(maxsize=8192)
def constructor(layer: Layer, inputs: tuple[Shape, ...]) -> Module | OperatorCall:
    """What constructs the layer's module, `nn.Conv2d(1, 6, kernel_size=5)`; an operator's call as it is."""
    layer_call = layer.call(inputs)
    if not isinstance(layer_call, ModuleCall):
        return layer_call
    name = layer_call.name if layer_call.is_own else f"nn.{layer_call.name}"
    return Module(call(name, _arguments(layer_call)), layer_call.name if layer_call.is_own else None)


def _arguments(layer_call: ModuleCall) -> list[Text]:
    signature = signature_of(layer_call)
    given = layer_call.arguments
    written: list[Text] = []
    names_follow = False
    for name in (*(name for name in signature if name in given), *(name for name in given if name not in signature)):
        value = _shortest(name, given[name])
        if not _is_default(name, value, layer_call, signature):
            names_follow = names_follow or name not in _NAMELESS or name not in signature
            written.append(wrapped(_written(value), f"{name}=") if names_follow else _written(value))
    return written


def _shortest(name: str, value: object) -> object:
    if isinstance(value, tuple) and len(value) == 2 and name in _PAIRS and value[0] == value[1]:
        return value[0]
    if isinstance(value, tuple) and len(value) == 1 and name == "normalized_shape":
        return value[0]
    return value


def _is_default(name: str, value: object, layer_call: ModuleCall, signature: Signature) -> bool:
    default = signature.get(name, NEEDED)
    if name == "stride" and default is None:
        # A pooling's windows lie side by side unless told otherwise.
        return value is None or value == _shortest("kernel_size", layer_call.arguments.get("kernel_size"))
    return value == default and isinstance(value, bool) == isinstance(default, bool)


def operation(operator: OperatorCall, names: Sequence[str]) -> Text:
    """The expression of an operator on variables: `a + b`, `x.mean(dim=(2, 3))`."""
    given = operator.arguments
    x = names[0]
    match operator.name:
        case "add" | "sub" | "mul":
            return chain(_OPERATORS[operator.name], names)
        case "cat":
            return call("torch.cat", [row(names), f"dim={given['dim']}"])
        case "reshape":
            return call(f"{x}.reshape", [f"{x}.shape[0]", *_each(given["shape"])])
        case "permute":
            return call(f"{x}.permute", _each(given["dims"]))
        case "mean" | "sum":
            keepdim = ["keepdim=True"] if given["keepdim"] else []
            return call(f"{x}.{operator.name}", [wrapped(_one_or_row(given["dim"]), "dim="), *keepdim])
        case "slice":
            return _slice(x, given["dim"], given["start"], given["stop"], given["step"])
        case "pad":
            mode, value = given["mode"], given["value"]
            options = [] if mode == "constant" else [f"mode={flat(_written(mode))}"]
            options += [f"value={flat(_written(value))}"] if mode == "constant" and value else []
            return call("F.pad", [x, _written(given["pad"]), *options])
        case "chunk":
            return f"{x}.chunk({given['chunks']}, dim={given['dim']})[{given['index']}]"
        case "split":
            return _split(x, given["split_size_or_sections"], given["dim"], given["index"])
    raise AssertionError(f"no source for the operator {operator.name}")


def _each(values: object) -> list[str]:
    assert isinstance(values, tuple)
    return [str(value) for value in values]


def _one_or_row(values: object) -> Text:
    assert isinstance(values, tuple)
    return str(values[0]) if len(values) == 1 else _written(values)


def _slice(x: str, dim: object, start: object, stop: object, step: object) -> str:
    assert isinstance(dim, int)
    part = f"{start or ''}:{'' if stop is None else stop}" + ("" if step == 1 else f":{step}")
    return f"{x}[{':, ' * dim}{part}]"


def _split(x: str, sizes: object, dim: object, index: object) -> str:
    assert isinstance(index, int)
    listed = f"[{', '.join(_each(sizes))}]" if isinstance(sizes, tuple) else str(sizes)
    expression = f".split({listed}, dim={dim})[{index}]"
    if isinstance(sizes, tuple) and len(expression) > _MOST:
        # The same piece, where naming all sizes would not fit the line.
        return f"{x}.narrow({dim}, {sum(sizes[:index])}, {sizes[index]})"
    return x + expression


def _written(value: object) -> Text:
    """A value as Python, in black's form."""
    if isinstance(value, (tuple, list)):
        numbers = all(isinstance(item, (int, float)) for item in value)
        items = [_written(item) for item in value]
        return row(items, "()" if isinstance(value, tuple) else "[]", is_packed=numbers)
    if isinstance(value, str):
        plain = repr(value)
        return plain if '"' in plain else f'"{plain[1:-1]}"'
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)
