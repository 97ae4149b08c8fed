"""Hyper-parameters' values as people type them: "3", "3x5", "same", "1e-3". How values read is `values`'. No Qt."""

import re

from explorer.layers import HyperParameter, Kind
from explorer.look.numbers import MINUS

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?|[+-]?\.\d+(?:e[+-]?\d+)?", re.IGNORECASE)
_PARTS = re.compile(r"[\s×x*,;/]+", re.IGNORECASE)
_YES = frozenset({"on", "yes", "true", "1"})
_NO = frozenset({"off", "no", "false", "0"})


def typed(parameter: HyperParameter, text: str, owner: str) -> object:
    """The value that a text stands for, checked.

    Args:
        owner: whose value it is, for the message.

    Raises:
        ValueError: no value of that kind, or out of range; says what was received and what would fit.
    """
    plain = text.strip().replace(MINUS, "-")
    return parameter.check(_read(parameter, plain), owner)


def _read(parameter: HyperParameter, text: str) -> object:
    """The value in the form that the check takes; the text itself where it is none."""
    match parameter.kind:
        case Kind.FLAG:
            return True if text.casefold() in _YES else False if text.casefold() in _NO else text
        case Kind.CHOICE:
            return next((option for option in parameter.options if option.casefold() == text.casefold()), text)
        case Kind.FOLLOWS if text.casefold() in {"", "auto"}:
            return None
        case Kind.PADDING if text.casefold() in {"same", "valid"}:
            return text.casefold()
        case Kind.TEXT | Kind.CONNECTIONS:
            return text
        case Kind.REAL:
            return float(text) if _NUMBER.fullmatch(text) else text
    numbers = _numbers(text)
    if numbers is None:
        return text
    if parameter.kind in {Kind.PAIR, Kind.PADDING, Kind.INTEGERS} and len(numbers) > 1:
        return tuple(numbers)
    if parameter.kind is Kind.INTEGERS:
        return (numbers[0],)
    return numbers[0] if len(numbers) == 1 else text


def _numbers(text: str) -> list[int] | None:
    """Whole numbers, apart by anything that people put between them; thin spaces and commas group digits of one."""
    if re.fullmatch(r"[+-]?\d{1,3}(?:[,\u2009]\d{3})+", text):
        return [int(re.sub(r"[,\u2009]", "", text))]
    parts = [part for part in _PARTS.split(text.strip("()[] ")) if part]
    if not parts or not all(re.fullmatch(r"[+-]?\d{1,12}", part) for part in parts):
        return None
    return [int(part) for part in parts]
