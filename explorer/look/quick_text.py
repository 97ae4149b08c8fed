"""What a line such as "conv 64 3x3 s2" or "residual 64" asks for. Pure: no Qt, no network.

The first word names a layer or a block, found as the palette's search finds them; numbers fill its values in the order
that a card shows them, letters name them ("k3 s2 p1", "stride=2", "p 0.5"), a flag stands alone or with "no" before it.
A layer that joins branches takes the names of nodes. How a line may go on is `quick_completions`' to say.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from explorer.layers import HyperParameter, Input, Kind, Layer, Opaque, layer_types
from explorer.look import catalogue
from explorer.look.typed import typed
from explorer.session.dragging import ChosenLayer, Dragged, DraggedBlock
from explorer.zoo import Value
from explorer.zoo.blocks import BlockEntry, block_entries
from explorer.zoo.catalogue import FamilyParameter

_SHORT: Mapping[str, tuple[str, ...]] = {
    "out": ("out_channels", "out_features", "output_size"),
    "k": ("kernel_size",),
    "s": ("stride",),
    "p": ("padding", "p"),
    "op": ("output_padding",),
    "d": ("dilation",),
    "g": ("groups", "num_groups"),
    "c": ("channels", "out_channels"),
    "w": ("width",),
}
"""Letters as figures in papers have them, and the values that they may stand for."""
_ALIASES: Mapping[str, str] = {
    "conv": "Conv2d",
    "convolution": "Conv2d",
    "pool": "MaxPool2d",
    "bn": "BatchNorm2d",
    "norm": "BatchNorm2d",
    "gap": "AdaptiveAvgPool2d",
    "fc": "Linear",
    "cat": "Concat",
    "sum": "Add",
    "+": "Add",
}
_VALUE = re.compile(r"([a-z_]+?)[=:]?([+-]?\d[\d.x×e,+-]*|same|valid)", re.IGNORECASE)


class Parsed(NamedTuple):
    """What a line asks for."""

    what: Dragged
    names: tuple[str, ...]
    """Nodes that it names, for a layer that joins."""


def parsed(text: str, node_ids: Iterable[str] = ()) -> Parsed:
    """What a line asks for.

    Args:
        node_ids: what there is to join, for a layer that does.

    Raises:
        ValueError: no such layer or block, or a value that it has not; says what would fit.
    """
    words = text.split()
    if not words:
        raise ValueError("type a layer or a block: conv 64 3, maxpool 2, residual 64")
    found = named(words[0])
    if found is None:
        raise ValueError(f"nothing is called {words[0]!r}; there are conv, maxpool, relu, linear, residual …")
    if isinstance(found, BlockEntry):
        return Parsed(DraggedBlock(found, block_values(found, words[1:])), ())
    if found.min_inputs > 1:
        return _join(found, words[1:], tuple(node_ids))
    return Parsed(ChosenLayer(found, layer_values(found, words[1:])), ())


# Names


def named(word: str) -> type[Layer] | BlockEntry | None:
    """The layer or block of that name, or the likeliest that the search finds."""
    return next(iter(ranked(word)), None)


def ranked(word: str) -> list[type[Layer] | BlockEntry]:
    """What a word may name: an exact name, much used layers that begin so, blocks, all else that the search finds."""
    word = word.casefold()
    if not word:
        return list(catalogue.most_used())
    types = {t.__name__.casefold(): t for t in layer_types() if not issubclass(t, Input | Opaque)}
    alias = _ALIASES.get(word, word).casefold()
    exact = [types[name] for name in (alias, f"{alias}2d", f"{alias}1d") if name in types]
    used = [t for t in catalogue.most_used() if t.__name__.casefold().startswith(word)]
    blocks = [block for block in block_entries() if _fits(word, block)]
    found = [t for t in catalogue.found(word) if t is not Opaque]
    return list(dict.fromkeys([*exact, *used, *blocks, *found]))


def _fits(word: str, block: BlockEntry) -> bool:
    """Whether a block's id, title or kind has a word that starts so."""
    own = re.split(r"[\s-]+", f"{block.id} {block.title} {block.kind}".casefold())
    return bool(word) and (block.id.startswith(word) or any(part.startswith(word) for part in own))


# Values


def ordered(layer_type: type[Layer]) -> tuple[HyperParameter, ...]:
    """What numbers without a name fill, in order: what a card shows, or the layer's own few values."""
    parameters = layer_type.hyper_parameters
    shown = tuple(p for p in parameters if p.on_node)
    kinds = {Kind.FLAG, Kind.FOLLOWS, Kind.CHOICE, Kind.TEXT, Kind.CONNECTIONS}
    return shown or tuple(p for p in parameters if p.kind not in kinds)


