"""The form of a run's configuration, generated from `CONFIG_FIELDS`: a field that is added there appears here."""

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from explorer.look.theme import GRID, body_font
from explorer.runs import (
    CONFIG_FIELDS,
    IMAGENET,
    ConfigField,
    ConfigValue,
    Normalization,
    RunConfig,
    parse_normalization,
)

LIVE_FIELDS = frozenset({"learning_rate"})
"""What may change while a run is active."""

_TITLES = {
    "data": "Data set",
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "normalization": "Normalise",
}
_NUM_COLUMNS = 2
_WIDE_FIELDS = frozenset({"normalization"})
"""What takes a row of its own below the others, since its choices are sentences."""


class ConfigForm(QWidget):
    """One editor for each field of `RunConfig`.

    Signals:
        edited(str): name of the field that the user changed.
        refused(str): why what the user typed does not fit; the field keeps its value.
    """

    edited = Signal(str)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._config = RunConfig()
        self._is_active = False
        self._weights_normalization: Normalization | None = None
        self._labels: dict[str, QLabel] = {}
        self._editors: dict[str, QWidget] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(GRID // 2)  # all rows show in a bottom dock of a small screen
        narrow = [field for field in CONFIG_FIELDS if field.name not in _WIDE_FIELDS]
        wide = [field for field in CONFIG_FIELDS if field.name in _WIDE_FIELDS]
        rows = -(-len(narrow) // _NUM_COLUMNS)
        for place, field in enumerate((*narrow, *wide)):
            is_wide = field in wide
            column, row = (0, rows + place - len(narrow)) if is_wide else divmod(place, rows)
            label = QLabel(self._title(field), self)
            label.setFont(body_font())
            editor = self._editor(field)
            editor.setFont(body_font())
            # The hint is for the largest number that fits, which nobody types.
            editor.setMinimumWidth(10 * GRID)
            editor.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            editor.setAccessibleName(label.text())
            label.setBuddy(editor)
            self._labels[field.name] = label
            self._editors[field.name] = editor
            grid.addWidget(label, row, 3 * column)
            grid.addWidget(editor, row, 3 * column + 1, 1, 3 * _NUM_COLUMNS - 2 if is_wide else 1)
        for column in range(_NUM_COLUMNS):
            grid.setColumnStretch(3 * column + 1, 1)
            if column:
                grid.setColumnMinimumWidth(3 * column - 1, GRID)
        grid.setRowStretch(rows + len(wide), 1)
        self._enable()

    @property
    def config(self) -> RunConfig:
        """What the form says."""
        return self._config

    def editor(self, name: str) -> QWidget:
        """The editor of a field: QSpinBox, QDoubleSpinBox or QComboBox."""
        return self._editors[name]

    def set_config(self, config: RunConfig) -> None:
        """Show another configuration; nothing is emitted."""
        self._config = config
        for field in CONFIG_FIELDS:
            self._show(field.name, getattr(config, field.name))
        self._enable()

    def set_weights_normalization(self, normalization: Normalization | None) -> None:
        """Offer what the weights were trained with that the next run starts from; None where that is not known."""
        if normalization != self._weights_normalization:
            self._weights_normalization = normalization
            self._show("normalization", self._config.normalization)
            self._enable()

    def set_active(self, active: bool) -> None:
        """Hold the fields that a run cannot change."""
        self._is_active = active
        self._enable()

    def _title(self, field: ConfigField) -> str:
        return self.tr(_TITLES.get(field.name, field.name.replace("_", " ").capitalize()))

    def _editor(self, field: ConfigField) -> QWidget:
        if field.name == "normalization":
            return self._normalization(field)
        if field.kind == "choice":
            return self._choice(field)
        assert field.minimum is not None
        assert field.maximum is not None
        box: QSpinBox | RealBox
        if field.kind == "int":
            box = QSpinBox(self)
            box.setRange(int(field.minimum), int(field.maximum))
            box.setSingleStep(int(field.step or 1))
            box.setGroupSeparatorShown(True)
            box.setValue(int(field.default))
        else:
            box = RealBox(self)
            box.setRange(field.minimum, field.maximum)
            box.setValue(float(field.default))
        # While a number is typed, its first digits are not yet it; the value comes with Enter or on leaving.
        box.setKeyboardTracking(False)
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.valueChanged.connect(lambda value: self._take(field, value))
        return box

    def _choice(self, field: ConfigField) -> QComboBox:
        menu = QComboBox(self)
        menu.addItems(field.choices)
        menu.setCurrentText(str(field.default))
        menu.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if not field.more_choices:
            menu.currentTextChanged.connect(lambda text: self._take(field, text))
            return menu
        menu.setEditable(True)
        menu.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        line = menu.lineEdit()
        assert line is not None
        menu.activated.connect(lambda _index: self._take(field, menu.currentText()))
        line.editingFinished.connect(lambda: self._take(field, menu.currentText()))
        return menu

    def _normalization(self, field: ConfigField) -> QComboBox:
        """A menu of sentences; the value behind each is the field's."""
        menu = QComboBox(self)
        menu.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._fill_normalization(menu, str(field.default))
        menu.activated.connect(lambda index: self._take(field, menu.itemData(index)))
        return menu

    def _fill_normalization(self, menu: QComboBox, value: str) -> None:
        """Without weights that know better, `auto` and `data` are the same, and one of them is enough."""
        known = self._weights_normalization
        menu.clear()
        if known is not None:
            menu.addItem(self.tr("as the weights were trained: {0}").format(known.text), "auto")
        own = "data" if known is not None or value == "data" else "auto"
        menu.addItem(self.tr("by this data set's own mean and standard deviation"), own)
        menu.addItem(self.tr("as ImageNet: {0}").format(IMAGENET.text), "imagenet")
        if menu.findData(value) < 0:
            menu.addItem(self.tr("by {0}").format(parse_normalization(value).text), value)
        menu.setCurrentIndex(menu.findData(value))

    def _take(self, field: ConfigField, value: ConfigValue) -> None:
        old = getattr(self._config, field.name)
        try:
            checked = field.check(value.strip() if isinstance(value, str) else value)
        except ValueError as error:
            self._show(field.name, old)
            self.refused.emit(str(error))
            return
        if checked == old:
            return
        self._config = RunConfig.from_plain({**self._config.to_plain(), field.name: checked})
        self._enable()
        self.edited.emit(field.name)

    def _show(self, name: str, value: ConfigValue) -> None:
        editor = self._editors[name]
        editor.blockSignals(True)
        if isinstance(editor, QSpinBox):
            editor.setValue(int(value))
        elif isinstance(editor, QDoubleSpinBox):
            editor.setValue(float(value))
        elif isinstance(editor, QComboBox) and name == "normalization":
            self._fill_normalization(editor, str(value))
        elif isinstance(editor, QComboBox):
            editor.setCurrentText(str(value))
        editor.blockSignals(False)

    def _enable(self) -> None:
        for field in CONFIG_FIELDS:
            why = ""
            if self._is_active and field.name not in LIVE_FIELDS:
                why = self.tr("Fixed while a run is active; stop it to change this.")
            elif field.name == "momentum" and self._config.optimizer != "sgd":
                why = self.tr("Adam does not use it.")
            elif self._is_active:
                why = self.tr("Changes the active run from its next step on.")
            editor = self._editors[field.name]
            editor.setEnabled(not why or field.name in LIVE_FIELDS)
            fits = self.tr("Takes {what}.").format(what=field.what_fits)
            chosen = editor.currentText() if field.name == "normalization" and isinstance(editor, QComboBox) else ""
            tip = "\n".join(part for part in (chosen, field.help, fits, why) if part)
            # A disabled editor shows no tooltip of its own on every platform; its label always does.
            editor.setToolTip(tip)
            self._labels[field.name].setToolTip(tip)
            self._labels[field.name].setEnabled(editor.isEnabled())


class RealBox(QDoubleSpinBox):
    """A number over many orders of magnitude: shown with the digits it has, stepped in its own last digit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(12)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)

    def textFromValue(self, value: float) -> str:
        return f"{value:.6g}"

    def valueFromText(self, text: str) -> float:
        return _number(text) or 0.0

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        number = _number(text)
        if number is not None and self.minimum() <= number <= self.maximum():
            return QValidator.State.Acceptable, text, position
        possible = all(c in "0123456789.,eE+-" for c in text)
        return QValidator.State.Intermediate if possible else QValidator.State.Invalid, text, position

    def stepBy(self, steps: int) -> None:
        value = self.value()
        # 0.05 steps by 0.01 and 0.001 by 0.0001 below, 0.001 above: the step belongs to where the value goes.
        reached = value * (1 + 1e-9) if steps > 0 else value * (1 - 1e-9)
        step = 10.0 ** math.floor(math.log10(reached)) if value > 0 else 0.0001
        self.setValue(max(self.minimum(), float(f"{value + steps * step:.6g}")))
        self.selectAll()

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A wheel that scrolls the panel must not change a number that it happens to pass.
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def _number(text: str) -> float | None:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
