"""Each transform does what its definition says, for each image by itself, and again from an equal state."""

import importlib
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from explorer.runs.augmentation import Augmentation, parse_augmentation
from explorer.runs.augmentation_transforms import TRANSFORMS, Erase, Transform
from explorer.runtime.torchvision_door import torchvision
from explorer.training import augment, augment_mixing
from explorer.training.augment import (
    Augmenter,
    erased_boxes,
    matrices_of,
    move_pixels,
    moved_at_once,
    moved_one_by_one,
    sample,
)
from explorer.training.augment_colour import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    colours_of,
)
from explorer.training.augment_mixing import boxes_of
from explorer.training.to_device import to_device
from tests.training.operators import MadeTensors

CPU = torch.device("cpu")
EVERYTHING = ",".join(kind.name for kind in TRANSFORMS)


def images(count: int = 8, channels: int = 3, height: int = 12, width: int = 10) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8, generator=generator)


def augmented(text: str, stored: Tensor, seed: int = 0) -> Tensor:
    augmenter = Augmenter(parse_augmentation(text), stored, CPU)
    x = stored.float() / 255
    generator = torch.Generator().manual_seed(seed)
    if augmenter.mixes:
        return augmenter.mix(x, torch.arange(len(x)) % 3, 3, generator)[0]
    return augmenter(x, generator)


def functional() -> Any:
    torchvision()
    return importlib.import_module("torchvision.transforms.v2.functional")


@pytest.mark.parametrize("kind", TRANSFORMS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_neutral_strengths_change_nothing(kind: type[Transform], channels: int) -> None:
    stored = images(channels=channels)
    neutral = Augmentation().replaced(kind.name, kind.neutral())
    augmenter = Augmenter(neutral, stored, CPU)
    x, generator = stored.float() / 255, torch.Generator()
    torch.testing.assert_close(augmenter(x, generator), x, atol=1e-5, rtol=0)
    mixed, shares = augmenter.mix(x, torch.arange(8) % 3, 3, generator)
    assert torch.equal(mixed, x)
    assert torch.equal(shares, torch.eye(3)[torch.arange(8) % 3])


@pytest.mark.parametrize("kind", TRANSFORMS)
def test_images_of_a_batch_change_differently_and_again_equally(kind: type[Transform]) -> None:
    same = images(1).expand(32, -1, -1, -1).contiguous()
    # Mixing needs others to mix with.
    stored = images(32) if kind.group == "mixing" else same
    text = {"mixup": "mixup:1"}.get(kind.name, kind.name)
    kept = stored.clone()
    first, again, other = augmented(text, stored), augmented(text, stored), augmented(text, stored, seed=1)
    assert first.shape == stored.shape
    assert first.dtype == torch.float32
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(torch.unique((first - stored.float() / 255).flatten(1), dim=0)) > 1
    assert torch.equal(stored, kept), "what comes in is left as it was"


def test_a_saved_state_goes_on_with_the_same_images() -> None:
    stored = images()
    augmenter = Augmenter(parse_augmentation(EVERYTHING), stored, CPU)
    x, generator = stored.float() / 255, torch.Generator().manual_seed(3)
    augmenter(x, generator)
    state = generator.get_state()
    second = augmenter.mix(augmenter(x, generator), torch.arange(8) % 3, 3, generator)
    resumed = torch.Generator()
    resumed.set_state(state)
    fresh = Augmenter(parse_augmentation(EVERYTHING), stored, CPU)
    third = fresh.mix(fresh(x, resumed), torch.arange(8) % 3, 3, resumed)
    assert torch.equal(second[0], third[0])
    assert torch.equal(second[1], third[1])


def test_the_global_random_numbers_stay_where_they_are() -> None:
    torch_state = torch.get_rng_state()
    augmenter = Augmenter(parse_augmentation(EVERYTHING), images(), CPU)
    augmenter.mix(augmenter(images().float() / 255, torch.Generator()), torch.zeros(8).long(), 3, torch.Generator())
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_what_is_drawn_for_one_transform_does_not_depend_on_the_channels() -> None:
    grey = images(channels=1).expand(-1, 3, -1, -1).contiguous()
    text = "jitter:0.3/0.3/0.3/0,crop"
    of_three = augmented(text, grey)
    torch.testing.assert_close(of_three[:, :1], augmented(text, grey[:, :1].contiguous()), atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(12, 12), (8, 14)])
