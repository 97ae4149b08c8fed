"""Numbers as text, and colours that can be read."""

import math
from fractions import Fraction

import pytest

from explorer.layers import Category
from explorer.look import numbers, theme


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (9_999, "9,999"),
        (10_000, "10.0\u2009k"),
        (61_706, "61.7\u2009k"),
        (999_960, "1.00\u2009M"),
        (62_378_344, "62.4\u2009M"),
        (1_135_256_096, "1.14\u2009G"),
        (-62_378_344, "−62.4\u2009M"),
    ],
)
def test_short_counts(value: float | None, text: str) -> None:
    assert numbers.short_count(value) == text


def test_bytes_durations_and_shares() -> None:
    assert numbers.short_bytes(64_104) == "62.6\u2009kB"
    assert numbers.short_bytes(12) == "12\u2009B"
    assert numbers.short_bytes(999) == "999\u2009B"
    assert numbers.short_bytes(999.4 * 1024**2) == "999\u2009MB"
    assert numbers.short_bytes(999.5 * 1024**2) == "0.98\u2009GB"
    assert numbers.duration(41) == "00:41"
    assert numbers.duration(3_723) == "1:02:03"
    assert numbers.percent(0.9561) == "95.6\u2009%"
    assert numbers.exact_count(-1_234) == "−1,234"
    assert numbers.shape((6, 28, 28)) == "6×28×28"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (3.0, "3"), (Fraction(-1, 2), "−0.5"), (Fraction(5, 4), "1.25"), (Fraction(1, 3), "1/3")],
)
def test_numbers_that_need_not_be_whole(value: float | Fraction | None, text: str) -> None:
    assert numbers.exact(value) == text


def test_shares_tell_little_from_nothing() -> None:
    assert numbers.share(1, 8) == "12.5\u2009%"
    assert numbers.share(1, 100_000) == "<0.1\u2009%"
    assert numbers.share(0, 8) == numbers.share(0, 0) == "0\u2009%"


def test_sizes_and_places_on_two_axes() -> None:
    assert numbers.size((Fraction(5, 2), 3)) == "2.5×3"
    assert numbers.place((Fraction(31, 2), Fraction(31, 2))) == "15.5"
    assert numbers.place((Fraction(-1, 2), 2)) == "−0.5, 2"


@pytest.mark.parametrize("shown", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_text_has_contrast_on_every_ground(shown: theme.Theme) -> None:
    for ground in (shown.window, shown.panel, shown.canvas, shown.card):
        for text in (shown.text, shown.muted, shown.accent, shown.error, shown.warning, shown.good):
            assert theme.contrast(text, ground) >= 4.5
    assert theme.contrast(shown.accent_text, shown.accent) >= 4.5
    assert set(shown.categories) == set(Category)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.03124, "0.0312"),
        (9.99996, "10.000"),
        (99.9994, "99.999"),
        (123.456, "123.46"),
        (9999.96, "10000"),
        (41_420_137.6, "4.1e7"),
        (1e30, "1.0e30"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
    ],
)
def test_a_loss_keeps_to_its_place(value: float | None, text: str) -> None:
    assert numbers.loss(value) == text
    assert len(text) <= len("0.0000")


def test_small_and_large_numbers_come_with_a_power_of_ten() -> None:
    written = {0.24: "0.24", 12.0: "12", 0.0123: "1.2·10⁻²", 0.001: "10⁻³", 1.24e-3: "1.2·10⁻³", 1e-5: "10⁻⁵", 0: "0"}
    written |= {
        9.99e-4: "10⁻³",
        54321.0: "5.4·10⁴",
        0.1: "0.1",
        1.0: "1",
        2.0: "2.0",
        0.3: "0.30",
        1234.0: "1200",
        math.inf: "∞",
    }
    assert {value: numbers.scientific(value) for value in written} == written
    assert numbers.scientific(None) == "–"


def test_whole_percents_tell_a_little_from_nothing_and_almost_all_from_all() -> None:
    written = {0.0: "0", 0.002: "<1", 0.005: "<1", 0.006: "1", 0.384: "38", 0.994: "99", 0.999: ">99", 1.0: "100"}
    assert {value: numbers.rough_share(value) for value in written} == {v: f"{t}\u2009%" for v, t in written.items()}
    assert numbers.rough_share(None) == "–"


def test_two_digits_keep_a_zero_at_their_end() -> None:
    written = [numbers.two_digits(value) for value in (0.003, 0.0031, 1.0, 12.0, 150.0, 1e-5, 2.5e-12, -0.5)]
    assert written == ["0.0030", "0.0031", "1.0", "12", "1.5e2", "1.0e−5", "2.5e−12", "−0.50"]
