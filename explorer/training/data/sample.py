"""A few images of a data set, for a preview that must not wait until a whole folder is decoded."""

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from explorer.layers import Shape
from explorer.training.data.data_set import DataSet
from explorer.training.data.decoded_folder import decode_all, stored_shape
from explorer.training.data.folders import ImageFile, Listing
from explorer.training.data.loading import data_folder, is_at_hand, listed, load_data

_NUM_TRAINED = 48
_NUM_TESTED = 4
"""A data set has some; a preview shows none."""
_Item = TypeVar("_Item")


def sample_data(name: str, input_shape: Shape) -> DataSet:
    """The data set, or of a folder that is not in memory yet a few images of each class, spread evenly.

    Args:
        name: as `RunConfig.data`.
        input_shape: the network's `(C, H, W)`.

    Raises:
        ValueError: as `load_data`.
    """
    if is_at_hand(name, input_shape):
        return load_data(name, input_shape)
    found = data_folder(name)
    if found is None:
        return load_data(name, input_shape)  # says what is missing
    folder, titles = found
    listing = _thinned(listed(name, folder, titles))
    return decode_all(name, listing, stored_shape(input_shape), lambda _text, _share: None, lambda: False)


def _thinned(listing: Listing) -> Listing:
    trained = [file for file in listing.files if not file.is_test]
    by_class: dict[int, list[ImageFile]] = {}
    for file in trained:
        by_class.setdefault(file.label, []).append(file)
    classes = _spread([*by_class.values()], _NUM_TRAINED // 2)
    each = max(2, _NUM_TRAINED // max(1, len(classes)))
    files = [file for members in classes for file in _spread(members, each)]
    tests = _spread([file for file in listing.files if file.is_test], _NUM_TESTED)
    return dataclasses.replace(listing, files=(*files, *tests))


def _spread(items: Sequence[_Item], count: int) -> Sequence[_Item]:
    """At most so many of them, at even distances."""
    return items if len(items) <= count else [items[place * len(items) // count] for place in range(count)]
