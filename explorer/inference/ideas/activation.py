"""One activation function for the whole network."""

from explorer.architecture import Architecture, EditRefused, Node
from explorer.inference.ideas.fitting import remembered, with_layers
from explorer.inference.ideas.idea import Form, History, Idea, Presence
from explorer.layers import (
    ELU,
    GELU,
    Category,
    Layer,
    LeakyReLU,
    LogSoftmax,
    Mul,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)

_LAYERS: dict[str, Layer] = {
    "relu": ReLU(),
    "leaky-relu": LeakyReLU(),
    "elu": ELU(),
    "gelu": GELU(),
    "silu": SiLU(),
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
}


def _form(form_id: str, title: str, explanation: str, paper: str) -> Form:
    return Form(id=form_id, title=title, text=f"Use {title} for all activations", explanation=explanation, paper=paper)


_FORMS = (
    _form(
        "relu",
        "ReLU",
        "Does not flatten out for large values, so that a deep network learns several times faster than with tanh.",
        "Krizhevsky, Sutskever and Hinton 2012, section 3.1; Nair and Hinton 2010",
    ),
    _form(
        "leaky-relu",
        "LeakyReLU",
        "Lets a small share of negative values through, so that a unit that is never positive still learns.",
        "Maas, Hannun and Ng 2013, Rectifier nonlinearities improve neural network acoustic models",
    ),
    _form(
        "elu",
        "ELU",
        "Negative values level off smoothly, which brings the mean of what a layer puts out nearer to zero.",
        "Clevert, Unterthiner and Hochreiter 2015, Fast and accurate deep network learning by ELUs",
    ),
    _form(
        "gelu",
        "GELU",
        "Bends smoothly around zero; transformers use it, and after them ConvNeXt.",
        "Hendrycks and Gimpel 2016, Gaussian error linear units",
    ),
    _form(
        "silu",
        "SiLU",
        "Each value times its own sigmoid: a search found it again as Swish, and EfficientNet uses it.",
        "Ramachandran, Zoph and Le 2017, Searching for activation functions",
    ),
    _form(
        "sigmoid",
        "sigmoid",
        "Squashes values into 0 to 1, as networks did at first; where it is flat nearly no gradient passes.",
        "Rumelhart, Hinton and Williams 1986; Glorot and Bengio 2010 show what it does to depth",
    ),
    _form(
        "tanh",
        "tanh",
        "Squashes values into −1 to 1 around zero, as LeNet does; deep networks learn slowly through it.",
        "LeCun, Bottou, Bengio and Haffner 1998; LeCun, Bottou, Orr and Müller 1998, Efficient BackProp",
    ),
)


def _exchangeable(architecture: Architecture) -> list[Node]:
    """The activations, but for what makes the outputs, and for gates, which must lie in 0 to 1 to weigh channels."""
    found = []
    for node in architecture:
        if node.layer.category is not Category.ACTIVATION or isinstance(node.layer, (Softmax, LogSoftmax)):
            continue
        readers = architecture.consumers(node.id)
        is_gate = bool(readers) and all(isinstance(architecture[reader].layer, Mul) for reader in readers)
        if not is_gate and node.id not in architecture.outputs:
            found.append(node)
    return found


def _look(architecture: Architecture, form_id: str) -> Presence:
    nodes = _exchangeable(architecture)
    count = sum(type(node.layer) is type(_LAYERS[form_id]) for node in nodes)
    return "off" if count == 0 else "on" if count == len(nodes) else "mixed"


def _change(architecture: Architecture, form_id: str, earlier: History) -> Architecture:
    nodes = _exchangeable(architecture)
    if not nodes:
        raise EditRefused(f"{architecture.name} has no activations to exchange; put some behind its convolutions first")
    wanted = _LAYERS[form_id]
    layers = {
        node.id: remembered(earlier, node.id, lambda layer: type(layer) is type(wanted)) or wanted
        for node in nodes
        if type(node.layer) is not type(wanted)
    }
    return with_layers(architecture, layers)


ACTIVATION = Idea(id="activation", title="Activation", forms=_FORMS, look=_look, change=_change)
