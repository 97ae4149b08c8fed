"""Recipes: named ways to train. The user's lie in a folder, one JSON file each; `shipped_recipes` come along.

A recipe says nothing of device, processes and seed: those belong to the machine and to the run.
"""

import dataclasses
import difflib
import json
import logging
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from explorer.architecture.files import write_atomically
from explorer.runs.config import CONFIG_FIELDS, RunConfig
from explorer.runs.config_fields import ConfigField
from explorer.runs.paths import recipes_folder

FORMAT = "arch-explorer-recipe"
VERSION = 1
OUTSIDE = frozenset({"device", "seed", "processes"})
"""The fields that no recipe holds."""
RECIPE_FIELDS: tuple[ConfigField, ...] = tuple(field for field in CONFIG_FIELDS if field.name not in OUTSIDE)
_LONGEST_NAME = 60
_logger = logging.getLogger(__name__)


class Departure(NamedTuple):
    """A setting that is another than somewhere else."""

    field: ConfigField
    value: str
    """As `ConfigField.written` has it."""
    usual: str
    """What it is there."""
    is_used: bool
    """Whether it means anything beside the other settings."""


class RecipeError(ValueError):
    """A recipe that cannot be, is not there, or cannot be kept; the message says what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A named way to train.

    Raises:
        RecipeError: the name is empty, too long or of more than one line.
    """

    name: str
    """What it is chosen by."""
    note: str = ""
    """Where it comes from and what it reaches, for whoever chooses."""
    config: RunConfig
    """With device and seed at their defaults, whatever was given."""
    network: str | None = None
    """Id of the catalogue's network that it is made for; None for any."""

    def __post_init__(self) -> None:
        fits = 1 <= len(self.name) <= _LONGEST_NAME and self.name == self.name.strip() and self.name.isprintable()
        if not fits:
            raise RecipeError(f"recipe name: received {self.name!r}; use one line of 1 to {_LONGEST_NAME} characters")
        object.__setattr__(self, "config", without_outside(self.config))

    def applied_to(self, config: RunConfig) -> RunConfig:
        """The recipe's configuration with the device and the seed of `config`."""
        return RunConfig.from_plain({**self.config.to_plain(), **{name: getattr(config, name) for name in OUTSIDE}})

    def is_followed_by(self, config: RunConfig) -> bool:
        """Whether a run so configured does what the recipe says."""
        return without_outside(config) == self.config

    @property
    def summary(self) -> str:
        """What it sets, where that is not the default: `data fashion-mnist, batch_size 128`."""
        default = RunConfig()
        parts = [f"{each.field.name} {each.value}" for each in departures(self.config, default) if each.is_used]
        return ", ".join(parts) or "the defaults"

    def to_plain(self) -> dict[str, Any]:
        """Ready for JSON. Every field is written, so that a later default does not change what is meant."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "note": self.note,
            "network": self.network,
            "config": {field.name: getattr(self.config, field.name) for field in RECIPE_FIELDS},
        }

    @classmethod
    def from_plain(cls, plain: object) -> Self:
        """Read what `to_plain` wrote; absent fields of the configuration take their defaults.

        Raises:
            RecipeError: of another form, of a newer program, or a value does not fit.
        """
        if not isinstance(plain, Mapping) or plain.get("format") != FORMAT:
            raise RecipeError(f"recipe: no object with the format {FORMAT}; use a file that this program wrote")
        version = plain.get("version")
        if isinstance(version, int) and version > VERSION:
            raise RecipeError(f"recipe: version {version} is of a newer program; this one reads up to {VERSION}")
        name, note, network = plain.get("name"), plain.get("note") or "", plain.get("network")
        if not isinstance(name, str) or not isinstance(note, str) or not isinstance(network, (str, type(None))):
            raise RecipeError("recipe: name, note and network are texts")
        config = plain.get("config")
        try:
            return cls(name=name, note=note, network=network, config=RunConfig.from_plain(config or {}))
        except RecipeError:
            raise
        except ValueError as error:
            raise RecipeError(f"recipe {name!r}: {error}") from error


def without_outside(config: RunConfig) -> RunConfig:
    """The configuration with device and seed at their defaults."""
    default = RunConfig()
    values: dict[str, Any] = {name: getattr(default, name) for name in OUTSIDE}
    return dataclasses.replace(config, **values)


def as_asked(config: RunConfig) -> RunConfig:
    """A run's configuration with `auto` where the run settled on what `auto` means for fresh weights.

    `data` and `auto` differ only for a run that starts from weights which were trained with other values.
    """
    return dataclasses.replace(config, normalization="auto") if config.normalization == "data" else config


def departures(config: RunConfig, usual: RunConfig) -> tuple[Departure, ...]:
    """What of a configuration is not as in `usual`, in the order of a form; device and seed do not count."""
    found = []
    for field in RECIPE_FIELDS:
        value, other = getattr(config, field.name), getattr(usual, field.name)
        if value != other:
            found.append(Departure(field, field.written(value), field.written(other), not field.why_unused(config)))
    return tuple(found)


def load_recipe(path: Path) -> Recipe:
    """The recipe in a file.

    Raises:
        RecipeError: unreadable, or no recipe; the message begins with the file's name.
    """
    try:
        return Recipe.from_plain(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RecipeError(f"{path.name}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path.name}: {error}") from error


def own_recipes(folder: Path | None = None) -> tuple[Recipe, ...]:
    """The user's recipes by name. A file that is none is left out and logged, so that the others can be used.

    Args:
        folder: None for the user's own.
    """
    found: dict[str, Recipe] = {}
    for path in sorted((folder or recipes_folder()).glob("*.json")):
        try:
            recipe = load_recipe(path)
        except RecipeError as error:
            _logger.warning("%s", error)
            continue
        found.setdefault(recipe.name, recipe)
    return tuple(sorted(found.values(), key=lambda recipe: recipe.name.casefold()))


def save_recipe(recipe: Recipe, folder: Path | None = None) -> Path:
    """Keep a recipe of the user's; one of the same name is replaced as a whole.

    Raises:
        RecipeError: a shipped recipe has that name, or the folder cannot be written.
    """
    from explorer.runs.shipped_recipes import SHIPPED

    if any(shipped.name == recipe.name for shipped in SHIPPED):
        raise RecipeError(f"recipe {recipe.name!r}: comes with the program; use another name")
    path = _path(recipe.name, folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(recipe.to_plain(), indent=2, ensure_ascii=False).encode())
    except OSError as error:
        raise RecipeError(
            f"recipe {recipe.name!r}: {path.parent} cannot be written: {error.strerror or error}"
        ) from error
    return path


def delete_recipe(name: str, folder: Path | None = None) -> Recipe:
    """Remove a recipe of the user's, in whichever file it lies.

    Returns:
        What it was, so that it can be saved again.

    Raises:
        RecipeError: the user has none of that name, or its file cannot be removed.
    """
    removed: Recipe | None = None
    for path in sorted((folder or recipes_folder()).glob("*.json")):
        try:
            recipe = load_recipe(path)
        except RecipeError:
            continue
        if recipe.name == name:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise RecipeError(f"recipe {name!r}: {path} cannot be removed: {error.strerror or error}") from error
            removed = removed or recipe
    if removed is None:
        raise RecipeError(f"recipe {name!r}: is none of your own")
    return removed


def import_recipe(path: Path, folder: Path | None = None) -> Recipe:
    """Keep the recipe in a file among the user's own.

    Returns:
        As it is kept: under a name with a number where another has its name; one that is there already, as it is.

    Raises:
        RecipeError: the file is none, or it cannot be kept.
    """
    recipe = load_recipe(path)
    known = {other.name: other for other in all_recipes(folder)}
    name, number = recipe.name, 1
    while name in known:
        if known[name].config == recipe.config:
            return known[name]
        number += 1
        name = f"{recipe.name[: _LONGEST_NAME - len(str(number)) - 1].rstrip()} {number}"
    recipe = dataclasses.replace(recipe, name=name)
    save_recipe(recipe, folder)
    return recipe


def all_recipes(folder: Path | None = None) -> tuple[Recipe, ...]:
    """The shipped ones, then the user's."""
    from explorer.runs.shipped_recipes import SHIPPED

    taken = {recipe.name for recipe in SHIPPED}
    return (*SHIPPED, *(recipe for recipe in own_recipes(folder) if recipe.name not in taken))


def find_recipe(name: str, folder: Path | None = None) -> Recipe:
    """The recipe of that name, shipped or the user's; a path that ends in .json is read as a file.

    Raises:
        RecipeError: unknown; the message lists near matches.
    """
    if name.endswith(".json"):
        return load_recipe(Path(name))
    known = {recipe.name: recipe for recipe in all_recipes(folder)}
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"use one of {', '.join(known)}"
        raise RecipeError(f"unknown recipe {name!r}; {hint}")
    return known[name]


def _path(name: str, folder: Path | None) -> Path:
    """Readable, and different for different names on every file system."""
    readable = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "recipe"
    return (folder or recipes_folder()) / f"{readable}-{zlib.crc32(name.encode()):08x}.json"