def test_pixels_move_as_padding_and_slicing_moves_them(size: tuple[int, int]) -> None:
    x = images(4, 2, *size).float()
    down, right = np.array([0.0, 3.0, -2.0, 1.0]), np.array([0.0, -1.0, 2.0, 5.0])
    flipped = np.array([False, True, False, True])
    moved = move_pixels(x, down, right, flipped)
    for place in range(4):
        image = np.pad(x[place].numpy(), ((0, 0), (5, 5), (5, 5)))
        top, left = 5 - int(down[place]), 5 - int(right[place])
        turned = np.pad(x[place].numpy()[:, :, ::-1], ((0, 0), (5, 5), (5, 5))) if flipped[place] else image
        assert np.array_equal(moved[place].numpy(), turned[:, top : top + size[0], left : left + size[1]])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize(("most", "flips"), [(0, 0.0), (0, 0.5), (3, 0.0), (3, 0.5), (13, 1.0)])
def test_a_gpus_way_to_move_pixels_gives_the_bits_of_the_cpus(
    most: int, flips: float, layout: torch.memory_format, channels: int
) -> None:
    x = (images(16, channels).float() / 255).contiguous(memory_format=layout)
    before = x.clone()
    random = np.random.default_rng(5)
    down, right = random.integers(-most, most, (2, 16), endpoint=True)
    flipped = random.random(16) < flips
    one_by_one, at_once = (move(x, down, right, flipped) for move in (moved_one_by_one, moved_at_once))
    assert torch.equal(one_by_one, at_once)
    assert torch.equal(x, before)
    for moved in (one_by_one, at_once):
        assert moved.is_contiguous(memory_format=layout)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each copy to the device."""
    copies: list[int] = []

    def counted(values: npt.NDArray[Any], device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
        copies.append(values.nbytes)
        return to_device(values, device, dtype)

    for module in (augment, augment_mixing):
        monkeypatch.setattr(module, "to_device", counted)
    return copies


def test_what_moves_pixels_on_a_gpu_is_sent_once_and_is_small(sent: list[int]) -> None:
    x = images(16).float()
    down, right = np.random.default_rng(5).integers(-3, 3, (2, 16), endpoint=True)
    with MadeTensors() as seen:
        moved_at_once(x, down, right, np.arange(16) % 2 == 0)
    assert sent == [4 * 16 * 8]
    names = [name for name, _ in seen.made]
    assert names[names.index("_to_copy") :] == ["_to_copy", "flip", "where", "constant_pad_nd", "index"]


@pytest.mark.parametrize(("text", "count"), [("jitter", 1), ("erase", 1), ("rotate,translate", 1), ("mixup,cutmix", 3)])
def test_what_is_drawn_goes_to_the_device_in_few_copies(text: str, count: int, sent: list[int]) -> None:
    augmented(text, images())
    assert len(sent) == count


def test_whole_moves_and_flips_by_matrix_are_those_by_pixel() -> None:
    x = images(4, 2, 8, 14).float() / 255
    down, right = np.array([0.0, 3.0, -2.0, 1.0]), np.array([0.0, -1.0, 2.0, 5.0])
    flipped = np.array([False, True, False, True])
    whole = (np.zeros(4), np.zeros(4), np.ones(4), np.ones(4))
    matrices = matrices_of((8, 14), flipped=flipped, down=down, right=right, degrees=np.zeros(4), parts=whole)
    torch.testing.assert_close(sample(x, matrices), move_pixels(x, down, right, flipped), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(15, 15), (9, 16)])
@pytest.mark.parametrize("degrees", [30.0, -75.0, 180.0])
def test_turns_are_torchvisions(size: tuple[int, int], degrees: float) -> None:
    x = images(2, 3, *size).float() / 255
    zeros, ones = np.zeros(2), np.ones(2)
    matrices = matrices_of(
        size,
        flipped=np.zeros(2, bool),
        down=zeros,
        right=zeros,
        degrees=np.full(2, degrees),
        parts=(zeros, zeros, ones, ones),
    )
    tv = functional()
    expected = tv.rotate(x, degrees, interpolation=tv.InterpolationMode.BILINEAR)
    # torchvision fades the border by a mask of its own.
    inner = (..., slice(3, -3), slice(3, -3))
    torch.testing.assert_close(sample(x, matrices)[inner], expected[inner], atol=1e-4, rtol=0)


def test_a_part_comes_to_the_whole_size_as_torchvisions() -> None:
    x = images(1, 3, 16, 20).float() / 255
    zeros = np.zeros(1)
    parts = (np.array([4 / 16]), np.array([5 / 20]), np.array([8 / 16]), np.array([10 / 20]))
    matrices = matrices_of((16, 20), flipped=np.zeros(1, bool), down=zeros, right=zeros, degrees=zeros, parts=parts)
    expected = functional().resized_crop(x, 4, 5, 8, 10, [16, 20], antialias=False)
    # At its border the part has the image beyond it here, and repeats itself there.
    inner = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(sample(x, matrices)[inner], expected[inner], atol=1e-5, rtol=0)


def test_strengths_bound_what_is_drawn() -> None:
    """A lone white pixel shows where an image went, at most."""
    stored = torch.zeros(200, 1, 21, 21, dtype=torch.uint8)
    stored[:, :, 10, 10] = 255

    def reached(text: str) -> tuple[int, int]:
        rows, columns = torch.nonzero(augmented(text, stored).sum((0, 1)) > 1e-4, as_tuple=True)
        return int((rows - 10).abs().max()), int((columns - 10).abs().max())

    assert reached("crop:3") == (3, 3)
    across = reached("translate:0.2")
    assert all(4 <= reach <= math.ceil(0.2 * 21) for reach in across)
    assert reached("flip") == (0, 0)


def test_half_the_images_are_flipped() -> None:
    stored = torch.zeros(1000, 1, 2, 2, dtype=torch.uint8)
    stored[:, :, :, 0] = 255
    share = float(augmented("flip", stored)[:, 0, 0, 1].mean())
    assert abs(share - 0.5) < 5 * math.sqrt(0.25 / 1000)
    assert float(augmented("flip:1", stored)[:, 0, 0, 1].mean()) == 1


@pytest.mark.parametrize(
    ("mine", "theirs", "values"),
    [
        (adjust_brightness, "adjust_brightness", [0.3, 1.0, 1.7]),
        (adjust_contrast, "adjust_contrast", [0.0, 1.0, 1.7]),
        (adjust_saturation, "adjust_saturation", [0.0, 1.0, 1.9]),
        (adjust_hue, "adjust_hue", [-0.5, 0.0, 0.13, 0.4]),
    ],
)
def test_colours_change_as_torchvisions(mine: Any, theirs: str, values: list[float]) -> None:
    x = images(len(values)).float() / 255
    x[:, :, 0] = x[:, :1, 0]  # greys, which have no hue
    changed = mine(x, torch.tensor(values))
    for place, value in enumerate(values):
        expected = getattr(functional(), theirs)(x[place], value)
        torch.testing.assert_close(changed[place], expected, atol=2e-5, rtol=0)


def test_contrast_of_grey_keeps_the_mean() -> None:
    stored = images(64, 1) // 4 + 96  # far from black and white, where nothing is cut off
    changed, x = augmented("contrast:0.5", stored), stored.float() / 255
    torch.testing.assert_close(changed.mean((1, 2, 3)), x.mean((1, 2, 3)), atol=1e-5, rtol=0)
    ratios = changed.std((1, 2, 3)) / x.std((1, 2, 3))
    assert 0.5 <= ratios.min() < 0.6
    assert 1.4 < ratios.max() <= 1.5


def test_lighting_moves_along_the_principal_components() -> None:
    base = np.random.default_rng(0).normal(size=(20000, 1)) * np.array([[20.0, 10.0, -5.0]])
    pixels: npt.NDArray[np.float64] = 128 + base + np.random.default_rng(1).normal(size=(20000, 3)) * 2
    stored = torch.from_numpy(pixels.round().clip(0, 255).astype(np.uint8)).T.reshape(1, 3, 100, 200).contiguous()
    colours = colours_of(stored)
    oracle = np.cov(stored.reshape(3, -1).numpy() / 255.0, bias=True)
    np.testing.assert_allclose(colours.components @ colours.components.T, oracle, atol=1e-12)
    np.testing.assert_allclose(colours.mean, stored.double().mean((0, 2, 3)) / 255)
    grey = torch.full((4000, 3, 1, 1), 128, dtype=torch.uint8)
    augmenter = Augmenter(parse_augmentation("lighting:0.5"), stored, CPU)
    x = grey.float() / 255
    shifts = (augmenter(x, torch.Generator().manual_seed(0)) - x).flatten(1).double().numpy()
    np.testing.assert_allclose(np.cov(shifts.T, bias=True), 0.25 * oracle, rtol=0.15, atol=2e-5)


def test_lighting_shifts_a_whole_image_by_one_colour() -> None:
    stored = images(4) // 4 + 96
    shifts = augmented("lighting", stored) - stored.float() / 255
    torch.testing.assert_close(shifts, shifts[:, :, :1, :1].expand_as(shifts), atol=1e-6, rtol=0)
    assert shifts.abs().amax((1, 2, 3)).min() > 0


def test_colours_of_a_large_set_come_from_pixels_all_over_it() -> None:
    rows = torch.linspace(0, 255, 9000).to(torch.uint8).view(-1, 1, 1, 1).expand(-1, 1, 40, 40)
    colours = colours_of(rows)
    assert abs(float(colours.mean) - 0.5) < 0.01
    assert abs(float(colours.components.abs()) - 1 / math.sqrt(12)) < 0.01


def test_erased_rectangles_take_the_mean_colour() -> None:
    stored = images(300)
    changed, x = augmented("erase:0.5/0.3", stored), stored.float() / 255
    mean = x.mean((0, 2, 3)).view(1, 3, 1, 1)
    covered = ((changed - mean).abs() < 1e-6).all(1)
    untouched = (changed == x).all(1)
    assert (covered | untouched).all()
    num_covered = covered.flatten(1).sum(1)
    assert abs(float((num_covered > 0).float().mean()) - 0.5) < 5 * math.sqrt(0.25 / 300)
    for mask in covered[num_covered > 0]:
        rows, columns = mask.any(1), mask.any(0)
        assert torch.equal(mask, rows[:, None] & columns[None, :]), "a rectangle"


def test_erased_rectangles_lie_within_the_image_and_are_no_larger_than_asked() -> None:
    top, left, height, width = erased_boxes(Erase(p=1.0, area=0.4), (20, 30), 2000, np.random.default_rng(0))
    assert top.min() >= 0
    assert left.min() >= 0
    assert (top + height).max() == 20
    assert (left + width).max() == 30
    share = height * width / 600
    assert share.max() < 0.4 + (20 + 30) / 600  # to whole pixels
    assert share.mean() == pytest.approx(0.21, abs=0.02)


@pytest.mark.parametrize("text", ["mixup:1", "cutmix", "mixup:1,cutmix"])
def test_labels_are_mixed_as_the_images_are(text: str) -> None:
    """Each image is of its class's own colour, so its mean says how much of which is in it."""
    classes = 5
    target = torch.arange(60) % classes
    x = torch.eye(classes)[target].view(60, classes, 1, 1).expand(-1, -1, 16, 24).contiguous()
    augmenter = Augmenter(parse_augmentation(text), (x * 255).to(torch.uint8), CPU)
    assert augmenter.mixes
    mixed, shares = augmenter.mix(x, target, classes, torch.Generator().manual_seed(0))
    torch.testing.assert_close(shares.sum(1), torch.ones(60))
    torch.testing.assert_close(mixed.mean((2, 3)), shares, atol=1e-5, rtol=0)
    assert len(torch.unique(shares.amax(1).round(decimals=4))) > 20
    is_blended = ((mixed > 0.001) & (mixed < 0.999)).flatten(1).any(1)
    assert bool(is_blended.any()) == ("mixup" in text)
    is_pasted = ((mixed.amax((2, 3)) - mixed.amin((2, 3))) > 0.5).any(1)
    assert bool(is_pasted.any()) == ("cutmix" in text)
    assert not (is_blended & is_pasted).any()
    loss = torch.nn.functional.cross_entropy(torch.zeros(60, classes), shares)
    assert float(loss) == pytest.approx(math.log(classes), abs=1e-5)


