"""Examples of an augmentation show the images that training would see, with their labels."""

import numpy as np
import pytest

from explorer.runs.augmentation import Augmentation, parse_augmentation
from explorer.training import load_data
from explorer.training.augment_pictures import at_network_size, augmented_pictures

PLACES = (3, 1, 4, 1, 5)


def test_without_transforms_the_results_are_the_originals() -> None:
    data = load_data("digits")
    pictures = augmented_pictures(Augmentation(), data, (1, 28, 28), PLACES, 3, seed=0)
    assert np.array_equal(pictures.originals, data.train_images[list(PLACES)].numpy())
    assert pictures.results.shape == (5, 3, 1, 28, 28)
    assert (pictures.results == pictures.originals[:, None]).all()
    labels = tuple(str(int(data.train_labels[place])) for place in PLACES)
    assert pictures.labels == labels
    assert pictures.result_labels == tuple((label,) * 3 for label in labels)


def test_pictures_have_the_networks_size_and_the_data_sets_channels() -> None:
    data = load_data("digits")
    pictures = augmented_pictures(parse_augmentation("crop"), data, (3, 40, 36), PLACES, 2, seed=0)
    assert pictures.originals.shape == (5, 1, 40, 36)
    assert at_network_size(data.train_images[:2], (3, 32, 32)).shape == (2, 1, 32, 32)


def test_equal_seeds_give_equal_results_and_others_others() -> None:
    data = load_data("digits")
    augmentation = parse_augmentation("rotate,translate")
    first, again, other = (augmented_pictures(augmentation, data, (1, 28, 28), PLACES, 2, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.results, again.results)
    assert not np.array_equal(first.results, other.results)
    assert not np.array_equal(first.results[:, 0], first.results[:, 1])


def test_mixed_images_say_what_is_in_them() -> None:
    data = load_data("digits")
    pictures = augmented_pictures(parse_augmentation("mixup:5"), data, (1, 28, 28), tuple(range(12)), 4, seed=0)
    texts = [text for row in pictures.result_labels for text in row]
    mixed = [text for text in texts if "+" in text]
    assert mixed
    for text in mixed:
        shares = [float(part.split(" ")[0]) for part in text.split(" + ")]
        assert sum(shares) == pytest.approx(1, abs=0.011)
        assert shares == sorted(shares, reverse=True)


def test_what_cannot_be_shown_is_said() -> None:
    data = load_data("digits")
    with pytest.raises(ValueError, match="received 0 images and 2 results of each; use at least one of both"):
        augmented_pictures(Augmentation(), data, (1, 28, 28), (), 2, seed=0)
