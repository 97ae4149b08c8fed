"""What one network has that another has not, in words: for runs that are compared. Shapes are `inference`'s."""

from collections.abc import Sequence
from dataclasses import fields

from explorer.architecture.architecture import Architecture, Node
from explorer.layers import format_shape

_MOST_NAMED = 4


def differences(old: Architecture, new: Architecture) -> tuple[str, ...]:
    """One sentence for each difference, from `old` to `new`; none where both compute the same.

    Layers are told apart by their ids. Equal changes of several layers are one sentence; names of networks and blocks
    do not count.
    """
    found = []
    if old.input_shape != new.input_shape:
        found.append(f"input {format_shape(old.input_shape)} → {format_shape(new.input_shape)}")
    changes: dict[str, list[str]] = {}
    for node in new.nodes[1:]:
        if node.id in old and old.structure.index[node.id]:
            for change in _changes(old, new, node.id):
                changes.setdefault(change, []).append(node.id)
    removed = [node for node in old.nodes[1:] if node.id not in new]
    added = [node for node in new.nodes[1:] if node.id not in old]
    found += [f"without {text}" for text in _by_type(removed)]
    found += [f"with {text}" for text in _by_type(added)]
    found += [f"{_named(ids)}: {change}" for change, ids in changes.items()]
    if old.outputs != new.outputs:
        found.append(f"outputs {', '.join(old.outputs)} → {', '.join(new.outputs)}")
    return tuple(found)


def _changes(a: Architecture, b: Architecture, node_id: str) -> list[str]:
    found = []
    old, new = a[node_id], b[node_id]
    if type(old.layer) is not type(new.layer):
        found.append(f"{old.layer.type_name} → {new.layer.type_name}")
    elif old.layer != new.layer:
        for field in fields(old.layer):
            before, after = getattr(old.layer, field.name), getattr(new.layer, field.name)
            if field.compare and before != after:
                found.append(f"{field.name} {_value(before)} → {_value(after)}")
    if _is_rewired(a, b, old, new):
        found.append(f"reads {', '.join(old.inputs)} → {', '.join(new.inputs)}")
    if old.frozen != new.frozen:
        found.append("trained → frozen" if new.frozen else "frozen → trained")
    return found


def _is_rewired(a: Architecture, b: Architecture, old: Node, new: Node) -> bool:
    """Whether a node reads others, and not just because a layer before it is gone or new, which is said already."""
    if len(old.inputs) != len(new.inputs):
        return True
    pairs = zip(old.inputs, new.inputs, strict=True)
    return any(before != after and before in b and after in a for before, after in pairs)


def _by_type(nodes: Sequence[Node]) -> list[str]:
    """ "Dropout drop1 and drop2", a text for each type, in the order in which they come."""
    types: dict[str, list[str]] = {}
    for node in nodes:
        types.setdefault(node.layer.type_name, []).append(node.id)
    return [f"{name} {_named(ids)}" for name, ids in types.items()]


def _named(ids: Sequence[str]) -> str:
    if len(ids) > _MOST_NAMED:
        return f"{', '.join(ids[: _MOST_NAMED - 1])} and {len(ids) - _MOST_NAMED + 1} more"
    return ids[0] if len(ids) == 1 else f"{', '.join(ids[:-1])} and {ids[-1]}"


def _value(value: object) -> str:
    match value:
        case None:
            return "by its input"
        case bool():
            return "on" if value else "off"
        case tuple():
            return "×".join(str(part) for part in value)
        case float():
            return f"{value:g}"
    return str(value)
