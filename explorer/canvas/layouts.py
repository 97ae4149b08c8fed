"""Layouts of one canvas: remembered, so that undo and folding back cost nothing, and made aside where one takes long.

Which items there are and how large is the scene's to say; how they are laid out `explorer.architecture.placement`'s.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt, Signal

from explorer.architecture.folding import Shown
from explorer.architecture.paths import parent
from explorer.architecture.placement import Box, Placement, Wire, lay_out
from explorer.canvas.labels import Label, free_ends, place_labels
from explorer.session.job import Job

_REMEMBERED = 24
"""Layouts; each fold state of a network has one."""
MANY_ITEMS = 1500
"""Laying out more takes longer than people wait for an answer to a key; fewer, less than a frame or few."""


class _Key(NamedTuple):
    """All that a layout follows from."""

    sizes: tuple[tuple[str, tuple[float, float]], ...]
    links: tuple[Wire, ...]
    inside: tuple[tuple[str, str], ...]
    frames: tuple[str, ...]


class Texts(NamedTuple):
    """Where there is room for words in a layout."""

    labels: Mapping[Wire, Label]
    ends: Mapping[str, float]
    """From which x on no wire crosses the header of each open block."""


class Layouts(QObject):
    """Finds layouts.

    Signals:
        made(Placement): the layout last asked for, which took its time.
    """

    made = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: OrderedDict[_Key, Placement] = OrderedDict()
        # By identity; the placement is kept so that no other takes its.
        self._texts: OrderedDict[int, tuple[Placement, Texts]] = OrderedDict()
        self._wanted: _Key | None = None
        self._jobs: dict[_Key, Job] = {}

    @property
    def is_waiting(self) -> bool:
        """Whether a layout is being made aside."""
        return self._wanted is not None

    def find(self, sizes: Mapping[str, tuple[float, float]], shown: Shown, *, may_wait: bool) -> Placement | None:
        """The layout of what is shown; None where it is made aside, and `made` follows.

        What was asked for before and is still being made is no longer wanted.

        Args:
            may_wait: whether there is something to look at meanwhile.
        """
        key = _Key(tuple(sizes.items()), tuple(shown.links), tuple(shown.inside.items()), shown.frames)
        self._wanted = None
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found
        if may_wait and len(sizes) > MANY_ITEMS:
            self._wanted = key
            if key not in self._jobs:
                self._start(key)
            return None
        return self._remember(key, _made(key))

    def texts(self, placement: Placement, width: float, height: float) -> Texts:
        """The room for words of this size in pixels, looked for once."""
        known = self._texts.get(id(placement))
        if known is None:
            texts = Texts(place_labels(placement, width, height), free_ends(placement))
            known = self._texts[id(placement)] = (placement, texts)
            while len(self._texts) > _REMEMBERED:
                self._texts.popitem(last=False)
        return known[1]

    def forget(self) -> None:
        """Another document comes: nothing that is being made is wanted."""
        self._wanted = None

    def close(self) -> None:
        """Wait for what is being made, and tell nobody."""
        self._wanted = None
        while self._jobs:
            _key, job = self._jobs.popitem()
            job.close()

    def _start(self, key: _Key) -> None:
        def work(progress: Callable[[str, float], None], cancelled: Callable[[], bool]) -> Placement:  # noqa: ARG001
            return _made(key)

        job = Job(work, self)
        # Queued: the thread emits, and items belong to the window's.
        queued = Qt.ConnectionType.QueuedConnection
        job.finished.connect(lambda placement: self._arrive(key, placement), queued)
        self._jobs[key] = job
        job.start()

    def _arrive(self, key: _Key, placement: Placement) -> None:
        job = self._jobs.pop(key, None)
        if job is None:
            return  # closed since
        job.deleteLater()
        self._remember(key, placement)
        if key == self._wanted:
            self._wanted = None
            self.made.emit(placement)

    def _remember(self, key: _Key, placement: Placement) -> Placement:
        self._known[key] = placement
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return placement


def meanwhile(
    before: Placement, sizes: Mapping[str, tuple[float, float]], shown: Shown
) -> tuple[Placement, frozenset[str]]:
    """What to show until the layout is made: what was there where it was; what came has no place yet.

    Returns:
        A placement of all that is shown, and the keys of items and open blocks that are better not seen in it.
    """
    known = {**before.frames, **before.nodes}
    nodes: dict[str, Box] = {}
    frames: dict[str, Box] = {}
    hidden = set()
    for key in (*shown.frames, *sizes):
        old = before.frames.get(key) if key in shown.frames else before.nodes.get(key)
        if old is None:
            hidden.add(key)
            old = known.get(_nearest(key, known), before.bounds)
        if key in sizes:
            nodes[key] = Box(old.x, old.y, *sizes[key])
        else:
            frames[key] = old
    placement = replace(
        before,
        nodes=MappingProxyType(nodes),
        frames=MappingProxyType(frames),
        titles=MappingProxyType({path: before.titles.get(path, box) for path, box in frames.items()}),
        wires=MappingProxyType({wire: points for wire, points in before.wires.items() if wire in shown.links}),
    )
    return placement, frozenset(hidden)


def _nearest(key: str, known: Mapping[str, Box]) -> str:
    """The block around something that has a place, or an item of it."""
    while key and key not in known:
        inner = next((other for other in known if other.startswith(f"{key}.")), None)
        if inner is not None:
            return inner
        key = parent(key)
    return key


def _made(key: _Key) -> Placement:
    return lay_out(dict(key.sizes), key.links, dict(key.inside), key.frames)
