"""torchvision's weights: fetched from a server in this process, found again, and what belongs to them."""

import errno
import hashlib
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from explorer import zoo
from explorer.runtime import pretrained
from explorer.runtime.download import DownloadCancelled, DownloadError, download_file
from explorer.runtime.modules import build_module
from explorer.runtime.preprocessing import preprocess
from explorer.runtime.torchvision_door import PublishedWeights, published_weights, torchvision
from explorer.runtime.weights_files import read_state_dict
from explorer.runtime.weights_matching import compare

CONTENT = bytes(range(256)) * 4096
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
ENTRY = zoo.entry("resnet18")


class _Server(ThreadingHTTPServer):
    """Serves `content` by the path's last part, which says how the server misbehaves."""

    daemon_threads = False  # so that closing the server waits for all answers
    content = CONTENT

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.released = threading.Event()
        """Until then, a server that hangs hangs."""

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/models/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        content, name = self.server.content, self.path.rpartition("/")[2]
        if name == "missing":
            self.send_error(404)
            return
        if name == "silent":
            self.server.released.wait(10)
            return
        self.send_response(200)
        if name != "unannounced":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if name in ("short", "hanging"):
            self.wfile.write(content[:1000])
            self.wfile.flush()
            if name == "hanging":
                self.server.released.wait(10)
            return
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    monkeypatch.setenv("no_proxy", "*")
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's cache, somewhere of its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


def ignore(_done: int, _total: int) -> None:
    pass


def never() -> bool:
    return False


def assert_refused(url: str, path: Path, message: str, **options: float) -> None:
    """The download fails with that message and leaves nothing behind."""
    with pytest.raises(DownloadError, match=message):
        download_file(url, path, ignore, never, **options)  # type: ignore[arg-type]
    assert list(path.parent.iterdir()) == []


# The download of a file


