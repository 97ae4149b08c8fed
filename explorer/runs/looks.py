"""What somebody looks at while a network trains, or rests: whose feature maps, whose weights, on which images.

The window's views each say their own `Look`; merged they are what a run is asked, and it captures nothing else but what
its time machine keeps. The answers are the events of `observed`.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

MOST_PROBES = 8
_NODES = ("maps", "opened", "weighed", "first_kernels")
"""What of a look is a row of nodes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Probe:
    """An image that a network is looked at with. Compared by identity, as it holds an array; see `same_as`."""

    label: str
    """What the screen calls it: "digit 7, no. 3", or a file's name. Of several probes no two have the same."""
    image: npt.NDArray[Any]
    """`(H, W)` grey or `(C, H, W)` as the data set holds its images, usually uint8; read-only."""
    target: int | None = None
    """Its class; None where it is not known."""

    def same_as(self, other: "Probe") -> bool:
        """Whether label, class and pixels are equal."""
        return (
            self.label == other.label
            and self.target == other.target
            and self.image.dtype == other.image.dtype
            and np.array_equal(self.image, other.image)
        )


class Pixel(NamedTuple):
    """One value of a node's output. A vector's values are channels of one pixel."""

    node_id: str
    channel: int
    row: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What is looked at; where everything is empty nothing is captured. Compared by identity; see `same_as`."""

    probes: tuple[Probe, ...] = ()
    """At most `MOST_PROBES`; empty for the trainer's choice, which is the first test image."""
    current: int = 0
    """The probe that `maps` and `opened` are shown for."""
    maps: tuple[str, ...] = ()
    """Nodes whose feature maps are on screen as small pictures."""
    opened: tuple[str, ...] = ()
    """Nodes that are looked at closely: their values in full, with what goes in and their parameters."""
    weighed: tuple[str, ...] = ()
    """Nodes whose weights, and their gradients and change since the start, are on screen."""
    first_kernels: tuple[str, ...] = ()
    """Nodes of whose weights only the first are, as small pictures."""
    measures: bool = False
    """Whether every layer's statistics are: norms, ratios, dead and saturated shares, histograms."""
    explained: bool = False
    """Whether the predictions for the probes are, with what they rest on."""
    explained_layer: str | None = None
    """The node whose channels Grad-CAM weighs; None for the last one with a height and width."""
    explained_class: int | None = None
    """The class that is explained; None for each probe's own prediction."""
    pointed: Pixel | None = None
    """The value whose measured receptive field is on screen."""
    compared: tuple[str, int] | None = None
    """The node and its channel that are on screen for all probes."""
    tested: bool = False
    """Whether it is on screen what a run answers to its test images, between one whole test and the next."""

    @property
    def is_empty(self) -> bool:
        asked = (self.maps, self.opened, self.weighed, self.measures, self.explained, self.pointed, self.compared)
        return not (any(asked) or self.first_kernels or self.tested)

    @property
    def probe(self) -> Probe | None:
        """The one that `maps` and `opened` are shown for; None for the trainer's choice."""
        return self.probes[min(self.current, len(self.probes) - 1)] if self.probes else None

    def same_as(self, other: "Look") -> bool:
        """Whether both look at the same, whatever the order of nodes was asked in."""
        names = ("current", "measures", "explained", "explained_layer", "explained_class", "pointed", "compared")
        return (
            all(getattr(self, name) == getattr(other, name) for name in (*names, "tested"))
            and all(set(getattr(self, name)) == set(getattr(other, name)) for name in _NODES)
            and len(self.probes) == len(other.probes)
            and all(a.same_as(b) for a, b in zip(self.probes, other.probes, strict=True))
        )

    def beyond(self, shown: "Look") -> "Look":
        """What is looked at here and not in `shown`, which is of the same network, weights and probes."""
        explains_as_shown = shown.explained and (self.explained_layer, self.explained_class) == (
            shown.explained_layer,
            shown.explained_class,
        )
        return dataclasses.replace(
            self,
            maps=tuple(node_id for node_id in self.maps if node_id not in shown.maps),
            opened=tuple(node_id for node_id in self.opened if node_id not in shown.opened),
            weighed=tuple(node_id for node_id in self.weighed if node_id not in shown.weighed),
            first_kernels=tuple(node_id for node_id in self.first_kernels if node_id not in shown.first_kernels),
            measures=self.measures and not shown.measures,
            explained=self.explained and not explains_as_shown,
            pointed=None if self.pointed == shown.pointed else self.pointed,
            compared=None if self.compared == shown.compared else self.compared,
            tested=self.tested and not shown.tested,
        )


def merged(looks: Sequence[Look], probes: tuple[Probe, ...] = (), current: int = 0) -> Look:
    """All that several views look at, with the same probes; nodes without repeats, in the order of the views."""
    explaining = next((look for look in looks if look.explained), Look())
    return Look(
        probes=probes,
        current=current,
        maps=tuple(dict.fromkeys(chain.from_iterable(look.maps for look in looks))),
        opened=tuple(dict.fromkeys(chain.from_iterable(look.opened for look in looks))),
        weighed=tuple(dict.fromkeys(chain.from_iterable(look.weighed for look in looks))),
        first_kernels=tuple(dict.fromkeys(chain.from_iterable(look.first_kernels for look in looks))),
        measures=any(look.measures for look in looks),
        explained=explaining.explained,
        explained_layer=explaining.explained_layer,
        explained_class=explaining.explained_class,
        compared=next((look.compared for look in looks if look.compared is not None), None),
        pointed=next((look.pointed for look in looks if look.pointed is not None), None),
        tested=any(look.tested for look in looks),
    )
