"""The keys of what cannot be done now do nothing: they must not reach whatever has the focus instead.

Qt gives the key of a disabled action to the widget with the focus, so that Alt+End, which leads back to the present,
would go to the end of a row of the table at the present itself.
"""

from collections.abc import Iterable
from functools import partial

from PySide6.QtGui import QAction, QShortcut
from PySide6.QtWidgets import QWidget


def hold_keys(actions: Iterable[QAction], window: QWidget) -> None:
    """Keep the keys of actions that the window has also while they are disabled."""
    for action in actions:
        if not action.shortcut().isEmpty():
            idle = QShortcut(action.shortcut(), window)
            # Two that are enabled at once would be ambiguous, and neither would be done.
            idle.setEnabled(not action.isEnabled())
            action.enabledChanged.connect(partial(_follow, idle))


def _follow(idle: QShortcut, is_enabled: bool) -> None:
    idle.setEnabled(not is_enabled)
