"""Recipes and every field of a configuration on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.cli import main
from explorer.cli.config_options import add_config_options, config_of
from explorer.cli.parser import Parser, UserMistake
from explorer.runs import CONFIG_FIELDS, GROUP_TITLES, RunConfig, RunStore, default_root
from explorer.runs.recipe import RECIPE_FIELDS, Recipe, find_recipe, save_recipe
from explorer.runs.shipped_recipes import SHIPPED

Output = pytest.CaptureFixture[str]


def configured(*arguments: str) -> RunConfig:
    parser = Parser(prog="p")
    add_config_options(parser)
    return config_of(parser.parse_args(list(arguments)))


def test_every_field_is_an_option_in_its_group(capsys: Output) -> None:
    assert main(["train", "--help"]) == 0
    out = capsys.readouterr().out
    for field in CONFIG_FIELDS:
        part = out.split(f"{GROUP_TITLES[field.group]}:\n")[1].split("\n\n")[0]
        assert f"  {field.option}" in part
    assert "--nesterov, --no-nesterov" in out


def test_options_are_read() -> None:
    config = configured(
        "--optimizer", "rmsprop", "--schedule", "step", "--step-epochs", "60,30", "--augment", "flip,crop",
        "--weight-decay", "1e-4", "--decay-norms", "--warmup-epochs", "0.5", "--init", "kaiming-normal", "--keep-best",
    )  # fmt: skip
    assert config == RunConfig(
        optimizer="rmsprop",
        schedule="step",
        step_epochs="30,60",
        augmentation="flip:0.5,crop:4",
        weight_decay=1e-4,
        decay_norms=True,
        warmup_epochs=0.5,
        init="kaiming-normal",
        keep_best=True,
    )


def test_options_override_the_recipe(capsys: Output) -> None:
    save_recipe(Recipe(name="mine", config=RunConfig(epochs=3, nesterov=True, keep_best=True)))
    assert configured("--recipe", "mine") == RunConfig(epochs=3, nesterov=True, keep_best=True)
    config = configured("--recipe", "mine", "--epochs", "4", "--no-nesterov", "--seed", "5", "--device", "cpu")
    assert config == RunConfig(epochs=4, keep_best=True, seed=5, device="cpu")
    assert "recipe mine: epochs 3, nesterov on, keep_best on" in capsys.readouterr().err


def test_a_recipe_can_be_a_file(tmp_path: Any) -> None:
    path = save_recipe(Recipe(name="sent", config=RunConfig(epochs=3)), tmp_path)
    assert configured("--recipe", str(path)).epochs == 3


def test_an_option_without_effect_is_said(capsys: Output) -> None:
    configured("--optimizer", "adam", "--momentum", "0.5")
    assert capsys.readouterr().err.startswith("--momentum has no effect: Adam and AdamW do not use it")
    configured("--optimizer", "adam")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--recipe", "alexnet28"), "--recipe: unknown recipe 'alexnet28'; did you mean alexnet-28"),
        (("--augment", "flop"), "--augment: unknown transform 'flop'; did you mean flip"),
        (("--step-epochs", "x"), "--step-epochs: received 'x'; use epochs from 1 to 100,000 as 30,60, or every 5"),
        (("--schedule", "linear"), "--schedule: received 'linear'; use constant or step"),
    ],
)
def test_mistakes_name_the_option(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserMistake) as told:
        configured(*arguments)
    assert str(told.value).startswith(message)


def test_recipes_are_listed(capsys: Output) -> None:
    own = Recipe(name="mine", note="a note", config=RunConfig(epochs=3))
    save_recipe(own)
    assert main(["recipes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["recipes"]
    assert [item["name"] for item in listed] == [*(recipe.name for recipe in SHIPPED), "mine"]
    assert [item["is_own"] for item in listed] == [False] * len(SHIPPED) + [True]
    for item, recipe in zip(listed, (*SHIPPED, own), strict=True):
        assert RunConfig.from_plain(item["config"]) == recipe.config
        assert item["note"] == recipe.note
    cifar = next(item for item in listed if item["name"] == "resnet-cifar")
    assert {"resnet20", "resnet56", "plain20"} <= set(cifar["networks"])
    assert main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(SHIPPED) + 1
    assert lines[-1].split()[0] == "mine"
    assert lines[-1].endswith("yours")


def test_one_recipe_is_shown_whole(capsys: Output) -> None:
    own = Recipe(name="my own", note="a note", config=RunConfig(epochs=3, schedule="step", gamma=0.5))
    save_recipe(own)
    assert main(["recipes", "my own"]) == 0
    text = capsys.readouterr().out
    lines = [line.split("  ") for line in text.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert "a note" in text
    for field in RECIPE_FIELDS:
        (row,) = [row for row in cells if row[-1:] == [field.option]]
        value = getattr(own.config, field.name)
        row = row[len(row) - row[::-1].index(field.title) :]
        assert row[0] == field.written(value)
        assert ("no effect" in row) == bool(field.why_unused(own.config))
        assert (row[1] == field.written(field.default)) == (value != field.default)
    assert "train NETWORK --recipe 'my own'" in text
    assert main(["recipes", "resnet-cifar", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    recipe = find_recipe("resnet-cifar")
    assert RunConfig.from_plain(shown["config"]) == recipe.config
    # The defaults over what differs give the defaults again.
    assert RunConfig.from_plain({**shown["config"], **shown["defaults_of_what_differs"]}) == RunConfig()
    assert "rise_share" in shown["unused"]


def test_an_unknown_recipe_is_answered_with_near_ones(capsys: Output) -> None:
    assert main(["recipes", "alexnet28"]) == 2
    assert "unknown recipe 'alexnet28'; did you mean alexnet-28" in capsys.readouterr().err


def test_train_by_recipe_is_recorded(capsys: Output) -> None:
    arguments = ["--epochs", "1", "--batch-size", "512", "--device", "cpu", "--seed", "4", "--json"]
    assert main(["train", "lenet5", "--recipe", "lenet5-digits", *arguments]) == 0
    result = json.loads(capsys.readouterr().out)
    with RunStore(default_root()) as store:
        config = store.get(result["run_id"]).config
    recipe = find_recipe("lenet5-digits").config.to_plain()
    changed = {"epochs": 1, "batch_size": 512, "device": "cpu", "seed": 4, "normalization": "data"}
    assert config == RunConfig.from_plain({**recipe, **changed})


def test_the_json_of_a_recipe_is_a_file_that_recipe_takes(capsys: Output, tmp_path: Path) -> None:
    assert main(["recipes", "modern-adamw", "--json"]) == 0
    file = tmp_path / "given.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert find_recipe(str(file)) == find_recipe("modern-adamw")
