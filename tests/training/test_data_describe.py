"""What a view is shown of a data set, against counting by hand and `to_network_input`."""

from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.runs import Normalization
from explorer.runtime.images import to_network_input
from explorer.training.augment_mixing import share_text
from explorer.training.data import load_data
from explorer.training.data.describe import describe, make_sheet, received
from tests.training.data_files import picture_folder


def test_numbers_of_the_digits() -> None:
    data = load_data("digits")
    facts = describe(data, (1, 32, 32))
    labels = data.train_labels.numpy()
    assert facts.train_counts == tuple(np.bincount(labels).tolist())
    assert (facts.num_train, facts.num_test) == (4000, 1000)
    assert [(s.height, s.width, s.num_images) for s in facts.sizes] == [(28, 28, 5000)]
    assert facts.num_bytes == 5000 * (28 * 28 + 8)
    assert facts.input_notes == ("28×28 images are padded with black to the network's 32×32.",)
    assert facts.input_problem == ""


def test_a_network_that_cannot_take_the_images_is_said(tmp_path: Path) -> None:
    picture_folder(tmp_path)
    data = load_data(f"folder:{tmp_path}", (5, 16, 16), again=True)
    facts = describe(data, (5, 16, 16))
    assert "the network takes 5 channels, but the images have 3" in facts.input_problem
    assert facts.input_notes == ()
    with pytest.raises(ValueError, match="takes 5 channels"):
        received(data, (5, 16, 16), 4)


def test_a_sheet_goes_class_after_class() -> None:
    data = load_data("digits")
    sheet = make_sheet(data, 30, 64)
    assert sheet.labels == tuple(label for label in range(10) for _ in range(3))
    assert all(
        np.array_equal(image, data.train_images[position].numpy())
        for image, position in zip(sheet.images, sheet.positions, strict=True)
    )
    only = make_sheet(data, 30, 14, only=7)
    assert only.images.shape == (30, 1, 14, 14)
    assert set(only.labels) == {7}
    assert only.num_available == int((data.train_labels == 7).sum())


def test_what_is_received_is_the_networks_input_before_normalisation() -> None:
    data = load_data("digits")
    shown = received(data, (3, 32, 32), 12)
    assert [*shown.labels] == [*"0123456789", "0", "1"]
    stored = torch.from_numpy(np.stack(shown.stored))
    expected = to_network_input(stored, (3, 32, 32), Normalization(mean=(0.0,), std=(1.0,)))
    assert np.abs(shown.received[:, 0] - expected.numpy() * 255).max() <= 0.5
    assert not shown.is_augmented


def test_augmented_results_differ_and_repeat_with_the_seed() -> None:
    data = load_data("digits")

    def darken(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        assert x.shape == (4, 1, 16, 16)
        return x * torch.rand(len(x), 1, 1, 1, generator=generator)

    first, again, other = (received(data, (3, 16, 16), 4, darken, 3, seed) for seed in (1, 1, 2))
    assert first.received.shape == (4, 3, 3, 16, 16)
    assert first.is_augmented
    assert np.array_equal(first.received, again.received)
    assert not np.array_equal(first.received, other.received)
    assert not np.array_equal(first.received[:, 0], first.received[:, 1])


def test_photographs_are_shown_as_they_were_found(tmp_path: Path) -> None:
    picture_folder(tmp_path)  # 40 wide, 30 high
    data = load_data(f"folder:{tmp_path}", (3, 16, 16), again=True)
    facts = describe(data, (3, 16, 16))
    assert [(s.height, s.width, s.num_images) for s in facts.sizes] == [(30, 40, 20)]
    assert facts.input_notes == (
        "Images are brought to 16×16 in colour: the shorter side resized, the middle cut out.",
    )
    shown = received(data, (3, 16, 16), 2)
    assert [image.shape for image in shown.stored] == [(3, 30, 40)] * 2
    assert shown.received.shape == (2, 1, 3, 16, 16)
    Path(data.train_files[0]).unlink()  # Only its picture is smaller then.
    assert received(data, (3, 16, 16), 2).stored[0].shape == (3, 16, 16)


def test_mixed_images_are_shown_with_the_shares_of_what_is_in_them() -> None:
    data = load_data("digits")

    def half(
        x: torch.Tensor, target: torch.Tensor, num_classes: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        classes = torch.nn.functional.one_hot(target, num_classes).float()
        return 0.7 * x + 0.3 * x.roll(1, 0), 0.7 * classes + 0.3 * classes.roll(1, 0)

    shown = received(data, (3, 28, 28), 3, lambda x, generator: x, 2, 0, half)
    assert shown.result_labels == (
        ("0.70 0 + 0.30 2",) * 2,
        ("0.70 1 + 0.30 0",) * 2,
        ("0.70 2 + 0.30 1",) * 2,
    )
    own, other = (torch.from_numpy(shown.stored[place]).float() for place in (1, 0))
    assert np.abs(shown.received[1, 0] - (0.7 * own + 0.3 * other).expand(3, -1, -1).numpy()).max() <= 0.51
    assert received(data, (3, 28, 28), 3, lambda x, generator: x, 2).result_labels == ()


def test_shares_are_said_as_they_round() -> None:
    names = ("boot", "bag", "coat")
    assert share_text(torch.tensor([0.3, 0.7, 0.0]), names) == "0.70 bag + 0.30 boot"
    assert share_text(torch.tensor([0.0, 0.0, 1.0]), names) == "coat"
    assert share_text(torch.tensor([0.998, 0.002, 0.0]), names) == "boot"
