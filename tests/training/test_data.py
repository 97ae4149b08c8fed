"""Data sets by name."""

import numpy as np
import pytest
import torch

from explorer.assets import resource
from explorer.training import load_data, probe_images


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


def test_probes_come_class_by_class() -> None:
    data = load_data("digits")
    probes = probe_images(data, per_class=2)
    assert [probe.label for probe in probes] == [str(digit) for digit in range(10) for _ in range(2)]
    assert all(probe.image.shape == (1, 28, 28) and probe.image.dtype == np.uint8 for probe in probes)
    assert np.array_equal(probes[0].image, data.test_images[0].numpy())
