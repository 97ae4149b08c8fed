"""The time machine's side of a run: spaced steps at which a standard look at the network is captured and kept.

Nobody needs to look. All layers' maps are captured small, with statistics, the weights of small layers and what the
probes are taken for, by instruments of its own, within a budget of its own. Moments are dense at the start, where most
happens, then even; a loss that leaps gets one too. Writing is done in a thread: training never waits for the disk, and
a disk that refuses costs moments and nothing else. The files are `runs.moments`'.
"""

import dataclasses
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from explorer.inference import infer
from explorer.layers import Category
from explorer.runs import Event, FeatureMapsCaptured, Look, RunControl
from explorer.runs.moments import MomentStore
from explorer.runs.moments_packing import Moment
from explorer.runs.moments_total import give_up_oldest, total_bytes
from explorer.runtime.feature_maps import capture_feature_maps
from explorer.runtime.instruments import Instrument, MapsInstrument, Subject, make_instruments
from explorer.runtime.modules import Network
from explorer.training.failures import reason_of, remedy_of

CPU_SHARE, DEVICE_SHARE = 0.015, 0.01
"""Of a run's time that capturing moments may take."""
CREDIT_S = 0.2
"""Of the processor that the first moments may take beforehand; later ones wait until they are within the share again.
Of the processor, since beside busy programs a second is worth little."""
_NUM_WANTED = 500
"""Moments of a whole run, as far as the budget allows."""
_MAPS_BYTES = 768 * 1024
_MAP_LIMITS = ((64, 32), (32, 32), (64, 16), (32, 16), (16, 16), (8, 16), (4, 8), (1, 8))
"""Channels of a layer and pixels of a tile's longer side, the first of which fits into `_MAPS_BYTES` is used."""
_MOST_WEIGHTS_FIRST, _MOST_WEIGHTS, _MOST_WEIGHTS_TOGETHER = 2**16, 2**13, 24_000
"""Of the first layer, of each other one, and of all others."""
_MOST_OPENED = 100_000
"""Values of layers that are kept in full."""
_WINDOWS = (Category.CONVOLUTION, Category.POOLING)
_NUM_IMAGES = 32
"""Of the sample that activations are measured on: statistics are most of what a moment costs."""
_MOST_LIGHT = 3
"""Moments in a row without what takes longer than the rest together, as statistics do."""
_MOST_WAITING = 2
_CLOSE_TIMEOUT_S = 20.0
_LEAP, _LEAP_LOSSES = 2.0, 40
"""A loss leaps that is so many times the largest of so many before it."""
_EARLY_FACTOR = 2 ** (1 / 3)
"""From one moment's step to the next one's, at the start."""
_logger = logging.getLogger(__name__)


