"""What a folded block's card says: sums over its nodes, what goes in and out, its first fault. No Qt."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from explorer.architecture import Architecture
from explorer.architecture.block_view import parts
from explorer.architecture.folding import Shown
from explorer.architecture.paths import Ports, ports
from explorer.inference import Inference, Issue, NodeReport
from explorer.layers import Category, Shape


class BlockFacts(NamedTuple):
    """A block as one thing."""

    node_ids: tuple[str, ...]
    """All that lies in it, in order."""
    kind: str
    """In the field's words: "stage", "residual block"."""
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

    @property
    def num_layers(self) -> int:
        """How many layers lie in it."""
        return len(self.node_ids)


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
        node_ids=tuple(node.id for node in nodes),
        parts=parts(architecture, path),
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


class Sums(NamedTuple):
    """What an open block holds, of the nodes that are known."""

    num_parameters: int
    macs: int
    """Multiply-accumulates for one image."""


def frame_sums(shown: Shown, inference: Inference) -> Mapping[str, Sums]:
    """The sums over each open block, by its path; one look at each node."""
    index, columns = inference.nodes.architecture.structure.index, inference.nodes.numbers
    parameters, macs = dict.fromkeys(shown.frames, 0), dict.fromkeys(shown.frames, 0)
    for node_id, item in shown.holders.items():
        frame = shown.inside.get(item)
        if frame is not None:
            own = columns[index[node_id]]
            parameters[frame] += own.parameters or 0
            macs[frame] += own.macs or 0
    # Each stands before those inside it.
    for path in reversed(shown.frames):
        around = shown.inside.get(path)
        if around is not None:
            parameters[around] += parameters[path]
            macs[around] += macs[path]
    return {path: Sums(parameters[path], macs[path]) for path in shown.frames}
