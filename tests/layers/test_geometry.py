"""What a window reads of an axis, in closed form, against the pixels counted one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.layers.geometry import Axis, same_padding

axes = st.builds(
    Axis,
    size=st.integers(1, 14),
    kernel_size=st.integers(1, 5),
    stride=st.integers(1, 6),
    before=st.integers(-4, 6),
    after=st.integers(-4, 6),
    dilation=st.integers(1, 4),
    ceil_mode=st.booleans(),
).filter(
    lambda axis: (
        axis.extent <= axis.padded and axis.size + min(axis.before, 0) + min(axis.after, 0) >= 0 and axis.outputs > 0
    )
)


def _windows(axis: Axis) -> list[range]:
    """Each window's taps, as pixels of the input."""
    starts = [window * axis.stride - axis.before for window in range(axis.outputs)]
    return [range(start, start + axis.extent, axis.dilation) for start in starts]


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(axis=axes)
def test_what_is_read_lost_and_blank_is_what_the_windows_cover(axis: Axis) -> None:
    windows = _windows(axis)
    pixels = range(axis.size)
    covered = {pixel for taps in windows for pixel in range(taps.start, taps.stop) if pixel in pixels}
    assert axis.read == len(covered)
    assert axis.blank == sum(not any(tap in pixels for tap in taps) for taps in windows)
    visible = range(max(0, -axis.before), axis.size + min(0, axis.after))
    last = max(pixel for taps in windows for pixel in range(taps.start, taps.stop))
    assert axis.visible == len(visible)
    assert axis.lost == sum(pixel > last for pixel in visible)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(axis=axes)
def test_windows_fit_and_one_more_would_not(axis: Axis) -> None:
    last = _windows(axis)[-1]
    end = axis.size + axis.after
    if not axis.ceil_mode:
        assert last.start + axis.extent <= end
        assert last.start + axis.stride + axis.extent > end
    elif 0 <= axis.before == axis.after <= axis.kernel_size // 2:  # As pooling layers have it.
        assert last.start < axis.size
        assert last.start + axis.extent >= end or last.start + axis.stride >= axis.size


@pytest.mark.parametrize(
    ("size", "kernel_size", "stride", "dilation", "expected"),
    [
        # TensorFlow's documentation of "SAME": AlexNet's first layer on 227 gives 57 windows and pads 8 in all.
        (227, 11, 4, 1, (4, 4)),
        (224, 7, 2, 1, (2, 3)),
        (224, 3, 2, 1, (0, 1)),
        (225, 3, 2, 1, (1, 1)),
        (5, 2, 1, 1, (0, 1)),
        (5, 4, 1, 1, (1, 2)),
        (13, 6, 5, 1, (1, 2)),
        (7, 3, 1, 2, (2, 2)),
        (10, 1, 3, 1, (0, 0)),
        (4, 2, 4, 1, (0, 0)),
        (1, 3, 2, 1, (1, 1)),
    ],
)
def test_same_padding_is_tensorflows(
    size: int, kernel_size: int, stride: int, dilation: int, expected: tuple[int, int]
) -> None:
    assert same_padding(size, kernel_size, stride, dilation) == expected
    axis = Axis(size, kernel_size, stride, *expected, dilation)
    assert axis.outputs == -(-size // stride)
