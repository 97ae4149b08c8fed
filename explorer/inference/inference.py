"""What `infer` returns: columns of numbers by position, totals, and the report of a node made when it is asked for.

An edit changes hundreds of nodes and a window shows dozens, so that what is shared by equal nodes stays in columns, and
a report puts together what belongs to one node.
"""

from collections.abc import Iterator, KeysView, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from explorer.architecture import Architecture, Node
from explorer.inference.advice import OnEdge
from explorer.inference.numbers import Numbers
from explorer.inference.receptive_field import ReceptiveField
from explorer.inference.repairs import issue_of, suggested
from explorer.inference.report import Context, Issue, NodeReport, Totals
from explorer.layers import Shape

_NOTHING: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reports(Mapping[str, NodeReport]):
    """The reports of all nodes by id, in the architecture's order. All is by position; `infer` alone fills it."""

    architecture: Architecture
    roles: Mapping[int, int]
    """Places among the network's outputs."""
    numbers: list[Numbers] = field(default_factory=list)
    fields: list[ReceptiveField | None] = field(default_factory=list)
    """None where the output is unknown."""
    faults: dict[int, Issue] = field(default_factory=dict)
    """Why a layer does not take what arrives."""
    meetings: dict[int, OnEdge] = field(default_factory=dict)
    """What to look for where two layers meet."""
    advice: dict[int, tuple[Issue, ...]] = field(default_factory=dict)
    """What neighbours and roles cause, where there is something."""
    _made: dict[int, NodeReport] = field(default_factory=dict)

    def __getitem__(self, node_id: str) -> NodeReport:
        return self.at(self.architecture.structure.index[node_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self.architecture.structure.index)

    def __len__(self) -> int:
        return len(self.architecture.nodes)

    def __contains__(self, node_id: object) -> bool:
        return node_id in self.architecture.structure.index

    def keys(self) -> KeysView[str]:
        """The ids."""
        return self.architecture.structure.index.keys()

    def at(self, position: int) -> NodeReport:
        """The report of the node at a position; the same object each time."""
        found = self._made.get(position)
        if found is None:
            found = self._made[position] = self._make(position)
        return found

    def differing(self, old: "Reports") -> frozenset[str]:
        """The nodes of both whose reports differ."""
        new_index, old_index = self.architecture.structure.index, old.architecture.structure.index
        if new_index is old_index:
            columns = zip(
                new_index,
                self.architecture.nodes,
                old.architecture.nodes,
                self.numbers,
                old.numbers,
                self.fields,
                old.fields,
                strict=True,
            )
            found = [
                node_id
                for node_id, node, was, numbers, before, field, seen in columns
                if (numbers is not before and not numbers.is_like(before))
                or node is not was
                or (field is not seen and field != seen)
            ]
            apart = {*self.faults, *old.faults, *self.advice, *old.advice, *self.roles, *old.roles}
            ids = [(self.architecture.nodes[position].id, position, position) for position in apart]
        else:
            found = []
            ids = [(node_id, at, old_index[node_id]) for node_id, at in new_index.items() if node_id in old_index]
        found += [node_id for node_id, position, before_at in ids if not self._is_same(position, old, before_at)]
        return frozenset(found)

    @property
    def noted(self) -> list[int]:
        """The positions of nodes with issues, in order."""
        known = {position for position, numbers in enumerate(self.numbers) if numbers.is_noted}
        advised = {position for position in self.advice if self.numbers[position].output is not None}
        return sorted(known | advised | self.faults.keys())

    def _is_same(self, position: int, old: "Reports", old_position: int) -> bool:
        """Whether a node's report is what another's was."""
        new_structure, old_structure = self.architecture.structure, old.architecture.structure
        return (
            self.numbers[position].is_like(old.numbers[old_position])
            and self.architecture.nodes[position] is old.architecture.nodes[old_position]
            and self.fields[position] == old.fields[old_position]
            and self.faults.get(position) == old.faults.get(old_position)
            and self.advice.get(position) == old.advice.get(old_position)
            and self.roles.get(position) == old.roles.get(old_position)
            and (position in new_structure.unread) is (old_position in old_structure.unread)
        )

    def _make(self, position: int) -> NodeReport:
        structure, node, numbers = (
            self.architecture.structure,
            self.architecture.nodes[position],
            self.numbers[position],
        )
        advice = self.advice.get(position, _NOTHING)
        context = Context(node, self.roles.get(position), position not in structure.unread, advice)
        if numbers.output is None:
            fault = self.faults.get(position)
            issues = () if fault is None else (fault,)
            return NodeReport(node.layer, context, numbers.inputs, None, None, None, None, None, None, None, issues)
        if numbers.is_noted:
            advice = _remarks(node, numbers) + advice
        return NodeReport(
            node.layer,
            context,
            numbers.inputs,
            numbers.output,
            numbers.parameters,
            numbers.buffers,
            numbers.macs,
            numbers.output_bytes,
            self.fields[position],
            numbers.kept,
            advice,
        )


class Inference(NamedTuple):
    """All that follows from an architecture."""

    nodes: Reports
    """By node id, in the architecture's order."""
    totals: Totals

    @property
    def issues(self) -> tuple[Issue, ...]:
        """All issues, in the architecture's order."""
        return tuple(issue for position in self.nodes.noted for issue in self.nodes.at(position).issues)

    @property
    def errors(self) -> tuple[Issue, ...]:
        """The issues that keep the network from running."""
        return tuple(issue for issue in self.issues if issue.severity == "error")


def _remarks(node: Node, numbers: Numbers) -> tuple[Issue, ...]:
    """What the layer itself says of what it takes, and what else is to be said of such shapes."""
    remarks = numbers.remarks
    issues = tuple([issue_of(node, r.severity, r.message, suggested(node, r.suggestions)) for r in remarks])
    if numbers.advise is None:
        return issues
    inputs: tuple[Shape, ...] = numbers.inputs  # type: ignore[assignment]  # known, or there were nothing to say
    return issues + numbers.advise(node, inputs)
