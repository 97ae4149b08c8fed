"""Downloads of data sets from a server in this process: whole, checked, cancelled, broken off, and tried again."""

import functools
import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from explorer.runs.data_sources import DATA_IDS
from explorer.runtime.download import DownloadCancelled, DownloadError
from explorer.runtime.torchvision_door import torchvision
from explorer.training.data import DataNotHere, data_states, is_at_hand, load_data, torchvision_sets
from explorer.training.data.fetch import fetch_data
from explorer.training.data.places import DATA_VARIABLE
from explorer.training.data.torchvision_sets import SETS, RemoteFile
from tests.training.data_files import IDX_FILES, idx_arrays, idx_bytes, write_cifar10


class _Server(ThreadingHTTPServer):
    """Serves `files` by their names and counts what was asked for; what is longer than announced breaks off."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.broken: set[str] = set()
        self.gives_parts = False
        self.resumed: list[tuple[str, int]] = []

    def remote(self, name: str, path: str) -> RemoteFile:
        url = f"http://127.0.0.1:{self.server_address[1]}/{name}"
        return RemoteFile((url,), path, hashlib.md5(self.files[name]).hexdigest())


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.server.asked.append(name)
        content = self.server.files[name]
        asked = self.headers.get("Range") if self.server.gives_parts else None
        start = 0 if asked is None else int(asked.removeprefix("bytes=").removesuffix("-"))
        self.send_response(200 if asked is None else 206)
        if asked is not None:
            self.server.resumed.append((name, start))
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if self.server.gives_parts:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : len(content) // 2] if name in self.server.broken else content[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where downloads go; no other folder of this computer is looked into."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def kmnist(server: _Server, monkeypatch: pytest.MonkeyPatch) -> _Server:
    """A server of KMNIST's four files."""
    for name, array in zip(IDX_FILES, idx_arrays(), strict=True):
        server.files[f"{name}.gz"] = gzip.compress(idx_bytes(array), mtime=0)
    files = tuple(server.remote(name, f"KMNIST/raw/{name}") for name in [*server.files])
    known = SETS["kmnist"]
    changed = torchvision_sets.TorchvisionSet(
        folders=known.folders, needed=known.needed, remote=lambda: files, read=known.read
    )
    monkeypatch.setitem(SETS, "kmnist", changed)
    return server


def _never() -> bool:
    return False


def test_a_data_set_comes_and_is_found(kmnist: _Server, root: Path) -> None:
    with pytest.raises(DataNotHere, match=r"KMNIST is not on this computer; download its 20 MB.*or use digits"):
        load_data("kmnist", again=True)
    assert not is_at_hand("kmnist")
    said: list[tuple[str, int, int]] = []
    place = fetch_data("kmnist", lambda *step: said.append(step), _never)
    assert place == root / "KMNIST" / "raw"
    assert {step[0] for step in said} == {"Downloading KMNIST"}
    assert [step[1] for step in said] == sorted(step[1] for step in said)
    assert said[-1][1] == sum(len(content) for content in kmnist.files.values())
    assert said[-1][2] == 21_240_888  # known beforehand, as published
    assert np.array_equal(load_data("kmnist").test_labels.numpy(), idx_arrays()[3])
    assert next(state for state in data_states() if state.name == "kmnist").place == str(place)


def test_what_arrived_whole_is_not_fetched_again(kmnist: _Server) -> None:
    third = f"{IDX_FILES[2]}.gz"
    kmnist.broken.add(third)
    with pytest.raises(
        DownloadError, match=r"KMNIST: the connection to 127\.0\.0\.1 broke off after .*or use digits, which need no"
    ):
        fetch_data("kmnist", lambda *_: None, _never)
    assert kmnist.asked == [f"{name}.gz" for name in IDX_FILES[:3]]
    kmnist.broken.clear()
    kmnist.asked.clear()
    fetch_data("kmnist", lambda *_: None, _never)
    assert kmnist.asked == [f"{name}.gz" for name in IDX_FILES[2:]]
    assert len(load_data("kmnist", again=True).train_images) == 40


def test_other_content_than_the_published_is_refused(kmnist: _Server, root: Path) -> None:
    kmnist.files[f"{IDX_FILES[0]}.gz"] = gzip.compress(b"something else")
    with pytest.raises(DownloadError, match="is not the published file: its MD5 begins with"):
        fetch_data("kmnist", lambda *_: None, _never)
    assert not [*(root / "KMNIST" / "raw").iterdir()]


def test_a_download_can_be_cancelled(kmnist: _Server, root: Path) -> None:
    with pytest.raises(DownloadCancelled):
        fetch_data("kmnist", lambda *_: None, lambda: len(kmnist.asked) == 2)
    assert [path.name for path in (root / "KMNIST" / "raw").iterdir()] == [f"{IDX_FILES[0]}.gz"]


