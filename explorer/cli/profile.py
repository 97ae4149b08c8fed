"""`arch-explorer profile`: one training step taken apart, measured beside what is predicted, in a table or as JSON."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from explorer.architecture import Architecture
from explorer.cli.interrupt import on_interrupt
from explorer.cli.parser import PROGRAM, Parser, UserMistake
from explorer.cli.progress import Progress
from explorer.cli.run_result import INTERRUPTED_EXIT
from explorer.cli.table import binary_size, table
from explorer.cli.target import check_runnable, load_network
from explorer.inference import Inference, infer
from explorer.inference.memory import memory
from explorer.inference.schedule import Precision
from explorer.runs import RunConfig, config_field
from explorer.runs.profile import NodeProfile, StepProfile, forward_flops_per_second

_OPTIONS = ("batch_size", "device", "precision", "optimizer", "data")


class _Line(NamedTuple):
    """A node with what is predicted and what was measured."""

    node_id: str
    layer: str
    macs: int | None
    """Of the batch."""
    predicted_kept_bytes: int | None
    node: NodeProfile
    rate: float | None
    """Operations a second, forward."""


_SORTS: dict[str, Callable[[_Line], float]] = {
    "forward": lambda line: line.node.forward_s,
    "backward": lambda line: line.node.backward_s,
    "step": lambda line: line.node.step_s,
    "kept": lambda line: line.node.kept_bytes,
    "macs": lambda line: line.macs or 0,
    "rate": lambda line: line.rate or 0.0,
}


def run(arguments: Sequence[str]) -> int:
    """Measure one training step of a network, node by node."""
    parser = Parser(prog=f"{PROGRAM} profile", description="Time and memory of each layer in one training step.")
    parser.add_argument("network", metavar="NAME | FILE", help="network of the catalogue, or a project file")
    for name in _OPTIONS:
        field = config_field(name)
        shown = "|".join(field.choices) or {"int": "N"}.get(field.kind, "TEXT")
        parser.add_argument(
            field.option, dest=name, metavar=shown, help=f"as for train ({field.written(field.default)})"
        )
    parser.add_argument("--repetitions", metavar="N", help="how often each time is taken (as many as fit in seconds)")
    sorts = "|".join(("network", *_SORTS))
    parser.add_argument("--sort", metavar=sorts, default="network", help="order of the rows, the most first (network)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args(arguments)
    if options.sort not in {"network", *_SORTS}:
        raise UserMistake(f"--sort: received {options.sort!r}; use {sorts.replace('|', ', ')}")
    config = _config({name: given for name in _OPTIONS if (given := getattr(options, name)) is not None})
    repetitions = _repetitions(options.repetitions)
    architecture = load_network(options.network)
    check_runnable(architecture)
    profile = _profile(architecture, config, repetitions)
    if profile is None:
        return INTERRUPTED_EXIT
    inference = infer(architecture)
    lines = _lines(architecture, inference, profile)
    if options.sort != "network":
        lines.sort(key=_SORTS[options.sort], reverse=True)
    if options.json:
        print(json.dumps(_to_plain(profile, lines), ensure_ascii=False))
    else:
        print(_text(profile, lines))
    return 0


def _config(given: dict[str, str]) -> RunConfig:
    values: dict[str, Any] = {}
    for name, text in given.items():
        field = config_field(name)
        try:
            values[name] = field.parse(text)
        except ValueError as error:
            raise UserMistake(f"{field.option}: {str(error).removeprefix(f'{name}:').strip()}") from error
    return RunConfig.from_plain({**RunConfig().to_plain(), **values})


def _repetitions(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise UserMistake(f"--repetitions: received {text!r}; use a whole number from 1 to 1000")
    return int(text)


def _profile(architecture: Architecture, config: RunConfig, repetitions: int | None) -> StepProfile | None:
    """None if Ctrl+C ended it."""
    from explorer.runtime import threads

    threads.prepare()
    from explorer.training.profile import profile_step
    from explorer.training.rehearsal import RehearsalCancelled

    threads.choose_threads()
    is_over: list[bool] = []
    progress = Progress(sys.stderr)
    try:
        with on_interrupt(lambda: is_over.append(True)):
            return profile_step(
                architecture,
                config,
                repetitions=repetitions,
                progress=progress.read,
                is_cancelled=lambda: bool(is_over),
            )
    except RehearsalCancelled:
        return None
    except (ValueError, FileNotFoundError) as error:
        raise UserMistake(str(error)) from error
    finally:
        progress.close()


def _lines(architecture: Architecture, inference: Inference, profile: StepProfile) -> list[_Line]:
    precision: Precision = "float32" if profile.precision in ("float32", "tf32") else "mixed"
    kept = memory(architecture, inference, batch_size=profile.batch_size, precision=precision).nodes
    lines = []
    for node_id, node in profile.nodes.items():
        macs = inference.nodes[node_id].macs
        lines.append(
            _Line(
                node_id,
                architecture[node_id].layer.type_name,
                None if macs is None else macs * profile.batch_size,
                kept.get(node_id),
                node,
                forward_flops_per_second(node, macs, profile.batch_size),
            )
        )
    return lines


def _to_plain(profile: StepProfile, lines: Sequence[_Line]) -> dict[str, Any]:
    """The profile as JSON data; seconds and bytes are for the whole batch."""
    return {
        **profile.to_plain(),
        "forward_s": profile.forward_s,
        "backward_s": profile.backward_s,
        "measured_s": profile.measured_s,
        "coverage": profile.coverage,
        "nodes": [
            {
                "id": line.node_id,
                "layer": line.layer,
                "forward_s": line.node.forward_s,
                "backward_s": line.node.backward_s,
                "kept_bytes": line.node.kept_bytes,
                "peak_bytes": line.node.peak_bytes,
                "macs": line.macs,
                "predicted_kept_bytes": line.predicted_kept_bytes,
                "forward_flops_per_second": line.rate,
            }
            for line in lines
        ],
    }


def _text(profile: StepProfile, lines: Sequence[_Line]) -> str:
    header = ("id", "layer", "forward ms", "backward ms", "share", "kept", "predicted", "MMACs", "GFLOP/s")
    whole = profile.measured_s
    rows = [
        (
            line.node_id,
            line.layer,
            _ms(line.node.forward_s),
            _ms(line.node.backward_s),
            f"{100 * line.node.step_s / whole:.1f} %",
            binary_size(line.node.kept_bytes),
            "–" if line.predicted_kept_bytes is None else binary_size(line.predicted_kept_bytes),
            f"{line.macs / 1e6:,.1f}" if line.macs else "–",
            f"{line.rate / 1e9:,.1f}" if line.rate else "–",
        )
        for line in lines
    ]
    images = "1 image" if profile.batch_size == 1 else f"{profile.batch_size:,} images"
    place = f"{profile.device_text} in {profile.precision}"
    peak = [] if profile.peak_bytes is None else [f"peak         {binary_size(profile.peak_bytes)} allocated"]
    return "\n".join(
        [
            table(header, rows, (False, False, *[True] * (len(header) - 2))),
            "",
            f"one step     {_ms(profile.step_s)} ms for {images} on {place}, {profile.optimizer}; "
            f"median of {profile.repetitions}",
            f"parts        forward {_ms(profile.forward_s)}, backward {_ms(profile.backward_s)}, loss "
            f"{_ms(profile.loss_s)}, update {_ms(profile.optimizer_s)} ms: "
            f"together {100 * profile.coverage:.0f} % of it",
            f"data         {_ms(profile.data_s)} ms a batch besides ({profile.data})",
            f"kept         {binary_size(profile.kept_bytes)} between forward and backward",
            *peak,
            *(f"             {note}" for note in profile.notes),
            f"versions     {', '.join(f'{name} {version}' for name, version in profile.versions.items())}",
        ]
    )


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:,.3f}"
