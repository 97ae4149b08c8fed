"""The steppers' arithmetic: which hyper-parameters stand on a node, how they read, their value some steps on. No Qt."""

from explorer.layers import HyperParameter, Kind, Layer

_LABELS = {
    "out_channels": "out",
    "out_features": "out",
    "output_size": "out",
    "kernel_size": "k",
    "stride": "s",
    "padding": "p",
    "dilation": "d",
    "groups": "g",
}

SHORT_WHEN_EQUAL = frozenset({"stride", "padding", "dilation"})
"""Pairs that read as one number where both axes agree: "s 2"; a kernel is always "5×5"."""


def on_node(layer_type: type[Layer]) -> tuple[HyperParameter, ...]:
    """The hyper-parameters that a card shows, in declaration order."""
    return tuple(parameter for parameter in layer_type.hyper_parameters if parameter.on_node)


def label(name: str) -> str:
    """The letter or short word that stands for a hyper-parameter, as in the papers' figures."""
    return _LABELS.get(name, name)


def text(name: str, value: object) -> str:
    """A value as the card shows it: "5×5", "2"."""
    if not isinstance(value, tuple):
        return str(value)
    if name in SHORT_WHEN_EQUAL and len(set(value)) == 1:
        return str(value[0])
    return "×".join(str(v) for v in value)


def written(value: object) -> str:
    """A value as the Undo menu shows it: "7", "7×5"."""
    if isinstance(value, tuple):
        return str(value[0]) if len(set(value)) == 1 else "×".join(str(v) for v in value)
    return str(value)


def stepped(layer: Layer, name: str, count: int) -> Layer:
    """The layer with a hyper-parameter `count` steps on, clamped to its range; the same layer where it cannot move.

    Both axes of a pair move together and keep their difference.
    """
    parameter = next(p for p in layer.hyper_parameters if p.name == name)
    value = getattr(layer, name)
    if value is None or parameter.kind is Kind.FLAG:
        return layer
    axes = value if isinstance(value, tuple) else (value,)
    change = count * parameter.step
    if parameter.minimum is not None:
        change = max(change, parameter.minimum - min(axes))
    if parameter.maximum is not None:
        change = min(change, parameter.maximum - max(axes))
    if not change:
        return layer
    moved = tuple(a + change for a in axes)
    if parameter.kind is Kind.REAL:
        return layer.with_value(name, round(moved[0], 10))
    whole = tuple(int(a) for a in moved)
    return layer.with_value(name, whole if isinstance(value, tuple) else whole[0])
