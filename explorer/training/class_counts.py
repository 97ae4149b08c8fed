"""What the test says of each image, collected where it is computed and fetched once at its end."""

import numpy as np
import torch
from torch import Tensor

from explorer.runs.class_figures import MOST_CLASSES, TestedImages
from explorer.training.distributed import ALONE, Alone


def answered(logits: Tensor, predicted: Tensor) -> Tensor:
    """The answers to some images, `(2, n)` on their device: class and probability.

    Args:
        logits: `(n, scores)`.
        predicted: the highest score's place in each row, `(n,)`.
    """
    # In float32, where a class fits exactly, so that both travel together.
    scores = logits.float()
    surest = (scores.amax(1) - scores.logsumexp(1)).exp()
    return torch.stack([predicted.clamp(max=MOST_CLASSES - 1).float(), surest])


class Answers:
    """Collects the answers of one test after the other."""

    def __init__(self, labels: Tensor, class_names: tuple[str, ...]) -> None:
        """Expect answers to images of these labels, `(N,)`, on any device."""
        self._labels = labels
        self._class_names = class_names
        self._starts: list[int] = []
        self._parts: list[Tensor] = []

    def begin(self) -> None:
        """Forget the test before."""
        self._starts, self._parts = [], []

    def add(self, start: int, logits: Tensor, predicted: Tensor) -> None:
        """Take the answers to consecutive images, without waiting for the device.

        Args:
            start: the place of the first one.
            logits: `(n, scores)`.
            predicted: the highest score's place in each row, `(n,)`.
        """
        self._starts.append(start)
        self._parts.append(answered(logits, predicted))

    def fetch(self, ranks: Alone = ALONE) -> TestedImages:
        """All answers; the test has waited for the device, so this copies only.

        With several processes each has a part, and all must call it.
        """
        table = torch.zeros(2, len(self._labels))
        fetched = torch.cat(self._parts, dim=1).cpu() if self._parts else table[:, :0]
        counts = [part.shape[1] for part in self._parts]
        for start, count, part in zip(self._starts, counts, torch.split(fetched, counts, dim=1), strict=True):
            table[:, start : start + count] = part
        self.begin()
        # Everyone else has zeros there, so that sums are the values.
        table = ranks.sum_of(table)
        return TestedImages(
            class_names=self._class_names,
            labels=self._labels.cpu().numpy().astype(np.uint16),
            predicted=table[0].numpy().astype(np.uint16),
            probabilities=table[1].numpy().astype(np.float16),
        )
