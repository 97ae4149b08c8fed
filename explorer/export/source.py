"""From an architecture to PyTorch source that needs torch only and reads as if written by hand. Imports no torch.

One class for the network and one for each distinct block; the names in `state_dict` are the nodes' ids. Which block is
a class, and what enters and leaves it, is worked out in `scopes`; variables are chosen in `flow`, names in `naming`.
Nothing here raises: a network with faults gives the source up to them, with a comment in the faulty layer's place.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from explorer.architecture import Architecture
from explorer.export.calls import constructor, operation
from explorer.export.flow import Step, name_values
from explorer.export.layout import (
    INDENT,
    KEPT,
    WIDTH,
    Entry,
    Group,
    Text,
    call,
    comment_lines,
    container,
    flat,
    holds_packed,
    lay_out,
    row,
    unfolded,
    wrapped,
)
from explorer.export.naming import Names, attribute, class_name, is_hidden, one_line, target
from explorer.export.scopes import Scope, divide
from explorer.export.signatures import own_modules
from explorer.inference import Inference, infer
from explorer.layers import OperatorCall, Shape, format_shape

_FROZEN = ".requires_grad_(False)"
_MOST_HINTS = 6
# Around the number of a class whose name is not chosen yet; no id and no message holds this character.
_MARK = "\0"


def to_source(architecture: Architecture, inference: Inference | None = None, *, expects: str | None = None) -> str:
    """A Python module that defines the network and, run as a script, prints its output shapes.

    The network's class is `network_class_name(architecture)`. Its `state_dict` has exactly the names of the built
    module's, so that weights load with `strict=True`. Several outputs are returned as a tuple.

    Args:
        inference: what `infer` says of the architecture, if it is at hand.
        expects: a sentence on how its images are prepared, for the comment at the top.
    """
    return _Writer(architecture, inference or infer(architecture), expects).text()


def network_class_name(architecture: Architecture) -> str:
    """The name of the network's class in its source: "LeNet-5" gives "LeNet5"."""
    name = class_name(architecture.name, "Network")
    return f"{name}Net" if name in own_modules() else name


