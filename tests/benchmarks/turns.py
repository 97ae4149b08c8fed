"""Participants that compute in turns: each in a process of its own, one at a time, for some seconds, again and again.

A machine's speed drifts by a tenth within a minute, and by more where others share it. Turns of a few seconds meet the
same drift, so that the ratio of two turns that follow each other is one of the participants. A process is told on its
standard input to go on, to rest or to end, and answers with a line of JSON. After all turns the window goes on once
more while a timer of 60 a second is watched, which would else take its own part of the turns.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from explorer.runs import Event, RunControl, RunNoted, RunStarted, StateChanged, StepsRecorded

SETTLING_S = 0.5
"""Of a turn that does not count: caches and threads come back."""
BETWEEN_S = 0.3
"""Between two turns: who rests draws a last picture."""
WARM_UP_S = 8.0
"""A participant's first turn, which is not counted: libraries choose their kernels, a run its threads. Long runs of
networks with norms are compiled in it, which takes a minute or two: `NETWORK:BATCH:SECONDS` gives ours so long."""
WATCHED_S = 30.0
"""The last turn of a window."""
_OURS = ("alone", "float32", "window")
SECONDS = 5.0
"""One turn."""


class Turn:
    """Counts the images of the turn under way; for the thread that trains."""

    def __init__(self, batch: int, settle: Callable[[], None] = lambda: None) -> None:
        """Of steps of so many images.

        Args:
            settle: waits until the device has done what it was given, where steps are counted before.
        """
        self._batch = batch
        self._settle = settle
        self._begun_s = 0.0
        self._first: tuple[int, float] | None = None
        self._last = (0, 0.0)

    def begin(self) -> None:
        """It begins now."""
        self._begun_s, self._first = time.perf_counter(), None

    def stepped(self, step: int) -> None:
        """So many steps were ever made."""
        self._last = (step, time.perf_counter())
        if self._first is None and self._last[1] - self._begun_s >= SETTLING_S:
            self.settle()
            self._first = self._last

    def settle(self) -> None:
        """Let the last step be one that the device is done with."""
        self._settle()
        self._last = (self._last[0], time.perf_counter())

    @property
    def images_per_second(self) -> float | None:
        """From the first steps after it settled; None if no two reports came."""
        if self._first is None or self._last[0] == self._first[0]:
            return None
        return (self._last[0] - self._first[0]) * self._batch / (self._last[1] - self._first[1])


class LoopTurns:
    """Turns of a loop that asks after each of its steps."""

    def __init__(self, batch: int, settle: Callable[[], None]) -> None:
        self._turn = Turn(batch, settle)
        self._go = threading.Event()
        self._go.set()
        self._is_over = False
        _obey(rest=self._go.clear, go=self._go.set, end=self._end)

    def begin(self) -> None:
        """The first step comes now."""
        self._turn.begin()
        _answer({"started": True})

    def stepped(self, step: int) -> bool:
        """So many steps are made; waits while others have their turn. True after the last."""
        self._turn.stepped(step)
        if not self._go.is_set():
            self._turn.settle()
            _answer({"images_per_second": self._turn.images_per_second})
            self._go.wait()
            self._turn.begin()
        return self._is_over

    def _end(self) -> None:
        self._is_over = True
        self._go.set()


class RunTurns:
    """Turns of a run of ours, which rests as a pause of the user has it rest."""

    def __init__(self, batch: int, control: RunControl, also: Callable[[], dict[str, Any]] = dict) -> None:
        """Obey from now on.

        Args:
            also: said with each turn.
        """
        self._turn = Turn(batch)
        self._also = also
        self.way = ""
        """How the last steps were made."""
        self.device = ""
        """For people."""
        self.notes: list[str] = []
        """What the run said at its start, and of how it makes its steps later."""
        self.is_watched = False
        """Whether turns are over, and the window's timer is watched."""

        def watch() -> None:
            self.is_watched = True
            control.resume()

        _obey(rest=control.pause, go=control.resume, end=control.stop, watch=watch)

    def hear(self, event: Event) -> None:
        """Take what the run says, in its thread."""
        if isinstance(event, RunStarted):
            self.device, self.notes = event.device, [*event.notes]
            self._turn.begin()
            _answer({"started": True})
        elif isinstance(event, StepsRecorded):
            self._turn.stepped(event.last_step)
            compiled = " compiled" if event.is_compiled else ""
            threads = "" if event.num_threads is None else f" on {event.num_threads} threads"
            self.way = f"{event.precision}{compiled}{threads}"
        elif isinstance(event, RunNoted) and not event.is_passing:
            self.notes.append(event.note)
        elif isinstance(event, StateChanged) and event.state == "running":
            self._turn.begin()
        elif isinstance(event, StateChanged) and event.state == "paused":
            _answer({"images_per_second": self._turn.images_per_second, **self._also()})


