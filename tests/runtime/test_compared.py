"""One channel for all probes against single forward passes, and what a look at it must leave alone."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer.runs import Look, Probe
from explorer.runtime.compared import ComparedInstrument, compare_channel
from explorer.runtime.instruments import Subject
from explorer.runtime.modules import Network, build_module
from tests.networks import branching


def _images(count: int) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(3))


def _outputs(network: Network, image: Tensor) -> tuple[Tensor, Tensor]:
    """What torch's own hooks see come out of `mixed.cat`, which joins two layers and is no module, and of `fc`."""
    seen: dict[str, Tensor] = {}
    hooks = []
    for node_id in ("mixed.left", "mixed.right", "fc"):
        module = network.node_module(node_id)
        assert module is not None

        def keep(_module: nn.Module, _inputs: object, output: Tensor, node_id: str = node_id) -> None:
            seen[node_id] = output.clone()

        hooks.append(module.register_forward_hook(keep))
    with torch.no_grad():
        network(image)
    for hook in hooks:
        hook.remove()
    return torch.cat([seen["mixed.left"], seen["mixed.right"]], 1), seen["fc"]


def test_each_image_has_what_it_has_alone() -> None:
    network = build_module(branching(), seed=0)
    network(_images(8))
    images = _images(4)
    modes = [module.training for module in network.modules()]
    maps = compare_channel(network, images, "mixed.cat", 5)
    logits = compare_channel(network, images, "fc", 7)
    assert [module.training for module in network.modules()] == modes
    network.eval()
    for number in range(4):
        joined, said = _outputs(network, images[number : number + 1])
        np.testing.assert_allclose(maps[number], joined[0, 5].numpy(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(logits[number], said[0, 7].reshape(1, 1).numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(IndexError):
        compare_channel(network, images, "fc", 10)


def test_the_instrument_takes_all_probes_in_order() -> None:
    images = {"a": _images(2)[:1], "b": _images(2)[1:]}
    network = build_module(branching(), seed=0)
    instrument = ComparedInstrument(
        Subject(run_id="r", network=network, to_input=lambda probe: images["" if probe is None else probe.label])
    )
    probes = tuple(Probe(label=label, image=np.zeros((16, 16), np.uint8)) for label in "ba")
    assert not instrument.aim(Look(probes=probes, maps=("fc",)))
    assert not instrument.aim(Look(probes=probes, compared=("gone", 0)))
    assert not instrument.aim(Look(compared=("fc", 0)))
    assert instrument.aim(Look(probes=probes, compared=("stem.conv", 3)))
    event = instrument.capture(9)
    assert (event.run_id, event.step, event.node_id, event.channel) == ("r", 9, "stem.conv", 3)
    assert event.probes == ("b", "a")
    both = compare_channel(network, torch.cat([images["b"], images["a"]]), "stem.conv", 3)
    assert np.array_equal(event.maps, both)
