"""Python's cyclic garbage collector, set for an edit loop: rare, and never over what start-up has made.

An edit makes thousands of small tuples that reference counting frees again. With Python's default, every 700 of them
start a collection, and the larger ones walk over all of Qt's and torch's wrappers in the middle of a frame.
"""

import gc

_YOUNG = 50_000
"""Container objects, net, between collections of the young; an edit of a 500-node network leaves some thousand."""


def settle() -> None:
    """Take all that is there now for permanent, and collect rarely from here on; called again after a large import."""
    gc.freeze()
    gc.set_threshold(_YOUNG, 20, 20)
