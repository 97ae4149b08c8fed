"""Feature maps for whoever looks, between two steps and within the budget."""

import logging
import time
from collections.abc import Callable

from torch import Tensor

from explorer.runs import Event, FeatureMapsCaptured, RunControl, Watch
from explorer.runtime.feature_maps import capture_feature_maps
from explorer.runtime.images import probe_tensor, to_network_input
from explorer.runtime.modules import Network
from explorer.training.pacing import CaptureBudget
from explorer.training.plan import RunPlan

_logger = logging.getLogger(__name__)


class Pictures:
    """Serves what `RunControl` watches. A capture that fails is logged; none follows until the watch changes."""

    def __init__(self, run_id: str, plan: RunPlan, network: Network, say: Callable[[Event], None]) -> None:
        self._run_id = run_id
        self._plan = plan
        self._network = network
        self._say = say
        self.budget = CaptureBudget()
        self._version: int | None = None
        self._node_ids: tuple[str, ...] = ()
        self._probe: Tensor | None = None

    def is_stale(self, control: RunControl) -> bool:
        """Whether the watch changed since it was last served."""
        return control.watch_version != self._version

    def serve(self, control: RunControl, step: int, *, now: bool = False) -> None:
        """Capture what is watched, if the watch is new, the budget allows it, or `now`.

        Call it when the device has nothing queued, so that the capture's own cost is measured.
        """
        watch = control.watched
        start_s = time.perf_counter()
        if watch.version == self._version and not now and not self.budget.is_due(start_s):
            return
        try:
            if watch.version != self._version:
                self._look_at(watch)
            if self._probe is None or not self._node_ids:
                return
            atlases = capture_feature_maps(self._network, self._probe, self._node_ids)
        except Exception:
            # A picture is never worth the run: a probe of the wrong size, a device short of memory.
            _logger.exception("the feature maps of %s could not be captured", ", ".join(watch.node_ids))
            self._node_ids = ()
            return
        self.budget.spent(start_s, time.perf_counter())
        self._say(FeatureMapsCaptured(run_id=self._run_id, step=step, probe=watch.probe, atlases=atlases))

    def _look_at(self, watch: Watch) -> None:
        self._version = watch.version
        # The window may show a newer version of the network, with nodes that this run does not have.
        self._node_ids = tuple(node_id for node_id in watch.node_ids if node_id in self._plan.architecture)
        self._probe = None
        if self._node_ids:
            image = watch.probe_image if watch.probe_image is not None else self._plan.data.test_images[0].numpy()
            batch = probe_tensor(image).to(self._plan.device)
            self._probe = to_network_input(batch, self._plan.architecture.input_shape, self._plan.normalization)
