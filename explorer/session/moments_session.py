"""The moments of the run on screen: which there are, and the one that is looked back at.

Moments are listed and read in one thread, which may hang on a mount and then holds nothing else. Of several that are
asked for the latest is read; those read last stay at hand, and while somebody goes through them the next is read ahead.
"""

import os
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from explorer.runs.moments import FOLDER_NAME, MomentFileError, kept_moments, read_moment
from explorer.runs.moments_packing import Moment
from explorer.runs.observed import ChannelCompared, FieldMeasured

_LIST_INTERVAL_S = 1.0
"""How often new moments of a run that goes on are looked for."""
_MOST_AT_HAND = 48
"""Moments in memory."""
_MOST_BACK = 6
"""Moments before one that are looked through for what it lacks."""
_ONLY_WHILE_LOOKED_AT = (FieldMeasured, ChannelCompared)
"""What a moment lacks where nobody looked at that value or channel then: an earlier moment's would not be its own."""


class ReadMoment(NamedTuple):
    """A moment that was asked for."""

    run_id: str
    step: int
    events: tuple[Moment, ...]


class MomentsSession(QObject):
    """Lists and reads the moments of one run at a time.

    Signals:
        steps_changed(): other moments are there.
        arrived(ReadMoment): the moment that was asked for last.
        failed(str): it cannot be read, and why.
    """

    steps_changed = Signal()
    arrived = Signal(object)
    failed = Signal(str)
    _listed = Signal(int, object)
    _read = Signal(int, object)
    _refused = Signal(int, int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._changed = threading.Condition()
        self._is_closed = False
        self._version = 0
        """Of the run; what was read of another is dropped."""
        self._folder: Path | None = None
        self._run_id = ""
        self._is_growing = False
        self._must_list = False
        self._wanted: tuple[int, ...] = ()
        """Steps to be read, the first of which is to be shown."""
        self._at_hand: OrderedDict[int, tuple[Moment, ...]] = OrderedDict()
        self._steps: tuple[int, ...] = ()
        self._asked: int | None = None
        self._listed.connect(self._take_steps)
        self._read.connect(self._take_moment)
        self._refused.connect(self._take_refusal)
        self._thread: threading.Thread | None = None
        self._listed_steps: tuple[int, ...] = ()
        self._kinds: set[type[Moment]] = set()
        """That moments of the run were seen to hold; the thread's own, as the steps listed last."""

    @property
    def steps(self) -> tuple[int, ...]:
        """After which there is a moment, in order."""
        return self._steps

    @property
    def folder(self) -> Path | None:
        """Of the run; None for none."""
        return self._folder

    @property
    def run_id(self) -> str:
        """Of the run; empty for none."""
        return self._run_id

    def open(self, run_id: str, folder: Path | None, *, is_growing: bool = False) -> None:
        """Take the moments of a run, or of none.

        Args:
            run_id: of the run; empty for none.
            folder: of the run.
            is_growing: whether it goes on, so that new ones are looked for.
        """
        with self._changed:
            self._version += 1
            self._run_id, self._folder, self._is_growing = run_id, folder, is_growing
            self._must_list = folder is not None
            self._wanted = ()
            self._at_hand.clear()
            self._changed.notify_all()
        self._asked = None
        if folder is not None and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="moments", daemon=True)
            self._thread.start()
        if self._steps:
            self._steps = ()
            self.steps_changed.emit()

    def set_growing(self, is_growing: bool) -> None:
        """Whether new moments come; where they end to come, those that there are are listed once more."""
        with self._changed:
            if self._folder is not None and is_growing != self._is_growing:
                self._is_growing, self._must_list = is_growing, True
                self._changed.notify_all()

    def ask(self, step: int, ahead: int | None = None) -> None:
        """Read a moment: `arrived` follows, for the latest asked for; at once if it is at hand.

        Args:
            step: one of `steps`.
            ahead: one that is likely to be asked for next.
        """
        self._asked = step
        with self._changed:
            known = self._at_hand.get(step)
            if known is not None:
                self._at_hand.move_to_end(step)
            wanted = (step, ahead) if known is None else (ahead,)
            self._wanted = tuple(one for one in wanted if one is not None and one not in self._at_hand)
            if self._wanted:
                self._changed.notify_all()
        if known is not None:
            self.arrived.emit(ReadMoment(self._run_id, step, known))

    def forget_asked(self) -> None:
        """What was asked for need not come any more."""
        self._asked = None
        with self._changed:
            self._wanted = ()

    def close(self, timeout_s: float = 2.0) -> bool:
        """Send nothing more and end the thread; returns whether it ended in time."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # In the thread

    def _work(self) -> None:
        version = -1
        names: list[str] | None = None
        while True:
            with self._changed:
                while not self._is_closed and not self._wanted and not self._must_list:
                    has_waited = not self._changed.wait(_LIST_INTERVAL_S if self._is_growing else None)
                    self._must_list = self._must_list or (has_waited and self._is_growing)
                if self._is_closed:
                    return
                if version != self._version:
                    self._listed_steps, self._kinds, names = (), set(), None
                version, folder = self._version, self._folder
                step = None
                if self._wanted:
                    step, *rest = self._wanted
                    self._wanted = tuple(rest)
                else:
                    self._must_list = False
            if folder is None:
                continue
            # The window may go between two of these lines.
            with suppress(RuntimeError):
                if step is None:
                    before, names = names, _names(folder)
                    if names == before:
                        # Every second of a run that may have kept a thousand, beside a thread that trains.
                        continue
                    steps = tuple(moment.step for moment in kept_moments(folder))
                    self._listed_steps = steps
                    self._listed.emit(version, steps)
                    continue
                try:
                    events = self._completed(folder, step, read_moment(folder, step))
                except MomentFileError as error:
                    self._refused.emit(version, step, str(error))
                    continue
                with self._changed:
                    if version == self._version:
                        self._at_hand[step] = events
                        while len(self._at_hand) > _MOST_AT_HAND:
                            self._at_hand.popitem(last=False)
                        # Read ahead, and asked for meanwhile: once is enough.
                        self._wanted = tuple(one for one in self._wanted if one != step)
                self._read.emit(version, ReadMoment(self._run_id, step, events))

    def _completed(self, folder: Path, step: int, events: tuple[Moment, ...]) -> tuple[Moment, ...]:
        """With what a moment lacks as it was captured last before it: what takes long is not in every moment."""
        kinds = {type(event) for event in events}
        if not self._kinds and self._listed_steps:
            # The first moment of a run holds all kinds.
            with suppress(MomentFileError):
                self._kinds = {type(event) for event in read_moment(folder, self._listed_steps[0])}
        self._kinds = (self._kinds | kinds) - set(_ONLY_WHILE_LOOKED_AT)
        before = [one for one in self._listed_steps if one < step]
        for earlier in reversed(before[-_MOST_BACK:]):
            if kinds >= self._kinds:
                break
            with suppress(MomentFileError):
                found = tuple(
                    event
                    for event in read_moment(folder, earlier)
                    if type(event) not in kinds and not isinstance(event, _ONLY_WHILE_LOOKED_AT)
                )
                events, kinds = (*events, *found), kinds | {type(event) for event in found}
        return events

    # In the window

    def _take_steps(self, version: int, steps: tuple[int, ...]) -> None:
        if version == self._version and steps != self._steps:
            self._steps = steps
            self.steps_changed.emit()

    def _take_moment(self, version: int, moment: ReadMoment) -> None:
        if version == self._version and moment.step == self._asked:
            self.arrived.emit(moment)

    def _take_refusal(self, version: int, step: int, why: str) -> None:
        if version == self._version:
            # Thinned away since it was listed, as a rule.
            with self._changed:
                self._must_list = True
                self._changed.notify_all()
            if step == self._asked:
                self.failed.emit(why)


def _names(folder: Path) -> list[str]:
    """Of the files that hold a run's moments; empty where there are none."""
    try:
        with os.scandir(folder / FOLDER_NAME) as entries:
            return [entry.name for entry in entries]
    except OSError:
        return []