class _Writer:
    """Writes one network: blocks first, from the innermost outwards, since a class stands above its use."""

    def __init__(self, architecture: Architecture, inference: Inference, expects: str | None = None) -> None:
        self._architecture = architecture
        self._expects = expects
        self._inference = inference
        self._faults = {issue.node_id: issue.text for issue in inference.errors}
        self._modules: dict[str, Group] = {}
        """What constructs each known module, by node id."""
        self._own_classes: set[str] = set()
        """The classes of this program's own that are used."""
        self._operators: dict[str, OperatorCall] = {}
        self._read_calls()
        self._frozen = self._frozen_paths()
        """Paths of the layers and blocks, the outermost ones, whose parameters are all frozen; "" for the network."""
        self._division = divide(architecture, inference, self._modules)
        self._kinds = {block.path: block.kind for block in architecture.blocks}
        self._blocks: dict[str, Text] = {}
        """What constructs each block, by path."""
        self._classes: dict[str, tuple[int, list[str]]] = {}
        """Each distinct body of a class, with its number and the paths of the blocks that it is for."""

    def _read_calls(self) -> None:
        reports = self._inference.nodes
        for node in self._architecture.nodes[1:]:
            report = reports[node.id]
            if report.output_shape is None:
                continue
            arriving: tuple[Shape, ...] = report.input_shapes  # type: ignore[assignment]  # else it had no output
            made = constructor(report.layer, arriving)
            if isinstance(made, OperatorCall):
                self._operators[node.id] = made
                continue
            self._modules[node.id] = made.text
            if made.own_class is not None:
                self._own_classes.add(made.own_class)

    def _frozen_paths(self) -> frozenset[str]:
        if not any(node.frozen for node in self._architecture.nodes):
            return frozenset()
        reports = self._inference.nodes
        frozen: set[str] = set()
        trained: set[str] = set()
        for node in self._architecture.nodes:
            if node.id in self._modules and reports[node.id].num_parameters:
                parts = node.id.split(".")
                paths = ["", *(".".join(parts[:count]) for count in range(1, len(parts) + 1))]
                (frozen if node.frozen else trained).update(paths)
        whole = frozen - trained
        return frozenset(path for path in whole if not path or path.rpartition(".")[0] not in whole)

    def text(self) -> str:
        """The whole module."""
        network = ""
        for scope in self._division.inner_first():
            if not scope.path:
                network = self._class_body(scope)
            elif scope.has_modules:
                self._blocks[scope.path] = self._block(scope)
        own_name = network_class_name(self._architecture)
        brought = {name: module for name, module in own_modules().items() if name in self._own_classes}
        names = Names((own_name, "Tensor", "OrderedDict", "F", *brought))
        classes, class_names = [module.text for module in brought.values()], {}
        for body, (number, paths) in self._classes.items():
            classes.append(f"class {_MARK}{number}{_MARK}(nn.Module):\n{body}")
            class_names[str(number)] = names.fresh(self._shared_name(paths))
        classes.append(f"class {own_name}(nn.Module):\n{network}")
        text = re.sub(f"{_MARK}([0-9]+){_MARK}", lambda mark: class_names[mark[1]], "\n\n".join(classes))
        ordered = "from collections import OrderedDict\n\n" if "OrderedDict(\n" in text else ""
        imports = f"{ordered}import torch\nfrom torch import Tensor, nn\n"
        pads = any(operator.name == "pad" for operator in self._operators.values())
        if pads or any(module.uses_functional for module in brought.values()):
            imports += "from torch.nn import functional as F\n"
        return "\n".join((self._header(), imports, "", text, "", self._smoke_run(own_name)))

    # The parts of the module

    def _header(self) -> str:
        totals, shape = self._inference.totals, format_shape(self._architecture.input_shape)
        lines = [
            f"# {one_line(self._architecture.name)}",
            f"# Input {shape}, {totals.num_parameters:,} parameters, {totals.macs:,} MACs an image.",
            *([f"# {self._expects}"] if self._expects is not None else []),
            "# Written by Architecture Explorer; needs torch only.",
        ]
        if any(
            report.context.frozen and report.num_parameters and report.num_buffers
            for report in self._inference.nodes.values()
        ):
            lines.append("# Frozen norms keep their statistics too: call .eval() on them after .train().")
        if self._faults:
            lines += ["#", "# Incomplete: it ends before what is wrong."]
            for text in self._faults.values():
                lines += comment_lines(one_line(text), 0)
        return "\n".join(lines) + "\n"

    def _smoke_run(self, own_name: str) -> str:
        sizes = ", ".join(str(size) for size in (2, *self._architecture.input_shape))
        lines = [
            'if __name__ == "__main__":',
            f"    model = {own_name}().eval()",
            f"    images = torch.rand({sizes})",
            "    with torch.inference_mode():",
        ]
        if len(self._division.targets) == 1:
            lines.append("        print(tuple(model(images).shape))")
        else:
            lines += ["        for output in model(images):", "            print(tuple(output.shape))"]
        return "\n".join(lines) + "\n"

    def _shared_name(self, paths: list[str]) -> str:
        """A class's name: the block's own if it is the only one, else what its blocks are."""
        path = paths[0]
        last = path.rpartition(".")[2]
        if len(paths) == 1 and last[0].isalpha():
            return class_name(last, "Block")
        if path in self._kinds:
            return class_name(self._kinds[path], "Block")
        stem = last.rstrip("0123456789_")
        if stem[:1].isalpha():
            return class_name(stem, "Block")
        parents = [part for part in path.split(".") if part[0].isalpha()]
        return class_name(parents[-1], "Block") + "Block" if parents else "Block"

    # Blocks

    def _block(self, scope: Scope) -> Text:
        """What constructs a block: one of torch's containers, or a class of its own."""
        made = self._container_or_class(scope)
        return wrapped(made, "", _FROZEN) if scope.path in self._frozen else made

    def _container_or_class(self, scope: Scope) -> Text:
        children = [path for path in scope.children if path in self._modules or path in self._blocks]
        names = [_last(path) for path in children]
        counted = names == [str(number) for number in range(len(names))]
        if scope.is_open and counted:
            return container("nn.ModuleList", [unfolded(self._entries(scope))])
        if any(name.isdigit() for name in names) and self._is_chain(scope, children):
            if counted:
                return container("nn.Sequential", self._entries(scope))
            if not any(is_hidden(name) for name in names):
                ordered = container("OrderedDict", [unfolded(self._entries(scope, named=True))])
                return container("nn.Sequential", [ordered])
        body = self._class_body(scope)
        number, paths = self._classes.setdefault(body, (len(self._classes), []))
        paths.append(scope.path)
        return f"{_MARK}{number}{_MARK}()"

    def _is_chain(self, scope: Scope, children: list[str]) -> bool:
        """Whether each child takes the value of the one before it and nothing else, and only the last one's leaves."""
        if scope.is_open or scope.units != children or len(scope.inputs) != 1:
            return False
        (value,) = scope.inputs
        for unit in scope.units:
            step = self._step(unit)
            if step.sources != (value,) or len(step.values) != 1:
                return False
            (value,) = step.values
        return tuple(scope.outputs) == (value,)

    def _step(self, unit: str) -> Step:
        scope = self._division.scopes.get(unit)
        if scope is None:
            return Step(unit, self._architecture[unit].inputs, (unit,))
        return Step(unit, tuple(scope.inputs), tuple(scope.outputs))

    def _entries(self, scope: Scope, *, named: bool = False) -> list[Entry]:
        """What stands in a container, each with its name where the container does not count."""
        entries = []
        for path in scope.children:
            made = self._made(path)
            if made is None:
                entries.append(Entry(None, remarks=self._complaints(path)))
                continue
            comment = self._shapes((path,)) if path in self._modules else ""
            entries.append(Entry(row([f'"{_last(path)}"', made]) if named else made, comment))
        return entries

    def _made(self, path: str) -> Text | None:
        """What constructs a layer or block; None where it is an operator or not known."""
        module = self._modules.get(path)
        if module is None:
            return self._blocks.get(path)
        return wrapped(module, "", _FROZEN) if path in self._frozen else module

    def _complaints(self, path: str) -> tuple[str, ...]:
        """What is wrong with a node, or inside a block of which nothing is known."""
        return tuple(
            one_line(text)
            for node_id, text in self._faults.items()
            if node_id == path or node_id.startswith(f"{path}.")
        )

    # Classes

    def _class_body(self, scope: Scope) -> str:
        lines = [f'"""{self._summary(scope)}"""', "", "def __init__(self) -> None:", f"{INDENT}super().__init__()"]
        for path in scope.children:
            made = self._made(path)
            if made is None:
                for complaint in self._complaints(path):
                    lines += _indented(comment_lines(complaint, 8))
                continue
            taken = target(_last(path))
            if taken is None:
                made = call("self.add_module", [f'"{_last(path)}"', made])
            is_unread = path in self._modules and path not in self._division.computed
            unread = "nothing reads it" if is_unread else ""
            statement = lay_out(made, 8, head=f"{taken} = " if taken else "", comment=unread)
            if len(statement) > 1 and holds_packed(made):
                statement[-1] += f"  # {KEPT}"
            lines += _indented(statement)
        if not scope.path and "" in self._frozen:
            lines.append(f"{INDENT}self{_FROZEN}")
        if not scope.is_open:
            lines += ["", *self._forward(scope)]
        return "".join(f"{INDENT}{line}\n" if line else "\n" for line in lines)

    def _summary(self, scope: Scope) -> str:
        kind = " ".join("".join(c for c in self._kinds.get(scope.path, "") if c.isalnum() or c == " ").split())
        what = kind[:1].upper() + kind[1:] if kind else "Block" if scope.path else "The network"
        if scope.is_open:
            return f"{what}: its layers are called one by one from outside."
        inputs, results = tuple(scope.inputs), self._results(scope)
        summary = f"{what}: {self._batches(inputs)} to {self._batches(results)}."
        if 4 + 2 * len('"""') + len(summary) <= WIDTH:
            return summary
        return f"{what}: {_counted(inputs)} to {_counted(results)}."

    def _results(self, scope: Scope) -> tuple[str, ...]:
        return tuple(scope.outputs) if scope.path else self._division.targets

    def _forward(self, scope: Scope) -> list[str]:
        steps = [self._step(unit) for unit in scope.units]
        inputs, results = tuple(scope.inputs), self._results(scope)
        names = name_values(self._architecture, inputs, steps, results)
        parameters = ["self", *(f"{names[value]}: Tensor" for value in inputs)]
        lines = lay_out(call("def forward", parameters), 4, tail=f" -> {_hint(len(results))}:")
        for step in steps:
            arriving = [names[value] for value in step.sources]
            operator = self._operators.get(step.unit)
            leaving, shapes = [names[value] for value in step.values], self._shapes(step.values)
            if operator is not None:
                lines += _assignment(leaving, operation(operator, arriving), shapes)
                continue
            reached = self._reached(scope, step.unit)
            line = f"{INDENT}{', '.join(leaving)} = {reached}({', '.join(arriving)})  # {shapes}"
            # Nearly always; the call's parts are only put together where they must be told apart.
            lines += [line] if 4 + len(line) <= WIDTH else _assignment(leaving, call(reached, arriving), shapes)
        if not scope.path and self._faults:
            lines += _indented(comment_lines(f"{' and '.join(self._faults)}, and what reads it, is missing", 8))
        returned = _bare([names[value] for value in results])
        return [*lines, *_indented(lay_out(returned, 8, head="return "))]

    def _reached(self, scope: Scope, unit: str) -> str:
        """The expression that reads a unit's module in a method of `scope`'s class, through open blocks between."""
        owner, path = "self", scope.path
        for name in unit[len(path) + 1 if path else 0 :].split("."):
            is_list = path != scope.path and _opening(self._blocks[path]) == "nn.ModuleList("
            owner = f"{owner}[{name}]" if is_list else attribute(owner, name)
            path = f"{path}.{name}" if path else name
        return owner

    def _shape(self, node_id: str) -> Shape:
        shape = self._inference.nodes[node_id].output_shape
        assert shape is not None, node_id
        return shape

    def _shapes(self, values: Iterable[str]) -> str:
        return ", ".join([_formatted(self._shape(value)) for value in values])

    def _batches(self, values: Iterable[str]) -> str:
        return " and ".join([f"({', '.join(('N', *map(str, self._shape(value))))})" for value in values])