@pytest.mark.parametrize("name", ["whole", "unannounced"])
def test_a_file_arrives_whole(server: _Server, tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / "folder" / "file.bin"
    seen: list[tuple[int, int]] = []
    download_file(server.url(name), path, lambda *where: seen.append(where), never, sha256=CHECKSUM[:8])
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    total = len(CONTENT) if name == "whole" else 0
    assert seen[0] == (0, total)
    assert seen[-1] == (len(CONTENT), total)
    assert seen == sorted(seen)


def test_what_is_there_stays_until_the_new_file_is_whole(server: _Server, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    with pytest.raises(DownloadError):
        download_file(server.url("short"), path, ignore, never)
    assert path.read_bytes() == b"old"
    download_file(server.url("whole"), path, ignore, never)
    assert path.read_bytes() == CONTENT


def test_cancel_leaves_nothing_behind(server: _Server, tmp_path: Path) -> None:
    arrived = 0

    def progress(done: int, _total: int) -> None:
        nonlocal arrived
        arrived = done

    with pytest.raises(DownloadCancelled):
        download_file(server.url("hanging"), tmp_path / "file.bin", progress, lambda: arrived > 0)
    assert arrived == 1000
    assert list(tmp_path.iterdir()) == []


def test_what_the_server_does_wrong_is_told_in_a_sentence(server: _Server, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    assert_refused(server.url("missing"), path, r"^127\.0\.0\.1 does not give file\.bin: 404 Not Found$")
    assert_refused(
        server.url("short"), path, r"broke off after 0\.0 MB of 1\.0 MB: it was closed; check the connection"
    )
    assert_refused(server.url("hanging"), path, r"broke off after 0\.0 MB of 1\.0 MB: no answer", timeout_s=0.1)
    assert_refused(server.url("silent"), path, r"127\.0\.0\.1 cannot be reached: no answer", timeout_s=0.1)
    assert_refused("file:///etc/hostname", path, "only http and https are fetched")


def test_no_network_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/x"
        assert_refused(
            url, tmp_path / "f", r"cannot be reached: Connection refused; check the connection, or choose a file"
        )
    monkeypatch.setattr(socket, "getaddrinfo", _unknown_name)
    assert_refused("http://example.invalid/x", tmp_path / "f", r"example\.invalid cannot be reached: its address")


def _unknown_name(*_: object, **__: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_another_file_than_the_published_one_is_refused(server: _Server, tmp_path: Path) -> None:
    with pytest.raises(
        DownloadError, match=rf"is not the published file: its SHA-256 begins with {CHECKSUM[:8]}, not 0"
    ):
        download_file(server.url("whole"), tmp_path / "f", ignore, never, sha256="00000000")
    assert list(tmp_path.iterdir()) == []


def test_a_full_or_unwritable_disk_is_told(server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert_refused(server.url("whole"), tmp_path / "f", "f cannot be kept in .*: No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
        assert_refused(server.url("whole"), tmp_path / "f", r"1\.0 MB are needed and 0\.0 MB free; make room")
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match=r"f cannot be kept in .*: (File exists|Not a directory)"):
        download_file(server.url("whole"), tmp_path / "file" / "f", ignore, never)


# torchvision's weights


def test_the_weights_come_into_torchvisions_cache(
    server: _Server, cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    architecture = ENTRY.build(width=2)
    torch.save(build_module(architecture, seed=0).state_dict(), tmp_path / "w.pth")
    server.content = (tmp_path / "w.pth").read_bytes()
    name = f"resnet18-{hashlib.sha256(server.content).hexdigest()[:8]}.pth"
    published = PublishedWeights(server.url(name), len(server.content), "bilinear", ("cat", "dog"))
    monkeypatch.setattr(pretrained, "published_weights", lambda _model, _weights: published)
    assert pretrained.find(ENTRY) is None
    assert not pretrained.details(ENTRY).is_here
    path = pretrained.download(ENTRY, ignore, never)
    assert path == cache / name
    assert pretrained.find(ENTRY) == path
    assert pretrained.details(ENTRY).is_here
    assert compare(architecture, read_state_dict(path)).is_whole
    # torch itself takes it from there without asking the server again.
    server.content = b"another"
    assert (
        torch.hub.load_state_dict_from_url(published.url, check_hash=True).keys()
        == read_state_dict(path).tensors.keys()
    )
    with pytest.raises(DownloadError, match="not the published file"):
        pretrained.download(ENTRY, ignore, never)
    assert list(cache.iterdir()) == [path]


@pytest.mark.parametrize("entry", [e for e in zoo.entries() if e.pretrained], ids=lambda entry: entry.id)
def test_what_is_known_before_anything_is_fetched(entry: zoo.Entry, cache: Path) -> None:
    known = pretrained.details(entry)
    assert known.url.startswith("https://download.pytorch.org/models/")
    assert known.path == cache / known.url.rpartition("/")[2]
    assert pretrained._CHECKSUM.search(known.path.name)
    assert len(known.class_names) == 1000
    assert (known.class_names[0], known.class_names[999]) == ("tench", "toilet tissue")
    with torch.device("meta"):
        parameters = sum(p.numel() for p in build_module(entry.build()).parameters())
    assert known.num_bytes > 4 * parameters
    assert not known.is_here


def test_networks_without_weights_say_so() -> None:
    for ask in (pretrained.details, pretrained.find):
        with pytest.raises(ValueError, match="lenet5: torchvision has no trained weights for it; choose a file"):
            ask(zoo.entry("lenet5"))
    with pytest.raises(ValueError, match="no weights IMAGENET1K_V9 of resnet18"):
        published_weights("resnet18", "IMAGENET1K_V9")
    with pytest.raises(ValueError, match="no weights V1 of resnet19"):
        published_weights("resnet19", "V1")


def _preset(entry: zoo.Entry) -> Callable[[torch.Tensor], torch.Tensor]:
    assert entry.pretrained is not None
    weights = torchvision().models.get_model_weights(entry.pretrained.model)[entry.pretrained.weights]
    preset: Callable[[torch.Tensor], torch.Tensor] = weights.transforms()
    return preset


@pytest.mark.parametrize("network", ["resnet18", "efficientnet-b0", "convnext-tiny"])
@pytest.mark.parametrize("size", [(256, 256), (300, 417), (331, 240), (97, 60)])
def test_preprocessing_is_torchvisions(network: str, size: tuple[int, int]) -> None:
    entry = zoo.entry(network)
    images = torch.randint(0, 256, (2, 3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = preprocess(images, pretrained.details(entry).preprocessing)
    assert torch.equal(found, _preset(entry)(images))


def test_preprocessing_in_words() -> None:
    known = pretrained.details(zoo.entry("inception-v3")).preprocessing
    assert known.text == (
        "shorter side to 342 pixels (bilinear), the middle 299×299 cut out, colours of 0 to 1 minus 0.5, 0.5, 0.5 and "
        "divided by 0.5, 0.5, 0.5"
    )
    assert known.normalization.mean == (0.5, 0.5, 0.5)
