"""How well each network of the catalogue is laid out, and how long it takes: as it opens, and with all blocks open.

What must be zero (overlaps, wires through nodes, titles and other blocks) is a test; here it stands beside what is only
better or worse. The peer of the times is the 60 Hz frame:

    python -m tests.benchmarks.layout [NAME ...]
"""

import sys
import time

from explorer import zoo
from explorer.architecture import folding
from explorer.architecture.piece import piece
from tests.architecture.layout_quality import Quality, laid_out, measured

_FRAME_MS = 1000 / 60


def main() -> None:
    """Report on all networks, or on those named."""
    names = sys.argv[1:] or [known.id for known in zoo.entries()]
    columns = ("items", "wrong", "crossings", "shared px", "bends", "wires px", "anew", "again", "of a frame")
    print(f"{'network':24}{'blocks':8}" + "".join(f"{column:>12}" for column in columns))
    for name in names:
        network = zoo.entry(name).build()
        for title, folded in (("folded", folding.folded_by_default(network)), ("open", frozenset[str]())):
            piece.cache_clear()
            start = time.perf_counter()
            laid_out(network, folded)
            anew = time.perf_counter() - start
            shown, placement = laid_out(network, folded)
            again = time.perf_counter() - start - anew
            found = measured(placement, shown.inside)
            numbers = (found.num_items, _wrong(found), found.crossings, found.shared, found.bends, found.length)
            row = "".join(f"{number:12.0f}" for number in numbers)
            print(f"{name:24}{title:8}{row}{anew * 1e3:9.1f} ms{again * 1e3:9.1f} ms{anew * 1e3 / _FRAME_MS:12.0%}")


def _wrong(found: Quality) -> int:
    """All that must not be."""
    hard = (found.overlaps, found.spills, found.through, found.through_titles, found.through_blocks, found.slanted)
    return sum(map(len, hard)) + found.upward + found.jogs


if __name__ == "__main__":
    main()
