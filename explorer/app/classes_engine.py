"""Test images for the window: what the thread of `ClassesSession` runs. torch is imported inside, as in `engine`."""

import numpy as np
import numpy.typing as npt

from explorer.app.loading import load
from explorer.session.classes_session import Cancelled, PicturesAsked, Progress


def test_pictures(asked: PicturesAsked, progress: Progress, cancelled: Cancelled) -> npt.NDArray[np.uint8]:
    """The test images that were asked for.

    Raises:
        ValueError: they cannot be read, or are no longer those that were tested; says why.
    """
    load()
    from explorer.training.class_pictures import pictures_of
    from explorer.training.data import load_data

    data = load_data(asked.data, asked.input_shape, progress, cancelled)
    if asked.fingerprint and data.fingerprint != asked.fingerprint:
        raise ValueError(f"{data.name}: its images are not those that this run was tested on, so none are shown")
    return pictures_of(data, asked.positions, asked.side)
