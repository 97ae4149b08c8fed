"""Editors on their own, as their tests start: shown, with a value, and what they say recorded."""

from pytestqt.qtbot import QtBot

from explorer.layers import HyperParameter, Layer
from explorer.look.theme import ThemeSource
from explorer.panels.values.editors import ValueEditor, value_editor
from tests.panels.stage import shown


def parameter(layer: type[Layer], name: str) -> HyperParameter:
    """A layer type's hyper-parameter."""
    return next(p for p in layer.hyper_parameters if p.name == name)


def made(
    qtbot: QtBot, layer: type[Layer], name: str, value: object, arriving: object = None, height: int = 40
) -> ValueEditor:
    """An editor that shows a value."""
    editor = value_editor(parameter(layer, name), ThemeSource())
    editor.show_value(value, arriving)
    shown(qtbot, editor, 240, height)
    return editor


def recorded(editor: ValueEditor) -> list[object]:
    """What it edits from now on."""
    received: list[object] = []
    editor.edited.connect(received.append)
    return received


def gestures(editor: ValueEditor) -> list[object]:
    """All that it says from now on, in order: a value, "left", ("preview", value) or "preview ended"."""
    said: list[object] = []
    editor.edited.connect(said.append)
    editor.left.connect(lambda: said.append("left"))
    editor.previewed.connect(lambda value: said.append(("preview", value)))
    editor.preview_ended.connect(lambda: said.append("preview ended"))
    return said
