"""Repairs: what mends an issue, as edits of the architecture; here those that a layer suggests for itself.

Those that change the nodes before it are in `upstream`, those of merges in `branches`; `faults` puts them together.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal, NamedTuple

from explorer.architecture import Architecture, Node, edits
from explorer.inference.report import Issue, NodeReport, Repair
from explorer.layers import Fault, Flatten, InsertBefore, Kind, Layer, SetValue, Shape, Suggestion
from explorer.layers.checked import Checked

_MOST_STEPS = 4
"""A layer may have several faults, of which it tells the first; a repair mends at most this many in one go."""
_MOST_TRIED = 8
"""Of a layer's candidates, where none is enough."""


@dataclass(frozen=True, slots=True)
class Step:
    """An edit with its arguments. Equal steps do the same, so that issues can be compared."""

    edit: Callable[..., Architecture]
    arguments: tuple[object, ...]

    def __call__(self, architecture: Architecture) -> Architecture:
        """The edited architecture.

        Raises:
            EditRefused: the architecture has changed so that the edit no longer applies.
            ValueError: a value that the layer, which has changed since, does not take.
        """
        return self.edit(architecture, *self.arguments)


@dataclass(frozen=True, slots=True)
class Steps:
    """Edits one after another, as one."""

    steps: tuple[Step, ...]

    def __call__(self, architecture: Architecture) -> Architecture:
        """The edited architecture; raises as `Step` does."""
        for step in self.steps:
            architecture = step(architecture)
        return architecture


class Place(NamedTuple):
    """A node among its neighbours, with what is known of those before it."""

    architecture: Architecture
    reports: Mapping[str, NodeReport]
    """Of the nodes before it, by id."""
    node: Node
    inputs: tuple[Shape, ...]
    """What arrives at it."""

    def report(self, node_id: str) -> NodeReport:
        """The report of a node before this one."""
        return self.reports[node_id]

    def is_private(self, node_id: str) -> bool:
        """Whether one node alone reads its output, and the network does not return it."""
        return len(self.architecture.consumers(node_id)) == 1 and node_id not in self.architecture.outputs


def issue_of(
    node: Node, severity: Literal["error", "warning", "note"], message: str, repairs: Iterable[Repair]
) -> Issue:
    """An issue at a node."""
    return Issue(node.id, severity, message, tuple(repairs))


def suggested(node: Node, suggestions: Iterable[Suggestion]) -> list[Repair]:
    """A layer's suggestions as edits of its node."""
    return [Repair(suggestion.text, _step(node, suggestion)) for suggestion in suggestions]


def mending(node: Node, fault: Fault, inputs: tuple[Shape, ...], further: Iterable[Suggestion] = ()) -> list[Repair]:
    """The edits of the node itself that mend its fault, tried on the layer.

    A suggestion that leaves the layer with another fault is completed by that one's suggestions.

    Args:
        further: suggestions beside the layer's own.
    """
    repairs: list[Repair] = []
    for chain in _chains(node.layer, inputs, fault, further):
        text = ", ".join(suggestion.text for suggestion in chain)
        steps = tuple(_step(node, suggestion) for suggestion in chain)
        repair = Repair(text, steps[0] if len(steps) == 1 else Steps(steps))
        if repair not in repairs:
            repairs.append(repair)
    return repairs


def set_value(node_id: str, name: str, value: object) -> Step:
    """Change one hyper-parameter of a node."""
    return Step(edits.set_value, (node_id, name, value))


def insert_before(node_id: str, layer: Layer, port: int = 0) -> Step:
    """Put a layer before a node, on input `port`."""
    return Step(edits.insert_before, (node_id, layer, port))


def _step(node: Node, suggestion: Suggestion) -> Step:
    if isinstance(suggestion, SetValue):
        return set_value(node.id, suggestion.name, suggestion.value)
    return insert_before(node.id, suggestion.layer, suggestion.port)


def _chains(
    layer: Layer, inputs: tuple[Shape, ...], fault: Fault, further: Iterable[Suggestion]
) -> Iterator[tuple[Suggestion, ...]]:
    """Suggestions that, one after another, leave no fault."""
    found = False
    for suggestion in (*fault.suggestions, *further, *_general(layer, inputs, fault)):
        if (rest := _completed(layer, inputs, suggestion, (fault.message,))) is not None:
            found = True
            yield (suggestion, *rest)
    if not found:
        for suggestion in _partial(layer, inputs):
            if (rest := _completed(layer, inputs, suggestion, (fault.message,))) is not None:
                yield (suggestion, *rest)
                return


def _general(layer: Layer, inputs: tuple[Shape, ...], fault: Fault) -> Iterator[Suggestion]:
    """What may mend a fault of any layer, where the layer has not said it itself."""
    said = {suggestion.name for suggestion in fault.suggestions if isinstance(suggestion, SetValue)}
    for parameter in layer.hyper_parameters:
        if parameter.kind is Kind.FOLLOWS and parameter.name not in said and getattr(layer, parameter.name) is not None:
            yield SetValue(f"{parameter.name} follows the input", parameter.name, None)
    flattens = any(isinstance(s, InsertBefore) and isinstance(s.layer, Flatten) for s in fault.suggestions)
    if len(inputs) == 1 and len(inputs[0]) > 1 and not flattens:
        yield InsertBefore("flatten before", Flatten())


def _partial(layer: Layer, inputs: tuple[Shape, ...]) -> Iterator[Suggestion]:
    """Suggestions that a layer with several faults keeps to itself, since none of them is enough."""
    if isinstance(layer, Checked):
        yield from islice(layer.candidates(inputs), _MOST_TRIED)


def _completed(
    layer: Layer, inputs: tuple[Shape, ...], suggestion: Suggestion, seen: tuple[str, ...]
) -> tuple[Suggestion, ...] | None:
    """What else is needed once the suggestion is followed; None where it leads nowhere.

    Args:
        seen: the messages of the faults on the way here.
    """
    followed = _followed(layer, inputs, suggestion)
    if followed is None:
        return None
    layer, inputs = followed
    fault = layer.fault(inputs)
    if fault is None:
        return ()
    if fault.message in seen or len(seen) == _MOST_STEPS:
        return None
    for further in fault.suggestions or _partial(layer, inputs):
        if (rest := _completed(layer, inputs, further, (*seen, fault.message))) is not None:
            return (further, *rest)
    return None


def _followed(
    layer: Layer, inputs: tuple[Shape, ...], suggestion: Suggestion
) -> tuple[Layer, tuple[Shape, ...]] | None:
    """The layer and what arrives at it once a suggestion is followed; None where that cannot be."""
    if isinstance(suggestion, SetValue):
        try:
            return layer.with_value(suggestion.name, suggestion.value), inputs
        except ValueError:
            return None
    port, new = suggestion.port, suggestion.layer
    if new.fault((inputs[port],)) is not None:
        return None
    return layer, (*inputs[:port], new.output_shape((inputs[port],)), *inputs[port + 1 :])
