"""What each part of a query asks of a layer, and what is said of a part that asks nothing. No Qt.

The language is `query`'s.
"""

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from explorer import layers
from explorer.architecture.paths import parent
from explorer.inference import NodeReport
from explorer.layers import Kind, Layer, Shape
from explorer.look.query_numbers import NUMBER, SHAPE, QueryError, axes, ends_with, number

EXAMPLES = ("kernel>3", "stride=2", "type:conv", "out=56", "params>1M", "macs>100M", "rf>=100")


class Subject(NamedTuple):
    """What a query looks at of one layer."""

    node_id: str
    report: NodeReport
    kept_bytes: int | None
    """What training keeps of it for one image; None where it is not known or no term asks."""


Term = Callable[[Subject], bool]
_Numbers = tuple[float, ...]

_COMPARISON = re.compile(r"(\w+)(>=|<=|!=|==|≥|≤|≠|[><=:])(.*)")
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
}
_SAME_AS = {"==": "=", ":": "=", "≥": ">=", "≤": "<=", "≠": "!="}
_PADDING_WORDS = frozenset({"same", "valid"})
_YES, _NO = frozenset({"yes", "true", "on", "1"}), frozenset({"no", "false", "off", "0"})


def negated(test: Term) -> Term:
    return lambda subject: not test(subject)


def term(part: str) -> tuple[Term, str]:
    """What one part asks, and of which field; empty for a plain word."""
    match = _COMPARISON.fullmatch(part)
    if match is None:
        if any(sign in part for sign in "><=≥≤≠"):
            raise QueryError(f"{part}: what is compared comes first, as in {EXAMPLES[0]}")
        return _word(part), ""
    name, sign, value = match[1].lower(), _SAME_AS.get(match[2], match[2]), match[3]
    field = _ALIASES.get(name, name)
    if field not in _known_fields():
        near = difflib.get_close_matches(name, sorted({*_known_fields(), *_ALIASES}), n=3)
        raise QueryError(f"{name} is nothing a layer has; {_offered(near)}")
    if not value:
        raise QueryError(f"{part} waits for a value, as in {_example(field)}")
    if field == "is":
        return _state(value, sign), field
    if field in _TEXTS:
        return _text(field, sign, value, contains=match[2] == ":"), field
    if field in _SHAPES:
        return _shape(field, sign, value), field
    if field in _NUMBERS:
        return _numeric(_NUMBERS[field], sign, number(value, field)), field
    return _hyper_parameter(field, sign, value), field


def _offered(near: Iterable[str]) -> str:
    near = tuple(near)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"try {', '.join(EXAMPLES[:5])}"


def _example(field: str) -> str:
    if field == "is":
        return f"is:{next(iter(_STATES))}"
    if field in _TEXTS:
        return f"{field}:conv"
    if field in _SHAPES:
        return f"{field}=56"
    if field in _NUMBERS:
        return f"{field}>{'1M' if field != 'rf' else '100'}"
    return f"{_SHORT.get(field, field)}=2"


# Plain words


def _word(word: str) -> Term:
    lowered = word.lower()
    size = axes(lowered) if SHAPE.fullmatch(lowered) else None

    of_layer = _remembered(
        lambda layer: lowered in layer.type_name.lower() or (size and getattr(layer, "kernel_size", None) == size)
    )
    if size is None:
        return lambda subject: lowered in subject.node_id.lower() or of_layer(subject.report.layer)
    return lambda subject: (
        lowered in subject.node_id.lower()
        or of_layer(subject.report.layer)
        or ends_with(subject.report.output_shape, size)
    )


def _remembered(test: Callable[[Layer], object]) -> Callable[[Layer], bool]:
    """The same test, asked once of each layer: equal layers of a network are one object, and there are few."""
    known: dict[int, tuple[bool, Layer]] = {}

    def holds(layer: Layer) -> bool:
        found = known.get(id(layer))
        if found is None:
            # The layer is kept beside the answer, so that no other takes its identity.
            found = known[id(layer)] = (bool(test(layer)), layer)
        return found[0]

    return holds


# Texts


