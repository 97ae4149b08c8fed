"""Recipes are values that survive their files, and the shipped ones say what their sources say."""

import dataclasses
import json
from pathlib import Path

import pytest

from explorer import zoo
from explorer.runs import RunConfig
from explorer.runs.paths import recipes_folder
from explorer.runs.recipe import (
    Recipe,
    RecipeError,
    all_recipes,
    as_asked,
    delete_recipe,
    find_recipe,
    load_recipe,
    own_recipes,
    save_recipe,
)
from explorer.runs.shipped_recipes import SHIPPED


def test_device_and_seed_are_no_part_of_it() -> None:
    recipe = Recipe(name="r", config=RunConfig(epochs=3, seed=7, device="cpu"))
    assert recipe.config == RunConfig(epochs=3)
    assert "seed" not in recipe.to_plain()["config"]
    assert recipe.applied_to(RunConfig(seed=9, device="cuda:1")) == RunConfig(epochs=3, seed=9, device="cuda:1")
    assert recipe.is_followed_by(RunConfig(epochs=3, seed=1))
    assert not recipe.is_followed_by(RunConfig(epochs=4))


def test_a_saved_recipe_is_the_same_value() -> None:
    recipe = Recipe(
        name="Größe / übergroß: 2", note="a\nb", network="lenet5", config=RunConfig(augmentation="flip", nesterov=True)
    )
    path = save_recipe(recipe)
    assert path.parent == recipes_folder()
    assert load_recipe(path) == recipe
    assert own_recipes() == (recipe,)
    assert find_recipe("Größe / übergroß: 2") == recipe == find_recipe(str(path))
    assert all_recipes() == (*SHIPPED, recipe)


def test_the_same_name_replaces_and_names_alike_do_not() -> None:
    for name, epochs in (("a b", 1), ("a-b", 2), ("A b", 3), ("a b", 4)):
        save_recipe(Recipe(name=name, config=RunConfig(epochs=epochs)))
    assert {recipe.name: recipe.config.epochs for recipe in own_recipes()} == {"a b": 4, "a-b": 2, "A b": 3}


def test_a_deleted_recipe_is_handed_back() -> None:
    recipe = Recipe(name="gone", config=RunConfig(epochs=3))
    save_recipe(recipe)
    assert delete_recipe("gone") == recipe
    assert own_recipes() == ()
    with pytest.raises(RecipeError, match="'gone': is none of your own"):
        delete_recipe("gone")


def test_a_field_that_is_not_in_the_file_takes_its_default() -> None:
    plain = Recipe(name="old", config=RunConfig(epochs=3)).to_plain()
    plain["config"] = {"epochs": 3}
    assert Recipe.from_plain(plain).config == RunConfig(epochs=3)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("nonsense", "Expecting value"),
        ("[]", "no object with the format"),
        ('{"format": "arch-explorer-recipe", "version": 99, "name": "x"}', "of a newer program"),
        ('{"format": "arch-explorer-recipe", "version": 1, "name": 3}', "are texts"),
        ('{"format": "arch-explorer-recipe", "version": 1, "name": ""}', "recipe name: received ''"),
        ('{"format": "arch-explorer-recipe", "version": 1, "name": "x", "config": {"epochs": 0}}', "'x': epochs:"),
        ("[" * 100_000, "bad.json"),
    ],
)
def test_a_broken_file_is_told_and_does_not_hide_the_others(tmp_path: Path, text: str, fragment: str) -> None:
    good = Recipe(name="good", config=RunConfig())
    save_recipe(good, tmp_path)
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(RecipeError, match=r"^bad\.json: ") as told:
        load_recipe(tmp_path / "bad.json")
    assert fragment in str(told.value)
    assert own_recipes(tmp_path) == (good,)


@pytest.mark.parametrize("name", ["", " a", "a\nb", "x" * 61])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    with pytest.raises(RecipeError, match="use one line of 1 to 60 characters"):
        Recipe(name=name, config=RunConfig())


def test_shipped_names_are_not_for_the_user() -> None:
    with pytest.raises(RecipeError, match="comes with the program; use another name"):
        save_recipe(Recipe(name="alexnet-28", config=RunConfig()))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecipeError, match="cannot be written"):
        save_recipe(Recipe(name="r", config=RunConfig()), tmp_path / "file")


def test_unknown_names_are_answered_with_near_ones() -> None:
    with pytest.raises(RecipeError, match="unknown recipe 'alexnet28'; did you mean alexnet-28"):
        find_recipe("alexnet28")


# What comes along


def test_shipped_recipes_are_named_by_the_catalogue() -> None:
    names = [recipe.name for recipe in SHIPPED]
    assert len(set(names)) == len(names)
    for entry in zoo.entries():
        assert set(entry.recipes) <= set(names)
    for recipe in SHIPPED:
        assert recipe.note
        if recipe.network is not None:
            assert recipe.name in zoo.entry(recipe.network).recipes
        assert Recipe.from_plain(json.loads(json.dumps(recipe.to_plain()))) == recipe


@pytest.mark.parametrize(("name", "rate"), [("lenet5-relu-dropout", 0.6), ("alexnet-28", 0.01), ("alexnet-d2l", 0.01)])
def test_document_003(name: str, rate: float) -> None:
    assert find_recipe(name).config == RunConfig(
        data="fashion-mnist",
        batch_size=128,
        epochs=10,
        optimizer="sgd",
        learning_rate=rate,
        momentum=0.0,
        init="xavier-uniform",
    )
    assert zoo.entry(name).recipes == (name,)


def test_he_2015_on_cifar() -> None:
    """Section 4.2: 64k iterations of 128 of the 50,000 images, divided by 10 at 32k and 48k."""
    config = find_recipe("resnet-cifar").config
    steps_per_epoch = -(-50_000 // config.batch_size)
    assert abs(config.epochs * steps_per_epoch - 64_000) < steps_per_epoch
    divided = [int(epoch) * steps_per_epoch for epoch in config.step_epochs.split(",")]
    assert [round(step / 1000) for step in divided] == [32, 48]
    assert (config.learning_rate, config.momentum, config.weight_decay, config.gamma) == (0.1, 0.9, 1e-4, 0.1)
    assert config.augmentation == "flip:0.5,crop:4"


def test_what_auto_was_settled_to_is_what_was_asked_for_and_other_values_are_not_touched() -> None:
    asked = RunConfig(epochs=3)
    assert as_asked(dataclasses.replace(asked, normalization="data")) == asked
    assert as_asked(asked) == asked
    given = dataclasses.replace(asked, normalization="imagenet")
    assert as_asked(given) == given
