"""What watching costs: a run with every view open against the same run without a window, in the same minutes.

Also how late a 60 Hz timer is meanwhile, and how long a capture takes to the screen. The data are real and must lie in
`$ARCH_EXPLORER_DATA`; the window is a real one where there is a display, else offscreen. `--hour` shows an hour's worth
of a run's events to a window instead, and says how its memory grew:

    python -m tests.benchmarks.live [--rounds N] [NETWORK:BATCH:STEPS ...]
    python -m tests.benchmarks.live --hour
"""

import argparse
import os
import statistics
import tempfile

from tests.benchmarks.training import measured

_NETWORKS = ("lenet5-relu-dropout:128:4000", "alexnet-28:128:250", "resnet20:128:150")
_DATA = "fashion-mnist"


def compare(networks: list[str], rounds: int) -> None:
    """Print each round, then the median share of the speed that is left."""
    for written in networks:
        network, batch, steps = written.split(":")
        shares = []
        for _ in range(rounds):
            alone = measured("alone", network, batch, steps, _DATA)
            window = measured("window", network, batch, steps, _DATA)
            shares.append(window["images_per_second"] / alone["images_per_second"])
            captured = ", ".join(f"{count} {kind}" for kind, count in window["captures"].items())
            print(
                f"{network}: {alone['images_per_second']:,.0f} images/s alone, {window['images_per_second']:,.0f} with "
                f"every view ({shares[-1]:.2f}); the window's thread {window['window_share']:.1%} of a core; "
                f"{captured}; "
                f"60 Hz timer late p50 {window['late_p50_ms']:.1f}, p99 {window['late_p99_ms']:.1f}, most "
                f"{window['late_max_ms']:.0f} ms; capture to paint p50 {window['paint_p50_ms']:.0f}, p95 "
                f"{window['paint_p95_ms']:.0f}, most {window['paint_max_ms']:.0f} ms",
                flush=True,
            )
        print(f"{network}: median share with every view {statistics.median(shares):.2f}", flush=True)


def main() -> None:
    """Compare, or watch an hour."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=list(_NETWORKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hour", action="store_true")
    options = parser.parse_args()
    if not options.hour:
        compare(options.networks, options.rounds)
        return
    from tests.benchmarks.hour import watch_an_hour

    if not os.environ.get("DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with tempfile.TemporaryDirectory() as home:
        os.environ["ARCH_EXPLORER_HOME"] = home
        watch_an_hour()


if __name__ == "__main__":
    main()
