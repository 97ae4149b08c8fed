"""A configuration holds only values that fit, says what would, and survives JSON."""

import argparse
import dataclasses
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.runs import (
    CONFIG_FIELDS,
    GROUPS,
    ConfigField,
    ConfigValue,
    Normalization,
    RunConfig,
    config_field,
    parse_normalization,
)
from explorer.runs.steps import parse_steps

NUMBERS = [field for field in CONFIG_FIELDS if field.kind in {"int", "float"}]
TEXTS = {"step_epochs": ["every 5", "30,60", "7"], "augmentation": ["none", "flip:0.5", "crop:4,mixup:0.2"]}


def fitting(field: ConfigField) -> st.SearchStrategy[Any]:
    if field.kind == "choice":
        return st.sampled_from(field.choices)
    if field.kind == "text":
        return st.sampled_from(TEXTS[field.name])
    if field.kind == "flag":
        return st.booleans()
    assert field.minimum is not None
    assert field.maximum is not None
    if field.kind == "int":
        return st.integers(int(field.minimum), int(field.maximum))
    return st.floats(field.minimum, field.maximum)


def configurations() -> st.SearchStrategy[RunConfig]:
    return st.builds(
        lambda values: RunConfig(**values), st.fixed_dictionaries({f.name: fitting(f) for f in CONFIG_FIELDS})
    )


def test_defaults() -> None:
    assert RunConfig().to_plain() == {
        "data": "digits",
        "epochs": 10,
        "batch_size": 64,
        "optimizer": "sgd",
        "learning_rate": 0.02,
        "schedule": "constant",
        "warmup_epochs": 0.0,
        "step_epochs": "every 5",
        "gamma": 0.1,
        "plateau_patience": 3,
        "rise_share": 0.3,
        "final_share": 0.0,
        "momentum": 0.9,
        "nesterov": False,
        "clip_norm": 0.0,
        "weight_decay": 0.0,
        "decay_norms": False,
        "label_smoothing": 0.0,
        "aux_weight": 0.3,
        "augmentation": "none",
        "normalization": "auto",
        "init": "default",
        "seed": 0,
        "device": "auto",
        "precision": "auto",
        "cuda_graphs": True,
        "compile": True,
        "threads": 0,
        "processes": 1,
        "sync_batchnorm": False,
        "scale_with_processes": False,
        "early_stopping": 0,
        "keep_best": False,
    }


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunConfig().epochs = 3  # type: ignore[misc]


def test_every_field_is_described_and_its_default_fits() -> None:
    assert [field.name for field in CONFIG_FIELDS] == [field.name for field in dataclasses.fields(RunConfig)]
    assert len({field.option for field in CONFIG_FIELDS}) == len(CONFIG_FIELDS)
    for field in CONFIG_FIELDS:
        assert field.check(field.default) == field.default
        assert len(field.help) > 20
        assert field.option.startswith("--")
        assert bool(field.choices) == (field.kind == "choice")
        assert (field.step is not None) == (field in NUMBERS)
        assert field.group in GROUPS
        assert field.title


@given(configurations())
def test_plain_form_survives_json(config: RunConfig) -> None:
    assert RunConfig.from_plain(json.loads(json.dumps(config.to_plain()))) == config


def test_absent_fields_take_their_defaults() -> None:
    assert RunConfig.from_plain({"epochs": 3}) == RunConfig(epochs=3)


def test_unknown_field_names_near_ones() -> None:
    with pytest.raises(ValueError, match="unknown field 'learning_rat'; did you mean learning_rate"):
        RunConfig.from_plain({"learning_rat": 0.1})
    with pytest.raises(ValueError, match="unknown field 'zzz'; did you mean augmentation or aux_weight or"):
        RunConfig.from_plain({"zzz": 1})


