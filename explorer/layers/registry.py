"""The one dict of layer types, by name: what menus list and files may name."""

import dataclasses
import difflib
from typing import TypeVar

from explorer.layers.hyper_parameter import HyperParameter
from explorer.layers.layer import Category, Layer

L = TypeVar("L", bound=type[Layer])

_LAYERS: dict[str, type[Layer]] = {}


def register(cls: L) -> L:
    """Class decorator, above `@dataclass`: lists the type and reads its hyper-parameters from its fields.

    Raises:
        ValueError: the name is taken.
    """
    if cls.__name__ in _LAYERS:
        raise ValueError(f"layer {cls.__name__!r} is registered twice")
    cls.hyper_parameters = tuple(
        HyperParameter(
            name=field.name,
            default=None if field.default is dataclasses.MISSING else field.default,
            **field.metadata,
        )
        for field in dataclasses.fields(cls)
        if field.metadata  # the others are not the user's: what was measured
    )
    _LAYERS[cls.__name__] = cls
    return cls


def layer_type(name: str) -> type[Layer]:
    """The layer class of that name.

    Raises:
        ValueError: unknown; the message lists near matches.
    """
    try:
        return _LAYERS[name]
    except KeyError:
        near = difflib.get_close_matches(name, _LAYERS, n=3, cutoff=0.5) or sorted(_LAYERS)
        raise ValueError(f"unknown layer {name!r}; did you mean {' or '.join(near)}?") from None


def layer_types() -> tuple[type[Layer], ...]:
    """All layer types as menus list them: by category and `menu_place`, each family in its file's order."""
    order = list(Category)
    return tuple(sorted(_LAYERS.values(), key=lambda cls: (order.index(cls.category), cls.menu_place)))
