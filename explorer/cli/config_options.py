"""The options that say how to train: one for every field of `RunConfig`, in its groups, and --recipe below them all."""

import argparse
import sys
from typing import Any

from explorer.cli.parser import Parser, UserMistake
from explorer.runs import CONFIG_FIELDS, GROUP_TITLES, GROUPS, ConfigField, RunConfig
from explorer.runs.recipe import RecipeError, find_recipe


def add_config_options(parser: Parser) -> None:
    """Let a command take --recipe and every field of `RunConfig`."""
    parser.add_argument(
        "--recipe",
        metavar="NAME | FILE",
        help="start from a recipe of `arch-explorer recipes`, or from a .json file of one; options beside it override "
        "what it says",
    )
    for group in GROUPS:
        options = parser.add_argument_group(GROUP_TITLES[group])
        for field in CONFIG_FIELDS:
            if field.group == group:
                _add(options, field)


def _add(options: "argparse._ArgumentGroup", field: ConfigField) -> None:
    # Doubled: argparse would read a percent sign as a format.
    help_text = field.help.replace("%", "%%")
    fits = "" if field.kind in {"choice", "flag"} else f"; {field.what_fits}"
    help_text += f" ({field.written(field.default)}{fits})"
    if field.kind == "flag":
        options.add_argument(field.option, dest=field.name, action=argparse.BooleanOptionalAction, help=help_text)
        return
    metavar = {"int": "N", "float": "X", "text": "TEXT"}.get(field.kind) or "|".join(field.choices)
    options.add_argument(field.option, dest=field.name, metavar=metavar, help=help_text)


def config_of(options: argparse.Namespace) -> RunConfig:
    """What the options say, over the recipe where one is named; what has no effect is said on standard error.

    Raises:
        UserMistake: an unknown recipe, or a value that does not fit.
    """
    base = RunConfig()
    if options.recipe is not None:
        try:
            recipe = find_recipe(options.recipe)
        except RecipeError as error:
            raise UserMistake(f"--recipe: {error}") from error
        base = recipe.config
        print(f"recipe {recipe.name}: {recipe.summary}", file=sys.stderr)
    values: dict[str, Any] = {}
    for field in CONFIG_FIELDS:
        given = getattr(options, field.name)
        if given is None:
            continue
        try:
            values[field.name] = given if isinstance(given, bool) else field.parse(given)
        except ValueError as error:
            told = str(error).removeprefix(f"{field.name}:").strip()
            raise UserMistake(f"{field.option}: {told}") from error
    config = RunConfig.from_plain({**base.to_plain(), **values})
    for field in CONFIG_FIELDS:
        if field.name in values and (why := field.why_unused(config)):
            print(f"{field.option} has no effect: {why}", file=sys.stderr)
    return config
