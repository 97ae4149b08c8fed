"""An edit near the input to all numbers, memory included, against torchinfo on the same network in the same run.

"turned" goes back and forth between two values of the first layer, as a wheel does; "new" gives every edit an input
size that was never there before. An edit of a module means to build it again before `torchinfo.summary` can measure
it, so both times stand there; torchinfo's own ratio is the one for the summary alone:

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
    print(
        f"{'network':14}{'nodes':>6}{'edits':>8}{'median':>11}{'p99':>11}{'build':>11}{'torchinfo':>12}"
        f"{'summary':>10}{'with build':>12}"
    )
    networks = (
        (zoo.entry("lenet5").build(), "conv1"),
        (zoo.entry("resnet152").build(), "conv1"),
        (deep_chain(500), "layer0.0"),
    )
    for architecture, node_id in networks:
        kinds: dict[str, Iterator[Edit]] = {"turned": _turned(node_id), "new": _new(*architecture.input_shape[:2])}
        # Before torch computes, whose threads go on spinning for a while.
        measured = {name: edit_times_ms(architecture, changes) for name, changes in kinds.items()}
        build_ms, summary_ms = torchinfo_ms(architecture)
        for name, times_ms in measured.items():
            median = statistics.median(times_ms)
            p99 = statistics.quantiles(times_ms, n=100)[98]
            print(
                f"{architecture.name:14}{len(architecture):6}{name:>8}{median:8.2f} ms{p99:8.2f} ms{build_ms:8.0f} ms"
                f"{summary_ms:9.1f} ms{summary_ms / median:9.0f}x{(build_ms + summary_ms) / median:11.0f}x"
            )


def edit_times_ms(architecture: Architecture, changes: Iterator[Edit]) -> list[float]:
    """Each time: one edit that changes every shape behind it, the new inference, and the memory that training takes."""
    inference = infer(architecture)
    times_ms = []
    for change in itertools.islice(changes, _NUM_EDITS):
        start = time.perf_counter()
        architecture = change(architecture)
        inference = infer(architecture, inference)
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
