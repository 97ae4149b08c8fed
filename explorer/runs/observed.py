"""What is seen of a network beside its loss, as events: values in full, weights, statistics, what predictions rest on.

Each holds what was the case under the weights after its `step` (0 before the first update) and is an answer to a
`Look`. Maps as small pictures are `events.FeatureMapsCaptured`. Arrays are float32 unless said otherwise, on the host,
and nobody writes to them afterwards. With a `run_id` of "" no run was asked, but a network at rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from explorer.runs.looks import Pixel

_Floats = npt.NDArray[np.float32]


class OpenedLayer(NamedTuple):
    """One layer, with everything that its output was computed from."""

    inputs: tuple[_Floats, ...]
    """What went in, without the batch, in the order of the node's inputs."""
    output: _Floats
    """What came out, without the batch: `(C, H, W)` or `(F,)`."""
    parameters: Mapping[str, _Floats]
    """Parameters and buffers by torch's names within the layer ("weight", "running_mean"); those of more than
    `MOST_PARAMETERS` values are left out."""


MOST_PARAMETERS = 2**23


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayersOpened:
    """The layers that somebody looks at closely, in evaluation mode."""

    run_id: str
    step: int
    probe: str
    """The label of the image that they were computed for."""
    layers: Mapping[str, OpenedLayer]
    """By node id."""


class WeightPictures(NamedTuple):
    """The weights of one layer."""

    weight: _Floats
    """As torch holds it: `(out, in / groups, kernel height, kernel width)` or `(out, in)`."""
    change: _Floats | None
    """Since before the first update; None where that is not known. Of the same shape."""
    gradient: _Floats | None
    """Of the loss of the step's batch; None where no step was made. Of the same shape."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WeightsCaptured:
    """The weights that somebody looks at."""

    run_id: str
    step: int
    layers: Mapping[str, WeightPictures]
    """By node id; layers of more than `MOST_PARAMETERS` weights are left out."""
    first_kernels: Mapping[str, WeightPictures] = field(default_factory=dict)
    """By node id, of layers of any size: what `first_kernels.first_kernels` gives of them. The change of layers of more
    than `MOST_PARAMETERS` weights is None."""


class Histogram(NamedTuple):
    """How values are distributed."""

    low: float
    """Lower end of the first bin: the smallest finite value; where all are equal, 0.5 less than it, as numpy's."""
    high: float
    """Upper end of the last bin: the largest finite value, or 0.5 more; as numpy's, that bin includes it."""
    counts: npt.NDArray[np.int64]
    """`(bins,)`, all of the same width."""
    num_not_finite: int = 0
    """Infinite values and NaN, which are in no bin."""


class LayerStatistics(NamedTuple):
    """Numbers of one node in one step; None where the node has no such thing, or no step was made."""

    gradient_norm: float | None = None
    """Euclidean norm of the gradient of the loss by all parameters of the node."""
    weight_norm: float | None = None
    """Euclidean norm of all its parameters, after the update."""
    update_ratio: float | None = None
    """Norm of the change that the update made of them, over their norm before it."""
    dead: float | None = None
    """Share of an activation's channels that are 0 for every image and place of the sample, 0 to 1; of ReLU and what
    else can be exactly 0 over a range."""
    saturated: float | None = None
    """Share of an activation's values that lie within a hundredth of its range's ends, 0 to 1; of tanh and sigmoid."""
    weights: Histogram | None = None
    gradients: Histogram | None = None
    activations: Histogram | None = None
    """Of the node's output for the sample."""
    change: float | None = None
    """Norm of what all updates of the run made of the node's parameters, over their norm before the first one: of all
    of them, none left out. None where those are not known, or are all 0, or are too many to keep beside the network
    (`runtime.statistics_initial.MOST_VALUES`)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayersMeasured:
    """The statistics of every layer that has any."""

    run_id: str
    step: int
    num_images: int
    """Of the sample that activations were measured on."""
    layers: Mapping[str, LayerStatistics]
    """By node id, in the architecture's order."""


class ProbeAnswer(NamedTuple):
    """What the network says of one probe image, and why."""

    probe: str
    """Its label."""
    probabilities: _Floats
    """`(classes,)`, softmax of the first output."""
    explained_class: int
    """The class that the pictures below are about."""
    saliency: _Floats
    """`(H, W)` of the network's input, 0 or more: the largest absolute gradient of the class's logit among the colours
    (Simonyan et al., 2014)."""
    cam: _Floats | None
    """`(h, w)` of the layer, 0 or more: Grad-CAM (Selvaraju et al., 2017); None where no layer has height and width."""
    image: _Floats
    """What the network was given, `(C, H, W)`, normalised."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProbesExplained:
    """The predictions for all probes."""

    run_id: str
    step: int
    class_names: tuple[str, ...]
    layer: str | None
    """The node that Grad-CAM looked at."""
    answers: tuple[ProbeAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldMeasured:
    """What one value of a layer rests on in the image."""

    run_id: str
    step: int
    probe: str
    """The label of the image that it was measured on."""
    pixel: Pixel
    heat: _Floats
    """`(H, W)` of the network's input, 0 or more: the absolute gradient of the value, summed over the colours."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelCompared:
    """One channel of a layer for all probes."""

    run_id: str
    step: int
    node_id: str
    channel: int
    probes: tuple[str, ...]
    """Their labels, in order."""
    maps: _Floats
    """`(probes, height, width)`; a vector's value is one pixel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImagesEvaluated:
    """Some test images, as the network answers to them between two tests of all.

    Besides the newest ones it holds those of the last few events before it, back to the last test of all at most, so
    that one that was replaced on its way by the next is not missed.
    """

    run_id: str
    step: int
    """Updates made before the newest answers; more than before the last test of all."""
    class_names: tuple[str, ...]
    num_images: int
    """All test images."""
    positions: npt.NDArray[np.uint32]
    """Among the test images, `(n,)`; of one that comes twice the later answer counts."""
    labels: npt.NDArray[np.uint16]
    """The true class of each, `(n,)`."""
    predicted: npt.NDArray[np.uint16]
    """The class with the highest score, `(n,)`."""
    probabilities: npt.NDArray[np.float16]
    """Its softmax probability, 0 to 1, `(n,)`; NaN where the scores are no numbers."""


Observed = (
    ChannelCompared
    | FieldMeasured
    | ImagesEvaluated
    | LayersOpened
    | WeightsCaptured
    | LayersMeasured
    | ProbesExplained
)
"""Pictures and statistics, of which a mailbox keeps only the newest of a kind."""
