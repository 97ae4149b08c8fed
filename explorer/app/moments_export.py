"""The dialog that makes a film, a row of pictures or a file of data out of the moments of a run.

Of which views films can be made says `moments_views`, what their frames hold `moments_frames`; how frames become
files, `session.moments_film`.
"""

import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QMessageBox,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from explorer.app.moments_frames import Cancelled, Progress, film_of_layer, with_caption
from explorer.app.moments_views import FilmedView, Stage, pause
from explorer.look import numbers
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.moments.values import What, values_of
from explorer.runs.moments import MomentFileError, read_moment
from explorer.runs.moments_npz import export_npz
from explorer.session.job import Job, Work
from explorer.session.moments_film import PICTURES, Frame, PackedFrames, write_gif, write_pngs
from explorer.session.places import settings

_FOLDER_KEY = "moments/folder"
_MOST_WIDTH = 1280
"""Pixels of a film of a view; single pictures are as large as on screen."""
_DRAWING = 0.8
"""Of the work on a film of a view, as progress has it."""
_TOLD_AFTER_S = 1.0
"""So long work takes, and has left, for it to say something of the time left."""
_CLOSE_TIMEOUT_S = 10.0


def ask_export(
    folder: Path,
    steps: tuple[int, ...],
    layer: str | None,
    stage: Stage,
    themes: ThemeSource,
    parent: QWidget,
) -> None:
    """Ask what is to be made of the moments in a run's folder, and make it; returns when the dialog is closed."""
    dialog = MomentsExport(folder, steps, layer, stage, themes, parent)
    dialog.exec()
    dialog.deleteLater()