_TEXTS: Mapping[str, Callable[[Subject], str]] = {
    "name": lambda subject: subject.node_id,
    "type": lambda subject: subject.report.layer.type_name,
    "block": lambda subject: parent(subject.node_id),
    "category": lambda subject: subject.report.layer.category.value,
}


def _text(field: str, sign: str, value: str, *, contains: bool) -> Term:
    read, wanted = _TEXTS[field], value.lower()
    if contains:
        return lambda subject: wanted in read(subject).lower()
    if sign not in {"=", "!="}:
        raise QueryError(f"{field} is a text: use {field}:{value} or {field}={value}")
    return lambda subject: (wanted == read(subject).lower()) is (sign == "=")


_STATES: Mapping[str, Callable[[NodeReport], bool]] = {
    "error": lambda report: any(issue.severity == "error" for issue in report.issues),
    "warning": lambda report: any(issue.severity == "warning" for issue in report.issues),
    "frozen": lambda report: report.context.frozen,
    "output": lambda report: report.context.role is not None,
    "input": lambda report: not report.context.node.inputs,
    "unknown": lambda report: report.output_shape is None,
}


def _state(value: str, sign: str) -> Term:
    test = _STATES.get(value.lower())
    if test is None or sign not in {"=", "!="}:
        raise QueryError(f"is:{value} means nothing; use is: with {', '.join(_STATES)}")
    return lambda subject: test(subject.report) is (sign == "=")


# Numbers


def _area_side(report: NodeReport) -> _Numbers:
    field = report.receptive_field
    return () if field is None else (float(field.height), float(field.width))


def _known(value: float | None) -> _Numbers:
    return () if value is None else (value,)


def _axis(shape: Shape | None, place: int) -> _Numbers:
    """The size along an axis of (C, H, W); other shapes have no height and width."""
    if shape is None or (place and len(shape) != 3):
        return ()
    return (shape[place],)


_NUMBERS: Mapping[str, Callable[[Subject], _Numbers]] = {
    "params": lambda subject: _known(subject.report.num_parameters),
    "macs": lambda subject: _known(subject.report.macs),
    "flops": lambda subject: _known(subject.report.flops),
    "memory": lambda subject: _known(subject.kept_bytes),
    "bytes": lambda subject: _known(subject.report.output_bytes),
    "rf": lambda subject: _area_side(subject.report),
    "channels": lambda subject: _axis(subject.report.output_shape, 0),
    "height": lambda subject: _axis(subject.report.output_shape, 1),
    "width": lambda subject: _axis(subject.report.output_shape, 2),
}


def _numeric(read: Callable[[Subject], _Numbers], sign: str, wanted: float) -> Term:
    test = _comparison(sign, wanted)
    return lambda subject: test(read(subject))


def _comparison(sign: str, wanted: float) -> Callable[[_Numbers], bool]:
    """Whether one of some numbers compares so; to differ, all of them have to."""
    if sign == "!=":
        return lambda found: bool(found) and wanted not in found
    compare = _COMPARE[sign]

    def holds(found: _Numbers) -> bool:
        for value in found:  # noqa: SIM110 - for numbers that are nearly always one, a generator takes twice as long
            if compare(value, wanted):
                return True
        return False

    return holds


# Shapes


_SHAPES: Mapping[str, Callable[[NodeReport], tuple[Shape | None, ...]]] = {
    "out": lambda report: (report.output_shape,),
    "in": lambda report: report.input_shapes,
}


def _shape(field: str, sign: str, value: str) -> Term:
    read, test = _SHAPES[field], lru_cache(maxsize=None)(_shape_test(field, sign, value))
    return lambda subject: test(read(subject.report))


def _shape_test(field: str, sign: str, value: str) -> Callable[[tuple[Shape | None, ...]], bool]:
    """What is asked of shapes, of which many layers have the same."""
    if SHAPE.fullmatch(value.lower()):
        wanted = axes(value.lower())
        if sign not in {"=", "!="}:
            raise QueryError(f"{field}: shapes are the same or not: use {field}={value}")
        return lambda shapes: (
            any(shape is not None for shape in shapes)
            and any(ends_with(shape, wanted) for shape in shapes) is (sign == "=")
        )
    compared = _comparison(sign, number(value, field))
    if sign in {"=", "!="}:
        return lambda shapes: compared(_all_axes(shapes))
    # More or less than a number is said of the picture's size, not of the channels.
    return lambda shapes: compared(_all_sides(shapes))


