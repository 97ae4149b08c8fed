"""What speed must not cost: the test accuracy of the tutorial's plain loop and of ours, seed by seed.

The same updates of the same network with momentum, the loop's in float32, ours in what the run chooses; the seeds give
other weights and other orders. The data are real and must lie in `$ARCH_EXPLORER_DATA`. `--images N` trains both on the
set's first N images alone; both are tested on all test images as ever:

    python -m tests.benchmarks.accuracy [--seeds N] [--images N] [--device D] [NETWORK:BATCH:EPOCHS ...]
"""

import argparse
import statistics
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.runs import Event, RunConfig, RunControl, RunFinished, RunStarted, StepsRecorded
from explorer.training import train
from tests.benchmarks.few_images import take_first
from tests.benchmarks.participants import chosen, loader, model

_DATA = "fashion-mnist"
_NETWORKS = ("lenet5-relu-dropout:128:5", "alexnet-28:128:2", "resnet20:128:2")
_RATE, _MOMENTUM = 0.01, 0.9


def plain(network: str, batch: int, epochs: int, seed: int, most_images: int | None, device: str) -> float:
    """Share of the test images that the tutorial's loop gets right after its last epoch."""
    torch.manual_seed(seed)
    place = chosen(device)
    net = model(network, seed).to(place)

    def batches(size: int, *, is_train: bool) -> Iterator[tuple[Tensor, Tensor]]:
        images = most_images if is_train else None
        for x, target in loader(network, _DATA, size, device=place, is_train=is_train, most_images=images):
            yield x.to(place), target.to(place)

    optimizer = torch.optim.SGD(net.parameters(), lr=_RATE, momentum=_MOMENTUM)
    for _ in range(epochs):
        for images, labels in batches(batch, is_train=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    net.eval()
    right = seen = 0
    with torch.no_grad():
        for images, labels in batches(500, is_train=False):
            right += int((net(images).argmax(1) == labels).sum())
            seen += len(labels)
    return right / seen


def ours(
    network: str, batch: int, epochs: int, seed: int, most_images: int | None, device: str
) -> tuple[float, float, RunStarted]:
    """The same by our run; the share of its steps that did not compute in float32; and what it said at its start."""
    architecture = zoo.entry(network).build()
    if most_images is not None:
        take_first(_DATA, architecture.input_shape, most_images)
    config = RunConfig(
        data=_DATA, epochs=epochs, batch_size=batch, learning_rate=_RATE, momentum=_MOMENTUM, device=device, seed=seed
    )
    mixed_steps = 0
    started: list[RunStarted] = []

    def hear(event: Event) -> None:
        nonlocal mixed_steps
        if isinstance(event, StepsRecorded) and event.precision != "float32":
            mixed_steps += len(event.losses)
        elif isinstance(event, RunStarted):
            started.append(event)

    result = train(architecture, config, hear, RunControl(), run_id="benchmark")
    if not isinstance(result, RunFinished) or result.test_accuracy is None:
        raise SystemExit(str(result))
    return result.test_accuracy, mixed_steps / result.step, started[0]


def main() -> None:
    """Print each seed's accuracies, then means and spreads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=_NETWORKS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:N or auto")
    options = parser.parse_args()
    for written in options.networks:
        network, batch, epochs = written.split(":")
        images = "" if options.images is None else f" on {options.images:,} images"
        found: dict[str, list[float]] = {"plain": [], "ours": []}
        for seed in range(options.seeds):
            how = (network, int(batch), int(epochs), seed, options.images, options.device)
            found["plain"].append(plain(*how))
            accuracy, mixed, started = ours(*how)
            found["ours"].append(accuracy)
            print(
                f"{network}, seed {seed}: plain {found['plain'][-1]:.4f}, ours {accuracy:.4f}, {mixed:.0%} of its "
                "steps not in float32",
                flush=True,
            )
            if seed == 0:
                print(f"  on {started.device}; ours said: {' '.join(started.notes) or 'nothing'}", flush=True)
        told = ", ".join(
            f"{who} {statistics.fmean(values):.4f} ± {statistics.stdev(values) if len(values) > 1 else 0:.4f}"
            for who, values in found.items()
        )
        print(f"{network} after {epochs} epochs of {_DATA}{images}: {told}", flush=True)


if __name__ == "__main__":
    main()
