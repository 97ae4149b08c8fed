"""Trained weights for the window: what torchvision offers, what of a file fits, and the file a run starts from.

Everything here is called in a job's thread; torch is imported inside the functions, as in `engine`. The comparison
itself is `runtime.weights_matching`'s, and the dialog that shows it `weights_dialog`.
"""

import atexit
import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from explorer import zoo
from explorer.app.loading import load
from explorer.architecture import Architecture
from explorer.architecture.files import sha256_of
from explorer.architecture.freezing import can_freeze
from explorer.inference import infer
from explorer.layers import Layer
from explorer.look.transfers import said
from explorer.runs import ProjectWeightsError, SavedWeights, WeightsFacts, read_facts
from explorer.runs.project_weights import check_weights
from explorer.runtime.weights_report import WeightsReport
from explorer.session.recovery import kept_weights, sweep_weights
from explorer.session.run_session import InitialWeights

if TYPE_CHECKING:
    from explorer.runtime.weights_files import StateDict

_FEWEST_ALIKE = 0.5
"""Share of layers that a network must have in common with a catalogue's one to be offered its weights."""
_NEARLY_BEST = 0.95

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]


class Offer(NamedTuple):
    """Weights that torchvision publishes for what is open."""

    entry_id: str
    title: str
    """torchvision's names of the network and of the weights."""
    num_bytes: int
    is_here: bool
    """Whether the file lies in torchvision's cache."""
    top1: float
    """Accuracy on ImageNet's validation set, in percent, as published."""
    num_classes: int
    resize: int
    """The shorter side that an image is brought to, in pixels."""
    crop: int
    """The side of the square that is then cut from its middle, in pixels."""


class Comparison(NamedTuple):
    """A file that was read, and what of it fits."""

    name: str
    """The file's."""
    report: WeightsReport
    state: "StateDict"
    facts: WeightsFacts = WeightsFacts()
    """What is known of the file beside its tensors."""


class Checked(NamedTuple):
    """What became of a project's weights since it was saved."""

    problem: str
    """Why they are not what was saved; empty if they are."""
    report: WeightsReport | None
    """What of them fits; None where that cannot be said, since they cannot be read or the network has faults."""
    sha256: str
    """Of the file as it is now; empty where it cannot be read."""


def matching_entries(architecture: Architecture) -> tuple[zoo.Entry, ...]:
    """Networks of the catalogue with trained weights that this one stems from, the likeliest first.

    Layers are alike that have the same id and the same values; the head, the input size and other edits may differ.
    """
    own = _weighted(architecture)
    alike = {e.id: _alike(own, _weighted(e.build())) for e in zoo.entries() if e.has_pretrained}
    least = max(_FEWEST_ALIKE, _NEARLY_BEST * max(alike.values(), default=0.0))
    found = sorted((network_id for network_id, share in alike.items() if share >= least), key=lambda i: -alike[i])
    return tuple(zoo.entry(network_id) for network_id in found)


def look_up(architecture: Architecture, progress: Progress, cancelled: Cancelled) -> tuple[Offer, ...]:
    """What torchvision has for the network; empty where it stems from no network that has some.

    Raises:
        ImportError: torchvision is not installed, or does not go with torch.
        ValueError: this torchvision does not know the weights.
    """
    progress("Looking up what torchvision has", 0.0)
    entries = matching_entries(architecture)
    if not entries or cancelled():
        return ()
    load()
    from explorer.runtime import pretrained

    offers = []
    for entry in entries:
        known = pretrained.details(entry)
        offers.append(
            Offer(
                entry_id=entry.id,
                title=known.title,
                num_bytes=known.num_bytes,
                is_here=known.is_here,
                top1=known.top1,
                num_classes=len(known.class_names),
                resize=known.preprocessing.resize,
                crop=known.preprocessing.crop,
            )
        )
    return tuple(offers)


