"""Feature maps while nothing trains: the architecture in the window, with the last run's weights where they fit."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.inference import Inference, infer
from explorer.runs import Atlas, Normalization
from explorer.runtime.feature_maps import capture_feature_maps
from explorer.runtime.images import normalization_of, probe_tensor, to_network_input
from explorer.runtime.modules import Network, NotRunnable, build_module
from explorer.runtime.weights import carry_weights, load_weights

_LARGEST_BYTES = 4 * 1024**3
"""Weights and outputs of one image beyond this are not built for a preview; it would take the machine with it."""


class Observer:
    """Captures feature maps of whatever the window shows. For one background thread; keeps the last module.

    What it shows follows from its arguments alone: a node's weights are those of the file where they fit, else those
    that the seed gives it. An edit therefore rebuilds what it changed, and undoing it brings the old pictures back.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        """Compute on `device`; the CPU if None."""
        self._device = device if device is not None else torch.device("cpu")
        self._network: Network | None = None
        self._source: tuple[Path | None, int, int] | None = None
        self._state_dict: dict[str, Tensor] = {}

    def capture(
        self,
        architecture: Architecture,
        weights: Path | None,
        seed: int,
        probe_image: npt.NDArray[np.uint8] | npt.NDArray[np.floating],
        node_ids: Iterable[str],
        *,
        normalization: Normalization | None = None,
        per_channel: bool = False,
    ) -> dict[str, Atlas]:
        """One atlas for each of the nodes that can be computed; those at and behind a fault are left out.

        Args:
            architecture: may have errors.
            weights: a safetensors file; None for the seed's initial weights.
            seed: as for `build_module`.
            probe_image: `(C, H, W)` or `(H, W)`, uint8 from 0 to 255 or float from 0 to 1.
            node_ids: the nodes to show.
            normalization: that of the data set that the weights were trained on; None for the image's own.
            per_channel: as for `capture_feature_maps`.

        Raises:
            NotRunnable: not even the input can be computed, or the network is too large for a preview.
            ValueError: the weights or the image cannot be used.
        """
        image = probe_tensor(probe_image)
        if normalization is None:
            normalization = normalization_of(image if image.dtype == torch.uint8 else (image * 255).to(torch.uint8))
        network = self._network_for(runnable_part(architecture), weights, seed)
        shown = [node_id for node_id in node_ids if node_id in network.architecture]
        probe = to_network_input(image.to(self._device), architecture.input_shape, normalization)
        return capture_feature_maps(network, probe, shown, per_channel=per_channel)

    def _network_for(self, architecture: Architecture, weights: Path | None, seed: int) -> Network:
        # By the file's time too: the next run may write its weights to the same path.
        source = (weights, _changed_ns(weights), seed)
        if source != self._source:
            self._state_dict = load_weights(weights) if weights is not None else {}
            self._source, self._network = source, None
        elif self._network is not None and architecture == self._network.architecture:
            return self._network
        network = build_module(architecture, seed=seed, reuse=self._network)
        carry_weights(self._state_dict, network)
        self._network = network.to(self._device)
        return self._network


def runnable_part(architecture: Architecture) -> Architecture:
    """The architecture without the nodes at and behind its faults; itself if it has none.

    Raises:
        NotRunnable: too large for a preview.
    """
    inference = infer(architecture)
    _check_size(inference)
    if not inference.errors:
        return architecture
    nodes = tuple(node for node in architecture.nodes if inference.nodes[node.id].output_shape is not None)
    read = {source for node in nodes for source in node.inputs}
    outputs = tuple(node.id for node in nodes if node.id not in read)
    return Architecture(name=architecture.name, nodes=nodes, outputs=outputs)


def _check_size(inference: Inference) -> None:
    totals = inference.totals
    needed_bytes = 4 * (totals.num_parameters + totals.num_buffers) + totals.output_bytes
    if needed_bytes > _LARGEST_BYTES:
        most, needed = _LARGEST_BYTES / 1024**3, needed_bytes / 1024**3
        raise NotRunnable(f"too large for a preview: {needed:.1f} GiB of weights and outputs; at most {most:.0f}")


def _changed_ns(path: Path | None) -> int:
    try:
        return path.stat().st_mtime_ns if path is not None else 0
    except OSError:
        return 0  # `load_weights` says what is wrong with it.
