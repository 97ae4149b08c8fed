"""What is known of every layer's statistics: the newest of each kind, and of which step it is. No Qt, no torch.

A network that stands still has no update to measure, and at rest no gradients either; those of the last step that was
measured stay until others come, and say of which step they are.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from explorer.runs import LayersMeasured, LayerStatistics
from explorer.session.sources import Source


class KnownStatistics(NamedTuple):
    """The statistics of a network's layers."""

    layers: Mapping[str, LayerStatistics]
    """By node id."""
    num_images: int
    """That activations were measured on."""
    source: Source
    """Of weights and activations."""
    gradient_source: Source | None
    """Of the gradients; None where there are none."""
    ratio_source: Source | None
    """Of the update ratios; None where no update was measured."""


KEYS = ("gradient", "ratio", "dead", "saturated", "change")
"""Of what each layer has one number: gradient norm, update ratio, dead and saturated share, change since the start."""


def value_of(key: str, layer: LayerStatistics) -> float | None:
    """The number of that key; None where the layer has none, or it is no number."""
    value = {
        "gradient": layer.gradient_norm,
        "ratio": layer.update_ratio,
        "dead": layer.dead,
        "saturated": layer.saturated,
        "change": layer.change,
    }[key]
    return value if value is not None and math.isfinite(value) else None


def joined(known: KnownStatistics | None, event: LayersMeasured, source: Source) -> KnownStatistics:
    """What is known after another measurement.

    Args:
        known: before it; None for nothing.
        event: what was measured.
        source: where that comes from.
    """
    layers = dict(event.layers)
    has_gradients = any(layer.gradient_norm is not None for layer in layers.values())
    has_ratios = any(layer.update_ratio is not None for layer in layers.values())
    gradient_source = source if has_gradients else None
    ratio_source = source if has_ratios else None
    if known is not None and not has_gradients and _may_stay(known.gradient_source, event, source):
        gradient_source = known.gradient_source
        for node_id, old in _both(known, layers):
            layers[node_id] = layers[node_id]._replace(gradient_norm=old.gradient_norm, gradients=old.gradients)
    if known is not None and not has_ratios and _may_stay(known.ratio_source, event, source):
        ratio_source = known.ratio_source
        for node_id, old in _both(known, layers):
            layers[node_id] = layers[node_id]._replace(update_ratio=old.update_ratio)
    return KnownStatistics(layers, event.num_images, source, gradient_source, ratio_source)


def _both(known: KnownStatistics, layers: Mapping[str, LayerStatistics]) -> list[tuple[str, LayerStatistics]]:
    return [(node_id, known.layers[node_id]) for node_id in layers if node_id in known.layers]


def _may_stay(of: Source | None, event: LayersMeasured, source: Source) -> bool:
    """Whether what was measured of a step is of the same run, and not later than the new measurement; what was looked
    back at does not stay in the present."""
    if of is None or (of.is_past and not source.is_past):
        return False
    return not event.run_id or (of.run_id == event.run_id and (of.step or 0) <= event.step)
