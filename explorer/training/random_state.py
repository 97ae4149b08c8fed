"""torch's global random numbers, which dropout draws from: their state on the CPU and on the device of a run."""

from collections.abc import Mapping

import torch
from torch import Tensor


def get_random_state(device: torch.device, *more: torch.device) -> dict[str, Tensor]:
    """The states by device type, each a uint8 vector; of `more` GPUs by their names."""
    states = {"cpu": torch.get_rng_state()}
    states |= {str(other): torch.cuda.get_rng_state(other) for other in more if other.type == "cuda"}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def resume_generator(generator: torch.Generator, state: Tensor, seed: int) -> None:
    """Let a generator go on from a state; from `seed` where the state is of another kind of device."""
    try:
        generator.set_state(state)
    except RuntimeError:
        generator.manual_seed(seed)


def set_random_state(states: Mapping[str, Tensor], device: torch.device, *more: torch.device) -> None:
    """Go on drawing from there. A run that changed its device takes what there is for it."""
    torch.set_rng_state(states["cpu"])
    for other in more:
        if str(other) in states:
            torch.cuda.set_rng_state(states[str(other)], other)
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])
