"""What is seen of a run beside its numbers: captured for whoever looks, between two steps and within the budget."""

import logging
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from explorer.runs import Event, Look, Probe, RunControl
from explorer.runtime.images import probe_tensor, to_network_input
from explorer.runtime.instruments import Instrument, Subject, make_instruments
from explorer.runtime.modules import Network
from explorer.training.beginning import Beginning
from explorer.training.layer_statistics import statistics_sample
from explorer.training.layout import choose_memory_format
from explorer.training.pacing import CaptureBudget
from explorer.training.plan import RunPlan

CPU_SHARE, DEVICE_SHARE = 0.03, 0.015
"""Of a run's time that all captures together may take; painting them has its own budget."""
_logger = logging.getLogger(__name__)


class Observation:
    """Serves what `RunControl` watches. A capture that fails is logged; none of its kind follows until another look.

    Each instrument that has something to do gets an equal part of the budget.
    """

    def __init__(
        self,
        run_id: str,
        plan: RunPlan,
        network: Network,
        say: Callable[[Event], None],
        make: Callable[[Subject], Sequence[Instrument]] = make_instruments,
        beginning: Beginning | None = None,
        gradient_scale: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._plan = plan
        self._say = say
        self._device = plan.device
        self._images: Tensor | None = None
        self.subject = Subject(
            run_id=run_id,
            network=network,
            to_input=self._to_input,
            class_names=plan.data.class_names,
            sample=self._sample,
            is_trained=True,
            gradient_scale=gradient_scale,
            initial=lambda node_id: None if beginning is None else beginning.parameters(network, node_id),
        )
        """What its instruments look at; moments are captured of the same."""
        self._instruments = make(self.subject)
        self._version: int | None = None
        self._budgets = {instrument: CaptureBudget() for instrument in self._instruments}
        self._aimed: list[Instrument] = []
        """Those that have something to do."""
        self._armed: list[Instrument] = []
        """Those that wait for the next step."""
        self._spent_s: dict[Instrument, float] = {}

    def is_stale(self, control: RunControl) -> bool:
        """Whether the watch changed since it was last served."""
        return control.watch_version != self._version

    def serve(self, control: RunControl, step: int, *, now: bool = False) -> None:
        """Capture what is watched, as far as the watch is new, the budget allows it, or `now`.

        Call it when the device has nothing queued, so that the captures' own cost is measured.
        """
        watch = control.watched
        is_new = watch.version != self._version
        if is_new:
            self._version = watch.version
            self._aim(watch.look)
        if not now and not is_new and not control.are_pictures_awaited:
            return
        for instrument in list(self._aimed):
            start_s = time.perf_counter()
            if not now and not is_new and not self._budgets[instrument].is_due(start_s):
                continue
            # While a run stands still its next step, if there is a single one, is measured too.
            if instrument.needs_step and instrument not in self._armed:
                self._armed.append(instrument)
            if now or not instrument.needs_step:
                self._capture(instrument, step, start_s)
            control.pictures_sent()

    def before_step(self) -> None:
        """The next thing is a step."""
        for instrument in list(self._armed):
            start_s = time.perf_counter()
            try:
                instrument.prepare()
            except Exception as error:
                self._give_up(instrument, error)
            else:
                self._spent_s[instrument] = time.perf_counter() - start_s

    def after_step(self, step: int) -> None:
        """A step was made."""
        if not self._armed:
            return
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        armed, self._armed = self._armed, []
        for instrument in armed:
            self._capture(instrument, step, time.perf_counter() - self._spent_s.pop(instrument, 0.0))

    def suspended(self, seconds: float) -> None:
        """Leave out a time in which the run stood still."""
        for budget in self._budgets.values():
            budget.suspended(seconds)

    def _aim(self, look: Look) -> None:
        self._aimed = []
        for instrument in self._instruments:
            try:
                if instrument.aim(look):
                    self._aimed.append(instrument)
            except Exception:
                # A picture is never worth the run: a probe of the wrong size, a device short of memory.
                _logger.exception("%s cannot be used for what is looked at", type(instrument).__name__)
        share = (CPU_SHARE if self._device.type == "cpu" else DEVICE_SHARE) / max(1, len(self._aimed))
        for instrument in self._aimed:
            # What was spent before counts on, so that who clicks through all layers does not slow the run.
            self._budgets[instrument].share = share
        self._armed = [instrument for instrument in self._armed if instrument in self._aimed]

    def _capture(self, instrument: Instrument, step: int, start_s: float) -> None:
        try:
            event = instrument.capture(step)
        except Exception as error:
            self._give_up(instrument, error)
            return
        self._budgets[instrument].spent(start_s, time.perf_counter())
        self._say(event)

    def _give_up(self, instrument: Instrument, error: Exception) -> None:
        _logger.error("%s captured nothing", type(instrument).__name__, exc_info=error)
        self._aimed.remove(instrument)
        if instrument in self._armed:
            self._armed.remove(instrument)

    def _sample(self) -> Tensor:
        """Made once: images may have to be read from files."""
        if self._images is None:
            plan = self._plan
            images = statistics_sample(plan.data, plan.architecture.input_shape, plan.normalization)
            layout = choose_memory_format(plan.architecture, self._device)
            self._images = images.to(self._device).contiguous(memory_format=layout)
        return self._images

    def _to_input(self, probe: Probe | None) -> Tensor:
        image = self._plan.data.test_images[0].numpy() if probe is None else probe.image
        batch = probe_tensor(image).to(self._device)
        return to_network_input(batch, self._plan.architecture.input_shape, self._plan.normalization)
