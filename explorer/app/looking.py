"""What the views look at, and where it comes from: the run while there is one, else one that is followed, else the
network at rest; or a moment of before, as long as somebody looks back.

A view says what it wants and is handed what was captured. It never asks where that came from; `Source` says so.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, SignalInstance

from explorer.app.answered import Answered, is_alike
from explorer.runs import Event, FeatureMapsCaptured, Look, Observed, RunConfig, merged
from explorer.runs.follow import Followed
from explorer.runs.held import held
from explorer.session import Document, Snapshot
from explorer.session.follow_session import FollowSession
from explorer.session.probe_session import ProbeRequest, ProbeSession
from explorer.session.probe_set import ProbeSet
from explorer.session.run_session import RunSession
from explorer.session.sources import Source

_SETTLE_MS = 80
"""After the last of a row of changes, before the network at rest is asked; a drag does not queue one a frame."""


class _Weights(NamedTuple):
    """A file of weights, and when it was written last."""

    path: str
    changed_ns: int | None


class Viewer(Protocol):
    """What shows something that is captured. `wanted` is asked whenever `wanted_changed` says so."""

    @property
    def wanted_changed(self) -> SignalInstance:
        """Emitted when `wanted` gives something else, as when the view is shown or hidden."""

    def wanted(self) -> Look:
        """What is on screen now, without the probes."""

    def show_observed(self, events: Sequence[Event], source: Source) -> None:
        """Take what was captured, of what this or another view wanted; what it has of other nodes stays."""

    def clear_observed(self) -> None:
        """Forget everything, as another network or run makes it wrong."""

    def show_problem(self, text: str) -> None:
        """Say why there is nothing; what is captured next takes it back, and so does an empty text."""


class Looking(QObject):
    """Asks for what is on screen, and hands it to the views."""

    def __init__(
        self,
        document: Document,
        run: RunSession,
        at_rest: ProbeSession,
        probes: ProbeSet,
        viewers: Iterable[Viewer],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._run = run
        self._at_rest = at_rest
        self._probes = probes
        self._viewers = tuple(viewers)
        self._enabled = False
        self._followed: FollowSession | None = None
        self._has_answered = False
        self._followed_weights: _Weights | None = None
        """What the followed run keeps of weights, as its thread saw last; None while it has none."""
        self._known_weights: _Weights | None = None
        """The same, as the views know it."""
        self._is_looking_back = False
        self._moment: tuple[Sequence[Event], Source] = ((), Source("", None, ""))
        """What is looked back at, to be shown again to a view that wants something else."""
        self._newest: dict[type[Event], tuple[Event, Source]] = {}
        """What the run, or the one that is followed, last said of each kind, to be shown again after a look back: at
        rest, it says nothing more."""
        self._answered = Answered()
        self._has_said_problem = False
        self._config = RunConfig()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._request)
        document.changed.connect(self._document_changed)
        for viewer in self._viewers:
            viewer.wanted_changed.connect(self._look)
        probes.changed.connect(self._look)
        run.initial_weights_changed.connect(self._look)
        run.events_arrived.connect(self._show_events)
        run.state_changed.connect(self._state_changed)
        at_rest.captured.connect(self._show_captured)
        at_rest.failed.connect(self._show_failed)

    def enable(self) -> None:
        """Begin: torch may load now."""
        self._enabled = True
        # Of no dock's doing, each of which may be behind others; a bar of probes says why there is none.
        with suppress(OSError, ValueError, KeyError):
            self._probes.ensure()
        self._look()

    def set_config(self, config: RunConfig) -> None:
        """Show initial weights and images as a run with this configuration would see them."""
        old = self._config
        self._config = config
        if (config.seed, config.data, config.normalization) != (old.seed, old.data, old.normalization):
            self._look()

    def follow(self, session: FollowSession | None) -> None:
        """Show a run that trains elsewhere what is on screen; None for none."""
        before = self._followed
        if before is session:
            return
        self._followed, self._has_answered = session, False
        self._followed_weights = self._known_weights = None
        if not self._run.is_active:
            self._newest.clear()
        if before is not None:
            before.observed_arrived.disconnect(self._show_followed)
            before.status_changed.disconnect(self._look_for_weights)
            before.status_changed.disconnect(self._follow_status)
            before.watch(Look())
        if session is not None:
            session.observed_arrived.connect(self._show_followed)
            # In the thread that looks at the folder, which a mount that hangs may hold.
            session.status_changed.connect(self._look_for_weights, Qt.ConnectionType.DirectConnection)
            session.status_changed.connect(self._follow_status)
        self._look()

    def look_back(self, events: Sequence[Event], source: Source) -> None:
        """Show a moment of before; what comes meanwhile is not shown, until `look_at_present`."""
        self._is_looking_back = True
        self._answered = Answered()
        self._moment = (events, source)
        self._show_moment()

    def look_at_present(self) -> None:
        """Show what comes again."""
        if self._is_looking_back:
            self._is_looking_back = False
            self._say_problem("")
            if self._is_run_shown or self._is_followed_shown:
                # Of an earlier step than what is shown already they would look like a look back.
                for event, source in sorted(self._newest.values(), key=lambda newest: newest[1].step or 0):
                    self._show([event], source)
            self._look()

    def close(self) -> None:
        """Ask for nothing any more."""
        self._enabled = self._is_looking_back = False
        self._timer.stop()

    @property
    def _is_run_shown(self) -> bool:
        """Whether what is on screen is a run's, as it goes."""
        return self._run.is_active and not self._run.is_detached

    @property
    def _is_followed_shown(self) -> bool:
        """Whether it is a run's elsewhere, which has answered and goes on."""
        followed = self._followed
        is_going = followed is not None and followed.status is not None and not followed.status.is_ended
        return is_going and self._has_answered and not self._run.is_active

    def _weights(self) -> _Weights | None:
        """The weights that the network at rest has."""
        if self._known_weights is not None and not self._run.is_active:
            return self._known_weights
        kept = self._run.checkpoint
        return None if kept is None else _Weights(kept, _changed_ns(Path(kept)))

    def _wanted(self) -> Look:
        if not self._document.is_open:
            return Look()
        looks = [viewer.wanted() for viewer in self._viewers]
        return merged(looks, self._probes.probes, self._probes.place)

    def _document_changed(self, old: Snapshot | None, new: Snapshot) -> None:
        if old is None or old.architecture is not new.architecture:
            # What an edit made wrong the views have forgotten, also where it is undone before anything is asked.
            self._answered = Answered()
        if old is None:
            self._run.detach()
            self._is_looking_back = False
            self._say_problem("")
            for viewer in self._viewers:
                viewer.clear_observed()
        self._look()

    def _look(self) -> None:
        """What is looked at has changed."""
        wanted = self._wanted()
        # Whoever wants something again has let it go.
        self._answered.forget_beyond(wanted)
        self._run.watch(Look() if self._run.is_detached else wanted)
        if self._followed is not None:
            self._followed.watch(Look() if self._run.is_active else wanted)
        if self._is_looking_back or (self._enabled and not self._is_run_shown and not self._is_followed_shown):
            self._timer.start()

    def _state_changed(self, state: str) -> None:
        if state in {"starting", "idle"}:
            self._newest.clear()
            self._at_rest.cancel()
            self._look()

    def _request(self) -> None:
        if self._is_looking_back:
            self._show_moment()
            return
        if not self._enabled or not self._is_rest_shown:
            return
        request = self._request_of_today()
        if request.look.is_empty or not request.look.probes:
            return
        weights = self._weights()
        changed_ns = None if weights is None else weights.changed_ns
        if not self._answered.is_of(request, changed_ns):
            self._answered = Answered(request, changed_ns)
        # One more thing to look at must not compute all the others anew.
        left = request.look.beyond(self._answered.look)
        if left.is_empty:
            self._at_rest.cancel()
            self._say_problem("")
        else:
            self._at_rest.request(dataclasses.replace(request, look=left))

    @property
    def _is_rest_shown(self) -> bool:
        """Whether what is on screen is the network at rest."""
        is_other = self._is_run_shown or self._is_followed_shown or self._is_looking_back
        return self._document.is_open and not is_other

    def _request_of_today(self) -> ProbeRequest:
        """All that is wanted of what is open."""
        kept = self._weights()
        weights = None if kept is None else kept.path
        return ProbeRequest(
            architecture=self._document.architecture,
            weights=weights,
            seed=self._config.seed,
            data=self._config.data,
            # A network at rest is not tested: what a run leaves is.
            look=dataclasses.replace(self._wanted(), tested=False),
            # What a run has trained says itself what it was trained with.
            normalization="auto"
            if weights != self._run.checkpoint or self._run.is_checkpoint_trained
            else self._config.normalization,
        )

    def _show_events(self, events: list[Event]) -> None:
        if self._run.is_detached:
            return
        self._answered = Answered()
        observed = [event for event in events if isinstance(event, FeatureMapsCaptured | Observed)]
        if observed:
            step = observed[-1].step
            source = Source(self._step_text(step), step, observed[-1].run_id)
            self._newest.update({type(event): (event, source) for event in observed})
            if not self._is_looking_back:
                self._say_problem("")
                self._show(observed, source)

    def _show_followed(self, events: Sequence[FeatureMapsCaptured | Observed]) -> None:
        if self._run.is_active or not self._document.is_open:
            return
        self._has_answered = True
        self._answered = Answered()
        # Each kind of answer is as old as it is.
        for event in events:
            source = Source(self._step_text(event.step), event.step, event.run_id)
            self._newest[type(event)] = (event, source)
            if not self._is_looking_back:
                self._say_problem("")
                self._show([event], source)

    def _look_for_weights(self, _status: Followed) -> None:
        """Find out whether the followed run has weights; called in its thread."""
        followed = self._followed
        if followed is not None:
            changed_ns = _changed_ns(followed.weights)
            self._followed_weights = None if changed_ns is None else _Weights(str(followed.weights), changed_ns)

    def _follow_status(self, status: Followed) -> None:
        is_known = (self._followed_weights is None) == (self._known_weights is None)
        self._known_weights = self._followed_weights
        if not is_known or (status.is_ended and self._has_answered):
            # What it has trained can be looked at in every layer, at its end again.
            self._has_answered = self._has_answered and not status.is_ended
            self._look()

    def _show_captured(self, request: ProbeRequest, captured: tuple[Event, ...]) -> None:
        if not self._is_rest_shown or not is_alike(request, self._request_of_today()):
            return
        self._answered.add(request.look)
        self._answered.forget_beyond(self._wanted())
        trained = request.weights is not None
        text = self.tr("trained weights") if trained else self.tr("initial weights")
        self._say_problem("")
        self._show(captured, Source(text, None, ""))

    def _show_failed(self, request: ProbeRequest, text: str) -> None:
        if self._is_rest_shown and is_alike(request, self._request_of_today()):
            self._say_problem(text)

    def _show_moment(self) -> None:
        """Show what is looked back at, and say of it what is not there."""
        events, source = self._moment
        self._show(events, source)
        there = held(events)
        for viewer in self._viewers if events else ():
            missing = self._name_of(viewer.wanted().beyond(there))
            if missing:
                text = self.tr("This moment does not hold {0}; press {1} (Alt+End) to see the present.")
                viewer.show_problem(text.format(missing, self.tr("Live") if self._run.is_active else self.tr("Now")))
                self._has_said_problem = True

    def _name_of(self, look: Look) -> str:
        """What of it fills a view, as a sentence says it; empty for nothing."""
        values = (*look.maps, *look.opened)
        if values:
            return self.tr("{0}'s values").format(values[0])
        if look.weighed:
            return self.tr("{0}'s weights").format(look.weighed[0])
        if look.measures:
            return self.tr("the layers' statistics")
        if look.tested:
            return self.tr("a test of the classes")
        return self.tr("what the predictions rest on") if look.explained else ""

    def _step_text(self, step: int) -> str:
        return self.tr("step {0}").format(f"{step:,}")

    def _show(self, events: Sequence[Event], source: Source) -> None:
        for viewer in self._viewers:
            viewer.show_observed(events, source)

    def _say_problem(self, text: str) -> None:
        """Say in every view why there is nothing; an empty text takes back what was said."""
        if text or self._has_said_problem:
            for viewer in self._viewers:
                viewer.show_problem(text)
        self._has_said_problem = bool(text)


def _changed_ns(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
