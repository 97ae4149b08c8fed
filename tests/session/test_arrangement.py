"""Positions by hand: steps of the history, part of the project's file."""

from pathlib import Path

import pytest

from explorer.architecture import edits, files, grouping
from explorer.architecture.placement import Point
from explorer.layers import ReLU
from explorer.session import Document
from explorer.session.arrangement import SECTION, Arrangement, positions_in
from explorer.zoo import entry


def test_a_move_is_one_step_that_undo_takes_back_and_redo_repeats() -> None:
    document = Document()
    document.open(entry("lenet5").build())
    arrangement = Arrangement(document)
    told: list[bool] = []
    arrangement.changed.connect(told.append)
    arrangement.move("Move conv1", {"conv1": Point(10, 20)})
    assert document.undo_stack.undoText() == "Move conv1"
    assert told == [False], "the drag has put it there already"
    document.apply("Rename", edits.set_name(document.architecture, "other"))
    document.undo_stack.undo()
    assert arrangement.positions == {"conv1": Point(10, 20)}
    document.undo_stack.undo()
    assert (dict(arrangement.positions), told, document.is_modified) == ({}, [False, True], False)
    document.undo_stack.redo()
    assert arrangement.positions == {"conv1": Point(10, 20)}
    arrangement.move("Move conv1", {"conv1": Point(10, 20)})
    assert document.undo_stack.count() == 2, "nothing moved, no step"


def test_tidy_is_a_step_that_glides() -> None:
    document = Document()
    document.open(entry("lenet5").build())
    arrangement = Arrangement(document)
    arrangement.move("Move conv1", {"conv1": Point(10, 20)})
    told: list[bool] = []
    arrangement.changed.connect(told.append)
    arrangement.move("Tidy", {})
    assert (arrangement.positions, told) == ({}, [True])
    assert SECTION not in document.sections
    document.undo_stack.undo()
    assert arrangement.positions == {"conv1": Point(10, 20)}


def test_positions_are_saved_and_come_back(tmp_path: Path) -> None:
    document = Document()
    document.open(entry("lenet5").build())
    Arrangement(document).move("Move conv1", {"conv1": Point(10.5, -20)})
    path = tmp_path / f"moved{files.SUFFIX}"
    document.save(path)
    project = files.load(path)
    again = Document()
    arrangement = Arrangement(again)
    again.open(project.architecture, path=path, sections=project.sections)
    assert arrangement.positions == {"conv1": Point(10.5, -20)}
    again.open(entry("alexnet").build())
    assert arrangement.positions == {}


def test_a_broken_section_is_no_reason_not_to_open() -> None:
    document = Document()
    arrangement = Arrangement(document)
    places = {"a": [1, 2], "b": [1], "c": "x", "d": [True, 1], "e": [float("nan"), 0], "f": [1e300, 0]}
    sections: tuple[object, ...] = ({"positions": places}, {"positions": 3}, [], "x")
    for section in sections:
        document.open(entry("lenet5").build(), sections={SECTION: section})
        assert set(arrangement.positions) <= {"a"}


def test_a_renamed_node_keeps_its_place() -> None:
    document = Document()
    document.open(entry("lenet5").build())
    arrangement = Arrangement(document)
    arrangement.move("Move conv1", {"conv1": Point(10, 20)})
    document.apply("Rename", edits.rename(document.architecture, "conv1", "stem"))
    assert arrangement.positions == {"stem": Point(10, 20)}
    document.undo_stack.undo()
    assert arrangement.positions == {"conv1": Point(10, 20)}


def test_a_renamed_block_keeps_its_place_also_in_the_file() -> None:
    document = Document()
    document.open(entry("resnet18").build())
    arrangement = Arrangement(document)
    arrangement.move("Move layer1", {"layer1": Point(10, 20), "layer1.0.conv1": Point(30, 40)})
    document.apply("Rename", grouping.rename_block(document.architecture, "layer1", "stage"))
    assert arrangement.positions == {"stage": Point(10, 20), "stage.0.conv1": Point(30, 40)}
    assert positions_in(document.sections[SECTION]) == arrangement.positions
    document.undo_stack.undo()
    assert arrangement.positions == {"layer1": Point(10, 20), "layer1.0.conv1": Point(30, 40)}


@pytest.mark.parametrize("is_moved", [True, False])
def test_the_name_of_a_removed_node_gives_its_place_to_no_other(is_moved: bool) -> None:
    document = Document()
    document.open(entry("lenet5").build())
    arrangement = Arrangement(document)
    places = {"conv1": Point(10, 20), **({"conv2": Point(30, 40)} if is_moved else {})}
    arrangement.move("Move", places)
    document.apply("Remove", edits.remove(document.architecture, ("conv1",)))
    document.apply("Rename", edits.rename(document.architecture, "conv2", "conv1"))
    assert arrangement.positions.get("conv1") == (Point(30, 40) if is_moved else None)
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert arrangement.positions == places, "undo gives both places back"


def test_a_place_goes_with_the_edit_that_was_just_made() -> None:
    document = Document()
    document.open(entry("lenet5").build())
    arrangement = Arrangement(document)
    before = document.architecture
    document.apply("Insert", edits.insert_after(before, "conv1", ReLU()))
    arrangement.move_along({"relu1": Point(5, 6)})
    assert document.undo_stack.count() == 1
    assert len(document.earlier()) == 1
    after = document.architecture
    document.undo_stack.undo()
    assert (document.architecture, dict(arrangement.positions)) == (before, {})
    with pytest.raises(RuntimeError, match="no edit has just been made"):
        arrangement.move_along({"conv1": Point(1, 2)})
    document.undo_stack.redo()
    assert (document.architecture, dict(arrangement.positions)) == (after, {"relu1": Point(5, 6)})
