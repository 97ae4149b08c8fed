"""An edit near the input to all numbers, against torchinfo on the same network in the same run.

"summary" is what torchinfo reports too: shapes, parameters and multiply-accumulates of every layer and in all, against
`torchinfo.summary` of a module that is there already. "all" adds what torchinfo has not, the memory that training
takes, moment by moment, against what an edit costs there: the module built again, and its summary.

"turned" goes back and forth between two values of the first layer, as a wheel does; "new" gives every edit an input
size that was never there before:

    python -m tests.benchmarks.edit
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
import torchinfo

from explorer import zoo
from explorer.architecture import Architecture, edits
from explorer.inference import Inference, infer
from explorer.inference.memory import memory
from explorer.runtime.modules import build_module
from explorer.session.collector import settle
from tests.networks import deep_chain

_NUM_EDITS = 300
_NUM_SUMMARIES = 7
Edit = Callable[[Architecture], Architecture]


def main() -> None:
    """Measure and print two lines a network."""
    torch.set_num_threads(2)
    # As the window does once torch is loaded.
    settle()
    print(f"{'network':14}{'nodes':>6}{'edits':>8}{'numbers':>9}{'median':>11}{'p99':>11}{'torchinfo':>12}{'ratio':>8}")
    networks = (
        (zoo.entry("lenet5").build(), "conv1"),
        (zoo.entry("resnet152").build(), "conv1"),
        (deep_chain(500), "layer0.0"),
    )
    for architecture, node_id in networks:
        kinds: dict[str, Iterator[Edit]] = {"turned": _turned(node_id), "new": _new(*architecture.input_shape[:2])}
        # Before torch computes, whose threads go on spinning for a while.
        measured = {
            (name, has_memory): edit_times_ms(architecture, changes, has_memory)
            for has_memory in (False, True)
            for name, changes in kinds.items()
        }
        build_ms, summary_ms = torchinfo_ms(architecture)
        for (name, has_memory), times_ms in measured.items():
            median = statistics.median(times_ms)
            p99 = statistics.quantiles(times_ms, n=100)[98]
            peer_ms = build_ms + summary_ms if has_memory else summary_ms
            print(
                f"{architecture.name:14}{len(architecture):6}{name:>8}{'all' if has_memory else 'summary':>9}"
                f"{median:8.2f} ms{p99:8.2f} ms{peer_ms:9.1f} ms{peer_ms / median:7.0f}x"
            )


def edit_times_ms(architecture: Architecture, changes: Iterator[Edit], has_memory: bool) -> list[float]:
    """Each time: one edit that changes every shape behind it, the new inference, and the memory that training takes."""
    inference = infer(architecture)
    times_ms = []
    for change in itertools.islice(changes, _NUM_EDITS):
        start = time.perf_counter()
        architecture = change(architecture)
        inference = infer(architecture, inference)
        if has_memory:
            memory(architecture, inference, batch_size=64, optimizer="adam")
        times_ms.append((time.perf_counter() - start) * 1e3)
    assert inference.totals.complete
    return times_ms


def torchinfo_ms(architecture: Architecture) -> tuple[float, float]:
    """The median times of building the module and of its summary."""
    inference: Inference = infer(architecture)
    module = build_module(architecture, seed=0)
    build = [_timed_ms(lambda: build_module(architecture, seed=0)) for _ in range(_NUM_SUMMARIES)]

    def summarise() -> int:
        summary = torchinfo.summary(module, input_size=(1, *architecture.input_shape), verbose=0)
        return int(summary.total_params)

    assert summarise() == inference.totals.num_parameters
    return statistics.median(build), statistics.median(_timed_ms(summarise) for _ in range(_NUM_SUMMARIES))


def _turned(node_id: str) -> Iterator[Edit]:
    for size in itertools.cycle(((3, 3), (5, 5))):
        yield partial(edits.set_value, node_id=node_id, name="kernel_size", value=size)


def _new(channels: int, size: int) -> Iterator[Edit]:
    for number in itertools.count(1):
        yield partial(edits.set_input_shape, channels=channels, height=size + number, width=size + number)


def _timed_ms(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    main()
