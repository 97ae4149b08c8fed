"""What followers ask and are answered as the contents of files: a `Look` with its images, and events that are not too
large. The files themselves are `follow_looks`' affair; how an event is packed is `moments_packing`'s.
"""

import dataclasses
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.runs.events import FeatureMapsCaptured
from explorer.runs.looks import MOST_PROBES, Look, Pixel, Probe
from explorer.runs.moments_packing import SMALL, Moment, read_arrays
from explorer.runs.observed import LayersOpened, WeightsCaptured

MOST_ANSWER_BYTES = 1 << 26
"""Of the arrays of one answer, as they are packed."""
_FORMAT = 2
"""Of questions; the first asked for feature maps alone."""
_KIND_WORDS: Mapping[type[Any], str] = {
    FeatureMapsCaptured: "feature maps",
    LayersOpened: "the values of opened layers",
    WeightsCaptured: "weights",
}
_PART_WORDS: Mapping[type[Any], str] = {
    LayersOpened: "the parameters",
    WeightsCaptured: "the gradients and changes of the weights",
}
"""What of a layer goes before the layer itself does."""
_FIELDS = ("atlases", "layers", "first_kernels")
"""Of events by layer; the last, which is small, goes last."""
_MOST_NAMED = 3
"""Layers that a sentence names."""


class LeftOut(NamedTuple):
    """What an answer does not hold because of its size."""

    nodes: tuple[str, ...]
    """Whose parts, or which as a whole; empty for all of an answer that has no layers."""
    text: str
    """A sentence: what was too large and how large, what of it is missing, what would fit."""


class Fitted(NamedTuple):
    """What of an event is small enough for an answer."""

    event: Moment | None
    """None where nothing that fits is left."""
    left_out: LeftOut | None
    """None where it is whole."""


def pack_question(question: Look) -> bytes:
    """A question as the content of a file."""
    look = {field.name: getattr(question, field.name) for field in dataclasses.fields(question)}
    look["probes"] = [{"label": probe.label, "target": probe.target} for probe in question.probes]
    text = json.dumps({"format": _FORMAT, "look": look}, allow_nan=False)
    images = {f"image{i}": probe.image for i, probe in enumerate(question.probes)}
    file = io.BytesIO()
    np.savez(file, about=np.frombuffer(text.encode(), np.uint8), **images)  # type: ignore[arg-type]  # no option's name
    return file.getvalue()


def unpack_question(content: bytes) -> Look:
    """What `pack_question` was given.

    Raises:
        one of `UNREADABLE`: not such a file, half of one, or one of another version.
    """
    arrays = read_arrays(content)
    about = json.loads(arrays["about"].tobytes())
    if about["format"] != _FORMAT:
        raise ValueError(f"of format {about['format']!r}; this version reads {_FORMAT}")
    look = about["look"]
    probes = look["probes"][:MOST_PROBES]
    return Look(
        probes=tuple(
            Probe(label=str(probe["label"]), image=_image(arrays[f"image{i}"]), target=_maybe(int, probe["target"]))
            for i, probe in enumerate(probes)
        ),
        current=max(0, int(look["current"])),
        maps=_names(look["maps"]),
        opened=_names(look["opened"]),
        weighed=_names(look["weighed"]),
        # Followers of earlier versions do not ask for them.
        first_kernels=_names(look.get("first_kernels", ())),
        measures=bool(look["measures"]),
        explained=bool(look["explained"]),
        explained_layer=_maybe(str, look["explained_layer"]),
        explained_class=_maybe(int, look["explained_class"]),
        pointed=_maybe(lambda said: Pixel(str(said[0]), *(int(place) for place in said[1:])), look["pointed"]),
        compared=_maybe(lambda said: (str(said[0]), int(said[1])), look["compared"]),
        # Versions of before the live test do not say it.
        tested=bool(look.get("tested", False)),
    )


def _names(said: Any) -> tuple[str, ...]:
    return tuple(str(node_id) for node_id in list(said))


def _maybe(kind: Callable[[Any], Any], said: Any) -> Any:
    return None if said is None else kind(said)


