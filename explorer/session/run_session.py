"""A training run in a background thread, seen from the window: commands go in, batches of events come out.

The trainer itself is handed in by the app, so that nothing here imports torch; it runs in its own thread, puts events
into a mailbox and never waits for the window, which empties the mailbox up to 30 times a second, within its budget.
While no panel shows numbers they come twice a second; what is said once comes at once all the same.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from explorer.architecture import Architecture
from explorer.runs import (
    CheckpointSaved,
    Event,
    Look,
    Mailbox,
    Normalization,
    RunConfig,
    RunControl,
    RunFailed,
    RunFinished,
    RunNoted,
    RunStarted,
    StateChanged,
    TroubleMet,
)
from explorer.session.painting import CPU_SHARES, DEVICE_SHARES, SHORTEST_S, UNSEEN_S, PaintingBudget
from explorer.session.views_cost import CPU_LIMITS, DEVICE_LIMITS, CostMeter, ViewsCost, ViewsLimits

_LOOK_INTERVAL_MS = 33
_REST_INTERVAL_MS = 100
"""While nothing is to be shown for as long: each look takes the processor and Python's lock from the run."""
_BETWEEN_PICTURES_MS = 4
"""In which the window answers to whatever else there is, before it shows the next one."""
_AT_ONCE = RunStarted | StateChanged | RunNoted | TroubleMet | RunFinished | RunFailed
"""What is said so rarely that nobody has to wait for it."""


class Trainer(Protocol):
    """What runs in the thread: everything that `train` needs but the run itself."""

    def __call__(
        self,
        architecture: Architecture,
        config: RunConfig,
        emit: Callable[[Event], None],
        control: RunControl,
        *,
        initial_weights: Path | None,
    ) -> None: ...


class InitialWeights(NamedTuple):
    """Weights that the next run starts from, instead of fresh ones."""

    path: Path
    """A safetensors file with the network's own names."""
    text: str
    """Where they come from and how much they cover: "resnet18.pth: 39 of 41 layers"."""
    sha256: str = ""
    """Of the file, in hexadecimal; empty where nobody worked it out, and a project cannot keep them then."""
    num_layers: int = 0
    """Layers of the network that take weights from them."""
    normalization: Normalization | None = None
    """Of the images that they were trained on; None where that is not known."""


