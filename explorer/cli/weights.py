"""The option --weights: trained weights from a file or from torchvision, compared with the network and then applied."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.architecture import Architecture
from explorer.cli.parser import Parser, UserMistake
from explorer.zoo import entry

if TYPE_CHECKING:
    from torch import Tensor

_TORCHVISION = "torchvision"


def add_option(parser: Parser) -> None:
    """Let a command take --weights."""
    parser.add_argument(
        "--weights",
        metavar=f"FILE | {_TORCHVISION}",
        help="start from the weights in a .safetensors, .pth, .pt or .th file, which is never executed, or from "
        "torchvision's for a network of the catalogue; what fits is taken, and the rest is named",
    )


def fitting_weights(option: str, network: str, architecture: Architecture) -> "dict[str, Tensor]":
    """The tensors that fit, by the network's own names; what does not fit is said on standard error.

    Args:
        option: what --weights received.
        network: what was given as the network; torchvision's weights go by its name in the catalogue.
        architecture: the network.

    Raises:
        UserMistake: no such weights, or nothing of them fits.
    """
    from explorer.runtime.weights_files import read_state_dict
    from explorer.runtime.weights_matching import apply, compare

    try:
        path = _from_torchvision(network) if option == _TORCHVISION else Path(option)
        state = read_state_dict(path)
        report = compare(architecture, state)
    except (ValueError, ImportError) as error:
        raise UserMistake(str(error)) from error
    if not report.taken:
        raise UserMistake(f"{path.name}: {report.summary}")
    lines = [report.summary, *report.notes]
    lines += [f"{node.node_id}: {node.text}" for node in report.nodes if node.outcome != "taken"]
    lines += [f"{tensor.name}: {tensor.text}" for tensor in report.unused]
    print("\n".join((f"{path.name}: {lines[0]}", *(f"  {line}" for line in lines[1:]))), file=sys.stderr)
    return apply(state, report)


def _from_torchvision(network: str) -> Path:
    from explorer.runtime import pretrained

    known = entry(network)
    return pretrained.find(known) or pretrained.download(known, _said(), lambda: False)


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
