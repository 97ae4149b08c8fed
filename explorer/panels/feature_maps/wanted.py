"""What the Feature maps tab asks for: which layers' maps, which in full, and of what it asks what they rest on."""

import math
from collections.abc import Sequence

from explorer.inference.report import NodeReport
from explorer.panels.feature_maps.pointing import is_there
from explorer.runs import Look
from explorer.runs.looks import Pixel
from explorer.session import Snapshot

_MOST_VALUES = 2**23
"""Values of a layer's inputs and output that are followed in full; of larger layers the picture is shown."""


def wanted_look(
    snapshot: Snapshot, current: str | None, pinned: Sequence[str], asked: Pixel | None, channel: int | None
) -> Look:
    """The selected node in full, with the image and what is pointed at; pictures of it and of what is pinned.

    Args:
        snapshot: the network.
        current: the selected node.
        pinned: nodes with pinned channels.
        asked: the value that is pointed at; left out where it is of another node, or there no more after an edit.
        channel: that is compared among all probes; left out where there is none such.
    """
    architecture, nodes = snapshot.architecture, snapshot.inference.nodes
    maps = dict.fromkeys([*([current] if current is not None else []), *(node for node in pinned if node in nodes)])
    image = architecture.nodes[0].id
    opened: tuple[str, ...] = ()
    if current is not None and current in nodes and not is_too_large(nodes[current]):
        opened = tuple(dict.fromkeys((current, image)))
    elif maps:
        opened = (image,)
    shape = nodes[current].output_shape if current is not None and current in nodes else None
    is_measured = asked is not None and asked.node_id == current and is_there(asked, shape)
    is_compared = channel is not None and shape is not None and channel < shape[0]
    return Look(
        maps=tuple(maps),
        opened=opened,
        pointed=asked if is_measured else None,
        compared=(current, channel) if is_compared and current is not None and channel is not None else None,
    )


def is_too_large(report: NodeReport) -> bool:
    """Whether a layer's values are shown as a picture only."""
    shapes = [report.output_shape, *report.input_shapes]
    return sum(math.prod(shape) for shape in shapes if shape is not None) > _MOST_VALUES
