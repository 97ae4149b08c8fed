"""`arch-explorer recipes`: the named ways to train, those that come along and the user's own, and all of one."""

import json
import shlex
from collections.abc import Sequence

from explorer.cli.parser import PROGRAM, Parser, UserMistake
from explorer.cli.table import table
from explorer.export.naming import one_line
from explorer.runs import GROUP_TITLES, GROUPS, RunConfig
from explorer.runs.recipe import RECIPE_FIELDS, Recipe, RecipeError, all_recipes, departures, find_recipe
from explorer.runs.shipped_recipes import SHIPPED
from explorer.zoo import entries


def run(arguments: Sequence[str]) -> int:
    """Print the recipes, the user's own last, or everything about one.

    Raises:
        UserMistake: no recipe has the name; the message lists near ones.
    """
    parser = Parser(
        prog=f"{PROGRAM} recipes",
        description=f"The recipes that `{PROGRAM} train NETWORK --recipe NAME` takes.",
    )
    parser.add_argument(
        "name", nargs="?", metavar="NAME | FILE", help="a recipe, or a .json file of one, to show whole"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object instead of text; that of one recipe, kept in a .json file, is for --recipe FILE",
    )
    options = parser.parse_args(arguments)
    as_json = options.json
    if options.name is not None:
        try:
            recipe = find_recipe(options.name)
        except RecipeError as error:
            raise UserMistake(str(error)) from error
        print(json.dumps(_whole(recipe), ensure_ascii=False) if as_json else _details(recipe))
        return 0
    found = all_recipes()
    if as_json:
        print(json.dumps({"recipes": [_to_plain(recipe) for recipe in found]}, ensure_ascii=False))
        return 0
    rows = [
        [
            recipe.name,
            recipe.network or "any",
            recipe.config.data,
            f"{recipe.config.epochs:,}",
            f"{recipe.config.batch_size:,}",
            recipe.config.optimizer,
            f"{recipe.config.learning_rate:g}",
            recipe.config.schedule,
            _origin(recipe),
        ]
        for recipe in found
    ]
    header = ("name", "for", "data", "epochs", "batch", "optimizer", "rate", "schedule", "")
    print(table(header, rows, (False, False, False, True, True, False, True, False, False)))
    return 0


def _to_plain(recipe: Recipe) -> dict[str, object]:
    """As its file has it, so that `--recipe FILE` takes what was printed, and where it is from."""
    return recipe.to_plain() | {
        "networks": [entry.id for entry in entries() if recipe.name in entry.recipes],
        "is_own": recipe not in SHIPPED,
    }


def _whole(recipe: Recipe) -> dict[str, object]:
    differs = departures(recipe.config, RunConfig())
    defaults = {each.field.name: each.field.default for each in differs}
    unused = [field.name for field in RECIPE_FIELDS if field.why_unused(recipe.config)]
    return _to_plain(recipe) | {"defaults_of_what_differs": defaults, "unused": unused}


def _details(recipe: Recipe) -> str:
    differing = {each.field.name: each for each in departures(recipe.config, RunConfig())}
    lines = [f"recipe {one_line(recipe.name)}, {_origin(recipe)}, for {', '.join(_networks(recipe)) or 'any network'}"]
    if recipe.note:
        lines.append(one_line(recipe.note))
    lines += ["", f"other than the defaults: {recipe.summary}", ""]
    rows: list[list[str]] = []
    for group in GROUPS:
        for place, field in enumerate(field for field in RECIPE_FIELDS if field.group == group):
            value = field.written(getattr(recipe.config, field.name))
            default = field.written(field.default) if field.name in differing else ""
            has_effect = "no effect" if field.why_unused(recipe.config) else ""
            rows.append(["" if place else GROUP_TITLES[group], field.title, value, default, has_effect, field.option])
    header = ("part", "setting", "value", "default, if another", "", "option")
    lines += [table(header, rows, (False,) * len(header)), ""]
    network = next(iter(_networks(recipe)), "NETWORK")
    lines.append(f"train with it: {PROGRAM} train {network} --recipe {shlex.quote(recipe.name)}")
    return "\n".join(lines)


def _origin(recipe: Recipe) -> str:
    return "comes along" if recipe in SHIPPED else "yours"


def _networks(recipe: Recipe) -> tuple[str, ...]:
    """The networks of the catalogue that it is for."""
    named = [entry.id for entry in entries() if recipe.name in entry.recipes]
    return tuple(dict.fromkeys([*([recipe.network] if recipe.network is not None else []), *named]))
