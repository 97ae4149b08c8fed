"""A list's field that has too little room: what it leaves out, and where the whole is said."""

import pytest
from pytestqt.qtbot import QtBot

from explorer.look.fields import ElidedComboBox
from tests.panels.stage import shown


@pytest.mark.parametrize("width", [90, 400])
def test_only_what_there_is_no_room_for_is_left_out_of_the_middle(width: int, qtbot: QtBot) -> None:
    field, whole = ElidedComboBox(), "layer3.2.relu (the last)"
    field.addItem(whole)
    shown(qtbot, field, width, 26)
    first, *rest = field.shown_text.split("…")
    assert whole.startswith(first)
    assert whole.endswith("".join(rest))
    assert bool(rest) == (width == 90)
    assert field.fontMetrics().horizontalAdvance(field.shown_text) < width
