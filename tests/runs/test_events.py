"""The geometry of an atlas, asked of the picture itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.runs import Atlas, StepsRecorded


@st.composite
def atlases(draw: st.DrawFn) -> Atlas:
    """An atlas whose channel `i` is grey level `i + 1`, built by placing whole tiles side by side."""
    channels, columns = draw(st.integers(1, 40)), draw(st.integers(1, 12))
    height, width, gap = draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(0, 2))
    rows = -(-channels // columns)
    cells = np.zeros((rows * columns, height + gap, width + gap), np.uint8)
    cells[:channels, :height, :width] = np.arange(1, channels + 1)[:, None, None]
    grid = cells.reshape(rows, columns, height + gap, width + gap).transpose(0, 2, 1, 3)
    image = grid.reshape(rows * (height + gap), columns * (width + gap))
    return Atlas(
        image=image[: image.shape[0] - gap, : image.shape[1] - gap],
        num_channels=channels,
        columns=columns,
        tile_height=height,
        tile_width=width,
        gap=gap,
        minimum=0.0,
        maximum=1.0,
    )


@given(atlases())
def test_each_channel_is_where_it_says(atlas: Atlas) -> None:
    for channel in range(atlas.num_channels):
        y, x = atlas.tile_origin(channel)
        assert atlas.image[y, x] == channel + 1
        assert atlas.tile(channel).shape == (atlas.tile_height, atlas.tile_width)
        assert (atlas.tile(channel) == channel + 1).all()


@given(atlases())
def test_each_pixel_names_its_channel(atlas: Atlas) -> None:
    height, width = atlas.image.shape
    for y in range(-1, height + 3):
        for x in range(-1, width + 3):
            inside = 0 <= y < height and 0 <= x < width
            expected = int(atlas.image[y, x]) - 1 if inside and atlas.image[y, x] else None
            assert atlas.channel_at(y, x) == expected


@given(atlases())
def test_other_channels_do_not_exist(atlas: Atlas) -> None:
    for channel in (-1, atlas.num_channels):
        with pytest.raises(IndexError, match=f"channel {channel} of {atlas.num_channels}"):
            atlas.tile_origin(channel)


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(AssertionError):
        Atlas(
            image=np.zeros((4, 4), np.uint8),
            num_channels=2,
            columns=2,
            tile_height=4,
            tile_width=4,
            gap=1,
            minimum=0.0,
            maximum=1.0,
        )


def test_last_step() -> None:
    event = StepsRecorded(
        run_id="r",
        first_step=11,
        losses=np.zeros(3, np.float32),
        accuracies=np.zeros(3, np.float32),
        learning_rate=0.1,
        epoch=1,
        images_per_second=1.0,
        seconds_left=None,
        num_steps_total=20,
    )
    assert event.last_step == 13
