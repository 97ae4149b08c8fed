"""How a line of the quick-add box may go on, and what to show in an empty one: what works at the place. Pure: no Qt.

What a line asks for is `quick_text`'s to say.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from explorer.layers import Category, Kind, Layer, Shape
from explorer.look import values
from explorer.look.quick_text import block_values, layer_values, named, ordered, parsed, ranked
from explorer.session.dragging import ChosenLayer
from explorer.zoo.blocks import BlockEntry

_EXAMPLES = (
    "conv 64 3",
    "maxpool 2",
    "residual 64",
    "linear 128",
    "relu",
    "dropout 0.5",
    "flatten",
)
"""Lines that show what may be written, those that say most first; the ones are shown that fit where they would go."""
_JOINS = ("add", "concat")
_MOST = 8
_MOST_EXAMPLES = 3
_MAPS_AXES = 3
"""C×H×W."""


class Completion(NamedTuple):
    """A way that a line may go on."""

    text: str
    """The whole line then."""
    title: str
    about: str
    """What it is, in a few words."""
    category: Category | None
    """Of a layer; None for a block and for a node's name."""


def example(arriving: Sequence[Shape | None]) -> str:
    """A few lines that would work where these shapes arrive, to show in the empty field."""
    lines = [line for line in (*_JOINS, *_EXAMPLES) if _works(line, arriving)]
    return ",  ".join(lines[:_MOST_EXAMPLES])


def completions(
    text: str, node_ids: Iterable[str] = (), arriving: Sequence[Shape | None] = ()
) -> tuple[Completion, ...]:
    """How a line may go on, the likeliest first: types and blocks for the first word, then values and nodes' names.

    Args:
        arriving: the shapes of what it would read, of each node that is to be joined one. An empty line offers what
            takes them; without any, whatever is much used.
    """
    words, node_ids = text.split(), tuple(node_ids)
    if len(words) > 1 or (words and text[-1].isspace()):
        found = named(words[0])
        if found is None:
            return ()
        if isinstance(found, BlockEntry):
            return _block_forms(found, words[0], words[1:])
        if found.min_inputs > 1:
            return _name_forms(text, node_ids)
        return _layer_forms(found, words[0], words[1:])
    offered = ranked(words[0] if words else "")
    if not words and arriving:
        offered = [item for item in offered if not isinstance(item, BlockEntry) and takes(item, arriving)]
        offered.sort(key=_reads_one)
    elif node_ids:
        # What joins takes names of nodes, of which there must be as many.
        offered = [i for i in offered if isinstance(i, BlockEntry) or i.min_inputs <= len(node_ids)]
    return tuple(_entry(item) for item in offered[:_MOST])


def _reads_one(item: type[Layer] | BlockEntry) -> bool:
    return isinstance(item, BlockEntry) or item.min_inputs == 1


def takes(layer_type: type[Layer], arriving: Sequence[Shape | None]) -> bool:
    """Whether a layer of that type works where these shapes arrive, and does something to them.

    Args:
        arriving: what it would read: where it joins, all; else the last alone. None is not known and fits.
    """
    if layer_type.min_inputs > len(arriving):
        return False
    shapes = tuple(arriving) if layer_type.min_inputs > 1 else tuple(arriving[-1:])
    known = tuple(shape for shape in shapes if shape is not None)
    if len(known) < len(shapes):
        return True
    return _is_useful(layer_type.suggested(known[-1]), known)


def _is_useful(layer: Layer, arriving: tuple[Shape, ...]) -> bool:
    if layer.fault(arriving) is not None or layer.remarks(arriving, layer.output_shape(arriving)):
        return False
    # On maps it works on rows of pixels, which is hardly what is meant.
    return layer.category is not Category.LINEAR or len(arriving[0]) != _MAPS_AXES


def _works(line: str, arriving: Sequence[Shape | None]) -> bool:
    what = parsed(line).what
    if not isinstance(what, ChosenLayer):
        return not arriving or arriving[-1] is None or len(arriving[-1]) == _MAPS_AXES  # blocks work on feature maps
    if what.layer_type.min_inputs > 1 or not arriving or arriving[-1] is None:
        return takes(what.layer_type, arriving or (None,))
    return _is_useful(what.made(arriving[-1]), (arriving[-1],))


def form(what: type[Layer] | BlockEntry) -> str:
    """What may stand behind its name: "out k s p"."""
    if isinstance(what, BlockEntry):
        return "  ".join(parameter.name for parameter in what.parameters)
    if what.min_inputs > 1:
        return "names of nodes"
    return "  ".join(parameter.name for parameter in ordered(what))


def _entry(item: type[Layer] | BlockEntry) -> Completion:
    if isinstance(item, BlockEntry):
        return Completion(f"{item.id} ", item.title, form(item), None)
    return Completion(f"{item.__name__} ", item.__name__, form(item), item.category)


def _layer_forms(layer_type: type[Layer], word: str, words: list[str]) -> tuple[Completion, ...]:
    """What is still to come, one value a line, with what it is if left out."""
    try:
        given = layer_values(layer_type, words)
    except ValueError:
        return ()
    usual = layer_type.suggested(None)
    line = " ".join([word, *words])
    result: list[Completion] = []
    for parameter in layer_type.hyper_parameters:
        if parameter.name in given or len(result) == _MOST:
            continue
        shown = values.short(parameter.kind, getattr(usual, parameter.name), as_one=True)
        if parameter.kind is Kind.FLAG:
            text = f"{line} {'no-' if getattr(usual, parameter.name) else ''}{parameter.name}"
        else:
            text = f"{line} {parameter.name}="
        about = parameter.help if getattr(usual, parameter.name) is None else f"{parameter.help}  ({shown})"
        result.append(Completion(text, parameter.name, about, layer_type.category))
    return tuple(result)


def _block_forms(block: BlockEntry, word: str, words: list[str]) -> tuple[Completion, ...]:
    try:
        given = block_values(block, words)
    except ValueError:
        return ()
    line = " ".join([word, *words])
    return tuple(
        Completion(f"{line} {p.name}=", p.name, f"{p.help}  ({p.default})", None)
        for p in block.parameters
        if p.name not in given
    )


def _name_forms(text: str, node_ids: tuple[str, ...]) -> tuple[Completion, ...]:
    """Names of nodes, the latest first: what is joined mostly stands near."""
    words = text.split()
    begun = "" if text[-1].isspace() else words[-1]
    kept = words if text[-1].isspace() else words[:-1]
    fitting = [i for i in reversed(node_ids) if i not in kept and i.startswith(begun) and i != begun]
    return tuple(Completion(f"{' '.join([*kept, i])} ", i, "", None) for i in fitting[:_MOST])
