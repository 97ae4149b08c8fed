"""How the C library hands out memory to torch on the CPU: kept between steps instead of fetched anew.

Each step allocates and frees the same tensors. glibc gives large ones back to the system at once, which then clears
every page again when it is next touched: 19,000 page faults a step of AlexNet for 28x28, 30,000 of ResNet-20 (batch of
128), a tenth to a sixth of the processor's time. What one thread frees goes to a heap of its own besides. So tell glibc
to keep what is freed (`mallopt(3)`) until `give_back`. Other C libraries are left alone.
"""

import ctypes
import os
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""`M_TRIM_THRESHOLD`, `M_MMAP_THRESHOLD` and `M_ARENA_MAX` of <malloc.h>."""
_LARGEST = 2**31 - 1
_MMAP_SIZES = (2**30, 2**25)
"""The largest tensors that come from the heap, in bytes; older versions take no more than the second."""


@cache
def keep_freed_memory() -> bool:
    """Let this process keep the memory that tensors leave behind, and all threads share one heap.

    To be called before there are other threads, as a thread keeps the heap that it began with. Once is enough.

    Returns:
        Whether the C library is one that was told so.
    """
    library = _glibc()
    if library is None:
        return False
    is_kept = bool(library.mallopt(_TRIM_THRESHOLD, _LARGEST))
    is_kept &= any(library.mallopt(_MMAP_THRESHOLD, size) for size in _MMAP_SIZES)
    library.mallopt(_ARENA_MAX, 1)
    return is_kept


def give_back() -> None:
    """Return to the system what is kept and not in use, as after a run."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def is_glibc() -> bool:
    """Whether the C library of this process is glibc."""
    return "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ()) and bool(os.confstr("CS_GNU_LIBC_VERSION"))


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if is_glibc() else None
