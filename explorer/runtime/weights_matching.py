"""Which tensors of a file go to which layer: `compare` finds out, `apply` does what the report says, nothing else.

Files come from `weights_files`; the report's own values, and its words for users, are in `weights_report`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from explorer import zoo
from explorer.architecture import Architecture
from explorer.architecture.freezing import head
from explorer.runtime.modules import Network, build_module
from explorer.runtime.weights import is_batch_count, shape_text
from explorer.runtime.weights_files import StateDict
from explorer.runtime.weights_report import NEVER_TRAINED, Match, NodeWeights, Outcome, Unused, WeightsReport

_WRAPPERS = ("module", "_orig_mod", "model")
"""First parts of names that stand for a wrapper and no layer: `DataParallel`, `torch.compile`, and a model as the
attribute of another, as Lightning saves it."""
_TELLING = ("weight", "bias", "running_mean", "running_var")
"""What torch's layers call their tensors: one called so is never another that is called so."""

Renaming = tuple[tuple[str, str], ...]


class _Reading(NamedTuple):
    """One way to read a file's names as the network's."""

    sources: Mapping[str, str]
    """The file's name of each tensor, by the name that is read."""
    notes: tuple[str, ...]


def compare(architecture: Architecture, state: StateDict) -> WeightsReport:
    """What of a file fits the network, what does not, and why. Nothing is changed.

    A layer takes all of its tensors or none. Names are read as they are, without what wrappers put before them, or as
    torchvision's own files need it (`Pretrained.renamed`), whichever fits most. Where the head alone is for another
    number of classes, it keeps the weights that it starts with. If names say nothing and the shapes agree one after
    the other, the report has that as an offer, `by_order`.

    Raises:
        NotRunnable: the architecture has errors.
    """
    with torch.device("meta"):  # shapes without memory, and torch's random state is left alone
        network = build_module(architecture)
    own = network.state_dict()
    best = max(_readings(state.tensors), key=lambda reading: _agreement(own, reading, state.tensors))
    report = _report(network, best, state, "name")
    pairs = _in_order(network, state)
    if pairs is None:
        return report
    offer = _report(network, _Reading(pairs, ()), state, "order")
    return replace(report, by_order=offer) if len(offer.taken) > len(report.taken) else report


def apply(state: StateDict, report: WeightsReport) -> dict[str, Tensor]:
    """The tensors that the report takes from the file, by the network's names and in its number formats.

    They are what `weights.write_tensors` keeps for a run to start from, and what `weights.carry_weights` loads; layers
    that take nothing are not in it.

    Raises:
        ValueError: the report is of another file.
    """
    result: dict[str, Tensor] = {}
    seen: set[int] = set()
    for node in report.taken:
        for match in node.matches:
            if match.source is None:
                result[match.key] = torch.zeros((), dtype=torch.int64)
                continue
            given = state.tensors.get(match.source)
            if given is None or tuple(given.shape) != match.shape:
                raise ValueError(f"{match.source}: not the file that was compared; compare this one first")
            value = given.to(getattr(torch, match.dtype)).contiguous()
            # Tensors that share memory in the file, as tied weights do, are each a layer's own here.
            place = value.untyped_storage().data_ptr()
            result[match.key] = value.clone() if place in seen else value
            seen.add(place)
    return result


def _readings(tensors: Mapping[str, Tensor]) -> list[_Reading]:
    """All ways to read the names, the plainest first."""
    renamings = dict.fromkeys(e.pretrained.renamed for e in zoo.entries() if e.pretrained and e.pretrained.renamed)
    readings = []
    for names, left_out in _unwrapped(tuple(tensors)):
        notes = [f"Names in the file begin with {left_out!r}, which is left out."] if left_out else []
        readings.append(_Reading(dict(zip(names, tensors, strict=True)), tuple(notes)))
        for renaming in renamings:
            renamed = [_renamed(name, renaming) for name in names]
            if renamed != list(names) and len(set(renamed)) == len(names):
                note = (
                    f"Names are read as torchvision's files need it: {', '.join(f'{a} as {b}' for a, b in renaming)}."
                )
                readings.append(_Reading(dict(zip(renamed, tensors, strict=True)), (*notes, note)))
    return readings


