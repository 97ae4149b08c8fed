"""Where the program keeps its own files, by platform; one environment variable moves them all, for tests."""

import os
from pathlib import Path

import platformdirs
from PySide6.QtCore import QSettings

from explorer.runs import HOME_VARIABLE


def state_folder() -> Path:
    """The folder of autosaves and settings; made where it is missing."""
    home = os.environ.get(HOME_VARIABLE)
    folder = Path(home) / "state" if home else platformdirs.user_state_path("arch-explorer", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def settings() -> QSettings:
    """The window's remembered state."""
    return QSettings(str(state_folder() / "window.ini"), QSettings.Format.IniFormat)
