"""Where runs are kept by default."""

import os
from pathlib import Path

import platformdirs

HOME_VARIABLE = "ARCH_EXPLORER_HOME"
"""Environment variable that names another folder for the program's data."""


def default_root() -> Path:
    """The folder of the user's runs: `runs` in `$ARCH_EXPLORER_HOME` if that is set, else in the user's data folder."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser() / "runs"
    return platformdirs.user_data_path("arch-explorer", appauthor=False) / "runs"
