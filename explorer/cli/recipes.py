"""`arch-explorer recipes`: the named ways to train, those that come along and the user's own."""

import json
from collections.abc import Sequence

from explorer.cli.parser import PROGRAM, Parser
from explorer.cli.table import table
from explorer.runs.recipe import RECIPE_FIELDS, Recipe, all_recipes
from explorer.runs.shipped_recipes import SHIPPED
from explorer.zoo import entries


def run(arguments: Sequence[str]) -> int:
    """Print the recipes, the user's own last."""
    parser = Parser(
        prog=f"{PROGRAM} recipes",
        description=f"The recipes that `{PROGRAM} train NETWORK --recipe NAME` takes.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    as_json = parser.parse_args(arguments).json
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
            "comes along" if recipe in SHIPPED else "yours",
        ]
        for recipe in found
    ]
    header = ("name", "for", "data", "epochs", "batch", "optimizer", "rate", "schedule", "")
    print(table(header, rows, (False, False, False, True, True, False, True, False, False)))
    return 0


def _to_plain(recipe: Recipe) -> dict[str, object]:
    return {
        "name": recipe.name,
        "note": recipe.note,
        "network": recipe.network,
        "networks": [entry.id for entry in entries() if recipe.name in entry.recipes],
        "is_own": recipe not in SHIPPED,
        "config": {field.name: getattr(recipe.config, field.name) for field in RECIPE_FIELDS},
    }
