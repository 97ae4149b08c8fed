"""Test images for the probes: what the thread of `ProbeSource` runs. torch is imported inside, as in `engine`."""

import numpy as np

from explorer.app.loading import load
from explorer.layers import Shape
from explorer.runs import Probe
from explorer.runs.data_sources import DIGITS
from explorer.session.data_session import Cancelled, Progress
from explorer.session.probes_offer import ProbeOffer, offer_of_digits

_MOST_IMAGES, _MOST_OF_CLASS = 200, 20


def offer_probes(
    data: str, input_shape: Shape, reads: bool, progress: Progress, cancelled: Cancelled
) -> ProbeOffer | None:
    """The first test images of each class, as they are stored; at most 20 of one, and 200 in all or one a class.

    Args:
        data: as `RunConfig.data`.
        input_shape: the network's `(C, H, W)`.
        reads: whether to read what is not at hand; else None is the answer.

    Raises:
        ValueError: they cannot be read; says why.
    """
    if data == DIGITS:
        return offer_of_digits()
    load()
    from explorer.training.class_pictures import pictures_of
    from explorer.training.data import is_at_hand, load_data

    if not reads and not is_at_hand(data, input_shape):
        return None
    found = load_data(data, input_shape, progress, cancelled)
    labels = found.test_labels.numpy()
    names = found.class_names
    each = max(1, min(_MOST_OF_CLASS, _MOST_IMAGES // len(names)))
    by_class = {}
    for label, name in enumerate(names):
        if cancelled():
            return None
        places = np.flatnonzero(labels == label)[:each].tolist()
        if not places:
            continue
        images = pictures_of(found, places, None)
        images.flags.writeable = False
        by_class[label] = tuple(
            Probe(label=f"{name}, no. {number + 1}", target=label, image=image[0] if len(image) == 1 else image)
            for number, image in enumerate(images)
        )
    return ProbeOffer(data, names, by_class) if by_class else None
