"""A step of training walked node by node, each node's forward and backward pass on its own, as exactly as it goes.

Forward, the nodes run in the network's order as `Network.forward` runs them. Between two nodes the graph is cut: what
arrives at a node is the tensor that the other one put out, behind an edge of a graph of its own (`_Cut`). Backward,
`torch.autograd.grad` runs from the `GradientEdge` of a node's output to those of its inputs and its own weights, with
the gradient that really arrives there, so that each call runs exactly what autograd would run of that node
(documentation of `torch.autograd.graph.get_gradient_edge`). Merges are nodes like all others.

Why not otherwise. Full backward hooks put a node of their own into the graph around every module, say nothing of
merges, which are no modules, and what runs between two of them need not be the module's. Edges of the one whole graph
do not separate the inputs of a residual sum, of which one leads to the other. A detached leaf for each input would keep
every output alive, as a leaf of the graph holds its tensor: a batch that trains might not fit. A cut holds no data, so
that a sweep lets outputs go when training lets them go.

A network that two devices share is walked on both: a node first brings what it reads to its own device, which counts
as its own part, forward and backward.

What it adds is stated by `StepProfile.coverage`: a call of autograd and two looks at the clock for each node.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge, saved_tensors_hooks

from explorer.layers import ModuleCall
from explorer.runtime.modules import Network
from explorer.runtime.operators import OPERATORS
from explorer.training.model_split import SplitNetwork
from explorer.training.profile_clock import Allocations, Clock, Mark

Loss = Callable[[Sequence[Tensor]], Tensor]
"""From the network's outputs, in order, to what is minimised."""


class _Place(NamedTuple):
    """A node where it is in the walk."""

    node_id: str
    function: Callable[..., Tensor] | None
    """None for the input."""
    sources: tuple[int, ...]
    weights: tuple[Tensor, ...]
    """Those that training changes."""
    dead: tuple[int, ...]
    """Places whose outputs nothing reads after this one."""


class Times(NamedTuple):
    """Seconds of one sweep."""

    forward: Mapping[str, float]
    backward: Mapping[str, float]
    """Of every node; 0 where no gradient passes."""
    loss: float


class Bytes(NamedTuple):
    """Memory of one sweep."""

    kept: Mapping[str, int]
    grown: Mapping[str, int | None]
    loss_kept: int


