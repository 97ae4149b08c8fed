"""What followers ask and are answered as the contents of files: a `Look` with its images, and events that are not too
large. The files themselves are `follow_looks`' affair; how an event is packed is `moments_packing`'s.
"""

import dataclasses
import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.runs.looks import MOST_PROBES, Look, Pixel, Probe
from explorer.runs.moments_packing import SMALL, Moment, read_arrays
from explorer.runs.observed import LayersOpened, WeightsCaptured

MOST_ANSWER_BYTES = 1 << 26
"""Of the arrays of one answer, as they are packed."""
_FORMAT = 2
"""Of questions; the first asked for feature maps alone."""
_logger = logging.getLogger(__name__)


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


def fitted(event: Moment, most_bytes: int = MOST_ANSWER_BYTES) -> Moment | None:
    """An event without its largest parts, so that its arrays take at most so many bytes.

    Gradients and changes of weights, and the parameters of opened layers, go first, the largest layer's before others';
    then whole layers, the largest first. What is left out is logged.

    Returns:
        The event itself where it fits; None where nothing that fits is left.
    """
    if _packed_bytes(event) <= most_bytes:
        return event
    part: Any = event
    for field, node_id, shrunk in _shrunk(event):
        layers = dict(getattr(part, field))
        if shrunk is None:
            del layers[node_id]
        else:
            layers[node_id] = shrunk
        part = dataclasses.replace(part, **{field: layers})
        if layers and _packed_bytes(part) <= most_bytes:
            _logger.info(
                "%s of step %d is too large: without %s and larger ones", type(event).__name__, event.step, node_id
            )
            return part  # type: ignore[no-any-return]  # replaced by its own kind
    _logger.info("%s of step %d is too large and left out", type(event).__name__, event.step)
    return None


def _shrunk(event: Moment) -> Iterator[tuple[str, str, Any]]:
    """Field, node and what takes its place, None for nothing; what to leave out first comes first."""
    for field in ("atlases", "layers"):
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
