"""The form of an augmentation: a switch for each transform and its strengths beside it, generated from `TRANSFORMS`.

What the transforms make of real images is shown by `preview`.
"""

import dataclasses
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QGridLayout, QLineEdit, QSizePolicy, QWidget

from explorer.look.check_box import CheckBox
from explorer.look.labels import RoleLabel, section_label
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.look.undo import leave_undo_to_window
from explorer.runs.augmentation import Augmentation, parse_augmentation
from explorer.runs.augmentation_transforms import GROUPS, TRANSFORMS, Group, Strength, Transform

_TITLES: dict[Group, str] = {
    "geometry": "Geometry",
    "colour": "Colour",
    "erasing": "Erasing",
    "mixing": "Mixing images and labels",
}
_COLOURFUL = frozenset({("jitter", "saturation"), ("jitter", "hue")})
"""What images of other than three channels do not have."""
_BOX_WIDTH = 10 * GRID
_DECIMALS = 6


class AugmentationForm(QWidget):
    """Switches and strengths; the strengths of what is off are remembered.

    Signals:
        edited(Augmentation): the user changed something.
        refused(str): why what the user typed is no augmentation; the form keeps its own.
    """

    edited = Signal(object)
    refused = Signal(str)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._augmentation = Augmentation()
        self._channels: int | None = None
        self._why_held = ""
        self._switches: dict[str, CheckBox] = {}
        self._boxes: dict[tuple[str, str], StrengthBox] = {}
        self._labels: dict[tuple[str, str], RoleLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(GRID // 2)
        self._grid.setColumnStretch(0, 1)
        for group in GROUPS:
            if group != GROUPS[0]:
                self._grid.setRowMinimumHeight(self._grid.rowCount(), GRID // 2)
            self._grid.addWidget(section_label(themes, self.tr(_TITLES[group]), self), self._grid.rowCount(), 0, 1, 3)
            for kind in TRANSFORMS:
                if kind.group == group:
                    self._add(kind, themes)
        self._line = QLineEdit(self)
        self._line.setFont(body_font())
        self._line.setToolTip(
            self.tr("As the command line's --augment takes it; can be copied from here and pasted to here.")
        )
        self._line.setAccessibleName(self.tr("Augmentation as text"))
        self._line.editingFinished.connect(self._take_line)
        self._line.textEdited.connect(lambda _text: self._say(""))
        self._error = RoleLabel(themes, role="error", font=small_font(), wraps=True, parent=self)
        self._error.hide()
        row = self._grid.rowCount() + 1
        self._grid.setRowMinimumHeight(row - 1, GRID // 2)
        self._grid.addWidget(section_label(themes, self.tr("As text"), self), row, 0, 1, 3)
        self._grid.addWidget(self._line, row + 1, 0, 1, 3)
        self._grid.addWidget(self._error, row + 2, 0, 1, 3)
        self._grid.setRowStretch(row + 3, 1)
        self._show()

    @property
    def augmentation(self) -> Augmentation:
        """What the form says."""
        return self._augmentation

    def switch(self, name: str) -> CheckBox:
        """What turns a transform on and off."""
        return self._switches[name]

    def box(self, name: str, strength: str) -> "StrengthBox":
        """The editor of a transform's strength."""
        return self._boxes[name, strength]

    @property
    def line(self) -> QLineEdit:
        """The augmentation as text."""
        return self._line

    @property
    def error(self) -> str:
        """What is wrong with the text that was typed; empty if nothing."""
        return self._error.text()

    def set_augmentation(self, augmentation: Augmentation) -> None:
        """Show another augmentation; nothing is emitted."""
        self._augmentation = augmentation
        self._say("")
        self._show()

    def set_channels(self, channels: int | None) -> None:
        """Hold what images of so many channels do not have; None where that is not known."""
        self._channels = channels
        self._enable()

    def set_held(self, why: str) -> None:
        """Hold everything and say why in the tooltips; empty to let go."""
        self._why_held = why
        self._enable()

    def _add(self, kind: type[Transform], themes: ThemeSource) -> None:
        switch = CheckBox(self.tr(kind.title), self)
        switch.setFont(body_font())
        switch.clicked.connect(lambda _on: self._switch(kind))
        self._switches[kind.name] = switch
        first_row = self._grid.rowCount()
        self._grid.addWidget(switch, first_row, 0)
        for row, strength in enumerate(kind.strengths(), first_row):
            box = StrengthBox(strength, self)
            box.setAccessibleName(f"{switch.text()}: {self.tr(strength.title)}")
            box.valueChanged.connect(lambda _value, strength=strength: self._take(kind, strength))
            label = RoleLabel(themes, role="muted", font=small_font(), parent=self)
            label.setText(self.tr(strength.title))
            label.setBuddy(box)
            self._boxes[kind.name, strength.name] = box
            self._labels[kind.name, strength.name] = label
            self._grid.addWidget(label, row, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._grid.addWidget(box, row, 2)

    def _switch(self, kind: type[Transform]) -> None:
        transform = None
        if self._switches[kind.name].isChecked():
            values: dict[str, Any] = {strength.name: self._read(kind, strength) for strength in kind.strengths()}
            transform = kind(**values)
        self._change(self._augmentation.replaced(kind.name, transform))

    def _take(self, kind: type[Transform], strength: Strength) -> None:
        transform = self._augmentation.transform(kind.name)
        if transform is not None:
            values: dict[str, Any] = {strength.name: self._read(kind, strength)}
            self._change(self._augmentation.replaced(kind.name, dataclasses.replace(transform, **values)))

    def _read(self, kind: type[Transform], strength: Strength) -> float:
        # A box counts in reals; some strengths are whole.
        return strength.parse(kind.name, self._boxes[kind.name, strength.name].written)

    def _take_line(self) -> None:
        text = self._line.text().strip()
        if text == self._augmentation.written:
            return
        try:
            augmentation = parse_augmentation(text)
        except ValueError as error:
            self._say(str(error))
            self.refused.emit(str(error))
            return
        self._change(augmentation)

    def _change(self, augmentation: Augmentation) -> None:
        is_new = augmentation != self._augmentation
        self.set_augmentation(augmentation)
        if is_new:
            self.edited.emit(augmentation)

    def _say(self, error: str) -> None:
        self._error.show_text(error)
        self._error.setVisible(bool(error))

    def _show(self) -> None:
        for kind in TRANSFORMS:
            transform = self._augmentation.transform(kind.name)
            self._switches[kind.name].setChecked(transform is not None)
            if transform is not None:
                for strength in kind.strengths():
                    self._boxes[kind.name, strength.name].show_value(getattr(transform, strength.name))
        self._line.setText(self._augmentation.written)
        self._line.setCursorPosition(0)
        self._enable()

    def _enable(self) -> None:
        self._line.setReadOnly(bool(self._why_held))
        for kind in TRANSFORMS:
            switch = self._switches[kind.name]
            switch.setEnabled(not self._why_held)
            switch.setToolTip("\n".join(part for part in (self.tr(kind.help), self._why_held) if part))
            for strength in kind.strengths():
                why = self._why_off(kind, strength)
                fits = self.tr("Takes {what}.").format(what=strength.what_fits)
                tip = "\n".join(part for part in (self.tr(strength.help), fits, why) if part)
                for widget in (self._boxes[kind.name, strength.name], self._labels[kind.name, strength.name]):
                    widget.setEnabled(not why)
                    widget.setToolTip(tip)

    def _why_off(self, kind: type[Transform], strength: Strength) -> str:
        if self._why_held:
            return self._why_held
        if self._channels not in (None, 3) and (kind.name, strength.name) in _COLOURFUL:
            return self.tr("These images have no colours.")
        if not self._switches[kind.name].isChecked():
            return self.tr("Switch {0} on to set this.").format(self.tr(kind.title).lower())
        return ""


class StrengthBox(QDoubleSpinBox):
    """A transform's number, with the digits that it has."""

    def __init__(self, strength: Strength, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFont(body_font())
        self.setDecimals(0 if strength.kind == "int" else _DECIMALS)
        self.setRange(strength.minimum, strength.maximum)
        self.setSingleStep(strength.step)
        self.setValue(strength.default)
        # While a number is typed, its first digits are not yet it; the value comes with Enter or on leaving.
        self.setKeyboardTracking(False)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToNearestValue)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedWidth(_BOX_WIDTH)
        leave_undo_to_window(self)

    @property
    def written(self) -> str:
        """The value as text that `parse_augmentation` reads."""
        return self.textFromValue(self.value())

    def show_value(self, value: float) -> None:
        """Show a value; nothing is emitted."""
        self.blockSignals(True)
        self.setValue(value)
        self.blockSignals(False)

    def textFromValue(self, value: float) -> str:
        return f"{value:.{self.decimals()}f}".rstrip("0").rstrip(".") if self.decimals() else str(round(value))

    def wheelEvent(self, event: QWheelEvent) -> None:
        # A wheel that scrolls the panel must not change a number that it happens to pass.
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()
