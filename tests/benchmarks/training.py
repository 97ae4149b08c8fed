"""Training speed on the CPU: the tutorial's loop, Lightning, our run alone, and our run with every live view open.

Each in fresh processes, in turn, so that the ratios are of the same minutes; images/s after ten steps of warm-up. The
data are real and must lie in `$ARCH_EXPLORER_DATA`. `--busy 2` does it beside two processes that compute all the time,
where a step of the tutorial's loop can take many seconds: `--seconds 40` lets no participant train longer, however few
of its steps it has made by then, of which a third of that time is warm-up at most.

    python -m tests.benchmarks.training [--busy N] [--rounds N] [--seconds S] [NETWORK:BATCH:STEPS ...]
"""

import argparse
import contextlib
import importlib.util
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

_DATA = "fashion-mnist"
_NETWORKS = ("lenet5-relu-dropout:128:800", "alexnet-28:128:40", "resnet20:128:40")
_BUSY = "x = 0\nwhile True: x += 1"


def measured(
    kind: str, network: str, batch: str, steps: str, data: str = _DATA, most_s: float = math.inf
) -> dict[str, Any]:
    """What the participant prints, run in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "ARCH_EXPLORER_HOME": home}
        if not environment.get("DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        command = [sys.executable, "-m", "tests.benchmarks.participants", kind, network, data, batch, steps]
        command.append(str(most_s))
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(f"{kind} of {network}:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


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
    """Measure each network in rounds; print every round, then the medians of the ratios within a round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=_NETWORKS)
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=math.inf)
    options = parser.parse_args()
    kinds = ["plain", "alone", "window"]
    if importlib.util.find_spec("lightning") is not None:
        kinds.insert(1, "lightning")
    with busy_processes(options.busy):
        for written in options.networks:
            network, batch, steps = written.split(":")
            ratios: dict[str, list[float]] = {kind: [] for kind in kinds}
            for _ in range(options.rounds):
                found = {kind: measured(kind, network, batch, steps, _DATA, options.seconds) for kind in kinds}
                rates = {kind: found[kind]["images_per_second"] for kind in kinds}
                for kind in kinds:
                    ratios[kind].append(rates[kind] / rates["plain"])
                seen = found["window"]
                against = ", ".join(f"{kind} {rates[kind]:,.0f} ({ratios[kind][-1]:.2f}x)" for kind in kinds)
                share = rates["window"] / rates["alone"]
                print(
                    f"{network}, {options.busy} busy: {against}; window {share:.2f} of alone, its thread "
                    f"{seen['window_share']:.1%}; 60 Hz timer late "
                    f"p50 {seen['late_p50_ms']:.1f}, p99 {seen['late_p99_ms']:.1f}, most {seen['late_max_ms']:.0f} ms",
                    flush=True,
                )
            medians = ", ".join(f"{kind} {statistics.median(ratios[kind]):.2f}x" for kind in kinds if kind != "plain")
            print(f"{network}, {options.busy} busy, medians against the plain loop: {medians}", flush=True)


if __name__ == "__main__":
    main()
