"""Networks of the catalogue, built and inferred once for all tests here; modules on the meta device hold no memory."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest
import torch

from explorer import zoo
from explorer.architecture import Architecture
from explorer.inference import Inference, infer
from explorer.runtime.modules import Network, build_module


class Known(NamedTuple):
    """A network and what follows from it."""

    architecture: Architecture
    inference: Inference


class Catalogue:
    """The catalogue's networks by id, each made once."""

    def __init__(self) -> None:
        self._known = cache(self._infer)
        self._modules = cache(self._build)

    def __getitem__(self, network_id: str) -> Known:
        return self._known(network_id)

    def module(self, network_id: str) -> Network:
        """The module on the meta device, in evaluation mode."""
        return self._modules(network_id)

    def _infer(self, network_id: str) -> Known:
        architecture = zoo.entry(network_id).build()
        return Known(architecture, infer(architecture))

    def _build(self, network_id: str) -> Network:
        with torch.device("meta"):
            network = build_module(self[network_id].architecture)
        network.eval()
        return network


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Hundreds of small layers wait for each other's threads longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
