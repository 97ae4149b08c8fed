"""A run's curves as files for other programs: CSV for spreadsheets, event files for TensorBoard."""

import bisect
import csv
import io
import math
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from explorer.architecture.files import write_atomically
from explorer.runs.events import EpochFinished
from explorer.runs.records import RunHistory, RunRecord

_EPOCH_COLUMNS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


def history_csv(record: RunRecord, history: RunHistory) -> str:
    """Every point as a table, a row a step; an epoch's columns stand in the row of the step that ended it."""
    ends = {epoch.step: epoch for epoch in history.epochs}
    per_epoch = record.steps_per_epoch or 0
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["step", "epoch", "learning_rate", "batch_loss", "batch_accuracy", *_EPOCH_COLUMNS])
    rows = zip(
        history.steps.tolist(),
        history.learning_rates.tolist(),
        history.losses.tolist(),
        history.accuracies.tolist(),
        strict=True,
    )
    for step, rate, loss, accuracy in rows:
        end = ends.get(step)
        measured = [""] * len(_EPOCH_COLUMNS) if end is None else [f"{getattr(end, n):.7g}" for n in _EPOCH_COLUMNS]
        epoch = -(-step // per_epoch) if per_epoch else ""
        table.writerow([step, epoch, f"{rate:.7g}", f"{loss:.7g}", f"{accuracy:.7g}", *measured])
    return text.getvalue()


def runs_csv(records: Sequence[RunRecord]) -> str:
    """A row a run: what it is called, its whole configuration, and what came of it."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    settings = list(records[0].config.to_plain()) if records else []
    facts = ("step", "epoch", "best_accuracy", "test_accuracy", "train_accuracy", "train_loss", "test_loss")
    more = ("images_per_second", "seconds", "device", "num_parameters")
    table.writerow(["run_id", "name", "network", "state", "created", "tags", *facts, *more, *settings])
    for record in records:
        own = [record.run_id, record.name, record.architecture_name, record.state, record.created.isoformat()]
        measured = [getattr(record, name) for name in (*facts, *more)]
        table.writerow([*own, " ".join(record.tags), *measured, *record.config.to_plain().values()])
    return text.getvalue()


def save_history_csv(record: RunRecord, history: RunHistory, path: Path) -> None:
    """Write `history_csv`.

    Raises:
        OSError: it cannot be written; an existing file is untouched.
    """
    write_atomically(path, history_csv(record, history).encode())


def save_tensorboard(record: RunRecord, history: RunHistory, folder: Path) -> Path:
    """Write a run as an event file into a folder of its own below `folder`, as `tensorboard --logdir` reads them.

    Takes a second, since the writer looks for torch. Call it in a thread.

    Returns:
        The run's folder.

    Raises:
        OSError: it cannot be written.
    """
    from tensorboardX import SummaryWriter

    target = folder / f"{record.run_id}-{_safe(record.title)}"
    # Apart, so that a full disk leaves no half of a run behind.
    staged = Path(tempfile.mkdtemp(prefix=".tensorboard-", dir=folder))
    try:
        started_s = record.created.timestamp()
        spent_s = _walltimes(history.epochs)
        with SummaryWriter(str(staged)) as writer:
            lines = [f"    {name}: {value}" for name, value in record.config.to_plain().items()]
            writer.add_text("configuration", "\n".join([record.architecture_name, "", *lines]), 0, started_s)
            steps = history.steps.tolist()
            for tag, values in (
                ("loss/batch", history.losses),
                ("accuracy/batch", history.accuracies),
                ("learning_rate", history.learning_rates),
            ):
                for step, value in zip(steps, values.tolist(), strict=True):
                    writer.add_scalar(tag, value, step, started_s + _at(spent_s, step))
            for epoch in history.epochs:
                for name in _EPOCH_COLUMNS:
                    part, _, what = name.partition("_")
                    writer.add_scalar(
                        f"{what}/{part}", getattr(epoch, name), epoch.step, started_s + _at(spent_s, epoch.step)
                    )
        if target.exists():
            shutil.rmtree(target)
        staged.chmod(0o755)
        return staged.rename(target)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise


def _walltimes(epochs: Sequence[EpochFinished]) -> list[tuple[int, float]]:
    """Seconds since the start at the end of each epoch, by step."""
    times, seconds = [(0, 0.0)], 0.0
    for epoch in epochs:
        seconds += epoch.seconds
        times.append((epoch.step, seconds))
    return times


def _at(times: Sequence[tuple[int, float]], step: int) -> float:
    """Seconds since the start at a step: evenly between the ends of epochs, and on as in the last one."""
    if len(times) < 2:
        return 0.0
    index = min(bisect.bisect_left(times, (step, -math.inf)), len(times) - 1)
    (first, start), (last, end) = times[max(1, index) - 1], times[max(1, index)]
    return start + (step - first) * (end - start) / max(1, last - first)


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[:60].strip("-.") or "run"