def compare_file(architecture: Architecture, path: Path, progress: Progress, cancelled: Cancelled) -> Comparison:
    """Read a file of weights and compare it with the network.

    Raises:
        ValueError: not such a file, the network has errors, or it was cancelled; says what would fit.
    """
    progress(f"Reading {path.name}", 0.0)
    load()
    from explorer.runtime.weights_files import read_state_dict
    from explorer.runtime.weights_matching import compare

    state = read_state_dict(path)
    if cancelled():
        raise ValueError(f"{path.name}: cancelled")  # a job says nothing of it
    return Comparison(path.name, compare(architecture, state), state, read_facts(path))


def compare_published(
    architecture: Architecture, network_id: str, again: bool, progress: Progress, cancelled: Cancelled
) -> Comparison:
    """Fetch torchvision's weights where they are not in its cache, and compare them with the network.

    Args:
        network_id: of the catalogue.
        again: fetch them also where a file lies in the cache.

    Raises:
        DownloadError: they cannot be fetched; says what helps.
        DownloadCancelled: the user ended it.
        ValueError, ImportError: as `look_up` and `compare_file`.
    """
    progress("Loading torchvision", 0.0)
    load()
    from explorer.runtime import pretrained

    entry = zoo.entry(network_id)
    path = None if again else pretrained.find(entry)
    if path is None:
        path = pretrained.download(entry, functools.partial(said(progress), ""), cancelled)
    comparison = compare_file(architecture, path, progress, cancelled)
    known = pretrained.details(entry)
    return comparison._replace(facts=known.facts, report=pretrained.with_notes(comparison.report, known))


def keep(comparison: Comparison, report: WeightsReport, progress: Progress, cancelled: Cancelled) -> InitialWeights:
    """Write what the report takes into a file that a run, a probe and an export can start from.

    It lies beside the recovery files and goes with this process, unless one of them names it; a second call never
    touches the first one's file.

    Args:
        comparison: what was read.
        report: the comparison's own, or its offer to pair by order.

    Raises:
        ValueError: it cannot be written, or was cancelled.
    """
    progress(f"Taking over {comparison.name}", 0.0)
    from explorer.runtime.weights import write_tensors
    from explorer.runtime.weights_matching import apply

    _sweep_at_end()
    text = f"{comparison.name}: {len(report.taken)} of {len(report.nodes)} layers"
    try:
        path = kept_weights(Path(comparison.name).stem)
        tensors = apply(comparison.state, report)
        if cancelled():
            raise ValueError(f"{comparison.name}: cancelled")  # a job says nothing of it
        write_tensors(tensors, path, replace(comparison.facts, text=text))
        sha256 = sha256_of(path)
    except OSError as error:
        raise ValueError(f"{comparison.name} cannot be kept: {error.strerror or error}") from error
    return InitialWeights(path, text, sha256, len(report.taken), comparison.facts.normalization)


def check_saved(
    architecture: Architecture, path: Path, saved: SavedWeights, progress: Progress, cancelled: Cancelled
) -> Checked:
    """Whether a project's weights are those that were saved with it, and what of them fits its network now."""
    progress(f"Checking {path.name}", 0.0)
    problem = ""
    try:
        check_weights(path, saved)
        sha256 = saved.sha256
    except ProjectWeightsError as error:
        problem, sha256 = str(error), _sha256(path)
    load()
    from explorer.runtime.weights_files import read_state_dict
    from explorer.runtime.weights_matching import compare

    try:
        state = read_state_dict(path)
    except ValueError as error:
        return Checked(problem or str(error), None, "")
    if cancelled() or infer(architecture).errors:
        return Checked(problem, None, sha256)
    report = compare(architecture, state)
    if not report.taken:
        problem = (
            problem or f"{path.name} does not fit the network any more; {report.summary[0].lower()}{report.summary[1:]}"
        )
    return Checked(problem, report, sha256)


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError:
        return ""


@functools.cache
def _sweep_at_end() -> None:
    sweep_weights()
    atexit.register(sweep_weights, is_ending=True)


def _weighted(architecture: Architecture) -> dict[str, Layer]:
    return {node.id: node.layer for node in architecture if can_freeze(node.layer)}


def _alike(own: dict[str, Layer], other: dict[str, Layer]) -> float:
    """The share of layers that both have."""
    both = sum(own.get(node_id) == layer for node_id, layer in other.items())
    return both / len(own.keys() | other.keys()) if own or other else 0.0
