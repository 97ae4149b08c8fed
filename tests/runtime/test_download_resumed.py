"""Downloads that break off and go on, from servers that give parts of files, that do not, and that do it wrongly."""

import functools
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from explorer import zoo
from explorer.runtime import pretrained
from explorer.runtime.download import DownloadCancelled, DownloadError, download_file
from explorer.runtime.partial_file import InUse, partial_file, partial_path
from explorer.runtime.torchvision_door import PublishedWeights

CONTENT = bytes(range(256)) * 4096
MD5 = hashlib.md5(CONTENT).hexdigest()
HALF = len(CONTENT) // 2


class Server(ThreadingHTTPServer):
    """Gives `content`; how well is set by its fields."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.gives_parts = True
        self.knows_total = True
        self.shift = 0
        """So much too late does a part begin."""
        self.breaks_at: int | None = None
        """The byte of the file before which the line is cut."""
        self.ranges: list[str | None] = []
        """What of the file was asked for, by each request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/file.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, content = self.server, self.server.content
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        start = 0
        if asked is not None and server.gives_parts:
            start = int(asked.removeprefix("bytes=").removesuffix("-")) + server.shift
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            total = len(content) if server.knows_total else "*"
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{total}")
        else:
            self.send_response(200)
        if server.gives_parts:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : server.breaks_at])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def never() -> bool:
    return False


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


@pytest.fixture
def fetch(server: Server, path: Path) -> Callable[..., list[tuple[int, int]]]:
    """Download resumably; returns what was reported."""

    def run(cancelled: Callable[[], bool] = never, md5: str = MD5) -> list[tuple[int, int]]:
        seen: list[tuple[int, int]] = []
        report: Callable[[int, int], None] = lambda *where: seen.append(where)  # noqa: E731
        download_file(server.url, path, report, cancelled, md5=md5, resumes=True)
        return seen

    return run


Fetch = Callable[..., list[tuple[int, int]]]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_broke_off_goes_on_where_it_ended(server: Server, path: Path, fetch: Fetch) -> None:
    server.breaks_at = HALF
    with pytest.raises(
        DownloadError, match=r"broke off after 0\.5 MB of 1\.0 MB: .*try again, which goes on from there, or choose"
    ):
        fetch()
    assert not path.exists()
    assert partial_path(path).read_bytes() == CONTENT[:HALF]
    server.breaks_at = HALF + 1000  # and once more
    with pytest.raises(DownloadError, match="broke off"):
        fetch()
    server.breaks_at = None
    seen = fetch()
    assert server.ranges == [None, f"bytes={HALF}-", f"bytes={HALF + 1000}-"]
    assert seen[0] == (HALF + 1000, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert _names(path.parent) == ["file.bin"]


def test_a_cancelled_download_goes_on_too(server: Server, path: Path, fetch: Fetch) -> None:
    asked = 0

    def after_two() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    with pytest.raises(DownloadCancelled):
        fetch(after_two)
    kept = partial_path(path).stat().st_size
    assert 0 < kept < len(CONTENT)
    server.knows_total = False
    assert fetch()[0] == (kept, len(CONTENT))
    assert server.ranges == [None, f"bytes={kept}-"]
    assert path.read_bytes() == CONTENT


def test_a_server_without_parts_starts_anew_and_nothing_is_kept(server: Server, path: Path, fetch: Fetch) -> None:
    server.gives_parts = False
    server.breaks_at = HALF
    with pytest.raises(DownloadError, match=r"broke off after .*; check the connection, or choose a file"):
        fetch()
    assert _names(path.parent) == []
    # What an earlier server gave is of no use to this one.
    partial_path(path).write_bytes(CONTENT[:HALF])
    server.breaks_at = None
    assert fetch()[0] == (0, len(CONTENT))
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "lying", [b"\0" * HALF, CONTENT[:100] + b"\0" * 100, CONTENT + b"more"], ids=["another", "holes", "longer"]
)
def test_what_does_not_belong_to_the_file_is_fetched_anew(
    server: Server, path: Path, fetch: Fetch, lying: bytes
) -> None:
    partial_path(path).write_bytes(lying)
    fetch()
    assert path.read_bytes() == CONTENT
    assert server.ranges[0] == f"bytes={len(lying)}-"
    assert server.ranges[-1] is None
    assert len(server.ranges) == 2


