"""The document: one way to change it, and everything that follows from that."""

import gc
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from explorer import zoo
from explorer.architecture import Edit, edits, files
from explorer.session import Document, Selection, Snapshot


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    document = Document()
    document.open(zoo.entry("lenet5").build())
    return document


def kernel(size: int) -> Edit:
    return partial(edits.set_value, node_id="conv1", name="kernel_size", value=(size, size))


def test_an_edit_is_one_named_step_that_undo_takes_back_to_the_identical_value(document: Document) -> None:
    changes: list[tuple[Snapshot | None, Snapshot]] = []
    document.changed.connect(lambda old, new: changes.append((old, new)))
    before = document.architecture
    document.edit("Set conv1 kernel_size to 7", kernel(7))
    after = document.architecture
    assert document.undo_stack.undoText() == "Set conv1 kernel_size to 7"
    document.undo_stack.undo()
    assert document.architecture is before
    document.undo_stack.redo()
    assert document.architecture is after
    assert [new.architecture for _, new in changes] == [after, before, after]
    assert changes[0][1].inference.nodes["conv1"].output_shape == (6, 26, 26)


def test_a_gesture_merges_until_it_is_finished(document: Document) -> None:
    before = document.architecture
    for size in (6, 7, 8):
        document.edit(f"Set conv1 kernel_size to {size}", kernel(size), merge="k")
    document.finish_merge()
    document.edit("Set conv1 kernel_size to 9", kernel(9), merge="k")
    assert document.undo_stack.count() == 2
    assert document.undo_stack.text(0) == "Set conv1 kernel_size to 8"
    document.undo_stack.undo()
    assert infer_kernel(document) == (8, 8)
    document.undo_stack.undo()
    assert document.architecture is before


def test_a_gesture_that_returns_leaves_no_step(document: Document) -> None:
    document.edit("up", kernel(6), merge="k")
    document.edit("down", kernel(5), merge="k")
    assert document.undo_stack.count() == 0
    assert not document.is_modified


def test_a_preview_changes_nothing(document: Document) -> None:
    seen: list[Snapshot | None] = []
    document.previewed.connect(seen.append)
    document.preview(kernel(7))
    document.preview(None)
    document.preview(None)
    assert len(seen) == 2
    assert seen[0] is not None
    assert seen[0].inference.nodes["conv1"].output_shape == (6, 26, 26)
    assert infer_kernel(document) == (5, 5)
    assert not document.is_modified


def test_saving_makes_it_clean_and_undo_makes_it_modified_again(document: Document, tmp_path: Path) -> None:
    document.edit("Set", kernel(7))
    document.set_section("training", {"epochs": 2})
    modified = [document.is_modified]
    document.save(tmp_path / "net.arch.json")
    modified.append(document.is_modified)
    assert files.load(tmp_path / "net.arch.json").architecture == document.architecture
    assert files.load(tmp_path / "net.arch.json").sections == {"training": {"epochs": 2}}
    document.undo_stack.undo()
    modified.append(document.is_modified)
    assert modified == [True, False, True]


def test_a_failed_save_stays_modified(document: Document, tmp_path: Path) -> None:
    document.edit("Set", kernel(7))
    with pytest.raises(OSError, match="No such file"):
        document.save(tmp_path / "nowhere" / "net.arch.json")
    assert document.is_modified
    assert document.path is None


def test_the_selection_forgets_what_is_gone(document: Document) -> None:
    selection = Selection(document)
    seen: list[tuple[str, ...]] = []
    selection.changed.connect(seen.append)
    selection.set(["conv1", "tanh1"])
    document.edit("Remove tanh1", partial(edits.remove, node_ids=["tanh1"]))
    assert seen[-1] == ("conv1",)
    assert selection.current == "conv1"
    document.open(zoo.entry("lenet-plain").build())
    assert seen == [("conv1", "tanh1"), ("conv1",), ()]


def infer_kernel(document: Document) -> object:
    return document.architecture["conv1"].layer.values()["kernel_size"]


def test_the_collector_finds_an_empty_history(qtbot: QtBot) -> None:
    counts = []

    class Watched(Document):
        def __del__(self) -> None:
            super().__del__()
            counts.append(self.undo_stack.count())

    document = Watched()
    document.open(zoo.entry("lenet5").build())
    document.apply("Set", edits.set_value(document.architecture, "conv1", "out_channels", 7))
    cycle: list[object] = [document]
    cycle.append(cycle)
    del document, cycle
    gc.collect()
    assert counts == [0]
