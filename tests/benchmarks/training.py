"""Training speed on the CPU: the tutorial's loop, Lightning, our run alone, kept in float32 and as it chooses, and our
run with every live view open.

Each in a process of its own, in turns of a few seconds (`turns`), so that the ratios are of the same minutes. The data
are real and must lie in `$ARCH_EXPLORER_DATA`. `--busy 2` does it beside two processes that compute all the time, where
a step of the tutorial's loop can take many seconds: longer turns, then.

    python -m tests.benchmarks.training [--busy N] [--turns N] [--seconds S] [NETWORK:BATCH[:WARM_UP_S] ...]
"""

import argparse
import contextlib
import importlib.util
import statistics
import subprocess
import sys
from collections.abc import Iterator

from tests.benchmarks.turns import SECONDS, in_turns, ratio

_DATA = "fashion-mnist"
_NETWORKS = ("lenet5-relu-dropout:128", "alexnet-28:128:20", "resnet20:128:120")
_LATE = {"p50": "late_p50_ms", "p99": "late_p99_ms", "most": "late_max_ms"}
_BUSY = "x = 0\nwhile True: x += 1"


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """So many processes that never rest."""
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def main() -> None:
    """Measure each network; print the medians, and those of the ratios of turns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=_NETWORKS)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    kinds = ["plain", "float32", "alone", "window"]
    if importlib.util.find_spec("lightning") is not None:
        kinds.insert(1, "lightning")
    with busy_processes(options.busy):
        for written in options.networks:
            network = written.partition(":")[0]
            rates, said = in_turns(kinds, written, _DATA, options.turns, options.seconds)
            against = []
            for kind, found in zip(kinds, rates, strict=True):
                middle, spread = ratio(found, rates[0])
                against.append(f"{kind} {statistics.median(found):,.0f} ({middle:.2f}x ± {spread:.2f})")
            seen, (share, _) = said[-1], ratio(rates[-1], rates[-2])
            late = ", ".join(f"{name} {seen[key]:.1f}" for name, key in _LATE.items())
            print(
                f"{network}, {options.busy} busy, images/s against the plain loop: {', '.join(against)}; at last "
                f"{said[-2]['way']} threads; window {share:.2f} of alone, its thread {seen['window_share']:.1%}; 60 Hz "
                f"timer late {late} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
