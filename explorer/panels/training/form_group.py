"""A part of the training form: its heading, which folds it and says what is set in it, and a grid of fields."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from explorer.look.icons import icon
from explorer.look.labels import ElidedLabel
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.panels.fold_heading import FoldHeading
from explorer.panels.training.form_editors import Editor
from explorer.runs import ConfigField

_CELLS = 3
"""Label, editor and the button that resets it."""
_WIDE = frozenset({"data", "normalization", "init", "augmentation"})
"""What takes the places of two fields, since its values are long."""


class Heading(FoldHeading):
    """A heading with a summary beside its title, which shortens itself to the width that there is."""

    def __init__(self, themes: ThemeSource, title: str, parent: QWidget | None = None) -> None:
        super().__init__(themes, title, parent)
        self.setIconSize(QSize(0, 0))
        self._title_width = self.fontMetrics().horizontalAdvance(title) + 4 * GRID
        self.setAccessibleName(title)
        self.summary = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        # The heading's own click, hover and tooltip go through it.
        # A label in a button would take the button's colour.
        self.summary.setForegroundRole(QPalette.ColorRole.WindowText)
        self.summary.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        line = QHBoxLayout(self)
        line.setContentsMargins(self._title_width, 0, GRID // 2, 0)
        line.addWidget(self.summary)

    def show_summary(self, summary: str) -> None:
        """Say what is set in the part."""
        if summary != self.summary.whole:
            self.summary.show_text(summary)
            self.setToolTip(summary)

    def sizeHint(self) -> QSize:
        return QSize(self._title_width, 3 * GRID)


class FieldGroup(QWidget):
    """Fields side by side in two columns or three, in the order in which they are added.

    Signals:
        opened(): the user unfolded it.
        folded(): it takes another place now, open or not.
    """

    opened = Signal()
    folded = Signal()

    def __init__(self, themes: ThemeSource, title: str, *, folds: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._num_columns = 2
        self._parts: list[FieldRow | QWidget] = []
        self.heading: Heading | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID // 2)
        self.body = QWidget(self)
        self._grid = QGridLayout(self.body)
        self._grid.setContentsMargins(0, 0, 0, GRID if folds else 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(GRID // 2)
        if folds:
            self.heading = Heading(themes, title, self)
            self.heading.setChecked(False)
            self.body.hide()
            self.heading.toggled.connect(self._fold)
            column.addWidget(self.heading)
        column.addWidget(self.body)

    @property
    def num_columns(self) -> int:
        """How many fields stand side by side."""
        return self._num_columns

    @property
    def is_open(self) -> bool:
        """Whether its fields are shown."""
        return not self.body.isHidden()

    def add(self, field: ConfigField, title: str, editor: Editor, reset: Callable[[], None]) -> "FieldRow":
        """Put a field into the next place."""
        row = FieldRow(field, title, editor, reset, self._themes, self.body)
        self._parts.append(row)
        self._lay_out()
        return row

    def add_widget(self, widget: QWidget) -> None:
        """Put something over the whole width, below what is there."""
        self._parts.append(widget)
        self._lay_out()

    def set_columns(self, num_columns: int) -> None:
        """Have so many fields side by side."""
        if num_columns != self._num_columns:
            self._num_columns = num_columns
            self._lay_out()

    def _lay_out(self) -> None:
        while self._grid.takeAt(0) is not None:
            pass
        num_columns, place = self._num_columns, 0
        for column in range(self._grid.columnCount()):
            self._grid.setColumnMinimumWidth(column, 0)
            self._grid.setColumnStretch(column, 0)
        for column in range(num_columns):
            self._grid.setColumnStretch(_CELLS * column + 1, 1)
        for part in self._parts:
            size = num_columns if isinstance(part, QWidget) else 2 if part.field.name in _WIDE else 1
            if place % num_columns + size > num_columns:
                place += num_columns - place % num_columns
            line, column = divmod(place, num_columns)
            place += size
            first, last = _CELLS * column, _CELLS * (column + size) - 1
            if isinstance(part, QWidget):
                self._grid.addWidget(part, line, first, 1, last - first + 1)
                continue
            if part.label is None:
                self._grid.addWidget(part.editor.widget, line, first, 1, last - first)
            else:
                self._grid.addWidget(part.label, line, first)
                self._grid.addWidget(part.editor.widget, line, first + 1, 1, last - first - 1)
            self._grid.addWidget(part.reset, line, last)

    def label_widths(self) -> dict[int, int]:
        """The width that the labels of each column need, in pixels."""
        widths: dict[int, int] = {}
        for index in range(self._grid.count()):
            item = self._grid.itemAt(index)
            widget = None if item is None else item.widget()
            if isinstance(widget, QLabel):
                column = self._grid.getItemPosition(index)[1]  # type: ignore[index]  # a tuple, whatever the stub says
                widths[column] = max(widths.get(column, 0), widget.sizeHint().width())
        return widths

    def set_label_widths(self, widths: Mapping[int, int]) -> None:
        """Give the labels of each column that much, so that the columns of all parts are in line."""
        for column, width in widths.items():
            self._grid.setColumnMinimumWidth(column, width)

    def _fold(self, is_open: bool) -> None:
        self.body.setVisible(is_open)
        self.folded.emit()
        if is_open:
            self.opened.emit()


class ResetButton(QToolButton):
    """Takes a field back; its place stays when it goes, so that no editor changes its width."""

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self.setAutoRaise(True)
        self.setFixedSize(3 * GRID - 4, 3 * GRID)
        self.setIconSize(QSize(14, 14))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.setSizePolicy(policy)
        self.hide()
        self._recolour()
        themes.changed.connect(self._recolour)

    def _recolour(self) -> None:
        theme = self._themes.theme
        self.setIcon(icon("undo", theme, theme.muted))


class FieldRow:
    """What belongs to one field on the screen."""

    def __init__(
        self,
        field: ConfigField,
        title: str,
        editor: Editor,
        reset: Callable[[], None],
        themes: ThemeSource,
        parent: QWidget,
    ) -> None:
        self.field = field
        self.editor = editor
        self.label: QLabel | None = None
        editor.widget.setAccessibleName(title)
        if not isinstance(editor.widget, QCheckBox):
            self.label = QLabel(title, parent)
            self.label.setFont(body_font())
            self.label.setBuddy(editor.widget)
        self.reset = ResetButton(themes, parent)
        self.reset.clicked.connect(reset)

    def enable(self, enabled: bool, tip: str) -> None:
        """Let the user change it or not; the tooltip says why."""
        self.editor.widget.setEnabled(enabled)
        # A disabled editor shows no tooltip of its own on every platform; its label always does.
        self.editor.widget.setToolTip(tip)
        if self.label is not None:
            self.label.setToolTip(tip)
            self.label.setEnabled(enabled)

    def offer_reset(self, is_offered: bool, tip: str) -> None:
        """Show or hide the button that takes the field back."""
        if not is_offered and self.reset.hasFocus():
            self.editor.widget.setFocus()
        self.reset.setVisible(is_offered)
        self.reset.setToolTip(tip)
        self.reset.setAccessibleName(tip)
