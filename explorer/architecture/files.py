"""Networks as files: versioned JSON, written whole or not at all, read without running anything.

A project is `{"format": "arch-explorer", "version": 1, "architecture": {...}}` beside further sections ("training")
that belong to other packages and pass through untouched.
"""

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from explorer.architecture.architecture import Architecture, ArchitectureError, Block, Node, sorted_nodes
from explorer.layers import Layer, Opaque, layer_type

FORMAT = "arch-explorer"
VERSION = 1
SUFFIX = ".arch.json"
_LARGEST_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


class ArchitectureFileError(ArchitectureError):
    """A file that is no network, is broken, or comes from a newer version; says where and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a project file holds."""

    architecture: Architecture
    sections: Mapping[str, Any] = field(default_factory=dict)
    """Everything beside the architecture, as plain JSON data by section."""


class Companion(NamedTuple):
    """A file that is saved beside a project and belongs to it, such as its weights."""

    source: Path
    """Where its content lies now; may be `path` itself."""
    path: Path
    """Where it goes."""
    sha256: str
    """Of its content, in hexadecimal."""


def to_plain(architecture: Architecture) -> dict[str, Any]:
    """The architecture as plain JSON data."""
    return {
        "name": architecture.name,
        "nodes": [
            {
                "id": node.id,
                "layer": node.layer.type_name,
                "inputs": list(node.inputs),
                **({"frozen": True} if node.frozen else {}),
                **_plain_values(node.layer),
            }
            for node in architecture.nodes
        ],
        "outputs": list(architecture.outputs),
        "blocks": [{"path": block.path, "kind": block.kind} for block in architecture.blocks],
    }


def from_plain(data: object) -> Architecture:
    """The architecture that plain JSON data describes.

    Raises:
        ArchitectureFileError: says which node and field, what was received and what would fit.
    """
    top = _mapping(data, "architecture")
    known_layers: dict[Layer, Layer] = {}
    nodes = [
        _node_from_plain(item, position, known_layers) for position, item in enumerate(_list(top.get("nodes"), "nodes"))
    ]
    blocks = [_mapping(item, f"blocks[{i}]") for i, item in enumerate(_list(top.get("blocks", []), "blocks"))]
    try:
        return Architecture(
            name=_text(top.get("name"), "name"),
            nodes=sorted_nodes(nodes),
            outputs=tuple(_text(o, "outputs") for o in _list(top.get("outputs"), "outputs")),
            blocks=tuple(Block(path=_text(b.get("path"), "path"), kind=_text(b.get("kind"), "kind")) for b in blocks),
        )
    except ArchitectureFileError:
        raise
    except ArchitectureError as error:
        raise ArchitectureFileError(str(error)) from error


def dumps(project: Project) -> str:
    """The project as the text of its file."""
    document = {"format": FORMAT, "version": VERSION, "architecture": to_plain(project.architecture)}
    document.update((key, value) for key, value in project.sections.items() if key not in document)
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def loads(text: str) -> Project:
    """The project that a file's text holds.

    Raises:
        ArchitectureFileError: not JSON, not a project, from a newer version, or a network that cannot be.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ArchitectureFileError(
            f"line {error.lineno}, column {error.colno}: not valid JSON ({error.msg.lower()}); "
            "the file is damaged or of another kind"
        ) from None
    except RecursionError:
        raise ArchitectureFileError("the JSON is nested too deeply to be a project") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format", "no format") if isinstance(document, dict) else type(document).__name__
        raise ArchitectureFileError(
            f'not an Architecture Explorer project: expected "format": "{FORMAT}", found {found!r}'
        )
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise ArchitectureFileError(f"version {version!r} is no version; this program reads version {VERSION}")
    if version > VERSION:
        raise ArchitectureFileError(
            f"written by a newer program (file version {version}; this one reads up to {VERSION}); update to open it"
        )
    sections = {k: v for k, v in document.items() if k not in {"format", "version", "architecture"}}
    return Project(architecture=from_plain(document.get("architecture")), sections=sections)


def load(path: Path) -> Project:
    """Read a project file.

    Raises:
        ArchitectureFileError: as `loads`, with the file's name before it; also unreadable or not text.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ArchitectureFileError(f"larger than {_LARGEST_BYTES // 1024**2} MiB; not a project")
        return loads(path.read_text(encoding="utf-8-sig"))
    except ArchitectureFileError as error:
        raise ArchitectureFileError(f"{path.name}: {error}") from None
    except UnicodeDecodeError:
        raise ArchitectureFileError(f"{path.name}: not a text file, so not a project") from None
    except OSError as error:
        raise ArchitectureFileError(f"{path}: {error.strerror or error}") from None


