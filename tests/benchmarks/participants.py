"""Who trains in `training` and `live`: each in a fresh process, which prints one line of JSON.

    python -m tests.benchmarks.participants KIND NETWORK DATA BATCH STEPS

`plain` is the loop of the usual tutorial: a `DataLoader` with its defaults over torchvision's data set, zero_grad,
forward, loss, backward, step, `loss.item()` each step. `lightning` is the same module in Lightning's `Trainer`. `alone`
is our run without a window, `window` with every live view open. All make the same updates of the same network in
float32 with momentum, and none is told how many threads to use.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from explorer.runs import Event, FeatureMapsCaptured, RunConfig, RunControl, RunFinished, StepsRecorded

_WARM_UP = 10
"""Steps before the clock starts: libraries choose their kernels in the first ones."""
_RATE, _MOMENTUM = 0.01, 0.9
_CLASSES = {"fashion-mnist": "FashionMNIST", "cifar-10": "CIFAR10"}
_NORMALIZATION = {
    "fashion-mnist": ((0.2860,), (0.3530,)),
    "cifar-10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}


class _Clock:
    """Images a second from the step after the warm-up to the last."""

    def __init__(self, batch: int, steps: int) -> None:
        self._batch, self._steps = batch, steps
        self._start_s = 0.0
        self.rate: float | None = None

    def stepped(self, step: int) -> bool:
        """Tell that so many steps are made; True after the last."""
        if self.rate is None and step >= _WARM_UP and not self._start_s:
            self._start_s, self._first = time.perf_counter(), step
        if self.rate is None and step >= self._steps:
            self.rate = (step - self._first) * self._batch / (time.perf_counter() - self._start_s)
        return self.rate is not None


def plain(network: str, data: str, batch: int, steps: int) -> dict[str, Any]:
    """The tutorial's loop."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    net, batches = model(network), loader(network, data, batch)
    optimizer = torch.optim.SGD(net.parameters(), lr=_RATE, momentum=_MOMENTUM)
    clock, step = _Clock(batch, steps), 0
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


def lightning(network: str, data: str, batch: int, steps: int) -> dict[str, Any]:
    """The same in Lightning's Trainer, without its logger, progress bar and checkpoints."""
    import lightning as pl
    import torch
    from torch.nn import functional as F  # noqa: N812

    clock = _Clock(batch, steps)

    class Module(pl.LightningModule):  # type: ignore[misc]  # untyped
        def __init__(self) -> None:
            super().__init__()
            self.model = model(network)

        def training_step(self, part: Any, _index: int) -> Any:
            images, labels = part
            return F.cross_entropy(self.model(images), labels)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=_RATE, momentum=_MOMENTUM)

        def on_train_batch_end(self, *_: Any) -> None:
            clock.stepped(self.global_step)

    trainer = pl.Trainer(
        max_steps=steps, accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Module(), loader(network, data, batch))
    return {"images_per_second": clock.rate}


def alone(network: str, data: str, batch: int, steps: int) -> dict[str, Any]:
    """Our run, as the command line starts it."""
    from explorer.runtime import threads

    threads.prepare()
    from explorer import zoo
    from explorer.training import train

    control, clock = RunControl(), _Clock(batch, steps)
    result = train(
        zoo.entry(network).build(), _config(data, batch), _stopping(control, clock), control, run_id="benchmark"
    )
    return {**_described(result), "images_per_second": clock.rate}


def window(network: str, data: str, batch: int, steps: int) -> dict[str, Any]:
    """Our run in the window: curves beside feature maps beside the table, maps on every node of the canvas."""
    from PySide6.QtCore import Qt, QTimer

    from explorer.app import startup

    application = startup.make_application()
    from explorer.app.window import MainWindow

    shown = MainWindow()
    shown.resize(1600, 1000)
    shown.show()
    shown.open_target(network)
    shown.training.set_config(_config(data, batch))
    shown.splitDockWidget(shown.docks["training"], shown.docks["feature-maps"], Qt.Orientation.Horizontal)
    shown.splitDockWidget(shown.docks["feature-maps"], shown.docks["table"], Qt.Orientation.Horizontal)
    shown.selection.set([shown.document.architecture.nodes[1].id])
    shown.preload()
    late_ms, captures, results = [], [], []
    clock, due_s = _Clock(batch, steps), 0.0
    busy: dict[str, float] = {}

    def tick() -> None:
        nonlocal due_s
        now_s = time.perf_counter()
        if due_s and shown.run_session.state == "running":
            late_ms.append((now_s - due_s) * 1e3)
        due_s = now_s + 1 / 60
        timer.start(max(0, round((due_s - time.perf_counter()) * 1e3)))

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setSingleShot(True)
    timer.timeout.connect(tick)

    def arrived(events: list[Event]) -> None:
        for event in events:
            if isinstance(event, FeatureMapsCaptured):
                captures.append(len(event.atlases))
            elif isinstance(event, StepsRecorded):
                if "start_s" not in busy and event.last_step >= _WARM_UP:
                    busy.update(start_s=time.perf_counter(), thread_s=time.thread_time())
                if clock.stepped(event.last_step) and shown.run_session.state == "running":
                    busy["share"] = (time.thread_time() - busy["thread_s"]) / (time.perf_counter() - busy["start_s"])
                    shown.run_session.stop()
            elif isinstance(event, RunFinished):
                results.append(event)
                QTimer.singleShot(0, application.quit)

    shown.run_session.events_arrived.connect(arrived)
    # torch has loaded and the first maps are drawn.
    QTimer.singleShot(6000, tick)
    QTimer.singleShot(6000, shown.training.start_action.trigger)
    QTimer.singleShot(600_000, application.quit)
    application.exec()
    shown.document.undo_stack.setClean()
    shown.close()
    late_ms.sort()

    def quantile(share: float) -> float:
        return late_ms[min(len(late_ms) - 1, int(share * len(late_ms)))]

    return {
        **_described(results[0]),
        "images_per_second": clock.rate,
        "captures": len(captures),
        "maps": sum(captures),
        "window_share": busy["share"],
        "late_p50_ms": quantile(0.5),
        "late_p99_ms": quantile(0.99),
        "late_max_ms": late_ms[-1],
        "late_mean_ms": statistics.fmean(late_ms),
    }


def _config(data: str, batch: int) -> RunConfig:
    return RunConfig(data=data, epochs=1000, batch_size=batch, learning_rate=_RATE, momentum=_MOMENTUM, device="cpu")


def _stopping(control: RunControl, clock: _Clock) -> Callable[[Event], None]:
    def emit(event: Event) -> None:
        if isinstance(event, StepsRecorded) and clock.stepped(event.last_step):
            control.stop()

    return emit


def _described(result: object) -> dict[str, Any]:
    assert isinstance(result, RunFinished), result
    return {"steps": result.step}


def model(network: str, seed: int = 0) -> Any:
    """The very module that we train, as a user of torch would have written it."""
    from explorer import zoo
    from explorer.runtime.modules import build_module

    return build_module(zoo.entry(network).build(), seed=seed)


def loader(network: str, data: str, batch: int, *, is_train: bool = True) -> Any:
    """A `DataLoader` with its defaults over torchvision's data set, whose images get the size that we give them."""
    from torch.utils.data import DataLoader
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
    return DataLoader(images, batch_size=batch, shuffle=is_train)


if __name__ == "__main__":
    kind, network, data, batch, steps = sys.argv[1:]
    participant = {"plain": plain, "lightning": lightning, "alone": alone, "window": window}[kind]
    print(json.dumps(participant(network, data, int(batch), int(steps))))