class MomentRecorder:
    """Captures and keeps the moments of one run. An instrument that fails is left out until another look."""

    def __init__(
        self,
        subject: Subject,
        folder: Path,
        most_bytes: int,
        num_steps_total: int,
        make: Callable[[Subject], Sequence[Instrument]] = make_instruments,
        clock: Callable[[], float] = time.perf_counter,
        busy_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        """Keep moments in the folder of a run.

        Args:
            subject: the network that trains.
            folder: of the run.
            most_bytes: of all its moments.
            num_steps_total: of the whole run, for their spacing.
        """
        sample = subject.sample
        if sample is not None:
            subject = subject._replace(sample=lambda: _spread(sample()))
        self._subject = subject
        self._clock, self._busy_clock = clock, busy_clock
        self._device = next(iter(subject.network.parameters()), torch.empty(0)).device
        self._share = DEVICE_SHARE if self._device.type != "cpu" else CPU_SHARE
        self._spacing = max(1, num_steps_total // _NUM_WANTED)
        self._small_maps = _SmallMaps(subject)
        self._instruments: list[Instrument] = [
            self._small_maps if isinstance(instrument, MapsInstrument) else instrument for instrument in make(subject)
        ]
        self._wanted: list[Instrument] = []
        self._busy_s: dict[Instrument, float] = {}
        """Of the processor that each took last."""
        self._num_light = 0
        """Moments since the last with everything in it."""
        self._armed: list[Instrument] = []
        self._look = _standard_look(subject.network)
        self._version: int | None = None
        self._writer = _Writer(folder, most_bytes)
        self._started_s: float | None = None
        self.spent_s = 0.0
        """By the run for captures."""
        self._spent_busy_s = 0.0
        self._last_cost_s = self._last_busy_s = 0.0
        self._next_even = self._next_early = 0
        self._last_step = -1
        """Of the last moment that is kept, `_last_events` what it holds."""
        self._last_events: list[Moment] = []
        self._missing: list[Instrument] = []
        """What was left out of it."""
        self._has_leapt = False
        self._is_armed = False
        self._armed_s = 0.0
        self._recent: npt.NDArray[np.float32] = np.empty(0, np.float32)

    def begin(self, step: int, control: RunControl) -> None:
        """Capture what the run begins with; moments after `step` are of a run that was cut off there, and go.

        A moment of `step` itself stays: it was captured around a step, and has gradients and updates.
        """
        self._writer.cut_off(step)
        self._started_s = self._clock()
        self._take_look(control)
        if self._writer.has(step):
            self._last_step = step
            self._space(step)
        else:
            self._capture(step, self._clock(), self._wanted)

    def before_step(self, step: int, control: RunControl) -> None:
        """The next thing is the step `step`."""
        if not self._is_due(step):
            return
        self._synchronize()
        self._armed_s = self._clock()
        self._take_look(control)
        self._armed = self._due_instruments()
        for instrument in self._armed:
            try:
                instrument.prepare()
            except Exception as error:
                self._give_up(instrument, error)
        self._synchronize()
        self._is_armed = True
        self._armed_s = self._clock() - self._armed_s

    def after_step(self, step: int) -> None:
        """The step `step` was made."""
        if self._is_armed:
            self._is_armed = False
            self._synchronize()
            self._capture(step, self._clock() - self._armed_s, self._armed)

    def heard(self, losses: npt.NDArray[np.float32]) -> None:
        """Take the losses of the last steps: after one that leapt, a moment is due."""
        known = np.concatenate([self._recent, losses])
        before = known[: len(known) - len(losses)]
        if len(before) == _LEAP_LOSSES and float(np.max(losses, initial=0.0)) > _LEAP * float(np.max(before)):
            self._has_leapt = True
        self._recent = known[-_LEAP_LOSSES:]

    def suspended(self, seconds: float) -> None:
        """Leave out a time in which the run stood still."""
        if self._started_s is not None:
            self._started_s += seconds

    def finish(self, step: int) -> None:
        """Capture the end, with everything in it."""
        is_kept = step == self._last_step
        instruments = self._missing if is_kept else self._wanted
        if instruments:
            self._synchronize()
            # What was captured around the step stays: now that it is made, no update can be seen any more.
            self._capture(step, self._clock(), instruments, beside=self._last_events if is_kept else (), is_last=True)

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._writer.close()

    def take_trouble(self) -> str | None:
        """What is wrong with the disk, once."""
        return self._writer.take_trouble()

    def _is_due(self, step: int) -> bool:
        if self._started_s is None or (step < min(self._next_even, self._next_early) and not self._has_leapt):
            return False
        allowed_s = self._share * (self._clock() - self._started_s)
        # What the writing takes of the processors, a run on them pays too.
        spent_s = self.spent_s + (self._writer.spent_s if self._device.type == "cpu" else 0.0)
        if step >= self._next_even and spent_s + self._last_cost_s <= allowed_s:
            return True
        is_early = step >= self._next_early or self._has_leapt
        return is_early and self._spent_busy_s + self._last_busy_s <= allowed_s + CREDIT_S

    def _take_look(self, control: RunControl) -> None:
        """Look with the probes that the window looks with, and at what is measured only where somebody looks."""
        watch = control.watched
        if watch.version == self._version:
            return
        self._version = watch.version
        look = watch.look
        try:
            self._aim(
                dataclasses.replace(
                    self._look,
                    probes=look.probes,
                    current=look.current,
                    opened=_openable(self._subject.network, look.opened),
                    explained_layer=look.explained_layer,
                    explained_class=look.explained_class,
                    pointed=look.pointed,
                    compared=look.compared,
                )
            )
        except Exception:
            _logger.exception("the window's probes cannot be used for moments")
            self._aim(dataclasses.replace(self._look, opened=_openable(self._subject.network, ())))

    def _aim(self, look: Look) -> None:
        self._wanted, self._busy_s = [], {}
        for instrument in self._instruments:
            try:
                is_wanted = instrument.aim(look)
            except Exception:
                if look.probes:
                    raise
                _logger.exception("%s cannot be used for moments", type(instrument).__name__)
                continue
            if is_wanted:
                self._wanted.append(instrument)

    def _due_instruments(self) -> list[Instrument]:
        """All, or now and then only all but the one that takes longer than the others together."""
        if len(self._busy_s) < 2 or self._num_light >= _MOST_LIGHT:
            return list(self._wanted)
        heavy = max(self._busy_s, key=self._busy_s.__getitem__)
        if 2 * self._busy_s[heavy] <= sum(self._busy_s.values()):
            return list(self._wanted)
        return [instrument for instrument in self._wanted if instrument is not heavy]

    def _capture(
        self,
        step: int,
        start_s: float,
        instruments: Sequence[Instrument],
        *,
        beside: Sequence[Moment] = (),
        is_last: bool = False,
    ) -> None:
        busy_s = self._busy_clock()
        events = list(beside)
        self._num_light = 0 if len(instruments) == len(self._wanted) else self._num_light + 1
        for instrument in [one for one in instruments if one in self._wanted]:
            own_s = self._busy_clock()
            try:
                event: Event = instrument.capture(step)
            except Exception as error:
                self._give_up(instrument, error)
                continue
            self._busy_s[instrument] = self._busy_clock() - own_s
            if isinstance(event, Moment):
                events.append(event)
        self._last_cost_s = self._clock() - start_s
        self.spent_s += self._last_cost_s
        self._last_busy_s = self._busy_clock() - busy_s
        self._spent_busy_s += self._last_busy_s
        self._has_leapt = False
        self._space(step)
        if events and self._writer.put(step, events, waits=is_last):
            self._last_step, self._last_events = step, events
            self._missing = [instrument for instrument in self._wanted if instrument not in instruments]

    def _space(self, step: int) -> None:
        """Plan the moments after the one of `step`."""
        self._next_even = step + self._spacing
        # 1, 2, 3, 4, 6, 7, 8, 11, 13, 16, ...: whole powers of the factor, so that late captures do not shift the rest.
        power = math.floor(math.log(max(step, 1), _EARLY_FACTOR) + 1e-9) + 1
        self._next_early = max(step + 1, math.ceil(_EARLY_FACTOR**power - 1e-9)) if step else 1

    def _give_up(self, instrument: Instrument, error: Exception) -> None:
        _logger.error("%s captured nothing for a moment", type(instrument).__name__, exc_info=error)
        self._wanted.remove(instrument)
        self._busy_s.pop(instrument, None)

    def _synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


class _SmallMaps:
    """Maps of all layers in as many channels and pixels as a moment has room for."""

    needs_step = False

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._limits = _map_limits(subject.network)

    def aim(self, look: Look) -> bool:
        self._node_ids = look.maps
        self._label = "" if look.probe is None else look.probe.label
        self._input = self._subject.to_input(look.probe)
        return bool(self._node_ids)

    def prepare(self) -> None:
        """Nothing to keep."""

    def capture(self, step: int) -> FeatureMapsCaptured:
        most_channels, largest_side = self._limits
        atlases = capture_feature_maps(
            self._subject.network,
            self._input,
            self._node_ids,
            most_channels=most_channels,
            largest_side=largest_side,
        )
        return FeatureMapsCaptured(run_id=self._subject.run_id, step=step, probe=self._label, atlases=atlases)


class _Writer:
    """A thread that keeps moments; where it cannot follow, moments are dropped. Another one makes room for them."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._store = MomentStore(folder, most_bytes)
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, list[Moment]]] = []
        self._is_closing = False
        self._trouble: str | None = None
        self._has_told = False
        self.spent_s = 0.0
        """Of the processor."""
        self._threads: tuple[threading.Thread, ...] = ()

    def cut_off(self, step: int) -> None:
        """As the store's; before the first moment."""
        self._store.cut_off(step)

    def has(self, step: int) -> bool:
        """Whether a moment of that step is kept; before the first moment."""
        return step in self._store.steps

    def put(self, step: int, events: list[Moment], *, waits: bool = False) -> bool:
        """Keep a moment soon; False for one that finds too many waiting, which is dropped, unless it is to wait."""
        if not self._threads:
            # Room in a thread of its own: a slow disk may take minutes to say what lies on it.
            self._threads = tuple(
                threading.Thread(target=target, name="moments", daemon=True) for target in (self._work, self._make_room)
            )
            for thread in self._threads:
                thread.start()
        with self._changed:
            if not waits and len(self._waiting) >= _MOST_WAITING:
                return False
            self._waiting.append((step, events))
            self._changed.notify_all()
        return True

    def take_trouble(self) -> str | None:
        trouble, self._trouble = self._trouble, None
        return trouble

    def close(self) -> None:
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        until_s = time.monotonic() + _CLOSE_TIMEOUT_S
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._is_closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                step, events = self._waiting.pop(0)
            try:
                self._store.put(step, events)
            except OSError as error:
                self._refused(step, error)
            except Exception:
                _logger.exception("the moment after step %d could not be kept", step)
            self.spent_s = time.thread_time()

    def _make_room(self) -> None:
        try:
            give_up_oldest(self._folder, total_bytes(self._most_bytes), lambda: self._is_closing)
        except Exception:
            _logger.exception("the moments of other runs could not be looked through")

    def _refused(self, step: int, error: OSError) -> None:
        _logger.info("the moment after step %d could not be written: %s", step, error)
        if not self._has_told:
            self._has_told = True
            self._trouble = (
                f"The moment after step {step:,} could not be kept for looking back: {reason_of(error)}; the run goes "
                f"on, with gaps in its past. To help, {remedy_of(error)}."
            )


def _spread(images: torch.Tensor) -> torch.Tensor:
    """At most `_NUM_IMAGES` of them, evenly: they may be sorted by class."""
    count = min(len(images), _NUM_IMAGES)
    return images[torch.linspace(0, len(images) - 1, count).round().long().to(images.device)]


def _standard_look(network: Network) -> Look:
    """All that a moment holds, but for the probes."""
    architecture = network.architecture
    weighed, first_kernels, room, is_first = [], [], _MOST_WEIGHTS_TOGETHER, True
    for node in architecture.nodes:
        module = network.node_module(node.id)
        weight = getattr(module, "weight", None)
        if not isinstance(weight, torch.Tensor) or weight.dim() < 2:
            continue
        count = weight.numel()
        if is_first and count <= _MOST_WEIGHTS_FIRST:
            weighed.append(node.id)
        elif count <= min(_MOST_WEIGHTS, room):
            weighed.append(node.id)
            room -= count
        else:
            first_kernels.append(node.id)
        is_first = False
    return Look(
        maps=tuple(node.id for node in architecture.nodes),
        weighed=tuple(weighed),
        first_kernels=tuple(first_kernels),
        measures=True,
        explained=True,
    )


def _openable(network: Network, watched: Sequence[str]) -> tuple[str, ...]:
    """The layers that are kept with all their values: those looked at closely first, then windows from the input on, as
    far as there is room."""
    architecture = network.architecture
    reports = infer(architecture).nodes
    windows = (node.id for node in architecture.nodes if node.layer.category in _WINDOWS)
    room, found = _MOST_OPENED, []
    for node_id in dict.fromkeys((*watched, *windows)):
        if node_id not in architecture:
            continue
        sources = (node_id, *architecture[node_id].inputs)
        shapes = [reports[source].output_shape for source in sources]
        count = sum(math.prod(shape) for shape in shapes if shape is not None)
        module = network.node_module(node_id)
        count += 0 if module is None else sum(part.numel() for part in module.parameters())
        if count <= room:
            room -= count
            found.append(node_id)
    return tuple(found)


def _map_limits(network: Network) -> tuple[int, int]:
    shapes = [report.output_shape for report in infer(network.architecture).nodes.values()]
    for most_channels, largest_side in _MAP_LIMITS:
        num_bytes = 0
        for shape in shapes:
            if shape is None:
                continue
            sides = shape[1:] if len(shape) > 1 else (1,)
            # One factor for all sides, as a map is averaged down.
            factor = -(-max(sides) // largest_side)
            tile = 1
            for side in sides:
                tile *= -(-side // factor)
            num_bytes += min(shape[0], most_channels if len(shape) > 1 else 4096) * tile
        if num_bytes <= _MAPS_BYTES:
            break
    return most_channels, largest_side
