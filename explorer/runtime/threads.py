"""How torch shares the CPU with the window: memory and OpenMP's waiting before torch loads, the thread count after.

With OpenMP's default spinning LeNet-5 fell from about 10,000 to under 2,000 images/s beside two busy processes; a spin
of 10,000 rounds kept the idle speed and 3,200 when busy.
"""

import os
from collections.abc import Mapping, MutableMapping

from explorer.runtime.allocation import keep_freed_memory

_SPIN_COUNT = "GOMP_SPINCOUNT"
_USER_SETTINGS = (_SPIN_COUNT, "OMP_WAIT_POLICY")
_USER_COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set how long OpenMP's threads spin before they sleep, unless the user's environment says so already, and let
    tensors find the memory of those before them.

    OpenMP reads it once, when torch loads, so call this before the first `import torch`; at best first of all.
    """
    keep_freed_memory()
    if not any(name in environment for name in _USER_SETTINGS):
        environment[_SPIN_COUNT] = "10000"


def are_given(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user's environment says how many threads to use."""
    return any(name in environment for name in _USER_COUNTS)


def choose_threads() -> int:
    """Set torch's thread count so that one core is left to the window where there are more than two.

    A count that the user's environment sets stays. Loads torch.

    Returns:
        The count in use.
    """
    import torch

    if not are_given():
        cores = num_cores()
        torch.set_num_threads(max(1, min(torch.get_num_threads(), cores - 1 if cores > 2 else cores)))
    return torch.get_num_threads()


def num_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
