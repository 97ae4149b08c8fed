"""Where torch can compute: the choice of a device by name, its name for people, and the memory that it has."""

import platform
from typing import NamedTuple

import psutil
import torch


class DeviceMemory(NamedTuple):
    """The memory of a device, at the moment of asking."""

    device: str
    """By torch's name: "cuda:0"."""
    total_bytes: int
    available_bytes: int
    """What a network may take: the free part, and what this process holds of it without using it."""


def available_devices() -> tuple[str, ...]:
    """The devices of this machine by torch's names, the fastest kind first; the CPU is always there, last."""
    names = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        names.append("mps")
    return (*names, "cpu")


def choose_devices(name: str) -> tuple[torch.device, ...]:
    """The device of that name, or the two of "cuda:0+cuda:1", which share a network.

    Raises:
        ValueError: one of them is not here, or both are the same GPU; the message says what would fit.
    """
    chosen = tuple(choose_device(part) for part in name.split("+"))
    if len(set(chosen)) < len(chosen) and chosen[0].type != "cpu":
        raise ValueError(f"device: received {name}; name two different ones, or {chosen[0]} alone")
    return chosen


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; `auto` is CUDA where there is one, else MPS, else the CPU. Of two the last one.

    Raises:
        ValueError: no such device here; the message says which are.
    """
    if "+" in name:
        return choose_devices(name)[-1]
    there = available_devices()
    wanted = there[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if wanted not in there:
        raise ValueError(f"device: {name} is not available; this machine has {' and '.join(there)}")
    return torch.device(wanted)


def device_memory(device: str) -> DeviceMemory:
    """The memory of the device, by torch's name; "auto" and "cuda" as for `choose_device`.

    MPS computes in the machine's own memory, of which Metal recommends to use no more than a part.

    Raises:
        ValueError: no such device here, or it no longer answers; the message says which.
    """
    chosen = choose_device(device)
    if chosen.type == "cuda":
        return _cuda_memory(chosen)
    machine = psutil.virtual_memory()
    total, available = machine.total, machine.available
    if chosen.type == "mps":
        most = torch.mps.recommended_max_memory()
        total, available = min(total, most), min(available, most - torch.mps.driver_allocated_memory())
    return DeviceMemory(str(chosen), total, max(0, available))


def _cuda_memory(device: torch.device) -> DeviceMemory:
    try:
        free, total = torch.cuda.mem_get_info(device)
        # torch keeps what tensors gave back, and uses it again before it asks the device for more.
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    except RuntimeError as error:
        # A card that was unplugged, or whose driver was reset, stays among the devices until the program ends.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"device: {device} no longer answers ({reason}); use cpu, or start again") from error
    return DeviceMemory(str(device), total, free + kept)


def device_name(device: torch.device) -> str:
    """The device as the status bar shows it: "NVIDIA H200 (cuda:0)", "CPU, 2 threads"."""
    match device.type:
        case "cuda":
            return f"{torch.cuda.get_device_name(device)} (cuda:{device.index or 0})"
        case "mps":
            return f"{platform.machine()} GPU (mps)"
        case _:
            threads = torch.get_num_threads()
            return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
