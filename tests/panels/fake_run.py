"""A run session whose events the test writes itself, and made-up events and maps. No thread, no torch."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from explorer.architecture import Architecture
from explorer.runs import Atlas, EpochFinished, Event, RunConfig, RunFinished, RunStarted, StepsRecorded
from explorer.session.run_session import RunSession


class FakeRun(RunSession):
    """Takes commands and remembers them; `say` and `enter` answer as a run would."""

    def __init__(self) -> None:
        super().__init__(lambda *_, **__: None)
        self.commands: list[object] = []

    def start(self, architecture: Architecture, config: RunConfig) -> None:
        self.commands.append("start")
        self.architecture = architecture
        self._set_state("starting")
        self.started.emit(architecture, config)

    def pause(self) -> None:
        self.commands.append("pause")

    def resume(self) -> None:
        self.commands.append("resume")

    def step_once(self) -> None:
        self.commands.append("step")

    def stop(self) -> None:
        self.commands.append("stop")

    def set_learning_rate(self, learning_rate: float) -> None:
        self.commands.append(learning_rate)

    def enter(self, state: str) -> None:
        """Change the state, as an event of the run would."""
        self._set_state(state)

    def say(self, events: Sequence[Event]) -> None:
        """Let events arrive together, as one drain of the mailbox would."""
        self.events_arrived.emit(events)


def run_started(*, epochs: int = 10, notes: tuple[str, ...] = ()) -> RunStarted:
    """A run on digits, 63 steps an epoch."""
    return RunStarted(
        run_id="r",
        config=RunConfig(epochs=epochs),
        architecture_name="LeNet-5",
        device="cuda:0",
        num_train=4000,
        num_test=1000,
        steps_per_epoch=63,
        num_parameters=61_706,
        notes=notes,
    )


def steps(first: int, losses: Iterable[float], *, total: int = 630) -> StepsRecorded:
    """Consecutive steps; the accuracy is one minus the loss."""
    values = np.array(list(losses), np.float32)
    last = first + len(values) - 1
    return StepsRecorded(
        run_id="r",
        first_step=first,
        losses=values,
        accuracies=1 - values,
        learning_rate=0.05,
        epoch=-(-last // 63),
        images_per_second=12_400.4,
        seconds_left=41.0,
        num_steps_total=total,
    )


def epoch_finished(epoch: int, *, test_accuracy: float = 0.9) -> EpochFinished:
    """The end of an epoch of 63 steps."""
    return EpochFinished(
        run_id="r",
        epoch=epoch,
        step=63 * epoch,
        seconds=1.0,
        train_loss=0.25,
        train_accuracy=0.875,
        test_loss=0.5,
        test_accuracy=test_accuracy,
        images_per_second=12_000.0,
    )


def run_finished() -> RunFinished:
    """A run of ten epochs that ended as planned."""
    return RunFinished(
        run_id="r",
        reason="completed",
        step=630,
        seconds=58.0,
        checkpoint=None,
        train_loss=0.1,
        train_accuracy=0.97,
        test_accuracy=0.961,
        images_per_second=12_000.0,
    )


def atlas(maps: npt.NDArray[np.uint8], *, columns: int, gap: int = 1, low: float = -1.0, high: float = 1.0) -> Atlas:
    """An atlas of `(channels, height, width)` grey levels, put together tile by tile."""
    count, height, width = maps.shape
    rows = -(-count // columns)
    image = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap), np.uint8)
    for channel in range(count):
        row, column = divmod(channel, columns)
        top, left = row * (height + gap), column * (width + gap)
        image[top : top + height, left : left + width] = maps[channel]
    return Atlas(
        image=image,
        num_channels=count,
        columns=columns,
        tile_height=height,
        tile_width=width,
        gap=gap,
        minimum=low,
        maximum=high,
    )
