"""`arch-explorer runs`: what is kept of every run, listed, and one of them shown."""

import json
import math
from collections.abc import Sequence
from typing import Any

from explorer.cli.following import follow
from explorer.cli.parser import PROGRAM, Parser, UserMistake
from explorer.cli.table import table
from explorer.export.naming import one_line
from explorer.look.numbers import loss
from explorer.runs import CONFIG_FIELDS, EpochFinished, RunConfig, RunRecord, RunStore, RunStoreError, default_root

_EPOCH_NAMES = tuple(name for name in EpochFinished.__slots__ if name != "run_id")


def run(arguments: Sequence[str]) -> int:
    """List the runs, or show one."""
    parser = Parser(prog=f"{PROGRAM} runs", description="The runs that are kept, newest first; or all of one.")
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of a run, or the beginning of one, to show")
    parser.add_argument("--trash", action="store_true", help="those in the trash instead")
    parser.add_argument("--follow", metavar="DIR | RUN", help="show a run as it goes, by its folder, here or mounted")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(arguments)
    try:
        if options.follow is not None:
            return follow(options.follow, as_json=options.json)
        with RunStore(default_root()) as store:
            if options.run is not None:
                record = store.find(options.run)
                epochs = store.history(record.run_id).epochs
                shown = to_plain(record) | {"history": [_epoch(epoch) for epoch in epochs]}
                print(json.dumps(shown, ensure_ascii=False) if options.json else _details(record, epochs))
                return 0
            records = store.list(trashed=options.trash)
    except RunStoreError as error:
        raise UserMistake(str(error)) from error
    if options.json:
        print(json.dumps({"runs": [to_plain(record) for record in records]}, ensure_ascii=False))
    elif records:
        print(_list(records))
    else:
        print("the trash is empty" if options.trash else f"no run is kept yet; start one: {PROGRAM} train lenet5")
    return 0


def to_plain(record: RunRecord) -> dict[str, Any]:
    """Everything of a record, ready for JSON."""
    names = ("run_id", "name", "note", "architecture_name", "state", "device", "num_parameters", "steps_per_epoch")
    measured = ("step", "epoch", "seconds", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
    numbers = (*measured, "best_accuracy", "images_per_second")
    return {
        **{name: getattr(record, name) for name in names},
        **{name: _finite(getattr(record, name)) for name in numbers},
        "created": record.created.isoformat(),
        "trashed": None if record.trashed is None else record.trashed.isoformat(),
        "tags": list(record.tags),
        "message": record.message,
        "data_fingerprint": record.data_fingerprint,
        "versions": dict(record.versions),
        "config": record.config.to_plain(),
        "folder": str(record.folder),
    }


def _list(records: Sequence[RunRecord]) -> str:
    header = ("run", "name", "data", "state", "epochs", "best", "last", "loss", "images/s", "tags")
    rows = [
        [
            record.run_id,
            one_line(record.title),
            one_line(record.config.data),
            record.state,
            f"{record.epoch}/{record.config.epochs}",
            _percent(record.best_accuracy),
            _percent(record.test_accuracy),
            loss(record.test_loss),
            "–" if record.images_per_second is None else f"{record.images_per_second:,.0f}",
            one_line(" ".join(record.tags)),
        ]
        for record in records
    ]
    return table(header, rows, (False, False, False, False, True, True, True, True, True, False))


def _details(record: RunRecord, epochs: Sequence[EpochFinished]) -> str:
    plain, usual = record.config.to_plain(), RunConfig().to_plain()
    lines = [f"run {record.run_id}: {one_line(record.title)}, {record.state}"]
    if record.trashed is not None:
        lines.append("in the trash")
    if record.message:
        lines.append(record.message)
    facts = {
        "network": one_line(record.architecture_name),
        "data": plain["data"],
        "began": record.created.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        "device": record.device or "–",
        "steps": f"{record.step:,}",
        "best accuracy": _percent(record.best_accuracy),
        "tags": one_line(" ".join(record.tags)) or "–",
        "versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()) or "–",
        "folder": record.folder,
    }
    if record.note:
        facts["note"] = one_line(record.note)
    width = max(len(name) for name in facts)
    lines += ["", *(f"{name:<{width}}  {value}" for name, value in facts.items()), ""]
    options = [
        f"{field.name.replace('_', ' ')} {field.written(plain[field.name])}"
        for field in CONFIG_FIELDS
        if plain[field.name] != usual[field.name]
    ]
    lines.append(f"settings other than usual: {', '.join(options) or 'none'}")
    if epochs:
        rows = [
            [
                str(epoch.epoch),
                loss(epoch.train_loss),
                _percent(epoch.train_accuracy),
                loss(epoch.test_loss),
                _percent(epoch.test_accuracy),
                f"{epoch.images_per_second:,.0f}",
                f"{epoch.seconds:.1f}",
            ]
            for epoch in epochs
        ]
        header = ("epoch", "loss", "accuracy", "test loss", "test accuracy", "images/s", "seconds")
        lines += ["", table(header, rows, (True,) * len(header))]
    if record.can_resume:
        lines += ["", f"go on with it: {PROGRAM} train --resume {record.run_id}"]
    return "\n".join(lines)


def _epoch(epoch: EpochFinished) -> dict[str, Any]:
    return {name: _finite(getattr(epoch, name)) for name in _EPOCH_NAMES}


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.2f} %"


def _finite(value: float | None) -> float | None:
    """The number, or None where JSON has none for it."""
    return value if value is not None and math.isfinite(value) else None
