"""One file over HTTP: with progress, cancel and checksum, in its place whole or not at all; resumed where asked for.

Where its bytes lie until it is whole is `partial_file`'s.
"""

import hashlib
import http.client
import os
import re
import shutil
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Protocol

from explorer.runtime.partial_file import InUse, Partial, partial_file

_CHUNK_BYTES = 256 * 1024
_HASHED_BYTES = 4 * 1024**2
_TIMEOUT_S = 10.0
"""Without a byte for so long, the connection counts as broken."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
"""RFC 9110, 14.4."""


class DownloadError(ValueError):
    """A download that did not succeed; says in a sentence why, and what helps. Nothing is seen of it at its place."""


class DownloadCancelled(Exception):  # noqa: N818 - it says what happened
    """The user ended it. Nothing is seen of it at its place."""


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...


class _Checksum(NamedTuple):
    """What a file's digest is, or begins with."""

    kind: str
    wanted: str | None

    def new(self) -> _Digest:
        return hashlib.md5(usedforsecurity=False) if self.kind == "MD5" else hashlib.sha256()

    def fits(self, digest: _Digest) -> bool:
        return self.wanted is None or digest.hexdigest().startswith(self.wanted.lower())


class _Request(NamedTuple):
    """What is asked of whom, and how errors speak of it."""

    url: str
    host: str
    name: str
    timeout_s: float
    instead: str


class _Answer(NamedTuple):
    """A server's answer, and which part of the file it is."""

    response: http.client.HTTPResponse
    first: int
    """The first byte that comes."""
    total: int
    """Bytes of the whole file; 0 if the server does not say."""
    resumes: bool
    """Whether the server gives parts of files."""


def download_file(
    url: str,
    path: Path,
    progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
    *,
    sha256: str | None = None,
    md5: str | None = None,
    timeout_s: float = _TIMEOUT_S,
    instead: str = "choose a file",
    resumes: bool = False,
) -> None:
    """Fetch a file; what lies at `path` is replaced only once the new content is there, whole and checked.

    Args:
        url: http or https.
        path: where it goes; its folder is made.
        progress: receives the bytes that are there and all that will be, 0 if the server does not say.
        is_cancelled: looked at between parts of the file; a server that is silent delays that by `timeout_s`.
        sha256: what the SHA-256 of the content begins with, in hexadecimal; None checks the length alone.
        md5: instead of `sha256`, the whole MD5 of the content, which is all that some publishers give.
        timeout_s: how long to wait for the next byte.
        instead: what an error offers to who cannot fetch it.
        resumes: keep what arrived if the download breaks off or is cancelled and the server gives parts of files, and
            go on from there the next time; only with a checksum, which shows whether the parts belong together.

    Raises:
        DownloadError: see there.
        DownloadCancelled: see there.
    """
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or host is None:
        raise DownloadError(f"{url}: only http and https are fetched")
    checksum = _Checksum("SHA-256", sha256) if md5 is None else _Checksum("MD5", md5)
    request = _Request(url, host, path.name, timeout_s, instead)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial_file(path, resumes=resumes and checksum.wanted is not None) as partial:
            if not _bring(request, partial, checksum, progress, is_cancelled):
                # Parts of two versions, or what a power loss left of one: all of it anew, for once.
                _bring(request, partial, checksum, progress, is_cancelled)
            partial.path.replace(path)
    except InUse:
        text = f"{path.name} is being downloaded already, here or in another program; wait for that"
        raise DownloadError(text) from None
    except OSError as error:  # The network's have become DownloadErrors where they arose.
        raise DownloadError(f"{path.name} cannot be kept in {path.parent}: {error.strerror or error}") from None


def size_text(num_bytes: int) -> str:
    """A size as download pages give it: "44.7 MB"."""
    return f"{num_bytes / 1e6:,.1f} MB"


