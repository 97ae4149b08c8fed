"""How much of a device images may take. CUDA's own numbers are the test's; no GPU is asked."""

import pytest
import torch

from explorer.training import feed

GIB = 1024**3


def test_what_torch_keeps_of_earlier_tensors_is_room_for_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 24 GiB the system sees 4 free. Torch holds 18, of which tensors use 2 and an earlier run, which is over, used
    the rest: 20 are to be had, and images may take half."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (4 * GIB, 24 * GIB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 18 * GIB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _device: 2 * GIB)
    assert feed._room_bytes(torch.device("cuda", 0)) == 10 * GIB


def test_elsewhere_the_hosts_memory_was_looked_at_before() -> None:
    assert feed._room_bytes(torch.device("cpu")) > 2**60
