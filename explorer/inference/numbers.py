"""What follows from a layer and the shapes that arrive alone, worked out once for equal ones and remembered.

Networks repeat their blocks, and a value that is turned comes back to where it was, so that most of an edit is looked
up. What depends on more of the architecture is `infer`'s.
"""

import math
from collections import OrderedDict
from typing import Final

from explorer.inference.advice import OnShapes, shape_advice
from explorer.inference.schedule import Form
from explorer.layers import Fault, Kept, Layer, Remark, Shape, Window
from explorer.layers.layer import KEEPS_NOTHING, POINTWISE

_BYTES_PER_VALUE = 4  # float32
_MOST_REMEMBERED = 4096

_UNSEEN = Window((0, 0), (0, 0), (0, 0), (0, 0))
"""The window of an output that is unknown."""


class Numbers:
    """One layer's numbers for one image of these shapes. Never changed.

    They are the same object for the same layer and shapes, as long as they are remembered.

    Attributes:
        output: the shape without the batch; None where a fault leaves it unknown, and then the numbers are 0.
        output_bytes: in float32.
        counts: parameters, buffers, multiply-accumulates, output bytes, and 1 if the output is known: what sums up.
        remarks: what the layer says of what it takes.
        advise: what else is to be said of a node that takes these shapes.
        is_noted: whether either is there.
        form: what the lifetimes of its tensors depend on, sizes aside; None where unknown.
        readers: what follows at layers that read this output alone, by the identity of the layer.
    """

    __slots__ = (
        "advise",
        "buffers",
        "counts",
        "fault",
        "form",
        "inputs",
        "is_noted",
        "kept",
        "layer",
        "macs",
        "output",
        "output_bytes",
        "parameters",
        "readers",
        "remarks",
        "window",
    )

    def __init__(self, layer: Layer, inputs: tuple[Shape | None, ...]) -> None:
        self.layer: Final = layer
        self.inputs: Final = inputs
        self.fault: Fault | None = None
        self.output: Shape | None = None
        self.parameters = self.buffers = self.macs = self.output_bytes = 0
        self.counts = (0, 0, 0, 0, 0)
        self.window: Window = _UNSEEN
        self.kept: Kept = KEEPS_NOTHING
        self.remarks: tuple[Remark, ...] = ()
        self.advise: OnShapes | None = None
        self.is_noted = False
        self.form: Form | None = None
        self.readers: dict[int, Numbers] = {}

    def is_like(self, other: "Numbers") -> bool:
        """Whether they are of the same layer and shapes; they may have been forgotten in between."""
        return self is other or (self.layer is other.layer and self.inputs == other.inputs)


_memo: OrderedDict[tuple[int, tuple[Shape | None, ...]], Numbers] = OrderedDict()
"""By the layer's identity, which needs no hash of its values and holds while its numbers are kept, and what arrives.

The oldest come first.
"""
_readers: dict[Shape | None, dict[int, Numbers]] = {}
"""`Numbers.readers` by the shape that is read: one lookup by one integer, without a key that has to be made."""
_windows: dict[Window, Window] = {POINTWISE: POINTWISE}
"""Equal windows as one object, so that a receptive field is looked up by identities. There are few."""

_forms: dict[Form, Form] = {}
"""Equal forms as one object, which is compared at each edit."""


def numbers_of(layer: Layer, inputs: tuple[Shape | None, ...]) -> Numbers:
    """The numbers of a layer that takes these shapes; all unknown where one of them is."""
    key = (id(layer), inputs)
    found = _memo.get(key)
    if found is None:
        if len(_memo) >= _MOST_REMEMBERED:
            _forget_oldest()
        found = _memo[key] = _work_out(layer, inputs)
        if len(inputs) == 1:
            _readers_of(inputs[0])[id(layer)] = found
    return found


def _work_out(layer: Layer, inputs: tuple[Shape | None, ...]) -> Numbers:
    numbers = Numbers(layer, inputs)
    if None not in inputs:
        shapes: tuple[Shape, ...] = inputs  # type: ignore[assignment]  # None was just excluded
        numbers.fault = layer.fault(shapes)
        if numbers.fault is None:
            _count(numbers, shapes)
    numbers.readers = _readers_of(numbers.output)
    return numbers


def _count(numbers: Numbers, inputs: tuple[Shape, ...]) -> None:
    layer = numbers.layer
    output = numbers.output = layer.output_shape(inputs)
    numbers.parameters = layer.num_parameters(inputs)
    numbers.buffers = layer.num_buffers(inputs)
    numbers.macs = layer.macs(inputs, output)
    numbers.output_bytes = math.prod(output) * _BYTES_PER_VALUE
    numbers.counts = (numbers.parameters, numbers.buffers, numbers.macs, numbers.output_bytes, 1)
    window = layer.window(inputs)
    numbers.window = _windows.setdefault(window, window)
    numbers.kept = layer.kept(inputs, output)
    numbers.remarks = layer.remarks(inputs, output)
    numbers.advise = shape_advice(layer, inputs)
    numbers.is_noted = bool(numbers.remarks) or numbers.advise is not None
    form = _form(numbers, inputs)
    numbers.form = _forms.setdefault(form, form)


def _form(numbers: Numbers, inputs: tuple[Shape, ...]) -> Form:
    kept, layer = numbers.kept, numbers.layer
    values = numbers.output_bytes // _BYTES_PER_VALUE
    return Form(
        type(layer),
        kept.inputs,
        kept.output,
        bool(kept.values or kept.num_bytes),
        bool(kept.batch_bytes),
        bool(numbers.parameters),
        layer.is_view(inputs),
        tuple([math.prod(shape) == values for shape in inputs]),
    )


def _readers_of(shape: Shape | None) -> dict[int, Numbers]:
    return _readers.setdefault(shape, {})


def _forget_oldest() -> None:
    """One at a time, so that no edit pays for all. What is still in use is worked out again when it is asked for."""
    (layer_id, inputs), forgotten = _memo.popitem(last=False)
    if len(inputs) == 1:
        # It must not outlive the layer, whose identity another could get.
        del _readers[inputs[0]][layer_id]
    for shape in (*inputs, forgotten.output):
        if not _readers.get(shape, True):
            del _readers[shape]
