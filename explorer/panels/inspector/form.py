"""The form of a layer type, generated from the layer's own description: a row for each hyper-parameter.

A long form keeps the rows that are rarely set behind a line that names them; one whose value is not the default is
never hidden.
"""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QSizePolicy, QWidget

from explorer.inference import NodeReport
from explorer.layers import HyperParameter, Kind, Layer, Shape
from explorer.look.icons import icon
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.look.values import same_sides
from explorer.panels.values.base import ROW_HEIGHT
from explorer.panels.values.editors import Mixed, ValueEditor, value_editor

_LONG = 6
"""Forms of more rows than this keep the rarely set ones behind a line."""
_RARE = frozenset(
    {
        "affine",
        "after",
        "before",
        "bias",
        "count_include_pad",
        "dilation",
        "divisor_override",
        "eps",
        "groups",
        "output_padding",
        "padding_mode",
        "track_running_stats",
    }
)


class _Row(NamedTuple):
    """What stands on one line."""

    label: RoleLabel | None
    editor: ValueEditor

    def set_shown(self, shown: bool) -> None:
        """Show or hide the line."""
        for widget in (self.label, self.editor):
            if widget is not None and widget.isHidden() == shown:
                widget.setVisible(shown)


class Form(QWidget):
    """Edits the hyper-parameters of one layer, or of several layers of one type together.

    Signals:
        edited(str, object): the user chose this value for the hyper-parameter of that name.
        left(): the focus left an editor: the gesture is over.
        previewed(str, object): the user points at this value, or drags to it.
        preview_ended(): and no longer.
    """

    edited = Signal(str, object)
    left = Signal()
    previewed = Signal(str, object)
    preview_ended = Signal()

    def __init__(
        self,
        layer_type: type[Layer],
        themes: ThemeSource,
        parent: QWidget | None = None,
        *,
        names: Sequence[str] | None = None,
    ) -> None:
        """
        Args:
            names: the hyper-parameters to edit, in this order, none of them hidden; all if None.
        """
        super().__init__(parent)
        self.editors: dict[str, ValueEditor] = {}
        self._rows: dict[str, _Row] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(1, 1)
        parameters = layer_type.hyper_parameters
        if names is not None:
            parameters = tuple(p for name in names for p in parameters if p.name == name)
        rare = [p for p in parameters if names is None and len(parameters) > _LONG and p.name in _RARE]
        self._rare = tuple(p.name for p in rare)
        # Those that are set hold to their node: a row does not vanish under the pointer that set it to the default.
        self._kept: set[str] = set()
        self.more = _More(themes, self)
        self.more.toggled.connect(lambda _open: self._show_rows())
        self.more.setVisible(bool(rare))
        line = 0
        for parameter in [p for p in parameters if p not in rare]:
            self._add_row(grid, line, parameter, themes)
            line += 1
        grid.addWidget(self.more, line, 0, 1, 2)
        for parameter in rare:
            line += 1
            self._add_row(grid, line, parameter, themes)
        # In declaration order, whatever the order on screen.
        self.editors = {parameter.name: self._rows[parameter.name].editor for parameter in parameters}
        self._show_rows()

    def show_reports(self, reports: Sequence[NodeReport], *, restart: bool) -> None:
        """Show the values of these nodes' layers, all of the form's type.

        Args:
            restart: they are other nodes than before.
        """
        if restart:
            self._kept.clear()
        for name, editor in self.editors.items():
            if restart:
                editor.restart()
            values = [getattr(report.layer, name) for report in reports]
            arriving = {_arriving(report, editor.parameter) for report in reports}
            if any(value != editor.parameter.default for value in values):
                self._kept.add(name)
            editor.show_value(
                values[0] if all(value == values[0] for value in values) else Mixed(values[0]),
                arriving.pop() if len(arriving) == 1 else None,
            )
        self._show_rows()

    def _add_row(self, grid: QGridLayout, line: int, parameter: HyperParameter, themes: ThemeSource) -> None:
        editor = value_editor(parameter, themes, self)
        tip = f"{parameter.help}\n{self._range(parameter)}"
        editor.setToolTip(tip)
        name = parameter.name
        editor.edited.connect(lambda value: self.edited.emit(name, value))
        editor.previewed.connect(lambda value: self.previewed.emit(name, value))
        editor.preview_ended.connect(self.preview_ended)
        editor.left.connect(self.left)
        label = None
        if editor.is_labelled:
            grid.addWidget(editor, line, 0, 1, 2)
        else:
            label = RoleLabel(themes, font=body_font(), parent=self)
            label.setText(name)
            label.setToolTip(tip)
            label.setBuddy(editor)
            label.setFixedHeight(ROW_HEIGHT)
            grid.addWidget(label, line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(editor, line, 1, Qt.AlignmentFlag.AlignRight)
        editor.setMinimumHeight(ROW_HEIGHT)
        self._rows[name] = _Row(label, editor)

    def _show_rows(self) -> None:
        is_open = self.more.isChecked()
        for name in self._rare:
            self._rows[name].set_shown(is_open or name in self._kept)
        self.more.show_names([name for name in self._rare if name not in self._kept])

    def _range(self, parameter: HyperParameter) -> str:
        fits = parameter.range_text()
        return self.tr("Takes %s.") % fits


class _More(QAbstractButton):
    """A line that opens and closes the rarely set rows, and names those that it hides."""

    def __init__(self, themes: ThemeSource, parent: QWidget) -> None:
        super().__init__(parent)
        self._themes = themes
        self._names: list[str] = []
        self.setCheckable(True)
        self.setFont(small_font())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setText(self.tr("More"))
        self.toggled.connect(self._describe)
        themes.changed.connect(self.update)
        self._describe()

    def show_names(self, names: list[str]) -> None:
        """Name what is hidden while it is closed."""
        if names != self._names:
            self._names = names
            self._describe()

    def _describe(self) -> None:
        names = ", ".join(self._names)
        self.setToolTip(
            self.tr("Hide what is at its default and rarely set") if self.isChecked() else self.tr("Show %s") % names
        )
        self.setAccessibleName(f"{self.text()}: {names}" if names else self.text())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, side = self._themes.theme, 2 * GRID
        painter = QPainter(self)
        middle = self.rect().center().y()
        colour = theme.text if self.underMouse() or self.hasFocus() else theme.muted
        picture = icon("choose" if self.isChecked() else "closed", theme, colour)
        picture.paint(painter, 0, middle - side // 2, side, side)
        painter.setPen(theme.accent if self.hasFocus() else colour)
        left = side + GRID // 2
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())
        left += self.fontMetrics().horizontalAdvance(self.text()) + GRID
        names = "" if self.isChecked() else ", ".join(self._names)
        shown = self.fontMetrics().elidedText(names, Qt.TextElideMode.ElideRight, self.width() - left)
        painter.setPen(theme.muted)
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown)
        left += self.fontMetrics().horizontalAdvance(shown) + (GRID if shown else 0)
        painter.setPen(theme.border)
        painter.drawLine(left, middle, self.width(), middle)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.toggle()
        elif event.key() in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            self.setChecked(event.key() == Qt.Key.Key_Right)
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(12 * GRID, 3 * GRID)


