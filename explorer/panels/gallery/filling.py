"""What the gallery's cards say and show once it is known: networks built and counted, recent projects read.

The work is done after the first paint, a few milliseconds at a time.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal

from explorer import zoo
from explorer.architecture import Architecture, ArchitectureError, files
from explorer.inference import Inference, infer
from explorer.look import numbers
from explorer.panels.gallery.card import Card
from explorer.panels.gallery.options import totals_text
from explorer.panels.gallery.search import Facts
from explorer.zoo import Entry

_SLICE_MS = 6
"""Work between two paints."""
_LARGEST_RECENT_BYTES = 1024 * 1024
"""A larger project shows no miniature: reading it would be felt."""


class Filling(QObject):
    """A queue of work, begun by `start`.

    Signals:
        finished(): nothing is left to do.
    """

    finished = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._queue: list[Callable[[], None]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._do_some)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return not self._queue

    def add(self, work: Callable[[], None]) -> None:
        """Do this too, when it is its turn."""
        self._queue.append(work)

    def start(self) -> None:
        """Begin, if there is something to do."""
        if self._queue:
            self._timer.start()

    def _do_some(self) -> None:
        end = time.perf_counter() + _SLICE_MS / 1000
        while self._queue and time.perf_counter() < end:
            self._queue.pop(0)()
        if not self._queue:
            self._timer.stop()
            self.finished.emit()


def fill_network(card: Card, entry: Entry) -> Facts:
    """Show a network of the catalogue on its card; returns what it comes to."""
    architecture, inference = _built(entry.id)
    totals = inference.totals
    card.set_text(card.card_text._replace(numbers=totals_text(architecture, inference)))
    exact = _tr("{parameters} parameters · {macs} multiply-accumulates an image").format(
        parameters=numbers.exact_count(totals.num_parameters), macs=numbers.exact_count(totals.macs)
    )
    card.setToolTip(f"{exact}\n{card.toolTip()}")
    card.set_network(architecture, inference)
    return Facts(totals.num_parameters, totals.macs)


@functools.cache
def _built(network_id: str) -> tuple[Architecture, Inference]:
    """The networks of the catalogue do not change, and several windows may show them."""
    architecture = zoo.entry(network_id).build()
    return architecture, infer(architecture)


def fill_project(card: Card, path: Path) -> None:
    """Show a project on its card, or what keeps it from being opened."""
    try:
        size = path.stat().st_size
    except OSError:
        card.setEnabled(False)
        card.setToolTip(_tr("{path} is no longer there").format(path=path))
        card.set_text(card.card_text._replace(text=_tr("no longer there")))
        return
    if size > _LARGEST_RECENT_BYTES:
        return
    try:
        architecture = files.load(path).architecture
    except ArchitectureError as error:
        card.setToolTip(str(error))
        return
    card.set_network(architecture, infer(architecture))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Gallery", text)
