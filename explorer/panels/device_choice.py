"""What the training form offers on a computer with several GPUs: each of them, two that share a network, and all.

That is known only once torch has looked, behind the window; until then, and with one GPU, the form stays as it is.
"""

from PySide6.QtCore import QObject, QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QSpinBox

from explorer.look.theme import GRID
from explorer.panels.estimates import Device
from explorer.panels.training.form import ConfigForm
from explorer.runs import config_field
from explorer.runs.placement import has_towers
from explorer.session import Document

_MOST_OFFERED = 8


class DeviceChoice(QObject):
    """Keeps the device's menu and the number of processes up to date."""

    def __init__(self, form: ConfigForm, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        menu, processes = form.editor("device"), form.editor("processes")
        assert isinstance(menu, QComboBox)
        assert isinstance(processes, QSpinBox)
        self._menu, self._processes = menu, processes
        self._document = document
        self._num_gpus = 0
        document.changed.connect(lambda _old, _new: self._fill())

    def set_device(self, device: Device | None) -> None:
        """Take what was found of this computer; None where nothing was."""
        if device is not None and device.num_gpus != self._num_gpus:
            self._num_gpus = device.num_gpus
            self._fill()

    def _fill(self) -> None:
        field, count = config_field("device"), self._num_gpus
        offered = [(name, "") for name in field.choices]
        if count > 1:
            offered += [(f"cuda:{i}", self._tip(i)) for i in range(min(count, _MOST_OFFERED))]
            if self._has_towers():
                offered.append(("cuda:0+cuda:1", self.tr("Each of the network's two towers on a GPU of its own")))
        menu = self._menu
        if offered != [(menu.itemText(i), menu.itemData(i, Qt.ItemDataRole.ToolTipRole)) for i in range(menu.count())]:
            shown = menu.currentText()
            with QSignalBlocker(menu):
                menu.clear()
                for i, (name, tip) in enumerate(offered):
                    menu.addItem(name)
                    menu.setItemData(i, tip, Qt.ItemDataRole.ToolTipRole)
                menu.setCurrentText(shown)
            # The field may be narrower than the names of two devices.
            menu.view().setMinimumWidth(menu.view().sizeHintForColumn(0) + 3 * GRID)
        self._processes.setSuffix(self.tr(" of {0} GPUs").format(count) if count > 1 else "")

    def _tip(self, number: int) -> str:
        return self.tr("GPU {number} of {count}").format(number=number + 1, count=self._num_gpus)

    def _has_towers(self) -> bool:
        if not self._document.is_open:
            return False
        snapshot = self._document.snapshot
        return not snapshot.inference.errors and has_towers(snapshot.architecture, snapshot.inference)
