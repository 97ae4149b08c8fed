"""Statistics of all layers in one step: norms, update ratios, dead and saturated shares, histograms.

`StatisticsInstrument` serves a `Look` with them; `measure_layers` is the measuring. Everything is computed on the
network's device and fetched in one copy. How histograms are counted is `statistics_histograms`', what parameters were
before the first update `statistics_initial`'s.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from explorer.inference import infer
from explorer.runs import Histogram, LayersMeasured, LayerStatistics, Look
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network
from explorer.runtime.own_modules import ScaledTanh
from explorer.runtime.statistics_histograms import NUM_BINS, DeviceHistograms, count_bins, spread_sample, to_histogram
from explorer.runtime.statistics_initial import InitialParameters, initial_parameters

if TYPE_CHECKING:
    from explorer.runtime.instruments import Subject

MOST_VALUES = 2**24
"""Of all layers' outputs for the sample: large networks get fewer images, so that a capture takes no longer than a part
of a step."""
LEAST_IMAGES = 4
_COUNTED_IN_ALL = 2**20
_MOST_COUNTED, _LEAST_COUNTED = 2**15, 2**12
"""Of one layer's outputs, in a histogram; in the network together about `_COUNTED_IN_ALL`."""
_MOST_COUNTED_WEIGHTS = 2**18
"""Of one layer's weights, in a histogram."""
_COUNTED_AT_ONCE = 2**19
"""Values of several layers; counting takes some 50 bytes for each meanwhile."""

_CAN_DIE = (nn.ReLU, nn.ReLU6, nn.Hardswish, nn.Threshold, nn.Hardshrink, nn.Softshrink)
_SATURATES = (nn.Tanh, nn.Sigmoid, nn.Hardsigmoid, nn.Hardtanh, nn.Softsign, ScaledTanh)
"""ReLU6 is one of torch's Hardtanh, but belongs to the others."""
_NEAR_END = 0.01


class StatisticsInstrument:
    """Measures all layers. While the network trains, before and after a step."""

    def __init__(self, subject: "Subject") -> None:
        self._subject = subject
        self._sample: Tensor | None = None
        self._initial: InitialParameters | None = None
        self._before: Sequence[Tensor] | None = None

    @property
    def needs_step(self) -> bool:
        return self._subject.is_trained

    def aim(self, look: Look) -> bool:
        self._before = None
        if not look.measures:
            self._sample = self._initial = None
            return False
        if self._sample is None and self._subject.sample is not None:
            self._sample = fitting_sample(self._subject.network, self._subject.sample())
        return True

    def prepare(self) -> None:
        self._before = [parameter.detach().clone() for parameter in _trained(self._subject.network)]

    def capture(self, step: int) -> LayersMeasured:
        before, self._before = self._before, None
        subject = self._subject
        if self._initial is None:
            self._initial = initial_parameters(subject, step)
        layers = measure_layers(
            subject.network, self._sample, before, self._initial, gradient_scale=subject.gradient_scale()
        )
        num_images = 0 if self._sample is None else len(self._sample)
        return LayersMeasured(run_id=subject.run_id, step=step, num_images=num_images, layers=layers)


