"""Small random networks of all registered layers, with values that often do not fit."""

import random

from explorer import layers as L  # noqa: N812
from explorer.architecture import Architecture, Node
from explorer.layers import HyperParameter, Kind, Layer

TYPES = tuple(cls for cls in L.layer_types() if cls not in (L.Input, L.Opaque))
"""What an opaque layer takes, torch alone can say."""
_COMMON: tuple[type[Layer], ...] = (
    L.Add,
    L.BatchNorm2d,
    L.Concat,
    L.Conv2d,
    L.Flatten,
    L.Linear,
    L.MaxPool2d,
    L.Mul,
    L.ReLU,
    L.Softmax,
    L.Sub,
)


def random_layer(rng: random.Random, cls: type[Layer]) -> Layer:
    """A layer of that type with random values, some left at their defaults."""
    while True:
        values = {
            parameter.name: _value(parameter, rng)
            for parameter in cls.hyper_parameters
            if parameter.required or rng.random() < 0.6
        }
        try:
            return cls(**values)
        except ValueError:
            continue  # values that do not go together


def random_network(rng: random.Random) -> Architecture:
    """One to six layers behind an input of at most 12×12, with branches, and at times two outputs."""
    image = L.Input(channels=rng.choice([1, 2, 3, 4, 6]), height=rng.randint(1, 12), width=rng.randint(1, 12))
    nodes = [Node(id="input", layer=image, inputs=())]
    for number in range(rng.randint(1, 6)):
        layer = random_layer(rng, rng.choice(TYPES if rng.random() < 0.6 else _COMMON))
        ids = [node.id for node in nodes]
        first = ids[-1] if rng.random() < 0.8 else rng.choice(ids)
        others = [rng.choice(ids) for _ in range(rng.randint(1, 2))] if layer.max_inputs is None else []
        nodes.append(Node(id=f"node{number}", layer=layer, inputs=(first, *others)))
    outputs = [nodes[-1].id]
    if rng.random() < 0.2 and len(nodes) > 2:
        outputs.insert(rng.randint(0, 1), rng.choice(nodes[:-1]).id)
    return Architecture(name="random", nodes=tuple(nodes), outputs=tuple(outputs))


def _value(parameter: HyperParameter, rng: random.Random) -> object:
    least = -2 if parameter.minimum is not None and parameter.minimum < 0 else 0

    def whole(most: int) -> int:
        low = least if parameter.minimum is None else max(least, int(parameter.minimum))
        return rng.randint(low, max(low, most))

    match parameter.kind:
        case Kind.INTEGER:
            return whole(6)
        case Kind.PAIR:
            return (whole(5), whole(5))
        case Kind.FOLLOWS:
            return None if rng.random() < 0.5 else whole(9)
        case Kind.REAL:
            return parameter.default if rng.random() < 0.5 else rng.choice([0.25, 0.5, 1.0])
        case Kind.FLAG:
            return rng.random() < 0.5
        case Kind.CHOICE:
            return rng.choice(parameter.options)
        case Kind.PADDING:
            sides = tuple(rng.randint(-2, 3) for _ in range(4))
            return rng.choice(["same", "valid", (rng.randint(0, 3), rng.randint(0, 3)), sides])
        case Kind.INTEGERS:
            return tuple(whole(5) for _ in range(rng.randint(1, 3)))
        case Kind.CONNECTIONS:
            return tuple(tuple(rng.sample(range(6), rng.randint(1, 4))) for _ in range(rng.randint(1, 4)))
    return parameter.default
