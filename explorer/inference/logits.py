"""Which values of a network are trained on: its first output, or what arrives at the softmax or log-softmax there, and
beside it the heads that score the same classes."""

from dataclasses import replace

from explorer.architecture import Architecture
from explorer.inference.inference import Inference
from explorer.layers import LogSoftmax, Softmax


def logits_node(architecture: Architecture) -> tuple[str, str | None]:
    """The id of the node whose output the training loss reads, and a sentence if that is not simply the first output.

    torch's cross entropy takes logits and applies the log-softmax itself (documentation of `CrossEntropyLoss`).
    A softmax before it would flatten the gradients; a log-softmax would change nothing and cost a pass.
    """
    output = architecture[architecture.outputs[0]]
    if isinstance(output.layer, (Softmax, LogSoftmax)) and output.layer.dim == 1:
        source = output.inputs[0]
        what = "softmax" if isinstance(output.layer, Softmax) else "log-softmax"
        return (
            source,
            f"Training reads the logits of {source}, since the loss applies the {what} of {output.id} itself.",
        )
    return output.id, None


def auxiliary_heads(architecture: Architecture, inference: Inference) -> tuple[str, ...]:
    """The nodes whose outputs are scores of the same classes as the first output's, by weights of their own.

    So the probabilities beside the logits are none, and neither is a value on the way to the first output.
    """
    if len(architecture.outputs) == 1:
        return ()
    logits_id, _ = logits_node(architecture)
    reports, shared = inference.nodes, on_the_way(architecture, logits_id)
    found: dict[str, None] = {}
    for output in architecture.outputs[1:]:
        head, _ = logits_node(replace(architecture, outputs=(output,)))
        own = on_the_way(architecture, head) - shared
        if (
            head != logits_id
            and reports[head].output_shape == reports[logits_id].output_shape
            and any(reports[node_id].num_trainable for node_id in own)
        ):
            found[head] = None
    return tuple(found)


def on_the_way(architecture: Architecture, node_id: str) -> set[str]:
    """The node and all that its value is made from."""
    found = {node_id}
    for node in reversed(architecture.nodes):
        if node.id in found:
            found.update(node.inputs)
    return found
