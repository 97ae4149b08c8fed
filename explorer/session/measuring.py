"""What torch says of opaque layers, asked in the background and filled into the document as knowledge, not as edits.

How torch is asked is the caller's: no torch here.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from explorer.architecture import Architecture, edits
from explorer.layers import Measurement, Opaque, Shape
from explorer.session.document import Document, Snapshot
from explorer.session.job import Job

Measure = Callable[[Opaque, tuple[Shape, ...]], Opaque]
"""The layer with what torch says of it for inputs of these shapes."""


class Question(NamedTuple):
    """What is asked: a module with its arguments, for inputs of these shapes."""

    module: str
    arguments: str
    inputs: tuple[Shape, ...]


class Measuring(QObject):
    """Measures the opaque layers of a document that no measurement fits.

    Nothing is asked before `enable`: torch loads behind the window.

    Signals:
        failed(str): torch could not be asked at all, and why.
        names_known(tuple[str, ...]): the classes that an opaque layer may name.
    """

    failed = Signal(str)
    names_known = Signal(object)

    def __init__(
        self, document: Document, measure: Measure, names: Callable[[], tuple[str, ...]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._measure = measure
        self._names = names
        self._known: dict[Question, Measurement] = {}
        self._given_up: set[Question] = set()
        self._job: Job | None = None
        self._is_enabled = False
        self._is_closed = False
        document.complete_with(self._complete)
        document.changed.connect(lambda _old, _new: self._ask())

    def enable(self) -> None:
        """Begin: torch may load now."""
        if not self._is_enabled:
            self._is_enabled = True
            self._start(self._names, self._take_names)

    def close(self, timeout_s: float = 10.0) -> bool:
        """Ask nothing any more; returns whether the thread ended in time."""
        self._is_closed = True
        return self._job is None or self._job.close(timeout_s)

    def _complete(self, snapshot: Snapshot) -> Architecture:
        architecture = snapshot.architecture
        for node_id, question in _open_questions(snapshot):
            measurement = self._known.get(question)
            layer = architecture[node_id].layer
            if measurement is not None and isinstance(layer, Opaque):
                architecture = edits.set_layer(architecture, node_id, layer.with_measurement(measurement))
        return architecture

    def _ask(self) -> None:
        if not self._is_enabled or self._is_closed or self._job is not None or not self._document.is_open:
            return
        asked = {question for _id, question in _open_questions(self._document.snapshot)} - self._given_up
        if asked:
            measure = self._measure
            self._start(lambda: _answers(measure, asked), self._take_answers, asked)

    def _start(
        self, work: Callable[[], object], take: Callable[[object], None], asked: Iterable[Question] = ()
    ) -> None:
        job = Job(lambda _progress, _cancelled: work(), self)
        self._job = job

        def end() -> None:
            self._job = None
            job.deleteLater()

        def finish(result: object) -> None:
            end()
            take(result)
            self._ask()

        def fail(why: str) -> None:
            end()
            # The same question would fail the same way, and each edit would ask it again.
            self._given_up.update(asked)
            self.failed.emit(why)
            self._ask()

        job.finished.connect(finish)
        job.failed.connect(fail)
        job.start()

    def _take_names(self, names: object) -> None:
        self.names_known.emit(names)

    def _take_answers(self, answers: object) -> None:
        assert isinstance(answers, dict)
        self._known.update(answers)
        self._document.amend()


def is_waiting(layer: object, inputs: tuple[Shape | None, ...]) -> bool:
    """Whether a layer is an opaque one that torch has not been asked about for what arrives."""
    return isinstance(layer, Opaque) and None not in inputs and layer.measurement(inputs) is None  # type: ignore[arg-type]


def _open_questions(snapshot: Snapshot) -> list[tuple[str, Question]]:
    found = []
    for node_id, report in snapshot.inference.nodes.items():
        layer = report.layer
        # This runs for each node at each edit; almost none is opaque.
        if type(layer) is Opaque and is_waiting(layer, report.input_shapes):
            arriving: tuple[Shape, ...] = report.input_shapes  # type: ignore[assignment]  # waiting, so all are known
            found.append((node_id, Question(layer.module, layer.arguments, arriving)))
    return found


def _answers(measure: Measure, asked: Iterable[Question]) -> dict[Question, Measurement]:
    answers = {}
    for question in asked:
        layer = measure(Opaque(module=question.module, arguments=question.arguments), question.inputs)
        measurement = layer.measurement(question.inputs)
        assert measurement is not None
        answers[question] = measurement
    return answers
