"""What a thousand steps of the history keep in memory, on resnet152: edits of values, and of the structure.

The peer is the same thousand networks kept whole, which is what a history without sharing would hold:

    python -m tests.benchmarks.history
"""

import gc
import os
import tracemalloc
from collections.abc import Callable
from functools import partial

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication

from explorer import zoo
from explorer.architecture import Architecture, edits, files
from explorer.layers import ReLU
from explorer.session import Document

_NUM_STEPS = 1000
Step = Callable[[Architecture, int], Architecture]


def main() -> None:
    """Measure and print one line a kind of edits."""
    application = QCoreApplication([])
    architecture = zoo.entry("resnet152").build()
    kinds: tuple[tuple[str, Step], ...] = (("values", _set_channels), ("structure", _insert_or_remove))
    whole_bytes = _kept_bytes(lambda: [files.from_plain(files.to_plain(architecture)) for _ in range(20)]) / 20
    print(f"{'edits':12}{'steps':>8}{'kept':>12}{'whole networks':>18}{'ratio':>8}")
    for name, step in kinds:
        document = Document()
        document.open(architecture)
        kept = _kept_bytes(partial(_edit, document, step))
        whole = whole_bytes * _NUM_STEPS
        print(f"{name:12}{document.undo_stack.count():8}{kept / 1e6:9.1f} MB{whole / 1e6:15.0f} MB{whole / kept:7.0f}x")
        document.deleteLater()
    application.processEvents()


def _edit(document: Document, step: Step) -> None:
    for number in range(_NUM_STEPS):
        document.apply("edit", step(document.architecture, number))


def _set_channels(architecture: Architecture, number: int) -> Architecture:
    return edits.set_value(architecture, "conv1", "out_channels", 65 + number)


def _insert_or_remove(architecture: Architecture, number: int) -> Architecture:
    if number % 2 == 0:
        return edits.insert_after(architecture, "conv1", ReLU())
    return edits.remove(architecture, architecture.consumers("conv1")[:1])


def _kept_bytes(work: Callable[[], object]) -> int:
    """What `work` leaves behind, its result included."""
    gc.collect()
    tracemalloc.start()
    result = work()
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del result
    return size


if __name__ == "__main__":
    main()
