"""One file over HTTP: with progress, cancel and checksum, in its place whole or not at all."""

import hashlib
import http.client
import os
import secrets
import shutil
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_CHUNK_BYTES = 256 * 1024
_TIMEOUT_S = 10.0
"""Without a byte for so long, the connection counts as broken."""


class DownloadError(ValueError):
    """A download that did not succeed; says in a sentence why, and what helps. Nothing is left of it."""


class DownloadCancelled(Exception):  # noqa: N818 - it says what happened
    """The user ended it. Nothing is left of it."""


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
) -> None:
    """Fetch a file; what lies at `path` is replaced only once the new content is there, whole and checked.

    Args:
        url: http or https.
        path: where it goes; its folder is made.
        progress: receives the bytes that arrived and all that will, 0 if the server does not say.
        is_cancelled: looked at between parts of the file; a server that is silent delays that by `timeout_s`.
        sha256: what the SHA-256 of the content begins with, in hexadecimal; None checks the length alone.
        md5: instead of `sha256`, the whole MD5 of the content, which is all that some publishers give.
        timeout_s: how long to wait for the next byte.
        instead: what an error offers to who cannot fetch it.

    Raises:
        DownloadError: see there.
        DownloadCancelled: see there.
    """
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or host is None:
        raise DownloadError(f"{url}: only http and https are fetched")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _connected(url, host, path.name, timeout_s, instead) as response:
            total = int(response.headers.get("Content-Length") or 0)
            _check_room(path.parent, total)
            received = _received(response, host, total, progress, is_cancelled, instead)
            kind, wanted = ("SHA-256", sha256) if md5 is None else ("MD5", md5)
            digest = _write(received, temporary, kind)
        if wanted is not None and not digest.startswith(wanted.lower()):
            raise DownloadError(
                f"{path.name}: what {host} sent is not the published file: its {kind} begins with "
                f"{digest[: len(wanted)]}, not {wanted}; try again, or {instead}"
            )
        temporary.replace(path)
    except OSError as error:  # The network's have become DownloadErrors where they arose.
        raise DownloadError(f"{path.name} cannot be kept in {path.parent}: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def size_text(num_bytes: int) -> str:
    """A size as download pages give it: "44.7 MB"."""
    return f"{num_bytes / 1e6:,.1f} MB"


def _connected(url: str, host: str, name: str, timeout_s: float, instead: str) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "arch-explorer"})
    try:
        response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=timeout_s)
        return response
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{host} does not give {name}: {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(f"{host} cannot be reached: {_reason(error)}; check the connection, or {instead}") from None


def _received(
    response: http.client.HTTPResponse,
    host: str,
    total: int,
    progress: Callable[[int, int], None],
    is_cancelled: Callable[[], bool],
    instead: str,
) -> Iterator[bytes]:
    done = 0
    why = "it was closed"
    while True:
        progress(done, total)
        if is_cancelled():
            raise DownloadCancelled
        try:
            part = response.read1(_CHUNK_BYTES)  # What is there, so that a slow line can be cancelled too.
        except (OSError, http.client.HTTPException) as error:
            why, part = _reason(error), b""
        else:
            if not part and done >= total:
                return
        if not part:
            of_all = f" of {size_text(total)}" if total else ""
            raise DownloadError(
                f"the connection to {host} broke off after {size_text(done)}{of_all}: {why}; check the connection, or "
                f"{instead}"
            )
        done += len(part)
        yield part


def _write(received: Iterable[bytes], path: Path, kind: str) -> str:
    """Write it; returns its SHA-256 or MD5 in hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False) if kind == "MD5" else hashlib.sha256()
    with path.open("xb") as file:
        for part in received:
            file.write(part)
            digest.update(part)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


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
