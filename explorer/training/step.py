"""One optimizer update, and the test: the two places where a network computes on data."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer.inference import infer
from explorer.inference.lifetimes import courses
from explorer.runs import RunConfig
from explorer.runtime.devices import device_memory
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network
from explorer.training.class_counts import Answers
from explorer.training.distributed import ALONE, Alone
from explorer.training.feed import Feed
from explorer.training.fitting import STEPS_AT_ONCE
from explorer.training.loss import training_losses
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan
from explorer.training.precision import Precision

FORWARD_SHARE = 1 / 3
"""Of a step's time that its forward pass takes, as long as no test was measured: a convolution's backward pass is two
of the same size."""
_MOST_TESTED = 4096
"""Images at once, on a GPU."""
_TESTED_BYTES = 256 * 1024**2
"""That the largest output for them may take there: work enough for any GPU."""
_TEST_SHARE = 0.25
"""Of the memory that steps leave."""


class Step:
    """Forward, backward, update. Everything that changes how a step computes belongs here."""

    def __init__(self, network: Network, optimization: Optimization, config: RunConfig, ranks: Alone = ALONE) -> None:
        """Train `network`, whose first output gives the logits; `plan.plan_run` leaves it only heads beside that."""
        self._ranks = ranks
        self._forward: Callable[[Tensor], Tensor | tuple[Tensor, ...]] = network
        self._optimization = optimization
        self._config = config
        self.precision = optimization.precision
        """That the forward pass computes in."""

    def through(self, forward: Callable[[Tensor], Tensor | tuple[Tensor, ...]]) -> "Step":
        """The same step of the same weights, with another way to compute the network's output."""
        other = copy.copy(self)
        other._forward = forward
        return other

    def in_precision(self, precision: Precision) -> "Step":
        """The same step of the same weights in another precision, one that scales no loss."""
        assert precision.name != "float16"
        other = copy.copy(self)
        other.precision = precision
        return other

    def __call__(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Update the weights by one batch.

        Args:
            x: `(N, C, H, W)`.
            target: `(N,)` in int64, or `(N, classes)` in float32: the share of each class, as Mixup and CutMix give it.

        Returns:
            The first output's mean loss and the number of images classified rightly (with shares: as their largest
            one), both before the update, on the device.
        """
        self._optimization.begin_step()
        return self.compute(x, target)

    def compute(self, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The same from where the last gradients are forgotten and the learning rate is set."""
        optimization = self._optimization
        with self.precision.autocast():
            outputs = self._ranks.forward(self._forward, x)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        loss, whole = training_losses(outputs, target, self._config)
        labels = target if target.dim() == 1 else target.argmax(1)
        right = (outputs[0].detach().argmax(1) == labels).sum()
        # What is to be reported is not scaled.
        torch.autograd.backward(self._ranks.weighted(optimization.scaled(whole), loss.detach(), right))
        measured = self._ranks.measured(loss.detach(), right)
        optimization.update()
        return measured


def evaluation_batch_size(plan: RunPlan, num_processes: int = 1) -> int:
    """Images that a run's test classifies at once.

    Without gradients an image takes less memory than in a step; small batches would only waste time. A GPU is done with
    few small images sooner than the host launches the next kernel, so that it takes as many more as it has memory for,
    in equal parts. They need no more than a step, or than a part of what steps leave.

    Args:
        num_processes: that share the test.
    """
    usual = min(512, max(32, 2 * plan.batch_size))
    if plan.device.type != "cuda":
        return usual
    inference = infer(plan.architecture)
    step, test = courses(plan.architecture, inference, "float32")
    step_bytes = step.peak(plan.batch_size).at(plan.batch_size)
    spare_bytes = device_memory(str(plan.device)).available_bytes - STEPS_AT_ONCE * step_bytes
    fitting = test.largest_batch(max(step_bytes, int(_TEST_SHARE * spare_bytes)))
    image_bytes = max(report.output_bytes or 0 for report in inference.nodes.values())
    most = max(usual, min(_MOST_TESTED, _TESTED_BYTES // image_bytes, fitting))
    num_images = -(-len(plan.data.test_images) // num_processes)
    return max(usual, -(-num_images // -(-num_images // most)))


def evaluate(
    network: Network,
    feed: Feed,
    batch_size: int,
    is_cancelled: Callable[[], bool],
    ranks: Alone = ALONE,
    answers: Answers | None = None,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> tuple[float, float] | None:
    """Mean loss and accuracy of the first output over all images, in evaluation mode; None if cancelled.

    The loss is the plain cross entropy, whatever is added to it in training.

    Args:
        answers: takes what is said of each image.
        autocast: in which the network computes; the loss is outside, in float32.
    """
    loss, correct = [], []
    if answers is not None:
        answers.begin()
    first = network.architecture.outputs[0]
    with torch.inference_mode(), evaluating(network):
        parts = [slice(start, start + batch_size) for start in ranks.part(range(0, len(feed), batch_size))]
        feed.prefetch(parts)
        for part in parts:
            if is_cancelled():
                ranks.summed(None)
                return None
            x, target = feed.batch(part)
            # Without the auxiliary heads.
            with autocast():
                logits = network.trace(x, (first,))[first]
            logits = logits.float()
            loss.append(F.cross_entropy(logits, target, reduction="sum"))
            predicted = logits.argmax(1)
            correct.append((predicted == target).sum())
            if answers is not None:
                answers.add(part.start, logits, predicted)
        # The test's one wait for the device; in float64, which MPS lacks, on the CPU.
        own = [0.0, 0.0]
        if loss:
            own = torch.stack([torch.stack(loss), torch.stack(correct).float()]).cpu().double().sum(1).tolist()
    sums = ranks.summed(own)
    if sums is None:
        return None
    return sums[0] / len(feed), sums[1] / len(feed)
