"""Folders of images: layouts, splits, faults and the pixels, against PIL's own reading."""

import contextlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.runs.data_facts import Problem
from explorer.training.data import (
    DataCancelled,
    DataSet,
    data_at_hand,
    decoded_cache,
    decoded_folder,
    is_at_hand,
    load_data,
    loading,
)
from explorer.training.data.decoding import Refused, decode
from explorer.training.data.folders import list_folder
from tests.training.data_files import picture, picture_folder

SHAPE = (3, 16, 16)


def _load(root: Path, shape: tuple[int, ...] = SHAPE) -> DataSet:
    return load_data(f"folder:{root}", shape, again=True)


def test_a_folder_without_a_split_is_split_class_by_class_and_always_alike(tmp_path: Path) -> None:
    picture_folder(tmp_path / "a", per_class=10)
    first = list_folder(tmp_path / "a")
    assert first.class_names == ("blue", "red")
    tested = {file.path for file in first.files if file.is_test}
    assert sorted(path.partition("/")[0] for path in tested) == ["blue"] * 2 + ["red"] * 2
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert {file.path for file in list_folder(tmp_path / "b").files if file.is_test} == tested
    # Five more images take one more for tests, and move none from tests to training.
    for number in range(10, 15):
        picture(tmp_path / "a" / "red" / f"{number}.png")
    more = {file.path for file in list_folder(tmp_path / "a").files if file.is_test and "blue" in file.path}
    assert more == {path for path in tested if "blue" in path}


def test_the_folders_own_split_counts(tmp_path: Path) -> None:
    for part, count in (("Train", 3), ("val", 2), ("test", 5)):
        for name in ("cat", "dog"):
            for number in range(count):
                picture(tmp_path / part / name / "deeper" / f"{number}.jpg")
    data = _load(tmp_path)
    assert (len(data.train_images), len(data.test_images)) == (6, 4)
    assert data.train_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert [problem.path for problem in data.problems] == ["test"]


def test_classes_that_differ_in_case_alone_are_two(tmp_path: Path) -> None:
    for name, colour in (("A", (255, 0, 0)), ("a", (0, 255, 0)), ("b", (0, 0, 255))):
        (tmp_path / "TRAIN" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "Val" / name).mkdir(parents=True, exist_ok=True)
        picture(tmp_path / "TRAIN" / name / f"{name}.png", colour)
        picture(tmp_path / "Val" / name / f"{name}.png", colour)
    if len(list((tmp_path / "TRAIN").iterdir())) < 3:
        pytest.skip("this file system takes them for one")
    data = _load(tmp_path)
    assert data.class_names == ("A", "a", "b")
    assert data.train_labels.tolist() == data.test_labels.tolist() == [0, 1, 2]


def test_decoded_pixels_are_kept_without_a_second_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_folder(tmp_path / "a")
    written: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr(decoded_cache, "save_file", lambda tensors, *_: written.append(tensors))
    data = _load(tmp_path / "a")
    places = {tensor.data_ptr() for tensor in written[0].values()}
    assert {data.train_images.data_ptr(), data.test_images.data_ptr()} <= places


def test_pixels_are_pils_resized_and_cut_from_the_middle(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (48, 96, 3), np.uint8)
    path = tmp_path / "wide.png"
    Image.fromarray(pixels).save(path)
    found = decode(path, (3, 16, 16))
    middle = Image.fromarray(pixels).resize((32, 16), Image.Resampling.BILINEAR).crop((8, 0, 24, 16))
    assert np.array_equal(found.pixels, np.asarray(middle).transpose(2, 0, 1))
    assert (found.height, found.width) == (48, 96)
    grey = decode(path, (1, 16, 16))
    assert grey.pixels.shape == (1, 16, 16)
    assert np.abs(grey.pixels[0] - np.asarray(middle.convert("L")).astype(int)).max() <= 2


def test_a_large_jpeg_shrinks_to_what_all_its_pixels_average_to(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 640, dtype=np.uint8)
    pixels = np.stack([np.tile(ramp, (640, 1))] * 3, 2)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    found = decode(tmp_path / "a.jpg", (3, 20, 20))
    expected = pixels.reshape(20, 32, 20, 32, 3).mean((1, 3)).transpose(2, 0, 1)
    assert np.abs(found.pixels - expected).mean() < 3
    assert (found.height, found.width) == (640, 640)