def test_without_a_network_the_message_says_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody listens on port 9, the first port below which only the system may.
    files = (RemoteFile(("http://127.0.0.1:9/a", "http://127.0.0.1:9/b"), "a", "0" * 32),)
    known = SETS["kmnist"]
    changed = torchvision_sets.TorchvisionSet(
        folders=known.folders, needed=known.needed, remote=lambda: files, read=known.read
    )
    monkeypatch.setitem(SETS, "kmnist", changed)
    with pytest.raises(
        DownloadError,
        match=r"127\.0\.0\.1 cannot be reached: .*; check the connection, or use digits, which need no network",
    ):
        fetch_data("kmnist", lambda *_: None, _never)
    with pytest.raises(DownloadError, match="digits: there is nothing to download for it"):
        fetch_data("digits", lambda *_: None, _never)


def _archive(server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> npt.NDArray[np.uint8]:
    """Serve CIFAR-10 as a tar file that also holds a member which would lie elsewhere."""
    images = write_cifar10(tmp_path / "made" / "cifar-10-batches-py")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(tmp_path / "made" / "cifar-10-batches-py", "cifar-10-batches-py")
        # The last two lead away on Windows only.
        for name in (
            "../outside",
            "cifar-10-batches-py/../../outside",
            "cifar-10-batches-py/..\\..\\outside",
            "cifar-10-batches-py/C:outside",
        ):
            member = tarfile.TarInfo(name)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"bad"))
    server.files["cifar-10-python.tar.gz"] = packed.getvalue()
    files = (server.remote("cifar-10-python.tar.gz", "cifar-10-python.tar.gz"),)
    known = SETS["cifar10"]
    changed = torchvision_sets.TorchvisionSet(
        folders=known.folders, needed=known.needed, remote=lambda: files, read=known.read, archive=known.archive
    )
    monkeypatch.setitem(SETS, "cifar10", changed)
    return images


def test_an_archive_is_unpacked_beside_and_nowhere_else(
    server: _Server, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = _archive(server, tmp_path, monkeypatch)
    said: list[str] = []
    fetch_data("cifar10", lambda text, done, total: said.append(text), _never)
    assert [*dict.fromkeys(said)] == ["Downloading CIFAR-10", "Unpacking cifar-10-python.tar.gz"]
    assert np.array_equal(load_data("cifar10", again=True).train_images.numpy(), images)
    assert [path.name for path in root.iterdir()] == ["cifar-10-batches-py"]
    assert not [path for path in root.rglob("*") if "outside" in path.name]
    assert not (tmp_path / "outside").exists()


def test_unpacking_can_be_cancelled_and_leaves_nothing_half(
    server: _Server, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _archive(server, tmp_path, monkeypatch)
    said: list[str] = []
    with pytest.raises(DownloadCancelled):
        fetch_data(
            "cifar10",
            lambda text, done, total: said.append(text),
            lambda: said[-1:] == ["Unpacking cifar-10-python.tar.gz"],
        )
    assert [path.name for path in root.iterdir()] == ["cifar-10-python.tar.gz"]
    server.asked.clear()
    fetch_data("cifar10", lambda *_: None, _never)
    assert not server.asked


def test_an_archive_that_broke_off_goes_on_where_it_ended(
    server: _Server, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = _archive(server, tmp_path, monkeypatch)
    name = "cifar-10-python.tar.gz"
    server.gives_parts = True
    server.broken.add(name)
    with pytest.raises(DownloadError, match=r"CIFAR-10: .*broke off after .*try again, which goes on from there"):
        fetch_data("cifar10", lambda *_: None, _never)
    assert not data_states()[4].is_here
    server.broken.clear()
    said: list[tuple[str, int, int]] = []
    fetch_data("cifar10", lambda *step: said.append(step), _never)
    half = len(server.files[name]) // 2
    assert server.resumed == [(name, half)]
    assert said[0] == ("Downloading CIFAR-10", half, 170_498_071)
    assert np.array_equal(load_data("cifar10", again=True).train_images.numpy(), images)
    assert [path.name for path in root.iterdir()] == ["cifar-10-batches-py"]


@functools.cache
def _published() -> dict[str, tuple[RemoteFile, ...]]:
    return {name: known.remote() for name, known in SETS.items()}


@pytest.mark.parametrize("name", [name for name in DATA_IDS if name != "digits"])
def test_torchvision_says_where_each_comes_from(name: str) -> None:
    files = _published()[name]
    assert all(len(file.md5) == 32 and all(url.startswith("http") for url in file.urls) for file in files)
    if name == "svhn":
        assert [file.md5 for file in files] == [torchvision().datasets.SVHN.split_list[p][2] for p in ("train", "test")]