def fitting_sample(network: Network, images: Tensor) -> Tensor:
    """As many of the images, spread over them, as have no more than `MOST_VALUES` outputs; `LEAST_IMAGES` at least."""
    shapes = [report.output_shape for report in infer(network.architecture).nodes.values()]
    values = sum(math.prod(shape) for shape in shapes if shape is not None)
    count = min(len(images), max(LEAST_IMAGES, MOST_VALUES // max(1, values)))
    if count == len(images):
        return images
    return images[torch.linspace(0, len(images) - 1, count).round().long().to(images.device)]


def measure_layers(
    network: Network,
    sample: Tensor | None,
    before: Sequence[Tensor] | None = None,
    initial: InitialParameters | None = None,
    *,
    gradient_scale: float = 1.0,
) -> dict[str, LayerStatistics]:
    """The statistics of every node that has any, in the architecture's order; the network is afterwards as it was.

    Activations are those in evaluation mode and in float32, whatever a run computes in. A histogram counts all weights
    of a layer up to 2^18, and up to 2^15 values of its output, fewer in a network of more than 32 layers; of more,
    every k-th (`spread_sample`). Shares are of all values.

    Args:
        network: on one device or two, in any mode; gradients are read where there are any.
        sample: `(N, C, H, W)` as the network takes it; None for no activations.
        before: what `network`'s parameters that are not frozen were before the update, in its order, given up to save
            memory: they are overwritten; None where no update is to be compared.
        initial: what parameters were before the first update; None where that is known of no node.
        gradient_scale: what the gradients are multiplied by.
    """
    with torch.inference_mode(), evaluating(network):
        fetch = _Fetch(_device(network, sample))
        parameters = _measure_parameters(network, before, initial or InitialParameters({}), fetch)
        activations = {} if sample is None else _measure_activations(network, sample, fetch)
        fetch.fetch()
    layers = {}
    for node in network.architecture.nodes:
        own, out = parameters.get(node.id), activations.get(node.id)
        if own is None and out is None:
            continue
        statistics = LayerStatistics() if own is None else _parameter_statistics(own, fetch, gradient_scale)
        layers[node.id] = statistics if out is None else _with_activations(statistics, out, fetch)
    return layers


class _Fetch:
    """Numbers and histograms on the device, that come over together. Each is known by its place."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._floats: list[Tensor] = []
        self._histograms: list[DeviceHistograms] = []
        self._waiting: list[Tensor] = []
        """Values to count, so far."""
        self._num_histograms = self._num_waiting = 0
        self._values: npt.NDArray[np.float32] = np.zeros(0, np.float32)
        self._ends: npt.NDArray[np.float32] = np.zeros((0, 2), np.float32)
        self._counts: npt.NDArray[np.int64] = np.zeros((0, NUM_BINS + 1), np.int64)

    def add(self, value: Tensor) -> int:
        """Take one number, `()`."""
        self._floats.append(value)
        return len(self._floats) - 1

    def add_histogram(self, values: Tensor) -> int:
        """Count values `(n,)` in float32, with n of 1 or more."""
        self._waiting.append(values.to(self._device))
        self._num_waiting += len(values)
        self._num_histograms += 1
        if self._num_waiting >= _COUNTED_AT_ONCE:
            self._count()
        return self._num_histograms - 1

    def fetch(self) -> None:
        """Wait for the device, once."""
        self._count()
        numbers = [value.to(self._device, torch.float32) for value in self._floats]
        histograms = self._histograms
        # Counts first: they are aligned then, whatever follows.
        tensors = [*(one.counts for one in histograms), *(one.ends for one in histograms)]
        tensors += [torch.stack(numbers)] if numbers else []
        if not tensors:
            return
        packed = torch.cat([tensor.reshape(-1).view(torch.uint8) for tensor in tensors]).cpu().numpy()
        count = self._num_histograms
        split = 8 * count * (NUM_BINS + 1)
        self._counts = packed[:split].view(np.int64).reshape(count, NUM_BINS + 1)
        self._ends = packed[split : split + 8 * count].view(np.float32).reshape(count, 2)
        self._values = packed[split + 8 * count :].view(np.float32)

    def value(self, place: int) -> float:
        """A number that was fetched."""
        return float(self._values[place])

    def norm(self, places: Sequence[int]) -> float:
        """The norm of what several norms are of."""
        return math.hypot(*(self.value(place) for place in places))

    def histogram(self, place: int, scale: float = 1.0) -> Histogram:
        """A histogram that was fetched, of values that were multiplied by `scale`."""
        return to_histogram(self._ends[place], self._counts[place], scale)

    def _count(self) -> None:
        if self._waiting:
            self._histograms.append(count_bins(self._waiting))
            self._waiting, self._num_waiting = [], 0


class _Parameters(NamedTuple):
    """Where the numbers of a node's parameters are in what is fetched."""

    norms: tuple[int, ...]
    gradients: tuple[int, ...]
    changes: tuple[int, ...]
    norms_before: tuple[int, ...]
    differences: tuple[int, ...]
    norm_initial: float
    histogram: int
    gradient_histogram: int | None


class _Activations(NamedTuple):
    """Where the numbers of a node's output are in what is fetched."""

    histogram: int
    dead: int | None
    saturated: int | None


def _measure_parameters(
    network: Network, before: Sequence[Tensor] | None, initial: InitialParameters, fetch: _Fetch
) -> Mapping[str, _Parameters]:
    own = [(node.id, list(parameters)) for node in network.architecture.nodes if (parameters := _of(network, node.id))]
    every = [parameter for _, parameters in own for parameter in parameters]
    trained = _trained(network)
    if before is not None and len(before) != len(trained):
        raise ValueError(
            f"{len(before)} tensors from before the update for {len(trained)} parameters; use one for each"
        )
    norms = _norms(every, every, fetch)
    with_gradient = [parameter for parameter in every if parameter.grad is not None]
    gradients = _norms(with_gradient, [p.grad for p in with_gradient if p.grad is not None], fetch)
    changes, norms_before = {}, {}
    if before is not None and trained:
        norms_before = _norms(trained, before, fetch)
        torch._foreach_sub_(list(before), trained)
        changes = _norms(trained, before, fetch)
    found = {}
    for node_id, parameters in own:
        held = [parameter.grad for parameter in parameters if parameter.grad is not None]
        found[node_id] = _Parameters(
            norms=tuple(norms[p] for p in parameters),
            gradients=tuple(gradients[p] for p in parameters if p in gradients),
            changes=tuple(changes[p] for p in parameters if p in changes),
            norms_before=tuple(norms_before[p] for p in parameters if p in norms_before),
            differences=tuple(fetch.add(norm) for norm in initial.differences(node_id, parameters)),
            norm_initial=initial.nodes[node_id].norm if node_id in initial.nodes else 0.0,
            histogram=fetch.add_histogram(spread_sample(parameters, _MOST_COUNTED_WEIGHTS)),
            gradient_histogram=fetch.add_histogram(spread_sample(held, _MOST_COUNTED_WEIGHTS)) if held else None,
        )
    return found


def _measure_activations(network: Network, sample: Tensor, fetch: _Fetch) -> Mapping[str, _Activations]:
    nodes = network.architecture.nodes
    most = min(_MOST_COUNTED, max(_LEAST_COUNTED, _COUNTED_IN_ALL // len(nodes)))
    found: dict[str, _Activations] = {}

    def measure(node_id: str, output: Tensor) -> None:
        module = network.node_module(node_id)
        dead = saturated = None
        if isinstance(module, _CAN_DIE):
            dead = fetch.add(_dead_share(output))
        elif isinstance(module, _SATURATES):
            saturated = fetch.add(_saturated_share(output, *_range(module)))
        found[node_id] = _Activations(fetch.add_histogram(spread_sample([output], most)), dead, saturated)

    network.visit(sample, measure)
    return found


def _dead_share(output: Tensor) -> Tensor:
    """The share of the channels `(N, C, ...)` that are 0 throughout, `()`."""
    others = tuple(dim for dim in range(output.dim()) if dim != 1)
    # torch's norm and count over such dimensions take ten times as long.
    return torch.mean(((output.amax(others) == 0) & (output.amin(others) == 0)).float())


def _saturated_share(output: Tensor, low: float, high: float) -> Tensor:
    """The share of all values that lie within a hundredth of a range's ends, `()`."""
    near = _NEAR_END * (high - low)
    count = torch.count_nonzero((output <= low + near) | (output >= high - near))
    return torch.div(count, output.numel())


def _range(module: nn.Module) -> tuple[float, float]:
    """Between which values a module's output lies."""
    match module:
        case nn.Sigmoid() | nn.Hardsigmoid():
            return (0.0, 1.0)
        case nn.Hardtanh():
            return (float(module.min_val), float(module.max_val))
        case ScaledTanh():
            return (-abs(module.amplitude), abs(module.amplitude))
    return (-1.0, 1.0)


def _norms(keys: Sequence[Tensor], tensors: Sequence[Tensor], fetch: _Fetch) -> dict[Tensor, int]:
    """The place of each tensor's Euclidean norm, by its key."""
    if not tensors:
        return {}
    norms = torch._foreach_norm(list(tensors))
    return {key: fetch.add(norm) for key, norm in zip(keys, norms, strict=True)}


def _parameter_statistics(own: _Parameters, fetch: _Fetch, gradient_scale: float) -> LayerStatistics:
    ratio = None
    if own.changes:
        norm_before = fetch.norm(own.norms_before)
        ratio = fetch.norm(own.changes) / norm_before if norm_before else None
    gradients = own.gradient_histogram
    return LayerStatistics(
        gradient_norm=fetch.norm(own.gradients) / gradient_scale if own.gradients else None,
        weight_norm=fetch.norm(own.norms),
        update_ratio=ratio,
        weights=fetch.histogram(own.histogram),
        gradients=None if gradients is None else fetch.histogram(gradients, gradient_scale),
        change=fetch.norm(own.differences) / own.norm_initial if own.norm_initial else None,
    )


def _with_activations(statistics: LayerStatistics, out: _Activations, fetch: _Fetch) -> LayerStatistics:
    return statistics._replace(
        dead=None if out.dead is None else fetch.value(out.dead),
        saturated=None if out.saturated is None else fetch.value(out.saturated),
        activations=fetch.histogram(out.histogram),
    )


def _of(network: Network, node_id: str) -> list[Tensor]:
    """The parameters of a node that have values."""
    module = network.node_module(node_id)
    return [] if module is None else [parameter for parameter in module.parameters() if parameter.numel()]


def _trained(network: Network) -> list[Tensor]:
    """The parameters that an update changes, in the network's order."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad and parameter.numel()]


def _device(network: Network, sample: Tensor | None) -> torch.device:
    """Where numbers are gathered."""
    if sample is not None:
        return sample.device
    return next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