def _image(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.kind not in "uif":
        raise ValueError(f"an image of {array.dtype}")
    return array


def fitted(event: Moment, most_bytes: int = MOST_ANSWER_BYTES) -> Fitted:
    """An event without its largest parts, so that its arrays take at most so many bytes.

    Gradients and changes of weights, and the parameters of opened layers, go first, the largest layer's before others';
    then whole layers, the largest first. An event that fits is itself.
    """
    num_bytes = _packed_bytes(event)
    if num_bytes <= most_bytes:
        return Fitted(event, None)
    part: Any = event
    lessened: list[str] = []
    removed: list[str] = []
    for field, node_id, shrunk in _shrunk(event):
        layers = dict(getattr(part, field))
        if shrunk is None:
            del layers[node_id]
            removed.append(node_id)
        else:
            layers[node_id] = shrunk
            lessened.append(node_id)
        part = dataclasses.replace(part, **{field: layers})
        if any(getattr(part, name, None) for name in _FIELDS) and _packed_bytes(part) <= most_bytes:
            return Fitted(part, _left_out(event, num_bytes, most_bytes, lessened, removed))
    return Fitted(None, _left_out(event, num_bytes, most_bytes, [], removed))


def _left_out(event: Moment, num_bytes: int, most_bytes: int, lessened: list[str], removed: list[str]) -> LeftOut:
    kind = type(event)
    nodes = tuple(dict.fromkeys((*removed, *lessened)))
    missing = [_named(nodes[: len(set(removed))])] if removed else []
    if rest := nodes[len(set(removed)) :]:
        missing.append(f"{_PART_WORDS[kind]} of {_named(rest)}")
    what = _KIND_WORDS.get(kind, kind.__name__)
    # Without the step, so that the same is said as long as the same is missing.
    text = (
        f"Not all that is looked at came from the run: {what} of {_megabytes(num_bytes)}, and an answer holds at most "
        f"{_megabytes(most_bytes)}. Left out: {' and '.join(missing) or 'all of it'}. Look at fewer or smaller layers "
        "at a time; once the run has ended, its last weights can be looked at whole."
    )
    return LeftOut(nodes, text)


def _named(node_ids: tuple[str, ...]) -> str:
    """Layers in words, the largest first, and of many how many more there are."""
    more = len(node_ids) - _MOST_NAMED
    return ", ".join(node_ids[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _megabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:,.1f} MB"


def pack_left_out(left_out: Iterable[LeftOut]) -> bytes:
    """What is missing from all answers as the content of a file."""
    return json.dumps([one._asdict() for one in left_out]).encode()


def unpack_left_out(content: bytes) -> tuple[LeftOut, ...]:
    """What `pack_left_out` was given.

    Raises:
        one of `UNREADABLE`: not such a file, or half of one.
    """
    return tuple(LeftOut(_names(one["nodes"]), str(one["text"])) for one in json.loads(content))


def _shrunk(event: Moment) -> Iterator[tuple[str, str, Any]]:
    """Field, node and what takes its place, None for nothing; what to leave out first comes first."""
    for field in _FIELDS:
        layers: Mapping[str, Any] = getattr(event, field, {})
        ordered = sorted(layers, key=lambda node_id: -_packed_bytes(layers[node_id]))
        for node_id in ordered:
            if isinstance(event, WeightsCaptured):
                yield field, node_id, layers[node_id]._replace(change=None, gradient=None)
            elif isinstance(event, LayersOpened):
                yield field, node_id, layers[node_id]._replace(parameters={})
        for node_id in ordered:
            yield field, node_id, None


def _packed_bytes(value: Any) -> int:
    """Of all arrays in a value, about as `pack` has them."""
    if isinstance(value, np.ndarray):
        return value.nbytes // 2 if value.dtype == np.float32 and value.size > SMALL else value.nbytes
    if isinstance(value, Mapping):
        return sum(_packed_bytes(item) for item in value.values())
    if dataclasses.is_dataclass(value):
        return sum(_packed_bytes(getattr(value, field.name)) for field in dataclasses.fields(value))
    return sum(_packed_bytes(item) for item in value) if isinstance(value, (tuple, list)) else 0
