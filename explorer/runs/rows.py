"""Between the values of `events` and `records` and the rows of the store's tables, both ways; it opens no file."""

import datetime as dt
import json
import math
import re
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import numpy as np

from explorer.runs.config import RunConfig
from explorer.runs.events import EpochFinished, Event
from explorer.runs.records import RunHistory, RunRecord, RunState

RUN_COLUMNS = """runs.*,
    (SELECT MAX(epoch) FROM epochs WHERE epochs.run_id = runs.run_id) AS epoch,
    (SELECT MAX(test_accuracy) FROM epochs WHERE epochs.run_id = runs.run_id
        AND typeof(test_accuracy) != 'text') AS best_accuracy,
    (SELECT test_loss FROM epochs WHERE epochs.run_id = runs.run_id ORDER BY epoch DESC LIMIT 1) AS test_loss"""
"""What `read_record` needs of a run: its row, and what follows from its epochs."""

_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")
_MEASUREMENTS = frozenset(EpochFinished.__slots__) - {"run_id", "epoch", "step"} | {"best_accuracy"}


def row_of(event: Event, names: str) -> dict[str, Any]:
    """The named fields of an event, by name, as SQLite takes them."""
    return {name: to_sql(getattr(event, name)) for name in names.split()}


def to_sql(value: object) -> object:
    """A plain value for SQLite; NaN, which SQLite would store as NULL, becomes the text `nan`."""
    if isinstance(value, np.generic):
        value = value.item()
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def read_epoch(row: sqlite3.Row) -> EpochFinished:
    """The event that a row of `epochs` keeps."""
    return EpochFinished(**_from_row(row))


def read_record(row: sqlite3.Row, root: Path, is_alive: Callable[[Path], bool]) -> RunRecord:
    """The record in a row of `RUN_COLUMNS`.

    Args:
        root: the store's folder.
        is_alive: whether the run in a folder still has its process.

    Raises:
        ValueError: the row holds what no record can be; the message says what.
    """
    values = _from_row(row)
    run_id = values["run_id"]
    # The folder's name comes from the file, which may come from anywhere, and deleting a run removes that folder.
    if not _RUN_ID.fullmatch(run_id):
        raise ValueError(f"{run_id!r} is no run id")
    folder = root / run_id
    state = cast(RunState, values.pop("state"))
    if state == "running" and not is_alive(folder):
        state = "interrupted"
    created_ns, trashed_ns = values.pop("created_ns"), values.pop("trashed_ns")
    values["epoch"] = values["epoch"] or 0
    try:
        config = RunConfig.from_plain(json.loads(values.pop("config")))
        versions = json.loads(values.pop("versions"))
        tags = tuple(str(tag) for tag in json.loads(values.pop("tags")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"run {run_id}: its record cannot be read: {error}") from error
    return RunRecord(
        **values,
        state=state,
        created=_moment(created_ns),
        trashed=None if trashed_ns is None else _moment(trashed_ns),
        config=config,
        versions=versions,
        tags=tags,
        folder=folder,
    )


def read_history(epochs: Iterable[sqlite3.Row], chunks: Iterable[sqlite3.Row]) -> RunHistory:
    """The curves in the rows of `epochs` and `steps`, both in order.

    Raises:
        ValueError: a chunk of steps is damaged.
        TypeError: a value has another type than an epoch's.
    """
    chunks = list(chunks)
    losses = [np.frombuffer(chunk["losses"], "<f4") for chunk in chunks]
    accuracies = [np.frombuffer(chunk["accuracies"], "<f4") for chunk in chunks]
    rates = [np.full(len(loss), chunk["learning_rate"]) for loss, chunk in zip(losses, chunks, strict=True)]
    steps = [chunk["first_step"] + np.arange(len(loss)) for loss, chunk in zip(losses, chunks, strict=True)]
    return RunHistory(
        epochs=tuple(read_epoch(row) for row in epochs),
        steps=np.concatenate([np.empty(0, np.int64), *steps]),
        losses=np.concatenate([np.empty(0, np.float32), *losses]),
        accuracies=np.concatenate([np.empty(0, np.float32), *accuracies]),
        learning_rates=np.concatenate([np.empty(0), *rates]).astype(np.float32),
    )


def _moment(nanoseconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(nanoseconds / 10**9, dt.UTC)


def _from_row(row: sqlite3.Row) -> dict[str, Any]:
    """The columns by name, with the NaN of `to_sql` back in its place."""
    return {
        name: math.nan if name in _MEASUREMENTS and value == "nan" else value
        for name, value in zip(row.keys(), row, strict=True)
    }
