"""Averages of whole maps in place of a flatten and the large linear layers behind it."""

from collections.abc import Mapping
from typing import NamedTuple

from explorer.architecture import Architecture, EditRefused, Node
from explorer.architecture.shapes import output_shapes
from explorer.inference.ideas.fitting import (
    Names,
    inserted_before,
    restored,
    with_layers,
    without,
)
from explorer.inference.ideas.idea import Form, History, Idea, Presence
from explorer.inference.ideas.walking import back
from explorer.inference.logits import logits_node
from explorer.layers import AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, Flatten, Linear, MaxPool2d, Mean, Shape

_AVERAGE = AdaptiveAvgPool2d(output_size=(1, 1))
_FORMS = (
    Form(
        id="on",
        title="averages",
        text="Average whole maps before the classifier",
        explanation="Each map becomes its average and the scores are read from these: no large linear layers, and "
        "images of any size.",
        paper="Lin, Chen and Yan 2013, Network in network, section 3.2",
    ),
    Form(
        id="off",
        title="all pixels",
        text="Let the classifier read every pixel",
        explanation="The last maps are laid out in one row, so that the classifier knows where something was, for many "
        "more weights.",
        paper="Krizhevsky, Sutskever and Hinton 2012, section 3.5",
    ),
)


class _Classifier(NamedTuple):
    """How the first output's scores come from the maps."""

    score: str
    """The linear layer that makes them."""
    chain: tuple[str, ...]
    """What stands between the maps and it, in order: the flatten first."""
    pool: str | None
    """What makes one pixel of the maps, before the flatten; the flatten itself if it averages."""


def _classifier(architecture: Architecture) -> _Classifier | None:
    """None unless the scores come from one flatten and linear layers behind it."""
    node = architecture[logits_node(architecture)[0]]
    if not isinstance(node.layer, Linear):
        return None
    shapes = output_shapes(architecture)
    score = node.id
    chain: list[str] = []
    for before in back(architecture, score):
        chain.insert(0, before.id)
        if before.inputs and len(shapes[before.inputs[0]] or ()) == 3 and len(shapes[before.id] or ()) == 1:
            break
    else:
        return None
    first = architecture[chain[0]]
    if isinstance(first.layer, Mean):
        return _Classifier(score, tuple(chain), first.id)
    if not isinstance(first.layer, Flatten):
        return None
    pool = next((n for n in back(architecture, first.id) if _makes_one_pixel(n, shapes)), None)
    at_flatten = shapes[first.inputs[0]]
    is_one_pixel = at_flatten is not None and at_flatten[1:] == (1, 1)
    if is_one_pixel and pool is None:
        return None
    return _Classifier(score, tuple(chain), pool.id if is_one_pixel and pool is not None else None)


def _makes_one_pixel(node: Node, shapes: Mapping[str, Shape | None]) -> bool:
    """Whether it pools whole maps of more than one pixel to one."""
    if not isinstance(node.layer, (AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d, Mean)):
        return False
    arrives, leaves = shapes[node.inputs[0]], shapes[node.id]
    return leaves is not None and arrives is not None and leaves[1:] == (1, 1) and arrives[1:] != (1, 1)


def _look(architecture: Architecture, form_id: str) -> Presence:
    found = _classifier(architecture)
    if found is None:
        return "off"
    return "on" if (found.pool is not None) == (form_id == "on") else "off"


def _change(architecture: Architecture, form_id: str, earlier: History) -> Architecture:
    found = _classifier(architecture)
    if found is None:
        raise EditRefused(f"{architecture.name} has no linear layer that makes its scores from flattened maps")
    return _averaged(architecture, found, earlier) if form_id == "on" else _laid_out(architecture, found, earlier)


def _averaged(architecture: Architecture, found: _Classifier, earlier: History) -> Architecture:
    known = next((version for version in earlier if _look(version, "on") == "on"), None)
    pool = _classifier(known) if known is not None else None
    is_hidden = any(isinstance(architecture[node_id].layer, Linear) for node_id in found.chain)
    kept = pool.chain if pool is not None else ()
    result = without(architecture, (n for n in found.chain[1:] if n not in kept) if is_hidden else ())
    if known is not None and pool is not None and pool.pool is not None:
        result = _restored_pool(result, known, pool.pool)
        if _look(result, "on") == "on":
            return result
    flatten = architecture[found.chain[0]]
    before = architecture[flatten.inputs[0]]
    if isinstance(before.layer, AdaptiveAvgPool2d):
        return with_layers(result, {before.id: _AVERAGE})
    names = Names(result)
    return inserted_before(result, flatten.id, names.beside(_pool_name(flatten.id), "avgpool"), _AVERAGE)


def _laid_out(architecture: Architecture, found: _Classifier, earlier: History) -> Architecture:
    assert found.pool is not None
    known = next((version for version in earlier if _look(version, "off") == "on"), None)
    was = _classifier(known) if known is not None else None
    if known is not None and was is not None:
        chain = set(was.chain)
        architecture = restored(architecture, known, lambda node: node.id in chain)
        if found.pool in known:
            layer = known[found.pool].layer
            return with_layers(architecture, {found.pool: layer})
    if isinstance(architecture[found.pool].layer, Mean):
        return with_layers(architecture, {found.pool: Flatten()})
    return without(architecture, [found.pool])


def _restored_pool(architecture: Architecture, known: Architecture, pool: str) -> Architecture:
    """The pooling of whole maps as an earlier version had it."""
    if pool in architecture:
        return with_layers(architecture, {pool: known[pool].layer})
    return restored(architecture, known, lambda node: node.id == pool)


def _pool_name(flatten: str) -> str:
    """A name in the flatten's place whose kind is said by the new node alone."""
    scope, dot, _ = flatten.rpartition(".")
    return f"{scope}{dot}pool"


AVERAGES = Idea(id="averages", title="Classifier reads", forms=_FORMS, look=_look, change=_change)