def _bring(
    request: _Request,
    partial: Partial,
    checksum: _Checksum,
    progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
) -> bool:
    """Make the partial file whole; False where what lay there does not go with what came, and is gone now.

    Raises:
        DownloadError: it cannot be, or the content is another one than the checksum's.
        DownloadCancelled: the user ended it.
    """
    digest = checksum.new()
    partial.is_kept = True  # Until the server shows that nobody can go on from it.
    start = _hash(partial, digest, is_cancelled)
    if start and checksum.fits(digest):
        return True  # Only its last step was missing.
    answer = _asked(request, start)
    with answer.response:
        partial.is_kept = answer.resumes
        if answer.first != start:
            digest = checksum.new()
        _check_room(partial.path.parent, answer.total - answer.first)
        received = _received(answer, request, progress, is_cancelled)
        _write(received, partial.path, answer.first, digest)
    if checksum.fits(digest):
        return True
    partial.path.unlink()
    partial.is_kept = False
    if answer.first:
        return False
    found = digest.hexdigest()[: len(checksum.wanted or "")]
    raise DownloadError(
        f"{request.name}: what {request.host} sent is not the published file: its {checksum.kind} begins with "
        f"{found}, not {checksum.wanted}; try again, or {request.instead}"
    )


def _hash(partial: Partial, digest: _Digest, is_cancelled: Callable[[], bool]) -> int:
    """Take in what is there already; returns how many bytes that is."""
    done = 0
    with suppress(FileNotFoundError), partial.path.open("rb") as file:
        while part := file.read(_HASHED_BYTES):
            if is_cancelled():
                raise DownloadCancelled
            digest.update(part)
            done += len(part)
    return done


def _asked(request: _Request, start: int) -> _Answer:
    """Ask for a file from a byte on; a server that cannot do that gives all of it."""
    headers = {"User-Agent": "arch-explorer"} | ({"Range": f"bytes={start}-"} if start else {})
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(
            urllib.request.Request(request.url, headers=headers), timeout=request.timeout_s
        )
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _asked(request, 0)  # More is there than the file has now.
        raise DownloadError(f"{request.host} does not give {request.name}: {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(
            f"{request.host} cannot be reached: {_reason(error)}; check the connection, or {request.instead}"
        ) from None
    length = int(response.headers.get("Content-Length") or 0)
    if response.status != http.HTTPStatus.PARTIAL_CONTENT:
        return _Answer(response, 0, length, response.headers.get("Accept-Ranges", "").strip().lower() == "bytes")
    given = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if given is None or int(given[1]) != start:
        response.close()
        return _asked(request, 0)
    return _Answer(response, start, start + length if given[2] == "*" else int(given[2]), True)


def _received(
    answer: _Answer,
    request: _Request,
    progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
) -> Iterator[bytes]:
    done, total = answer.first, answer.total
    why = "it was closed"
    while True:
        progress(done, total)
        if is_cancelled():
            raise DownloadCancelled
        try:
            part = answer.response.read1(_CHUNK_BYTES)  # What is there, so that a slow line can be cancelled too.
        except (OSError, http.client.HTTPException) as error:
            why, part = _reason(error), b""
        else:
            if not part and done >= total:
                return
        if not part:
            of_all = f" of {size_text(total)}" if total else ""
            again = "check the connection and try again, which goes on from there" if answer.resumes else ""
            raise DownloadError(
                f"the connection to {request.host} broke off after {size_text(done)}{of_all}: {why}; "
                f"{again or 'check the connection'}, or {request.instead}"
            )
        done += len(part)
        yield part


def _write(received: Iterable[bytes], path: Path, start: int, digest: _Digest) -> None:
    """Write what comes from a byte on, and take it into the digest; what lay behind it goes."""
    with path.open("r+b" if start else "wb") as file:
        file.seek(start)
        file.truncate()
        for part in received:
            file.write(part)
            digest.update(part)
        file.flush()
        os.fsync(file.fileno())


def _check_room(folder: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise DownloadError(f"{folder}: {size_text(needed_bytes)} are needed and {size_text(free)} free; make room")


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "no answer"
    if isinstance(cause, socket.gaierror):
        return "its address is not found"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__
