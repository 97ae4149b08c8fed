"""One channel for all probes against single forward passes, and what a look at it must leave alone."""

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer.runs import Look, Probe
from explorer.runtime.compared import ComparedInstrument, compare_channel
from explorer.runtime.instruments import Subject
from explorer.runtime.modules import build_module
from tests.networks import branching


def _images(count: int) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(3))


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
        with torch.no_grad():
            alone = network.trace(images[number : number + 1], ("mixed.cat", "fc"))
        np.testing.assert_allclose(maps[number], alone["mixed.cat"][0, 5].numpy(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(logits[number], alone["fc"][0, 7].reshape(1, 1).numpy(), rtol=1e-5, atol=1e-6)
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
