"""The dialog that asks for the name and kind of a new block, and says at once what would not do."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from explorer.architecture import Architecture, grouping
from explorer.architecture.paths import free_path, taken_paths
from explorer.look.theme import GRID, small_font


class GroupDialog(QDialog):
    """A free name is there to be typed over; Enter groups.

    Signals:
        chosen(str, str): the name and the kind.
    """

    chosen = Signal(str, str)

    def __init__(self, architecture: Architecture, node_ids: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._architecture = architecture
        self._node_ids = node_ids
        self.setWindowTitle(self.tr("Group {count} layers").format(count=len(node_ids)))
        self.setMinimumWidth(52 * GRID)
        self.name = QLineEdit(free_path(taken_paths(architecture), "block1"), self)
        self.name.setToolTip(self.tr("It leads the ids of the layers, and so the names of their weights"))
        self.name.selectAll()
        self.kind = QLineEdit(self.tr("block"), self)
        self.kind.setToolTip(self.tr("What it is, in the field's words: residual block, stage, head"))
        self.refusal = QLabel(self)
        self.refusal.setFont(small_font())
        self.refusal.setWordWrap(True)
        # Room for two lines is kept, so that nothing jumps while one types.
        self.refusal.setMinimumHeight(2 * self.refusal.fontMetrics().lineSpacing())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, parent=self)
        self.accept_button = buttons.addButton(self.tr("Group"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.accept_button.setDefault(True)
        for button in buttons.buttons():
            button.setIcon(QIcon())  # the style's own icons do not follow the theme
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form = QFormLayout()
        form.setHorizontalSpacing(2 * GRID)
        form.setVerticalSpacing(GRID)
        form.addRow(self.tr("Name"), self.name)
        form.addRow(self.tr("Kind"), self.kind)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[3 * GRID] * 4)
        column.setSpacing(GRID)
        column.addLayout(form)
        column.addWidget(self.refusal, 1)
        column.addWidget(buttons)
        self.name.textChanged.connect(self._check)
        self.kind.textChanged.connect(self._check)
        self._check()

    def accept(self) -> None:
        """Group, if it can be done."""
        if self.accept_button.isEnabled():
            super().accept()
            self.chosen.emit(self.name.text().strip(), self.kind.text().strip())

    def _check(self) -> None:
        name, kind = self.name.text().strip(), self.kind.text().strip()
        text = ""
        if not name or not kind:
            text = self.tr("A block has a name and a kind.")
        else:
            try:
                grouping.group(self._architecture, self._node_ids, name, kind)
            except ValueError as error:  # EditRefused, or a name that is none
                text = str(error)
        self.accept_button.setEnabled(not text)
        self.refusal.setText(text)
