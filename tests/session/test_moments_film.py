"""Films as files: whole or not at all. What is in them, `tests.app.test_moments_export` looks at."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.session.moments_film import Frame, write_gif, write_pngs
from tests.small_disk import small_disk


def noise(count: int) -> list[Frame]:
    """Frames of 300 kB, which no compression makes smaller."""
    random = np.random.default_rng(2)
    return [random.integers(0, 256, (250, 400, 3), dtype=np.uint8) for _ in range(count)]


def test_a_full_disk_keeps_whole_pictures_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        with pytest.raises(OSError, match="No space left"):
            write_pngs(disk, noise(5), range(5), None, lambda _text, _share: None, lambda: False)
        written = sorted(path.name for path in disk.iterdir())
        assert written == [f"frame-000{step + 1}-step-00000000{step}.png" for step in range(3)]
        for name in written:
            with Image.open(disk / name) as picture:
                picture.load()


def test_a_full_disk_keeps_no_part_of_a_film(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        with pytest.raises(OSError, match="No space left"):
            write_gif(disk / "film.gif", noise(12), 8, None, lambda _text, _share: None, lambda: False)
        assert list(disk.iterdir()) == []