class Participant:
    """One process, from the side that says whose turn it is."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def go(self) -> None:
        """Have a turn."""
        self._say("go")

    def rest(self) -> dict[str, Any]:
        """End the turn; what was measured in it."""
        self._say("rest")
        return self.answer()

    def watch(self) -> None:
        """Go on while the window's timer is watched."""
        self._say("watch")

    def end(self) -> dict[str, Any]:
        """End; what is to be said of all turns."""
        self._say("end")
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line.

        Raises:
            SystemExit: it ended without one.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args!s} ended with {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()


@contextlib.contextmanager
def participant(warm_up_s: float, *arguments: str) -> Iterator[Participant]:
    """A process of `participants`, resting after its warm-up."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "ARCH_EXPLORER_HOME": home}
        if not environment.get("DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.participants", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            made = Participant(process)
            made.answer()
            time.sleep(warm_up_s)
            made.rest()
            yield made
        finally:
            process.kill()
            process.wait()


def in_turns(
    kinds: Sequence[str], written: str, data: str, num_turns: int, seconds: float, device: str
) -> tuple[list[list[float]], list[dict[str, Any]]]:
    """Let participants compute in turns.

    Args:
        kinds: of participants.
        written: `NETWORK:BATCH` or `NETWORK:BATCH:SECONDS`, the last of which is the warm-up of ours.
        data: what they train on.
        num_turns: of each; every second round goes the other way round.
        seconds: of a turn.
        device: "cpu", "cuda", "cuda:1" or "auto".

    Returns:
        Each one's images/s, by turn, and what each said at the end.
    """
    network, batch, *own = written.split(":")
    warm_up = {kind: float(own[0]) if own and kind in _OURS else WARM_UP_S for kind in kinds}
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(participant(warm_up[kind], kind, network, data, batch, device)) for kind in kinds]
        rates: list[list[float]] = [[] for _ in made]
        for turn in range(num_turns):
            order = range(len(made)) if turn % 2 == 0 else reversed(range(len(made)))
            for place in order:
                time.sleep(BETWEEN_S)
                made[place].go()
                time.sleep(seconds)
                found = made[place].rest()["images_per_second"]
                # A step of some seconds beside busy processes: the turn goes on.
                while found is None:
                    made[place].go()
                    time.sleep(seconds)
                    found = made[place].rest()["images_per_second"]
                rates[place].append(found)
        for kind, one in zip(kinds, made, strict=True):
            if kind == "window":
                one.watch()
                time.sleep(WATCHED_S)
                one.rest()
        return rates, [one.end() for one in made]


def ratio(rates: Sequence[float], base: Sequence[float]) -> tuple[float, float]:
    """The median of the ratios of turns, and half of what the middle half of them spreads."""
    ratios = [one / other for one, other in zip(rates, base, strict=True)]
    if len(ratios) < 2:
        return ratios[0], 0.0
    low, middle, high = statistics.quantiles(ratios, n=4)
    return middle, (high - low) / 2


def _obey(**does: Callable[[], None]) -> None:
    """Do what is said, until the end."""

    def listen() -> None:
        for line in sys.stdin:
            does[line.strip()]()
        does["end"]()

    threading.Thread(target=listen, daemon=True).start()


def _answer(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)
