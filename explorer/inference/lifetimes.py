"""Which tensors are alive when, through one training step and one forward pass: the course behind `memory`.

A step is walked through as `runtime.modules.Network` and autograd do it. Forward, an output goes once nothing reads it
any more and no node keeps it for its backward pass. Backward runs in reverse: the gradient of an output lives from its
first reader's backward pass to its own, weights' gradients stay, and what a node kept is let go behind it. Everything
is linear in the batch, so a moment is two numbers: bytes for each image, and bytes for any batch.

Source: torch's notes "Autograd mechanics" (saved tensors) and "Automatic Mixed Precision" (autocast op reference). What
a layer keeps is `Layer.kept`, which is measured.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from explorer.architecture import Architecture
from explorer.inference.logits import logits_node
from explorer.inference.report import Inference, NodeReport
from explorer.layers import (
    Add,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Dropout2d,
    GroupNorm,
    Layer,
    LayerNorm,
    LayerNorm2d,
    LayerScale,
    Linear,
    LocalResponseNorm,
    LogSoftmax,
    LPPool2d,
    Mul,
    PartialConv2d,
    PReLU,
    RadialBasis,
    ScaledTanh,
    Softmax,
    StochasticDepth,
    Sub,
    Subsampling,
    Sum,
)
from explorer.layers.layer import KEEPS_NOTHING

Precision = Literal["float32", "mixed", "bfloat16"]
"""In what torch computes: float32; autocast to a 16-bit type with float32 weights; a 16-bit type throughout."""
When = Literal["forward", "loss", "backward"]

FLOAT32_BYTES, SIXTEEN_BIT_BYTES = 4, 2
_TARGET_BYTES = 8
"""An int64 class for each image."""
_TOTAL_WEIGHT_BYTES = 4
"""What the mean loss divides by, which its backward pass needs again."""
_Types = frozenset[type[Layer]]
_AUTOCAST_16_BIT: _Types = frozenset({Conv2d, ConvTranspose2d, Linear, PReLU, PartialConv2d})
"""What autocast computes in 16 bits, whatever arrives."""
_AUTOCAST_FLOAT32: _Types = frozenset(
    {GroupNorm, LPPool2d, LayerNorm, LayerNorm2d, LocalResponseNorm, LogSoftmax, Softmax, Sum}
)
"""What autocast computes in float32, whatever arrives."""
_WIDENED_BY_WEIGHTS: _Types = frozenset({LayerScale, RadialBasis, Subsampling})
"""What arithmetic with its own float32 values brings back to float32."""
_KEEPS_FOR_WEIGHTS: _Types = frozenset({LayerScale, Linear})
"""What keeps its input for its weights' gradient only: not while they are frozen."""
_TRAINING_ONLY: _Types = frozenset({Dropout, Dropout2d, StochasticDepth})
"""What hands on its very input in evaluation mode."""
_PASSES_BY: dict[type[Layer], int] = {LPPool2d: 1, LocalResponseNorm: 2}
"""Tensors as large as the input that a layer of several operations has in the air at most, without gradients.

Measured, as is the next; other layers have what they would keep for their backward pass.
"""
_PASSES_BY_BACKWARD: dict[type[Layer], int] = {
    LPPool2d: 1,
    LayerScale: 1,
    LocalResponseNorm: 3,
    PReLU: 1,
    ScaledTanh: 1,
}
"""The same in its backward pass, beside the gradients of its output and its input."""
_NO_VIEW = Layer.is_view


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


_Row = tuple[int, int, int, int, int, When, int]
"""A `Moment` as it is collected: thousands are made at each edit, and one is asked for."""


