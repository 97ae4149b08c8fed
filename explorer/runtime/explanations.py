"""What a network says of the probe images, and what that rests on: probabilities, saliency and Grad-CAM.

All probes go through in one batch, in evaluation mode. Gradients are asked of torch for the input and one layer only,
so that those of the parameters, which a run is about to use, stay as they are.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from explorer.inference import infer
from explorer.inference.logits import logits_node
from explorer.runs import Look, ProbeAnswer, ProbesExplained
from explorer.runs.explained_layers import explainable_layers, has_scores
from explorer.runtime.feature_maps import evaluating
from explorer.runtime.modules import Network

if TYPE_CHECKING:
    from explorer.runtime.instruments import Subject


class Explanation(NamedTuple):
    """Of a batch of images; tensors on their device, in float32."""

    probabilities: Tensor
    """`(N, classes)`."""
    classes: Tensor
    """`(N,)`: what the rest explains."""
    saliency: Tensor
    """`(N, H, W)` of the input."""
    cam: Tensor | None
    """`(N, h, w)` of the layer; None without one."""


def explain(
    network: Network, logits_id: str, images: Tensor, layer: str | None, explained_class: int | None = None
) -> Explanation:
    """Probabilities, and which pixels and places of a layer the score of one class rests on.

    Saliency is the largest absolute gradient of the class's logit among a pixel's colours (Simonyan, Vedaldi and
    Zisserman 2014, "Deep inside convolutional networks", section 3). Grad-CAM weighs each channel of the layer by the
    mean of the logit's gradient over its places, sums them up and keeps what speaks for the class (Selvaraju et al.
    2017, "Grad-CAM", equations 1 and 2).

    Args:
        network: on the images' device, in any mode; afterwards as it was.
        logits_id: the node whose output is `(N, classes)`, of which the softmax makes probabilities.
        images: `(N, C, H, W)`, as the network takes them.
        layer: the node that Grad-CAM looks at, one that leads to the logits; None for no Grad-CAM.
        explained_class: None, or one that there is no score of, for the prediction for each image.
    """
    with torch.enable_grad(), evaluating(network):
        x = images.detach().clone().requires_grad_()
        values = network.trace(x, dict.fromkeys((logits_id,) if layer is None else (logits_id, layer)))
        logits = values[logits_id].float()
        classes = logits.argmax(1)
        if explained_class is not None and explained_class < logits.shape[1]:
            classes = torch.full_like(classes, explained_class)
        # The images do not act on each other in evaluation mode, so that the sum's gradient is each one's own.
        score = logits.gather(1, classes[:, None]).sum()
        asked = [get_gradient_edge(x)] if layer is None else [get_gradient_edge(x), _home(values[layer])]
        gradients = torch.autograd.grad(score, asked)
    with torch.no_grad():
        saliency = gradients[0].abs().amax(1)
        cam = None
        if layer is not None:
            maps, gradient = values[layer].detach().float(), gradients[1].float()
            weights = gradient.mean((2, 3), keepdim=True).to(maps.device)
            cam = (weights * maps).sum(1).relu()
        return Explanation(logits.detach().softmax(1), classes, saliency.float(), cam)


def _home(value: Tensor) -> GradientEdge:
    """Where a value was computed, if what is given is its copy on another device: others may read the value itself."""
    edge = get_gradient_edge(value)
    if edge.node.name() == "ToCopyBackward0":
        node, place = edge.node.next_functions[0]
        assert node is not None
        return GradientEdge(node, place)
    return edge


class ExplanationInstrument:
    """The predictions for all probes, with what they rest on."""

    needs_step = False

    def __init__(self, subject: "Subject") -> None:
        self._subject = subject
        self._labels: tuple[str, ...] = ()
        self._images: Tensor | None = None
        self._logits_id = ""
        self._layer: str | None = None
        self._class: int | None = None

    def aim(self, look: Look) -> bool:
        """Take the probes; those that the network cannot take are left out, unless it can take none."""
        self._images = None
        if not look.explained:
            return False
        architecture = self._subject.network.architecture
        inference = infer(architecture)
        if not has_scores(architecture, inference):
            return False
        # A run's network ends in what its loss reads as logits, be that a softmax before another one.
        self._logits_id = architecture.outputs[0] if self._subject.is_trained else logits_node(architecture)[0]
        layers = explainable_layers(architecture, inference)
        # What two devices compute each for itself has a part of its gradient on each.
        layers = tuple(node_id for node_id in layers if node_id not in self._subject.network.repeated)
        self._layer = look.explained_layer if look.explained_layer in layers else default_layer(layers)
        self._class = look.explained_class
        inputs: dict[str, Tensor] = {}
        problem: ValueError | None = None
        for probe in look.probes or (None,):
            try:
                inputs["" if probe is None else probe.label] = self._subject.to_input(probe)
            except ValueError as error:
                problem = error
        if not inputs and problem is not None:
            raise problem
        self._labels, self._images = tuple(inputs), torch.cat([*inputs.values()])
        return True

    def prepare(self) -> None:
        """Nothing to keep."""

    def capture(self, step: int) -> ProbesExplained:
        """What the network says of each probe now."""
        assert self._images is not None
        found = explain(self._subject.network, self._logits_id, self._images, self._layer, self._class)
        arrays = [tensor.cpu().numpy() for tensor in (found.probabilities, found.classes, found.saliency)]
        images = self._images.float().cpu().numpy().copy()
        cams = None if found.cam is None else found.cam.cpu().numpy()
        answers = [
            ProbeAnswer(
                probe=label,
                probabilities=arrays[0][place],
                explained_class=int(arrays[1][place]),
                saliency=arrays[2][place],
                cam=None if cams is None else cams[place],
                image=images[place],
            )
            for place, label in enumerate(self._labels)
        ]
        return ProbesExplained(
            run_id=self._subject.run_id,
            step=step,
            class_names=self._subject.class_names,
            layer=self._layer,
            answers=tuple(answers),
        )


def default_layer(layers: Sequence[str]) -> str | None:
    """The last of them: what it sees is closest to the answer, and still has places."""
    return layers[-1] if layers else None
