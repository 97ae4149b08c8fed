"""The export dialog: what to write, where, and the certificate that says what was checked."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from explorer.app import engine
from explorer.app.certificate_text import certificate_headline, certificate_html
from explorer.look import theme
from explorer.look.check_box import CheckBox
from explorer.runs import RunConfig
from explorer.session import Document
from explorer.session.job import Job
from explorer.session.places import settings

if TYPE_CHECKING:
    from explorer.export.certificate import Certificate

_KINDS = (".py", ".safetensors", ".onnx")


class ExportDialog(QDialog):
    """Exports in a background thread; stays open to show the certificate."""

    def __init__(
        self,
        document: Document,
        weights: str | None,
        config: RunConfig,
        is_training: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._weights = weights
        self._config = config
        self._is_training = is_training
        self._job: Job | None = None
        self.setWindowTitle(self.tr("Export {0}").format(document.architecture.name))
        self.setMinimumWidth(560)

        self._folder = QLineEdit(str(settings().value("export/folder", str(Path.home()))))
        browse = QPushButton(self.tr("Browse…"))
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        name = "".join(c if c.isalnum() else "_" for c in document.architecture.name.lower()).strip("_")
        while "__" in name:
            name = name.replace("__", "_")
        self._name = QLineEdit(name or "model")
        texts = {
            ".py": self.tr("Source: readable PyTorch, needs only torch"),
            ".safetensors": self.tr("Weights: load into the source with load_state_dict(strict=True)"),
            ".onnx": self.tr("ONNX: runs in ONNX Runtime and elsewhere"),
        }
        self._kinds = {kind: CheckBox(f"{text}  (*{kind})") for kind, text in texts.items()}
        for box in self._kinds.values():
            box.setChecked(True)
            box.toggled.connect(self._enable)
        self._check = CheckBox(self.tr("Run each in a fresh process and compare with the model in the window"))
        self._check.setChecked(True)
        self._progress = QProgressBar()
        self._progress.setRange(0, 1000)
        self._progress.hide()
        self._status = QLabel(self._weights_text())
        self._status.setWordWrap(True)
        self._status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._result = QLabel()
        self._result.setTextFormat(Qt.TextFormat.RichText)
        self._result.setWordWrap(True)
        self._result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._result.hide()

        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._export = self._buttons.addButton(self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        self._export.setDefault(True)
        self._export.clicked.connect(self._start)
        self._buttons.rejected.connect(self.close)
        for button in self._buttons.buttons():
            button.setIcon(QIcon())  # the style's own icons do not follow the theme

        places = QGridLayout()
        places.setHorizontalSpacing(2 * theme.GRID)
        places.addWidget(QLabel(self.tr("Folder")), 0, 0)
        row = QHBoxLayout()
        row.addWidget(self._folder, 1)
        row.addWidget(browse)
        places.addLayout(row, 0, 1)
        places.addWidget(QLabel(self.tr("Name")), 1, 0)
        places.addWidget(self._name, 1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * theme.GRID] * 4)
        column.setSpacing(theme.GRID)
        column.addLayout(places)
        column.addSpacing(theme.GRID)
        for box in self._kinds.values():
            column.addWidget(box)
        column.addSpacing(theme.GRID)
        column.addWidget(self._check)
        column.addSpacing(theme.GRID)
        column.addWidget(self._status)
        column.addWidget(self._progress)
        column.addWidget(self._result)
        column.addStretch(1)
        column.addWidget(self._buttons)

    @property
    def result_text(self) -> str:
        """The certificate or the failure, as shown."""
        return self._result.text() if self._result.isVisible() else self._status.text()

    def targets(self) -> list[Path]:
        """The files to write."""
        base = Path(self._folder.text()).expanduser() / (self._name.text().strip() or "model")
        return [base.with_name(base.name + kind) for kind in _KINDS if self._kinds[kind].isChecked()]

    def show_origin(self, text: str) -> None:
        """Say where the weights come from that no run has trained."""
        self._status.setText(self.tr("The weights are those that were applied, {0}.").format(text))

    def _weights_text(self) -> str:
        if self._weights is None:
            return self.tr("No run has trained this network yet: the initial weights of seed {0} are exported.").format(
                self._config.seed
            )
        run_id = Path(self._weights).parent.name
        if self._is_training:
            return self.tr("The weights are those that run {0} had after its last whole epoch.").format(run_id)
        return self.tr("The weights are those of the last run, {0}.").format(run_id)

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Export to"), self._folder.text())
        if chosen:
            self._folder.setText(chosen)

    def _enable(self) -> None:
        any_kind = any(box.isChecked() for box in self._kinds.values())
        self._export.setEnabled(any_kind and self._job is None)
        self._export.setToolTip("" if any_kind else self.tr("Choose what to export"))

    def _start(self) -> None:
        existing = [path for path in self.targets() if path.exists()]
        if existing and not self._may_replace(existing):
            return
        settings().setValue("export/folder", self._folder.text())
        self._result.hide()
        self._progress.setValue(0)
        self._progress.show()
        work = partial(
            engine.export,
            self._document.architecture,
            self._weights,
            self._config,
            self.targets(),
            self._check.isChecked(),
        )
        self._job = Job(work, self)
        self._job.progressed.connect(self._show_progress)
        self._job.finished.connect(self._show_certificate)
        self._job.failed.connect(self._show_failure)
        close = self._buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setText(self.tr("Cancel"))
        self._enable()
        self._job.start()

    def _may_replace(self, existing: list[Path]) -> bool:
        names = ", ".join(path.name for path in existing)
        answer = QMessageBox.question(self, self.tr("Replace"), self.tr("Replace {0}?").format(names))
        return answer == QMessageBox.StandardButton.Yes

    def _show_progress(self, text: str, share: float) -> None:
        self._status.setText(text)
        self._progress.setValue(round(share * 1000))

    def _show_certificate(self, certificate: "Certificate") -> None:
        self._end()
        self._status.setText(certificate_headline(certificate))
        self._result.setText(certificate_html(certificate))
        self._result.show()

    def _show_failure(self, message: str) -> None:
        self._end()
        self._status.setText(message or self.tr("Cancelled; nothing was changed."))

    def _end(self) -> None:
        self._job = None
        self._progress.hide()
        self._buttons.button(QDialogButtonBox.StandardButton.Close).setText(self.tr("Close"))
        self._enable()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._job is not None:
            self._job.cancel()
            event.ignore()
            return
        super().closeEvent(event)

    def reject(self) -> None:
        # Esc, like Cancel, stops a running export first.
        if self._job is not None:
            self._job.cancel()
        else:
            super().reject()
