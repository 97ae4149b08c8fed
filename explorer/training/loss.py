"""What a step minimises; the run, its profile and its rehearsal ask here."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.runs import RunConfig


def training_losses(outputs: Sequence[Tensor], target: Tensor, config: RunConfig) -> tuple[Tensor, Tensor]:
    """The first output's mean cross entropy, and the same with each auxiliary head's times its weight added.

    Args:
        outputs: logits, `(N, scores)` each; computed in float32 whatever they are.
        target: `(N,)` in int64, or `(N, classes)` in float32: the share of each class.
        config: of the run.
    """
    first, *heads = (_loss(logits, target, config) for logits in outputs)
    whole = first
    for head in heads:
        # "weighted by 0.3" (Szegedy et al. 2014, section 5).
        whole = whole + config.aux_weight * head
    return first, whole


def _loss(logits: Tensor, target: Tensor, config: RunConfig) -> Tensor:
    if target.dim() == 2 and target.shape[1] < logits.shape[1]:
        # A network may have more scores than the data has classes.
        target = F.pad(target, (0, logits.shape[1] - target.shape[1]))
    return F.cross_entropy(logits.float(), target, label_smoothing=config.label_smoothing)
