"""`Opaque`: any class of `torch.nn` that no layer here describes, known by what torch itself said of it.

Its measurements are part of the value, so that a file shows all numbers before torch is there, and writes them back
whole. `runtime.measure` makes them; here nothing of torch is needed or run.
"""

import ast
import keyword
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

from explorer.layers.hyper_parameter import LARGEST, text
from explorer.layers.layer import (
    Arithmetic,
    Call,
    Category,
    Fault,
    Kept,
    Layer,
    ModuleCall,
    Remark,
    Shape,
    Window,
    format_shape,
    whole,
)
from explorer.layers.registry import register

_LONGEST = 1_000  # characters of arguments; a constructor's call is read at a glance
_NOT_THE_LAYERS = frozenset({"device", "dtype"})
_MOST_MEASUREMENTS = 16  # the sizes that were last tried


class Measurement(NamedTuple):
    """What torch said of a module for inputs of one shape; counts are of one image."""

    inputs: tuple[Shape, ...]
    output: Shape | None = None
    """None if torch refuses these inputs, or the module has no one output that a layer could read."""
    reason: str = ""
    """Why, in words, where there is no output."""
    num_parameters: int = 0
    num_buffers: int = 0
    macs: int = 0
    kept: Kept = Kept()
    is_view: bool = False
    needs_several_images: bool = False

    def to_plain(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {
            **self._asdict(),
            "inputs": [list(shape) for shape in self.inputs],
            "output": None if self.output is None else list(self.output),
            "kept": {**self.kept._asdict(), "inputs": list(self.kept.inputs)},
        }

    @classmethod
    def from_plain(cls, data: object, where: str) -> "Measurement":
        """From what `to_plain` returned.

        Raises:
            ValueError: says which part of it is not what it must be.
        """
        known = _mapping(data, cls._fields, where)
        kept = _mapping(known.get("kept", {}), Kept._fields, f"{where}.kept")
        arriving = known.get("inputs")
        if not isinstance(arriving, (list, tuple)) or not arriving:
            raise ValueError(f"{where}.inputs received {arriving!r}; use a list of shapes")
        output, reason = known.get("output"), known.get("reason", "")
        if not isinstance(reason, str):
            raise ValueError(f"{where}.reason received {reason!r}; use text")
        return cls(
            inputs=tuple(_numbers(shape, f"{where}.inputs") for shape in arriving),
            output=None if output is None else _numbers(output, f"{where}.output"),
            reason=reason,
            **{name: _count(known, name, where) for name in ("num_parameters", "num_buffers", "macs")},
            kept=Kept(
                inputs=_numbers(kept.get("inputs", ()), f"{where}.kept.inputs", least=0),
                output=_flag(kept, "output", f"{where}.kept"),
                **{name: _count(kept, name, f"{where}.kept") for name in ("values", "num_bytes", "batch_bytes")},
            ),
            is_view=_flag(known, "is_view", where),
            needs_several_images=_flag(known, "needs_several_images", where),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque(Layer):
    """`torch.nn.<module>(<arguments>)`, as torch measured it for the shape that arrives."""

    category: ClassVar[Category] = Category.OTHER
    summary: ClassVar[str] = "Any other class of torch.nn, by its name; torch itself measures it."
    keywords: ClassVar[str] = "custom other torch module unknown"
    menu_place: ClassVar[int] = 2

    module: str = text(help="Name of a class of torch.nn, like GLU.")
    arguments: str = text("", help="Its arguments by name, like dim=1, bias=False.")
    measured: tuple[Measurement, ...] = ()
    """What torch said, by the shapes that arrive; the latest last."""

    def __post_init__(self) -> None:
        Layer.__post_init__(self)
        if not self.module.isidentifier() or keyword.iskeyword(self.module) or self.module.startswith("_"):
            raise ValueError(f"Opaque: module received {self.module!r}; use the name of a class of torch.nn, like GLU")
        parsed_arguments(self.arguments)
        received: object = self.measured
        if not isinstance(received, (list, tuple)):
            raise ValueError(f"Opaque: measured received {received!r}; use a list of measurements")
        measured = tuple(
            item if isinstance(item, Measurement) else Measurement.from_plain(item, f"Opaque: measured[{i}]")
            for i, item in enumerate(received)
        )
        object.__setattr__(self, "measured", measured)

    @classmethod
    def suggested(cls, shape: Shape | None) -> Self:
        """A module that takes every shape; the name is there to be changed."""
        return cls(module="Softsign")

    def with_value(self, name: str, value: object) -> Self:
        """As `Layer.with_value`; what was measured of another module is not known of the new one."""
        changed = Layer.with_value(self, name, value)
        return self if changed == self else replace(changed, measured=())

    def with_measurement(self, measurement: Measurement) -> Self:
        """The layer with one more measurement, in place of an older one of the same shapes."""
        others = [known for known in self.measured if known.inputs != measurement.inputs]
        return replace(self, measured=(*others[1 - _MOST_MEASUREMENTS :], measurement))

    def measurement(self, inputs: tuple[Shape, ...]) -> Measurement | None:
        """What was measured for these shapes, or None."""
        return next((known for known in self.measured if known.inputs == inputs), None)

    def _known(self, inputs: tuple[Shape, ...]) -> Measurement:
        known = self.measurement(inputs)
        assert known is not None  # `fault` said so
        return known

    def fault(self, inputs: tuple[Shape, ...]) -> Fault | None:
        known = self.measurement(inputs)
        if known is None:
            shapes = " and ".join(format_shape(shape) for shape in inputs)
            return Fault(f"{self.module} has not been measured for {shapes}: its output is not known yet")
        if known.output is None:
            return Fault(f"{self.module}: {known.reason}")
        return None

    def remarks(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Remark, ...]:
        if not self.needs_several_images(inputs):
            return ()
        return (Remark("note", f"{self.module} cannot be trained on a batch of one image"),)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        output = self._known(inputs).output
        assert output is not None  # `fault` said so
        return output

    def num_parameters(self, inputs: tuple[Shape, ...]) -> int:
        return self._known(inputs).num_parameters

    def num_buffers(self, inputs: tuple[Shape, ...]) -> int:
        return self._known(inputs).num_buffers

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        return self._known(inputs).macs

    def window(self, inputs: tuple[Shape, ...]) -> Window:
        # What each value reads was not measured; all of the map bounds it.
        return whole(inputs[0])

    def kept(self, inputs: tuple[Shape, ...], output: Shape) -> Kept:
        return self._known(inputs).kept

    def is_view(self, inputs: tuple[Shape, ...]) -> bool:
        return self._known(inputs).is_view

    def needs_several_images(self, inputs: tuple[Shape, ...]) -> bool:
        known = self.measurement(inputs)
        return known is not None and known.needs_several_images

    def call(self, inputs: tuple[Shape, ...]) -> Call:
        return ModuleCall(self.module, parsed_arguments(self.arguments))

    def arithmetic(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[Arithmetic, ...]:
        known = self._known(inputs)
        source = f"torch.nn.{self.module}, measured on the meta device"
        lines = [("parameters", known.num_parameters), ("buffers", known.num_buffers)]
        lines.append(("multiply-accumulates", known.macs))
        return tuple(Arithmetic(what, "measured", f"{count:,}", count, source) for what, count in lines if count)


def parsed_arguments(arguments: str) -> dict[str, object]:
    """The values of `"dim=1, bias=False"`: numbers, texts, true, false, none, and rows of these. Nothing is run.

    Raises:
        ValueError: names the place and what stands there.
    """
    if len(arguments) > _LONGEST:
        raise ValueError(f"Opaque: arguments received {len(arguments):,} characters; use at most {_LONGEST:,}")
    opening = "f("
    try:
        call = ast.parse(f"{opening}{arguments}\n)", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        column = error.offset - len(opening) if isinstance(error, SyntaxError) and error.offset else 1
        place = min(max(1, column), len(arguments) + 1)
        raise ValueError(
            f"Opaque: arguments cannot be read from character {place} on, {arguments[place - 1 : place + 19]!r}; "
            "use names and values, like dim=1, bias=False"
        ) from None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "f":
        raise ValueError(f"Opaque: arguments received {arguments[:40]!r}; use names and values, like dim=1, bias=False")
    values: dict[str, object] = {}
    for argument in call.args:
        raise ValueError(
            f"Opaque: arguments received {_written(arguments, argument)} at character "
            f"{argument.col_offset - len(opening) + 1}, which has no name; write it like dim=1"
        )
    for given in call.keywords:
        if given.arg is None:
            raise ValueError(f"Opaque: arguments received {_written(arguments, given.value)} without a name")
        try:
            value = ast.literal_eval(given.value)
        except (ValueError, TypeError, RecursionError, MemoryError):
            value = ...
        if not _is_plain(value):
            raise ValueError(
                f"Opaque: {given.arg} received {_written(arguments, given.value)}; use a number, a text, True, False, "
                "None, or a row of these"
            )
        if given.arg in values:
            raise ValueError(f"Opaque: arguments name {given.arg} twice; give it once")
        if given.arg in _NOT_THE_LAYERS:
            raise ValueError(f"Opaque: {given.arg} is the run's to choose; leave it out of the arguments")
        values[given.arg] = value
    return values


def _written(arguments: str, node: ast.expr) -> str:
    return ast.get_source_segment(f"f({arguments}\n)", node) or ""


def _is_plain(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_is_plain(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)  # what is written must read back as it was
    return value is None or isinstance(value, (bool, int, str))


def _mapping(value: object, names: tuple[str, ...], where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} received {value!r}; use an object")
    if unknown := sorted(str(name) for name in set(value) - set(names)):
        raise ValueError(f"{where} has no {unknown[0]!r}; it has {', '.join(names)}")
    return value


def _numbers(value: object, where: str, least: int = 1) -> tuple[int, ...]:
    if isinstance(value, (list, tuple)) and all(
        isinstance(n, int) and not isinstance(n, bool) and least <= n <= LARGEST for n in value
    ):
        return tuple(value)
    raise ValueError(f"{where} received {value!r}; use whole numbers from {least} to {LARGEST:,}")


def _count(data: Mapping[str, Any], name: str, where: str) -> int:
    value = data.get(name, 0)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise ValueError(f"{where}.{name} received {value!r}; use a whole number of at least 0")


def _flag(data: Mapping[str, Any], name: str, where: str) -> bool:
    value = data.get(name, False)
    if isinstance(value, bool):
        return value
    raise ValueError(f"{where}.{name} received {value!r}; use true or false")
