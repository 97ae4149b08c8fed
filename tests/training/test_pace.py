"""The words for a long reading, by a clock that the test moves."""

import pytest

from explorer.training.data.pace import Pace, rough


def test_it_says_where_it_is_and_after_a_while_how_long_it_takes() -> None:
    now = 100.0
    said: list[tuple[str, float]] = []
    pace = Pace(
        "Decoding {done} of {total} images", 20_000, lambda text, share: said.append((text, share)), lambda: now
    )
    pace.done(1)
    now += 0.05
    pace.done(5)  # too soon after the last to be read
    now += 0.06
    pace.done(10)
    now += 2.5
    pace.done(1_234)
    now += 40
    pace.done(20_000)
    assert said == [
        ("Decoding 1 of 20,000 images", 1 / 20_000),
        ("Decoding 10 of 20,000 images", 10 / 20_000),
        ("Decoding 1,234 of 20,000 images, about 40 s left", 1_234 / 20_000),
        ("Decoding 20,000 of 20,000 images", 1.0),
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (7.4, "7 s"), (12.6, "15 s"), (41, "40 s"), (57, "55 s"), (58, "1 min"), (7_300, "2 h")],
)
def test_times_are_rounded_as_one_says_them(seconds: float, text: str) -> None:
    assert rough(seconds) == text
