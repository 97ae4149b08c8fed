"""The option --weights: trained weights, compared with the network and then applied.

They come from a file, from torchvision, or from the project itself, which may have some beside it.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from explorer.architecture import Architecture, ArchitectureFileError, files
from explorer.cli.parser import Parser, UserMistake
from explorer.cli.target import is_project
from explorer.runs import ProjectWeightsError, WeightsFacts, read_facts
from explorer.runs.project_weights import check_weights, find_weights, saved_weights
from explorer.zoo import entry

if TYPE_CHECKING:
    from torch import Tensor

    from explorer.runtime.pretrained import Details

_TORCHVISION = "torchvision"
_NONE = "none"


class GivenWeights(NamedTuple):
    """Weights to start from, as far as they fit."""

    tensors: "dict[str, Tensor]"
    """By the network's own names."""
    facts: WeightsFacts
    stem: str
    """Name of the file that they come from, without its suffix."""


def add_option(parser: Parser) -> None:
    """Let a command take --weights."""
    parser.add_argument(
        "--weights",
        metavar=f"FILE | {_TORCHVISION} | {_NONE}",
        help="start from the weights in a .safetensors, .pth, .pt or .th file, which is never executed, or from "
        "torchvision's for a network of the catalogue; what fits is taken, and the rest is named. A project that was "
        "saved with weights starts from these; none starts it from fresh ones",
    )


def given_weights(option: str | None, network: str, architecture: Architecture) -> GivenWeights | None:
    """What fits of the weights asked for, or of those that the project has; the rest is said on standard error.

    Args:
        option: what --weights received; None takes the project's own, where there are some.
        network: what was given as the network; torchvision's weights go by its name in the catalogue.
        architecture: the network.

    Returns:
        None to start from fresh weights.

    Raises:
        UserMistake: no such weights, or nothing of them fits.
    """
    if option == _NONE:
        return None
    path = _of_project(network) if option is None else None
    if option is None and path is None:
        return None
    from explorer.runtime.weights_files import read_state_dict
    from explorer.runtime.weights_matching import apply, compare

    try:
        known = None
        if option == _TORCHVISION:
            path, known = _from_torchvision(network)
        elif option is not None:
            path = Path(option)
        assert path is not None
        state = read_state_dict(path)
        report = compare(architecture, state)
        if known is not None:
            from explorer.runtime.pretrained import with_notes

            report = with_notes(report, known)
    except (ValueError, ImportError) as error:
        raise UserMistake(str(error)) from error
    if not report.taken:
        raise UserMistake(f"{path.name}: {report.summary}")
    facts = read_facts(path) if known is None else known.facts
    lines = [report.summary, *report.notes]
    if facts.normalization is not None:
        lines.append(f"They were trained on images normalised with {facts.normalization.text}.")
    lines += [f"{node.node_id}: {node.text}" for node in report.nodes if node.outcome != "taken"]
    lines += [f"{tensor.name}: {tensor.text}" for tensor in report.unused]
    print("\n".join((f"{path.name}: {lines[0]}", *(f"  {line}" for line in lines[1:]))), file=sys.stderr)
    return GivenWeights(apply(state, report), facts, path.stem)


def _of_project(network: str) -> Path | None:
    """The weights beside a project, if it was saved with some; says so."""
    if not is_project(network):
        return None
    project = Path(network)
    try:
        saved = saved_weights(files.load(project).sections)
        if saved is None:
            return None
        path = find_weights(project, saved)
        check_weights(path, saved)
    except ArchitectureFileError as error:
        raise UserMistake(str(error)) from error
    except ProjectWeightsError as error:
        raise UserMistake(
            f"{project.name}: {error}; or use --weights {_NONE} for fresh weights, or --weights FILE for others"
        ) from error
    print(f"{project.name} starts from its weights, {saved.text}; --weights {_NONE} starts it anew", file=sys.stderr)
    return path


def _from_torchvision(network: str) -> "tuple[Path, Details]":
    from explorer.runtime import pretrained

    known = entry(network)
    path = pretrained.find(known) or pretrained.download(known, _said(), lambda: False)
    return path, pretrained.details(known)


def _said() -> Callable[[int, int], None]:
    """Says every tenth of a download."""
    said = -1

    def progress(done: int, total: int) -> None:
        nonlocal said
        tenths = 10 * done // total if total else 0
        if tenths > said:
            said = tenths
            print(f"Fetching the weights: {10 * tenths} % of {total / 1e6:,.1f} MB", file=sys.stderr)

    return progress
