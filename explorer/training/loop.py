"""The run itself: `train` goes from the first step to the last and says what happens as events.

It knows no window: it runs in a background thread, from the command line, or in a test. What it may be told is
`RunControl`; how one step computes is `step`, what changes the weights `optimization`; what is decided beforehand is
`plan`; what a run goes on from is `checkpoint`'s to keep, and put together here.
"""

import dataclasses
import logging
import math
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.runs import (
    CheckpointSaved,
    ClassesTested,
    EpochFinished,
    Event,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunStarted,
    RunStore,
    StateChanged,
    StepsRecorded,
    TroubleMet,
    WeightsFacts,
)
from explorer.runs.augmentation import NO_AUGMENTATION, parse_augmentation
from explorer.runtime.devices import device_name
from explorer.runtime.modules import Network, build_module
from explorer.runtime.weights import carry_weights, load_weights
from explorer.training.augment import Augmenter
from explorer.training.beginning import Beginning, begin, keep_beginning, kept_beginning
from explorer.training.checkpoint import Checkpoint, RunState
from explorer.training.class_counts import Answers
from explorer.training.distributed import ALONE, Alone
from explorer.training.failures import (
    Diverged,
    WeightsNotWritten,
    is_device_lost,
    is_explained,
    is_out_of_memory,
    message_of,
    reason_of,
    remedy_of,
)
from explorer.training.feed import Feed
from explorer.training.fitting import fitting_batch_size, make_attempt
from explorer.training.graphed import MakeStep, capture_of, choose_step, sample_batch
from explorer.training.guard import Guard, NonFinite, first_non_finite
from explorer.training.initialization import initialize
from explorer.training.layout import choose_memory_format, set_memory_format
from explorer.training.model_split import on_devices
from explorer.training.moments import MomentRecorder
from explorer.training.observation import Observation
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan, plan_run
from explorer.training.precision import computing_in
from explorer.training.random_state import get_random_state, resume_generator, set_random_state
from explorer.training.reports import Reports
from explorer.training.step import Step, evaluate
from explorer.training.thread_choice import ThreadChoice, choosing_threads
from explorer.training.voice import Voice

_AUGMENTATION_STREAM = 1 << 40
"""Added to the seed: what augmentation draws has nothing to do with the order of the images."""
CHECKPOINT_INTERVAL_S = 180.0
"""So much of a run a crash may cost at most, beside what an epoch's end keeps."""
_logger = logging.getLogger(__name__)


