"""Who trains in `training` and `live`: each in a fresh process, which prints one line of JSON.

    python -m tests.benchmarks.participants KIND NETWORK DATA BATCH STEPS SECONDS

`plain` is the loop of the usual tutorial: a `DataLoader` with its defaults over torchvision's data set, zero_grad,
forward, loss, backward, step, `loss.item()` each step. `lightning` is the same module in Lightning's `Trainer`.
`alone` is our run without a window, `window` with every live view open (`in_window`). All make the same updates of
the same network in float32 with momentum, and none is told how many threads to use.
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from explorer.runs import Event, RunConfig, RunControl, RunFinished, RunStarted, StepsRecorded

WARM_UP = 10
"""Steps before the clock starts: libraries choose their kernels in the first ones."""
_RATE, _MOMENTUM = 0.01, 0.9
_CLASSES = {"fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10"}
_NORMALIZATION = {
    "fashion-mnist": ((0.2860,), (0.3530,)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}


class Clock:
    """Images a second from the step after the warm-up to the last, or to the first after so many seconds.

    Where time is short, a warm-up ends after a third of it too, so that a slow participant is still measured.
    """

    def __init__(self, batch: int, steps: int, most_s: float = math.inf) -> None:
        self._batch, self._steps, self._most_s = batch, steps, most_s
        self._begun_s = time.perf_counter()
        self._start_s = 0.0
        self._first = 0
        self.rate: float | None = None

    def begin(self) -> None:
        """The first step comes now: what was loaded before takes nothing of the seconds."""
        self._begun_s = time.perf_counter()

    @property
    def is_warm(self) -> bool:
        """Whether the clock runs, or ran."""
        return bool(self._start_s)

    def stepped(self, step: int) -> bool:
        """Tell that so many steps are made; True after the last."""
        if self.rate is not None:
            return True
        now_s = time.perf_counter()
        if not self._start_s:
            if step >= WARM_UP or now_s - self._begun_s > self._most_s / 3:
                self._start_s, self._first = now_s, step
        elif step > self._first and (step >= self._steps or now_s - self._begun_s > self._most_s):
            self.rate = (step - self._first) * self._batch / (now_s - self._start_s)
        return self.rate is not None


def plain(network: str, data: str, batch: int, steps: int, most_s: float) -> dict[str, Any]:
    """The tutorial's loop."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    net, batches = model(network), loader(network, data, batch)
    optimizer = torch.optim.SGD(net.parameters(), lr=_RATE, momentum=_MOMENTUM)
    clock, step = Clock(batch, steps, most_s), 0
    while True:
        for images, labels in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(images), labels)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            loss.item()
            step += 1
            if clock.stepped(step):
                return {"images_per_second": clock.rate}


def lightning(network: str, data: str, batch: int, steps: int, most_s: float) -> dict[str, Any]:
    """The same in Lightning's Trainer, without its logger, progress bar and checkpoints."""
    import lightning as pl
    import torch
    from torch.nn import functional as F  # noqa: N812

    clock = Clock(batch, steps, most_s)

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
            clock.begin()

        def on_train_batch_end(self, *_: Any) -> None:
            self.trainer.should_stop = clock.stepped(self.global_step)

    trainer = pl.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Module(), loader(network, data, batch))
    return {"images_per_second": clock.rate}


def alone(network: str, data: str, batch: int, steps: int, most_s: float) -> dict[str, Any]:
    """Our run, as the command line starts it."""
    from explorer.runtime import threads

    threads.prepare()
    from explorer import zoo
    from explorer.training import train

    control, clock = RunControl(), Clock(batch, steps, most_s)
    result = train(
        zoo.entry(network).build(), run_config(data, batch), _stopping(control, clock), control, run_id="benchmark"
    )
    return {**described(result), "images_per_second": clock.rate}


def run_config(data: str, batch: int) -> RunConfig:
    return RunConfig(data=data, epochs=1000, batch_size=batch, learning_rate=_RATE, momentum=_MOMENTUM, device="cpu")


def _stopping(control: RunControl, clock: Clock) -> Callable[[Event], None]:
    def emit(event: Event) -> None:
        if isinstance(event, RunStarted):
            clock.begin()
        elif isinstance(event, StepsRecorded) and clock.stepped(event.last_step):
            control.stop()

    return emit


def described(result: object) -> dict[str, Any]:
    assert isinstance(result, RunFinished), result
    return {"steps": result.step}


def model(network: str, seed: int = 0) -> Any:
    """The very module that we train, as a user of torch would have written it."""
    from explorer import zoo
    from explorer.runtime.modules import build_module

    return build_module(zoo.entry(network).build(), seed=seed)


def loader(network: str, data: str, batch: int, *, is_train: bool = True, most_images: int | None = None) -> Any:
    """A `DataLoader` with its defaults over torchvision's data set, whose images get the size that we give them.

    Args:
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
    return DataLoader(images, batch_size=batch, shuffle=is_train)


if __name__ == "__main__":
    kind, network, data, batch, steps, most_s = sys.argv[1:]
    if kind == "window":
        from tests.benchmarks.in_window import window as participant
    else:
        participant = {"plain": plain, "lightning": lightning, "alone": alone}[kind]
    print(json.dumps(participant(network, data, int(batch), int(steps), float(most_s))))
