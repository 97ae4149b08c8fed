"""What is looked at while nothing trains: the network in the window, with the last run's weights where they fit."""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from explorer.architecture import Architecture
from explorer.inference import Inference, infer
from explorer.runs import Event, Look, Normalization, Probe
from explorer.runtime.images import normalization_of, probe_tensor, to_network_input
from explorer.runtime.instruments import Subject, make_instruments
from explorer.runtime.modules import Network, NotRunnable, build_module
from explorer.runtime.weights import carry_weights, load_weights

_LARGEST_BYTES = 4 * 1024**3
"""Weights and outputs of one image beyond this are not built for a preview; it would take the machine with it."""


class Observer:
    """Captures what is looked at of whatever the window shows. For one background thread; keeps the last module.

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
        look: Look,
        *,
        normalization: Normalization | None = None,
        class_names: tuple[str, ...] = (),
        sample: Callable[[], Tensor] | None = None,
        initial: Callable[[Network, str], Mapping[str, Tensor] | None] | None = None,
    ) -> tuple[Event, ...]:
        """What is looked at, as far as it can be computed; nodes at and behind a fault are left out.

        Args:
            architecture: may have errors.
            weights: a safetensors file; None for the seed's initial weights.
            seed: as for `build_module`.
            look: with at least one probe; images uint8 from 0 to 255 or float from 0 to 1.
            normalization: that of the data set that the weights were trained on; None for each image's own.
            class_names: of the first output.
            sample: images as the network takes them, on the CPU, that activations are measured on.
            initial: gives a node's parameters before the weights were trained; None where they are not known.

        Raises:
            NotRunnable: not even the input can be computed, or the network is too large for a preview.
            ValueError: the weights or an image cannot be used.
        """
        network = self._network_for(runnable_part(architecture), weights, seed)

        def to_input(probe: Probe | None) -> Tensor:
            if probe is None:
                raise ValueError("no probe image is chosen; choose one")
            image = probe_tensor(probe.image)
            own = normalization
            if own is None:
                own = normalization_of(image if image.dtype == torch.uint8 else (image * 255).to(torch.uint8))
            return to_network_input(image.to(self._device), architecture.input_shape, own)

        subject = Subject(
            run_id="",
            network=network,
            to_input=to_input,
            class_names=class_names,
            sample=sample,
            initial=lambda node_id: None if initial is None else initial(network, node_id),
        )
        return tuple(instrument.capture(0) for instrument in make_instruments(subject) if instrument.aim(look))

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
