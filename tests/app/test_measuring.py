"""Opaque layers measured by torch itself behind a document."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from explorer.app.measuring import make_measuring
from explorer.architecture import edits
from explorer.layers import Opaque, layer_types
from explorer.panels.values.text import _words
from explorer.session import Document
from explorer.zoo import entry

MODULE = next(parameter for parameter in Opaque.hyper_parameters if parameter.name == "module")


@pytest.fixture
def document(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Document]:
    monkeypatch.delitem(_words, MODULE, raising=False)
    owner, document = QObject(), Document()
    measuring = make_measuring(document, owner)
    measuring.enable()
    yield document
    assert measuring.close()
    _words.pop(MODULE, None)


def test_torch_measures_what_no_layer_describes_and_says_why_it_refuses(qtbot: QtBot, document: Document) -> None:
    architecture = edits.insert_after(entry("lenet5").build(), "conv1", Opaque(module="GLU", arguments="dim=1"))
    (glu,) = [node.id for node in architecture if isinstance(node.layer, Opaque)]
    document.open(architecture)
    qtbot.waitUntil(lambda: document.snapshot.inference.nodes[glu].output_shape == (3, 28, 28), timeout=60_000)
    assert not document.is_modified
    document.apply("Set", edits.set_value(document.architecture, "conv1", "out_channels", 7))

    def message() -> str:
        fault = document.snapshot.inference.nodes[glu].fault
        return "" if fault is None else fault.message

    qtbot.waitUntil(lambda: "torch refuses" in message(), timeout=60_000)


def test_the_names_on_offer_are_classes_that_no_layer_here_describes(qtbot: QtBot, document: Document) -> None:
    qtbot.waitUntil(lambda: MODULE in _words, timeout=60_000)
    names = set(_words[MODULE])
    assert {"GLU", "Softplus", "Softshrink", "Hardtanh"} <= names
    assert not names & {cls.__name__ for cls in layer_types()}
    assert not names & {"Sequential", "LSTM", "LazyLinear", "Module", "MSELoss"}
