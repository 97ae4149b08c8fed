"""The picture of strokes against their geometry."""

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.session.drawing import Drawing, picture


def _line(width: float = 0.1) -> Drawing:
    """From left to right through the middle."""
    return Drawing().begun(0.2, 0.5, width).drawn_to(0.5, 0.5).drawn_to(0.8, 0.5)


def test_a_line_covers_as_much_as_its_width_says_and_is_soft_at_the_edges(qtbot: QtBot) -> None:
    made = picture(_line(), 40, 40, fits=False)
    assert made.shape == (40, 40)
    assert made.dtype == np.uint8
    assert not made.flags.writeable
    # A rectangle of 0.6 by 0.1 with half a disc at each end.
    area = (0.6 * 0.1 + np.pi * 0.05**2) * 40 * 40
    assert made.sum() / 255 == pytest.approx(area, rel=0.02)
    assert made[20, 20] == 255
    assert not made[:17].any()
    assert not made[23:].any()
    odd = picture(_line(), 27, 27, fits=False)
    assert len(np.unique(odd)) > 3


def test_the_eraser_takes_away_and_undo_brings_it_back(qtbot: QtBot) -> None:
    line = _line()
    half = line.begun(0.2, 0.5, 0.3, erases=True).drawn_to(0.5, 0.5)
    assert not half.is_empty
    assert Drawing().is_empty
    erased, whole = picture(half, 40, 40, fits=False), picture(line, 40, 40, fits=False)
    assert not erased[:, :20].any()
    assert np.array_equal(erased[:, 28:], whole[:, 28:])
    assert half.undone() == line
    assert line.undone().is_empty


@pytest.mark.parametrize("corner", [(0.05, 0.05), (0.6, 0.7)])
def test_fitting_makes_it_as_large_as_mnists_digits_and_centres_its_mass(
    qtbot: QtBot, corner: tuple[float, float]
) -> None:
    x, y = corner
    drawing = Drawing().begun(x, y, 0.04).drawn_to(x + 0.2, y).drawn_to(x + 0.05, y + 0.25)
    made = picture(drawing, 28, 28, fits=True).astype(float)
    rows, columns = np.flatnonzero(made.sum(1) > 30), np.flatnonzero(made.sum(0) > 30)
    assert max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 == pytest.approx(20, abs=1.5)
    places = np.arange(28) + 0.5
    assert (made.sum(0) * places).sum() / made.sum() == pytest.approx(14, abs=0.7)
    assert (made.sum(1) * places).sum() / made.sum() == pytest.approx(14, abs=0.7)


def test_nothing_is_cut_off_by_fitting(qtbot: QtBot) -> None:
    # Almost all of its mass is in one corner.
    drawing = Drawing().begun(0.1, 0.1, 0.1)
    for _ in range(2):
        drawing = drawing.drawn_to(0.3, 0.1).drawn_to(0.3, 0.3).drawn_to(0.1, 0.1)
    drawing = drawing.begun(0.1, 0.1, 0.02).drawn_to(0.9, 0.9)
    made = picture(drawing, 28, 28, fits=True)
    rows = np.flatnonzero(made.any(1))
    assert rows[-1] - rows[0] + 1 >= 19


def test_a_picture_that_is_no_square_has_the_sheet_in_its_middle(qtbot: QtBot) -> None:
    made = picture(Drawing().begun(0.5, 0.5, 2.0), 20, 30, fits=False)
    assert made[:, 5:25].all()
    assert not made[:, :5].any()
    assert not made[:, 25:].any()
    assert not picture(Drawing(), 28, 28, fits=True).any()
    assert picture(_line(), 224, 224, fits=False).shape == (224, 224)
