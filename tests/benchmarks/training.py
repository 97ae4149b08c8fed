"""Training speed: the tutorial's loop, Lightning, our run alone, kept in float32 and as it chooses, and our run with
every live view open.

Each in a process of its own, in turns of a few seconds (`turns`), so that the ratios are of the same minutes. The data
are real and must lie in `$ARCH_EXPLORER_DATA`. `--busy 2` does it beside two processes that compute all the time, where
a step of the tutorial's loop can take many seconds: longer turns, then.

    python -m tests.benchmarks.training [--busy N] [--turns N] [--seconds S] [--device D]
        [NETWORK:BATCH[:WARM_UP_S] ...]

On a GPU the batch decides whether launches are measured or arithmetic:

    python -m tests.benchmarks.training --device cuda
        lenet5-relu-dropout:128 lenet5-relu-dropout:1024 alexnet-d2l:128 resnet20:128
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
_OURS = ("float32", "alone", "window")
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
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or auto")
    options = parser.parse_args()
    kinds = ["plain", "float32", "alone", "window"]
    if importlib.util.find_spec("lightning") is not None:
        kinds.insert(1, "lightning")
    with busy_processes(options.busy):
        for written in options.networks:
            network = ":".join(written.split(":")[:2])
            rates, said = in_turns(kinds, written, _DATA, options.turns, options.seconds, options.device)
            against = []
            for kind, found in zip(kinds, rates, strict=True):
                middle, spread = ratio(found, rates[0])
                against.append(f"{kind} {statistics.median(found):,.0f} ({middle:.2f}x ± {spread:.2f})")
            seen, (share, _) = said[-1], ratio(rates[-1], rates[-2])
            late = ", ".join(f"{name} {seen[key]:.1f}" for name, key in _LATE.items())
            print(
                f"{network} on {said[-2]['device']}, {options.busy} busy, images/s against the plain loop: "
                f"{', '.join(against)}; at last {said[-2]['way']}; window {share:.2f} of alone, its thread "
                f"{seen['window_share']:.1%}; 60 Hz timer late {late} ms",
                flush=True,
            )
            for kind in _OURS:
                print(f"  {kind} said: {' '.join(said[kinds.index(kind)]['notes']) or 'nothing'}", flush=True)


if __name__ == "__main__":
    main()