def test_blends_follow_the_beta_distribution() -> None:
    x, target = torch.rand(4000, 1, 1, 1), torch.arange(4000)
    augmenter = Augmenter(parse_augmentation("mixup:0.4"), (x * 255).to(torch.uint8), CPU)
    own = augmenter.mix(x, target, 4000, torch.Generator().manual_seed(0))[1].diagonal()
    # Of Beta(a, a): 1 / (4 (2 a + 1)).
    assert float(own.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(own.var()) == pytest.approx(1 / (4 * 1.8), abs=0.01)


def test_pasted_rectangles_lie_within_the_image() -> None:
    kept = np.random.default_rng(0).uniform(size=500)
    top, bottom, left, right = boxes_of(kept, 10, 14, np.random.default_rng(1))
    assert ((top >= 0) & (top <= bottom) & (bottom <= 10)).all()
    assert ((left >= 0) & (left <= right) & (right <= 14)).all()
    central = boxes_of(np.array([0.0]), 10, 14, np.random.default_rng(2))
    assert (central[1] - central[0]) * (central[3] - central[2]) >= 10 * 14 / 4 - 14, "at least a quarter is inside"


def test_without_mixing_labels_are_whole() -> None:
    augmenter = Augmenter(Augmentation(), images(), CPU)
    assert not augmenter.mixes
    shares = augmenter.mix(images().float(), torch.tensor([2] * 8), 3, torch.Generator())[1]
    assert shares.tolist() == [[0, 0, 1]] * 8


def test_a_generator_elsewhere_is_refused() -> None:
    class Elsewhere:
        device = torch.device("cuda:0")

    augmenter = Augmenter(Augmentation(), images(), CPU)
    with pytest.raises(ValueError, match="received a generator on cuda:0; use one on the CPU"):
        augmenter(images().float(), Elsewhere())  # type: ignore[arg-type]
