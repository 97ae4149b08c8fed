"""Where exported source breaks its lines: at 88 columns, as ruff and black break them.

What the lines say is decided in `source` and `calls`.
"""

import textwrap
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Union

WIDTH = 88
KEPT = "fmt: skip"
"""The comment behind a statement that formatters should leave as it is."""
_LONG_ROW = 60  # columns
INDENT = "    "


class Group(NamedTuple):
    """Parts in brackets: a call, a tuple, a container of layers."""

    opening: str
    parts: tuple["Part", ...]
    closing: str
    flat: str | None
    """All of it as one line; None where it is never one."""
    is_call: bool = False
    """Whether the parts may share a line between the brackets; otherwise each has its own."""
    joint: str = ", "
    """What stands between the parts."""
    is_packed: bool = False
    """Whether broken lines hold as many parts as they can, unlike black's; see `holds_packed`."""


class Entry(NamedTuple):
    """A part with remarks: a layer in a container."""

    text: "Text | None"
    """None where the remarks stand for what is missing."""
    comment: str = ""
    """Behind it, in the same line."""
    remarks: tuple[str, ...] = ()
    """Sentences in lines of their own, before it."""


Text = str | Group
Part = Union[str, Group, Entry]  # noqa: UP007 - a forward reference cannot be in a | at runtime


def call(name: str, arguments: Iterable[Text]) -> Group:
    """`name(a, b)`."""
    parts = tuple(arguments)
    return Group(f"{name}(", parts, ")", _joined(f"{name}(", parts, ")"), is_call=True)


def row(items: Iterable[Text], brackets: str = "()", *, is_packed: bool = False) -> Group:
    """`(a, b)`, or with other brackets a list; one that is long may be packed."""
    parts = tuple(items)
    comma = "," if len(parts) == 1 and brackets == "()" else ""
    whole = _joined(brackets[0], parts, comma + brackets[1])
    is_long = whole is not None and len(whole) > _LONG_ROW
    return Group(brackets[0], parts, brackets[1], whole, is_packed=is_packed and is_long)


def _joined(opening: str, parts: tuple[Text, ...], closing: str) -> str | None:
    wholes = [part if isinstance(part, str) else part.flat for part in parts]
    return None if None in wholes else f"{opening}{', '.join(filter(None, wholes))}{closing}"


def chain(operator: str, operands: Iterable[str]) -> Group:
    """`a + b + c`; in brackets where that is too long."""
    parts = tuple(operands)
    joint = f" {operator} "
    return Group("(", parts, ")", joint.join(parts), is_call=True, joint=joint)


def container(name: str, parts: Iterable[Part]) -> Group:
    """`name(...)` with a line, at least, for each part."""
    return Group(f"{name}(", tuple(parts), ")", None, is_call=True)


def unfolded(parts: Iterable[Part]) -> Group:
    """`[...]` with a line, at least, for each part."""
    return Group("[", tuple(parts), "]", None)


def wrapped(text: Text, before: str, after: str = "") -> Text:
    """The text with something put before its opening and behind its closing."""
    if isinstance(text, str):
        return f"{before}{text}{after}"
    whole = None if text.flat is None else f"{before}{text.flat}{after}"
    return text._replace(opening=before + text.opening, closing=text.closing + after, flat=whole)


def flat(text: Text) -> str:
    """The text as one line.

    Raises:
        ValueError: it is a container, which is never one line.
    """
    if isinstance(text, str):
        return text
    if text.flat is None:
        raise ValueError(f"{text.opening} is never one line")
    return text.flat


def lay_out(text: Text, indent: int, *, head: str = "", tail: str = "", comment: str = "") -> list[str]:
    """The text as lines, without the indentation.

    Args:
        indent: the columns that are put before each line.
        head: put directly before the text.
        tail: put directly behind the text.
        comment: put at the end of the last line, without its mark.
    """
    if comment:
        tail = f"{tail}  # {comment}"
    if isinstance(text, str):
        return [f"{head}{text}{tail}"]
    if text.flat is not None and (not text.parts or indent + len(head) + len(text.flat) + len(tail) <= WIDTH):
        return [f"{head}{text.flat}{tail}"]
    inner = [INDENT + line for line in _inner(text, indent + len(INDENT))]
    return [head + text.opening, *inner, text.closing + tail]


def holds_packed(text: Text | None) -> bool:
    """Whether a long row of numbers is inside: one a line, as black breaks it, would fill pages."""
    if text is None or isinstance(text, str):
        return False
    return text.is_packed or any(holds_packed(part.text if isinstance(part, Entry) else part) for part in text.parts)


def _inner(group: Group, indent: int) -> Iterator[str]:
    if group.is_packed:
        yield from textwrap.wrap(", ".join(map(str, group.parts)) + ",", WIDTH - indent)
        return
    if group.is_call and group.flat is not None:
        shared = group.joint.join(flat(part) for part in group.parts if not isinstance(part, Entry))
        if indent + len(shared) <= WIDTH:
            yield shared
            return
    # black adds no comma behind the only argument of a call.
    tail = "" if group.is_call and len(group.parts) == 1 else ","
    for number, part in enumerate(group.parts):
        if isinstance(part, Entry):
            for remark in part.remarks:
                yield from comment_lines(remark, indent)
            if part.text is not None:
                yield from lay_out(part.text, indent, tail=",", comment=part.comment)
        elif group.joint == ", ":
            yield from lay_out(part, indent, tail=tail)
        else:
            yield flat(part) if not number else f"{group.joint.lstrip()}{flat(part)}"


def comment_lines(text: str, indent: int) -> list[str]:
    """A sentence as comments no wider than the page."""
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH - indent - 2)]
