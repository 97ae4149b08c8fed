"""Which variable holds which value in one exported `forward`.

`x` runs along the trunk, `branch` along what leaves it for more than one layer, `branch1` and so on where several are
alive at once; a value that waits for a join, or that is returned beside others, is called after its layer.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from explorer.architecture import Architecture, Node
from explorer.export.naming import Names, variable
from explorer.layers import Input, LogSoftmax, Softmax

_TRUNK = "x"


class Step(NamedTuple):
    """One statement: a node or block is called with values and gives values, all by node id."""

    unit: str
    sources: tuple[str, ...]
    values: tuple[str, ...]


def name_values(
    architecture: Architecture, inputs: Sequence[str], steps: Sequence[Step], results: Sequence[str]
) -> dict[str, str]:
    """The variable of each value.

    Args:
        inputs: values that arrive as parameters.
        steps: the statements, in order.
        results: values that are returned.
    """
    return _Naming(architecture, inputs, steps, results).variables


class _Naming:
    def __init__(
        self, architecture: Architecture, inputs: Sequence[str], steps: Sequence[Step], results: Sequence[str]
    ) -> None:
        self._architecture = architecture
        self._results = frozenset(results) if len(results) > 1 else frozenset()
        self._readers: dict[str, list[int]] = {value: [] for value in inputs}
        self._steps = steps
        for position, step in enumerate(steps):
            for source in dict.fromkeys(step.sources):
                self._readers[source].append(position)
            for value in step.values:
                self._readers[value] = []
        for value in results:
            self._readers[value].append(len(steps))
        self._names = Names((_TRUNK, "branch"))
        self.variables: dict[str, str] = {}
        self._held: dict[str, str] = {}
        """The value that each of the running variables, the trunk and the branches, holds."""
        for value in inputs:
            name = _TRUNK if len(inputs) == 1 else self._own_name(value, value)
            self.variables[value] = name
            if name == _TRUNK:
                self._held[name] = value
        for position, step in enumerate(steps):
            for value in step.values:
                name = self._choose(position, step, value)
                self.variables[value] = name
                if name == _TRUNK or name.startswith("\0"):
                    self._held[name] = value
        self._name_branches()

    def _choose(self, position: int, step: Step, value: str) -> str:
        if value in self._results or len(step.values) > 1:
            return self._own_name(step.unit if len(step.values) == 1 else value, value)
        sources = tuple(dict.fromkeys(step.sources))
        goes_on = len(sources) == 1 and len(self._readers[sources[0]]) == 1
        if goes_on and self._held.get(self.variables[sources[0]]) == sources[0]:
            return self.variables[sources[0]]
        if (goes_on or len(sources) > 1) and self._is_free(_TRUNK, position):
            return _TRUNK
        readers = self._readers[value]
        if len(readers) == 1 and readers[0] < len(self._steps):
            reader = self._steps[readers[0]]
            if len(set(reader.sources)) == 1 and len(reader.values) == 1:
                return self._free_branch(position)
        return self._own_name(step.unit, value)

    def _is_free(self, name: str, position: int) -> bool:
        value = self._held.get(name)
        return value is None or not self._readers[value] or self._readers[value][-1] <= position

    def _free_branch(self, position: int) -> str:
        number = 1
        while not self._is_free(f"\0{number}", position):
            number += 1
        return f"\0{number}"

    def _name_branches(self) -> None:
        marks = sorted({name for name in self._held if name.startswith("\0")}, key=lambda mark: int(mark[1:]))
        names = {marks[0]: "branch"} if len(marks) == 1 else {m: self._names.fresh(f"branch{m[1:]}") for m in marks}
        self.variables = {value: names.get(name, name) for value, name in self.variables.items()}

    def _own_name(self, unit: str, value: str) -> str:
        node = self._architecture[value]
        if isinstance(node.layer, Input):
            return self._names.fresh("images")
        if kind := self._kind(node):
            return self._names.fresh(kind)
        if any(self._kind(reader) for reader in self._reading(node)):
            return self._names.fresh("logits")
        return self._names.fresh(variable(unit))

    def _kind(self, node: Node) -> str | None:
        """What the network returns at a softmax; one inside it is a layer like others."""
        if node.id not in self._architecture.outputs:
            return None
        if isinstance(node.layer, Softmax):
            return "probabilities"
        return "log_probabilities" if isinstance(node.layer, LogSoftmax) else None

    def _reading(self, node: Node) -> Iterable[Node]:
        return (self._architecture[reader] for reader in self._architecture.consumers(node.id))
