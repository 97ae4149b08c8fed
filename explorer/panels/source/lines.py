"""Where a node stands in the exported source: found by reading the source as Python, not by how it was written."""

import ast
from typing import NamedTuple


class Lines(NamedTuple):
    """Lines of the source, both ends included, from 0."""

    first: int
    last: int


def lines_of(source: str, network_class: str, node_id: str) -> list[Lines]:
    """The lines that construct a node's module, then those that call it; none where the node has no module.

    Args:
        network_class: the class that is the whole network; the id's parts are looked up from there.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    classes = {item.name: item for item in tree.body if isinstance(item, ast.ClassDef)}
    owner: ast.AST | None = classes.get(network_class)
    caller: ast.ClassDef | None = None
    made: ast.expr | None = None
    for part in node_id.split("."):
        made = _child(owner, part)
        if made is None:
            return []
        if isinstance(owner, ast.ClassDef):
            caller = owner
        name = made.func.id if isinstance(made, ast.Call) and isinstance(made.func, ast.Name) else ""
        owner = classes.get(name, made)
    if made is None:
        return []
    found = [Lines(made.lineno - 1, (made.end_lineno or made.lineno) - 1)]
    if caller is not None:
        last = node_id.rpartition(".")[2]
        found += [
            Lines(call.lineno - 1, (call.end_lineno or call.lineno) - 1)
            for call in ast.walk(caller)
            if isinstance(call, ast.Call) and _called(call) == last
        ]
    return found


def _child(owner: ast.AST | None, name: str) -> ast.expr | None:
    """The expression that constructs the child of that name, in a class or in one of torch's containers."""
    if isinstance(owner, ast.ClassDef):
        for item in ast.walk(owner):
            if isinstance(item, ast.Assign) and _assigned(item.targets[0]) == name:
                return item.value
            if isinstance(item, ast.Call) and _method(item) == "add_module" and _constant(item.args[0]) == name:
                return item.args[1]
        return None
    if not isinstance(owner, ast.Call) or not owner.args:
        return None
    arguments = owner.args
    first = arguments[0]
    if isinstance(first, ast.Call) and isinstance(first.func, ast.Name) and first.func.id == "OrderedDict":
        pairs = first.args[0].elts if first.args and isinstance(first.args[0], ast.List) else []
        named = [pair for pair in pairs if isinstance(pair, ast.Tuple) and len(pair.elts) == 2]
        return next((pair.elts[1] for pair in named if _constant(pair.elts[0]) == name), None)
    if isinstance(first, ast.List):
        arguments = first.elts
    return arguments[int(name)] if name.isdigit() and int(name) < len(arguments) else None


def _assigned(target: ast.expr) -> str | None:
    """The submodule that `self.name = ...` or `self._modules["name"] = ...` sets."""
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute):
        return _constant(target.slice)
    return None


def _called(call: ast.Call) -> str | None:
    """The last part of the submodule that is called."""
    function = call.func
    if isinstance(function, ast.Attribute):
        root: ast.expr = function
        while isinstance(root, (ast.Attribute, ast.Subscript)):
            root = root.value
        return function.attr if isinstance(root, ast.Name) and root.id == "self" else None
    if isinstance(function, ast.Subscript):
        return _constant(function.slice)
    if isinstance(function, ast.Call) and _method(function) == "get_submodule":
        return _constant(function.args[0])
    return None


def _method(call: ast.Call) -> str | None:
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def _constant(expression: ast.expr) -> str | None:
    return str(expression.value) if isinstance(expression, ast.Constant) else None
