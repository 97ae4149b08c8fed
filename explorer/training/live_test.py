"""The test between two tests: an instrument that evaluates some test images at a time, while somebody looks.

It goes round all of them in an order of its own, so that each class is met about evenly, and takes as many at once as
a short capture allows. Nothing of the run is touched: no random number is drawn from torch's state, the network
computes in evaluation mode as the whole test does, and the first of several processes computes alone.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager

import numpy as np
import torch
from torch import Tensor

from explorer.runs import Look
from explorer.runs.observed import ImagesEvaluated
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network
from explorer.training.class_counts import answered
from explorer.training.data import DataSet, StreamedImages
from explorer.training.feed import Feed

CAPTURE_S = 0.012
"""What one capture is to take."""
_GROWTH = 4
"""How many times as many images may be taken as the last time; the very first one also warms up."""
_KEPT = 8
"""Captures that an event holds: so many may be replaced on its way to who looks."""
_ORDER_SEED = 2_718_281


class LiveTest:
    """Evaluates test images, a few at a time; see `Instrument`."""

    needs_step = False

    def __init__(
        self,
        run_id: str,
        network: Network,
        data: DataSet,
        feed: Feed,
        autocast: Callable[[], AbstractContextManager[object]],
        most_images: int,
        device: torch.device,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Nothing is evaluated yet.

        Args:
            run_id: of the events.
            network: that trains, on its device.
            data: whose test images are evaluated.
            feed: has them as the network takes them.
            autocast: in which the network computes.
            most_images: at once, as in the whole test.
            device: where the images go.
            clock: in seconds.
        """
        self._run_id = run_id
        self._network = network
        self._data = data
        self._feed = feed
        self._autocast = autocast
        self._most_images = min(most_images, len(feed))
        self._device = device
        self._clock = clock
        self._labels = data.test_labels.cpu().numpy().astype(np.uint16)
        self._order = torch.from_numpy(np.random.default_rng(_ORDER_SEED).permutation(len(feed)))
        self._next = 0
        """Where in the order it goes on."""
        self._num_at_once = 1
        self._recent: deque[tuple[Tensor, Tensor]] = deque(maxlen=_KEPT)
        """Positions and answers of the last captures."""

    def aim(self, look: Look) -> bool:
        """Take what is looked at; whether it asks for this."""
        return look.tested and len(self._feed) > 0

    def prepare(self) -> None:
        """Nothing to keep."""

    def forget(self) -> None:
        """All images were tested, so that what was answered before is old."""
        self._recent.clear()

    def capture(self, step: int) -> ImagesEvaluated:
        """Evaluate the next ones."""
        start_s, parts = self._clock(), [self._evaluate()]
        # At first a few images tell how many fit.
        while self._clock() - start_s < CAPTURE_S / 2 and self._num_in(parts) + self._num_at_once <= self._most_images:
            parts.append(self._evaluate())
        positions, answers = (torch.cat(both, dim=-1) for both in zip(*parts, strict=True))
        self._recent.append((positions, answers))
        recent = torch.cat([places for places, _ in self._recent]).numpy()
        predicted, probabilities = torch.cat([answers for _, answers in self._recent], dim=1).numpy()
        return ImagesEvaluated(
            run_id=self._run_id,
            step=step,
            class_names=self._data.class_names,
            num_images=len(self._feed),
            positions=recent.astype(np.uint32),
            labels=self._labels[recent],
            predicted=predicted.astype(np.uint16),
            probabilities=probabilities.astype(np.float16),
        )

    def _evaluate(self) -> tuple[Tensor, Tensor]:
        """Positions of the next images and the answers to them, both on the host."""
        start_s, count = self._clock(), self._num_at_once
        positions = self._order[torch.arange(self._next, self._next + count) % len(self._order)]
        self._next = (self._next + count) % len(self._order)
        first = self._network.architecture.outputs[0]
        with torch.inference_mode(), evaluating(self._network):
            x = self._images(positions)
            with self._autocast():
                logits = self._network.trace(x, (first,))[first].float()
            # The wait for the device, so that the time is that of the work.
            answers = answered(logits, logits.argmax(1)).cpu()
        self._adapt(count, self._clock() - start_s)
        return positions, answers

    @staticmethod
    def _num_in(parts: list[tuple[Tensor, Tensor]]) -> int:
        return sum(len(positions) for positions, _ in parts)

    def _images(self, positions: Tensor) -> Tensor:
        images = self._data.test_images
        if isinstance(images, StreamedImages):
            # Here, where their time counts: the feed's way starts processes that decode beside the training.
            return self._feed.normalised(images[positions].to(self._device))
        return self._feed.batch(positions.to(self._device))[0]

    def _adapt(self, count: int, seconds: float) -> None:
        fitting = min(count * CAPTURE_S / max(seconds, 1e-9), count * _GROWTH, self._most_images)
        # Few sizes: a device prepares itself for each one that is new to it.
        self._num_at_once = 2 ** int(math.log2(max(1.0, fitting)))
