"""How long a run would take, asked in the background once settings are at rest, and dropped when they change.

The probe is handed in by the app, so that nothing here imports torch.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.architecture import Architecture
from explorer.runs import RunConfig
from explorer.runs.profile import SpeedEstimate
from explorer.session.document import Document, Snapshot
from explorer.session.job import Job

Probe = Callable[[Architecture, RunConfig, Callable[[], bool]], SpeedEstimate]

REST_MS = 1500
"""Without a change for so long, settings are at rest."""
HEAVY_MACS = 4_000_000_000
"""A step with more multiply-accumulates forward may take a CPU longer than the probe should: asked for only."""
_NO_MATTER = frozenset(
    {
        "early_stopping",
        "epochs",
        "final_share",
        "gamma",
        "init",
        "keep_best",
        "learning_rate",
        "normalization",
        "plateau_patience",
        "rise_share",
        "schedule",
        "seed",
        "step_epochs",
        "warmup_epochs",
        "weight_decay",
    }
)
"""Fields of a configuration that do not change how long an epoch takes."""


class SpeedSession(QObject):
    """Probes the network on screen, one probe at a time, never beside a run.

    Signals:
        changed(): there is another estimate or none, or whether one is being made.
    """

    changed = Signal()

    def __init__(self, document: Document, probe: Probe, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._probe = probe
        self._config = RunConfig()
        self._job: Job | None = None
        self._ended: list[Job] = []
        self._estimate: SpeedEstimate | None = None
        self._key: object = None
        self._why = ""
        self._is_enabled = False
        self._is_held = False
        self._is_watched = False
        self._is_closed = False
        self._timer = QTimer(self, singleShot=True, interval=REST_MS)
        self._timer.timeout.connect(self._probe_by_itself)
        document.changed.connect(self._follow)

    @property
    def estimate(self) -> SpeedEstimate | None:
        """For the network and settings as they are now; None while it is not known."""
        return self._estimate

    @property
    def is_active(self) -> bool:
        """Whether a probe is under way."""
        return self._job is not None

    @property
    def why_not(self) -> str:
        """Why the last probe came to nothing; empty if it did not, or was ended."""
        return self._why

    @property
    def is_heavy(self) -> bool:
        """Whether a probe waits to be asked for."""
        if not self._document.is_open:
            return False
        macs = self._document.snapshot.inference.totals.macs or 0
        return macs * self._config.batch_size > HEAVY_MACS

    def enable(self) -> None:
        """Torch is there: from now on a probe need not wait for it."""
        self._is_enabled = True
        self._rest()

    def set_config(self, config: RunConfig) -> None:
        """Follow the training form."""
        self._config = config
        self._look()

    def set_held(self, held: bool) -> None:
        """Probe nothing while a run, or a profile, computes; what is known stays."""
        if held != self._is_held:
            self._is_held = held
            if held:
                self._give_up()
            self._look()

    def set_watched(self, watched: bool) -> None:
        """Whether anybody would see an estimate."""
        self._is_watched = watched
        self._rest()

    def ask(self) -> None:
        """Probe now, whether or not there is an estimate, and however heavy the network is."""
        if self._is_closed or self._is_held or self._job is not None or not self._document.is_open:
            return
        self._timer.stop()
        architecture, config, probe = self._document.architecture, self._config, self._probe
        job = Job(lambda _progress, cancelled: probe(architecture, config, cancelled), self)
        self._job, self._key, self._why = job, self._wanted(), ""
        job.finished.connect(lambda result: self._take(job, result, ""))
        job.failed.connect(lambda why: self._take(job, None, why))
        job.start()
        self.changed.emit()

    def close(self, timeout_s: float = 10.0) -> bool:
        """Ask nothing any more; returns whether the threads ended in time."""
        self._is_closed = True
        self._timer.stop()
        jobs = [*self._ended, *([] if self._job is None else [self._job])]
        ended = [job.close(timeout_s) for job in jobs]  # all of them, whatever the first says
        return all(ended)

    def _follow(self, _old: Snapshot | None, _new: Snapshot) -> None:
        self._look()

    def _look(self) -> None:
        """Drop what no longer holds."""
        if self._document.is_open and self._key is not None and self._key != self._wanted():
            self._give_up()
            self._key, self._estimate, self._why = None, None, ""
            self.changed.emit()
        self._rest()

    def _rest(self) -> None:
        if self._is_enabled and self._is_watched and not self._is_held and not self._is_closed and self._key is None:
            self._timer.start()

    def _probe_by_itself(self) -> None:
        if not self._document.is_open or self._document.snapshot.inference.errors:
            return
        if self._ended:
            self._timer.start()  # one that was given up is still at a step
        elif self._is_enabled and self._is_watched and not self._is_held and not self.is_heavy:
            self.ask()

    def _give_up(self) -> None:
        self._timer.stop()
        if self._job is not None:
            self._job.cancel()
            self._ended.append(self._job)
            self._job, self._key = None, None
            self.changed.emit()

    def _take(self, job: Job, result: object, why: str) -> None:
        job.deleteLater()
        if job is not self._job:
            self._ended.remove(job)
            return
        self._job = None
        self._estimate = result if isinstance(result, SpeedEstimate) else None
        self._why = why
        self.changed.emit()

    def _wanted(self) -> object:
        architecture = self._document.architecture
        plain = self._config.to_plain()
        settings = {name: value for name, value in plain.items() if name not in _NO_MATTER}
        return architecture.nodes, architecture.outputs, settings
