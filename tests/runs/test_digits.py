"""The embedded digits are what their README says, and the test images are not among the training images."""

import numpy as np
import pytest

from explorer.assets import resource

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def digits() -> Arrays:
    with np.load(resource("digits", "digits.npz"), allow_pickle=False) as file:
        return dict(file)


def test_shapes_and_dtypes(digits: Arrays) -> None:
    assert {name: (array.shape, array.dtype.name) for name, array in digits.items()} == {
        "train_images": ((4000, 28, 28), "uint8"),
        "train_labels": ((4000,), "uint8"),
        "test_images": ((1000, 28, 28), "uint8"),
        "test_labels": ((1000,), "uint8"),
    }


def test_grey_levels_span_the_whole_range(digits: Arrays) -> None:
    for name in ("train_images", "test_images"):
        assert (digits[name].min(), digits[name].max()) == (0, 255)


def test_classes_are_equally_frequent(digits: Arrays) -> None:
    assert np.bincount(digits["train_labels"]).tolist() == [400] * 10
    assert np.bincount(digits["test_labels"]).tolist() == [100] * 10


def test_order(digits: Arrays) -> None:
    assert np.array_equal(digits["test_labels"], np.arange(1000) % 10)
    # Shuffled: any run of 500 holds every digit about equally often.
    for part in np.split(digits["train_labels"], 8):
        assert np.bincount(part, minlength=10).min() > 30


def test_no_image_appears_twice(digits: Arrays) -> None:
    images = [image.tobytes() for name in ("train_images", "test_images") for image in digits[name]]
    assert len(set(images)) == len(images) == 5000


def test_licence_lies_beside_the_data() -> None:
    text = resource("digits", "README.md").read_text(encoding="utf-8")
    assert "Yann LeCun and Corinna Cortes" in text
    assert "https://creativecommons.org/licenses/by-sa/3.0/" in text


def test_labels_belong_to_their_images(digits: Arrays) -> None:
    # Nearest class mean is right for about four in five MNIST digits; shuffled apart it would be for one in ten.
    train = digits["train_images"].reshape(4000, -1).astype(np.float32)
    test = digits["test_images"].reshape(1000, -1).astype(np.float32)
    means = np.stack([train[digits["train_labels"] == digit].mean(axis=0) for digit in range(10)])
    nearest = ((test[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == digits["test_labels"]).mean() > 0.75
