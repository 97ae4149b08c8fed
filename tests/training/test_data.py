"""Data sets by name."""

import dataclasses

import numpy as np
import pytest
import torch

from explorer.assets import resource
from explorer.training import load_data, network_inputs


def test_digits_are_the_files_arrays() -> None:
    data = load_data("digits")
    with np.load(resource("digits", "digits.npz")) as file:
        assert np.array_equal(data.train_images[:, 0].numpy(), file["train_images"])
        assert np.array_equal(data.test_labels.numpy(), file["test_labels"])
        assert data.normalization.mean[0] == pytest.approx(file["train_images"].mean() / 255)
        assert data.normalization.std[0] == pytest.approx(file["train_images"].std() / 255)
    assert data.train_images.dtype == torch.uint8
    assert data.train_labels.dtype == torch.int64
    assert data.image_shape == (1, 28, 28)
    assert len(data.fingerprint) == 64
    assert load_data("digits") is data


def test_an_unknown_name_gets_near_matches() -> None:
    with pytest.raises(ValueError, match=r"unknown data set 'digit'; did you mean digits\?"):
        load_data("digit")


def test_network_inputs_are_real_images_or_say_that_they_are_not() -> None:
    data = load_data("digits")
    images, note = network_inputs(data, (3, 32, 32), 4)
    assert images.shape == (4, 3, 32, 32)
    assert note is None
    colour = dataclasses.replace(data, test_images=data.test_images.expand(-1, 3, -1, -1))
    images, note = network_inputs(colour, (5, 32, 32), 4)
    assert images.shape == (4, 5, 32, 32)
    assert note is not None
    assert "random" in note
