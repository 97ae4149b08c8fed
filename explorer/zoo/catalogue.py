"""The one dict of networks that the gallery and the command line offer, by id, with their families' parameters."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from explorer.architecture import Architecture

Value = bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyParameter:
    """Something of a family that can be chosen before a network is opened: its depth, its classes."""

    name: str
    """The keyword of `Entry.build`."""
    title: str
    """What a form calls it."""
    default: Value
    """The catalogue's own choice; its type is the parameter's."""
    help: str
    options: tuple[Value, ...] = ()
    """What there is to choose from; empty where a range or yes and no say so."""
    minimum: int | float | None = None
    maximum: int | float | None = None

    def check(self, value: Value) -> Value:
        """The value, if it may be chosen.

        Raises:
            ValueError: says what was received and what would fit.
        """
        right_type = isinstance(value, type(self.default)) and isinstance(value, bool) == isinstance(self.default, bool)
        if isinstance(self.default, float) and isinstance(value, int) and not isinstance(value, bool):
            right_type, value = True, float(value)
        if right_type and (value in self.options if self.options else self._in_range(value)):
            return value
        raise ValueError(f"{self.name} received {value!r}; use {self.range_text()}")

    def range_text(self) -> str:
        """What may be chosen, in words."""
        if isinstance(self.default, bool):
            return "true or false"
        if self.options:
            return " or ".join(str(option) for option in self.options)
        what = "a number" if isinstance(self.default, float) else "a whole number"
        return f"{what} from {self.minimum} to {self.maximum}"

    def _in_range(self, value: Value) -> bool:
        if isinstance(value, (bool, str)):
            return True
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


def classes(default: int) -> FamilyParameter:
    """How many classes the network tells apart."""
    return FamilyParameter(
        name="classes",
        title="Classes",
        default=default,
        minimum=1,
        maximum=100_000,
        help="Scores that leave the network: one a class.",
    )


def number(name: str, title: str, default: float, minimum: float, maximum: float, help: str) -> FamilyParameter:
    """A number in a range; whole where the default is."""
    return FamilyParameter(name=name, title=title, default=default, minimum=minimum, maximum=maximum, help=help)


def switch(name: str, title: str, default: bool, help: str) -> FamilyParameter:
    """Yes or no."""
    return FamilyParameter(name=name, title=title, default=default, help=help)


def one_of(name: str, title: str, default: Value, options: tuple[Value, ...], help: str) -> FamilyParameter:
    """One of a few values."""
    return FamilyParameter(name=name, title=title, default=default, options=options, help=help)


class Pretrained(NamedTuple):
    """Weights that torchvision ships, and how images are prepared for them (its `Weights.transforms` and `meta`)."""

    model: str
    """torchvision's name of the network, a function of `torchvision.models`."""
    weights: str
    """Which of its weights, a member of the network's `Weights` enumeration."""
    top1: float
    """Accuracy on the ImageNet-1K validation set, one crop, in percent, as torchvision publishes it."""
    resize: int
    """The shorter side that an image is brought to, in pixels."""
    crop: int
    """The side of the square that is cut from its middle, in pixels."""
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Subtracted from each colour, of 0 to 1."""
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """Each colour is then divided by it."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Parts of names in torchvision's file, and what they are called here."""
    untrained: tuple[str, ...] = ()
    """Blocks that torchvision's file has weights for which nobody trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A network of the catalogue."""

    id: str
    title: str
    family: str
    year: int
    """When the paper came out whose idea is the newest in it; as a preprint, where there was one."""
    idea: str
    """One sentence on the idea that it brought, or what sets this form apart."""
    paper: str
    """Authors, year and title, or the document that has this form."""
    make: Callable[..., Architecture]
    """The family's function, which takes the parameters' values by name; `build` fills in what is not given."""
    recipes: tuple[str, ...] = ()
    """Names of the shipped recipes that are made for it, the first to try first; what they say is `runs.recipe`."""
    parameters: tuple[FamilyParameter, ...] = ()
    pretrained: Pretrained | None = None

    @property
    def has_pretrained(self) -> bool:
        """Whether torchvision ships trained weights for it."""
        return self.pretrained is not None

    def build(self, **values: Value) -> Architecture:
        """The network, with other values for some of its family's parameters.

        Raises:
            ValueError: no such parameter, or a value out of its range.
        """
        return self.make(**chosen_values(self.id, self.parameters, values))


def chosen_values(owner: str, parameters: Iterable[FamilyParameter], values: Mapping[str, Value]) -> dict[str, Value]:
    """A value for each parameter, the default where none is given.

    Raises:
        ValueError: no such parameter, or a value out of its range.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in values:
        if name not in known:
            raise ValueError(f"{owner} has no parameter {name!r}; it has {', '.join(known) or 'none'}")
    return {name: parameter.check(values.get(name, parameter.default)) for name, parameter in known.items()}


_ENTRIES: dict[str, Entry] = {}


def register(entry: Entry) -> None:
    """List a network.

    Raises:
        ValueError: the id is taken.
    """
    if entry.id in _ENTRIES:
        raise ValueError(f"network {entry.id!r} is registered twice")
    _ENTRIES[entry.id] = entry


def entry(network_id: str) -> Entry:
    """The network of that id.

    Raises:
        ValueError: unknown; the message lists near matches.
    """
    try:
        return _ENTRIES[network_id]
    except KeyError:
        near = difflib.get_close_matches(network_id, _ENTRIES, n=3, cutoff=0.5) or sorted(_ENTRIES)
        raise ValueError(f"unknown network {network_id!r}; did you mean {' or '.join(near)}?") from None


def entries() -> tuple[Entry, ...]:
    """All networks, by year; a family's in the order of its file."""
    return tuple(sorted(_ENTRIES.values(), key=lambda entry: entry.year))
