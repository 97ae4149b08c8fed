"""Networks as ONNX files, by torch's exporter, for batches of any size.

Layers that the exporter does not know are replaced by what computes the same; those forms are in `onnx_forms`.
"""

import contextlib
import io
import keyword
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.architecture import Architecture
from explorer.export.certificate import INPUT_NAME
from explorer.export.errors import ExportError
from explorer.export.naming import is_hidden, one_line
from explorer.export.onnx_forms import exportable_form
from explorer.export.signatures import torch_signatures
from explorer.inference import infer
from explorer.layers import Call, ModuleCall, Shape
from explorer.runtime.modules import Network
from explorer.runtime.operators import OPERATORS

_LOGGERS = ("torch.onnx", "torch.export", "torch._dynamo", "onnxscript", "onnx_ir")


def write_onnx(path: Path, network: Network) -> None:
    """Write a network in evaluation mode: one input, "images", and an output for each node that the network returns.

    Raises:
        ExportError: torch's exporter cannot say this network in ONNX, or the file cannot be written.
    """
    was_training = network.training
    outputs = list(network.architecture.outputs)
    try:
        network.eval()
        with _quiet():
            exportable = _exportable(network, _input_shapes(network.architecture)).eval()
            program = _exported(exportable, (network.architecture.input_shape,), [INPUT_NAME], outputs)
            program.save(str(path), external_data=False)
    except OSError as error:
        raise ExportError(f"{path.name}: {error.strerror or error}; the ONNX file was not written") from error
    except Exception as error:
        culprit = _culprit(network) or f"this network to ONNX: {_reason(error)}"
        raise ExportError(f"{path.name}: torch cannot export {culprit}") from error
    finally:
        network.train(was_training)


def _exported(
    module: nn.Module, shapes: tuple[Shape, ...], input_names: list[str] | None = None, outputs: list[str] | None = None
) -> torch.onnx.ONNXProgram:
    """A module as an ONNX program.

    Args:
        shapes: of its inputs, without the batch.
    """
    device = next(module.parameters(), torch.empty(0)).device
    module.to(device)  # the constants of `onnx_forms` too
    batch = torch.export.Dim("batch")
    dynamic = tuple({0: batch} for _ in shapes)
    program = torch.onnx.export(
        module,
        # Two images: a batch of one would be taken for a constant.
        tuple(torch.zeros(2, *shape, device=device) for shape in shapes),
        dynamo=True,
        verbose=False,
        input_names=input_names,
        output_names=outputs,
        dynamic_shapes=(dynamic,) if isinstance(module, _Alone) else dynamic,
    )
    assert program is not None
    return program


def _input_shapes(architecture: Architecture) -> dict[str, tuple[Shape, ...]]:
    """What arrives at each node."""
    reports = infer(architecture).nodes
    shapes = {node_id: report.output_shape for node_id, report in reports.items()}
    return {
        node.id: tuple(shape for source in node.inputs if (shape := shapes[source]) is not None)
        for node in architecture.nodes
    }


def _exportable(network: Network, input_shapes: Mapping[str, tuple[Shape, ...]]) -> Network:
    """The same network in words that torch's exporter knows.

    Its modules are the network's, but for those of `onnx_forms`, and under other names where torch.export would trip
    over a layer called "type".
    """
    ids: dict[str, str] = {}
    for node in network.architecture.nodes:
        plain = ".".join(
            f"layer_{part}" if is_hidden(part) or keyword.iskeyword(part) else part for part in node.id.split(".")
        )
        while plain in network.architecture and plain != node.id:
            plain += "_"
        ids[node.id] = plain
    architecture = Architecture(
        name=network.architecture.name,
        nodes=tuple(
            replace(node, id=ids[node.id], inputs=tuple(ids[source] for source in node.inputs))
            for node in network.architecture.nodes
        ),
        outputs=tuple(ids[node_id] for node_id in network.architecture.outputs),
    )
    modules = {}
    for node_id, plain in ids.items():
        module = network.node_module(node_id)
        if module is not None:
            modules[plain] = exportable_form(module, input_shapes[node_id][0])
    return Network(architecture, {ids[node_id]: call for node_id, call in network.calls.items()}, modules)


class _Alone(nn.Module):
    """One layer as a network."""

    def __init__(self, layer: Callable[..., Tensor]) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.layer(*inputs)


def _culprit(network: Network) -> str | None:
    """The layer that keeps a network from being exported and why, found by exporting each kind alone; None if none."""
    input_shapes = _input_shapes(network.architecture)
    kinds: dict[tuple[str, str, tuple[Shape, ...]], str] = {}
    for node_id, call in network.calls.items():
        if input_shapes[node_id]:
            kinds.setdefault((call.name, repr(call.arguments), input_shapes[node_id]), node_id)
    for node_id in sorted(kinds.values(), key=lambda node_id: _is_known(network.calls[node_id])):
        call, shapes = network.calls[node_id], input_shapes[node_id]
        module = network.node_module(node_id)
        layer = (
            partial(OPERATORS[call.name], **call.arguments) if module is None else exportable_form(module, shapes[0])
        )
        try:
            with _quiet():
                _exported(_Alone(layer).eval(), shapes)
        except Exception as error:
            return f"{node_id} ({call.name}) to ONNX: {_reason(error)}; leave it out, or export to .py and .safetensors"
    return None


def _is_known(call: Call) -> bool:
    return not isinstance(call, ModuleCall) or call.is_own or call.name in torch_signatures()


def _reason(error: BaseException) -> str:
    """What an exporter's error comes to. They have no base of their own; the first of the chain says what it was."""
    while error.__cause__ is not None:
        error = error.__cause__
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    missing = re.search(r"No ONNX function found for <OpOverload\(op='([^']+)'", first)
    return f"ONNX has no operator for {missing[1]}" if missing else one_line(first)


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
