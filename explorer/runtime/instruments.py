"""What can be captured of a network between two steps, or at rest: one instrument a kind of event.

An instrument is told what is looked at, says whether it has anything to do, and then captures. When it may is decided
elsewhere: for a run by `training.observation`, within the budget; for a network at rest by whoever asks.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor

from explorer.runs import Event, FeatureMapsCaptured, LayersOpened, Look, Probe
from explorer.runtime.compared import ComparedInstrument
from explorer.runtime.explanations import ExplanationInstrument
from explorer.runtime.feature_maps import capture_feature_maps
from explorer.runtime.measured_field import FieldInstrument
from explorer.runtime.modules import Network
from explorer.runtime.opened import open_layers
from explorer.runtime.statistics import StatisticsInstrument
from explorer.runtime.weight_pictures import WeightsInstrument


class Subject(NamedTuple):
    """What instruments look at."""

    run_id: str
    """Of the events; empty for a network at rest."""
    network: Network
    to_input: Callable[[Probe | None], Tensor]
    """A probe as the network takes it, `(1, C, H, W)` on its device; None for the image that stands in for none.
    Raises ValueError for an image that cannot be used."""
    class_names: tuple[str, ...] = ()
    sample: Callable[[], Tensor] | None = None
    """Images that activations are measured on, `(N, C, H, W)` as the network takes them; None where there are none."""
    is_trained: bool = False
    """Whether steps are made, so that parameters have gradients after one."""
    gradient_scale: Callable[[], float] = lambda: 1.0
    """What the gradients were multiplied by, in half precision."""
    initial: Callable[[str], Mapping[str, Tensor] | None] = lambda _node_id: None
    """A node's parameters before the first update, by their names within it; None where they are not known."""


class Instrument(Protocol):
    """Captures one kind of event. A capture that raises is not tried again until something else is looked at."""

    @property
    def needs_step(self) -> bool:
        """Whether it compares before and after a step; then `prepare` comes right before one and `capture` after it."""

    def aim(self, look: Look) -> bool:
        """Take what is looked at; whether it asks for anything here."""

    def prepare(self) -> None:
        """Keep what the step is about to change."""

    def capture(self, step: int) -> Event:
        """What is the case after `step` updates. Also comes without `prepare`, when a run stands still."""


class _Between:
    """What needs no step."""

    needs_step = False

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._input: Tensor | None = None

    def prepare(self) -> None:
        """Nothing to keep."""


class MapsInstrument(_Between):
    """Feature maps as small pictures."""

    def aim(self, look: Look) -> bool:
        # The window may show a newer version of the network, with nodes that this one does not have.
        self._node_ids = _known(self._subject.network, look.maps)
        self._label = _label(look)
        self._input = self._subject.to_input(look.probe) if self._node_ids else None
        return bool(self._node_ids)

    def capture(self, step: int) -> FeatureMapsCaptured:
        assert self._input is not None
        atlases = capture_feature_maps(self._subject.network, self._input, self._node_ids)
        return FeatureMapsCaptured(run_id=self._subject.run_id, step=step, probe=self._label, atlases=atlases)


class OpenedInstrument(_Between):
    """Layers with all their values."""

    def aim(self, look: Look) -> bool:
        self._node_ids = _known(self._subject.network, look.opened)
        self._label = _label(look)
        self._input = self._subject.to_input(look.probe) if self._node_ids else None
        return bool(self._node_ids)

    def capture(self, step: int) -> LayersOpened:
        assert self._input is not None
        layers = open_layers(self._subject.network, self._input, self._node_ids)
        return LayersOpened(run_id=self._subject.run_id, step=step, probe=self._label, layers=layers)


def make_instruments(subject: Subject) -> Sequence[Instrument]:
    """One of each kind."""
    return (
        MapsInstrument(subject),
        OpenedInstrument(subject),
        WeightsInstrument(subject),
        ExplanationInstrument(subject),
        StatisticsInstrument(subject),
        FieldInstrument(subject),
        ComparedInstrument(subject),
    )


def _known(network: Network, node_ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(node_id for node_id in node_ids if node_id in network.architecture)


def _label(look: Look) -> str:
    return "" if look.probe is None else look.probe.label