def train(
    architecture: Architecture,
    config: RunConfig,
    emit: Callable[[Event], None],
    control: RunControl,
    *,
    run_id: str,
    store: RunStore | None = None,
    initial_weights: Path | None = None,
    resume: bool = False,
    checkpoint_interval_s: float = CHECKPOINT_INTERVAL_S,
    ranks: Alone = ALONE,
    moments_bytes: int = 0,
) -> RunFinished | RunFailed:
    """Train a network from start to end, in the calling thread. No exception leaves it.

    Equal arguments on the same CPU give equal losses to the last bit, whatever is watched meanwhile, and whether or not
    the run was broken off and resumed in between; as long as the number of threads stays the same, which the
    configuration or the environment can fix. A change of it rounds the sums of large convolutions otherwise.

    Args:
        architecture: the network; its first output is trained on.
        config: how.
        emit: receives each event in this thread; what it raises is logged and the run goes on.
        control: how the run is told to pause, step, stop, use another learning rate, and what is looked at.
        run_id: of each event; the id that `RunStore.create` gave where there is a store.
        store: records the events, and its folder of the run takes the weights after each epoch.
        initial_weights: a safetensors file whose tensors are taken over where they fit.
        resume: go on from the newest checkpoint in the run's folder, with the same architecture and configuration.
        checkpoint_interval_s: how often the state is kept inside an epoch; it is at each epoch's end and at the last.
        ranks: the processes that train together, of which the first alone has a store.
        moments_bytes: what the moments for looking back may take in the run's folder; 0 for none.

    Returns:
        The last event.
    """
    say = Voice(emit, store).say
    checkpoint = Checkpoint(None)
    plan: RunPlan | None = None
    run: _Run | None = None
    result: RunFinished | RunFailed
    try:
        if store is not None:
            checkpoint = Checkpoint(store.get(run_id).folder)
        ranks.meet()
        control = ranks.control(control)
        plan = plan_run(architecture, ranks.settled(config), initial_weights)
        checkpoint.facts = WeightsFacts(
            text=f"run {run_id}", normalization=plan.normalization, class_names=plan.data.class_names
        )
        on_gpu = [device for device in (plan.device, *plan.other_devices) if device.type == "cuda"]
        # Dropout draws from torch's global state; whoever called finds it as it was.
        with torch.random.fork_rng(devices=on_gpu), computing_in(plan.precision):
            torch.manual_seed(config.seed)
            network, notes = _network(plan, initial_weights)
            ranks.measure_alone(plan)
            with choosing_threads(plan, ranks.size) as threads:
                run = _Run(
                    run_id,
                    plan,
                    network,
                    say,
                    control,
                    checkpoint,
                    checkpoint_interval_s,
                    ranks,
                    threads,
                    _beginning(plan, initial_weights, None if store is None else store.get(run_id).folder, resume),
                )
                if store is not None and moments_bytes and ranks.is_first:
                    run.keep_moments(store.get(run_id).folder, moments_bytes)
                if resume:
                    state = ranks.from_first(checkpoint.resume(network) if ranks.is_first else None)
                    assert state is not None
                    run.restore(state)
                    ranks.take_weights(network)
                result = run.run((*notes, *ranks.notes))
    except Exception as error:
        meant = ranks.explained(error, None if run is None else run.step, checkpoint.saved_step)
        result = _failed(meant, run_id, plan, run, checkpoint)
    say(result)
    return result


def _failed(
    error: Exception, run_id: str, plan: RunPlan | None, run: "_Run | None", checkpoint: Checkpoint
) -> RunFailed:
    step = None if run is None else run.step
    details = "" if is_explained(error, step is not None) else traceback.format_exc()
    fitting = None
    if plan is not None and is_out_of_memory(error):
        fitting = fitting_batch_size(plan, error, None if run is None else make_attempt(run.network, plan))
    return RunFailed(
        run_id=run_id,
        message=message_of(error, plan, step, fitting_batch_size=fitting, kept=checkpoint.saved_step),
        details=details,
        checkpoint=checkpoint.saved,
        fitting_batch_size=fitting,
        lost_device=str(plan.device) if plan is not None and is_device_lost(error) else None,
    )


def _beginning(plan: RunPlan, initial_weights: Path | None, folder: Path | None, resume: bool) -> Beginning | None:
    if resume:
        return None if folder is None else kept_beginning(folder)
    beginning = begin(plan.config, initial_weights)
    if folder is not None:
        keep_beginning(beginning, folder)
    return beginning


