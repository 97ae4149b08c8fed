"""Which value of a network is trained on: its first output, or what arrives at the softmax there."""

from explorer.architecture import Architecture
from explorer.layers import Softmax


def logits_node(architecture: Architecture) -> tuple[str, str | None]:
    """The id of the node whose output the training loss reads, and a sentence if that is not simply the first output.

    torch's cross entropy takes logits and applies the softmax itself (documentation of `torch.nn.CrossEntropyLoss`);
    a second softmax before it would flatten the gradients.
    """
    output = architecture[architecture.outputs[0]]
    if isinstance(output.layer, Softmax) and output.layer.dim == 1:
        source = output.inputs[0]
        return source, (
            f"Training reads the logits of {source}, since the loss applies the softmax of {output.id} itself."
        )
    return output.id, None
