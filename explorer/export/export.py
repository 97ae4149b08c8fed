"""The export: an architecture and weights to files, all of them or none, and the certificate of what they are."""

import contextlib
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.export.certificate import Artefact, Certificate, Check, FloatArray, verify
from explorer.export.errors import ExportCancelled, ExportError
from explorer.export.onnx import write_onnx
from explorer.export.source import network_class_name, to_source
from explorer.export.weights import write_weights
from explorer.runs import Normalization
from explorer.runtime.modules import Network, NotRunnable, build_module

SUFFIXES = (".py", ".safetensors", ".onnx")
INITIAL_SEED = 0
"""Seed of the weights where none are trained and no other seed is given: a run's default."""

Progress = Callable[[str, float], None]
"""Takes what is being done, in words, and the share that is done, from 0 to 1."""


def export_model(
    architecture: Architecture,
    weights: Mapping[str, Tensor] | None,
    targets: Sequence[Path],
    *,
    images: Tensor | None,
    check: bool,
    seed: int = INITIAL_SEED,
    progress: Progress = lambda _text, _share: None,
    cancelled: Callable[[], bool] = lambda: False,
    normalization: Normalization | None = None,
) -> Certificate:
    """Write the network to the targets, each in the form of its suffix: `.py`, `.safetensors` or `.onnx`.

    Everything is written and checked in a temporary folder first. Only a whole export that passes replaces files.

    Args:
        weights: the network's `state_dict`; None for the initial ones.
        images: `(N, C, H, W)` as the network takes them, for the check; a dozen real ones will do.
        seed: of the initial weights, where none are given.
        normalization: what the network expects of its images; the certificate and the source say it. None says nothing.
        check: whether to run the files in fresh processes; a certificate that did not pass means no file was written.

    Raises:
        ExportError: a target, the network or its weights will not do; existing files are untouched.
        ExportCancelled: `cancelled` said so; existing files are untouched.
    """
    _check_targets(targets)
    network = _network(architecture, weights, seed)
    notes = () if weights is not None else (f"The weights are untrained: the initial ones of seed {seed}.",)
    expects = None if normalization is None else f"Expects pixels from 0 to 1, normalised with {normalization.text}."
    if expects is not None:
        notes = (*notes, expects)
    steps = [target.name for target in targets]
    try:
        with tempfile.TemporaryDirectory(prefix="arch-explorer-export-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            staged = {target: folder / f"{number}" / target.name for number, target in enumerate(targets)}
            for number, (target, path) in enumerate(staged.items()):
                _stop_if(cancelled)
                progress(f"Writing {target.name}", number / (2 * len(steps)))
                path.parent.mkdir()
                _write(path, network, expects)
            checks: tuple[Check, ...] = ()
            if check:
                assert images is not None, "a check compares images"
                artefacts = _artefacts(folder, staged, network)
                checks = _verified(network, artefacts, images, progress, cancelled)
            certificate = Certificate(
                architecture_name=architecture.name,
                files=tuple(steps),
                trained=weights is not None,
                checks=checks,
                notes=notes,
            )
            _stop_if(cancelled)
            if certificate.passed or not check:
                _publish(staged)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise ExportError(f"{where}{error.strerror or error}; nothing was exported") from error
    progress("Done", 1.0)
    return certificate


def _check_targets(targets: Sequence[Path]) -> None:
    if not targets:
        raise ExportError(f"no file to export to; name at least one that ends in {', '.join(SUFFIXES)}")
    for target in targets:
        if target.suffix.lower() not in SUFFIXES:
            received = repr(target.suffix) if target.suffix else "no suffix"
            raise ExportError(f"{target.name}: cannot export to {received}; use {', '.join(SUFFIXES)}")
        if target.is_dir():
            raise ExportError(f"{target}: is a folder; name a file in it")
        if not target.parent.is_dir():
            raise ExportError(f"{target}: there is no folder {target.parent}; make it, or name another")
        if not os.access(target.resolve().parent, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
            raise ExportError(f"{target}: may not be written; choose another folder or change its permissions")
    for suffix in SUFFIXES:
        same = [target for target in targets if target.suffix.lower() == suffix]
        if len(same) > 1:
            raise ExportError(f"{' and '.join(target.name for target in same)}: export one {suffix} file at a time")


def _network(architecture: Architecture, weights: Mapping[str, Tensor] | None, seed: int) -> Network:
    try:
        network = build_module(architecture, seed=seed).eval()
    except NotRunnable as error:
        raise ExportError(f"the network has faults; mend them first: {error}") from error
    if weights is not None:
        try:
            network.load_state_dict(dict(weights), strict=True)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ExportError(f"the weights are another network's: {reason[:400]}") from error
    return network


def _write(path: Path, network: Network, expects: str | None = None) -> None:
    match path.suffix.lower():
        case ".py":
            path.write_text(to_source(network.architecture, expects=expects), encoding="utf-8", newline="\n")
        case ".safetensors":
            write_weights(path, network.state_dict(), network.architecture.name)
        case _:
            write_onnx(path, network)


def _artefacts(folder: Path, staged: Mapping[Path, Path], network: Network) -> list[Artefact]:
    """What to check: source and weights together, the missing one made for the check; ONNX on its own."""
    by_suffix = {path.suffix.lower(): path for path in staged.values()}
    artefacts = []
    pair = (".py", ".safetensors")
    if any(suffix in by_suffix for suffix in pair):
        for suffix in pair:
            if suffix not in by_suffix:
                by_suffix[suffix] = folder / f"counterpart{suffix}"
                _write(by_suffix[suffix], network)
        artefacts.append(
            Artefact(
                kind="source",
                model=by_suffix[".py"],
                weights=by_suffix[".safetensors"],
                class_name=network_class_name(network.architecture),
                files=tuple(path.name for path in staged.values() if path.suffix.lower() in pair),
            )
        )
    if model := by_suffix.get(".onnx"):
        artefacts.append(Artefact(kind="onnx", model=model, weights=None, class_name="", files=(model.name,)))
    return artefacts


def _verified(
    network: Network,
    artefacts: Sequence[Artefact],
    images: Tensor,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> tuple[Check, ...]:
    images = images.detach().cpu().to(torch.float32).contiguous()
    expected = outputs_of(network, images)
    checks = []
    for number, artefact in enumerate(artefacts):
        _stop_if(cancelled)
        progress(f"Checking {' + '.join(artefact.files)} in a fresh process", 0.5 + number / (2 * len(artefacts)))
        checks.append(
            verify(artefact, images.numpy(), expected, num_threads=torch.get_num_threads(), cancelled=cancelled)
        )
    return tuple(checks)


def outputs_of(network: Network, images: Tensor) -> list[FloatArray]:
    """The network's outputs in evaluation mode, for `verify` to compare with."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            outputs = network(images)
    finally:
        network.train(was_training)
    return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]


def _publish(staged: Mapping[Path, Path]) -> None:
    """Put all files in place: first copies beside the targets, where a full disk shows, then the replacements."""
    copies: dict[Path, Path] = {}
    try:
        for target, path in staged.items():
            # Through a link to the file it stands for, which lies where the copy must.
            place = target.resolve()
            copy = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
            copies[place] = copy
            try:
                with copy.open("xb") as file:
                    file.write(path.read_bytes())
                    file.flush()
                    os.fsync(file.fileno())
                if place.exists():
                    copy.chmod(stat.S_IMODE(place.stat().st_mode))
            except OSError as error:
                # The user named the target, not the copy beside it.
                raise OSError(error.errno, error.strerror, str(target)) from error
        for place, copy in copies.items():
            copy.replace(place)
    finally:
        for copy in copies.values():
            with contextlib.suppress(OSError):
                copy.unlink(missing_ok=True)


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise ExportCancelled("the export was cancelled; nothing was written")
