"""The run itself: `train` goes from the first step to the last and says what happens as events.

It knows no window: it runs in a background thread, from the command line, or in a test. What it may be told is
`RunControl`; how one step computes is `step`; what is decided beforehand is `plan`.
"""

import logging
import math
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.runs import (
    CheckpointSaved,
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStore,
    RunStoreError,
    StateChanged,
    StepsRecorded,
    WeightsFacts,
)
from explorer.runtime.devices import device_name
from explorer.runtime.modules import Network, build_module
from explorer.runtime.weights import carry_weights, load_weights
from explorer.training.checkpoint import Checkpoint
from explorer.training.failures import Diverged, WeightsNotWritten, is_explained, message_of
from explorer.training.feed import Feed
from explorer.training.pacing import ReportPacing, Speed
from explorer.training.pictures import Pictures
from explorer.training.plan import RunPlan, plan_run
from explorer.training.step import Step, evaluate, make_optimizer, set_memory_format

_logger = logging.getLogger(__name__)
_FEWEST_STEPS = 5
"""Steps before the time left is worth an estimate."""


def train(
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    run_id: str,
    store: RunStore | None = None,
    initial_weights: Path | None = None,
) -> RunFinished | RunFailed:
    """Train a network from start to end, in the calling thread. No exception leaves it.

    Equal arguments on the same CPU give equal losses to the last bit, whatever is watched meanwhile.

    Args:
        architecture: the network; its first output is trained on.
        config: how.
        emit: receives each event in this thread; what it raises is logged and the run goes on.
        control: how the run is told to pause, step, stop, use another learning rate, and what is looked at.
        run_id: of each event; the id that `RunStore.create` gave where there is a store.
        store: records the events, and its folder of the run takes the weights after each epoch.
        initial_weights: a safetensors file whose tensors are taken over where they fit.

    Returns:
        The last event.
    """
    say = _Voice(emit, store).say
    checkpoint = Checkpoint(None)
    plan: RunPlan | None = None
    run: _Run | None = None
    result: RunFinished | RunFailed
    try:
        if store is not None:
            checkpoint = Checkpoint(store.get(run_id).weights_path)
        plan = plan_run(architecture, config, initial_weights)
        checkpoint.facts = WeightsFacts(
            text=f"run {run_id}", normalization=plan.normalization, class_names=plan.data.class_names
        )
        on_gpu = [plan.device] if plan.device.type == "cuda" else []
        # Dropout draws from torch's global state; whoever called finds it as it was.
        with torch.random.fork_rng(devices=on_gpu):
            torch.manual_seed(config.seed)
            network, notes = _network(plan, initial_weights)
            run = _Run(run_id, plan, network, say, control, checkpoint)
            result = run.run(notes)
    except Exception as error:
        result = RunFailed(
            run_id=run_id,
            message=message_of(error, plan, step := run.step if run is not None else None),
            details="" if is_explained(error, step is not None) else traceback.format_exc(),
            checkpoint=checkpoint.saved,
        )
    say(result)
    return result


class _Voice:
    """Says events to the store and to the listener; neither can break the run."""

    def __init__(self, emit: Callable[[Event], None], store: RunStore | None) -> None:
        self._emit = emit
        self._store = store
        self._troubles: set[str] = set()

    def say(self, event: Event) -> None:
        if self._store is not None:
            try:
                self._store.record(event)
            except RunStoreError as error:
                self._log_once("the run is not recorded: %s", error)
        try:
            self._emit(event)
        except Exception as error:
            self._log_once("nobody hears the run: %r", error)

    def _log_once(self, text: str, error: Exception) -> None:
        if text not in self._troubles:
            self._troubles.add(text)
            _logger.warning(text, error)


def _network(plan: RunPlan, initial_weights: Path | None) -> tuple[Network, tuple[str, ...]]:
    network = build_module(plan.architecture, seed=plan.config.seed)
    notes = plan.notes
    if initial_weights is not None:
        report = carry_weights(load_weights(initial_weights), network)
        text = f"{len(report.carried)} of {len(report.carried) + len(report.reinitialised)} layers with weights start"
        text += f" from {initial_weights.name}"
        for node_id, reason in report.reinitialised.items():
            text += f"; {node_id} starts anew: {reason}"
        notes = (*notes, f"{text}.")
    return network.to(plan.device), notes


