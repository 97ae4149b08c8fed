"""Moments as bytes and back: every kind of event, exactly or within the promised error; and what is no moment."""

import dataclasses
import io
import json
import typing
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.runs import (
    Atlas,
    FeatureMapsCaptured,
    Histogram,
    LayersMeasured,
    LayersOpened,
    LayerStatistics,
    OpenedLayer,
    ProbeAnswer,
    ProbesExplained,
    WeightPictures,
    WeightsCaptured,
)
from explorer.runs import moments_packing as packing
from explorer.runs.moments_packing import EVENT_KINDS, RELATIVE_ERROR, SMALL, UNREADABLE, Moment, pack, unpack
from explorer.runs.observed import Observed

RANDOM = np.random.default_rng(0)


def floats(*shape: int, scale: float = 1.0) -> np.ndarray[Any, np.dtype[np.float32]]:
    return (RANDOM.normal(size=shape) * scale).astype(np.float32)


def maps(step: int = 3, value: float = 2.0) -> FeatureMapsCaptured:
    image = RANDOM.integers(0, 256, (9, 14), dtype=np.uint8)
    atlas = Atlas(
        image=image, num_channels=5, columns=3, tile_height=4, tile_width=4, gap=1, minimum=-1.0, maximum=value
    )
    return FeatureMapsCaptured(run_id="r", step=step, probe="digit 7", atlases={"conv1": atlas, "a.b": atlas})


def statistics() -> LayersMeasured:
    histogram = Histogram(-1.0, float("inf"), RANDOM.integers(0, 9, 16), 2)
    full = LayerStatistics(1.5, float("nan"), 1e-3, 0.25, None, histogram, None, histogram, 0.75)
    return LayersMeasured(run_id="r", step=3, num_images=16, layers={"conv1": full, "relu1": LayerStatistics()})


def weights() -> WeightsCaptured:
    small, large = floats(6, 1, 5, 5), floats(64, 64, 3, 3, scale=1e-6)
    return WeightsCaptured(
        run_id="r",
        step=3,
        layers={"conv1": WeightPictures(small, None, small * 2), "conv2": WeightPictures(large, large * 2, None)},
    )


def explained() -> ProbesExplained:
    answer = ProbeAnswer("digit 7", floats(10), 4, floats(8, 8), None, floats(1, 8, 8))
    return ProbesExplained(
        run_id="r",
        step=3,
        class_names=("0", "1"),
        layer=None,
        answers=(answer, answer._replace(probe="digit 8", cam=floats(2, 2))),
    )


def opened() -> LayersOpened:
    layer = OpenedLayer((floats(1, 8, 8), floats(3)), floats(2, 8, 8), {"weight": floats(2, 1, 3, 3)})
    return LayersOpened(run_id="r", step=3, probe="digit 7", layers={"conv1": layer})