def test_a_photograph_is_turned_as_the_camera_says(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20))
    image.paste((255, 255, 255), (0, 0, 20, 20))  # bright at the left
    exif = Image.Exif()
    exif[0x0112] = 6  # To be turned clockwise: bright at the top then.
    image.save(tmp_path / "a.png", exif=exif)
    found = decode(tmp_path / "a.png", (1, 20, 10))
    assert (found.height, found.width) == (40, 20)
    assert found.pixels[0, 2, 5] > 200
    assert found.pixels[0, 17, 5] < 50


def test_every_kind_of_fault_is_listed_and_none_ends_the_run(tmp_path: Path) -> None:
    root = tmp_path / "a"
    picture_folder(root, per_class=10)
    red = root / "red"
    picture(red / "cut.jpg", size=(200, 200))
    (red / "cut.jpg").write_bytes((red / "cut.jpg").read_bytes()[:-900])
    picture(red / "cut.png", size=(200, 200))
    (red / "cut.png").write_bytes((red / "cut.png").read_bytes()[:-200])
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(red / "deep.png")
    Image.new("F", (20, 20)).save(red / "real.tiff")
    Image.new("CMYK", (20, 20)).save(red / "print.jpg")
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (10, 200)]
    frames[0].save(red / "moving.gif", save_all=True, append_images=frames[1:])
    (red / "empty.jpg").touch()
    (red / "notes.txt").write_text("not an image")
    (red / ".DS_Store").write_bytes(b"\0")
    (red / "gone.png").symlink_to(tmp_path / "nothing.png")
    Image.new("P", (20, 20)).save(red / "palette.gif")
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    clear.save(red / "clear.png")
    (root / "vacant").mkdir()
    data = _load(root)
    reasons = {problem.path: problem.reason for problem in data.problems}
    skipped = {problem.path for problem in data.problems if problem.is_skipped}
    assert reasons == {
        "vacant": "holds no files; its class is left out",
        "red/cut.jpg": "is cut off",
        "red/cut.png": "is cut off",
        "red/deep.png": "has 16 bits a pixel; save it with 8 bits a channel",
        "red/real.tiff": "has floating-point a pixel; save it with 8 bits a channel",
        "red/print.jpg": "is CMYK, not grey or RGB; save it as RGB",
        "red/moving.gif": "is animated, with 2 frames; save the one that is meant",
        "red/empty.jpg": "is empty",
        "red/notes.txt": "is no image",
        "red/gone.png": "is no longer there",
        "red/palette.gif": "palette turned to colour",
        "red/clear.png": "transparent parts became white",
    }
    assert skipped == set(reasons) - {"red/palette.gif", "red/clear.png"}
    assert len(data.train_images) + len(data.test_images) == 22
    assert data.notes == ("10 files were skipped, the first vacant: holds no files; its class is left out.",)
    assert data.class_names == ("blue", "red")


def test_a_file_that_vanishes_between_listing_and_reading_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture_folder(tmp_path / "a")
    listing = list_folder(tmp_path / "a")
    (tmp_path / "a" / "red" / "3.png").unlink()
    data = decoded_folder.load_folder("a", listing, SHAPE, lambda text, share: None, lambda: False)
    assert data.problems == (Problem("red/3.png", "is no longer there"),)


def test_pixels_are_kept_until_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "a"
    picture_folder(root)
    (root / "red" / "x.txt").write_text("?")
    first = _load(root)

    def never(path: Path, shape: tuple[int, ...]) -> object:
        raise AssertionError("decoded again")

    with monkeypatch.context() as patch:
        patch.setattr(decoded_folder, "decode", never)
        again = _load(root)
    assert again is not first
    assert (again.fingerprint, again.problems, again.sizes) == (first.fingerprint, first.problems, first.sizes)
    assert again.normalization == first.normalization
    picture(root / "red" / "3.png", (0, 255, 0))
    os.utime(root / "red" / "3.png", ns=(1, 1))
    assert _load(root).fingerprint != first.fingerprint