class MomentsExport(QDialog):
    """Films of one layer and data are made in a thread; pictures of views here, one after the other."""

    def __init__(
        self,
        folder: Path,
        steps: tuple[int, ...],
        layer: str | None,
        stage: Stage,
        themes: ThemeSource,
        parent: QWidget | None = None,
    ) -> None:
        """Export moments of the run in `folder`.

        Args:
            steps: of its moments.
            layer: the selected one; None for none.
            stage: the views on screen.
        """
        super().__init__(parent)
        self._folder = folder
        self._steps = steps
        self._layer = layer
        self._stage = stage
        self._themes = themes
        self._job: Job | None = None
        self._is_cancelled = False
        self._is_drawing = False
        self._started_s = 0.0
        self._pictures = (0, 0)
        """How many lie in the folder that a film becomes, and of how many."""
        self.setWindowTitle(self.tr("Export the moments of this run"))
        self.setMinimumWidth(64 * GRID)
        self.what = QComboBox(self)
        if layer is not None:
            self.what.addItem(self.tr("Film: feature maps of {0}").format(layer), "maps")
            if self._has_weights(layer):
                self.what.addItem(self.tr("Film: weights of {0}").format(layer), "weights")
        for view in stage.views:
            self.what.addItem(self.tr("Film: {0}, as it is on screen").format(view.title), view)
        self.what.addItem(self.tr("Data: all that was kept (npz)"), "data")
        self.form = QComboBox(self)
        self.form.addItem(self.tr("Animated GIF"), "gif")
        self.form.addItem(self.tr("Folder of PNG pictures"), "png")
        self.pace = QSpinBox(self)
        self.pace.setRange(1, 50)
        self.pace.setValue(8)
        self.pace.setSuffix(self.tr(" frames a second"))
        self.most = QSpinBox(self)
        self.most.setRange(2, 1000)
        self.most.setValue(min(120, max(2, len(steps))))
        self.most.setSuffix(self.tr(" frames at most"))
        self.progress = QProgressBar(self)
        self.progress.setRange(0, 1000)
        # The dialog keeps its size when it comes and goes.
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.hide()
        self.status = QLabel(self)
        self.status.setWordWrap(True)
        self.status.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.status.setMinimumHeight(2 * self.status.fontMetrics().lineSpacing())
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.export_button = self._buttons.addButton(self.tr("Export…"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.export_button.setDefault(True)
        self.export_button.clicked.connect(self._ask_path)
        self._buttons.rejected.connect(self.reject)
        for button in self._buttons.buttons():
            button.setIcon(QIcon())  # the style's own icons do not follow the theme
        rows = QFormLayout()
        rows.setHorizontalSpacing(2 * GRID)
        for box in (self.pace, self.most):
            box.setMinimumHeight(self.form.sizeHint().height())  # which the style makes flatter
        rows.addRow(self.tr("What"), self.what)
        rows.addRow(self.tr("As"), self.form)
        rows.addRow(self.tr("Pace"), self.pace)
        rows.addRow(self.tr("Length"), self.most)
        column = QVBoxLayout(self)
        column.setContentsMargins(*[2 * GRID] * 4)
        column.setSpacing(2 * GRID)
        column.addLayout(rows)
        column.addWidget(self.status)
        column.addWidget(self.progress)
        column.addWidget(self._buttons)
        self.what.currentIndexChanged.connect(lambda _place: self._choose())
        self.form.currentIndexChanged.connect(lambda _place: self._enable())
        self._choose()

    def export_to(self, path: Path) -> None:
        """Make it: a file, or for pictures a folder; `status` says what came of it."""
        self._is_cancelled = False
        self._pictures = (0, 0)
        what, form = self.what.currentData(), str(self.form.currentData())
        is_folder = form == "png" and what != "data"
        if why_not := _why_not_written(path if is_folder else path.parent, is_made=is_folder):
            self._fail(why_not)
            return
        self._set_working(True)
        if what == "data":
            self._start(partial(export_npz, self._folder, self._steps, path), path)
        elif isinstance(what, FilmedView):
            frames, steps = self._drawn_frames(what, _MOST_WIDTH if form == "gif" else None)
            if self._is_cancelled:
                self._fail("")
            elif not steps:
                self._fail(self.tr("no moment of this run could be read"))
            else:
                self._start(partial(self._write_drawn, path, form, frames, steps), path)
        else:
            self._start(partial(self._make_film, path, form, "weights" if what == "weights" else "maps"), path)

    def frame_steps(self) -> tuple[int, ...]:
        """The moments that become frames: all, or as many as are wanted, evenly."""
        count = min(self.most.value(), len(self._steps))
        places = np.unique(np.linspace(0, len(self._steps) - 1, count).round().astype(int))
        return tuple(self._steps[place] for place in places)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._is_cancelled = True
        if self._job is not None:
            self._job.close(_CLOSE_TIMEOUT_S)
            self._job = None
        # Not the dialog's own way, which asks `reject`, and that only cancels what is under way.
        event.accept()
        self.done(int(QDialog.DialogCode.Rejected))

    def reject(self) -> None:
        """Escape cancels what is under way, then closes."""
        if self._is_drawing:
            self._is_cancelled = True
        elif self._job is not None:
            self._is_cancelled = True
            self._job.cancel()
        else:
            super().reject()

    def _has_weights(self, layer: str) -> bool:
        try:
            return values_of(read_moment(self._folder, self._steps[-1]), layer, "weights") is not None
        except MomentFileError:
            return False

    def _choose(self) -> None:
        self._enable()
        what = self.what.currentData()
        words = [
            self.tr("{count} moments, steps {first} to {last}.").format(
                count=len(self._steps), first=f"{self._steps[0]:,}", last=f"{self._steps[-1]:,}"
            )
        ]
        if isinstance(what, FilmedView):
            words.append(self.tr("Each frame is the view as it shows that moment, with the scale that it has there."))
        elif what != "data":
            words.append(self.tr("The colours keep their scale from frame to frame."))
        if self._layer is None:
            words.append(self.tr("Select a layer first for films of its feature maps or weights alone."))
        self.status.setText(" ".join(words))

    def _enable(self) -> None:
        is_film = self.what.currentData() != "data"
        self.form.setEnabled(is_film)
        self.most.setEnabled(is_film)
        self.pace.setEnabled(is_film and self.form.currentData() == "gif")

    def _ask_path(self) -> None:
        what, form = self.what.currentData(), self.form.currentData()
        place = Path(str(settings().value(_FOLDER_KEY, str(Path.home()))))
        if isinstance(what, FilmedView):
            name = f"moments-{what.key}"
        else:
            name = "moments" if what == "data" else f"{what}-{self._layer}".replace("/", "-")
        suffix = ""
        if what != "data" and form == "png":
            chosen = QFileDialog.getExistingDirectory(self, self.tr("Folder for the pictures"), str(place))
        else:
            suffix = ".npz" if what == "data" else ".gif"
            kinds = self.tr("Data (*.npz)") if what == "data" else self.tr("Film (*.gif)")
            chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Export"), str(place / (name + suffix)), kinds)
        path = self._with_suffix(Path(chosen), suffix) if chosen and suffix else Path(chosen)
        if chosen and path is not None:
            settings().setValue(_FOLDER_KEY, str(path.parent))
            self.export_to(path)

    def _with_suffix(self, path: Path, suffix: str) -> Path | None:
        """The path as it is to be written; None where a file of that name is to stay."""
        if path.suffix.lower() == suffix:
            return path  # which the file dialog has asked about
        longer = path.with_name(path.name + suffix)
        question = self.tr("{0} already exists. Replace it?").format(longer.name)
        yes = QMessageBox.StandardButton.Yes
        if longer.exists() and QMessageBox.question(self, self.tr("Export"), question) != yes:
            return None
        return longer

    # Work

    def _start(self, work: Work, path: Path) -> None:
        def told(progress: Progress, cancelled: Cancelled) -> None:
            try:
                work(progress, cancelled)
            except OSError as error:
                raise ValueError(f"{path}: {error.strerror or error}") from error

        self._job = Job(told, self)
        self._job.progressed.connect(self._show_progress)
        self._job.finished.connect(lambda _result: self._finish(path))
        self._job.failed.connect(self._fail)
        self._job.start()

    def _make_film(self, path: Path, form: str, what: What, progress: Progress, cancelled: Cancelled) -> None:
        assert self._layer is not None
        steps = self.frame_steps()
        frames, palette, kept = film_of_layer(
            self._folder, steps, self._layer, what, self._themes.theme, progress, cancelled
        )
        self._write(path, form, frames, kept, palette, progress, cancelled)

    def _write(
        self,
        path: Path,
        form: str,
        frames: Sequence[Frame],
        steps: Sequence[int],
        palette: npt.NDArray[np.uint8] | None,
        progress: Progress,
        cancelled: Cancelled,
    ) -> None:
        if form == "gif":
            write_gif(path, frames, self.pace.value(), palette, progress, cancelled)
        else:

            def count(text: str, share: float) -> None:
                # Of the picture that is begun.
                self._pictures = (max(0, round(share * len(frames)) - 1), len(frames))
                progress(text, share)

            write_pngs(path, frames, steps, palette, count, cancelled)

    def _write_drawn(
        self,
        path: Path,
        form: str,
        frames: Sequence[Frame],
        steps: Sequence[int],
        progress: Progress,
        cancelled: Cancelled,
    ) -> None:
        def go_on(text: str, share: float) -> None:
            progress(text, _DRAWING + (1 - _DRAWING) * share)

        self._write(path, form, frames, steps, None, go_on, cancelled)

    def _drawn_frames(self, view: FilmedView, most_width: int | None) -> tuple[PackedFrames, list[int]]:
        """What a view paints of each moment, and the steps of those that could be read.

        Args:
            most_width: in pixels, to which wider ones are scaled; None for as they are.
        """
        theme = self._themes.theme
        frames = PackedFrames((theme.window.red(), theme.window.green(), theme.window.blue()))
        kept: list[int] = []
        steps = self.frame_steps()
        self._is_drawing = True
        try:
            for number, step in enumerate(steps):
                text = self.tr("Drawing moment {0} of {1}").format(f"{number + 1:,}", f"{len(steps):,}")
                self._show_progress(text, _DRAWING * number / len(steps))
                pause()
                if self._is_cancelled:
                    break
                if not self._stage.show(step):
                    continue
                image = view.widget.grab().toImage()
                image.setDevicePixelRatio(1.0)
                if most_width is not None and image.width() > most_width:
                    image = image.scaledToWidth(most_width, Qt.TransformationMode.SmoothTransformation)
                frames.append(with_caption(image, step, view, theme))
                kept.append(step)
        finally:
            self._is_drawing = False
            self._stage.leave()
        return frames, kept

    def _set_working(self, is_working: bool) -> None:
        self._started_s = time.monotonic()
        self.progress.setVisible(is_working)
        self.export_button.setEnabled(not is_working)
        close = self._buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setText(self.tr("Cancel") if is_working else self.tr("Close"))
        for editor in (self.what, self.form, self.pace, self.most):
            editor.setEnabled(not is_working)
        if not is_working:
            self._enable()

    def _show_progress(self, text: str, share: float) -> None:
        self.progress.setValue(round(1000 * share))
        spent_s = time.monotonic() - self._started_s
        left_s = spent_s * (1 - share) / share if share > 0 else 0.0
        if min(spent_s, left_s) > _TOLD_AFTER_S:
            text = self.tr("{0}, about {1} left").format(text, numbers.rough_duration(left_s))
        self.status.setText(text)

    def _finish(self, path: Path) -> None:
        self._job = None
        self._set_working(False)
        if path.is_dir():
            count = self._pictures[1]
            text = self.tr("Written: {0} ({1} pictures)").format(path, f"{count:,}")
            if others := sum(1 for _ in path.glob(PICTURES)) - count:
                text = self.tr("{0}. Of other films lie there too: {1}.").format(text, f"{others:,}")
        else:
            text = self.tr("Written: {0} ({1})").format(path, numbers.short_bytes(path.stat().st_size))
        self.status.setText(text)

    def _fail(self, why: str) -> None:
        self._job = None
        self._set_working(False)
        text = self.tr("Not written: {0}").format(why) if why else self.tr("Cancelled.")
        if self._pictures[0]:
            written, wanted = self._pictures
            stay = self.tr("In the folder all the same: {0} of {1} pictures.").format(f"{written:,}", f"{wanted:,}")
            text = f"{text.rstrip('.')}. {stay}"
        self.status.setText(text)


def _why_not_written(folder: Path, *, is_made: bool) -> str:
    """What keeps files from being written into a folder, before minutes of work are for nothing; empty for nothing.

    Args:
        folder: of the files.
        is_made: whether it is made where it is missing; such a one is looked at when it is there.
    """
    try:
        if folder.exists() or not is_made:
            tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    return ""
