"""How many bytes are alive when, through one training step and one forward pass: the course behind `memory`.

Which tensors come and go is `schedule`'s, and is kept as long as an edit turns sizes alone. Everything is linear in the
batch, so that a moment is two numbers: bytes for each image, and bytes for any batch.
"""

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import add, itemgetter, neg
from typing import NamedTuple, Self

from explorer.architecture import Architecture
from explorer.architecture.architecture import Structure
from explorer.inference.autocast import AUTOCAST_16_BIT, FLOAT32_BYTES, SIXTEEN_BIT_BYTES
from explorer.inference.inference import Inference
from explorer.inference.logits import auxiliary_heads, logits_node
from explorer.inference.numbers import Numbers
from explorer.inference.schedule import Form, Line, Precision, Schedule, When
from explorer.inference.walk import passing, step
from explorer.layers import Layer, LocalResponseNorm, LPPool2d

_TARGET_BYTES = 8
"""An int64 class for each image."""
_TOTAL_WEIGHT_BYTES = 4
"""What the mean loss divides by, which its backward pass needs again."""
_PASSES_BY: dict[type[Layer], int] = {LPPool2d: 1, LocalResponseNorm: 2}
"""Tensors as large as the input that a layer of several operations has in the air at most, without gradients.

Measured; other layers have what they would keep for their backward pass.
"""


class Moment(NamedTuple):
    """What is alive while one node is computed, beside weights, buffers and the optimiser's state."""

    image_bytes: int
    """For each image."""
    batch_bytes: int
    """For any batch: gradients of weights, statistics, copies of weights."""
    saved_image_bytes: int
    """The part of `image_bytes` that autograd keeps."""
    saved_batch_bytes: int
    gradient_bytes: int
    """The part of `batch_bytes` that is the weights' gradients."""
    when: When
    position: int
    """The node's, in the architecture's order."""

    def at(self, batch_size: int) -> int:
        """All bytes for a batch."""
        return self.image_bytes * batch_size + self.batch_bytes


