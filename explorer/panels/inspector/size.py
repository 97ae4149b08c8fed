"""Makes a layer's output the size that is wanted: the solutions of `inference.solver`, each previewed and applied.

It stands under the output's row of the node page, folded until it is asked for.
"""

from functools import partial

from PySide6.QtCore import QEvent, QSignalBlocker, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSpinBox, QToolButton, QVBoxLayout, QWidget

from explorer.architecture import edits
from explorer.inference import NodeReport
from explorer.inference.solver import Goal, Solution, goals, solutions
from explorer.layers import Layer, Pair, Shape
from explorer.look import numbers
from explorer.look.labels import RoleLabel
from explorer.look.segments import Toggle
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.look.undo import leave_undo_to_window
from explorer.panels.flow import flow_widget
from explorer.panels.preview_button import PreviewButton
from explorer.session import Document

_LARGEST = 4096
"""Boxes reach this far; no image that a network here classifies is larger."""

_FIRST = 5
"""So many solutions are shown until more are asked for."""

_SHAPING = frozenset({"kernel_size", "output_size", "padding", "scale_factor", "size", "upscale_factor"})
"""A layer without any of these makes its output the size of its input, or leaves maps altogether."""


def can_solve(report: NodeReport) -> bool:
    """Whether the layer has values that decide how large its maps are, and maps arrive."""
    return _maps(report) is not None and not _SHAPING.isdisjoint(report.layer.values())