class RunSession(QObject):
    """At most one run at a time; the last one stays readable after its end.

    Signals:
        started(Architecture, RunConfig): a run was asked for; `RunStarted` follows once torch is there.
        events_arrived(list[Event]): everything since the last drain, in order.
        state_changed(str): "idle", "starting", "running", "paused", "stopping".
        initial_weights_changed(): the next run starts from others.
        detached(): another project is open than the run's.
        weights_chosen(): somebody asked for that, so it belongs to the project; not when another project is opened.
    """

    started = Signal(object, object)
    events_arrived = Signal(object)
    state_changed = Signal(str)
    initial_weights_changed = Signal()
    detached = Signal()
    weights_chosen = Signal()

    def __init__(self, trainer: Trainer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._trainer = trainer
        self._mailbox = Mailbox()
        self._thread: threading.Thread | None = None
        self._control: RunControl | None = None
        self._run_id: str | None = None
        self._state = "idle"
        self._look = Look()
        self.architecture: Architecture | None = None
        """What the current or last run trains."""
        self._checkpoint: str | None = None
        self._initial: InitialWeights | None = None
        self._is_detached = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_LOOK_INTERVAL_MS)
        self._timer.timeout.connect(self._take_turn)
        self._numbers, self._pictures = (PaintingBudget(share) for share in CPU_SHARES)
        self._next_picture = QTimer(self)
        self._next_picture.setSingleShot(True)
        self._next_picture.setInterval(_BETWEEN_PICTURES_MS)
        self._next_picture.timeout.connect(self._take_turn)
        self._waiting: deque[Event] = deque()
        """Pictures of the last drain that are still to be shown."""
        self._held: list[Event] = []
        """Numbers that wait for their turn."""
        self._showing: PaintingBudget | None = None
        """What was shown in the last turn, which takes the thread until the next one."""
        self._busy_s = 0.0
        self._meter = CostMeter()
        self._limits = CPU_LIMITS

    @property
    def state(self) -> str:
        """ "idle", "starting", "running", "paused" or "stopping"."""
        return self._state

    @property
    def is_active(self) -> bool:
        """Whether a thread is at work."""
        return self._state != "idle"

    @property
    def views_cost(self) -> ViewsCost | None:
        """What looking takes of the run's time, another value at most once a second; None unless it is running."""
        return self._meter.cost if self._state == "running" else None

    @property
    def views_limits(self) -> ViewsLimits:
        """What it may take of the current or last run."""
        return self._limits

    @property
    def checkpoint(self) -> str | None:
        """The last whole weights of the current or last run, as a path; None where they are another project's.

        Before there are any, the weights that a run starts from, if those are no fresh ones.
        """
        if self._checkpoint is not None and not self._is_detached:
            return self._checkpoint
        return None if self._initial is None else str(self._initial.path)

    @property
    def is_checkpoint_trained(self) -> bool:
        """Whether `checkpoint` is a run's own, and not what one starts from."""
        return self._checkpoint is not None and not self._is_detached

    @property
    def initial_weights(self) -> InitialWeights | None:
        """What the next run starts from; None for fresh weights."""
        return self._initial

    def initial_path(self) -> Path | None:
        """Where the weights lie that the next run starts from; None for fresh ones."""
        return None if self._initial is None else self._initial.path

    def start_from(self, weights: InitialWeights | None) -> None:
        """Let the next run start from these; None for fresh weights again.

        Given ones take the place of what the last run trained; without them that is kept.

        Raises:
            RuntimeError: a run is active.
        """
        if self.is_active:
            raise RuntimeError("a run is active; stop it first")
        self._initial = weights
        if weights is not None:
            self._checkpoint = None
        self.initial_weights_changed.emit()
        self.weights_chosen.emit()

    @property
    def is_detached(self) -> bool:
        """Whether the current or last run trains what is no longer open."""
        return self._is_detached

    def detach(self) -> None:
        """Another project is open: the run goes on, but its weights and pictures are not those of what is on screen."""
        self._is_detached = self.architecture is not None
        if self._initial is not None:
            self._initial = None
            self.initial_weights_changed.emit()
        self.detached.emit()

    def start(self, architecture: Architecture, config: RunConfig) -> None:
        """Train in a new thread.

        Raises:
            RuntimeError: a run is active.
        """
        self.start_with(architecture, config, self._trainer)

    def show_ended(self, architecture: Architecture, config: RunConfig, events: Sequence[Event]) -> None:
        """Let a run of before be the last one: its events arrive as they once did, and its weights are `checkpoint`.

        Args:
            architecture: what it trained, which is open.
            config: how.
            events: `RunStarted` first, `RunFinished` or `RunFailed` last, if it has ended.

        Raises:
            RuntimeError: a run is active.
        """
        if self.is_active:
            raise RuntimeError("a run is active; stop it first")
        last = events[-1]
        self._run_id = last.run_id
        self.architecture = architecture
        self._checkpoint = last.checkpoint if isinstance(last, (RunFinished, RunFailed)) else None
        self._is_detached = False
        self.started.emit(architecture, config)
        self.events_arrived.emit(list(events))
        # Whoever waits for a run to end, to look at its weights, looks at these.
        self.state_changed.emit(self._state)

    def start_with(self, architecture: Architecture, config: RunConfig, trainer: Trainer) -> None:
        """Train in a new thread by another trainer than usual, such as one that takes up an earlier run.

        Raises:
            RuntimeError: a run is active.
        """
        if self.is_active:
            raise RuntimeError("a run is active; stop it first")
        self._mailbox = Mailbox()
        self._waiting.clear()
        self._held.clear()
        self._run_id = None
        self._meter = CostMeter()
        self._control = control = RunControl()
        control.watch(self._look)
        control.ask_for_pictures()
        self.architecture = architecture
        self._checkpoint = None
        self._is_detached = False
        mailbox = self._mailbox
        initial_weights = None if self._initial is None else self._initial.path

        def work() -> None:
            try:
                trainer(architecture, config, mailbox.put, control, initial_weights=initial_weights)
            except Exception as error:
                # The loop reports its own failures; this is what failed around it, such as an import.
                mailbox.put(RunFailed(run_id="", message=str(error), details=repr(error), checkpoint=None))

        self._thread = threading.Thread(target=work, name="training", daemon=True)
        self._set_state("starting")
        self.started.emit(architecture, config)
        self._thread.start()
        self._timer.start(_LOOK_INTERVAL_MS)

    def pause(self) -> None:
        """Hold the run after the current step."""
        if self._control is not None and self.is_active:
            self._control.pause()
            self._hurry()

    def resume(self) -> None:
        """Go on after a pause."""
        if self._control is not None and self.is_active:
            self._control.resume()
            self._hurry()

    def step_once(self) -> None:
        """Make one optimizer step, then hold."""
        if self._control is not None and self.is_active:
            self._control.step_once()
            self._hurry()

    def stop(self) -> None:
        """End the run after the current step; its weights are kept."""
        if self._control is not None and self.is_active:
            self._set_state("stopping")
            # Ends a pause too; going on first would let one more step slip through.
            self._control.stop()
            self._hurry()

    def set_learning_rate(self, learning_rate: float) -> None:
        """Change the learning rate from the next step on.

        Raises:
            ValueError: not a positive number.
        """
        if self._control is not None and self.is_active:
            self._control.set_learning_rate(learning_rate)

    def watch(self, look: Look) -> None:
        """Say what is looked at; also holds for the next run."""
        self._look = look
        if self._control is not None and self.is_active:
            self._control.watch(look)

    def set_numbers_seen(self, seen: bool) -> None:
        """Say whether the run's numbers are on screen; where they are not, they come twice a second."""
        self._numbers.shortest_s = SHORTEST_S if seen else UNSEEN_S
        if seen:
            self._numbers.hurry()
            self._look_every(_LOOK_INTERVAL_MS)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Stop the run and wait for its thread; returns whether it ended in time."""
        thread = self._thread
        if thread is None:
            return True
        self.stop()
        thread.join(timeout_s)
        if not thread.is_alive():
            self._drain()
        return not thread.is_alive()

    def _take_turn(self) -> None:
        now_s, busy_s = time.perf_counter(), time.thread_time()
        if self._showing is not None:
            self._showing.spent(busy_s - self._busy_s)
        self._busy_s, self._showing = busy_s, None
        if self._meter.is_due(now_s):
            self._measure()
        has_ended = self._thread is not None and not self._thread.is_alive()
        if has_ended or self._state not in {"starting", "running"}:
            # A run at rest loses nothing, and one that has ended tells all.
            self._drain()
            return
        self._held += self._mailbox.drain("numbers")
        if any(isinstance(event, _AT_ONCE) for event in self._held):
            self._numbers.hurry()
        if self._rests(now_s):
            return
        # In frames of their own, as each picture: all in one would hold the window for too long.
        if self._waiting:
            self._show_picture()
            return
        are_due = self._pictures.is_due(now_s)
        if are_due:
            self._waiting.extend(self._mailbox.drain("pictures"))
        if self._waiting:
            self._pictures.shown(now_s)
            self._show_picture()
            return
        if self._numbers.is_due(now_s) and self._show_held():
            self._showing = self._numbers
            self._numbers.shown(now_s)
        if are_due and self._control is not None:
            self._control.ask_for_pictures()

    def _rests(self, now_s: float) -> bool:
        """Look less often until something is to be shown again; whether there is nothing now."""
        later_s = now_s + _REST_INTERVAL_MS / 1000
        are_pictures_due = not self._look.is_empty and self._pictures.is_due(later_s)
        rests = not (self._waiting or are_pictures_due or self._numbers.is_due(later_s))
        self._look_every(_REST_INTERVAL_MS if rests else _LOOK_INTERVAL_MS)
        return rests

    def _look_every(self, interval_ms: int) -> None:
        # Setting it begins the wait anew.
        if interval_ms != self._timer.interval():
            self._timer.setInterval(interval_ms)

    def _show_picture(self) -> None:
        """Show the next one, and come back for the one behind it."""
        self._showing = self._pictures
        self._show([self._waiting.popleft()])
        if self._waiting:
            self._next_picture.start()

    def _show_held(self) -> bool:
        held, self._held = self._held, []
        return self._show(held)

    def _hurry(self) -> None:
        self._numbers.hurry()
        self._pictures.hurry()
        self._look_every(_LOOK_INTERVAL_MS)

    def _drain(self) -> None:
        alive = self._thread is not None and self._thread.is_alive()
        waiting = [*self._held, *self._waiting, *self._mailbox.drain()]
        self._held.clear()
        self._waiting.clear()
        self._show(waiting)
        # The liveness was read before the drain, so nothing that the thread put last is left behind.
        if not alive:
            self._timer.stop()
            self._thread = None
            self._set_state("idle")

    def _show(self, waiting: list[Event]) -> bool:
        """Hand on what is of this run; whether there was anything."""
        events = [event for event in waiting if self._is_current(event)]
        for event in events:
            if isinstance(event, RunStarted) and self._state == "starting":
                is_cpu = event.device.lower().startswith("cpu")
                self._numbers.share, self._pictures.share = CPU_SHARES if is_cpu else DEVICE_SHARES
                self._limits = CPU_LIMITS if is_cpu else DEVICE_LIMITS
                self._set_state("running")
            elif isinstance(event, StateChanged):
                self._set_state(event.state)
            elif isinstance(event, CheckpointSaved):
                self._checkpoint = event.path
        if events:
            self.events_arrived.emit(events)
        return bool(events)

    def _is_current(self, event: Event) -> bool:
        if isinstance(event, RunStarted):
            self._run_id = event.run_id
        return self._run_id is None or event.run_id in {self._run_id, ""}

    def _measure(self) -> None:
        captures_s = 0.0 if self._control is None else self._control.pictures_seconds
        spent = ViewsCost(captures=captures_s, painting=self._pictures.total_s, numbers=self._numbers.total_s)
        self._meter.tell(time.perf_counter(), spent, was_running=self._state == "running")

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._measure()
            self._state = state
            self.state_changed.emit(state)
