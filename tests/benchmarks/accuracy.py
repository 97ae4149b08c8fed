"""What speed must not cost: the test accuracy of the tutorial's plain loop and of ours, seed by seed.

The same updates of the same network in float32 with momentum; the seeds give other weights and other orders. The data
are real and must lie in `$ARCH_EXPLORER_DATA`:

    python -m tests.benchmarks.accuracy [--seeds N] [NETWORK:BATCH:EPOCHS ...]
"""

import argparse
import statistics

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from explorer import zoo
from explorer.runs import RunConfig, RunControl, RunFinished
from explorer.training import train
from tests.benchmarks.participants import loader, model

_DATA = "fashion-mnist"
_NETWORKS = ("lenet5-relu-dropout:128:5", "alexnet-28:128:1", "resnet20:128:1")
_RATE, _MOMENTUM = 0.01, 0.9


def plain(network: str, batch: int, epochs: int, seed: int) -> float:
    """Share of the test images that the tutorial's loop gets right after its last epoch."""
    torch.manual_seed(seed)
    net = model(network, seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=_RATE, momentum=_MOMENTUM)
    for _ in range(epochs):
        for images, labels in loader(network, _DATA, batch):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    net.eval()
    right = seen = 0
    with torch.no_grad():
        for images, labels in loader(network, _DATA, 500, is_train=False):
            right += int((net(images).argmax(1) == labels).sum())
            seen += len(labels)
    return right / seen


def ours(network: str, batch: int, epochs: int, seed: int) -> float:
    """The same by our run."""
    config = RunConfig(
        data=_DATA, epochs=epochs, batch_size=batch, learning_rate=_RATE, momentum=_MOMENTUM, device="cpu", seed=seed
    )
    result = train(zoo.entry(network).build(), config, lambda _event: None, RunControl(), run_id="benchmark")
    if not isinstance(result, RunFinished) or result.test_accuracy is None:
        raise SystemExit(str(result))
    return result.test_accuracy


def main() -> None:
    """Print each seed's accuracies, then means and spreads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("networks", nargs="*", default=_NETWORKS)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    for written in options.networks:
        network, batch, epochs = written.split(":")
        found: dict[str, list[float]] = {"plain": [], "ours": []}
        for seed in range(options.seeds):
            found["plain"].append(plain(network, int(batch), int(epochs), seed))
            found["ours"].append(ours(network, int(batch), int(epochs), seed))
            print(f"{network}, seed {seed}: plain {found['plain'][-1]:.4f}, ours {found['ours'][-1]:.4f}", flush=True)
        told = ", ".join(
            f"{who} {statistics.fmean(values):.4f} ± {statistics.stdev(values) if len(values) > 1 else 0:.4f}"
            for who, values in found.items()
        )
        print(f"{network} after {epochs} epochs of {_DATA}: {told}", flush=True)


if __name__ == "__main__":
    main()
