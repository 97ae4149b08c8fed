"""What a step's images need of the host comes without a wait; whether a GPU would, is told by how it is asked."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from explorer.runs import Normalization
from explorer.runtime.images import per_channel, to_network_input
from explorer.training.augment_colour import adjust_hue, adjust_saturation
from explorer.training.to_device import to_device


def test_values_keep_their_bits_and_take_a_type() -> None:
    values = np.arange(12.0).reshape(3, 4).T / 7
    assert torch.equal(to_device(values, torch.device("cpu")), torch.tensor(values))
    assert torch.equal(to_device(values, torch.device("cpu"), torch.float32), torch.tensor(values, dtype=torch.float32))


def test_to_a_gpu_they_go_by_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    moved = Tensor.to

    def pin(tensor: Tensor) -> Tensor:
        did.append("pinned")
        return tensor

    def to(tensor: Tensor, place: Any, **how: bool) -> Tensor:
        if not isinstance(place, torch.device):
            return moved(tensor, place)
        did.append(f"to {place}, {how}")
        return tensor

    monkeypatch.setattr(Tensor, "pin_memory", pin)
    monkeypatch.setattr(Tensor, "to", to)
    to_device(np.zeros(3), torch.device("cuda", 1), torch.float32)
    assert did == ["pinned", "to cuda:1, {'non_blocking': True}"]


@pytest.mark.parametrize(("stored", "wanted"), [(1, 1), (3, 3), (3, 1), (1, 3)])
def test_normalising_brings_no_number_from_the_host(stored: int, wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`new_tensor` copies from pageable memory and waits for it; the bits are those that it gives."""
    normalization = Normalization(mean=(0.1, 0.2, 0.3)[:stored], std=(0.4, 0.5, 0.6)[:stored])
    images = torch.randint(0, 256, (2, stored, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    scaled = images.float() / 255
    mean, std = (scaled.new_tensor(values).view(1, -1, 1, 1) for values in (normalization.mean, normalization.std))
    expected = (scaled - mean) / std
    luma = expected.new_tensor((0.299, 0.587, 0.114)).view(1, 3, 1, 1)
    if (stored, wanted) == (3, 1):
        expected = (expected * luma).sum(1, keepdim=True)
    monkeypatch.setattr(Tensor, "new_tensor", _refused)
    found = to_network_input(images, (wanted, 8, 8), normalization)
    assert torch.equal(found, expected.expand(-1, wanted, -1, -1))


def test_numbers_of_channels_made_in_a_test_serve_training() -> None:
    per_channel.cache_clear()
    x = torch.ones(1, 2, 1, 1, requires_grad=True)
    with torch.inference_mode():
        values = per_channel((0.5, 0.25), x.device, x.dtype)
    (x * values).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [0.5, 0.25]
    assert per_channel((0.5, 0.25), x.device, x.dtype) is values
    assert per_channel((0.5, 0.25), x.device, torch.float64).dtype == torch.float64


def test_colours_bring_no_number_from_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tensor, "new_tensor", _refused)
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(adjust_hue(x, torch.zeros(2)), x)
    torch.testing.assert_close(adjust_saturation(x, torch.ones(2)), x)


def _refused(*_: object) -> Tensor:
    raise AssertionError("waits for the device")
