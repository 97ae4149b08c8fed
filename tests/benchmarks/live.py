"""What watching costs: a run with every view open against the same run without a window, in turns of a few seconds.

Also how late a 60 Hz timer is meanwhile, and how long a capture takes to the screen. The data are real and must lie in
`$ARCH_EXPLORER_DATA`; the window is a real one where there is a display, else offscreen. `--hour` shows an hour's worth
of a run's events to a window instead, and says how its memory grew:

    python -m tests.benchmarks.live [--turns N] [--seconds S] [--device D] [NETWORK:BATCH[:WARM_UP_S] ...]
    python -m tests.benchmarks.live --hour
"""

import argparse
import os
import statistics
import tempfile

from tests.benchmarks.turns import SECONDS, in_turns, ratio

_NETWORKS = ("lenet5-relu-dropout:128", "alexnet-28:128:20", "resnet20:128:120")
_DATA = "fashion-mnist"


def compare(networks: list[str], num_turns: int, seconds: float, device: str) -> None:
    """Print the median share of the speed that is left, and what was seen in the window."""
    for written in networks:
        network = ":".join(written.split(":")[:2])
        (alone, window), (_, seen) = in_turns(("alone", "window"), written, _DATA, num_turns, seconds, device)
        share, spread = ratio(window, alone)
        captured = ", ".join(f"{count} {kind}" for kind, count in seen["captures"].items())
        print(
            f"{network} on {seen['device']}: {statistics.median(alone):,.0f} images/s alone, "
            f"{statistics.median(window):,.0f} with every view: {share:.3f} ± {spread:.3f} of it, by turn "
            f"{' '.join(f'{one / other:.2f}' for one, other in zip(window, alone, strict=True))}; "
            f"captures {seen['pictures_share']:.1%} of the run, the window's thread {seen['window_share']:.1%} of a "
            f"core; {captured}; "
            f"60 Hz timer late p50 {seen['late_p50_ms']:.1f}, p99 {seen['late_p99_ms']:.1f}, most "
            f"{seen['late_max_ms']:.0f} ms; capture to paint p50 {seen['paint_p50_ms']:.0f}, p95 "
            f"{seen['paint_p95_ms']:.0f}, most {seen['paint_max_ms']:.0f} ms; at last {seen['way']}. The run said: "
            f"{' '.join(seen['notes']) or 'nothing'}",
            flush=True,
        )


def main() -> None:
    """Compare, or watch an hour."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=list(_NETWORKS))
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or auto")
    parser.add_argument("--hour", action="store_true")
    options = parser.parse_args()
    if not options.hour:
        compare(options.networks, options.turns, options.seconds, options.device)
        return
    from tests.benchmarks.hour import watch_an_hour

    if not os.environ.get("DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as home:
        os.environ["ARCH_EXPLORER_HOME"] = home
        watch_an_hour()


if __name__ == "__main__":
    main()
