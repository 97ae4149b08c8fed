"""Moments as one file with plain names, reopened by numpy alone and compared with the events."""

from pathlib import Path

import numpy as np
import pytest

from explorer.runs.moments import MomentStore
from explorer.runs.moments_npz import export_npz
from tests.runs.test_moments_packing import explained, maps, opened, statistics, weights


def silent(_text: str, _share: float) -> None:
    pass


def test_everything_is_there_by_name_and_equal(tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 26)
    kept = {step: (maps(step), weights(), statistics(), explained(), opened()) for step in (0, 4, 9)}
    for step, events in kept.items():
        store.put(step, events)
    path = tmp_path / "all.npz"
    shares: list[float] = []
    assert export_npz(tmp_path, (0, 4, 9), path, lambda _text, share: shares.append(share), lambda: False) == 3
    assert shares == sorted(shares)
    with np.load(path, allow_pickle=False) as read:
        np.testing.assert_array_equal(read["steps"], [0, 4, 9])
        assert any("maps/<layer>/levels" in line for line in read["README"])
        for place, (step, (pictures, weighed, measured, answers, _)) in enumerate(kept.items()):
            atlas = pictures.atlases["conv1"]
            for channel in range(atlas.num_channels):
                np.testing.assert_array_equal(read["maps/conv1/levels"][place, channel], atlas.tile(channel))
            assert read["maps/a.b/maximum"][place] == atlas.maximum
            assert step == read["steps"][place]
            weight = weighed.layers["conv1"].weight
            np.testing.assert_array_equal(read["weights/conv1/weight"][place], weight)
            full = measured.layers["conv1"]
            assert read["statistics/conv1/gradient_norm"][place] == full.gradient_norm
            assert read["statistics/conv1/change"][place] == 0.75
            assert full.weights is not None
            np.testing.assert_array_equal(read["statistics/conv1/weights/counts"][place], full.weights.counts)
            answer = answers.answers[0]
            np.testing.assert_array_equal(read["probes/digit 7/saliency"][place], answer.saliency)
        assert "statistics/conv1/saturated" not in read.files, "what no moment has is no array"


def test_what_only_some_moments_have_comes_with_its_steps(tmp_path: Path) -> None:
    store = MomentStore(tmp_path, 1 << 26)
    store.put(0, [maps(0), statistics()])
    store.put(4, [maps(4)])
    path = tmp_path / "all.npz"
    export_npz(tmp_path, (0, 4), path, silent, lambda: False)
    with np.load(path, allow_pickle=False) as read:
        np.testing.assert_array_equal(read["statistics/conv1/dead/steps"], [0])
        assert read["statistics/conv1/dead"].shape == (1,)
        assert read["maps/conv1/levels"].shape[0] == 2


def test_a_cancelled_export_leaves_nothing(tmp_path: Path) -> None:
    MomentStore(tmp_path, 1 << 26).put(0, [maps(0)])
    path = tmp_path / "all.npz"
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(ValueError, match="cancelled"):
        export_npz(tmp_path, (0,), path, silent, cancelled)
    assert [one.name for one in tmp_path.iterdir()] == ["moments"]


def test_without_a_readable_moment_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no moment of this run could be read"):
        export_npz(tmp_path, (1, 2), tmp_path / "all.npz", silent, lambda: False)
