"""From an architecture to the `nn.Module` that runs it: `build_module`. Weights from files are `weights`.

Submodules lie at their node's dotted path, so `layer1.0.conv1` owns `layer1.0.conv1.weight` of the `state_dict`.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.architecture import Architecture
from explorer.inference import Inference, infer
from explorer.layers import Call, ModuleCall
from explorer.runtime import own_modules
from explorer.runtime.operators import OPERATORS


class NotRunnable(ValueError):  # noqa: N818 - it says what is wrong with the architecture
    """An architecture that torch cannot run; the message is its first error's, with the node before it."""


class ForwardStep(NamedTuple):
    """One call of a forward pass, whose values lie in numbered slots."""

    function: Callable[..., Tensor]
    sources: tuple[int, ...]
    target: int
    dead: tuple[int, ...]
    """Slots that nothing reads after this step."""


class ForwardPlan(NamedTuple):
    """The calls that give the values asked for; slot 0 holds the input."""

    steps: tuple[ForwardStep, ...]
    wanted: tuple[int, ...]
    """Slots of the values asked for, in the order of asking."""
    num_slots: int


class Network(nn.Module):
    """An architecture as a module. `forward` computes what the outputs need and nothing else.

    A frozen batch norm stays in evaluation mode while the network trains: it normalises by its running mean and
    variance, which do not move. Left in training mode it would go on following the new data's statistics, so a "frozen"
    network would change with every batch (documentation of `torch.nn.BatchNorm2d`: running estimates are kept during
    training, whatever `requires_grad` says). Keras' `trainable = False` and torchvision's `FrozenBatchNorm2d` mean the
    same. An instance norm that keeps statistics follows the same rule; a frozen dropout goes on dropping.
    """

    repeated: frozenset[str] = frozenset()
    """Nodes that more than one device computes, each for what it reads there itself."""

    def __init__(self, architecture: Architecture, calls: Mapping[str, Call], modules: Mapping[str, nn.Module]) -> None:
        """Wire up modules that exist already; use `build_module` to make them.

        Args:
            architecture: the network.
            calls: each node's torch call.
            modules: the module of each node whose call is a `ModuleCall`.
        """
        super().__init__()
        self.architecture = architecture
        self.calls = dict(calls)
        self._by_id = dict(modules)
        for node_id, module in modules.items():
            _place(self, node_id, module)
        self._forward_plan = self._plan(architecture.outputs)
        self._trace_plan: tuple[tuple[str, ...], ForwardPlan] = (architecture.outputs, self._forward_plan)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """`(N, C, H, W)` to the one output, or to a tuple in the order of `architecture.outputs`."""
        outputs = _run(self._forward_plan, x)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def train(self, mode: bool = True) -> Self:
        """Training or evaluation mode for all modules; frozen norms with running statistics stay in evaluation mode."""
        super().train(mode)
        if mode:
            for node_id, module in self._by_id.items():
                if self.architecture[node_id].frozen:
                    for part in module.modules():
                        if getattr(part, "running_mean", None) is not None:
                            part.eval()
        return self

    def trace(self, x: Tensor, node_ids: Iterable[str]) -> dict[str, Tensor]:
        """The outputs of the nodes, in one pass that computes what they need and nothing else.

        Raises:
            KeyError: no such node.
        """
        ids = tuple(node_ids)
        if ids != self._trace_plan[0]:
            self._trace_plan = (ids, self._plan(ids))
        return dict(zip(ids, _run(self._trace_plan[1], x), strict=True))

    def visit(self, x: Tensor, seen: Callable[[str, Tensor], None]) -> None:
        """Hand over the output of every node, in one pass that keeps none longer than it is needed.

        Args:
            x: `(N, C, H, W)`.
            seen: receives a node's id and its output, as `trace` gives it.
        """
        ids = tuple(node.id for node in self.architecture.nodes)
        plan = self._plan(ids)
        shown = dict(zip(plan.wanted, ids, strict=True))
        last_step = {source: place for place, step in enumerate(plan.steps) for source in step.sources}
        values = {0: x}
        seen(shown[0], x)
        for place, step in enumerate(plan.steps):
            value = step.function(*[values[source] for source in step.sources])
            if step.target in shown:
                seen(shown[step.target], value)
            if step.target in last_step:
                values[step.target] = value
            for source in {*step.sources}:
                if last_step[source] == place:
                    del values[source]

    def node_module(self, node_id: str) -> nn.Module | None:
        """The node's own module; None if it is an operator."""
        return self._by_id.get(node_id)

    def _plan(self, node_ids: Sequence[str]) -> ForwardPlan:
        architecture = self.architecture
        index = architecture.structure.index
        wanted = tuple(index[node_id] for node_id in node_ids)
        needed = set(wanted)
        last_reader: dict[int, int] = {}
        for position in range(max(needed, default=0), -1, -1):
            if position in needed:
                for source in architecture.nodes[position].inputs:
                    needed.add(index[source])
                    last_reader.setdefault(index[source], position)
        dying: dict[int, list[int]] = {}
        for slot, reader in last_reader.items():
            if slot not in wanted:
                dying.setdefault(reader, []).append(slot)
        steps = []
        for position in sorted(needed):
            node = architecture.nodes[position]
            if position:  # Slot 0 holds the input already.
                sources = tuple(index[source] for source in node.inputs)
                steps.append(ForwardStep(self._function(node.id), sources, position, tuple(dying.get(position, ()))))
        return ForwardPlan(tuple(steps), wanted, max(needed, default=0) + 1)

    def _function(self, node_id: str) -> Callable[..., Tensor]:
        call = self.calls[node_id]
        if isinstance(call, ModuleCall):
            return self._by_id[node_id]
        return partial(OPERATORS[call.name], **call.arguments)