def _renamed(name: str, renaming: Renaming) -> str:
    for theirs, ours in renaming:
        name = name.replace(theirs, ours)
    return name


def _unwrapped(names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The names without more and more of what stands before them, and that."""
    left_out = ""
    while True:
        yield names, left_out
        firsts = {name.partition(".")[0] for name in names if "." in name}
        prefix = next((first for first in _WRAPPERS if first in firsts), None)
        if prefix is None:
            if len(firsts) != 1 or not all("." in name for name in names):
                break
            (prefix,) = firsts  # a network inside another, under any name
        shorter = tuple(name.removeprefix(f"{prefix}.") for name in names)
        if len(set(shorter)) < len(names):
            break
        names, left_out = shorter, f"{left_out}{prefix}."


def _agreement(own: Mapping[str, Tensor], reading: _Reading, tensors: Mapping[str, Tensor]) -> tuple[int, int]:
    """How many tensors have the name and the shape; how many the name at least."""
    named = [key for key in own if key in reading.sources]
    return sum(_fits(own[key], tensors[reading.sources[key]]) for key in named), len(named)


def _fits(own: Tensor, given: Tensor) -> bool:
    return own.shape == given.shape and not (own.is_floating_point() and not given.is_floating_point())


def _in_order(network: Network, state: StateDict) -> dict[str, str] | None:
    """The file's name for each tensor of the network where shapes agree from first to last; None if they do not."""
    if not state.is_ordered:
        return None
    theirs = [name for name in state.tensors if not is_batch_count(name)]
    own = network.state_dict()
    heads = set(head(network.architecture))
    # torch's modules list what they own in the order of construction, which may be the order of computing or not.
    for keys in (list(own), [key for node_id in network.calls for key in _tensors(network, node_id)]):
        ours = [key for key in keys if not is_batch_count(key)]
        if len(ours) == len(theirs) and all(
            _pairs_up(key, own[key], name, state.tensors[name], key.rpartition(".")[0] in heads)
            for key, name in zip(ours, theirs, strict=True)
        ):
            return dict(zip(ours, theirs, strict=True))
    return None


def _pairs_up(key: str, own: Tensor, name: str, given: Tensor, is_head: bool) -> bool:
    leaf, other = key.rpartition(".")[2], name.rpartition(".")[2]
    if leaf != other and leaf in _TELLING and other in _TELLING:
        return False
    return _fits(own, given) or (is_head and _differs_in_count(tuple(own.shape), tuple(given.shape)))


def _tensors(network: Network, node_id: str) -> dict[str, Tensor]:
    """What a node owns, by its name in the network's `state_dict`."""
    module = network.node_module(node_id)
    return {} if module is None else {f"{node_id}.{key}": value for key, value in module.state_dict().items()}


def _report(network: Network, reading: _Reading, state: StateDict, matching: Literal["name", "order"]) -> WeightsReport:
    heads = set(head(network.architecture))
    nodes: list[NodeWeights] = []
    known: dict[str, str] = {}
    for node_id in network.calls:
        if own := _tensors(network, node_id):
            known.update(dict.fromkeys(own, node_id))
            nodes.append(_node(node_id, own, reading.sources, state.tensors, node_id in heads))
    modules = {key.rpartition(".")[0] for key in known}
    unused = tuple(
        Unused(source, tuple(state.tensors[source].shape), _why_unused(name, modules))
        for name, source in reading.sources.items()
        if name not in known and not is_batch_count(name)
    )
    taken = [match.source for node in nodes if node.outcome == "taken" for match in node.matches if match.source]
    values = {source: state.tensors[source] for source in taken}
    notes = (*state.notes, *reading.notes, *_value_notes(values), *_untrained_notes(nodes, state.tensors))
    return WeightsReport(nodes=tuple(nodes), unused=unused, matching=matching, notes=notes)


def _node(
    node_id: str, own: Mapping[str, Tensor], sources: Mapping[str, str], tensors: Mapping[str, Tensor], is_head: bool
) -> NodeWeights:
    matches = tuple(_match(key, value, sources.get(key), tensors) for key, value in own.items())
    outcome, text = _outcome(matches, own, sources, tensors, is_head)
    return NodeWeights(node_id, outcome, matches, text)


def _match(key: str, own: Tensor, source: str | None, tensors: Mapping[str, Tensor]) -> Match:
    dtype = str(own.dtype).removeprefix("torch.")
    return Match(key, tuple(own.shape), dtype, source, None if source is None else tuple(tensors[source].shape))


def _outcome(
    matches: Sequence[Match],
    own: Mapping[str, Tensor],
    sources: Mapping[str, str],
    tensors: Mapping[str, Tensor],
    is_head: bool,
) -> tuple[Outcome, str]:
    needed = [match for match in matches if not is_batch_count(match.key)]
    absent = [match for match in needed if match.source is None]
    if len(absent) == len(needed):
        return "missing", "the file has nothing of this name"
    wrong = [match for match in matches if match.source and not _fits(own[match.key], tensors[match.source])]
    if wrong:
        first = wrong[0]
        assert first.source is not None
        assert first.source_shape is not None
        if is_head and all(
            match.source_shape and _differs_in_count(match.shape, match.source_shape) for match in wrong
        ):
            return "fresh", f"{first.shape[0]:,} scores here and {first.source_shape[0]:,} in the file: it starts anew"
        if first.shape == first.source_shape:
            kind = str(tensors[first.source].dtype).removeprefix("torch.")
            return "misfit", f"{first.key} is stored as {kind}, as quantised networks do; real numbers are needed"
        return (
            "misfit",
            f"{first.key} is {shape_text(first.shape)} here and {shape_text(first.source_shape)} in the file",
        )
    if absent:
        return "missing", f"{absent[0].key} is not in the file"
    for module in dict.fromkeys(match.key.rpartition(".")[0] for match in matches):
        for leaf in _TELLING:
            if f"{module}.{leaf}" in sources and f"{module}.{leaf}" not in own:
                return (
                    "misfit",
                    f"the file has a {leaf} for {module} too, without which the rest computes something else",
                )
    renamed = any(match.source not in (None, match.key) for match in matches)
    return "taken", f"takes {_named(matches)}" if renamed else "fits"


def _named(matches: Sequence[Match]) -> str:
    """What the file calls the layer; its tensors one by one where no one name covers them."""
    names = [match.source for match in matches if match.source is not None]
    modules = {name.rpartition(".")[0] for name in names}
    return modules.pop() if len(modules) == 1 and "" not in modules else ", ".join(names)


def _differs_in_count(own: Sequence[int], given: Sequence[int]) -> bool:
    """Whether only the first dimension differs: as many rows as there are classes."""
    return len(own) == len(given) > 0 and own[1:] == given[1:]


def _why_unused(name: str, modules: set[str]) -> str:
    module, _, leaf = name.rpartition(".")
    if module in modules:
        return f"{module} has no {leaf} here"
    return f"the network has no layer {module} with weights" if module else "the network has nothing of this name"


def _untrained_notes(nodes: Sequence[NodeWeights], tensors: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Names the norms whose statistics say that nobody trained them, where others were: auxiliary heads, say."""
    trained: list[str] = []
    untrained: list[str] = []
    for node in nodes:
        sources = {match.key.rpartition(".")[2]: match.source for match in node.matches}
        mean, var = sources.get("running_mean"), sources.get("running_var")
        if node.outcome != "taken" or mean is None or var is None:
            continue
        is_new = not tensors[mean].any() and bool((tensors[var] == 1).all())
        (untrained if is_new else trained).append(node.node_id)
    if not trained or not untrained:
        return ()
    return (
        f"{NEVER_TRAINED}, as their statistics of 0 and 1 show: {', '.join(untrained[:4])}"
        f"{', …' * (len(untrained) > 4)}. What leads to them is random too; train it before it is used.",
    )


def _value_notes(taken: Mapping[str, Tensor]) -> tuple[str, ...]:
    notes = []
    kinds = {str(t.dtype).removeprefix("torch.") for t in taken.values() if t.is_floating_point()} - {"float32"}
    if kinds:
        notes.append(f"Stored as {' and '.join(sorted(kinds))} in the file; used as float32 here.")
    broken = [
        name for name, tensor in taken.items() if tensor.is_floating_point() and not tensor.float().isfinite().all()
    ]
    if broken:
        notes.append(
            f"Values that are infinite or no numbers are in {', '.join(broken[:3])}{', …' * (len(broken) > 3)}."
        )
    return tuple(notes)
