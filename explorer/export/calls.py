"""A layer's torch call as source text: only the arguments that torch would not choose itself."""

from functools import lru_cache

from explorer.layers import Kind, Layer, ModuleCall, OperatorCall, Shape

# torch has no default here, or another one, although the layer has: written always.
_ALWAYS_WRITTEN = {("Softmax", "dim")}


# The source is written anew at each edit, and then all layers but one are the same.
@lru_cache(maxsize=8192)
def constructor(layer: Layer, inputs: tuple[Shape, ...]) -> tuple[str, tuple[str, ...]] | OperatorCall:
    """What is called and its arguments: `("nn.Conv2d", ("1", "6", "kernel_size=5"))`; an operator's call as it is."""
    call = layer.call(inputs)
    if not isinstance(call, ModuleCall):
        return call
    arguments = []
    for parameter in layer.hyper_parameters:
        name, value = parameter.name, call.arguments[parameter.name]
        if parameter.kind is Kind.FOLLOWS or (parameter.kind is Kind.INTEGER and parameter.required):
            # The sizes that every torch layer takes first.
            arguments.append(_written(value))
        elif parameter.required:
            # A pooling's windows lie side by side unless told otherwise.
            if name != "stride" or value != call.arguments.get("kernel_size"):
                arguments.append(f"{name}={_written(value)}")
        elif value != parameter.default or (call.name, name) in _ALWAYS_WRITTEN:
            arguments.append(f"{name}={_written(value)}")
    return f"nn.{call.name}", tuple(arguments)


def operation(call: OperatorCall, names: list[str]) -> str:
    """The expression of an operator on variables: `a + b`, `torch.cat((a, b), dim=1)`."""
    if call.name == "add":
        return " + ".join(names)
    options = "".join(f", {name}={_written(value)}" for name, value in call.arguments.items())
    return f"torch.{call.name}(({', '.join(names)}){options})"


def _written(value: object) -> str:
    if isinstance(value, tuple) and len(set(value)) == 1:
        return repr(value[0])
    return repr(value)
