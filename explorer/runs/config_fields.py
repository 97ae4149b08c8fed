"""What a field of `RunConfig` is: its kind and range, its group, when it means anything, and how it is declared.

Which fields there are is `config`. Forms, the command line's options and the checks all read `ConfigField`.
"""

import dataclasses
import reprlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import numpy as np

if TYPE_CHECKING:
    from explorer.runs.config import RunConfig

ConfigValue = int | float | str
"""A flag's bool is an int."""
FieldKind = Literal["int", "float", "choice", "flag", "text"]
Group = Literal["essentials", "schedule", "optimizer", "regularisation", "augmentation", "start", "processes", "end"]
GROUPS: tuple[Group, ...] = get_args(Group)
"""The parts of a form and of `--help`, in order."""
GROUP_TITLES: dict[Group, str] = {
    "essentials": "Essentials",
    "schedule": "Schedule",
    "optimizer": "Optimizer",
    "regularisation": "Regularisation",
    "augmentation": "Augmentation",
    "start": "Preparation",
    "processes": "Several processes",
    "end": "Ending",
}
_WHOLE = (int, np.integer)
_REAL = (int, float, np.integer, np.floating)
_FLAGS = {"on": True, "yes": True, "true": True, "1": True, "off": False, "no": False, "false": False, "0": False}
V = TypeVar("V", bound=ConfigValue)
T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True)
class Condition:
    """When a field means anything."""

    holds: Callable[["RunConfig"], bool]
    why_not: str
    """A sentence for where it does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigField:
    """One field of `RunConfig`, as forms, options and checks need it."""

    name: str
    title: str
    """What a form calls it."""
    kind: FieldKind
    group: Group
    default: ConfigValue
    minimum: float | None
    """Smallest value that fits, inclusive; None for what is no number."""
    maximum: float | None
    """Largest value that fits, inclusive; None for what is no number."""
    step: float | None
    """What a stepper adds; None for what is no number."""
    choices: tuple[str, ...]
    """What a menu offers; empty for what is no choice."""
    more_choices: str
    """The written form of what fits beside `choices`, with `N` for a whole number (`cuda:N`); empty for none."""
    read_more: Callable[[str], str] | None
    """Brings a value of that form to its one spelling, or raises ValueError; None where `choices` are all."""
    condition: Condition | None
    """When it means anything; None for always."""
    option: str
    """The command line's spelling, such as `--batch-size`."""
    help: str
    """Meaning and unit, for tooltips and `--help`."""

    @property
    def what_fits(self) -> str:
        """The second half of an error message: `a whole number from 1 to 65536`."""
        if self.kind == "choice":
            return " or ".join((*self.choices, self.more_choices) if self.more_choices else self.choices)
        if self.kind == "text":
            return self.more_choices
        if self.kind == "flag":
            return "on or off"
        kind = "whole number" if self.kind == "int" else "number"
        return f"a {kind} from {_written(self.minimum)} to {_written(self.maximum)}"

    def check(self, value: object) -> ConfigValue:
        """The value in its plain form: `int`, `float`, `bool` or `str`.

        Raises:
            ValueError: of the wrong type or out of range; says which field, what was received and what would fit.
        """
        if self.kind == "choice":
            if isinstance(value, str) and value in self.choices:
                return value
            if isinstance(value, str) and self.read_more is not None:
                with suppress(ValueError):
                    return self.read_more(value)
        elif self.kind == "text":
            if isinstance(value, str) and self.read_more is not None:
                try:
                    return self.read_more(value)
                except ValueError as error:
                    told = str(error)
                    raise ValueError(told if told.startswith(self.name) else f"{self.name}: {told}") from error
        elif self.kind == "flag":
            if isinstance(value, (bool, np.bool_)):
                return bool(value)
        elif not isinstance(value, bool) and self.minimum is not None and self.maximum is not None:
            # NaN and the infinities fail the comparison.
            if self.kind == "int" and isinstance(value, _WHOLE) and self.minimum <= value <= self.maximum:
                return int(value)
            if self.kind == "float" and isinstance(value, _REAL) and self.minimum <= value <= self.maximum:
                return float(value)
        raise ValueError(f"{self.name}: received {reprlib.repr(value)}; use {self.what_fits}")

    def parse(self, text: str) -> ConfigValue:
        """The value that a user typed.

        Raises:
            ValueError: as for `check`.
        """
        if self.kind in {"choice", "text"}:
            return self.check(text.strip())
        if self.kind == "flag":
            return self.check(_FLAGS.get(text.strip().lower(), text))
        try:
            number = int(text) if self.kind == "int" else float(text)
        except ValueError:
            return self.check(text)
        return self.check(number)

    def why_unused(self, config: "RunConfig") -> str:
        """Why the field means nothing beside the others of that configuration; empty where it does."""
        return "" if self.condition is None or self.condition.holds(config) else self.condition.why_not

    def written(self, value: ConfigValue) -> str:
        """A value of the field as `parse` reads it."""
        if self.kind == "flag":
            return "on" if value else "off"
        return f"{value:.6g}" if isinstance(value, float) else str(value)


