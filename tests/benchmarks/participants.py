"""Who trains in `training` and `live`: each in a fresh process, which computes when it is its turn (`turns`).

    python -m tests.benchmarks.participants KIND NETWORK DATA BATCH DEVICE

`plain` is the loop of the usual tutorial: a `DataLoader` over torchvision's data set, zero_grad, forward, loss,
backward, step, `loss.item()` each step. Its loader has the defaults, and on a GPU pinned memory and two workers, as
tutorials have there. `lightning` is the same module in Lightning's `Trainer`.
`alone` is our run without a window, `float32` one that is told to compute in nothing else, `window` is with every live
view open (`in_window`). All make the same updates of the same network with momentum, those that are not ours in
float32, and none is told how many threads to use.
"""

import json
import os
import sys
from typing import Any

from explorer.runs import RunConfig, RunControl, RunFinished
from tests.benchmarks.turns import LoopTurns, RunTurns

_RATE, _MOMENTUM = 0.01, 0.9
_CLASSES = {"fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10"}
_NORMALIZATION = {
    "fashion-mnist": ((0.2860,), (0.3530,)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}


def plain(network: str, data: str, batch: int, device: str) -> dict[str, Any]:
    """The tutorial's loop."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    place = chosen(device)
    net, batches = model(network).to(place), loader(network, data, batch, device=place)
    optimizer = torch.optim.SGD(net.parameters(), lr=_RATE, momentum=_MOMENTUM)
    turns, step = LoopTurns(batch, lambda: settle(place)), 0
    turns.begin()
    while True:
        for on_host in batches:
            images, labels = (part.to(place) for part in on_host)
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            loss.item()
            step += 1
            if turns.stepped(step):
                return {"steps": step}


def lightning(network: str, data: str, batch: int, device: str) -> dict[str, Any]:
    """The same in Lightning's Trainer and its default precision, without its logger, progress bar and checkpoints."""
    import lightning as pl
    import torch
    from torch.nn import functional as F  # noqa: N812

    place = chosen(device)
    turns = LoopTurns(batch, lambda: settle(place))

    class Module(pl.LightningModule):  # type: ignore[misc]  # untyped
        def __init__(self) -> None:
            super().__init__()
            self.model = model(network)

        def training_step(self, part: Any, _index: int) -> Any:
            images, labels = part
            return F.cross_entropy(self.model(images), labels)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=_RATE, momentum=_MOMENTUM)

        def on_train_start(self) -> None:
            turns.begin()

        def on_train_batch_end(self, *_: Any) -> None:
            self.trainer.should_stop = turns.stepped(self.global_step)

    trainer = pl.Trainer(
        max_epochs=-1, accelerator=place.type, devices=1 if place.index is None else [place.index], logger=False,
        enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Module(), loader(network, data, batch, device=place))
    return {"steps": trainer.global_step}


def alone(network: str, data: str, batch: int, device: str, precision: str = "auto") -> dict[str, Any]:
    """Our run, as the command line starts it."""
    from explorer.runtime import threads

    threads.prepare()
    from explorer import zoo
    from explorer.training import train

    control = RunControl()
    turns = RunTurns(batch, control)
    config = RunConfig.from_plain({**run_config(data, batch, device).to_plain(), "precision": precision})
    result = train(zoo.entry(network).build(), config, turns.hear, control, run_id="benchmark")
    return described(result, turns)


def float32(network: str, data: str, batch: int, device: str) -> dict[str, Any]:
    """The same without another precision."""
    return alone(network, data, batch, device, "float32")


def run_config(data: str, batch: int, device: str) -> RunConfig:
    return RunConfig(data=data, epochs=1000, batch_size=batch, learning_rate=_RATE, momentum=_MOMENTUM, device=device)


def described(result: object, turns: RunTurns) -> dict[str, Any]:
    assert isinstance(result, RunFinished), result
    return {"steps": result.step, "way": turns.way, "device": turns.device, "notes": turns.notes}


def chosen(device: str) -> Any:
    """The `torch.device` of that name, as a run of ours chooses it."""
    from explorer.runtime.devices import choose_device

    return choose_device(device)


def settle(device: Any) -> None:
    """Wait until a GPU has done what it was given."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)


def model(network: str, seed: int = 0) -> Any:
    """The very module that we train, as a user of torch would have written it."""
    from explorer import zoo
    from explorer.runtime.modules import build_module

    return build_module(zoo.entry(network).build(), seed=seed)


def loader(
    network: str, data: str, batch: int, *, device: Any, is_train: bool = True, most_images: int | None = None
) -> Any:
    """The tutorial's `DataLoader` over torchvision's data set, whose images get the size that we give them.

    Args:
        device: where its batches will go.
        most_images: of the set, its first ones; None for all.
    """
    from torch.utils.data import DataLoader, Subset
    from torchvision import datasets, transforms

    from explorer import zoo

    channels, size, _ = zoo.entry(network).build().input_shape
    steps = [transforms.ToTensor(), transforms.Normalize(*_NORMALIZATION[data])]
    kind = getattr(datasets, _CLASSES[data])
    root = os.environ["ARCH_EXPLORER_DATA"]
    probe = kind(root, train=True)[0][0]
    # Where they are nearly as large we pad.
    if 0 < (rim := size - probe.size[1]) <= 8:
        steps.insert(0, transforms.Pad(rim // 2))
    elif rim:
        steps.insert(0, transforms.Resize((size, size)))
    if channels == 3 and probe.mode == "L":
        steps.insert(0, transforms.Grayscale(3))
    images = kind(root, train=is_train, transform=transforms.Compose(steps))
    if most_images is not None:
        images = Subset(images, range(min(most_images, len(images))))
    on_gpu = device.type == "cuda"
    return DataLoader(images, batch_size=batch, shuffle=is_train, num_workers=2 if on_gpu else 0, pin_memory=on_gpu)


if __name__ == "__main__":
    kind, network, data, batch, device = sys.argv[1:]
    if kind == "window":
        from tests.benchmarks.in_window import window as participant
    else:
        participant = {"plain": plain, "lightning": lightning, "alone": alone, "float32": float32}[kind]
    print(json.dumps(participant(network, data, int(batch), device)))
