"""Dropout between the fully connected layers, or before the one that makes the scores where it is the only one."""

from explorer.architecture import Architecture, EditRefused, Node
from explorer.architecture.shapes import output_shapes
from explorer.inference.ideas.fitting import Names, inserted, inserted_before, restored, without
from explorer.inference.ideas.idea import Form, History, Idea, Presence
from explorer.inference.ideas.walking import WEIGHTED, back, onwards, scores
from explorer.layers import Category, Dropout, Dropout2d, Linear

_DROPOUT = Dropout(p=0.5)
_FORMS = (
    Form(
        id="on",
        title="on",
        text="Add dropout",
        explanation="Half of the values between the fully connected layers are set to zero at random while training, "
        "so that none can rely on another.",
        paper="Krizhevsky, Sutskever and Hinton 2012, section 4.2; Srivastava et al. 2014",
    ),
    Form(
        id="off",
        title="off",
        text="Remove dropout",
        explanation="Every value counts in every step: training ends sooner, and fits its own images more closely.",
        paper="Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov 2014, Dropout, section 6.1",
    ),
)
_BETWEEN = (Category.ACTIVATION, Category.NORMALIZATION)


def _dropouts(architecture: Architecture) -> list[str]:
    return [node.id for node in architecture if isinstance(node.layer, (Dropout, Dropout2d))]


def _hidden(architecture: Architecture) -> list[Node]:
    """The fully connected layers on the way to an output that do not make its scores."""
    shapes = output_shapes(architecture)
    last = {node.id for node in scores(architecture)}
    found = []
    for node in architecture:
        arrives = shapes[node.inputs[0]] if node.inputs else None
        if isinstance(node.layer, Linear) and node.id not in last and arrives is not None and len(arrives) == 1:
            ahead = list(onwards(architecture, node.id))
            if ahead and ahead[-1].id in architecture.outputs:
                found.append(node)
    return found


def _bare(architecture: Architecture) -> list[Node]:
    """The hidden layers without dropout before or behind them; where none is hidden, the scores' layers without."""
    hidden = _hidden(architecture)
    if hidden:
        return [node for node in hidden if not _has_dropout(architecture, node)]
    if _dropouts(architecture):
        return []
    return list(scores(architecture))


def _has_dropout(architecture: Architecture, node: Node) -> bool:
    for ways in (back(architecture, node.id), onwards(architecture, node.id)):
        for other in ways:
            if isinstance(other.layer, (Dropout, Dropout2d)):
                return True
            if other.layer.category in WEIGHTED or other.layer.category is Category.POOLING:
                break
    return False


def _look(architecture: Architecture, form_id: str) -> Presence:
    has_some = bool(_dropouts(architecture))
    if has_some and _bare(architecture):
        return "mixed"
    return "on" if has_some == (form_id == "on") else "off"


def _change(architecture: Architecture, form_id: str, earlier: History) -> Architecture:
    if form_id == "off":
        return without(architecture, _dropouts(architecture))
    known = next((version for version in earlier if _dropouts(version)), None)
    if known is not None:
        architecture = restored(architecture, known, lambda node: isinstance(node.layer, (Dropout, Dropout2d)))
    bare = _bare(architecture)
    if not bare and not _dropouts(architecture):
        raise EditRefused(f"{architecture.name} has no layer that makes scores, before which dropout would stand")
    names = Names(architecture)
    if not _hidden(architecture):
        for node in bare:
            architecture = inserted_before(architecture, node.id, names.beside(node.id, "dropout"), _DROPOUT)
        return architecture
    return inserted(
        architecture,
        {_end(architecture, node): (names.beside(node.id, "dropout"), _DROPOUT) for node in bare},
    )


def _end(architecture: Architecture, node: Node) -> str:
    """The activation behind a layer, or the layer itself where there is none."""
    end = node.id
    for other in onwards(architecture, node.id):
        if other.layer.category not in _BETWEEN:
            break
        end = other.id
    return end


DROPOUT = Idea(id="dropout", title="Dropout", forms=_FORMS, look=_look, change=_change)