def layer_values(layer_type: type[Layer], words: list[str]) -> dict[str, object]:
    result: dict[str, object] = {}
    known = {p.name: p for p in layer_type.hyper_parameters}
    owner = layer_type.__name__
    rest = list(ordered(layer_type))
    for word in _joined(words, known):
        match = _VALUE.fullmatch(word)
        name = _full(match[1], known) if match is not None else None
        if match is not None and name is not None:
            result[name] = typed(known[name], match[2], owner)
            rest = [p for p in rest if p.name != name]
        elif "=" in word and _full(word.partition("=")[0], known) is not None:
            name = _full(word.partition("=")[0], known) or ""
            result[name] = typed(known[name], word.partition("=")[2], owner)
        elif (flag := _flag(word, known)) is not None:
            result[flag] = not word.casefold().startswith("no")
        elif (choice := _choice(word, known)) is not None:
            result[choice] = typed(known[choice], word, owner)
        elif rest and (word[0].isdigit() or word[0] in "+-." or word.casefold() in {"same", "valid"}):
            if not word[0].isdigit() and word.casefold() in {"same", "valid"}:
                parameter = known.get("padding", rest[0])
            else:
                parameter = rest[0]
            rest = [p for p in rest if p is not parameter]
            result[parameter.name] = typed(parameter, word, owner)
        else:
            have = ", ".join(known) or "no values"
            raise ValueError(f"{owner}: {word!r} is none of its values; it has {have}")
    return result


def _joined(words: list[str], known: Iterable[str]) -> list[str]:
    """The words with a name and the number behind it as one: "k 3" is "k3"."""
    result: list[str] = []
    for word in words:
        before = result[-1].rstrip("=") if result else ""
        is_number = bool(re.match(r"[+-]?\.?\d", word)) or word.casefold() in {"same", "valid"}
        if result and is_number and before.isidentifier() and _full(before, known) and not before[-1].isdigit():
            result[-1] = f"{before}={word}"
        else:
            result.append(word)
    return result


def _full(name: str, known: Iterable[str]) -> str | None:
    """The value that a name, its beginning or its letter stands for; None if it is not plain which."""
    name, known = name.casefold(), tuple(known)
    if name in known:
        return name
    short = next((full for full in _SHORT.get(name, ()) if full in known), None)
    if short is not None:
        return short
    starting = [full for full in known if full.startswith(name)]
    return starting[0] if len(starting) == 1 and len(name) > 1 else None


def _flag(word: str, known: Mapping[str, HyperParameter]) -> str | None:
    plain = re.sub(r"^no[-_]?", "", word.casefold())
    return next((n for n, p in known.items() if p.kind is Kind.FLAG and n in {plain, word.casefold()}), None)


def _choice(word: str, known: Mapping[str, HyperParameter]) -> str | None:
    return next((n for n, p in known.items() if p.kind is Kind.CHOICE and word.casefold() in p.options), None)


def block_values(block: BlockEntry, words: list[str]) -> dict[str, Value]:
    result: dict[str, Value] = {}
    known = {p.name: p for p in block.parameters}
    rest = list(block.parameters)
    for word in _joined(words, known):
        match = _VALUE.fullmatch(word)
        name = _full(match[1], known) if match is not None else None
        if match is not None and name is not None:
            parameter, text = known[name], match[2]
        elif rest and word[0].isdigit():
            parameter, text = rest[0], word
        elif word.casefold() in known and isinstance(known[word.casefold()].default, bool):
            parameter, text = known[word.casefold()], "1"
        else:
            have = ", ".join(known) or "no values"
            raise ValueError(f"{block.title}: {word!r} is none of its values; it has {have}")
        rest = [p for p in rest if p is not parameter]
        result[parameter.name] = parameter.check(_plain(parameter, text))
    return result


def _plain(parameter: FamilyParameter, text: str) -> Value:
    if isinstance(parameter.default, bool):
        return text not in {"0", "no", "off"}
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def _join(layer_type: type[Layer], words: list[str], node_ids: tuple[str, ...]) -> Parsed:
    names = []
    own: list[str] = []
    known = {p.name: p for p in layer_type.hyper_parameters}
    for word in words:
        if word in node_ids:
            names.append(word)
        elif word[0].isdigit() or ((match := _VALUE.fullmatch(word)) is not None and _full(match[1], known)):
            own.append(word)
        else:
            near = [node_id for node_id in node_ids if word in node_id][:3]
            raise ValueError(
                f"{layer_type.__name__} joins nodes; no node is called {word!r}"
                + (f"; there are {', '.join(near)}" if near else "")
            )
    return Parsed(ChosenLayer(layer_type, layer_values(layer_type, own)), tuple(dict.fromkeys(names)))
