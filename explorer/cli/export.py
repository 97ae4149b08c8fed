"""`arch-explorer export`: a network, or a run with its weights, to files that run elsewhere, and to figures."""

import dataclasses
import json
import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.architecture import Architecture, ArchitectureFileError
from explorer.architecture.files import load
from explorer.cli import figures
from explorer.cli.interrupt import on_interrupt
from explorer.cli.parser import PROGRAM, Parser, UserMistake
from explorer.cli.target import check_runnable, load_network
from explorer.cli.weights import add_option, given_weights
from explorer.export import ExportCancelled, ExportError
from explorer.runs import RunConfig

if TYPE_CHECKING:
    from torch import Tensor

_RUN_ID = re.compile(r"[0-9]{8}-[0-9]{0,6}(-[0-9a-f]{0,4})?")
_NUM_IMAGES = 16
_INTERRUPTED_EXIT = 130


def run(arguments: Sequence[str]) -> int:
    """Export and print the certificate; 1 if the check did not pass."""
    parser = Parser(
        prog=f"{PROGRAM} export", description="Write a network as files that run elsewhere, or as a figure."
    )
    parser.add_argument(
        "source", metavar="NAME | FILE | RUN", help="network of the catalogue, project file, or run with its weights"
    )
    parser.add_argument(
        "--to",
        metavar="PATH",
        action="append",
        required=True,
        type=Path,
        help="file to write, by its suffix: .py, .safetensors or .onnx, or a figure: .svg, .pdf or .png; may be given "
        "several times",
    )
    parser.add_argument(
        "--check", action="store_true", help="run the files in fresh processes and compare them with the network"
    )
    add_option(parser)
    figures.add_options(parser)
    parser.add_argument("--json", action="store_true", help="print the certificate as one JSON object")
    options = parser.parse_args(arguments)
    architecture, weights_path, config = _source(options.source)
    drawn = [path for path in options.to if figures.is_figure(path)]
    if drawn:
        figures.write(architecture, drawn, options)
        options.to = [path for path in options.to if path not in drawn]
        if not options.to:
            return 0
    check_runnable(architecture)
    from explorer.runtime import threads

    threads.prepare()
    from explorer.export.export import export_model
    from explorer.runtime.weights import load_weights
    from explorer.training.data import data_at_hand, load_data, network_inputs
    from explorer.training.normalization import expected_normalization, fitting_normalization

    shape = architecture.input_shape
    stopped = threading.Event()
    try:
        data, elsewhere = data_at_hand(config.data)
        config = dataclasses.replace(config, data=data)
        weights = load_weights(weights_path) if weights_path is not None else None
        normalization = expected_normalization(config, shape, weights_path)
        if weights is None or options.weights is not None:
            given = given_weights(options.weights, options.source, architecture)
            weights = None if given is None else _whole(architecture, given.tensors)
            known = None if given is None else fitting_normalization(given.facts.normalization, config, shape)
            normalization = known or expected_normalization(config, shape, None)
        images, note = network_inputs(load_data(config.data, shape), shape, _NUM_IMAGES, normalization)
        with on_interrupt(stopped.set):
            certificate = export_model(
                architecture,
                weights,
                options.to,
                images=images if options.check else None,
                check=options.check,
                progress=_say,
                cancelled=stopped.is_set,
                normalization=normalization,
            )
    except ExportCancelled as cancelled:
        print(f"{PROGRAM}: {cancelled}", file=sys.stderr)
        return _INTERRUPTED_EXIT
    except (ExportError, ValueError) as error:
        raise UserMistake(str(error)) from error
    if options.check:
        notes = [text for text in (elsewhere, note) if text is not None]
        certificate = dataclasses.replace(certificate, notes=(*certificate.notes, *notes))
    print(json.dumps(certificate.to_plain(), ensure_ascii=False) if options.json else certificate.text)
    if options.check and not certificate.passed:
        print(f"{PROGRAM}: the check did not pass; no file was written", file=sys.stderr)
        return 1
    return 0


def _say(text: str, share: float) -> None:  # noqa: ARG001 - a line for each step says enough here
    print(text, file=sys.stderr)


def _whole(architecture: Architecture, tensors: "dict[str, Tensor]") -> "dict[str, Tensor]":
    """The network's weights: these, and initial ones for the layers that have none of them."""
    from explorer.export.export import INITIAL_SEED
    from explorer.runtime.modules import build_module
    from explorer.runtime.weights import carry_weights

    network = build_module(architecture, seed=INITIAL_SEED)
    carry_weights(tensors, network)
    return network.state_dict()


def _source(text: str) -> tuple[Architecture, Path | None, RunConfig]:
    """The network, the file of its weights if it was trained, and the configuration with the data to check it on."""
    if not _RUN_ID.fullmatch(text) or Path(text).exists():
        return load_network(text), None, RunConfig()
    from explorer.runs import RunStore, RunStoreError, default_root

    try:
        with RunStore(default_root()) as store:
            record = store.find(text)
        return load(record.architecture_path).architecture, record.weights_path, record.config
    except (RunStoreError, ArchitectureFileError) as error:
        raise UserMistake(str(error)) from error
