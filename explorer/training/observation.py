"""What is seen of a run beside its numbers: captured for whoever looks, between two steps and within the budget."""

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from explorer.runs import Event, Look, Probe, RunControl
from explorer.runtime.compared import ComparedInstrument
from explorer.runtime.explanations import ExplanationInstrument
from explorer.runtime.images import probe_tensor, to_network_input
from explorer.runtime.instruments import Instrument, MapsInstrument, OpenedInstrument, Subject, make_instruments
from explorer.runtime.measured_field import FieldInstrument
from explorer.runtime.modules import Network
from explorer.runtime.statistics import StatisticsInstrument
from explorer.runtime.weight_pictures import WeightsInstrument
from explorer.training.beginning import Beginning
from explorer.training.layer_statistics import statistics_sample
from explorer.training.layout import choose_memory_format
from explorer.training.live_test import LiveTest
from explorer.training.pacing import CaptureBudget
from explorer.training.plan import RunPlan

CPU_SHARE, DEVICE_SHARE = 0.03, 0.015
"""Of a run's time that all captures together may take; painting them has its own budget."""
_PARTS: dict[type, str] = {
    MapsInstrument: "maps",
    OpenedInstrument: "opened",
    WeightsInstrument: "weighed",
    ExplanationInstrument: "explained",
    StatisticsInstrument: "measures",
    FieldInstrument: "pointed",
    ComparedInstrument: "compared",
    LiveTest: "tested",
}
"""The part of a look that an instrument answers."""
_logger = logging.getLogger(__name__)


