"""`arch-explorer summary`: everything that follows from a network, without torch; its memory is written by `memory`.

Only `--format torchinfo`, which prints another tool's text, loads torch.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from explorer.architecture import Architecture, edits
from explorer.cli.memory import Estimate, add_memory_options, estimate_memory, memory_lines, memory_to_plain
from explorer.cli.parser import PROGRAM, Parser, UserMistake
from explorer.cli.table import binary_size, table
from explorer.cli.target import load_network
from explorer.export.naming import one_line
from explorer.inference import Inference, NodeReport, infer
from explorer.layers import Ratio, format_shape
from explorer.runtime import threads

_LARGEST_BATCH = 65_536
_BYTES_PER_PARAMETER = 4  # float32


def run(arguments: Sequence[str]) -> int:
    """Print the summary of a network; one with faults is summed up as far as it is known."""
    parser = Parser(prog=f"{PROGRAM} summary", description="Shapes, parameters, costs and receptive fields.")
    parser.add_argument("network", metavar="NAME | FILE", help="network of the catalogue, or a project file")
    parser.add_argument("--input", metavar="CxHxW", help="size of an image instead of the network's: 3x224x224")
    parser.add_argument("--batch-size", metavar="N", default="1", help="images whose bytes are counted (1)")
    add_memory_options(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    form.add_argument("--format", choices=("table", "torchinfo"), default="table", help="or torchinfo's own text")
    options = parser.parse_args(arguments)
    architecture = load_network(options.network)
    if options.input is not None:
        architecture = _with_input(architecture, options.input)
    batch_size = _batch_size(options.batch_size)
    if options.format == "torchinfo":
        print(_torchinfo(architecture, batch_size))
        return 0
    inference = infer(architecture)
    estimate = estimate_memory(architecture, inference, batch_size, options)
    if options.json:
        print(json.dumps(_to_plain(architecture, inference, estimate), ensure_ascii=False))
    else:
        print(_text(architecture, inference, estimate))
    return 0


def _with_input(architecture: Architecture, text: str) -> Architecture:
    sizes = re.fullmatch(r"([0-9]{1,9})[x×]([0-9]{1,9})[x×]([0-9]{1,9})", text.strip().lower())
    if sizes is None:
        raise UserMistake(f"--input: received {text!r}; use channels x height x width, such as 3x224x224")
    channels, height, width = (int(size) for size in sizes.groups())
    try:
        return edits.set_input_shape(architecture, channels, height, width)
    except ValueError as error:
        raise UserMistake(f"--input: {error}") from error


def _torchinfo(architecture: Architecture, batch_size: int) -> str:
    threads.prepare()
    from explorer.runtime.torchinfo_text import torchinfo_text

    try:
        return torchinfo_text(architecture, batch_size)
    except ValueError as error:
        raise UserMistake(f"torchinfo cannot run {architecture.name}: {error}") from error


def _batch_size(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= _LARGEST_BATCH:
        raise UserMistake(f"--batch-size: received {text!r}; use a whole number from 1 to {_LARGEST_BATCH}")
    return int(text)


def _to_plain(architecture: Architecture, inference: Inference, estimate: Estimate) -> dict[str, Any]:
    totals, batch_size = inference.totals, estimate.batch_size
    nodes = []
    for node in architecture.nodes:
        report = inference.nodes[node.id]
        field = report.receptive_field
        nodes.append(
            {
                "id": node.id,
                "layer": node.layer.type_name,
                "inputs": list(node.inputs),
                "output_shape": None if report.output_shape is None else list(report.output_shape),
                "num_parameters": report.num_parameters,
                "num_buffers": report.num_buffers,
                "macs": report.macs,
                "output_bytes": None if report.output_bytes is None else report.output_bytes * batch_size,
                "receptive_field": _pair(None if field is None else field.size),
                "issue": _issue(report),
                "num_trainable": report.num_trainable,
                "flops": report.flops,
                "output_stride": _pair(None if field is None else field.stride),
                "center": _pair(None if field is None else field.center),
                "kept_bytes": None if report.output_shape is None else estimate.memory.nodes[node.id],
            }
        )
    return {
        "name": architecture.name,
        "input": list(architecture.input_shape),
        "nodes": nodes,
        "totals": {
            "num_parameters": totals.num_parameters,
            "num_buffers": totals.num_buffers,
            "macs": totals.macs,
            "output_bytes": totals.output_bytes * batch_size,
            "num_trainable": totals.num_trainable,
            "flops": totals.flops,
            "complete": totals.complete,
        },
        "memory": memory_to_plain(estimate),
    }


def _pair(sizes: tuple[Ratio, Ratio] | None) -> list[int | float] | None:
    return None if sizes is None else [size if isinstance(size, int) else float(size) for size in sizes]


def _issue(report: NodeReport) -> str | None:
    """The node's error, or else its first warning."""
    issues = sorted(report.issues, key=lambda issue: issue.severity != "error")
    return issues[0].message if issues else None


def _text(architecture: Architecture, inference: Inference, estimate: Estimate) -> str:
    totals, batch_size = inference.totals, estimate.batch_size
    rows = []
    for node in architecture.nodes:
        report = inference.nodes[node.id]
        field, kept = report.receptive_field, estimate.memory.nodes[node.id]
        rows.append(
            [
                node.id,
                node.layer.type_name,
                "?" if report.output_shape is None else format_shape(report.output_shape),
                _count(report.num_parameters),
                _count(report.macs),
                "?" if field is None else _square(field.size),
                "?" if field is None else _square(field.stride),
                "?" if report.output_shape is None else binary_size(kept) if kept else "–",
            ]
        )
    header = ("id", "layer", "output", "parameters", "MACs", "receptive field", "stride", "kept")
    images = "1 image" if batch_size == 1 else f"{batch_size:,} images"
    up_to = "" if totals.complete else " (up to the first fault)"
    frozen = f", {totals.num_trainable:,} of them trained" if totals.num_frozen else ""
    lines = [
        f"{one_line(architecture.name)}, input {format_shape(architecture.input_shape)}",
        "",
        table(header, rows, (False, False, True, True, True, True, True, True)),
        "",
        f"parameters   {totals.num_parameters:,}"
        f" ({binary_size(totals.num_parameters * _BYTES_PER_PARAMETER)} in float32){frozen}{up_to}",
        *([f"buffers      {totals.num_buffers:,}"] if totals.num_buffers else []),
        f"MACs         {totals.macs:,} an image, {totals.flops:,} FLOPs",
        f"outputs      {binary_size(totals.output_bytes * batch_size)} in float32 for {images}",
        *memory_lines(estimate),
    ]
    if inference.issues:
        lines += ["", *(f"{issue.severity}: {issue.text}" for issue in inference.issues)]
    return "\n".join(lines)


def _square(sizes: tuple[Ratio, Ratio]) -> str:
    """Both sizes, behind upsampling to two decimals."""
    return "×".join(str(size) if isinstance(size, int) else f"{float(size):.2f}".rstrip("0") for size in sizes)


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}" if number else "–"
