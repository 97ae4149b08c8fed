"""What was checked of an export, and the check: the files are run in a fresh process and compared with the original.

The process has neither this program on its path nor anything of this one's memory. Loads no torch here; the original's
outputs are given.
"""

import json
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from explorer.export.errors import ExportCancelled
from explorer.export.naming import one_line

FloatArray = npt.NDArray[np.float32]

SOURCE_TOLERANCE = 1e-6
"""The same operations in the same order on the same machine: equal bits are expected."""
ONNX_TOLERANCE = 1e-4
"""Another engine, which may add in another order."""
INPUT_NAME = "images"
"""The name of an ONNX file's input."""
TIME_LIMIT_S = 600.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """Files that make one model."""

    kind: Literal["source", "onnx"]
    model: Path
    """The `.py` or the `.onnx`."""
    weights: Path | None
    """The `.safetensors` that the source loads; None for ONNX."""
    class_name: str
    """The network's class in the source; empty for ONNX."""
    files: tuple[str, ...]
    """Names of the exported files among these; the others were made for the check alone."""

    @property
    def tolerance(self) -> float:
        """Largest difference that passes, for outputs up to 1; in proportion for larger ones."""
        return SOURCE_TOLERANCE if self.kind == "source" else ONNX_TOLERANCE

    @property
    def what(self) -> str:
        """What is done with it, in words."""
        if self.kind == "onnx":
            return "run by onnxruntime"
        return "run by torch, weights loaded with strict=True"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One artefact, checked."""

    files: tuple[str, ...]
    what: str
    num_images: int
    max_abs_difference: float | None
    """Largest difference of any output value from the original's; None if there is nothing to compare."""
    tolerance: float
    passed: bool
    message: str
    """Why it did not pass; empty if it did."""
    seconds: float
    versions: Mapping[str, str]
    """Of what ran it, by package."""

    @property
    def text(self) -> str:
        """The check in one line."""
        files = " + ".join(self.files)
        if self.max_abs_difference is None:
            return f"{files}: FAILED: {self.message}"
        compared = f"{self.num_images} images, largest difference {self.max_abs_difference:.3g}"
        ran = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        verdict = "passed" if self.passed else f"FAILED: {self.message}"
        return f"{files}: {verdict}; {self.what} in a fresh process, {compared} ({self.seconds:.1f} s; {ran})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What is known of an export."""

    architecture_name: str
    files: tuple[str, ...]
    """Every exported file, by name."""
    trained: bool
    """Whether the weights come from a run; otherwise they are the seeded initial ones."""
    checks: tuple[Check, ...]
    """Empty if no check was asked for."""
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every file was checked and is right."""
        checked = {name for check in self.checks if check.passed for name in check.files}
        return checked >= set(self.files) and all(check.passed for check in self.checks)

    @property
    def text(self) -> str:
        """The certificate for people."""
        lines = [f"{one_line(self.architecture_name)}: {', '.join(self.files)}"]
        lines += [check.text for check in self.checks] or ["not checked"]
        return "\n".join([*lines, *self.notes])

    def to_plain(self) -> dict[str, Any]:
        """The certificate as plain JSON data."""
        return {
            "architecture": self.architecture_name,
            "files": list(self.files),
            "trained": self.trained,
            "passed": self.passed if self.checks else None,
            "checks": [
                {
                    "files": list(check.files),
                    "what": check.what,
                    "num_images": check.num_images,
                    "max_abs_difference": check.max_abs_difference,
                    "tolerance": check.tolerance,
                    "passed": check.passed,
                    "message": check.message,
                    "seconds": round(check.seconds, 3),
                    "versions": dict(check.versions),
                }
                for check in self.checks
            ],
            "notes": list(self.notes),
        }


def verify(
    artefact: Artefact,
    images: FloatArray,
    expected: Sequence[FloatArray],
    *,
    num_threads: int,
    cancelled: Callable[[], bool] = lambda: False,
    time_limit_s: float = TIME_LIMIT_S,
) -> Check:
    """Run an artefact in a fresh process and compare. A model that fails is a Check that says so.

    Args:
        images: `(N, C, H, W)` as the network takes them.
        expected: the original's outputs for them, in order.
        num_threads: torch's thread count that these were computed with; the order of sums depends on it.
        cancelled: asked every 50 ms or so, from this thread.

    Raises:
        ExportCancelled: `cancelled` said so; the process is gone.
        OSError: the images cannot be handed over, or no process started.
    """
    start = time.perf_counter()
    # Compared as absolute values, so the tolerance grows with them where they are large.
    scale = max((float(np.abs(output[np.isfinite(output)]).max(initial=1.0)) for output in expected), default=1.0)
    tolerance = artefact.tolerance * scale
    difference: float | None = None
    versions: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="arch-explorer-check-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        job = {
            "kind": artefact.kind,
            "model": str(artefact.model.absolute()),
            "weights": str(artefact.weights.absolute()) if artefact.weights is not None else None,
            "class_name": artefact.class_name,
            "input": INPUT_NAME,
            "num_threads": num_threads,
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        np.savez(folder / "images.npz", images=images)
        message = _run(folder, cancelled, time_limit_s)
        if not message:
            versions = json.loads((folder / "versions.json").read_text(encoding="utf-8"))
            with np.load(folder / "outputs.npz", allow_pickle=False) as file:
                outputs = [file[f"output{number}"] for number in range(len(file.files))]
            difference, message = _compared(outputs, expected, tolerance)
    return Check(
        files=artefact.files,
        what=artefact.what,
        num_images=len(images),
        max_abs_difference=difference,
        tolerance=tolerance,
        passed=not message,
        message=message,
        seconds=time.perf_counter() - start,
        versions=versions,
    )


def _run(folder: Path, cancelled: Callable[[], bool], time_limit_s: float) -> str:
    """Run the script on the folder; what went wrong, or nothing."""
    script = Path(__file__).with_name("check_script.py")
    errors = folder / "stderr.txt"
    deadline = time.monotonic() + time_limit_s
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *_isolation(), str(script), str(folder)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        try:
            while True:
                try:
                    code = process.wait(_POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    if cancelled():
                        raise ExportCancelled("the check was cancelled") from None
                    if time.monotonic() > deadline:
                        return f"still running after {time_limit_s:.0f} s"
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code == 0:
        return ""
    if cancelled():
        # Ctrl+C in a terminal ends the script before it is noticed here.
        raise ExportCancelled("the check was cancelled")
    lines = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return _reason(lines) if lines else f"the process ended with code {code}"


def _isolation() -> list[str]:
    """Python's options against this folder, PYTHONPATH and the user's own packages, unless torch is one of these."""
    in_user_site = site.ENABLE_USER_SITE and Path(np.__file__).is_relative_to(site.getusersitepackages())
    return ["-E", "-P"] if in_user_site else ["-I"]


def _reason(lines: Sequence[str]) -> str:
    """What a traceback comes to: its error, which may go on over indented lines."""
    start = len(lines) - 1
    while start and lines[start].startswith((" ", "\t")):
        start -= 1
    return " ".join(" ".join(lines[start:]).split())[:500]


def _compared(
    outputs: Sequence[FloatArray], expected: Sequence[FloatArray], tolerance: float
) -> tuple[float | None, str]:
    """The largest difference, and what is wrong, if anything is."""
    shapes, wanted = [output.shape for output in outputs], [output.shape for output in expected]
    if shapes != wanted:
        return None, f"outputs of shape {shapes} where the original has {wanted}"
    largest = 0.0
    for output, original in zip(outputs, expected, strict=True):
        same = (output == original) | (np.isnan(output) & np.isnan(original))
        with np.errstate(invalid="ignore", over="ignore"):
            differences = np.where(same, 0.0, np.abs(output.astype(np.float64) - original))
        # A NaN on one side only is no difference that a number could say.
        differences = np.nan_to_num(differences, nan=np.inf)
        largest = max(largest, float(differences.max(initial=0.0)))
    if largest > tolerance:
        return largest, f"outputs differ by up to {largest:.3g}; {tolerance:.0e} is allowed"
    return largest, ""
