"""Which feature maps are looked at, and where they come from: the run while there is one, else one that is followed,
else a probe."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, QTimer

from explorer.canvas import GraphView
from explorer.panels.feature_maps import FeatureMapsPanel
from explorer.runs import Atlas, Event, FeatureMapsCaptured, RunConfig
from explorer.runs.follow import Followed
from explorer.session import Document
from explorer.session.follow_session import FollowSession
from explorer.session.probe_session import ProbeRequest, ProbeSession
from explorer.session.run_session import RunSession

_SETTLE_MS = 80
"""A probe waits this long for the last of a row of changes, so that a drag does not queue one a frame."""


class LiveMaps(QObject):
    """Asks for maps of what is on screen, and hands them to canvas and panel."""

    def __init__(
        self,
        document: Document,
        canvas: GraphView,
        panel: FeatureMapsPanel,
        run: RunSession,
        probe: ProbeSession,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._canvas = canvas
        self._panel = panel
        self._run = run
        self._probe = probe
        self._enabled = False
        self._followed: FollowSession | None = None
        self._has_followed_maps = False
        self._config = RunConfig()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._request)
        document.changed.connect(self._document_changed)
        canvas.map_nodes_changed.connect(lambda _nodes: self._look())
        panel.wanted_changed.connect(self._look)
        run.initial_weights_changed.connect(self._look)
        panel.probe_changed.connect(lambda _image, _label: self._look())
        run.events_arrived.connect(self._show_events)
        run.state_changed.connect(self._state_changed)
        probe.captured.connect(self._show_captured)
        probe.failed.connect(lambda _request, message: panel.set_problem(message))

    def enable(self) -> None:
        """Begin: torch may load now."""
        self._enabled = True
        self._look()

    def set_config(self, config: RunConfig) -> None:
        """Show initial weights and images as a run with this configuration would see them."""
        old = self._config
        self._config = config
        if (config.seed, config.data, config.normalization) != (old.seed, old.data, old.normalization):
            self._look()

    def follow(self, session: FollowSession | None) -> None:
        """Show the maps of a run that trains elsewhere what is on screen; None for none."""
        before = self._followed
        if before is session:
            return
        self._followed, self._has_followed_maps = session, False
        if before is not None:
            before.maps_arrived.disconnect(self._show_followed)
            before.status_changed.disconnect(self._follow_status)
            before.watch((), None, "")
        if session is not None:
            session.maps_arrived.connect(self._show_followed)
            session.status_changed.connect(self._follow_status)
        self._look()

    def close(self) -> None:
        """Ask for nothing any more."""
        self._enabled = False
        self._timer.stop()

    @property
    def _is_run_shown(self) -> bool:
        """Whether the maps on screen are a run's, as it goes."""
        return self._run.is_active and not self._run.is_detached

    @property
    def _is_followed_shown(self) -> bool:
        """Whether they are those of a run elsewhere, which has answered and goes on."""
        followed = self._followed
        is_going = followed is not None and followed.status is not None and not followed.status.is_ended
        return is_going and self._has_followed_maps and not self._run.is_active

    def _weights(self) -> str | None:
        """The weights that a probe is shown for."""
        followed = self._followed
        if followed is not None and not self._run.is_active and followed.weights.is_file():
            return str(followed.weights)
        return self._run.checkpoint

    def _wanted(self) -> tuple[str, ...]:
        if not self._document.is_open:
            return ()
        architecture = self._document.architecture
        wanted = dict.fromkeys((*self._panel.wanted_nodes(), *self._canvas.visible_map_nodes()))
        return tuple(node_id for node_id in wanted if node_id in architecture)

    def _document_changed(self, old: object, _new: object) -> None:
        if old is None:
            self._run.detach()
            self._canvas.clear_maps()
            self._panel.clear_maps()
        self._look()

    def _look(self) -> None:
        """What is looked at has changed."""
        wanted = self._wanted()
        probe = self._panel.probe_bar.current
        running = self._run.architecture if self._is_run_shown else None
        self._run.watch(
            (n for n in wanted if not self._run.is_detached and (running is None or n in running)),
            probe.image if probe is not None else None,
            probe.label if probe is not None else "",
        )
        if self._followed is not None:
            self._followed.watch(
                () if self._run.is_active else wanted,
                probe.image if probe is not None else None,
                probe.label if probe is not None else "",
            )
        if self._enabled and not self._is_run_shown and not self._is_followed_shown:
            self._timer.start()

    def _state_changed(self, state: str) -> None:
        if state in {"starting", "idle"}:
            self._probe.cancel()
            self._look()

    def _request(self) -> None:
        wanted, probe = self._wanted(), self._panel.probe_bar.current
        if not self._enabled or not wanted or probe is None or self._is_run_shown:
            return
        if self._is_followed_shown:
            return
        weights = self._weights()
        self._probe.request(
            ProbeRequest(
                architecture=self._document.architecture,
                weights=weights,
                seed=self._config.seed,
                data=self._config.data,
                image=probe.image,
                probe=probe.label,
                node_ids=wanted,
                # What a run has trained says itself what it was trained with.
                normalization="auto"
                if weights != self._run.checkpoint or self._run.is_checkpoint_trained
                else self._config.normalization,
            )
        )

    def _show_events(self, events: list[Event]) -> None:
        if self._run.is_detached:
            return
        atlases: dict[str, Atlas] = {}
        step = 0
        for event in events:
            if isinstance(event, FeatureMapsCaptured):
                atlases.update(event.atlases)
                step = event.step
        if atlases:
            self._show(atlases, self.tr("step {0}").format(f"{step:,}"))

    def _show_followed(self, event: FeatureMapsCaptured) -> None:
        if not self._run.is_active and self._document.is_open:
            self._has_followed_maps = True
            self._show(event.atlases, self.tr("step {0}").format(f"{event.step:,}"))

    def _follow_status(self, status: Followed) -> None:
        if status.is_ended and self._has_followed_maps:
            # What it has trained can be looked at in every layer now.
            self._has_followed_maps = False
            self._look()

    def _show_captured(self, request: ProbeRequest, atlases: Mapping[str, Atlas]) -> None:
        if self._is_run_shown or self._is_followed_shown or not self._document.is_open:
            return
        if request.architecture is not self._document.architecture:
            return
        trained = request.weights is not None
        self._show(atlases, self.tr("trained weights") if trained else self.tr("initial weights"))

    def _show(self, atlases: Mapping[str, Atlas], source: str) -> None:
        self._canvas.set_maps(atlases)
        self._panel.set_maps(atlases, source)