class Course(NamedTuple):
    """A training step, or a forward pass."""

    moments: list[_Row]
    """One for each computation, in order: the fields of a `Moment`."""
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
        totals = [row[0] * batch_size + row[1] for row in self.moments]
        return Moment(*self.moments[totals.index(max(totals))])

    def largest_batch(self, available_bytes: int) -> int:
        """Images with which every moment fits; 0 if not even one does."""
        return min((available_bytes - row[1]) // row[0] for row in self.moments)


class _Known(NamedTuple):
    architecture: Architecture
    inference: Inference
    precision: Precision
    courses: tuple[Course, Course]


_recent: list[_Known] = []
"""The last answers: several views ask of the same network, for its peak, its largest batch and each node's share."""


def courses(architecture: Architecture, inference: Inference, precision: Precision) -> tuple[Course, Course]:
    """A training step, and a forward pass without gradients; for the same objects the same answer, not to be changed.

    The step is forward, loss and backward as `training.step` runs them: for the node that the loss reads and what it
    needs. The pass computes all outputs of the network.
    """
    for known in _recent[:]:
        if known.architecture is architecture and known.inference is inference and known.precision == precision:
            return known.courses
    index = architecture.structure.index
    logits = index[logits_node(architecture)[0]]
    wanted = tuple([index[node_id] for node_id in architecture.outputs])
    training = _Walk(architecture, inference, (logits,), precision)
    passing = training if wanted == (logits,) else _Walk(architecture, inference, wanted, precision)
    found = (training.train(logits), passing.infer())
    _recent[:] = [_Known(architecture, inference, precision, found), *_recent[:1]]
    return found


class _Walk:
    """The state while a step is walked through. Lists are by position; sizes are bytes of one image."""

    def __init__(
        self, architecture: Architecture, inference: Inference, wanted: tuple[int, ...], precision: Precision
    ) -> None:
        self.nodes = architecture.nodes
        self.reports = list(inference.nodes.values())
        self.sources = architecture.structure.sources
        self.precision = precision
        self._value_bytes = SIXTEEN_BIT_BYTES if precision == "bfloat16" else FLOAT32_BYTES
        self.order, self.dying = _order(self.sources, self.reports, wanted)
        self.widths = _autocast_widths(self.reports, self.sources, self.order) if precision == "mixed" else None
        self.sizes, self.roots = _outputs(self.reports, self.sources, self.order, precision, self.widths)
        count = len(self.reports)
        self.holders = [0] * count
        """How many nodes keep what lies there."""
        self.holds: list[Sequence[int]] = [()] * count
        """The outputs that a node keeps, by their roots."""
        self.needs = [False] * count
        """Whether a gradient runs through the node."""
        self.own_image = [0] * count
        """What a node keeps beside outputs, for each image."""
        self.own_batch = [0] * count
        """What it keeps for any batch."""
        self.saved = self.saved_batch = self.other = self.gradients = 0
        self.moments: list[_Row] = []

    def infer(self) -> Course:
        """A forward pass without gradients."""
        reports, sources, sizes, widths = self.reports, self.sources, self.sizes, self.widths
        roots, dying, readable = self.roots.copy(), self.dying, [0] * len(sizes)
        rows: list[_Row] = []
        alive = copies = 0
        for position in self.order:
            report, root = reports[position], roots[position]
            kept, passing = report.kept, 0
            if kept is not None and (kept.num_bytes or kept.values):
                passing = self._passing(position)
            if type(report.layer) in _TRAINING_ONLY:
                passing, root = 0, roots[sources[position][0]]
                roots[position] = root
            readable[root] += 1
            if root == position:
                alive += sizes[position]
            if widths is not None:
                copies += self._weight_copies(position)
            rows.append((alive + passing, copies, 0, 0, 0, "forward", position))
            for dead in dying[position]:
                root = roots[dead]
                readable[root] -= 1
                if not readable[root]:
                    alive -= sizes[root]
        return Course(rows, [], [], 0, 0, 0)

    def train(self, logits: int) -> Course:
        """A training step."""
        self._find_kept()
        self._forward()
        kept = self.own_image.copy()
        for root, count in enumerate(self.holders):
            if count:
                kept[root] += self.sizes[root]
        loss = self._loss(logits)
        self._backward()
        return Course(self.moments, kept, self.own_batch, loss, _TOTAL_WEIGHT_BYTES if loss else 0, self.gradients)

    def _passing(self, position: int) -> int:
        """Bytes that a node without a backward pass has in the air, beside its inputs and its output."""
        report = self.reports[position]
        kind, kept = type(report.layer), report.kept
        if kind in _PASSES_BY:
            return _PASSES_BY[kind] * self.sizes[self.sources[position][0]]
        if kept is None:
            return 0
        return kept.values * self._value_bytes + kept.num_bytes

    def _weight_copies(self, position: int) -> int:
        """Bytes of the 16-bit copies of weights, which autocast makes once and holds."""
        report = self.reports[position]
        if report.num_parameters and type(report.layer) in _AUTOCAST_16_BIT:
            return report.num_parameters * SIXTEEN_BIT_BYTES
        return 0

    def _find_kept(self) -> None:
        """Find what each node keeps for its backward pass."""
        nodes, reports, sources, roots, needs = self.nodes, self.reports, self.sources, self.roots, self.needs
        widths, holds, own_image, own_batch = self.widths, self.holds, self.own_image, self.own_batch
        value_bytes = self._value_bytes
        for position in self.order:
            report, come = reports[position], sources[position]
            arriving = [needs[source] for source in come]
            frozen, kept = nodes[position].frozen, report.kept
            if True not in arriving and (frozen or not report.num_parameters):
                continue
            needs[position] = True
            if kept is None or kept is KEEPS_NOTHING:
                continue
            ports, output, values, num_bytes, batch_bytes = kept
            if ports and (frozen or False in arriving):
                ports = _kept_ports(report.layer, ports, arriving, frozen)
            if widths is not None:
                ports = self._find_casts(position, ports)
                own_image[position] += values * widths[position]
            elif values:
                own_image[position] += values * value_bytes
            if num_bytes:
                own_image[position] += num_bytes
            if batch_bytes:
                own_batch[position] += batch_bytes
            kept_roots = [roots[come[port]] for port in ports]
            if output:
                kept_roots.append(roots[position])
            holds[position] = kept_roots

    def _find_casts(self, position: int, ports: tuple[int, ...]) -> tuple[int, ...]:
        """Count what autocast keeps as copies in another type; the ports whose tensors are kept as they arrive."""
        assert self.widths is not None
        report, come = self.reports[position], self.sources[position]
        kind = type(report.layer)
        if kind in _AUTOCAST_16_BIT:
            width = SIXTEEN_BIT_BYTES
            self.own_batch[position] += self._weight_copies(position)
        elif kind in _AUTOCAST_FLOAT32:
            width = FLOAT32_BYTES
        else:
            return ports
        same = tuple([port for port in ports if self.widths[come[port]] == width])
        for port in ports:
            if port not in same:
                self.own_image[position] += math.prod(report.input_shapes[port] or ()) * width
        return same

    def _forward(self) -> None:
        """Compute the nodes in order."""
        sizes, roots, holders, holds, dying = self.sizes, self.roots, self.holders, self.holds, self.dying
        own_image, own_batch, needs = self.own_image, self.own_batch, self.needs
        moments, saved, saved_batch, other = self.moments, 0, 0, 0
        readable = [0] * len(sizes)
        for position in self.order:
            root = roots[position]
            readable[root] += 1
            if root == position:
                other += sizes[position]
            for held in holds[position]:
                if not holders[held]:
                    other -= sizes[held]
                    saved += sizes[held]
                holders[held] += 1
            saved += own_image[position]
            saved_batch += own_batch[position]
            alive = saved + other
            if not needs[position]:
                alive += self._passing(position)
            moments.append((alive, saved_batch, saved, saved_batch, 0, "forward", position))
            for dead in dying[position]:
                root = roots[dead]
                readable[root] -= 1
                if not readable[root] and not holders[root]:
                    other -= sizes[root]
        self.saved, self.saved_batch, self.other, self.readable = saved, saved_batch, other, readable

    def _loss(self, logits: int) -> int:
        """Compute the loss and its gradient; returns what it keeps of an image: log-softmax's result and the class."""
        report = self.reports[logits]
        if report.output_bytes is None or report.output_shape is None:
            return 0
        # Under autocast log-softmax is computed in float32.
        scores = self.sizes[logits] if self.precision == "bfloat16" else report.output_bytes
        targets = _TARGET_BYTES * math.prod(report.output_shape[1:])
        saved = self.saved + scores + targets
        # Backward, the gradients of the logarithms and of the logits lie beside each other.
        alive, batch_bytes = saved + self.other + 2 * scores, self.saved_batch + _TOTAL_WEIGHT_BYTES
        self.moments.append((alive, batch_bytes, saved, batch_bytes, 0, "loss", logits))
        # The caller holds the classes; torch's graph gives its own up.
        self.other += targets
        return scores + targets

    def _backward(self) -> None:
        """Take the nodes in reverse; leaves the gradients of all weights."""
        nodes, reports, sources, sizes, roots = self.nodes, self.reports, self.sources, self.sizes, self.roots
        needs, holders, holds, readable = self.needs, self.holders, self.holds, self.readable
        moments, saved, saved_batch, other, gradients = self.moments, self.saved, self.saved_batch, self.other, 0
        value_bytes = self._value_bytes
        # The gradient of an output: where it lies, as [bytes, how many outputs share it].
        arrived: list[list[int] | None] = [None] * len(sizes)
        for position in reversed(self.order):
            if not needs[position]:
                continue
            report, size = reports[position], sizes[position]
            own = arrived[position]
            if own is None:
                own = [size, 1]
                other += size
            # A sum and a view hand on the very gradient where sizes agree, a concatenation hands on parts of it.
            kind = type(report.layer)
            hands_on = kind is Add or kind is Concat or roots[position] != position
            passing = _PASSES_BY_BACKWARD.get(kind, 0) * size
            added = sums = 0
            summed: list[list[int]] = []
            for source in sources[position]:
                if not needs[source]:
                    continue
                before, source_size = arrived[source], sizes[source]
                if kind is Mul and source_size != size:
                    # The gradient of a value that was repeated is made for each repetition, and then summed up.
                    passing += size
                same = hands_on and (kind is Concat or source_size == size)
                if kind is Sub and source == sources[position][0]:
                    same = source_size == size
                if before is None:
                    if same:
                        arrived[source] = own
                        own[1] += 1
                    else:
                        arrived[source] = [source_size, 1]
                        other += source_size
                    continue
                # It is added to what is there, in place unless another output shares that.
                if not same:
                    added += source_size
                if before[1] > 1:
                    summed.append(before)
                    arrived[source] = [source_size, 1]
                    sums += source_size
            batch_bytes = saved_batch
            if report.num_parameters and not nodes[position].frozen:
                gradients += report.num_parameters * value_bytes
                if self.widths is not None:
                    # The gradient of the copy, from which that of the weights is made.
                    batch_bytes += self._weight_copies(position)
            batch_bytes += gradients
            alive = saved + other + passing + added
            moments.append((alive, batch_bytes, saved, saved_batch, gradients, "backward", position))
            for held in holds[position]:
                holders[held] -= 1
                if not holders[held]:
                    saved -= sizes[held]
                    if readable[held]:
                        other += sizes[held]
            saved -= self.own_image[position]
            saved_batch -= self.own_batch[position]
            own[1] -= 1
            if not own[1]:
                other -= own[0]
            if sums:
                # Autograd adds up once the node has let its own go.
                other += sums
                alive, batch_bytes = saved + other + added, saved_batch + gradients
                moments.append((alive, batch_bytes, saved, saved_batch, gradients, "backward", position))
                for before in summed:
                    before[1] -= 1
                    if not before[1]:
                        other -= before[0]
        self.gradients = gradients


def _order(
    sources: Sequence[Sequence[int]], reports: Sequence[NodeReport], wanted: Sequence[int]
) -> tuple[list[int], list[list[int]]]:
    """The known nodes that `wanted` need, in order; and for each position, whose output nothing reads afterwards."""
    count = max(wanted) + 1
    needed, dying = [False] * count, [_NONE] * count
    for position in wanted:
        needed[position] = True
    # The caller holds the images and the outputs.
    stays = needed.copy()
    stays[0] = True
    order = []
    for position in range(count - 1, -1, -1):
        if not needed[position]:
            continue
        if reports[position].output_shape is not None:
            order.append(position)
        for source in sources[position]:
            if not needed[source]:
                needed[source] = True
                if not stays[source]:
                    dying[position] = [*dying[position], source]
    order.reverse()
    return order, dying


_NONE: list[int] = []


def _outputs(
    reports: Sequence[NodeReport],
    sources: Sequence[Sequence[int]],
    order: Sequence[int],
    precision: Precision,
    widths: Sequence[int] | None,
) -> tuple[list[int], list[int]]:
    """By position: the bytes of an output, and whose memory it lies in: its own node's, or for a view another's."""
    sizes, roots = [0] * len(reports), list(range(len(reports)))
    for position in order:
        report = reports[position]
        sizes[position] = report.output_bytes or 0
        layer = report.layer
        if type(layer).is_view is not _NO_VIEW and layer.is_view(report.input_shapes):  # type: ignore[arg-type]
            roots[position] = roots[sources[position][0]]
    if widths is not None:
        sizes = [size * width // FLOAT32_BYTES for size, width in zip(sizes, widths, strict=True)]
    elif precision == "bfloat16":
        sizes = [size // 2 for size in sizes]
    return sizes, roots


def _autocast_widths(
    reports: Sequence[NodeReport], sources: Sequence[Sequence[int]], order: Iterable[int]
) -> list[int]:
    """The bytes of a value of each output under autocast, by position."""
    widths = [FLOAT32_BYTES] * len(reports)
    for position in order:
        kind = type(reports[position].layer)
        if kind in _AUTOCAST_16_BIT:
            widths[position] = SIXTEEN_BIT_BYTES
        elif sources[position] and kind not in _AUTOCAST_FLOAT32 and kind not in _WIDENED_BY_WEIGHTS:
            widths[position] = max([widths[source] for source in sources[position]])
    return widths


def _kept_ports(layer: Layer, ports: tuple[int, ...], arriving: list[bool], frozen: bool) -> tuple[int, ...]:
    """The inputs that are kept where not all of them, or no weights, need a gradient."""
    if isinstance(layer, Mul):
        # A factor is kept for the gradients of the others.
        return tuple([port for port in ports if any(arriving[:port] + arriving[port + 1 :])])
    if frozen and type(layer) in _KEEPS_FOR_WEIGHTS:
        return ()
    return ports
