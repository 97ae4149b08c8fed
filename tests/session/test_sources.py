"""Where what is on screen comes from, where a moment holds less than is shown."""

from explorer.session.sources import Source, looked_back


def test_what_an_earlier_moment_held_has_its_own_step() -> None:
    moment = looked_back(1398, "r")
    assert moment == Source("step 1,398 (looking back)", 1398, "r", is_past=True)
    assert moment.of_its_step(1398) is moment
    assert moment.of_its_step(64) == Source("step 64 (looking back)", 64, "r", is_past=True)


def test_the_present_is_what_it_says() -> None:
    source = Source("step 1,398", 1398, "r")
    assert source.of_its_step(1390) is source
