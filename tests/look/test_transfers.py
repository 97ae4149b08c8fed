"""Downloads in words."""

from explorer.look.transfers import said, transfer_text

MEGABYTE = 1024**2


def test_the_time_left_waits_for_a_speed() -> None:
    assert transfer_text(3 * MEGABYTE, 12 * MEGABYTE, 0.1) == "3.00\u2009MB of 12.0\u2009MB"
    assert transfer_text(3 * MEGABYTE, 12 * MEGABYTE, 10) == "3.00\u2009MB of 12.0\u2009MB · 00:30 left"
    assert transfer_text(3 * MEGABYTE, 0, 10) == "3.00\u2009MB"


def test_what_has_no_name_is_said_in_numbers() -> None:
    now = 0.0
    heard: list[tuple[str, float]] = []
    report = said(lambda text, share: heard.append((text, share)), lambda: now)
    report("", 0, 4096)
    now = 0.05
    report("", 10, 4096)  # too soon to be worth a signal
    now = 2.0
    report("", 1024, 4096)
    report("", 4096, 4096)
    assert heard == [
        ("0\u2009B of 4.00\u2009kB", 0.0),
        ("1.00\u2009kB of 4.00\u2009kB · 00:06 left", 0.25),
        ("4.00\u2009kB of 4.00\u2009kB", 1.0),
    ]


def test_a_tenth_of_a_second_apart_and_from_where_it_began() -> None:
    now = 100.0
    heard: list[tuple[str, float]] = []
    report = said(lambda text, share: heard.append((text, share)), lambda: now)
    report("Downloading", 8 * MEGABYTE, 16 * MEGABYTE)  # 8 were there before
    report("Downloading", 9 * MEGABYTE, 16 * MEGABYTE)  # too soon
    now += 4
    report("Downloading", 12 * MEGABYTE, 16 * MEGABYTE)  # 4 in 4 s: 4 more take 4 s
    report("Unpacking", 0, 16 * MEGABYTE)
    assert [text for text, _ in heard] == [
        "Downloading: 8.00\u2009MB of 16.0\u2009MB",
        "Downloading: 12.0\u2009MB of 16.0\u2009MB · 00:04 left",
        "Unpacking: 0\u2009B of 16.0\u2009MB",
    ]
    assert [share for _, share in heard] == [0.5, 0.75, 0.0]
