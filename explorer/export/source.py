"""From an architecture to PyTorch source that needs torch only and reads as if written by hand. Imports no torch.

One class for the network and one for each distinct block; the names in `state_dict` are the nodes' ids. Which block is
a class, and what enters and leaves it, is worked out in `scopes`; variables are chosen in `flow`, names in `naming`.
Nothing here raises: a network with faults gives the source up to them, with a comment in the faulty layer's place.
"""

import re
import textwrap
from collections.abc import Iterable
from functools import lru_cache

from explorer.architecture import Architecture
from explorer.export.calls import constructor, operation
from explorer.export.flow import Step, name_values
from explorer.export.naming import Names, assignment, attribute, class_name, is_hidden, one_line
from explorer.export.scopes import Scope, divide
from explorer.inference import Inference, infer
from explorer.layers import OperatorCall, Shape, format_shape

_WIDTH = 88  # ruff's and black's
_INDENT = "    "
# Around the number of a class whose name is not chosen yet; no id and no message holds this character.
_MARK = "\0"


def to_source(architecture: Architecture, inference: Inference | None = None) -> str:
    """A Python module that defines the network and, run as a script, prints its output shapes.

    The network's class is `network_class_name(architecture)`. Its `state_dict` has exactly the names of the built
    module's, so that weights load with `strict=True`. Several outputs are returned as a tuple.

    Args:
        inference: what `infer` says of the architecture, if it is at hand.
    """
    return _Writer(architecture, inference or infer(architecture)).text()


def network_class_name(architecture: Architecture) -> str:
    """The name of the network's class in its source: "LeNet-5" gives "LeNet5"."""
    return class_name(architecture.name, "Network")


