"""How a run is to be trained: one frozen value, and the description of its fields.

The window's form, the command line's options and the checks all read `CONFIG_FIELDS`, so a field's meaning, range and
default are said once, where `RunConfig` declares it. What is trained is the architecture, which lives elsewhere.
"""

import dataclasses
import difflib
import re
import reprlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeVar

import numpy as np

from explorer.runs.preprocessing import parse_normalization

ConfigValue = int | float | str
FieldKind = Literal["int", "float", "choice"]
_WHOLE = (int, np.integer)
_REAL = (int, float, np.integer, np.floating)
V = TypeVar("V", bound=ConfigValue)
T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigField:
    """One field of `RunConfig`, as forms, options and checks need it."""

    name: str
    kind: FieldKind
    default: ConfigValue
    minimum: float | None
    """Smallest value that fits, inclusive; None for a choice."""
    maximum: float | None
    """Largest value that fits, inclusive; None for a choice."""
    step: float | None
    """What a stepper adds; None for a choice."""
    choices: tuple[str, ...]
    """What a menu offers; empty for a number."""
    more_choices: str
    """The written form of what fits beside `choices`, with `N` for a whole number (`cuda:N`); empty for none."""
    read_more: Callable[[str], str] | None
    """Brings a value of that form to its one spelling, or raises ValueError; None where `choices` are all."""
    option: str
    """The command line's spelling, such as `--batch-size`."""
    help: str
    """Meaning and unit, for tooltips and `--help`."""

    @property
    def what_fits(self) -> str:
        """The second half of an error message: `a whole number from 1 to 65536`."""
        if self.kind == "choice":
            return " or ".join((*self.choices, self.more_choices) if self.more_choices else self.choices)
        kind = "whole number" if self.kind == "int" else "number"
        return f"a {kind} from {_written(self.minimum)} to {_written(self.maximum)}"

    def check(self, value: object) -> ConfigValue:
        """The value in its plain form: `int`, `float` or `str`.

        Raises:
            ValueError: of the wrong type or out of range; says which field, what was received and what would fit.
        """
        if self.kind == "choice":
            if isinstance(value, str) and value in self.choices:
                return value
            if isinstance(value, str) and self.read_more is not None:
                with suppress(ValueError):
                    return self.read_more(value)
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
        if self.kind == "choice":
            return self.check(text.strip())
        try:
            number = int(text) if self.kind == "int" else float(text)
        except ValueError:
            return self.check(text)
        return self.check(number)


def _written(bound: float | None) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


# The three declare a field of `RunConfig`; dataclasses replaces what they return by the default, hence the types.


def _whole(default: int, minimum: int, maximum: int, step: int, option: str, help: str) -> int:
    return _described("int", default, minimum=minimum, maximum=maximum, step=step, option=option, help=help)


def _real(default: float, minimum: float, maximum: float, step: float, option: str, help: str) -> float:
    return _described("float", default, minimum=minimum, maximum=maximum, step=step, option=option, help=help)


def _choice(
    default: T,
    choices: tuple[T, ...],
    option: str,
    help: str,
    more_choices: str = "",
    read_more: Callable[[str], str] | None = None,
) -> T:
    more = {"more_choices": more_choices, "read_more": read_more}
    return _described("choice", default, choices=choices, option=option, help=help, **more)


def _described(kind: FieldKind, default: V, **more: object) -> V:
    blank = {"minimum": None, "maximum": None, "step": None, "choices": (), "more_choices": "", "read_more": None}
    return dataclasses.field(default=default, metadata={"kind": kind, "default": default, **blank, **more})


def _one_gpu(text: str) -> str:
    if re.fullmatch("cuda:(0|[1-9][0-9]{0,3})", text) is None:
        raise ValueError(f"{text!r} is no device")
    return text


def _own_normalization(text: str) -> str:
    return parse_normalization(text).written


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """How to train: data, optimizer, length, seed and device. `CONFIG_FIELDS` describes each field.

    Raises:
        ValueError: a value does not fit its field; the message names the field, what was received and what would fit.
    """

    data: str = _choice("digits", ("digits",), "--data", "Data set: digits is the 5,000 MNIST images that come along.")
    normalization: str = _choice(
        "auto",
        ("auto", "data", "imagenet"),
        "--normalization",
        "What is subtracted from each channel of the images, and divided by. auto takes what the weights that the run "
        "starts from were trained with, where that is known, else the data set's own mean and standard deviation; data "
        "always takes the data set's own; imagenet is 0.485,0.456,0.406/0.229,0.224,0.225.",
        more_choices="MEAN,…/STD,…",
        read_more=_own_normalization,
    )
    epochs: int = _whole(10, 1, 100_000, 1, "--epochs", "How many times the run goes through the training images.")
    batch_size: int = _whole(64, 1, 65_536, 16, "--batch-size", "Images in one optimizer step.")
    optimizer: Literal["sgd", "adam"] = _choice(
        "sgd", ("sgd", "adam"), "--optimizer", "Rule that turns gradients into updates: torch's SGD or Adam."
    )
    learning_rate: float = _real(
        0.02,
        1e-8,
        100.0,
        0.01,
        "--lr",
        "Factor on each update; can be changed while running. About 0.02 suits SGD with momentum, 0.001 Adam.",
    )
    momentum: float = _real(
        0.9, 0.0, 0.9999, 0.05, "--momentum", "Share of the last update that SGD carries on; Adam does not use it."
    )
    weight_decay: float = _real(
        0.0,
        0.0,
        1.0,
        0.0001,
        "--weight-decay",
        "Factor of the L2 penalty: this share of each weight joins its gradient.",
    )
    seed: int = _whole(
        0, 0, 2**31 - 1, 1, "--seed", "Start of the random numbers: equal seeds give equal weights and image order."
    )
    device: str = _choice(
        "auto",
        ("auto", "cpu", "cuda", "mps"),
        "--device",
        "Where it trains: auto takes CUDA where there is one, else MPS, else the CPU; cuda:1 is the second GPU.",
        more_choices="cuda:N",
        read_more=_one_gpu,
    )

    def __post_init__(self) -> None:
        for field in CONFIG_FIELDS:
            object.__setattr__(self, field.name, field.check(getattr(self, field.name)))

    def to_plain(self) -> dict[str, ConfigValue]:
        """All fields by name, ready for JSON."""
        return {field.name: getattr(self, field.name) for field in CONFIG_FIELDS}

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> Self:
        """The configuration in a mapping, such as a JSON object; absent fields take their defaults.

        Raises:
            ValueError: not a mapping, an unknown field (with near matches), or a value that does not fit.
        """
        if not isinstance(plain, Mapping):
            raise ValueError(f"run configuration: received {reprlib.repr(plain)}; use an object of named fields")
        known = [field.name for field in CONFIG_FIELDS]
        for name in plain:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5) or sorted(known)
                raise ValueError(f"run configuration: unknown field {name!r}; did you mean {' or '.join(near)}?")
        values: dict[str, Any] = dict(plain)
        return cls(**values)


CONFIG_FIELDS: tuple[ConfigField, ...] = tuple(
    ConfigField(name=field.name, **field.metadata) for field in dataclasses.fields(RunConfig)
)
"""Every field of `RunConfig`, in the order in which a form shows them."""


def config_field(name: str) -> ConfigField:
    """The description of one field of `RunConfig`, by its name."""
    return next(field for field in CONFIG_FIELDS if field.name == name)
