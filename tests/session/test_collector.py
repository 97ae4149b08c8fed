"""The collector's setting: what is there becomes permanent, and the young are collected rarely."""

import gc

from explorer.session.collector import settle

_PYTHONS_OWN = 700
"""Python's threshold as it starts; another test may have had a window, which settles."""


def test_what_start_up_made_is_not_walked_again() -> None:
    before = gc.get_threshold()
    gc.set_threshold(_PYTHONS_OWN, *before[1:])
    kept = [[number] for number in range(1000)]
    try:
        settle()
        assert gc.get_freeze_count() > len(kept)
        assert gc.get_threshold()[0] > _PYTHONS_OWN
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