def build_module(architecture: Architecture, *, seed: int | None = None, reuse: Network | None = None) -> Network:
    """The architecture as a module on the CPU, in training mode but for frozen norms, with torch's initialisation.

    With a seed, a node's weights depend on the seed, its id and its call only: an edit elsewhere in the network does
    not change them. torch's global random state is neither read nor written then, so a run in another thread goes on
    undisturbed.

    Args:
        architecture: the network.
        seed: where the weights' random numbers start; None draws from torch's global state.
        reuse: a network that is given up for this one: its modules are taken over where id and call are the same.

    Raises:
        NotRunnable: the architecture has errors.
    """
    calls = node_calls(architecture, infer(architecture))
    modules = {}
    for node_id, call in calls.items():
        if isinstance(call, ModuleCall):
            kept = reuse.node_module(node_id) if reuse is not None and reuse.calls.get(node_id) == call else None
            modules[node_id] = kept if kept is not None else build_node(node_id, call, seed)
            modules[node_id].requires_grad_(not architecture[node_id].frozen)
    return Network(architecture, calls, modules).train()


def node_calls(architecture: Architecture, inference: Inference) -> dict[str, Call]:
    """Each node's torch call, with what follows its input filled in.

    Raises:
        NotRunnable: the architecture has errors.
    """
    if errors := inference.errors:
        raise NotRunnable(errors[0].text)
    reports = inference.nodes
    calls = {}
    for node in architecture.nodes:
        shapes = [reports[source].output_shape for source in node.inputs]
        calls[node.id] = node.layer.call(tuple(shape for shape in shapes if shape is not None))
    return calls


class _OwnGenerator(TorchFunctionMode):
    """Hands torch's initialisers of this thread a generator, since layers' constructors do not take one."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self._generator = generator

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if "generator" in given and given["generator"] is None:
            given["generator"] = self._generator
        return func(*args, **given)


def build_node(node_id: str, call: ModuleCall, seed: int | None) -> nn.Module:
    """The module of one node as `build_module` makes it, in training mode."""
    make: Callable[..., nn.Module] = getattr(own_modules if call.is_own else nn, call.name)
    if seed is None:
        return make(**call.arguments)
    generator = torch.Generator().manual_seed(node_seed(seed, node_id))
    with _OwnGenerator(generator):
        return make(**call.arguments)


def node_seed(seed: int, node_id: str) -> int:
    """The seed of one node's weights."""
    return zlib.crc32(f"{seed}:{node_id}".encode())


def _place(root: nn.Module, path: str, module: nn.Module) -> None:
    parent = root
    *parents, name = path.split(".")
    # `_modules` and not `add_module`, which refuses the names of Module's methods ("type", "half"); these may be ids.
    for part in parents:
        child = parent._modules.get(part)
        if child is None:
            child = parent._modules[part] = nn.Module()
        parent = child
    parent._modules[name] = module


def _run(plan: ForwardPlan, x: Tensor) -> list[Tensor]:
    values: list[Any] = [None] * plan.num_slots
    values[0] = x
    for function, sources, target, dead in plan.steps:
        values[target] = function(*[values[source] for source in sources])
        for slot in dead:
            values[slot] = None
    return [values[slot] for slot in plan.wanted]
