"""All that the moments of a run hold as one npz with plain names, for whoever wants to compute with it.

`steps` lists the moments. Everything else is stacked over them, `(moments, ...)`; what only some of them have comes
with its own steps under `<name>/steps`, and what changed its shape on the way is written once a moment, under
`<name>/step-<step>`. `README` says what the names mean. Arrays only: nothing needs to be unpickled.
"""

import contextlib
import dataclasses
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.runs.events import Atlas
from explorer.runs.moments import MomentFileError, read_moment
from explorer.runs.moments_packing import Moment

README = (
    "steps: updates made before each moment, (moments,)",
    "maps/<layer>/levels: feature maps of the probe image as grey levels, (moments, channels, height, width)",
    "maps/<layer>/minimum, maximum: what levels 0 and 255 stand for, (moments,)",
    "weights/<layer>/weight, change, gradient: change is since before the first update",
    "statistics/<layer>/<name>: norms, ratios and shares of each layer; histograms as low, high and counts",
    "probes/<image>/probabilities, saliency, cam, image, explained_class: of each probe image",
    "opened/<layer>/output, inputs, parameters: of layers that were looked at closely",
    "<name>/steps: where not every moment has it",
)
_PREFIXES = {
    "FeatureMapsCaptured": ("maps", "atlases"),
    "WeightsCaptured": ("weights", "layers"),
    "LayersMeasured": ("statistics", "layers"),
    "ProbesExplained": ("probes", "answers"),
    "LayersOpened": ("opened", "layers"),
}
Progress = Callable[[str, float], None]
_READING = 0.6
"""Of the work, as progress has it."""


def named_arrays(events: Sequence[Moment]) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """What a moment holds, by name; of kinds without a name of their own, under the kind's."""
    for event in events:
        kind = type(event).__name__
        prefix, field = _PREFIXES.get(kind, (kind, ""))
        if field:
            yield from _named(prefix, getattr(event, field))
        else:
            yield from _named(prefix, event)


def export_npz(
    folder: Path, steps: Sequence[int], path: Path, progress: Progress, cancelled: Callable[[], bool]
) -> int:
    """Write the moments of a run; how many there were.

    Args:
        folder: of the run.
        steps: of its moments; those that are gone meanwhile are left out.
        path: of the file, which appears whole or not at all.
        progress: is told what is done, and the share of it.
        cancelled: whether to stop.

    Raises:
        OSError: it cannot be written.
        ValueError: no moment could be read, or it was cancelled.
    """
    read: list[int] = []
    found: dict[str, tuple[list[int], list[npt.NDArray[Any]]]] = {}
    for number, step in enumerate(steps):
        progress(f"Reading moment {number + 1:,} of {len(steps):,}", _READING * number / len(steps))
        if cancelled():
            raise ValueError("cancelled")
        try:
            events = read_moment(folder, step)
        except MomentFileError:
            continue
        read.append(step)
        for name, array in named_arrays(events):
            where, arrays = found.setdefault(name, ([], []))
            where.append(step)
            arrays.append(array)
    if not read:
        raise ValueError(f"{folder}: no moment of this run could be read")
    staged = path.with_name(f".{path.name}.part")
    try:
        with zipfile.ZipFile(staged, "w", zipfile.ZIP_DEFLATED, compresslevel=1, allowZip64=True) as archive:
            _write(archive, "README", np.array(README))
            _write(archive, "steps", np.array(read, np.int64))
            for number, (name, (where, arrays)) in enumerate(found.items()):
                progress(f"Writing {name}", _READING + (1 - _READING) * number / len(found))
                if cancelled():
                    raise ValueError("cancelled")
                if len({(array.shape, array.dtype) for array in arrays}) > 1:
                    for step, array in zip(where, arrays, strict=True):
                        _write(archive, f"{name}/step-{step:09}", array)
                    continue
                _write(archive, name, np.stack(arrays))
                if where != read:
                    _write(archive, f"{name}/steps", np.array(where, np.int64))
        staged.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)
        raise
    return len(read)


def _write(archive: zipfile.ZipFile, name: str, array: npt.NDArray[Any]) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)


def _named(name: str, value: Any) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    if isinstance(value, Atlas):
        yield f"{name}/levels", np.stack([value.tile(channel) for channel in range(value.num_channels)])
        yield f"{name}/minimum", np.array(value.minimum)
        yield f"{name}/maximum", np.array(value.maximum)
    elif isinstance(value, np.ndarray):
        yield name, value
    elif isinstance(value, (bool, int, float)):
        yield name, np.array(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _named(f"{name}/{key}", item)
    elif hasattr(value, "_fields") or dataclasses.is_dataclass(value):
        fields = getattr(value, "_fields", None) or tuple(field.name for field in dataclasses.fields(value))
        for field in fields:
            yield from _named(f"{name}/{field}", getattr(value, field))
    elif isinstance(value, (tuple, list)):
        for place, item in enumerate(value):
            label = getattr(item, "probe", None)
            yield from _named(f"{name}/{label or place}", item)
