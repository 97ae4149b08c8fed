"""What the tests of the layers' statistics share: networks, and numpy's own histogram."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.layers import BatchNorm2d, Concat, Conv2d, Hardsigmoid, Linear, ReLU, ScaledTanh, Sigmoid, Tanh
from explorer.runs import Histogram
from explorer.runtime.instruments import Subject
from explorer.runtime.modules import Network
from explorer.zoo.builder import Builder, adaptive_avg_pool, conv, flatten, max_pool
from tests.networks import branching


def dense() -> Architecture:
    """Each layer reads all before it; grouped and depthwise convolutions, and a frozen one."""
    net = Builder("dense", 3, 12, 12)
    before = [net.add("stem", conv(8, 3, padding=1))]
    for place in range(3):
        net.add(f"cat{place}", Concat(), after=tuple(before)) if place else before[0]
        source = f"cat{place}" if place else before[0]
        net.add(f"norm{place}", BatchNorm2d(), after=source)
        net.add(f"relu{place}", ReLU())
        before.append(net.add(f"conv{place}", Conv2d(out_channels=8, kernel_size=(3, 3), padding=(1, 1), groups=4)))
    net.add("depthwise", Conv2d(out_channels=8, kernel_size=(3, 3), groups=8))
    net.add("tanh", Tanh())
    net.add("pool", adaptive_avg_pool(1))
    net.add("flatten", flatten())
    net.add("fc", Linear(out_features=10))
    return edits.set_frozen(net.build(), ["stem"], True)


def squashing() -> Architecture:
    """All that saturates here, and a ReLU on a vector."""
    net = Builder("squashing", 1, 8, 8)
    net.add("conv", conv(4, 3))
    net.add("scaled", ScaledTanh())
    net.add("pool", max_pool(2, 2))
    net.add("flatten", flatten())
    net.add("fc1", Linear(out_features=20))
    net.add("relu", ReLU())
    net.add("fc2", Linear(out_features=20))
    net.add("sigmoid", Sigmoid())
    net.add("fc3", Linear(out_features=20))
    net.add("hard", Hardsigmoid())
    net.add("fc4", Linear(out_features=10))
    return net.build()


NETWORKS: dict[str, Callable[[], Architecture]] = {
    "lenet5": lambda: zoo.entry("lenet5").build(),
    "lenet5-relu-dropout": lambda: zoo.entry("lenet5-relu-dropout").build(),
    "resnet20": lambda: zoo.entry("resnet20").build(),
    "branching": branching,
    "dense": dense,
    "squashing": squashing,
}


def together(tensors: Sequence[Tensor]) -> npt.NDArray[np.float32]:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).numpy()


def norm(tensors: Sequence[Tensor]) -> float:
    return float(np.linalg.norm(together(tensors).astype(np.float64)))


def assert_numpys(found: Histogram | None, values: npt.NDArray[np.float32]) -> None:
    assert found is not None
    finite = values[np.isfinite(values)]
    counts, edges = np.histogram(finite, bins=64)
    assert found.counts.tolist() == counts.tolist()
    assert (found.low, found.high) == (float(edges[0]), float(edges[-1]))
    assert found.num_not_finite == len(values) - len(finite)


def subject(network: Network, *, is_trained: bool, scale: float = 1.0) -> Subject:
    images = torch.randn(64, *network.architecture.input_shape, generator=torch.Generator().manual_seed(2))
    return Subject(
        "r",
        network,
        lambda _probe: images[:1],
        sample=lambda: images,
        is_trained=is_trained,
        gradient_scale=lambda: scale,
    )
