"""The views of the window of which a film can be made, and when one of them has painted the moment that it shows.

What is made of the pictures is `moments_export`'s; who shows the moments, `moments`.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from explorer.canvas import GraphView
from explorer.panels.curves.panel import Curves
from explorer.session.job import Job

_WITHOUT_MOMENTS = {"layers", "inspector", "ideas", "data", "source", "issues", "runs"}
"""Docks that show the same whatever moment is looked back at."""
_LONGEST_S = 2.0
"""So long a view is waited for."""
_LATE_MS = 300
"""A timer that takes longer is not about what is painted of a moment."""
_PAUSE_MS = 2


class FilmedView(NamedTuple):
    """A part of the window, as it is on screen."""

    key: str
    """For the name of a file."""
    title: str
    widget: QWidget
    caption: Literal["inside", "below", "none"]
    """Where the step is written: where the view has an empty corner, in a line of its own, or nowhere, as it is in the
    picture already."""


class Stage(NamedTuple):
    """Where films are made."""

    views: Sequence[FilmedView]
    show: Callable[[int], bool]
    """Shows the moment of a step in all views, and returns when they have painted it; False if it cannot be read."""
    leave: Callable[[], None]
    """Lets the views show what they showed before."""


def views_on_screen(window: QMainWindow, canvas: GraphView, run_id: str) -> tuple[FilmedView, ...]:
    """The docks that are in front, the canvas, and the window, as far as they are on screen.

    Args:
        run_id: whose moments are filmed; curves of another run show the same whatever moment it is.
    """
    tr = QCoreApplication.translate
    found = []
    for dock in window.findChildren(QDockWidget):
        name = dock.objectName().removeprefix("dock-")
        shown = dock.widget()
        has_moments = name not in _WITHOUT_MOMENTS and all(
            curves.run_id == run_id for curves in dock.findChildren(Curves)
        )
        # To Qt a dock behind others is visible, but none of its pixels is.
        if shown is not None and has_moments and not shown.visibleRegion().isEmpty():
            found.append(FilmedView(name, dock.windowTitle(), shown, "below"))
    found.sort(key=lambda view: view.title)
    if canvas.isVisible():
        found.append(FilmedView("canvas", tr("MomentsExport", "Canvas"), canvas.viewport(), "inside"))
    if window.isVisible():
        found.append(FilmedView("window", tr("MomentsExport", "The whole window"), window, "none"))
    return tuple(found)


def wait_for(is_done: Callable[[], bool], longest_s: float) -> bool:
    """Let events happen until something is the case; whether it is."""
    until_s = time.monotonic() + longest_s
    while not is_done():
        if time.monotonic() > until_s:
            return False
        pause()
    return True


def wait_until_painted(owners: Iterable[QObject], worker: QObject) -> None:
    """Let events happen until nothing is put off: no layout, no timer, no work in a thread.

    What takes longer than `_LONGEST_S` is left as it is.

    Args:
        owners: whose timers, and those of all below them, are waited for.
        worker: whose jobs are, each of which it deletes when it has ended.
    """
    owners = tuple(owners)
    # Layouts, and what was put off to the next turn, first: they may start timers.
    pause()
    wait_for(lambda: not worker.findChildren(Job) and not any(_is_putting_off(owner) for owner in owners), _LONGEST_S)
    pause()


def pause() -> None:
    """Let everything happen that waits, and a little more."""
    loop = QEventLoop()
    QTimer.singleShot(_PAUSE_MS, loop.quit)
    loop.exec()


def _is_putting_off(owner: QObject) -> bool:
    return any(
        timer.isActive() and timer.isSingleShot() and timer.interval() <= _LATE_MS
        for timer in owner.findChildren(QTimer)
    )
