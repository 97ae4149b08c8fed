"""The editor for which inputs each output reads: how many outputs, a grid to paint in, and the count."""

import dataclasses

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from explorer.layers import HyperParameter
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.values.base import WIDTH, MenuButton, Mixed, ValueEditor
from explorer.panels.values.grid import ConnectionGrid, Rows
from explorer.panels.values.number import NumberBox

_MOST_OUTPUTS = 4096
"""Beyond this nobody paints connections by hand."""


class ConnectionsEditor(ValueEditor):
    """CONNECTIONS: a grid, outputs across and inputs down; what a drag paints is previewed until it ends."""

    is_labelled = True

    def __init__(self, parameter: HyperParameter, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parameter, themes, parent)
        self._rows: Rows = ((0,),)
        self._num_inputs: int | None = None
        self._is_mixed = False
        name = RoleLabel(themes, font=body_font(), parent=self)
        name.setText(parameter.name)
        self.count = RoleLabel(themes, role="muted", font=body_font(), parent=self)
        self.outputs = NumberBox(dataclasses.replace(parameter, minimum=1, maximum=_MOST_OUTPUTS), self)
        self.outputs.setAccessibleName(self.tr("output channels"))
        self.outputs.setToolTip(self.tr("Output channels; a new one reads all inputs"))
        outputs = RoleLabel(themes, font=body_font(), parent=self)
        outputs.setText(self.tr("outputs"))
        outputs.setBuddy(self.outputs)
        self.choose = MenuButton(themes, self)
        self.choose.setAccessibleName(self.tr("%s, set all") % parameter.name)
        self.choose.setToolTip(self.tr("Set all connections at once"))
        self.choose.setMenu(self._make_menu())
        self.grid = ConnectionGrid(themes, self)
        self.grid.setAccessibleName(self.tr("%s, outputs across, inputs down") % parameter.name)
        self.message = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        self.message.setText(self.tr("Each output needs at least one input."))
        self.message.hide()
        head = QHBoxLayout()
        head.setSpacing(GRID)
        head.addWidget(name)
        head.addWidget(self.count, 1, Qt.AlignmentFlag.AlignRight)
        foot = QHBoxLayout()
        foot.setSpacing(GRID // 2)
        foot.addWidget(outputs)
        foot.addStretch(1)
        foot.addWidget(self.outputs)
        foot.addWidget(self.choose)
        column = QVBoxLayout()
        column.setSpacing(GRID // 2)
        column.addLayout(head)
        column.addWidget(self.grid)
        column.addWidget(self.message)
        column.addLayout(foot)
        self._layout.addLayout(column, 1)
        self.setFocusProxy(self.grid)
        self.grid.painting.connect(self._show_painting)
        self.grid.painted.connect(self._give)
        self.grid.cancelled.connect(self._end_preview)
        self.grid.refused.connect(self.message.show)
        self.grid.left.connect(self._leave)
        self.outputs.edited.connect(self._resize)
        self.outputs.left.connect(self.left)

    def show_value(self, value: object, arriving: object) -> None:
        self._is_mixed = isinstance(value, Mixed)
        rows = value.first if isinstance(value, Mixed) else value
        assert isinstance(rows, tuple)
        self._rows = rows
        self._num_inputs = arriving if isinstance(arriving, int) else None
        self.grid.show_rows(rows, self._num_inputs)
        if not self.grid.is_painting:
            self._count(rows)
        if self._is_mixed:
            self.outputs.show_blank(len(rows))
        else:
            self.outputs.show_number(len(rows))

    def restart(self) -> None:
        self.grid.cancel()
        self.outputs.forget_typed()
        self.message.hide()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, self._layout.sizeHint().height())

    @property
    def _inputs(self) -> tuple[int, ...]:
        """All inputs that there are to read."""
        return tuple(range(self._num_inputs or 1 + max(max(row) for row in self._rows)))

    def _show_painting(self, rows: Rows) -> None:
        self.message.hide()
        self._count(rows)
        self.previewed.emit(rows)

    def _give(self, rows: Rows) -> None:
        self.message.hide()
        self._count(rows)
        self._rows = rows
        self.edited.emit(rows)

    def _end_preview(self) -> None:
        self._count(self._rows)
        self.preview_ended.emit()

    def _leave(self) -> None:
        self.message.hide()
        self.left.emit()

    def _count(self, rows: Rows) -> None:
        connected = sum(len(row) for row in rows)
        possible = len(rows) * len(self._inputs)
        text = self.tr("{0} of {1}").format(f"{connected:,}", f"{possible:,}")
        self.count.show_text(self.tr("mixed; shown: %s") % text if self._is_mixed else text)

    def _resize(self, count: int) -> None:
        added = (self._inputs,) * (count - len(self._rows))
        self._give((*self._rows[:count], *added))

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        for text, make in (
            (self.tr("Connect all"), self._all),
            (self.tr("Connect each output to one input"), self._one_each),
        ):
            action = menu.addAction(text)
            action.triggered.connect(lambda _checked=False, make=make: self._choose(make()))
            action.hovered.connect(lambda make=make: self.previewed.emit(make()))
        menu.aboutToHide.connect(self.preview_ended)
        return menu

    def _all(self) -> Rows:
        return (self._inputs,) * len(self._rows)

    def _one_each(self) -> Rows:
        inputs = self._inputs
        return tuple((inputs[output % len(inputs)],) for output in range(len(self._rows)))

    def _choose(self, rows: Rows) -> None:
        self._give(rows)
        self.left.emit()