class Sweep:
    """Walks a network's steps; its weights' gradients lie in `Parameter.grad` afterwards, as after a real step."""

    def __init__(
        self,
        network: Network,
        loss: Loss,
        look: Callable[[], None],
        autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """Prepare.

        Args:
            network: on its device, in training mode; its outputs are what the loss reads.
            loss: what is minimised.
            look: called before each node; what it raises ends the sweep.
            autocast: where the forward pass computes; as in a step, loss and way back do not.
        """
        self._network = network
        self._autocast = autocast
        self._loss = partial(_with_moves, loss, network.last_device) if isinstance(network, SplitNetwork) else loss
        self._look = look
        self._places = _places(network)
        index = {place.node_id: position for position, place in enumerate(self._places)}
        self._outputs = tuple(index[node_id] for node_id in network.architecture.outputs)

    @property
    def node_ids(self) -> tuple[str, ...]:
        """All nodes that the loss needs, in the network's order."""
        return tuple(place.node_id for place in self._places)

    def times(self, x: Tensor, clock: Clock) -> Times:
        """Walk one step and time it.

        Args:
            x: the images, `(N, C, H, W)`.
            clock: of the device.
        """
        forward: dict[str, tuple[Mark, Mark]] = {}
        backward: dict[str, tuple[Mark, Mark]] = {}
        walk = _Walk(self._places, x)
        with self._autocast():
            for position in range(1, len(self._places)):
                self._look()
                walk.bring(position)
                start = clock.mark()
                walk.forward(position)
                forward[self._places[position].node_id] = (start, clock.mark())
                walk.let_go(position)
        outputs, edges = walk.bring_outputs(self._outputs)
        start = clock.mark()
        walk.take_loss(self._loss, outputs, edges)
        loss = (start, clock.mark())
        for position in range(len(self._places) - 1, 0, -1):
            if walk.has_backward(position):
                self._look()
                start = clock.mark()
                walk.backward(position)
                backward[self._places[position].node_id] = (start, clock.mark())
        clock.settle()
        nothing = dict.fromkeys(self.node_ids, 0.0)
        return Times(
            nothing | {node_id: clock.seconds(*marks) for node_id, marks in forward.items()},
            nothing | {node_id: clock.seconds(*marks) for node_id, marks in backward.items()},
            clock.seconds(*loss),
        )

    def bytes(self, x: Tensor, allocations: Allocations) -> Bytes:
        """Walk one step and see what autograd keeps of each node, by the storages that it saves.

        Args:
            x: the images, `(N, C, H, W)`, in a storage of their own.
            allocations: of the device.
        """
        walk = _Walk(self._places, x)
        ledger = _Ledger([*self._network.parameters(), *self._network.buffers()])
        ledger.made(0, x)
        grown: dict[str, int | None] = dict.fromkeys(self.node_ids, 0 if allocations.is_known else None)
        with saved_tensors_hooks(ledger.keep, lambda tensor: tensor):
            with self._autocast():
                for position in range(1, len(self._places)):
                    self._look()
                    ledger.position = position
                    walk.bring(position)
                    allocations.begin()
                    walk.forward(position)
                    grown[self._places[position].node_id] = allocations.grown_bytes()
                    ledger.made(position, walk.values[position])
                    for dead in self._places[position].dead:
                        ledger.forget(walk.values[dead], walk.values)
                    walk.let_go(position)
            ledger.position = len(self._places)
            outputs, edges = walk.bring_outputs(self._outputs)
            walk.take_loss(self._loss, outputs, edges)
            kept = ledger.kept_bytes()
        for position in range(len(self._places) - 1, 0, -1):
            if walk.has_backward(position):
                self._look()
                allocations.begin()
                walk.backward(position)
                node_id, more = self._places[position].node_id, allocations.grown_bytes()
                if more is not None:
                    grown[node_id] = max(more, grown[node_id] or 0)
        by_id = {place.node_id: kept.get(position, 0) for position, place in enumerate(self._places)}
        return Bytes(by_id, grown, kept.get(len(self._places), 0))


class _Cut(torch.autograd.Function):
    """Hands a tensor on under another edge of the graph, behind which there is nothing but a token."""

    @staticmethod
    def forward(_context: Any, _token: Tensor, value: Tensor) -> Tensor:
        # The same memory, but no view as autograd means it, so that a layer may work in place on it.
        return value.new_empty(0).set_(value)  # type: ignore[call-overload, no-any-return]  # torch's stub lacks it

    @staticmethod
    def backward(_context: Any, *_gradients: Any) -> tuple[None, None]:
        return None, None  # never run: gradients are taken at its edge


class _Walk:
    """The tensors and edges of a step under way."""

    def __init__(self, places: Sequence[_Place], x: Tensor) -> None:
        self._places = places
        self._token = torch.zeros((), device=x.device, requires_grad=True)
        self.values: list[Tensor | None] = [None] * len(places)
        self.values[0] = x
        self._gradients: list[Tensor | None] = [None] * len(places)
        self._arriving: list[tuple[Tensor, ...]] = [()] * len(places)
        """What the next node takes, from `bring` to `forward`."""
        self._in_edges: list[dict[GradientEdge, int]] = [{} for _ in places]
        """The edges of what arrives through which gradients pass, with where it comes from."""
        self._out_edges: list[GradientEdge | None] = [None] * len(places)

    def bring(self, position: int) -> None:
        """Cut what arrives at a node out of the graph before it."""
        self._arriving[position], self._in_edges[position] = self._cut(self._places[position].sources)

    def forward(self, position: int) -> None:
        """Compute a node."""
        function, (arriving, self._arriving[position]) = self._places[position].function, (self._arriving[position], ())
        assert function is not None
        self.values[position] = function(*arriving)

    def let_go(self, position: int) -> None:
        """Note the output's edge, and forget what nothing reads any more."""
        value = self.values[position]
        if value is not None and value.requires_grad:
            self._out_edges[position] = get_gradient_edge(value)
        for dead in self._places[position].dead:
            self.values[dead] = None

    def bring_outputs(self, outputs: Sequence[int]) -> tuple[tuple[Tensor, ...], dict[GradientEdge, int]]:
        """What the loss reads, and the edges of it; the outputs are let go."""
        brought = self._cut(outputs)
        self.values = [None] * len(self._places)
        return brought

    def take_loss(self, loss: Loss, outputs: tuple[Tensor, ...], edges: Mapping[GradientEdge, int]) -> None:
        """Compute it and its gradients with regard to the outputs."""
        found = torch.autograd.grad([loss(outputs)], list(edges), allow_unused=True)
        for position, gradient in zip(edges.values(), found, strict=True):
            self._gradients[position] = gradient

    def has_backward(self, position: int) -> bool:
        """Whether a gradient arrived, and goes anywhere."""
        place = self._places[position]
        return self._gradients[position] is not None and bool(self._in_edges[position] or place.weights)

    def backward(self, position: int) -> None:
        """Hand the gradient on to the sources and the weights."""
        weights, sources = self._places[position].weights, self._in_edges[position]
        edge, self._out_edges[position] = self._out_edges[position], None
        gradient, self._gradients[position] = self._gradients[position], None
        assert edge is not None
        assert gradient is not None
        if edge in sources:
            # The node does nothing, as a dropout of 0: its output is its very input.
            self._add(sources[edge], gradient)
            return
        wanted: list[Any] = [*sources, *weights]  # edges and tensors, which torch takes together but does not annotate
        found = torch.autograd.grad([edge], wanted, [gradient], allow_unused=True)
        for source, arrived in zip(sources.values(), found, strict=False):
            if arrived is not None:
                self._add(source, arrived)
        for weight, arrived in zip(weights, found[len(sources) :], strict=True):
            weight.grad = arrived

    def _cut(self, sources: Sequence[int]) -> tuple[tuple[Tensor, ...], dict[GradientEdge, int]]:
        arriving, edges = [], {}
        # Older versions of torch have no type for it.
        cut: Callable[[Tensor, Tensor], Tensor] = _Cut.apply
        for source in sources:
            value = self.values[source]
            assert value is not None
            if value.requires_grad:
                value = cut(self._token, value.detach())
                edges[get_gradient_edge(value)] = source
            arriving.append(value)
        return tuple(arriving), edges

    def _add(self, source: int, gradient: Tensor) -> None:
        # Where several nodes read one output, autograd adds up behind each: that counts as the later one's.
        before = self._gradients[source]
        self._gradients[source] = gradient if before is None else before + gradient


class _Ledger:
    """Which storages autograd keeps, and which node made them."""

    def __init__(self, own: Sequence[Tensor]) -> None:
        # By the address of the storage's own object: views share it.
        self._not_counted = {tensor.untyped_storage()._cdata for tensor in own}
        self._makers: dict[int, int] = {}
        self._kept: dict[int, tuple[int, torch.UntypedStorage]] = {}
        """By address, with the maker; held, so that no address is used twice."""
        self.position = 0
        """Which node computes."""

    def keep(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        address = storage._cdata
        if address not in self._not_counted and address not in self._kept:
            self._kept[address] = (self._makers.get(address, self.position), storage)
        return tensor

    def made(self, position: int, value: Tensor | None) -> None:
        assert value is not None
        self._makers.setdefault(value.untyped_storage()._cdata, position)

    def forget(self, value: Tensor | None, values: Sequence[Tensor | None]) -> None:
        """An output goes: its address may be used again unless the storage is kept or another output lies in it."""
        assert value is not None
        address = value.untyped_storage()._cdata
        others = (v for v in values if v is not None and v is not value)
        if address not in self._kept and all(other.untyped_storage()._cdata != address for other in others):
            self._makers.pop(address, None)

    def kept_bytes(self) -> dict[int, int]:
        """By the maker's place; what the loss made lies behind the last."""
        found: dict[int, int] = {}
        for maker, storage in self._kept.values():
            found[maker] = found.get(maker, 0) + storage.nbytes()
        return found


def _places(network: Network) -> list[_Place]:
    """The nodes that the outputs need, in order, the input first."""
    architecture = network.architecture
    needed = set(architecture.outputs)
    readers: dict[str, str] = {}
    for node in reversed(architecture.nodes):
        if node.id in needed:
            for source in node.inputs:
                needed.add(source)
                readers.setdefault(source, node.id)
    # As in a step: the caller holds the images and the outputs.
    stays = {architecture.nodes[0].id, *architecture.outputs}
    dying: dict[str, list[str]] = {}
    for source, reader in readers.items():
        if source not in stays:
            dying.setdefault(reader, []).append(source)
    ordered = [node for node in architecture.nodes if node.id in needed or node is architecture.nodes[0]]
    index = {node.id: position for position, node in enumerate(ordered)}
    return [
        _Place(
            node.id,
            _function(network, node.id) if position else None,
            tuple(index[source] for source in node.inputs),
            _weights(network, node.id),
            tuple(index[source] for source in dying.get(node.id, ())),
        )
        for position, node in enumerate(ordered)
    ]


def _function(network: Network, node_id: str) -> Callable[..., Tensor]:
    call = network.calls[node_id]
    function: Callable[..., Tensor]
    if isinstance(call, ModuleCall):
        module = network.node_module(node_id)
        assert module is not None
        function = module
    else:
        function = partial(OPERATORS[call.name], **call.arguments)
    if isinstance(network, SplitNetwork):
        return partial(_computed_on, network.device_of(node_id), function)
    return function


def _computed_on(device: torch.device, function: Callable[..., Tensor], *values: Tensor) -> Tensor:
    return function(*(value.to(device) for value in values))


def _with_moves(loss: Loss, device: torch.device, outputs: Sequence[Tensor]) -> Tensor:
    return loss([output.to(device) for output in outputs])


def _weights(network: Network, node_id: str) -> tuple[Tensor, ...]:
    module = network.node_module(node_id)
    return () if module is None else tuple(weight for weight in module.parameters() if weight.requires_grad)