class _Writer:
    """Writes one network: blocks first, from the innermost outwards, since a class stands above its use."""

    def __init__(self, architecture: Architecture, inference: Inference) -> None:
        self._architecture = architecture
        self._inference = inference
        self._faults = {issue.node_id: issue.text for issue in inference.errors}
        self._modules: dict[str, tuple[str, tuple[str, ...]]] = {}
        """What constructs each known module, and its arguments, by node id."""
        self._operators: dict[str, OperatorCall] = {}
        self._read_calls()
        self._division = divide(architecture, inference, self._modules)
        self._kinds = {block.path: block.kind for block in architecture.blocks}
        self._blocks: dict[str, list[str]] = {}
        """How each block is constructed, as lines, by path."""
        self._classes: dict[str, tuple[int, list[str]]] = {}
        """Each distinct body of a class, with its number and the paths of the blocks that it is for."""

    def _read_calls(self) -> None:
        reports = self._inference.nodes
        for node in self._architecture.nodes[1:]:
            report = reports[node.id]
            if report.output_shape is None:
                continue
            arriving: tuple[Shape, ...] = report.input_shapes  # type: ignore[assignment]  # else it had no output
            call = constructor(report.layer, arriving)
            if isinstance(call, OperatorCall):
                self._operators[node.id] = call
            else:
                self._modules[node.id] = call

    def text(self) -> str:
        """The whole module."""
        network = ""
        for scope in self._division.inner_first():
            if not scope.path:
                network = self._class_body(scope)
            elif scope.has_modules:
                self._blocks[scope.path] = self._block(scope)
        own_name = network_class_name(self._architecture)
        names = Names((own_name, "Tensor", "OrderedDict"))
        classes, class_names = [], {}
        for body, (number, paths) in self._classes.items():
            classes.append(f"class {_MARK}{number}{_MARK}(nn.Module):\n{body}")
            class_names[str(number)] = names.fresh(self._shared_name(paths))
        classes.append(f"class {own_name}(nn.Module):\n{network}")
        text = re.sub(f"{_MARK}([0-9]+){_MARK}", lambda mark: class_names[mark[1]], "\n\n".join(classes))
        ordered = "from collections import OrderedDict\n\n" if "OrderedDict(\n" in text else ""
        imports = f"{ordered}import torch\nfrom torch import Tensor, nn\n"
        return "\n".join((self._header(), imports, "", text, "", self._smoke_run(own_name)))

    # The parts of the module

    def _header(self) -> str:
        totals, shape = self._inference.totals, format_shape(self._architecture.input_shape)
        lines = [
            f"# {one_line(self._architecture.name)}",
            f"# Input {shape}, {totals.num_parameters:,} parameters, {totals.macs:,} MACs an image.",
            "# Written by Architecture Explorer; needs torch only.",
        ]
        if self._faults:
            lines += ["#", "# Incomplete: it ends before what is wrong."]
            for text in self._faults.values():
                lines += _comment(text, 0)
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

    def _block(self, scope: Scope) -> list[str]:
        """The lines that construct a block: one of torch's containers, or a class of its own."""
        children = [path for path in scope.children if path in self._modules or path in self._blocks]
        names = [_last(path) for path in children]
        counted = names == [str(number) for number in range(len(names))]
        if scope.is_open and counted:
            return self._container(scope, "nn.ModuleList(", "[")
        if any(name.isdigit() for name in names) and self._is_chain(scope, children):
            if counted:
                return self._container(scope, "nn.Sequential(")
            if not any(is_hidden(name) for name in names):
                return self._container(scope, "nn.Sequential(", "OrderedDict(", "[")
        body = self._class_body(scope)
        number, paths = self._classes.setdefault(body, (len(self._classes), []))
        paths.append(scope.path)
        return [f"{_MARK}{number}{_MARK}()"]

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

    def _container(self, scope: Scope, *opening: str) -> list[str]:
        """One of torch's containers, around as many lists and dicts as it wants; a dict names its members."""
        lines: list[str] = []
        for path in scope.children:
            before, after = (f'("{_last(path)}", ', "),") if len(opening) == 3 else ("", ",")
            if path in self._modules:
                made = self._constructor(path, 8 + len(opening) * len(_INDENT) + len(before))
                lines += _between(before, made, f"{after}  # {self._shapes((path,))}")
            elif path in self._blocks:
                lines += _between(before, self._blocks[path], after)
            else:
                lines += self._complaints(path)
        for bracket in reversed(opening):
            lines = [bracket, *_indented(lines), "]" if bracket == "[" else ")"]
        return lines

    def _constructor(self, node_id: str, column: int) -> list[str]:
        """The lines that construct a node's module, the first of which begins at `column`."""
        name, arguments = self._modules[node_id]
        listed = ", ".join(arguments)
        if column + len(name) + len(listed) + 2 <= _WIDTH:
            return [f"{name}({listed})"]
        if 12 + len(listed) <= _WIDTH:
            return [f"{name}(", f"{_INDENT}{listed}", ")"]
        return [f"{name}(", *(f"{_INDENT}{argument}," for argument in arguments), ")"]

    def _complaints(self, path: str) -> list[str]:
        """What is wrong with a node, or inside a block of which nothing is known."""
        lines = []
        for node_id, text in self._faults.items():
            if node_id == path or node_id.startswith(f"{path}."):
                lines += _comment(text, 12)
        return lines

    # Classes

    def _class_body(self, scope: Scope) -> str:
        lines = [f'"""{self._summary(scope)}"""', "", "def __init__(self) -> None:", f"{_INDENT}super().__init__()"]
        for path in scope.children:
            before, after = assignment(_last(path))
            if path in self._modules:
                unread = "" if path in self._division.computed else "  # nothing reads it"
                made = self._constructor(path, 8 + len(before))
                lines += _indented(_between(before, made, after + unread))
            elif path in self._blocks:
                lines += _indented(_between(before, self._blocks[path], after))
            else:
                lines += _indented(self._complaints(path))
        if not scope.is_open:
            lines += ["", *self._forward(scope)]
        return "".join(f"{_INDENT}{line}\n" if line else "\n" for line in lines)

    def _summary(self, scope: Scope) -> str:
        kind = " ".join("".join(c for c in self._kinds.get(scope.path, "") if c.isalnum() or c == " ").split())
        what = kind[:1].upper() + kind[1:] if kind else "Block" if scope.path else "The network"
        if scope.is_open:
            return f"{what}: its layers are called one by one from outside."
        return f"{what}: {self._batches(scope.inputs)} to {self._batches(self._results(scope))}."

    def _results(self, scope: Scope) -> tuple[str, ...]:
        return tuple(scope.outputs) if scope.path else self._division.targets

    def _forward(self, scope: Scope) -> list[str]:
        steps = [self._step(unit) for unit in scope.units]
        inputs, results = tuple(scope.inputs), self._results(scope)
        names = name_values(self._architecture, inputs, steps, results)
        parameters = ", ".join(f"{names[value]}: Tensor" for value in inputs)
        hint = "Tensor" if len(results) == 1 else f"tuple[{', '.join(['Tensor'] * len(results))}]"
        lines = [f"def forward(self, {parameters}) -> {hint}:"]
        for step in steps:
            arriving = [names[value] for value in step.sources]
            operator = self._operators.get(step.unit)
            if operator is not None:
                expression = operation(operator, arriving)
            else:
                expression = f"{self._reached(scope, step.unit)}({', '.join(arriving)})"
            leaving = ", ".join(names[value] for value in step.values)
            lines.append(f"{_INDENT}{leaving} = {expression}  # {self._shapes(step.values)}")
        if not scope.path and self._faults:
            lines += _indented(_comment(f"{' and '.join(self._faults)}, and what reads it, is missing", 8))
        return [*lines, f"{_INDENT}return {', '.join(names[value] for value in results)}"]

    def _reached(self, scope: Scope, unit: str) -> str:
        """The expression that reads a unit's module in a method of `scope`'s class, through open blocks between."""
        owner, path = "self", scope.path
        for name in unit[len(path) + 1 if path else 0 :].split("."):
            is_list = path != scope.path and self._blocks[path][0] == "nn.ModuleList("
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
        return " and ".join(f"({', '.join(('N', *map(str, self._shape(value))))})" for value in values)


_formatted = lru_cache(maxsize=4096)(format_shape)


def _last(path: str) -> str:
    return path[path.rfind(".") + 1 :]


def _comment(text: str, column: int) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(one_line(text), _WIDTH - column - 2)]


def _between(before: str, lines: list[str], after: str) -> list[str]:
    if len(lines) == 1:
        return [f"{before}{lines[0]}{after}"]
    return [before + lines[0], *lines[1:-1], lines[-1] + after]


def _indented(lines: Iterable[str]) -> list[str]:
    return [_INDENT + line for line in lines]