class SolutionButton(PreviewButton):
    """A line of the list of solutions; what does not fit is in its tooltip."""

    def __init__(self, document: Document, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(document, parent)
        self._themes = themes
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self.fontMetrics().horizontalAdvance(self.text()) <= self._room():
            # It would only hide the lines below.
            return True
        return super().event(event)

    def _room(self) -> int:
        return self.width() - GRID - GRID // 2

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._themes.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.accent, 1) if self.hasFocus() else Qt.PenStyle.NoPen)
        painter.setBrush(theme.border if self.isDown() else theme.grid if self.is_previewing else theme.panel)
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(theme.text)
        room = self.rect().adjusted(GRID, 0, -GRID // 2, 0)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self._room())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)


class SizeSolver(QWidget):
    """Wanted sizes as buttons and boxes, and under them the values that make the output so large."""

    def __init__(self, document: Document, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._themes = themes
        self._node_id = ""
        self._layer: Layer | None = None
        self._input: Shape = ()
        self._target: Pair = (1, 1)
        self._offered_goals: tuple[Goal, ...] = ()
        self._offered: tuple[Solution, ...] = ()
        self._goals, self._flow = flow_widget(self)
        self._goal_buttons: list[Toggle] = []
        self.height_box, self.width_box = self._box(self.tr("Wanted height")), self._box(self.tr("Wanted width"))
        title, times = (RoleLabel(themes, role="muted", font=small_font(), parent=self) for _ in range(2))
        title.setText(self.tr("Make the output"))
        times.setText("×")
        row = QHBoxLayout()
        row.setSpacing(GRID // 2)
        row.addWidget(title, 1)
        for widget in (self.height_box, times, self.width_box):
            row.addWidget(widget)
        self._list = QVBoxLayout()
        self._list.setSpacing(1)
        self._buttons: list[SolutionButton] = []
        self._shows_all = False
        self.more = QToolButton(self)
        self.more.setFont(small_font())
        self.more.setAutoRaise(True)
        self.more.clicked.connect(self._toggle_more)
        self.answer = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID, GRID // 2, 0, GRID)
        column.setSpacing(GRID // 2)
        column.addLayout(row)
        column.addWidget(self._goals)
        column.addWidget(self.answer)
        column.addLayout(self._list)
        column.addWidget(self.more)

    @property
    def target(self) -> Pair:
        """The size that is wanted, (height, width)."""
        return self._target

    @property
    def goal_buttons(self) -> list[Toggle]:
        """The wanted sizes that are offered."""
        return self._goal_buttons[: len(self._offered_goals)]

    @property
    def buttons(self) -> list[SolutionButton]:
        """The solutions that are offered, nearest first; of many, the first until more are asked for."""
        return self._buttons[: self._num_shown]

    @property
    def _num_shown(self) -> int:
        count = len(self._offered)
        return count if self._shows_all or count <= _FIRST + 1 else _FIRST

    def apply(self, node_id: str, report: NodeReport) -> None:
        """Offer solutions for this node. What was wanted of it stays wanted while its input does."""
        arriving, output = _maps(report), report.output_shape
        if arriving is None:
            return
        same = node_id == self._node_id and arriving == self._input
        if same and report.layer is self._layer:
            return
        self._node_id, self._layer, self._input = node_id, report.layer, arriving
        self._show_goals(goals(report.layer, (arriving,)))
        if not same:
            shape = output if output is not None and len(output) == 3 else arriving
            self._target = (shape[1], shape[2])
        self.want(self._target)

    def want(self, target: Pair) -> None:
        """List what makes the output this high and wide."""
        self._target = target
        for box, size in zip((self.height_box, self.width_box), target, strict=True):
            with QSignalBlocker(box):
                box.setValue(size)
        for button, goal in zip(self._goal_buttons, self._offered_goals, strict=False):
            button.setChecked(goal.target == target)
        assert self._layer is not None
        found = solutions(self._layer, (self._input,), target)
        self._offered = tuple(solution for solution in found if solution.layer != self._layer)
        reached = len(self._offered) < len(found)
        written = numbers.size(target)
        if reached:
            self.answer.show_text(self.tr("It is %s now. The same with:") % written if self._offered else "")
        else:
            self.answer.show_text("" if found else self.tr("No values of this layer make %s.") % written)
        self.answer.setVisible(bool(self.answer.text()))
        self._show_solutions()

    # What is shown

    def _show_goals(self, wanted: tuple[Goal, ...]) -> None:
        self._offered_goals = wanted
        while len(self._goal_buttons) < len(wanted):
            button = Toggle(self._themes, self._goals, is_small=True)
            position = len(self._goal_buttons)
            QWidget.setTabOrder(self._goal_buttons[-1] if position else self.width_box, button)
            button.clicked.connect(lambda _checked=False, p=position: self.want(self._offered_goals[p].target))
            self._flow.addWidget(button)
            self._goal_buttons.append(button)
        for position, button in enumerate(self._goal_buttons):
            button.setVisible(position < len(wanted))
            if position < len(wanted):
                button.setText(wanted[position].text)
                button.setToolTip(numbers.size(wanted[position].target))
        self._goals.setVisible(bool(wanted))
        self._flow.invalidate()

    def _show_solutions(self) -> None:
        shown = self._offered[: self._num_shown]
        while len(self._buttons) < len(shown):
            button = SolutionButton(self._document, self._themes, self)
            QWidget.setTabOrder(button, self.more)
            self._list.addWidget(button)
            self._buttons.append(button)
        for button, solution in zip(self._buttons, shown, strict=False):
            step = self.tr("Make %s %s: %s") % (self._node_id, numbers.size(self._target), solution.text)
            edit = partial(edits.set_layer, node_id=self._node_id, layer=solution.layer)
            button.show_edit(solution.text, step, edit)
        for position, button in enumerate(self._buttons):
            button.setVisible(position < len(shown))
        beyond = len(self._offered) - _FIRST
        self.more.setVisible(beyond > 1)
        self.more.setText(self.tr("Fewer") if self._shows_all else self.tr("%d more") % beyond)

    def _toggle_more(self) -> None:
        self._shows_all = not self._shows_all
        self._show_solutions()

    def _box(self, name: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setFont(small_font())
        box.setRange(1, _LARGEST)
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.setKeyboardTracking(False)
        box.setAccessibleName(name)
        box.setToolTip(name)
        leave_undo_to_window(box)
        box.valueChanged.connect(lambda _value: self.want((self.height_box.value(), self.width_box.value())))
        return box


def _maps(report: NodeReport) -> Shape | None:
    """The one input, if it is maps (C, H, W)."""
    shapes = report.input_shapes
    return shapes[0] if len(shapes) == 1 and shapes[0] is not None and len(shapes[0]) == 3 else None
