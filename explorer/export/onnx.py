"""Networks as ONNX files, by torch's exporter, for batches of any size."""

import contextlib
import io
import keyword
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from explorer.architecture import Architecture, Node
from explorer.export.certificate import INPUT_NAME
from explorer.export.errors import ExportError
from explorer.export.naming import is_hidden
from explorer.runtime.modules import Network

_LOGGERS = ("torch.onnx", "torch.export", "torch._dynamo", "onnxscript", "onnx_ir")


def write_onnx(path: Path, network: Network) -> None:
    """Write a network in evaluation mode: one input, "images", and an output for each node that the network returns.

    Raises:
        ExportError: torch's exporter cannot say this network in ONNX, or the file cannot be written.
    """
    channels, height, width = network.architecture.input_shape
    was_training = network.training
    # Two images: a batch of one would be taken for a constant.
    images = torch.zeros(2, channels, height, width, device=next(network.parameters(), torch.empty(0)).device)
    try:
        network.eval()
        with _quiet():
            program = torch.onnx.export(
                _exportable(network).eval(),
                (images,),
                dynamo=True,
                verbose=False,
                input_names=[INPUT_NAME],
                output_names=list(network.architecture.outputs),
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )
            assert program is not None
            program.save(str(path), external_data=False)
    except OSError as error:
        raise ExportError(f"{path.name}: {error.strerror or error}; the ONNX file was not written") from error
    except Exception as error:
        # Its exceptions have no base of their own; the first of the chain says what it was.
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = next(iter(str(cause).strip().splitlines()), type(cause).__name__)
        raise ExportError(f"{path.name}: torch cannot export this network to ONNX: {reason}") from error
    finally:
        network.train(was_training)


def _exportable(network: Network) -> Network:
    """The network; with the same modules under other names where torch.export would trip over a layer called "type"."""
    ids: dict[str, str] = {}
    for node in network.architecture.nodes:
        plain = ".".join(
            f"layer_{part}" if is_hidden(part) or keyword.iskeyword(part) else part for part in node.id.split(".")
        )
        while plain in network.architecture and plain != node.id:
            plain += "_"
        ids[node.id] = plain
    if all(plain == node_id for node_id, plain in ids.items()):
        return network
    architecture = Architecture(
        name=network.architecture.name,
        nodes=tuple(
            Node(id=ids[node.id], layer=node.layer, inputs=tuple(ids[source] for source in node.inputs))
            for node in network.architecture.nodes
        ),
        outputs=tuple(ids[node_id] for node_id in network.architecture.outputs),
    )
    modules = {plain: network.node_module(node_id) for node_id, plain in ids.items()}
    return Network(
        architecture,
        {ids[node_id]: call for node_id, call in network.calls.items()},
        {plain: module for plain, module in modules.items() if module is not None},
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's reports of its own progress off the terminal."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
