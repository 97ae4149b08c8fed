"""What a run says while it trains: frozen values that cross from its thread to whoever listens.

Every event carries its `run_id`, so that a listener drops those of a run it no longer shows. They hold plain values and
numpy arrays only; an array is handed over with its event and nobody writes to it afterwards. Values that hold arrays
compare by identity.

A step is one optimizer update. Steps and epochs count from 1, so `step` is also how many updates were made so far.
Losses are means over images of the training loss function; accuracies are shares of images, 0 to 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from explorer.runs.class_figures import TestedImages
from explorer.runs.config import RunConfig
from explorer.runs.observed import Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The first event of a run: what is about to be trained, where, and on how much."""

    run_id: str
    config: RunConfig
    architecture_name: str
    device: str
    """The device in use, never `auto`."""
    num_train: int
    """Training images."""
    num_test: int
    """Test images."""
    steps_per_epoch: int
    num_parameters: int
    notes: tuple[str, ...]
    """What the trainer decided and the user should know, one sentence each."""
    data_fingerprint: str = ""
    """Of the data set: equal data, equal text."""
    resumed_step: int = 0
    """Updates made before, where a run goes on from its checkpoint; 0 for one that begins."""
    num_processes: int = 1
    """How many train together."""
    images_per_second_alone: float | None = None
    """What one of several processes reaches by itself, measured before the first step; None for a single one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataProgress:
    """The data set is being read, before `RunStarted`."""

    run_id: str
    """Empty where the run's record has not begun yet."""
    text: str
    """What is done, how far it is and how long it takes: "Decoding 1,234 of 20,000 images, about 40 s left"."""
    share: float
    """Of it that is done, 0 to 1; 0 where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepsRecorded:
    """The measurements of consecutive steps, the first of which is `first_step`."""

    run_id: str
    first_step: int
    losses: npt.NDArray[np.float32]
    """Training loss of each step's batch, `(n,)`."""
    accuracies: npt.NDArray[np.float32]
    """Training accuracy of each step's batch, `(n,)`."""
    learning_rate: float
    epoch: int
    """The epoch that the last of these steps belongs to."""
    images_per_second: float
    seconds_left: float | None
    """Estimate for the rest of the run; None while too little is known."""
    num_steps_total: int
    """Steps of the whole run."""
    num_threads: int | None = None
    """That the next steps compute with; None where that is not the CPU's affair, or was not recorded."""
    is_compiled: bool = False
    """Whether a step that torch compiled computes full batches."""
    precision: str = "float32"
    """That the next steps compute in: of those that `RunConfig.precision` may name, not "auto"."""

    @property
    def last_step(self) -> int:
        return self.first_step + len(self.losses) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochFinished:
    """An epoch was trained and the test images were classified."""

    run_id: str
    epoch: int
    step: int
    seconds: float
    """Wall-clock time of this epoch, its test included and its pauses left out."""
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    images_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassesTested:
    """What the test of an epoch said of each image; comes before the epoch's `EpochFinished`."""

    run_id: str
    epoch: int
    step: int
    """Updates made before it."""
    tested: TestedImages


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved:
    """Whole weights lie on the disk."""

    run_id: str
    step: int
    """Updates made before they were saved."""
    path: str
    """The safetensors file; later checkpoints of the run replace it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Atlas:
    """All channels of one layer's feature maps in one grey picture: equal tiles in rows, left to right, top to bottom.

    Channel `i` is the tile in row `i // columns` and column `i % columns`. Its pixel `(y, x)` is
    `image[row * (tile_height + gap) + y, column * (tile_width + gap) + x]`: gaps lie between tiles, none at the rim.
    A grey level `g` stands for the value `minimum + (maximum - minimum) * g / 255`, the same scale for every channel
    unless the capture was asked to scale each channel by its own range.
    Gaps, and the places after the last channel, are 0.
    """

    image: npt.NDArray[np.uint8]
    """`(rows * (tile_height + gap) - gap, columns * (tile_width + gap) - gap)`."""
    num_channels: int
    columns: int
    tile_height: int
    """Pixels; the feature map's height, or less where a large map was averaged down."""
    tile_width: int
    """Pixels; the feature map's width, or less where a large map was averaged down."""
    gap: int
    """Pixels between neighbouring tiles, 0 or more."""
    minimum: float
    """The smallest value among all channels."""
    maximum: float
    """The largest value among all channels."""

    def __post_init__(self) -> None:
        height = self.rows * (self.tile_height + self.gap) - self.gap
        width = self.columns * (self.tile_width + self.gap) - self.gap
        assert self.image.dtype == np.uint8, self.image.dtype
        assert self.image.shape == (height, width), (self.image.shape, (height, width))

    @property
    def rows(self) -> int:
        return -(-self.num_channels // self.columns)

    def tile_origin(self, channel: int) -> tuple[int, int]:
        """The top left pixel `(y, x)` of a channel's tile.

        Raises:
            IndexError: there is no such channel.
        """
        if not 0 <= channel < self.num_channels:
            raise IndexError(f"channel {channel} of {self.num_channels}")
        row, column = divmod(channel, self.columns)
        return row * (self.tile_height + self.gap), column * (self.tile_width + self.gap)

    def tile(self, channel: int) -> npt.NDArray[np.uint8]:
        """A channel's grey levels, `(tile_height, tile_width)`, a view of `image`.

        Raises:
            IndexError: there is no such channel.
        """
        y, x = self.tile_origin(channel)
        return self.image[y : y + self.tile_height, x : x + self.tile_width]

    def channel_at(self, y: int, x: int) -> int | None:
        """The channel whose tile covers a pixel of `image`; None on a gap, after the last channel, or outside."""
        row, inner_y = divmod(y, self.tile_height + self.gap)
        column, inner_x = divmod(x, self.tile_width + self.gap)
        channel = row * self.columns + column
        if inner_y >= self.tile_height or inner_x >= self.tile_width or not 0 <= column < self.columns:
            return None
        return channel if 0 <= channel < self.num_channels else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FeatureMapsCaptured:
    """Feature maps of the probe image under the weights after `step`, one atlas a node."""

    run_id: str
    step: int
    """0 before the first update."""
    probe: str
    """The label of the probe image, as `Watch.probe` gave it."""
    atlases: Mapping[str, Atlas]
    """By node id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The run goes on, waits, or is about to end."""

    run_id: str
    state: Literal["running", "paused", "stopping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNoted:
    """The trainer decided something on the way that the user should know."""

    run_id: str
    note: str
    """One sentence, as in `RunStarted.notes`, which it comes after."""
    is_passing: bool = False
    """Whether it says what goes on just now: of no use once there is another note, or the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleMet:
    """Something is wrong beside the run, which goes on: the disk refuses, the store is held by another program."""

    run_id: str
    message: str
    """One sentence: what happened, what it means for the run, what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The last event of a run that ended as planned or was stopped; measurements are None where none was made."""

    run_id: str
    reason: Literal["completed", "stopped"]
    step: int
    seconds: float
    """Wall-clock time from the start of the run to its end."""
    checkpoint: str | None
    """Path of the weights (safetensors); None if they could not be written."""
    train_loss: float | None
    train_accuracy: float | None
    test_accuracy: float | None
    images_per_second: float | None
    note: str = ""
    """Why a completed run ended before its last epoch, in one sentence; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed:
    """The last event of a run that broke."""

    run_id: str
    message: str
    """One sentence: where, what happened, what would help."""
    details: str
    """The traceback, for a report; may be empty."""
    checkpoint: str | None
    """Path of the last whole weights (safetensors), if any."""
    fitting_batch_size: int | None = None
    """After a lack of memory, the most images of a step that fit; None where it failed otherwise or none fits."""
    lost_device: str | None = None
    """The device that no longer answers, by torch's name; None where it failed otherwise."""


Event = (
    DataProgress
    | RunStarted
    | StepsRecorded
    | ClassesTested
    | EpochFinished
    | CheckpointSaved
    | FeatureMapsCaptured
    | Observed
    | StateChanged
    | RunNoted
    | TroubleMet
    | RunFinished
    | RunFailed
)
"""Whatever a run may say. `RunStarted` comes first but for `DataProgress`, `RunFinished` or `RunFailed` last."""