def save(project: Project, path: Path, companion: Companion | None = None) -> None:
    """Write a project file, and what belongs beside it; existing ones are replaced once both are whole on disk.

    Raises:
        OSError: unwritable target or full disk, or the companion's source is gone or was changed; the error's
            `filename` says which file. Existing files are untouched.
    """
    content = [dumps(project).encode("utf-8")]
    if companion is None or _is_there(companion):
        _write(path, content)
        return
    staged = _stage(companion.path, _checked(companion))
    try:
        # Both lie whole on the disk before the first takes its place: what can fail has happened by then.
        own = _stage(path, content)
        try:
            staged.replace(companion.path.resolve())
            own.replace(path.resolve())
        except BaseException:
            own.unlink(missing_ok=True)
            raise
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that at any moment, also after a kill, either the old or the new content is there, whole.

    Raises:
        OSError: unwritable target or full disk; the existing file is untouched.
    """
    _write(path, [content])


def _write(path: Path, content: Iterable[bytes]) -> None:
    staged = _stage(path, content)
    try:
        staged.replace(path.resolve())
    except BaseException:
        with suppress(OSError):
            staged.unlink(missing_ok=True)
        raise


def _stage(path: Path, content: Iterable[bytes]) -> Path:
    """The content whole on the disk, under a name beside the one that it is to take."""
    path = path.resolve()  # a link stays a link, and only within one file system is a replacement atomic
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            for part in content:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(path.stat().st_mode & 0o777)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)  # a full disk names no file, and the temporary one means nothing to anybody
        raise
    return temporary


def _is_there(companion: Companion) -> bool:
    """Whether the very content lies in its place already, so that saving again costs nothing for it."""
    try:
        if companion.path.stat().st_size != companion.source.stat().st_size:
            return False
        return sha256_of(companion.path) == companion.sha256
    except OSError:
        return False


def _checked(companion: Companion) -> Iterator[bytes]:
    digest = hashlib.sha256()
    with companion.source.open("rb") as file:
        while part := file.read(_CHUNK_BYTES):
            digest.update(part)
            yield part
    if digest.hexdigest() != companion.sha256:
        raise OSError(errno.EIO, "its content is another one than when it was opened", str(companion.source))


def _plain_values(layer: Layer) -> dict[str, Any]:
    values = {name: _plain(value) for name, value in layer.values().items()}
    if isinstance(layer, Opaque) and layer.measured:
        values["measured"] = [measurement.to_plain() for measurement in layer.measured]
    return values


def _plain(value: object) -> object:
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _node_from_plain(item: object, position: int, known_layers: dict[Layer, Layer]) -> Node:
    """The node; equal layers become one object, which inference looks at once."""
    data = dict(_mapping(item, f"nodes[{position}]"))
    node_id = _text(data.pop("id", None), f"nodes[{position}].id")
    inputs = tuple(_text(i, f"{node_id}.inputs") for i in _list(data.pop("inputs", []), f"{node_id}.inputs"))
    type_name = _text(data.pop("layer", None), f"{node_id}.layer")
    frozen = data.pop("frozen", False)
    if not isinstance(frozen, bool):
        raise ArchitectureFileError(f"{node_id}.frozen: expected true or false, received {frozen!r}")
    try:
        cls = layer_type(type_name)
        known = {parameter.name for parameter in cls.hyper_parameters}
        if cls is Opaque:
            known.add("measured")
        if unknown := sorted(set(data) - known):
            raise ValueError(f"{type_name} has no hyper-parameter {unknown[0]!r}; it has {', '.join(sorted(known))}")
        if missing := [p.name for p in cls.hyper_parameters if p.required and p.name not in data]:
            raise ValueError(f"{type_name} lacks {', '.join(missing)}")
        layer = cls(**data)
        return Node(id=node_id, layer=known_layers.setdefault(layer, layer), inputs=inputs, frozen=frozen)
    except (ValueError, TypeError) as error:
        raise ArchitectureFileError(f"{node_id}: {error}") from None


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return value
    raise ArchitectureFileError(f"{where}: expected an object, received {type(value).__name__}")


def _list(value: object, where: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ArchitectureFileError(f"{where}: expected a list, received {type(value).__name__}")


def _text(value: object, where: str) -> str:
    if isinstance(value, str) and value:
        return value
    raise ArchitectureFileError(f"{where}: expected a text, received {value!r}")