class Course(NamedTuple):
    """A training step, or a forward pass."""

    schedule: Schedule
    image_slots: list[int]
    """Bytes for each image by the schedule's slots."""
    batch_slots: list[int]
    """The same for any batch."""
    image_bytes: Sequence[int]
    """Alive for each image, moment by moment."""
    batch_bytes: Sequence[int]
    """The same for any batch."""
    saved_image_bytes: list[int]
    """What autograd keeps of each image by position, an output at the node that made it."""
    saved_batch_bytes: list[int]
    """The same for any batch."""
    loss_image_bytes: int
    """What the loss keeps of each image."""
    loss_batch_bytes: int
    gradient_bytes: int
    """The gradients of all weights that the loss trains."""

    def peak(self, batch_size: int) -> Moment:
        """The first moment with most bytes."""
        totals = [image * batch_size + batch for image, batch in zip(self.image_bytes, self.batch_bytes, strict=True)]
        at = totals.index(max(totals))
        schedule = self.schedule
        return Moment(
            self.image_bytes[at],
            self.batch_bytes[at],
            _until(schedule.saved, at, self.image_slots),
            _until(schedule.saved_fixed, at, self.batch_slots),
            _until(schedule.gradients, at, self.batch_slots),
            schedule.when[at],
            schedule.positions[at],
        )

    def largest_batch(self, available_bytes: int) -> int:
        """Images with which every moment fits; 0 if not even one does."""
        moments = zip(self.image_bytes, self.batch_bytes, strict=True)
        return min((available_bytes - batch) // image for image, batch in moments)


def courses(
    architecture: Architecture, inference: Inference, precision: Precision, *, auxiliary: bool = True
) -> tuple[Course, Course]:
    """A training step, and a forward pass without gradients; nobody changes them.

    The step is for the nodes that the loss reads and what they need; the pass computes all outputs of the network.

    Args:
        auxiliary: whether the loss reads the auxiliary heads too, where there are some.
    """
    for known in _recent:
        if known.architecture is architecture and known.inference is inference and known.how == (precision, auxiliary):
            return known.courses
    numbers, index = inference.nodes.numbers, architecture.structure.index
    heads = auxiliary_heads(architecture, inference) if auxiliary else ()
    logits = tuple([index[node_id] for node_id in (logits_node(architecture)[0], *heads)])
    plan = _planned(
        _Key(
            architecture.structure,
            precision == "mixed",
            logits,
            tuple([index[node_id] for node_id in architecture.outputs]),
            [its.form for its in numbers],
            [node.frozen for node in architecture.nodes],
        )
    )
    found = (_filled(plan.training, numbers, precision, logits), _filled(plan.passing, numbers, precision, logits))
    _recent[:] = [_Known(architecture, inference, (precision, auxiliary), found), *_recent[:1]]
    return found


class _Known(NamedTuple):
    architecture: Architecture
    inference: Inference
    how: tuple[Precision, bool]
    courses: tuple[Course, Course]


_recent: list[_Known] = []
"""The last answers: several views ask of the same network, for its peak, its largest batch and each node's share."""


class _Key(NamedTuple):
    """What schedules depend on; two compare quickly, by identities."""

    structure: Structure
    is_mixed: bool
    logits: tuple[int, ...]
    wanted: tuple[int, ...]
    forms: list[Form | None]
    frozen: list[bool]


_Pick = Callable[[Sequence[int]], Sequence[int]]


class _Sum(NamedTuple):
    """How a line is summed up, by functions that run without Python's bytecode."""

    used: _Pick
    """The slots that come up, out of all."""
    flows: _Pick
    """What comes and goes, out of those and what their going takes away, in reverse."""
    ends: _Pick
    """The moments, out of the running sum."""

    @classmethod
    def of(cls, line: Line) -> Self:
        """How to sum up this line."""
        used = sorted({max(slot, ~slot) for slot in line.slots})
        place = {slot: number for number, slot in enumerate(used)}
        flows = [place[slot] if slot >= 0 else ~place[~slot] for slot in line.slots]
        return cls(_picker(used), _picker(flows), _picker(line.ends))

    def moments(self, slots: Sequence[int]) -> Sequence[int]:
        """The line's sum at each moment."""
        bytes_of = [*self.used(slots)]
        bytes_of += map(neg, reversed(bytes_of))
        return self.ends(list(accumulate(self.flows(bytes_of), initial=0)))


class _Itinerary(NamedTuple):
    """A schedule, and how its lines are summed up."""

    schedule: Schedule
    sources: Sequence[Sequence[int]]
    keeping_more: list[int]
    """The nodes that have more in the air than their inputs and outputs."""
    alive: "_Sum"
    fixed: "_Sum"


class _Plan(NamedTuple):
    key: _Key
    training: _Itinerary
    passing: _Itinerary


_plans: list[_Plan] = []
_MOST_PLANS = 4
"""A network and what is previewed of it, in two precisions."""


def _planned(key: _Key) -> _Plan:
    for plan in _plans:
        if plan.key.structure is key.structure and plan.key[1:] == key[1:]:
            return plan
    sources, forms = key.structure.sources, key.forms
    training = step(sources, forms, key.frozen, key.logits, key.is_mixed)
    forward = passing(sources, forms, key.wanted, key.is_mixed)
    plan = _Plan(key, _itinerary(training, key), _itinerary(forward, key))
    _plans[:] = [plan, *_plans[: _MOST_PLANS - 1]]
    return plan


def _itinerary(schedule: Schedule, key: _Key) -> _Itinerary:
    return _Itinerary(
        schedule,
        key.structure.sources,
        [position for position in schedule.order if (form := key.forms[position]) is not None and form.keeps_more],
        _Sum.of(schedule.alive),
        _Sum.of(schedule.fixed),
    )


def _picker(indices: list[int]) -> _Pick:
    """What picks these out of a sequence; `itemgetter` itself gives one alone without a tuple."""
    if len(indices) < 2:
        return lambda values: [values[index] for index in indices]
    picker: _Pick = itemgetter(*indices)
    return picker


def _filled(itinerary: _Itinerary, numbers: list[Numbers], precision: Precision, logits: tuple[int, ...]) -> Course:
    """A schedule with its bytes."""
    schedule = itinerary.schedule
    image = _image_slots(itinerary, numbers, precision, logits)
    batch = _batch_slots(schedule, numbers, precision, len(logits))
    count = len(numbers)
    held = [size if is_held else 0 for size, is_held in zip(image, schedule.held, strict=False)]
    scores, targets = image[3 * count : 3 * count + 2]
    return Course(
        schedule,
        image,
        batch,
        itinerary.alive.moments(image),
        itinerary.fixed.moments(batch),
        list(map(add, held, image[count : 2 * count])),
        batch[:count],
        scores + targets if schedule.has_loss else 0,
        batch[-1] if schedule.has_loss else 0,
        sum([batch[slot] for slot in schedule.gradients.slots]),
    )


def _until(line: Line, moment: int, slots: Sequence[int]) -> int:
    return sum([slots[slot] if slot >= 0 else -slots[~slot] for slot in line.slots[: line.ends[moment]]])


def _image_slots(
    itinerary: _Itinerary, numbers: list[Numbers], precision: Precision, logits: tuple[int, ...]
) -> list[int]:
    """Bytes for each image by slot; see `Schedule`."""
    schedule = itinerary.schedule
    widths, value_bytes = schedule.widths, _value_bytes(precision)
    if widths is not None:
        sizes = [its.output_bytes * width // FLOAT32_BYTES for its, width in zip(numbers, widths, strict=True)]
    elif value_bytes == SIXTEEN_BIT_BYTES:
        sizes = [its.output_bytes // 2 for its in numbers]
    else:
        sizes = [its.output_bytes for its in numbers]
    kept, passes = [0] * len(numbers), [0] * len(numbers)
    for position in itinerary.keeping_more:
        layer, more = numbers[position].layer, numbers[position].kept
        passes[position] = more.values * value_bytes + more.num_bytes
        if schedule.keeps_own[position]:
            width = value_bytes if widths is None else widths[position]
            kept[position] = more.values * width + more.num_bytes
        if type(layer) in _PASSES_BY:
            passes[position] = _PASSES_BY[type(layer)] * sizes[itinerary.sources[position][0]]
    for position, source, width in schedule.casts:
        kept[position] += numbers[source].output_bytes // FLOAT32_BYTES * width
    # Under autocast log-softmax is computed in float32.
    scores = sum([sizes[position] if widths is None else numbers[position].output_bytes for position in logits])
    shape = numbers[logits[0]].output
    targets = 0 if shape is None else _TARGET_BYTES * math.prod(shape[1:])
    return [*sizes, *kept, *passes, scores, targets]


def _batch_slots(schedule: Schedule, numbers: list[Numbers], precision: Precision, num_losses: int) -> list[int]:
    """Bytes for any batch by slot; see `Schedule`."""
    value_bytes = _value_bytes(precision)
    gradients = [its.parameters * value_bytes for its in numbers]
    copies, kept = [0] * len(numbers), [0] * len(numbers)
    if schedule.widths is not None:
        for position, its in enumerate(numbers):
            if type(its.layer) in AUTOCAST_16_BIT:
                copies[position] = its.parameters * SIXTEEN_BIT_BYTES
    for position in schedule.keeping_batch:
        kept[position] = numbers[position].kept.batch_bytes + copies[position]
    return [*kept, *copies, *gradients, num_losses * _TOTAL_WEIGHT_BYTES]


def _value_bytes(precision: Precision) -> int:
    return SIXTEEN_BIT_BYTES if precision == "bfloat16" else FLOAT32_BYTES