def test_another_part_than_asked_for_is_not_taken(server: Server, path: Path, fetch: Fetch) -> None:
    partial_path(path).write_bytes(CONTENT[:HALF])
    server.shift = 10
    fetch()
    assert server.ranges == [f"bytes={HALF}-", None]
    assert path.read_bytes() == CONTENT


def test_what_is_whole_already_needs_no_server(server: Server, path: Path, fetch: Fetch) -> None:
    partial_path(path).write_bytes(CONTENT)  # as when the program died before the last step
    fetch()
    assert server.ranges == []
    assert path.read_bytes() == CONTENT


def test_another_file_than_the_published_one_is_refused_and_not_kept(server: Server, path: Path, fetch: Fetch) -> None:
    path.write_bytes(b"old")
    with pytest.raises(DownloadError, match=r"is not the published file: its MD5 begins with [0-9a-f]{32}, not 0{32}"):
        fetch(md5="0" * 32)
    assert _names(path.parent) == ["file.bin"]
    assert path.read_bytes() == b"old"


def test_no_server_leaves_what_is_there(server: Server, path: Path) -> None:
    partial_path(path).write_bytes(CONTENT[:HALF])
    # Nobody listens on port 9, the first port below which only the system may.
    with pytest.raises(DownloadError, match="cannot be reached"):
        download_file("http://127.0.0.1:9/file.bin", path, lambda *_: None, never, md5=MD5, resumes=True)
    assert partial_path(path).read_bytes() == CONTENT[:HALF]


def test_only_one_at_a_time_writes_a_resumable_file(server: Server, path: Path, fetch: Fetch) -> None:
    with partial_file(path, resumes=True):
        with pytest.raises(DownloadError, match=r"file\.bin is being downloaded already, here or in another program"):
            fetch()
        with pytest.raises(InUse), partial_file(path, resumes=True):
            raise AssertionError
        with partial_file(path, resumes=False) as other:
            assert other.path != partial_path(path)
    fetch()
    assert _names(path.parent) == ["file.bin"]


def test_without_a_checksum_nothing_is_resumed(server: Server, path: Path) -> None:
    server.breaks_at = HALF
    get = functools.partial(download_file, server.url, path, lambda *_: None, never, resumes=True)
    with pytest.raises(DownloadError, match="broke off"):
        get()
    assert _names(path.parent) == []
    server.breaks_at = None
    get()
    assert server.ranges == [None, None]
    assert path.read_bytes() == CONTENT


def test_trained_weights_go_on_where_they_broke_off(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = server.url.replace("file.bin", f"resnet18-{hashlib.sha256(CONTENT).hexdigest()[:8]}.pth")
    published = PublishedWeights(url, len(CONTENT), "bilinear", ("cat", "dog"))
    monkeypatch.setattr(pretrained, "published_weights", lambda _model, _weights: published)
    seen: list[tuple[int, int]] = []
    get = functools.partial(pretrained.download, zoo.entry("resnet18"), lambda *where: seen.append(where))
    server.breaks_at = HALF
    with pytest.raises(
        DownloadError, match=r"broke off after 0\.5 MB of 1\.0 MB: .*try again, which goes on from there"
    ):
        get(never)
    assert not pretrained.details(zoo.entry("resnet18")).is_here
    server.breaks_at = None
    with pytest.raises(DownloadCancelled):
        get(lambda: seen[-1][0] > HALF)
    kept = seen[-1][0]
    seen.clear()
    path = get(never)
    assert server.ranges == [None, f"bytes={HALF}-", f"bytes={kept}-"]
    assert seen[0] == (kept, len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert _names(path.parent) == [path.name]
