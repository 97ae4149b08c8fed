"""A training step and a forward pass walked through as `runtime.modules.Network` and autograd do them.

Forward, an output goes once nothing reads it any more and no node keeps it for its backward pass. Backward runs in
reverse: the gradient of an output lives from its first reader's backward pass to its own, weights' gradients stay, and
what a node kept is let go behind it. The walk puts down what comes and goes (`schedule`); bytes are `lifetimes`' part.

Source: torch's notes "Autograd mechanics" (saved tensors) and "Automatic Mixed Precision" (`autocast`). What a layer
keeps is `Layer.kept`, which is measured.
"""

from collections.abc import Sequence

from explorer.inference.autocast import (
    AUTOCAST_16_BIT,
    AUTOCAST_FLOAT32,
    FLOAT32_BYTES,
    SIXTEEN_BIT_BYTES,
    autocast_widths,
)
from explorer.inference.schedule import Form, Line, Schedule, When
from explorer.layers import (
    Add,
    Concat,
    Dropout,
    Dropout2d,
    Layer,
    LayerScale,
    Linear,
    LocalResponseNorm,
    LPPool2d,
    Mul,
    PReLU,
    ScaledTanh,
    StochasticDepth,
    Sub,
)

_Types = frozenset[type[Layer]]
_KEEPS_FOR_WEIGHTS: _Types = frozenset({LayerScale, Linear})
"""What keeps its input for its weights' gradient only: not while they are frozen."""
_TRAINING_ONLY: _Types = frozenset({Dropout, Dropout2d, StochasticDepth})
"""What hands on its very input in evaluation mode."""
_PASSES_BY_BACKWARD: dict[type[Layer], int] = {
    LPPool2d: 1,
    LayerScale: 1,
    LocalResponseNorm: 3,
    PReLU: 1,
    ScaledTanh: 1,
}
"""Tensors as large as the output that a layer of several operations has in the air at most in its backward pass, beside
the gradients of its output and its input. Measured."""


def step(
    sources: Sequence[Sequence[int]],
    forms: Sequence[Form | None],
    frozen: Sequence[bool],
    logits: Sequence[int],
    mixed: bool,
) -> Schedule:
    """A training step: forward, loss and backward as `training.step` runs them, for the nodes that the loss reads.

    Args:
        sources: the positions that each node reads, by position, and so are the others.
        forms: None where a fault leaves a node unknown.
        frozen: whether training leaves a node's weights as they are.
        logits: the positions of the nodes that the loss reads: the logits, then the auxiliary heads.
        mixed: whether autocast is on.
    """
    walk = _Walk(sources, forms, logits, mixed)
    walk.find_kept(frozen)
    walk.forward()
    held = [bool(holders) for holders in walk.holders]
    has_loss = all(forms[position] is not None for position in logits)
    if has_loss:
        walk.loss(logits[0])
    walk.backward(frozen)
    return walk.schedule._replace(held=held, has_loss=has_loss)


def passing(
    sources: Sequence[Sequence[int]], forms: Sequence[Form | None], wanted: Sequence[int], mixed: bool
) -> Schedule:
    """A forward pass without gradients to all outputs of the network; arguments as for `step`."""
    walk = _Walk(sources, forms, wanted, mixed)
    walk.infer()
    return walk.schedule


