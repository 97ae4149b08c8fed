"""Where torch can compute: the choice of a device by name, and its name for people."""

import platform

import torch


def available_devices() -> tuple[str, ...]:
    """The devices of this machine by torch's names, the fastest kind first; the CPU is always there, last."""
    names = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        names.append("mps")
    return (*names, "cpu")


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; `auto` is CUDA where there is one, else MPS, else the CPU.

    Raises:
        ValueError: no such device here; the message says which are.
    """
    there = available_devices()
    wanted = there[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if wanted not in there:
        raise ValueError(f"device: {name} is not available; this machine has {' and '.join(there)}")
    return torch.device(wanted)


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
