"""What the inspector says while a block is selected, against the architecture and the sums over it."""

from pytestqt.qtbot import QtBot

from explorer.architecture import edits
from explorer.look import numbers
from explorer.panels.inspector.panel import Inspector
from explorer.zoo import entry
from tests.panels.stage import Stage, shown, stage


def inspected(qtbot: QtBot, on: Stage, path: str) -> Inspector:
    inspector = Inspector(on.document, on.selection, on.themes)
    shown(qtbot, inspector)
    on.selection.set([node.id for node in on.document.architecture if node.id.startswith(f"{path}.")])
    return inspector


def test_a_block_is_shown_by_its_name_kind_and_what_it_holds(qtbot: QtBot) -> None:
    on = stage(entry("resnet50").build())
    inspector = inspected(qtbot, on, "layer3")
    page = inspector.node_page
    layers = sum(node.id.startswith("layer3.") for node in on.document.architecture)
    assert page._title.whole == "layer3"
    assert page._type_name.whole == f"stage of 6 × bottleneck, {layers} layers"
    reports = on.document.snapshot.inference.nodes
    ids = on.selection.ids
    told = page.facts.as_text()
    assert numbers.shape((512, 28, 28)) in told
    assert numbers.shape((1024, 14, 14)) in told
    assert numbers.short_count(sum(reports[i].num_parameters or 0 for i in ids)) in told
    assert numbers.short_count(sum(reports[i].macs or 0 for i in ids)) in told
    assert page.likeness.text() == ""
    assert page.no_form.isHidden()


def test_equals_are_named_and_the_odd_one_says_where_it_differs(qtbot: QtBot) -> None:
    on = stage(entry("resnet50").build())
    inspector = inspected(qtbot, on, "layer3.2")
    page = inspector.node_page
    assert page._type_name.whole.startswith("bottleneck, ")
    assert "one of 5 blocks made alike, with layer3.1, layer3.3, layer3.4, layer3.5." in page.likeness.text()
    on.set_value("layer3.2.conv2", "kernel_size", (5, 5))
    assert page.likeness.text() == "≠ Differs from layer3.1: conv2 kernel_size 5×5 instead of 3×3."
    on.document.edit("Remove", lambda a: edits.remove(a, ["layer3.2.relu1"]))
    assert "no relu1" in page.likeness.text()
    on.document.undo_stack.undo()
    on.document.undo_stack.undo()
    on.selection.set([node.id for node in on.document.architecture if node.id.startswith("layer3.2.")])
    assert "one of 5 blocks" in page.likeness.text()


def test_nodes_that_are_no_block_are_so_many_layers(qtbot: QtBot) -> None:
    on = stage(entry("resnet50").build())
    inspector = inspected(qtbot, on, "layer3.2")
    page = inspector.node_page
    on.selection.set(on.selection.ids[1:])
    assert page._title.whole == f"{len(on.selection.ids)} layers"
    assert page.no_form.isVisible()
    assert page.likeness.isHidden()