def _network(plan: RunPlan, initial_weights: Path | None) -> tuple[Network, tuple[str, ...]]:
    network = build_module(plan.architecture, seed=plan.config.seed)
    initialize(network, plan.config.init, plan.config.seed)
    notes = plan.notes
    if initial_weights is not None:
        report = carry_weights(load_weights(initial_weights), network)
        text = f"{len(report.carried)} of {len(report.carried) + len(report.reinitialised)} layers with weights start"
        text += f" from {initial_weights.name}"
        for node_id, reason in report.reinitialised.items():
            text += f"; {node_id} starts anew: {reason}"
        notes = (*notes, f"{text}.")
    return on_devices(network, plan), notes


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
        checkpoint_interval_s: float,
        ranks: Alone,
        threads: ThreadChoice | None,
        beginning: Beginning | None,
    ) -> None:
        config, data, device, shape = plan.config, plan.data, plan.device, plan.architecture.input_shape
        self._run_id = run_id
        self._plan = plan
        self._say = say
        self._control = control
        self._checkpoint = checkpoint
        self._interval_s = checkpoint_interval_s
        self._ranks = ranks
        self._threads = threads
        augmentation = parse_augmentation(config.augmentation)
        is_augmented = augmentation.written != NO_AUGMENTATION
        layout = choose_memory_format(plan.architecture, device)
        self._augmenter = Augmenter(augmentation, data.train_images, device) if is_augmented else None
        self._train_feed = Feed(
            data.train_images,
            data.train_labels,
            shape,
            plan.normalization,
            device,
            memory_format=layout,
            is_augmented=is_augmented,
        )
        self._test_feed = Feed(
            data.test_images, data.test_labels, shape, plan.normalization, device, memory_format=layout
        )
        self.network = set_memory_format(network, layout)
        ranks.join_network(self.network, plan.architecture, sync_batchnorm=config.sync_batchnorm)
        self._optimization = Optimization(self.network, config, device, plan.steps_per_epoch)
        self._step = Step(self.network, self._optimization, config, ranks)
        self._make_step: MakeStep = self._step
        self._guard = Guard(self.network, self._optimization.optimizer, device)
        ranks.hold(self._optimization.optimizer)
        self._order = torch.Generator(device).manual_seed(config.seed)
        self._order_before = self._order.get_state()
        self._augmentation_random = torch.Generator().manual_seed(config.seed + _AUGMENTATION_STREAM)
        gradient_scale = self._optimization.gradient_scale
        self._observation = Observation(
            run_id, plan, self.network, say, beginning=beginning, gradient_scale=gradient_scale
        )
        self._moments: MomentRecorder | None = None
        self._answers = Answers(data.test_labels, data.class_names)
        self.step = 0
        """Updates made so far."""
        self._epoch = 1
        self._epoch_steps = 0
        """Steps made of this epoch."""
        self._first_step = 0
        """Updates made before this process took the run over."""
        self._seconds_before = 0.0
        self._reports = Reports()
        self._failing_x: Tensor | None = None
        self._is_resting = False
        self._last_epoch: EpochFinished | None = None
        self._best_accuracy = -math.inf
        self._lowest_loss = math.inf
        self._num_worse_epochs = 0
        self._saved_s = time.perf_counter()
        self._is_saving_refused = False

    def keep_moments(self, folder: Path, most_bytes: int) -> None:
        """Keep moments for looking back in the run's folder."""
        try:
            self._moments = MomentRecorder(self._observation.subject, folder, most_bytes, self._plan.num_steps_total)
        except Exception:
            # Looking back is never worth the run.
            _logger.exception("no moments can be kept")

    def restore(self, state: RunState) -> None:
        """Go on from there instead of from the start; the network has its weights already.

        Raises:
            KeyError, ValueError: the state of another run.
        """
        parts = state.parts
        self._optimization.load_state_dict(parts["optimization"])
        set_random_state(parts["random"], self._plan.device, *self._plan.other_devices)
        resume_generator(self._order, parts["order"], self._plan.config.seed + state.step)
        self._augmentation_random.set_state(parts["augmentation"])
        self.step = self._first_step = state.step
        self._epoch, self._epoch_steps = state.epoch, state.epoch_steps
        self._reports.restore(parts["sums"])
        self._seconds_before = parts["seconds"]
        self._best_accuracy, self._lowest_loss = parts["best_accuracy"], parts["lowest_loss"]
        self._num_worse_epochs = parts["num_worse_epochs"]
        last = parts["last_epoch"]
        self._last_epoch = None if last is None else EpochFinished(**{**last, "run_id": self._run_id})

    def _state(self) -> RunState:
        """All that the next losses depend on, between two steps."""
        parts: Mapping[str, Any] = {
            "optimization": self._optimization.state_dict(),
            "random": get_random_state(self._plan.device, *self._plan.other_devices),
            # The order of an epoch that is under way is drawn again from where it was drawn.
            "order": self._order_before if self._epoch_steps else self._order.get_state(),
            "augmentation": self._augmentation_random.get_state(),
            "sums": self._reports.sums,
            "seconds": self._seconds(),
            "best_accuracy": self._best_accuracy,
            "lowest_loss": self._lowest_loss,
            "num_worse_epochs": self._num_worse_epochs,
            "last_epoch": None if self._last_epoch is None else dataclasses.asdict(self._last_epoch),
        }
        return RunState(step=self.step, epoch=self._epoch, epoch_steps=self._epoch_steps, parts=parts)

    def run(self, notes: tuple[str, ...]) -> RunFinished:
        """Train to the end."""
        try:
            return self._run(notes)
        finally:
            if self._moments is not None:
                self._moments.close()
            self._guard.close()
            self._train_feed.close()
            self._test_feed.close()

    def _run(self, notes: tuple[str, ...]) -> RunFinished:
        plan = self._plan
        if self._first_step:
            notes = (*notes, f"Goes on after step {self._first_step:,}, in epoch {self._epoch}.")
        if (told := self._choose_step()) is not None:
            notes = (*notes, told)
        self._say(
            RunStarted(
                run_id=self._run_id,
                config=plan.config,
                architecture_name=plan.architecture.name,
                device=" + ".join(device_name(device) for device in (*plan.other_devices, plan.device)),
                num_train=len(self._train_feed),
                num_test=len(self._test_feed),
                steps_per_epoch=plan.steps_per_epoch,
                num_parameters=plan.num_parameters,
                notes=notes,
                data_fingerprint=plan.data.fingerprint,
                resumed_step=self._first_step,
                num_processes=self._ranks.size,
                images_per_second_alone=self._ranks.images_per_second_alone,
            )
        )
        if self._moments is not None:
            self._moments.begin(self.step, self._control)
        self._reports.restart()
        self._saved_s = time.perf_counter()
        is_stopped = is_early = False
        while self._epoch <= plan.config.epochs and not is_stopped and not is_early:
            is_stopped = not self._run_epoch()
            is_early = 0 < plan.config.early_stopping <= self._num_worse_epochs
        if is_stopped:
            self._say(StateChanged(run_id=self._run_id, state="stopping"))
            self._report()
        self._observation.serve(self._control, self.step, now=True)
        if self._moments is not None:
            self._moments.finish(self.step)
            self._tell_troubles()
        if (error := self._save()) is not None:
            raise WeightsNotWritten(self.step, error, self._checkpoint.saved_step) from error
        last = self._last_epoch
        early = f"Ended early: {self._num_worse_epochs} epochs without a lower test loss." if is_early else ""
        return RunFinished(
            run_id=self._run_id,
            reason="stopped" if is_stopped else "completed",
            step=self.step,
            seconds=self._seconds(),
            checkpoint=self._checkpoint.saved,
            train_loss=last.train_loss if last is not None else None,
            train_accuracy=last.train_accuracy if last is not None else None,
            test_accuracy=last.test_accuracy if last is not None else None,
            images_per_second=self._reports.speed.overall if self._reports.speed.num_images else None,
            note=early,
        )

    def _choose_step(self) -> str | None:
        """Make steps as it is fastest on this device; what there is to say of it."""
        plan = self._plan
        capture = capture_of(plan.config, plan.device, self._ranks.size)
        if capture is None:
            return None
        batch = sample_batch(plan, is_mixed=self._augmenter is not None and self._augmenter.mixes)
        self._make_step, told = choose_step(
            self._step, self.network, self._optimization, self._guard.flag, batch, capture
        )
        return told

    def _run_epoch(self) -> bool:
        """Train on each image once, test, and keep the state. False if stopped on the way."""
        plan, size = self._plan, self._plan.batch_size
        if not self._epoch_steps:
            self._reports.begin_epoch()
        speed, start_s = self._reports.speed, time.perf_counter()
        images_before, seconds_before, rested_before = speed.num_images, speed.seconds, self._reports.rested_seconds
        self._order_before = self._order.get_state()
        order = torch.randperm(len(self._train_feed), generator=self._order, device=plan.device)
        self._ranks.begin_epoch(plan.config, self._epoch, self._epoch_steps)
        coming = (order[step * size : (step + 1) * size] for step in range(self._epoch_steps, plan.steps_per_epoch))
        # An augmented batch is made whole in every process.
        self._train_feed.prefetch(map(self._ranks.positions, coming) if self._augmenter is None else coming)
        while self._epoch_steps < plan.steps_per_epoch:
            if not self._may_go_on():
                return False
            first = self._epoch_steps * size
            self._take_step(order[first : first + size])
            if self._reports.is_due:
                self._report()
                self._observation.serve(self._control, self.step)
                if time.perf_counter() - self._saved_s >= self._interval_s:
                    self._save()
        self._report()
        self._ranks.take_weights(self.network, buffers_only=True)
        tested = evaluate(
            self.network,
            self._test_feed,
            # Without gradients an image takes less memory than in a step; small batches would only waste time.
            min(512, max(32, 2 * size)),
            lambda: self._control.stop_requested,
            self._ranks,
            self._answers,
            plan.precision.autocast,
        )
        self._tell_troubles()
        if tested is None:
            return False
        images = self._answers.fetch(self._ranks)
        self._say(ClassesTested(run_id=self._run_id, epoch=self._epoch, step=self.step, tested=images))
        seconds = speed.seconds - seconds_before
        self._last_epoch = EpochFinished(
            run_id=self._run_id,
            epoch=self._epoch,
            step=self.step,
            seconds=time.perf_counter() - start_s - (self._reports.rested_seconds - rested_before),
            train_loss=self._reports.epoch_loss,
            train_accuracy=self._reports.epoch_accuracy,
            test_loss=tested[0],
            test_accuracy=tested[1],
            # An epoch that was resumed after its last step has only its test left.
            images_per_second=(speed.num_images - images_before) / seconds if seconds else 0.0,
        )
        self._optimization.end_epoch(tested[0])
        self._say(self._last_epoch)
        is_best, self._best_accuracy = tested[1] > self._best_accuracy, max(tested[1], self._best_accuracy)
        # A test loss that is no number is not lower, and what comes after it is still compared with the lowest before.
        is_lower = tested[0] < self._lowest_loss
        self._lowest_loss = tested[0] if is_lower else self._lowest_loss
        self._num_worse_epochs = 0 if is_lower else self._num_worse_epochs + 1
        self._epoch, self._epoch_steps = self._epoch + 1, 0
        # Tried again after the next epoch if the disk refuses.
        self._save(is_best=is_best and plan.config.keep_best)
        self._reports.skip()
        return True

    def _take_step(self, positions: Tensor) -> None:
        x, target = self._batch(positions)
        self._observation.before_step()
        if self._moments is not None:
            self._moments.before_step(self.step + 1, self._control)
        loss, right = self._make_step(x, target)
        self._optimization.end_step()
        self.step += 1
        self._epoch_steps += 1
        self._observation.after_step(self.step)
        if self._moments is not None:
            self._moments.after_step(self.step)
        self._reports.add(loss, right, positions)
        # On the CPU a look costs nothing, and the very batch is still there, as it was augmented.
        if loss.device.type == "cpu" and not math.isfinite(loss.item()):
            self._failing_x = x
            self._report()

    def _batch(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Images as the network takes them and labels, or the shares of the classes where images are mixed."""
        augmenter, feed, random = self._augmenter, self._train_feed, self._augmentation_random
        if augmenter is None:
            return feed.batch(self._ranks.positions(positions))
        # All of the batch, in every process, so that the random numbers do not depend on how many there are.
        x, target = feed.raw(positions)
        x = augmenter(x, random)
        if augmenter.mixes:
            x, target = augmenter.mix(x, target, len(self._plan.data.class_names), random)
        x, target = self._ranks.share((x, target))
        return feed.normalised(x), target

    def _save(self, *, is_best: bool = False) -> OSError | None:
        """Keep the state as it is now; why it could not be, if so."""
        before = self._checkpoint.saved_place
        error = self._checkpoint.save(self.network, self._state(), is_best=is_best)
        self._saved_s = time.perf_counter()
        if error is not None and not self._is_saving_refused:
            text = (
                f"The weights after step {self.step:,} could not be written: {reason_of(error)}; the run goes on and "
            )
            self._say(TroubleMet(run_id=self._run_id, message=f"{text}tries again. To help, {remedy_of(error)}."))
        self._is_saving_refused = error is not None
        if self._checkpoint.saved is not None and self._checkpoint.saved_place != before:
            self._say(CheckpointSaved(run_id=self._run_id, step=self.step, path=self._checkpoint.saved))
        return error

    def _seconds(self) -> float:
        """Since the start of the run, without the time between its processes."""
        return self._seconds_before + self._reports.seconds

    def _may_go_on(self) -> bool:
        """Do what was asked for between two steps, and wait while paused. False if the run is to stop."""
        control = self._control
        asked_s = time.perf_counter()
        goes_on = control.wait_if_paused(self._rest)
        if self._is_resting:
            rested_s = time.perf_counter() - asked_s
            self._reports.rested(rested_s)
            self._observation.suspended(rested_s)
            if self._moments is not None:
                self._moments.suspended(rested_s)
            if goes_on and not control.is_paused:
                self._is_resting = False
                self._say(StateChanged(run_id=self._run_id, state="running"))
        if not goes_on:
            return False
        if (learning_rate := control.learning_rate_change()) is not None:
            self._report()  # A report has one learning rate.
            self._optimization.learning_rate = learning_rate
        if self._observation.is_stale(control):
            self._report()
            self._observation.serve(control, self.step)
        return True

    def _rest(self) -> None:
        """Show the numbers and pictures of the weights at rest."""
        self._report()
        if not self._is_resting:
            self._is_resting = True
            self._say(StateChanged(run_id=self._run_id, state="paused"))
        self._observation.serve(self._control, self.step, now=True)

    def _report(self) -> None:
        """Fetch and say the measurements of the steps since the last report.

        Raises:
            Diverged: a loss is not finite.
        """
        self._tell_troubles()
        measured = self._reports.fetch()
        if measured is None:
            return
        if self._threads is not None:
            self._threads.measured(measured.num_images, measured.seconds)
        if self._moments is not None:
            self._moments.heard(measured.losses)
        first_step = self.step - measured.num_steps + 1
        self._say(
            StepsRecorded(
                run_id=self._run_id,
                first_step=first_step,
                losses=measured.losses,
                accuracies=measured.accuracies,
                learning_rate=self._optimization.step_learning_rate,
                epoch=self._epoch,
                images_per_second=self._reports.speed.recent,
                seconds_left=self._reports.seconds_left(
                    self.step - self._first_step, self._plan.num_steps_total - self.step
                ),
                num_steps_total=self._plan.num_steps_total,
                num_threads=torch.get_num_threads() if self._plan.device.type == "cpu" else None,
            )
        )
        if measured.failing is not None:
            rate, kept = self._optimization.step_learning_rate, self._checkpoint.saved_step
            where = self._where_it_began(measured.failing)
            raise Diverged(first_step + len(measured.losses) - 1, float(measured.losses[-1]), rate, where, kept)

    def _tell_troubles(self) -> None:
        sources = (self._train_feed, self._test_feed, *(() if self._moments is None else (self._moments,)))
        for source in sources:
            if (trouble := source.take_trouble()) is not None:
                self._say(TroubleMet(run_id=self._run_id, message=trouble))

    def _where_it_began(self, positions: Tensor) -> NonFinite | None:
        """The layer to blame for a step, whose weights `Guard` has kept."""
        x = self._train_feed.batch(positions)[0] if self._failing_x is None else self._failing_x
        try:
            with self._plan.precision.autocast():
                return first_non_finite(self.network, x)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return None
