"""What a folded block's card says: sums over its nodes, what goes in and out, its first fault. No Qt."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from explorer.architecture import Architecture
from explorer.architecture.paths import Ports, parent, ports
from explorer.inference import Issue, NodeReport
from explorer.layers import Category, Shape


class BlockFacts(NamedTuple):
    """A block as one thing."""

    kind: str
    """In the field's words: "stage", "residual block"."""
    num_layers: int
    parts: tuple[int, str] | None
    """How many blocks of one kind lie directly in it, if two or more do: (6, "bottleneck")."""
    arrives: tuple[Shape | None, ...]
    """The shape of each value that it reads."""
    leaves: tuple[Shape | None, ...]
    """The shape of each value that is read from it, or that the network returns."""
    num_parameters: int
    """Of the nodes that are known."""
    macs: int
    """Multiply-accumulates for one image, of the nodes that are known."""
    fault: Issue | None
    """The first error inside."""
    warning: Issue | None
    """The first warning inside."""
    colours: tuple[tuple[Category, float], ...]
    """The categories of its layers, each with its share of them, in the order in which they come."""
    ports: Ports
    """What it reads and what is read of it."""
    exit: str
    """The node whose maps stand for it: the last that is read outside."""
    is_output: bool
    """Whether the network returns a value of it."""


def block_facts(
    architecture: Architecture,
    reports: Mapping[str, NodeReport],
    path: str,
    node_ids: Iterable[str],
    around: Ports | None = None,
) -> BlockFacts:
    """What is known of the block at a path, which holds these nodes.

    Args:
        around: its ports, where they are known already: values do not change them.
    """
    nodes = [architecture[node_id] for node_id in node_ids]
    own = [reports[node.id] for node in nodes]
    around = around or ports(architecture, nodes)
    issues = [issue for report in own if report.issues for issue in report.issues]
    errors = (issue for issue in issues if issue.severity == "error")
    warnings = (issue for issue in issues if issue.severity == "warning")
    counts: dict[Category, int] = {}
    for node in nodes:
        counts[node.layer.category] = counts.get(node.layer.category, 0) + 1
    return BlockFacts(
        kind=next(block.kind for block in architecture.blocks if block.path == path),
        num_layers=len(nodes),
        parts=_parts(architecture, path),
        arrives=tuple(reports[source].output_shape for source in around.sources),
        leaves=tuple(reports[end].output_shape for end in around.exits),
        num_parameters=sum(report.num_parameters or 0 for report in own),
        macs=sum(report.macs or 0 for report in own),
        fault=next(errors, None),
        warning=next(warnings, None),
        colours=tuple((category, count / len(nodes)) for category, count in counts.items()),
        ports=around,
        exit=around.exits[-1] if around.exits else nodes[-1].id,
        is_output=any(end in architecture.outputs for end in around.exits),
    )


def _parts(architecture: Architecture, path: str) -> tuple[int, str] | None:
    kinds: dict[str, int] = {}
    for block in architecture.blocks:
        if parent(block.path) == path:
            kinds[block.kind] = kinds.get(block.kind, 0) + 1
    kind, count = max(kinds.items(), key=lambda item: item[1], default=("", 0))
    return (count, kind) if count > 1 else None
