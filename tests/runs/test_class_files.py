"""The tests of a run on the disk: written, thinned and read again."""

from pathlib import Path

import numpy as np
import pytest

from explorer.runs.class_files import FOLDER_NAME, EpochTest, TestFileError, kept_epochs, read_test, write_test
from tests.runs.test_class_figures import made


def test_what_is_written_is_read(tmp_path: Path) -> None:
    tested = made(7, 50, beyond=1)
    write_test(tmp_path, EpochTest(3, 120, tested))
    epoch, step, found = read_test(tmp_path, 3)
    assert (epoch, step) == (3, 120)
    assert found.class_names == tested.class_names
    for name in ("labels", "predicted", "probabilities"):
        assert np.array_equal(getattr(found, name), getattr(tested, name))
    assert kept_epochs(tmp_path) == (3,)
    assert kept_epochs(tmp_path / "nothing") == ()


def test_an_epoch_that_is_trained_again_takes_its_place(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_test(tmp_path, EpochTest(1, 10 + seed, made(3, 20, seed)))
    assert kept_epochs(tmp_path) == (1,)
    assert read_test(tmp_path, 1).step == 11


def test_they_are_thinned_evenly_and_the_newest_stays(tmp_path: Path) -> None:
    write_test(tmp_path, EpochTest(1, 1, made(10, 200)))
    size = next((tmp_path / FOLDER_NAME).iterdir()).stat().st_size
    most = 10 * size
    for epoch in range(2, 61):
        write_test(tmp_path, EpochTest(epoch, epoch, made(10, 200, epoch)), most_bytes=most)
        kept = kept_epochs(tmp_path)
        assert kept[-1] == epoch
        assert sum(path.stat().st_size for path in (tmp_path / FOLDER_NAME).iterdir()) <= most
        gaps = set(np.diff(kept[:-1]).tolist())
        assert len(gaps) <= 2
    assert len(kept) > 4


def test_the_newest_stays_however_small_the_room(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        write_test(tmp_path, EpochTest(epoch, epoch, made(10, 200)), most_bytes=1)
        assert kept_epochs(tmp_path) == (epoch,)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"no archive"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    write_test(tmp_path, EpochTest(1, 1, made(3, 20)))
    path = next((tmp_path / FOLDER_NAME).iterdir())
    path.write_bytes(content)
    with pytest.raises(TestFileError, match=r"epoch-000001\.npz: cannot be read as a test"):
        read_test(tmp_path, 1)


def test_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    (tmp_path / FOLDER_NAME).mkdir()
    np.savez(tmp_path / FOLDER_NAME / "epoch-000001.npz", step=1, labels=np.zeros(3))
    with pytest.raises(TestFileError):
        read_test(tmp_path, 1)
    with pytest.raises(TestFileError):
        read_test(tmp_path, 2)


def test_a_disk_that_refuses_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_test(tmp_path, EpochTest(1, 1, made(3, 20)))

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_test(tmp_path, EpochTest(1, 2, made(3, 20, 1)))
    assert [path.name for path in (tmp_path / FOLDER_NAME).iterdir()] == ["epoch-000001.npz"]
    assert read_test(tmp_path, 1).step == 1
