"""What the window remembers from one start to the next: its size, its docks, how runs go, the probes.

The theme is chosen before there is a window, and stored as it is chosen; a project's own settings are the project's.
"""

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

from explorer.app.docks import Docks
from explorer.panels.training.panel import TrainingPanel
from explorer.runs import RunConfig
from explorer.session import probes_kept
from explorer.session.places import settings
from explorer.session.probe_set import ProbeSet

_FIRST_WIDTH, _FIRST_HEIGHT = 1440, 900


def restore_state(window: QMainWindow, docks: Docks, training: TrainingPanel) -> None:
    """Give the window what it had; the probes are read later, behind it (`probes_kept.restore`)."""
    stored = settings()
    geometry = stored.value("window/geometry")
    if not (isinstance(geometry, QByteArray) and window.restoreGeometry(geometry)):
        screen = window.screen().availableGeometry()
        window.resize(min(_FIRST_WIDTH, screen.width()), min(_FIRST_HEIGHT, screen.height()))
    state = stored.value("window/state")
    if isinstance(state, QByteArray):
        docks.restore(state)
    config = stored.value("training/config")
    if isinstance(config, dict):
        try:
            training.set_config(RunConfig.from_plain(config))
        except ValueError:
            stored.remove("training/config")  # of another version


def save_state(window: QMainWindow, docks: Docks, training: TrainingPanel, probes: ProbeSet) -> None:
    """Keep it for the next start."""
    stored = settings()
    stored.setValue("window/geometry", window.saveGeometry())
    stored.setValue("window/state", docks.state())
    stored.setValue("training/config", training.config().to_plain())
    probes_kept.keep(probes, stored)
    stored.sync()
