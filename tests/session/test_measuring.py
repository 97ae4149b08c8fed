"""Opaque layers are measured behind the document's back: knowledge that is no step of its history."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from pytestqt.qtbot import QtBot

from explorer.architecture import Architecture, Node, edits
from explorer.layers import Conv2d, Input, Measurement, Opaque, Shape
from explorer.session import Document
from explorer.session.measuring import Measuring, is_waiting

Made = Callable[..., Measuring]


def halves(layer: Opaque, inputs: tuple[Shape, ...]) -> Opaque:
    """As torch's GLU over the channels: half of them, where there is an even number."""
    channels, *size = inputs[0]
    if channels % 2:
        return layer.with_measurement(Measurement(inputs=inputs, reason="torch refuses: odd"))
    return layer.with_measurement(Measurement(inputs=inputs, output=(channels // 2, *size)))


def network() -> Architecture:
    """Two opaque layers, of which the second can be asked about only when the first is known."""
    nodes = (
        Node(id="input", layer=Input(channels=3, height=8, width=8), inputs=()),
        Node(id="conv", layer=Conv2d(out_channels=8, kernel_size=(3, 3)), inputs=("input",)),
        Node(id="first", layer=Opaque(module="GLU", arguments="dim=1"), inputs=("conv",)),
        Node(id="second", layer=Opaque(module="GLU", arguments="dim=1"), inputs=("first",)),
    )
    return Architecture(name="halves", nodes=nodes, outputs=("second",))


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    document = Document()
    document.open(network())
    return document


@pytest.fixture
def made() -> Iterator[Made]:
    """Makes what measures, and ends its thread."""
    all_made: list[Measuring] = []

    def make(document: Document, measure: Callable[..., Opaque] = halves) -> Measuring:
        all_made.append(Measuring(document, measure, lambda: ("GLU",)))
        return all_made[-1]

    yield make
    assert all(measuring.close() for measuring in all_made)


def output(document: Document, node_id: str = "second") -> Shape | None:
    return document.snapshot.inference.nodes[node_id].output_shape


def test_nothing_is_asked_before_torch_may_load(qtbot: QtBot, document: Document, made: Made) -> None:
    asked: list[object] = []

    def measure(layer: Opaque, inputs: tuple[Shape, ...]) -> Opaque:
        asked.append(inputs)
        return halves(layer, inputs)

    measuring = made(document, measure)
    document.edit("Set", partial(edits.set_value, node_id="conv", name="out_channels", value=16))
    report = document.snapshot.inference.nodes["first"]
    assert is_waiting(report.layer, report.input_shapes)
    assert asked == []
    names: list[object] = []
    measuring.names_known.connect(names.append)
    measuring.enable()
    qtbot.waitUntil(lambda: output(document) == (4, 6, 6))
    assert names == [("GLU",)]
    assert asked == [((16, 6, 6),), ((8, 6, 6),)]


def test_a_measurement_is_no_step_and_nothing_to_save(qtbot: QtBot, document: Document, made: Made) -> None:
    made(document).enable()
    qtbot.waitUntil(lambda: output(document) == (2, 6, 6))
    assert document.undo_stack.count() == 0
    assert not document.is_modified


def test_undo_and_redo_show_what_is_known_at_once(qtbot: QtBot, document: Document, made: Made) -> None:
    made(document).enable()
    qtbot.waitUntil(lambda: output(document) == (2, 6, 6))
    document.edit("Set conv", partial(edits.set_value, node_id="conv", name="out_channels", value=16))
    qtbot.waitUntil(lambda: output(document) == (4, 6, 6))
    shown: list[Shape | None] = []
    document.changed.connect(lambda _old, new: shown.append(new.inference.nodes["second"].output_shape))
    document.undo_stack.undo()
    document.undo_stack.redo()
    assert shown == [(2, 6, 6), (4, 6, 6)]
    assert document.undo_stack.count() == 1


def test_a_step_made_while_torch_was_asked_keeps_its_place_and_can_be_redone(
    qtbot: QtBot, document: Document, made: Made
) -> None:
    document.edit("Set conv", partial(edits.set_value, node_id="conv", name="out_channels", value=16))
    document.undo_stack.undo()
    made(document).enable()
    qtbot.waitUntil(lambda: output(document) == (2, 6, 6))
    assert document.undo_stack.canRedo()
    document.undo_stack.redo()
    qtbot.waitUntil(lambda: output(document) == (4, 6, 6))


def test_a_preview_shows_what_is_known(qtbot: QtBot, document: Document, made: Made) -> None:
    made(document).enable()
    qtbot.waitUntil(lambda: output(document) == (2, 6, 6))
    previews: list[object] = []
    document.previewed.connect(previews.append)
    document.preview(partial(edits.set_value, node_id="conv", name="stride", value=(1, 1)))
    assert previews[-1].inference.nodes["second"].output_shape == (2, 6, 6)  # type: ignore[attr-defined]


def test_what_torch_refuses_is_said(qtbot: QtBot, document: Document, made: Made) -> None:
    made(document).enable()
    document.edit("Set conv", partial(edits.set_value, node_id="conv", name="out_channels", value=7))

    def fault() -> str:
        found = document.snapshot.inference.nodes["first"].fault
        return "" if found is None else found.message

    qtbot.waitUntil(lambda: "torch refuses: odd" in fault())
    report = document.snapshot.inference.nodes["first"]
    assert not is_waiting(report.layer, report.input_shapes)


def test_where_torch_cannot_be_asked_it_is_said_once(qtbot: QtBot, document: Document, made: Made) -> None:
    def broken(layer: Opaque, inputs: tuple[Shape, ...]) -> Opaque:
        raise ImportError("torch is broken")

    measuring = made(document, broken)
    said: list[str] = []
    measuring.failed.connect(said.append)
    measuring.enable()
    qtbot.waitUntil(lambda: said == ["torch is broken"])
    document.edit("Rename", partial(edits.set_name, name="other"))
    assert measuring._job is None, "the same question is not asked again"
