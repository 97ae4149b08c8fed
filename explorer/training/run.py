"""A run under way: from its first step to its last, in the calling thread, saying what happens as events.

How one step computes is `step`, what changes the weights `optimization`, who looks at it `watching`; what a run goes on
from is `checkpoint`'s to keep, and put together here. `loop.train` makes it and catches what it raises.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.runs import (
    CheckpointSaved,
    ClassesTested,
    EpochFinished,
    Event,
    RunControl,
    RunFinished,
    RunNoted,
    RunStarted,
    StateChanged,
    StepsRecorded,
    TroubleMet,
)
from explorer.runtime.devices import device_name
from explorer.runtime.modules import Network
from explorer.training.beginning import Beginning
from explorer.training.checkpoint import Checkpoint, RunState
from explorer.training.class_counts import Answers
from explorer.training.distributed import Alone
from explorer.training.failures import (
    Diverged,
    WeightsNotWritten,
    is_out_of_memory,
    reason_of,
    remedy_of,
)
from explorer.training.feed import Feed
from explorer.training.graphed import sample_batch
from explorer.training.guard import Guard, NonFinite, first_non_finite
from explorer.training.layout import choose_memory_format, set_memory_format
from explorer.training.live_test import LiveTest
from explorer.training.optimization import Optimization
from explorer.training.plan import RunPlan
from explorer.training.random_state import get_random_state, resume_generator, set_random_state
from explorer.training.reports import Reports
from explorer.training.step import FORWARD_SHARE, Step, evaluate, evaluation_batch_size
from explorer.training.step_choice import StepChoice
from explorer.training.thread_choice import ThreadChoice
from explorer.training.train_batches import TrainBatches, network_bytes_of
from explorer.training.watching import Watching

_AUGMENTATION_STREAM = 1 << 40
"""Added to the seed: what augmentation draws has nothing to do with the order of the images."""
_SAVING_SHARE, _SAVING_CREDIT_S = 0.03, 2.0
"""Of a run's time that keeping its state after epochs may take, and what it may take beforehand: on a GPU an epoch of
small images may be shorter than writing the weights."""


class Run:
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
        """Take what was prepared; nothing is computed yet. See `train` for what the names mean.

        Args:
            network: on its device, with the weights that the run starts from.
            checkpoint: takes the weights after epochs.
            threads: hears how fast the steps are, and chooses; None where there is nothing to choose.
            beginning: tells the weights that the run started from; None where that is not known.
        """
        config, data, device, shape = plan.config, plan.data, plan.device, plan.architecture.input_shape
        self._run_id = run_id
        self._plan = plan
        self._say = say
        self._control = control
        self._checkpoint = checkpoint
        self._interval_s = checkpoint_interval_s
        self._ranks = ranks
        self._threads = threads
        layout = choose_memory_format(plan.architecture, device)
        self._batches = TrainBatches(plan, layout, ranks)
        self._test_feed = Feed(
            data.test_images,
            data.test_labels,
            shape,
            plan.normalization,
            device,
            memory_format=layout,
            network_bytes=network_bytes_of(plan),
        )
        self.network = set_memory_format(network, layout)
        ranks.join_network(self.network, plan.architecture, sync_batchnorm=config.sync_batchnorm)
        self._optimization = Optimization(self.network, config, device, plan.steps_per_epoch)
        self._guard = Guard(self.network, self._optimization.optimizer, device)
        step = Step(self.network, self._optimization, config, ranks)
        self._steps = StepChoice(plan, self.network, step, self._optimization, self._guard, ranks.size)
        ranks.hold(self._optimization.optimizer)
        self._order = torch.Generator(device).manual_seed(config.seed)
        self._order_before = self._order.get_state()
        self._augmentation_random = torch.Generator().manual_seed(config.seed + _AUGMENTATION_STREAM)
        # By it the images of a test are shared out, so that all have to have the same.
        self._test_batch_size = ranks.from_first(evaluation_batch_size(plan, ranks.size))
        self._live_test = LiveTest(
            run_id,
            self.network,
            data,
            self._test_feed,
            self._steps.test_autocast,
            self._test_batch_size,
            device,
        )
        self._watching = Watching(
            run_id,
            plan,
            self.network,
            say,
            control,
            beginning=beginning,
            gradient_scale=self._optimization.gradient_scale,
            own=(self._live_test,),
        )
        self._answers = Answers(data.test_labels, data.class_names)
        self.step = 0
        """Updates made so far."""
        self._epoch = 1
        self._epoch_steps = 0
        """Steps made of this epoch."""
        self._first_step = 0
        """Updates made before this process took the run over."""
        self._seconds_before = 0.0
        self._reports = Reports(FORWARD_SHARE * len(data.test_images) / plan.batch_size)
        self._failing_x: Tensor | None = None
        self._is_resting = False
        self._last_epoch: EpochFinished | None = None
        self._best_accuracy = -math.inf
        """Of the best weights that were kept."""
        self._lowest_loss = math.inf
        self._num_worse_epochs = 0
        self._saved_s = time.perf_counter()
        self._saving_s = 0.0
        """What keeping the state took, all together, of the time since `_begun_s`."""
        self._begun_s = self._saved_s
        self._is_saving_refused = False

    def keep_moments(self, folder: Path, most_bytes: int) -> None:
        """Keep moments for looking back in the run's folder."""
        self._watching.keep_moments(folder, most_bytes)

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
        self._steps.resume_in(parts.get("precision"))
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
            "precision": self._steps.begun_in,
            "last_epoch": None if self._last_epoch is None else dataclasses.asdict(self._last_epoch),
        }
        return RunState(step=self.step, epoch=self._epoch, epoch_steps=self._epoch_steps, parts=parts)

    def run(self, notes: tuple[str, ...]) -> RunFinished:
        """Train to the end."""
        try:
            return self._run(notes)
        finally:
            self._steps.close()
            self._watching.close()
            self._guard.close()
            self._batches.close()
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
                num_train=len(self._batches),
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
        self._watching.begin(self.step)
        self._reports.restart()
        self._saved_s = self._begun_s = time.perf_counter()
        is_stopped = is_early = False
        while self._epoch <= plan.config.epochs and not is_stopped and not is_early:
            is_stopped = not self._run_epoch()
            is_early = 0 < plan.config.early_stopping <= self._num_worse_epochs
        if is_stopped:
            self._say(StateChanged(run_id=self._run_id, state="stopping"))
            self._report()
        self._watching.finish(self.step)
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
        usual = torch.get_num_threads()
        counts = (usual, 1) if self._threads is not None and usual > 1 else (usual,)
        return self._steps.begin(self._sample_batch, counts)

    def _try_other_step(self) -> None:
        """Make steps in another way, if there is one to be tried and it is faster; the run stands still meanwhile."""
        start_s = time.perf_counter()
        # Times are to be those of the number of threads that the run goes on with.
        if not self._steps.is_ready or (self._threads is not None and self._threads.is_trying):
            return
        self._note(self._steps.announcement, is_passing=True)
        before = self._steps.make
        told = self._steps.try_next(self._sample_batch, lambda: self._control.stop_requested)
        rested_s = time.perf_counter() - start_s
        self._reports.rested(rested_s)
        self._watching.suspended(rested_s)
        self._note(told)
        if self._threads is not None and self._steps.make is not before:
            self._threads.restart()

    def _note(self, text: str, *, is_passing: bool = False) -> None:
        if text:
            self._say(RunNoted(run_id=self._run_id, note=text, is_passing=is_passing))

    def _sample_batch(self) -> tuple[Tensor, Tensor]:
        return sample_batch(self._plan, is_mixed=self._batches.is_mixed)

    def _run_epoch(self) -> bool:
        """Train on each image once, test, and keep the state. False if stopped on the way."""
        plan, size = self._plan, self._plan.batch_size
        if not self._epoch_steps:
            self._reports.begin_epoch()
        speed, start_s = self._reports.speed, time.perf_counter()
        images_before, seconds_before, rested_before = speed.num_images, speed.seconds, self._reports.rested_seconds
        self._order_before = self._order.get_state()
        order = torch.randperm(len(self._batches), generator=self._order, device=plan.device)
        self._ranks.begin_epoch(plan.config, self._epoch, self._epoch_steps)
        coming = (order[step * size : (step + 1) * size] for step in range(self._epoch_steps, plan.steps_per_epoch))
        self._batches.prefetch(coming)
        # Also here: a short epoch has no report but the one at its end.
        self._try_other_step()
        while self._epoch_steps < plan.steps_per_epoch:
            if not self._may_go_on():
                return False
            first = self._epoch_steps * size
            self._take_step(order[first : first + size])
            if self._reports.is_due:
                self._report()
                self._watching.serve(self.step)
                self._try_other_step()
                if time.perf_counter() - self._saved_s >= self._interval_s:
                    self._save()
        self._report()
        self._ranks.take_weights(self.network, buffers_only=True)
        tested = evaluate(
            self.network,
            self._test_feed,
            self._test_batch_size,
            lambda: self._control.stop_requested,
            self._ranks,
            self._answers,
            self._steps.test_autocast,
        )
        self._tell_troubles()
        if tested is None:
            return False
        images = self._answers.fetch(self._ranks)
        self._live_test.forget()
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
        # A test loss that is no number is not lower, and what comes after it is still compared with the lowest before.
        is_lower = tested[0] < self._lowest_loss
        self._lowest_loss = tested[0] if is_lower else self._lowest_loss
        self._num_worse_epochs = 0 if is_lower else self._num_worse_epochs + 1
        self._epoch, self._epoch_steps = self._epoch + 1, 0
        # Tried again after the next epoch if the disk refuses.
        if self._is_save_due():
            self._save()
        self._reports.tested()
        return True

    def _take_step(self, positions: Tensor) -> None:
        x, target = self._batches.batch(positions, self._augmentation_random)
        self._watching.before_step(self.step + 1)
        loss, right = self._steps.make(x, target)
        self._optimization.end_step()
        self.step += 1
        self._epoch_steps += 1
        self._watching.after_step(self.step)
        self._reports.add(loss, right, positions)
        # On the CPU a look costs nothing, and the very batch is still there, as it was augmented.
        if loss.device.type == "cpu" and not math.isfinite(loss.item()):
            self._failing_x = x
            self._report()

    @property
    def _is_best(self) -> bool:
        """Whether the weights as they are now were tested, and better than those that were kept as the best."""
        tested = self._last_epoch
        return tested is not None and tested.step == self.step and tested.test_accuracy > self._best_accuracy

    def _is_save_due(self) -> bool:
        """Whether to keep the state after an epoch: always, unless epochs are so short that it would take more than
        `_SAVING_SHARE` of the run's time. The best weights, where they are asked for, are always kept."""
        fitting_s = _SAVING_CREDIT_S + _SAVING_SHARE * (time.perf_counter() - self._begun_s)
        return self._saving_s <= fitting_s or (self._plan.config.keep_best and self._is_best)

    def _save(self) -> OSError | None:
        """Keep the state as it is now, also as the best if its test went better than that of the best that was kept;
        why it could not be, if so."""
        before, kept_accuracy, tested = self._checkpoint.saved_place, self._best_accuracy, self._last_epoch
        is_best = self._is_best
        if tested is not None and is_best:
            self._best_accuracy = tested.test_accuracy
        start_s = time.perf_counter()
        error = self._checkpoint.save(self.network, self._state(), is_best=is_best and self._plan.config.keep_best)
        if error is not None:
            self._best_accuracy = kept_accuracy
        self._saved_s = time.perf_counter()
        self._saving_s += self._saved_s - start_s
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
            self._watching.suspended(rested_s)
            if goes_on and not control.is_paused:
                self._is_resting = False
                self._say(StateChanged(run_id=self._run_id, state="running"))
        if not goes_on:
            return False
        if (learning_rate := control.learning_rate_change()) is not None:
            self._report()  # A report has one learning rate.
            self._optimization.learning_rate = learning_rate
        if self._watching.is_stale:
            self._report()
            self._watching.serve(self.step)
        return True

    def _rest(self) -> None:
        """Show the numbers and pictures of the weights at rest."""
        self._report()
        if not self._is_resting:
            self._is_resting = True
            self._say(StateChanged(run_id=self._run_id, state="paused"))
        self._watching.serve(self.step, now=True)

    def _report(self) -> None:
        """Fetch and say the measurements of the steps since the last report.

        Raises:
            Diverged: a loss is not finite. Of several processes those beside the first go on until it sees that too,
                unless all look at the very step.
        """
        self._tell_troubles()
        measured = self._reports.fetch()
        if measured is None:
            return
        if self._threads is not None:
            self._threads.measured(measured.num_images, measured.seconds)
        self._watching.heard(measured.losses)
        first_step = self.step - measured.num_steps + 1
        num_made = self.step - self._first_step
        seconds_left = self._reports.seconds_left(
            num_made, self._plan.num_steps_total - self.step, self._plan.config.epochs - self._epoch + 1
        )
        self._steps.heard(num_made, measured.seconds / measured.num_steps, seconds_left)
        self._say(
            StepsRecorded(
                run_id=self._run_id,
                first_step=first_step,
                losses=measured.losses,
                accuracies=measured.accuracies,
                learning_rate=self._optimization.step_learning_rate,
                epoch=self._epoch,
                images_per_second=self._reports.speed.recent,
                seconds_left=seconds_left,
                num_steps_total=self._plan.num_steps_total,
                num_threads=torch.get_num_threads() if self._plan.device.type == "cpu" else None,
                is_compiled=self._steps.is_compiled,
                precision=self._steps.precision.name,
            )
        )
        # Where losses are fetched now and then, each process does so at moments of its own. The first one writes down
        # why a run ended, and would know of another that left before it no more than that it is gone.
        if measured.failing is not None and (self._ranks.is_first or self._failing_x is not None):
            rate, kept = self._optimization.step_learning_rate, self._checkpoint.saved_step
            where = self._where_it_began(measured.failing)
            raise Diverged(first_step + len(measured.losses) - 1, float(measured.losses[-1]), rate, where, kept)

    def _tell_troubles(self) -> None:
        for source in (self._batches, self._test_feed, self._watching):
            if (trouble := source.take_trouble()) is not None:
                self._say(TroubleMet(run_id=self._run_id, message=trouble))

    def _where_it_began(self, positions: Tensor) -> NonFinite | None:
        """The layer to blame for a step, whose weights `Guard` has kept."""
        x = self._batches.plain(positions) if self._failing_x is None else self._failing_x
        try:
            with self._steps.precision.autocast():
                return first_non_finite(self.network, x)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return None
