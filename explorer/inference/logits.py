"""Which value of a network is trained on: its first output, or what arrives at the softmax or log-softmax there."""

from explorer.architecture import Architecture
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
