"""Where data sets lie: the folder that downloads go to, and the folders in which a copy may be already."""

import os
from pathlib import Path

import platformdirs

from explorer.runs import HOME_VARIABLE

DATA_VARIABLE = "ARCH_EXPLORER_DATA"
"""Environment variable that names the folder of data sets, which is also one for torchvision's `root`."""


def cache_folder() -> Path:
    """What can be made or fetched again: in `$ARCH_EXPLORER_HOME` if that is set, else in the user's cache folder."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser() / "cache"
    return platformdirs.user_cache_path("arch-explorer", appauthor=False)


def download_root() -> Path:
    """Where downloads go: `$ARCH_EXPLORER_DATA` if that is set, else a folder in the cache."""
    named = os.environ.get(DATA_VARIABLE)
    return Path(named).expanduser() if named else cache_folder() / "data"


def roots() -> tuple[Path, ...]:
    """Folders that may hold data sets as torchvision lays them out, the likeliest first; they need not exist.

    torchvision has no folder of its own; its examples and tutorials use `data` beside the script or at home.
    """
    torch_home = os.environ.get("TORCH_HOME")
    beside_torch = Path(torch_home).expanduser() if torch_home else Path.home() / ".cache" / "torch"
    found = [
        download_root(),
        cache_folder() / "data",
        Path.cwd() / "data",
        Path.home() / "data",
        Path.home() / "datasets",
        beside_torch / "datasets",
    ]
    return tuple(dict.fromkeys(found))