def _written(bound: float | None) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


# These declare a field of `RunConfig`; dataclasses replaces what they return by the default, hence the types.


def whole(
    default: int,
    minimum: int,
    maximum: int,
    step: int,
    *,
    option: str,
    group: Group,
    help: str,
    title: str = "",
    condition: Condition | None = None,
) -> int:
    """Declare a whole number."""
    more = {"minimum": minimum, "maximum": maximum, "step": step, "title": title, "condition": condition}
    return _described("int", default, option=option, group=group, help=help, **more)


def real(
    default: float,
    minimum: float,
    maximum: float,
    step: float,
    *,
    option: str,
    group: Group,
    help: str,
    title: str = "",
    condition: Condition | None = None,
) -> float:
    """Declare a number."""
    more = {"minimum": minimum, "maximum": maximum, "step": step, "title": title, "condition": condition}
    return _described("float", default, option=option, group=group, help=help, **more)


def flag(
    default: bool, *, option: str, group: Group, help: str, title: str = "", condition: Condition | None = None
) -> bool:
    """Declare a switch."""
    return _described("flag", default, option=option, group=group, help=help, title=title, condition=condition)


def choice(
    default: T,
    choices: tuple[T, ...],
    *,
    option: str,
    group: Group,
    help: str,
    title: str = "",
    condition: Condition | None = None,
    more_choices: str = "",
    read_more: Callable[[str], str] | None = None,
) -> T:
    """Declare one of a few words, with `read_more` also another text of a form of its own."""
    more = {"more_choices": more_choices, "read_more": read_more, "title": title, "condition": condition}
    return _described("choice", default, choices=choices, option=option, group=group, help=help, **more)


def text(
    default: str,
    *,
    option: str,
    group: Group,
    help: str,
    fits: str,
    read: Callable[[str], str],
    title: str = "",
    condition: Condition | None = None,
) -> str:
    """Declare a text of a form of its own.

    Args:
        fits: that form, as an error says it.
        read: brings a text to its one spelling, or raises ValueError with the whole reason.
    """
    more = {"more_choices": fits, "read_more": read, "title": title, "condition": condition}
    return _described("text", default, option=option, group=group, help=help, **more)


def _described(kind: FieldKind, default: V, **more: object) -> V:
    blank = {"minimum": None, "maximum": None, "step": None, "choices": (), "more_choices": "", "read_more": None}
    return dataclasses.field(default=default, metadata={"kind": kind, "default": default, **blank, **more})


def described_fields(config_type: type["RunConfig"]) -> tuple[ConfigField, ...]:
    """The description of every field, in the order of declaration."""
    return tuple(_field(field) for field in dataclasses.fields(config_type))


def _field(field: dataclasses.Field[object]) -> ConfigField:
    described = dict(field.metadata)
    described["title"] = described.get("title") or field.name.replace("_", " ").capitalize()
    return ConfigField(name=field.name, **described)
