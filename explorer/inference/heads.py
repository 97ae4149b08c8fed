"""Advice on what a network returns: what is trained, what is not, and what the loss makes of the first output."""

import math
from collections.abc import Sequence

from explorer.architecture import Architecture, Node, edits
from explorer.inference.logits import logits_node
from explorer.inference.repairs import Step, issue_of
from explorer.inference.report import Issue, Repair
from explorer.layers import Category, Input, Layer, Shape, Softmax

_FARTHEST = 8
"""How many nodes before the output a softmax is looked for."""


def role_advice(
    architecture: Architecture, node: Node, role: int | None, is_read: bool, arriving: Sequence[Shape | None]
) -> tuple[Issue, ...]:
    """The issues of a node that its role causes.

    Args:
        role: its place among the network's outputs; None if it is none.
        is_read: whether any node reads it.
        arriving: the shapes that it reads, all of them known.
    """
    if role is None:
        return () if is_read else (dead_end(architecture, node),)
    if role == 0:
        return tuple(first_output(architecture, node, arriving))
    return () if is_read else tuple(further_output(architecture, node))


def dead_end(architecture: Architecture, node: Node) -> Issue:
    """Nothing reads the node, and the network does not return it."""
    repairs = [Repair("return it too", Step(_return_too, (node.id,)))]
    if not isinstance(node.layer, Input):
        repairs.append(_removal(architecture, node))
    return issue_of(node, "warning", "nothing reads its output, and the network does not return it", repairs)


def further_output(architecture: Architecture, node: Node) -> list[Issue]:
    """An output beside the first that has weights of its own: it is trained as an auxiliary head, or not at all."""
    layers = [architecture[node_id].layer for node_id in only_for(architecture, node.id)]
    if not any(_has_weights(layer) for layer in layers):
        return []
    message = (
        "training reads the first output; this one is trained beside it only if it scores the same classes, "
        "as an auxiliary head with the weight that the recipe gives it (aux_weight)"
    )
    repairs = [Repair("train this one", Step(_return_first, (node.id,))), _removal(architecture, node)]
    return [issue_of(node, "note", message, repairs)]


def first_output(architecture: Architecture, node: Node, arriving: Sequence[Shape | None]) -> list[Issue]:
    """The output that is trained on: cross-entropy takes it as logits (`torch.nn.CrossEntropyLoss`)."""
    layer = node.layer
    if layer.category is Category.REGULARIZATION:
        message = "drops values of the network's output while training, so that right answers are punished at random"
        return [issue_of(node, "warning", message, (_remove(node),))]
    if not arriving:
        return []
    shape = arriving[0]
    logits_id, _ = logits_node(architecture)
    if logits_id != node.id:
        name = "softmax" if isinstance(layer, Softmax) else "log-softmax"
        message = f"training reads the logits of {logits_id}: cross-entropy applies the {name} itself"
        return [issue_of(node, "note", message, (_remove(node),))]
    if shape is None:
        return []
    if layer.category is Category.ACTIVATION and len(shape) == 1:
        message = f"cross-entropy takes the network's output as logits, any real numbers; {_harm(layer, shape)}"
        return [issue_of(node, "warning", message, (_remove(node),))]
    return _softmax_before(architecture, node)


def _softmax_before(architecture: Architecture, node: Node) -> list[Issue]:
    """A softmax a few layers before the output, with nothing learned between: the loss would apply a second one."""
    at = node
    for _ in range(_FARTHEST):
        if at.layer.category not in (Category.RESHAPE, Category.OTHER, Category.REGULARIZATION) or len(at.inputs) != 1:
            return []
        at = architecture[at.inputs[0]]
        if isinstance(at.layer, Softmax):
            message = f"the probabilities of {at.id} are trained on, and cross-entropy applies a second softmax to them"
            return [issue_of(node, "warning", message, (Repair(f"remove {at.id}", Step(edits.remove, ((at.id,),))),))]
    return []


def _harm(layer: Layer, shape: Shape) -> str:
    match layer.type_name:
        case "Sigmoid" | "Hardsigmoid" | "Softmax":
            most = math.e / (math.e + shape[0] - 1)
            return f"between 0 and 1, no class of {shape[0]:,} gets more than {most:.0%}".replace("%", " %")
        case "Tanh":
            most = math.e / (math.e + (shape[0] - 1) / math.e)
            return f"between −1 and 1, no class of {shape[0]:,} gets more than {most:.0%}".replace("%", " %")
        case _:
            return f"{layer.type_name} bends them, and where it is flat nothing is learned"


def only_for(architecture: Architecture, node_id: str) -> tuple[str, ...]:
    """The node and all before it that nothing else needs, the node first."""
    found = {node_id: None}
    waiting = [node_id]
    while waiting:
        for source in architecture[waiting.pop()].inputs:
            if source in found or source in architecture.outputs or not architecture[source].inputs:
                continue
            if all(reader in found for reader in architecture.consumers(source)):
                found[source] = None
                waiting.append(source)
    return tuple(found)


def _has_weights(layer: Layer) -> bool:
    return layer.category in (Category.CONVOLUTION, Category.LINEAR)


def _remove(node: Node) -> Repair:
    return Repair("remove it", Step(edits.remove, ((node.id,),)))


def _removal(architecture: Architecture, node: Node) -> Repair:
    many = len(only_for(architecture, node.id)) > 1
    text = "remove it and what leads to it only" if many else "remove it"
    return Repair(text, Step(_remove_branch, (node.id,)))


def _remove_branch(architecture: Architecture, node_id: str) -> Architecture:
    if node_id not in architecture:
        raise edits.EditRefused(f"{node_id!r} is not in {architecture.name}")
    outputs = tuple(output for output in architecture.outputs if output != node_id)
    branch = only_for(architecture, node_id)
    if outputs and outputs != architecture.outputs:
        architecture = edits.set_outputs(architecture, outputs)
    # From the end on, so that nothing is left that reads what goes.
    order = architecture.structure.index
    return edits.remove(architecture, sorted(branch, key=lambda gone: -order[gone]))


def _return_too(architecture: Architecture, node_id: str) -> Architecture:
    return edits.set_outputs(architecture, (*architecture.outputs, node_id))


def _return_first(architecture: Architecture, node_id: str) -> Architecture:
    others = (output for output in architecture.outputs if output != node_id)
    return edits.set_outputs(architecture, (node_id, *others))