@pytest.mark.parametrize("plain", [[1, 2], "epochs", None, 3])
def test_a_foreign_object_is_refused(plain: Any) -> None:
    with pytest.raises(ValueError, match="use an object of named fields"):
        RunConfig.from_plain(plain)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch_size": 0}, "batch_size: received 0; use a whole number from 1 to 65536"),
        ({"batch_size": 2.0}, "batch_size: received 2.0; use a whole number from 1 to 65536"),
        ({"epochs": True}, "epochs: received True; use a whole number from 1 to 100000"),
        ({"epochs": 10**400}, "epochs: received 1000"),
        ({"learning_rate": math.nan}, "learning_rate: received nan; use a number from 1e-08 to 100"),
        ({"learning_rate": math.inf}, "learning_rate: received inf; use a number from 1e-08 to 100"),
        ({"learning_rate": "0.1"}, "learning_rate: received '0.1'; use a number"),
        ({"learning_rate": 10**400}, "learning_rate: received 1000"),
        ({"momentum": 1.0}, "momentum: received 1.0; use a number from 0 to 0.9999"),
        ({"weight_decay": -0.1}, "weight_decay: received -0.1; use a number from 0 to 1"),
        ({"seed": -1}, "seed: received -1; use a whole number from 0 to 2147483647"),
        ({"optimizer": "SGD"}, "optimizer: received 'SGD'; use sgd or adam or adamw or rmsprop"),
        ({"data": None}, "data: received None; use digits"),
        ({"device": "cuda:x"}, "device: received 'cuda:x'; use auto or cpu or cuda or mps or cuda:N or cuda:N+cuda:N"),
        ({"device": "cuda:01"}, "device: received 'cuda:01'"),
        ({"device": "cuda:1\n"}, r"device: received 'cuda:1\n'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        RunConfig(**values)


@pytest.mark.parametrize("field", NUMBERS, ids=lambda field: field.name)
@given(value=st.floats())
def test_any_float_is_kept_or_refused_by_name(field: ConfigField, value: float) -> None:
    assert field.minimum is not None
    assert field.maximum is not None
    if field.kind == "float" and field.minimum <= value <= field.maximum:
        assert field.check(value) == value
    else:
        with pytest.raises(ValueError, match=f"^{field.name}: received .*; use a "):
            field.check(value)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:0", "cuda:11", "mps"])
def test_devices(device: str) -> None:
    assert RunConfig(device=device).device == device


@pytest.mark.parametrize("text", ["0.5/0.25", "0.485,0.456,0.406/0.229,0.224,0.225", " 0.1, 1e-1/1,2 "])
def test_a_normalization_has_one_spelling(text: str) -> None:
    written = RunConfig(normalization=text).normalization
    assert RunConfig(normalization=written).normalization == written
    mean, std = (tuple(map(float, part.split(","))) for part in text.split("/"))
    assert parse_normalization(written) == Normalization(mean=mean, std=std)


@pytest.mark.parametrize("text", ["", "own", "0.5", "0.5/0", "0.5/0.1,0.1", "nan/1", "0.5/inf", "/", "1/2/3", "0.5/-1"])
def test_a_normalization_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^normalization: received .*use auto or data or imagenet or MEAN"):
        RunConfig(normalization=text)


def test_numbers_become_plain() -> None:
    config = RunConfig(epochs=np.int64(3), learning_rate=1, momentum=np.float32(0.5))  # type: ignore[arg-type]
    assert [type(value) for value in (config.epochs, config.learning_rate, config.momentum)] == [int, float, float]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "3", 3),
        ("epochs", " 3 ", 3),
        ("learning_rate", "1e-3", 0.001),
        ("learning_rate", "1", 1.0),
        ("optimizer", "adam", "adam"),
        ("device", "cuda:2", "cuda:2"),
        ("nesterov", "on", True),
        ("nesterov", " No ", False),
        ("step_epochs", "60, 30,30", "30,60"),
        ("step_epochs", "every  5", "every 5"),
        ("augmentation", "flip", "flip:0.5"),
    ],
)
def test_parse(name: str, text: str, value: ConfigValue) -> None:
    parsed = config_field(name).parse(text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("epochs", "3.5"),
        ("epochs", ""),
        ("learning_rate", "nan"),
        ("device", "gpu"),
        ("nesterov", "maybe"),
        ("step_epochs", "every 0"),
        ("step_epochs", "3,x"),
    ],
)
def test_parse_refuses_like_check(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: received .*{text}.*; use "):
        config_field(name).parse(text)


def test_a_run_of_an_older_version_still_loads() -> None:
    older = {
        "data": "digits", "normalization": "data", "epochs": 3, "batch_size": 32, "optimizer": "adam",
        "learning_rate": 0.001, "momentum": 0.9, "weight_decay": 0.0, "seed": 1, "device": "cpu",
    }  # fmt: skip
    config = RunConfig.from_plain(older)
    assert config.to_plain() == {**RunConfig().to_plain(), **older}


def test_what_is_wrong_with_an_augmentation_is_said() -> None:
    with pytest.raises(ValueError, match="augmentation: unknown transform 'flop'; did you mean flip"):
        RunConfig(augmentation="flop")


@pytest.mark.parametrize(
    ("name", "config", "why"),
    [
        ("momentum", RunConfig(optimizer="adam"), "Adam and AdamW do not use it"),
        ("momentum", RunConfig(optimizer="rmsprop"), ""),
        ("nesterov", RunConfig(momentum=0.0), "Only SGD with a momentum above 0"),
        ("nesterov", RunConfig(), ""),
        ("step_epochs", RunConfig(schedule="cosine"), "Only the step schedule uses it"),
        ("gamma", RunConfig(), "Only the step and plateau schedules use it"),
        ("gamma", RunConfig(schedule="plateau"), ""),
        ("warmup_epochs", RunConfig(schedule="onecycle"), "rises by itself"),
        ("decay_norms", RunConfig(), "Without weight decay"),
        ("decay_norms", RunConfig(weight_decay=0.1), ""),
        ("epochs", RunConfig(), ""),
    ],
)
def test_a_field_says_when_it_means_nothing(name: str, config: RunConfig, why: str) -> None:
    told = config_field(name).why_unused(config)
    assert (why in told) if why else told == ""


@pytest.mark.parametrize(
    ("written", "epochs", "expected"),
    [
        ("every 5", 10, (5,)),
        ("every 3", 10, (3, 6, 9)),
        ("30,60", 90, (30, 60)),
        ("9,10", 10, (9,)),
        ("every 30", 3, ()),
    ],
)
def test_steps_within_a_run(written: str, epochs: int, expected: tuple[int, ...]) -> None:
    assert parse_steps(written, epochs) == expected


def test_fields_make_command_line_options() -> None:
    parser = argparse.ArgumentParser()
    for field in CONFIG_FIELDS:
        parser.add_argument(field.option, dest=field.name, type=field.parse, default=field.default, help=field.help)
    arguments = vars(parser.parse_args(["--lr", "0.2", "--batch-size", "32"]))
    assert RunConfig.from_plain(arguments) == RunConfig(learning_rate=0.2, batch_size=32)
    assert "--weight-decay" in parser.format_help()