def _arriving(report: NodeReport, parameter: HyperParameter) -> object:
    """What the input says to a hyper-parameter (`ValueEditor.show_value`); None where it is unknown."""
    if parameter.kind is Kind.PADDING:
        return _same_padding(report, parameter)
    if parameter.kind not in {Kind.FOLLOWS, Kind.CONNECTIONS} or None in report.input_shapes:
        return None
    inputs: tuple[Shape, ...] = report.input_shapes  # type: ignore[assignment]  # None was just excluded
    if parameter.kind is Kind.CONNECTIONS:
        return inputs[0][0] if inputs else None
    following = report.layer.with_value(parameter.name, None)
    try:
        value = following.call(inputs).arguments.get(parameter.name)
    except (IndexError, ValueError):
        # `call` may assume that the inputs fit; here they may not, and then nothing is known.
        return None
    return value if isinstance(value, int) else None


def _same_padding(report: NodeReport, parameter: HyperParameter) -> object:
    """What "same" comes to on each side where these maps arrive; at stride 1 where they are not known."""
    shape = report.input_shapes[0] if report.input_shapes else None
    sides = getattr(report.layer, "sides", None)
    if shape is None or len(shape) != 3 or not callable(sides):
        return same_sides(report.layer)
    return report.layer.with_value(parameter.name, "same").sides(shape)  # type: ignore[attr-defined]  # looked up above
