"""A data set's first training images alone, for measurements that would take too long with all.

Nothing that a user can set: the data set that `load_data` keeps in memory is replaced in this process. Test images and
normalisation stay those of the whole set, as the tutorial's loop has them too.
"""

import dataclasses

from explorer.layers import Shape
from explorer.training import load_data
from explorer.training.data import loading


def take_first(data: str, input_shape: Shape, count: int) -> None:
    """Let this process's runs train on the first `count` images of a data set; on all if it has no more."""
    whole = load_data(data, input_shape)
    few = dataclasses.replace(
        whole,
        train_images=whole.train_images[:count],
        train_labels=whole.train_labels[:count],
        train_files=whole.train_files[:count],
    )
    loading._kept[loading._key(data, input_shape)] = few
