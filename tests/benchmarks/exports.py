"""Every network of the catalogue exported, and its files run in fresh processes: source with weights, and ONNX.

The peer is the network itself: the standalone source with its safetensors must give the same bits, onnxruntime the
same values to 1e-4 (in proportion where outputs exceed 1). Beside it stands how far torch's own float32 lies from its
float64, since no other engine can be expected to come nearer. The weights are random, but such that the outputs depend
on every layer: a freshly initialised network tends to answer every image alike, and agrees with anything.

    python -m tests.benchmarks.exports [ID ...]

All networks take about a quarter of an hour on two cores. Ends with 1 if a network failed.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch

from explorer import zoo
from explorer.architecture import Architecture
from explorer.export import ExportError
from explorer.export.certificate import Check
from explorer.export.export import export_model, outputs_of
from explorer.inference import infer
from explorer.runtime.modules import build_module
from tests.export.lively import lively

_SUFFIXES = (".py", ".safetensors", ".onnx")
_BATCH = 4
_COSTLY_MACS = 2 * 10**9
"""Networks above it are compared on one image."""
_SEED = 7


class Result(NamedTuple):
    """What came of one network's export."""

    num_images: int
    largest_output: float
    spread: float
    """Largest standard deviation of an output over the images or, of one image, over its values."""
    rounding: float
    """Largest difference of torch's own outputs from those that it computes in float64."""
    source: Check
    onnx: Check
    seconds: float
    """All of it: building, writing and both checks."""

    @property
    def failure(self) -> str:
        """What is wrong; empty if nothing is."""
        if not self.spread > 0:
            return "all outputs are equal, so the comparison says nothing"
        if self.source.max_abs_difference != 0:
            return f"source: {self.source.message or 'not the same bits'}"
        return "" if self.onnx.passed else f"onnx: {self.onnx.message}"


def main() -> int:
    """Export, print a line a network, and count what failed."""
    parser = argparse.ArgumentParser(description="Export the catalogue's networks and compare what the files answer.")
    known = [entry.id for entry in zoo.entries()]
    parser.add_argument("ids", nargs="*", metavar="ID", help="networks of the catalogue; all without any")
    ids = parser.parse_args().ids or known
    if unknown := sorted(set(ids) - set(known)):
        parser.error(f"no such network: {', '.join(unknown)}")
    torch.set_num_threads(2)
    print(
        f"{'network':24}{'images':>7}{'largest output':>16}{'source differs':>16}{'ONNX differs':>14}{'allowed':>10}"
        f"{'rounding':>10}"
        f"{'source':>10}{'ONNX':>9}{'in all':>10}"
    )
    failures = {}
    worst = 0.0
    for network_id in ids:
        try:
            result = exported(zoo.entry(network_id).build())
        except ExportError as error:
            failures[network_id] = str(error)
            print(f"{network_id:24} FAILED: {error}", flush=True)
            continue
        source, onnx = result.source, result.onnx
        print(
            f"{network_id:24}{result.num_images:7}{result.largest_output:16.3g}{_number(source):>16}{_number(onnx):>14}"
            f"{onnx.tolerance:10.1e}{result.rounding:10.1e}"
            f"{source.seconds:8.1f} s{onnx.seconds:7.1f} s{result.seconds:8.1f} s",
            flush=True,
        )
        worst = max(worst, (onnx.max_abs_difference or 0.0) / onnx.tolerance)
        if result.failure:
            failures[network_id] = result.failure
            print(f"{network_id:24} FAILED: {result.failure}", flush=True)
    print(f"{len(ids) - len(failures)} of {len(ids)} passed; ONNX came to {worst:.1%} of what is allowed at most")
    return 1 if failures else 0


def exported(architecture: Architecture) -> Result:
    """Export a network with lively weights to every form, checked.

    Raises:
        ExportError: a form cannot be written.
    """
    start = time.perf_counter()
    macs = infer(architecture).totals.macs or 0
    num_images = 1 if macs > _COSTLY_MACS else _BATCH
    generator = torch.Generator().manual_seed(_SEED)
    images = torch.randn(num_images, *architecture.input_shape, generator=generator)
    network = lively(build_module(architecture, seed=_SEED), generator)
    outputs = outputs_of(network, images)
    with tempfile.TemporaryDirectory(prefix="arch-explorer-exports-") as folder:
        targets = [Path(folder) / f"model{suffix}" for suffix in _SUFFIXES]
        certificate = export_model(architecture, network.state_dict(), targets, images=images, check=True)
    source, onnx = certificate.checks
    exact = outputs_of(network.double(), images.double())
    rounding = max(float(abs(output - other).max()) for output, other in zip(outputs, exact, strict=True))
    return Result(
        num_images,
        max(float(abs(output).max()) for output in outputs),
        max(float(output.std(axis=0 if num_images > 1 else None).max()) for output in outputs),
        rounding,
        source,
        onnx,
        time.perf_counter() - start,
    )


def _number(check: Check) -> str:
    return "failed" if check.max_abs_difference is None else f"{check.max_abs_difference:.2g}"


if __name__ == "__main__":
    sys.exit(main())
