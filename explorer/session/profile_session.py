"""A profile of one step, made in the background, and which of its numbers still hold after edits.

The profiler is handed in by the app, so that nothing here imports torch.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from explorer.architecture import Architecture
from explorer.inference.memory import memory
from explorer.runs import RunConfig
from explorer.runs.profile import NodeProfile, ProfileRefused, StepProfile
from explorer.session.document import Document, Snapshot
from explorer.session.job import Job

Profiler = Callable[
    [Architecture, RunConfig, Callable[[str, float], None], Callable[[], bool]], StepProfile | ProfileRefused
]


class Measured(NamedTuple):
    """What a profile says of the network as it is now."""

    profile: StepProfile
    nodes: Mapping[str, NodeProfile]
    """Those whose numbers still hold."""
    macs: Mapping[str, int]
    """Of one image, for the nodes whose numbers still hold, as far as they are known."""

    @property
    def is_whole(self) -> bool:
        """Whether everything that was measured still holds, so that sums mean something."""
        return len(self.nodes) == len(self.profile.nodes)


class ProfileSession(QObject):
    """At most one profile at a time; the last one is kept until another network is opened.

    Signals:
        started(): a profile is being made.
        progressed(str, float): what is being done, and the share done.
        finished(StepProfile): it was made, and `measured` says so.
        refused(ProfileRefused): there is too little memory for it.
        failed(str): why there is none; empty if it was cancelled.
        measured_changed(): there is a profile, or fewer or more of its numbers hold.
    """

    started = Signal()
    progressed = Signal(str, float)
    finished = Signal(object)
    refused = Signal(object)
    failed = Signal(str)
    measured_changed = Signal()

    def __init__(self, document: Document, profiler: Profiler, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._profiler = profiler
        self._job: Job | None = None
        self._profiled: Snapshot | None = None
        self._of: tuple[Facts, StepProfile] | None = None
        self._measured: Measured | None = None
        document.changed.connect(self._follow)

    @property
    def is_active(self) -> bool:
        """Whether one is being made."""
        return self._job is not None

    @property
    def measured(self) -> Measured | None:
        """What the last profile says of the network as it is now; None before the first."""
        return self._measured

    def start(self, config: RunConfig) -> None:
        """Profile the network as it is now, as it would be trained."""
        if self._job is not None or not self._document.is_open:
            return
        self._profiled = self._document.snapshot
        architecture, profiler = self._profiled.architecture, self._profiler
        job = Job(lambda progress, cancelled: profiler(architecture, config, progress, cancelled), self)
        self._job = job
        job.progressed.connect(self.progressed)
        job.finished.connect(self._take)
        job.failed.connect(self._fail)
        self.started.emit()
        job.start()

    def cancel(self) -> None:
        """End it; `failed("")` follows."""
        if self._job is not None:
            self._job.cancel()

    def forget(self) -> None:
        """Drop the last profile."""
        if self._of is not None:
            self._of = self._measured = None
            self.measured_changed.emit()

    def close(self, timeout_s: float = 10.0) -> bool:
        """End it, and send nothing any more; returns whether its thread ended in time."""
        return self._job is None or self._job.close(timeout_s)

    def _end(self) -> None:
        assert self._job is not None
        self._job.deleteLater()
        self._job = None

    def _fail(self, why: str) -> None:
        self._end()
        self.failed.emit(why)

    def _take(self, result: object) -> None:
        self._end()
        if isinstance(result, ProfileRefused):
            self.refused.emit(result)
            return
        assert isinstance(result, StepProfile)
        assert self._profiled is not None
        self._of = (node_facts(self._profiled), result)
        self._hold()
        self.finished.emit(result)

    def _follow(self, old: Snapshot | None, _new: Snapshot) -> None:
        if old is None:
            # Another network: nothing of it was measured, whatever its nodes are called.
            self.cancel()
            self.forget()
        elif self._of is not None:
            self._hold()

    def _hold(self) -> None:
        assert self._of is not None
        facts, profile = self._of
        measured = measured_now(facts, profile, self._document.snapshot)
        if measured != self._measured:
            self._measured = measured
            self.measured_changed.emit()


Facts = Mapping[str, tuple[object, ...]]
"""All that a node's time and memory follow from, by id: its layer, what arrives there, whether it is trained, through
which of its inputs gradients pass, and what is predicted that autograd keeps of it."""


def measured_now(facts: Facts, profile: StepProfile, now: Snapshot) -> Measured:
    """What a profile of one network says of another version of it.

    Args:
        facts: of the network that was profiled.
        profile: of that.
        now: the other version; a node's numbers hold where its facts are what they were.
    """
    own = node_facts(now)
    nodes = {i: node for i, node in profile.nodes.items() if i in own and own[i] == facts.get(i)}
    index, numbers = now.architecture.structure.index, now.inference.nodes.numbers
    macs = {node_id: count for node_id in nodes if (count := numbers[index[node_id]].macs) is not None}
    return Measured(profile, nodes, macs)


def node_facts(snapshot: Snapshot) -> Facts:
    """What numbers measured of this network rest on."""
    architecture, inference = snapshot
    index, numbers = architecture.structure.index, inference.nodes.numbers
    kept = memory(architecture, inference, batch_size=1).nodes
    needs: list[bool] = []
    facts: dict[str, tuple[object, ...]] = {}
    for node, own in zip(architecture.nodes, numbers, strict=True):
        sources = [index[source] for source in node.inputs]
        arriving = tuple(needs[source] for source in sources)
        needs.append(any(arriving) or (bool(own.parameters) and not node.frozen))
        shapes = tuple(numbers[source].output for source in sources)
        facts[node.id] = (node.layer, node.frozen, own.output, shapes, arriving, kept.get(node.id))
    return facts
