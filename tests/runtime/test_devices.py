"""Devices and their memory: the CPU's is the machine's own, CUDA's is torch's answer, which a test gives here."""

import os

import pytest
import torch

from explorer.runtime.devices import available_devices, choose_device, device_memory, device_name


def test_the_cpu_has_the_machines_memory() -> None:
    found = device_memory("cpu")
    assert found.device == "cpu"
    assert 0 < found.available_bytes <= found.total_bytes
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        assert found.total_bytes == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_auto_is_the_first_device() -> None:
    assert device_memory("auto").device == available_devices()[0] == str(choose_device("auto"))
    assert device_name(choose_device("cpu")).startswith("CPU, ")


def test_a_device_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"^device: cuda:7 is not available; this machine has .*cpu$"):
        device_memory("cuda:7")


@pytest.fixture
def one_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with one CUDA device, as far as torch's questions go."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 5_000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 3_000)


@pytest.mark.usefixtures("one_card")
def test_a_cards_memory_counts_what_torch_holds_unused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10_000, 80_000))
    assert device_memory("cuda") == ("cuda:0", 80_000, 12_000)


@pytest.mark.usefixtures("one_card")
def test_a_card_that_is_gone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(device: torch.device) -> tuple[int, int]:
        raise RuntimeError("CUDA error: device unavailable\nmore lines")

    monkeypatch.setattr(torch.cuda, "mem_get_info", gone)
    with pytest.raises(
        ValueError, match=r"^device: cuda:0 no longer answers \(CUDA error: device unavailable\); use cpu"
    ):
        device_memory("cuda:0")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_real_cards_memory() -> None:
    found = device_memory("cuda:0")
    assert 0 < found.available_bytes <= found.total_bytes
