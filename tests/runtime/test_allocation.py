"""What glibc keeps, seen from outside: page faults and resident memory of a fresh process."""

import json
import subprocess
import sys

import pytest

from explorer.runtime.allocation import is_glibc

_STEPS = """
import json, resource, sys, threading
from explorer.runtime import allocation
is_kept = allocation.keep_freed_memory() if sys.argv[1] == "keep" else False
import psutil
import torch

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return psutil.Process().memory_info().rss

found = {}
def work():
    # Tensors of 40 MiB, larger than what glibc keeps by itself at best, made and dropped as by a step.
    def step():
        x = torch.ones(10 * 2**20)
        return ((x + 1) * 2).relu().sum()
    for _ in range(5):
        step()
    before = faults()
    for _ in range(5):
        step()
    found["faults"] = faults() - before

thread = threading.Thread(target=work)
thread.start()
thread.join()
found["kept"] = resident()
allocation.give_back()
found["given_back"] = resident()
print(json.dumps({**found, "is_kept": is_kept}))
"""


@pytest.mark.skipif(not is_glibc(), reason="only glibc is told anything")
def test_steps_find_their_memory_again_until_it_is_given_back() -> None:
    kept, anew = measured("keep"), measured("leave")

    assert kept["is_kept"]
    assert kept["faults"] < anew["faults"] / 4
    # At least two of the tensors were alive at once.
    assert kept["kept"] - kept["given_back"] > 60 * 2**20


def measured(what: str) -> dict[str, int]:
    done = subprocess.run([sys.executable, "-c", _STEPS, what], capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, int] = json.loads(done.stdout)
    return found
