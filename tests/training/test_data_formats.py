"""Files of published data sets, against numpy and torchvision's own readers."""

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.runtime.torchvision_door import torchvision
from explorer.training.data import load_data
from explorer.training.data.formats import DamagedFile, read_idx, read_mat, read_pickled
from explorer.training.data.places import DATA_VARIABLE
from tests.training.data_files import IDX_FILES, idx_arrays, idx_bytes, mat_bytes, write_cifar10, write_idx


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of data sets, empty, and no other that this computer may have."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.mark.parametrize("packed", [True, False])
def test_fashion_mnist_is_found_where_torchvision_keeps_it(data_root: Path, packed: bool) -> None:
    arrays = write_idx(data_root / "FashionMNIST" / "raw", packed=packed)
    data = load_data("fashion-mnist", again=True)
    assert np.array_equal(data.train_images[:, 0].numpy(), arrays[0])
    assert np.array_equal(data.train_labels.numpy(), arrays[1])
    assert np.array_equal(data.test_images[:, 0].numpy(), arrays[2])
    assert data.class_names == tuple(torchvision().datasets.FashionMNIST.classes)
    assert data.train_labels.dtype == torch.int64
    assert data.normalization.mean[0] == pytest.approx(arrays[0].mean() / 255)


def test_torchvisions_own_reader_sees_the_same(data_root: Path) -> None:
    write_idx(data_root / "MNIST" / "raw", packed=False)
    data = load_data("mnist", again=True)
    theirs = torchvision().datasets.MNIST(data_root, train=False)
    assert torch.equal(theirs.data, data.test_images[:, 0])
    assert torch.equal(theirs.targets, data.test_labels)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no IDX file"),
        (b"\0\0\x08\x03\0\0", "ends within its header"),
        (idx_bytes(np.zeros((4, 3), np.uint8))[:-1], "11 bytes for an array of 4 x 3"),
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", "no IDX file of bytes"),
    ],
)
def test_damaged_idx_files_are_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=reason) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)
    assert "download it again" in str(caught.value)


def test_a_packed_file_that_is_cut_off_is_named(data_root: Path) -> None:
    write_idx(data_root / "MNIST" / "raw")
    path = data_root / "MNIST" / "raw" / f"{IDX_FILES[0]}.gz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=rf"{IDX_FILES[0]}\.gz: cannot be unpacked"):
        load_data("mnist", again=True)


def test_labels_that_no_class_has_are_refused(data_root: Path) -> None:
    folder = data_root / "MNIST" / "raw"
    write_idx(folder)
    arrays = idx_arrays()
    (folder / f"{IDX_FILES[1]}.gz").write_bytes(gzip.compress(idx_bytes(arrays[1] + 7)))
    with pytest.raises(ValueError, match="a training label is 16, but there are 10 classes"):
        load_data("mnist", again=True)


def test_cifar_10_as_published(data_root: Path) -> None:
    images = write_cifar10(data_root / "cifar-10-batches-py")
    data = load_data("cifar10", again=True)
    assert np.array_equal(data.train_images.numpy(), images)
    assert data.train_labels[:12].tolist() == [*range(10), 0, 1]
    assert data.class_names[1] == "automobile"


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "run",)  # type: ignore[return-value]

    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps({"data": Evil()}))
    with pytest.raises(DamagedFile, match="it asks for"):
        read_pickled(path)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("compressed", [True, False])
def test_svhn_as_matlab_writes_it(data_root: Path, compressed: bool) -> None:
    random = np.random.default_rng(0)
    data_root.mkdir()
    images = random.integers(0, 256, (32, 32, 3, 12), np.uint8)
    labels = (np.arange(12) % 10 + 1).astype(np.uint8)[:, None]  # 10 stands for the numeral 0.
    for name in ("train_32x32.mat", "test_32x32.mat"):
        (data_root / name).write_bytes(mat_bytes({"X": images, "y": labels}, compressed=compressed))
    data = load_data("svhn", again=True)
    assert np.array_equal(data.train_images.numpy(), images.transpose(3, 2, 0, 1))
    assert data.train_labels.tolist() == [*range(1, 10), 0, 1, 2]


def test_a_damaged_matlab_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "train_32x32.mat"
    path.write_bytes(mat_bytes({"X": np.zeros((4, 4), np.uint8)})[:-5])
    with pytest.raises(DamagedFile, match="is damaged"):
        read_mat(path)
    path.write_bytes(b"nothing")
    with pytest.raises(DamagedFile, match="no MATLAB file"):
        read_mat(path)


def test_stl10_is_stored_column_by_column(data_root: Path) -> None:
    folder = data_root / "stl10_binary"
    folder.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 96, 96), np.uint8)
    for part in ("train", "test"):
        images.transpose(0, 1, 3, 2).tofile(folder / f"{part}_X.bin")
        np.array([1, 10, 3], np.uint8).tofile(folder / f"{part}_y.bin")
    data = load_data("stl10", again=True)
    assert np.array_equal(data.train_images.numpy(), images)
    assert [data.class_names[label] for label in data.test_labels] == ["airplane", "truck", "car"]
