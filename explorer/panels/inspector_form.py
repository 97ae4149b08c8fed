"""The form of a layer type, generated from the layer's own description: a row for each hyper-parameter."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from explorer.inference import NodeReport
from explorer.layers import HyperParameter, Kind, Layer, Shape
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, body_font
from explorer.panels.values import Mixed, ValueEditor, value_editor


class Form(QWidget):
    """Edits the hyper-parameters of one layer, or of several layers of one type together.

    Signals:
        edited(str, object): the user chose this value for the hyper-parameter of that name.
        left(): the focus left an editor: the gesture is over.
    """

    edited = Signal(str, object)
    left = Signal()

    def __init__(self, layer_type: type[Layer], themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.editors: dict[str, ValueEditor] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID // 2)
        grid.setColumnStretch(1, 1)
        for row, parameter in enumerate(layer_type.hyper_parameters):
            editor = value_editor(parameter, themes, self)
            tip = f"{parameter.help}\n{self._range(parameter)}"
            editor.setToolTip(tip)
            editor.edited.connect(lambda value, name=parameter.name: self.edited.emit(name, value))
            editor.left.connect(self.left)
            if editor.is_labelled:
                grid.addWidget(editor, row, 0, 1, 2)
            else:
                label = RoleLabel(themes, font=body_font(), parent=self)
                label.setText(parameter.name)
                label.setToolTip(tip)
                label.setBuddy(editor)
                grid.addWidget(label, row, 0)
                grid.addWidget(editor, row, 1, Qt.AlignmentFlag.AlignRight)
            grid.setRowMinimumHeight(row, 3 * GRID + 2)
            self.editors[parameter.name] = editor

    def show_reports(self, reports: Sequence[NodeReport], *, restart: bool) -> None:
        """Show the values of these nodes' layers, all of the form's type.

        Args:
            restart: they are other nodes than before.
        """
        for name, editor in self.editors.items():
            if restart:
                editor.restart()
            values = [getattr(report.layer, name) for report in reports]
            arriving = {_arriving(report, editor.parameter) for report in reports}
            editor.show_value(
                values[0] if all(value == values[0] for value in values) else Mixed(values[0]),
                arriving.pop() if len(arriving) == 1 else None,
            )

    def _range(self, parameter: HyperParameter) -> str:
        fits = parameter.range_text()
        return self.tr("Takes %s.") % fits


def _arriving(report: NodeReport, parameter: HyperParameter) -> int | None:
    """What a hyper-parameter that follows the input follows; None where it is unknown."""
    if parameter.kind is not Kind.FOLLOWS or None in report.input_shapes:
        return None
    inputs: tuple[Shape, ...] = report.input_shapes  # type: ignore[assignment]  # None was just excluded
    following = report.layer.with_value(parameter.name, None)
    try:
        value = following.call(inputs).arguments.get(parameter.name)
    except (IndexError, ValueError):
        # `call` may assume that the inputs fit; here they may not, and then nothing is known.
        return None
    return value if isinstance(value, int) else None