def _all_axes(shapes: Iterable[Shape | None]) -> _Numbers:
    return tuple(axis for shape in shapes if shape is not None for axis in shape)


def _all_sides(shapes: Iterable[Shape | None]) -> _Numbers:
    return tuple(axis for shape in shapes if shape is not None for axis in (shape[1:] if len(shape) == 3 else shape))


# Hyper-parameters


_SHORT = {
    "kernel_size": "kernel",
    "out_channels": "out_channels",
    "output_size": "size",
    "negative_slope": "slope",
}
_ALIASES = {
    **{short: name for name, short in _SHORT.items()},
    "k": "kernel_size",
    "s": "stride",
    "pad": "padding",
    "id": "name",
    "kind": "category",
    "in_block": "block",
    "parameters": "params",
    "mem": "memory",
    "kept": "memory",
    "receptive_field": "rf",
    "field": "rf",
    "output": "out",
    "shape": "out",
    "input": "in",
    "dropout": "p",
}


def _parameters() -> Mapping[str, frozenset[Kind]]:
    """Every hyper-parameter's name, with the kinds that it has."""
    found: dict[str, set[Kind]] = {}
    for layer_type in layers.layer_types():
        for parameter in layer_type.hyper_parameters:
            found.setdefault(parameter.name, set()).add(parameter.kind)
    return {name: frozenset(kinds) for name, kinds in found.items()}


_KINDS = _parameters()


def _known_fields() -> frozenset[str]:
    return frozenset({*_TEXTS, *_SHAPES, *_NUMBERS, *_KINDS, "is"})


def _hyper_parameter(name: str, sign: str, value: str) -> Term:
    """A comparison with a value; a layer without it, or that follows its input, is not found."""
    lowered, is_equal = value.lower(), sign in {"=", "!="}
    if Kind.FLAG in _KINDS[name] and is_equal and lowered in _YES | _NO:
        return _on_value(name, lambda found: isinstance(found, bool) and (found is (lowered in _YES)) is (sign == "="))
    if SHAPE.fullmatch(lowered) and is_equal:
        pair = axes(lowered)
        return _on_value(name, lambda found: isinstance(found, tuple) and (found == pair) is (sign == "="))
    if NUMBER.fullmatch(value):
        compared = _comparison(sign, number(value, name))
        of_layer = _remembered(lambda layer: compared(_numbers_of(layer, name)))
        return lambda subject: of_layer(subject.report.layer)
    if _KINDS[name] & {Kind.CHOICE, Kind.TEXT} or lowered in _PADDING_WORDS & _words_of(name):
        if is_equal:
            return _on_value(name, lambda found: isinstance(found, str) and (found.lower() == lowered) is (sign == "="))
        raise QueryError(f"{name} is a word: use {name}={value}")
    fitting = "yes or no" if Kind.FLAG in _KINDS[name] else "a number"
    hint = ", or two like 3x5" if Kind.PAIR in _KINDS[name] else ""
    raise QueryError(f"{_SHORT.get(name, name)}: {value} does not fit; use {fitting}{hint}")


def _words_of(name: str) -> frozenset[str]:
    return _PADDING_WORDS if Kind.PADDING in _KINDS[name] else frozenset()


def _on_value(name: str, test: Callable[[object], bool]) -> Term:
    of_layer = _remembered(lambda layer: test(getattr(layer, name, None)))
    return lambda subject: of_layer(subject.report.layer)


def _numbers_of(layer: Layer, name: str) -> _Numbers:
    found = getattr(layer, name, None)
    if isinstance(found, bool):
        return ()
    if isinstance(found, int | float):
        return (found,)
    if isinstance(found, tuple):
        return tuple(v for v in found if isinstance(v, int | float))
    return ()
