"""Where runs and recipes are kept by default."""

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "ARCH_EXPLORER_HOME"
"""Environment variable that names another folder for the program's data."""


def default_root() -> Path:
    """The folder of the user's runs: `runs` in `$ARCH_EXPLORER_HOME` if that is set, else in the user's data folder."""
    return _data_folder() / "runs"


def recipes_folder() -> Path:
    """The folder of the user's recipes, beside that of the runs."""
    return _data_folder() / "recipes"


def _data_folder() -> Path:
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser() if home else platformdirs.user_data_path("arch-explorer", appauthor=False)
