"""What training takes under the conditions in force, worked out once for all panels. The model is `inference.memory`'s.

Batch, optimizer, momentum and precision are those of the training form; another optimizer or precision can be tried
without touching the form, and the precision is remembered. The device is looked up by the app, which may load torch.
"""

from typing import NamedTuple, get_args

from PySide6.QtCore import QObject, Signal

from explorer.inference import Inference
from explorer.inference.memory import Memory, largest_batch, memory
from explorer.inference.schedule import Precision
from explorer.runs import RunConfig, config_field
from explorer.session import Snapshot
from explorer.session.places import settings

_PRECISION = "estimates/precision"
_REMEMBERED = 4
"""The snapshot on screen, its preview, and the two before them: what views ask for between two edits."""


class Device(NamedTuple):
    """Where training runs, and its memory."""

    name: str
    """As people know it: "NVIDIA H200 (cuda:0)"."""
    total_bytes: int
    available_bytes: int
    """What is free for a run."""
    num_gpus: int = 0
    """That this computer has, this one among them."""
    mixed: tuple[str, ...] = ("bfloat16", "float16")
    """Which of `RunConfig.precision` are mixed precision there."""


class Conditions(NamedTuple):
    """What beside the network decides how much memory its training takes."""

    batch_size: int
    optimizer: str
    momentum: float
    precision: Precision
    auxiliary: bool
    """Whether auxiliary heads are trained too."""

    @property
    def optimizer_name(self) -> str:
        """The optimizer as people write it."""
        names = {"sgd": "SGD", "adam": "Adam"}
        name = names.get(self.optimizer, self.optimizer)
        return f"{name}, momentum {self.momentum:g}" if self.optimizer == "sgd" and self.momentum else name


class Estimates(QObject):
    """Memory of snapshots under the conditions in force.

    Signals:
        changed(): other conditions, or another device.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._config = RunConfig()
        self._trial: tuple[str, float] | None = None
        stored = str(settings().value(_PRECISION, ""))
        self._precision: Precision | None = next((p for p in get_args(Precision) if p == stored), None)
        self._device: Device | None = None
        self._memories: list[tuple[Inference, Conditions, Memory]] = []
        self._largest: tuple[Inference, Conditions, int, int] | None = None

    # Conditions

    @property
    def conditions(self) -> Conditions:
        """What the estimates hold for."""
        optimizer, momentum = self._trial or (self._config.optimizer, self._config.momentum)
        auxiliary = self._config.aux_weight > 0
        precision = self._precision or self._precision_in_training
        return Conditions(self._config.batch_size, optimizer, momentum, precision, auxiliary)

    @property
    def in_training(self) -> Conditions:
        """The same with the training form's own optimizer and precision."""
        return self.conditions._replace(
            optimizer=self._config.optimizer,
            momentum=self._config.momentum,
            precision=self._precision_in_training,
        )

    @property
    def tried_precision(self) -> Precision | None:
        """The precision that is tried in place of the training form's; None for the form's."""
        return self._precision

    @property
    def _precision_in_training(self) -> Precision:
        mixed = ("bfloat16", "float16") if self._device is None else self._device.mixed
        return "mixed" if self._config.precision in mixed else "float32"

    @property
    def trial(self) -> tuple[str, float] | None:
        """The optimizer and momentum that are tried in place of the training form's; None for the form's."""
        return self._trial

    @property
    def device(self) -> Device | None:
        """Where training would run; None until it is known."""
        return self._device

    @property
    def most_images(self) -> int:
        """The largest batch that can be asked for."""
        return int(config_field("batch_size").maximum or 1)

    def set_config(self, config: RunConfig) -> None:
        """Follow the training form."""
        before = self.conditions, self.in_training
        self._config = config
        if (self.conditions, self.in_training) != before:
            self.changed.emit()

    def set_precision(self, precision: Precision | None) -> None:
        """Estimate for computing in that precision, from now on and in later sessions; None for the training form's."""
        if precision != self._precision:
            self._precision = precision
            settings().setValue(_PRECISION, precision or "")
            self.changed.emit()

    def try_optimizer(self, optimizer: tuple[str, float] | None) -> None:
        """Estimate for another optimizer and momentum than the training form's; None goes back to it."""
        if optimizer != self._trial:
            self._trial = optimizer
            self.changed.emit()

    def set_device(self, device: Device | None) -> None:
        """Compare with this device."""
        if device != self._device:
            self._device = device
            self.changed.emit()

    # Estimates

    def memory(self, snapshot: Snapshot) -> Memory:
        """What the network takes under the conditions in force."""
        conditions = self.conditions
        for inference, held_for, known in self._memories:
            if inference is snapshot.inference and held_for == conditions:
                return known
        found = memory(
            snapshot.architecture,
            snapshot.inference,
            batch_size=conditions.batch_size,
            optimizer=conditions.optimizer,
            momentum=conditions.momentum,
            precision=conditions.precision,
            auxiliary=conditions.auxiliary,
        )
        self._memories = [(snapshot.inference, conditions, found), *self._memories][:_REMEMBERED]
        return found

    def fits(self, snapshot: Snapshot) -> bool | None:
        """Whether training fits into what is free on the device; None while that is not known."""
        if self._device is None:
            return None
        return self.memory(snapshot).training_bytes <= self._device.available_bytes

    def largest_batch(self, snapshot: Snapshot) -> int | None:
        """The most images a batch can have on the device, 0 for none; None while the device is not known."""
        if self._device is None:
            return None
        conditions, available = self.conditions._replace(batch_size=0), self._device.available_bytes
        if self._largest is not None:
            inference, held_for, held_in, known = self._largest
            if inference is snapshot.inference and held_for == conditions and held_in == available:
                return known
        found = largest_batch(
            snapshot.architecture,
            snapshot.inference,
            available,
            optimizer=conditions.optimizer,
            momentum=conditions.momentum,
            precision=conditions.precision,
            auxiliary=conditions.auxiliary,
        )
        found = min(found, self.most_images)
        self._largest = (snapshot.inference, conditions, available, found)
        return found
