"""What torch says of a module that no layer describes, measured on the meta device: shapes and counts, no memory.

Only classes of `torch.nn` are made, by name, and only with arguments that are plain values: nothing that a file says
is run.
"""

import difflib
import inspect
import warnings
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.utils.flop_counter import FlopCounterMode

from explorer.layers import Kept, Measurement, Opaque, Shape, format_shape
from explorer.layers.opaque import parsed_arguments

T = TypeVar("T")

_BATCHES = (2, 3)  # two sizes, so that what a batch keeps can be told from what each image does
_LONGEST = 300  # characters of torch's reason


def measured(layer: Opaque, inputs: tuple[Shape, ...]) -> Opaque:
    """The layer with what torch says of it for these inputs, or with the reason why torch refuses them."""
    try:
        measurement = measure(layer, inputs)
    except ValueError as error:
        measurement = Measurement(inputs=inputs, reason=str(error))
    return layer.with_measurement(measurement)


def measure(layer: Opaque, inputs: tuple[Shape, ...]) -> Measurement:
    """Build the module on the meta device and run it forward, in training mode, for batches of two sizes.

    Args:
        layer: the module's name and arguments.
        inputs: shapes without the batch.

    Raises:
        ValueError: torch has no such class, or refuses its arguments or inputs; or it has no one output that keeps
            images apart. The message is torch's own reason where there is one.
    """
    make = module_class(layer.module)
    arguments = parsed_arguments(layer.arguments)
    if arguments.get("inplace"):
        raise ValueError("inplace writes over the input, which other layers may read; leave it out")
    with warnings.catch_warnings(), torch.device("meta"):
        warnings.simplefilter("ignore")  # of habits that torch discourages; what it refuses, it raises
        module = _tried(lambda: make(**arguments)).to(torch.float32).train()
        small, large = [_run(module, inputs, batch) for batch in _BATCHES]
        refuses_one = _refuses_one(module, inputs)
    return Measurement(
        inputs=inputs,
        output=small.output,
        num_parameters=sum(p.numel() for p in module.parameters()),
        # As `Layer.num_buffers`: without torch's batch counter.
        num_buffers=sum(b.numel() for b in module.buffers() if b.dim()),
        macs=small.flops // 2 // _BATCHES[0],
        kept=_kept(small, large),
        is_view=small.is_view,
        needs_several_images=refuses_one,
    )


def module_class(name: str) -> type[nn.Module]:
    """The class of `torch.nn` of that name that one layer can stand for.

    Raises:
        ValueError: there is none, or it holds other modules, takes its sizes from its first batch, or returns a state.
    """
    found = getattr(nn, name, None)
    if not isinstance(found, type) or not issubclass(found, nn.Module) or found is nn.Module:
        near = difflib.get_close_matches(
            name, [n for n in dir(nn) if n[:1].isupper() and n not in {name, "Module"}], n=3, cutoff=0.6
        )
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"torch.nn has no module {name!r}{hint}")
    if issubclass(found, _HOLDERS) or any(_takes_module(p) for p in inspect.signature(found).parameters.values()):
        raise ValueError(f"{name} holds other modules; add those as layers of their own")
    if issubclass(found, LazyModuleMixin):
        raise ValueError(f"{name} has no sizes before its first batch; use {name.removeprefix('Lazy')}")
    if issubclass(found, nn.RNNBase):
        raise ValueError(f"{name} returns a tuple, but a layer has one tensor as its output")
    return found


_HOLDERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict, nn.DataParallel)


def _takes_module(parameter: inspect.Parameter) -> bool:
    kind = parameter.annotation
    return (isinstance(kind, type) and issubclass(kind, nn.Module)) or "Module" in str(kind)


def _tried(action: Callable[[], T]) -> T:
    try:
        return action()
    except Exception as error:  # whatever torch raises is its answer
        lines = str(error).strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise ValueError(f"torch refuses: {reason[:_LONGEST]}") from error


class _Run(NamedTuple):
    """One forward pass; bytes are of the whole batch."""

    output: Shape
    flops: int
    ports: frozenset[int]
    keeps_output: bool
    float_bytes: int
    other_bytes: int
    is_view: bool


def _run(module: nn.Module, inputs: tuple[Shape, ...], batch: int) -> _Run:
    given = [torch.empty(batch, *shape, device="meta", requires_grad=True) for shape in inputs]
    own = {_memory(tensor) for tensor in (*module.parameters(), *module.buffers())}
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        saved.setdefault(_memory(tensor), tensor)
        return tensor

    counter = FlopCounterMode(display=False)
    with counter, torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = _tried(lambda: module(*given))
    shape = _checked(output, batch)
    arriving = [_memory(tensor) for tensor in given]
    others = {memory: tensor for memory, tensor in saved.items() if memory not in {*own, *arriving}}
    keeps_output = others.pop(_memory(output), None) is not None
    return _Run(
        output=shape,
        flops=counter.get_total_flops(),
        ports=frozenset(port for port, memory in enumerate(arriving) if memory in saved),
        keeps_output=keeps_output,
        float_bytes=sum(t.untyped_storage().nbytes() for t in others.values() if t.dtype == torch.float32),
        other_bytes=sum(t.untyped_storage().nbytes() for t in others.values() if t.dtype != torch.float32),
        is_view=_memory(output) == arriving[0],
    )


def _memory(tensor: Tensor) -> int:
    """Which memory a tensor lies in: on the meta device all data pointers are 0."""
    memory: int = tensor.untyped_storage()._cdata
    return memory


def _kept(small: _Run, large: _Run) -> Kept:
    image_values = (large.float_bytes - small.float_bytes) // 4
    image_bytes = large.other_bytes - small.other_bytes
    first = _BATCHES[0]
    return Kept(
        inputs=tuple(sorted(small.ports)),
        output=small.keeps_output,
        values=image_values,
        num_bytes=image_bytes,
        batch_bytes=small.float_bytes - first * 4 * image_values + small.other_bytes - first * image_bytes,
    )


def _checked(output: object, batch: int) -> Shape:
    """The shape of the one output that a layer can read, without the batch."""
    if not isinstance(output, Tensor):
        raise ValueError(f"returns {_article(type(output).__name__)}, but a layer has one tensor as its output")
    shape = tuple(output.shape)
    if not output.is_floating_point():
        raise ValueError(f"returns {str(output.dtype).removeprefix('torch.')} values, through which nothing is learned")
    if len(shape) < 2 or shape[0] != batch:
        raise ValueError(f"mixes the images of a batch: {batch} of them give {format_shape(shape) or 'one number'}")
    if 0 in shape:
        raise ValueError(f"leaves no value: {format_shape(shape[1:])}")
    return shape[1:]


def _refuses_one(module: nn.Module, inputs: tuple[Shape, ...]) -> bool:
    try:
        with torch.no_grad():
            module(*[torch.empty(1, *shape, device="meta") for shape in inputs])
    except (RuntimeError, ValueError):
        return True
    return False


def _article(name: str) -> str:
    return f"{'an' if name[:1] in 'aeiou' else 'a'} {name}"
