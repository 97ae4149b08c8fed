"""torchinfo's own summary of the open network, made in the background, to read, copy or save."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QMessageBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from explorer.app.loading import load
from explorer.architecture import Architecture
from explorer.look.theme import GRID, mono_font
from explorer.session.job import Job

Make = Callable[[Architecture, int], str]
_COLUMNS = 94
"""How wide torchinfo writes, with room for a scroll bar; deep networks are wider and scroll."""


def torchinfo_summary(architecture: Architecture, batch_size: int) -> str:
    """Called in the job's thread, where torch may load.

    Raises:
        ValueError: the network cannot run; the message says why.
    """
    load()
    from explorer.runtime.torchinfo_text import torchinfo_text

    return torchinfo_text(architecture, batch_size)


class TorchinfoDialog(QDialog):
    """Shows the text when it is there; closing it earlier drops it."""

    def __init__(
        self,
        architecture: Architecture,
        batch_size: int,
        make: Make = torchinfo_summary,
        parent: QWidget | None = None,
    ) -> None:
        """
        Args:
            architecture: the network.
            batch_size: images whose sizes are counted.
            make: yields the text; called in a thread.
            parent: the window that it lies over.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("torchinfo summary of {0}, batch {1}").format(architecture.name, batch_size))
        self._name = architecture.name
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(mono_font())
        self.text.setPlaceholderText(self.tr("torchinfo is reading the network…"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.copy_button = buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self.save_button = buttons.addButton(self.tr("Save…"), QDialogButtonBox.ButtonRole.ActionRole)
        for button in buttons.buttons():
            button.setIcon(QIcon())  # the style's own icons do not follow the theme
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        self.save_button.clicked.connect(self._ask_and_save)
        buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * GRID] * 4)
        column.setSpacing(GRID)
        column.addWidget(self.text, 1)
        column.addWidget(buttons)
        self.resize(self.text.fontMetrics().horizontalAdvance("0" * _COLUMNS) + 4 * GRID, 70 * GRID)
        self._enable(False)

        def work(progress: Callable[[str, float], None], cancelled: Callable[[], bool]) -> str:
            progress(self.tr("Reading the network"), 0.0)
            return "" if cancelled() else make(architecture, batch_size)

        self._job = Job(work, self)
        self._job.finished.connect(self._show_text)
        self._job.failed.connect(self._show_failure)
        self._job.start()

    def save(self, path: Path) -> None:
        """Write the text as it is shown, with a line break at its end.

        Raises:
            OSError: an unwritable target.
        """
        path.write_text(self.text.toPlainText() + "\n", encoding="utf-8")

    def _show_text(self, text: str) -> None:
        self.text.setPlainText(text)
        self._enable(True)

    def _show_failure(self, message: str) -> None:
        self.text.setPlainText(self.tr("There is no summary: {0}").format(message))

    def _enable(self, has_text: bool) -> None:
        self.copy_button.setEnabled(has_text)
        self.save_button.setEnabled(has_text)

    def _ask_and_save(self) -> None:
        title = self.tr("Save the summary")
        name = self._name.replace("/", "-") + ".txt"
        path, _ = QFileDialog.getSaveFileName(self, title, name, self.tr("Text (*.txt)"))
        if not path:
            return
        try:
            self.save(Path(path))
        except OSError as error:
            QMessageBox.warning(self, title, self.tr("Not written: {0}").format(error))

    # Qt

    def closeEvent(self, event: QCloseEvent) -> None:
        # torch cannot be stopped half-way in a module; what it yields later goes nowhere.
        self._job.close(0.0)
        # Not the dialog's own way, which asks `reject`, and that closes.
        event.accept()

    def reject(self) -> None:
        self.close()
