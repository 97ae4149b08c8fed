"""Ideas to switch on a whole network, each one pure edit with its paper: activations, pooling, norms, dropout, width.

A new idea is one file with an `Idea` or a `Scaling`, listed here.
"""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from explorer.inference.ideas.activation import ACTIVATION
from explorer.inference.ideas.averages import AVERAGES
from explorer.inference.ideas.dropout import DROPOUT
from explorer.inference.ideas.idea import Amount, Effect, Form, Idea, Presence, Scaling, effect
from explorer.inference.ideas.norms import BATCH_NORM, RESPONSE_NORM
from explorer.inference.ideas.pooling import KINDS, WINDOWS
from explorer.inference.ideas.sizes import CLASSES, IMAGES
from explorer.inference.ideas.towers import TOWERS
from explorer.inference.ideas.width import WIDTH

IDEAS: tuple[Idea, ...] = (ACTIVATION, WINDOWS, KINDS, RESPONSE_NORM, DROPOUT, TOWERS, BATCH_NORM, AVERAGES)
"""In the order in which menus list them: AlexNet's own first."""
SCALINGS: tuple[Scaling, ...] = (WIDTH, CLASSES, IMAGES)

T = TypeVar("T")

__all__ = [
    "IDEAS",
    "SCALINGS",
    "Amount",
    "Effect",
    "Form",
    "Idea",
    "Presence",
    "Scaling",
    "effect",
    "idea",
    "scaling",
]


def idea(idea_id: str) -> Idea:
    """The idea of that id.

    Raises:
        ValueError: unknown; the message lists near matches.
    """
    return _found(idea_id, {idea.id: idea for idea in IDEAS})


def scaling(scaling_id: str) -> Scaling:
    """The scaling of that id.

    Raises:
        ValueError: unknown; the message lists near matches.
    """
    return _found(scaling_id, {scaling.id: scaling for scaling in SCALINGS})


def _found(wanted: str, known: Mapping[str, T]) -> T:
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5) or sorted(known)
    raise ValueError(f"unknown idea {wanted!r}; did you mean {' or '.join(near)}?")
