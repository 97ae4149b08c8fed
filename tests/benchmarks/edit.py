"""An edit near the input to all numbers, against `torchinfo.summary` on the same network in the same run.

python -m tests.benchmarks.edit
"""

import statistics
import time
from collections.abc import Callable

import torch
import torchinfo

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.inference import Inference, infer
from explorer.runtime.modules import build_module
from tests.networks import deep_chain

_NUM_EDITS = 400
_NUM_SUMMARIES = 7


def main() -> None:
    """Measure and print one line a network."""
    torch.set_num_threads(2)
    print(f"{'network':24}{'nodes':>6}{'edit median':>14}{'edit p99':>12}{'torchinfo':>12}{'ratio':>10}")
    for architecture, node_id in ((zoo.entry("lenet5").build(), "conv1"), (deep_chain(500), "layer0.0")):
        times_ms = edit_times_ms(architecture, node_id)
        peer_ms = torchinfo_ms(architecture)
        median = statistics.median(times_ms)
        p99 = statistics.quantiles(times_ms, n=100)[98]
        print(
            f"{architecture.name:24}{len(architecture):6}{median:11.3f} ms{p99:9.3f} ms{peer_ms:9.1f} ms"
            f"{peer_ms / median:9.0f}x"
        )


def edit_times_ms(architecture: Architecture, node_id: str) -> list[float]:
    """Each time: one edit that changes every shape behind it, and the new inference."""
    sizes = [(3, 3), (5, 5)]
    inference = infer(architecture)
    times_ms = []
    for number in range(_NUM_EDITS):
        start = time.perf_counter()
        architecture = edits.set_value(architecture, node_id, "kernel_size", sizes[number % 2])
        inference = infer(architecture, inference)
        times_ms.append((time.perf_counter() - start) * 1e3)
    assert inference.totals.complete
    return times_ms


def torchinfo_ms(architecture: Architecture) -> float:
    """The median time of a summary of the built module; building it is not counted."""
    inference: Inference = infer(architecture)
    module = build_module(architecture, seed=0)

    def summarise() -> int:
        summary = torchinfo.summary(module, input_size=(1, *architecture.input_shape), verbose=0)
        return int(summary.total_params)

    assert summarise() == inference.totals.num_parameters
    return statistics.median(_timed_ms(summarise) for _ in range(_NUM_SUMMARIES))


def _timed_ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    main()
