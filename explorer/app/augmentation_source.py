"""Gives the augmentation's preview its images: those of the chosen data set, at the size that the network takes."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from explorer.layers import Shape
from explorer.panels.augmentation.preview import MakePictures
from explorer.panels.training.panel import TrainingPanel
from explorer.runs import RunConfig
from explorer.runs.augmentation import parse_augmentation
from explorer.runs.augmented_pictures import AugmentedPictures
from explorer.session import Document
from explorer.session.data_session import DataSession


class AugmentationSource(QObject):
    """Follows the training form, the network's input, and what is found of data sets."""

    def __init__(
        self,
        panel: TrainingPanel,
        document: Document,
        session: DataSession,
        make: Callable[[str, Shape], MakePictures],
        parent: QObject | None = None,
    ) -> None:
        """Connect them.

        Args:
            panel: whose form says what is on, and which shows the preview.
            document: whose network says the size.
            session: tells when a data set was downloaded or looked at anew.
            make: makes what draws the pictures of a data set, by its name and the network's `(C, H, W)`.
            parent: its owner.
        """
        super().__init__(parent)
        self._panel = panel
        self._document = document
        self._make = make
        self._source: tuple[str, Shape] | None = None
        panel.config_changed.connect(self._follow)
        panel.preview.shown.connect(self._take_channels)
        document.changed.connect(lambda _old, _new: self._follow(panel.config()))
        session.downloaded.connect(lambda _name: self._refresh())
        session.view_changed.connect(lambda view: self._refresh() if view is not None else None)
        self._follow(panel.config())

    def _follow(self, config: RunConfig) -> None:
        self._panel.preview.show_augmentation(parse_augmentation(config.augmentation))
        if self._document.is_open and self._source != (config.data, self._document.architecture.input_shape):
            self._refresh()

    def _refresh(self) -> None:
        if not self._document.is_open:
            return
        config = self._panel.config()
        source = config.data, self._document.architecture.input_shape
        if source != self._source:
            self._panel.form.augmentation.set_channels(None)
        self._source = source
        self._panel.preview.set_source(self._make(*source))

    def _take_channels(self, pictures: AugmentedPictures) -> None:
        self._panel.form.augmentation.set_channels(pictures.originals.shape[1])
