"""The steppers: which hyper-parameters stand on a node, how they read there, the layer some steps on. No Qt.

What a value reads and what comes after it is `look.values`' to say.
"""

from explorer.layers import Category, HyperParameter, Kind, Layer
from explorer.look import values

_LABELS = {
    "out_channels": "out",
    "out_features": "out",
    "output_size": "out",
    "kernel_size": "k",
    "stride": "s",
    "padding": "p",
    "output_padding": "op",
    "dilation": "d",
    "groups": "g",
    "num_groups": "g",
    "upscale_factor": "×",
}

_ALWAYS_BOTH = frozenset({"kernel_size", "output_size"})
"""Pairs that read as two numbers even where they agree: a kernel is always "5×5"."""


def on_node(layer_type: type[Layer]) -> tuple[HyperParameter, ...]:
    """The hyper-parameters that a card shows, in declaration order."""
    return tuple(parameter for parameter in layer_type.hyper_parameters if parameter.on_node)


def label(name: str) -> str:
    """The letter or short word that stands for a hyper-parameter, as in the papers' figures."""
    return _LABELS.get(name, name)


def is_short(name: str) -> bool:
    """Whether a pair reads as one number where both axes agree: "s 2"."""
    return name not in _ALWAYS_BOTH


def text(layer: Layer, name: str) -> str:
    """A value as the card shows it: "5×5", "2", "same"."""
    return values.short(_parameter(layer, name).kind, getattr(layer, name), as_one=is_short(name))


def written(layer: Layer, name: str) -> str:
    """A value in full, as the Undo menu and the tooltip show it: "7", "5×5", "top 0, bottom 1, left 0, right 1"."""
    return values.written(_parameter(layer, name).kind, getattr(layer, name))


def summary(layer: Layer) -> str:
    """What else sets this layer apart, in a few characters: values that differ from their defaults and have no stepper.

    "groups 32", "p 0.5", "1 2 0"; what follows the input says nothing new, and neither do flags at rest.
    """
    told: list[str] = []
    if layer.category is Category.INPUT:
        return ""  # its shape says it all
    for parameter in layer.hyper_parameters:
        value = getattr(layer, parameter.name)
        if parameter.on_node or value is None or (value == parameter.default and parameter.name not in _TELLING):
            continue
        if parameter.kind is Kind.FLAG:
            told.append(parameter.name if value else f"no {parameter.name}")
        elif parameter.kind is Kind.TEXT or (parameter.required and parameter.kind is Kind.INTEGERS):
            told.append(values.short(parameter.kind, value))
        else:
            name = parameter.name
            told.append(f"{_TELLING.get(name, name)} {values.short(parameter.kind, value, as_one=is_short(name))}")
    return "  ".join(told)


_TELLING = {
    "p": "p",
    "negative_slope": "slope",
    "init_value": "from",
    "scale_height": "height ×",
    "scale_width": "width ×",
}
"""Values that are the whole point of their layer, and so are told at their defaults too; and how they are called."""


def stepped(layer: Layer, name: str, count: int) -> Layer:
    """The layer with a hyper-parameter `count` steps on, kept in its range; the same layer where it cannot move."""
    parameter, value = _parameter(layer, name), getattr(layer, name)
    after = values.moved(parameter, value, count, layer)
    if after == value:
        return layer
    try:
        return layer.with_value(name, after)
    except ValueError:
        # Values that a layer refuses only together with its others.
        return layer


def _parameter(layer: Layer, name: str) -> HyperParameter:
    return next(p for p in layer.hyper_parameters if p.name == name)
