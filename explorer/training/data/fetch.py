"""torchvision's data sets over the network: with progress, cancel and checksums, and what arrived whole is kept."""

import hashlib
import secrets
import shutil
import tarfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from explorer.runs.data_sources import DATA_SOURCES, DIGITS, data_source, data_title
from explorer.runtime.download import DownloadCancelled, DownloadError, download_file
from explorer.training.data.places import download_root
from explorer.training.data.torchvision_sets import SETS, Archive, RemoteFile

_CHUNK_BYTES = 1024**2
_INSTEAD = "use digits, which need no network"

Progress = Callable[[str, int, int], None]
"""Receives what is done, the bytes of it that are done, and all that will be."""
Cancelled = Callable[[], bool]


def fetch_data(name: str, progress: Progress, is_cancelled: Cancelled) -> Path:
    """Bring a data set onto this computer, also where it is here already.

    What was fetched before an error or a cancel is not fetched again, as far as the server gives parts of files.

    Args:
        name: an id of `DATA_SOURCES`.

    Returns:
        The folder with its files.

    Raises:
        DownloadError: no network, a full disk, other files than the published ones; says what helps.
        DownloadCancelled: the user ended it.
        ImportError: torchvision is not installed, or does not go with torch.
    """
    known, source = SETS.get(name), data_source(name)
    if known is None or source is None:
        fetched = " or ".join(source.id for source in DATA_SOURCES if source.id != DIGITS)
        raise DownloadError(f"{name}: there is nothing to download for it; use {fetched}")
    root = download_root()
    files = known.remote()
    done_bytes = 0
    for file in files:
        done_bytes += _fetch(name, file, root, done_bytes, source.download_bytes, progress, is_cancelled)
    place = root / known.folders[0]
    if known.archive is not None:
        packed = root / files[0].path
        _unpack(packed, known.archive, progress, is_cancelled)
        with suppress(OSError):
            packed.unlink()  # The disk is the user's; only room is lost if it stays.
    return place


def _fetch(
    name: str,
    file: RemoteFile,
    root: Path,
    before: int,
    total: int,
    progress: Progress,
    is_cancelled: Cancelled,
) -> int:
    """Fetch one file from the first place that has it; returns its size."""
    path = root / file.path
    text = f"Downloading {data_title(name)}"
    if path.is_file() and _md5(path, is_cancelled) == file.md5:
        return path.stat().st_size
    for place, url in enumerate(file.urls):
        try:
            download_file(
                url,
                path,
                lambda done, _all: progress(text, before + done, total),
                is_cancelled,
                md5=file.md5,
                instead=_INSTEAD,
                resumes=True,
            )
            break
        except DownloadError as error:
            if place == len(file.urls) - 1:
                raise DownloadError(f"{data_title(name)}: {error}") from None
    return path.stat().st_size


def _md5(path: Path, is_cancelled: Cancelled) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while part := file.read(_CHUNK_BYTES):
            if is_cancelled():
                raise DownloadCancelled
            digest.update(part)
    return digest.hexdigest()


def _unpack(packed: Path, archive: Archive, progress: Progress, is_cancelled: Cancelled) -> None:
    """Unpack beside the archive: whole or not at all."""
    place = packed.parent / archive.folder
    temporary = packed.parent / f".{archive.folder}.{secrets.token_hex(4)}.partial"
    total = packed.stat().st_size
    try:
        with packed.open("rb") as stream, tarfile.open(fileobj=stream, mode="r|*") as members:
            for member in members:
                if is_cancelled():
                    raise DownloadCancelled
                progress(f"Unpacking {packed.name}", min(stream.tell(), total), total)
                target = _target(member, archive)
                content = members.extractfile(member) if target is not None else None
                if target is None or content is None:
                    continue
                path = temporary / target
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file, _CHUNK_BYTES)
        if not temporary.is_dir():
            raise DownloadError(f"{packed.name}: has no folder {archive.folder}; delete it and download it again")
        shutil.rmtree(place, ignore_errors=True)
        temporary.replace(place)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DownloadError(f"{packed.name}: cannot be unpacked ({error}); delete it and download it again") from None
    except OSError as error:
        raise DownloadError(f"{packed.name} cannot be unpacked in {packed.parent}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _target(member: tarfile.TarInfo, archive: Archive) -> PurePosixPath | None:
    """Where a member goes below the archive's folder; None if it is not wanted, or would lie elsewhere."""
    path = PurePosixPath(member.name)
    # On Windows a backslash parts folders too, and a colon names a drive or a hidden stream.
    leads_away = path.is_absolute() or ".." in path.parts or "\\" in member.name or ":" in member.name
    if not member.isfile() or leads_away or path.parts[:1] != (archive.folder,):
        return None
    below = path.relative_to(archive.folder)
    return below if not archive.members or str(below) in archive.members else None
