"""A run's own step on a copy, to be measured before the run: the same plan, feed, step and optimizer, nothing recorded.

Nothing that is the user's is touched: the network is built for the occasion, the learning rate is 0 so that the weights
stay what they are however many steps are made, and torch's random state is put back. Since that state is one for the
whole program, no run may compute meanwhile: `end_rehearsals` is called before one starts.
"""

import dataclasses
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.runs import RunConfig
from explorer.runs.data_sources import data_title
from explorer.runtime.modules import Network, build_module
from explorer.training.data import DataCancelled, data_at_hand
from explorer.training.distributed import Alone
from explorer.training.feed import Feed
from explorer.training.layout import choose_memory_format, set_memory_format
from explorer.training.model_split import on_devices
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan, plan_run
from explorer.training.precision import computing_in
from explorer.training.step import Step
from explorer.training.train_batches import TrainBatches, network_bytes_of

Cancelled = Callable[[], bool]

_LOOK_S = 0.05
_DRAWN_AHEAD = 64
"""Batches whose images are announced, so that those that lie in files are read ahead as in a run."""
_condition = threading.Condition()
_running: set[threading.Event] = set()
"""What ends each rehearsal that is under way or waits for its turn."""
_turn = threading.Lock()
"""One at a time: two would disturb each other's times."""


class RehearsalCancelled(Exception):  # noqa: N818 - it says what happened
    """The user, or a run that starts, ended it."""

    def __init__(self) -> None:
        super().__init__("Ended, since a run starts.")


class Rehearsal:
    """Everything that makes a step of the run that the plan describes."""

    def __init__(self, plan: RunPlan, notes: tuple[str, ...], has_data: bool, is_cancelled: Cancelled) -> None:
        """Build it on the plan's device.

        Args:
            plan: of the run.
            notes: how it differs from the run that was asked for.
            has_data: whether the images are those of the run.
            is_cancelled: whether to stop.
        """
        self.plan = plan
        self.notes = notes
        self.has_data = has_data
        self._is_cancelled = is_cancelled
        config, device = plan.config, plan.device
        self._layout = choose_memory_format(plan.architecture, device)
        self._batches = TrainBatches(plan, self._layout, Alone())
        self._test_feed: Feed | None = None
        network = on_devices(build_module(plan.architecture, seed=config.seed), plan)
        self.network: Network = set_memory_format(network, self._layout)
        self.optimization = Optimization(self.network, config, device, plan.steps_per_epoch)
        self.optimization.learning_rate = 0.0
        self.step = Step(self.network, self.optimization, config)
        self._random = torch.Generator().manual_seed(config.seed)
        self._coming: deque[Tensor] = deque()

    def batch(self) -> tuple[Tensor, Tensor]:
        """Images drawn at random as the network takes them, and what they should be recognised as."""
        if not self._coming:
            draws = torch.randint(len(self._batches), (_DRAWN_AHEAD, self.plan.batch_size), generator=self._random)
            self._coming.extend(draws.to(self.plan.device))
            self._batches.prefetch(self._coming)
        return self._batches.batch(self._coming.popleft(), self._random)

    @property
    def is_mixed(self) -> bool:
        """Whether targets are shares of the classes, since images are mixed."""
        return self._batches.is_mixed

    def test_feed(self) -> Feed:
        """The test images, on the device from the first call on."""
        if self._test_feed is None:
            plan, data = self.plan, self.plan.data
            self._test_feed = Feed(
                data.test_images,
                data.test_labels,
                plan.architecture.input_shape,
                plan.normalization,
                plan.device,
                memory_format=self._layout,
                network_bytes=network_bytes_of(plan),
            )
        return self._test_feed

    def close(self) -> None:
        """End what reads images ahead."""
        self._batches.close()
        if self._test_feed is not None:
            self._test_feed.close()

    def look(self) -> None:
        """Go on only if nobody wants it to end.

        Raises:
            RehearsalCancelled: somebody does.
        """
        if self._is_cancelled():
            raise RehearsalCancelled


@contextmanager
def rehearsing(architecture: Architecture, config: RunConfig, is_cancelled: Cancelled) -> Iterator[Rehearsal]:
    """A rehearsal of the run that this configuration would start; waits for its turn.

    Where the data set is not on this computer, the embedded digits take its place, and a note says so.

    Raises:
        RehearsalCancelled: the user, or a run that starts, ended it.
        ValueError: the run could not start either; the message says what would fit.
    """
    ended = threading.Event()

    def is_over() -> bool:
        return ended.is_set() or is_cancelled()

    with _condition:
        _running.add(ended)
    try:
        while not _turn.acquire(timeout=_LOOK_S):
            if is_over():
                raise RehearsalCancelled
        try:
            if is_over():
                raise RehearsalCancelled
            with _planned(architecture, config, is_over) as rehearsal:
                yield rehearsal
        finally:
            _turn.release()
    finally:
        with _condition:
            _running.discard(ended)
            _condition.notify_all()


def end_rehearsals() -> None:
    """Let all rehearsals stop, and return once the last has: a run may draw its random numbers then."""
    with _condition:
        for ended in _running:
            ended.set()
        _condition.wait_for(lambda: not _running)


@contextmanager
def _planned(architecture: Architecture, config: RunConfig, is_over: Cancelled) -> Iterator[Rehearsal]:
    name, elsewhere = data_at_hand(config.data)
    notes: tuple[str, ...] = ()
    if elsewhere is not None:
        notes = (f"Measured on digits: {data_title(config.data)} is not on this computer.",)
    try:
        plan = plan_run(architecture, dataclasses.replace(config, data=name), is_cancelled=is_over)
    except DataCancelled as error:
        raise RehearsalCancelled from error
    on_gpu = [device for device in (plan.device, *plan.other_devices) if device.type == "cuda"]
    with torch.random.fork_rng(devices=on_gpu):
        torch.manual_seed(config.seed)
        with computing_in(plan.precision):
            rehearsal = Rehearsal(plan, notes, elsewhere is None, is_over)
            try:
                yield rehearsal
            finally:
                rehearsal.close()
