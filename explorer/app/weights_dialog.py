"""The dialog of trained weights: where they come from, what of them fits, what stays frozen; then they are applied.

The report is `weights_view`'s, the work in threads `weights_engine`'s, and what the next run starts from is kept by
the `RunSession`.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from explorer.app import weights_engine
from explorer.app.weights_engine import Comparison, Offer
from explorer.app.weights_view import WeightsView
from explorer.architecture import Architecture, EditRefused, freezing
from explorer.inference import infer
from explorer.look import numbers
from explorer.look.labels import ElidedLabel, RoleLabel, section_label
from explorer.look.theme import GRID, ThemeSource, body_font, small_font
from explorer.runtime.weights_report import WeightsReport
from explorer.session import Document
from explorer.session.job import Job
from explorer.session.places import settings
from explorer.session.run_session import InitialWeights, RunSession

SUFFIXES = (".safetensors", ".pt", ".pth", ".th", ".bin", ".ckpt", ".tar")
"""`runtime.weights_files.SUFFIXES`, which cannot be asked before torch is there."""

_BAR_STEPS = 1000
_JOIN_S = 0.2
"""How long closing waits for a thread; a server that is silent may keep it longer, and nobody listens to it then."""


class WeightsDialog(QDialog):
    """Chooses weights for the open network. Nothing changes before Apply."""

    def __init__(self, document: Document, run: RunSession, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._run = run
        self._themes = themes
        self._architecture: Architecture = document.architecture
        self._comparison: Comparison | None = None
        self._job: Job | None = None
        self._lookup: Job | None = None
        self._offers: tuple[Offer, ...] = ()
        self._fetched: Offer | None = None
        self._distrusted: set[str] = set()
        self.setWindowTitle(self.tr("Weights of {0}").format(self._architecture.name))
        self.setAcceptDrops(True)
        self.resize(104 * GRID, 80 * GRID)

        self.current = ElidedLabel(themes, role="muted", parent=self)
        self.fresh_button = self._button(self.tr("Fresh weights"), self._forget)
        self.offers = QVBoxLayout()
        self.offers.setSpacing(GRID)
        self.offers_text = RoleLabel(themes, role="muted", wraps=True, parent=self)
        self.file_button = self._button(self.tr("Choose file…"), self._ask_file)
        self.progress = QProgressBar(self)
        self.progress.setRange(0, _BAR_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(GRID)
        self.progress_text = ElidedLabel(themes, role="muted", parent=self)
        self.cancel_button = self._button(self.tr("Cancel"), self._cancel)
        self.error = RoleLabel(themes, role="error", wraps=True, parent=self)
        self.error.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.view = WeightsView(themes, self)
        self.view.chosen.connect(self._show_freeze)
        self.hint = RoleLabel(themes, role="muted", parent=self)
        self.hint.setText(self.tr("What fits the network is shown here before anything is applied."))
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.freeze = QComboBox(self)
        self.freeze.setAccessibleName(self.tr("Layers that training leaves as they are"))
        self.freeze_text = ElidedLabel(themes, role="muted", font=small_font(), parent=self)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.apply_button = self.buttons.addButton(self.tr("Apply"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.apply_button.clicked.connect(self._apply)
        self.buttons.rejected.connect(self.reject)
        for button in self.buttons.buttons():
            button.setIcon(QIcon())  # the style's own icons do not follow the theme
        self._lay_out()
        self._fill_freeze()
        self.freeze.currentIndexChanged.connect(self._show_freeze)
        run.state_changed.connect(self._enable)
        run.initial_weights_changed.connect(self._show_current)
        self._show_current()
        self._show_busy(None)
        self.view.hide()
        self.error.hide()
        self._show_freeze()
        if document.snapshot.inference.errors:
            self.offers_text.show_text("")
            self._say(self.tr("The network has faults; mend them first, so that its layers can be compared."))
        else:
            self._look_up()

    def open_file(self, path: Path) -> None:
        """Read a file of weights and show what of it fits."""
        if self._may_choose:
            settings().setValue("weights/folder", str(path.parent))
            self._compare(partial(weights_engine.compare_file, self._architecture, path))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._may_choose and _dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped(event)
        if path is not None:
            event.acceptProposedAction()
            self.open_file(path)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._end_jobs()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        self._end_jobs()
        super().done(result)

    @property
    def _may_choose(self) -> bool:
        return self._job is None and not self._document.snapshot.inference.errors

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * GRID] * 4)
        column.setSpacing(GRID)
        column.addLayout(_row(self.current, self.fresh_button))
        column.addWidget(section_label(self._themes, self.tr("From torchvision"), self))
        column.addWidget(self.offers_text)
        column.addLayout(self.offers)
        column.addWidget(section_label(self._themes, self.tr("From a file"), self))
        hint = ElidedLabel(self._themes, role="muted", parent=self)
        hint.show_text(self.tr("safetensors, or what torch.save wrote; or drop one here. It is never executed."))
        column.addLayout(_row(hint, self.file_button))
        column.addWidget(self.progress)
        column.addLayout(_row(self.progress_text, self.cancel_button))
        column.addWidget(self.error)
        column.addSpacing(GRID)
        column.addWidget(self.view, 1)
        column.addWidget(self.hint, 1)
        frozen = QHBoxLayout()
        frozen.setSpacing(GRID)
        frozen.addWidget(QLabel(self.tr("Freeze")))
        frozen.addWidget(self.freeze)
        frozen.addWidget(self.freeze_text, 1)
        column.addLayout(frozen)
        column.addWidget(self.buttons)

    def _button(self, text: str, do: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _checked=False: do())
        return button

    # Where weights come from

    def _look_up(self) -> None:
        self.offers_text.show_text(self.tr("Looking up what torchvision has…"))
        self._lookup = Job(partial(weights_engine.look_up, self._architecture), self)
        self._lookup.finished.connect(self._show_offers)
        self._lookup.failed.connect(self._lookup_failed)
        self._lookup.start()

    def _lookup_failed(self, why: str) -> None:
        self._lookup = None
        self.offers_text.show_text(self.tr("torchvision's weights cannot be looked up: {0}").format(why))

    def _show_offers(self, offers: tuple[Offer, ...]) -> None:
        self._lookup = None
        self._offers = offers
        self.offers_text.setVisible(not offers)
        self.offers_text.show_text(self.tr("torchvision has no trained weights for this network."))
        while (item := self.offers.takeAt(0)) is not None:
            if widget := item.widget():
                widget.deleteLater()
        for offer in offers:
            self.offers.addWidget(self._offer(offer))
        self._enable()

    def _offer(self, offer: Offer) -> QWidget:
        title = ElidedLabel(self._themes, font=body_font(bold=True))
        title.show_text(offer.title)
        facts = ElidedLabel(self._themes, role="muted", font=small_font())
        facts.show_text(
            " · ".join(
                (
                    self.tr("top-1 {0}, as published").format(numbers.percent(offer.top1 / 100, 2)),
                    self.tr("{0} classes of ImageNet").format(f"{offer.num_classes:,}"),
                    self.tr("images of {0}, cut to {1}×{1}").format(offer.resize, offer.crop),
                )
            )
        )
        size = numbers.short_bytes(offer.num_bytes)
        is_here = offer.is_here and offer.entry_id not in self._distrusted
        if offer.entry_id in self._distrusted:
            text = self.tr("Download again, {0}").format(size)
        else:
            text = self.tr("Compare") if is_here else self.tr("Download, {0}").format(size)
        button = self._button(text, partial(self._fetch, offer))
        button.setObjectName(f"offer-{offer.entry_id}")
        button.setToolTip(self.tr("In torchvision's cache already, {0}").format(size) if is_here else "")
        widget = QWidget(self)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(title)
        texts.addWidget(facts)
        row = QHBoxLayout(widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID)
        row.addLayout(texts, 1)
        row.addWidget(button)
        return widget

    def _fetch(self, offer: Offer) -> None:
        if self._may_choose:
            again = offer.entry_id in self._distrusted
            work = partial(weights_engine.compare_published, self._architecture, offer.entry_id, again)
            self._compare(work, offer)

    def _ask_file(self) -> None:
        folder = str(settings().value("weights/folder", str(Path.home())))
        names = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        kinds = self.tr("Weights ({0})").format(names) + ";;" + self.tr("All files (*)")
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Weights"), folder, kinds)
        if chosen:
            self.open_file(Path(chosen))

    # What of them fits

    def _compare(self, work: Callable[..., Comparison], offer: Offer | None = None) -> None:
        self._comparison = None
        self.view.hide()
        self.hint.show()
        self._show_freeze()
        self._fetched = offer
        job = self._begin(work)
        job.finished.connect(self._compared)
        job.start()

    def _compared(self, comparison: Comparison) -> None:
        offer = self._fetched
        self._show_busy(None)
        self._comparison = comparison
        self.view.show_report(comparison.name, comparison.report, comparison.facts)
        self.hint.hide()
        self.view.show()
        self._show_freeze()
        if offer is not None:
            self._distrusted.discard(offer.entry_id)
            self._show_offers(tuple(o._replace(is_here=o.is_here or o == offer) for o in self._offers))
        self._enable()

    def _failed(self, why: str) -> None:
        offer = self._fetched
        self._show_busy(None)
        if not why:
            self._say(self.tr("Cancelled; nothing was changed."), is_error=False)
            return
        self._say(why)
        if offer is not None and offer.is_here:
            # What lies in the cache may be damaged, and a fresh download may help.
            self._distrusted.add(offer.entry_id)
            self._show_offers(self._offers)

    # What is applied

    def _fill_freeze(self) -> None:
        """The choices, each with the network that it makes; None leaves frozen what is."""
        architecture = self._architecture
        choices: list[tuple[str, Callable[[], tuple[str, ...]]]] = [(self.tr("nothing"), tuple)]
        choices.append((self.tr("all but the head"), partial(freezing.all_but_head, architecture)))
        for path in freezing.steps(architecture):
            choices.append((self.tr("up to {0}").format(path), partial(freezing.up_to, architecture, path)))
        self.freeze.addItem(self.tr("as it is"), None)
        for text, choose in choices:
            try:
                self.freeze.addItem(text, choose())
            except EditRefused:
                continue  # a network without a head has no "all but" it

    def _frozen(self) -> Architecture:
        ids = self.freeze.currentData()
        return self._architecture if ids is None else freezing.freeze(self._architecture, ids)

    def _show_freeze(self) -> None:
        frozen, report = self._frozen(), self._report
        totals = infer(frozen, self._document.snapshot.inference).totals
        text = self.tr("Training changes {0} of {1} parameters.").format(
            numbers.exact_count(totals.num_trainable), numbers.exact_count(totals.num_parameters)
        )
        anew = [n for n in report.nodes if n.outcome != "taken" and frozen[n.node_id].frozen] if report else []
        if anew:
            text += " " + self.tr("Frozen, but not from the file: {0}.").format(", ".join(n.node_id for n in anew))
        self.freeze_text.set_role("warning" if anew else "muted")
        self.freeze_text.show_text(text)
        self._enable()

    @property
    def _report(self) -> WeightsReport | None:
        return None if self._comparison is None else self.view.report

    def _apply(self) -> None:
        comparison, report = self._comparison, self._report
        if comparison is None or report is None:
            self._freeze()
            self.accept()
            return
        self._fetched = None
        job = self._begin(partial(weights_engine.keep, comparison, report))
        job.finished.connect(self._applied)
        job.start()

    def _applied(self, kept: InitialWeights) -> None:
        self._show_busy(None)
        if self._run.is_active:
            self._say(self._active_text())
            return
        self._freeze()
        self._run.start_from(kept)
        self.accept()

    def _freeze(self) -> None:
        self._document.apply(self.tr("Freeze {0}").format(self.freeze.currentText()), self._frozen())

    def _forget(self) -> None:
        self._run.start_from(None)

    # What the dialog says

    def _active_text(self) -> str:
        return self.tr("A run is active; stop it first (Shift+F5).")

    def _show_current(self) -> None:
        given = self._run.initial_weights
        self.current.show_text(
            self.tr("The next run starts from fresh weights.")
            if given is None
            else self.tr("The next run starts from {0}.").format(given.text)
        )
        self._enable()

    def _enable(self) -> None:
        is_active, is_busy, report = self._run.is_active, self._job is not None, self._report
        why = ""
        if is_active:
            why = self._active_text()
        elif report is None and self.freeze.currentData() is None:
            why = self.tr("Choose weights first")
        elif report is not None and not report.taken:
            why = self.tr("No layer takes anything from the file")
        self.apply_button.setEnabled(not why and not is_busy)
        self.apply_button.setToolTip(why)
        self.apply_button.setDefault(not why and not is_busy)
        self.fresh_button.setEnabled(self._run.initial_weights is not None and not is_active)
        self.fresh_button.setToolTip(self._active_text() if is_active else "")
        may_choose = self._may_choose
        for button in (self.file_button, *self.findChildren(QPushButton)):
            if button is self.file_button or button.objectName().startswith("offer-"):
                button.setEnabled(may_choose)

    def _begin(self, work: Callable[..., object]) -> Job:
        job = Job(work, self)
        job.progressed.connect(self._show_progress)
        job.failed.connect(self._failed)
        self.error.hide()
        self._show_busy(job)
        return job

    def _show_busy(self, job: Job | None) -> None:
        self._job = job
        self.progress.setRange(0, 0)  # moves until something is known
        self.progress_text.show_text("")
        for widget in (self.progress, self.progress_text, self.cancel_button):
            widget.setVisible(job is not None)
        self.cancel_button.setEnabled(True)
        self._enable()

    def _show_progress(self, text: str, share: float) -> None:
        self.progress.setRange(0, _BAR_STEPS if share > 0 else 0)
        self.progress.setValue(round(share * _BAR_STEPS))
        self.progress_text.show_text(text)

    def _say(self, text: str, *, is_error: bool = True) -> None:
        self.error.set_role("error" if is_error else "muted")
        self.error.show_text(text)
        self.error.show()

    def _cancel(self) -> None:
        if self._job is not None:
            self.cancel_button.setEnabled(False)
            self.progress_text.show_text(self.tr("Cancelling…"))
            self._job.cancel()

    def _end_jobs(self) -> None:
        for job in (self._job, self._lookup):
            if job is not None:
                job.close(_JOIN_S)
        self._job = self._lookup = None
        self._comparison = None  # as large as the network


def _row(text: QWidget, button: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(GRID)
    row.addWidget(text, 1)
    row.addWidget(button)
    return row


def _dropped(event: QDropEvent) -> Path | None:
    urls = event.mimeData().urls()
    return Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
