"""A recorded run as the events that it once said, so that whoever shows a run shows an old one the same way."""

import itertools

import numpy as np

from explorer.runs.events import Event, RunFailed, RunFinished, RunStarted, StepsRecorded
from explorer.runs.records import RunHistory, RunRecord


def measurements(record: RunRecord, history: RunHistory, last_step: int | None = None) -> list[Event]:
    """The steps and epochs of a run, each epoch after its last step.

    Args:
        last_step: leave out what came after; None for nothing.
    """
    ends = {epoch.step for epoch in history.epochs}
    breaks = np.flatnonzero((np.diff(history.learning_rates) != 0) | (np.diff(history.steps) != 1)) + 1
    at_ends = np.flatnonzero(np.isin(history.steps, list(ends))) + 1
    edges = sorted({0, len(history.steps), *breaks.tolist(), *at_ends.tolist()})
    events: list[Event] = [
        _steps(record, history, first, last) for first, last in itertools.pairwise(edges) if first < last
    ]
    events += history.epochs
    if last_step is not None:
        events = [event for event in events if _first_step(event) <= last_step]
    return sorted(events, key=lambda event: (_last_step(event), not isinstance(event, StepsRecorded)))


def whole_run(record: RunRecord, history: RunHistory) -> list[Event]:
    """All of an ended run: how it began, what was measured, how it ended."""
    events: list[Event] = [
        RunStarted(
            run_id=record.run_id,
            config=record.config,
            architecture_name=record.architecture_name,
            device=record.device or "",
            num_train=0,
            num_test=0,
            steps_per_epoch=record.steps_per_epoch or 0,
            num_parameters=record.num_parameters or 0,
            notes=(),
            data_fingerprint=record.data_fingerprint,
        )
    ]
    events += measurements(record, history)
    weights = str(record.weights_path) if record.weights_path.is_file() else None
    if record.state == "failed":
        text = record.message or "The run failed."
        events.append(RunFailed(run_id=record.run_id, message=text, details=record.details or "", checkpoint=weights))
    elif record.state != "running":
        events.append(
            RunFinished(
                run_id=record.run_id,
                reason="completed" if record.state == "completed" else "stopped",
                step=record.step,
                seconds=record.seconds if record.seconds is not None else _seconds(history),
                checkpoint=weights,
                train_loss=record.train_loss,
                train_accuracy=record.train_accuracy,
                test_accuracy=record.test_accuracy,
                images_per_second=record.images_per_second,
                note=record.message or "",
            )
        )
    return events


def _steps(record: RunRecord, history: RunHistory, first: int, last: int) -> StepsRecorded:
    first_step, per_epoch = int(history.steps[first]), record.steps_per_epoch or 0
    return StepsRecorded(
        run_id=record.run_id,
        first_step=first_step,
        losses=history.losses[first:last],
        accuracies=history.accuracies[first:last],
        learning_rate=float(history.learning_rates[first]),
        epoch=-(-(first_step + last - first - 1) // per_epoch) if per_epoch else 1,
        images_per_second=record.images_per_second or 0.0,
        seconds_left=None,
        num_steps_total=record.config.epochs * per_epoch or int(history.steps[-1]),
    )


def _seconds(history: RunHistory) -> float:
    return sum(epoch.seconds for epoch in history.epochs)


def _first_step(event: Event) -> int:
    return event.first_step if isinstance(event, StepsRecorded) else _last_step(event)


def _last_step(event: Event) -> int:
    step = event.last_step if isinstance(event, StepsRecorded) else getattr(event, "step", 0)
    assert isinstance(step, int)
    return step
