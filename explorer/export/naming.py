"""Names in exported source: from ids and titles to identifiers that Python and `nn.Module` leave free."""

import builtins
import keyword
import re

MODULE_ATTRIBUTES = frozenset(
    [
        "T_destination",
        "add_module",
        "append",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extend",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "insert",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "pop",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    ]
)
"""Public attributes of torch's modules and containers: a layer of that name would hide one, or be hidden by it."""

_TAKEN = frozenset({"self", "super", "torch", "nn", "Tensor", "OrderedDict", "F"})
_LONGEST = 24
"""Characters of a variable's name, so that a statement with two of them fits a line."""
_RESERVED = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | _TAKEN


def is_hidden(name: str) -> bool:
    """Whether `module.name` would not reach a submodule of that name, or break the module."""
    return name in MODULE_ATTRIBUTES or name.startswith("_")


def attribute(owner: str, name: str) -> str:
    """The expression that reads the submodule `name` of `owner`."""
    if is_hidden(name):
        return f'{owner}._modules["{name}"]'
    if name.isidentifier() and not keyword.iskeyword(name):
        return f"{owner}.{name}"
    return f'{owner}.get_submodule("{name}")'


def target(name: str) -> str | None:
    """What `self` takes a submodule as; None where only `add_module` can name it so."""
    if is_hidden(name):
        return f'self._modules["{name}"]'
    return f"self.{name}" if name.isidentifier() and not keyword.iskeyword(name) else None


def variable(node_id: str) -> str:
    """A local variable's name for the value of a node or block: "conv1", "features_3"."""
    parts = node_id.split(".")
    first = len(parts) - 1
    while first and not parts[first][0].isalpha():
        first -= 1
    name = "_".join(parts[first:]).strip("_") or "value"
    if not name[0].isalpha():
        name = f"value_{name}"
    name = name[:_LONGEST].rstrip("_")
    return f"{name}_" if name in _RESERVED else name


def class_name(text: str, otherwise: str) -> str:
    """A class's name from a title or path: "LeNet-5, max pooling" gives "LeNet5MaxPooling"."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "".join(word[0].upper() + word[1:] for word in words)
    if not name or not name[0].isalpha():
        name = otherwise + name
    return f"{name}Net" if name in _RESERVED else name


def one_line(text: str) -> str:
    """A text from anywhere as one line that no terminal and no comment trips over."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class Names:
    """Hands out names that are each used once: "branch", "branch2", "branch3"."""

    def __init__(self, taken: tuple[str, ...] = ()) -> None:
        self._taken = set(taken)

    def fresh(self, wanted: str) -> str:
        """The wanted name, with a number where it is taken."""
        name, number = wanted, 2
        while name in self._taken:
            separator = "_" if wanted[-1].isdigit() else ""
            name, number = f"{wanted}{separator}{number}", number + 1
        self._taken.add(name)
        return name
