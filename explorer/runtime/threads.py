"""How torch shares the CPU with the window: OpenMP's waiting before torch loads, the thread count after.

With OpenMP's default spinning LeNet-5 fell from about 10,000 to under 2,000 images/s beside two busy processes; a spin
of 10,000 rounds kept the idle speed and 3,200 when busy.
"""

import os
from collections.abc import MutableMapping

_SPIN_COUNT = "GOMP_SPINCOUNT"
_USER_SETTINGS = (_SPIN_COUNT, "OMP_WAIT_POLICY")


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set how long OpenMP's threads spin before they sleep, unless the user's environment says so already.

    OpenMP reads it once, when torch loads, so call this before the first `import torch`.
    """
    if not any(name in environment for name in _USER_SETTINGS):
        environment[_SPIN_COUNT] = "10000"


def choose_threads() -> int:
    """Set torch's thread count so that one core is left to the window where there are more than two.

    A count that the user's environment sets stays. Loads torch.

    Returns:
        The count in use.
    """
    import torch

    if "OMP_NUM_THREADS" not in os.environ and "MKL_NUM_THREADS" not in os.environ:
        cores = num_cores()
        torch.set_num_threads(max(1, min(torch.get_num_threads(), cores - 1 if cores > 2 else cores)))
    return torch.get_num_threads()


def num_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
