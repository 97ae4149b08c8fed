"""Odd files in a folder of images: what becomes of each, looked at and not only counted; PIL is the oracle."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from explorer.runs.data_facts import Problem
from explorer.training.data import DataSet, load_data
from explorer.training.data.decoding import Refused, decode
from explorer.training.data.folders import list_folder
from tests.training.data_files import picture, picture_folder

SHAPE = (3, 16, 16)


def _load(root: Path) -> DataSet:
    return load_data(f"folder:{root}", SHAPE, again=True)


def _noise(height: int, width: int, channels: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_turn_of_a_camera_is_undone(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    Image.fromarray(_noise(20, 40)).save(path, exif=exif, quality=100)
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    found = decode(path, (3, upright.height, upright.width))
    assert (found.height, found.width) == (upright.height, upright.width)
    assert np.array_equal(found.pixels, np.asarray(upright).transpose(2, 0, 1))


def test_16_bits_of_grey_are_refused_and_of_colour_are_taken(tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 20), 300, np.uint16)).save(tmp_path / "grey.png")
    with pytest.raises(Refused, match="has 16 bits a pixel; save it with 8 bits a channel"):
        decode(tmp_path / "grey.png", SHAPE)
    # PIL writes no such file: two bytes a channel, the high one first.
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    row = b"\0" + bytes([200, 1, 100, 2, 50, 3]) * 16
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 16, 2, 0, 0, 0))
    content += chunk(b"IDAT", zlib.compress(row * 16)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(content)
    assert decode(tmp_path / "deep.png", SHAPE).pixels[:, 3, 3].tolist() == [200, 100, 50]


def test_palettes_and_transparency_become_what_one_sees(tmp_path: Path) -> None:
    colours = Image.fromarray(_noise(16, 16)).quantize(16)
    colours.save(tmp_path / "palette.png")
    found = decode(tmp_path / "palette.png", SHAPE)
    assert found.remark == "palette turned to colour"
    assert np.array_equal(found.pixels, np.asarray(colours.convert("RGB")).transpose(2, 0, 1))
    half = np.concatenate([_noise(16, 16), np.full((16, 16, 1), 255, np.uint8)], 2)
    half[:8, :, 3] = 0
    Image.fromarray(half).save(tmp_path / "half.png")
    found = decode(tmp_path / "half.png", SHAPE)
    assert found.remark == "transparent parts became white"
    assert (found.pixels[:, :8] == 255).all()
    assert np.array_equal(found.pixels[:, 8:], half[8:, :, :3].transpose(2, 0, 1))


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tiff"])
def test_what_has_several_pictures_is_refused_in_every_form(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (10, 120, 200)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(Refused, match="is animated, with 3 frames; save the one that is meant"):
        decode(tmp_path / f"a{suffix}", SHAPE)


def test_names_of_any_script_and_case_and_however_deep_are_read(tmp_path: Path) -> None:
    root = tmp_path / "Früchte 水果"
    for name in ("Äpfel", "桃 🍑", "σύκα"):
        for number, suffix in enumerate((".JPG", ".Jpeg", ".pNg", ".BMP", ".gif", ".webp")):
            picture(root / name / "tief" / "noch tiefer" / f"bild {number} é{suffix}")
    data = _load(root)
    assert data.class_names == tuple(sorted(("Äpfel", "桃 🍑", "σύκα")))
    assert len(data.train_images) + len(data.test_images) == 18
    assert {problem.reason for problem in data.problems} == {"palette turned to colour"}
    assert {problem.path for problem in data.problems} == {
        f"{name}/tief/noch tiefer/bild 4 é.gif" for name in data.class_names
    }


def test_names_that_are_no_text_are_read_and_can_be_said(tmp_path: Path) -> None:
    picture_folder(tmp_path / "a", per_class=3)
    red = tmp_path / "a" / "red"
    try:
        (red / "0.png").rename(os.fsdecode(os.fsencode(red) + b"/\xff0.png"))
        (Path(os.fsdecode(os.fsencode(red) + b"/\xfe.jpg"))).touch()
        red.rename(os.fsdecode(os.fsencode(tmp_path / "a") + b"/r\xe9d"))
    except OSError:
        pytest.skip("this file system has only names that are text")
    for _ in range(2):  # decoded, and as it was kept
        data = _load(tmp_path / "a")
        assert data.class_names == ("blue", "r\ufffdd")
        assert data.problems == (Problem("r\ufffdd/\ufffd.jpg", "is empty"),)
        assert len(data.train_images) + len(data.test_images) == 6
        "".join((*data.class_names, *data.notes)).encode()
        assert all(Path(path).exists() for path in data.train_files)


def test_what_lies_beside_the_classes_is_listed(tmp_path: Path) -> None:
    picture_folder(tmp_path / "a", per_class=5)
    picture(tmp_path / "a" / "lost.jpg")
    (tmp_path / "a" / "LICENSE").write_text("?")
    (tmp_path / "a" / "Thumbs.db").touch()
    data = _load(tmp_path / "a")
    assert data.problems == (
        Problem("LICENSE", "lies in no class' folder"),
        Problem("lost.jpg", "lies in no class' folder"),
    )


def test_a_class_without_one_readable_image_is_said_and_the_rest_trains(tmp_path: Path) -> None:
    picture_folder(tmp_path / "a", per_class=5)
    (tmp_path / "a" / "void").mkdir()
    for number in range(4):
        (tmp_path / "a" / "void" / f"{number}.jpg").write_bytes(b"")
    (tmp_path / "a" / "nothing").mkdir()
    data = _load(tmp_path / "a")
    assert data.class_names == ("blue", "red", "void")
    assert Problem("nothing", "holds no files; its class is left out") in data.problems
    assert Problem("void", "has no image to train on") in data.problems
    assert torch.bincount(data.train_labels, minlength=3).tolist() == [4, 4, 0]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((), "holds no folders of images; use one folder a class, at least two: a/cats, a/dogs"),
        (("1.jpg", "2.jpg"), "holds no folders of images; use one folder a class"),
        (("cats/1.jpg",), "holds one class, cats; use one folder a class, at least two"),
        (("train/cats/1.jpg", "val/cats/2.jpg"), "holds one class, cats; use one folder a class, at least two"),
        (("cats/1.txt", "dogs/1.txt"), "none of its 2 files is a readable training image; the first fault: cats/1.txt"),
        (("train/cats/1.jpg", "train/dogs/1.jpg"), "none of its 2 files is a readable test image; use at least two"),
    ],
    ids=["empty", "flat", "one class", "one class, split", "no images", "no tests"],
)
def test_what_cannot_be_trained_on_says_what_would_fit(tmp_path: Path, files: tuple[str, ...], message: str) -> None:
    root = tmp_path / "a"
    root.mkdir()
    for name in files:
        if name.endswith(".jpg"):
            picture(root / name)
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("?")
    with pytest.raises(ValueError, match=message):
        _load(root)


def test_a_long_look_through_a_folder_can_be_ended(tmp_path: Path) -> None:
    picture_folder(tmp_path / "a", per_class=3)
    seen: list[int] = []

    class Enough(Exception):  # noqa: N818
        pass

    def look_out(num_files: int) -> None:
        seen.append(num_files)
        if num_files:
            raise Enough

    with pytest.raises(Enough):
        list_folder(tmp_path / "a", None, look_out)
    assert seen == [0, 3]