def test_a_damaged_cache_is_made_anew(tmp_path: Path, own_home: Path) -> None:
    picture_folder(tmp_path / "a")
    first = _load(tmp_path / "a")
    (kept,) = (own_home / "cache" / "decoded").glob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:100])
    assert _load(tmp_path / "a").fingerprint == first.fingerprint


def test_what_does_not_fit_into_memory_stays_in_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture_folder(tmp_path / "a")

    class Memory:
        available = 20 * 3 * 16 * 16 / 0.6

    monkeypatch.setattr("psutil.virtual_memory", Memory)
    assert not _load(tmp_path / "a").is_streamed
    Memory.available -= 2
    data = _load(tmp_path / "a")
    assert data.is_streamed
    assert data.notes[0].startswith("The images would take 0.0 GB, more than there is memory for")


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    picture_folder(tmp_path / "a")
    said: list[str] = []
    with pytest.raises(DataCancelled):
        load_data(
            f"folder:{tmp_path / 'a'}",
            SHAPE,
            lambda text, share: said.append(text),
            lambda: said[-1:] == ["Decoding 1 of 20 images"],
        )
    assert said[-1] == "Decoding 1 of 20 images"


def test_folders_of_another_layout_say_what_would_fit(tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    picture(tmp_path / "flat" / "1.png")
    with pytest.raises(ValueError, match=r"holds no folders of images; use one folder a class.*flat/cats"):
        _load(tmp_path / "flat")
    picture(tmp_path / "one" / "cats" / "1.png")
    with pytest.raises(ValueError, match="holds one class, cats; use one folder a class, at least two"):
        _load(tmp_path / "one")
    with pytest.raises(ValueError, match="cannot be looked into: no such file or directory; choose one that is there"):
        _load(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="pass its input_shape"):
        load_data(f"folder:{tmp_path}")


def test_a_folder_without_one_image_names_the_first_fault(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.jpg").touch()
        (tmp_path / name / "y.jpg").touch()
    with pytest.raises(ValueError, match=r"none of its 4 files is a readable training image; the first fault: a/"):
        _load(tmp_path)


def test_a_link_back_up_ends(tmp_path: Path) -> None:
    picture_folder(tmp_path / "a", per_class=2)
    (tmp_path / "a" / "red" / "up").symlink_to(tmp_path / "a" / "red")
    assert len(list_folder(tmp_path / "a").files) == 4


def test_damaged_headers_are_refused_and_not_raised(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    picture(tmp_path / "whole.png")
    picture(tmp_path / "whole.jpg")
    picture(tmp_path / "whole.gif")
    picture(tmp_path / "whole.tiff")
    for path in list(tmp_path.iterdir()):
        content = bytearray(path.read_bytes())
        for number in range(60):
            damaged = content.copy()
            for place in random.integers(0, len(content), 4):
                damaged[place] = random.integers(0, 256)
            changed = tmp_path / f"{number}{path.suffix}"
            changed.write_bytes(damaged)
            with contextlib.suppress(Refused):
                assert decode(changed, SHAPE).pixels.shape == SHAPE


def test_what_is_in_memory_does_not_wait_for_a_folder_that_is_read() -> None:
    digits = load_data("digits")
    with loading._lock:  # as while a folder is read
        assert load_data("digits", is_cancelled=lambda: True) is digits
        with pytest.raises(DataCancelled):
            load_data("digits", is_cancelled=lambda: True, again=True)


def test_what_is_not_here_gives_way_to_the_digits(tmp_path: Path) -> None:
    assert data_at_hand(f"folder:{tmp_path}") == (f"folder:{tmp_path}", None)
    assert data_at_hand("folder:/nowhere/shapes") == (
        "digits",
        "Checked on digits: shapes is not on this computer.",
    )
    assert not is_at_hand(f"folder:{tmp_path}", SHAPE)
    picture_folder(tmp_path)
    _load(tmp_path)
    assert is_at_hand(f"folder:{tmp_path}", SHAPE)
    assert not is_at_hand(f"folder:{tmp_path}", (3, 32, 32))
