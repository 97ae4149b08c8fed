"""Runs side by side: what differs in how they were made, in words, and in what came of it. Pure; `store` reads them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from explorer.architecture import Architecture
from explorer.architecture.difference import differences
from explorer.runs.config import CONFIG_FIELDS
from explorer.runs.config_fields import ConfigValue
from explorer.runs.records import RunHistory, RunRecord

_MOST_RATES = 3
_VERSIONS = "versions"


class ConfigDifference(NamedTuple):
    """A setting in which runs differ."""

    name: str
    """The field of `RunConfig`; `device`, `data` and `versions` for what a record knows beyond it."""
    title: str
    """For people: "learning rate"."""
    values: tuple[str, ...]
    """As each run has it, in the runs' order."""


class Comparison(NamedTuple):
    """What differs between runs."""

    settings: tuple[ConfigDifference, ...]
    """In the order of a form; only where not all are equal."""
    networks: tuple[tuple[str, ...], ...]
    """For each run after the first, how its network differs from the first one's, in phrases; empty if it does not."""

    @property
    def are_alike(self) -> bool:
        """Whether the runs were made alike, so that what differs in their results is chance or the machine."""
        return not self.settings and not any(self.networks)


def learning_rates(record: RunRecord, history: RunHistory) -> str:
    """The learning rates of a run that were set anew while it went on: "0.1, then 0.02 from step 321"; empty for none.

    Known of runs with a constant schedule only, after their warm-up: a record has the rate of each step, which another
    schedule moves by itself.
    """
    is_warm = history.steps > round(record.config.warmup_epochs * (record.steps_per_epoch or 0))
    steps, rates = history.steps[is_warm], history.learning_rates[is_warm]
    changed = np.flatnonzero(np.diff(rates)) + 1
    if record.config.schedule != "constant" or not len(changed):
        return ""
    told = [f"then {rates[place]:g} from step {steps[place]:,}" for place in changed]
    if len(told) > _MOST_RATES:
        told = [*told[: _MOST_RATES - 1], "…", told[-1]]
    return ", ".join([f"{rates[0]:g}", *told])


def compare(
    records: Sequence[RunRecord],
    architectures: Mapping[str, Architecture],
    rates: Mapping[str, str] | None = None,
) -> Comparison:
    """What differs between runs.

    Args:
        records: two or more; the first is what the others are compared with.
        architectures: by run id; those of runs whose file cannot be read are missing.
        rates: by run id, `learning_rates` where it is not empty.
    """
    rates = rates or {}
    settings = [
        _difference(
            field.name, field.name.replace("_", " "), [_setting(record, field.name, rates) for record in records]
        )
        for field in CONFIG_FIELDS
    ]
    settings.append(_difference("data_fingerprint", "images", [_images(record, records) for record in records]))
    settings.append(_difference("ran_on", "ran on", [record.device or "" for record in records]))
    names = sorted({name for record in records for name in record.versions})
    settings += [
        _difference(_VERSIONS, f"{name} version", [record.versions.get(name, "–") for record in records])
        for name in names
    ]
    first = architectures.get(records[0].run_id)
    networks = tuple(_network(first, architectures.get(record.run_id)) for record in records[1:])
    return Comparison(tuple(setting for setting in settings if len(set(setting.values)) > 1), networks)


def in_words(setting: ConfigDifference) -> str:
    """A setting of two runs as a phrase: "learning rate 0.1 → 0.05"; of more runs all values, separated by slashes."""
    separator = " → " if len(setting.values) == 2 else " / "
    return f"{setting.title} {separator.join(setting.values)}"


def _setting(record: RunRecord, name: str, rates: Mapping[str, str]) -> ConfigValue:
    value: ConfigValue = getattr(record.config, name)
    return rates.get(record.run_id) or value if name == "learning_rate" else value


def _difference(name: str, title: str, values: Sequence[ConfigValue]) -> ConfigDifference:
    return ConfigDifference(name, title, tuple(_written(value) for value in values))


def _images(record: RunRecord, records: Sequence[RunRecord]) -> str:
    """Which data a run had beyond its name, where one knows: the first six digits of the fingerprint."""
    if any(not other.data_fingerprint or other.config.data != record.config.data for other in records):
        return ""
    return record.data_fingerprint[:6]


def _network(first: Architecture | None, other: Architecture | None) -> tuple[str, ...]:
    if first is None or other is None:
        return ("its network cannot be read",)
    return differences(first, other)


def _written(value: ConfigValue) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