_formatted = lru_cache(maxsize=4096)(format_shape)


def _last(path: str) -> str:
    return path[path.rfind(".") + 1 :]


def _opening(text: Text) -> str:
    return text if isinstance(text, str) else text.opening


def _counted(values: Sequence[str]) -> str:
    return "one value" if len(values) == 1 else f"{len(values)} values"


def _hint(count: int) -> str:
    """The type of that many results."""
    if count == 1:
        return "Tensor"
    return f"tuple[{', '.join(['Tensor'] * count)}]" if count <= _MOST_HINTS else "tuple[Tensor, ...]"


def _bare(names: list[str]) -> Text:
    """`a, b`; in brackets where that is too long."""
    return row(names)._replace(flat=", ".join(names)) if len(names) > 1 else names[0]


def _assignment(targets: list[str], expression: Text, shapes: str) -> list[str]:
    """`a = expression` as lines of a method, with the shapes behind it where they fit, else above it."""
    names = ", ".join(targets)
    whole = flat(expression)
    if 8 + len(names) + len(whole) + len(shapes) + len(" =   # ") <= WIDTH:
        return [f"{INDENT}{names} = {whole}  # {shapes}"]
    if len(targets) > 1 and 8 + len(names) + len(" = (") > WIDTH:
        statement = lay_out(_bare(targets), 8, tail=f" = {whole}")
    else:
        statement = lay_out(expression, 8, head=f"{names} = ")
    return _indented([*comment_lines(shapes, 8), *statement])


def _indented(lines: Iterable[str]) -> list[str]:
    return [INDENT + line for line in lines]