def made(kind: Any) -> Any:
    """Some value of a type, by its hints alone: for kinds that nobody wrote one for."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is np.ndarray:
        dtype = typing.get_args(arguments[1])[0]
        return RANDOM.integers(0, 9, (3, 4)).astype(np.float32 if typing.get_origin(dtype) or dtype is Any else dtype)
    if origin is tuple:
        return (made(arguments[0]),) * 2 if arguments[-1] is ... else tuple(map(made, arguments))
    if origin is not None and arguments and issubclass(origin, Mapping) if isinstance(origin, type) else False:
        return {"a": made(arguments[1]), "b.0": made(arguments[1])}
    if arguments:
        return made(arguments[0])
    plain: dict[Any, Any] = {int: 3, float: 0.25, str: "text", bool: True, type(None): None}
    if kind in plain:
        return plain[kind]
    return kind(**{name: made(hint) for name, hint in typing.get_type_hints(kind).items()})


EVENTS: Mapping[str, Moment] = {
    type(event).__name__: event for event in (maps(), statistics(), weights(), explained(), opened())
}


def assert_same(got: Any, expected: Any) -> None:
    """Equal in type and value; arrays of more than `SMALL` floats within the promised error."""
    if isinstance(expected, np.ndarray):
        assert got.dtype == expected.dtype
        assert got.shape == expected.shape
        if expected.dtype == np.float32 and expected.size > SMALL:
            np.testing.assert_allclose(got, expected, rtol=0, atol=RELATIVE_ERROR * float(np.abs(expected).max()))
        else:
            np.testing.assert_array_equal(got, expected)
    elif isinstance(expected, Mapping):
        assert list(got) == list(expected)
        for key in expected:
            assert_same(got[key], expected[key])
    elif isinstance(expected, tuple) and not hasattr(expected, "_fields"):
        assert isinstance(got, tuple)
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            assert_same(one, other)
    elif hasattr(expected, "_fields") or dataclasses.is_dataclass(expected):
        assert type(got) is type(expected)
        names = getattr(expected, "_fields", None) or [field.name for field in dataclasses.fields(expected)]
        for name in names:
            assert_same(getattr(got, name), getattr(expected, name))
    elif isinstance(expected, float) and np.isnan(expected):
        assert np.isnan(got)
    else:
        assert got == expected
        assert type(got) is type(expected)


@pytest.mark.parametrize("kind", [kind.__name__ for kind in EVENT_KINDS])
def test_every_kind_of_event_comes_back(kind: str) -> None:
    event = EVENTS[kind] if kind in EVENTS else made({k.__name__: k for k in EVENT_KINDS}[kind])
    (got,) = unpack(pack([event]))
    assert_same(got, event)


def test_every_kind_that_can_be_observed_is_kept() -> None:
    assert {kind.__name__ for kind in typing.get_args(Observed)} <= {kind.__name__ for kind in EVENT_KINDS}


def test_several_events_come_back_in_order() -> None:
    events = tuple(EVENTS.values())
    for got, expected in zip(unpack(pack(events)), events, strict=True):
        assert_same(got, expected)


def test_arrays_that_come_back_are_read_only() -> None:
    (got,) = unpack(pack([weights()]))
    assert isinstance(got, WeightsCaptured)
    for layer in got.layers.values():
        assert not layer.weight.flags.writeable


@given(st.floats(1e-30, 1e30), st.integers(SMALL + 1, SMALL + 50))
def test_large_arrays_keep_their_magnitude_whatever_it_is(scale: float, count: int) -> None:
    values = (np.linspace(-1, 1, count) * scale).astype(np.float32)
    event = WeightsCaptured(run_id="", step=0, layers={"a": WeightPictures(values, None, None)})
    (got,) = unpack(pack([event]))
    assert isinstance(got, WeightsCaptured)
    error = np.abs(got.layers["a"].weight - values).max()
    assert error <= RELATIVE_ERROR * np.abs(values).max()


def test_values_that_are_no_numbers_stay_so_in_large_arrays() -> None:
    values = floats(SMALL + 2)
    values[:3] = np.nan, np.inf, -np.inf
    event = WeightsCaptured(run_id="", step=0, layers={"a": WeightPictures(values, None, None)})
    (got,) = unpack(pack([event]))
    assert isinstance(got, WeightsCaptured)
    np.testing.assert_array_equal(got.layers["a"].weight[:3], values[:3])


def changed(content: bytes, change: Any, tmp_path: Path) -> bytes:
    """The file with another `about`."""
    path = tmp_path / "moment.npz"
    path.write_bytes(content)
    with np.load(path) as read:
        about, data = json.loads(read["about"].tobytes()), read["data"]
    change(about)
    np.savez(path, about=np.frombuffer(json.dumps(about).encode(), np.uint8), data=data)
    return path.read_bytes()


def test_kinds_and_fields_of_a_newer_version_are_passed_over(tmp_path: Path) -> None:
    def newer(about: Any) -> None:
        about["events"][0]["fields"]["mood"] = "fine"
        about["events"].insert(0, {"kind": "SoundCaptured", "fields": {"step": 3}})

    expected = statistics()
    (got,) = unpack(changed(pack([expected]), newer, tmp_path))
    assert_same(got, expected)


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format 2"):
        unpack(changed(pack([maps()]), lambda about: about.update(format=2), tmp_path))


def test_a_file_cut_anywhere_is_refused_and_never_wrong() -> None:
    content = pack([maps(), statistics()])
    for end in range(0, len(content), 37):
        with pytest.raises(UNREADABLE):
            unpack(content[:end])


def test_whichever_bit_is_flipped_a_file_is_refused_or_read_as_it_was() -> None:
    """All bits of the headers, where flags and methods stand, and some of the rest (APPNOTE.TXT 4.3: a local header is
    30 bytes and a name)."""
    content = pack([maps(), statistics()])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries, directory = archive.infolist(), archive.start_dir
    headers = [*range(directory, len(content))]
    for entry in entries:
        headers += range(entry.header_offset, entry.header_offset + 30 + len(entry.filename))
    draw = np.random.default_rng(0)
    bits = [8 * place + bit for place in headers for bit in range(8)]
    bits += draw.choice(8 * directory, 300, replace=False).tolist()
    expected, num_refused = unpack(content), 0
    for bit in bits:
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            got = unpack(bytes(flipped))
        except UNREADABLE:
            num_refused += 1
        else:
            assert_same(got, expected)
    assert num_refused > 500


def test_a_pickled_object_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, about=np.array([object()], object), data=np.zeros(1, np.uint8))
    with pytest.raises(UNREADABLE):
        unpack(path.read_bytes())


def test_a_file_that_says_it_is_huge_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_MOST_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("about.npy", bytes(100_000))
    with pytest.raises(ValueError, match="larger than 1,000 bytes"):
        unpack((tmp_path / "a.npz").read_bytes())


def test_what_cannot_be_kept_is_said() -> None:
    event = maps()
    wrong = dataclasses.replace(event, probe=cast(str, object()))
    with pytest.raises(TypeError, match="object cannot be kept"):
        pack([wrong])
