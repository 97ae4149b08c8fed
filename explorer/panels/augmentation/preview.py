"""What an augmentation makes of real images: each original, and several random results beside it.

The pictures are made by a callable that the app hands in, in a background thread; what is on is `form`'s.
"""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QToolButton, QVBoxLayout, QWidget

from explorer.look.icons import icon
from explorer.look.labels import RoleLabel, section_label
from explorer.look.theme import GRID, ThemeSource
from explorer.panels.augmentation.strip import PictureStrip
from explorer.panels.dock_panel import DockPanel
from explorer.runs.augmentation import Augmentation
from explorer.runs.augmented_pictures import AugmentedPictures
from explorer.session.job import Job

MakePictures = Callable[[Augmentation, int], AugmentedPictures]
"""Makes the pictures from an augmentation and a seed, in a background thread; raises with a message for the user."""


class AugmentationPreview(DockPanel):
    """Shows what training may see, anew whenever the augmentation changes or `again_button` is pressed.

    While pictures are made, only the newest wish waits; the old pictures stay until then.

    Signals:
        shown(AugmentedPictures): new pictures are on screen.
    """

    shown = Signal(object)

    def __init__(self, themes: ThemeSource, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._themes = themes
        self._augmentation = Augmentation()
        self._make: MakePictures | None = None
        self._seed = 0
        self._job: Job | None = None
        self._is_stale = False
        self._is_closed = False
        self.again_button = QToolButton(self)
        self.again_button.setText(self.tr("Again"))
        self.again_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.again_button.setToolTip(self.tr("Draw other random numbers"))
        self.again_button.clicked.connect(self.again)
        self._message = RoleLabel(themes, role="muted", wraps=True, parent=self)
        self.strip = PictureStrip(themes, self)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self.strip)
        row = QHBoxLayout()
        row.setSpacing(GRID)
        row.addWidget(section_label(themes, self.tr("What training may see"), self), 1)
        row.addWidget(self.again_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID)
        column.addLayout(row)
        column.addWidget(self._message)
        column.addWidget(area, 1)
        themes.changed.connect(self._recolour)
        self._recolour()
        self.set_source(None, self.tr("Choose a data set to see what training makes of its images."))

    @property
    def message(self) -> str:
        """Why there are no pictures; empty if there are."""
        return self._message.text()

    @property
    def pictures(self) -> AugmentedPictures | None:
        """What is on screen."""
        return self.strip.pictures

    def set_source(self, make: MakePictures | None, why: str = "") -> None:
        """Make pictures in another way, as for another data set or another size of the network's input.

        Args:
            make: called in a background thread, once at a time; None where there are no images.
            why: what to do about it then.
        """
        self._make = make
        self.again_button.setEnabled(make is not None)
        if make is None:
            self._is_stale = False
            self.strip.show_pictures(None)
            self._say(why)
        else:
            if self.pictures is None:
                self._say(self.tr("Reading some images…"))
            self._wish()

    def show_augmentation(self, augmentation: Augmentation) -> None:
        """Show what this makes of the images, with the same random numbers as before."""
        if augmentation != self._augmentation:
            self._augmentation = augmentation
            self._wish()

    def again(self) -> None:
        """Draw other random numbers."""
        self._seed += 1
        self._wish()

    def close_job(self, timeout_s: float = 10.0) -> bool:
        """Make no more pictures; returns whether the thread ended in time."""
        self._is_closed = True
        return self._job is None or self._job.close(timeout_s)

    def _follow_seen(self, is_seen: bool) -> None:
        if is_seen:
            self._start()

    def _wish(self) -> None:
        self._is_stale = self._make is not None
        self._start()

    def _start(self) -> None:
        make = self._make
        # What nobody sees is made when it is shown.
        if not self._is_stale or make is None or self._is_closed or self._job is not None or not self.is_seen:
            return
        self._is_stale = False
        augmentation, seed = self._augmentation, self._seed
        job = Job(lambda _progress, _cancelled: make(augmentation, seed), self)
        self._job = job
        job.finished.connect(lambda pictures: self._finish(make, pictures, ""))
        job.failed.connect(lambda why: self._finish(make, None, why))
        job.start()

    def _finish(self, make: MakePictures, pictures: object, why: str) -> None:
        assert self._job is not None
        self._job.deleteLater()
        self._job = None
        if make is self._make:  # else of a data set that is gone
            assert pictures is None or isinstance(pictures, AugmentedPictures)
            self.strip.show_pictures(pictures)
            self._say(why, is_error=pictures is None)
            if pictures is not None:
                self.shown.emit(pictures)
        self._start()

    def _say(self, text: str, is_error: bool = False) -> None:
        self._message.set_role("error" if is_error else "muted")
        self._message.show_text(text)
        self._message.setVisible(bool(text))

    def _recolour(self) -> None:
        self.again_button.setIcon(icon("again", self._themes.theme))
