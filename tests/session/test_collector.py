"""The collector's setting: what is there becomes permanent, and the young are collected rarely."""

import gc

from explorer.session.collector import settle


def test_what_start_up_made_is_not_walked_again() -> None:
    before = gc.get_threshold()
    kept = [[number] for number in range(1000)]
    try:
        settle()
        assert gc.get_freeze_count() > len(kept)
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
