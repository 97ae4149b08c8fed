"""The bar over the canvas: the input's size and the batch. The totals that follow from them are `totals`'."""

from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QWidget

from explorer.architecture import edits
from explorer.layers import Input
from explorer.look import theme
from explorer.look.undo import leave_undo_to_window
from explorer.session import Document, Snapshot

_GESTURE_IDLE_MS = 600
_HEIGHT = 3 * theme.GRID
"""Of a field, as in the training form."""


class InputEditor(QWidget):
    """Channels × height × width of the images, each a spin box; a row of edits becomes one undo step."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._boxes: dict[str, QSpinBox] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GRID // 2)
        for parameter in Input.hyper_parameters:
            if self._boxes:
                row.addWidget(QLabel("×"))
            box = QSpinBox()
            box.setRange(int(parameter.minimum or 1), int(parameter.maximum or 1))
            box.setKeyboardTracking(False)
            box.setAlignment(Qt.AlignmentFlag.AlignRight)
            box.setMinimumHeight(_HEIGHT)
            box.setToolTip(parameter.help)
            leave_undo_to_window(box)
            box.setAccessibleName(parameter.name)
            box.valueChanged.connect(partial(self._edit, parameter.name))
            self._boxes[parameter.name] = box
            row.addWidget(box)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(_GESTURE_IDLE_MS)
        self._idle.timeout.connect(document.finish_merge)
        document.changed.connect(self.apply)

    def apply(self, old: Snapshot | None, new: Snapshot) -> None:
        """Show the input's size."""
        values = new.architecture.input.layer.values()
        for name, box in self._boxes.items():
            if box.value() != values[name]:
                with QSignalBlocker(box):
                    box.setValue(int(str(values[name])))

    def _edit(self, name: str, value: int) -> None:
        node_id = self._document.architecture.input.id
        text = self.tr("Set input {0} to {1}").format(name, value)
        self._document.edit(
            text, partial(edits.set_value, node_id=node_id, name=name, value=value), merge=f"{node_id}.{name}"
        )
        self._idle.start()


class BatchEditor(QSpinBox):
    """The batch size, which training and activation memory share.

    Signals:
        chosen(int): the user set another.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(1, 65_536)
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setMinimumHeight(_HEIGHT)
        self.setToolTip(self.tr("Images in a batch"))
        self.setAccessibleName("batch_size")
        leave_undo_to_window(self)
        self.valueChanged.connect(self.chosen)

    def show_value(self, batch_size: int) -> None:
        """Show a value without reporting it as chosen."""
        with QSignalBlocker(self):
            self.setValue(batch_size)
