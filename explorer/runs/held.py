"""What captured events hold, as the `Look` that they answer: what a moment of before has of what is wanted now."""

from collections.abc import Sequence

from explorer.runs.events import Event, FeatureMapsCaptured
from explorer.runs.looks import Look
from explorer.runs.observed import (
    ChannelCompared,
    FieldMeasured,
    LayersMeasured,
    LayersOpened,
    ProbesExplained,
    WeightsCaptured,
)


def held(events: Sequence[Event]) -> Look:
    """What a view could ask for and find in these events, of whichever probe they are."""
    maps: dict[str, None] = {}
    opened: dict[str, None] = {}
    weighed: dict[str, None] = {}
    first_kernels: dict[str, None] = {}
    pointed, compared = None, None
    for event in events:
        match event:
            case FeatureMapsCaptured():
                maps |= dict.fromkeys(event.atlases)
            case LayersOpened():
                opened |= dict.fromkeys(event.layers)
            case WeightsCaptured():
                weighed |= dict.fromkeys(event.layers)
                first_kernels |= dict.fromkeys((*event.layers, *event.first_kernels))
            case FieldMeasured():
                pointed = event.pixel
            case ChannelCompared():
                compared = event.node_id, event.channel
            case _:
                pass
    return Look(
        maps=tuple(maps),
        opened=tuple(opened),
        weighed=tuple(weighed),
        first_kernels=tuple(first_kernels),
        measures=any(isinstance(event, LayersMeasured) for event in events),
        explained=any(isinstance(event, ProbesExplained) for event in events),
        pointed=pointed,
        compared=compared,
    )
