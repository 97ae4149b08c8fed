"""The issue of a node that cannot take its inputs: the layer's own repairs, then those that the graph offers."""

from collections.abc import Mapping

from explorer.architecture import Architecture, Node, edits
from explorer.inference.branches import joining
from explorer.inference.repairs import Place, Step, issue_of, mending
from explorer.inference.report import Issue, NodeReport, Repair
from explorer.inference.upstream import changes_before, made_maps
from explorer.layers import Fault, Shape

_MOST = 8
"""More would not be read."""


def fault_issue(
    architecture: Architecture, reports: Mapping[str, NodeReport], node: Node, fault: Fault, inputs: tuple[Shape, ...]
) -> Issue:
    """The error of a node with all that would mend it.

    Args:
        reports: of the nodes before it, by id.
    """
    place = Place(architecture, reports, node, inputs)
    if len(inputs) > 1:
        repairs = mending(node, fault, inputs) + joining(place)
    else:
        repairs = mending(node, fault, inputs, made_maps(place)) + changes_before(place)
    distinct = list(dict.fromkeys(repairs))[:_MOST]
    if not distinct:
        distinct.append(Repair("remove it", Step(edits.remove, ((node.id,),))))
    return issue_of(node, "error", fault.message, distinct)