class Observation:
    """Serves what `RunControl` watches. A capture that fails is logged; none of its kind follows until another look.

    Each instrument that has something to do gets an equal part of the budget, and keeps it until what it captured is
    paid off. One whose part of the look is new is asked at once, as far as its budget lets it overdraw.
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
        clock: Callable[[], float] = time.perf_counter,
        own: Sequence[Instrument] = (),
    ) -> None:
        """Look at `network`; see `Subject` for the names.

        Args:
            say: takes what is captured.
            make: the instruments.
            own: those that only a run has, beside them.
        """
        self._plan = plan
        self._clock = clock
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
        self._instruments = (*make(self.subject), *own)
        self._version: int | None = None
        self._look = Look()
        """What was last served."""
        self._budgets = {instrument: CaptureBudget() for instrument in self._instruments}
        self._aimed: list[Instrument] = []
        """Those that have something to do."""
        self._unanswered: set[Instrument] = set()
        """Those of them whose part of the look is new and was not captured yet."""
        self._armed: dict[Instrument, bool] = {}
        """Those that wait for the next step, and whether the budget pays."""
        self._prepared_s: dict[Instrument, float] = {}
        """What those of them that are prepared took for it."""
        self._aimed_s: dict[Instrument, float] = {}
        """What taking what is looked at took those that have captured nothing since: the next capture pays for it."""
        self.spent_s = 0.0
        """By the run for captures, also while it stood still."""

    def is_stale(self, control: RunControl) -> bool:
        """Whether the watch changed since it was last served."""
        return control.watch_version != self._version

    def serve(self, control: RunControl, step: int, *, now: bool = False) -> None:
        """Capture what is watched, as far as it is awaited and the budget allows it, or `now`, while the run stands
        still, which costs it nothing.

        Call it when the device has nothing queued, so that the captures' own cost is measured.
        """
        watch = control.watched
        if watch.version != self._version:
            self._version = watch.version
            self._aim(watch.look)
        self._share_out()
        is_awaited = control.are_pictures_awaited
        for instrument in list(self._aimed):
            start_s, budget = self._clock(), self._budgets[instrument]
            if instrument in self._unanswered:
                is_due = budget.may_overdraw(start_s)
            else:
                is_due = is_awaited and budget.is_due(start_s)
            if not now and not is_due:
                continue
            self._unanswered.discard(instrument)
            # While a run stands still its next step, if there is a single one, is measured too.
            if instrument.needs_step:
                self._armed.setdefault(instrument, not now)
            if now or not instrument.needs_step:
                self._capture(instrument, step, start_s, is_paid=not now)
            control.pictures_sent()

    def before_step(self) -> None:
        """The next thing is a step."""
        for instrument in list(self._armed):
            start_s = self._clock()
            try:
                instrument.prepare()
            except Exception as error:
                self._give_up(instrument, error)
            else:
                self._prepared_s[instrument] = self._clock() - start_s

    def after_step(self, step: int) -> None:
        """A step was made."""
        if not self._armed:
            return
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        armed, self._armed = self._armed, {}
        for instrument, is_paid in armed.items():
            start_s = self._clock() - self._prepared_s.pop(instrument, 0.0)
            self._capture(instrument, step, start_s, is_paid=is_paid)

    def suspended(self, seconds: float) -> None:
        """Leave out a time in which the run stood still."""
        for budget in self._budgets.values():
            budget.suspended(seconds)

    def _aim(self, look: Look) -> None:
        new, self._look = _new_part(look, self._look), look
        self._aimed = []
        for instrument in self._instruments:
            start_s = self._clock()
            try:
                if instrument.aim(look):
                    self._aimed.append(instrument)
            except Exception:
                # A picture is never worth the run: a probe of the wrong size, a device short of memory.
                _logger.exception("%s cannot be used for what is looked at", type(instrument).__name__)
            took_s = self._clock() - start_s
            self._aimed_s[instrument] = self._aimed_s.get(instrument, 0.0) + took_s
            self.spent_s += took_s
        self._unanswered = {
            instrument for instrument in self._aimed if instrument in self._unanswered or _is_asked_for(instrument, new)
        }
        self._armed = {instrument: paid for instrument, paid in self._armed.items() if instrument in self._aimed}

    def _share_out(self) -> None:
        """Give equal parts of the budget to those that have something to do and those that owe something: who clicks
        through all layers and all views does not slow the run either."""
        now_s = self._clock()
        budgets = [
            budget for instrument, budget in self._budgets.items() if instrument in self._aimed or budget.owes(now_s)
        ]
        share = CPU_SHARE if self._device.type == "cpu" else DEVICE_SHARE
        for budget in budgets:
            budget.set_share(share / len(budgets), now_s)

    def _capture(self, instrument: Instrument, step: int, start_s: float, *, is_paid: bool) -> None:
        event = None
        try:
            event = instrument.capture(step)
        except Exception as error:
            self._give_up(instrument, error)
        end_s = self._clock()
        self.spent_s += end_s - start_s
        aimed_s = self._aimed_s.pop(instrument, 0.0)
        if is_paid:
            self._budgets[instrument].spent(start_s - aimed_s, end_s)
        if event is not None:
            self._say(event)

    def _give_up(self, instrument: Instrument, error: Exception) -> None:
        _logger.error("%s captured nothing", type(instrument).__name__, exc_info=error)
        self._aimed.remove(instrument)
        self._armed.pop(instrument, None)

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


def _new_part(look: Look, before: Look) -> Look:
    """What is looked at and was not before, or with other probes."""
    pairs = zip(look.probes, before.probes, strict=False)
    if len(look.probes) != len(before.probes) or not all(probe.same_as(other) for probe, other in pairs):
        before = Look(
            weighed=before.weighed,
            first_kernels=before.first_kernels,
            measures=before.measures,
            tested=before.tested,
        )
    elif look.current != before.current:
        before = dataclasses.replace(before, maps=(), opened=(), pointed=None)
    return look.beyond(before)


def _is_asked_for(instrument: Instrument, look: Look) -> bool:
    if isinstance(instrument, WeightsInstrument) and look.first_kernels:
        return True
    part = next((part for kind, part in _PARTS.items() if isinstance(instrument, kind)), None)
    return not look.is_empty if part is None else bool(getattr(look, part))