class _Run:
    """A run under way: where it is, and what it measured."""

    def __init__(
        self,
        run_id: str,
        plan: RunPlan,
        network: Network,
        say: Callable[[Event], None],
        control: RunControl,
        checkpoint: Checkpoint,
    ) -> None:
        data, device, shape = plan.data, plan.device, plan.architecture.input_shape
        self._run_id = run_id
        self._plan = plan
        self._say = say
        self._control = control
        self._checkpoint = checkpoint
        self._train_feed = Feed(data.train_images, data.train_labels, shape, plan.normalization, device)
        self._test_feed = Feed(data.test_images, data.test_labels, shape, plan.normalization, device)
        self._network = set_memory_format(network, self._train_feed.memory_format)
        self._make_step = Step(self._network, make_optimizer(self._network, plan.config, device))
        self._pictures = Pictures(run_id, plan, self._network, say)
        self.step = 0
        """Updates made so far."""
        self._epoch = 1
        self._pending: list[tuple[Tensor, Tensor, int]] = []
        """Loss, right answers and images of each step since the last report; the first two on the device."""
        self._pacing = ReportPacing()
        self._speed = Speed()
        self._start_s = self._reported_s = time.perf_counter()
        self._rested_s = 0.0
        self._is_resting = False
        self._loss_sum = self._num_right = self._num_seen = 0.0
        self._last_epoch: EpochFinished | None = None

    def run(self, notes: tuple[str, ...]) -> RunFinished:
        plan = self._plan
        self._say(
            RunStarted(
                run_id=self._run_id,
                config=plan.config,
                architecture_name=plan.architecture.name,
                device=device_name(plan.device),
                num_train=len(self._train_feed),
                num_test=len(self._test_feed),
                steps_per_epoch=plan.steps_per_epoch,
                num_parameters=plan.num_parameters,
                notes=notes,
            )
        )
        generator = torch.Generator(plan.device).manual_seed(plan.config.seed)
        self._start_s = self._reported_s = time.perf_counter()
        is_complete = all(self._run_epoch(epoch, generator) for epoch in range(1, plan.config.epochs + 1))
        if not is_complete:
            self._say(StateChanged(run_id=self._run_id, state="stopping"))
            self._report()
        self._pictures.serve(self._control, self.step, now=True)
        if (error := self._save()) is not None:
            raise WeightsNotWritten(self.step, error) from error
        last = self._last_epoch
        return RunFinished(
            run_id=self._run_id,
            reason="completed" if is_complete else "stopped",
            step=self.step,
            seconds=time.perf_counter() - self._start_s,
            checkpoint=self._checkpoint.saved,
            train_loss=last.train_loss if last is not None else None,
            train_accuracy=last.train_accuracy if last is not None else None,
            test_accuracy=last.test_accuracy if last is not None else None,
            images_per_second=self._speed.overall if self._speed.num_images else None,
        )

    def _run_epoch(self, epoch: int, generator: torch.Generator) -> bool:
        """Train on each image once, test, and keep the weights. False if stopped on the way."""
        plan, size = self._plan, self._plan.batch_size
        self._epoch = epoch
        self._loss_sum = self._num_right = self._num_seen = 0.0
        start_s, images_before, seconds_before = time.perf_counter(), self._speed.num_images, self._speed.seconds
        order = torch.randperm(len(self._train_feed), generator=generator, device=plan.device)
        for first in range(0, plan.steps_per_epoch * size, size):
            if not self._may_go_on():
                return False
            x, target = self._train_feed.batch(order[first : first + size])
            loss, right = self._make_step(x, target)
            self.step += 1
            self._pending.append((loss, right, len(target)))
            if len(self._pending) >= self._pacing.num_steps:
                self._report()
                self._pictures.serve(self._control, self.step)
        self._report()
        tested = evaluate(
            self._network,
            self._test_feed,
            # Without gradients an image takes less memory than in a step; small batches would only waste time.
            min(512, max(32, 2 * size)),
            lambda: self._control.stop_requested,
        )
        if tested is None:
            return False
        speed = self._speed
        self._last_epoch = EpochFinished(
            run_id=self._run_id,
            epoch=epoch,
            step=self.step,
            seconds=time.perf_counter() - start_s,
            train_loss=self._loss_sum / self._num_seen,
            train_accuracy=self._num_right / self._num_seen,
            test_loss=tested[0],
            test_accuracy=tested[1],
            images_per_second=(speed.num_images - images_before) / (speed.seconds - seconds_before),
        )
        self._say(self._last_epoch)
        self._save()  # Tried again after the next epoch if the disk refuses.
        self._reported_s = time.perf_counter()
        return True

    def _save(self) -> OSError | None:
        """Keep the weights as they are now; why they could not be, if so."""
        error = self._checkpoint.save(self._network, self.step)
        if error is None and self._checkpoint.saved is not None:
            self._say(CheckpointSaved(run_id=self._run_id, step=self.step, path=self._checkpoint.saved))
        return error

    def _may_go_on(self) -> bool:
        """Do what was asked for between two steps, and wait while paused. False if the run is to stop."""
        control = self._control
        asked_s = time.perf_counter()
        goes_on = control.wait_if_paused(self._rest)
        if self._is_resting:
            self._reported_s = time.perf_counter()
            self._rested_s += self._reported_s - asked_s
            self._pictures.budget.suspended(self._reported_s - asked_s)
            if goes_on and not control.is_paused:
                self._is_resting = False
                self._say(StateChanged(run_id=self._run_id, state="running"))
        if not goes_on:
            return False
        if (learning_rate := control.learning_rate_change()) is not None:
            self._report()  # A report has one learning rate.
            self._make_step.learning_rate = learning_rate
        if self._pictures.is_stale(control):
            self._report()
            self._pictures.serve(control, self.step)
        return True

    def _rest(self) -> None:
        """Show the numbers and pictures of the weights at rest."""
        self._report()
        if not self._is_resting:
            self._is_resting = True
            self._say(StateChanged(run_id=self._run_id, state="paused"))
        self._pictures.serve(self._control, self.step, now=True)

    def _report(self) -> None:
        """Fetch and say the measurements of the steps since the last report.

        Raises:
            Diverged: a loss is not finite.
        """
        if not self._pending:
            return
        losses = torch.stack([loss for loss, _, _ in self._pending])
        right = torch.stack([right for _, right, _ in self._pending])
        # Here, at the reporting interval, the host waits for the device; nowhere else between two epochs.
        measured = torch.stack([losses.float(), right.float()]).cpu().numpy()
        num_images = np.array([count for _, _, count in self._pending], np.float32)
        self._pending = []
        now_s = time.perf_counter()
        self._pacing.reported(len(num_images), now_s - self._reported_s)
        self._speed.add(int(num_images.sum()), now_s - self._reported_s)
        self._reported_s = now_s
        finite = np.isfinite(measured[0])
        count = len(finite) if finite.all() else int(finite.argmin()) + 1
        first_step = self.step - len(finite) + 1
        self._loss_sum += float(measured[0].astype(np.float64) @ num_images)
        self._num_right += float(measured[1].sum(dtype=np.float64))
        self._num_seen += float(num_images.sum())
        self._say(
            StepsRecorded(
                run_id=self._run_id,
                first_step=first_step,
                losses=measured[0, :count].copy(),
                accuracies=(measured[1, :count] / num_images[:count]).astype(np.float32),
                learning_rate=self._make_step.learning_rate,
                epoch=self._epoch,
                images_per_second=self._speed.recent,
                seconds_left=self._seconds_left(now_s),
                num_steps_total=self._plan.num_steps_total,
            )
        )
        if count < len(finite) or not math.isfinite(measured[0, count - 1]):
            raise Diverged(first_step + count - 1, float(measured[0, count - 1]), self._make_step.learning_rate)

    def _seconds_left(self, now_s: float) -> float | None:
        if self.step < _FEWEST_STEPS:
            return None
        return (now_s - self._start_s - self._rested_s) / self.step * (self._plan.num_steps_total - self.step)
