"""A compact form for the parameters of a family or a block: a list, a number or a tick each, with its help.

What may be chosen is `zoo.FamilyParameter`'s to say; what the choice comes to is shown by `dialog`.
"""

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QSpinBox, QWidget

from explorer.look.check_box import CheckBox
from explorer.look.labels import RoleLabel
from explorer.look.theme import GRID, ThemeSource, small_font
from explorer.zoo import FamilyParameter, Value

_LARGEST = 2**31 - 1
"""Qt's number fields hold no larger one."""
_FIELD_WIDTH = 16 * GRID


class ParameterForm(QWidget):
    """One row a parameter: its title, its field, what it does.

    Signals:
        changed(): a value is another one.
    """

    changed = Signal()

    def __init__(
        self, parameters: Iterable[FamilyParameter], themes: ThemeSource, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._parameters = tuple(parameters)
        self.fields: dict[str, QWidget] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID)
        grid.setColumnStretch(2, 1)
        for row, parameter in enumerate(self._parameters):
            field = self._field(parameter)
            field.setToolTip(parameter.help)
            field.setAccessibleName(parameter.title)
            field.setAccessibleDescription(parameter.help)
            title = RoleLabel(themes, parent=self)
            title.setText(parameter.title)
            title.setBuddy(field)
            help_text = RoleLabel(themes, role="muted", font=small_font(), wraps=True, parent=self)
            help_text.setText(parameter.help)
            grid.addWidget(title, row, 0, Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(field, row, 1, Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(help_text, row, 2)
            self.fields[parameter.name] = field

    def values(self) -> dict[str, Value]:
        """What is chosen now, by the parameters' names, ready for `Entry.build` and `BlockEntry.insert`."""
        return {parameter.name: self._value(parameter) for parameter in self._parameters}

    def _field(self, parameter: FamilyParameter) -> QWidget:
        if parameter.options:
            choice = QComboBox(self)
            for option in parameter.options:
                choice.addItem(str(option))
            choice.setCurrentIndex(parameter.options.index(parameter.default))
            choice.currentIndexChanged.connect(lambda _index: self.changed.emit())
            choice.setFixedWidth(_FIELD_WIDTH)
            return choice
        if isinstance(parameter.default, bool):
            tick = CheckBox(self)
            tick.setChecked(parameter.default)
            tick.toggled.connect(lambda _on: self.changed.emit())
            return tick
        if isinstance(parameter.default, int):
            whole = QSpinBox(self)
            low, high = parameter.minimum, parameter.maximum
            whole.setRange(-_LARGEST if low is None else int(low), _LARGEST if high is None else int(high))
            whole.setValue(parameter.default)
            whole.setGroupSeparatorShown(True)
            whole.setStepType(QSpinBox.StepType.AdaptiveDecimalStepType)
            whole.valueChanged.connect(lambda _value: self.changed.emit())
            whole.setFixedWidth(_FIELD_WIDTH)
            return whole
        assert isinstance(parameter.default, float), f"{parameter.name}: a word without options"
        real = QDoubleSpinBox(self)
        real.setDecimals(3)
        real.setRange(
            -_LARGEST if parameter.minimum is None else parameter.minimum,
            _LARGEST if parameter.maximum is None else parameter.maximum,
        )
        real.setSingleStep(0.05)
        real.setValue(parameter.default)
        real.valueChanged.connect(lambda _value: self.changed.emit())
        real.setFixedWidth(_FIELD_WIDTH)
        return real

    def _value(self, parameter: FamilyParameter) -> Value:
        field = self.fields[parameter.name]
        if isinstance(field, QComboBox):
            return parameter.options[field.currentIndex()]
        if isinstance(field, CheckBox):
            return field.isChecked()
        assert isinstance(field, (QSpinBox, QDoubleSpinBox))
        return field.value()