class _Walk:
    """The state while a step is walked through. Lists are by position."""

    def __init__(
        self, sources: Sequence[Sequence[int]], forms: Sequence[Form | None], wanted: Sequence[int], mixed: bool
    ) -> None:
        self.sources = sources
        self.order, self.dying = _order(sources, forms, wanted)
        # Positions outside of the order are never asked for.
        self.forms: list[Form] = [form or _UNKNOWN for form in forms]
        self.count = count = len(forms)
        self.widths = None
        if mixed:
            self.widths = autocast_widths([form.layer_type for form in self.forms], sources, self.order)
        self.roots = list(range(count))
        """Whose memory an output lies in: its own node's, or for a view another's."""
        for position in self.order:
            if self.forms[position].is_view:
                self.roots[position] = self.roots[sources[position][0]]
        self.holders = [0] * count
        """How many nodes keep what lies there."""
        self.readable = [0] * count
        """How many outputs that lie there are still to be read."""
        self.holds: list[Sequence[int]] = [()] * count
        """The outputs that a node keeps, by their roots."""
        self.needs = [False] * count
        """Whether a gradient runs through the node."""
        self.keeps_own, self.keeps_batch = [False] * count, [False] * count
        self.schedule = Schedule(
            self.order,
            Line([], []),
            Line([], []),
            Line([], []),
            Line([], []),
            Line([], []),
            [],
            [],
            [False] * count,
            self.keeps_own,
            [],
            [],
            self.widths,
            has_loss=False,
        )

    def infer(self) -> None:
        """Walk a forward pass without gradients."""
        alive, fixed = self.schedule.alive, self.schedule.fixed
        readable, roots = self.readable, self.roots
        for position in self.order:
            form, passes = self.forms[position], self._passes(position)
            if form.layer_type in _TRAINING_ONLY:
                passes = False
                roots[position] = roots[self.sources[position][0]]
            root = roots[position]
            readable[root] += 1
            if root == position:
                alive.come(position)
            if self._has_copies(position):
                fixed.come(self.count + position)
            self._mark("forward", position, self._passing_slots(position) if passes else ())
            for dead in self.dying[position]:
                root = roots[dead]
                readable[root] -= 1
                if not readable[root]:
                    alive.go(root)

    def find_kept(self, frozen: Sequence[bool]) -> None:
        """Find what each node keeps for its backward pass."""
        roots, needs, schedule = self.roots, self.needs, self.schedule
        for position in self.order:
            form, come = self.forms[position], self.sources[position]
            arriving = [needs[source] for source in come]
            if True not in arriving and (frozen[position] or not form.has_weights):
                continue
            needs[position] = True
            ports = form.ports
            keeps_anything = bool(ports) or form.keeps_output or form.keeps_more or form.keeps_batch
            if ports and (frozen[position] or False in arriving):
                ports = _kept_ports(form, arriving, frozen[position])
            has_casts = False
            if self.widths is not None:
                copied = self._cast_ports(position, ports, self.widths)
                ports = tuple([port for port in ports if port not in copied])
                width = SIXTEEN_BIT_BYTES if form.layer_type in AUTOCAST_16_BIT else FLOAT32_BYTES
                schedule.casts.extend([(position, come[port], width) for port in copied])
                has_casts = bool(copied)
            self.keeps_own[position] = form.keeps_more or has_casts
            if form.keeps_batch or (keeps_anything and self._has_copies(position)):
                self.keeps_batch[position] = True
                schedule.keeping_batch.append(position)
            kept = [roots[come[port]] for port in ports]
            if form.keeps_output:
                kept.append(roots[position])
            self.holds[position] = kept

    def forward(self) -> None:
        """Compute the nodes in order."""
        count, roots, holders, readable = self.count, self.roots, self.holders, self.readable
        _, alive, fixed, saved, saved_fixed, *_ = self.schedule
        for position in self.order:
            root = roots[position]
            readable[root] += 1
            if root == position:
                alive.come(position)
            for held in self.holds[position]:
                if not holders[held]:
                    saved.come(held)
                holders[held] += 1
            if self.keeps_own[position]:
                alive.come(count + position)
                saved.come(count + position)
            if self.keeps_batch[position]:
                fixed.come(position)
                saved_fixed.come(position)
            passes = not self.needs[position] and self._passes(position)
            self._mark("forward", position, self._passing_slots(position) if passes else ())
            for dead in self.dying[position]:
                root = roots[dead]
                readable[root] -= 1
                if not readable[root] and not holders[root]:
                    alive.go(root)

    def loss(self, logits: int) -> None:
        """Compute the loss, which keeps log-softmax's results and the classes, and its gradient."""
        scores, targets = 3 * self.count, 3 * self.count + 1
        _, alive, fixed, saved, saved_fixed, *_ = self.schedule
        for line in (alive, saved):
            line.come(scores)
            line.come(targets)
        fixed.come(scores)
        saved_fixed.come(scores)
        # Backward, the gradients of the logarithms and of the logits lie beside each other.
        self._mark("loss", logits, (scores, scores))
        # The caller holds the classes; torch's graph gives its own up.
        for line in (alive, saved, fixed, saved_fixed):
            line.go(scores)
        saved.go(targets)

    def backward(self, frozen: Sequence[bool]) -> None:
        """Take the nodes in reverse; leaves the gradients of all weights."""
        count, forms, needs, holders = self.count, self.forms, self.needs, self.holders
        _, alive, fixed, saved, saved_fixed, gradients, *_ = self.schedule
        # The gradient of an output: where it lies, as [the slot that says how large it is, how many outputs share it].
        arrived: list[list[int] | None] = [None] * count
        for position in reversed(self.order):
            if not needs[position]:
                continue
            form, come = forms[position], self.sources[position]
            kind = form.layer_type
            own = arrived[position]
            if own is None:
                own = [position, 1]
                alive.come(position)
            # A sum and a view hand on the very gradient where sizes agree, a concatenation hands on parts of it.
            hands_on = kind is Add or kind is Concat or self.roots[position] != position
            passing = [position] * _PASSES_BY_BACKWARD.get(kind, 0)
            added: list[int] = []
            sums: list[int] = []
            summed: list[list[int]] = []
            for port, source in enumerate(come):
                if not needs[source]:
                    continue
                before, is_as_large = arrived[source], self._is_as_large(position, port)
                if kind is Mul and not is_as_large:
                    # The gradient of a value that was repeated is made for each repetition, and then summed up.
                    passing.append(position)
                same = hands_on and (kind is Concat or is_as_large)
                if kind is Sub and source == come[0]:
                    same = is_as_large
                if before is None:
                    if same:
                        arrived[source] = own
                        own[1] += 1
                    else:
                        arrived[source] = [source, 1]
                        alive.come(source)
                    continue
                # It is added to what is there, in place unless another output shares that.
                if not same:
                    added.append(source)
                if before[1] > 1:
                    summed.append(before)
                    arrived[source] = [source, 1]
                    sums.append(source)
            copies: tuple[int, ...] = ()
            if form.has_weights and not frozen[position]:
                fixed.come(2 * count + position)
                gradients.come(2 * count + position)
                if self._has_copies(position):
                    # The gradient of the copy, from which that of the weights is made.
                    copies = (count + position,)
            self._mark("backward", position, (*passing, *added), copies)
            for held in self.holds[position]:
                holders[held] -= 1
                if not holders[held]:
                    saved.go(held)
                    if not self.readable[held]:
                        alive.go(held)
            if self.keeps_own[position]:
                alive.go(count + position)
                saved.go(count + position)
            if self.keeps_batch[position]:
                fixed.go(position)
                saved_fixed.go(position)
            own[1] -= 1
            if not own[1]:
                alive.go(own[0])
            if sums:
                # Autograd adds up once the node has let its own go.
                for source in sums:
                    alive.come(source)
                self._mark("backward", position, added)
                for before in summed:
                    before[1] -= 1
                    if not before[1]:
                        alive.go(before[0])

    def _mark(self, when: When, position: int, passing: Sequence[int] = (), fixed: Sequence[int] = ()) -> None:
        """Put a moment down at which these slots are there besides."""
        schedule = self.schedule
        for line, slots in ((schedule.alive, passing), (schedule.fixed, fixed)):
            for slot in slots:
                line.come(slot)
            line.mark()
            for slot in slots:
                line.go(slot)
        for line in (schedule.saved, schedule.saved_fixed, schedule.gradients):
            line.mark()
        schedule.when.append(when)
        schedule.positions.append(position)

    def _passes(self, position: int) -> bool:
        """Whether a node without a backward pass has more in the air than its inputs and its output."""
        return self.forms[position].keeps_more

    def _passing_slots(self, position: int) -> tuple[int, ...]:
        return (2 * self.count + position,)

    def _has_copies(self, position: int) -> bool:
        """Whether autocast makes 16-bit copies of a node's weights, which it makes once and holds."""
        form = self.forms[position]
        return self.widths is not None and form.has_weights and form.layer_type in AUTOCAST_16_BIT

    def _cast_ports(self, position: int, ports: tuple[int, ...], widths: Sequence[int]) -> tuple[int, ...]:
        """The ports of which autocast keeps a copy in another type."""
        kind, come = self.forms[position].layer_type, self.sources[position]
        if kind in AUTOCAST_16_BIT:
            width = SIXTEEN_BIT_BYTES
        elif kind in AUTOCAST_FLOAT32:
            width = FLOAT32_BYTES
        else:
            return ()
        return tuple([port for port in ports if widths[come[port]] != width])

    def _is_as_large(self, position: int, port: int) -> bool:
        """Whether an output takes as many bytes as an input."""
        if not self.forms[position].as_large[port]:
            return False
        return self.widths is None or self.widths[position] == self.widths[self.sources[position][port]]


def _order(
    sources: Sequence[Sequence[int]], forms: Sequence[Form | None], wanted: Sequence[int]
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
        if forms[position] is not None:
            order.append(position)
        for source in sources[position]:
            if not needed[source]:
                needed[source] = True
                if not stays[source]:
                    dying[position] = [*dying[position], source]
    order.reverse()
    return order, dying


_NONE: list[int] = []
_UNKNOWN = Form(Layer, (), False, False, False, False, False, ())


def _kept_ports(form: Form, arriving: list[bool], frozen: bool) -> tuple[int, ...]:
    """The inputs that are kept where not all of them, or no weights, need a gradient."""
    if issubclass(form.layer_type, Mul):
        # A factor is kept for the gradients of the others.
        return tuple([port for port in form.ports if any(arriving[:port] + arriving[port + 1 :])])
    if frozen and form.layer_type in _KEEPS_FOR_WEIGHTS:
        return ()
    return form.ports
