"""The editors, one for each kind of hyper-parameter: numbers, pairs, what follows the input, and flags are here.

All have the same face (`base`). What an edit does is the inspector's.
"""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from explorer.layers import HyperParameter, Kind
from explorer.look.check_box import CheckBox
from explorer.look.labels import ElidedLabel
from explorer.look.numbers import exact_count
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.values.base import LinkButton, Mixed, ValueEditor
from explorer.panels.values.choice import ChoiceEditor
from explorer.panels.values.connections import ConnectionsEditor
from explorer.panels.values.padding import PaddingEditor
from explorer.panels.values.text import IntegersEditor, TextEditor

__all__ = [
    "ChoiceEditor",
    "ConnectionsEditor",
    "FlagEditor",
    "FollowsEditor",
    "IntegersEditor",
    "Mixed",
    "NumberEditor",
    "PaddingEditor",
    "PairEditor",
    "TextEditor",
    "ValueEditor",
    "value_editor",
]


class NumberEditor(ValueEditor):
    """INTEGER and REAL: one box."""

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parameter, themes, parent)
        self.box = self._add_box()
        self.box.edited.connect(self.edited)
        self._end_with_room()

    def show_value(self, value: object, arriving: object) -> None:
        if isinstance(value, (int, float)):
            self.box.show_number(value)
        elif isinstance(value, Mixed) and isinstance(value.first, (int, float)):
            self.box.show_blank(value.first)

    def restart(self) -> None:
        self.box.forget_typed()


class PairEditor(ValueEditor):
    """PAIR: height and width, held equal by a link until the user opens it."""

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parameter, themes, parent)
        self.height_box = self._add_box()
        self.width_box = self._add_box()
        self.height_box.setAccessibleName(self.tr("%s, height") % parameter.name)
        self.width_box.setAccessibleName(self.tr("%s, width") % parameter.name)
        self.link = LinkButton(themes, self)
        self._layout.addWidget(self.link)
        self._restarted = True
        self.height_box.edited.connect(lambda number: self._edit(number, None))
        self.width_box.edited.connect(lambda number: self._edit(None, number))
        self.link.clicked.connect(self._link_clicked)
        self._describe_link()

    def show_value(self, value: object, arriving: object) -> None:
        if isinstance(value, Mixed):
            assert isinstance(value.first, tuple)
            self._set_linked(True)
            self.height_box.show_blank(value.first[0])
            self.width_box.show_blank(value.first[0])
        elif isinstance(value, tuple):
            height, width = value
            if self._restarted or height != width:
                self._set_linked(height == width)
            self.height_box.show_number(height)
            self.width_box.show_number(width)
        self._restarted = False

    def restart(self) -> None:
        self._restarted = True
        self.height_box.forget_typed()
        self.width_box.forget_typed()

    def _edit(self, height: int | None, width: int | None) -> None:
        if self.link.isChecked():
            height = width = height if width is None else width
        if height is None:
            height = int(self.height_box.number)
        if width is None:
            width = int(self.width_box.number)
        self.height_box.show_number(height)
        self.width_box.show_number(width)
        self.edited.emit((height, width))

    def _link_clicked(self, linked: bool) -> None:
        self._describe_link()
        if self.height_box.is_blank:
            self._set_linked(True)
        elif linked and self.height_box.value() != self.width_box.value():
            self._edit(int(self.height_box.number), None)
            self.left.emit()

    def _set_linked(self, linked: bool) -> None:
        self.link.setChecked(linked)
        self._describe_link()

    def _describe_link(self) -> None:
        linked = self.link.isChecked()
        self.link.setToolTip(
            self.tr("Height and width are equal; click to set them apart")
            if linked
            else self.tr("Height and width differ at will; click to keep them equal")
        )


class FollowsEditor(ValueEditor):
    """FOLLOWS: the input's size while linked, a number of one's own while not."""

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parameter, themes, parent)
        self._arriving: int | None = None
        self.text = ElidedLabel(themes, role="muted", font=body_font(), parent=self)
        self.text.setFixedHeight(self.text.fontMetrics().height() + GRID)
        self._layout.addWidget(self.text, 1)
        self.box = self._add_box()
        self.box.edited.connect(self.edited)
        self.link = LinkButton(themes, self)
        self._layout.addWidget(self.link)
        self.link.clicked.connect(self._link_clicked)
        self.setFocusProxy(self.link)

    def show_value(self, value: object, arriving: object) -> None:
        arriving = self._arriving = arriving if isinstance(arriving, int) else None
        fixed = isinstance(value, int)
        if isinstance(value, int):
            self.box.show_number(value)
        elif isinstance(value, Mixed):
            self.text.show_text(self.tr("mixed"))
        elif arriving is None:
            self.text.show_text(self.tr("follows input"))
        else:
            self.text.show_text(self.tr("follows input (%s)") % exact_count(arriving))
        self.link.setChecked(value is None)
        self.text.setVisible(not fixed)
        self.box.setVisible(fixed)
        self.link.setEnabled(value is not None or arriving is not None)
        if fixed or isinstance(value, Mixed):
            self.link.setToolTip(self.tr("Fixed; click to follow the input"))
        elif arriving is None:
            self.link.setToolTip(self.tr("Follows the input; what arrives is not known, so it cannot be fixed now"))
        else:
            self.link.setToolTip(self.tr("Follows the input; click to fix it at %s") % exact_count(arriving))

    def restart(self) -> None:
        self.box.forget_typed()

    def _link_clicked(self, follow: bool) -> None:
        self.edited.emit(None if follow else self._arriving)
        self.left.emit()


class FlagEditor(ValueEditor):
    """FLAG: a box to tick, with its name."""

    is_labelled = True

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parameter, themes, parent)
        self.box = CheckBox(parameter.name, self)
        self.box.setFont(body_font())
        self._layout.addWidget(self.box)
        self._layout.addStretch(1)
        self.setFocusProxy(self.box)
        self.box.clicked.connect(self._clicked)

    def show_value(self, value: object, arriving: object) -> None:
        if isinstance(value, Mixed):
            self.box.setTristate(True)
            self.box.setCheckState(Qt.CheckState.PartiallyChecked)
        else:
            self.box.setTristate(False)
            self.box.setChecked(bool(value))

    def _clicked(self) -> None:
        self.box.setTristate(False)
        self.edited.emit(self.box.isChecked())
        self.left.emit()


_EDITORS: Final[dict[Kind, Callable[[HyperParameter, ThemeSource, QWidget | None], ValueEditor]]] = {
    Kind.INTEGER: NumberEditor,
    Kind.REAL: NumberEditor,
    Kind.PAIR: PairEditor,
    Kind.FOLLOWS: FollowsEditor,
    Kind.FLAG: FlagEditor,
    Kind.CHOICE: ChoiceEditor,
    Kind.PADDING: PaddingEditor,
    Kind.INTEGERS: IntegersEditor,
    Kind.CONNECTIONS: ConnectionsEditor,
    Kind.TEXT: TextEditor,
}


def value_editor(parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> ValueEditor:
    """The editor for a hyper-parameter, by its kind."""
    return _EDITORS[parameter.kind](parameter, themes, parent)
